//! Operations as spans of OpenTelemetry's protocol (OTLP).
//!
//! Decides: the kind, status, attributes and flags of a span.
//! Never does: keep anything. A span is encoded at once: it then takes a third of the memory while
//! it waits.

use gopatch_protocol::manifest::Kind;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use prost::Message;

use super::conventions::Conventional;
use crate::calls::attributes::Value;
use crate::calls::convention::Convention;
use crate::calls::operation::Operation;
use crate::calls::program::Program;

/// Flags of a span: it is known whether its parent is in another process, and it is (`SpanFlags`
/// of OTLP's trace.proto).
const PARENT_IS_KNOWN: u32 = 0x100;
const PARENT_IS_REMOTE: u32 = 0x200;

/// Flag of a span: it was sampled (W3C trace flags).
const SAMPLED: u32 = 1;

/// Encodes an operation as a span.
pub(crate) fn encode(operation: &Operation<'_>, convention: Convention, program: &Program) -> Box<[u8]> {
    span(operation, convention, program).encode_to_vec().into()
}

/// Decodes a span that [`encode`] has made.
pub(crate) fn decode(bytes: &[u8]) -> Span {
    Span::decode(bytes).expect("it was encoded here")
}

fn span(operation: &Operation<'_>, convention: Convention, program: &Program) -> Span {
    let view = Conventional { operation, convention };
    let mut attributes: Vec<_> = view.attributes().map(|(name, value)| key_value(name, value)).collect();
    if convention == Convention::Own {
        let function = program.function(operation.function as usize);
        attributes.push(key_value("code.function.name", Value::Text(function.name.as_str().into())));
    }
    if let Some(ratio) = operation.sample {
        let value = any_value::Value::DoubleValue(ratio.into());
        attributes.push(key("gopatch.sample.ratio", value));
    }
    if operation.unfinished {
        attributes.push(key_value("gopatch.unfinished", Value::Bool(true)));
    }
    Span {
        trace_id: operation.lineage.trace.0.to_be_bytes().to_vec(),
        span_id: operation.lineage.span.0.to_be_bytes().to_vec(),
        parent_span_id: operation.lineage.parent.map(|parent| parent.0.to_be_bytes().to_vec()).unwrap_or_default(),
        flags: PARENT_IS_KNOWN | if operation.lineage.is_remote { PARENT_IS_REMOTE } else { 0 } | SAMPLED,
        name: view.name().to_owned(),
        kind: kind(operation.kind) as i32,
        start_time_unix_nano: operation.start_unix_nano,
        end_time_unix_nano: operation.start_unix_nano.saturating_add(operation.duration_nano),
        attributes,
        status: status(view),
        ..Default::default()
    }
}

fn kind(kind: Kind) -> SpanKind {
    match kind {
        Kind::Server => SpanKind::Server,
        Kind::Client => SpanKind::Client,
        Kind::Internal | Kind::Boundary | Kind::End | Kind::Carrier => SpanKind::Internal,
    }
}

/// An error, or nothing: only the program could say that all went well.
fn status(view: Conventional<'_>) -> Option<Status> {
    let message = if view.operation.unwound { "left by a panic" } else { "" };
    view.is_fault().then(|| Status { message: message.to_owned(), code: StatusCode::Error.into() })
}

/// An attribute of OTLP.
pub(crate) fn key_value(name: &str, value: Value<'_>) -> KeyValue {
    key(
        name,
        match value {
            Value::Int(number) => any_value::Value::IntValue(number),
            // A larger number becomes text rather than another number.
            Value::Uint(number) => i64::try_from(number)
                .map_or_else(|_| any_value::Value::StringValue(number.to_string()), any_value::Value::IntValue),
            Value::Bool(truth) => any_value::Value::BoolValue(truth),
            Value::Text(text) => any_value::Value::StringValue(text.into_owned()),
        },
    )
}

fn key(name: &str, value: any_value::Value) -> KeyValue {
    KeyValue { key: name.to_owned(), value: Some(AnyValue { value: Some(value) }), ..Default::default() }
}
