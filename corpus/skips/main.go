// Command skips calls functions that a rule keeps from running, in every way that Go calls functions, and prints what it got.
// A function that does run says so.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"unsafe"
)

func ran(name string) { fmt.Println("ran:", name) }

//go:noinline
func integers(n int8) (int8, uint16, int32, int64, uint64, uintptr, bool) {
	ran("integers")
	return n, 1, 2, 3, 4, 5, false
}

//go:noinline
func floats(_ int, x float64) (float32, float64, float64, int) {
	ran("floats")
	return 1, x, 2, 3
}

//go:noinline
func texts(s string) (string, string, error) {
	ran("texts")
	return s, s + s, errors.New(s)
}

//go:noinline
func nils(p *int) (*int, error, any, []int, unsafe.Pointer) {
	ran("nils")
	return p, errors.New("x"), p, []int{1}, unsafe.Pointer(p)
}

//go:noinline
func references() (map[string]int, func(), chan int) {
	ran("references")
	return map[string]int{"a": 1}, func() {}, make(chan int)
}

// spilled has more results than there are registers.
//
//go:noinline
func spilled(a, b, c [3]int64) (d, e, f, g, h, i, j, k int64, last string, small uint8, flag bool, large int64, word uint16, err error) {
	ran("spilled")
	return a[0], 1, 2, 3, 4, 5, 6, b[1], "ran", 1, false, 1, 1, errors.New("x")
}

//go:noinline
func nothing(counter *int) {
	ran("nothing")
	*counter++
}

// leaf begins with an instruction that may fault: there is no room for a hook, but for a jump that never comes back.
//
//go:noinline
func leaf(p *int) int { return *p + 1 }

// loop begins with the target of a branch.
//
//go:noinline
func loop(n uint) (sum uint) {
	for ; n > 0; n-- {
		sum = sum*3 + n
	}
	return sum
}

// huge has a stack check of the largest form.
//
//go:noinline
func huge(index int) byte {
	var bytes [100000]byte
	fill(&bytes)
	ran("huge")
	return bytes[index]
}

//go:noinline
func fill(bytes *[100000]byte) { bytes[1] = byte(os.Getpid()) }

type checker interface{ check(name string) (bool, error) }

type door struct{ name string }

//go:noinline
func (d *door) check(name string) (bool, error) {
	ran("door.check")
	return d.name == name, errors.New(name)
}

// gate is no pointer, so an interface calls its methods by way of a wrapper.
type gate struct{ width, height int }

//go:noinline
func (g gate) check(name string) (bool, error) {
	ran("gate.check")
	return false, errors.New(name)
}

//go:noinline
func generic[T any](value T) (T, int) {
	ran("generic")
	return value, 1
}

//go:noinline
func leave(calls *int32) {
	ran("leave")
	atomic.AddInt32(calls, 1)
}

var limit = len(os.Args)

// small is inlined where it is called by its name.
func small(n int) int {
	if n > limit {
		return n
	}
	return limit
}

// constant is inlined where it is called by its name, and nothing of the copy is left.
func constant() bool { return true }

// fromAssembly is called by assembly, through the wrapper that bridges to the other ABI.
//
//go:noinline
func fromAssembly() int64 {
	ran("fromAssembly")
	return 1
}

// viaAssembly returns what fromAssembly does.
func viaAssembly() int64

//go:noinline
func allow(key string, number int) (bool, string, error, []byte) {
	return number < 0, key, errors.New(key), []byte(key)
}

// parallel calls allow in many goroutines with stacks of many depths while garbage is collected.
func parallel() int64 {
	defer debug.SetGCPercent(debug.SetGCPercent(1))
	var wrong int64
	var workers sync.WaitGroup
	for worker := 0; worker < 8; worker++ {
		workers.Add(1)
		go func() {
			defer workers.Done()
			for round := 0; round < 200; round++ {
				atomic.AddInt64(&wrong, deep(round%50, fmt.Sprint("key ", round)))
				if round%40 == 0 {
					runtime.GC()
				}
			}
		}()
	}
	workers.Wait()
	return wrong
}

//go:noinline
func deep(depth int, key string) int64 {
	var room [64]int64
	if depth > 0 {
		room[depth] = deep(depth-1, key)
		return room[depth]
	}
	ok, why, err, bytes := allow(key, depth)
	held := []any{why, err, bytes, strings.Repeat(key, 3)}
	runtime.Gosched()
	if !ok || held[0] != "not today" || err != nil || bytes != nil {
		return 1
	}
	return 0
}

func main() {
	fmt.Println(integers(9))
	fmt.Println(floats(1, 2.5))
	one, two, err := texts("text")
	fmt.Printf("%q %q %v\n", one, two, err)
	number := 5
	p, err, value, slice, pointer := nils(&number)
	fmt.Println(p == nil, err == nil, value == nil, slice == nil, pointer == nil)
	m, f, c := references()
	fmt.Println(m == nil, f == nil, c == nil)
	fmt.Println(spilled([3]int64{1}, [3]int64{2}, [3]int64{3}))
	nothing(&number)
	fmt.Println(number, leaf(&number), loop(uint(number)), huge(7))
	for _, it := range []checker{&door{"front"}, gate{3, 4}} {
		fmt.Println(it.check("front"))
		check := it.check
		fmt.Println(check("back"))
	}
	fmt.Println(generic("a"))
	fmt.Println(generic(3))
	var calls int32
	func() {
		defer leave(&calls)
		defer func() { leave(&calls) }()
	}()
	var workers sync.WaitGroup
	workers.Add(1)
	go leave(&calls)
	go func() {
		defer workers.Done()
		leave(&calls)
	}()
	workers.Wait()
	fmt.Println(atomic.LoadInt32(&calls) > 0)
	function, other := small, constant
	if len(os.Args) > 9 {
		function, other = nil, nil
	}
	fmt.Println(small(5), small(-5), function(6))
	fmt.Println(constant(), other())
	fmt.Println(viaAssembly())
	fmt.Println(parallel())
}
