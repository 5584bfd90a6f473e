package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

// profileHz is more than the runtime's own timers give: those count a thread's CPU time, which the
// kernel looks at once a tick.
const profileHz = 10_000

// parked goroutines keep the average stack small, see newStacks.
const parked = 200

// startNoise starts everything that interrupts, moves or walks stacks, and returns what ends it.
func startNoise() (stop func()) {
	debug.SetGCPercent(1)
	done := make(chan struct{})
	var running sync.WaitGroup
	background := func(pause time.Duration, disturb func()) {
		running.Add(1)
		go func() {
			defer running.Done()
			for {
				select {
				case <-done:
					return
				default:
					disturb()
					rest(pause)
				}
			}
		}()
	}
	background(0, collect)
	background(200*time.Microsecond, dumpStacks)
	background(50*time.Millisecond, profile)
	for i := 0; i < parked; i++ {
		running.Add(1)
		go func() {
			defer running.Done()
			<-done
		}()
	}
	return func() {
		close(done)
		running.Wait()
	}
}

// rest sleeps in the kernel: the runtime's own timers may be a millisecond late.
func rest(pause time.Duration) {
	if pause > 0 {
		length := syscall.NsecToTimespec(pause.Nanoseconds())
		syscall.Nanosleep(&length, nil)
	}
}

// garbage is what there is to collect.
var garbage [][]byte

func collect() {
	garbage = nil
	for i := 0; i < 16; i++ {
		garbage = append(garbage, make([]byte, 4<<10))
	}
	runtime.GC()
}

var stacks = make([]byte, 1<<20)

func dumpStacks() {
	runtime.Stack(stacks, true)
}

// profile takes a profile and discards it. The rate that is set before StartCPUProfile stays; the
// runtime complains about that on stderr.
func profile() {
	runtime.SetCPUProfileRate(profileHz)
	if err := pprof.StartCPUProfile(io.Discard); err != nil {
		fail(err)
	}
	stop := interruptThreads()
	time.Sleep(200 * time.Millisecond)
	stop()
	pprof.StopCPUProfile()
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "torture:", err)
	os.Exit(1)
}

// address is where a variable is now. It does not keep it there.
func address(variable *byte) uintptr {
	return uintptr(unsafe.Pointer(variable))
}
