// A web server that is started under a system call filter, and the program that installs the filter.
//
// Usage: filtered serve MILLIS [FIFO]
// or: filtered filter allow|deny thread|process|errno NUMBER... -- PROGRAM [ARGUMENTS]
//
// The server asks itself for pages, and prints what it knows of children and signals. A child that
// it has from before its start waits for a line from the FIFO, and then ends. Under `allow`
// the listed calls and execve are allowed, under `deny` all others. With IGNORE_SIGCHLD in its
// environment, the program begins with SIGCHLD ignored.
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"
)

type instruction struct {
	code   uint16
	jt, jf uint8
	k      uint32
}

type program struct {
	length uint16
	filter *instruction
}

const (
	load       = 0x20
	ifEqual    = 0x15
	answer     = 0x06
	allow      = 0x7fff0000
	execve     = 59
	noNewPrivs = 38
	seccomp    = 317
)

var actions = map[string]uint32{"thread": 0, "process": 0x80000000, "errno": 0x00050001}

func check(err error) {
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
}

func filter(arguments []string) {
	runtime.LockOSThread()
	action, known := actions[arguments[1]]
	if !known {
		panic(arguments[1])
	}
	listed, others := uint32(allow), action
	if arguments[0] == "deny" {
		listed, others = action, allow
	}
	if os.Getenv("IGNORE_SIGCHLD") != "" {
		signal.Ignore(syscall.SIGCHLD)
	}
	code := []instruction{{load, 0, 0, 0}, {ifEqual, 0, 1, execve}, {answer, 0, 0, allow}}
	arguments = arguments[2:]
	for ; arguments[0] != "--"; arguments = arguments[1:] {
		number, err := strconv.ParseUint(arguments[0], 10, 32)
		check(err)
		code = append(code, instruction{ifEqual, 0, 1, uint32(number)}, instruction{answer, 0, 0, listed})
	}
	code = append(code, instruction{answer, 0, 0, others})
	filter := program{uint16(len(code)), &code[0]}
	if _, _, err := syscall.RawSyscall6(syscall.SYS_PRCTL, noNewPrivs, 1, 0, 0, 0, 0); err != 0 {
		check(err)
	}
	if _, _, err := syscall.RawSyscall(seccomp, 0x1, 0, uintptr(unsafe.Pointer(&filter))); err != 0 {
		check(err)
	}
	panic(syscall.Exec(arguments[1], arguments[1:], os.Environ()))
}

// Prints what is to be seen of children and signals.
func look(when string, signals int) {
	children, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/children", os.Getpid()))
	check(err)
	status, err := os.ReadFile("/proc/self/status")
	check(err)
	fmt.Println(when, "children", len(strings.Fields(string(children))), "SIGCHLD", signals)
	for _, line := range strings.Split(string(status), "\n") {
		for _, name := range []string{"ShdPnd:", "SigIgn:", "SigCgt:"} {
			if strings.HasPrefix(line, name) {
				fmt.Println(line)
			}
		}
	}
}

func serve(millis int, fifo string) {
	signals := make(chan os.Signal, 100)
	signal.Notify(signals, syscall.SIGCHLD)
	look("at first", len(signals))
	file, err := os.Open("/dev/null")
	check(err)
	fmt.Println("first descriptor", file.Fd())
	file.Close()
	if fifo != "" {
		check(os.WriteFile(fifo, []byte("end\n"), 0))
		for begun := time.Now(); len(signals) == 0 && time.Since(begun) < 20*time.Second; {
			time.Sleep(time.Millisecond)
		}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	http.HandleFunc("/page", func(answer http.ResponseWriter, request *http.Request) {
		fmt.Fprintln(answer, "page")
	})
	go http.Serve(listener, nil)
	url := "http://" + listener.Addr().String() + "/page"
	for begun := time.Now(); time.Since(begun) < time.Duration(millis)*time.Millisecond; {
		answer, err := http.Get(url)
		check(err)
		page, err := io.ReadAll(answer.Body)
		check(err)
		answer.Body.Close()
		if string(page) != "page\n" {
			fmt.Printf("another page: %q\n", page)
		}
		time.Sleep(5 * time.Millisecond)
	}
	http.DefaultClient.CloseIdleConnections()
	listener.Close()
	look("at last", len(signals))
	fmt.Println("served")
}

func main() {
	if os.Args[1] == "filter" {
		filter(os.Args[2:])
	}
	millis, err := strconv.Atoi(os.Args[2])
	check(err)
	fifo := ""
	if len(os.Args) > 3 {
		fifo = os.Args[3]
	}
	serve(millis, fifo)
}
