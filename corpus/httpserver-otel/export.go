package main

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/trace"
)

// export is the SDK's two pipelines.
type export struct {
	traces  *trace.TracerProvider
	metrics *metric.MeterProvider
}

// startExport makes both pipelines the global ones. The exporters read their endpoint from the environment.
func startExport(ctx context.Context) (*export, error) {
	spans, err := otlptracegrpc.New(ctx)
	if err != nil {
		return nil, err
	}
	points, err := otlpmetricgrpc.New(ctx)
	if err != nil {
		return nil, err
	}
	export := &export{
		traces:  trace.NewTracerProvider(trace.WithBatcher(spans)),
		metrics: metric.NewMeterProvider(metric.WithReader(metric.NewPeriodicReader(points))),
	}
	otel.SetTracerProvider(export.traces)
	otel.SetMeterProvider(export.metrics)
	otel.SetTextMapPropagator(propagation.TraceContext{})
	return export, nil
}

// end exports what is left.
func (e *export) end(ctx context.Context) error {
	return errors.Join(e.traces.Shutdown(ctx), e.metrics.Shutdown(ctx))
}
