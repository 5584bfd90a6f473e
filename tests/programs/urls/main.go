// Requests URLs of many kinds from itself, over TCP and over a Unix socket, and prints each as a
// client of OpenTelemetry's SDK would name it: as Go writes it, without user and fragment.
package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"mime/multipart"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
)

func handle(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	switch r.URL.Path {
	case "/early":
		w.WriteHeader(http.StatusEarlyHints)
	case "/hijack":
		conn, _, err := w.(http.Hijacker).Hijack()
		check(err)
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n")
		conn.Close()
		return
	case "/head":
		_, _ = io.WriteString(w, "a body that HEAD does not get")
		return
	}
	_, _ = io.WriteString(w, "ok")
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// full is the URL without user and fragment.
func full(u url.URL) string {
	u.User, u.Fragment, u.RawFragment = nil, "", ""
	return u.String()
}

func send(client *http.Client, method string, u *url.URL, body io.Reader) {
	request, err := http.NewRequest(method, "http://unused", body)
	check(err)
	request.URL, request.Host = u, u.Host
	answer, err := client.Do(request)
	if err == nil {
		_, _ = io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
	}
}

// raw sends bytes and reads the answer to its end.
func raw(network, address, text string) {
	conn, err := net.Dial(network, address)
	check(err)
	_, _ = io.WriteString(conn, text)
	_, _ = io.Copy(io.Discard, bufio.NewReader(conn))
	conn.Close()
}

func main() {
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	six, err := net.Listen("tcp", "[::1]:0")
	check(err)
	unix, err := net.Listen("unix", os.Args[1])
	check(err)
	for _, listener := range []net.Listener{tcp, six, unix} {
		listener := listener
		go func() { check(http.Serve(listener, http.HandlerFunc(handle))) }()
	}
	host := tcp.Addr().String()
	client := &http.Client{Transport: &http.Transport{}}

	for _, text := range []string{
		"http://" + host,
		"http://" + host + "/plain?q=1",
		"http://" + host + "/a%2Fb%3Fc%20d/%C3%A9?q=1#frag",
		"http://" + host + "/a b/é/!*'()[]",
		"http://" + host + "/%ff%FE",
		"http://" + host + "/%21%2A",
		"http://" + host + "/force?",
		"http://" + host + "/q?a=b&c=%2F;d",
		"http://me:secret@" + host + "/user",
		"http://" + six.Addr().String() + "/six",
	} {
		u, err := url.Parse(text)
		check(err)
		fmt.Println("url", full(*u))
		send(client, "GET", u, nil)
	}
	// What no text of a URL says.
	odd := url.URL{Scheme: "http", Host: host, Path: "/other/path", RawPath: "/not%2Fit"}
	fmt.Println("url", full(odd))
	send(client, "GET", &odd, nil)
	// A name of a user in what is sent as it is.
	send(client, "GET", &url.URL{Scheme: "http", Host: host, Opaque: "//me:secret@" + host + "/opa%2Fque"}, nil)
	fmt.Println("url", "http://"+host+"/opa%2Fque")
	send(client, "GET", &url.URL{Scheme: "http", Host: host, Path: "/s", RawQuery: "sig=s3cret&X-Amz-Signature=s3cret&x=1"}, nil)
	fmt.Println("url", "http://"+host+"/s?sig=REDACTED&X-Amz-Signature=REDACTED&x=1")
	send(client, "GET", &url.URL{Scheme: "http", Host: host, Path: "/semicolon", RawQuery: "x=1;sig=s3cret;y"}, nil)
	fmt.Println("url", "http://"+host+"/semicolon?x=1;sig=REDACTED;y")
	send(client, "GET", &url.URL{Scheme: "http", Host: host, Opaque: "//" + host + "/opaque?sig=s3cret"}, nil)
	fmt.Println("url", "http://"+host+"/opaque?sig=REDACTED")
	send(client, "OPTIONS", &url.URL{Scheme: "http", Host: host, Path: "*"}, nil)
	fmt.Println("url", "http://"+host)

	send(client, "HEAD", &url.URL{Scheme: "http", Host: host, Path: "/head"}, nil)
	fmt.Println("url", "http://"+host+"/head")
	send(client, "GET", &url.URL{Scheme: "http", Host: host, Path: "/early"}, nil)
	fmt.Println("url", "http://"+host+"/early")
	send(client, "POST", &url.URL{Scheme: "http", Host: host, Path: "/unknown"}, io.MultiReader(strings.NewReader("hello")))
	fmt.Println("url", "http://"+host+"/unknown")
	var form strings.Builder
	parts := multipart.NewWriter(&form)
	check(parts.WriteField("a", "b"))
	check(parts.Close())
	send(client, "POST", &url.URL{Scheme: "http", Host: host, Path: "/form"}, strings.NewReader(form.String()))
	fmt.Println("url", "http://"+host+"/form")

	overUnix := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return net.Dial("unix", os.Args[1])
	}}}
	send(overUnix, "POST", &url.URL{Scheme: "http", Host: "server", Path: "/unix"}, io.MultiReader(strings.NewReader("hello")))
	fmt.Println("url", "http://server/unix")

	raw("unix", os.Args[1], "GET /old HTTP/1.0\r\n\r\n")
	raw("tcp", host, "GET /oddhost HTTP/1.1\r\nHost: example.org:http\r\nConnection: close\r\n\r\n")
	raw("tcp", host, "GET /hijack HTTP/1.1\r\nHost: h\r\n\r\n")
	raw("tcp", host, "CONNECT target:443 HTTP/1.1\r\nHost: target:443\r\nConnection: close\r\n\r\n")
	fmt.Println("form", form.Len())
}
