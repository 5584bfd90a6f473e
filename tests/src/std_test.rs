//! Go's own tests, and those of modules, as programs to patch: a test binary of the corpus, and the
//! results of its tests.
//!
//! The expected results are those on which two runs of the unpatched binary agree, pass or fail.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use xtask::{corpus, workspace};

use crate::{Process, Scratch, gopatchd};

/// Longest run of one binary.
const PATIENCE: Duration = Duration::from_mins(15);

/// PASS, FAIL or SKIP by the test's name; a subtest's name begins with its parents'.
pub type Results = BTreeMap<String, String>;

/// The tests of one package, built with one Go.
pub struct StdTest<'a> {
    scratch: &'a Scratch,
    folder: PathBuf,
    options: &'a [&'a str],
    /// The binary as Go built it.
    pub original: PathBuf,
    /// The results of each run of it.
    runs: [Results; 2],
}

impl<'a> StdTest<'a> {
    /// Builds the tests of `package`, and runs them twice.
    pub fn new(scratch: &'a Scratch, package: &str, go: &str, mode: &str, options: &'a [&'a str]) -> Result<Self> {
        let original = corpus::build(&package.replace('/', "-"), go, mode)?;
        let (root, in_root) = corpus::package_folder(package, go)?;
        // Tests of Go's own packages run where they are. Those of modules may write, and the
        // module's folder belongs to Go's cache.
        let folder = if root.ends_with("src") {
            root.join(in_root)
        } else {
            let copy = scratch.file("module");
            if !copy.exists() {
                workspace::output(Command::new("cp").arg("-r").arg(root).arg(&copy))?;
                workspace::output(Command::new("chmod").args(["-R", "u+w"]).arg(&copy))?;
            }
            copy.join(in_root)
        };
        let mut tests = Self { scratch, folder, options, original, runs: [Results::new(), Results::new()] };
        tests.runs = [tests.run(&tests.original, |_| Ok(()))?, tests.run(&tests.original, |_| Ok(()))?];
        let unsteady: Vec<_> =
            tests.runs.iter().flat_map(Results::keys).filter(|name| !tests.expected().contains_key(*name)).collect();
        if !unsteady.is_empty() {
            eprintln!("{package} with Go {go}: two runs of the unpatched tests disagree on {unsteady:?}");
        }
        ensure!(!tests.expected().is_empty(), "the tests printed no result");
        Ok(tests)
    }

    /// The results on which both runs agree.
    fn expected(&self) -> Results {
        let [once, twice] = &self.runs;
        once.iter()
            .filter(|(name, result)| twice.get(*name) == Some(*result))
            .map(|(n, r)| (n.clone(), r.clone()))
            .collect()
    }

    /// The results of a run of `program`. `prepare` may change its command.
    pub fn run(&self, program: &Path, prepare: impl FnOnce(&mut Command) -> Result<()>) -> Result<Results> {
        self.run_with(program, prepare, |process| process.wait(PATIENCE).map(|_| ()))
    }

    /// The same; `attend` must wait for its end.
    pub fn run_with(
        &self,
        program: &Path,
        prepare: impl FnOnce(&mut Command) -> Result<()>,
        attend: impl FnOnce(&mut Process) -> Result<()>,
    ) -> Result<Results> {
        let mut command = Command::new(program);
        command
            .arg("-test.v")
            .args(self.options)
            .current_dir(&self.folder)
            .env("GOPATCH_SOCKET", gopatchd::socket(self.scratch));
        prepare(&mut command)?;
        let mut process = Process::start(&mut command, self.scratch.path(), "tests")?;
        attend(&mut process)?;
        let printed = String::from_utf8_lossy(&std::fs::read(process.stdout_path())?).into_owned();
        // Some tests fail on a machine without a network, patched or not. But each run must end.
        let end = printed.lines().rev().take(5).any(|line| line == "PASS" || line == "FAIL");
        ensure!(end, "{}", process.describe("did not run all tests"));
        Ok(parse(&printed))
    }

    /// Fails unless results are the unpatched binary's.
    pub fn ensure_same(&self, results: &Results) -> Result<()> {
        Self::ensure_all(&self.expected(), results)?;
        let known = |name: &String| self.runs.iter().any(|run| run.contains_key(name));
        let new: Vec<_> = results.keys().filter(|name| !known(name)).collect();
        ensure!(new.is_empty(), "the unpatched binary lacks the tests {new:?}");
        Ok(())
    }

    /// The same for a run in which the unpatched binary has other results, too: `unpatched`.
    pub fn ensure_same_as(&self, unpatched: &Results, results: &Results) -> Result<()> {
        let mut expected = self.expected();
        expected.retain(|name, result| unpatched.get(name) == Some(result));
        ensure!(!expected.is_empty(), "no test of the unpatched binary has its usual result");
        Self::ensure_all(&expected, results)
    }

    fn ensure_all(expected: &Results, results: &Results) -> Result<()> {
        let other: Vec<_> = expected.iter().filter(|(name, result)| results.get(*name) != Some(*result)).collect();
        ensure!(other.is_empty(), "results of the patched tests differ from {other:?}");
        Ok(())
    }
}

/// `--- PASS: TestName/sub (0.00s)` may follow output of the test on the same line.
fn parse(printed: &str) -> Results {
    let results = printed.lines().filter_map(|line| {
        let (result, rest) = line.split_once("--- ")?.1.split_once(": ")?;
        let (name, _) = rest.split_once(" (")?;
        ["PASS", "FAIL", "SKIP"].contains(&result).then(|| (without_chance(name), result.to_owned()))
    });
    results.collect()
}

/// A test's name without the digits that a temporary folder in it has by chance.
fn without_chance(name: &str) -> String {
    let is_temporary = name.contains(&*std::env::temp_dir().to_string_lossy());
    name.chars().filter(|letter| !(is_temporary && letter.is_ascii_digit())).collect()
}
