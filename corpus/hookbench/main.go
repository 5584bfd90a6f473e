// Command hookbench calls one function in a tight loop and prints what a call costs.
//
// The best of several rounds counts: whatever else the machine does can only make a round slower. A round can be kept short
// and be followed by a pause, so that a hook's ring is emptied in time and full rings are not what is measured.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sort"
	"strings"
	"time"
)

// result is the line that hookbench prints.
type result struct {
	Fn        string  `json:"fn"`
	N         int     `json:"n"`
	Rounds    int     `json:"rounds"`
	TotalNs   int64   `json:"total_ns"`
	NsPerCall float64 `json:"ns_per_call"`
}

// loops has, for each function, a loop that does nothing but call it: a call through a function value would cost more
// than the call that is measured.
var loops = map[string]func(n int){
	"Hot": func(n int) {
		for i := 0; i < n; i++ {
			sink = Hot(i, n)
		}
	},
	"Leaf": func(n int) {
		for i := 0; i < n; i++ {
			sink = Leaf(i, n)
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
	flag.Parse()

	loop, ok := loops[*fn]
	if !ok || *n < 1 || *rounds < 1 {
		fmt.Fprintf(os.Stderr, "hookbench: -fn is one of %s; -n and -rounds are at least 1\n", strings.Join(names, ", "))
		os.Exit(2)
	}
	best := time.Duration(1<<63 - 1)
	for i := 0; i < *rounds; i++ {
		time.Sleep(*pause)
		started := time.Now()
		loop(*n)
		if took := time.Since(started); took < best {
			best = took
		}
	}
	err := json.NewEncoder(os.Stdout).Encode(result{
		Fn:        *fn,
		N:         *n,
		Rounds:    *rounds,
		TotalNs:   best.Nanoseconds(),
		NsPerCall: float64(best.Nanoseconds()) / float64(*n),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "hookbench:", err)
		os.Exit(1)
	}
}
