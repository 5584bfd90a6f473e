// Follows pointers to memory that is not there, other than nil, in functions whose first or last
// instructions do that: the traceback, and the panic after debug.SetPanicOnFault, must not depend
// on where the instruction runs.
package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"
	"syscall"
	"unsafe"
)

type record struct {
	a, b, c int
	name    string
	next    *record
	values  [4]float64
	flag    bool
}

//go:noinline
func (r *record) Second() int { return r.b }

//go:noinline
func (r *record) Name() string { return r.name }

//go:noinline
func (r *record) Next() int { return r.next.c }

//go:noinline
func (r *record) Set(v int) { r.c = v }

//go:noinline
func (r *record) Add(v int) { r.a += v }

//go:noinline
func (r *record) Clear() { *r = record{} }

//go:noinline
func (r *record) Copy(from *record) { r.values = from.values }

//go:noinline
func (r *record) Sum() float64 { return r.values[0] + r.values[3] }

//go:noinline
func (r *record) IsEmpty() bool { return r.a == 0 && r.b == 0 }

//go:noinline
func (r *record) Flag() bool {
	if r.flag {
		return r.c > 3
	}
	return false
}

//go:noinline
func at(b []byte, i int) byte { return b[i] }

//go:noinline
func word(p *uint32) uint32 { return *p }

//go:noinline
func pick(n int, r *record) int {
	if n < 0 {
		return n
	}
	return r.a + n
}

//go:noinline
func large(r *record) int {
	var buffer [200]byte
	x := r.a
	for i := range buffer {
		buffer[i] = byte(x + i)
	}
	return int(buffer[x&127]) + r.b
}

//go:noinline
func last(r *record, n int) int {
	fmt.Fprint(os.Stdout)
	return r.b + n
}

//go:noinline
func lastStore(r *record, n int) {
	fmt.Fprint(os.Stdout)
	r.b = n
}

//go:noinline
func deep(n int, f func(*record), r *record) int {
	if n == 0 {
		f(r)
		return 0
	}
	return deep(n-1, f, r) + 1
}

// A page without any right, one of a file that has become shorter, an address that no page can
// have, and nil.
func places() map[string]*record {
	none, err := syscall.Mmap(-1, 0, 4096, syscall.PROT_NONE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		panic(err)
	}
	file, err := os.CreateTemp("", "faults")
	if err != nil {
		panic(err)
	}
	defer os.Remove(file.Name())
	if err := file.Truncate(8192); err != nil {
		panic(err)
	}
	mapped, err := syscall.Mmap(int(file.Fd()), 0, 8192, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	if err := file.Truncate(0); err != nil {
		panic(err)
	}
	impossible := uintptr(0xdead000000000000)
	return map[string]*record{
		"none":       (*record)(unsafe.Pointer(&none[0])),
		"truncated":  (*record)(unsafe.Pointer(&mapped[0])),
		"impossible": *(**record)(unsafe.Pointer(&impossible)),
		"nil":        nil,
	}
}

func bytes(r *record) []byte { return unsafe.Slice((*byte)(unsafe.Pointer(r)), 64) }

var functions = []struct {
	name string
	call func(*record)
}{
	{"Second", func(r *record) { r.Second() }},
	{"Name", func(r *record) { r.Name() }},
	{"Next", func(r *record) { r.Next() }},
	{"Set", func(r *record) { r.Set(3) }},
	{"Add", func(r *record) { r.Add(3) }},
	{"Clear", func(r *record) { r.Clear() }},
	{"Copy", func(r *record) { new(record).Copy(r) }},
	{"Sum", func(r *record) { r.Sum() }},
	{"IsEmpty", func(r *record) { r.IsEmpty() }},
	{"Flag", func(r *record) { r.Flag() }},
	{"at", func(r *record) { at(bytes(r), 7) }},
	{"word", func(r *record) { word((*uint32)(unsafe.Pointer(r))) }},
	{"pick", func(r *record) { pick(1, r) }},
	{"large", func(r *record) { large(r) }},
	{"last", func(r *record) { last(r, 1) }},
	{"lastStore", func(r *record) { lastStore(r, 1) }},
}

// All in one process: each fault as a panic, with its stack.
func recovered(places map[string]*record) {
	debug.SetPanicOnFault(true)
	for _, place := range []string{"none", "truncated", "impossible", "nil"} {
		for _, function := range functions {
			func() {
				defer func() {
					fmt.Printf("%s %s: %v\n", place, function.name, recover())
					fmt.Println(strings.ReplaceAll(string(debug.Stack()), "\t", "  "))
				}()
				deep(3, function.call, places[place])
			}()
		}
	}
}

func main() {
	all := places()
	if len(os.Args) < 3 {
		recovered(all)
		return
	}
	for _, function := range functions {
		if function.name == os.Args[2] {
			deep(3, function.call, all[os.Args[1]])
		}
	}
	fmt.Println("it did not fault")
}
