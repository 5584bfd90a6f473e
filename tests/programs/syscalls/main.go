// A program that begins and ends system calls by itself, and calls functions in between.
package main

import (
	"fmt"
	_ "unsafe"
)

//go:linkname entersyscall runtime.entersyscall
func entersyscall()

//go:linkname exitsyscall runtime.exitsyscall
func exitsyscall()

//go:nosplit
//go:noinline
func mix(a, b, c, d uint64) (uint64, uint64) {
	if a == b {
		return c, d
	}
	return a*3 + d, b ^ c
}

//go:nosplit
//go:noinline
func inside(n int, seed uint64) uint64 {
	a, b := seed, seed+1
	for i := 0; i < n; i++ {
		a, b = mix(a, b, uint64(i), seed)
	}
	return a ^ b
}

//go:nosplit
//go:noinline
func call(n int, seed uint64) uint64 {
	entersyscall()
	result := inside(n, seed)
	exitsyscall()
	return result
}

// leaf has no stack check either, and is not called in a system call.
//
//go:noinline
func leaf(a, b uint64) uint64 {
	if a > b {
		return a*5 ^ b
	}
	return b*7 ^ a
}

//go:noinline
func outside(n int) (result uint64) {
	for i := 0; i < n; i++ {
		result = leaf(result, uint64(i)) + call(10, uint64(i))
	}
	return result
}

func main() { fmt.Println(outside(1000)) }
