//! Executables that others built, as they come from Debian, PyPI and npm: each is patched, verified,
//! restored and run, with the default rules and with hooks everywhere, without a collector and with
//! gopatchd, and shows what it shows unpatched.
//!
//! Writes the list in docs/real-programs.md. What cannot be fetched is named there as not tested.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use gopatch_tests::public::{self, Fetched, Program, Trial};
use gopatch_tests::{Gopatch, Gopatchd, Scratch, gopatch};
use serde_json::Value;
use xtask::workspace;

/// Programs up to this size are patched with hooks everywhere, too: larger ones take minutes.
const QUICK: u64 = 20_000_000;

/// Cell of a program in which the rules hook nothing.
const NO_RULE: &str = "no rule matches";

const BEGIN: &str = "<!-- written by the test `public` -->\n";
const END: &str = "<!-- to here -->\n";

#[test]
#[ignore = "soak: fetches some 40 programs; writes a part of docs/real-programs.md"]
fn every_public_program_is_the_same_program() -> Result<()> {
    let chosen = std::env::var("GOPATCH_PUBLIC").ok();
    let mut rows = String::new();
    let mut failures = String::new();
    let mut tried = 0;
    for program in public::programs()? {
        if chosen.as_ref().is_some_and(|chosen| *chosen != program.name) {
            continue;
        }
        match public::fetch(&program).and_then(|fetched| fetched.map(|it| row(&program, &it)).transpose()) {
            Ok(Some(row)) => {
                println!("{row}");
                rows += &row;
                tried += 1;
            }
            Ok(None) => writeln!(rows, "| {} | not tested: cannot be fetched here | | | | |", program.name)?,
            Err(error) => {
                println!("{}: {error:#}", program.name);
                writeln!(failures, "{}: {error:#}", program.name)?;
            }
        }
    }
    ensure!(failures.is_empty(), "\n{failures}");
    if chosen.is_some() {
        return Ok(());
    }
    ensure!(tried >= 30, "only {tried} programs could be fetched");
    let path = workspace::root().join("docs/real-programs.md");
    let text = fs::read_to_string(&path)?;
    let (before, rest) = text.split_once(BEGIN).with_context(|| format!("{} has no {BEGIN}", path.display()))?;
    let (_, after) = rest.split_once(END).with_context(|| format!("{} has no {END}", path.display()))?;
    let head = "| program | package | Go | size | hooked by the default rules | every function | what was compared |\n\
                |---|---|---|---|---|---|---|\n";
    Ok(fs::write(path, format!("{before}{BEGIN}{head}{rows}{END}{after}"))?)
}

/// Which functions are hooked.
#[derive(Debug, Clone, Copy)]
enum Rules {
    Default,
    Everything,
}

/// Tries a program, and returns its row of the table.
fn row(program: &Program, fetched: &Fetched) -> Result<String> {
    let scratch = Scratch::new()?;
    let place = Place::new(&scratch, program, fetched)?;
    let run = || public::run(program, fetched, &scratch, &place.executable).context("it does not run");
    let first = run().context("unpatched")?;
    // So that the two disagree on a time that they print.
    std::thread::sleep(Duration::from_millis(1100));
    let expected = [first, run().context("unpatched")?];
    let size = fs::metadata(&fetched.program)?.len();
    let mut cells = Vec::new();
    let mut go = String::new();
    for rules in [Rules::Default, Rules::Everything] {
        // Every program is patched in one way at least.
        if matches!(rules, Rules::Everything) && size > QUICK && cells[0] != NO_RULE {
            cells.push("not tried".to_owned());
            continue;
        }
        let Some(report) = place.patch(&scratch, rules).with_context(|| format!("{rules:?}"))? else {
            cells.push(NO_RULE.to_owned());
            continue;
        };
        report["input"]["go_version"].as_str().unwrap_or_default().clone_into(&mut go);
        let same = |found: Trial, how: &str| match expected[0].difference(&expected[1], &found) {
            Some(difference) => Err(anyhow::anyhow!("{rules:?}, {how}: {difference}")),
            None => Ok(()),
        };
        same(run()?, "no gopatchd")?;
        let gopatchd = Gopatchd::start_silent(&scratch, "memfd")?;
        same(run()?, "with gopatchd")?;
        gopatchd.stop_silent()?;
        let hooked = report["rules"].as_array().context("rules")?.iter();
        let hooked: usize = hooked.filter_map(|rule| rule["functions"].as_array()).map(Vec::len).sum();
        let refused = report["refused"].as_array().map_or(0, Vec::len);
        cells.push(match rules {
            Rules::Default => format!("{hooked} functions"),
            Rules::Everything => format!("{hooked} functions, {refused} sites refused"),
        });
    }
    let steady = if expected[0] == expected[1] { "" } else { ", without the unsteady ones" };
    Ok(format!(
        "| {} | {} {} | {} | {:.1} MB | {} | {} lines{steady} |\n",
        program.name,
        program.source(),
        fetched.version,
        go.trim_start_matches("go"),
        size as f64 / 1e6,
        cells.join(" | "),
        expected[0].lines()
    ))
}

/// Where a program lies for all its runs, as programs print their own path.
struct Place {
    executable: PathBuf,
    /// Each file that is patched: its original and where it lies.
    files: Vec<(PathBuf, PathBuf)>,
}

impl Place {
    fn new(scratch: &Scratch, program: &Program, fetched: &Fetched) -> Result<Self> {
        let folder = scratch.file("package");
        let originals = fetched.originals(program)?;
        let files: Vec<_> = if originals.len() == 1 && !program.whole {
            fs::create_dir(&folder)?;
            let name = fetched.program.file_name().context("a name")?;
            vec![(fetched.program.clone(), folder.join(name))]
        } else {
            workspace::output(std::process::Command::new("cp").arg("-a").arg(&fetched.folder).arg(&folder))?;
            let place = |file: PathBuf| Ok((folder.join(file.strip_prefix(&fetched.folder)?), file));
            let places = originals.into_iter().map(place).collect::<Result<Vec<_>>>()?;
            places.into_iter().map(|(to, from)| (from, to)).collect()
        };
        for (original, place) in &files {
            fs::copy(original, place)?;
        }
        Ok(Self { executable: files[0].1.clone(), files })
    }

    /// Patches the program and its tools in their places. The report is the program's; `None`:
    /// no rule matches anything in any of them.
    fn patch(&self, scratch: &Scratch, rules: Rules) -> Result<Option<Value>> {
        let mut report = None;
        for (original, place) in &self.files {
            let found = patch(scratch, rules, original, place)?;
            report = report.or(found);
        }
        Ok(report)
    }
}

/// Patches a file into its place. `None`: no rule matches, and the original stays.
fn patch(scratch: &Scratch, rules: Rules, original: &Path, place: &Path) -> Result<Option<Value>> {
    let mut command = gopatch::command(&["--format", "json"])?;
    if matches!(rules, Rules::Everything) {
        let path = scratch.file("everything.yaml");
        fs::write(&path, gopatch::EVERYTHING)?;
        command.arg("--rules").arg(path);
    }
    let (patched, restored) = (scratch.file("patched"), scratch.file("restored"));
    let done = Gopatch::run(command.arg(original).arg("-o").arg(&patched))?;
    if done.status == Some(2) && done.stderr.contains("no rule matches") {
        fs::copy(original, place)?;
        return Ok(None);
    }
    // A site that the default rules cannot have is named, with status 1.
    ensure!(matches!(done.status, Some(0 | 1)), "gopatch: {:?}\n{}", done.status, done.stderr);
    let verified = Gopatch::run(gopatch::command(&["verify"])?.arg(&patched).arg("--original").arg(original))?;
    ensure!(verified.status == Some(0), "verify: {}", verified.stderr);
    let done_restoring = Gopatch::run(gopatch::command(&["restore"])?.arg(&patched).arg("-o").arg(&restored))?;
    ensure!(done_restoring.status == Some(0), "restore: {}", done_restoring.stderr);
    ensure!(fs::read(&restored)? == fs::read(original)?, "the restored file differs from the original");
    fs::remove_file(restored)?;
    // Over the file of the last run, which no process runs any more.
    fs::remove_file(place)?;
    fs::copy(&patched, place)?;
    fs::remove_file(patched)?;
    Ok(Some(serde_json::from_str(&done.stdout)?))
}
