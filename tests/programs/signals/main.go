// Computes what does not depend on signals, and receives as many of them as it can meanwhile: those
// of a profile of 1,000 samples a second, those of preemption, and storms at each of its threads,
// some of which it is notified of. Prints the result.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"sort"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

type order struct {
	ID    int
	Name  string
	Lines []string
	Price float64
}

// work calls much of the standard library.
//
//go:noinline
func work(n int) uint64 {
	var text strings.Builder
	o := order{ID: n, Name: strconv.Itoa(n * 12345678), Price: float64(n) / 3}
	for i := 0; i < 5; i++ {
		o.Lines = append(o.Lines, fmt.Sprintf("%s:%d;%x", o.Name, n+i, n*i))
	}
	sort.Sort(sort.Reverse(sort.StringSlice(o.Lines)))
	encoded, err := json.Marshal(o)
	if err != nil {
		panic(err)
	}
	var back order
	if err := json.NewDecoder(bytes.NewReader(encoded)).Decode(&back); err != nil {
		panic(err)
	}
	for _, line := range back.Lines {
		text.WriteString(strings.ToUpper(line))
	}
	sum := fnv.New64a()
	_, _ = io.WriteString(sum, text.String())
	fmt.Fprint(sum, back)
	return sum.Sum64()
}

// spin has no call, so only a signal preempts it.
//
//go:noinline
func spin(n uint64) uint64 {
	for i := 0; i < 200_000; i++ {
		n = n*6364136223846793005 + 1442695040888963407
	}
	return n
}

// storm sends signals to each thread, in turn, until it is stopped.
func storm(stop *atomic.Bool) {
	process := os.Getpid()
	for !stop.Load() {
		threads, err := os.ReadDir("/proc/self/task")
		if err != nil {
			panic(err)
		}
		for _, thread := range threads {
			id, err := strconv.Atoi(thread.Name())
			if err != nil {
				panic(err)
			}
			for _, one := range []syscall.Signal{syscall.SIGUSR1, syscall.SIGPROF, syscall.SIGURG, syscall.SIGUSR2} {
				// A thread may have ended.
				_ = syscall.Tgkill(process, id, one)
			}
		}
		time.Sleep(50 * time.Microsecond)
	}
}

func main() {
	rounds, err := strconv.Atoi(os.Args[1])
	if err != nil {
		panic(err)
	}
	runtime.SetCPUProfileRate(1000)
	// It says that the rate is set already, and profiles.
	if err := pprof.StartCPUProfile(io.Discard); err != nil {
		panic(err)
	}
	notified := make(chan os.Signal, 64)
	signal.Notify(notified, syscall.SIGUSR1)
	signal.Ignore(syscall.SIGUSR2)
	var seen, stop atomic.Bool
	go func() {
		for range notified {
			seen.Store(true)
		}
	}()
	go storm(&stop)
	var workers sync.WaitGroup
	sums := make([]uint64, 4)
	for w := range sums {
		w := w
		workers.Add(1)
		go func() {
			defer workers.Done()
			for i := 0; i < rounds; i++ {
				sums[w] += work(w*rounds+i) ^ spin(uint64(i))
				if i%16 == 0 {
					time.Sleep(time.Microsecond)
				}
				if i%64 == 0 {
					runtime.GC()
				}
			}
		}()
	}
	workers.Wait()
	for !seen.Load() {
		time.Sleep(time.Millisecond)
	}
	stop.Store(true)
	signal.Stop(notified)
	pprof.StopCPUProfile()
	fmt.Println(sums)
}
