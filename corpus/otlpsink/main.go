// Command otlpsink is a receiver for an OpenTelemetry SDK under test: it accepts OTLP over gRPC, decodes it, counts it, and
// keeps nothing.
//
// It prints its address as one line of JSON once it accepts connections, and on SIGTERM or SIGINT another with its
// counts, and ends with status 0. It never listens beyond loopback unless an address says so.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"strings"
	"sync"
	"syscall"

	collectormetrics "go.opentelemetry.io/proto/otlp/collector/metrics/v1"
	collectortrace "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc"
)

// ready is the line that the sink prints when it accepts connections.
type ready struct {
	GRPC string `json:"grpc"`
	PID  int    `json:"pid"`
}

// counts is the line at the end.
type counts struct {
	// Spans is the number of spans, and Distinct the number of different span ids; 0 without -distinct.
	Spans    uint64 `json:"spans"`
	Distinct uint64 `json:"distinct_spans"`
	// Metrics is the number of metrics in all exports.
	Metrics uint64 `json:"metrics"`
	// Exports is the number of messages.
	Exports uint64 `json:"exports"`
}

func main() {
	address := flag.String("grpc", "127.0.0.1:0", "`address` for OTLP over gRPC; port 0 takes a free one")
	distinct := flag.Bool("distinct", false, "count the spans' ids, too, which costs memory for each")
	flag.Parse()
	if err := run(*address, *distinct); err != nil {
		fmt.Fprintln(os.Stderr, "otlpsink:", err)
		os.Exit(1)
	}
}

func run(address string, distinct bool) error {
	stop, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer cancel()
	if strings.HasPrefix(address, ":") {
		address = "127.0.0.1" + address
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}

	sink := &sink{}
	if distinct {
		sink.ids = make(map[string]struct{})
	}
	server := grpc.NewServer()
	collectortrace.RegisterTraceServiceServer(server, traces{sink: sink})
	collectormetrics.RegisterMetricsServiceServer(server, metrics{sink: sink})
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()

	out := json.NewEncoder(os.Stdout)
	if err := out.Encode(ready{GRPC: listener.Addr().String(), PID: os.Getpid()}); err != nil {
		return err
	}
	select {
	case err := <-served:
		return err
	case <-stop.Done():
	}
	// An SDK that still holds its connection is cut off: a test that wants all its data ends the SDK first.
	server.Stop()
	if err := <-served; err != nil {
		return err
	}
	return out.Encode(sink.total())
}

// sink counts what it receives.
type sink struct {
	mutex  sync.Mutex
	counts counts
	// ids are those of the spans so far; nil without -distinct.
	ids map[string]struct{}
}

func (s *sink) total() counts {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	total := s.counts
	total.Distinct = uint64(len(s.ids))
	return total
}

type traces struct {
	collectortrace.UnimplementedTraceServiceServer
	sink *sink
}

func (t traces) Export(
	_ context.Context, request *collectortrace.ExportTraceServiceRequest,
) (*collectortrace.ExportTraceServiceResponse, error) {
	t.sink.mutex.Lock()
	defer t.sink.mutex.Unlock()
	t.sink.counts.Exports++
	for _, resource := range request.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			t.sink.counts.Spans += uint64(len(scope.Spans))
			if t.sink.ids == nil {
				continue
			}
			for _, span := range scope.Spans {
				t.sink.ids[string(span.TraceId)+string(span.SpanId)] = struct{}{}
			}
		}
	}
	return &collectortrace.ExportTraceServiceResponse{}, nil
}

type metrics struct {
	collectormetrics.UnimplementedMetricsServiceServer
	sink *sink
}

func (m metrics) Export(
	_ context.Context, request *collectormetrics.ExportMetricsServiceRequest,
) (*collectormetrics.ExportMetricsServiceResponse, error) {
	m.sink.mutex.Lock()
	defer m.sink.mutex.Unlock()
	m.sink.counts.Exports++
	for _, resource := range request.ResourceMetrics {
		for _, scope := range resource.ScopeMetrics {
			m.sink.counts.Metrics += uint64(len(scope.Metrics))
		}
	}
	return &collectormetrics.ExportMetricsServiceResponse{}, nil
}
