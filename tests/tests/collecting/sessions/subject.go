// A program that does something to itself while it has hooked calls. What it prints depends on
// nothing but its arguments.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Work calls what it is given while it is open.
//
//go:noinline
func Work(n int, during ...func()) int {
	for _, do := range during {
		do()
	}
	return n + 1
}

// Hold is open while it does what it is given. Its exit reads n, so its entry keeps n.
//
//go:noinline
func Hold(n int, during func()) int {
	during()
	return n
}

func work(millis int) {
	end := time.Now().Add(time.Duration(millis) * time.Millisecond)
	for n := 0; time.Now().Before(end); n++ {
		Work(n)
		time.Sleep(200 * time.Microsecond)
	}
}

func check(err error) {
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
}

func number(index int) int {
	n, err := strconv.Atoi(os.Args[index])
	check(err)
	return n
}

func main() {
	switch os.Args[1] {
	case "loop":
		work(number(2))
	case "busy":
		for n := 1; n <= number(2); n++ {
			Work(n)
			if n%1000 == 0 {
				time.Sleep(time.Millisecond)
			}
		}
		fmt.Println("made")
		time.Sleep(time.Minute)
	case "open":
		open(number(2), time.Duration(number(3))*time.Millisecond)
	case "more-ps":
		morePs(number(2), number(3))
	case "fork":
		fork()
	case "exec-self":
		if len(os.Args) > 2 {
			work(300)
			break
		}
		work(300)
		check(syscall.Exec("/proc/self/exe", []string{"self", "exec-self", "again"}, os.Environ()))
	case "lock-memory":
		err := syscall.Mlockall(1 | 2)
		fmt.Println("locked:", err)
		work(300)
	case "drop-rights":
		work(200)
		check(syscall.Setgid(65534))
		check(syscall.Setuid(65534))
		work(1200)
		fmt.Println("uid", os.Getuid())
	case "few-files":
		work(200)
		check(syscall.Setrlimit(syscall.RLIMIT_NOFILE, &syscall.Rlimit{Cur: 4, Max: 4}))
		work(1200)
	case "huge-pages":
		memory, err := syscall.Mmap(-1, 0, 64<<20, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
		check(err)
		check(syscall.Madvise(memory, 14))
		for at := 0; at < len(memory); at += 4096 {
			memory[at] = 1
		}
		work(300)
	case "first-files":
		for i := 0; i < 3; i++ {
			file, err := syscall.Open("/dev/null", syscall.O_RDONLY, 0)
			check(err)
			fmt.Println("file", file)
			work(150)
		}
	}
	fmt.Println("done", os.Args[1])
}

// open makes calls that are all open for so long.
func open(calls int, long time.Duration) {
	var ended sync.WaitGroup
	for i := 0; i < calls; i++ {
		ended.Add(1)
		go func() {
			defer ended.Done()
			Hold(i, func() { time.Sleep(long) })
		}()
	}
	ended.Wait()
	work(500)
}

// morePs makes calls that are open while the number of Ps grows.
func morePs(calls, ps int) {
	debug.SetGCPercent(400)
	gate := make(chan struct{})
	var begun, ended sync.WaitGroup
	for i := 0; i < calls; i++ {
		begun.Add(1)
		ended.Add(1)
		go func() {
			defer ended.Done()
			Work(1, func() {
				begun.Done()
				<-gate
			})
		}()
		// So that no ring is full.
		if i%100 == 0 {
			time.Sleep(time.Millisecond)
		}
	}
	begun.Wait()
	fmt.Println("from", runtime.GOMAXPROCS(ps), "to", runtime.GOMAXPROCS(0))
	for i := 0; i < calls; i++ {
		gate <- struct{}{}
		if i%100 == 0 {
			time.Sleep(time.Millisecond)
		}
	}
	ended.Wait()
	time.Sleep(300 * time.Millisecond)
}

// fork makes a child that never runs another program: it only ends, with the parent's hooks in its
// memory.
func fork() {
	work(200)
	for i := 0; i < 20; i++ {
		pid, _, err := syscall.RawSyscall(syscall.SYS_FORK, 0, 0, 0)
		if err != 0 {
			check(err)
		}
		if pid == 0 {
			for n := 1; n < 100; n++ {
				Work(n)
			}
			syscall.RawSyscall(syscall.SYS_EXIT_GROUP, 7, 0, 0)
		}
		var status syscall.WaitStatus
		_, waited := syscall.Wait4(int(pid), &status, 0, nil)
		check(waited)
		if status.ExitStatus() != 7 {
			fmt.Println("child:", status)
		}
		Work(i + 1)
	}
	out, err := exec.Command("/bin/echo", "child").CombinedOutput()
	fmt.Print(string(out), err, "\n")
	work(200)
}
