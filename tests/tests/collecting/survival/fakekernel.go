// Runs a program under a kernel that does not make some system calls of some code, but answers them:
// fakekernel LOW HIGH CALL ERROR ARGUMENT VALUE PROGRAM [ARGUMENTS].
//
// The filter answers call number CALL with ERROR (0: success) where the instruction pointer lies
// between LOW and HIGH, and argument ARGUMENT, if not negative, is VALUE.
package main

import (
	"os"
	"runtime"
	"strconv"
	"syscall"
	"unsafe"
)

type instruction struct {
	code   uint16
	jt, jf uint8
	k      uint32
}

type program struct {
	length uint16
	code   *instruction
}

const (
	load       = 0x20
	ifEqual    = 0x15
	ifAtLeast  = 0x35
	answer     = 0x06
	allow      = 0x7fff0000
	errno      = 0x00050000
	noNewPrivs = 38
	seccomp    = 317
)

func main() {
	runtime.LockOSThread()
	var numbers [6]int
	for i := range numbers {
		number, err := strconv.Atoi(os.Args[i+1])
		if err != nil {
			panic(err)
		}
		numbers[i] = number
	}
	low, high, call, failure, argument, value := numbers[0], numbers[1], numbers[2], numbers[3], numbers[4], numbers[5]
	code := []instruction{
		{load, 0, 0, 0}, {ifEqual, 1, 0, uint32(call)}, {answer, 0, 0, allow},
		{load, 0, 0, 12}, {ifEqual, 1, 0, 0}, {answer, 0, 0, allow},
		{load, 0, 0, 8}, {ifAtLeast, 1, 0, uint32(low)}, {answer, 0, 0, allow},
		{ifAtLeast, 0, 1, uint32(high)}, {answer, 0, 0, allow},
	}
	if argument >= 0 {
		code = append(code, instruction{load, 0, 0, uint32(16 + 8*argument)},
			instruction{ifEqual, 1, 0, uint32(value)}, instruction{answer, 0, 0, allow})
	}
	code = append(code, instruction{answer, 0, 0, uint32(errno | failure)})
	filter := program{uint16(len(code)), &code[0]}
	if _, _, err := syscall.RawSyscall6(syscall.SYS_PRCTL, noNewPrivs, 1, 0, 0, 0, 0); err != 0 {
		panic(err)
	}
	if _, _, err := syscall.RawSyscall(seccomp, 1, 0, uintptr(unsafe.Pointer(&filter))); err != 0 {
		panic(err)
	}
	panic(syscall.Exec(os.Args[7], os.Args[7:], os.Environ()))
}
