// Uses net/http's headers in ways that must not confuse gopatch: `sender MODE URL` sends requests to URL, and
// `sender written` writes headers itself. It ends with status 1 if what it wrote is not what it should be.
package main

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

// rounds is how often each mode does its work.
const rounds = 40

var transport = &http.Transport{MaxIdleConnsPerHost: 4}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "sender:", err)
		os.Exit(1)
	}
}

func main() {
	modes := map[string]func(to string){"shared": shared, "traced": traced, "written": written, "reused": reused}
	to := ""
	if len(os.Args) > 2 {
		to = os.Args[2]
		knock(to)
	}
	modes[os.Args[1]](to)
}

// knock sends requests until there is a file: the collector may attach late.
func knock(to string) {
	for begun := time.Now(); time.Since(begun) < time.Minute; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(os.Args[3]); err == nil {
			return
		}
		send(newRequest(to + "/knock"))
	}
}

func newRequest(to string) *http.Request {
	request, err := http.NewRequest("GET", to, nil)
	check(err)
	return request
}

func send(request *http.Request) {
	answer, err := transport.RoundTrip(request)
	check(err)
	check(answer.Body.Close())
}

// shared sends two requests at a time that have one map of headers: the second is a copy of the first.
func shared(to string) {
	for i := 0; i < rounds; i++ {
		first := newRequest(fmt.Sprintf("%s/first/%d", to, i))
		first.Header.Set("Round", fmt.Sprint(i))
		second := *first
		var err error
		second.URL, err = url.Parse(fmt.Sprintf("%s/second/%d", to, i))
		check(err)
		var both sync.WaitGroup
		for _, request := range []*http.Request{first, &second} {
			request := request
			both.Add(1)
			go func() {
				defer both.Done()
				send(request)
			}()
		}
		both.Wait()
	}
}

// reused sends one request several times, one after the other.
func reused(to string) {
	request := newRequest(to + "/reused/")
	for i := 0; i < rounds; i++ {
		request.URL.Path = fmt.Sprintf("/reused/%d", i)
		send(request)
	}
}

// traced writes a request's headers to a buffer of its own, as a log does, while the transport sends them.
func traced(to string) {
	for i := 0; i < rounds; i++ {
		request := newRequest(fmt.Sprintf("%s/traced/%d", to, i))
		request.Header.Set("Round", fmt.Sprint(i))
		want := fmt.Sprintf("Round: %d\r\n", i)
		log := func() { same("a log of a request's headers", headerText(request.Header), want) }
		trace := &httptrace.ClientTrace{
			GetConn:      func(string) { log() },
			GotConn:      func(httptrace.GotConnInfo) { log() },
			WroteHeaders: log,
			WroteRequest: func(httptrace.WroteRequestInfo) { log() },
		}
		send(request.WithContext(httptrace.WithClientTrace(request.Context(), trace)))
		log()
	}
}

// written writes headers in a handler that serves a request with a context, and as one that is asked.
func written(string) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		same("headers of no request", headerText(http.Header{"A": {"1"}}), "A: 1\r\n")
		request := newRequest("http://example.com/")
		request.Header.Set("A", "1")
		request.Header.Set("User-Agent", "")
		var buffer bytes.Buffer
		to := bufio.NewWriter(&buffer)
		check(request.WithContext(r.Context()).Write(to))
		check(to.Flush())
		same("a request that no transport sends", buffer.String(), "GET / HTTP/1.1\r\nHost: example.com\r\nA: 1\r\n\r\n")
		answer := http.Response{StatusCode: 200, ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"A": {"1"}}}
		buffer.Reset()
		check(answer.Write(&buffer))
		same("an answer", buffer.String(), "HTTP/1.1 200 OK\r\nA: 1\r\nContent-Length: 0\r\n\r\n")
	}))
	for begun := time.Now(); time.Since(begun) < time.Second; {
		request := newRequest(server.URL)
		request.Header.Set("Traceparent", "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01")
		answer, err := transport.RoundTrip(request)
		check(err)
		for name := range answer.Header {
			if strings.HasPrefix(name, "Trace") {
				check(fmt.Errorf("an answer has the header %s", name))
			}
		}
		check(answer.Body.Close())
	}
}

// headerText is what a map of headers writes.
func headerText(header http.Header) string {
	var buffer bytes.Buffer
	to := bufio.NewWriter(&buffer)
	check(header.Write(to))
	check(to.Flush())
	return buffer.String()
}

func same(what, got, want string) {
	if got != want {
		check(fmt.Errorf("%s: %q instead of %q", what, got, want))
	}
}
