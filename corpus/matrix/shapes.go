package main

import (
	"errors"

	"gopatch.example/vendored"
)

// The functions that a test hooks: the shapes that matter to how a function is entered and left. Each counts its calls in its first statement
// and its returns right before it returns.

type counter struct {
	rule           string
	calls, returns int
}

var (
	placeCount   = counter{rule: "place"}
	largestCount = counter{rule: "largest"}
	swapCount    = counter{rule: "swap"}
	halfCount    = counter{rule: "half"}
	guardedCount = counter{rule: "guarded"}
	deepCount    = counter{rule: "deep"}
	relayCount   = counter{rule: "relay"}
)

var errRefused = errors.New("refused")

type order struct {
	customer string
	lines    []string
}

type shop struct {
	placed int
}

// place is a method, and has a string, a slice and an error.
//
//go:noinline
func (s *shop) place(o *order, note string) (int, error) {
	placeCount.calls++
	if len(o.lines) == 0 {
		placeCount.returns++
		return 0, errRefused
	}
	s.placed += len(o.lines)
	seen = vendored.Joined(o.customer, note)
	placeCount.returns++
	return s.placed, nil
}

var seen string

// largest has one body for all types that are ints.
//
//go:noinline
func largest[T ~int](of []T, less func(a, b T) bool) (best T) {
	largestCount.calls++
	for _, one := range of {
		if less(best, one) {
			best = one
		}
	}
	largestCount.returns++
	return best
}

type wide struct{ a, b, c, d, e int64 }

// swap has more arguments and results than there are registers.
//
//go:noinline
func swap(a, b wide, name string) (wide, wide, string) {
	swapCount.calls++
	a.a += int64(len(name))
	swapCount.returns++
	return b, a, name
}

// half leaves by a panic when its number is odd.
//
//go:noinline
func half(n int) int {
	halfCount.calls++
	if n%2 == 1 {
		panic(errRefused)
	}
	halfCount.returns++
	return n / 2
}

// guarded always returns. After a panic it is the runtime that makes it return.
//
//go:noinline
func guarded(n int) (result int) {
	guardedCount.calls++
	defer func() {
		if recover() != nil {
			result = -1
		}
		guardedCount.returns++
	}()
	return half(n)
}

// deep has a frame of a kibibyte at each level: on a new stack it grows that again and again.
//
//go:noinline
func deep(level int) int {
	deepCount.calls++
	var frame [128]int
	frame[level%128] = level
	if level > 0 {
		frame[0] += deep(level - 1)
	}
	sum := frame[0] + frame[level%128]
	deepCount.returns++
	return sum
}

// relay is called by C, in the program that has C.
//
//go:noinline
func relay(n int) int {
	relayCount.calls++
	result := largest([]int{n, half(2 * n)}, func(a, b int) bool { return a < b })
	relayCount.returns++
	return result
}
