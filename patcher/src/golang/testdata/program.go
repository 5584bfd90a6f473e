// Functions and types of many shapes, for the tests of the modules elf, golang and dwarf.
package main

import (
	"errors"
	"fmt"
	"os"
	"unsafe"
)

type Record struct {
	ID     int32
	_      int32
	Name   string
	Flags  [1]uint16
	Reader interface{ Read(int) (string, error) }
	*Base
}

type Base struct{ Weight float64 }

type Empty struct{}

type Celsius float32

type Handler func(int) string

type Counts map[string]int

// Types larger than any memory, of which a program may have pointers.
type Huge struct {
	Bytes [1<<50 - 16]byte
	Last  int32
}

var huge = []any{(*[1<<48 - 1]byte)(nil), (*[1 << 62]struct{})(nil), (*Huge)(nil), [0]int{}}

//go:noinline
func (r *Record) Read(n int) (string, error) {
	if n > len(r.Name) {
		return "", errors.New("too long")
	}
	return r.Name[:n], nil
}

//go:noinline
func (Empty) Value(n int) int { return n + 1 }

//go:noinline
func Scalars(a int8, b uint16, c float32, d complex128, e bool, f unsafe.Pointer, g uintptr) (uint16, float64, error) {
	return b + uint16(a), float64(c) + real(d) + float64(g), nil
}

//go:noinline
func Words(s string, b []byte, e error, a any, m Counts, c chan int) (int, Celsius) {
	return len(s) + len(b) + len(m) + len(c), 1
}

//go:noinline
func Arrays(a [2]int, b [1]string, c [0]int, r Record, h Handler) ([2]byte, int) {
	return [2]byte{byte(a[0])}, len(b[0]) + len(r.Name)
}

var table [8]int

func small(a, b int) int { return table[a&7] / b }

//go:noinline
func CallsSmall(n int) int { return small(n, n+1) * small(n+3, n+2) }

// Blank is inlined, and called through a value too, so that it has a body of its own.
func Blank(_ string, a int, _ int) (_ int, err error) {
	if a > len(table) {
		err = errors.New("too large")
	}
	return table[a&7], err
}

//go:noinline
func CallsBlank(n int, f func(string, int, int) (int, error)) (int, error) {
	if n > 1 {
		return f("", n, n)
	}
	return Blank("", n, n)
}

//go:noinline
func Recovers(n int) (result int) {
	defer func() {
		if recover() != nil {
			result = -1
		}
	}()
	return 10 / n
}

func main() {
	r := &Record{Name: "name", Base: &Base{}}
	r.Reader = r
	var e any = r
	text, err := r.Reader.Read(len(os.Args))
	fmt.Println(text, err, Empty{}.Value(1), CallsSmall(len(os.Args)), Recovers(len(os.Args)-1))
	fmt.Println(Scalars(1, 2, 3, 4, true, nil, 5))
	fmt.Println(Words(text, []byte(text), err, e, Counts{}, nil))
	fmt.Println(Arrays([2]int{}, [1]string{}, [0]int{}, *r, func(n int) string { return "" }))
	fmt.Println(CallsBlank(len(os.Args), Blank))
	fmt.Println(huge...)
}
