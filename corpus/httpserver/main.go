// Command httpserver is the web server that the tests and the demo patch.
//
// It serves the same handlers over HTTP and HTTPS (HTTP/2 where the client requests it), prints the
// addresses it chose as one line of JSON once it accepts connections, and ends with status 0 on
// SIGTERM or SIGINT. It never listens beyond loopback unless an address says so.
package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// shutdownLimit bounds the wait for requests that are still running when the server is stopped.
const shutdownLimit = 10 * time.Second

// ready is the line that the server prints when it accepts connections.
type ready struct {
	HTTP  string `json:"http"`
	HTTPS string `json:"https"`
	PID   int    `json:"pid"`
	Go    string `json:"go"`
}

func main() {
	httpAddr := flag.String("http", "127.0.0.1:0", "`address` for HTTP; port 0 takes a free one")
	httpsAddr := flag.String("https", "127.0.0.1:0", "`address` for HTTPS; port 0 takes a free one")
	verbose := flag.Bool("v", false, "log what net/http logs, such as the stacks of panicking handlers")
	flag.Parse()
	if err := run(*httpAddr, *httpsAddr, *verbose); err != nil {
		fmt.Fprintln(os.Stderr, "httpserver:", err)
		os.Exit(1)
	}
}

func run(httpAddr, httpsAddr string, verbose bool) error {
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()

	plain, err := listen(httpAddr)
	if err != nil {
		return err
	}
	secure, err := listen(httpsAddr)
	if err != nil {
		return err
	}
	certificate, err := selfSigned()
	if err != nil {
		return err
	}

	// net/http formats the stack of a panicking handler even if the log is discarded. The tests
	// need that: the runtime unwinds through the hooked functions.
	logTo := io.Discard
	if verbose {
		logTo = os.Stderr
	}
	newServer := func() *http.Server {
		return &http.Server{
			Handler:           handlers(),
			ErrorLog:          log.New(logTo, "httpserver: ", 0),
			ReadHeaderTimeout: time.Minute,
		}
	}
	// Two servers: net/http decides once for each server whether it speaks HTTP/2, and plain HTTP
	// does not.
	plainServer, secureServer := newServer(), newServer()
	secureServer.TLSConfig = &tls.Config{Certificates: []tls.Certificate{certificate}}

	served := make(chan error, 2)
	go func() { served <- plainServer.Serve(plain) }()
	go func() { served <- secureServer.ServeTLS(secure, "", "") }()

	err = json.NewEncoder(os.Stdout).Encode(ready{
		HTTP:  plain.Addr().String(),
		HTTPS: secure.Addr().String(),
		PID:   os.Getpid(),
		Go:    runtime.Version(),
	})
	if err != nil {
		return err
	}

	select {
	case err := <-served:
		return err
	case <-stop.Done():
	}
	limited, done := context.WithTimeout(context.Background(), shutdownLimit)
	defer done()
	for _, server := range []*http.Server{plainServer, secureServer} {
		if err := server.Shutdown(limited); err != nil {
			return err
		}
		if err := <-served; !errors.Is(err, http.ErrServerClosed) {
			return err
		}
	}
	return nil
}

// listen opens a TCP listener; an address without a host means loopback, not every interface.
func listen(address string) (net.Listener, error) {
	if strings.HasPrefix(address, ":") {
		address = "127.0.0.1" + address
	}
	return net.Listen("tcp", address)
}
