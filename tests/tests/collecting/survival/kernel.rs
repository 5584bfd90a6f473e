//! A kernel that answers each system call of the attach code with each error, and with success for
//! nothing.
//!
//! It is a seccomp filter, installed by a program that then becomes the patched one. The filter
//! knows the emitted code by the instruction pointer.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use gopatch_tests::{Gopatch, Gopatchd, gopatch};
use rustix::io::Errno;
use serde_json::Value;

use super::{Moment, Survivor, check_all, go_build};

/// System calls of the attach code: number, and an argument that tells one use from another.
/// `the_attach_code_makes_these_system_calls_alone` of `gopatch-trampolines` has the same list.
const CALLS: [(u32, Option<(i32, u32)>); 41] = [
    (0, None),                        // read
    (0, Some((2, 1))),                // read of the stage
    (CLOSE, None),                    // close
    (5, None),                        // fstat
    (7, None),                        // poll
    (9, None),                        // mmap
    (9, Some((3, 0x8001))),           // mmap of the control page
    (9, Some((3, 0x4022))),           // mmap that reserves room
    (9, Some((3, 0x11))),             // mmap of a part of a ring
    (11, None),                       // munmap
    (13, None),                       // rt_sigaction
    (14, None),                       // rt_sigprocmask
    (14, Some((0, 0))),               // rt_sigprocmask that blocks
    (14, Some((0, 2))),               // rt_sigprocmask that restores
    (16, None),                       // ioctl
    (18, None),                       // pwrite64
    (28, Some((2, 10))),              // madvise that keeps a mapping out of children
    (28, Some((2, 16))),              // madvise that keeps it out of core files
    (28, Some((2, 18))),              // madvise of the switches
    (41, None),                       // socket
    (42, None),                       // connect
    (46, None),                       // sendmsg
    (47, None),                       // recvmsg
    (56, None),                       // clone
    (56, Some((0, PROBE | SIGCHLD))), // clone of the probe
    (56, Some((0, PROBE))),           // clone of the probe beside other children
    (60, None),                       // exit
    (WAIT4, None),                    // wait4
    (WAIT4, Some((2, 1 << 31))),      // wait4 that waits
    (72, None),                       // fcntl
    (72, Some((1, 1033))),            // fcntl that seals
    (77, None),                       // ftruncate
    (202, None),                      // futex
    (204, None),                      // sched_getaffinity
    (231, None),                      // exit_group
    (257, None),                      // openat
    (262, None),                      // newfstatat
    (302, None),                      // prlimit64
    (318, None),                      // getrandom
    (319, None),                      // memfd_create
    (436, None),                      // close_range
];

const CLOSE: u32 = 3;
const WAIT4: u32 = 61;
const SIGCHLD: u32 = 0x11;
/// Flags of the probe's child.
const PROBE: u32 = 0x100_4000;

/// Answers of which some are tried in each run of all tests; the soak tries each.
const ERRORS: [Errno; 18] = [
    Errno::PERM,
    Errno::ACCESS,
    Errno::NOSYS,
    Errno::AGAIN,
    Errno::INTR,
    Errno::NOMEM,
    Errno::MFILE,
    Errno::NFILE,
    Errno::CONNRESET,
    Errno::CONNREFUSED,
    Errno::PIPE,
    Errno::INVAL,
    Errno::BADF,
    Errno::FAULT,
    Errno::NOTCONN,
    Errno::MSGSIZE,
    Errno::NOENT,
    Errno::SRCH,
];

/// What the kernel answers to a call, and when. `None`: success.
#[derive(Debug, Clone, Copy)]
struct Answer {
    call: u32,
    argument: Option<(i32, u32)>,
    error: Option<Errno>,
    moment: Moment,
}

#[test]
fn a_program_outlives_a_kernel_that_refuses_its_calls() -> Result<()> {
    // Another error for each call, so that all errors are tried.
    let errors =
        |index: usize| [None, Some(ERRORS[index % ERRORS.len()]), Some(ERRORS[(7 * index + 4) % ERRORS.len()])];
    try_answers(errors)
}

#[test]
#[ignore = "soak: takes minutes"]
fn a_program_outlives_every_answer_to_every_call() -> Result<()> {
    try_answers(|_| std::iter::once(None).chain(ERRORS.map(Some)))
}

fn try_answers<I: IntoIterator<Item = Option<Errno>>>(errors: impl Fn(usize) -> I) -> Result<()> {
    let survivor = Survivor::build()?;
    let kernel = FakeKernel::new(&survivor)?;
    let mut gopatchd = Gopatchd::start(&survivor.scratch, "memfd", &[])?;
    let mut answers = Vec::new();
    for (index, (call, argument)) in CALLS.into_iter().enumerate() {
        for error in errors(index) {
            answers.extend(Moment::BOTH.map(|moment| Answer { call, argument, error, moment }));
        }
    }
    // No call has this number here, so these attach.
    let untouched = Moment::BOTH.map(|moment| Answer { call: 39, argument: None, error: None, moment });
    check_all(&untouched, |index, answer| kernel.run(&survivor, gopatchd.socket(), *answer, &format!("u{index}")))?;
    gopatchd.wait_for_operation()?;
    check_all(&answers, |index, answer| kernel.run(&survivor, gopatchd.socket(), *answer, &format!("a{index}")))?;
    let collected = gopatchd.stop()?;
    let attached: HashSet<_> = collected.operations.iter().map(|operation| operation.pid).collect();
    ensure!((2..answers.len()).contains(&attached.len()), "{} of {} attached", attached.len(), answers.len());
    Ok(())
}

struct FakeKernel {
    launcher: PathBuf,
    /// The emitted code.
    low: u64,
    high: u64,
}

impl FakeKernel {
    fn new(survivor: &Survivor) -> Result<Self> {
        let launcher = go_build(&survivor.scratch, "fakekernel", include_str!("fakekernel.go"))?;
        let shown = Gopatch::run(gopatch::command(&["inspect", "--format", "json"])?.arg(&survivor.patched))?;
        let manifest: Value = serde_json::from_str(&shown.stdout).context(shown.stderr)?;
        let number = |field: &str| manifest["code"][field].as_u64().with_context(|| format!("no code.{field}"));
        let (low, size) = (number("va")?, number("size")?);
        Ok(Self { launcher, low, high: low + size })
    }

    fn run(&self, survivor: &Survivor, socket: &Path, answer: Answer, name: &str) -> Result<()> {
        let Answer { call, argument, error, moment } = answer;
        let error = error.map_or(0, Errno::raw_os_error);
        let mut command = Command::new("env");
        if call == WAIT4 || argument == Some((0, PROBE)) {
            // With a child that is not the probe's.
            command.args(["sh", "-c", "sleep 20 & exec \"$@\"", "sh"]);
        }
        command.arg(&self.launcher);
        let (argument, value) = argument.unwrap_or((-1, 0));
        for number in [self.low as i64, self.high as i64, call.into(), error.into(), argument.into(), value.into()] {
            command.arg(number.to_string());
        }
        command.arg(&survivor.patched).arg(moment.millis().to_string());
        if call == CLOSE {
            // What this kernel does not close stays open, so that others have its number.
            let printed = survivor.run(&mut command, name, socket)?;
            ensure!(printed.starts_with("first descriptor "), "{printed}");
            return Ok(());
        }
        survivor.check_at(moment, &mut command, name, socket)
    }
}
