//! The developer's commands: `cargo xtask NAME`. Each is a function of [`tasks`].

use std::process::ExitCode;

use anyhow::{Result, bail};

mod tasks;

use tasks::{bpf, check, corpus, demo, docs, fuzz, structure};

/// A command: its name, its arguments, what it does, and the function that does it.
struct Task {
    name: &'static str,
    arguments: &'static str,
    help: &'static str,
    run: fn(&[&str]) -> Result<()>,
}

const TASKS: &[Task] = &[
    Task { name: "demo", arguments: "", help: "patch a Go web server and watch its requests", run: demo::run },
    Task { name: "test", arguments: "", help: "run everything that a change must pass", run: check::test },
    Task { name: "soak", arguments: "", help: "run the long tests", run: check::soak },
    Task {
        name: "bench",
        arguments: "hooks|collector|patch|--check",
        help: "measure hooks, gopatchd's throughput or patching; or check the instructions of hooks against budgets",
        run: check::bench,
    },
    Task {
        name: "fuzz",
        arguments: "[TARGET...] [--seconds N | --runs N] [--begin N]",
        help: "fuzz everything that reads what others wrote, a minute for each target",
        run: fuzz::run,
    },
    Task {
        name: "corpus",
        arguments: "[list | build PROGRAM GO MODE]",
        help: "build all Go programs of the corpus; list them; or build one and print its path",
        run: corpus::run,
    },
    Task {
        name: "bpf",
        arguments: "[--write]",
        help: "check that the committed BPF objects match their sources, or rebuild them",
        run: bpf::run,
    },
    Task {
        name: "structure",
        arguments: "[FOLDER]",
        help: "check that imports go one way, and that files and folders are not too large",
        run: structure::run,
    },
    Task {
        name: "docs",
        arguments: "[--write]",
        help: "check the generated parts of the documents, or write them",
        run: docs::run,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match dispatch(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[&str]) -> Result<()> {
    let Some((name, rest)) = arguments.split_first() else {
        bail!("{}", usage());
    };
    match TASKS.iter().find(|task| task.name == *name) {
        Some(task) => (task.run)(rest),
        None if matches!(*name, "help" | "--help" | "-h") => {
            println!("{}", usage());
            Ok(())
        }
        None => bail!("no command {name:?}\n{}", usage()),
    }
}

fn usage() -> String {
    let lines = TASKS.iter().map(|task| {
        let call = format!("{} {}", task.name, task.arguments);
        format!("\n  {}\n      {}", call.trim_end(), task.help)
    });
    std::iter::once("usage: cargo xtask COMMAND\n".to_owned()).chain(lines).collect()
}
