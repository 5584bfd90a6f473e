// Command chain-otel is a service of corpus/chain with OpenTelemetry's SDK, set up as its documentation shows: otelhttp
// around the handler and around the transport, traces over OTLP/gRPC to OTEL_EXPORTER_OTLP_ENDPOINT.
//
// The handler asks the next service for its own path with ".0" added: on its goroutine, or, if the path begins with
// /spawn/, on another, or, with /proxy/, as a reverse proxy. `chain-otel serve` prints the address it chose as one line
// of JSON once it accepts connections. On SIGTERM or SIGINT it exports what is left and ends with status 0. It stays on
// loopback.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/trace"
)

// limit bounds one request, and the last export.
const limit = 60 * time.Second

// ready is the line that the service prints when it accepts connections.
type ready struct {
	HTTP  string `json:"http"`
	HTTPS string `json:"https"`
	PID   int    `json:"pid"`
	Go    string `json:"go"`
}

// received is a request's line in the file of -seen.
type received struct {
	Path        string   `json:"path"`
	Traceparent []string `json:"traceparent"`
	Tracestate  []string `json:"tracestate"`
}

func main() {
	err := errors.New("usage: chain-otel serve [FLAGS]")
	if len(os.Args) > 1 && os.Args[1] == "serve" {
		err = serve(os.Args[2:])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "chain-otel:", err)
		os.Exit(1)
	}
}

func serve(arguments []string) (err error) {
	flags := flag.NewFlagSet("chain-otel serve", flag.ExitOnError)
	next := flags.String("next", "", "base `URL` of the next service; the last one has none")
	seen := flags.String("seen", "", "write the trace context of each request to this `file`")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	exporter, err := otlptracegrpc.New(context.Background())
	if err != nil {
		return err
	}
	spans := trace.NewTracerProvider(trace.WithBatcher(exporter))
	defer func() {
		limited, done := context.WithTimeout(context.Background(), limit)
		defer done()
		err = errors.Join(err, spans.Shutdown(limited))
	}()
	otel.SetTracerProvider(spans)
	otel.SetTextMapPropagator(propagation.TraceContext{})

	file, err := os.Create(*seen)
	if err != nil {
		return err
	}
	defer file.Close()
	handle, err := handler(strings.TrimSuffix(*next, "/"), json.NewEncoder(file))
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: otelhttp.NewHandler(handle, "server")}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	line := ready{HTTP: listener.Addr().String(), PID: os.Getpid(), Go: runtime.Version()}
	if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
		return err
	}
	select {
	case err := <-served:
		return err
	case <-stop.Done():
	}
	return server.Shutdown(context.Background())
}

func handler(next string, seen *json.Encoder) (http.Handler, error) {
	var writing sync.Mutex
	to, err := url.Parse(next)
	if err != nil {
		return nil, err
	}
	transport := otelhttp.NewTransport(&http.Transport{MaxIdleConnsPerHost: 64})
	client := &http.Client{Transport: transport, Timeout: limit}
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.Transport = transport
	ask := func(ctx context.Context, path string) error {
		request, err := http.NewRequestWithContext(ctx, "GET", next+path+".0", nil)
		if err != nil {
			return err
		}
		answer, err := client.Do(request)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		_, err = io.Copy(io.Discard, answer.Body)
		return err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/knock" {
			return
		}
		writing.Lock()
		seen.Encode(received{r.URL.Path, r.Header["Traceparent"], r.Header["Tracestate"]})
		writing.Unlock()
		if next == "" {
			return
		}
		err := error(nil)
		switch shape, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/"); shape {
		case "proxy":
			forwarded := r.Clone(r.Context())
			forwarded.URL.Path += ".0"
			proxy.ServeHTTP(w, forwarded)
		case "spawn":
			done := make(chan error, 1)
			go func() { done <- ask(r.Context(), r.URL.Path) }()
			err = <-done
		default:
			err = ask(r.Context(), r.URL.Path)
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
		}
	}), nil
}
