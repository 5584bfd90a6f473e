// A program with other functions, and more of them, than first.go. With an argument it makes
// other calls until a signal comes, and waits for another one after its calls.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

const calls = 30

//go:noinline
func Warm(n int) int { return n + 4 }

//go:noinline
func B0(n int) int { return n + 1 }

//go:noinline
func B1(n int) int { return n + 2 }

//go:noinline
func B2(n int) int { return n + 3 }

func main() {
	told := make(chan os.Signal, 1)
	signal.Notify(told, syscall.SIGUSR1)
	if len(os.Args) > 1 {
		fmt.Println("ready")
		for n, goes := 0, false; !goes; n++ {
			Warm(n)
			select {
			case <-told:
				goes = true
			case <-time.After(time.Millisecond):
			}
		}
	}
	for n := 0; n < calls; n++ {
		B0(n)
		B1(n)
		B2(n)
		time.Sleep(10 * time.Millisecond)
	}
	if len(os.Args) > 1 {
		<-told
	}
	fmt.Println("done")
}
