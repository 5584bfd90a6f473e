//! Metrics in the form of OpenTelemetry's protocol.

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Histogram,
    HistogramDataPoint, Metric, ResourceMetrics, exemplar,
};

use crate::telemetry::histogram::{self, Explicit, Exponential, Totals};
use crate::telemetry::metrics::{Measured, Metrics, Push};
use crate::telemetry::span::key_value;

/// The number of data points of a process.
pub(crate) fn count(metrics: &ResourceMetrics) -> usize {
    let metrics = metrics.scope_metrics.iter().flat_map(|scope| &scope.metrics);
    let points = metrics.map(|metric| match &metric.data {
        Some(Data::Histogram(histogram)) => histogram.data_points.len(),
        Some(Data::ExponentialHistogram(histogram)) => histogram.data_points.len(),
        _ => 0,
    });
    points.sum()
}

/// The metrics of a process to push. Counts from one push to the next restart.
pub(crate) fn snapshot(metrics: &mut Metrics, since: u64, now: u64) -> Vec<Metric> {
    let temporality =
        if metrics.is_delta() { AggregationTemporality::Delta } else { AggregationTemporality::Cumulative };
    let temporality = temporality as i32;
    let mut pushed = Vec::new();
    for group in &mut metrics.groups {
        for (index, instrument) in group.instruments.iter().enumerate() {
            let (mut explicit, mut exponential) = (Vec::new(), Vec::new());
            for series in &group.series {
                let measured = &series.measured[index];
                let attributes = group.attributes(series).map(|(name, value)| key_value(name, value.borrowed()));
                match &measured.pushed {
                    None => explicit.extend(explicit_point(&measured.total, measured, attributes, (since, now))),
                    Some(Push::Explicit(histogram)) => {
                        explicit.extend(explicit_point(histogram, measured, attributes, (since, now)));
                    }
                    Some(Push::Exponential(histogram)) => {
                        exponential.extend(exponential_point(histogram, measured, attributes, (since, now)));
                    }
                }
            }
            let data = if !explicit.is_empty() {
                Data::Histogram(Histogram { data_points: explicit, aggregation_temporality: temporality })
            } else if !exponential.is_empty() {
                let data_points = exponential;
                Data::ExponentialHistogram(ExponentialHistogram { data_points, aggregation_temporality: temporality })
            } else {
                continue;
            };
            pushed.push(Metric {
                name: instrument.name.to_string(),
                description: instrument.description.to_string(),
                unit: instrument.unit.to_owned(),
                data: Some(data),
                ..Default::default()
            });
        }
    }
    metrics.restart();
    pushed
}

/// A data point, unless nothing was counted.
fn explicit_point(
    histogram: &Explicit,
    measured: &Measured,
    attributes: impl Iterator<Item = KeyValue>,
    (start_time_unix_nano, time_unix_nano): (u64, u64),
) -> Option<HistogramDataPoint> {
    let Totals { count, sum, min, max } = histogram.totals;
    (count > 0).then(|| HistogramDataPoint {
        attributes: attributes.collect(),
        start_time_unix_nano,
        time_unix_nano,
        count,
        sum: Some(sum),
        bucket_counts: histogram.counts.to_vec(),
        explicit_bounds: histogram.bounds.to_vec(),
        exemplars: exemplars(measured, start_time_unix_nano),
        min: Some(min),
        max: Some(max),
        ..Default::default()
    })
}

fn exponential_point(
    histogram: &Exponential,
    measured: &Measured,
    attributes: impl Iterator<Item = KeyValue>,
    (start_time_unix_nano, time_unix_nano): (u64, u64),
) -> Option<ExponentialHistogramDataPoint> {
    let Totals { count, sum, min, max } = histogram.totals;
    (count > 0).then(|| ExponentialHistogramDataPoint {
        attributes: attributes.collect(),
        start_time_unix_nano,
        time_unix_nano,
        count,
        sum: Some(sum),
        scale: histogram.scale,
        zero_count: histogram.zeros,
        positive: Some(Buckets { offset: histogram.first, bucket_counts: histogram.counts.iter().copied().collect() }),
        exemplars: exemplars(measured, start_time_unix_nano),
        min: Some(min),
        max: Some(max),
        ..Default::default()
    })
}

/// The exemplars of the time that a data point covers.
fn exemplars(measured: &Measured, since: u64) -> Vec<Exemplar> {
    let recent = measured.exemplars.iter().flatten().filter(|exemplar| exemplar.unix_nanos >= since);
    let exemplars = recent.map(|histogram::Exemplar { value, unix_nanos, trace, span }| Exemplar {
        time_unix_nano: *unix_nanos,
        span_id: span.to_be_bytes().to_vec(),
        trace_id: trace.to_be_bytes().to_vec(),
        value: Some(exemplar::Value::AsDouble(*value)),
        ..Default::default()
    });
    exemplars.collect()
}
