// Serves HTTP/2 without TLS by h2c.NewHandler, by ServeConn and by net/http, HTTP/2 with TLS by
// http2.ConfigureServer, and sends itself requests, also by an upgrade.
package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/h2c"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func get(client *http.Client, method, url string, body io.Reader) {
	request, err := http.NewRequest(method, url, body)
	check(err)
	answer, err := client.Do(request)
	if err != nil {
		return // The handler has panicked.
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	answer.Body.Close()
}

func main() {
	log.SetOutput(io.Discard)
	mux := http.NewServeMux()
	mux.HandleFunc("/hello/", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "hello by", r.Proto) })
	mux.HandleFunc("/panic", func(http.ResponseWriter, *http.Request) { panic("as the test wants") })
	mux.HandleFunc("/upload", func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusTeapot)
	})

	plain := httptest.NewServer(h2c.NewHandler(mux, &http2.Server{}))
	client := &http.Client{Transport: &http2.Transport{
		AllowHTTP: true,
		DialTLSContext: func(_ context.Context, network, address string, _ *tls.Config) (net.Conn, error) {
			return net.Dial(network, address)
		},
	}}
	for i := 0; i < 5; i++ {
		get(client, "GET", fmt.Sprintf("%s/hello/%d?sig=x", plain.URL, i), nil)
	}
	get(client, "GET", plain.URL+"/missing", nil)
	get(client, "GET", plain.URL+"/panic", nil)
	get(client, "POST", plain.URL+"/upload", bytes.NewReader(make([]byte, 1000)))
	client.CloseIdleConnections()
	get(&http.Client{Transport: &http.Transport{}}, "GET", plain.URL+"/hello/http1", nil)

	// An upgrade, whose request is the first on the new connection.
	conn, err := net.Dial("tcp", plain.Listener.Addr().String())
	check(err)
	_, err = io.WriteString(conn, "GET /hello/upgrade HTTP/1.1\r\nHost: h\r\nConnection: Upgrade, HTTP2-Settings\r\n"+
		"Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n")
	check(err)
	_, err = io.WriteString(conn, http2.ClientPreface)
	check(err)
	framer := http2.NewFramer(conn, io.MultiReader(skipHeaders(conn), conn))
	check(framer.WriteSettings())
	for {
		frame, err := framer.ReadFrame()
		check(err)
		if frame.Header().StreamID == 1 && frame.Header().Flags.Has(http2.FlagDataEndStream) {
			break
		}
	}
	conn.Close()

	// A connection that no server of net/http has accepted.
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	go func() {
		conn, err := listener.Accept()
		check(err)
		(&http2.Server{}).ServeConn(conn, &http2.ServeConnOpts{Handler: mux})
	}()
	get(client, "GET", "http://"+listener.Addr().String()+"/hello/conn", nil)

	serveUnencrypted(mux, client)

	secure := httptest.NewUnstartedServer(mux)
	check(http2.ConfigureServer(secure.Config, &http2.Server{}))
	secure.TLS = secure.Config.TLSConfig
	secure.StartTLS()
	overTLS := &http.Client{Transport: &http2.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	get(overTLS, "GET", secure.URL+"/hello/tls", nil)
	get(overTLS, "GET", secure.URL+"/panic", nil)
	// A client of net/http, which leaves HTTP/2 to http2.Transport.
	both := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}
	check(http2.ConfigureTransport(both))
	get(&http.Client{Transport: both}, "GET", secure.URL+"/hello/both", nil)
	waitForHandlers()
}

// waitForHandlers waits until each request is over for the server too.
func waitForHandlers() {
	stacks := make([]byte, 1<<20)
	for bytes.Contains(stacks[:runtime.Stack(stacks, true)], []byte(".runHandler")) {
		time.Sleep(time.Millisecond)
	}
}

// skipHeaders reads an answer's headers, to their end.
func skipHeaders(conn net.Conn) io.Reader {
	var end [4]byte
	for string(end[:]) != "\r\n\r\n" {
		var one [1]byte
		_, err := io.ReadFull(conn, one[:])
		check(err)
		end = [4]byte{end[1], end[2], end[3], one[0]}
	}
	return bytes.NewReader(nil)
}
