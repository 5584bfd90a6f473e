//! `cargo xtask bench patch`: what patching costs, compared with `objcopy IN OUT` and `cp IN OUT`
//! on the same file.
//!
//! Each round runs every command on every program once, so a change of the machine's speed affects
//! all alike; a ratio is of two runs in the same round. A missed goal is shown as `SHORT`; with
//! `--check` it is a failure.

mod child;
mod generated;

use std::env;
use std::fmt::{self, Display, Formatter};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use clap::Parser;
use gopatch_tests::statistics::{Goal, Spread, format_spread, machine, spread};
use gopatch_tests::{NEWEST_GO, Scratch, release_binary};
use serde::Serialize;
use xtask::corpus;

use child::Taken;
use generated::PACKAGES;

/// Measures the cost of patching, and of copying.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench patch")]
struct Cli {
    /// Number of rounds, each of which measures everything.
    #[arg(long, value_name = "N", default_value_t = 15, value_parser = clap::value_parser!(u32).range(3..))]
    rounds: u32,

    /// Leave out the largest program, whose build takes many minutes the first time.
    #[arg(long)]
    without_largest: bool,

    /// Version of Go that the programs are built with, as in corpus/manifest.yaml.
    #[arg(long, value_name = "VERSION", default_value = NEWEST_GO)]
    go: String,

    /// Print JSON.
    #[arg(long)]
    json: bool,

    /// Exit with status 1 if a goal is missed.
    #[arg(long)]
    check: bool,
}

/// The small program has no net/http, so no default rule matches. This rule replaces them.
const SMALL_RULES: &str = "rules: [{ name: entry, import: main, function: main, enter: {} }]\n";
/// As a multiple of objcopy's time.
const MOST_TIME: f64 = 1.0;
/// As a multiple of the input's size.
const MOST_MEMORY: f64 = 2.0;
/// Percent of the input's size, for the HTTP server.
const MOST_GROWTH: f64 = 0.2;
/// The time for each byte of the largest program, as a multiple of that of the HTTP server.
const MOST_CURVE: f64 = 1.2;

/// A program to patch.
struct Subject {
    name: String,
    path: PathBuf,
    size: u64,
    rules: Option<PathBuf>,
    /// Runs of gopatch, objcopy and cp, one of each a round.
    runs: [Vec<Taken>; 3],
    growth: u64,
}

/// A line of the table.
#[derive(Debug, Serialize)]
struct Row {
    program: String,
    bytes: u64,
    gopatch_ms: Spread,
    objcopy_ms: Spread,
    cp_ms: Spread,
    /// Wall time as a multiple of objcopy's in the same round.
    ratio: Spread,
    /// Processor time of all threads, likewise.
    processor_ratio: Spread,
    /// Peak memory as a multiple of the input's size.
    memory_ratio: f64,
    growth_bytes: u64,
    goals: Vec<Goal>,
}

/// Everything that is printed.
#[derive(Debug, Serialize)]
struct Report {
    processor: String,
    kernel: String,
    go: String,
    rounds: u32,
    rows: Vec<Row>,
}

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let ended = if arguments.next().is_some_and(|first| first == child::ONCE) {
        child::run_once(arguments).map(|()| true)
    } else {
        let cli = Cli::parse();
        run(&cli).map(|passed| passed || !cli.check)
    };
    match ended {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("bench-patch: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Measures and prints. Returns whether all goals were met.
fn run(cli: &Cli) -> Result<bool> {
    let scratch = Scratch::new()?;
    let small_rules = scratch.file("small.yaml");
    fs::write(&small_rules, SMALL_RULES)?;
    let mut subjects = Vec::new();
    for (mode, shown) in [("default", "with DWARF"), ("stripped", "stripped")] {
        let mut add = |name: &str, path: PathBuf, rules: Option<&Path>| {
            let size = fs::metadata(&path)?.len();
            let (name, rules) = (format!("{name}, {shown}"), rules.map(Path::to_owned));
            subjects.push(Subject { name, path, size, rules, runs: Default::default(), growth: 0 });
            anyhow::Ok(())
        };
        add("small", corpus::build("captures", &cli.go, mode)?, Some(&small_rules))?;
        add(SERVER, corpus::build("httpserver", &cli.go, mode)?, None)?;
        let sizes = if cli.without_largest { &PACKAGES[..1] } else { &PACKAGES };
        for &packages in sizes {
            eprint!("\rbuilding {packages} packages, {shown}; this takes minutes the first time");
            add(&format!("{packages} packages"), generated::build(packages, &cli.go, mode)?, None)?;
            eprint!("\r{:75}\r", "");
        }
    }
    for round in 1..=cli.rounds {
        eprint!("\rround {round} of {}", cli.rounds);
        for subject in &mut subjects {
            subject.measure(&scratch)?;
        }
    }
    eprint!("\r{:24}\r", "");

    let (processor, kernel) = machine();
    let mut rows: Vec<_> = subjects.iter().map(Subject::row).collect();
    judge_curve(&mut rows);
    let report = Report { processor, kernel, go: cli.go.clone(), rounds: cli.rounds, rows };
    if cli.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print!("{report}");
    }
    Ok(report.rows.iter().flat_map(|row| &row.goals).all(|goal| goal.met))
}

/// The program that the goals name.
const SERVER: &str = "HTTP server";

/// Time grows in proportion to size: a byte of the largest program takes about as long as one of
/// the server.
fn judge_curve(rows: &mut [Row]) {
    let a_byte = |row: &Row| row.gopatch_ms.median / row.bytes as f64;
    for kind in ["with DWARF", "stripped"] {
        let server = rows.iter().find(|row| row.program == format!("{SERVER}, {kind}")).map(a_byte);
        let largest = rows.iter_mut().filter(|row| row.program.ends_with(kind)).max_by_key(|row| row.bytes);
        if let (Some(server), Some(row)) = (server, largest) {
            let value = a_byte(row) / server;
            row.goals.push(Goal::at_most(MOST_CURVE, "x the server's time a byte", value));
        }
    }
}

impl Subject {
    /// Runs each command once. There is no output before, and none stays.
    fn measure(&mut self, scratch: &Scratch) -> Result<()> {
        let output = scratch.file("out");
        let mut gopatch = Command::new(release_binary("gopatch")?);
        gopatch.arg("-q").arg(&self.path).arg("-o").arg(&output);
        if let Some(rules) = &self.rules {
            gopatch.arg("--no-default-rules").arg("--rules").arg(rules);
        }
        let copy = |name| {
            let mut command = Command::new(name);
            command.arg(&self.path).arg(&output);
            command
        };
        for (index, command) in [gopatch, copy("objcopy"), copy("cp")].into_iter().enumerate() {
            self.runs[index].push(child::run(&command)?);
            if index == 0 {
                self.growth = fs::metadata(&output)?.len() - self.size;
            }
            fs::remove_file(&output).context("an output is missing")?;
        }
        Ok(())
    }

    fn row(&self) -> Row {
        let [gopatch, objcopy, cp] = &self.runs;
        let milliseconds =
            |runs: &[Taken]| spread(&runs.iter().map(|it| it.wall.as_secs_f64() * 1e3).collect::<Vec<_>>());
        let ratio = |of: fn(&Taken) -> f64| {
            let ratios = gopatch.iter().zip(objcopy).map(|(ours, theirs)| of(ours) / of(theirs));
            spread(&ratios.collect::<Vec<_>>())
        };
        let wall = ratio(|taken| taken.wall.as_secs_f64());
        let memory = gopatch.iter().map(|taken| taken.memory).max().unwrap_or_default() as f64 / self.size as f64;
        let growth = self.growth as f64 / self.size as f64 * 100.0;
        let mut goals =
            vec![Goal::at_most(MOST_TIME, "x objcopy", wall.median), Goal::at_most(MOST_MEMORY, "x the file", memory)];
        if self.name.starts_with(SERVER) && self.name.ends_with("DWARF") {
            goals.push(Goal::at_most(MOST_GROWTH, "% larger", growth));
        }
        Row {
            program: self.name.clone(),
            bytes: self.size,
            gopatch_ms: milliseconds(gopatch),
            objcopy_ms: milliseconds(objcopy),
            cp_ms: milliseconds(cp),
            ratio: wall,
            processor_ratio: ratio(|taken| taken.processor.as_secs_f64()),
            memory_ratio: memory,
            growth_bytes: self.growth,
            goals,
        }
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}, Linux {}, Go {}", self.processor, self.kernel, self.go)?;
        writeln!(f, "medians of {} interleaved rounds, and quartiles; ratios are to objcopy\n", self.rounds)?;
        let columns = ["gopatch ms", "objcopy ms", "cp ms", "wall ratio", "CPU ratio"];
        write!(f, "{:26}{:>9}", "", "MB")?;
        columns.iter().try_for_each(|column| write!(f, " {column:>10}{:16}", ""))?;
        writeln!(f, "{:>8}{:>9}", "memory", "grows by")?;
        for row in &self.rows {
            write!(f, "{:26}{:>9.1}", row.program, row.bytes as f64 / 1e6)?;
            for column in [&row.gopatch_ms, &row.objcopy_ms, &row.cp_ms, &row.ratio, &row.processor_ratio] {
                write!(f, "{}", format_spread(column))?;
            }
            let growth = row.growth_bytes as f64 / row.bytes as f64 * 100.0;
            writeln!(f, "{:>7.2}x{growth:>7.2} %", row.memory_ratio)?;
            for Goal { wanted, value, met, .. } in &row.goals {
                writeln!(f, "{:28}{} {wanted}: {value:.3}", "", if *met { "pass " } else { "SHORT" })?;
            }
        }
        Ok(())
    }
}
