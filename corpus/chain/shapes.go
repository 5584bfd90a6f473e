package main

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"
)

// poolSize is the number of workers that wait for jobs from the beginning.
const poolSize = 8

// job is work for a worker of a pool.
type job struct {
	ctx  context.Context
	path string
	done chan<- error
}

// key is the type of the values that contexts carry here.
type key int

type shape = func(s *service, w http.ResponseWriter, r *http.Request) error

// shapes are the ways in which a handler asks the next service. "With" is with the request's context, "without" is with
// context.Background().
var shapes = map[string]shape{
	// On the handler's goroutine.
	"direct": func(s *service, w http.ResponseWriter, r *http.Request) error {
		return s.ask(r.Context(), r.URL.Path, 0)
	},
	"bare": func(s *service, w http.ResponseWriter, r *http.Request) error {
		return s.ask(context.Background(), r.URL.Path, 0)
	},
	"twice": func(s *service, w http.ResponseWriter, r *http.Request) error {
		return errors.Join(s.ask(r.Context(), r.URL.Path, 0), s.ask(context.Background(), r.URL.Path, 1))
	},
	// With a body, for which the transport sends a copy of the request.
	"post": func(s *service, w http.ResponseWriter, r *http.Request) error {
		return s.send(r.Context(), "POST", r.URL.Path, 0, []byte(r.URL.Path))
	},
	// The first answer is a redirection to call number 1.
	"redirect": func(s *service, w http.ResponseWriter, r *http.Request) error {
		return s.ask(r.Context(), r.URL.Path, 0)
	},
	// A reverse proxy copies the headers of the request.
	"proxy": func(s *service, w http.ResponseWriter, r *http.Request) error {
		forwarded := r.Clone(r.Context())
		forwarded.URL.Path += ".0"
		s.proxy.ServeHTTP(w, forwarded)
		return nil
	},
	// The first service's handler panics after its call: net/http recovers it and closes the connection.
	"panic": func(s *service, w http.ResponseWriter, r *http.Request) error {
		if err := s.ask(r.Context(), r.URL.Path, 0); err != nil || strings.Contains(r.URL.Path, ".") {
			return err
		}
		panic(http.ErrAbortHandler)
	},

	// On a goroutine that the handler starts: with, without, and three levels deep.
	"spawn": func(s *service, w http.ResponseWriter, r *http.Request) error {
		return spawned(func() error { return s.ask(r.Context(), r.URL.Path, 0) })
	},
	"spawnbare": func(s *service, w http.ResponseWriter, r *http.Request) error {
		return spawned(func() error { return s.ask(context.Background(), r.URL.Path, 0) })
	},
	"deep": func(s *service, w http.ResponseWriter, r *http.Request) error {
		return spawned(func() error {
			return spawned(func() error {
				return spawned(func() error { return s.ask(context.Background(), r.URL.Path, 0) })
			})
		})
	},
	// Three at a time, as golang.org/x/sync/errgroup runs them.
	"group": func(s *service, w http.ResponseWriter, r *http.Request) error {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		return group(func(k int) error { return s.ask(ctx, r.URL.Path, k) })
	},
	"groupbare": func(s *service, w http.ResponseWriter, r *http.Request) error {
		return group(func(k int) error { return s.ask(context.Background(), r.URL.Path, k) })
	},

	// By a worker that was started before any request.
	"pool": func(s *service, w http.ResponseWriter, r *http.Request) error {
		return s.give(s.pool, job{ctx: r.Context(), path: r.URL.Path})
	},
	"poolbare": func(s *service, w http.ResponseWriter, r *http.Request) error {
		return s.give(s.pool, job{ctx: context.Background(), path: r.URL.Path})
	},
	// By one that was started by a request for /knock: it has ended long ago, and its connection may have another.
	"lazybare": func(s *service, w http.ResponseWriter, r *http.Request) error {
		return s.give(s.lazy, job{ctx: context.Background(), path: r.URL.Path})
	},
	// With contexts derived from the request's.
	"derived": func(s *service, w http.ResponseWriter, r *http.Request) error {
		ctx, cancel := context.WithTimeout(r.Context(), requestLimit)
		defer cancel()
		for i := key(0); i < 6; i++ {
			ctx = context.WithValue(ctx, i, r.URL.Path)
		}
		ctx, end := context.WithCancelCause(ctx)
		defer end(nil)
		return s.give(s.pool, job{ctx: ctx, path: r.URL.Path})
	},
	// With a context that does not end with the request.
	"detached": func(s *service, w http.ResponseWriter, r *http.Request) error {
		return s.give(s.pool, job{ctx: context.WithoutCancel(r.Context()), path: r.URL.Path})
	},

	// By a timer.
	"timer": func(s *service, w http.ResponseWriter, r *http.Request) error {
		return timed(func() error { return s.ask(r.Context(), r.URL.Path, 0) })
	},
	"timerbare": func(s *service, w http.ResponseWriter, r *http.Request) error {
		return timed(func() error { return s.ask(context.Background(), r.URL.Path, 0) })
	},

	// After the handler has returned, so that its connection may have another request.
	"late": func(s *service, w http.ResponseWriter, r *http.Request) error {
		return s.later(r, context.WithoutCancel(r.Context()))
	},
	"latebare": func(s *service, w http.ResponseWriter, r *http.Request) error {
		return s.later(r, context.Background())
	},
}

// work does the jobs of a pool.
func (s *service) work(jobs <-chan job) {
	for job := range jobs {
		job.done <- s.ask(job.ctx, job.path, 0)
	}
}

// give gives a job to a pool and waits for its end.
func (s *service) give(pool chan<- job, job job) error {
	done := make(chan error, 1)
	job.done = done
	pool <- job
	return <-done
}

// later asks the next service once the request is over.
func (s *service) later(r *http.Request, ctx context.Context) error {
	over, path := r.Context().Done(), r.URL.Path
	s.late.Add(1)
	go func() {
		defer s.late.Done()
		<-over
		s.ask(ctx, path, 0)
	}()
	return nil
}

func spawned(call func() error) error {
	done := make(chan error, 1)
	go func() { done <- call() }()
	return <-done
}

func timed(call func() error) error {
	done := make(chan error, 1)
	time.AfterFunc(time.Millisecond, func() { done <- call() })
	return <-done
}

func group(call func(k int) error) error {
	var running sync.WaitGroup
	var failed [3]error
	for k := range failed {
		k := k
		running.Add(1)
		go func() {
			defer running.Done()
			failed[k] = call(k)
		}()
	}
	running.Wait()
	return errors.Join(failed[:]...)
}
