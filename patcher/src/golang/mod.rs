//! Phase 2: understand the input as a Go program.
//!
//! Decides: whether it is one, built by a Go that gopatch knows, and where its functions, types and
//! text lie.
//! Trusts: that the Go linker's tables agree with each other, once their bounds are checked: the
//! program's own runtime follows them too.
//! Never does: I/O, types (that is `crate::dwarf` and `crate::rtypes`), or decide where to hook.
//!
//! [`buildinfo`] and [`version`] have how it was built, [`pclntab`] its functions, [`inlining`] their
//! inlined copies, [`fips`] the bytes under a digest, [`abi`] the registers of parameters.
//!
//! `docs/go-internals.md` lists what differs between Go versions, with sources.

pub mod abi;
pub mod buildinfo;
mod fips;
mod inlining;
pub mod pclntab;
pub mod symbol;
#[cfg(test)]
pub(crate) mod testing;
pub mod version;

use std::ops::Range;

use crate::address::Va;
use crate::elf::{Elf, ElfError, Relative};

pub use buildinfo::{BuildInfo, Module};
pub use pclntab::{Function, FunctionTable};
pub use version::GoVersion;

/// The oldest Go that gopatch patches: the register ABI is Go 1.17's, the tables' present form Go
/// 1.18's.
pub const OLDEST: GoVersion = GoVersion::go1(18);

/// Why the input cannot be patched as a Go program.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GoError {
    /// Neither build info nor a pclntab.
    #[error("not a Go executable: no .go.buildinfo and no pclntab")]
    NotGo,
    /// A pclntab without build info.
    #[error(
        "no Go build info (.go.buildinfo): a tool other than go build stripped the file\nhint: patch it before that tool runs"
    )]
    NoBuildInfo,
    /// Build info that cannot be read.
    #[error("damaged Go build info at {va}: {why}")]
    BuildInfo {
        /// Where it is.
        va: Va,
        /// What is wrong.
        why: &'static str,
    },
    /// Build info with a version that is not a release.
    #[error("built by {0:?}, not a release of Go\nhint: build with a released Go")]
    Version(String),
    /// Older than [`OLDEST`].
    #[error(
        "built by {0}: gopatch needs {OLDEST} or later, for its register ABI and tables\nhint: rebuild with a later Go"
    )]
    TooOld(GoVersion),
    /// Build info without a pclntab.
    #[error("built by {0}, but it has no pclntab\nhint: patch the file before other tools change it")]
    NoPclntab(GoVersion),
    /// A pclntab of an unknown version.
    #[error("built by {version}: unknown pclntab format {magic:#x}\nhint: get a later gopatch")]
    PclntabFormat {
        /// The program's Go.
        version: GoVersion,
        /// First word of the table.
        magic: u32,
    },
    /// A pclntab that cannot be read.
    #[error("damaged pclntab at {va}: {why}")]
    Pclntab {
        /// Where it is.
        va: Va,
        /// What is wrong.
        why: String,
    },
    /// No `runtime.firstmoduledata`.
    #[error("no runtime.firstmoduledata: nothing in the data segment points to the pclntab at {0}")]
    NoModuleData(Va),
    /// The ELF file is damaged.
    #[error(transparent)]
    Elf(#[from] ElfError),
}

/// A Go program.
#[derive(Debug, Clone)]
pub struct GoBinary<'a> {
    /// How it was built.
    pub build_info: BuildInfo,
    /// Its functions.
    pub functions: FunctionTable<'a>,
    /// The runtime's own description of its layout.
    pub module_data: ModuleData,
    /// Bytes that the program itself checks against a digest (FIPS 140).
    pub checked: Vec<Range<Va>>,
}

impl<'a> GoBinary<'a> {
    /// Reads the tables; `relocations` are [`Elf::relative_relocations`].
    pub fn read(elf: &Elf<'a>, relocations: &[Relative]) -> Result<Self, GoError> {
        let build_info = BuildInfo::read(elf, relocations)?;
        if let Some(info) = &build_info
            && info.version < OLDEST
        {
            return Err(GoError::TooOld(info.version));
        }
        let pclntab = pclntab::find(elf);
        let (build_info, pclntab) = match (build_info, pclntab) {
            (None, None) => return Err(GoError::NotGo),
            (None, Some(_)) => return Err(GoError::NoBuildInfo),
            (Some(info), None) => return Err(GoError::NoPclntab(info.version)),
            (Some(info), Some(pclntab)) => (info, pclntab),
        };
        let module_data = ModuleData::find(elf, relocations, pclntab, build_info.version)?;
        let functions = FunctionTable::read(elf, pclntab, module_data.text.start, build_info.version)?;
        let checked = fips::checked_ranges(elf, relocations);
        Ok(Self { build_info, functions, module_data, checked })
    }
}

/// The part of the runtime's `moduledata` that gopatch uses (`src/runtime/symtab.go`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleData {
    /// Where it is.
    pub va: Va,
    /// Go's text, from `runtime.text` to `runtime.etext`. C code, and what gopatch adds, is
    /// outside.
    pub text: Range<Va>,
    /// `runtime.types`: the base of run-time types' offsets.
    pub types: Va,
    /// `runtime.etypes`: where they end.
    pub end_types: Va,
    /// `go:func.*`: the base of the offsets of functions' further data.
    pub func_data: Va,
}

impl ModuleData {
    /// Offsets of its fields, the same in every version from Go 1.16 to 1.27.
    const PC_HEADER: u64 = 0;
    const MIN_PC: u64 = 160;
    const TEXT: u64 = 176;
    const END_TEXT: u64 = 184;

    /// Offsets of `types`, `etypes` and `gofunc`. Go 1.20 put `covctrs` and `ecovctrs` before them;
    /// Go 1.27 put `typedesclen` after the first, and `itaboffset` and `itabsize` after the second.
    fn type_offsets(version: GoVersion) -> [u64; 3] {
        match version.minor {
            ..20 => [280, 288, 304],
            20..27 => [296, 304, 320],
            _ => [296, 312, 344],
        }
    }

    /// Finds it by its symbol, in a stripped file by its first word, which points to the pclntab.
    fn find(elf: &Elf<'_>, relocations: &[Relative], pclntab: Va, version: GoVersion) -> Result<Self, GoError> {
        let read = |va| Self::read_at(elf, relocations, va, pclntab, version);
        if let Some(found) = elf.symbol("runtime.firstmoduledata").and_then(read) {
            return Ok(found);
        }
        let relocated = relocations.iter().filter(|relocation| relocation.target == pclntab).map(|r| r.place);
        if let Some(found) = relocated.into_iter().find_map(read) {
            return Ok(found);
        }
        let writable = elf.loads().filter(|segment| segment.flags.contains(object::elf::PF_W));
        writable
            .filter_map(|segment| Some((segment.va, elf.bytes_from(segment.va)?)))
            .find_map(|(start, bytes)| {
                let words = bytes.chunks_exact(8).enumerate();
                words
                    .filter(|(_, word)| **word == pclntab.0.to_le_bytes())
                    .find_map(|(index, _)| read(start.checked_add(index as u64 * 8)?))
            })
            .ok_or(GoError::NoModuleData(pclntab))
    }

    /// Reads the candidate at `va`; `None` when it is not one.
    fn read_at(elf: &Elf<'_>, relocations: &[Relative], va: Va, pclntab: Va, version: GoVersion) -> Option<Self> {
        let field = |offset| pointer_at(elf, relocations, va.checked_add(offset)?);
        let text = field(Self::TEXT)?..field(Self::END_TEXT)?;
        let executable = elf.loads().any(|segment| {
            segment.flags.contains(object::elf::PF_X)
                && segment.va <= text.start
                && text.end.offset_from(segment.va).is_some_and(|end| end <= segment.file_size)
        });
        let plausible = field(Self::PC_HEADER)? == pclntab && text.contains(&field(Self::MIN_PC)?) && executable;
        let [types, end_types, func_data] = Self::type_offsets(version).map(field);
        plausible.then_some(Self { va, text, types: types?, end_types: end_types?, func_data: func_data? })
    }
}

/// The address in the word at `va` when the program runs, before a PIE is moved.
pub(crate) fn pointer_at(elf: &Elf<'_>, relocations: &[Relative], va: Va) -> Option<Va> {
    match relocations.binary_search_by_key(&va, |relocation| relocation.place) {
        Ok(index) => Some(relocations.get(index)?.target),
        Err(_) => elf.word_at(va).map(Va),
    }
}

#[cfg(test)]
mod tests {
    use iced_x86::{Code, Decoder, DecoderOptions};

    use super::*;
    use crate::elf::testing::{Part, damaged_copies, image};

    fn read(file: &[u8]) -> Result<GoBinary<'_>, GoError> {
        let elf = Elf::parse(file)?;
        GoBinary::read(&elf, &elf.relative_relocations()?)
    }

    /// A copy of the test program with another version in its build info.
    fn built_by(version: &str) -> Vec<u8> {
        let mut file = testing::program().to_vec();
        let blob = Elf::parse(&file).unwrap().section(".go.buildinfo").unwrap().offset.0 as usize;
        // After the header of 32 bytes come the length and the text, such as `go1.26.8`.
        let length = usize::from(file[blob + 32]);
        let text = &mut file[blob + 33..blob + 33 + length];
        text.fill(b' ');
        text[..version.len()].copy_from_slice(version.as_bytes());
        file
    }

    #[test]
    fn the_stack_is_as_deep_at_each_return_as_at_the_first_byte() {
        let elf = Elf::parse(testing::program()).unwrap();
        let go = read(testing::program()).unwrap();
        let mut returns = 0;
        // The linker's marks (`go:textfipsstart`) are not functions.
        let compiled = |function: &&Function<'_>| !function.flags.is_assembly() && !function.name.starts_with("go:");
        for function in go.functions.all().iter().filter(compiled) {
            assert_eq!(go.functions.stack_depth(function, function.start), Some(0), "{}", function.name);
            let code = elf.bytes_at(function.start, function.size()).unwrap();
            for instruction in Decoder::with_ip(64, code, function.start.0, DecoderOptions::NONE) {
                if instruction.code() == Code::Retnq {
                    let depth = go.functions.stack_depth(function, Va(instruction.ip()));
                    assert_eq!(depth, Some(0), "{} at {:#x}", function.name, instruction.ip());
                    returns += 1;
                }
            }
            let after = Va(function.end.0 + (1 << 20));
            assert_eq!(go.functions.stack_depth(function, after), None, "{}", function.name);
        }
        assert!(returns > 1000, "{returns}");
    }

    #[test]
    fn functions_are_where_the_symbol_table_has_them() {
        let elf = Elf::parse(testing::program()).unwrap();
        let go = read(testing::program()).unwrap();
        let mut compared = 0;
        for symbol in elf.symbols().filter(|symbol| symbol.is_function && symbol.size > 0) {
            // Skips C's functions, and the compiler's functions on types, whose names differ in the
            // two tables.
            if !go.module_data.text.contains(&symbol.va) || symbol.name.starts_with("type") {
                continue;
            }
            // The twin of a function with the other ABI.
            let name = symbol.name.strip_suffix(".abi0").unwrap_or(symbol.name);
            assert!(go.functions.by_name(name).any(|function| function.start == symbol.va), "{}", symbol.name);
            assert_eq!(go.functions.containing(symbol.va).map(|function| function.name), Some(name));
            compared += 1;
        }
        assert!(compared > 1000, "{compared}");
        assert!(go.functions.containing(go.module_data.text.end).is_none());
        assert!(go.functions.containing(Va(0)).is_none());
        assert_eq!(elf.symbol("runtime.types"), Some(go.module_data.types));
    }

    #[test]
    fn functions_have_their_flags() {
        let go = read(testing::program()).unwrap();
        let function = |name| *go.functions.by_name(name).find(|function| !function.is_wrapper).unwrap();
        assert!(function("runtime.goexit").flags.is_top_frame());
        assert!(function("runtime.memmove").flags.is_assembly());
        assert!(!function("main.Recovers").flags.is_assembly());
        let recovers = function("main.Recovers");
        let resumes = recovers.deferreturn.expect("it has a deferred function");
        assert!(resumes > recovers.start && resumes < recovers.end);
        assert_eq!(function("main.CallsSmall").deferreturn, None);
        // Called through a pointer, a value's method has a wrapper.
        assert!(go.functions.by_name("main.(*Empty).Value").all(|function| function.is_wrapper));
        assert!(!function("main.Empty.Value").is_wrapper);
    }

    #[test]
    fn stripped_and_position_independent_programs_are_read() {
        let whole = read(testing::program()).unwrap();
        let stripped = testing::build(&["-ldflags=-s -w"]);
        let go = read(&stripped).unwrap();
        assert_eq!(go.functions.all().len(), whole.functions.all().len());
        assert_eq!(go.module_data.text, whole.module_data.text);

        let pie = testing::build(&["-buildmode=pie", "-ldflags=-s -w"]);
        assert!(Elf::parse(&pie).unwrap().is_pie());
        let go = read(&pie).unwrap();
        let main = go.functions.by_name("main.main").next().unwrap();
        assert!(go.module_data.text.contains(&main.start));
    }

    #[test]
    fn build_info_is_read() {
        let go = read(testing::program()).unwrap();
        assert_eq!(go.build_info.main_package.as_deref(), Some("command-line-arguments"));
        assert_eq!(go.build_info.setting("CGO_ENABLED"), Some("0"));
        assert!(go.build_info.version >= OLDEST);
    }

    #[test]
    fn other_programs_and_old_ones_are_refused() {
        let text = Part { name: ".text", va: 0x401000, executable: true, data: vec![0xc3; 16] };
        assert!(matches!(read(&image(&[text])), Err(GoError::NotGo)));
        let old = GoVersion::go1(16);
        assert!(matches!(read(&built_by("go1.16")), Err(GoError::TooOld(version)) if version == old));
        assert!(matches!(read(&built_by("mygo")), Err(GoError::Version(version)) if version.trim_end() == "mygo"));
    }

    #[test]
    fn an_unknown_pclntab_is_refused() {
        let mut file = testing::program().to_vec();
        let elf = Elf::parse(&file).unwrap();
        let pclntab = elf.offset_of(pclntab::find(&elf).unwrap()).unwrap().0 as usize;
        file[pclntab] = 0xf5;
        assert!(matches!(read(&file), Err(GoError::PclntabFormat { magic: 0xfffffff5, .. })));
    }

    #[test]
    fn damage_is_an_error_and_never_a_panic() {
        let file = testing::program();
        let elf = Elf::parse(file).unwrap();
        let around = |offset: u64, bytes: usize| offset as usize..offset as usize + bytes;
        let pclntab = elf.offset_of(pclntab::find(&elf).unwrap()).unwrap().0;
        let module_data = elf.offset_of(read(file).unwrap().module_data.va).unwrap().0;
        let build_info = elf.section(".go.buildinfo").unwrap().offset.0;
        let interesting = [around(0, 1024), around(pclntab, 72), around(module_data, 320), around(build_info, 256)];
        let mut refused = 0;
        damaged_copies(file, &interesting, 100, |copy| refused += u32::from(read(copy).is_err()));
        assert!(refused > 100, "{refused}");
    }
}
