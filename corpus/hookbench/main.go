// Command hookbench calls one function in a tight loop and prints what a call costs.
//
// The best of several rounds counts, for each goroutine: whatever else the machine does can only
// make a round slower. A round can be short and followed by a pause, so that a hook's ring is
// emptied in time and no full ring is measured. With -rate it calls at an even pace instead, to
// measure a collector's throughput.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// result is the line that hookbench prints.
type result struct {
	Fn         string  `json:"fn"`
	Goroutines int     `json:"goroutines"`
	Calls      int64   `json:"calls"`
	TotalNs    int64   `json:"total_ns"`
	NsPerCall  float64 `json:"ns_per_call"`
}

// loops has, for each function, a loop that does nothing but call it: a call through a function
// value would cost more than the call that is measured. What a loop writes is its own: no two
// goroutines share a line of the cache.
var loops = map[string]func(n int){
	"Hot": func(n int) {
		for i := 0; i < n; i++ {
			Hot(i, n)
		}
	},
	"Leaf": func(n int) {
		for i := 0; i < n; i++ {
			Leaf(i, n)
		}
	},
	"HotRequest": func(n int) {
		r := newRequest()
		for i := 0; i < n; i++ {
			HotRequest(r)
		}
	},
	"ServeLike": func(n int) {
		r, rw := newRequest(), ResponseWriter(&response{})
		for i := 0; i < n; i++ {
			ServeLike(rw, r)
		}
	},
	"Nop": func(n int) {
		r, rw := newRequest(), ResponseWriter(&response{})
		for i := 0; i < n; i++ {
			Nop(rw, r)
		}
	},
	"Text16":  func(n int) { loopText(text[:16], n) },
	"Text64":  func(n int) { loopText(text[:64], n) },
	"Text256": func(n int) { loopText(text, n) },
}

func loopText(text string, n int) {
	for i := 0; i < n; i++ {
		HotText(text)
	}
}

func main() {
	var names []string
	for name := range loops {
		names = append(names, name)
	}
	sort.Strings(names)
	fn := flag.String("fn", "Hot", "`function` to call: "+strings.Join(names, ", "))
	n := flag.Int("n", 10_000_000, "`calls` in a round")
	rounds := flag.Int("rounds", 10, "`count` of rounds, of which the best counts")
	pause := flag.Duration("pause", 0, "`time` to rest before each round")
	goroutines := flag.Int("goroutines", 1, "`count` of goroutines that call at the same time, each on a P")
	rate := flag.Int("rate", 0, "`calls` a second, evenly, by one goroutine; -n, -rounds and -pause do not matter then")
	lasts := flag.Duration("for", time.Second, "`time` that -rate is kept up")
	flag.Parse()

	loop, ok := loops[*fn]
	if !ok || *n < 1 || *rounds < 1 || *goroutines < 1 {
		fmt.Fprintf(os.Stderr, "hookbench: -fn is one of %s; -n, -rounds and -goroutines are at least 1\n", strings.Join(names, ", "))
		os.Exit(2)
	}
	if *goroutines > runtime.GOMAXPROCS(0) {
		fmt.Fprintf(os.Stderr, "hookbench: %d goroutines cannot call at the same time with GOMAXPROCS=%d\n", *goroutines, runtime.GOMAXPROCS(0))
		os.Exit(2)
	}
	line := result{Fn: *fn, Goroutines: *goroutines}
	if *rate > 0 {
		took, calls := pace(loop, *rate, *lasts)
		line.Calls, line.TotalNs, line.NsPerCall = calls, took.Nanoseconds(), float64(took.Nanoseconds())/float64(calls)
	} else {
		best := make([]time.Duration, *goroutines)
		for i := range best {
			best[i] = 1<<63 - 1
		}
		for i := 0; i < *rounds; i++ {
			time.Sleep(*pause)
			round(loop, *n, best)
		}
		var sum time.Duration
		for _, took := range best {
			sum += took
		}
		took := sum / time.Duration(*goroutines)
		line.Calls = int64(*n) * int64(*rounds) * int64(*goroutines)
		line.TotalNs, line.NsPerCall = took.Nanoseconds(), float64(took.Nanoseconds())/float64(*n)
	}
	if err := json.NewEncoder(os.Stdout).Encode(line); err != nil {
		fmt.Fprintln(os.Stderr, "hookbench:", err)
		os.Exit(1)
	}
}

// round lets as many goroutines as there are bests run a loop at the same time, each by its own
// clock, and keeps what is better than before. None begins before all have a processor: one that
// has to be woken first would find the others gone.
func round(loop func(int), n int, best []time.Duration) {
	var done sync.WaitGroup
	waiting := int64(len(best))
	for i := range best {
		done.Add(1)
		go func(best *time.Duration) {
			defer done.Done()
			atomic.AddInt64(&waiting, -1)
			for atomic.LoadInt64(&waiting) > 0 {
			}
			started := time.Now()
			loop(n)
			if took := time.Since(started); took < *best {
				*best = took
			}
		}(&best[i])
	}
	done.Wait()
}

// pace makes rate calls a second, a thousandth of them in each millisecond. A loop that is late
// catches up, so that the count is the requested one. It returns the time that all took, and the
// number of calls.
func pace(loop func(int), rate int, lasts time.Duration) (time.Duration, int64) {
	started := time.Now()
	var calls int64
	for tick := time.Duration(0); tick < lasts; tick += time.Millisecond {
		time.Sleep(tick - time.Since(started))
		due := int64(rate) * int64(tick+time.Millisecond) / int64(time.Second)
		loop(int(due - calls))
		calls = due
	}
	return time.Since(started), calls
}
