// A program with many open calls that makes children by vfork(2), which share its memory until each
// runs a program of its own: short ones, and one that shares it for seconds.
package main

/*
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int child(int millis) {
	pid_t pid = vfork();
	if (pid == 0) {
		struct timespec time = {millis / 1000, millis % 1000 * 1000000L};
		nanosleep(&time, 0);
		execl("/bin/true", "true", (char *)0);
		_exit(1);
	}
	int status = -1;
	return pid > 0 && waitpid(pid, &status, 0) == pid ? status : -1;
}
*/
import "C"

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"
)

const open = 2000

// Work calls what it is given while it is open.
//
//go:noinline
func Work(n int, during func()) int {
	during()
	return n + 1
}

func main() {
	millis, _ := strconv.Atoi(os.Args[1])
	gate := make(chan bool)
	var begun, ended sync.WaitGroup
	for n := 0; n < open; n++ {
		begun.Add(1)
		ended.Add(1)
		go func() {
			defer ended.Done()
			Work(n, func() { begun.Done(); <-gate })
		}()
	}
	begun.Wait()
	fmt.Println("open")
	for n := 0; n < 50; n++ {
		out, err := exec.Command("/bin/echo", "child").Output()
		fmt.Print(string(out), err, C.child(0), "\n")
		Work(n, func() {})
	}
	fmt.Println("sharing")
	long := make(chan C.int)
	go func() { long <- C.child(C.int(millis)) }()
	for n, over := 0, false; !over; n++ {
		select {
		case status := <-long:
			fmt.Println("long", status)
			over = true
		default:
			Work(n, func() { time.Sleep(10 * time.Millisecond) })
		}
	}
	close(gate)
	ended.Wait()
	time.Sleep(200 * time.Millisecond)
	fmt.Println("done")
}
