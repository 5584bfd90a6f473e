//! Phase 3: rules, which say which functions to hook and what to capture there. `docs/rules.md` is
//! the reference.
//!
//! A rule file is not trusted: an unknown key is an error, like everything else that does not fit.
//!
//! - Reading: `text` has the YAML of a rule file and its schema, `parse` makes [`Rule`]s of it,
//!   `check` refuses what does not fit together, `rule` is the result.
//! - The small languages in a rule: `syntax`, `condition` and `declaration`.
//! - The functions of a rule: `pattern`.
//! - In one binary: `resolve` turns paths into loads, `condition` comparisons into tests, `skip`
//!   constants into results, `declared` compares declarations with the program's own description.

mod check;
pub mod condition;
pub mod declaration;
pub mod declared;
mod parse;
pub mod pattern;
pub mod resolve;
mod rule;
pub mod skip;
pub mod syntax;
mod text;

use syntax::scanner::SyntaxError;

pub use crate::yaml::{Place, Source};
pub use parse::parse;
pub use rule::{Capture, Carries, Context, Order, Rule};
pub use text::schema;

/// The rules that come with gopatch.
pub const DEFAULT: &str = include_str!("../../rules/default.yaml");

/// The types of Go's standard library whose values begin with their parent `context.Context`.
pub const CONTEXT_TYPES: [&str; 6] = [
    "*context.cancelCtx",
    "*context.valueCtx",
    "*context.timerCtx",
    "*context.afterFuncCtx",
    "context.withoutCancelCtx",
    "context.stopCtx",
];

/// Bytes of a string that a capture without `max` copies.
pub const DEFAULT_MAX: u16 = 64;
/// Most bytes of a string that a capture can copy.
pub const LARGEST_MAX: u16 = 512;

impl Source {
    /// The rules that come with gopatch.
    pub fn default_rules() -> Self {
        Self { name: "default rules".to_owned(), text: DEFAULT.to_owned() }
    }
}

/// Why a rule file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// Not YAML, a key or value of the wrong kind, or keys that do not fit together.
    #[error("{place}: {what}")]
    Invalid {
        /// Where it is.
        place: Place,
        /// What is wrong.
        what: String,
    },
    /// A path, condition or declaration does not follow its grammar.
    #[error("{place}")]
    Syntax {
        /// Where it is.
        place: Place,
        /// What is wrong.
        source: Box<SyntaxError>,
    },
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
    fn an_unknown_key_is_an_error_with_its_line() {
        let text = "rules:\n  - name: a\n    import: b\n    function: c\n    kin: server\n";
        let error = anyhow::Error::from(parse(&source(text)).expect_err("kin is not a key"));
        let message = format!("{error:#}");
        assert!(message.starts_with("r.yaml:5: rule a: "), "{message}");
        assert!(message.contains("`kin`") && message.ends_with("(did you mean `kind`?)"), "{message}");
    }

    #[test]
    fn symbols_have_receivers_and_escapes_as_in_pclntab() {
        let text = "rules: [{name: a, import: gopkg.in/x.v3, receiver: '*conn', function: [serve, close]}]";
        let rules = parse(&source(text)).expect("a rule");
        assert_eq!(rules[0].symbols(), ["gopkg.in/x%2ev3.(*conn).serve", "gopkg.in/x%2ev3.(*conn).close"]);
    }

    #[test]
    fn a_signature_must_declare_one_of_the_functions() {
        let text = |signature| {
            format!("rules: [{{name: a, import: b, receiver: '*c', function: [d, e], signature: '{signature}'}}]")
        };
        let rules = parse(&source(&text("func (x *c) e(n int)"))).expect("a rule");
        assert!(rules[0].signature("b.(*c).e").is_some() && rules[0].signature("b.(*c).d").is_none());
        let message = parse(&source(&text("func (x c) e(n int)"))).expect_err("another receiver").to_string();
        assert!(message.contains("is not one of the rule's functions: b.(*c).d, b.(*c).e"), "{message}");
        let error = anyhow::Error::from(parse(&source(&text("e(n int)"))).expect_err("not a declaration"));
        let message = format!("{error:#}");
        assert!(message.contains("rule a: signature: `e(n int)` is not a declaration"), "{message}");
    }

    #[test]
    fn keys_about_other_rules_must_suit_the_rule() {
        for (keys, line, field, what) in [
            ("kind: end", 5, "kind", "`kind: end` needs `ends`, the rules whose calls end there"),
            ("kind: end\n    ends: []", 5, "kind", "`kind: end` needs `ends`, the rules whose calls end there"),
            ("ends: [x]", 5, "ends", "allowed only with `kind: end`"),
            ("kind: boundary\n    ends: [x]", 6, "ends", "allowed only with `kind: end`"),
            ("kind: end\n    ends: [x]\n    exit: {}", 7, "exit", "not allowed with `kind: end`, which takes effect"),
            ("kind: end\n    ends: [x]\n    when: n > 1", 7, "when", "not allowed with `kind: end`"),
            ("kind: end\n    ends: [x]\n    sample: 0.5", 7, "sample", "not allowed with `kind: end`"),
            ("kind: end\n    ends: [x]\n    skip: []", 7, "skip", "not allowed with `kind: end`"),
            ("instead_of: [x]\n    exit: {}", 5, "instead_of", "needs `enter`: it takes effect where a call begins"),
            ("instead_of: [x]\n    sample: 0.5", 6, "sample", "not allowed with `instead_of`, which takes effect"),
            ("instead_of: [x]\n    when: n > 1", 6, "when", "not allowed with `instead_of`, which takes effect"),
        ] {
            let text = format!("rules:\n  - name: a\n    import: b\n    function: c\n    {keys}\n");
            let error = parse(&source(&text)).expect_err(keys).to_string();
            let expected = format!("r.yaml:{line}: rule a: {field}: {what}");
            assert!(error.starts_with(&expected), "{keys}: {error}, not {expected}");
        }
        for keys in
            ["kind: end\n    ends: [x, y]", "instead_of: [x]", "kind: boundary\n    instead_of: [x]\n    enter: {}"]
        {
            let text = format!("rules:\n  - name: a\n    import: b\n    function: c\n    {keys}\n");
            let rules = parse(&source(&text)).unwrap_or_else(|error| panic!("{keys}: {error}"));
            assert!(!rules[0].ends.is_empty() || !rules[0].instead_of.is_empty());
        }
    }

    #[test]
    fn the_keys_of_a_context_must_suit_the_kind() {
        let write = "write: {of: h, own: h, to: w}";
        for (keys, field, what) in [
            ("kind: carrier".to_owned(), "kind", "`kind: carrier` needs `context` with `write` or `spawn`"),
            (format!("context: {{{write}}}"), "context", "`write` and `spawn` need `kind: carrier`"),
            (
                format!("kind: carrier\n    context: {{{write}, in: x}}"),
                "context",
                "`in`, `read` and `send` are of operations",
            ),
            (
                format!("kind: carrier\n    sample: 0.5\n    context: {{{write}}}"),
                "sample",
                "not allowed with `kind: carrier`",
            ),
            (
                format!("kind: carrier\n    exit: {{}}\n    context: {{{write}}}"),
                "context.write",
                "happens at the entry",
            ),
            (
                format!("kind: carrier\n    enter: {{a: h}}\n    context: {{{write}}}"),
                "enter",
                "a carrier records nothing",
            ),
            ("kind: client\n    context: {read: h}".to_owned(), "context.read", "allowed only with `kind: server`"),
            ("kind: boundary\n    context: {in: h}".to_owned(), "context", "allowed only for operations and carriers"),
            ("exit: {}\n    context: {in: h}".to_owned(), "context", "needs `enter`"),
            ("context: {in: 'h['}".to_owned(), "context.in", ""),
        ] {
            let text = format!("rules:\n  - name: a\n    import: b\n    function: c\n    {keys}\n");
            let error = parse(&source(&text)).expect_err(&keys).to_string();
            assert!(error.contains(&format!("rule a: {field}")) && error.contains(what), "{keys}: {error}");
        }
        let text = "rules: [{name: a, import: b, function: '*', context: {in: ctx}}]";
        assert!(parse(&source(text)).expect_err("a glob").to_string().contains("context: not allowed with a glob"));
        let text =
            format!("rules: [{{name: a, import: b, function: c, kind: carrier, when: n > 1, context: {{{write}}}}}]");
        let rule = parse(&source(&text)).expect("a rule").remove(0);
        assert!(rule.enter.is_some() && rule.exit.is_some(), "it writes at the entry and replaces at the exits");
    }

    #[test]
    fn a_capture_of_too_many_bytes_is_refused() {
        let text = "rules: [{name: a, import: b, function: c, enter: {x: {value: p, max: 9999}}}]";
        assert!(parse(&source(text)).is_err());
    }
}
