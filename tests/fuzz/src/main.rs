//! `cargo xtask fuzz`: fuzzes one target after another, each in a process of its own, and prints how
//! many executions each had.
//!
//! Exit status: 0 without a fault, 1 with one. An input that shows it is in `target/fuzz/TARGET`.

use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, bail, ensure};
use gopatch_fuzz::fuzzer::{Done, End, fuzz};
use gopatch_fuzz::{TARGETS, Target, target};
use peak_alloc::PeakAlloc;
use xtask::workspace;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

const USAGE: &str = "usage: cargo xtask fuzz [TARGET...] [--seconds N | --runs N] [--begin N]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match run(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("fuzz: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// How to fuzz.
struct Flags<'a> {
    names: Vec<&'a str>,
    begin: u64,
    end: End,
    trace: Option<&'a Path>,
}

fn run(arguments: &[&str]) -> Result<()> {
    match arguments {
        // The process of one target.
        ["one", name, found, rest @ ..] => {
            let Flags { begin, end, trace, .. } = flags(rest)?;
            let Done { executions, slowest_millis, memory } =
                gopatch_fuzz::fuzz_here((target(name)?, &MEMORY), Path::new(found), begin, end, trace)?;
            println!("{executions} {slowest_millis} {memory}");
            Ok(())
        }
        ["repeat", name, input] => gopatch_fuzz::repeat_here((target(name)?, &MEMORY), Path::new(input)),
        _ => fuzz_all(&flags(arguments)?),
    }
}

fn flags<'a>(arguments: &[&'a str]) -> Result<Flags<'a>> {
    // Another run makes other inputs.
    let begin = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let mut flags = Flags { names: Vec::new(), begin, end: End::Seconds(60), trace: None };
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let mut value = || arguments.next().copied().context(USAGE);
        match *argument {
            "--seconds" => flags.end = End::Seconds(value()?.parse()?),
            "--runs" => flags.end = End::Runs(value()?.parse()?),
            "--begin" => flags.begin = value()?.parse()?,
            "--trace" => flags.trace = Some(Path::new(value()?)),
            flag if flag.starts_with('-') => bail!(USAGE),
            name => flags.names.push(name),
        }
    }
    Ok(flags)
}

fn fuzz_all(flags: &Flags<'_>) -> Result<()> {
    let mut targets = flags.names.iter().map(|name| target(name)).collect::<Result<Vec<&Target>>>()?;
    if targets.is_empty() {
        targets.extend(TARGETS);
    }
    let fuzzer = std::env::current_exe()?;
    println!(
        "{:<12} {:>12} {:>10} {:>12}   beginning with {}",
        "target", "executions", "slowest", "memory", flags.begin
    );
    let mut faults = 0;
    for target in &targets {
        let found = workspace::target().join("fuzz").join(target.name);
        match fuzz(&fuzzer, target, &found, flags.begin, flags.end) {
            Ok(Done { executions, slowest_millis, memory }) => {
                println!("{:<12} {executions:>12} {slowest_millis:>7} ms {:>8} KiB", target.name, memory >> 10);
            }
            Err(fault) => {
                faults += 1;
                println!("{:<12} FAULT: {fault:#}", target.name);
            }
        }
    }
    ensure!(
        faults == 0,
        "{faults} of {} targets have a fault\nhint: mend it, and keep its input in tests/fuzz/kept",
        targets.len()
    );
    Ok(())
}
