//! A rule: which functions it hooks, and what it captures there.
//!
//! `parse` makes rules from a file's text; `resolve` finds their captures in a binary.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use gopatch_protocol::manifest::{At, Format, Kind, Ratio};

use super::condition::Condition;
use super::declaration::{Declaration, Expr, FunctionDeclaration};
use super::pattern;
use super::syntax::constant::Constant;
use super::syntax::path::Expression;
use super::syntax::version::Range;
use crate::golang::symbol::{Name, symbol_prefix, without_type_arguments};
use crate::reach;
use crate::yaml::Place;
use crate::yaml::lines::Lines;

/// A rule.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Where its file has its keys.
    pub(super) origin: RulePosition,
    /// The name of its file in messages.
    pub file: String,
    /// Unique name.
    pub name: String,
    /// Import path of the package.
    pub import: String,
    /// Receivers, such as `serverHandler` or `*conn`; none for plain functions.
    pub receivers: Vec<String>,
    /// Function or method names.
    pub functions: Vec<String>,
    /// Declarations of its functions and of types in their parameters.
    pub declarations: Vec<Declaration>,
    /// What its operations are.
    pub kind: Kind,
    /// Name of its operations, see [`gopatch_protocol::manifest::Function::operation`].
    pub operation: Option<String>,
    /// Whether a program may lack its functions.
    pub optional: bool,
    /// Whether some sites of the matched functions may be refused.
    pub partial: bool,
    /// Its position among the rules on one function.
    pub order: Order,
    /// Versions of Go that it applies to.
    pub go: Option<Range>,
    /// Versions of the module that it applies to; for the standard library, versions of Go.
    pub version: Option<Range>,
    /// Parameters that the caller keeps alive until the function returns, so that an exit may
    /// follow them.
    pub caller_keeps: Vec<String>,
    /// The condition under which a call is recorded.
    pub when: Option<Condition>,
    /// The part of these calls that is recorded, at random.
    pub sample: Option<Ratio>,
    /// Rules of which the nearest call around a call of this rule ends with it.
    pub ends: Vec<String>,
    /// Rules of which the nearest call around a call of this rule is not an operation.
    pub instead_of: Vec<String>,
    /// Attributes that split the metrics of its operations into series.
    pub dimensions: Vec<String>,
    /// What its functions return instead of running; `None` if they run.
    pub skip: Option<Vec<Constant>>,
    /// Where trace contexts come from and go to.
    pub context: Option<Context>,
    /// Captures at the entry; `None` if the entry is not hooked.
    pub enter: Option<Vec<Capture>>,
    /// Captures at the exits; `None` if they are not hooked.
    pub exit: Option<Vec<Capture>>,
}

/// Where a rule's calls get trace contexts, and where they take them.
#[derive(Debug, Clone, Default)]
pub struct Context {
    /// The call's `context.Context`.
    pub within: Option<Expression>,
    /// The names of types that lead from one `context.Context` to its parent.
    pub through: Vec<String>,
    /// Header fields that may bring a context.
    pub read: Option<Expression>,
    /// The word by which a rule that writes finds the call.
    pub send: Option<Expression>,
    /// What a carrier does.
    pub carries: Option<Carries>,
}

/// What a rule of [`Kind::Carrier`] does.
#[derive(Debug, Clone)]
pub enum Carries {
    /// Writes the context of a call into a request.
    Write {
        /// The word under which the call was opened.
        of: Expression,
        /// Header fields among which the program may have a context of its own.
        own: Expression,
        /// The `*bufio.Writer`.
        to: Expression,
    },
    /// Notes which goroutine has started which.
    Spawn {
        /// Id of the new one.
        child: Expression,
        /// Id of the other.
        parent: Expression,
    },
}

impl Context {
    /// All its expressions.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let carried: Vec<_> = match &self.carries {
            None => Vec::new(),
            Some(Carries::Write { of, own, to }) => vec![of, own, to],
            Some(Carries::Spawn { child, parent }) => vec![child, parent],
        };
        [&self.within, &self.read, &self.send].into_iter().flatten().chain(carried)
    }
}

/// Where a rule is in its file.
#[derive(Debug, Clone)]
pub(super) struct RulePosition {
    /// Lines of the file.
    pub(super) lines: Arc<Lines>,
    /// The rule's number in the file, from 0.
    pub(super) index: usize,
}

impl RulePosition {
    pub(super) fn place(&self, file: &str, rule: &str, field: &str) -> Place {
        let line = self.lines.line_of_field(self.index, field);
        Place { file: file.to_owned(), line, rule: rule.to_owned(), field: field.to_owned() }
    }
}

/// A rule's position among the rules on one function; the first is the outermost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Order {
    /// Outside all others.
    Outermost,
    /// Inside those with a smaller number.
    Number(i64),
    /// Inside all others.
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
    /// The paths to it; the first that can be followed gives the value.
    pub values: Vec<Expression>,
    /// Most bytes of a string.
    pub max: u16,
    /// How gopatchd shows it.
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
    /// Whether functions in which it does not resolve go without it.
    pub optional: bool,
}

impl fmt::Display for Capture {
    /// The attribute and its paths.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values: Vec<_> = self.values.iter().map(|value| format!("`{}`", value.text)).collect();
        write!(f, "{}: {}", self.attribute, values.join(", "))
    }
}

impl Rule {
    /// Where in its file one of its fields is.
    pub fn place(&self, field: &str) -> Place {
        self.origin.place(&self.file, &self.name, field)
    }

    /// Whether the rule has a glob. Then it hooks whatever matches, instead of each function that
    /// it names.
    pub fn is_glob(&self) -> bool {
        pattern::is_import_glob(&self.import)
            || self.receivers.iter().any(|receiver| pattern::is_receiver_glob(receiver))
            || self.functions.iter().any(|function| pattern::is_function_glob(function))
    }

    /// Whether a rule with a glob matches that function. `*` without a receiver matches methods
    /// too.
    pub fn matches(&self, name: &Name<'_>) -> bool {
        if reach::is_of_the_runtime(&name.package)
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

    /// The name of an operation of that function: the rule's, but for a glob the function's.
    pub fn operation_of(&self, symbol: &str) -> String {
        match &self.operation {
            Some(operation) => operation.clone(),
            // Braces in type arguments would stand for attributes.
            None if self.is_glob() => without_type_arguments(symbol).into_owned(),
            None => self.name.clone(),
        }
    }

    /// The names of all attributes that its captures may give.
    pub fn attributes(&self) -> Vec<Cow<'_, str>> {
        let captures = self.enter.iter().chain(&self.exit).flatten();
        let names = captures.flat_map(|capture| {
            [Some(Cow::Borrowed(capture.attribute.as_str())), capture.format.second(&capture.attribute)]
        });
        names.flatten().collect()
    }

    /// The functions that the rule hooks, for people.
    pub fn describe_functions(&self) -> String {
        if !self.is_glob() {
            return format!("function {}", self.symbols().join(", "));
        }
        let receivers = if self.receivers.is_empty() { String::new() } else { self.receivers.join(", ") + " " };
        format!("function {receivers}{} in {}", self.functions.join(", "), self.import)
    }

    /// The symbol names of the functions that a rule without globs hooks.
    pub fn symbols(&self) -> Vec<String> {
        let receivers: Vec<_> =
            if self.receivers.is_empty() { vec![None] } else { self.receivers.iter().map(Some).collect() };
        let with_receiver = |receiver: Option<&String>| {
            self.functions.iter().map(|function| self.symbol(receiver, function)).collect::<Vec<_>>()
        };
        receivers.into_iter().flat_map(with_receiver).collect()
    }

    pub(super) fn symbol(&self, receiver: Option<&String>, function: &str) -> String {
        let prefix = symbol_prefix(&self.import);
        match receiver {
            None => format!("{prefix}.{function}"),
            Some(receiver) if receiver.starts_with('*') => format!("{prefix}.({receiver}).{function}"),
            Some(receiver) => format!("{prefix}.{receiver}.{function}"),
        }
    }

    /// The rule's declaration of the function with that symbol name.
    pub fn signature(&self, symbol: &str) -> Option<&FunctionDeclaration> {
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

    /// A type's name with its import path: a bare name belongs to the rule's package.
    pub fn full_name(&self, name: &str) -> String {
        if name.contains('.') { name.to_owned() } else { format!("{}.{name}", self.import) }
    }

    /// The end of a call at which its condition is evaluated and its sample drawn: the first that
    /// it hooks.
    pub fn decided_at(&self) -> At {
        if self.enter.is_some() { At::Enter } else { At::Exit }
    }

    /// The expressions of all captures, of the condition and of `context`.
    pub fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let condition = self.when.iter().flat_map(Condition::expressions);
        let contexts = self.context.iter().flat_map(Context::expressions);
        self.captures().flat_map(|capture| &capture.values).chain(condition).chain(contexts)
    }

    /// All captures.
    pub fn captures(&self) -> impl Iterator<Item = &Capture> {
        self.enter.iter().chain(&self.exit).flatten()
    }
}
