package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// serviceName is the service's full name. Its messages are empty, so that it needs no generated code.
const serviceName = "chain.Chain"

// prefix precedes a method's name.
const prefix = "/" + serviceName + "/"

type message = emptypb.Empty

// ready is the line that the service prints when it accepts connections.
type ready struct {
	Plain string `json:"plain"`
	TLS   string `json:"tls"`
	PID   int    `json:"pid"`
	Go    string `json:"go"`
}

func serve(arguments []string) error {
	flags := flag.NewFlagSet("chain-grpc serve", flag.ExitOnError)
	next := flags.String("next", "", "`address` of the next service; the last one has none")
	secure := flags.Bool("tls", false, "use TLS to the next service")
	count := flags.Int("n", 1000, "`count` of calls that there are methods for")
	depth := flags.Int("depth", 0, "`count` of services before this one")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	s := &service{pool: make(chan job)}
	if *next != "" {
		to, err := dial(*next, *secure)
		if err != nil {
			return err
		}
		defer to.Close()
		s.next = to
	}
	for i := 0; i < poolSize; i++ {
		go s.work()
	}

	certificate, err := selfSigned()
	if err != nil {
		return err
	}
	description := s.describe(*count, *depth)
	unknown := grpc.UnknownServiceHandler(s.stream)
	overTLS := grpc.Creds(credentials.NewTLS(&tls.Config{Certificates: []tls.Certificate{certificate}}))
	servers := []*grpc.Server{grpc.NewServer(unknown), grpc.NewServer(unknown, overTLS)}
	served := make(chan error, len(servers))
	var addresses []string
	for _, server := range servers {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		addresses = append(addresses, listener.Addr().String())
		server.RegisterService(description, nil)
		server := server
		go func() { served <- server.Serve(listener) }()
	}
	line := ready{Plain: addresses[0], TLS: addresses[1], PID: os.Getpid(), Go: runtime.Version()}
	if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
		return err
	}
	select {
	case err := <-served:
		return err
	case <-stop.Done():
	}
	for _, server := range servers {
		server.GracefulStop()
	}
	return nil
}

// describe lists the unary methods: those of every call number, and of the calls that the services before make for it.
func (s *service) describe(count, depth int) *grpc.ServiceDesc {
	description := &grpc.ServiceDesc{ServiceName: serviceName, HandlerType: (*any)(nil)}
	add := func(name string) {
		description.Methods = append(description.Methods, grpc.MethodDesc{MethodName: name, Handler: s.unary(name)})
	}
	add("knock")
	for shape, details := range shapes {
		if isStream(shape) {
			continue
		}
		suffixes := []string{""}
		for i := 0; i < depth; i++ {
			var longer []string
			for _, suffix := range suffixes {
				for k := 0; k < details.calls; k++ {
					longer = append(longer, fmt.Sprintf("%s.%d", suffix, k))
				}
			}
			suffixes = longer
		}
		for i := 0; i < count; i++ {
			for _, suffix := range suffixes {
				add(fmt.Sprintf("%s-%d%s", shape, i, suffix))
			}
		}
	}
	return description
}

type unaryHandler = func(any, context.Context, func(any) error, grpc.UnaryServerInterceptor) (any, error)

func (s *service) unary(method string) unaryHandler {
	return func(_ any, ctx context.Context, decode func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		request := new(message)
		if err := decode(request); err != nil {
			return nil, err
		}
		return new(message), s.handle(ctx, method)
	}
}

// stream answers each message, and asks the next service after the first.
func (s *service) stream(_ any, stream grpc.ServerStream) error {
	full, _ := grpc.MethodFromServerStream(stream)
	method := strings.TrimPrefix(full, prefix)
	if !isStream(method) {
		return status.Error(codes.Unimplemented, full)
	}
	for i := 0; ; i++ {
		if err := stream.RecvMsg(new(message)); err != nil {
			return atEnd(err)
		}
		if i == 0 {
			if err := s.handle(stream.Context(), method); err != nil {
				return err
			}
		}
		if err := stream.SendMsg(new(message)); err != nil {
			return err
		}
	}
}

// atEnd is an error unless the stream has ended as it should.
func atEnd(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	if err == nil {
		return errors.New("the stream has not ended")
	}
	return err
}
