//! From the text of a rule file to its rules.

use std::sync::Arc;

use gopatch_protocol::manifest::Kind;
use indexmap::IndexMap;

use super::condition::Condition;
use super::declaration::Declaration;
use super::rule::RulePosition;
use super::syntax::path::Expression;
use super::syntax::sample::Sample;
use super::syntax::scanner::SyntaxError;
use super::syntax::version::Range;
use super::text::{CaptureText, ContextText, RuleFile, RuleText};
use super::{CONTEXT_TYPES, Capture, Carries, Context, DEFAULT_MAX, LARGEST_MAX, Rule, RuleError, check};
use crate::yaml::lines::Lines;
use crate::yaml::{OneOrMany, Place, Source, describe_error};

/// Reads a rule file.
pub fn parse(source: &Source) -> Result<Vec<Rule>, RuleError> {
    let lines = Arc::new(Lines::new(&source.text));
    let file: RuleFile = serde_yaml_ng::from_str(&source.text).map_err(|error| {
        let (line, what) = describe_error(&error);
        let rule = lines.rule_at(line).unwrap_or_default().to_owned();
        RuleError::Invalid { place: Place { file: source.name.clone(), line, rule, field: String::new() }, what }
    })?;
    let rule = |(index, text): (usize, RuleText)| {
        let origin = RulePosition { lines: Arc::clone(&lines), index };
        RuleReader { file: &source.name, name: text.name.clone(), origin }.rule(text)
    };
    let rules = file.rules.into_iter().enumerate().map(rule).collect::<Result<Vec<_>, _>>()?;
    rules.iter().try_for_each(|rule| check::attributes(rule, &rules))?;
    Ok(rules)
}

/// Reads one rule of a file.
struct RuleReader<'f> {
    file: &'f str,
    name: String,
    origin: RulePosition,
}

impl RuleReader<'_> {
    fn invalid(&self, field: &str, what: impl Into<String>) -> RuleError {
        RuleError::Invalid { place: self.origin.place(self.file, &self.name, field), what: what.into() }
    }

    fn syntax(&self, field: &str, error: SyntaxError) -> RuleError {
        RuleError::Syntax { place: self.origin.place(self.file, &self.name, field), source: Box::new(error) }
    }

    fn rule(self, text: RuleText) -> Result<Rule, RuleError> {
        for (key, value) in [("name", &text.name), ("import", &text.import)] {
            if value.is_empty() {
                return Err(self.invalid(key, "must not be empty"));
            }
        }
        let mut enter = self.captures("enter", text.enter)?;
        let mut exit = self.captures("exit", text.exit)?;
        let context = text.context.map(|context| self.context(context)).transpose()?;
        if enter.is_none() && exit.is_none() && text.skip.is_none() {
            let spawns = context.as_ref().is_some_and(|it| matches!(it.carries, Some(Carries::Spawn { .. })));
            if text.kind != Kind::End {
                exit = Some(Vec::new());
            }
            if text.kind != Kind::Boundary && !spawns {
                enter = Some(Vec::new());
            }
        }
        let rule = Rule {
            declarations: self.declarations(text.signature)?,
            when: self.condition(text.when)?,
            go: self.range("go", text.go)?,
            version: self.range("version", text.version)?,
            file: self.file.to_owned(),
            name: self.name,
            origin: self.origin,
            operation: text.operation,
            import: text.import,
            receivers: text.receiver.map_or_else(Vec::new, OneOrMany::into_vec),
            functions: text.function.into_vec(),
            kind: text.kind,
            optional: text.optional,
            partial: text.partial,
            order: text.order.into(),
            caller_keeps: text.caller_keeps,
            sample: text.sample.map(|Sample(ratio)| ratio),
            ends: text.ends,
            instead_of: text.instead_of,
            dimensions: text.dimensions,
            skip: text.skip,
            context,
            enter,
            exit,
        };
        check::rule(&rule)?;
        Ok(rule)
    }

    fn captures(
        &self,
        end: &str,
        texts: Option<IndexMap<String, CaptureText>>,
    ) -> Result<Option<Vec<Capture>>, RuleError> {
        let capture = |(attribute, text)| self.capture(end, attribute, text);
        texts.map(|texts| texts.into_iter().map(capture).collect()).transpose()
    }

    fn context(&self, text: ContextText) -> Result<Context, RuleError> {
        let path = |key: &str, text: String| {
            Expression::parse(&text).map_err(|error| self.syntax(&format!("context.{key}"), error))
        };
        let optional = |key: &str, text: Option<String>| text.map(|text| path(key, text)).transpose();
        let carries = match (text.write, text.spawn) {
            (Some(_), Some(_)) => return Err(self.invalid("context.spawn", "not allowed with `write`")),
            (Some(write), None) => Some(Carries::Write {
                of: path("write.of", write.of)?,
                own: path("write.own", write.own)?,
                to: path("write.to", write.to)?,
            }),
            (None, Some(spawn)) => Some(Carries::Spawn {
                child: path("spawn.child", spawn.child)?,
                parent: path("spawn.parent", spawn.parent)?,
            }),
            (None, None) => None,
        };
        Ok(Context {
            within: optional("in", text.within)?,
            through: text.through.unwrap_or_else(|| CONTEXT_TYPES.map(str::to_owned).to_vec()),
            read: optional("read", text.read)?,
            send: optional("send", text.send)?,
            carries,
        })
    }

    fn capture(&self, end: &str, attribute: String, text: CaptureText) -> Result<Capture, RuleError> {
        let field = || format!("{end}.{attribute}");
        let max = text.max.unwrap_or(DEFAULT_MAX);
        if !(1..=LARGEST_MAX).contains(&max) {
            return Err(self.invalid(&field(), format!("max is {max}, but must be 1 to {LARGEST_MAX}")));
        }
        let values = text.value.into_vec();
        let values: Result<_, _> = values.iter().map(|value| Expression::parse(value)).collect();
        Ok(Capture {
            values: values.map_err(|error| self.syntax(&field(), error))?,
            attribute,
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

    fn declarations(&self, texts: Option<OneOrMany>) -> Result<Vec<Declaration>, RuleError> {
        let texts = texts.map_or_else(Vec::new, OneOrMany::into_vec);
        let declarations: Result<_, _> = texts.iter().map(|text| Declaration::parse(text)).collect();
        declarations.map_err(|error| self.syntax("signature", error))
    }

    fn condition(&self, text: Option<String>) -> Result<Option<Condition>, RuleError> {
        let condition = text.map(|text| Condition::parse(&text)).transpose();
        condition.map_err(|error| self.syntax("when", error))
    }

    fn range(&self, key: &str, text: Option<String>) -> Result<Option<Range>, RuleError> {
        let range = text.map(|text| Range::parse(&text)).transpose();
        range.map_err(|error| self.invalid(key, error.to_string()))
    }
}
