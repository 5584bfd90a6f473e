//! Go's build info: which toolchain built the program, from which modules, with which settings.
//!
//! Decides: where it is. Go writes a blob in one of two formats
//! (`src/debug/buildinfo/buildinfo.go`), pointers to strings until Go 1.17, inline strings since Go
//! 1.18. If a tool removed the blob, the runtime's variables have the same text.
//! Trusts: nothing. A blob that points or reaches outside the file is damaged.
//! Never does: refuse a version or a text (that is [`super::GoBinary::read`] and its callers).

use iced_x86::{Decoder, DecoderOptions};

use crate::address::Va;
use crate::elf::{Elf, Relative, Segment};

use super::modinfo::{ModInfo, Module};
use super::{FunctionTable, GoError, GoVersion, pointer_at};

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

/// The function that mentions `runtime.buildVersion` and `runtime.modinfo`, so that the linker
/// keeps them (`src/runtime/proc.go`).
const MENTIONS: &str = "runtime.schedinit";
/// Longest version and module texts accepted from the runtime's variables.
const MAX_VERSION: u64 = 1 << 10;
const MAX_MODULES: u64 = 1 << 24;

/// How the program was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BuildInfo {
    /// The toolchain's own name: `go1.27.4`, `go1.24.3 X:boringcrypto`; `unknown` when the program
    /// has none.
    pub go_version: String,
    /// The release that the name is based on, to compare; `None` when it contains none.
    pub version: Option<GoVersion>,
    /// Import path of the main package; `None` for programs built outside modules.
    pub main_package: Option<String>,
    /// The module of the main package.
    pub main_module: Option<Module>,
    /// The other modules it was built from.
    pub dependencies: Vec<Module>,
    /// Build settings, such as `-buildmode`, `CGO_ENABLED`, `vcs.revision`.
    pub settings: Vec<(String, String)>,
}

impl BuildInfo {
    /// Finds and reads the blob; `None` when there is none.
    pub fn read(elf: &Elf<'_>, relocations: &[Relative]) -> Result<Option<Self>, GoError> {
        let read =
            |(blob, va)| read_strings(elf, relocations, blob, va).map(|(version, text)| Self::new(version, text));
        if let Some(section) = elf.section(".go.buildinfo")
            && elf.raw_data(section).starts_with(MAGIC)
            && let Some(blob) = elf.bytes_from(section.va)
        {
            let damaged = || GoError::BuildInfo { va: section.va, why: "its strings are outside the file" };
            return read((blob, section.va)).ok_or_else(damaged).map(Some);
        }
        // A program that reads build info itself contains the blob's first bytes elsewhere too.
        Ok(candidates(elf).filter_map(read).find(|info| info.version.is_some()))
    }

    /// Reads the runtime's variables. A part that cannot be found is unknown.
    pub(super) fn from_variables(elf: &Elf<'_>, relocations: &[Relative], functions: &FunctionTable<'_>) -> Self {
        let strings = mentioned_strings(elf, relocations, functions);
        let is_version = |text: &&&[u8]| std::str::from_utf8(text).ok().and_then(GoVersion::parse).is_some();
        let version = strings.iter().filter(|text| text.len() as u64 <= MAX_VERSION).find(is_version);
        let modules = strings.iter().find(|text| ModInfo::is_framed(text));
        Self::new(version.copied().unwrap_or_default(), modules.copied().unwrap_or_default())
    }

    fn new(go_version: &[u8], modules: &[u8]) -> Self {
        let go_version = String::from_utf8_lossy(go_version).trim().to_owned();
        let version = GoVersion::parse(&go_version);
        let go_version = if go_version.is_empty() { "unknown".to_owned() } else { go_version };
        let ModInfo { main_package, main_module, dependencies, settings } = ModInfo::read(modules);
        Self { go_version, version, main_package, main_module, dependencies, settings }
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
}

/// Possible places of the blob: the bytes up to the end of the segment, and the address.
fn candidates<'a>(elf: &Elf<'a>) -> impl Iterator<Item = (&'a [u8], Va)> {
    let in_segment = |segment: &Segment| {
        let (start, bytes) = (segment.va, elf.bytes_from(segment.va).unwrap_or_default());
        let begins = move |index: &usize| bytes[*index..].starts_with(MAGIC);
        let places = (0..bytes.len()).step_by(ALIGN).filter(begins);
        places.filter_map(move |index| Some((&bytes[index..], start.checked_add(index as u64)?)))
    };
    elf.loads().flat_map(in_segment)
}

/// The strings in the variables that [`MENTIONS`] reads. A string is a pointer and a length; the
/// code may address either.
fn mentioned_strings<'a>(elf: &Elf<'a>, relocations: &[Relative], functions: &FunctionTable<'_>) -> Vec<&'a [u8]> {
    let Some(function) = functions.by_name(MENTIONS).next() else { return Vec::new() };
    let Some(code) = elf.bytes_at(function.start, function.size()) else { return Vec::new() };
    let mut strings = Vec::new();
    for instruction in Decoder::with_ip(64, code, function.start.0, DecoderOptions::NONE) {
        if !instruction.is_ip_rel_memory_operand() {
            continue;
        }
        let mentioned = instruction.ip_rel_memory_address();
        for header in [Some(mentioned), mentioned.checked_sub(8)].into_iter().flatten() {
            strings.extend(string_at(elf, relocations, Va(header), MAX_MODULES));
        }
    }
    strings
}

/// The string whose pointer and length are at `header`; `None` if longer than `most`.
fn string_at<'a>(elf: &Elf<'a>, relocations: &[Relative], header: Va, most: u64) -> Option<&'a [u8]> {
    let len = elf.word_at(header.checked_add(8)?)?;
    if len == 0 {
        return Some(&[]);
    }
    if len > most { None } else { elf.bytes_at(pointer_at(elf, relocations, header)?, len) }
}

/// The version and the module text, with its markers.
fn read_strings<'a>(elf: &Elf<'a>, relocations: &[Relative], blob: &'a [u8], va: Va) -> Option<(&'a [u8], &'a [u8])> {
    if blob.get(FLAGS)? & FLAG_INLINE != 0 {
        let (version, rest) = take_string(blob.get(INLINE_STRINGS..)?)?;
        return Some((version, take_string(rest)?.0));
    }
    // Pointers to Go strings. The file is for x86-64: 8 bytes, little-endian.
    if *blob.get(POINTER_SIZE)? != 8 {
        return None;
    }
    let string = |at: u64| match pointer_at(elf, relocations, va.checked_add(at)?)? {
        Va(0) => Some(&[][..]),
        header => string_at(elf, relocations, header, u64::MAX),
    };
    Some((string(POINTERS)?, string(POINTERS + 8)?))
}

/// Splits off a string: a length as in Go's `binary.Uvarint`, and that many bytes.
fn take_string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut reader = gimli::EndianSlice::new(bytes, gimli::LittleEndian);
    let len = gimli::Reader::read_uleb128(&mut reader).ok()?;
    reader.slice().split_at_checked(usize::try_from(len).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elf::testing::{TestSection, image};
    use crate::golang::modinfo;

    const MODULES: &str = "path\texample.com/shop/cmd/server\n\
        mod\texample.com/shop\t(devel)\t\n\
        dep\tgithub.com/lib/pq\tv1.10.9\th1:abc=\n\
        dep\tgithub.com/lib/pq/oid\tv0.1.0\n\
        =>\texample.com/fork/oid\tv0.2.0\th1:def=\n\
        build\t-ldflags=\"-X main.v=1 \\\"q\\\"\"\n\
        build\tCGO_ENABLED=0\n";

    fn framed() -> Vec<u8> {
        modinfo::tests::framed(MODULES.as_bytes())
    }

    fn read(data: Vec<u8>) -> Result<Option<BuildInfo>, GoError> {
        let file = image(&[TestSection { name: ".go.buildinfo", va: 0x500000, executable: false, data }]);
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
        assert_eq!(old.version, Some(GoVersion::go1(16)));
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

    #[test]
    fn any_text_is_read() {
        let blob = |version: &[u8], modules: &[u8]| {
            let mut blob = [MAGIC, &[8, FLAG_INLINE], &[0; 16]].concat();
            for text in [version, &modinfo::tests::framed(modules)] {
                assert!(text.len() < 128);
                blob.push(text.len() as u8);
                blob.extend(text);
            }
            read(blob).unwrap().unwrap()
        };
        let info = blob(b"my\xffgo", b"path\tma\xffin\nbuild\t-ldflags=-Xmain.v=\xff\n");
        assert_eq!((info.go_version.as_str(), info.version), ("my\u{fffd}go", None));
        assert_eq!(info.main_package.as_deref(), Some("ma\u{fffd}in"));
        assert_eq!(info.setting("-ldflags"), Some("-Xmain.v=\u{fffd}"));
        assert_eq!(blob(b"", b"\n").go_version, "unknown");
        assert_eq!(blob(b"go1.26.3-custom", b"").version, GoVersion::parse("go1.26.3"));
    }

    #[test]
    fn the_magic_among_a_programs_strings_is_not_the_blob() {
        let decoy = [&[0; 16], MAGIC, b" is the magic of build info, and more text follows"].concat();
        let parts = |name| {
            let decoy = TestSection { name: ".rodata", va: 0x400000, executable: false, data: decoy.clone() };
            image(&[decoy, TestSection { name, va: 0x500000, executable: false, data: inline() }])
        };
        for name in [".go.buildinfo", ".data"] {
            let file = parts(name);
            let info = BuildInfo::read(&Elf::parse(&file).unwrap(), &[]).unwrap().unwrap();
            assert_eq!(info.go_version, "go1.27.4", "{name}");
        }
        let only_decoy =
            image(&[TestSection { name: ".rodata", va: 0x400000, executable: false, data: decoy.clone() }]);
        assert_eq!(BuildInfo::read(&Elf::parse(&only_decoy).unwrap(), &[]).unwrap(), None);
    }
}
