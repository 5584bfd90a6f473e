//! Symbol names as Go's linker spells them: their parts, their type arguments, and the escapes in
//! import paths.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Prefixes of the compiler's names for closures, and for the calls of `go` and `defer`, inside a
/// function.
const INNER: &[&str] = &["func", "gowrap", "deferwrap"];

/// A symbol name split into its parts, without type arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name<'a> {
    symbol: Cow<'a, str>,
    /// Import path, as the source has it.
    pub package: String,
    /// Where in the symbol the part after the package begins.
    after_package: usize,
    /// Where in the symbol the receiver is, as rules spell it.
    receiver: Option<(usize, usize)>,
    /// Where in the symbol the function's own name begins.
    after_receiver: usize,
}

impl<'a> Name<'a> {
    /// Splits a symbol name; `None` for a function that the compiler made up (`type:.eq.T`).
    pub fn parse(symbol: &'a str) -> Option<Self> {
        if ["type:", "type..", "go:", "go.."].iter().any(|prefix| symbol.starts_with(prefix)) {
            return None;
        }
        let symbol = without_type_arguments(symbol);
        let last_element = symbol.rfind('/').map_or(0, |slash| slash + 1);
        let dot = last_element + symbol[last_element..].find('.')?;
        let package = unescaped(&symbol[..dot]);
        let after_package = dot + 1;
        let rest = &symbol[after_package..];
        let (receiver, after_receiver) = if rest.starts_with("(*") {
            let end = rest.find(").")?;
            (Some((after_package + 1, after_package + end)), after_package + end + 2)
        } else {
            match rest.split_once('.') {
                // Not methods: `F.func1`, and closures outside of functions, `glob..func1` and
                // `init.func1`.
                Some((first, inner)) if !is_inner(inner) && !inner.starts_with('.') && first != "init" => {
                    (Some((after_package, after_package + first.len())), after_package + first.len() + 1)
                }
                _ => (None, after_package),
            }
        };
        Some(Self { symbol, package, after_package, receiver, after_receiver })
    }

    /// The symbol name without type arguments.
    pub fn symbol(&self) -> &str {
        &self.symbol
    }

    /// The receiver as rules spell it, `T` or `*T`.
    pub fn receiver(&self) -> Option<&str> {
        self.receiver.map(|(start, end)| &self.symbol[start..end])
    }

    /// The part after the package and the receiver.
    pub fn function(&self) -> &str {
        &self.symbol[self.after_receiver..]
    }

    /// The part after the package.
    pub fn in_package(&self) -> &str {
        &self.symbol[self.after_package..]
    }

    /// Whether cgo made the function, to call one of C: its arguments are passed as in assembly
    /// (Go's `src/cmd/cgo/out.go`).
    pub fn is_of_cgo(&self) -> bool {
        ["_Cfunc_", "_C2func_", "_cgo_"].iter().any(|prefix| self.function().starts_with(prefix))
    }
}

/// A symbol name without the type arguments of generic functions and types. Up to Go 1.26 pclntab
/// spells them `[...]`; later pclntabs and DWARF spell them in full.
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

/// An import path as in symbol names, where dots in the last element and unprintable bytes are
/// escaped: `gopkg.in/yaml.v3` becomes `gopkg.in/yaml%2ev3` (`src/cmd/internal/objabi/path.go`).
pub fn symbol_prefix(import_path: &str) -> String {
    let last = import_path.rfind('/').map_or(0, |slash| slash + 1);
    let mut prefix = String::with_capacity(import_path.len());
    for (index, byte) in import_path.bytes().enumerate() {
        if byte <= b' ' || byte == b'%' || byte == b'"' || byte >= 0x7f || (byte == b'.' && index >= last) {
            // Writing to a String cannot fail.
            let _ = write!(prefix, "%{byte:02x}");
        } else {
            prefix.push(char::from(byte));
        }
    }
    prefix
}

/// The name of a type, or of a pointer to one, as in symbol names and in DWARF.
pub fn symbol_name(type_name: &str) -> String {
    match type_name.rsplit_once('.') {
        Some((package, name)) => format!("{}.{name}", symbol_prefix(package)),
        None => type_name.to_owned(),
    }
}

/// Whether the name after a function's is that of a closure or call inside it.
fn is_inner(name: &str) -> bool {
    let first = name.split(['.', '-']).next().unwrap_or_default();
    let number = INNER.iter().find_map(|inner| first.strip_prefix(inner)).unwrap_or(first);
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

/// The reverse of [`symbol_prefix`].
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
    fn symbol_names_are_split_into_their_parts() {
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
            // Type arguments in the spelling of Go 1.26 and of Go 1.27.
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
    fn functions_of_cgo_are_recognised() {
        let of_cgo = |symbol| Name::parse(symbol).expect(symbol).is_of_cgo();
        assert!(of_cgo("net._C2func_getaddrinfo") && of_cgo("net._Cfunc_free") && !of_cgo("net.cgoLookupHost"));
    }

    #[test]
    fn import_paths_are_escaped_as_by_the_linker() {
        assert_eq!(symbol_prefix("net/http"), "net/http");
        assert_eq!(symbol_prefix("gopkg.in/yaml.v3"), "gopkg.in/yaml%2ev3");
        assert_eq!(symbol_prefix("example.com/a b"), "example.com/a%20b");
        assert_eq!(symbol_name("*gopkg.in/yaml.v3.Node"), "*gopkg.in/yaml%2ev3.Node");
        assert_eq!(symbol_name("error"), "error");
    }
}
