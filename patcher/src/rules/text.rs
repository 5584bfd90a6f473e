//! The YAML of a rule file, as serde sees it.
//!
//! Decides: keys, their defaults, and which values they take. Trusts: nothing; a key that it does not know is an error.
//! Never does: look at a binary.

use std::fmt;
use std::sync::Arc;

use gopatch_protocol::manifest::{Format, Kind};
use gopatch_protocol::naming;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::de::{self, Deserializer, Visitor};
use serde::{Deserialize, Serialize};

use super::condition::Condition;
use super::declaration::Declaration;
use super::path::{Expression, Selector};
use super::sample::Sample;
use super::skip::{Constant, ConstantText};
use super::version::Range;
use super::{Capture, DEFAULT_MAX, LARGEST_MAX, Order, Rule, RuleError, pattern};
use crate::yaml::lines::Lines;
use crate::yaml::nearest::did_you_mean;
use crate::yaml::{OneOrMany, Place, Source, said};

/// Rules of gopatch: which functions of a Go program are hooked, and what is captured there. docs/rules.md explains them.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a mapping with the key `rules`")]
struct RuleFile {
    rules: Vec<RuleText>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Rule")]
struct RuleText {
    /// Unique name, shown in reports and records.
    name: String,
    /// Import path of the package, `main` for the main package; or a glob.
    import: String,
    /// `T` or `*T`, or a glob; or a list of them. Without it, plain functions.
    receiver: Option<OneOrMany>,
    /// Name or glob, or a list of them; `*` is every function.
    function: OneOrMany,
    /// Versions of Go that the rule is for, as `>=1.22, <1.27`.
    go: Option<String>,
    /// Versions of the module that the package belongs to, of Go for the standard library.
    version: Option<String>,
    /// Go declaration of the function, or a list of declarations.
    signature: Option<OneOrMany>,
    /// What a call is.
    #[serde(default = "internal")]
    #[schemars(with = "KindName")]
    kind: Kind,
    /// Name of an operation; `{attribute}` stands for a captured value, and `[a part]` is left out when an attribute in it is missing.
    operation: Option<String>,
    /// A program without such a function is fine.
    #[serde(default)]
    optional: bool,
    /// It is fine that some place cannot be hooked.
    #[serde(default)]
    partial: bool,
    /// Place among the rules on one function: `outermost`, a number, `innermost`.
    #[serde(default)]
    #[schemars(default)]
    order: OrderText,
    /// Which calls are recorded: a condition on the parameters at the entry, or, without `enter`, on the results at the exit.
    when: Option<String>,
    /// Which part of these calls is recorded, by chance: a number up to 1, or `1/100`.
    sample: Option<Sample>,
    /// Parameters that the caller keeps alive until the function returns.
    #[serde(default)]
    caller_keeps: Vec<String>,
    /// Captured attributes by which the metrics of its operations are told apart.
    #[serde(default)]
    dimensions: Vec<String>,
    /// What the function returns without running: a constant for each result, in order.
    #[schemars(with = "Option<Vec<ConstantText>>")]
    skip: Option<Vec<Constant>>,
    /// What to capture at the entry, by attribute.
    enter: Option<IndexMap<String, CaptureText>>,
    /// What to capture at the exits, by attribute.
    exit: Option<IndexMap<String, CaptureText>>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Capture")]
struct CaptureText {
    /// A path, or a list of paths: the first that can be followed gives the value.
    value: OneOrMany,
    /// Most bytes of a string.
    #[schemars(range(min = 1, max = LARGEST_MAX))]
    max: Option<u16>,
    /// How the value is shown.
    #[serde(default)]
    #[schemars(with = "FormatName")]
    format: Format,
    /// The value that 0 stands for.
    zero_means: Option<i64>,
    /// An attribute: while it is true, `zero_means` does not hold.
    zero_means_unless: Option<String>,
    /// The value where no path can be followed.
    absent_means: Option<i64>,
    /// An attribute: while it is true, `absent_means` does not hold.
    absent_means_unless: Option<String>,
    /// Leave the attribute out when it is 0, false or empty.
    #[serde(default)]
    omit_zero: bool,
    /// Leave it out of functions in which it does not resolve.
    #[serde(default)]
    optional: bool,
}

// The names of `Kind`, for the schema.
#[derive(JsonSchema)]
#[schemars(rename = "Kind", rename_all = "lowercase")]
#[expect(dead_code, reason = "only the schema knows it")]
enum KindName {
    Server,
    Client,
    Internal,
    Boundary,
}

// The names of `Format`, for the schema.
#[derive(JsonSchema)]
#[schemars(rename = "Format", rename_all = "snake_case")]
#[expect(dead_code, reason = "only the schema knows it")]
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
}

/// The JSON Schema of a rule file.
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(RuleFile).to_value()
}

#[derive(Debug, Clone, Copy, JsonSchema, Serialize)]
#[serde(untagged)]
#[schemars(rename = "Order")]
enum OrderText {
    Number(i64),
    Named(OrderName),
}

#[derive(Debug, Clone, Copy, JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
enum OrderName {
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

/// Reads a rule file.
pub fn parse(source: &Source) -> Result<Vec<Rule>, RuleError> {
    let lines = Arc::new(Lines::of(&source.text));
    let file: RuleFile = serde_yaml_ng::from_str(&source.text).map_err(|error| unreadable(source, &lines, &error))?;
    let rules = file.rules.into_iter().enumerate();
    rules.map(|(index, text)| rule(text, &InFile { file: &source.name, lines: &lines, index })).collect()
}

/// What serde says, and where.
fn unreadable(source: &Source, lines: &Lines, error: &serde_yaml_ng::Error) -> RuleError {
    let (line, what) = said(error);
    let rule = lines.rule_at(line).unwrap_or_default().to_owned();
    let place = Place { file: source.name.clone(), line, rule, field: String::new() };
    RuleError::Yaml { place, what }
}

/// Which rule of which file is read.
struct InFile<'f> {
    file: &'f str,
    lines: &'f Arc<Lines>,
    index: usize,
}

impl InFile<'_> {
    fn place(&self, rule: &str, field: &str) -> Place {
        let line = self.lines.of_field(self.index, field);
        Place { file: self.file.to_owned(), line, rule: rule.to_owned(), field: field.to_owned() }
    }
}

fn rule(text: RuleText, file: &InFile<'_>) -> Result<Rule, RuleError> {
    let invalid = |key: &str, what: String| RuleError::Invalid { place: file.place(&text.name, key), what };
    for (key, value) in [("name", &text.name), ("import", &text.import)] {
        if value.is_empty() {
            return Err(invalid(key, "it is empty".to_owned()));
        }
    }
    let captures = |end: &str, of: Option<IndexMap<String, CaptureText>>| {
        of.map(|captures| {
            captures
                .into_iter()
                .map(|(attribute, capture)| {
                    let place = |attribute: &str| file.place(&text.name, &format!("{end}.{attribute}"));
                    self::capture(place, attribute, capture)
                })
                .collect()
        })
        .transpose()
    };
    let (mut enter, mut exit) = (captures("enter", text.enter)?, captures("exit", text.exit)?);
    if enter.is_none() && exit.is_none() && text.skip.is_none() {
        exit = Some(Vec::new());
        if text.kind != Kind::Boundary {
            enter = Some(Vec::new());
        }
    }
    let declarations = text.signature.map_or_else(Vec::new, OneOrMany::into_vec);
    let declarations: Result<Vec<_>, _> = declarations.iter().map(|text| Declaration::parse(text)).collect();
    let declarations = declarations.map_err(|source| RuleError::Declaration {
        place: file.place(&text.name, "signature"),
        source: Box::new(source),
    })?;
    let range = |key: &str, text: &Option<String>| {
        let range = text.as_deref().map(Range::parse).transpose();
        range.map_err(|error| invalid(key, error.to_string()))
    };
    let when = text.when.as_deref().map(Condition::parse).transpose();
    let when = when
        .map_err(|source| RuleError::Condition { place: file.place(&text.name, "when"), source: Box::new(source) })?;
    if text.kind == Kind::Boundary && (when.is_some() || text.sample.is_some()) {
        let key = if when.is_some() { "when" } else { "sample" };
        return Err(invalid(key, "a boundary closes the calls below it whenever it returns".to_owned()));
    }
    let (go, version) = (range("go", &text.go)?, range("version", &text.version)?);
    let rule = Rule {
        lines: Arc::clone(file.lines),
        index: file.index,
        file: file.file.to_owned(),
        operation: text.operation,
        name: text.name,
        import: text.import,
        receivers: text.receiver.map_or_else(Vec::new, OneOrMany::into_vec),
        functions: text.function.into_vec(),
        declarations,
        kind: text.kind,
        optional: text.optional,
        partial: text.partial,
        order: text.order.into(),
        go,
        version,
        caller_keeps: text.caller_keeps,
        when,
        sample: text.sample.map(|Sample(ratio)| ratio),
        dimensions: text.dimensions,
        skip: text.skip,
        enter,
        exit,
    };
    check_glob(&rule)?;
    check_skip(&rule)?;
    check_operation(&rule)?;
    check_dimensions(&rule)?;
    let symbols = rule.symbols();
    for declaration in &rule.declarations {
        if let Declaration::Function(function) = declaration
            && !symbols.contains(&rule.symbol(function.receiver.as_ref(), &function.name))
        {
            let what = format!("`{}` is none of the rule's functions: {}", function.text, symbols.join(", "));
            return Err(RuleError::Invalid { place: rule.place("signature"), what });
        }
    }
    Ok(rule)
}

/// What a rule cannot say when it does not name its functions.
fn check_glob(rule: &Rule) -> Result<(), RuleError> {
    if rule.is_glob() && !rule.declarations.is_empty() {
        let what = "functions that come by a glob have no declaration in common; give them a rule each".to_owned();
        return Err(RuleError::Invalid { place: rule.place("signature"), what });
    }
    if !pattern::is_import_glob(&rule.import) {
        return Ok(());
    }
    let bare_type = |expressions: &[&Expression]| {
        let mut selectors = expressions.iter().flat_map(|expression| &expression.selectors);
        selectors.find_map(|selector| match selector {
            Selector::Assert { name, .. } if !name.contains('.') => Some(name.clone()),
            _ => None,
        })
    };
    let fail = |field: &str, name| {
        let what = format!("write {name} with its import path, as `import` is not one package");
        Err(RuleError::Invalid { place: rule.place(field), what })
    };
    if let Some(name) = rule.when.as_ref().and_then(|when| bare_type(&when.expressions())) {
        return fail("when", name);
    }
    for (end, captures) in [("enter", &rule.enter), ("exit", &rule.exit)] {
        for capture in captures.iter().flatten() {
            if let Some(name) = bare_type(&capture.values.iter().collect::<Vec<_>>()) {
                return fail(&format!("{end}.{}", capture.attribute), name);
            }
        }
    }
    Ok(())
}

/// What cannot be skipped, whatever the program.
fn check_skip(rule: &Rule) -> Result<(), RuleError> {
    let what = match rule.skip {
        Some(_) if rule.is_glob() => "a glob may mean more than it should: name each function that is not to run",
        Some(_) if pattern::is_of_the_runtime(&rule.import) => "the runtime's own functions have to run",
        Some(_) if rule.enter.is_none() && rule.exit.is_none() && (rule.when.is_some() || rule.sample.is_some()) => {
            "no call of it runs, and `when` and `sample` choose among records, of which the rule asks for none"
        }
        _ => return Ok(()),
    };
    Err(RuleError::Invalid { place: rule.place("skip"), what: what.to_owned() })
}

/// What a rule says of its operations' names.
fn check_operation(rule: &Rule) -> Result<(), RuleError> {
    let Some(operation) = &rule.operation else { return Ok(()) };
    naming::check(operation).map_err(|what| RuleError::Invalid { place: rule.place("operation"), what })?;
    naming::attributes(operation).try_for_each(|name| check_attribute(rule, "operation", name))
}

/// What a rule says of its operations' metrics.
fn check_dimensions(rule: &Rule) -> Result<(), RuleError> {
    for (index, name) in rule.dimensions.iter().enumerate() {
        check_attribute(rule, "dimensions", name)?;
        if rule.dimensions[..index].contains(name) {
            let what = format!("`{name}` is there twice");
            return Err(RuleError::Invalid { place: rule.place("dimensions"), what });
        }
    }
    Ok(())
}

/// Whether some capture of the rule gives an attribute of that name.
fn check_attribute(rule: &Rule, field: &str, name: &str) -> Result<(), RuleError> {
    let known = rule.attributes();
    if known.iter().any(|attribute| attribute == name) {
        return Ok(());
    }
    let nearest = did_you_mean(name, known.iter().map(AsRef::as_ref));
    let what = format!("no capture of the rule gives `{name}`{nearest}");
    Err(RuleError::Invalid { place: rule.place(field), what })
}

fn capture(place: impl Fn(&str) -> Place, attribute: String, text: CaptureText) -> Result<Capture, RuleError> {
    let max = text.max.unwrap_or(DEFAULT_MAX);
    if !(1..=LARGEST_MAX).contains(&max) {
        let what = format!("max is {max}, but a string is cut to 1 to {LARGEST_MAX} bytes");
        return Err(RuleError::Invalid { place: place(&attribute), what });
    }
    let values = text.value.into_vec().iter().map(|value| Expression::parse(value)).collect::<Result<Vec<_>, _>>();
    let values = values.map_err(|source| RuleError::Path { place: place(&attribute), source: Box::new(source) })?;
    Ok(Capture {
        attribute,
        values,
        max,
        format: text.format,
        zero_means: text.zero_means,
        zero_means_unless: text.zero_means_unless,
        absent_means: text.absent_means,
        absent_means_unless: text.absent_means_unless,
        omit_zero: text.omit_zero,
        optional: text.optional,
    })
}
