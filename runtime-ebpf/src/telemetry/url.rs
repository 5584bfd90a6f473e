//! The URL of a client's request.
//!
//! Decides: `url.full`, from the parts of Go's `url.URL`, as the client sends it.
//! Trusts: nothing in the parts. Never does: guess. A URL that the parts do not determine is left
//! out.
//!
//! The parts are those of `(*URL).EscapedPath` and `(*URL).RequestURI` (Go's `src/net/url/url.go`)
//! and of `(*Request).write` (`src/net/http/request.go`).

use std::borrow::Cow;
use std::fmt::Write as _;
use std::net::Ipv6Addr;

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::calls::attributes::escape_path;
use crate::calls::secrets::{opaque_without_secrets, query_without_secrets, unescape};

/// What a decoded byte that is no UTF-8 has become. The URL had another byte there.
const LOST: char = '\u{fffd}';

/// A text that may be only the beginning of what the program has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Part<'u> {
    pub(crate) text: &'u str,
    pub(crate) is_cut: bool,
}

/// The parts of a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Url<'u> {
    pub(crate) scheme: &'u str,
    /// Without brackets and without port.
    pub(crate) host: &'u str,
    pub(crate) port: Option<i64>,
    /// `Path`, percent-encoded.
    pub(crate) path: Part<'u>,
    /// `RawPath`: how the path was written, if that differs from the usual way.
    pub(crate) raw_path: Part<'u>,
    /// `Opaque`, which stands for host and path.
    pub(crate) opaque: Part<'u>,
    pub(crate) query: Part<'u>,
    /// Whether there is a `?` even if the query is empty.
    pub(crate) force_query: bool,
}

impl Url<'_> {
    /// The URL as the client requests it: without user and password, without fragment, and with
    /// secrets redacted. It ends where a part of it is cut off.
    pub(crate) fn full(&self) -> Option<String> {
        let mut url = format!("{}:", self.scheme);
        let is_cut = match self.opaque.text {
            "" => {
                self.push_authority(&mut url)?;
                self.push_path(&mut url)
            }
            // The client sends it as it is, to the host.
            path if path.starts_with('/') && !path.starts_with("//") => {
                self.push_authority(&mut url)?;
                url += &encode(&opaque_without_secrets(path, self.opaque.is_cut)?);
                self.opaque.is_cut
            }
            opaque => {
                opaque.strip_prefix("//")?;
                url += &encode(&opaque_without_secrets(opaque, self.opaque.is_cut)?);
                self.opaque.is_cut
            }
        };
        if !is_cut && (self.force_query || !self.query.text.is_empty()) {
            if self.query.text.contains(LOST) {
                return None;
            }
            url.push('?');
            url += &encode(&query_without_secrets(self.query.text));
        }
        Some(url)
    }

    fn push_authority(&self, url: &mut String) -> Option<()> {
        let host = self.host;
        if host.is_empty() || host.contains(LOST) {
            return None;
        }
        *url += "//";
        if host.contains(':') {
            let (address, zone) = host.split_once('%').map_or((host, None), |(address, zone)| (address, Some(zone)));
            address.parse::<Ipv6Addr>().ok()?;
            write!(url, "[{address}").expect("a String takes all");
            if let Some(zone) = zone {
                write!(url, "%25{}", encode_host(zone)).expect("a String takes all");
            }
            url.push(']');
        } else {
            *url += &encode_host(host);
        }
        if let Some(port) = self.port {
            write!(url, ":{port}").expect("a String takes all");
        }
        Some(())
    }

    /// Adds the path. Returns whether its end is missing.
    fn push_path(&self, url: &mut String) -> bool {
        let path = self.raw_path().unwrap_or(self.path);
        // `OPTIONS *` is a request for the host as a whole.
        if path.text == "*" || path.text.is_empty() {
            return path.is_cut;
        }
        if !path.text.starts_with('/') {
            url.push('/');
        }
        *url += path.text;
        path.is_cut
    }

    /// `RawPath`, if it is a way to write the path, as `EscapedPath` demands.
    fn raw_path(&self) -> Option<Part<'_>> {
        let Part { text, is_cut } = self.raw_path;
        let is_valid = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~!$&'()*+,;=:@[]/%".contains(&byte);
        if text.is_empty() || !text.bytes().all(is_valid) {
            return None;
        }
        // An escape that is cut in two.
        let whole = match text.bytes().rev().take(2).position(|byte| byte == b'%') {
            Some(digits) if is_cut => &text[..text.len() - digits - 1],
            _ => text,
        };
        let path = escape_path(&unescape(whole)?).into_owned();
        let is_it = match (is_cut, self.path.is_cut) {
            (false, false) => path == self.path.text,
            (true, false) => self.path.text.starts_with(&path),
            (false, true) => path.starts_with(self.path.text),
            (true, true) => path.starts_with(self.path.text) || self.path.text.starts_with(&path),
        };
        is_it.then_some(Part { text: whole, is_cut })
    }
}

/// What no URL has.
const INVALID: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

/// What no host has.
const INVALID_IN_HOST: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=');

/// The text with each character percent-encoded that no URL has.
fn encode(text: &str) -> Cow<'_, str> {
    utf8_percent_encode(text, INVALID).into()
}

fn encode_host(text: &str) -> Cow<'_, str> {
    utf8_percent_encode(text, INVALID_IN_HOST).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn whole(text: &str) -> Part<'_> {
        Part { text, is_cut: false }
    }

    const fn cut(text: &str) -> Part<'_> {
        Part { text, is_cut: true }
    }

    const BASE: Url<'_> = Url {
        scheme: "http",
        host: "h.example",
        port: Some(8080),
        path: whole("/a"),
        raw_path: whole(""),
        opaque: whole(""),
        query: whole(""),
        force_query: false,
    };

    fn full(url: Url<'_>) -> String {
        url.full().unwrap_or_default()
    }

    #[test]
    fn the_path_is_as_it_was_written() {
        assert_eq!(full(BASE), "http://h.example:8080/a");
        let url = |path, raw_path| full(Url { path, raw_path, ..BASE });
        let escaped = whole("/a/b%3Fc%20d/%C3%A9");
        assert_eq!(url(escaped, whole("/a%2Fb%3Fc%20d/%C3%A9")), "http://h.example:8080/a%2Fb%3Fc%20d/%C3%A9");
        assert_eq!(url(escaped, whole("")), "http://h.example:8080/a/b%3Fc%20d/%C3%A9");
        // A program may have changed one and not the other, or set nonsense.
        for wrong in ["/other", "/a%2", "/a%zzb", "/a b", "/é"] {
            assert_eq!(url(escaped, whole(wrong)), "http://h.example:8080/a/b%3Fc%20d/%C3%A9", "{wrong}");
        }
        assert_eq!(url(whole("/%FF"), whole("/%ff")), "http://h.example:8080/%ff");
        assert_eq!(url(whole(""), whole("")), "http://h.example:8080");
        assert_eq!(url(whole("*"), whole("")), "http://h.example:8080");
        assert_eq!(url(whole("a"), whole("")), "http://h.example:8080/a");
    }

    #[test]
    fn a_url_ends_where_a_part_is_cut_off() {
        let url = |path, raw_path, query| full(Url { path, raw_path, query, ..BASE });
        assert_eq!(url(cut("/a/b"), whole(""), whole("x=1")), "http://h.example:8080/a/b");
        assert_eq!(url(whole("/a/bc"), cut("/a%2Fb%6"), whole("x=1")), "http://h.example:8080/a%2Fb");
        assert_eq!(url(cut("/a/b"), cut("/a%2Fb%"), whole("")), "http://h.example:8080/a%2Fb");
        assert_eq!(url(whole("/a"), whole(""), cut("x=1&sig=s")), "http://h.example:8080/a?x=1&sig=REDACTED");
    }

    #[test]
    fn queries_are_whole_and_hide_secrets() {
        let url = |query, force_query| full(Url { query: whole(query), force_query, ..BASE });
        assert_eq!(url("", true), "http://h.example:8080/a?");
        assert_eq!(url("q=a b#c&é", false), "http://h.example:8080/a?q=a%20b%23c&%C3%A9");
        assert_eq!(url("q=\u{fffd}", false), "", "the program sent another byte");
    }

    #[test]
    fn hosts_are_written_as_in_urls() {
        let url = |host| full(Url { host, port: None, ..BASE });
        assert_eq!(url("::1"), "http://[::1]/a");
        assert_eq!(url("fe80::1%eth0"), "http://[fe80::1%25eth0]/a");
        assert_eq!(url("bücher.example"), "http://b%C3%BCcher.example/a");
        assert_eq!(url("a:b"), "");
        assert_eq!(url(""), "");
    }

    #[test]
    fn opaque_urls_never_show_a_user() {
        let url = |opaque| full(Url { opaque, query: whole("x=1"), path: whole(""), ..BASE });
        assert_eq!(url(whole("/a%2Fb")), "http://h.example:8080/a%2Fb?x=1");
        assert_eq!(url(whole("//other/a%2Fb")), "http://other/a%2Fb?x=1");
        assert_eq!(url(whole("//me:secret@other/a")), "http://other/a?x=1");
        assert_eq!(url(cut("//me:secr")), "");
        assert_eq!(url(whole("//other/a?sig=s&b")), "http://other/a?sig=REDACTED&b?x=1");
        assert_eq!(url(whole("/a?sig=s")), "http://h.example:8080/a?sig=REDACTED?x=1");
        assert_eq!(url(whole("target:443")), "", "of CONNECT");
    }
}
