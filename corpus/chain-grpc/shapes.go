package main

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/metadata"
)

// poolSize is the number of workers that wait for jobs from the beginning.
const poolSize = 8

// service is one link of the chain; the last one has no next.
type service struct {
	next *grpc.ClientConn
	pool chan job
}

// job is work for a worker of the pool.
type job struct {
	ctx    context.Context
	method string
	done   chan<- error
}

// shape is a way in which a handler asks the next service, and how many calls it makes.
type shape struct {
	calls int
	ask   func(s *service, ctx context.Context, method string) error
}

// shapes are all of them; `stream` before a name makes all calls streams.
var shapes = map[string]shape{
	// On the handler's goroutine, with its context, and with context.Background().
	"unary":      {1, direct},
	"stream":     {1, direct},
	"bare":       {1, bare},
	"streambare": {1, bare},
	// On a goroutine that the handler starts, without its context.
	"spawnbare":       {1, spawn},
	"streamspawnbare": {1, spawn},
	// Three at a time.
	"group":       {3, group},
	"streamgroup": {3, group},
	// By a worker that was started before any request, with the handler's context and without.
	"pool":       {1, func(s *service, ctx context.Context, method string) error { return s.give(ctx, method) }},
	"streampool": {1, func(s *service, ctx context.Context, method string) error { return s.give(ctx, method) }},
	"poolbare": {1, func(s *service, ctx context.Context, method string) error {
		return s.give(context.Background(), method)
	}},
	// With the metadata of the request, as a proxy does it.
	"forward":       {1, forward},
	"streamforward": {1, forward},
}

func isStream(method string) bool { return strings.HasPrefix(method, "stream") }

func (s *service) handle(ctx context.Context, method string) error {
	if s.next == nil {
		return nil
	}
	name, _, _ := strings.Cut(method, "-")
	if name == "knock" {
		return call(ctx, s.next, name)
	}
	return shapes[name].ask(s, ctx, method)
}

// call makes call number k of the handler of a method.
func (s *service) call(ctx context.Context, method string, k int) error {
	return call(ctx, s.next, fmt.Sprintf("%s.%d", method, k))
}

func direct(s *service, ctx context.Context, method string) error { return s.call(ctx, method, 0) }

func bare(s *service, ctx context.Context, method string) error {
	return s.call(context.Background(), method, 0)
}

func spawn(s *service, ctx context.Context, method string) error {
	done := make(chan error, 1)
	go func() { done <- s.call(context.Background(), method, 0) }()
	return <-done
}

func group(s *service, ctx context.Context, method string) error {
	running, ctx := errgroup.WithContext(ctx)
	for k := 0; k < 3; k++ {
		k := k
		running.Go(func() error { return s.call(ctx, method, k) })
	}
	return running.Wait()
}

func forward(s *service, ctx context.Context, method string) error {
	incoming, _ := metadata.FromIncomingContext(ctx)
	outgoing := metadata.MD{}
	for name, values := range incoming {
		// Those that gRPC sets itself must not be sent twice.
		if !strings.HasPrefix(name, ":") && name != "content-type" && name != "user-agent" {
			outgoing[name] = values
		}
	}
	return s.call(metadata.NewOutgoingContext(ctx, outgoing), method, 0)
}

func (s *service) give(ctx context.Context, method string) error {
	done := make(chan error, 1)
	s.pool <- job{ctx, method, done}
	return <-done
}

func (s *service) work() {
	for job := range s.pool {
		job.done <- s.call(job.ctx, job.method, 0)
	}
}
