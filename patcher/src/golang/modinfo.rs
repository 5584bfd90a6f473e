//! The module text: from which modules a program was built, and with which settings, as Go's
//! `debug.BuildInfo.String` writes it (`src/runtime/debug/mod.go`).
//!
//! Trusts: nothing. A line that cannot be read is skipped; a later Go or another tool wrote it.
//! Text that is not UTF-8, such as a path, is read with replacement characters.
//!
//! ```text
//! path  <main package>
//! mod   <path> <version> <sum>            the main module
//! dep   <path> <version> <sum>            one for each other module
//! =>    <path> <version> <sum>            replaces the module of the line before; an empty line follows
//! build <key>=<value>                     either may be quoted
//! ```

/// The text is between two markers of 16 bytes (`src/cmd/go/internal/modload/build.go`).
const MARKER: usize = 16;
/// The first marker and the second.
const START: [u8; MARKER] = *b"\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6";
const END: [u8; MARKER] = *b"\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2";

/// What the module text contains.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct ModInfo {
    /// Import path of the main package; `None` for programs built outside modules.
    pub(super) main_package: Option<String>,
    /// The module of the main package.
    pub(super) main_module: Option<Module>,
    /// The other modules it was built from.
    pub(super) dependencies: Vec<Module>,
    /// Build settings, such as `-buildmode`, `CGO_ENABLED`, `vcs.revision`.
    pub(super) settings: Vec<(String, String)>,
}

/// A module that the program was built from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// Module path, the start of its packages' import paths.
    pub path: String,
    /// Version, such as `v1.2.3`, `(devel)`; empty when unknown. The replacement's, if the module
    /// was replaced.
    pub version: String,
    /// Path of the module or folder that replaced it.
    pub replaced_by: Option<String>,
}

impl ModInfo {
    /// Reads the text between its markers. Without them it is empty, as for the `go` command.
    pub(super) fn read(framed: &[u8]) -> Self {
        let is_framed = framed.len() > 2 * MARKER && framed[framed.len() - MARKER - 1] == b'\n';
        let text = if is_framed { &framed[MARKER..framed.len() - MARKER] } else { &[] };
        let mut info = Self::default();
        for line in text.split(|byte| *byte == b'\n') {
            info.read_line(line);
        }
        info
    }

    /// Whether these bytes have the markers.
    pub(super) fn is_framed(bytes: &[u8]) -> bool {
        bytes.starts_with(&START) && bytes.ends_with(&END)
    }

    /// Reads one line, if it is of a known kind.
    fn read_line(&mut self, line: &[u8]) -> Option<()> {
        let mut fields = line.split(|byte| *byte == b'\t');
        let kind = fields.next()?;
        let rest = line.get(kind.len() + 1..)?;
        match kind {
            b"path" => self.main_package = Some(text(rest)),
            b"mod" | b"dep" => {
                let path = text(fields.next()?);
                let version = text(fields.next().unwrap_or_default());
                let module = Module { path, version, replaced_by: None };
                if kind == b"mod" {
                    self.main_module = Some(module);
                } else {
                    self.dependencies.push(module);
                }
            }
            b"=>" => {
                let module = self.dependencies.last_mut().or(self.main_module.as_mut())?;
                module.replaced_by = Some(text(fields.next()?));
                module.version = text(fields.next().unwrap_or_default());
            }
            b"build" => self.settings.push(split_setting(rest)?),
            _ => {}
        }
        Some(())
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Splits `key=value`. Go quotes a side with a space, a quote or an `=`; Go 1.18 quotes nothing.
fn split_setting(line: &[u8]) -> Option<(String, String)> {
    let (key, rest) = unquote(line).unwrap_or_else(|| {
        let key = line.split(|byte| *byte == b'=').next().unwrap_or_default();
        (key.to_vec(), &line[key.len()..])
    });
    let value = rest.strip_prefix(b"=")?;
    let plain = match unquote(value) {
        Some((plain, [])) => plain,
        _ => value.to_vec(),
    };
    Some((text(&key), text(&plain)))
}

/// Reads a leading quoted string of Go (`strconv.QuotedPrefix`) and returns it and the rest; `None`
/// if the line does not begin with one.
fn unquote(line: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    if let Some(raw) = line.strip_prefix(b"`") {
        let end = raw.iter().position(|byte| *byte == b'`')?;
        return Some((raw[..end].to_vec(), &raw[end + 1..]));
    }
    let mut rest = line.strip_prefix(b"\"")?;
    let mut plain = Vec::new();
    loop {
        let (byte, after) = rest.split_first()?;
        rest = after;
        match byte {
            b'"' => return Some((plain, rest)),
            b'\\' => {
                let (escape, after) = rest.split_first()?;
                rest = after;
                match escape {
                    b'a' => plain.push(7),
                    b'b' => plain.push(8),
                    b'f' => plain.push(12),
                    b'n' => plain.push(b'\n'),
                    b'r' => plain.push(b'\r'),
                    b't' => plain.push(b'\t'),
                    b'v' => plain.push(11),
                    b'x' => plain.push(hex(&mut rest, 2)?.try_into().ok()?),
                    b'u' => push_char(&mut plain, hex(&mut rest, 4)?),
                    b'U' => push_char(&mut plain, hex(&mut rest, 8)?),
                    quoted => plain.push(*quoted),
                }
            }
            other => plain.push(*other),
        }
    }
}

/// Takes a hexadecimal number with that many digits from the front.
fn hex(rest: &mut &[u8], digits: usize) -> Option<u32> {
    let (number, after) = rest.split_at_checked(digits)?;
    *rest = after;
    u32::from_str_radix(std::str::from_utf8(number).ok()?, 16).ok()
}

fn push_char(plain: &mut Vec<u8>, code: u32) {
    let character = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
    plain.extend(character.encode_utf8(&mut [0; 4]).as_bytes());
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The text between its markers, as the `go` command writes it.
    pub(crate) fn framed(text: &[u8]) -> Vec<u8> {
        [&START, text, &END].concat()
    }

    fn read(text: &[u8]) -> ModInfo {
        ModInfo::read(&framed(text))
    }

    fn module(path: &str, version: &str, replaced_by: Option<&str>) -> Module {
        let replaced_by = replaced_by.map(str::to_owned);
        Module { path: path.to_owned(), version: version.to_owned(), replaced_by }
    }

    /// The text of a program built by Go 1.26 with a replacement of each form.
    #[test]
    fn replaced_modules_are_read() {
        let info = read(
            b"path\texample.com/app\n\
              mod\texample.com/app\t(devel)\t\n\
              dep\texample.com/folder\tv0.0.0-00010101000000-000000000000\n\
              =>\t./lib\t(devel)\t\n\
              \n\
              dep\tgithub.com/pkg/errors\tv0.8.0\n\
              =>\tgithub.com/pkg/errors\tv0.9.1\th1:FEBLx1zS214owpjy7qsBeixbURkuhQAwrK5UwLGTwt4=\n\
              \n\
              dep\texample.com/vendored\tv1.0.0\n\
              =>\texample.com/fork\tv0.0.0-20260102150405-abcdef123456\t\n\
              \n\
              dep\trsc.io/quote\tv1.5.2\th1:w5fcysjrx7yqtD/aO+QwRjYZOKnaM9Uh2b40tElTs3Y=\n\
              build\t-buildmode=exe\n",
        );
        assert_eq!(info.main_module, Some(module("example.com/app", "(devel)", None)));
        let expected = [
            module("example.com/folder", "(devel)", Some("./lib")),
            module("github.com/pkg/errors", "v0.9.1", Some("github.com/pkg/errors")),
            module("example.com/vendored", "v0.0.0-20260102150405-abcdef123456", Some("example.com/fork")),
            module("rsc.io/quote", "v1.5.2", None),
        ];
        assert_eq!(info.dependencies, expected);
        assert_eq!(info.settings, [("-buildmode".to_owned(), "exe".to_owned())]);
    }

    #[test]
    fn a_replaced_main_module_keeps_its_path() {
        let info = read(b"path\ta/b\nmod\ta\tv1.0.0\n=>\t../a\t\t\n\nbuild\tGOOS=linux\n");
        assert_eq!(info.main_module, Some(module("a", "", Some("../a"))));
    }

    #[test]
    fn a_line_that_cannot_be_read_is_skipped() {
        let info = read(
            b"go\tgo1.26.8\n=>\tnothing/before\tv1.0.0\t\npath\tcommand-line-arguments\n\npath\nmod\ndep\n=>\nbuild\nbuild\tnone\n\
              tool\texample.com/x\tv1\n\xff\xfe\nsomething else\nbuild\tCGO_ENABLED=1\ndep\ta.b/c\nlast line\n",
        );
        assert_eq!(info.main_package.as_deref(), Some("command-line-arguments"));
        assert_eq!(info.main_module, None);
        assert_eq!(info.dependencies, [module("a.b/c", "", None)]);
        assert_eq!(info.settings, [("CGO_ENABLED".to_owned(), "1".to_owned())]);
        assert_eq!(ModInfo::read(b"path\tmain\n"), ModInfo::default(), "without markers");
        assert_eq!(read(b""), ModInfo::default());
    }

    #[test]
    fn settings_are_unquoted() {
        let line = |setting: &[u8]| read(&[b"build\t", setting, b"\n"].concat()).settings.pop();
        for (setting, key, value) in [
            (&b"-ldflags=\"-X main.v=1 \\\"q\\\"\""[..], "-ldflags", "-X main.v=1 \"q\""),
            (
                b"-ldflags=\"-X 'main.v=a\\tb\\nc\\x00\\u00e9\\U0001f600\\a'\"",
                "-ldflags",
                "-X 'main.v=a\tb\nc\0\u{e9}\u{1f600}\u{7}'",
            ),
            (b"\"odd key\"=`raw \\n`", "odd key", "raw \\n"),
            (b"\"a=b\"=c=d", "a=b", "c=d"),
            (b"CGO_CFLAGS=", "CGO_CFLAGS", ""),
            // Go 1.18 quotes nothing.
            (b"-gcflags=all=-N -l", "-gcflags", "all=-N -l"),
            (b"-ldflags=\"-s\" -w", "-ldflags", "\"-s\" -w"),
            (b"-tags=\"no end", "-tags", "\"no end"),
            // A byte that is not UTF-8, plain and quoted.
            (b"-ldflags=-Xmain.v=\xff", "-ldflags", "-Xmain.v=\u{fffd}"),
            (b"vcs.tag=\"a \\xff\"", "vcs.tag", "a \u{fffd}"),
        ] {
            assert_eq!(line(setting), Some((key.to_owned(), value.to_owned())), "{}", text(setting));
        }
        assert_eq!(line(b"\"key\"value"), None);
    }
}
