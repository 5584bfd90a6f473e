// Command probe is a web server and its client in one process. It does what a patched program must still be able to do.
//
//	probe stack           prints the functions on a handler's stack, innermost first
//	probe profile FILE    writes a CPU profile of handlers that burn CPU
//	probe children COUNT  starts two children in each request: itself, and a shell
//	probe procs COUNT     sends requests before, while and after it raises GOMAXPROCS to 8; prints how many were sent while
//	probe panics COUNT    holds one request open, sends COUNT whose handlers panic, then 1,000 others, then ends the first
//
// Each request has a unique path: /stack/0, /before/17, ...
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

func main() {
	switch what, argument := os.Args[1], os.Args[len(os.Args)-1]; what {
	case "stack":
		send(serve(stack), "stack", 1, 1)
	case "profile":
		profile(argument)
	case "children":
		send(serve(children), "children", number(argument), 4)
	case "procs":
		procs(number(argument))
	case "panics":
		panics(number(argument))
	case "child":
		fmt.Print("I am a child")
	default:
		fail(fmt.Errorf("no mode %q", what))
	}
}

// serve starts a server and returns its URL.
func serve(handler http.HandlerFunc) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	go func() { fail(http.Serve(listener, handler)) }()
	return "http://" + listener.Addr().String()
}

// send sends requests, workers of them at a time, and prints the answers.
func send(url, phase string, count, workers int) {
	var next atomic.Int64
	var running sync.WaitGroup
	for i := 0; i < workers; i++ {
		running.Add(1)
		go func() {
			defer running.Done()
			for {
				id := next.Add(1) - 1
				if id >= int64(count) {
					return
				}
				os.Stdout.WriteString(get(fmt.Sprintf("%s/%s/%d", url, phase, id)))
			}
		}()
	}
	running.Wait()
}

func get(url string) string {
	response, err := http.Get(url)
	check(err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	check(err)
	if response.StatusCode != http.StatusOK {
		fail(fmt.Errorf("%s: %s: %s", url, response.Status, body))
	}
	return string(body)
}

func stack(w http.ResponseWriter, r *http.Request) {
	pcs := make([]uintptr, 100)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	for more := true; more; {
		var frame runtime.Frame
		frame, more = frames.Next()
		fmt.Fprintln(w, frame.Function)
	}
	// Dumping every stack walks the hooked frames of all goroutines.
	if text := make([]byte, 1<<20); runtime.Stack(text, true) == 0 {
		fail(fmt.Errorf("no stack"))
	}
}

func profile(path string) {
	file, err := os.Create(path)
	check(err)
	url := serve(burn)
	check(pprof.StartCPUProfile(file))
	send(url, "burn", 40, 2)
	pprof.StopCPUProfile()
	check(file.Close())
}

// burn is where all the time goes.
func burn(w http.ResponseWriter, r *http.Request) {
	for started := time.Now(); time.Since(started) < 50*time.Millisecond; {
		for i := 0; i < 1000; i++ {
			sink.Add(1)
		}
	}
}

var sink atomic.Int64

func children(w http.ResponseWriter, r *http.Request) {
	output, err := exec.Command(os.Args[0], "child").CombinedOutput()
	check(err)
	if string(output) != "I am a child" {
		fail(fmt.Errorf("a child printed %q", output))
	}
	err = exec.Command("/bin/sh", "-c", "exit 7").Run()
	if exit, ok := err.(*exec.ExitError); !ok || exit.ExitCode() != 7 {
		fail(fmt.Errorf("a shell that should exit with 7: %v", err))
	}
}

func procs(count int) {
	url := serve(func(w http.ResponseWriter, r *http.Request) {
		// Gives way, so that every P has something to run.
		runtime.Gosched()
	})
	send(url, "before", count, 32)
	runtime.GOMAXPROCS(8)
	sent := 0
	for started := time.Now(); time.Since(started) < 5*time.Second; sent += count {
		send(url, "while/"+strconv.Itoa(sent), count, 32)
	}
	send(url, "after", count, 32)
	fmt.Println(sent)
}

// panics sends its requests over pipes: each panic ends a connection, and so many would use up TCP's ports.
func panics(count int) {
	listener := make(pipes)
	held, end := make(chan bool), make(chan bool)
	server := http.Server{ErrorLog: log.New(io.Discard, "", 0)}
	server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch strings.Split(r.URL.Path, "/")[1] {
		case "panic":
			panic("as it should")
		case "held":
			held <- true
			<-end
		}
	})
	go func() { fail(server.Serve(listener)) }()
	http.DefaultTransport = &http.Transport{MaxIdleConnsPerHost: 8, DialContext: listener.dial}

	first := make(chan bool)
	go func() { get("http://pipe/held/0"); first <- true }()
	<-held
	for i := 0; i < count; i++ {
		if response, err := http.Get("http://pipe/panic/" + strconv.Itoa(i)); err == nil {
			fail(fmt.Errorf("a handler that panics has answered %s", response.Status))
		}
	}
	// Several ticks of the session. sysmon may be asleep: a system call wakes it.
	for started := time.Now(); time.Since(started) < time.Second; {
		_, err := os.Stat("/")
		check(err)
	}
	send("http://pipe", "after", 1000, 8)
	end <- true
	<-first
}

// pipes is a network within the process.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) { return <-p, nil }
func (p pipes) Close() error              { return nil }
func (p pipes) Addr() net.Addr            { return &net.UnixAddr{Name: "pipe", Net: "pipe"} }

func (p pipes) dial(context.Context, string, string) (net.Conn, error) {
	client, server := net.Pipe()
	p <- server
	return client, nil
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	check(err)
	return n
}

func check(err error) {
	if err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "probe:", err)
	os.Exit(1)
}
