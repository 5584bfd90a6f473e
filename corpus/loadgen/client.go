package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sort"
	"strings"
	"time"
)

// requestLimit bounds one request, so that a server that hangs is a failure and not a hang.
const requestLimit = 30 * time.Second

// seen is one request as the client saw it. Status is 0 when no answer came.
type seen struct {
	Method        string `json:"method"`
	Path          string `json:"path"`
	Status        int    `json:"status"`
	StartUnixNano int64  `json:"start_unix_nano"`
	DurationNano  int64  `json:"duration_nano"`
	Proto         string `json:"proto"`
	Error         string `json:"error,omitempty"`
}

// handler is how to call one of the server's handlers, and the expected status, which is 0 if no answer comes.
type handler struct {
	method string
	path   func(id int64) string
	status func(id int64, h2 bool) int
}

func always(status int) func(int64, bool) int {
	return func(int64, bool) int { return status }
}

func prefix(path string) func(int64) string {
	return func(int64) string { return path }
}

func statusOf(id int64) int { return 200 + int(id%400) }

// handlerOf has the server's handlers by name. The one that panics gets a POST: net/http's client would repeat a GET
// when its connection dies.
var handlerOf = map[string]handler{
	"fast":   {http.MethodGet, prefix("/fast/"), always(http.StatusOK)},
	"slow":   {http.MethodGet, prefix("/slow/"), always(http.StatusOK)},
	"stream": {http.MethodGet, prefix("/stream/"), always(http.StatusOK)},
	"panic":  {http.MethodPost, prefix("/panic/"), always(0)},
	"hijack": {http.MethodGet, prefix("/hijack/"), func(_ int64, h2 bool) int {
		if h2 {
			return http.StatusNotImplemented
		}
		return http.StatusOK
	}},
	"echo":    {http.MethodPost, prefix("/echo/"), always(http.StatusCreated)},
	"missing": {http.MethodGet, prefix("/missing/"), always(http.StatusNotFound)},
	"status": {
		http.MethodGet,
		func(id int64) string { return fmt.Sprintf("/status/%d/", statusOf(id)) },
		func(id int64, _ bool) int { return statusOf(id) },
	},
}

func handlerNames() []string {
	var names []string
	for name := range handlerOf {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// client sends the requests. It is a bare transport, as http.Client would follow redirects.
type client struct {
	base      string
	h2        bool
	tag       string
	mix       []handler
	transport *http.Transport
}

func newClient(base, proto, mix, tag string, workers int) (*client, error) {
	parsed, err := url.Parse(base)
	if err != nil || parsed.Host == "" {
		return nil, fmt.Errorf("-url %q is not a base URL such as http://127.0.0.1:8080", base)
	}
	if proto != "h1" && proto != "h2" {
		return nil, fmt.Errorf("-proto %q is neither h1 nor h2", proto)
	}
	if proto == "h2" && parsed.Scheme != "https" {
		return nil, fmt.Errorf("-proto h2 needs an https URL, not %q", base)
	}
	if workers < 1 {
		return nil, fmt.Errorf("-c %d sends nothing", workers)
	}
	c := &client{base: strings.TrimSuffix(base, "/"), h2: proto == "h2", tag: tag}
	for _, name := range strings.Split(mix, ",") {
		one, ok := handlerOf[name]
		if !ok {
			return nil, fmt.Errorf("-mix names %q; there are %s", name, strings.Join(handlerNames(), ", "))
		}
		c.mix = append(c.mix, one)
	}
	c.transport = &http.Transport{
		TLSClientConfig:     &tls.Config{InsecureSkipVerify: true, ServerName: "localhost"},
		MaxIdleConns:        workers,
		MaxIdleConnsPerHost: workers,
		DisableCompression:  true,
		ForceAttemptHTTP2:   c.h2,
	}
	if !c.h2 {
		// With an empty map that is not nil, net/http does not speak HTTP/2.
		c.transport.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	}
	return c, nil
}

// request sends request number `id` and waits for the last byte of its answer.
func (c *client) request(id int64) seen {
	ask := c.mix[id%int64(len(c.mix))]
	one := seen{Method: ask.method, Path: fmt.Sprintf("%s%s%d", ask.path(id), c.tag, id)}
	want := ask.status(id, c.h2)

	limited, done := context.WithTimeout(context.Background(), requestLimit)
	defer done()
	var body io.Reader
	if ask.method == http.MethodPost {
		body = strings.NewReader("the body of " + one.Path)
	}
	request, err := http.NewRequestWithContext(limited, ask.method, c.base+one.Path, body)
	if err != nil {
		one.Error = err.Error()
		return one
	}

	started := time.Now()
	one.StartUnixNano = started.UnixNano()
	response, err := c.transport.RoundTrip(request)
	if err == nil {
		one.Status = response.StatusCode
		one.Proto = response.Proto
		_, err = io.Copy(io.Discard, response.Body)
		response.Body.Close()
	}
	one.DurationNano = time.Since(started).Nanoseconds()

	switch {
	case want == 0 && err != nil && limited.Err() == nil:
	case err != nil:
		one.Error = err.Error()
	case one.Status != want:
		one.Error = fmt.Sprintf("status %d instead of %d", one.Status, want)
	case (response.ProtoMajor == 2) != c.h2:
		one.Error = "answered over " + one.Proto
	}
	return one
}
