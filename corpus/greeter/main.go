// Command greeter is a gRPC server and its client.
//
// `greeter serve` serves one service over gRPC's own transport, in plain text and with TLS, and over net/http's; prints
// the addresses it chose as one line of JSON once it accepts connections; and ends with status 0 on SIGTERM or SIGINT.
// `greeter call` makes calls, prints one line of JSON for each, and ends with status 1 if an answer is not
// the expected one. With -duration it makes calls for that time and prints one line about all of them,
// which `gopatchd ab` reads. Both stay on loopback.
package main

import (
	"fmt"
	"os"
)

func main() {
	err := fmt.Errorf("usage: greeter serve [FLAGS] | greeter call [FLAGS]")
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "serve":
			err = serve(os.Args[2:])
		case "call":
			err = call(os.Args[2:])
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "greeter:", err)
		os.Exit(1)
	}
}
