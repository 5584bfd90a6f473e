//! Turns the words and strings of a record into attributes.
//!
//! Decides: how a captured value is shown, by the capture's format in the manifest.
//! Trusts: that a record that matches the `Shape` of its captures holds their values. Its text may
//! be anything.
//! Never does: guess. A value that could not be captured is left out.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::net::Ipv6Addr;

use gopatch_protocol::manifest::{Capture, Format, ValueType, to_hex};
use gopatch_protocol::wire::Record;
use gopatch_protocol::wire::context::BYTES as CONTEXT_BYTES;
use serde::ser::{Serialize, SerializeMap, Serializer};

use super::cipher_suites::cipher_suite_name;
use super::secrets::{opaque_without_secrets, query_without_secrets};

/// The value of a method that is not in [`METHODS`].
pub(crate) const OTHER_METHOD: &str = "_OTHER";

/// The methods of OpenTelemetry's semantic conventions: those of RFC 9110, PATCH and QUERY.
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

    /// The same value, with a copy of its text.
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

/// The attributes of an operation, in the order of their captures. They borrow from the manifest
/// and from the records.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Attributes<'m>(Vec<(Cow<'m, str>, Value<'m>)>);

/// Collects attributes.
struct Builder<'m> {
    done: Vec<(Cow<'m, str>, Value<'m>)>,
    /// A name may come twice; the later value counts.
    repeats: bool,
}

/// One recorded end of a call: the captures of its point, and the record.
pub(crate) type RecordedEnd<'m> = (&'m [Capture], Record<'m>);

impl Serialize for Attributes<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.shown() {
            map.serialize_entry(name, &value)?;
        }
        map.end()
    }
}

/// Whether the captures of a function may give an attribute more than once.
pub(crate) fn repeats<'c>(captures: impl Iterator<Item = &'c Capture>) -> bool {
    let mut names = HashSet::new();
    let mut is_new =
        |name: Cow<'static, str>| names.insert(format!("{name}.truncated")) & names.insert(name.into_owned());
    let mut are_new = |capture: &Capture| {
        is_new(capture.attribute.clone().into()) & capture.format.second(&capture.attribute).is_none_or(&mut is_new)
    };
    !captures.fold(true, |all, capture| all & are_new(capture))
}

/// What a record must hold for its captures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) captures: usize,
    /// Which of them are strings, a bit each, as in the record's word of present captures.
    strings: u32,
    after: usize,
}

impl Shape {
    pub(crate) fn from_captures(captures: &[Capture], has_context: bool) -> Self {
        let strings = (0..u32::BITS).zip(captures).filter(|(_, capture)| capture.value == ValueType::String);
        let after = if has_context { CONTEXT_BYTES } else { 0 };
        Self { captures: captures.len(), strings: strings.map(|(bit, _)| 1 << bit).sum(), after }
    }

    /// Whether the record has no more than every record has.
    pub(crate) fn is_empty(self) -> bool {
        self.captures == 0 && self.after == 0
    }

    /// Whether a record holds all of it.
    #[inline]
    pub(crate) fn fits(self, record: &Record<'_>) -> bool {
        let Some((words, text)) = record.captured(self.captures) else {
            return false;
        };
        let (mut strings, mut stored_bytes) = (self.strings & record.present(), self.after);
        while strings != 0 {
            let (stored, full) = string_lengths(u64::from_le_bytes(words[strings.trailing_zeros() as usize]));
            if stored > full {
                return false;
            }
            stored_bytes += stored;
            strings &= strings - 1;
        }
        stored_bytes <= text.len()
    }
}

/// Stored and full length of a string, from its word.
#[inline]
fn string_lengths(word: u64) -> (usize, usize) {
    (word as u32 as usize, (word >> 32) as usize)
}

/// Whether a capture is present.
#[inline]
fn is_present(present: u32, index: usize) -> bool {
    present.checked_shr(index as u32).is_some_and(|bits| bits & 1 == 1)
}

impl<'m> Attributes<'m> {
    /// The attributes of an operation from its recorded ends, in the memory of earlier attributes.
    /// `repeats` is what [`repeats`] gives for the captures.
    pub(crate) fn from_ends(ends: [Option<RecordedEnd<'m>>; 2], repeats: bool, Self(done): Self) -> Self {
        debug_assert!(done.is_empty());
        let mut attributes = Builder { done, repeats };
        let is_set = |name: &Option<String>| name.as_ref().is_some_and(|name| is_true(&ends, name));
        for (captures, record) in ends.iter().flatten() {
            let (words, mut text) = record.captured(captures.len()).unwrap_or_default();
            let present = record.present();
            for (index, (capture, word)) in captures.iter().zip(words).enumerate() {
                if !is_present(present, index) {
                    if let Some(meant) = capture.absent_means.filter(|_| !is_set(&capture.absent_means_unless)) {
                        attributes.add_meaning(capture, Value::Int(meant), is_set);
                    }
                    continue;
                }
                let word = u64::from_le_bytes(*word);
                let value = match capture.value {
                    ValueType::Int => Value::Int(word as i64),
                    ValueType::Uint => Value::Uint(word),
                    ValueType::Bool => Value::Bool(word != 0),
                    ValueType::String => {
                        let (stored, full) = string_lengths(word);
                        let (bytes, rest) = text.split_at(stored.min(text.len()));
                        text = rest;
                        let is_cut = full > stored;
                        // Most strings are plain ASCII, with nothing to decide.
                        if capture.format == Format::Plain
                            && !(is_cut || bytes.is_empty())
                            && let Some(text) = ascii(bytes)
                        {
                            attributes.set(capture.attribute.as_str().into(), Value::Text(text.into()));
                            continue;
                        }
                        let value = match capture.format {
                            Format::Hex => to_hex(bytes).into(),
                            Format::UrlPath => escape_path(bytes),
                            Format::HostPort if is_cut => host_of_cut(bytes),
                            _ => to_text(bytes, is_cut),
                        };
                        if attributes.add_meaning(capture, Value::Text(value), is_set) && is_cut {
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
                attributes.add_meaning(capture, value, is_set);
            }
        }
        Self(attributes.done)
    }

    /// No attributes, in the same memory.
    pub(crate) fn emptied<'n>(mut self) -> Attributes<'n> {
        self.0.clear();
        // The types differ only in their lifetime, and collecting from the iterator of a vector
        // reuses its memory.
        Attributes(self.0.into_iter().map(|_| unreachable!("it is empty")).collect())
    }

    /// Attributes from names and values.
    #[cfg(test)]
    pub(crate) fn from_pairs(pairs: impl Iterator<Item = (&'static str, Value<'m>)>) -> Self {
        Self(pairs.map(|(name, value)| (name.into(), value)).collect())
    }

    /// Adds an attribute that no rule captures.
    pub(crate) fn push(&mut self, name: &'static str, value: Value<'m>) {
        self.0.push((name.into(), value));
    }

    /// The value of an attribute.
    pub(crate) fn get(&self, name: &str) -> Option<&Value<'m>> {
        self.0.iter().find(|(other, _)| other == name).map(|(_, value)| value)
    }

    /// Names and values as they may be shown: without secrets.
    pub(crate) fn shown(&self) -> impl Iterator<Item = (&str, Value<'_>)> {
        self.iter().filter_map(|(name, value)| {
            let value = match (name, value) {
                ("url.query", Value::Text(query)) => Value::Text(query_without_secrets(query)),
                ("url.opaque", Value::Text(opaque)) => {
                    let is_cut = self.get("url.opaque.truncated").is_some();
                    Value::Text(opaque_without_secrets(opaque, is_cut)?)
                }
                _ => value.borrowed(),
            };
            Some((name, value))
        })
    }

    /// Names and values as they were captured.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Value<'m>)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value))
    }
}

impl<'m> Builder<'m> {
    /// Adds a value, or what its zero means. Returns whether it is added at all.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "as for `set`")]
    fn add_meaning(
        &mut self,
        capture: &'m Capture,
        value: Value<'m>,
        is_set: impl Fn(&Option<String>) -> bool,
    ) -> bool {
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
    /// The place is made before the value, so that no part of the value is read again right after
    /// it was stored: processors stall on that if load and store have different widths.
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
    #[expect(clippy::inline_always, reason = "as for `set`")]
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
                if !host.is_empty() {
                    self.set(name.into(), Value::Text(host));
                }
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
            // A length that is not known.
            (Format::Size, Value::Int(..0)) => {}
            (format, value) => self.set(name.into(), formatted(format, value)),
        }
    }
}

/// The bytes as text, if they are plain ASCII, as most are.
#[inline]
fn ascii(bytes: &[u8]) -> Option<&str> {
    // SAFETY: ASCII is UTF-8.
    bytes.is_ascii().then(|| unsafe { std::str::from_utf8_unchecked(bytes) })
}

/// Whether a capture of this name is present and true.
fn is_true(ends: &[Option<RecordedEnd<'_>>; 2], name: &str) -> bool {
    ends.iter().flatten().any(|(captures, record)| {
        let is_flag = |capture: &Capture| capture.value == ValueType::Bool && capture.attribute == name;
        let (words, present) = (record.captured(captures.len()).unwrap_or_default().0, record.present());
        let mut flags = captures.iter().zip(words).enumerate().filter(|(_, (capture, _))| is_flag(capture));
        flags.any(|(index, (_, word))| is_present(present, index) && *word != [0; 8])
    })
}

/// Text of bytes that may be invalid UTF-8. A character that truncation has cut in two is removed.
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

/// Formats a value, or leaves it unchanged if the format is for another kind of value.
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

/// A well-known method. Go's client treats an empty one as `GET`.
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

/// Splits `host:port`, and removes the brackets of an IPv6 address. Text without a port is all
/// host. The address of a Unix socket is its path, or, where there is none (`@`), empty. A user and
/// password are left out, and the host too if the rest is not a port.
fn host_port(text: &str) -> (&str, Option<u16>) {
    match text {
        "@" => return ("", None),
        _ if text.starts_with(['/', '@']) => return (text, None),
        _ => {}
    }
    let text = text.rsplit_once('@').map_or(text, |(_, host)| host);
    let has_brackets = |host: &str| host.strip_prefix('[').is_some_and(|host| host.ends_with(']'));
    let is_address = |host: &str| host.split('%').next().is_some_and(|address| address.parse::<Ipv6Addr>().is_ok());
    let (host, port) = match text.rsplit_once(':') {
        Some(_) if is_address(text) || has_brackets(text) => (text, None),
        Some((host, "")) => (host, None),
        Some((host, port)) => match port.parse() {
            Ok(port) if !host.contains(':') || has_brackets(host) => (host, Some(port)),
            _ => ("", None),
        },
        None => (text, None),
    };
    (host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host), port)
}

/// The host of a `host:port` that is cut off: its port is not known.
fn host_of_cut(bytes: &[u8]) -> Cow<'_, str> {
    let text = to_text(bytes, true);
    if let Some((_, host)) = text.rsplit_once('@').filter(|_| !text.starts_with(['/', '@'])) {
        return host_of_cut(host.as_bytes()).into_owned().into();
    }
    let end = match text.strip_prefix('[') {
        Some(host) => host.find(']').map(|end| end + 2),
        None if text.starts_with(['/', '@']) => None,
        None => text.find(':'),
    };
    match (text, end) {
        (Cow::Borrowed(text), Some(end)) => text[..end].into(),
        (Cow::Owned(text), Some(end)) => text[..end].to_owned().into(),
        (text, None) => text,
    }
}

/// The path of a URL, percent-encoded as Go's `url.URL.EscapedPath` does.
pub(crate) fn escape_path(path: &[u8]) -> Cow<'_, str> {
    let stays = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~$&+,/:;=@".contains(&byte);
    match ascii(path) {
        Some(text) if path == b"*" || path.iter().all(|byte| stays(*byte)) => text.into(),
        _ => path
            .iter()
            .fold(String::with_capacity(2 * path.len()), |mut escaped, &byte| {
                if stays(byte) {
                    escaped.push(char::from(byte));
                } else {
                    write!(escaped, "%{byte:02X}").expect("a String takes all");
                }
                escaped
            })
            .into(),
    }
}

#[cfg(test)]
mod tests;
