package main

import (
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"sync"
	"time"

	"google.golang.org/grpc"
)

// total is one line about all calls of a load. A call with another status than expected is an error.
type total struct {
	Requests int                `json:"requests"`
	Errors   int                `json:"errors"`
	Seconds  float64            `json:"seconds"`
	Latency  map[string]float64 `json:"latency_us"`
}

// percentiles of latency, by the names that they have in the total.
var percentiles = map[string]float64{"50": 50, "90": 90, "99": 99, "99.9": 99.9}

// callFor makes calls of all kinds in turn, `workers` at a time, until the duration is over, and prints their total.
func callFor(to *grpc.ClientConn, duration time.Duration, workers int) error {
	started := time.Now()
	parts := make([][]time.Duration, workers)
	failures := make([][]error, workers)
	var running sync.WaitGroup
	for worker := 0; worker < workers; worker++ {
		running.Add(1)
		go func(worker int) {
			defer running.Done()
			for i := worker; time.Since(started) < duration; i += workers {
				begun := time.Now()
				if _, err := once(to, i); err != nil {
					failures[worker] = append(failures[worker], err)
					continue
				}
				parts[worker] = append(parts[worker], time.Since(begun))
			}
		}(worker)
	}
	running.Wait()
	sum := total{Seconds: time.Since(started).Seconds(), Latency: map[string]float64{}}
	var latencies []time.Duration
	for worker := range parts {
		latencies = append(latencies, parts[worker]...)
		for _, err := range failures[worker] {
			if sum.Errors++; sum.Errors <= 5 {
				fmt.Fprintln(os.Stderr, "greeter:", err)
			}
		}
	}
	sum.Requests = len(latencies)
	sort.Slice(latencies, func(a, b int) bool { return latencies[a] < latencies[b] })
	for name, percentile := range percentiles {
		if len(latencies) > 0 {
			sum.Latency[name] = float64(latencies[int(float64(len(latencies)-1)*percentile/100)].Nanoseconds()) / 1e3
		}
	}
	return json.NewEncoder(os.Stdout).Encode(sum)
}
