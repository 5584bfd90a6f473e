//! What Go's signal handler runs, and what the runtime runs while a thread may lose its P, is not
//! hooked, in whatever way a rule matches it and the program was built. The rest of the runtime can
//! be hooked by name.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use gopatch_tests::{Gopatch, Process, Scratch, gopatch, programs};
use serde_json::Value;

const GO: [&str; 3] = ["1.21.13", "1.24.13", "1.27.4"];
const BUILDS: [&[&str]; 5] =
    [&[], &["-gcflags=all=-l"], &["-gcflags=all=-N -l"], &["-trimpath", "-ldflags=-s -w"], &["-buildmode=pie"]];

const RULES: &str = "
rules:
- { name: handler, import: runtime, function: [sighandler, sigsend, doSigPreempt], enter: {} }
- { name: traceback, import: runtime, receiver: '*unwinder', function: next, enter: {} }
- { name: syscall, import: runtime, function: reentersyscall, enter: {} }
- { name: nosplit, import: sync, function: runtime_notifyListAdd, enter: {}, optional: true }
- { name: signals, import: os/signal, function: '*', partial: true }
- { name: scheduler, import: runtime, function: [newproc1, schedule, execute, gopark, goready] }
- { name: sleep, import: time, function: Sleep }
";

#[test]
fn what_a_signal_handler_runs_is_refused_by_name_and_by_glob() -> Result<()> {
    for go in GO {
        for flags in BUILDS {
            check(go, flags).with_context(|| format!("Go {go}, {flags:?}"))?;
        }
    }
    Ok(())
}

fn check(go: &str, flags: &[&str]) -> Result<()> {
    let scratch = Scratch::new()?;
    let program = programs::build(&scratch, "signals", go, flags)?;
    fs::write(scratch.file("rules.yaml"), RULES)?;
    let mut command = gopatch::command(&["--no-default-rules", "--format", "json", "--rules", "rules.yaml"])?;
    let done = Gopatch::run(command.arg(&program).args(["-o", "out"]).current_dir(scratch.path()))?;
    // Named functions are refused, which is no success.
    ensure!(done.status == Some(1), "{:?}\n{}", done.status, done.stderr);
    let report: Value = serde_json::from_str(&done.stdout)?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let refused = report["refused"].as_array().context("refused")?;
    let refused: BTreeMap<_, _> = refused.iter().map(|one| (text(&one["function"]), text(&one["code"]))).collect();
    let hooked = report["rules"].as_array().context("rules")?.iter().filter_map(|rule| rule["functions"].as_array());
    let hooked: Vec<_> = hooked.flatten().map(|function| text(&function["name"])).collect();

    let code = |name: &str| refused.get(name).map(String::as_str);
    for name in ["runtime.sighandler", "runtime.sigsend", "runtime.doSigPreempt", "runtime.(*unwinder).next"] {
        ensure!(code(name) == Some("signal-handler"), "{name}: {refused:?}");
    }
    ensure!(code("runtime.reentersyscall") == Some("system-call"), "{refused:?}");
    // Of the runtime's source, though not of its package: hooked in no build, and inlined in some.
    let nosplit = "sync.runtime_notifyListAdd";
    ensure!(code(nosplit).is_none_or(|code| matches!(code, "runtime-nosplit" | "signal-handler")), "{refused:?}");
    ensure!(hooked.iter().all(|one| one != nosplit), "{hooked:?}");
    let is_inlined = !flags.iter().any(|flag| flag.contains("-l") && flag.contains("gcflags"));
    let ignored = code("os/signal.signal_ignored");
    ensure!(ignored == (!is_inlined).then_some("signal-handler"), "{refused:?}");
    for name in ["runtime.newproc1", "runtime.schedule", "runtime.execute", "runtime.gopark", "time.Sleep"] {
        ensure!(hooked.iter().any(|one| one == name), "{name}: {hooked:?}\n{refused:?}");
    }
    ensure!(hooked.iter().any(|one| one.starts_with("os/signal.")), "{hooked:?}");

    let run = |program| Process::run(Command::new(program).arg("50"), scratch.path(), "run", Duration::from_mins(2));
    let (original, patched) = (run(program)?, run(scratch.file("out"))?);
    ensure!(original == patched, "{original}{patched}");
    Ok(())
}

/// Functions without a stack check that a program calls in a system call of its own, by linkname.
#[test]
fn what_a_program_calls_in_a_system_call_is_refused() -> Result<()> {
    const RULES: &str = "rules: [{ name: all, import: main, function: '*', partial: true }]\n";
    for go in GO {
        let scratch = Scratch::new()?;
        let program = programs::build(&scratch, "syscalls", go, &["-ldflags=-checklinkname=0"])
            .or_else(|_| programs::build(&scratch, "syscalls", go, &[]))?;
        fs::write(scratch.file("rules.yaml"), RULES)?;
        let mut command = gopatch::command(&["--no-default-rules", "--format", "json", "--rules", "rules.yaml"])?;
        let done = Gopatch::run(command.arg(&program).args(["-o", "out"]).current_dir(scratch.path()))?;
        let report: Value = serde_json::from_str(&done.stdout).with_context(|| done.stderr.clone())?;
        let refused = report["refused"].as_array().context("refused")?;
        let code = |name: &str| refused.iter().find(|one| one["function"] == name).map(|one| one["code"].clone());
        for name in ["main.inside", "main.mix"] {
            ensure!(code(name) == Some("system-call".into()), "Go {go}, {name}: {refused:?}");
        }
        ensure!(code("main.outside").is_none() && code("main.leaf").is_none(), "Go {go}: {refused:?}");
        let run = |program| Process::run(&mut Command::new(program), scratch.path(), "run", Duration::from_mins(2));
        ensure!(run(program)? == run(scratch.file("out"))?, "Go {go}");
    }
    Ok(())
}
