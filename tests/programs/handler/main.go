// Calls a function in Go's signal handler, in the middle of hooked functions.
//
// The runtime has a variable for its own tests: what the handler of SIGUSR1 calls first. No table of
// a program shows what is in it.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"
	_ "unsafe" // for go:linkname
)

//go:linkname testSigusr1 runtime.testSigusr1
var testSigusr1 func(g uintptr) bool

var (
	handled int
	wrong   int
	knocks  int
)

// burst is how many calls are made between two pauses, in which their records are read.
const burst = 5000

//go:noinline
func inHandler(n int) int {
	return next(n)
}

//go:noinline
func next(n int) int {
	handled++
	return n + 1
}

//go:noinline
func work(text string, n int) (string, int) {
	if n%3 == 0 {
		return double(text), n + 1
	}
	return text, n + 1
}

//go:noinline
func double(text string) string {
	return text + text
}

// knock is called until the program may begin, so that the test sees that it is attached.
//
//go:noinline
func knock() {
	knocks++
}

func main() {
	for _, err := os.Stat(os.Args[2]); err != nil; _, err = os.Stat(os.Args[2]) {
		knock()
		time.Sleep(10 * time.Millisecond)
	}
	calls, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	testSigusr1 = func(uintptr) bool {
		inHandler(handled)
		return true
	}
	texts := []string{"alpha", "beta", "gamma", "delta", "epsilon"}
	fmt.Println("ready")
	i := 0
	for ; i < calls || handled < 100; i++ {
		text := texts[i%len(texts)]
		got, n := work(text, i)
		if n != i+1 || got != text && got != text+text || (got == text) == (i%3 == 0) {
			wrong++
		}
		if i%burst == burst-1 {
			time.Sleep(20 * time.Millisecond)
		}
	}
	// Signals that still come are not counted.
	testSigusr1 = func(uintptr) bool { return true }
	fmt.Println("calls", i, "handled", handled, "wrong", wrong)
}
