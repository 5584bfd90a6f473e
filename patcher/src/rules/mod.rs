//! Phase 3: what the user wants hooked.
//!
//! Decides: what a rule file may say. Trusts: nothing; a key it does not know is an error.
//! Never does: look at a binary (that is [`resolve`]).
//!
//! `docs/rules.md` is the reference.

pub mod condition;
pub mod declaration;
pub mod declared;
pub mod path;
pub mod pattern;
pub mod resolve;
mod sample;
pub mod skip;
mod text;
pub mod version;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use gopatch_protocol::manifest::{At, Format, Kind, Ratio};

use condition::{Condition, ConditionError};
use declaration::{Declaration, DeclarationError, Expr, Function};
use path::{Expression, PathError};
use skip::Constant;
use version::Range;

use crate::golang::symbol::{Name, symbol_prefix, without_type_arguments};
use crate::yaml::lines::Lines;

pub use crate::yaml::{Place, Source};
pub use text::{parse, schema};

/// The rules that gopatch comes with.
pub const DEFAULT: &str = include_str!("../../rules/default.yaml");

/// Bytes of a string that are copied when the rule does not say.
pub const DEFAULT_MAX: u16 = 64;
/// Most bytes of a string that a rule can ask for.
pub const LARGEST_MAX: u16 = 512;

impl Source {
    /// The rules that gopatch comes with.
    pub fn default_rules() -> Self {
        Self { name: "default rules".to_owned(), text: DEFAULT.to_owned() }
    }
}

/// Why a rule file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// Not YAML, or not a rule file's.
    #[error("{place}: {what}")]
    Yaml {
        /// Where.
        place: Place,
        /// What is wrong.
        what: String,
    },
    /// A path is not one.
    #[error("{place}")]
    Path {
        /// Where.
        place: Place,
        /// What is wrong.
        source: Box<PathError>,
    },
    /// A condition is not one.
    #[error("{place}")]
    Condition {
        /// Where.
        place: Place,
        /// What is wrong.
        source: Box<ConditionError>,
    },
    /// A declaration is not one.
    #[error("{place}")]
    Declaration {
        /// Where.
        place: Place,
        /// What is wrong.
        source: Box<DeclarationError>,
    },
    /// A value is out of its range.
    #[error("{place}: {what}")]
    Invalid {
        /// Where.
        place: Place,
        /// What is wrong.
        what: String,
    },
}

/// A rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Lines of the file.
    lines: Arc<Lines>,
    /// Which of the file's rules it is.
    index: usize,
    /// Shown for its file in messages.
    pub file: String,
    /// Unique name.
    pub name: String,
    /// Import path of the package.
    pub import: String,
    /// Receivers, as `serverHandler` or `*conn`; none for plain functions.
    pub receivers: Vec<String>,
    /// Function or method names.
    pub functions: Vec<String>,
    /// What the rule says of the functions' parameters, and of types among them.
    pub declarations: Vec<Declaration>,
    /// Kind of operation.
    pub kind: Kind,
    /// Name of an operation, see [`gopatch_protocol::manifest::Function::operation`].
    pub operation: Option<String>,
    /// Whether a program without such a function is fine.
    pub optional: bool,
    /// Whether it is fine that some place of the matched functions cannot be hooked.
    pub partial: bool,
    /// Where it stands among rules on the same function.
    pub order: Order,
    /// Versions of Go that it is for.
    pub go: Option<Range>,
    /// Versions of the module, of Go for the standard library, that it is for.
    pub version: Option<Range>,
    /// Parameters that the caller keeps alive until the function returns, so that an exit may follow them.
    pub caller_keeps: Vec<String>,
    /// What a call must meet to be recorded.
    pub when: Option<Condition>,
    /// Which part of these calls is recorded, by chance.
    pub sample: Option<Ratio>,
    /// Attributes by which the operations' metrics are told apart.
    pub dimensions: Vec<String>,
    /// What the functions return without running; `None`: they run.
    pub skip: Option<Vec<Constant>>,
    /// Captures at entry; `None`: the entry is not asked for.
    pub enter: Option<Vec<Capture>>,
    /// Captures at exit; `None`: the exits are not asked for.
    pub exit: Option<Vec<Capture>>,
}

/// Where a rule stands among those on the same function; the first is the outermost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Order {
    /// Outside of all others.
    Outermost,
    /// Inside of those with a smaller number.
    Number(i64),
    /// Inside of all others.
    Innermost,
}

impl fmt::Display for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Outermost => f.write_str("outermost"),
            Self::Number(number) => number.fmt(f),
            Self::Innermost => f.write_str("innermost"),
        }
    }
}

/// A value to capture.
#[derive(Debug, Clone)]
pub struct Capture {
    /// Attribute name.
    pub attribute: String,
    /// Alternatives.
    pub values: Vec<Expression>,
    /// Most bytes of a string.
    pub max: u16,
    /// How it is shown.
    pub format: Format,
    /// The value that 0 stands for.
    pub zero_means: Option<i64>,
    /// See [`gopatch_protocol::manifest::Capture::zero_means_unless`].
    pub zero_means_unless: Option<String>,
    /// See [`gopatch_protocol::manifest::Capture::absent_means`].
    pub absent_means: Option<i64>,
    /// See [`gopatch_protocol::manifest::Capture::absent_means_unless`].
    pub absent_means_unless: Option<String>,
    /// See [`gopatch_protocol::manifest::Capture::omit_zero`].
    pub omit_zero: bool,
    /// Whether it is left out of functions in which it does not resolve.
    pub optional: bool,
}

impl fmt::Display for Capture {
    /// The attribute and where its value comes from.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values: Vec<_> = self.values.iter().map(|value| format!("`{}`", value.text)).collect();
        write!(f, "{}: {}", self.attribute, values.join(", "))
    }
}

impl Rule {
    /// Where in its file one of its fields is.
    pub fn place(&self, field: &str) -> Place {
        let line = self.lines.of_field(self.index, field);
        Place { file: self.file.clone(), line, rule: self.name.clone(), field: field.to_owned() }
    }

    /// Whether the rule's functions come by a glob: then it means whatever matches, not each function it names.
    pub fn is_glob(&self) -> bool {
        pattern::is_import_glob(&self.import)
            || self.receivers.iter().any(|receiver| pattern::is_receiver_glob(receiver))
            || self.functions.iter().any(|function| pattern::is_function_glob(function))
    }

    /// Whether a glob rule means that function. `*` without a receiver means methods too.
    pub fn matches(&self, name: &Name<'_>) -> bool {
        if pattern::is_of_the_runtime(&name.package)
            || name.is_of_cgo()
            || !pattern::import_matches(&self.import, &name.package)
        {
            return false;
        }
        let is_function = |function| self.functions.iter().any(|wanted| pattern::function_matches(wanted, function));
        match name.receiver() {
            Some(_) if self.receivers.is_empty() => self.functions.iter().any(|wanted| wanted == "*"),
            None if self.receivers.is_empty() => is_function(name.function()),
            Some(receiver) => {
                self.receivers.iter().any(|wanted| pattern::receiver_matches(wanted, receiver))
                    && is_function(name.function())
            }
            None => false,
        }
    }

    /// What an operation of that function is called: of a rule without globs like the rule, else like the function.
    pub fn operation_of(&self, symbol: &str) -> String {
        match &self.operation {
            Some(operation) => operation.clone(),
            // Type arguments may have braces, which would stand for attributes.
            None if self.is_glob() => without_type_arguments(symbol).into_owned(),
            None => self.name.clone(),
        }
    }

    /// The attributes that its captures may give.
    pub fn attributes(&self) -> Vec<Cow<'_, str>> {
        let captures = self.enter.iter().chain(&self.exit).flatten();
        let names = captures.flat_map(|capture| {
            [Some(Cow::Borrowed(capture.attribute.as_str())), capture.format.second(&capture.attribute)]
        });
        names.flatten().collect()
    }

    /// What the rule asks for, in words.
    pub fn asks_for(&self) -> String {
        if !self.is_glob() {
            return format!("function {}", self.symbols().join(", "));
        }
        let receivers = if self.receivers.is_empty() { String::new() } else { self.receivers.join(", ") + " " };
        format!("function {receivers}{} in {}", self.functions.join(", "), self.import)
    }

    /// The symbol names that a rule without globs asks for.
    pub fn symbols(&self) -> Vec<String> {
        let receivers: Vec<_> =
            if self.receivers.is_empty() { vec![None] } else { self.receivers.iter().map(Some).collect() };
        let of = |receiver: Option<&String>| {
            self.functions.iter().map(|function| self.symbol(receiver, function)).collect::<Vec<_>>()
        };
        receivers.into_iter().flat_map(of).collect()
    }

    fn symbol(&self, receiver: Option<&String>, function: &str) -> String {
        let prefix = symbol_prefix(&self.import);
        match receiver {
            None => format!("{prefix}.{function}"),
            Some(receiver) if receiver.starts_with('*') => format!("{prefix}.({receiver}).{function}"),
            Some(receiver) => format!("{prefix}.{receiver}.{function}"),
        }
    }

    /// What the rule says of the parameters of the function with that symbol name.
    pub fn signature(&self, symbol: &str) -> Option<&Function> {
        let symbol = without_type_arguments(symbol);
        self.declarations.iter().find_map(|declaration| match declaration {
            Declaration::Function(function) => {
                (self.symbol(function.receiver.as_ref(), &function.name) == symbol).then_some(function)
            }
            Declaration::Type(..) => None,
        })
    }

    /// The types that the rule declares, without their package.
    pub fn declared_types(&self) -> impl Iterator<Item = (&str, &Expr)> {
        self.declarations.iter().filter_map(|declaration| match declaration {
            Declaration::Function(_) => None,
            Declaration::Type(name, expr) => Some((name.as_str(), expr)),
        })
    }

    /// The type of that name that the rule declares.
    pub fn declared_type(&self, name: &str) -> Option<&Expr> {
        self.declared_types().find(|(declared, _)| *declared == name).map(|(_, expr)| expr)
    }

    /// A type's name with its import path: a bare name is of the rule's package.
    pub fn full_name(&self, name: &str) -> String {
        if name.contains('.') { name.to_owned() } else { format!("{}.{name}", self.import) }
    }

    /// At which end of a call its condition is evaluated, and its sample drawn: the first that it asks for.
    pub fn decided_at(&self) -> At {
        if self.enter.is_some() { At::Enter } else { At::Exit }
    }

    /// The expressions of all captures, and of the condition.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let condition = self.when.iter().flat_map(Condition::expressions);
        self.captures().flat_map(|capture| &capture.values).chain(condition)
    }

    /// All captures.
    pub fn captures(&self) -> impl Iterator<Item = &Capture> {
        self.enter.iter().chain(&self.exit).flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `gopatch rules schema > docs/rules.schema.json` renews it.
    #[test]
    fn the_schema_is_the_committed_one() {
        let committed = serde_json::from_str::<serde_json::Value>(include_str!("../../../docs/rules.schema.json"));
        assert_eq!(committed.expect("it is JSON"), schema(), "run: gopatch rules schema > docs/rules.schema.json");
    }

    #[test]
    fn every_example_of_the_reference_is_a_rule_file() {
        let reference = include_str!("../../../docs/rules.md");
        let blocks: Vec<_> = reference.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        assert!(blocks.len() > 5, "{} examples", blocks.len());
        for block in blocks {
            // An example is a whole file, or keys of a rule.
            let parsed = if block.starts_with("rules:") {
                parse(&source(block))
            } else {
                let mut text = "rules:\n  - name: example\n    import: example.com/shop\n".to_owned();
                for (key, line) in
                    [(" function:", "    function: Place\n"), (" receiver:", "    receiver: '*Service'\n")]
                {
                    text += if block.contains(key) { "" } else { line };
                }
                parse(&source(&(text + block)))
            };
            parsed.map_err(anyhow::Error::from).unwrap_or_else(|error| panic!("{error:#}\n{block}"));
        }
    }

    fn source(text: &str) -> Source {
        Source { name: "r.yaml".to_owned(), text: text.to_owned() }
    }

    #[test]
    fn the_default_rules_are_rules() {
        let rules = parse(&Source::default_rules()).expect("the default rules parse");
        let server = rules.iter().find(|rule| rule.name == "http.server").expect("http.server is a default rule");
        assert_eq!(server.symbols(), ["net/http.serverHandler.ServeHTTP"]);
        assert!(rules.iter().all(|rule| rule.optional), "a program without net/http is not an error");
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line() {
        let text = "rules:\n  - name: a\n    import: b\n    function: c\n    kin: server\n";
        let error = anyhow::Error::from(parse(&source(text)).expect_err("kin is no key"));
        let message = format!("{error:#}");
        assert!(message.starts_with("r.yaml:5: rule a: "), "{message}");
        assert!(message.contains("`kin`") && message.ends_with("(did you mean `kind`?)"), "{message}");
    }

    #[test]
    fn a_pointer_receiver_is_spelled_as_the_runtime_does() {
        let text = "rules: [{name: a, import: gopkg.in/x.v3, receiver: '*conn', function: [serve, close]}]";
        let rules = parse(&source(text)).expect("a rule");
        assert_eq!(rules[0].symbols(), ["gopkg.in/x%2ev3.(*conn).serve", "gopkg.in/x%2ev3.(*conn).close"]);
    }

    #[test]
    fn a_signature_is_of_one_of_the_functions() {
        let text = |signature| {
            format!("rules: [{{name: a, import: b, receiver: '*c', function: [d, e], signature: '{signature}'}}]")
        };
        let rules = parse(&source(&text("func (x *c) e(n int)"))).expect("a rule");
        assert!(rules[0].signature("b.(*c).e").is_some() && rules[0].signature("b.(*c).d").is_none());
        let message = parse(&source(&text("func (x c) e(n int)"))).expect_err("another receiver").to_string();
        assert!(message.contains("is none of the rule's functions: b.(*c).d, b.(*c).e"), "{message}");
        let error = anyhow::Error::from(parse(&source(&text("e(n int)"))).expect_err("no declaration"));
        let message = format!("{error:#}");
        assert!(message.contains("rule a: signature: `e(n int)` is not a declaration"), "{message}");
    }

    #[test]
    fn a_string_without_end_is_refused() {
        let text = "rules: [{name: a, import: b, function: c, enter: {x: {value: p, max: 9999}}}]";
        assert!(parse(&source(text)).is_err());
    }
}
