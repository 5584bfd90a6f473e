// Command captures calls functions whose parameters and results cover what a rule can capture:
// every size of integer, strings of every length that is copied differently, pointers that are nil
// on the way, interfaces of several types, promoted fields, values on the stack. The test knows
// what each call must record.
package main

import (
	"errors"
	"fmt"
	"strings"
)

type shape interface{ area() int }

// square is in an interface by a pointer to a copy.
type square struct{ side int }

// circle is in an interface as a pointer.
type circle struct {
	radius int32
	label  *string
}

// boxed is one pointer, which is what an interface then holds.
type boxed struct{ inner *circle }

func (s square) area() int  { return s.side * s.side }
func (c *circle) area() int { return int(c.radius) * 3 }
func (b boxed) area() int   { return b.inner.area() }

type base struct {
	id   uint16
	tags []string
}

type middle struct {
	*base
	weight int64
}

type order struct {
	middle
	name  string
	next  *order
	lines map[string]int
	item  shape
	any   any
	flag  bool
}

type wide struct{ a, b, c, d, e int64 }

//go:noinline
func integers(a int8, b uint8, c int16, d uint16, e int32, f uint32, g int64, h uint64, ok bool) (int8, uint16, int32, bool) {
	escape(a, ok)
	return -a, d + 1, -e, !ok
}

//go:noinline
func text(s string) string {
	escape(s)
	return s + s
}

//go:noinline
func follow(o *order, s shape) (length int, err error) {
	escape(o, s)
	if o == nil {
		return -1, errors.New("no order")
	}
	o.weight += 1000
	// The linker drops methods that are not called, and with them, until Go 1.24, what DWARF says
	// of their receivers.
	escape(s.area())
	return len(o.name), nil
}

// spilled has more words than there are registers, so later parameters are on the stack.
//
//go:noinline
func spilled(a wide, b wide, c string, d int32) (r wide, last string) {
	escape(a, b, c, d)
	return wide{a.a + b.a, 2, 3, 4, 5}, c
}

//go:noinline
func (o *order) method(by int64) int64 {
	escape(o)
	o.weight += by
	return o.weight
}

// borrowed keeps nothing of s, so the compiler may put the bytes of s on the caller's stack.
//
//go:noinline
func borrowed(s string) int {
	count := 0
	for _, letter := range s {
		if letter == 'o' {
			count++
		}
	}
	escape(count)
	return count
}

var sink any

// escape keeps the compiler from knowing what its callers do.
//
//go:noinline
func escape(values ...any) { sink = values }

func main() {
	integers(-1, 255, -300, 65535, -70000, 4000000000, -1<<62, 1<<63, true)
	integers(1, 0, 300, 0, 70000, 1, 1<<62, 0, false)
	for _, length := range []int{0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 200} {
		text(strings.Repeat("0123456789abcdef", 13)[:length])
	}
	text("grüße \xff")

	label := "round"
	c := &circle{radius: 7, label: &label}
	o := &order{
		middle: middle{base: &base{id: 9, tags: []string{"x", "y"}}, weight: 5},
		name:   "first",
		next:   &order{name: "second", any: c},
		lines:  map[string]int{"a": 1, "b": 2, "c": 3},
		item:   square{side: 4},
		any:    "text",
		flag:   true,
	}
	follow(o, square{side: 6})
	follow(o.next, c)
	follow(&order{name: "bare"}, boxed{c})
	follow(nil, nil)
	spilled(wide{1, 2, 3, 4, 5}, wide{10, 20, 30, 40, 50}, "on the stack", -42)
	o.method(37)
	borrowed("for good")
	short := []byte("for now")
	borrowed(string(short))
	borrowed("")
	callArrays()
	callTypes()
	fmt.Println("done")
}
