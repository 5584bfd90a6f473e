// A web server that asks itself for pages, and after a second kills itself at any system call but
// those of a list.
//
// Usage: confined MILLIS [NUMBER...]
package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
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
	load        = 0x20
	ifEqual     = 0x15
	answer      = 0x06
	allow       = 0x7fff0000
	killProcess = 0x80000000
	noNewPrivs  = 38
	seccomp     = 317
	allThreads  = 1
)

func confine(numbers []string) {
	code := []instruction{{load, 0, 0, 0}}
	for _, text := range numbers {
		number, err := strconv.ParseUint(text, 10, 32)
		check(err)
		code = append(code, instruction{ifEqual, 0, 1, uint32(number)}, instruction{answer, 0, 0, allow})
	}
	code = append(code, instruction{answer, 0, 0, killProcess})
	filter := program{uint16(len(code)), &code[0]}
	if _, _, err := syscall.RawSyscall6(syscall.SYS_PRCTL, noNewPrivs, 1, 0, 0, 0, 0); err != 0 {
		check(err)
	}
	if _, _, err := syscall.RawSyscall(seccomp, 1, allThreads, uintptr(unsafe.Pointer(&filter))); err != 0 {
		check(err)
	}
}

func check(err error) {
	if err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
}

func main() {
	millis, err := strconv.Atoi(os.Args[1])
	check(err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	http.HandleFunc("/page", func(answer http.ResponseWriter, request *http.Request) {
		fmt.Fprintln(answer, "page")
	})
	go http.Serve(listener, nil)
	url := "http://" + listener.Addr().String() + "/page"
	begun := time.Now()
	confined := false
	for time.Since(begun) < time.Duration(millis)*time.Millisecond {
		if !confined && len(os.Args) > 2 && time.Since(begun) > time.Second {
			confine(os.Args[2:])
			confined = true
		}
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
	fmt.Println("served")
}
