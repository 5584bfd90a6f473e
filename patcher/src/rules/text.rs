//! The YAML of a rule file, as serde reads it: keys, their defaults, the values that they take, and
//! the JSON Schema.

use std::fmt;

use gopatch_protocol::manifest::{Format, Kind};
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};

use super::syntax::constant::{Constant, ConstantText};
use super::syntax::sample::Sample;
use super::{LARGEST_MAX, Order};
use crate::yaml::OneOrMany;

/// Rules of gopatch: which Go functions to hook, and what to capture there. See docs/rules.md.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a mapping with the key `rules`")]
pub(super) struct RuleFile {
    pub(super) rules: Vec<RuleText>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Rule")]
pub(super) struct RuleText {
    /// Unique name, shown in reports and records.
    pub(super) name: String,
    /// Import path of the package, `main` for the main package; or a glob.
    pub(super) import: String,
    /// `T` or `*T`, or a glob; or a list of them. Without it, the rule hooks plain functions.
    pub(super) receiver: Option<OneOrMany>,
    /// Name or glob, or a list of them; `*` is every function.
    pub(super) function: OneOrMany,
    /// Versions of Go that the rule applies to, such as `>=1.22, <1.27`.
    pub(super) go: Option<String>,
    /// Versions of the package's module that the rule applies to; of Go for the standard library.
    pub(super) version: Option<String>,
    /// Go declaration of the function, or a list of declarations.
    pub(super) signature: Option<OneOrMany>,
    /// What a call of the function is.
    #[serde(default = "internal")]
    #[schemars(with = "KindName")]
    pub(super) kind: Kind,
    /// Name of an operation: `{attribute}` is its value; a `[part]` needs all of its attributes.
    pub(super) operation: Option<String>,
    /// A program may lack the function.
    #[serde(default)]
    pub(super) optional: bool,
    /// Some sites of the function may be refused.
    #[serde(default)]
    pub(super) partial: bool,
    /// Position among the rules on one function: `outermost`, a number, `innermost`.
    #[serde(default)]
    #[schemars(default)]
    pub(super) order: OrderText,
    /// Condition for recording a call: on parameters at the entry; without `enter`, on results.
    pub(super) when: Option<String>,
    /// Part of these calls that is recorded, at random: a number up to 1, or as `1/100`.
    pub(super) sample: Option<Sample>,
    /// Parameters that the caller keeps alive until the function returns.
    #[serde(default)]
    pub(super) caller_keeps: Vec<String>,
    /// Rules of which the nearest call around a call of this rule ends with it; with `kind: end`.
    #[serde(default)]
    pub(super) ends: Vec<String>,
    /// Rules of which the nearest call around a call of this rule is not an operation.
    #[serde(default)]
    pub(super) instead_of: Vec<String>,
    /// Captured attributes that split the metrics of the operations into series.
    #[serde(default)]
    pub(super) dimensions: Vec<String>,
    /// What the function returns instead of running: a constant for each result, in order.
    #[schemars(with = "Option<Vec<ConstantText>>")]
    pub(super) skip: Option<Vec<Constant>>,
    /// Where trace contexts come from and go to.
    pub(super) context: Option<ContextText>,
    /// What to capture at the entry, by attribute.
    pub(super) enter: Option<IndexMap<String, CaptureText>>,
    /// What to capture at the exits, by attribute.
    pub(super) exit: Option<IndexMap<String, CaptureText>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Context")]
pub(super) struct ContextText {
    /// The call's `context.Context`: by it a call finds its parent, and others find a server's call.
    #[serde(rename = "in")]
    pub(super) within: Option<String>,
    /// Types whose values begin with their parent `context.Context`; the standard library's by default.
    pub(super) through: Option<Vec<String>>,
    /// A `map[string][]string` with the header fields of the request that a server's call serves.
    pub(super) read: Option<String>,
    /// The map, slice or pointer by which a rule that writes finds this call.
    pub(super) send: Option<String>,
    /// How the context of a call gets into a request; with `kind: carrier`.
    pub(super) write: Option<WriteText>,
    /// Goroutines that are started; with `kind: carrier`.
    pub(super) spawn: Option<SpawnText>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Write")]
pub(super) struct WriteText {
    /// What the call's rule has as `send`.
    pub(super) of: String,
    /// A `map[string][]string` in which the program may have a context of its own.
    pub(super) own: String,
    /// The `*bufio.Writer` that the fields go to.
    pub(super) to: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Spawn")]
pub(super) struct SpawnText {
    /// Id of the new goroutine.
    pub(super) child: String,
    /// Id of the goroutine that started it.
    pub(super) parent: String,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Capture")]
pub(super) struct CaptureText {
    /// A path, or a list of paths: the first that can be followed gives the value.
    pub(super) value: OneOrMany,
    /// Most bytes of a string.
    #[schemars(range(min = 1, max = LARGEST_MAX))]
    pub(super) max: Option<u16>,
    /// How gopatchd shows the value.
    #[serde(default)]
    #[schemars(with = "FormatName")]
    pub(super) format: Format,
    /// The value that 0 stands for.
    pub(super) zero_means: Option<i64>,
    /// An attribute: if it is true, `zero_means` does not apply.
    pub(super) zero_means_unless: Option<String>,
    /// The value if no path can be followed.
    pub(super) absent_means: Option<i64>,
    /// An attribute: if it is true, `absent_means` does not apply.
    pub(super) absent_means_unless: Option<String>,
    /// Leave the attribute out if it is 0, false or empty.
    #[serde(default)]
    pub(super) omit_zero: bool,
    /// Leave the attribute out of functions in which it does not resolve.
    #[serde(default)]
    pub(super) optional: bool,
}

// The names of `Kind`, for the schema.
#[derive(JsonSchema)]
#[schemars(rename = "Kind", rename_all = "lowercase")]
#[expect(dead_code, reason = "used by the schema only")]
enum KindName {
    Server,
    Client,
    Internal,
    Boundary,
    End,
    Carrier,
}

// The names of `Format`, for the schema.
#[derive(JsonSchema)]
#[schemars(rename = "Format", rename_all = "snake_case")]
#[expect(dead_code, reason = "used by the schema only")]
enum FormatName {
    Plain,
    HostPort,
    HttpVersion,
    UrlScheme,
    TlsVersion,
    TlsCipher,
    Hex,
    HttpMethod,
    HttpRoute,
    Size,
    UrlPath,
}

/// The JSON Schema of a rule file.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(RuleFile).to_value()
}

#[derive(Debug, Clone, Copy, JsonSchema, Serialize)]
#[serde(untagged)]
#[schemars(rename = "Order")]
pub(super) enum OrderText {
    Number(i64),
    Named(OrderName),
}

#[derive(Debug, Clone, Copy, JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum OrderName {
    Outermost,
    Innermost,
}

impl<'de> Deserialize<'de> for OrderText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Order;
        impl Visitor<'_> for Order {
            type Value = OrderText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("`outermost`, `innermost`, or a whole number")
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<OrderText, E> {
                Ok(OrderText::Number(number))
            }

            fn visit_u64<E: de::Error>(self, number: u64) -> Result<OrderText, E> {
                i64::try_from(number).map(OrderText::Number).map_err(E::custom)
            }

            fn visit_str<E: de::Error>(self, name: &str) -> Result<OrderText, E> {
                match name {
                    "outermost" => Ok(OrderText::Named(OrderName::Outermost)),
                    "innermost" => Ok(OrderText::Named(OrderName::Innermost)),
                    other => Err(E::invalid_value(de::Unexpected::Str(other), &self)),
                }
            }
        }
        deserializer.deserialize_any(Order)
    }
}

impl Default for OrderText {
    fn default() -> Self {
        Self::Number(0)
    }
}

fn internal() -> Kind {
    Kind::Internal
}

impl From<OrderText> for Order {
    fn from(text: OrderText) -> Self {
        match text {
            OrderText::Named(OrderName::Outermost) => Self::Outermost,
            OrderText::Number(number) => Self::Number(number),
            OrderText::Named(OrderName::Innermost) => Self::Innermost,
        }
    }
}
