//! Go's build info: which toolchain built the program, from which modules, with which settings.
//!
//! Decides: where the blob is and which of its two formats it has (Go's
//! `src/debug/buildinfo/buildinfo.go`): pointers to strings until Go 1.17, inline strings since Go
//! 1.18.
//! Trusts: nothing. A blob that points or reaches outside the file is damaged.
//! Never does: refuse a version (that is [`super::GoBinary::read`]).

use crate::address::Va;
use crate::elf::{Elf, Relative};

use super::{GoError, GoVersion, pointer_at};

/// First bytes of the blob, and its alignment.
const MAGIC: &[u8] = b"\xff Go buildinf:";
const ALIGN: usize = 16;
/// Offsets of the pointer size, of the flags, and of the contents in either format.
const POINTER_SIZE: usize = 14;
const FLAGS: usize = 15;
const POINTERS: u64 = 16;
const INLINE_STRINGS: usize = 32;
/// Flag: the strings are inline.
const FLAG_INLINE: u8 = 2;
/// The module text is between two markers of 16 bytes (`src/cmd/go/internal/modload/build.go`).
const MARKER: usize = 16;

/// How the program was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildInfo {
    /// The toolchain's own name: `go1.27.4`, `go1.24.3 X:boringcrypto`.
    pub go_version: String,
    /// The toolchain's version, to compare.
    pub version: GoVersion,
    /// Import path of the main package; `None` for programs built outside modules.
    pub main_package: Option<String>,
    /// The module of the main package.
    pub main_module: Option<Module>,
    /// The other modules it was built from.
    pub dependencies: Vec<Module>,
    /// Build settings, such as `-buildmode`, `CGO_ENABLED`, `vcs.revision`.
    pub settings: Vec<(String, String)>,
}

/// A module that the program was built from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Module {
    /// Module path, the start of its packages' import paths.
    pub path: String,
    /// Version, such as `v1.2.3`, `(devel)`; empty when unknown. The replacement's, if the module
    /// was replaced.
    pub version: String,
    /// Path of the module that replaced it.
    pub replaced_by: Option<String>,
}

impl BuildInfo {
    /// Finds and reads the blob; `None` when there is none.
    pub fn read(elf: &Elf<'_>, relocations: &[Relative]) -> Result<Option<Self>, GoError> {
        let Some((blob, va)) = find(elf) else { return Ok(None) };
        let damaged = |why| GoError::BuildInfo { va, why };
        let (go_version, modules) = read_strings(elf, relocations, blob, va)
            .ok_or_else(|| damaged("its strings are outside the file or not UTF-8"))?;
        let version = GoVersion::parse(go_version).ok_or_else(|| GoError::Version(go_version.to_owned()))?;
        let mut info = Self {
            go_version: go_version.to_owned(),
            version,
            main_package: None,
            main_module: None,
            dependencies: Vec::new(),
            settings: Vec::new(),
        };
        for line in modules.lines() {
            info.read_line(line).ok_or_else(|| damaged("its module text has an invalid line"))?;
        }
        Ok(Some(info))
    }

    /// The module of a package; `None` for the standard library and for modules that build info
    /// does not list.
    pub fn module_of(&self, import_path: &str) -> Option<&Module> {
        let holds = |module: &&Module| {
            import_path.strip_prefix(module.path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.main_module.iter().chain(&self.dependencies).filter(holds).max_by_key(|module| module.path.len())
    }

    /// Whether a package belongs to the standard library: only its paths begin with an element
    /// without a dot. The main package belongs to its module.
    pub fn is_standard(&self, import_path: &str) -> bool {
        let first = import_path.split('/').next().unwrap_or_default();
        import_path != "main" && !first.contains('.') && self.module_of(import_path).is_none()
    }

    /// The value of a build setting.
    pub fn setting(&self, key: &str) -> Option<&str> {
        self.settings.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }

    /// Reads one line of the module text (`src/runtime/debug/mod.go`). Unknown kinds of line come
    /// from later versions.
    fn read_line(&mut self, line: &str) -> Option<()> {
        let (kind, rest) = line.split_once('\t')?;
        let mut fields = rest.split('\t');
        match kind {
            "path" => self.main_package = Some(rest.to_owned()),
            "mod" | "dep" => {
                let path = fields.next()?.to_owned();
                let version = fields.next().unwrap_or_default().to_owned();
                let module = Module { path, version, replaced_by: None };
                if kind == "mod" {
                    self.main_module = Some(module);
                } else {
                    self.dependencies.push(module);
                }
            }
            "=>" => {
                let module = self.dependencies.last_mut().or(self.main_module.as_mut())?;
                module.replaced_by = Some(fields.next()?.to_owned());
                fields.next().unwrap_or_default().clone_into(&mut module.version);
            }
            "build" => {
                let (key, value) = split_setting(rest)?;
                self.settings.push((key, value));
            }
            _ => {}
        }
        Some(())
    }
}

/// The blob, to the end of its segment, and its address.
fn find<'a>(elf: &Elf<'a>) -> Option<(&'a [u8], Va)> {
    if let Some(section) = elf.section(".go.buildinfo")
        && elf.raw_data(section).starts_with(MAGIC)
    {
        return Some((elf.bytes_from(section.va)?, section.va));
    }
    elf.loads().find_map(|segment| {
        let bytes = elf.bytes_from(segment.va)?;
        let index = bytes.chunks(ALIGN).position(|chunk| chunk.starts_with(MAGIC))?;
        let start = index * ALIGN;
        Some((bytes.get(start..)?, segment.va.checked_add(start as u64)?))
    })
}

/// The version and the module text, without its markers.
fn read_strings<'a>(elf: &Elf<'a>, relocations: &[Relative], blob: &'a [u8], va: Va) -> Option<(&'a str, &'a str)> {
    let (version, modules) = if blob.get(FLAGS)? & FLAG_INLINE != 0 {
        let rest = blob.get(INLINE_STRINGS..)?;
        let (version, rest) = take_string(rest)?;
        (version, take_string(rest)?.0)
    } else {
        // Pointers to Go strings, each a pointer and a length. The file is for x86-64: 8 bytes,
        // little-endian.
        if *blob.get(POINTER_SIZE)? != 8 {
            return None;
        }
        let string = |at: u64| {
            let header = pointer_at(elf, relocations, va.checked_add(at)?)?;
            if header == Va(0) {
                return Some(&[][..]);
            }
            let len = elf.word_at(header.checked_add(8)?)?;
            if len == 0 { Some(&[][..]) } else { elf.bytes_at(pointer_at(elf, relocations, header)?, len) }
        };
        (string(POINTERS)?, string(POINTERS + 8)?)
    };
    let framed = modules.len() > 2 * MARKER && modules.get(modules.len() - MARKER - 1) == Some(&b'\n');
    let modules = if framed { modules.get(MARKER..modules.len() - MARKER)? } else { &[] };
    Some((std::str::from_utf8(version).ok()?, std::str::from_utf8(modules).ok()?))
}

/// Splits off a string: a length as in Go's `binary.Uvarint`, and that many bytes.
fn take_string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut reader = gimli::EndianSlice::new(bytes, gimli::LittleEndian);
    let len = gimli::Reader::read_uleb128(&mut reader).ok()?;
    reader.slice().split_at_checked(usize::try_from(len).ok()?)
}

/// Splits `key=value`. Each side is quoted when it holds a space, a quote or an `=`.
fn split_setting(text: &str) -> Option<(String, String)> {
    let (key, rest) = if text.starts_with('"') {
        let (key, rest) = unquote(text)?;
        (key, rest.strip_prefix('=')?)
    } else {
        let (key, rest) = text.split_once('=')?;
        (key.to_owned(), rest)
    };
    let value = if rest.starts_with('"') { unquote(rest)?.0 } else { rest.to_owned() };
    Some((key, value))
}

/// Reads a leading quoted string of Go (`strconv.Quote`), and returns the rest.
fn unquote(text: &str) -> Option<(String, &str)> {
    let mut chars = text.strip_prefix('"')?.chars();
    let mut plain = String::new();
    loop {
        match chars.next()? {
            '"' => return Some((plain, chars.as_str())),
            '\\' => match chars.next()? {
                'n' => plain.push('\n'),
                't' => plain.push('\t'),
                'r' => plain.push('\r'),
                quoted @ ('"' | '\\') => plain.push(quoted),
                // A control character by number. It stays quoted: no setting that gopatch reads has
                // one.
                other => plain.extend(['\\', other]),
            },
            other => plain.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elf::testing::{Part, image};

    const MODULES: &str = "path\texample.com/shop/cmd/server\n\
        mod\texample.com/shop\t(devel)\t\n\
        dep\tgithub.com/lib/pq\tv1.10.9\th1:abc=\n\
        dep\tgithub.com/lib/pq/oid\tv0.1.0\n\
        =>\texample.com/fork/oid\tv0.2.0\th1:def=\n\
        build\t-ldflags=\"-X main.v=1 \\\"q\\\"\"\n\
        build\tCGO_ENABLED=0\n";

    fn framed() -> Vec<u8> {
        [&[b'S'; 16], MODULES.as_bytes(), &[b'E'; 16]].concat()
    }

    fn read(data: Vec<u8>) -> Result<Option<BuildInfo>, GoError> {
        let file = image(&[Part { name: ".go.buildinfo", va: 0x500000, executable: false, data }]);
        BuildInfo::read(&Elf::parse(&file)?, &[])
    }

    fn inline() -> Vec<u8> {
        let mut blob = [MAGIC, &[8, FLAG_INLINE], &[0; 16]].concat();
        blob.push(8);
        blob.extend(b"go1.27.4");
        let modules = framed();
        blob.extend([modules.len() as u8 | 0x80, (modules.len() >> 7) as u8]);
        blob.extend(modules);
        blob
    }

    /// As Go 1.16 writes it: pointers to two string headers, which point to the text.
    fn with_pointers() -> Vec<u8> {
        let modules = framed();
        let words = [0x500020, 0x500030, 0x500040, 6, 0x500046, modules.len() as u64];
        [MAGIC, &[8, 0], &words.map(u64::to_le_bytes).concat(), b"go1.16", &modules].concat()
    }

    #[test]
    fn both_formats_are_read() {
        let info = read(inline()).unwrap().unwrap();
        assert_eq!(info.go_version, "go1.27.4");
        assert_eq!(info.main_package.as_deref(), Some("example.com/shop/cmd/server"));
        assert_eq!(info.main_module.as_ref().map(|module| module.version.as_str()), Some("(devel)"));
        assert_eq!(info.setting("-ldflags"), Some("-X main.v=1 \"q\""));
        assert_eq!(info.setting("CGO_ENABLED"), Some("0"));
        let old = read(with_pointers()).unwrap().unwrap();
        assert_eq!(old.version, GoVersion::go1(16));
        assert_eq!(old.dependencies, info.dependencies);
    }

    #[test]
    fn a_package_belongs_to_the_longest_module() {
        let info = read(inline()).unwrap().unwrap();
        let version = |package| info.module_of(package).map(|module| module.version.as_str());
        assert_eq!(version("github.com/lib/pq"), Some("v1.10.9"));
        assert_eq!(version("github.com/lib/pq/scram"), Some("v1.10.9"));
        assert_eq!(version("github.com/lib/pq/oid"), Some("v0.2.0"), "the replacement's");
        assert_eq!(version("github.com/lib/pqx"), None);
        assert_eq!(version("net/http"), None);
    }

    #[test]
    fn a_blob_that_is_cut_or_points_outside_is_damaged() {
        let whole = inline();
        for length in 16..whole.len() {
            assert!(read(whole[..length].to_vec()).is_err(), "{length} bytes");
        }
        let mut pointers = with_pointers();
        pointers[16..24].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(read(pointers).unwrap_err().to_string().contains("outside the file"));
        assert!(read(b"something else altogether".to_vec()).unwrap().is_none());
    }
}
