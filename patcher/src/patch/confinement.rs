//! Finds code by which a program can confine itself: install a system call filter, or leave its
//! part of the file system.
//!
//! Decides: whether the program may look for gopatchd after its start.
//! Trusts: nothing. A false match only means that the program misses a gopatchd that starts later.
//! Never does: find a system call whose number the program computes, or one of statically linked C.

use std::ffi::CStr;

use aho_corasick::AhoCorasick;
use gopatch_trampolines::attach::AttachMode;
use object::elf::{self, Sym64};
use object::read::elf::Sym;
use object::{LittleEndian as LE, pod};

use super::Executable;
use crate::address::Va;
use crate::elf::Elf;
use crate::golang::FunctionTable;
use crate::report::AttachReport;

/// Parts of names, in lower case.
const TELLING_NAMES: [&str; 2] = ["seccomp", "landlock"];

/// Functions of the packages `syscall` and `golang.org/x/sys/unix`.
const CALLS: [&str; 5] = ["Prctl", "PrctlRetInt", "Chroot", "PivotRoot", "Unshare"];

/// Functions of C libraries.
const IMPORTS: [&str; 7] = ["prctl", "syscall", "seccomp_load", "seccomp_init", "chroot", "pivot_root", "unshare"];

/// `prctl`, `seccomp`, `landlock_create_ruleset` to `landlock_restrict_self`, `chroot`,
/// `pivot_root`, `unshare` (`arch/x86/entry/syscalls/syscall_64.tbl`).
const NUMBERS: [u32; 8] = [157, 317, 444, 445, 446, 161, 155, 272];

/// What takes the number of a system call in RAX, and the last elements of the packages where that
/// lies.
const TAKERS: [&str; 8] = [
    "Syscall",
    "Syscall6",
    "RawSyscall",
    "RawSyscall6",
    "SyscallNoError",
    "RawSyscallNoError",
    "AllThreadsSyscall",
    "AllThreadsSyscall6",
];
const TAKERS_PACKAGES: [&str; 3] = ["syscall", "unix", "linux"];

/// Bytes of code between a number and the call that takes it.
const REACH: usize = 128;

/// When the program may look for gopatchd: as `wanted`, or by what is found in it.
pub(super) fn decide(wanted: Option<AttachMode>, program: &Executable<'_>) -> (AttachMode, AttachReport) {
    let because = if wanted.is_none() { find(program) } else { None };
    let mode = wanted.unwrap_or(if because.is_some() { AttachMode::Start } else { AttachMode::Late });
    (mode, AttachReport { mode: mode.word(), because })
}

/// The first way that the program has to confine itself.
fn find(program: &Executable<'_>) -> Option<String> {
    let Executable { elf, go, .. } = program;
    let functions = &go.functions;
    let parts = AhoCorasick::builder().ascii_case_insensitive(true).build(TELLING_NAMES).ok()?;
    let named = functions.all().iter().map(|function| function.name).find(|name| is_telling(&parts, name));
    named
        .map(str::to_owned)
        .or_else(|| find_import(elf))
        .or_else(|| find_number(elf, functions, go.module_data.text.start))
}

/// Whether a function of this name confines the program; `parts` are [`TELLING_NAMES`].
fn is_telling(parts: &AhoCorasick, name: &str) -> bool {
    let is_call = |package| function_of(package, name).is_some_and(|call| CALLS.contains(&call));
    // The runtime has `sigFromSeccomp`.
    (parts.is_match(name) && !is_librarys(name)) || is_call("syscall") || is_call("golang.org/x/sys/unix")
}

/// The function that `name` is in this package, or in a vendored copy of it.
fn function_of<'n>(package: &str, name: &'n str) -> Option<&'n str> {
    let (before, function) = name.rsplit_once('.')?;
    let outer = before.strip_suffix(package)?;
    (outer.is_empty() || outer.ends_with("/vendor/")).then_some(function)
}

/// A function of a C library by which the program could confine itself.
fn find_import(elf: &Elf<'_>) -> Option<String> {
    let (_, imported) = imports(elf)?;
    imported.into_iter().find(|name| IMPORTS.contains(name)).map(|name| format!("{name} (imported)"))
}

/// Whether glibc starts the program's threads, by the system call `clone3`: it does so since
/// version 2.34, which has its own version of the function.
pub(super) fn has_threads_by_clone3(elf: &Elf<'_>) -> bool {
    imports(elf).is_some_and(|(strings, imported)| {
        imported.contains(&"pthread_create") && strings.split(|byte| *byte == 0).any(|text| text == b"GLIBC_2.34")
    })
}

/// The strings of the dynamic symbols, and the names of the imported ones.
fn imports<'data>(elf: &Elf<'data>) -> Option<(&'data [u8], Vec<&'data str>)> {
    let table = elf.sections().iter().find(|section| section.kind == elf::SHT_DYNSYM)?;
    let names = elf.raw_data(elf.sections().iter().find(|section| section.index == table.link as usize)?);
    let symbols: &[Sym64<LE>] = pod::slice_from_all_bytes(elf.raw_data(table)).ok()?;
    let imported = symbols.iter().filter(|symbol| symbol.is_undefined(LE)).filter_map(|symbol| {
        let name = names.get(symbol.st_name(LE) as usize..)?;
        CStr::from_bytes_until_nul(name).ok()?.to_str().ok()
    });
    Some((names, imported.collect()))
}

/// A function of the program's that makes one of the system calls by its number.
///
/// Go passes the number in RAX. So the code is searched for `mov eax, number`, and from there for a
/// call of a function that takes it.
fn find_number(elf: &Elf<'_>, functions: &FunctionTable<'_>, start: Va) -> Option<String> {
    let end = functions.all().last()?.end;
    let text = elf.bytes_at(start, end.offset_from(start)?)?;
    let patterns = NUMBERS.map(|number| [&[0xB8][..], &number.to_le_bytes()].concat());
    let search = AhoCorasick::new(patterns).ok()?;
    let makes_call = |at: usize| {
        let window = text.get(at..text.len().min(at + REACH)).unwrap_or_default();
        (0..window.len().saturating_sub(4)).filter(|&offset| window[offset] == 0xE8).any(|offset| {
            let distance = i32::from_le_bytes(window[offset + 1..offset + 5].try_into().expect("4 bytes"));
            let target = start.0.wrapping_add((at + offset + 5) as u64).wrapping_add_signed(distance.into());
            let target = functions.containing(Va(target)).filter(|function| function.start == Va(target));
            target.is_some_and(|function| takes_number(function.name))
        })
    };
    search.find_iter(text).find_map(|found| {
        let function = functions.containing(start.checked_add(found.start() as u64)?)?;
        (!is_librarys(function.name) && makes_call(found.end())).then(|| function.name.to_owned())
    })
}

/// Whether the function makes the system call whose number it is given.
fn takes_number(name: &str) -> bool {
    let Some((package, function)) = name.rsplit_once('.') else { return false };
    TAKERS.contains(&function) && TAKERS_PACKAGES.contains(&package.rsplit('/').next().unwrap_or(package))
}

/// Whether the function belongs to the libraries that wrap system calls: there, what a program uses
/// is known by its name.
fn is_librarys(name: &str) -> bool {
    ["syscall.", "runtime.", "internal/", "golang.org/x/sys/unix."].iter().any(|package| name.starts_with(package))
        || name.contains("/vendor/golang.org/x/sys/unix.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_reveal_a_filter_are_found() {
        let parts = AhoCorasick::builder().ascii_case_insensitive(true).build(TELLING_NAMES).expect("a search");
        for name in [
            "github.com/elastic/go-seccomp-bpf.LoadFilter",
            "github.com/landlock-lsm/go-landlock/landlock.Config.RestrictPaths",
            "main.installSeccomp",
            "golang.org/x/sys/unix.Prctl",
            "example.com/vendor/golang.org/x/sys/unix.PivotRoot",
            "syscall.Chroot",
        ] {
            assert!(is_telling(&parts, name), "{name}");
        }
        for name in
            ["main.Prctl", "syscall.Setuid", "example.com/unix.Prctl", "runtime.(*sigctxt).sigFromSeccomp", "main"]
        {
            assert!(!is_telling(&parts, name), "{name}");
        }
    }

    #[test]
    fn functions_that_take_a_number_are_found() {
        for name in ["syscall.RawSyscall6", "golang.org/x/sys/unix.Syscall", "internal/runtime/syscall/linux.Syscall6"]
        {
            assert!(takes_number(name), "{name}");
        }
        for name in ["syscall.Getpid", "main.Syscall", "Syscall"] {
            assert!(!takes_number(name), "{name}");
        }
    }
}
