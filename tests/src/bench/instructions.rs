//! `cargo xtask bench --check`: how many instructions a hook adds to a call, and whether that is
//! within its budget.
//!
//! It counts all instructions that a call executes in the function and in its thunks, less those in
//! the function without a hook. This is exact on any machine and under any load, so it can be a
//! gate. It does not measure time: an instruction may cost nothing, or wait for memory. Each call
//! must have left its records, which proves that the program was attached.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use gopatch_protocol::wire::SOCKET_ENV;
use gopatch_tests::statistics::Goal;
use gopatch_tests::{NEWEST_GO, Scratch};
use object::read::elf::ElfFile64;
use object::{Endianness, Object, ObjectSymbol};
use xtask::corpus;

use crate::budgets::Budgets;
use crate::callgrind;
use crate::hookbench::patch;
use crate::standin::Standin;
use crate::variants::{Session, VARIANTS, Variant};

/// Counts the instructions that hooks add to a call.
#[derive(Debug, clap::Args)]
pub(crate) struct Cli {
    /// Version of Go that hookbench is built with, as in corpus/manifest.yaml.
    #[arg(long, value_name = "VERSION", default_value = NEWEST_GO)]
    go: String,

    /// File of budgets, instead of the committed one.
    #[arg(long, value_name = "FILE")]
    budgets: Option<PathBuf>,
}

/// The budgets' unit of these figures.
const UNIT: &str = "instructions";
/// Calls that are counted: something that happens once in a run, such as the growth of a stack,
/// adds less than one instruction a call.
const CALLS: u64 = 1000;
/// Runs of a program, which on a busy machine may not attach in time.
const ATTEMPTS: u32 = 3;
/// A figure below this part of its budget gets a hint to lower it.
const ROOMY: f64 = 0.8;

/// Counts and prints. Returns whether all figures are within their budgets.
pub(crate) fn run(cli: &Cli) -> Result<bool> {
    let budgets = Budgets::read(cli.budgets.as_deref())?;
    for (figure, _) in budgets.figures(&[UNIT]) {
        ensure!(
            VARIANTS.iter().any(|variant| variant.name == figure),
            "a budget names {figure:?}, which is not counted"
        );
    }
    let mut counter = Counter::new(&cli.go)?;
    println!("instructions that a hook adds to a call (hookbench of Go {}, under callgrind)\n", cli.go);
    let mut over = Vec::new();
    for variant in VARIANTS {
        let line = Line::new(variant.name, counter.count(variant)?, &budgets)?;
        println!("{line}");
        if !line.goal.met {
            over.push(variant.name);
        }
    }
    if !over.is_empty() {
        eprintln!("bench: over budget: {}", over.join("; "));
    }
    Ok(over.is_empty())
}

/// A figure and its budget.
struct Line {
    name: &'static str,
    goal: Goal,
}

impl Line {
    fn new(name: &'static str, count: u64, budgets: &Budgets) -> Result<Self> {
        let goal = budgets.judge(name, UNIT, count as f64).with_context(|| format!("{name} has no budget"))?;
        Ok(Self { name, goal })
    }
}

impl Display for Line {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Goal { wanted, value, met, .. } = &self.goal;
        write!(f, "{:36}{value:>6}  {} {wanted}", self.name, if *met { "pass " } else { "SHORT" })?;
        if *value < self.goal.limit * ROOMY {
            write!(f, "; hint: lower the budget")?;
        }
        Ok(())
    }
}

/// Counts instructions of hookbench.
struct Counter {
    scratch: Scratch,
    program: PathBuf,
    /// Instructions of a call without a hook.
    bare: BTreeMap<&'static str, u64>,
    on: Standin,
    off: Standin,
}

impl Counter {
    fn new(go: &str) -> Result<Self> {
        let scratch = Scratch::new()?;
        Ok(Self {
            program: corpus::build("hookbench", go, "default")?,
            bare: BTreeMap::new(),
            on: Standin::start(&scratch.file("on.sock"), true)?,
            off: Standin::start(&scratch.file("off.sock"), false)?,
            scratch,
        })
    }

    /// The instructions that a hook adds to a call.
    fn count(&mut self, variant: &Variant) -> Result<u64> {
        let bare = if let Some(bare) = self.bare.get(variant.call) {
            *bare
        } else {
            let bare = self.instructions(&self.program, variant, None)?;
            *self.bare.entry(variant.call).or_insert(bare)
        };
        let hooked = self.scratch.file("hooked");
        patch(&self.program, &hooked, variant.rules)?;
        let session = match variant.session {
            Session::None => None,
            Session::Off => Some(&self.off),
            Session::On => Some(&self.on),
        };
        for _ in 0..ATTEMPTS {
            let with = self.instructions(&hooked, variant, session)?;
            let records = session.map_or(Ok(0), Standin::take_records);
            if records.is_ok_and(|records| records == CALLS * u64::from(variant.records)) {
                return with.checked_sub(bare).context("a call with a hook takes fewer instructions");
            }
        }
        bail!("{}: the calls did not leave their records in {ATTEMPTS} runs", variant.name);
    }

    /// Instructions of a call, in the function and its thunks.
    fn instructions(&self, program: &Path, variant: &Variant, session: Option<&Standin>) -> Result<u64> {
        let places = places(program, variant.function)?;
        let mut command = Command::new(program);
        command.args(["-fn", variant.call, "-n", &CALLS.to_string(), "-rounds", "1"]);
        // With an empty path the program looks for no collector.
        command.env(SOCKET_ENV, session.map_or(Path::new(""), Standin::socket));
        let count = callgrind::count(&command, &self.scratch.file("callgrind.out"), &places)?;
        ensure!(count >= CALLS, "{} was not called", variant.function);
        Ok(count / CALLS)
    }
}

/// Where a function and its thunks lie.
fn places(program: &Path, function: &str) -> Result<Vec<Range<u64>>> {
    let file = std::fs::read(program)?;
    let thunks = format!("{function}.gopatch.");
    // gopatch's own parser refuses patched files.
    let elf = ElfFile64::<Endianness>::parse(&*file)?;
    let wanted = |name: &str| name == function || name.starts_with(&thunks);
    let found = elf.symbols().filter(|symbol| symbol.name().is_ok_and(wanted));
    let places: Vec<_> = found.map(|symbol| symbol.address()..symbol.address() + symbol.size()).collect();
    ensure!(!places.is_empty(), "{} has no {function}", program.display());
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The gate works: a thunk that does more is noticed.
    #[test]
    fn a_slower_thunk_is_over_its_budget() -> Result<()> {
        let budgets = Budgets::read(None)?;
        let mut counter = Counter::new(NEWEST_GO)?;
        let mut bare =
            *VARIANTS.iter().find(|variant| variant.name == "entry, no captures").context("no such variant")?;
        assert!(Line::new(bare.name, counter.count(&bare)?, &budgets)?.goal.met);

        bare.rules = "rules: [{ name: slower, import: main, function: Hot, enter: { slower.a: { value: a } } }]";
        let line = Line::new(bare.name, counter.count(&bare)?, &budgets)?;
        assert!(!line.goal.met, "{line}");
        assert!(line.to_string().contains("SHORT"), "{line}");
        Ok(())
    }
}
