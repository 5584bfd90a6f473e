package main

import (
	"bytes"
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
	"net/http/httputil"
	"net/url"
	"os"
	"os/signal"
	"runtime"
	"strings"
	"sync"
	"syscall"
)

// ready is the line that a service prints when it accepts connections.
type ready struct {
	HTTP  string `json:"http"`
	HTTPS string `json:"https"`
	PID   int    `json:"pid"`
	Go    string `json:"go"`
}

// service is one link of the chain.
type service struct {
	// next is the base URL of the next service; the last one has none.
	next   string
	client *http.Client
	proxy  *httputil.ReverseProxy
	// pool and lazy are the jobs of workers that were started at the beginning, and by requests for /knock.
	pool chan job
	lazy chan job
	// late are calls that outlive their requests.
	late    sync.WaitGroup
	writing sync.Mutex
	// seen has a line for each request, with its headers as they came.
	seen *json.Encoder
}

// received is a request's line in the file of -seen.
type received struct {
	Path        string   `json:"path"`
	Proto       string   `json:"proto"`
	Traceparent []string `json:"traceparent"`
	Tracestate  []string `json:"tracestate"`
	Baggage     []string `json:"baggage"`
}

func serve(arguments []string) error {
	flags := flag.NewFlagSet("chain serve", flag.ExitOnError)
	next := flags.String("next", "", "base `URL` of the next service")
	workers := flags.Int("c", 64, "`count` of connections to the next service that are kept")
	useHTTP2 := flags.Bool("http2", false, "speak HTTP/2 over TLS to the next service")
	seen := flags.String("seen", "", "write the trace context of each request to this `file`")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()

	s := &service{next: strings.TrimSuffix(*next, "/"), pool: make(chan job), lazy: make(chan job)}
	transport := newTransport(*useHTTP2, *workers)
	s.client = &http.Client{Transport: transport, Timeout: requestLimit}
	if s.next != "" {
		to, err := url.Parse(s.next)
		if err != nil {
			return err
		}
		s.proxy = httputil.NewSingleHostReverseProxy(to)
		s.proxy.Transport = transport
	}
	if *seen != "" {
		file, err := os.Create(*seen)
		if err != nil {
			return err
		}
		defer file.Close()
		s.seen = json.NewEncoder(file)
	}
	for i := 0; i < poolSize; i++ {
		go s.work(s.pool)
	}

	var listeners [2]net.Listener
	for i := range listeners {
		var err error
		if listeners[i], err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			return err
		}
	}
	certificate, err := selfSigned()
	if err != nil {
		return err
	}
	quiet := log.New(io.Discard, "", 0)
	plain := &http.Server{Handler: s, ErrorLog: quiet}
	secure := &http.Server{Handler: s, ErrorLog: quiet, TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}}}
	served := make(chan error, 2)
	go func() { served <- plain.Serve(listeners[0]) }()
	go func() { served <- secure.ServeTLS(listeners[1], "", "") }()
	err = json.NewEncoder(os.Stdout).Encode(ready{
		HTTP:  listeners[0].Addr().String(),
		HTTPS: listeners[1].Addr().String(),
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
	for _, server := range []*http.Server{plain, secure} {
		if err := server.Shutdown(context.Background()); err != nil {
			return err
		}
	}
	s.late.Wait()
	return nil
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/knock" {
		go s.work(s.lazy)
		return
	}
	if s.seen != nil {
		s.writing.Lock()
		s.seen.Encode(received{r.URL.Path, r.Proto, r.Header["Traceparent"], r.Header["Tracestate"], r.Header["Baggage"]})
		s.writing.Unlock()
	}
	io.Copy(io.Discard, r.Body)
	shape, number, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	handle, known := shapes[shape]
	if !known {
		http.Error(w, "no such shape", http.StatusNotFound)
		return
	}
	if shape == "redirect" && strings.Contains(number, ".") {
		// The next call of the one that asks.
		http.Redirect(w, r, "/direct/"+strings.TrimSuffix(number, "0")+"1", http.StatusTemporaryRedirect)
		return
	}
	if s.next == "" {
		fmt.Fprintf(w, "%s\n", r.URL.Path)
		return
	}
	if err := handle(s, w, r); err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
	}
}

// ask sends the next service call number k of the request of this path.
func (s *service) ask(ctx context.Context, path string, k int) error {
	return s.send(ctx, "GET", path, k, nil)
}

func (s *service) send(ctx context.Context, method, path string, k int, body []byte) error {
	var content io.Reader
	if body != nil {
		content = bytes.NewReader(body)
	}
	request, err := http.NewRequestWithContext(ctx, method, fmt.Sprintf("%s%s.%d", s.next, path, k), content)
	if err != nil {
		return err
	}
	answer, err := s.client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return errors.New(answer.Status)
	}
	return nil
}
