package main

import (
	"os"
	"strconv"
	"syscall"
	"time"
	"unsafe"
)

// interruptEvery is how often each thread gets a profiling signal.
const interruptEvery = 100 * time.Microsecond

// From the kernel's time.h, signal.h and asm-generic/siginfo.h.
const (
	clockMonotonic = 1
	sigevThreadID  = 4
)

// sigevent is the kernel's struct sigevent as timer_create reads it.
type sigevent struct {
	value  uint64
	signo  int32
	notify int32
	tid    int32
	_      [11]int32
}

// itimerspec is the kernel's struct itimerspec.
type itimerspec struct {
	interval, first syscall.Timespec
}

// interruptThreads sends SIGPROF to every thread of the process, by high-resolution timers that no
// scheduler of Go's can hold up. While a profile is taken, the runtime takes these for its own
// timers' signals: its handler walks the stack from whatever instruction was interrupted. A thread
// that begins later gets none.
func interruptThreads() (stop func()) {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		fail(err)
	}
	var timers []int32
	for _, thread := range threads {
		tid, err := strconv.Atoi(thread.Name())
		if err != nil {
			fail(err)
		}
		event := sigevent{signo: int32(syscall.SIGPROF), notify: sigevThreadID, tid: int32(tid)}
		var timer int32
		_, _, errno := syscall.RawSyscall(syscall.SYS_TIMER_CREATE, clockMonotonic,
			uintptr(unsafe.Pointer(&event)), uintptr(unsafe.Pointer(&timer)))
		if errno == syscall.EINVAL {
			// The thread has ended since it was listed.
			continue
		}
		if errno != 0 {
			fail(errno)
		}
		timers = append(timers, timer)
		every := syscall.NsecToTimespec(interruptEvery.Nanoseconds())
		spec := itimerspec{interval: every, first: every}
		_, _, errno = syscall.RawSyscall6(syscall.SYS_TIMER_SETTIME, uintptr(timer), 0,
			uintptr(unsafe.Pointer(&spec)), 0, 0, 0)
		if errno != 0 {
			fail(errno)
		}
	}
	return func() {
		for _, timer := range timers {
			if _, _, errno := syscall.RawSyscall(syscall.SYS_TIMER_DELETE, uintptr(timer), 0, 0); errno != 0 {
				fail(errno)
			}
		}
	}
}
