// Command chain is a service that asks the next one, and the client of the first.
//
// A request's path is /SHAPE/NUMBER. SHAPE says how its handler asks the next service (shapes.go). Call number K that
// the handler of path P makes has the path P.K, so that every path occurs once, and says to which request it belongs.
//
// `chain serve` prints the addresses it chose as one line of JSON once it accepts connections. On SIGTERM or SIGINT it
// waits for calls that outlive their requests, and ends with status 0. `chain client` sends requests and ends with
// status 1 if one fails. Both stay on loopback.
package main

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"os"
	"time"
)

// requestLimit bounds one request, so that a service that hangs is a failure and not a hang.
const requestLimit = 60 * time.Second

func main() {
	err := fmt.Errorf("usage: chain serve [FLAGS] | chain client [FLAGS]")
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "serve":
			err = serve(os.Args[2:])
		case "client":
			err = client(os.Args[2:])
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "chain:", err)
		os.Exit(1)
	}
}

// newTransport makes a transport with connections for so many requests at a time. It believes any certificate.
func newTransport(http2 bool, connections int) *http.Transport {
	transport := &http.Transport{
		TLSClientConfig:     &tls.Config{InsecureSkipVerify: true, ServerName: "localhost"},
		MaxIdleConns:        connections,
		MaxIdleConnsPerHost: connections,
		ForceAttemptHTTP2:   http2,
	}
	if !http2 {
		transport.TLSNextProto = map[string]func(string, *tls.Conn) http.RoundTripper{}
	}
	return transport
}
