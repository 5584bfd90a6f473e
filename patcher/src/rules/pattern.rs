//! Which functions a rule means, by their package, receiver and name.
//!
//! Decides: which of them a glob matches. Never does: look at code.
//!
//! ```text
//! import     path, in which `*` stands for a part of one element and `...` for anything; `x/...` is x too; `*`: every package
//! receiver   `T`, `*T`, in which a further `*` stands for a part of a name; `*`: any; `**`: any pointer
//! function   name, in which `*` stands for a part of one name; `*`: every function of the package or of the receiver
//! ```

/// Packages in which no glob matches anything: the runtime, and what it is made of. Parts of them run in signal handlers,
/// which may come while a hook is at work with what belongs to the P; nothing in a function says whether it does.
const RUNTIME: &[&str] = &[
    "runtime",
    "runtime/internal/...",
    "internal/runtime/...",
    "internal/abi",
    "internal/bytealg",
    "internal/chacha8rand",
    "internal/coverage/rtcov",
    "internal/cpu",
    "internal/goarch",
    "internal/stringslite",
];

/// Whether a package is of the runtime.
pub fn is_of_the_runtime(package: &str) -> bool {
    RUNTIME.iter().any(|pattern| import_matches(pattern, package))
}

/// Whether an import path is a glob.
pub fn is_import_glob(text: &str) -> bool {
    text.contains('*') || text.contains("...")
}

/// Whether a receiver is a glob; a `*` in front of a name is Go's.
pub fn is_receiver_glob(text: &str) -> bool {
    text == "*" || text.strip_prefix('*').unwrap_or(text).contains('*')
}

/// Whether a function's name is a glob.
pub fn is_function_glob(text: &str) -> bool {
    text.contains('*')
}

/// Whether an import path is of those that a pattern means.
pub fn import_matches(pattern: &str, path: &str) -> bool {
    if pattern == "*" || pattern.strip_suffix("/...").is_some_and(|parent| glob(parent, path, '/')) {
        return true;
    }
    glob(pattern, path, '/')
}

/// Whether a receiver is of those that a pattern means.
pub fn receiver_matches(pattern: &str, receiver: &str) -> bool {
    if pattern == "*" {
        return true;
    }
    match (pattern.strip_prefix('*'), receiver.strip_prefix('*')) {
        (Some(pattern), Some(receiver)) => glob(pattern, receiver, '.'),
        (None, None) => glob(pattern, receiver, '.'),
        _ => false,
    }
}

/// Whether a function's name is of those that a pattern means.
pub fn function_matches(pattern: &str, function: &str) -> bool {
    pattern == "*" || glob(pattern, function, '.')
}

/// Whether `pattern` is `text` when each `*` stands for any characters but `stop`; in paths, `...` for any at all.
fn glob(pattern: &str, text: &str, stop: char) -> bool {
    let dots = pattern.find("...").filter(|_| stop == '/');
    let Some(literal) = pattern.find('*').into_iter().chain(dots).min() else { return pattern == text };
    let Some(text) = text.strip_prefix(&pattern[..literal]) else { return false };
    let (rest, reach) = match pattern[literal..].strip_prefix('*') {
        Some(rest) => (rest, text.find(stop).unwrap_or(text.len())),
        None => (&pattern[literal + 3..], text.len()),
    };
    (0..=reach).filter(|&at| text.is_char_boundary(at)).any(|at| glob(rest, &text[at..], stop))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_stop_where_names_end() {
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

    #[test]
    fn the_runtime_is_known() {
        assert!(is_of_the_runtime("runtime") && is_of_the_runtime("internal/runtime/maps"));
        assert!(!is_of_the_runtime("runtime/pprof") && !is_of_the_runtime("main"));
    }
}
