package main

// The functions to measure. All but Leaf can call another function, so the compiler gives them a
// frame and a stack check; none does so on the path that is measured, so that what is added to it
// shows.

// text is what HotText gets, or the beginning of it.
const text = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" +
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" +
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef" +
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// URL is as much of net/url.URL as a hook on a web server reads.
type URL struct {
	Scheme   string
	Path     string
	RawQuery string
}

// Request is as much of net/http.Request as a hook on a web server reads.
type Request struct {
	Method        string
	URL           *URL
	Proto         string
	ContentLength int64
	Host          string
	Status        int
}

// ResponseWriter is an interface, as net/http's is: a hook has to look what is in it.
type ResponseWriter interface {
	WriteHeader(status int)
}

type response struct {
	wroteHeader bool
	status      int
	// Goroutines that each have one share no line of the cache.
	_ [112]byte
}

func (r *response) WriteHeader(status int) {
	r.wroteHeader = true
	r.status = status
}

func newRequest() *Request {
	return &Request{
		Method: "GET",
		URL:    &URL{Scheme: "http", Path: "/api/v1/users/12345", RawQuery: "limit=10"},
		Proto:  "HTTP/1.1",
		Host:   "127.0.0.1:8080",
	}
}

// Hot has integer arguments, an integer result, a frame and a stack check.
//
//go:noinline
func Hot(a, b int) int {
	if a < 0 {
		unreached(a)
	}
	return a ^ b<<1
}

// HotRequest has what a hook's entry reads in its only argument, and what the exit reads in the
// same place.
//
//go:noinline
func HotRequest(r *Request) {
	if r.Method == "" {
		unreached(r.Status)
	}
	r.Status = 200
}

// ServeLike has the arguments of an http.Handler. Its one call is the interface's, as in a handler
// that sets a status.
//
//go:noinline
func ServeLike(rw ResponseWriter, req *Request) {
	if req.Method == "" {
		unreached(req.Status)
	}
	rw.WriteHeader(200)
}

// HotText has a string to capture.
//
//go:noinline
func HotText(s string) {
	if len(s) == 0 {
		unreached(0)
	}
}

// Nop has the arguments of ServeLike and a 5-byte NOP after them, as a program has that was built
// for a probe there. It is in assembly: a hook lies elsewhere, but a uprobe there is the cheapest
// that there is.
func Nop(rw ResponseWriter, req *Request)

// Leaf calls nothing: it has neither frame nor stack check.
//
//go:noinline
func Leaf(a, b int) int {
	return a ^ b<<1
}

//go:noinline
func unreached(n int) {
	println("hookbench: never called", n)
}
