// A program with other functions, and more of them, than first.go.
package main

import (
	"fmt"
	"os"
	"time"
)

const calls = 30

//go:noinline
func B0(n int) int { return n + 1 }

//go:noinline
func B1(n int) int { return n + 2 }

//go:noinline
func B2(n int) int { return n + 3 }

func main() {
	for n := 0; n < calls; n++ {
		B0(n)
		B1(n)
		B2(n)
		time.Sleep(10 * time.Millisecond)
	}
	if len(os.Args) > 1 && os.Args[1] == "stay" {
		fmt.Println("made")
		time.Sleep(time.Minute)
	}
	fmt.Println("done")
}
