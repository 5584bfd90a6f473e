package main

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// handlers has one route for each way a handler can behave. The rest of the path after a route's
// prefix is free: the tests put a request's number there.
func handlers() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/fast/", fast)
	mux.HandleFunc("/slow/", slow)
	mux.HandleFunc("/stream/", stream)
	mux.HandleFunc("/panic", panics)
	mux.HandleFunc("/panic/", panics)
	mux.HandleFunc("/hijack", hijack)
	mux.HandleFunc("/hijack/", hijack)
	mux.HandleFunc("/echo", echo)
	mux.HandleFunc("/echo/", echo)
	mux.HandleFunc("/status/", status)
	return mux
}

func fast(w http.ResponseWriter, r *http.Request) {
	io.WriteString(w, "fast\n")
}

func slow(w http.ResponseWriter, r *http.Request) {
	time.Sleep(20 * time.Millisecond)
	io.WriteString(w, "slow\n")
}

// stream sends its body in pieces, so its status is on the wire long before it returns.
func stream(w http.ResponseWriter, r *http.Request) {
	flusher := w.(http.Flusher)
	for i := 0; i < 5; i++ {
		fmt.Fprintf(w, "piece %d\n", i)
		flusher.Flush()
		time.Sleep(time.Millisecond)
	}
}

// panics reads the body first: otherwise the client could fail while it still sends, with another
// error.
func panics(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	panic("a handler that panics")
}

// hijack takes over the connection from net/http and answers by itself. HTTP/2 does not permit
// that.
func hijack(w http.ResponseWriter, r *http.Request) {
	hijacker, ok := w.(http.Hijacker)
	if !ok {
		http.Error(w, "this connection cannot be hijacked", http.StatusNotImplemented)
		return
	}
	conn, buffered, err := hijacker.Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer conn.Close()
	buffered.WriteString("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 9\r\n\r\nhijacked\n")
	buffered.Flush()
}

func echo(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		http.Error(w, "echo wants a POST", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.WriteHeader(http.StatusCreated)
	w.Write(body)
}

// status answers /status/NNN and /status/NNN/anything with NNN.
func status(w http.ResponseWriter, r *http.Request) {
	number, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/status/"), "/")
	code, err := strconv.Atoi(number)
	if err != nil || code < 200 || code > 599 {
		http.Error(w, "status wants a number from 200 to 599", http.StatusBadRequest)
		return
	}
	w.WriteHeader(code)
}
