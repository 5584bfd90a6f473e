// A program that makes calls, and then executes the program that its arguments name, while a call
// is open: HOW SERVICE PROGRAM ARGUMENTS...
package main

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"time"
)

const calls = 20

//go:noinline
func Tick(n int) int { return n + 1 }

// Hold is open while it waits.
//
//go:noinline
func Hold(n int, during func()) int {
	during()
	return n + 1
}

func check(err error) {
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
}

func main() {
	// The main goroutine keeps the thread that the process began with.
	runtime.LockOSThread()
	held := make(chan bool)
	go Hold(1, func() { held <- true; select {} })
	<-held
	for n := 0; n < calls; n++ {
		Tick(n)
		time.Sleep(10 * time.Millisecond)
	}
	how := os.Args[1]
	if how == "end" {
		fmt.Println("done")
		return
	}
	next := os.Args[3:]
	check(os.Setenv("OTEL_SERVICE_NAME", os.Args[2]))
	environment := os.Environ()
	execute := func() { check(syscall.Exec(next[0], next, environment)) }
	switch how {
	case "exec":
		execute()
	case "thread":
		// On another thread, as the main goroutine keeps its own.
		go execute()
		select {}
	case "child":
		command := exec.Command(next[0], next[1:]...)
		command.Env, command.Stdout = environment, os.Stdout
		check(command.Run())
		for n := 0; n < calls; n++ {
			Tick(n)
		}
		fmt.Println("done")
	case "when-told":
		told := make(chan os.Signal, 1)
		signal.Notify(told, syscall.SIGUSR1)
		fmt.Println("ready")
		<-told
		execute()
	}
}
