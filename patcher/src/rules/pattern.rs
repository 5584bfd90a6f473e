//! Whether the patterns of a rule match a function's import path, receiver and name.
//!
//! ```text
//! import     path; `*` stands for a part of one element, `...` for anything; `x/...` matches x too;
//!            `*` alone: every package
//! receiver   `T` or `*T`; a further `*` stands for a part of the name; `*` alone: any receiver;
//!            `**`: any pointer
//! function   name; `*` stands for a part of one name; `*` alone: every function of the package or
//!            the receiver
//! ```

use super::syntax::glob::{Wildcards, matches};

/// Whether an import path is a glob.
pub fn is_import_glob(text: &str) -> bool {
    text.contains('*') || text.contains("...")
}

/// Whether a receiver is a glob; a `*` before a name is Go's.
pub fn is_receiver_glob(text: &str) -> bool {
    text == "*" || text.strip_prefix('*').unwrap_or(text).contains('*')
}

/// Whether a function's name is a glob.
pub fn is_function_glob(text: &str) -> bool {
    text.contains('*')
}

/// Whether a pattern matches an import path.
pub fn import_matches(pattern: &str, path: &str) -> bool {
    if pattern == "*" || pattern.strip_suffix("/...").is_some_and(|parent| matches(parent, path, Wildcards::ImportPath))
    {
        return true;
    }
    matches(pattern, path, Wildcards::ImportPath)
}

/// Whether a pattern matches a receiver.
pub fn receiver_matches(pattern: &str, receiver: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    match (pattern.strip_prefix('*'), receiver.strip_prefix('*')) {
        (Some(pattern), Some(receiver)) => matches(pattern, receiver, Wildcards::Name),
        (None, None) => matches(pattern, receiver, Wildcards::Name),
        _ => false,
    }
}

/// Whether a pattern matches a function's name.
pub fn function_matches(pattern: &str, function: &str) -> bool {
    pattern == "*" || matches(pattern, function, Wildcards::Name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_a_part_of_one_name() {
        for (pattern, yes, no) in [
            ("Get*", &["Get", "GetUser"][..], &["Forget", "GetUser.func1", "Getter.Read"][..]),
            ("*.func1", &["GetUser.func1"], &["GetUser", "GetUser.func2"]),
            ("G*t*r", &["GetUser", "Gtr"], &["GetUsers"]),
            ("*", &["GetUser", "GetUser.func1", ""], &[]),
            ("Get", &["Get"], &["GetUser", "ge"]),
        ] {
            assert!(yes.iter().all(|name| function_matches(pattern, name)), "{pattern}");
            assert!(!no.iter().any(|name| function_matches(pattern, name)), "{pattern}");
        }
        for (pattern, yes, no) in [
            ("example.com/app/...", &["example.com/app", "example.com/app/a/b"][..], &["example.com/apple"][..]),
            ("example.com/*/store", &["example.com/a/store"], &["example.com/a/b/store", "example.com/store"]),
            ("*", &["main", "a.b/c"], &[]),
            ("main", &["main"], &["main/x"]),
            (".../store", &["a/store", "a/b/store"], &["a/stores"]),
        ] {
            assert!(yes.iter().all(|path| import_matches(pattern, path)), "{pattern}");
            assert!(!no.iter().any(|path| import_matches(pattern, path)), "{pattern}");
        }
        for (pattern, yes, no) in [
            ("*", &["T", "*T"][..], &[][..]),
            ("**", &["*T"], &["T"]),
            ("*Conn", &["*Conn"], &["Conn", "*MyConn"]),
            ("**Conn", &["*Conn", "*MyConn"], &["Conn"]),
            ("Con*", &["Conn"], &["*Conn"]),
        ] {
            assert!(yes.iter().all(|receiver| receiver_matches(pattern, receiver)), "{pattern}");
            assert!(!no.iter().any(|receiver| receiver_matches(pattern, receiver)), "{pattern}");
        }
    }
}
