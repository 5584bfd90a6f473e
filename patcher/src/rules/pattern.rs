//! Which functions a rule means, by their symbol names.
//!
//! Decides: how a symbol name falls into package, receiver and function, and which of them a glob matches.
//! Trusts: the names to be spelled as Go's linker does. Never does: look at code.
//!
//! ```text
//! import     path, in which `*` stands for a part of one element and `...` for anything; `x/...` is x too; `*`: every package
//! receiver   `T`, `*T`, in which a further `*` stands for a part of a name; `*`: any; `**`: any pointer
//! function   name, in which `*` stands for a part of one name; `*`: every function of the package or of the receiver
//! ```

use std::borrow::Cow;

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

/// What the compiler calls a closure, and a call that `go` or `defer` makes, inside the function that has it.
const INNER: &[&str] = &["func", "gowrap", "deferwrap"];

/// A symbol name in its parts, without type arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name<'a> {
    symbol: Cow<'a, str>,
    /// Import path, as the source has it.
    pub package: String,
    /// Bytes of the symbol in front of the receiver or the function.
    behind_package: usize,
    /// Bytes of the symbol that are the receiver, as rules spell it.
    receiver: Option<(usize, usize)>,
    /// Bytes of the symbol in front of the function.
    behind_receiver: usize,
}

impl<'a> Name<'a> {
    /// Reads a symbol name; `None` of a function that no source has (`type:.eq.T`).
    pub fn parse(symbol: &'a str) -> Option<Self> {
        if ["type:", "type..", "go:", "go.."].iter().any(|prefix| symbol.starts_with(prefix)) {
            return None;
        }
        let symbol = without_type_arguments(symbol);
        let last_element = symbol.rfind('/').map_or(0, |slash| slash + 1);
        let dot = last_element + symbol[last_element..].find('.')?;
        let package = unescaped(&symbol[..dot]);
        let behind_package = dot + 1;
        let rest = &symbol[behind_package..];
        let (receiver, behind_receiver) = if rest.starts_with("(*") {
            let end = rest.find(").")?;
            (Some((behind_package + 1, behind_package + end)), behind_package + end + 2)
        } else {
            match rest.split_once('.') {
                // `F.func1` is no method, nor is a closure outside of functions: `glob..func1`, `init.func1`.
                Some((first, inner)) if !is_inner(inner) && !inner.starts_with('.') && first != "init" => {
                    (Some((behind_package, behind_package + first.len())), behind_package + first.len() + 1)
                }
                _ => (None, behind_package),
            }
        };
        Some(Self { symbol, package, behind_package, receiver, behind_receiver })
    }

    /// The symbol name without type arguments.
    pub fn symbol(&self) -> &str {
        &self.symbol
    }

    /// The receiver as rules spell it, `T` or `*T`.
    pub fn receiver(&self) -> Option<&str> {
        self.receiver.map(|(start, end)| &self.symbol[start..end])
    }

    /// What follows package and receiver.
    pub fn function(&self) -> &str {
        &self.symbol[self.behind_receiver..]
    }

    /// What follows the package.
    pub fn in_package(&self) -> &str {
        &self.symbol[self.behind_package..]
    }

    /// Whether cgo made it, to call a function of C's: its arguments lie as in assembly (Go's `src/cmd/cgo/out.go`).
    pub fn is_of_cgo(&self) -> bool {
        ["_Cfunc_", "_C2func_", "_cgo_"].iter().any(|prefix| self.function().starts_with(prefix))
    }

    /// Whether it is of the runtime, where no glob matches.
    pub fn is_of_the_runtime(&self) -> bool {
        is_of_the_runtime(&self.package)
    }
}

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

/// A symbol name without the type arguments of generic functions and types: pclntab spells them `[...]` until Go 1.26, DWARF
/// and later pclntabs in full.
pub fn without_type_arguments(symbol: &str) -> Cow<'_, str> {
    if !symbol.contains('[') {
        return Cow::Borrowed(symbol);
    }
    let mut depth = 0u32;
    let mut plain = String::with_capacity(symbol.len());
    for character in symbol.chars() {
        match character {
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            other if depth == 0 => plain.push(other),
            _ => {}
        }
    }
    Cow::Owned(plain)
}

/// Whether a name behind a function's is of something inside that function.
fn is_inner(name: &str) -> bool {
    let first = name.split(['.', '-']).next().unwrap_or_default();
    let number = INNER.iter().find_map(|inner| first.strip_prefix(inner)).unwrap_or(first);
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// The reverse of [`crate::golang::symbol_prefix`].
fn unescaped(prefix: &str) -> String {
    let mut parts = prefix.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        if let Some(byte) = part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            bytes.push(byte);
            bytes.extend_from_slice(&part.as_bytes()[2..]);
        } else {
            bytes.push(b'%');
            bytes.extend_from_slice(part.as_bytes());
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbol_names_fall_into_their_parts() {
        for (symbol, package, receiver, function) in [
            ("main.main", "main", None, "main"),
            ("net/http.(*conn).serve", "net/http", Some("*conn"), "serve"),
            ("net/http.(*conn).serve.func1", "net/http", Some("*conn"), "serve.func1"),
            ("net/http.serverHandler.ServeHTTP", "net/http", Some("serverHandler"), "ServeHTTP"),
            ("gopkg.in/yaml%2ev3.Marshal", "gopkg.in/yaml.v3", None, "Marshal"),
            ("main.GetA.func1.2", "main", None, "GetA.func1.2"),
            ("main.call.deferwrap1", "main", None, "call.deferwrap1"),
            ("main.glob..func1", "main", None, "glob..func1"),
            ("main.init.func1", "main", None, "init.func1"),
            ("main.init.0", "main", None, "init.0"),
            // Type arguments, as Go 1.26 and as Go 1.27 spells them.
            ("a.b/store.(*List[...]).Push", "a.b/store", Some("*List"), "Push"),
            ("a.b/store.(*List[go.shape.struct { a/b.X int }]).Push", "a.b/store", Some("*List"), "Push"),
            ("a.b/store.Map[go.shape.int,go.shape.[]a/b.T].func2", "a.b/store", None, "Map.func2"),
            ("a.b/store.Pair[...].Swap", "a.b/store", Some("Pair"), "Swap"),
        ] {
            let name = Name::parse(symbol).expect(symbol);
            assert_eq!((name.package.as_str(), name.receiver(), name.function()), (package, receiver, function));
        }
        for symbol in ["type:.eq.main.T", "type..eq.[2]main.T", "go:buildid", "nodot"] {
            assert_eq!(Name::parse(symbol), None, "{symbol}");
        }
    }

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
        let of_runtime = |symbol| Name::parse(symbol).expect(symbol).is_of_the_runtime();
        assert!(of_runtime("runtime.sighandler") && of_runtime("internal/runtime/maps.(*Map).Delete"));
        assert!(!of_runtime("runtime/pprof.StartCPUProfile") && !of_runtime("main.main"));
        let of_cgo = |symbol| Name::parse(symbol).expect(symbol).is_of_cgo();
        assert!(of_cgo("net._C2func_getaddrinfo") && of_cgo("net._Cfunc_free") && !of_cgo("net.cgoLookupHost"));
    }
}
