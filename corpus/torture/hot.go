package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"unsafe"
)

// The functions that a test hooks. Each counts its calls in its first statement and its returns
// right before it returns, so the counters say exactly what hooks at its entry and its exits must
// have seen.

// counter is what a hot function knows about itself.
type counter struct {
	function string
	calls    atomic.Int64
	returns  atomic.Int64
}

// counters lists the counters of all hot functions, in the order they are printed.
var counters []*counter

func count(function string) *counter {
	c := &counter{function: function}
	counters = append(counters, c)
	return c
}

var errOdd = errors.New("odd")

var growCount = count("main.grow")

// grow has a frame that no new stack has room for, so called as a goroutine's first it always
// enters morestack and starts again. `here` points to a variable in the caller's frame and `before`
// is where that was: had the stack not moved, the two would agree, and the program would not test
// what it says it does.
//
//go:noinline
func grow(n int, here *byte, before uintptr) int {
	growCount.calls.Add(1)
	var frame [64 << 10]byte
	if uintptr(unsafe.Pointer(here)) == before {
		fmt.Fprintln(os.Stderr, "torture: a call of grow did not grow its stack")
		os.Exit(1)
	}
	frame[n%len(frame)] = 3
	sum := int(frame[(n+touch(&frame))%len(frame)])
	growCount.returns.Add(1)
	return sum + n
}

// touch keeps a frame that is handed to it in memory.
//
//go:noinline
func touch(frame *[64 << 10]byte) int {
	return int(frame[0]) & 1
}

var recurseCount = count("main.recurse")

// recurse calls itself with frames of 1 KiB: the stack grows below frames that a hook has seen
// enter and has yet to see leave.
//
//go:noinline
func recurse(depth int) int {
	recurseCount.calls.Add(1)
	var frame [128]int
	frame[depth%128] = depth
	if depth == 0 {
		recurseCount.returns.Add(1)
		return frame[0] + 1
	}
	below := recurse(depth - 1)
	recurseCount.returns.Add(1)
	return below + frame[depth%128]
}

var panicsCount = count("main.panicsHalf")

// panicsHalf leaves every second time by a panic.
//
//go:noinline
func panicsHalf(n int) int {
	panicsCount.calls.Add(1)
	if n%2 == 1 {
		panic(errOdd)
	}
	panicsCount.returns.Add(1)
	return n
}

var relayCount = count("main.relay")

// relay hands its number down through some calls of itself: a panic below leaves all of them at
// once.
//
//go:noinline
func relay(n, calls int) int {
	relayCount.calls.Add(1)
	var got int
	if calls == 0 {
		got = panicsHalf(n)
	} else {
		got = relay(n, calls-1) + 1
	}
	relayCount.returns.Add(1)
	return got
}

var recoversCount = count("main.recovers")

// recovers always returns; after a panic the runtime makes it return from within its deferreturn
// epilogue.
//
//go:noinline
func recovers(n int) (result int) {
	recoversCount.calls.Add(1)
	defer func() {
		if recover() != nil {
			result = -1
		}
		recoversCount.returns.Add(1)
	}()
	return panicsHalf(n)
}

var goexitsCount = count("main.goexits")

// goexits ends its goroutine every third time.
//
//go:noinline
func goexits(n int) int {
	goexitsCount.calls.Add(1)
	if n%3 == 0 {
		runtime.Goexit()
	}
	goexitsCount.returns.Add(1)
	return n
}

var deferLoopCount = count("main.deferLoop")

// deferLoop defers in a loop, which the compiler cannot lay out in the frame.
//
//go:noinline
func deferLoop(n int) (sum int) {
	deferLoopCount.calls.Add(1)
	for i := 0; i < n; i++ {
		defer func(i int) { sum += i }(i)
	}
	deferLoopCount.returns.Add(1)
	return 1
}

var multiCount = count("main.multi")

// multi has several results and several returns.
//
//go:noinline
func multi(n int) (int, string, error) {
	multiCount.calls.Add(1)
	switch {
	case n%4 == 0:
		multiCount.returns.Add(1)
		return n, "four", nil
	case n%4 == 1:
		multiCount.returns.Add(1)
		return half(n), "one", errOdd
	case n%4 == 2:
		multiCount.returns.Add(1)
		return 1, "two", nil
	}
	multiCount.returns.Add(1)
	return -n, "", errOdd
}

//go:noinline
func half(n int) int { return n / 2 }

var manyCount = count("main.many")

// many has more results than there are registers for them.
//
//go:noinline
func many(n int) (a, b, c, d, e, f, g, h, i, j, k, l int, s string) {
	manyCount.calls.Add(1)
	a = half(n)
	s = "many"[:n%5]
	manyCount.returns.Add(1)
	return a, n + 1, n + 2, n + 3, n + 4, n + 5, n + 6, n + 7, n + 8, n + 9, n + 10, n + 11, s
}

// big is passed on the stack.
type big struct {
	words [24]int
	name  string
}

var stackArgsCount = count("main.stackArgs")

// stackArgs takes and gives what does not fit in registers, next to what does.
//
//go:noinline
func stackArgs(n int, b big, name string) (big, int) {
	stackArgsCount.calls.Add(1)
	b.words[n%24] += half(n)
	b.name = name
	stackArgsCount.returns.Add(1)
	return b, n
}

// The shortest functions have no room for a counter of their own: their callers count.
var (
	nothingCount    = count("main.nothing")
	sevenCount      = count("main.seven")
	isNegativeCount = count("main.isNegative")
)

// nothing is a return.
//
//go:noinline
func nothing() {}

// seven is a constant and a return.
//
//go:noinline
func seven() int { return 7 }

// isNegative is a few instructions, none of which makes a frame.
//
//go:noinline
func isNegative(n int) bool { return n < 0 }

var floatsCount = count("main.floats")

// floats has its arguments and results in X registers.
//
//go:noinline
func floats(a, b float64, c float32, n int) (float64, float32) {
	floatsCount.calls.Add(1)
	product := scaled(a, n) * b
	floatsCount.returns.Add(1)
	return product + 0.5, c + float32(n)
}

//go:noinline
func scaled(a float64, n int) float64 { return a * float64(n) }

// account has a method on its pointer.
type account struct {
	balance int
}

var addCount = count("main.(*account).add")

//go:noinline
func (a *account) add(n int) int {
	addCount.calls.Add(1)
	a.balance += half(n)
	addCount.returns.Add(1)
	return a.balance
}

// adder is how add is called through a table.
type adder interface {
	add(n int) int
}

var ledgerCount = count("main.(*ledger).add")

// ledger gets its add from account: the compiler writes a wrapper that, in most versions, is a load
// and a tail jump.
type ledger struct {
	*account
	name string
}

// number has the same shape as int, so sum has one body for both and a dictionary to tell them
// apart.
type number int

var sumCount = count("main.sum[...]")

//go:noinline
func sum[T ~int](of []T, each func(T) T) (total T) {
	sumCount.calls.Add(1)
	for _, one := range of {
		total += each(one)
	}
	sumCount.returns.Add(1)
	return total
}

var exchangeCount = count("main.exchange")

// exchange waits inside: it enters on one P and leaves on another.
//
//go:noinline
func exchange(in <-chan int, out chan<- int) int {
	exchangeCount.calls.Add(1)
	got := <-in
	out <- got + 1
	exchangeCount.returns.Add(1)
	return got
}
