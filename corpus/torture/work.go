package main

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// work is what is done to the hot functions: each returns a sum that depends on `scale` alone.
var work = []struct {
	name string
	run  func(scale int) int
}{
	{"new stacks", newStacks},
	{"deep stacks", deepStacks},
	{"panics", panics},
	{"goexits", exits},
	{"defers", defers},
	{"results", results},
	{"stack arguments", stackArguments},
	{"floats", floatArithmetic},
	{"shortest", shortest},
	{"methods", methods},
	{"generics", generics},
	{"channels", channels},
	{"timers", timers},
	{"storm", storm},
}

// each runs body for 0 to n-1, `workers` at a time, and every call in a goroutine of its own. It
// sums what they give; a body that ends its goroutine gives nothing.
func each(n, workers int, body func(i int) int) int {
	var lock sync.Mutex
	var running sync.WaitGroup
	total := 0
	slots := make(chan struct{}, workers)
	for i := 0; i < n; i++ {
		slots <- struct{}{}
		running.Add(1)
		go func(i int) {
			given := 0
			defer func() {
				lock.Lock()
				total += given
				lock.Unlock()
				<-slots
				running.Done()
			}()
			drop()
			given = body(i)
		}(i)
	}
	running.Wait()
	return total
}

// litter holds the newest piece of garbage.
var litter atomic.Pointer[[2048]byte]

// drop makes garbage. With the garbage collector's target at one percent, twenty calls are a
// collection.
func drop() {
	litter.Store(new([2048]byte))
}

// newStacks has few big stacks at a time: the runtime starts goroutines with stacks of the average
// size, and grow must not fit.
func newStacks(scale int) int {
	return each(400*scale, 2, func(i int) int {
		var here byte
		return grow(i, &here, address(&here))
	})
}

func deepStacks(scale int) int {
	return each(5*scale, 2, func(i int) int { return recurse(100 + 10*(i%20)) })
}

func panics(scale int) int {
	return each(400*scale, 8, func(i int) (given int) {
		defer func() {
			if recover() != nil {
				given++
			}
		}()
		given = recovers(i) + recovers(i+1)
		return given + relay(i, 3)
	})
}

func exits(scale int) int {
	return each(400*scale, 8, func(i int) int {
		defer func() { _ = recovers(i) }()
		return goexits(i)
	})
}

func defers(scale int) int {
	total := 0
	for i := 0; i < 300*scale; i++ {
		drop()
		total += deferLoop(i % 20)
	}
	return total
}

func results(scale int) int {
	total := 0
	for i := 0; i < 500*scale; i++ {
		drop()
		n, s, err := multi(i)
		if err != nil {
			total++
		}
		total += n + len(s)
		a, b, c, d, e, f, g, h, j, k, l, m, s := many(i)
		total += a + b + c + d + e + f + g + h + j + k + l + m + len(s)
	}
	return total
}

func stackArguments(scale int) int {
	total := 0
	var b big
	for i := 0; i < 500*scale; i++ {
		drop()
		var n int
		b, n = stackArgs(i, b, "stack arguments"[:i%16])
		total += n + len(b.name) + b.words[i%24]
	}
	return total
}

// shortest calls the functions that are too short to count themselves.
func shortest(scale int) int {
	return each(100*scale, 4, func(i int) int {
		nothingCount.calls.Add(1)
		nothing()
		nothingCount.returns.Add(1)
		sevenCount.calls.Add(1)
		sum := seven()
		sevenCount.returns.Add(1)
		isNegativeCount.calls.Add(1)
		if isNegative(i - 10*scale) {
			sum++
		}
		isNegativeCount.returns.Add(1)
		return sum
	})
}

func floatArithmetic(scale int) int {
	total := 0.0
	for i := 0; i < 500*scale; i++ {
		drop()
		a, b := floats(1.25, 2.5, 0.5, i)
		total += a + float64(b)
	}
	return int(total * 4)
}

// methods calls a method directly, through a method value, through an interface and by promotion.
func methods(scale int) int {
	var a account
	value := a.add
	table := []adder{&a, &ledger{&a, "promoted"}}
	total := 0
	for i := 0; i < 300*scale; i++ {
		drop()
		total += a.add(i) ^ value(i) ^ throughTable(table, i)
	}
	return total
}

// throughTable calls both, and counts for the one that has no body of its own to count in.
//
//go:noinline
func throughTable(table []adder, n int) int {
	total := table[0].add(n)
	ledgerCount.calls.Add(1)
	total += table[1].add(n)
	ledgerCount.returns.Add(1)
	return total
}

func generics(scale int) int {
	ints := []int{1, 2, 3, 4}
	numbers := []number{5, 6, 7}
	total := 0
	for i := 0; i < 500*scale; i++ {
		drop()
		total += sum(ints, func(n int) int { return n * i })
		total += int(sum(numbers, func(n number) number { return n + number(i) }))
	}
	return total
}

func channels(scale int) int {
	first := make(chan int)
	last := first
	var running sync.WaitGroup
	for i := 0; i < 16; i++ {
		in, out := last, make(chan int)
		running.Add(1)
		go func() {
			defer running.Done()
			for j := 0; j < 50*scale; j++ {
				exchange(in, out)
			}
		}()
		last = out
	}
	total := 0
	sent := 0
	for received := 0; received < 50*scale; {
		into := first
		if sent == 50*scale {
			into = nil
		}
		select {
		case into <- sent:
			sent++
		case got := <-last:
			total += got
			received++
		}
	}
	running.Wait()
	return total
}

func timers(scale int) int {
	return each(40*scale, 64, func(i int) int {
		fired := make(chan int, 1)
		time.AfterFunc(time.Duration(i%5)*time.Millisecond, func() { fired <- recovers(i) })
		never := time.NewTimer(time.Hour)
		defer never.Stop()
		select {
		case got := <-fired:
			return got
		case <-never.C:
			return -1
		}
	})
}

// storm has very many goroutines at once, and each gives way in the middle of what it does.
func storm(scale int) int {
	return each(1000*scale, 1000, func(i int) int {
		n, _, _ := multi(i)
		runtime.Gosched()
		var a account
		return n + a.add(i) + recovers(i)
	})
}
