// Command chain-grpc is a gRPC service that asks the next one, and the client of the first.
//
// A call's method is /chain.Chain/SHAPE-NUMBER. SHAPE says how its handler asks the next service (shapes.go). Call
// number K that the handler of method M makes has the method M.K, so that every method is called once, and says to which
// call it belongs. Methods whose shape begins with `stream` are streams, all others are unary.
//
// `chain-grpc serve` prints its address as one line of JSON once it accepts connections, and ends with status 0 on
// SIGTERM or SIGINT. `chain-grpc client` makes calls and ends with status 1 if one fails. Both stay on loopback.
package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// callLimit bounds one call, so that a server that hangs is a failure and not a hang.
const callLimit = 60 * time.Second

func main() {
	err := fmt.Errorf("usage: chain-grpc serve [FLAGS] | chain-grpc client [FLAGS]")
	if len(os.Args) > 1 {
		switch os.Args[1] {
		case "serve":
			err = serve(os.Args[2:])
		case "client":
			err = client(os.Args[2:])
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "chain-grpc:", err)
		os.Exit(1)
	}
}

// dial makes a client of the service at an address; over TLS it believes any certificate.
func dial(address string, secure bool) (*grpc.ClientConn, error) {
	creds := insecure.NewCredentials()
	if secure {
		creds = credentials.NewTLS(&tls.Config{InsecureSkipVerify: true, ServerName: "localhost"})
	}
	return grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(creds))
}

// call calls a method with one message each way.
func call(ctx context.Context, to *grpc.ClientConn, method string) error {
	limited, done := context.WithTimeout(ctx, callLimit)
	defer done()
	if !isStream(method) {
		return to.Invoke(limited, prefix+method, new(message), new(message))
	}
	stream, err := to.NewStream(limited, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, prefix+method)
	if err != nil {
		return err
	}
	for i := 0; i < 2; i++ {
		if err := stream.SendMsg(new(message)); err != nil {
			return err
		}
		if err := stream.RecvMsg(new(message)); err != nil {
			return err
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	return atEnd(stream.RecvMsg(new(message)))
}
