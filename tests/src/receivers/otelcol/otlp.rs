//! OTLP as JSON, as far as the tests look at it.
//!
//! Spans and metrics become lists in which each has its resource and its scope. An unknown kind of
//! data is an error.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde::de::{Deserializer, Error};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// Attributes by name, with plain JSON values.
pub type Attributes = BTreeMap<String, Value>;

/// What was received, in order.
#[derive(Debug, Default)]
pub struct Received {
    /// Spans.
    pub spans: Vec<Span>,
    /// Metrics, one for each export.
    pub metrics: Vec<Metric>,
}

/// A span.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Span {
    /// Attributes of its resource.
    #[serde(skip)]
    pub resource: Attributes,
    /// Name of the instrumentation.
    #[serde(skip)]
    pub scope: String,
    /// In hex.
    pub trace_id: String,
    /// In hex.
    pub span_id: String,
    /// In hex; empty for a root.
    #[serde(default)]
    pub parent_span_id: String,
    /// W3C trace state.
    #[serde(default)]
    pub trace_state: String,
    /// W3C trace flags, and whether the parent is remote.
    #[serde(default)]
    pub flags: u32,
    /// Name.
    pub name: String,
    /// `SPAN_KIND_INTERNAL` is 1, server 2, client 3.
    pub kind: u32,
    /// Begin.
    #[serde(deserialize_with = "number")]
    pub start_time_unix_nano: u64,
    /// End.
    #[serde(deserialize_with = "number")]
    pub end_time_unix_nano: u64,
    /// Attributes.
    #[serde(default, deserialize_with = "attributes")]
    pub attributes: Attributes,
    /// Number of dropped attributes.
    #[serde(default)]
    pub dropped_attributes_count: u32,
    /// Events.
    #[serde(default)]
    pub events: Vec<Event>,
    /// Status.
    #[serde(default)]
    pub status: Status,
}

/// A span's status.
#[derive(Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Status {
    /// 0 is unset, 1 ok, 2 error.
    pub code: u32,
    /// Description of an error.
    pub message: String,
}

/// An event of a span.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Time.
    #[serde(deserialize_with = "number")]
    pub time_unix_nano: u64,
    /// Name.
    pub name: String,
    /// Attributes.
    #[serde(default, deserialize_with = "attributes")]
    pub attributes: Attributes,
}

/// A metric, as exported once.
#[derive(Debug, Deserialize)]
pub struct Metric {
    /// Attributes of its resource.
    #[serde(skip)]
    pub resource: Attributes,
    /// Name of the instrumentation.
    #[serde(skip)]
    pub scope: String,
    /// Name.
    pub name: String,
    /// Unit.
    #[serde(default)]
    pub unit: String,
    /// Description.
    #[serde(default)]
    pub description: String,
    /// Kind and points.
    #[serde(flatten)]
    pub data: Data,
}

/// A metric's kind and points.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Data {
    /// Current values.
    Gauge {
        /// One for each combination of attributes.
        data_points: Vec<NumberPoint>,
    },
    /// Sums.
    Sum {
        /// One for each combination of attributes.
        data_points: Vec<NumberPoint>,
        /// Delta or cumulative.
        aggregation_temporality: Temporality,
        /// Whether the sum only grows.
        #[serde(default)]
        is_monotonic: bool,
    },
    /// Histograms with explicit buckets.
    Histogram {
        /// One for each combination of attributes.
        data_points: Vec<HistogramPoint>,
        /// Delta or cumulative.
        aggregation_temporality: Temporality,
    },
    /// Histograms with exponential buckets.
    ExponentialHistogram {
        /// One for each combination of attributes.
        data_points: Vec<HistogramPoint>,
        /// Delta or cumulative.
        aggregation_temporality: Temporality,
    },
}

/// The start of the period that a point covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "u32")]
pub enum Temporality {
    /// The previous point.
    Delta,
    /// The start of the process.
    Cumulative,
}

impl TryFrom<u32> for Temporality {
    type Error = String;

    fn try_from(number: u32) -> Result<Self, String> {
        match number {
            1 => Ok(Self::Delta),
            2 => Ok(Self::Cumulative),
            other => Err(format!("invalid temporality {other}")),
        }
    }
}

/// A number.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct NumberPoint {
    /// Attributes.
    #[serde(default, deserialize_with = "attributes")]
    pub attributes: Attributes,
    /// Begin.
    #[serde(default, deserialize_with = "number")]
    pub start_time_unix_nano: u64,
    /// Time.
    #[serde(deserialize_with = "number")]
    pub time_unix_nano: u64,
    /// The value.
    #[serde(alias = "asInt", alias = "asDouble", deserialize_with = "number")]
    pub value: f64,
    /// Examples.
    #[serde(default)]
    pub exemplars: Vec<Exemplar>,
}

/// A histogram, of either kind.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HistogramPoint {
    /// Attributes.
    #[serde(default, deserialize_with = "attributes")]
    pub attributes: Attributes,
    /// Begin.
    #[serde(default, deserialize_with = "number")]
    pub start_time_unix_nano: u64,
    /// Time.
    #[serde(deserialize_with = "number")]
    pub time_unix_nano: u64,
    /// Values.
    #[serde(default, deserialize_with = "number")]
    pub count: u64,
    /// Their sum.
    #[serde(default)]
    pub sum: f64,
    /// The smallest.
    pub min: Option<f64>,
    /// The largest.
    pub max: Option<f64>,
    /// Explicit buckets: the count of each, one more than there are bounds.
    #[serde(default, deserialize_with = "numbers")]
    pub bucket_counts: Vec<u64>,
    /// Explicit buckets: their upper bounds.
    #[serde(default)]
    pub explicit_bounds: Vec<f64>,
    /// Exponential buckets: their base is 2 to the power of 2 to the power of minus this.
    #[serde(default)]
    pub scale: i32,
    /// Exponential buckets: the count of values that are 0 or nearly 0.
    #[serde(default, deserialize_with = "number")]
    pub zero_count: u64,
    /// Exponential buckets: those of positive values.
    #[serde(default)]
    pub positive: Buckets,
    /// Examples.
    #[serde(default)]
    pub exemplars: Vec<Exemplar>,
}

/// Exponential buckets.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Buckets {
    /// The index of the first.
    pub offset: i32,
    /// The count of each.
    #[serde(deserialize_with = "numbers")]
    pub bucket_counts: Vec<u64>,
}

/// A value of a point and the span that it was measured in.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Exemplar {
    /// Time.
    #[serde(deserialize_with = "number")]
    pub time_unix_nano: u64,
    /// The value.
    #[serde(alias = "asInt", alias = "asDouble", deserialize_with = "number")]
    pub value: f64,
    /// In hex.
    #[serde(default)]
    pub trace_id: String,
    /// In hex.
    #[serde(default)]
    pub span_id: String,
    /// Attributes that the point lacks.
    #[serde(default, deserialize_with = "attributes")]
    pub filtered_attributes: Attributes,
}

impl Received {
    /// Parses lines, each an export of traces or of metrics.
    pub(super) fn parse(lines: &str) -> Result<Self> {
        let mut received = Self::default();
        for line in lines.lines() {
            let export: Map<String, Value> = serde_json::from_str(line).context("a line is not an object")?;
            for (kind, resources) in export {
                let (spans, metrics) = (&mut received.spans, &mut received.metrics);
                match kind.as_str() {
                    "resourceSpans" => {
                        for_each_item(resources, "scopeSpans", "spans", |span: Span, resource, scope| {
                            spans.push(Span { resource, scope, ..span });
                        })
                    }
                    "resourceMetrics" => {
                        for_each_item(resources, "scopeMetrics", "metrics", |metric: Metric, resource, scope| {
                            metrics.push(Metric { resource, scope, ..metric });
                        })
                    }
                    other => Err(anyhow!("unknown export {other}")),
                }?;
            }
        }
        Ok(received)
    }

    /// The metrics with this name, in order.
    pub fn metrics_named(&self, name: &str) -> impl Iterator<Item = &Metric> {
        self.metrics.iter().filter(move |metric| metric.name == name)
    }
}

/// Calls `take` for each item of an export, with its resource and scope.
fn for_each_item<T: DeserializeOwned>(
    resources: Value,
    scopes: &str,
    items: &str,
    mut take: impl FnMut(T, Attributes, String),
) -> Result<()> {
    for mut resource in list(Some(resources))? {
        let attributes = attributes_from(resource["resource"]["attributes"].take())?;
        for mut scope in list(resource.get_mut(scopes).map(Value::take))? {
            let name = scope["scope"]["name"].as_str().unwrap_or_default().to_owned();
            for item in list(scope.get_mut(items).map(Value::take))? {
                let shown = item.to_string();
                let item = serde_json::from_value(item).with_context(|| shown)?;
                take(item, attributes.clone(), name.clone());
            }
        }
    }
    Ok(())
}

fn list(value: Option<Value>) -> Result<Vec<Value>> {
    Ok(value.map(serde_json::from_value).transpose()?.unwrap_or_default())
}

/// Attributes from OTLP's list of keys and typed values. A key may appear once.
fn attributes_from(value: Value) -> Result<Attributes> {
    #[derive(Deserialize)]
    struct KeyValue {
        key: String,
        #[serde(default)]
        value: Map<String, Value>,
    }

    let pairs: Option<Vec<KeyValue>> = serde_json::from_value(value)?;
    let mut attributes = Attributes::new();
    for KeyValue { key, value } in pairs.unwrap_or_default() {
        let value = untyped(value).with_context(|| format!("attribute {key}"))?;
        ensure!(attributes.insert(key.clone(), value).is_none(), "attribute {key} appears twice");
    }
    Ok(attributes)
}

/// The plain value of a typed one.
fn untyped(typed: Map<String, Value>) -> Result<Value> {
    let Some((kind, mut value)) = typed.into_iter().next() else { return Ok(Value::Null) };
    Ok(match kind.as_str() {
        "intValue" => serde_json::from_value::<Number<i64>>(value)?.0.into(),
        "stringValue" | "boolValue" | "doubleValue" | "bytesValue" => value,
        "arrayValue" => {
            let values = list(value.get_mut("values").map(Value::take))?;
            let values = values.into_iter().map(|typed| untyped(serde_json::from_value(typed)?));
            values.collect::<Result<Vec<_>>>()?.into()
        }
        "kvlistValue" => Value::Object(attributes_from(value["values"].take())?.into_iter().collect()),
        other => bail!("unknown kind of value {other}"),
    })
}

fn attributes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Attributes, D::Error> {
    attributes_from(Value::deserialize(deserializer)?).map_err(D::Error::custom)
}

/// A number, which OTLP writes as text where JSON might round it.
struct Number<T>(T);

impl<'de, T: DeserializeOwned + std::str::FromStr> Deserialize<'de> for Number<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = match Value::deserialize(deserializer)? {
            Value::String(text) => text.parse().ok(),
            other => serde_json::from_value(other).ok(),
        };
        number.map(Self).ok_or_else(|| D::Error::custom("not a number of that kind"))
    }
}

fn number<'de, T: DeserializeOwned + std::str::FromStr, D: Deserializer<'de>>(from: D) -> Result<T, D::Error> {
    Number::deserialize(from).map(|Number(number)| number)
}

fn numbers<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u64>, D::Error> {
    Ok(Vec::deserialize(deserializer)?.into_iter().map(|Number(number)| number).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_span_has_its_resource_and_its_scope() -> Result<()> {
        let span = json!({"traceId": "0a", "spanId": "0b", "name": "n", "kind": 2, "startTimeUnixNano": "1",
            "endTimeUnixNano": "18446744073709551615", "status": {"code": 2},
            "attributes": [{"key": "i", "value": {"intValue": "-5"}}, {"key": "b", "value": {"boolValue": true}},
                {"key": "l", "value": {"arrayValue": {"values": [{"stringValue": "x"}]}}}]});
        let resource = json!({"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]});
        let scope = json!({"scope": {"name": "s"}, "spans": [span]});
        let line = json!({"resourceSpans": [{"resource": resource, "scopeSpans": [scope]}]}).to_string();
        let received = Received::parse(&line)?;
        let [span] = &received.spans[..] else { panic!("{received:?}") };
        assert_eq!((span.resource["service.name"].as_str(), span.scope.as_str()), (Some("shop"), "s"));
        assert_eq!((span.end_time_unix_nano, span.status.code), (u64::MAX, 2));
        assert_eq!(json!(span.attributes), json!({"i": -5, "b": true, "l": ["x"]}));
        assert!(Received::parse("{\"resourceLogs\": []}").is_err(), "logs are not expected");
        Ok(())
    }

    #[test]
    fn each_kind_of_metric_is_parsed() -> Result<()> {
        let metrics = json!([
            {"name": "g", "gauge": {"dataPoints": [{"timeUnixNano": "1", "asDouble": 0.5}]}},
            {"name": "s", "unit": "1", "sum": {"dataPoints": [{"timeUnixNano": "1", "asInt": "7"}],
                "aggregationTemporality": 2, "isMonotonic": true}},
            {"name": "h", "histogram": {"aggregationTemporality": 1, "dataPoints": [{"timeUnixNano": "1", "count": "3",
                "sum": 1.5, "bucketCounts": ["1", "2"], "explicitBounds": [0.1],
                "exemplars": [{"timeUnixNano": "1", "asDouble": 0.2, "traceId": "0a"}]}]}},
            {"name": "e", "exponentialHistogram": {"aggregationTemporality": 2, "dataPoints": [{"timeUnixNano": "1",
                "count": "3", "scale": 2, "zeroCount": "1", "positive": {"offset": -3, "bucketCounts": ["2"]}}]}},
        ]);
        let line = json!({"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]}).to_string();
        let received = Received::parse(&line)?;
        let one = |name| received.metrics_named(name).next().map(|metric| &metric.data);
        assert!(matches!(one("g"), Some(Data::Gauge { data_points }) if json!(data_points[0].value) == 0.5));
        assert!(
            matches!(one("s"), Some(Data::Sum { data_points, is_monotonic: true, .. }) if json!(data_points[0].value) == 7.0)
        );
        let Some(Data::Histogram { data_points, aggregation_temporality: Temporality::Delta }) = one("h") else {
            panic!("{received:?}")
        };
        assert_eq!((data_points[0].count, &data_points[0].bucket_counts), (3, &vec![1, 2]));
        assert_eq!(data_points[0].exemplars[0].trace_id, "0a");
        let Some(Data::ExponentialHistogram { data_points, .. }) = one("e") else { panic!("{received:?}") };
        let Buckets { offset, bucket_counts } = &data_points[0].positive;
        assert_eq!((data_points[0].scale, *offset, bucket_counts), (2, -3, &vec![2]));
        Ok(())
    }
}
