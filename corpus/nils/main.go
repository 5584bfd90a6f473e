// Follows nil in as many ways as a small function can, and says what came of it: the panic and the goroutine's stack, which
// must not depend on where the instruction runs that follows it.
package main

import (
	"fmt"
	"os"
	"regexp"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"unsafe"
)

type pair struct{ a, b float64 }

type node struct {
	value       int
	small       uint8
	name        string
	left, right *node
	pair        pair
	count       int64
	table       [8]int32
	next        func() int
	any         interface{ Name() string }
	far         [2000]byte
	flag        bool
}

//go:noinline
func (n *node) Value() int { return n.value }

//go:noinline
func (n *node) Small() uint8 { return n.small }

//go:noinline
func (n *node) Name() string { return n.name }

//go:noinline
func (n *node) Left() *node { return n.left.right }

//go:noinline
func (n *node) Pair() pair { return n.pair }

//go:noinline
func (n *node) Sum() float64 { return n.pair.a + n.pair.b }

//go:noinline
func (n *node) Flag() bool { return n.flag }

//go:noinline
func (n *node) IsEmpty() bool { return n.value == 0 && n.left == nil }

//go:noinline
func (n *node) Set(value int) { n.value = value }

//go:noinline
func (n *node) SetPair(p pair) { n.pair = p }

//go:noinline
func (n *node) Increment() { n.count++ }

//go:noinline
func (n *node) Add(by int64) int64 { return atomic.AddInt64(&n.count, by) }

//go:noinline
func (n *node) Swap() bool { return atomic.CompareAndSwapInt64(&n.count, 0, 1) }

//go:noinline
func (n *node) Entry(index int) int32 { return n.table[index&7] }

//go:noinline
func (n *node) Clear() { n.table = [8]int32{} }

//go:noinline
func (n *node) Copy(from *node) { n.pair, n.name = from.pair, from.name }

//go:noinline
func (n *node) Next() int { return n.next() }

//go:noinline
func (n *node) AnyName() string { return n.any.Name() }

//go:noinline
func (n *node) Swapped() (right, left *node) { return n.right, n.left }

//go:noinline
func (n *node) Divided(by int) int { return n.value / by }

//go:noinline
func (n *node) Pick(which rune) bool {
	switch which {
	case 'f':
		return n.flag
	case 's':
		return n.small == 0
	case 'c':
		return n.count == 0
	case 'v':
		return n.value == 0
	case 'n':
		return n.name == ""
	}
	return false
}

//go:noinline
func work(depth int) int {
	if depth == 0 {
		return 1
	}
	return work(depth-1) + 1
}

//go:noinline
func (n *node) Late() int {
	work(3)
	return n.value
}

//go:noinline
func (n *node) Deep() int { return n.left.Value() + n.right.Value() }

// Recovers in the very function that follows nil.
//
//go:noinline
func (n *node) Careful() (value int, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = r.(error)
		}
	}()
	value = 7
	return n.value + n.left.value, nil
}

//go:noinline
func length(text *string) int { return len(*text) }

//go:noinline
func element(of *[4]int, index int) int { return of[index] }

//go:noinline
func low(address uintptr) byte { return *(*byte)(unsafe.Pointer(address)) }

//go:noinline
func either(a, b *node, which bool) int {
	if which {
		return a.value
	}
	return b.value
}

var sink int

// What is printed of a stack: functions and lines. Arguments are whatever lay on the stack.
var arguments = regexp.MustCompile(`\(0x[^)]*\)|\(\{[^\n]*\)|\(\.\.\.\)|goroutine \d+`)

func attempt(name string, call func()) {
	defer func() {
		r := recover()
		_, isRuntime := r.(runtime.Error)
		fmt.Printf("%s: %v (%T, runtime error: %v)\n%s\n", name, r, r, isRuntime, arguments.ReplaceAll(debug.Stack(), nil))
	}()
	call()
	fmt.Println(name, "came back")
}

func everything(n *node) {
	attempt("value", func() { sink = n.Value() })
	attempt("small", func() { sink = int(n.Small()) })
	attempt("name", func() { sink = len(n.Name()) })
	attempt("left", func() { sink = n.Left().Value() })
	attempt("pair", func() { sink = int(n.Pair().b) })
	attempt("sum", func() { sink = int(n.Sum()) })
	attempt("flag", func() { fmt.Println(n.Flag()) })
	attempt("empty", func() { fmt.Println(n.IsEmpty()) })
	attempt("set", func() { n.Set(1) })
	attempt("set pair", func() { n.SetPair(pair{1, 2}) })
	attempt("increment", func() { n.Increment() })
	attempt("add", func() { sink = int(n.Add(1)) })
	attempt("swap", func() { fmt.Println(n.Swap()) })
	attempt("entry", func() { sink = int(n.Entry(3)) })
	attempt("clear", func() { n.Clear() })
	attempt("copy to", func() { n.Copy(&node{}) })
	attempt("copy from", func() { (&node{}).Copy(n) })
	attempt("next", func() { sink = n.Next() })
	attempt("any", func() { sink = len(n.AnyName()) })
	attempt("swapped", func() { _, left := n.Swapped(); fmt.Println(left == nil) })
	attempt("divided", func() { sink = n.Divided(0) })
	for _, which := range "fscvn-" {
		attempt("pick", func() { fmt.Println(n.Pick(which)) })
	}
	attempt("late", func() { sink = n.Late() })
	attempt("deep", func() { sink = n.Deep() })
	attempt("careful", func() { value, err := n.Careful(); fmt.Println(value, err) })
	attempt("either", func() { sink = either(&node{}, n, false) + either(n, nil, true) })
}

func main() {
	everything(nil)
	everything(&node{})
	everything(&node{left: &node{right: &node{}}, right: &node{}, next: func() int { return 1 }, any: &node{}})
	attempt("length", func() { sink = length(nil) })
	attempt("element", func() { sink = element(nil, 2) })
	for _, address := range []uintptr{1, 0xff8, 0xfff} {
		attempt("low", func() { sink = int(low(address)) })
	}
	attempt("goroutine", func() {
		done := make(chan string)
		go func() {
			defer func() { done <- fmt.Sprint(recover()) }()
			sink = (*node)(nil).Value()
		}()
		fmt.Println(<-done)
	})
	if len(os.Args) > 1 && os.Args[1] == "die" {
		sink = (*node)(nil).Late()
	}
}
