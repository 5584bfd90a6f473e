package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"flag"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// ready is the line that the server prints when it accepts connections.
type ready struct {
	Plain   string `json:"plain"`
	TLS     string `json:"tls"`
	Handler string `json:"handler"`
}

func serve(arguments []string) error {
	flags := flag.NewFlagSet("greeter serve", flag.ExitOnError)
	address := flags.String("plain", "127.0.0.1:0", "`address` for gRPC in plain text; port 0 takes a free one")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	certificate, err := selfSigned()
	if err != nil {
		return err
	}
	config := func() *tls.Config { return &tls.Config{Certificates: []tls.Certificate{certificate}} }

	var listeners [3]net.Listener
	for i := range listeners {
		to := "127.0.0.1:0"
		if i == 0 {
			to = *address
		}
		if listeners[i], err = net.Listen("tcp", to); err != nil {
			return err
		}
	}
	plain := grpc.NewServer()
	secure := grpc.NewServer(grpc.Creds(credentials.NewTLS(config())))
	inner := grpc.NewServer()
	for _, server := range []*grpc.Server{plain, secure, inner} {
		server.RegisterService(&service, nil)
	}
	// gRPC's handler below net/http's HTTP/2.
	handler := &http.Server{Handler: inner, TLSConfig: config()}

	served := make(chan error, 3)
	go func() { served <- plain.Serve(listeners[0]) }()
	go func() { served <- secure.Serve(listeners[1]) }()
	go func() { served <- handler.ServeTLS(listeners[2], "", "") }()
	err = json.NewEncoder(os.Stdout).Encode(ready{
		Plain:   listeners[0].Addr().String(),
		TLS:     listeners[1].Addr().String(),
		Handler: listeners[2].Addr().String(),
	})
	if err != nil {
		return err
	}
	select {
	case err := <-served:
		return err
	case <-stop.Done():
	}
	plain.GracefulStop()
	secure.GracefulStop()
	return handler.Shutdown(context.Background())
}
