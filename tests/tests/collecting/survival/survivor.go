// A program that checks that nothing happens to its descriptors: survivor MILLISECONDS.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

//go:noinline
func Work(n int) int { return n*31 + 1 }

func main() {
	millis, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	var first uintptr
	sum := 0
	for end := time.Now().Add(time.Duration(millis) * time.Millisecond); time.Now().Before(end); {
		file, err := os.Open("/dev/null")
		if err != nil {
			panic(err)
		}
		if first == 0 {
			first = file.Fd()
		}
		if file.Fd() != first {
			fmt.Println("descriptor", file.Fd(), "after", first)
			os.Exit(3)
		}
		file.Close()
		sum = Work(sum) % 1000
		time.Sleep(200 * time.Microsecond)
	}
	fmt.Println("first descriptor", first)
}
