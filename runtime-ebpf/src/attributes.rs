//! Turns the words and strings of a record into attributes.
//!
//! Decides: how a captured value is shown, by what the manifest says of it.
//! Trusts: a record that `fits` its captures to hold what they ask for. Its text may be anything.
//! Never does: guessing. A value that could not be captured is left out.

use std::borrow::Cow;
use std::collections::HashSet;
use std::net::Ipv6Addr;

use gopatch_trampolines::manifest::{Capture, Format, ValueType, to_hex};
use gopatch_trampolines::wire::Record;
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::tls::cipher_suite_name;

/// The value of a method that is none of [`METHODS`].
pub(crate) const OTHER_METHOD: &str = "_OTHER";

/// The methods that OpenTelemetry's semantic conventions know: those of RFC 9110, PATCH and QUERY.
const METHODS: [&str; 10] = ["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS", "CONNECT", "TRACE", "QUERY"];

/// One value.
#[derive(Debug, Clone, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(untagged)]
pub(crate) enum Value<'r> {
    Int(i64),
    Uint(u64),
    Bool(bool),
    Text(Cow<'r, str>),
}

impl Value<'_> {
    /// The same value, without a copy of its text.
    pub(crate) fn borrowed(&self) -> Value<'_> {
        match self {
            Self::Int(value) => Value::Int(*value),
            Self::Uint(value) => Value::Uint(*value),
            Self::Bool(value) => Value::Bool(*value),
            Self::Text(value) => Value::Text(Cow::Borrowed(value)),
        }
    }

    /// The same value, with a text of its own.
    pub(crate) fn into_owned(self) -> Value<'static> {
        match self {
            Self::Int(value) => Value::Int(value),
            Self::Uint(value) => Value::Uint(value),
            Self::Bool(value) => Value::Bool(value),
            Self::Text(value) => Value::Text(Cow::Owned(value.into_owned())),
        }
    }
}

impl std::fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Int(value) => value.fmt(f),
            Self::Uint(value) => value.fmt(f),
            Self::Bool(value) => value.fmt(f),
            Self::Text(value) => value.fmt(f),
        }
    }
}

/// The attributes of an operation, in the order of their captures. They borrow from the manifest and from the records.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Attributes<'m>(Vec<(Cow<'m, str>, Value<'m>)>);

/// Attributes that are being put together.
struct Builder<'m> {
    done: Vec<(Cow<'m, str>, Value<'m>)>,
    /// A name may come twice; the later value is the one.
    repeats: bool,
}

/// What one end of a call has recorded: the captures of its point, and the record.
pub(crate) type Recorded<'m> = (&'m [Capture], Record<'m>);

impl Serialize for Attributes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// Whether captures of one function may give an attribute more than once.
pub(crate) fn repeats<'c>(captures: impl Iterator<Item = &'c Capture>) -> bool {
    let mut names = HashSet::new();
    let mut is_new =
        |name: Cow<'static, str>| names.insert(format!("{name}.truncated")) & names.insert(name.into_owned());
    let mut are_new = |capture: &Capture| {
        is_new(capture.attribute.clone().into()) & capture.format.second(&capture.attribute).is_none_or(&mut is_new)
    };
    !captures.fold(true, |all, capture| all & are_new(capture))
}

/// Whether a record holds all that its captures ask for.
pub(crate) fn fits(record: &Record<'_>, captures: &[Capture]) -> bool {
    let Some(text) = record.string_bytes(captures.len()) else {
        return false;
    };
    let strings = captures.iter().enumerate().filter(|(_, capture)| capture.value == ValueType::String);
    let lengths = strings.map(|(index, _)| string_lengths(record, index));
    let mut stored_bytes = 0;
    for (stored, full) in lengths {
        if stored > full {
            return false;
        }
        stored_bytes += stored;
    }
    stored_bytes <= text.len()
}

/// Stored and full length of a string; none of either when it could not be captured.
fn string_lengths(record: &Record<'_>, index: usize) -> (usize, usize) {
    if !record.present(index) {
        return (0, 0);
    }
    let word = record.word(index).unwrap_or(0);
    (word as u32 as usize, (word >> 32) as usize)
}

impl<'m> Attributes<'m> {
    /// The attributes of an operation from what its two ends have recorded, of captures that [`repeats`] or not.
    pub(crate) fn of(ends: [Option<Recorded<'m>>; 2], repeats: bool) -> Self {
        let most = ends.iter().flatten().map(|(captures, _)| captures.len()).sum::<usize>();
        if most == 0 {
            return Self::default();
        }
        // An address has a port besides.
        let mut attributes = Builder { done: Vec::with_capacity(most + 2), repeats };
        let is_set = |name: &Option<String>| name.as_ref().is_some_and(|name| is_true(&ends, name));
        for (captures, record) in ends.iter().flatten() {
            let mut text = record.string_bytes(captures.len()).unwrap_or_default();
            for (index, capture) in captures.iter().enumerate() {
                let (Some(word), true) = (record.word(index), record.present(index)) else {
                    if let Some(meant) = capture.absent_means.filter(|_| !is_set(&capture.absent_means_unless)) {
                        attributes.show(capture, Value::Int(meant), is_set);
                    }
                    continue;
                };
                let value = match capture.value {
                    ValueType::Int => Value::Int(word as i64),
                    ValueType::Uint => Value::Uint(word),
                    ValueType::Bool => Value::Bool(word != 0),
                    ValueType::String => {
                        let (stored, full) = string_lengths(record, index);
                        let (bytes, rest) = text.split_at(stored.min(text.len()));
                        text = rest;
                        let is_cut = full > stored;
                        // What most are, with nothing to decide.
                        if capture.format == Format::Plain
                            && !(is_cut || bytes.is_empty())
                            && let Some(text) = ascii(bytes)
                        {
                            attributes.set(capture.attribute.as_str().into(), Value::Text(text.into()));
                            continue;
                        }
                        let value = match capture.format {
                            Format::Hex => to_hex(bytes).into(),
                            _ => to_text(bytes, is_cut),
                        };
                        if attributes.show(capture, Value::Text(value), is_set) && is_cut {
                            let original = match capture.format {
                                Format::HttpMethod => capture.format.second(&capture.attribute),
                                _ => None,
                            };
                            let name = original.as_deref().unwrap_or(&capture.attribute);
                            attributes.set(format!("{name}.truncated").into(), Value::Uint(full as u64));
                        }
                        continue;
                    }
                };
                attributes.show(capture, value, is_set);
            }
        }
        Self(attributes.done)
    }

    /// These attributes.
    #[cfg(test)]
    pub(crate) fn from_pairs(pairs: impl Iterator<Item = (&'static str, Value<'m>)>) -> Self {
        Self(pairs.map(|(name, value)| (name.into(), value)).collect())
    }

    /// The value of an attribute.
    pub(crate) fn get(&self, name: &str) -> Option<&Value<'m>> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value)
    }

    /// Names and values.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Value<'m>)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value))
    }
}

impl<'m> Builder<'m> {
    /// Adds a value, or what it stands for. Gives whether it is shown at all.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as `set`")]
    fn show(&mut self, capture: &'m Capture, value: Value<'m>, is_set: impl Fn(&Option<String>) -> bool) -> bool {
        let value = match capture.zero_means {
            Some(meant) if value.as_number() == Some(0) && !is_set(&capture.zero_means_unless) => Value::Int(meant),
            _ => value,
        };
        let is_shown = !(capture.omit_zero && value.is_zero());
        if is_shown {
            self.add(capture, value);
        }
        is_shown
    }

    /// Sets an attribute.
    ///
    /// Its place is made before the value is, so that no part of a value is read again right behind the store that has written it:
    /// processors wait for that when the two have different widths.
    #[inline(always)]
    fn set(&mut self, name: Cow<'m, str>, value: Value<'m>) {
        const NOTHING: (Cow<'static, str>, Value<'static>) = (Cow::Borrowed(""), Value::Uint(0));
        let old = if self.repeats { self.done.iter().position(|(other, _)| *other == name) } else { None };
        let index = old.unwrap_or_else(|| {
            self.done.push(NOTHING);
            self.done.len() - 1
        });
        let place = &mut self.done[index];
        place.0 = name;
        place.1 = value;
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as `set`")]
    fn add(&mut self, capture: &'m Capture, value: Value<'m>) {
        if capture.format == Format::Plain {
            self.set(capture.attribute.as_str().into(), value);
        } else {
            self.add_formatted(capture, value);
        }
    }

    fn add_formatted(&mut self, capture: &'m Capture, value: Value<'m>) {
        let name = capture.attribute.as_str();
        match (capture.format, value) {
            (Format::HostPort, Value::Text(text)) => {
                let (host, port) = match text {
                    Cow::Borrowed(text) => {
                        let (host, port) = host_port(text);
                        (Cow::Borrowed(host), port)
                    }
                    Cow::Owned(text) => {
                        let (host, port) = host_port(&text);
                        (host.to_owned().into(), port)
                    }
                };
                self.set(name.into(), Value::Text(host));
                if let Some((port, name)) = port.zip(capture.format.second(name)) {
                    self.set(name, Value::Int(port.into()));
                }
            }
            (Format::HttpMethod, Value::Text(text)) => {
                let known = known_method(&text);
                self.set(name.into(), Value::Text(known.unwrap_or(OTHER_METHOD).into()));
                if let (None, Some(original)) = (known, capture.format.second(name)) {
                    self.set(original, Value::Text(text));
                }
            }
            (Format::HttpRoute, Value::Text(text)) => {
                if let Some(path) = text.find('/') {
                    let route = match text {
                        Cow::Borrowed(text) => text[path..].into(),
                        Cow::Owned(text) => text[path..].to_owned().into(),
                    };
                    self.set(name.into(), Value::Text(route));
                }
            }
            (format, value) => self.set(name.into(), formatted(format, value)),
        }
    }
}

/// Text, if it is plain ASCII, as most is.
#[inline]
fn ascii(bytes: &[u8]) -> Option<&str> {
    // SAFETY: ASCII is UTF-8.
    bytes.is_ascii().then(|| unsafe { std::str::from_utf8_unchecked(bytes) })
}

/// Whether a capture of this name was captured, and is true.
fn is_true(ends: &[Option<Recorded<'_>>; 2], name: &str) -> bool {
    ends.iter().flatten().any(|(captures, record)| {
        let is_it = |capture: &Capture| capture.value == ValueType::Bool && capture.attribute == name;
        let mut named = captures.iter().enumerate().filter(|(_, capture)| is_it(capture));
        named.any(|(index, _)| record.present(index) && record.word(index).is_some_and(|word| word != 0))
    })
}

/// Text of bytes that may be no UTF-8. Truncation may have cut a character in two: what is left of it goes too.
fn to_text(bytes: &[u8], truncated: bool) -> Cow<'_, str> {
    if let Some(text) = ascii(bytes) {
        return text.into();
    }
    let whole = match std::str::from_utf8(bytes) {
        Ok(text) => return text.into(),
        Err(error) if truncated && error.error_len().is_none() => &bytes[..error.valid_up_to()],
        Err(_) => bytes,
    };
    String::from_utf8_lossy(whole)
}

impl Value<'_> {
    fn is_zero(&self) -> bool {
        match self {
            Self::Int(value) => *value == 0,
            Self::Uint(value) => *value == 0,
            Self::Bool(value) => !value,
            Self::Text(value) => value.is_empty(),
        }
    }

    fn as_number(&self) -> Option<u64> {
        match self {
            Self::Int(value) => u64::try_from(*value).ok(),
            Self::Uint(value) => Some(*value),
            Self::Bool(_) | Self::Text(_) => None,
        }
    }
}

/// Shows a value as its format says, or as it is when the format is for another kind of value.
fn formatted(format: Format, value: Value<'_>) -> Value<'_> {
    match (format, value) {
        (Format::HttpVersion, Value::Text(text)) => Value::Text(match text {
            Cow::Borrowed(text) => http_version(text).into(),
            Cow::Owned(text) => http_version(&text).to_owned().into(),
        }),
        (Format::UrlScheme, Value::Bool(tls)) => Value::Text(if tls { "https" } else { "http" }.into()),
        (Format::TlsVersion, value) => value.as_number().map_or(value, |number| {
            Value::Text(match number {
                0x0301..=0x0304 => format!("1.{}", number - 0x0301).into(),
                _ => format!("0x{number:04x}").into(),
            })
        }),
        (Format::TlsCipher, value) => value.as_number().map_or(value, |number| {
            Value::Text(cipher_suite_name(number).map_or_else(|| format!("0x{number:04x}").into(), Cow::Borrowed))
        }),
        (_, value) => value,
    }
}

/// A method that many know. Go's client takes none for `GET`.
fn known_method(text: &str) -> Option<&'static str> {
    if text.is_empty() { Some("GET") } else { METHODS.into_iter().find(|known| *known == text) }
}

/// `HTTP/1.1` is 1.1, `HTTP/2.0` is 2.
fn http_version(text: &str) -> &str {
    match text.strip_prefix("HTTP/") {
        Some("2.0") => "2",
        Some("3.0") => "3",
        Some(version) => version,
        None => text,
    }
}

/// Takes `host:port` apart. An IPv6 address has its brackets taken off. What has no port is all host.
fn host_port(text: &str) -> (&str, Option<u16>) {
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if text.parse::<Ipv6Addr>().is_err() => match port.parse() {
            Ok(port) => (host, Some(port)),
            Err(_) => (text, None),
        },
        _ => (text, None),
    };
    (host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host), port)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn capture(attribute: &str, value: ValueType) -> Capture {
        Capture {
            attribute: attribute.into(),
            value,
            format: Format::Plain,
            zero_means: None,
            zero_means_unless: None,
            absent_means: None,
            absent_means_unless: None,
            omit_zero: false,
        }
    }

    /// A payload with one word a capture, all present, and the strings' bytes.
    fn payload(words: &[u64], text: &[u8]) -> Vec<u8> {
        let size = 32 + 8 * words.len() + text.len();
        let mut payload = vec![0; 32];
        payload[..4].copy_from_slice(&(size as u32).to_le_bytes());
        payload[28..32].copy_from_slice(&u32::MAX.to_le_bytes());
        payload.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        payload.extend(text);
        payload
    }

    fn json(captures: &[Capture], payload: &[u8]) -> String {
        let record = Record::parse(payload).expect("a good record");
        assert!(fits(&record, captures));
        serde_json::to_string(&Attributes::of([Some((captures, record)), None], repeats(captures.iter())))
            .expect("json")
    }

    fn string(stored: u64, full: u64) -> u64 {
        stored | full << 32
    }

    #[test]
    fn values_are_shown_in_the_order_of_their_captures() {
        let captures = [
            capture("z", ValueType::Int),
            capture("b", ValueType::Uint),
            capture("c", ValueType::Bool),
            capture("a", ValueType::String),
        ];
        let payload = payload(&[-5i64 as u64, u64::MAX, 1, string(2, 2)], b"hi");
        assert_eq!(json(&captures, &payload), r#"{"z":-5,"b":18446744073709551615,"c":true,"a":"hi"}"#);
    }

    #[test]
    fn what_was_not_captured_is_left_out() {
        let captures = [capture("a", ValueType::String), capture("b", ValueType::String)];
        let mut payload = payload(&[string(9, 9), string(2, 2)], b"hi");
        payload[28..32].copy_from_slice(&0b10u32.to_le_bytes());
        assert_eq!(json(&captures, &payload), r#"{"b":"hi"}"#, "the word of an absent string has no length");
    }

    #[test]
    fn a_truncated_string_says_so_and_loses_no_more_than_half_a_character() {
        let captures = [capture("a", ValueType::String), capture("b", ValueType::String)];
        let text = ["äö".as_bytes(), &[0xff, b'x']].concat();
        let payload = payload(&[string(3, 400), string(2, 2)], &[&text[..3], &text[4..]].concat());
        assert_eq!(json(&captures, &payload), "{\"a\":\"ä\",\"a.truncated\":400,\"b\":\"\u{fffd}x\"}");
    }

    #[test]
    fn bytes_are_shown_in_hex() {
        let mut id = capture("id", ValueType::String);
        id.format = Format::Hex;
        let shown = |full| json(std::slice::from_ref(&id), &payload(&[string(3, full)], &[0xff, 0, 0x1a]));
        assert_eq!(shown(3), r#"{"id":"ff001a"}"#);
        assert_eq!(shown(20), r#"{"id":"ff001a","id.truncated":20}"#);
    }

    #[test]
    fn strings_that_do_not_fit_are_found() {
        let captures = [capture("a", ValueType::String), capture("b", ValueType::String)];
        let bad = |words: &[u64], text: &[u8]| {
            let payload = payload(words, text);
            !fits(&Record::parse(&payload).expect("the size is good"), &captures)
        };
        assert!(bad(&[string(2, 2), string(1, 1)], b"hi"), "more text than there is");
        assert!(bad(&[string(2, 1), 0], b"hi"), "more stored than there was");
        assert!(bad(&[string(u32::MAX.into(), u32::MAX.into()); 2], b"hi"), "a sum that is too large for u32");
        assert!(bad(&[0], b""), "fewer words than captures");
    }

    #[test]
    fn zero_can_mean_something_else() {
        let mut status = capture("status", ValueType::Int);
        status.zero_means = Some(200);
        status.zero_means_unless = Some("hijacked".into());
        status.omit_zero = true;
        let mut hijacked = capture("hijacked", ValueType::Bool);
        hijacked.omit_zero = true;
        let captures = [status, hijacked];
        assert_eq!(json(&captures, &payload(&[0, 0], b"")), r#"{"status":200}"#);
        assert_eq!(json(&captures, &payload(&[0, 1], b"")), r#"{"hijacked":true}"#);
        assert_eq!(json(&captures, &payload(&[404, 0], b"")), r#"{"status":404}"#);
    }

    #[test]
    fn absence_can_mean_something() {
        let mut code = capture("code", ValueType::Int);
        code.absent_means = Some(0);
        code.absent_means_unless = Some("failed".into());
        let captures = [code, capture("failed", ValueType::Bool)];
        let shown = |words: &[u64; 2], present: u32| {
            let mut payload = payload(words, b"");
            payload[28..32].copy_from_slice(&present.to_le_bytes());
            json(&captures, &payload)
        };
        assert_eq!(shown(&[0, 0], 0b10), r#"{"code":0,"failed":false}"#);
        assert_eq!(shown(&[0, 1], 0b10), r#"{"failed":true}"#, "nobody knows the code");
        assert_eq!(shown(&[5, 1], 0b11), r#"{"code":5,"failed":true}"#);
    }

    #[test]
    fn an_exit_replaces_what_its_entry_said() {
        let captures = [capture("n", ValueType::Int)];
        let (entry, exit) = (payload(&[1], b""), payload(&[2], b""));
        let records = [&entry, &exit].map(|payload| Some((&captures[..], Record::parse(payload).expect("good"))));
        assert!(repeats(captures.iter().chain(&captures)));
        assert_eq!(Attributes::of(records, true).get("n"), Some(&Value::Int(2)));
    }

    #[test]
    fn captures_that_give_an_attribute_twice_are_known() {
        let mut client = capture("client.address", ValueType::String);
        client.format = Format::HostPort;
        let give_twice = |others: [&str; 2]| {
            let others = others.map(|name| capture(name, ValueType::String));
            repeats([&client].into_iter().chain(&others))
        };
        assert!(!give_twice(["a", "b"]));
        for others in [["a", "a"], ["a", "client.port"], ["a.truncated", "a"], ["b", "client.port.truncated"]] {
            assert!(give_twice(others), "{others:?}");
        }
    }

    #[test]
    fn addresses_are_taken_apart() {
        let mut client = capture("client.address", ValueType::String);
        client.format = Format::HostPort;
        let shown = |text: &str| {
            let length = text.len() as u64;
            json(std::slice::from_ref(&client), &payload(&[string(length, length)], text.as_bytes()))
        };
        assert_eq!(shown("10.0.0.1:80"), r#"{"client.address":"10.0.0.1","client.port":80}"#);
        assert_eq!(shown("[::1]:8080"), r#"{"client.address":"::1","client.port":8080}"#);
        assert_eq!(shown("[fe80::1%eth0]:1"), r#"{"client.address":"fe80::1%eth0","client.port":1}"#);
        assert_eq!(shown("[::1]"), r#"{"client.address":"::1"}"#);
        assert_eq!(shown("::1"), r#"{"client.address":"::1"}"#);
        assert_eq!(shown("example.org"), r#"{"client.address":"example.org"}"#);
        assert_eq!(shown("example.org:http"), r#"{"client.address":"example.org:http"}"#);
        assert_eq!(shown("@"), r#"{"client.address":"@"}"#);
    }

    #[test]
    fn methods_that_nobody_knows_are_few() {
        let mut method = capture("http.request.method", ValueType::String);
        method.format = Format::HttpMethod;
        let shown = |text: &str, full: u64| {
            json(std::slice::from_ref(&method), &payload(&[string(text.len() as u64, full)], text.as_bytes()))
        };
        assert_eq!(shown("GET", 3), r#"{"http.request.method":"GET"}"#);
        assert_eq!(shown("", 0), r#"{"http.request.method":"GET"}"#, "as Go's client has it");
        assert_eq!(shown("get", 3), r#"{"http.request.method":"_OTHER","http.request.method_original":"get"}"#);
        assert_eq!(
            shown("FROBNICA", 12),
            r#"{"http.request.method":"_OTHER","http.request.method_original":"FROBNICA","http.request.method_original.truncated":12}"#
        );
    }

    #[test]
    fn a_route_is_the_path_of_a_pattern() {
        let mut route = capture("http.route", ValueType::String);
        route.format = Format::HttpRoute;
        let shown = |text: &str| {
            let length = text.len() as u64;
            json(std::slice::from_ref(&route), &payload(&[string(length, length)], text.as_bytes()))
        };
        assert_eq!(shown("/items/{id}"), r#"{"http.route":"/items/{id}"}"#);
        assert_eq!(shown("GET /items/{id}"), r#"{"http.route":"/items/{id}"}"#);
        assert_eq!(shown("GET \t example.com/{path...}"), r#"{"http.route":"/{path...}"}"#);
        assert_eq!(shown("example.com/"), r#"{"http.route":"/"}"#);
        assert_eq!(shown(""), "{}", "no mux has seen it");
        assert_eq!(shown("other"), "{}", "none of a mux");
    }

    #[test]
    fn formats() {
        let text = |text: &'static str| Value::Text(text.into());
        assert_eq!(formatted(Format::HttpVersion, text("HTTP/1.1")), text("1.1"));
        assert_eq!(formatted(Format::HttpVersion, text("HTTP/2.0")), text("2"));
        assert_eq!(formatted(Format::HttpVersion, text("odd")), text("odd"));
        assert_eq!(formatted(Format::UrlScheme, Value::Bool(true)), text("https"));
        assert_eq!(formatted(Format::TlsVersion, Value::Uint(0x0304)), text("1.3"));
        assert_eq!(formatted(Format::TlsVersion, Value::Uint(0)), text("0x0000"));
        assert_eq!(formatted(Format::TlsCipher, Value::Uint(0x1301)), text("TLS_AES_128_GCM_SHA256"));
        assert_eq!(formatted(Format::TlsCipher, Value::Int(-1)), Value::Int(-1));
    }

    proptest! {
        /// A process may write anything: what fits can be shown, and what does not is told.
        #[test]
        fn any_bytes_can_be_read(mut payload in prop::collection::vec(any::<u8>(), 32..200), whole in any::<bool>()) {
            if whole {
                let size = payload.len() as u32;
                payload[..4].copy_from_slice(&size.to_le_bytes());
            }
            let mut captures = vec![capture("a", ValueType::String), capture("b.address", ValueType::String)];
            captures[1].format = Format::HostPort;
            captures.push(capture("c", ValueType::Bool));
            if let Some(record) = Record::parse(&payload)
                && fits(&record, &captures)
            {
                serde_json::to_string(&Attributes::of([Some((&captures, record)), None], repeats(captures.iter()))).expect("json");
            }
        }
    }
}
