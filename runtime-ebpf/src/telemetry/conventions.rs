//! OpenTelemetry's semantic conventions: the names and attributes of operations.
//!
//! Decides: which attributes a convention adds, which attributes its metrics have, and what counts
//! as an error.
//! Trusts: nothing in the values.
//! Never does: use a name that differs from the conventions (HTTP 1.23 and later; RPC and databases
//! as of 1.36). A rule without a convention uses its own names.

use std::borrow::Cow;

use gopatch_protocol::manifest::{Function, Kind};

use crate::calls::attributes::Value;
use crate::calls::convention::Convention;
use crate::calls::operation::Operation;
use crate::calls::secrets::query_without_secrets;

use super::url::{Part, Url};

/// One metric: a histogram.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Instrument {
    pub(crate) name: Cow<'static, str>,
    pub(crate) description: Cow<'static, str>,
    pub(crate) unit: &'static str,
    pub(crate) bounds: &'static [f64],
    /// The attribute that holds the value; none for the duration of the operation.
    pub(crate) attribute: Option<&'static str>,
}

/// Upper bounds of the buckets of durations, in seconds.
const SECONDS: &[f64] = &[0.0, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// Upper bounds of the buckets of body sizes, in bytes.
const BYTES: &[f64] = &[0.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0, 8192.0];

/// The value of `error.type` when nothing more is known.
const OTHER_ERROR: &str = "_OTHER";

/// Attributes that add nothing to `error.type` and the status.
const FAILURES: [&str; 3] = ["http.request.failed", "rpc.failed", "tls.established"];

/// Values of `rpc.grpc.status_code` (gRPC, `codes/codes.go`), by number.
const GRPC_CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// Codes that are a fault of the server: UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL,
/// UNAVAILABLE, DATA_LOSS.
const GRPC_SERVER_ERRORS: [i64; 6] = [2, 4, 12, 13, 14, 15];

/// Attributes that only make up `url.full`.
const URL_PARTS: [&str; 10] = [
    "url.path",
    "url.raw_path",
    "url.raw_path.truncated",
    "url.opaque",
    "url.opaque.truncated",
    "url.force_query",
    "url.query",
    "url.query.truncated",
    "url.path.truncated",
    "server.address.truncated",
];

impl Convention {
    /// The metrics of the calls of a function.
    pub(crate) fn instruments(self, function: &Function) -> Vec<Instrument> {
        let histogram = |name: &'static str, description: &'static str, unit, bounds, attribute| Instrument {
            name: name.into(),
            description: description.into(),
            unit,
            bounds,
            attribute,
        };
        let duration = |name, description| histogram(name, description, "s", SECONDS, None);
        let size = |name, description, attribute| histogram(name, description, "By", BYTES, Some(attribute));
        match self {
            Self::HttpServer => vec![
                duration("http.server.request.duration", "Duration of HTTP server requests."),
                size("http.server.request.body.size", "Size of HTTP server request bodies.", "http.request.body.size"),
                size(
                    "http.server.response.body.size",
                    "Size of HTTP server response bodies.",
                    "http.response.body.size",
                ),
            ],
            Self::HttpClient => vec![
                duration("http.client.request.duration", "Duration of HTTP client requests."),
                size("http.client.request.body.size", "Size of HTTP client request bodies.", "http.request.body.size"),
                size(
                    "http.client.response.body.size",
                    "Size of HTTP client response bodies.",
                    "http.response.body.size",
                ),
            ],
            Self::RpcServer => vec![duration("rpc.server.call.duration", "Duration of RPC server calls.")],
            Self::RpcClient => vec![duration("rpc.client.call.duration", "Duration of RPC client calls.")],
            Self::Database => {
                vec![duration("db.client.operation.duration", "Duration of database client operations.")]
            }
            Self::Own => vec![Instrument {
                name: format!("{}.duration", function.rule).into(),
                description: format!("Duration of the calls that the rule {} records.", function.rule).into(),
                unit: "s",
                bounds: SECONDS,
                attribute: None,
            }],
        }
    }

    /// The attributes of the metrics; none if the rule decides.
    pub(crate) fn dimensions(self) -> Option<&'static [&'static str]> {
        Some(match self {
            Self::HttpServer => &[
                "http.request.method",
                "url.scheme",
                "http.response.status_code",
                "http.route",
                "network.protocol.version",
                "error.type",
            ],
            Self::HttpClient => &[
                "http.request.method",
                "url.scheme",
                "server.address",
                "server.port",
                "http.response.status_code",
                "network.protocol.version",
                "error.type",
            ],
            Self::RpcServer => &["rpc.system", "rpc.method", "rpc.grpc.status_code", "error.type"],
            Self::RpcClient => {
                &["rpc.system", "rpc.method", "rpc.grpc.status_code", "server.address", "server.port", "error.type"]
            }
            Self::Database => &[
                "db.system.name",
                "db.operation.name",
                "db.collection.name",
                "db.namespace",
                "server.address",
                "server.port",
                "error.type",
            ],
            Self::Own => return None,
        })
    }

    /// Attributes that are derived from others, unless they were captured.
    const fn derived(self) -> &'static [&'static str] {
        match self {
            Self::HttpClient => &["url.full", "server.port", "error.type"],
            Self::RpcServer | Self::RpcClient => &["rpc.system", "error.type"],
            Self::HttpServer | Self::Database | Self::Own => &["error.type"],
        }
    }
}

/// An operation as a convention sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Conventional<'o> {
    pub(crate) operation: &'o Operation<'o>,
    pub(crate) convention: Convention,
}

impl<'o> Conventional<'o> {
    /// The value of an attribute, captured or derived.
    pub(crate) fn get(self, name: &str) -> Option<Value<'o>> {
        let value = self.captured(name);
        match (self.convention, name) {
            (Convention::RpcServer | Convention::RpcClient, "rpc.method") => value.map(without_slash),
            (_, "url.query") => value.map(without_secrets),
            _ => value.or_else(|| self.derived(name)),
        }
    }

    /// The name of the span.
    pub(crate) fn name(self) -> &'o str {
        let name = self.operation.name.as_ref();
        match self.convention {
            Convention::RpcServer | Convention::RpcClient => name.strip_prefix('/').unwrap_or(name),
            _ => name,
        }
    }

    /// All attributes of the span.
    pub(crate) fn attributes(self) -> impl Iterator<Item = (&'o str, Value<'o>)> {
        let captured = self.operation.attributes.iter().filter(move |(name, _)| {
            let is_in_url = self.convention == Convention::HttpClient && URL_PARTS.contains(name);
            !FAILURES.contains(name) && !is_in_url
        });
        let captured = captured.filter_map(move |(name, _)| Some((name, self.get(name)?)));
        let derived = self.convention.derived().iter().filter(move |name| self.captured(name).is_none());
        captured.chain(derived.filter_map(move |name| Some((*name, self.derived(name)?))))
    }

    /// The kind of error that the operation ended with, if any.
    pub(crate) fn error_type(self) -> Option<Cow<'o, str>> {
        let operation = self.operation;
        if let Some(Value::Text(kind)) = self.captured("error.type") {
            return Some(kind);
        }
        if operation.unwound {
            return Some("panic".into());
        }
        if let Some(status) = self.number("http.response.status_code") {
            let first = if operation.kind == Kind::Client { 400 } else { 500 };
            return (status >= first).then(|| status.to_string().into());
        }
        if let Some(code) = self.number("rpc.grpc.status_code") {
            let name = usize::try_from(code).ok().and_then(|code| GRPC_CODES.get(code));
            return (code != 0).then(|| name.map_or_else(|| code.to_string().into(), |name| Cow::Borrowed(*name)));
        }
        let has_failed = |name: &str| {
            matches!((self.captured(name), name), (Some(Value::Bool(true)), "http.request.failed" | "rpc.failed"))
                || matches!((self.captured(name), name), (Some(Value::Bool(false)), "tls.established"))
        };
        FAILURES.into_iter().any(has_failed).then_some(OTHER_ERROR.into())
    }

    /// Whether the error, if any, counts as one of the span: for a gRPC server only its own faults
    /// do.
    pub(crate) fn is_fault(self) -> bool {
        match (self.convention, self.number("rpc.grpc.status_code")) {
            (Convention::RpcServer, Some(code)) => GRPC_SERVER_ERRORS.contains(&code) || self.operation.unwound,
            _ => self.error_type().is_some(),
        }
    }

    /// The value of an attribute, if it is a number.
    pub(crate) fn number(self, name: &str) -> Option<i64> {
        match self.captured(name)? {
            Value::Int(number) => Some(number),
            Value::Uint(number) => i64::try_from(number).ok(),
            Value::Bool(_) | Value::Text(_) => None,
        }
    }

    fn captured(self, name: &str) -> Option<Value<'o>> {
        let value = |name| self.operation.attributes.get(name).map(Value::borrowed);
        match (self.convention, name) {
            (Convention::HttpServer, "http.response.body.size") if self.has_other_body() => None,
            _ => value(name),
        }
    }

    /// Whether what a handler has written is not what the response has: no body in answer to HEAD,
    /// and what is not known on a connection that the handler took over.
    fn has_other_body(self) -> bool {
        let is = |name: &str, value: &Value<'_>| self.operation.attributes.get(name) == Some(value);
        is("http.request.method", &Value::Text("HEAD".into())) || is("http.connection.hijacked", &Value::Bool(true))
    }

    fn derived(self, name: &str) -> Option<Value<'o>> {
        match (self.convention, name) {
            (_, "error.type") => self.error_type().map(Value::Text),
            (Convention::HttpClient, "url.full") => Some(Value::Text(self.url()?.into())),
            (Convention::HttpClient, "server.port") => match self.captured("url.scheme")? {
                Value::Text(scheme) if scheme == "https" => Some(Value::Int(443)),
                Value::Text(scheme) if scheme == "http" => Some(Value::Int(80)),
                _ => None,
            },
            (Convention::RpcServer | Convention::RpcClient, "rpc.system") => Some(Value::Text("grpc".into())),
            _ => None,
        }
    }

    /// The whole URL of a client request.
    fn url(self) -> Option<String> {
        if self.captured("server.address.truncated").is_some() {
            return None;
        }
        let text = |name| match self.operation.attributes.get(name) {
            Some(Value::Text(text)) => text.as_ref(),
            _ => "",
        };
        let is_set = |name| self.operation.attributes.get(name).is_some();
        let part = |name, is_cut| Part { text: text(name), is_cut: is_set(is_cut) };
        let url = Url {
            scheme: text("url.scheme"),
            host: text("server.address"),
            port: self.number("server.port"),
            path: part("url.path", "url.path.truncated"),
            raw_path: part("url.raw_path", "url.raw_path.truncated"),
            opaque: part("url.opaque", "url.opaque.truncated"),
            query: part("url.query", "url.query.truncated"),
            force_query: is_set("url.force_query"),
        };
        if url.scheme.is_empty() { None } else { url.full() }
    }
}

fn without_secrets(query: Value<'_>) -> Value<'_> {
    match query {
        Value::Text(Cow::Borrowed(text)) => Value::Text(query_without_secrets(text)),
        Value::Text(Cow::Owned(text)) => Value::Text(query_without_secrets(&text).into_owned().into()),
        other => other,
    }
}

/// `/helloworld.Greeter/SayHello` is the method `helloworld.Greeter/SayHello`.
fn without_slash(value: Value<'_>) -> Value<'_> {
    match value {
        Value::Text(Cow::Borrowed(text)) => Value::Text(text.strip_prefix('/').unwrap_or(text).into()),
        Value::Text(Cow::Owned(text)) => Value::Text(text.strip_prefix('/').unwrap_or(&text).to_owned().into()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use gopatch_protocol::naming::Template;

    use super::*;
    use crate::calls::attributes::Attributes;
    use crate::calls::ids::Lineage;

    fn function(kind: Kind) -> Function {
        Function {
            name: "f".into(),
            rule: "r".into(),
            kind,
            operation: "o".into(),
            va: 0,
            when: None,
            sample: None,
            skip: None,
            ends: Vec::new(),
            instead_of: Vec::new(),
            dimensions: Vec::new(),
        }
    }

    fn text(text: &'static str) -> Value<'static> {
        Value::Text(text.into())
    }

    /// An operation with these attributes by a convention: its error, whether that is a fault, and
    /// all attributes.
    fn convert(
        kind: Kind,
        convention: Convention,
        attributes: &[(&'static str, Value<'static>)],
    ) -> (Option<String>, bool, Vec<(String, String)>) {
        let function = function(kind);
        let lineage = Lineage::local(1, 1, None);
        let attributes = Attributes::from_pairs(attributes.iter().cloned());
        let template = Template::read(&function.operation);
        let operation = Operation::new((&function, &template), (1, 1), (0, 1), lineage, attributes);
        let view = Conventional { operation: &operation, convention };
        let all = view.attributes().map(|(name, value)| (name.to_owned(), value.to_string()));
        (view.error_type().map(Cow::into_owned), view.is_fault(), all.collect())
    }

    #[test]
    fn errors_depend_on_the_side() {
        let status = |status| [("http.response.status_code", Value::Int(status))];
        let http = |kind, convention, code| {
            let (error, is_fault, _) = convert(kind, convention, &status(code));
            (error, is_fault)
        };
        assert_eq!(http(Kind::Server, Convention::HttpServer, 404), (None, false));
        assert_eq!(http(Kind::Server, Convention::HttpServer, 500), (Some("500".into()), true));
        assert_eq!(http(Kind::Client, Convention::HttpClient, 404), (Some("404".into()), true));
        let rpc = |kind, convention, code| {
            let (error, is_fault, _) = convert(kind, convention, &[("rpc.grpc.status_code", Value::Int(code))]);
            (error, is_fault)
        };
        assert_eq!(rpc(Kind::Server, Convention::RpcServer, 0), (None, false));
        assert_eq!(rpc(Kind::Server, Convention::RpcServer, 5), (Some("NOT_FOUND".into()), false));
        assert_eq!(rpc(Kind::Server, Convention::RpcServer, 13), (Some("INTERNAL".into()), true));
        assert_eq!(rpc(Kind::Client, Convention::RpcClient, 5), (Some("NOT_FOUND".into()), true));
        assert_eq!(rpc(Kind::Client, Convention::RpcClient, 99), (Some("99".into()), true));
        let (error, ..) = convert(Kind::Client, Convention::HttpClient, &[("http.request.failed", Value::Bool(true))]);
        assert_eq!(error.as_deref(), Some("_OTHER"));
    }

    #[test]
    fn the_url_of_a_client_is_whole_and_hides_secrets() {
        let url = |attributes: &[(&'static str, Value<'static>)]| {
            let (_, _, all) = convert(Kind::Client, Convention::HttpClient, attributes);
            let get = |name: &str| all.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
            assert!(get("url.path").is_none() && get("url.query").is_none(), "{all:?}");
            (get("url.full").unwrap_or_default(), get("server.port").unwrap_or_default())
        };
        let base = [("url.scheme", text("https")), ("server.address", text("::1")), ("url.path", text("/a"))];
        assert_eq!(url(&base), ("https://[::1]/a".into(), "443".into()));
        let query = [("url.query", text("x=1&sig=s3cret&AWSAccessKeyId=k")), ("server.port", Value::Int(8443))];
        let (full, port) = url(&[&base[..], &query].concat());
        assert_eq!(full, "https://[::1]:8443/a?x=1&sig=REDACTED&AWSAccessKeyId=REDACTED");
        assert_eq!(port, "8443");
    }

    #[test]
    fn grpc_methods_have_no_leading_slash() {
        let (_, _, all) = convert(Kind::Server, Convention::RpcServer, &[("rpc.method", text("/a.B/C"))]);
        assert_eq!(all, [("rpc.method".into(), "a.B/C".into()), ("rpc.system".into(), "grpc".into())]);
    }
}
