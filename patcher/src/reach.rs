//! Which functions run where a hook must not: those that Go's signal handler reaches, and those
//! that the runtime calls while a thread may lose its P.
//!
//! Decides: what is reached from those places, by the program's own calls; what belongs to the
//! runtime, by the source file.
//! Trusts: the bounds of functions and their files (pclntab), and iced's decoding.
//! Never does: go by the name of a function that is reached. The runtime has functions of other
//! packages (`os/signal.signal_ignored` lies in its `sigqueue.go`), and calls other packages.
//!
//! # What is reached
//!
//! A function reaches
//!
//! * the functions that it calls or jumps to directly;
//! * the Go functions whose address it takes, or whose constant function value: what it passes to
//!   `systemstack` and `mcall`, and what it calls through a variable with an initial value. An
//!   assembly function whose address is taken is not called: the handler makes the goroutine go on
//!   there after the signal (`sigpanic0`, `asyncPreempt`), or hands it to the kernel (`sigtramp`).
//!
//! A function that is stored in a variable while the program runs is not seen. The runtime has such
//! variables for its own tests only (`testSigusr1`).
//!
//! Nothing is followed from [`ENDS`], which do not do there what they do elsewhere.
//!
//! # Why the rest of the runtime is safe
//!
//! A thunk needs a g, its m, and the P in `m.p` for itself or none (I3 and I5 of
//! `gopatch_trampolines::thunk`). A function with a stack check reads its g, so it has one, and
//! each g that runs has an m. `m.p` is a P that another thread may use only in the places from
//! which this module follows the calls: in all others of the runtime, `m.p` is set after the thread
//! has got the P, and cleared before it gives it away (`wirep`, `releasep`). A function of the
//! runtime without a stack check is refused ([`Hazard::Runtime`]).

use std::cell::OnceCell;
use std::collections::HashSet;

use foldhash::fast::FixedState;
use iced_x86::{Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic};

use crate::address::Va;
use crate::elf::{Elf, Relative};
use crate::golang::{Function, GoBinary, pointer_at};

/// Where signals arrive: the kernel enters `sigtramp` or `cgoSigtramp`, which call the others.
const HANDLER: &[&str] = &["runtime.sigtramp", "runtime.cgoSigtramp", "runtime.sigtrampgo", "runtime.sigprofNonGo"];

/// Where a thread begins a system call or a call of C, and where a thread of C's borrows and gives
/// back what Go needs. Since Go 1.26 `m.p` is set meanwhile, although any thread may take that P.
const SYSTEM_CALL: &[&str] =
    &["runtime.entersyscall", "runtime.reentersyscall", "runtime.needm", "runtime.needAndBindM", "runtime.dropm"];

/// Functions that end the process where this module comes upon them (on a signal stack `gopanic` and
/// `mallocgc` throw, and `morestack` goes to `badmorestackgsignal`), and functions that are not
/// called there: `cgocall` needs a goroutine; `ready` and `wbBufFlush` need a P, for its queue and
/// its buffer.
const ENDS: &[&str] = &[
    "runtime.throw",
    "runtime.fatal",
    "runtime.gopanic",
    "runtime.newobject",
    "runtime.morestack",
    "runtime.morestack_noctxt",
    "runtime.cgocall",
    "runtime.ready",
    "runtime.wbBufFlush",
];
/// `mallocgc` and, in later versions, its variants.
const ALLOCATES: &str = "runtime.mallocgc";

/// The runtime, and the packages that it is made of.
const PACKAGES: &[&str] = &[
    "runtime",
    "internal/abi",
    "internal/bytealg",
    "internal/chacha8rand",
    "internal/coverage/rtcov",
    "internal/cpu",
    "internal/goarch",
    "internal/runtime",
    "internal/stringslite",
];
const PARENTS: &[&str] = &["runtime/internal/", "internal/runtime/"];

/// Whether a package is part of the runtime.
pub fn is_of_the_runtime(package: &str) -> bool {
    PACKAGES.contains(&package) || PARENTS.iter().any(|parent| package.starts_with(parent))
}

/// Why it may not be safe to hook a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hazard {
    /// The signal handler reaches it.
    SignalHandler,
    /// The runtime calls it where the thread may have lost its P.
    SystemCall,
    /// None, but it belongs to the runtime: it may run without a g or an m if it has no stack check.
    Runtime,
}

/// Finds the hazards of a program's functions.
pub struct Hazards<'g, 'a> {
    elf: &'g Elf<'a>,
    relocations: &'g [Relative],
    go: &'g GoBinary<'a>,
    /// The folder of Go's standard library, as its files' names begin.
    library: Option<&'a str>,
    reached: OnceCell<Reached>,
}

/// Starts of the functions that are reached.
struct Reached {
    by_handler: HashSet<Va, FixedState>,
    by_system_call: HashSet<Va, FixedState>,
}

impl<'g, 'a> Hazards<'g, 'a> {
    /// Reads only what it needs to know the runtime's files.
    pub fn new(elf: &'g Elf<'a>, relocations: &'g [Relative], go: &'g GoBinary<'a>) -> Self {
        let known = HANDLER.iter().find_map(|name| go.source_file(go.functions.by_name(name).next()?));
        let library = known.and_then(|file| file.rsplit_once('/')?.0.strip_suffix("runtime"));
        Self { elf, relocations, go, library, reached: OnceCell::new() }
    }

    /// The hazard of hooking `function`.
    pub fn of(&self, function: &Function<'_>) -> Option<Hazard> {
        let package = self.package_of_file(function);
        // The runtime imports nothing else.
        if package.is_some_and(|package| !matches!(package.split('/').next(), Some("runtime" | "internal"))) {
            return None;
        }
        let reached = self.reached.get_or_init(|| self.follow());
        if reached.by_handler.contains(&function.start) {
            return Some(Hazard::SignalHandler);
        }
        if reached.by_system_call.contains(&function.start) {
            return Some(Hazard::SystemCall);
        }
        package.is_some_and(is_of_the_runtime).then_some(Hazard::Runtime)
    }

    /// The folder of a function's file within Go's standard library, empty for other files; `None`
    /// if it is unknown.
    fn package_of_file(&self, function: &Function<'_>) -> Option<&'a str> {
        let (library, file) = (self.library?, self.go.source_file(function)?);
        Some(file.strip_prefix(library).and_then(|file| file.rsplit_once('/')).map_or("", |(folder, _)| folder))
    }

    fn follow(&self) -> Reached {
        Reached { by_handler: self.reached_from(HANDLER), by_system_call: self.reached_from(SYSTEM_CALL) }
    }

    /// The starts of the functions with these names, and of those that they reach.
    fn reached_from(&self, names: &[&str]) -> HashSet<Va, FixedState> {
        let is_root = |function: &&Function<'_>| names.contains(&function.name);
        let mut open: Vec<Function<'a>> = self.go.functions.all().iter().filter(is_root).copied().collect();
        let mut reached: HashSet<Va, FixedState> = open.iter().map(|function| function.start).collect();
        while let Some(function) = open.pop() {
            self.callees(&function, |callee| {
                let ends = ENDS.contains(&callee.name) || callee.name.starts_with(ALLOCATES);
                if !ends && reached.insert(callee.start) {
                    open.push(*callee);
                }
            });
        }
        reached
    }

    /// Calls `found` for each function that `function` itself calls or may call.
    fn callees(&self, function: &Function<'_>, mut found: impl FnMut(&Function<'a>)) {
        let Some(bytes) = self.elf.bytes_at(function.start, function.size()) else { return };
        for instruction in Decoder::with_ip(64, bytes, function.start.0, DecoderOptions::NONE) {
            let taken = self.taken(&instruction).filter(|taken| !taken.flags.is_assembly());
            [self.called(&instruction), taken].into_iter().flatten().for_each(&mut found);
        }
    }

    /// The function that an instruction calls or jumps to; a jump may stay within its function.
    fn called(&self, instruction: &Instruction) -> Option<&'g Function<'a>> {
        use FlowControl::{Call, ConditionalBranch, UnconditionalBranch};
        let is_direct = matches!(instruction.flow_control(), Call | ConditionalBranch | UnconditionalBranch);
        is_direct.then(|| self.go.functions.containing(Va(instruction.near_branch_target()))).flatten()
    }

    /// The function whose address, or whose function value, an instruction loads.
    fn taken(&self, instruction: &Instruction) -> Option<&'g Function<'a>> {
        let at = instruction.is_ip_rel_memory_operand().then(|| Va(instruction.ip_rel_memory_address()))?;
        let word = |va| pointer_at(self.elf, self.relocations, va);
        let starts_at = |va| self.go.functions.containing(va).filter(|function| function.start == va);
        match instruction.mnemonic() {
            Mnemonic::Lea => starts_at(at).or_else(|| starts_at(word(at)?)),
            // A variable with a function value, which points to the function's address.
            Mnemonic::Mov => starts_at(word(word(at)?)?),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::golang::testing;

    /// The hazard of the function with that name in a program.
    fn hazard(file: &[u8], name: &str) -> Option<Hazard> {
        let elf = Elf::parse(file).unwrap();
        let relocations = elf.relative_relocations().unwrap();
        let go = GoBinary::read(&elf, &relocations).unwrap();
        let function = go.functions.by_name(name).find(|function| !function.is_wrapper);
        Hazards::new(&elf, &relocations, &go).of(function.unwrap_or_else(|| panic!("no {name}")))
    }

    #[test]
    fn what_a_signal_handler_runs_is_reached_in_every_build() {
        let builds: [&[&str]; 5] =
            [&[], &["-ldflags=-s -w"], &["-buildmode=pie"], &["-trimpath"], &["-gcflags=all=-l"]];
        for arguments in builds {
            let file = testing::build(arguments);
            for name in ["runtime.sighandler", "runtime.doSigPreempt", "runtime.sigsend", "runtime.tracebackPCs"] {
                assert_eq!(hazard(&file, name), Some(Hazard::SignalHandler), "{name} with {arguments:?}");
            }
            assert_eq!(hazard(&file, "runtime.reentersyscall"), Some(Hazard::SystemCall), "{arguments:?}");
            for name in ["runtime.newproc1", "runtime.retake", "runtime.schedule", "runtime.gopanic"] {
                assert_eq!(hazard(&file, name), Some(Hazard::Runtime), "{name} with {arguments:?}");
            }
            assert_eq!(hazard(&file, "internal/poll.runtime_Semacquire"), Some(Hazard::Runtime), "{arguments:?}");
            for name in ["main.main", "os.init", "syscall.init"] {
                assert_eq!(hazard(&file, name), None, "{name} with {arguments:?}");
            }
        }
    }

    #[test]
    fn a_function_of_the_handlers_is_known_by_its_calls_and_not_by_its_name() {
        let file = testing::build(&["-gcflags=all=-l"]);
        assert_eq!(hazard(&file, "os/signal.signal_ignored"), Some(Hazard::SignalHandler));
    }

    #[test]
    fn the_handler_does_not_reach_the_whole_runtime() {
        let elf = Elf::parse(testing::program()).unwrap();
        let relocations = elf.relative_relocations().unwrap();
        let go = GoBinary::read(&elf, &relocations).unwrap();
        let hazards = Hazards::new(&elf, &relocations, &go);
        let reached = hazards.follow();
        let all = go.functions.all().iter().filter(|function| function.name.starts_with("runtime.")).count();
        let reached = reached.by_handler.union(&reached.by_system_call).count();
        assert!(reached > 100 && reached < all / 3, "{reached} of {all}");
    }

    #[test]
    fn the_runtime_is_recognised() {
        assert!(is_of_the_runtime("runtime") && is_of_the_runtime("internal/runtime/maps"));
        assert!(!is_of_the_runtime("runtime/pprof") && !is_of_the_runtime("main"));
    }
}
