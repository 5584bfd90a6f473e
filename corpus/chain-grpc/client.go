package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
)

func client(arguments []string) error {
	flags := flag.NewFlagSet("chain-grpc client", flag.ExitOnError)
	address := flags.String("to", "", "`address` of the first service")
	secure := flags.Bool("tls", false, "use TLS, and believe any certificate")
	list := flags.String("shapes", "unary", "`names` of shapes, with commas, in turn")
	count := flags.Int("n", 1, "`count` of calls, numbers below the services' -n")
	first := flags.Int("first", 0, "`number` of the first one")
	workers := flags.Int("c", 1, "`count` of calls in flight")
	start := flags.String("start", "", "call knock until this `file` is there, and begin then")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	to, err := dial(*address, *secure)
	if err != nil {
		return err
	}
	defer to.Close()
	if *start != "" {
		if err := knock(to, *start); err != nil {
			return err
		}
	}
	shapes := strings.Split(*list, ",")
	failed := make([]error, *workers)
	var running sync.WaitGroup
	for worker := 0; worker < *workers; worker++ {
		running.Add(1)
		go func(worker int) {
			defer running.Done()
			for i := worker; i < *count && failed[worker] == nil; i += *workers {
				failed[worker] = call(context.Background(), to, fmt.Sprintf("%s-%d", shapes[i%len(shapes)], *first+i))
			}
		}(worker)
	}
	running.Wait()
	return errors.Join(failed...)
}

// knock makes calls until the file exists: the collector may attach late.
func knock(to *grpc.ClientConn, file string) error {
	for begun := time.Now(); time.Since(begun) < callLimit; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(file); err == nil {
			return nil
		}
		if err := call(context.Background(), to, "knock"); err != nil {
			return err
		}
	}
	return errors.New("nobody has made " + file)
}
