// Command conditions makes calls that differ in what a rule's condition can ask, each with a number of its own: pointers that are
// nil on the way, strings of many lengths, integers of every size, results; recursion, panics, many goroutines. The test makes
// the same list and says which calls each condition must choose.
package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

type order struct {
	name  string
	count int32
	flag  bool
	next  *order
	tags  []string
	lines map[string]int
	held  any
	cause error
}

type circle struct{ radius int16 }

type square struct{ side uint64 }

type wide struct{ a, b, c, d, e int64 }

func (s square) Error() string { return fmt.Sprint(s.side) }

//go:noinline
func look(o *order, name string, n int64, small uint8, ok bool, id int) (int, error) {
	escape(o, name)
	if n < 0 {
		return id, errors.New(name)
	}
	return id, nil
}

// spilled has its later parameters on the stack, and its results too.
//
//go:noinline
func spilled(a wide, b wide, name string, d int32, id int) (wide, wide, string, int) {
	escape(a, b, name, d)
	return b, a, name, id
}

// descend is left as often as it is entered, deepest first.
//
//go:noinline
func descend(n int) int {
	if n == 0 {
		return 0
	}
	return 1 + descend(n-1)
}

// guarded calls risky from one and the same place of the stack, so each call lies where an earlier one panicked.
//
//go:noinline
func guarded(o *order, id int, wanted bool) {
	defer func() { escape(recover()) }()
	risky(o, id, wanted)
}

//go:noinline
func risky(o *order, id int, wanted bool) int {
	escape(o)
	if id%3 == 0 {
		panic(id)
	}
	return id
}

//go:noinline
func busy(worker int, id int) int {
	return add(worker*1000000, id)
}

//go:noinline
func add(a, b int) int { return a + b }

//go:noinline
func deep(n int, id int) int {
	var pad [10]int
	pad[n%10] = id
	if n > 0 {
		deep(n-1, id+1)
	}
	return pad[n%10]
}

var sink any

//go:noinline
func escape(values ...any) { sink = values }

func orders() []*order {
	second := &order{name: "second", count: 3, flag: true}
	return []*order{
		nil,
		{name: "bare", count: -5},
		{name: "first", count: 1 << 30, next: second, tags: []string{"x", "y"}, lines: map[string]int{"a": 1, "b": 2, "c": 3}},
		{name: "held", flag: true, held: &circle{radius: -7}, cause: square{side: 1 << 63}},
		{name: "text", held: "circle", cause: errors.New("text"), lines: map[string]int{}},
	}
}

const workers, calls = 8, 12500

const rounds, depth = 10, 60000

func main() {
	if len(os.Args) > 1 {
		// More calls open at a time than there are places for their marks.
		for round := 0; round < rounds; round++ {
			deep(depth, 0)
			time.Sleep(50 * time.Millisecond)
		}
		return
	}
	id := 0
	for _, o := range orders() {
		for _, length := range []int{0, 1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 63, 64, 65} {
			name := strings.Repeat("0123456789abcdef", 5)[:length]
			for _, n := range []int64{-1 << 63, -1, 0, 1, 1 << 40} {
				look(o, name, n, uint8(250+id%6), id%7 == 0, id)
				id++
			}
		}
		spilled(wide{a: int64(id)}, wide{e: 9}, fmt.Sprint("stack ", id%2), int32(-id), id)
	}
	descend(9)
	o := &order{name: "kept"}
	escape(o)
	for id := 0; id < 60; id++ {
		guarded(o, id, id%4 < 2)
	}
	var group sync.WaitGroup
	for worker := 0; worker < workers; worker++ {
		group.Add(1)
		go func(worker int) {
			defer group.Done()
			for id := 0; id < calls; id++ {
				busy(worker, id)
			}
			deep(2000, 0)
		}(worker)
	}
	group.Wait()
	fmt.Println("done")
}
