package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// callLimit bounds one call, so that a server that hangs is a failure and not a hang.
const callLimit = 30 * time.Second

// seen is one call as the client saw it.
type seen struct {
	Method string `json:"method"`
	Stream bool   `json:"stream"`
	Code   uint32 `json:"code"`
}

// kind is one kind of call: how to make call number `i`, and the expected status.
type kind struct {
	method string
	stream bool
	call   func(ctx context.Context, to *grpc.ClientConn, method string, i int) error
	code   func(i int) codes.Code
}

func always(code codes.Code) func(int) codes.Code { return func(int) codes.Code { return code } }

func refusalOf(i int) codes.Code { return codes.Code(1 + i/8%16) }

var kinds = []kind{
	{"Greet", false, func(ctx context.Context, to *grpc.ClientConn, method string, i int) error {
		name := strconv.Itoa(i)
		return ask(ctx, to, method, name, "hello "+name)
	}, always(codes.OK)},
	{"Refuse", false, func(ctx context.Context, to *grpc.ClientConn, method string, i int) error {
		return ask(ctx, to, method, strconv.Itoa(int(refusalOf(i))), "")
	}, refusalOf},
	{"Fail", false, func(ctx context.Context, to *grpc.ClientConn, method string, i int) error {
		return ask(ctx, to, method, "", "")
	}, always(codes.Unknown)},
	{"Nobody", false, func(ctx context.Context, to *grpc.ClientConn, method string, i int) error {
		return ask(ctx, to, method, "", "")
	}, always(codes.Unimplemented)},
	{"Repeat", true, func(ctx context.Context, to *grpc.ClientConn, method string, i int) error {
		return talk(ctx, to, method, []string{"a"}, "a,a,a")
	}, always(codes.OK)},
	{"Collect", true, func(ctx context.Context, to *grpc.ClientConn, method string, i int) error {
		return talk(ctx, to, method, []string{"a", "b", "c"}, "a,b,c")
	}, always(codes.OK)},
	{"Collect", true, func(ctx context.Context, to *grpc.ClientConn, method string, i int) error {
		return talk(ctx, to, method, nil, "")
	}, always(codes.FailedPrecondition)},
	{"Chat", true, func(ctx context.Context, to *grpc.ClientConn, method string, i int) error {
		return talk(ctx, to, method, []string{"a", "b"}, "A,B")
	}, always(codes.OK)},
}

// ask makes a call of one message each way.
func ask(ctx context.Context, to *grpc.ClientConn, method, request, want string) error {
	answer := new(message)
	err := to.Invoke(ctx, method, wrapperspb.String(request), answer)
	if err == nil && answer.Value != want {
		return fmt.Errorf("answered %q instead of %q", answer.Value, want)
	}
	return err
}

// talk sends messages and reads all answers, which are expected to be `want`.
func talk(ctx context.Context, to *grpc.ClientConn, method string, requests []string, want string) error {
	both := &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}
	stream, err := to.NewStream(ctx, both, method)
	if err != nil {
		return err
	}
	for _, request := range requests {
		if err := stream.SendMsg(wrapperspb.String(request)); err != nil {
			return err
		}
	}
	if err := stream.CloseSend(); err != nil {
		return err
	}
	var answers []string
	for {
		answer := new(message)
		err := stream.RecvMsg(answer)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		answers = append(answers, answer.Value)
	}
	if got := strings.Join(answers, ","); got != want {
		return fmt.Errorf("answered %q instead of %q", got, want)
	}
	return nil
}

func call(arguments []string) error {
	flags := flag.NewFlagSet("greeter call", flag.ExitOnError)
	address := flags.String("address", "", "the server's `address`")
	secure := flags.Bool("tls", false, "use TLS, and believe any certificate")
	count := flags.Int("n", 8, "`count` of calls")
	workers := flags.Int("c", 8, "`count` of calls at a time")
	start := flags.String("start", "", "call Knock at -knock until this `file` is there, and begin then")
	duration := flags.Duration("duration", 0, "make calls for this `time` instead of a count, and sum up")
	door := flags.String("knock", "", "an `address` of the server without TLS")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if *start != "" {
		if err := knock(*door, *start); err != nil {
			return err
		}
	}
	creds := insecure.NewCredentials()
	if *secure {
		creds = credentials.NewTLS(&tls.Config{InsecureSkipVerify: true, ServerName: "localhost"})
	}
	to, err := grpc.NewClient("passthrough:///"+*address, grpc.WithTransportCredentials(creds))
	if err != nil {
		return err
	}
	defer to.Close()

	if *duration > 0 {
		return callFor(to, *duration, *workers)
	}
	all := make([]seen, *count)
	failed := make([]error, *workers)
	var running sync.WaitGroup
	for worker := 0; worker < *workers; worker++ {
		running.Add(1)
		go func(worker int) {
			defer running.Done()
			for i := worker; i < *count && failed[worker] == nil; i += *workers {
				all[i], failed[worker] = once(to, i)
			}
		}(worker)
	}
	running.Wait()
	if err := errors.Join(failed...); err != nil {
		return err
	}
	out := json.NewEncoder(os.Stdout)
	for i := range all {
		if err := out.Encode(&all[i]); err != nil {
			return err
		}
	}
	return nil
}

// knock calls a method that has no other calls until the file exists: the collector may attach late.
func knock(address, file string) error {
	to, err := grpc.NewClient("passthrough:///"+address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer to.Close()
	limited, done := context.WithTimeout(context.Background(), callLimit)
	defer done()
	for {
		if _, err := os.Stat(file); err == nil {
			return nil
		}
		if err := ask(limited, to, "/"+serviceName+"/Knock", "", "hello "); err != nil {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// once makes call number `i`, which must end with the expected status of its kind.
func once(to *grpc.ClientConn, i int) (seen, error) {
	kind := kinds[i%len(kinds)]
	limited, done := context.WithTimeout(context.Background(), callLimit)
	defer done()
	method := "/" + serviceName + "/" + kind.method
	err := kind.call(limited, to, method, i)
	if got, want := status.Code(err), kind.code(i); got != want {
		return seen{}, fmt.Errorf("call %d, %s: status %v instead of %v: %w", i, method, got, want, err)
	}
	return seen{Method: method, Stream: kind.stream, Code: uint32(status.Code(err))}, nil
}
