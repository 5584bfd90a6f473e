// Command loadgen sends requests to httpserver and writes an account of each.
//
// Every request has a unique path, so that a collector's account can be compared with this one request by
// request. It sends a request once and never again: a retry would be a request that only the server sees. It
// accepts any certificate. Its exit status is 1 when a request failed, which includes an unexpected answer;
// a panicking handler should give no answer at all.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// summary is what loadgen prints on stdout when it is done: one line, which `gopatchd ab` reads.
type summary struct {
	Requests int                `json:"requests"`
	Errors   int                `json:"errors"`
	Seconds  float64            `json:"seconds"`
	Latency  map[string]float64 `json:"latency_us"`
}

// percentiles of latency, by the names that they have in the summary.
var percentiles = map[string]float64{"50": 50, "90": 90, "99": 99, "99.9": 99.9}

func main() {
	url := flag.String("url", "", "the server's base `URL`, such as https://127.0.0.1:8443")
	total := flag.Int64("n", 1000, "`count` of requests to send")
	workers := flag.Int("c", 64, "`count` of requests in flight")
	duration := flag.Duration("duration", 0, "send for this `time` instead of a count")
	rate := flag.Float64("rate", 0, "send so many requests a `second`, each at its time, however late the others are")
	proto := flag.String("proto", "h1", "`protocol`: h1, or h2 (HTTPS only)")
	mix := flag.String("mix", "fast", "`handlers` to ask in turn, comma separated: "+strings.Join(handlerNames(), ", "))
	tag := flag.String("tag", "", "`text` before the number in each path, to tell runs apart")
	out := flag.String("out", "", "`file` for one line of JSON a request")
	flag.Parse()

	client, err := newClient(*url, *proto, *mix, *tag, *workers)
	if err != nil {
		fail(2, err)
	}
	if *duration > 0 {
		*total = 1<<63 - 1
	}
	started := time.Now()
	seen := send(client, *total, *workers, *duration, *rate)
	report := summary{Seconds: time.Since(started).Seconds(), Latency: map[string]float64{}}
	var latencies []int64
	for _, one := range seen {
		if one.Error == "" {
			latencies = append(latencies, one.DurationNano)
			continue
		}
		if report.Errors++; report.Errors <= 5 {
			fmt.Fprintf(os.Stderr, "loadgen: %s %s: %s\n", one.Method, one.Path, one.Error)
		}
	}
	report.Requests = len(latencies)
	sort.Slice(latencies, func(a, b int) bool { return latencies[a] < latencies[b] })
	for name, percentile := range percentiles {
		if len(latencies) > 0 {
			report.Latency[name] = float64(latencies[int(float64(len(latencies)-1)*percentile/100)]) / 1e3
		}
	}
	if *out != "" {
		if err := write(*out, seen); err != nil {
			fail(2, err)
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(report); err != nil {
		fail(2, err)
	}
	if report.Errors > 0 {
		fail(1, fmt.Errorf("%d of %d requests failed", report.Errors, len(seen)))
	}
}

// send keeps `workers` requests in flight until `total` are sent or, when it is not zero, `duration` is over. With a
// rate, a worker waits for its request's time.
func send(client *client, total int64, workers int, duration time.Duration, rate float64) []seen {
	var next atomic.Int64
	started := time.Now()
	deadline := started.Add(duration)
	parts := make([][]seen, workers)
	var running sync.WaitGroup
	for worker := range parts {
		running.Add(1)
		go func(part *[]seen) {
			defer running.Done()
			for {
				id := next.Add(1) - 1
				if id >= total || duration > 0 && time.Now().After(deadline) {
					return
				}
				if rate > 0 {
					time.Sleep(time.Until(started.Add(time.Duration(float64(id) / rate * float64(time.Second)))))
				}
				*part = append(*part, client.request(id))
			}
		}(&parts[worker])
	}
	running.Wait()
	var all []seen
	for _, part := range parts {
		all = append(all, part...)
	}
	return all
}

func write(path string, all []seen) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	buffered := bufio.NewWriter(file)
	encoder := json.NewEncoder(buffered)
	for i := range all {
		if err := encoder.Encode(&all[i]); err != nil {
			return err
		}
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	return file.Close()
}

func fail(status int, err error) {
	fmt.Fprintln(os.Stderr, "loadgen:", err)
	os.Exit(status)
}
