// Calls functions with frames of every size, and without one, for a debugger to stop in. All runs
// in one thread, and on a stack that has grown before, so that a debugger sees the same each time.
package main

import (
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"strconv"
)

type node struct {
	value int
	next  *node
	text  []byte
}

type shape interface{ area() int }

type square struct{ side int }

//go:noinline
func (s square) area() int { return s.side * s.side }

//go:noinline
func grow(n int) int {
	var b [64]int
	if n == 0 {
		return 0
	}
	b[n&63] = grow(n-1) + n
	return b[n&63]
}

//go:noinline
func small(n int) int {
	x := strconv.Itoa(n)
	return len(x)
}

//go:noinline
func atLimit(n int) int {
	var b [88]byte
	b[n&63] = 1
	return small(n) + int(b[n&31])
}

//go:noinline
func large(n int) int {
	var b [200]byte
	b[n&127] = 1
	x := strconv.AppendInt(b[:0], int64(n), 10)
	return len(x)
}

//go:noinline
func huge(n int) int {
	var b [9000]byte
	b[n&127] = 1
	x := strconv.AppendInt(b[:0], int64(n), 10)
	return len(x)
}

//go:noinline
func wrapper(n int) {
	small(n)
}

//go:noinline
func (n *node) Value() int {
	return n.value
}

//go:noinline
func (n *node) First() byte {
	return n.text[0]
}

//go:noinline
func (n *node) Sum() int {
	sum := 0
	for n != nil {
		sum += n.value
		n = n.next
	}
	return sum
}

//go:noinline
func leafWithFrame(n int) int {
	var b [8]int
	for i := range b {
		b[i] = n * i
	}
	return b[n&7]
}

//go:noinline
func branches(n int) (int, error) {
	if n > 5 {
		return 7, nil
	}
	if n > 3 {
		return n, errors.New("more than three")
	}
	return small(n), nil
}

//go:noinline
func choose(n int) string {
	switch n {
	case 0:
		return "zero"
	case 1:
		return "one"
	case 2:
		return "two"
	case 3:
		return "three"
	case 4:
		return "four"
	case 5:
		return "five"
	case 6:
		return "six"
	case 7:
		return "seven"
	}
	return "many"
}

//go:noinline
func deferred(n int) (result int) {
	defer func() { result += n }()
	result = small(n)
	return
}

//go:noinline
func recovers(n int) (result int) {
	defer func() {
		if e := recover(); e != nil {
			result = -1
		}
	}()
	if n&1 == 0 {
		panic("even")
	}
	return n
}

//go:noinline
func floats(x, y float64) float64 {
	return x*y + float64(small(int(x)))
}

//go:noinline
func results(n int) (a, b int, c string, d error) {
	c = choose(n)
	return n, n + 1, c, nil
}

//go:noinline
func apply[T any](x T, f func(T) int) int {
	return f(x)
}

//go:noinline
func empty() {}

//go:noinline
func store(p *int) {
	*p = small(*p)
}

//go:noinline
func work() int {
	total := 0
	var s shape = square{3}
	for _, i := range []int{0, 1, 4, 6} {
		n := &node{value: i, text: []byte("x")}
		total += small(i)
		total += atLimit(i)
		total += large(i)
		total += huge(i)
		wrapper(i)
		total += n.Value()
		total += int(n.First())
		total += n.Sum()
		total += leafWithFrame(i)
		count, err := branches(i)
		total += count
		total += len(choose(i))
		total += deferred(i)
		total += recovers(i)
		total += int(floats(float64(i), 2))
		a, b, c, err := results(i)
		total += a + b + len(c)
		total += apply(i, func(n int) int { return n + len(fmt.Sprint(err)) })
		total += s.area()
		empty()
		store(&a)
	}
	return total
}

func init() { runtime.LockOSThread() }

func main() {
	debug.SetGCPercent(-1)
	grow(100)
	// Often enough for a debugger that stops at each function in turn.
	for round := 0; round < 12; round++ {
		fmt.Println(work())
	}
}
