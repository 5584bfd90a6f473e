// Command torture does to its stacks everything that the Go runtime allows, and counts what it did.
//
// A fixed amount of work calls the functions of hot.go in every way that is hard on a tool that has
// changed them. Meanwhile garbage is collected without pause, every stack is dumped again and
// again, and profiling signals arrive as fast as they can be sent. What it prints depends only on
// the amount of work, not on any address, goroutine or time. Its last lines are
//
//	COUNT <function> <calls>
//	RETURNS <function> <calls that returned, as opposed to panicked or exited>
//
// with functions named as the runtime names them.
//
// With -after FILE it calls knock until FILE exists before it begins, so that a collector can be
// ready.
package main

import (
	"flag"
	"fmt"
	"os"
	"sync"
	"time"
)

func main() {
	scale := flag.Int("scale", 40, "amount of work")
	after := flag.String("after", "", "file to wait for, knocking")
	flag.Parse()
	if *scale < 1 {
		fmt.Fprintln(os.Stderr, "torture: -scale is at least 1")
		os.Exit(2)
	}

	for *after != "" && !exists(*after) {
		knock()
	}

	stop := startNoise()
	for _, one := range work {
		fmt.Printf("%s %d\n", one.name, one.run(*scale))
	}
	together(*scale)
	stop()

	for _, counter := range counters {
		fmt.Printf("COUNT %s %d\n", counter.function, counter.calls.Load())
	}
	for _, counter := range counters {
		fmt.Printf("RETURNS %s %d\n", counter.function, counter.returns.Load())
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// knock can be seen to be called.
//
//go:noinline
func knock() {
	time.Sleep(10 * time.Millisecond)
}

// together does all the work once more, at the same time.
func together(scale int) {
	var running sync.WaitGroup
	sums := make([]int, len(work))
	for i := range work {
		running.Add(1)
		go func(i int) {
			defer running.Done()
			sums[i] = work[i].run(scale)
		}(i)
	}
	running.Wait()
	for i, one := range work {
		fmt.Printf("together %s %d\n", one.name, sums[i])
	}
}
