// Arguments that are easily taken for others: those that a function never uses, after its stack
// has grown, and those of a generic function beside its dictionary.
package main

import (
	"fmt"
	"sync"
)

// S is what some functions record.
type S struct {
	Name  string
	Count int
}

// Failing returns a function that never uses its argument, and never returns. The compiler does
// not keep such an argument when the stack grows, and the frame is larger than a new stack.
//
//go:noinline
func Failing(n int, name string) func(*S) {
	return func(s *S) {
		local := name
		var frame [8000]byte
		for i := range frame {
			frame[i] = byte(i + n)
		}
		panic(fmt.Sprint(int(frame[n%len(frame)])+n, " ", local))
	}
}

func caught(s *S) (value any) {
	defer func() { value = recover() }()
	Failing(7, "seven")(s)
	return nil
}

// Shared has more arguments than there are registers. With its dictionary and without it, they take
// the same number of bytes.
//
//go:noinline
func Shared[T any](s *S, g T, gs []T, text string, a1 int, a2 any, a3 []float64, a4 *S, a5 int32, a6 uint32, a7 error, a8 int16) string {
	return fmt.Sprint(s.Count, g, len(gs), text, a1, a8)
}

func main() {
	var all sync.WaitGroup
	for n := 0; n < 200; n++ {
		all.Add(1)
		go func() {
			defer all.Done()
			s := &S{Name: "s", Count: 7}
			if got := caught(s); got != "21 seven" {
				panic(got)
			}
			if got := Shared(s, 1, []int{1, 2}, "text", 3, nil, nil, s, 4, 5, nil, 6); got != "7 1 2text3 6" {
				panic(got)
			}
		}()
	}
	all.Wait()
	fmt.Println("done")
}
