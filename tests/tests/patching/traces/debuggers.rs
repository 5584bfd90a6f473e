//! gdb and delve stop at the functions and lines of a patched program, step through them and show
//! the same as in the unpatched one.
//!
//! corpus/frames has functions with frames of every size. Each debugger runs the same script on both
//! programs; what it prints must be the same but for addresses in memory that the program got from
//! the kernel.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use ::gopatch::verify;
use anyhow::{Context, Result, bail, ensure};
use gopatch_protocol::manifest::At;
use gopatch_tests::{Gopatchd, NEWEST_GO, Process, Scratch, backends, gopatch, gopatchd, tool};
use xtask::{corpus, workspace};

/// A debugger starts slowly on a busy machine, and stops hundreds of times.
const PATIENCE: Duration = Duration::from_mins(5);
/// How often both programs run until they agree.
const ROUNDS: usize = 4;
/// Addresses from here on are the kernel's choice.
const CHOSEN: u64 = 1 << 32;

/// A patched program and its input, under one name, so that a debugger prints the same.
struct Pair {
    scratch: Scratch,
    /// Functions of package main that are hooked at both ends.
    functions: Vec<String>,
}

impl Pair {
    fn new(go: &str, mode: &str) -> Result<Self> {
        let scratch = Scratch::new()?;
        let original = corpus::build("frames", go, mode)?;
        let patched = gopatch::patch_with(&scratch, &original, gopatch::EVERYTHING)?;
        for (folder, program) in [("unpatched", &original), ("patched", &patched)] {
            fs::create_dir(scratch.file(folder))?;
            fs::copy(program, scratch.file(folder).join("frames"))?;
        }
        let manifest = verify::verify(&fs::read(&patched)?, None)?;
        let hooked = |at| {
            let points = manifest.points.iter().filter(move |point| point.at == at);
            points.map(|point| point.function).collect::<BTreeSet<_>>()
        };
        let both = &hooked(At::Enter) & &hooked(At::Exit);
        let names = both.into_iter().map(|function| manifest.functions[function as usize].name.clone());
        // A debugger has other names for the copies of a generic function, and its steps end when a
        // stack grows.
        let is_clear = |name: &String| {
            let others = ["main.main", "main.grow", "main.init"];
            name.starts_with("main.") && !name.contains('[') && others.iter().all(|other| !name.starts_with(other))
        };
        let functions: Vec<_> = names.filter(is_clear).collect();
        ensure!(functions.len() >= 18, "{functions:?}");
        Ok(Self { scratch, functions })
    }

    /// Runs a debugger on both programs, and compares what it prints.
    ///
    /// A step may end early when the runtime asks a goroutine to give way, in either program. So what
    /// it prints of the patched program must be what it printed in some run of the unpatched one.
    fn compare(&self, what: &str, debugger: impl Fn(&Path) -> Command) -> Result<String> {
        let [mut expected, mut seen] = [Vec::new(), Vec::new()];
        for _ in 0..ROUNDS {
            expected.push(self.run("unpatched", what, &debugger)?);
            seen.push(self.run("patched", what, &debugger)?);
            if let Some(same) = seen.iter().find(|output| expected.contains(output)) {
                return Ok(same.clone());
            }
        }
        let (expected, seen) = (&expected[0], &seen[0]);
        let differs = expected.lines().zip(seen.lines()).position(|(ours, theirs)| ours != theirs);
        let from = differs.unwrap_or_default().saturating_sub(10);
        let part = |text: &str| text.lines().skip(from).take(25).collect::<Vec<_>>().join("\n");
        bail!("{what}: unpatched\n{}\n\npatched\n{}", part(expected), part(seen));
    }

    fn run(&self, folder: &str, what: &str, debugger: impl Fn(&Path) -> Command) -> Result<String> {
        let mut command = debugger(&self.scratch.file(folder));
        let socket = gopatchd::socket(&self.scratch);
        command.env("GOPATCH_SOCKET", socket).env("HOME", self.scratch.path()).env("LC_ALL", "C");
        command.env("GODEBUG", "asyncpreemptoff=1").env("NO_COLOR", "1").env("TERM", "dumb");
        command.env("DEBUGINFOD_URLS", "");
        let mut process = Process::start(&mut command, self.scratch.path(), what)?;
        process.wait(PATIENCE)?;
        Ok(normalise(&process.stdout()?))
    }
}

/// The output without what differs from run to run: ids, and addresses that the kernel chose.
fn normalise(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with('['));
    let words = |line: &str| line.split_inclusive(BREAKS).map(without_address).collect::<String>();
    lines.map(|line| words(&without_dictionary(&without_pid(line))) + "\n").collect()
}

/// A line without the id of the process that has ended, which delve writes.
fn without_pid(line: &str) -> String {
    match line.split_once(": Process ") {
        Some((before, after)) => {
            before.to_owned() + ": Process " + after.trim_start_matches(|letter: char| letter.is_ascii_digit())
        }
        None => line.to_owned(),
    }
}

/// A line without the dictionary of a generic function: gdb shows what the caller keeps in its place
/// only while a stack grows or a goroutine gives way.
fn without_dictionary(line: &str) -> String {
    match line.split_once(".dict=") {
        Some((before, after)) => before.to_owned() + after.split_once(", ").map_or("", |(_, after)| after),
        None => line.to_owned(),
    }
}

/// What stands between numbers and words.
const BREAKS: [char; 5] = [' ', '=', ',', '(', ')'];

/// A word, and what follows it, without an address that the kernel chose. (In decimal, or as a
/// floating-point number far below all others: a variable that has no value yet.)
fn without_address(word: &str) -> &str {
    let number = word.trim_end_matches(BREAKS);
    let value = match number.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => number
            .parse()
            .ok()
            .or_else(|| number.parse::<i64>().ok().map(i64::cast_unsigned))
            .or_else(|| number.parse().ok().filter(|value: &f64| value.is_subnormal()).map(f64::to_bits)),
    };
    if value.is_some_and(|value| value >= CHOSEN) { &word[number.len()..] } else { word }
}

fn gdb(folder: &Path, script: &Path) -> Command {
    let mut command = Command::new("gdb");
    command.args(["-nx", "-q", "-batch", "-iex", "set auto-load no", "-x"]).arg(script);
    command.arg(folder.join("frames"));
    command
}

/// Settings under which gdb prints the same each time. In frames it leaves out arguments: those that
/// are in registers alone have no value once a goroutine had to give way.
const GDB: &str = "set pagination off\nset confirm off\nset width 0\nset print thread-events off\n\
                   set print inferior-events off\nset print frame-arguments none\n\
                   handle SIGURG nostop noprint pass\n";

/// Stops at every function, with these commands there.
fn at_functions(functions: &[String], commands: &str) -> String {
    let stops = functions.iter().fold(String::new(), |stops, name| stops + "tbreak '" + name + "'\n");
    format!("{GDB}{stops}run\n{}", format!("{commands}continue\n").repeat(functions.len()))
}

/// Stops at every line of the program, and shows the frame there.
fn at_lines(source: &str) -> String {
    let body = source.lines().enumerate().skip_while(|(_, line)| !line.starts_with("func "));
    // Not of those that call all others.
    let body = body.take_while(|(_, line)| !line.starts_with("func work"));
    let code = body.filter(|(_, line)| line.starts_with('\t') || line.starts_with("func ") || line.starts_with('}'));
    let stop =
        |(index, _): (usize, &str)| format!("break main.go:{}\ncommands\nsilent\nbt 1\ncontinue\nend\n", index + 1);
    format!("{GDB}set breakpoint pending off\n{}run\n", code.map(stop).collect::<String>())
}

fn gdb_sees_the_same(go: &str, mode: &str) -> Result<()> {
    let pair = Pair::new(go, mode)?;
    let script = pair.scratch.file("script");
    let run = |what: &str, commands: String| {
        fs::write(&script, commands)?;
        pair.compare(&format!("gdb, Go {go} {mode}, {what}"), |folder| gdb(folder, &script))
    };
    let source = fs::read_to_string(workspace::root().join("corpus/frames/main.go"))?;
    let functions = &pair.functions;
    // In an unoptimized program, results are in memory and have no value yet.
    let arguments = if mode == "no-optimization" { "" } else { "info args\n" };
    let shown = run("backtraces", at_functions(functions, &format!("bt\n{arguments}")))?;
    let stops = shown.matches("hit Temporary breakpoint").count();
    ensure!(stops == functions.len(), "{stops} stops:\n{shown}");
    run("finish", at_functions(functions, "finish\nbt 1\n"))?;
    run("next", at_functions(functions, &"next\nbt 2\n".repeat(6)))?;
    let shown = run("lines", at_lines(&source))?;
    ensure!(shown.matches("#0 ").count() > 150, "{shown}");
    // With a collector the hooks run.
    for backend in backends() {
        let gopatchd = Gopatchd::start(&pair.scratch, backend, &[])?;
        run("next, collected", at_functions(functions, &"next\nbt 2\n".repeat(6)))?;
        let collected = gopatchd.stop()?;
        let seen = collected.of_rule("everything").filter(|operation| operation.name == "main.small").count();
        ensure!(seen > 4, "{seen} calls were recorded");
    }
    Ok(())
}

#[test]
fn gdb_in_the_newest_go() -> Result<()> {
    gdb_sees_the_same(NEWEST_GO, "default")
}

#[test]
fn gdb_in_a_position_independent_executable() -> Result<()> {
    gdb_sees_the_same("1.24.13", "pie")
}

#[test]
fn gdb_in_an_unoptimized_program() -> Result<()> {
    gdb_sees_the_same(NEWEST_GO, "no-optimization")
}

#[test]
fn gdb_in_an_old_go() -> Result<()> {
    gdb_sees_the_same("1.19", "default")
}

#[test]
#[ignore = "soak: all versions"]
fn gdb_in_every_go() -> Result<()> {
    for go in ["1.18.10", "1.20.14", "1.21.13", "1.22.12", "1.23.12", "1.25.14", "1.26.11"] {
        for mode in ["default", "no-optimization"] {
            gdb_sees_the_same(go, mode)?;
        }
    }
    Ok(())
}

fn delve_sees_the_same(go: &str, mode: &str) -> Result<()> {
    if tool("dlv")?.is_none() {
        return Ok(());
    }
    let pair = Pair::new(go, mode)?;
    let script = pair.scratch.file("script");
    for (what, commands) in [
        ("next", "stack 3\nargs\nnext\nnext\nnext\nnext\nstack 2\n"),
        ("stepout", "stack 3\nstepout\nstack 2\nnext\n"),
        ("step", "step\nstack 2\nstep\nstack 2\nstepout\n"),
    ] {
        let at =
            |(index, name): (usize, &String)| format!("break b{index} {name}\ncontinue\n{commands}clear b{index}\n");
        let stops: String = pair.functions.iter().enumerate().map(at).collect();
        fs::write(&script, format!("config max-string-len 16\nconfig source-list-line-count 0\n{stops}exit\n"))?;
        let shown = pair.compare(&format!("delve, Go {go} {mode}, {what}"), |folder| {
            let mut command = tool("dlv").ok().flatten().expect("it was there");
            command.args(["exec", "--check-go-version=false", "--allow-non-terminal-interactive=true", "--init"]);
            command.arg(&script).arg(folder.join("frames"));
            command
        })?;
        let stops = shown.matches("> [b").count();
        ensure!(stops + 2 >= pair.functions.len(), "{stops} stops:\n{shown}");
    }
    Ok(())
}

#[test]
fn delve_in_the_newest_go() -> Result<()> {
    delve_sees_the_same(NEWEST_GO, "default")
}

#[test]
fn delve_in_an_unoptimized_program() -> Result<()> {
    delve_sees_the_same("1.24.13", "no-optimization")
}

/// What `readelf` makes of the added frames.
#[test]
fn the_added_frames_are_valid() -> Result<()> {
    let scratch = Scratch::new()?;
    for (program, go, mode) in [("frames", NEWEST_GO, "default"), ("matrix", NEWEST_GO, "c-bfd")] {
        let patched = gopatch::patch_with(&scratch, &corpus::build(program, go, mode)?, gopatch::EVERYTHING)?;
        let output = Command::new("readelf").arg("--debug-dump=frames").arg(&patched).output()?;
        let (shown, complaints) = (String::from_utf8(output.stdout)?, String::from_utf8(output.stderr)?);
        ensure!(complaints.is_empty(), "{program}: {complaints}");
        let manifest = verify::verify(&fs::read(&patched)?, None)?;
        let thunk = manifest.sites.last().context("there are sites")?.thunk;
        ensure!(shown.contains(&format!("pc={thunk:016x}..")), "{program}: no frame for {thunk:#x}");
    }
    Ok(())
}
