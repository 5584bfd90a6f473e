//! Phase 2: understand the input as a Go program.
//!
//! Decides: whether it is one, built by a Go that gopatch knows, and where its functions, types and
//! text lie.
//! Trusts: that the Go linker's tables agree with each other, once their bounds are checked: the
//! program's own runtime follows them too.
//! Never does: I/O, types (that is `crate::dwarf` and `crate::rtypes`), or decide where to hook.
//!
//! [`buildinfo`], [`modinfo`] and [`version`] have how it was built, [`moduledata`] where its data
//! is, [`pclntab`] its functions, [`inlining`] their inlined copies, [`fips`] the bytes under a
//! digest, [`abi`] the registers of parameters.
//!
//! `docs/go-internals.md` lists what differs between Go versions, with sources.

pub mod abi;
pub mod buildinfo;
mod fips;
mod inlining;
mod modinfo;
mod moduledata;
pub mod pclntab;
pub mod symbol;
#[cfg(test)]
pub(crate) mod testing;
pub mod version;

use std::ops::Range;

use crate::address::Va;
use crate::elf::{Elf, ElfError, Relative};

pub use buildinfo::BuildInfo;
pub use modinfo::Module;
pub use moduledata::ModuleData;
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
    #[error(
        "not a Go executable: no .go.buildinfo and no pclntab\nhint: unpack it first if it is packed (`upx -d`); pass \
         the program itself if this is a launcher"
    )]
    NotGo,
    /// Build info that cannot be read.
    #[error("damaged Go build info at {va}: {why}")]
    BuildInfo {
        /// Where it is.
        va: Va,
        /// What is wrong.
        why: &'static str,
    },
    /// Older than [`OLDEST`].
    #[error(
        "built by {0}: gopatch needs {OLDEST} or later, for its register ABI and tables\nhint: rebuild with a later Go"
    )]
    TooOld(GoVersion),
    /// Build info without a pclntab.
    #[error("built by {0}, but it has no pclntab\nhint: patch the file before other tools change it")]
    NoPclntab(String),
    /// A pclntab of an unknown version.
    #[error("built by {go_version}: unknown pclntab format {magic:#x}\nhint: get a later gopatch")]
    PclntabFormat {
        /// The program's Go.
        go_version: String,
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
    /// The release whose tables it has: that of its toolchain or, if the name contains none, one
    /// with the same tables.
    pub version: GoVersion,
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
        let blob = BuildInfo::read(elf, relocations)?;
        blob.as_ref().map_or(Ok(()), check_age)?;
        let pclntab = match (&blob, pclntab::find(elf)) {
            (None, None) => return Err(GoError::NotGo),
            (Some(info), None) => return Err(GoError::NoPclntab(info.go_version.clone())),
            (_, Some(pclntab)) => pclntab,
        };
        let found = moduledata::find(elf, relocations, pclntab)?;
        let functions = FunctionTable::read(elf, pclntab, found.text.start).map_err(|error| match error {
            pclntab::TableError::Format(magic) => {
                let go_version = blob.as_ref().map_or("an unknown Go", |info| &info.go_version).to_owned();
                GoError::PclntabFormat { go_version, magic }
            }
            pclntab::TableError::Damaged(why) => GoError::Pclntab { va: pclntab, why },
        })?;
        let build_info = blob.unwrap_or_else(|| BuildInfo::from_variables(elf, relocations, &functions));
        check_age(&build_info)?;
        let version = build_info.version.or_else(|| found.release(elf, relocations, functions.oldest()));
        let version = version.ok_or(GoError::NoModuleData(pclntab))?;
        let module_data = found.read(elf, relocations, version).ok_or(GoError::NoModuleData(pclntab))?;
        let checked = fips::checked_ranges(elf, relocations);
        Ok(Self { build_info, version, functions, module_data, checked })
    }
}

fn check_age(info: &BuildInfo) -> Result<(), GoError> {
    match info.version {
        Some(version) if version < OLDEST => Err(GoError::TooOld(version)),
        _ => Ok(()),
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
    use crate::elf::testing::{TestSection, damaged_copies, image};

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
        assert!(go.build_info.version.is_some_and(|version| version >= OLDEST));
    }

    #[test]
    fn other_programs_and_old_ones_are_refused() {
        let text = TestSection { name: ".text", va: 0x401000, executable: true, data: vec![0xc3; 16] };
        assert!(matches!(read(&image(&[text])), Err(GoError::NotGo)));
        let old = GoVersion::go1(16);
        assert!(matches!(read(&built_by("go1.16")), Err(GoError::TooOld(version)) if version == old));
    }

    #[test]
    fn a_toolchain_that_names_no_release_has_the_tables_of_one() {
        let whole = read(testing::program()).unwrap();
        for name in ["mygo", "devel", "unknown", "\u{fffd}"] {
            let file = built_by(name);
            let go = read(&file).unwrap();
            assert_eq!((go.build_info.go_version.as_str(), go.build_info.version), (name, None));
            assert_eq!(go.module_data, whole.module_data, "{name}: {}", go.version);
        }
        let custom = built_by("go1.26-x");
        assert_eq!(read(&custom).unwrap().version, GoVersion::go1(26));
    }

    /// A copy of a program without its build info.
    fn without_build_info(mut file: Vec<u8>) -> Vec<u8> {
        let (start, size) = {
            let elf = Elf::parse(&file).unwrap();
            let section = elf.section(".go.buildinfo").unwrap();
            (section.offset.0 as usize, section.size as usize)
        };
        file[start..start + size].fill(0);
        file
    }

    #[test]
    fn without_build_info_the_runtime_knows_the_same() {
        for arguments in [&[][..], &["-ldflags=-s -w"], &["-buildmode=pie", "-ldflags=-s -w"]] {
            let whole = testing::build(arguments);
            let cut = without_build_info(whole.clone());
            assert!(BuildInfo::read(&Elf::parse(&cut).unwrap(), &[]).unwrap().is_none());
            let (whole, cut) = (read(&whole).unwrap(), read(&cut).unwrap());
            assert!(whole.build_info.main_package.is_some() && whole.build_info.version.is_some());
            assert_eq!(cut.build_info, whole.build_info);
            assert_eq!(cut.module_data, whole.module_data);
        }
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
