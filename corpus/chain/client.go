package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// headers are those given by the flag -header.
type headers http.Header

func (h headers) String() string { return "" }

func (h headers) Set(line string) error {
	name, value, found := strings.Cut(line, ": ")
	if !found {
		return errors.New("a header is NAME: VALUE")
	}
	// In the spelling that was given, which http.Header.Add would change.
	h[name] = append(h[name], value)
	return nil
}

func client(arguments []string) error {
	flags := flag.NewFlagSet("chain client", flag.ExitOnError)
	to := flags.String("to", "", "base `URL` of the first service")
	list := flags.String("shapes", "direct", "`names` of shapes, with commas, in turn")
	count := flags.Int("n", 1, "`count` of requests")
	first := flags.Int("first", 0, "`number` of the first one")
	workers := flags.Int("c", 1, "`count` of requests in flight")
	useHTTP2 := flags.Bool("http2", false, "speak HTTP/2 over TLS")
	start := flags.String("start", "", "send requests for /knock until this `file` is there, and begin then")
	grow := flags.Int("grow", -1, "add a query to each path, of `length` bytes in the first request and one more in each")
	added := headers{}
	flags.Var(added, "header", "send this `header`, too")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	service := strings.TrimSuffix(*to, "/")
	sender := &http.Client{Transport: newTransport(*useHTTP2, *workers), Timeout: requestLimit}
	if *start != "" {
		if err := knock(sender, service, *start); err != nil {
			return err
		}
	}

	shapes := strings.Split(*list, ",")
	failed := make([]error, *workers)
	var running sync.WaitGroup
	for worker := 0; worker < *workers; worker++ {
		running.Add(1)
		go func(worker int) {
			defer running.Done()
			for i := worker; i < *count && failed[worker] == nil; i += *workers {
				url := fmt.Sprintf("%s/%s/%d", service, shapes[i%len(shapes)], *first+i)
				if *grow >= 0 {
					url += "?" + strings.Repeat("x", *grow+i)
				}
				method, panics := "GET", shapes[i%len(shapes)] == "panic"
				if panics {
					// The transport would send a GET again.
					method = "POST"
				}
				err := get(sender, method, url, http.Header(added))
				if (err != nil) != panics {
					failed[worker] = fmt.Errorf("%s: %v", url, err)
				}
			}
		}(worker)
	}
	running.Wait()
	return errors.Join(failed...)
}

// get sends one request. An answer other than 200 is an error.
func get(sender *http.Client, method, url string, added http.Header) error {
	request, err := http.NewRequest(method, url, nil)
	if err != nil {
		return err
	}
	for name, values := range added {
		request.Header[name] = append([]string(nil), values...)
	}
	answer, err := sender.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answered %s: %s", url, answer.Status, body)
	}
	return err
}

// knock sends requests until the file exists: the collector may attach late.
func knock(sender *http.Client, to, file string) error {
	for begun := time.Now(); time.Since(begun) < requestLimit; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(file); err == nil {
			return nil
		}
		if err := get(sender, "GET", to+"/knock", nil); err != nil {
			return err
		}
	}
	return errors.New("nobody has made " + file)
}
