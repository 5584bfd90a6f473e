//! Finished operations, and their JSON form.
//!
//! Decides: the name of an operation.
//! Trusts: nothing in the values.
//! Never does: I/O.

use std::borrow::Cow;
use std::fmt::Write as _;

use gopatch_protocol::manifest::{Function, Kind, Ratio};
use gopatch_protocol::naming::{Template, TemplatePiece};
use serde::Serialize;

use super::attributes::{Attributes, OTHER_METHOD, Value};
use super::ids::Lineage;

/// One finished operation.
#[derive(Debug, Serialize)]
pub(crate) struct Operation<'m> {
    pub(crate) name: Cow<'m, str>,
    pub(crate) start_unix_nano: u64,
    pub(crate) duration_nano: u64,
    pub(crate) pid: u32,
    pub(crate) goid: u64,
    pub(crate) rule: &'m str,
    pub(crate) kind: Kind,
    /// The part of the calls of its rule that is recorded, chosen by chance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sample: Option<Ratio>,
    /// Left by a panic, as far as records show.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) unwound: bool,
    /// Still open when the process or gopatchd ended.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) unfinished: bool,
    #[serde(flatten)]
    pub(crate) lineage: Lineage,
    pub(crate) attributes: Attributes<'m>,
    /// The index of its function in the manifest.
    #[serde(skip)]
    pub(crate) function: u32,
    /// The template of the name.
    #[serde(skip)]
    template: &'m Template,
}

/// Room for a name of the usual length.
const NAME_WIDTH: usize = 40;

impl<'m> Operation<'m> {
    /// An operation of a function, whose name follows the template. The caller sets the flags.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the operation is written where the caller keeps it")]
    pub(crate) fn new(
        (function, template): (&'m Function, &'m Template),
        (pid, goid): (u32, u64),
        (start_unix_nano, duration_nano): (u64, u64),
        lineage: Lineage,
        attributes: Attributes<'m>,
    ) -> Self {
        Self {
            name: name(function, template, &attributes),
            start_unix_nano,
            duration_nano,
            pid,
            goid,
            rule: &function.rule,
            kind: function.kind,
            sample: function.sample,
            unwound: false,
            unfinished: false,
            lineage,
            attributes,
            function: 0,
            template,
        }
    }

    /// Appends a JSON object and a newline.
    pub(crate) fn json(&self, out: &mut Vec<u8>) {
        serde_json::to_writer(&mut *out, self).expect("an operation has only text keys, and a Vec takes all");
        out.push(b'\n');
    }

    /// The attributes that the name shows.
    pub(crate) fn attributes_in_name(&self) -> Vec<&'m str> {
        let mut named = Vec::new();
        for piece in &self.template.pieces {
            if piece.attributes().all(|name| self.attributes.get(name).is_some()) {
                named.extend(piece.attributes());
            } else if !piece.optional {
                return Vec::new();
            }
        }
        named
    }
}

/// Fills in the template of a function. Without one of its attributes, the name is that of the
/// rule.
#[inline(always)]
#[expect(clippy::inline_always, reason = "the name is written where it will be kept")]
fn name<'m>(function: &'m Function, template: &'m Template, attributes: &Attributes<'m>) -> Cow<'m, str> {
    // Many templates are plain text or one attribute, and need no buffer.
    if let [TemplatePiece { parts, .. }] = template.pieces.as_slice() {
        match parts.as_slice() {
            [(text, None)] => return text.into(),
            [(before, Some(attribute))] if before.is_empty() => {
                if let Some(Value::Text(Cow::Borrowed(text))) = value(attributes, attribute) {
                    return Cow::Borrowed(text);
                }
            }
            _ => {}
        }
    }
    build_name(function, template, attributes)
}

fn build_name<'m>(function: &'m Function, template: &Template, attributes: &Attributes<'_>) -> Cow<'m, str> {
    let mut name = String::with_capacity(NAME_WIDTH);
    for piece in &template.pieces {
        let before = name.len();
        if !fill_in(&mut name, piece, attributes) {
            if !piece.optional {
                return Cow::Borrowed(&function.rule);
            }
            name.truncate(before);
        }
    }
    name.into()
}

/// Appends a piece of a name. Returns whether all its attributes exist.
fn fill_in(name: &mut String, piece: &TemplatePiece, attributes: &Attributes<'_>) -> bool {
    piece.parts.iter().all(|(before, attribute)| {
        name.push_str(before);
        let Some(attribute) = attribute else { return true };
        match value(attributes, attribute) {
            Some(Value::Text(text)) => name.push_str(text),
            Some(value) => write!(name, "{value}").expect("a String takes all"),
            None => return false,
        }
        true
    })
}

/// The value of an attribute in a name. A client that sends an arbitrary method must not create an
/// arbitrary name.
fn value<'a, 'm>(attributes: &'a Attributes<'m>, name: &str) -> Option<&'a Value<'m>> {
    const ANY_METHOD: Value<'static> = Value::Text(Cow::Borrowed("HTTP"));
    let value = attributes.get(name)?;
    let is_other = *value == Value::Text(Cow::Borrowed(OTHER_METHOD)) && name == "http.request.method";
    Some(if is_other { &ANY_METHOD } else { value })
}

#[cfg(test)]
mod tests {
    use gopatch_protocol::manifest::{Capture, Format, ValueType};
    use gopatch_protocol::wire::Record;

    use super::*;

    fn function(operation: &str) -> Function {
        Function {
            name: "net/http.serverHandler.ServeHTTP".into(),
            rule: "http.server".into(),
            kind: Kind::Server,
            operation: operation.into(),
            va: 0x401000,
            when: None,
            sample: None,
            ends: Vec::new(),
            instead_of: Vec::new(),
            dimensions: Vec::new(),
            skip: None,
        }
    }

    fn text_capture(attribute: &str, format: Format) -> Capture {
        Capture {
            attribute: attribute.into(),
            value: ValueType::String,
            format,
            zero_means: None,
            zero_means_unless: None,
            absent_means: None,
            absent_means_unless: None,
            omit_zero: false,
        }
    }

    /// Captures of two numbers, `a` and `b`, and a record in which they are 1 and 2.
    fn a_and_b() -> (Vec<Capture>, Vec<u8>) {
        let capture = |attribute: &str| Capture {
            attribute: attribute.into(),
            value: ValueType::Int,
            format: Format::Plain,
            zero_means: None,
            zero_means_unless: None,
            absent_means: None,
            absent_means_unless: None,
            omit_zero: false,
        };
        let mut payload = vec![0; 48];
        (payload[0], payload[28], payload[32], payload[40]) = (48, 3, 1, 2);
        (vec![capture("a"), capture("b")], payload)
    }

    #[test]
    fn without_an_attribute_the_name_is_that_of_the_rule() {
        let (captures, payload) = a_and_b();
        let attributes = Attributes::from_ends(
            [Some((&captures, Record::parse(&payload).expect("valid"))), None],
            true,
            Attributes::default(),
        );
        for (template, expected) in [
            ("{a} and {b}!", "1 and 2!"),
            ("plain", "plain"),
            ("{a} {missing}", "http.server"),
            ("{a} {open", "1 {open"),
            ("{a}[ {b}]", "1 2"),
            ("{a}[ {b} {missing}][ or {b}]", "1 or 2"),
            ("[{missing}]{a}", "1"),
            ("{missing}[ {a}]", "http.server"),
            ("f[int]", "f[int]"),
        ] {
            assert_eq!(name(&function(template), &Template::read(template), &attributes), expected, "{template}");
        }
    }

    #[test]
    fn a_name_has_the_method_and_the_route_if_they_exist() {
        let named = |texts: &[(&str, Format, &str)]| {
            let captures: Vec<_> = texts.iter().map(|(name, format, _)| text_capture(name, *format)).collect();
            let words =
                texts.iter().flat_map(|(_, _, text)| (text.len() as u64 | (text.len() as u64) << 32).to_le_bytes());
            let mut payload = vec![0; 32];
            payload[28] = 0xff;
            payload.extend(words);
            payload.extend(texts.iter().flat_map(|(_, _, text)| text.as_bytes()));
            payload[0] = payload.len() as u8;
            let record = Record::parse(&payload).expect("valid");
            let function = function("{http.request.method}[ {http.route}]");
            let template = Template::read(&function.operation);
            let attributes = Attributes::from_ends([Some((&captures, record)), None], true, Attributes::default());
            let lineage = Lineage::local(1, 1, None);
            let operation = Operation::new((&function, &template), (1, 1), (0, 1), lineage, attributes);
            operation.name.into_owned()
        };
        let request = |method: &'static str, pattern: &'static str, path: &'static str| {
            named(&[
                ("http.request.method", Format::HttpMethod, method),
                ("http.route", Format::HttpRoute, pattern),
                ("url.path", Format::Plain, path),
            ])
        };
        assert_eq!(request("GET", "GET /i/{id}", "/i/42"), "GET /i/{id}");
        assert_eq!(request("GET", "/fast", "/fast"), "GET /fast");
        assert_eq!(request("PUT", "", "/x"), "PUT");
        assert_eq!(request("FROB", "/", "/x"), "HTTP /");
    }

    #[test]
    fn an_operation_is_one_json_object() {
        let (captures, payload) = a_and_b();
        let attributes = Attributes::from_ends(
            [Some((&captures, Record::parse(&payload).expect("valid"))), None],
            true,
            Attributes::default(),
        );
        let function = function("{a}\u{1b}[31m");
        let template = Template::read(&function.operation);
        let lineage = Lineage::local(0xabc, 0x12, Some(0x11));
        let mut operation = Operation::new(
            (&function, &template),
            (42, 7),
            (1_700_000_000_123_456_789, 1_234_567),
            lineage,
            attributes,
        );
        operation.unwound = true;
        let mut out = Vec::new();
        operation.json(&mut out);
        assert_eq!(
            String::from_utf8(out).expect("UTF-8"),
            concat!(
                r#"{"name":"1\u001b[31m","start_unix_nano":1700000000123456789,"duration_nano":1234567,"pid":42,"goid":7,"#,
                r#""rule":"http.server","kind":"server","unwound":true,"trace_id":"00000000000000000000000000000abc","#,
                r#""span_id":"0000000000000012","parent_span_id":"0000000000000011","attributes":{"a":1,"b":2}}"#,
                "\n"
            )
        );
    }

    #[test]
    fn an_operation_has_its_sample() {
        let mut function = function("o");
        let template = Template::read(&function.operation);
        function.sample = gopatch_protocol::manifest::Ratio::new(0.01);
        let lineage = Lineage::local(1, 1, None);
        let operation = Operation::new(
            (&function, &template),
            (42, 7),
            (0, 1000),
            lineage,
            Attributes::from_ends([None, None], true, Attributes::default()),
        );
        let mut out = Vec::new();
        operation.json(&mut out);
        let text = String::from_utf8(out).expect("UTF-8");
        assert!(text.contains(r#""kind":"server","sample":0.01,"trace_id""#), "{text}");
    }
}
