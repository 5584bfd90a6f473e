//! The secrets in URLs.
//!
//! Decides: which parts of a URL are credentials: users and passwords, and the values of some
//! parameters of queries.
//! Never does: show a part that may be one.

use std::borrow::Cow;

/// Query parameters whose values are credentials: those of OpenTelemetry's semantic conventions.
const SECRET_PARAMETERS: [&str; 7] = [
    "AWSAccessKeyId",
    "Signature",
    "sig",
    "X-Goog-Signature",
    "X-Amz-Signature",
    "X-Amz-Credential",
    "X-Amz-Security-Token",
];

/// What separates parameters; `;` for some servers.
const SEPARATORS: [char; 2] = ['&', ';'];

/// What replaces a secret.
const REDACTED: &str = "REDACTED";

/// A query with the values of its secrets redacted.
pub(crate) fn query_without_secrets(query: &str) -> Cow<'_, str> {
    let is_secret = |parameter: &str| {
        let name = parameter.split_once('=').map_or("", |(name, _)| name);
        let name = unescape(name).unwrap_or_else(|| name.into());
        SECRET_PARAMETERS.iter().any(|secret| name.eq_ignore_ascii_case(secret.as_bytes()))
    };
    if !query.split(SEPARATORS).any(is_secret) {
        return query.into();
    }
    let mut shown = String::with_capacity(query.len());
    for with_separator in query.split_inclusive(SEPARATORS) {
        let parameter = with_separator.strip_suffix(SEPARATORS).unwrap_or(with_separator);
        match parameter.split_once('=') {
            Some((name, _)) if is_secret(parameter) => {
                shown.extend([name, "=", REDACTED, &with_separator[parameter.len()..]]);
            }
            _ => shown += with_separator,
        }
    }
    shown.into()
}

/// The opaque part of a URL without user and password, and without the secrets of its query.
/// `None` if it is cut off where a password may be.
pub(crate) fn opaque_without_secrets(opaque: &str, is_cut: bool) -> Option<Cow<'_, str>> {
    let (address, query) = opaque.find('?').map_or((opaque, None), |at| (&opaque[..at], Some(&opaque[at + 1..])));
    let (slashes, rest) = address.strip_prefix("//").map_or(("", address), |rest| ("//", rest));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    // What is cut off may begin with the `@` after a password.
    if is_cut && path.is_empty() && query.is_none() {
        return None;
    }
    let query = query.map(query_without_secrets);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    if host.len() == authority.len() && !matches!(query, Some(Cow::Owned(_))) {
        return Some(opaque.into());
    }
    let mut shown = [slashes, host, path].concat();
    if let Some(query) = query {
        shown.extend(["?", &*query]);
    }
    Some(shown.into())
}

/// The bytes that a percent-encoded text stands for; `None` if it is not one.
pub(crate) fn unescape(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = str::from_utf8(rest.get(..2)?).ok()?;
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        bytes.push(u8::from_str_radix(digits, 16).ok()?);
        rest = &rest[2..];
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_values_of_credentials_are_redacted() {
        assert_eq!(query_without_secrets("a=1&b"), "a=1&b");
        let secret = "sig=1&X-Amz-Signature=2&x-amz-credential=3&X%2DAmz-Security-Token=4&Signature=&signed=5&sig";
        let hidden = "sig=REDACTED&X-Amz-Signature=REDACTED&x-amz-credential=REDACTED&\
                      X%2DAmz-Security-Token=REDACTED&Signature=REDACTED&signed=5&sig";
        assert_eq!(query_without_secrets(secret), hidden);
        assert_eq!(query_without_secrets("a=1;sig=2;b&SIG=3;"), "a=1;sig=REDACTED;b&SIG=REDACTED;");
        assert_eq!(query_without_secrets("sig=a=b&x"), "sig=REDACTED&x");
    }

    #[test]
    fn an_opaque_part_shows_no_user() {
        let shown = |opaque| opaque_without_secrets(opaque, false).unwrap_or_default();
        for same in ["", "/a@b", "//host/a@b?x=1", "host:443", "*"] {
            assert_eq!(shown(same), same);
        }
        assert_eq!(shown("//me:p@ss@host/a"), "//host/a");
        assert_eq!(shown("me:secret@host"), "host");
        assert_eq!(shown("//me:secret@host?sig=1&b"), "//host?sig=REDACTED&b");
        assert_eq!(shown("/a?sig=1"), "/a?sig=REDACTED");
        for cut in ["//me:secr", "me:secr", "//"] {
            assert_eq!(opaque_without_secrets(cut, true), None);
        }
        assert_eq!(opaque_without_secrets("//me:secret@host/a", true).as_deref(), Some("//host/a"));
        assert_eq!(opaque_without_secrets("/a", true).as_deref(), Some("/a"));
    }
}
