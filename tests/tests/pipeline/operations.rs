//! The commands of docs/operations.md work: they are run in order, and print what the document
//! shows.
//!
//! Decides: what the document's fences mean ([`Step`]), and that free ports take the place of its
//! ports.
//! Trusts: bash, curl, and Debian's Prometheus. Never does: add commands of its own.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use gopatch_tests::{NEWEST_GO, Process, Scratch, alone, prometheus, real, release_binary, wait_until};
use rustix::process::{Pid, Signal, kill_process_group};
use xtask::{corpus, workspace};

/// Ports that the document uses.
const PORTS: [&str; 5] = ["8080", "8443", "9464", "9090", "4318"];

/// Longest run of a block's commands.
const COMMANDS_MAX: Duration = Duration::from_mins(5);

/// Longest wait for what a block or a terminal is to print; a person would wait or type the block again.
const PATIENCE: Duration = Duration::from_mins(2);

/// Pause before a block is typed again.
const PAUSE: Duration = Duration::from_millis(500);

/// A block of the document that the test uses, and the number of its line.
#[derive(Debug, PartialEq)]
struct Step {
    line: usize,
    action: Action,
    text: String,
    /// The block fenced as `text` right after it: lines that are printed, in this order, among others.
    printed: Option<String>,
}

#[derive(Debug, PartialEq)]
enum Action {
    /// `sh run`: commands that end. They are run again until they succeed and print what is shown.
    Run,
    /// `sh terminal=all`: commands that are typed first in every terminal from there on.
    Prepare,
    /// `sh terminal=NAME`: commands that go on in a terminal of their own. If it has some already, Ctrl-C ends them first.
    Start(String),
    /// `text terminal=NAME`: what this terminal shows by then.
    Shown(String),
    /// `yaml file=NAME`: a file that the reader writes.
    Write(String),
}

fn steps(document: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut is_right_after = false;
    let mut lines = document.lines().enumerate();
    while let Some((index, line)) = lines.next() {
        let Some(fence) = line.strip_prefix("```") else {
            is_right_after &= line.is_empty();
            continue;
        };
        let inside = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```");
        let text = inside.fold(String::new(), |text, line| text + line + "\n");
        let action = match fence.split_once(' ') {
            None if fence == "text" && is_right_after => {
                steps.last_mut().expect("a step is right before").printed = Some(text);
                is_right_after = false;
                continue;
            }
            Some(("sh", "run")) => Some(Action::Run),
            Some(("sh", "terminal=all")) => Some(Action::Prepare),
            Some(("sh", rest)) => rest.strip_prefix("terminal=").map(|name| Action::Start(name.to_owned())),
            Some(("text", rest)) => rest.strip_prefix("terminal=").map(|name| Action::Shown(name.to_owned())),
            Some(("yaml", rest)) => rest.strip_prefix("file=").map(|name| Action::Write(name.to_owned())),
            _ => None,
        };
        is_right_after = action.is_some();
        steps.extend(action.map(|action| Step { line: index + 1, action, text, printed: None }));
    }
    steps
}

/// Whether a line is the expected one, where `...` is anything, and spaces are one.
fn is_like(line: &str, expected: &str) -> bool {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (line, expected) = (words(line), words(expected));
    let mut parts = expected.split("...").map(str::trim);
    let Some(mut rest) = parts.next().and_then(|first| line.strip_prefix(first)) else { return false };
    let mut last = None;
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
        last = Some(part);
    }
    match last {
        None => rest.is_empty(),
        Some(part) => part.is_empty() || line.ends_with(part),
    }
}

/// The first expected line that is not among the printed ones, in order.
fn first_missing<'a>(printed: &str, expected: &'a str) -> Option<&'a str> {
    let mut lines = printed.lines();
    expected.lines().find(|expected| !expected.is_empty() && !lines.any(|line| is_like(line, expected)))
}

/// Where the reader is: a folder, terminals, and what is typed in each terminal first.
struct Reader {
    folder: PathBuf,
    outputs: PathBuf,
    path: String,
    prelude: String,
    terminals: BTreeMap<String, Terminal>,
}

/// A terminal in which commands go on.
struct Terminal(Process);

impl Terminal {
    fn press_ctrl_c(mut self) -> Result<()> {
        self.signal(Signal::INT);
        let status = self.0.wait(PATIENCE)?;
        ensure!(status.success(), "{status} after Ctrl-C; its output:\n{}", self.0.stdout()?);
        Ok(())
    }

    /// Sends a signal to the commands in it. An error means that they have ended already.
    fn signal(&self, signal: Signal) {
        let group = i32::try_from(self.0.pid()).ok().and_then(Pid::from_raw);
        let _ = group.map(|group| kill_process_group(group, signal));
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

impl Reader {
    fn follow(&mut self, step: &Step) -> Result<()> {
        match &step.action {
            Action::Prepare => self.prelude += &step.text,
            Action::Write(name) => fs::write(self.folder.join(name), &step.text)?,
            Action::Run => self.run(step)?,
            Action::Start(name) => {
                if let Some(terminal) = self.terminals.remove(name) {
                    terminal.press_ctrl_c()?;
                }
                // Like a terminal's job, so that Ctrl-C reaches all of it.
                let mut bash = self.bash(&["bash"], &step.text);
                let process = Process::start(bash.process_group(0), &self.outputs, &format!("{name}-{}", step.line))?;
                self.terminals.insert(name.clone(), Terminal(process));
                self.wait_for_lines(name, step.printed.as_deref().unwrap_or_default())?;
            }
            Action::Shown(name) => self.wait_for_lines(name, &step.text)?,
        }
        Ok(())
    }

    /// Runs commands until they print what is expected; without an expectation, once.
    fn run(&self, step: &Step) -> Result<()> {
        let limit = COMMANDS_MAX.as_secs().to_string();
        let mut attempt = || -> Result<Option<()>> {
            let mut bash = self.bash(&["timeout", &limit, "bash"], &step.text);
            let mut process = Process::start(&mut bash, &self.outputs, "run")?;
            let status = process.wait(COMMANDS_MAX + PAUSE)?;
            let output = process.stdout()?;
            let missing = first_missing(&output, step.printed.as_deref().unwrap_or_default());
            if status.success() && missing.is_none() {
                return Ok(Some(()));
            }
            fs::write(self.outputs.join("last-attempt"), format!("{status}, missing {missing:?} in\n{output}"))?;
            ensure!(step.printed.is_some(), "failed");
            std::thread::sleep(PAUSE);
            Ok(None)
        };
        wait_until("commands to print what the document shows", PATIENCE, &mut attempt)
            .with_context(|| fs::read_to_string(self.outputs.join("last-attempt")).unwrap_or_default())
    }

    fn wait_for_lines(&self, name: &str, expected: &str) -> Result<()> {
        let Some(Terminal(process)) = self.terminals.get(name) else { bail!("there is no terminal {name:?}") };
        wait_until("a terminal to show what the document shows", PATIENCE, || {
            Ok(first_missing(&process.stdout()?, expected).is_none().then_some(()))
        })
        .with_context(|| {
            let output = process.stdout().unwrap_or_default();
            format!("terminal {name}: missing {:?} in\n{output}", first_missing(&output, expected))
        })
    }

    fn bash(&self, call: &[&str], commands: &str) -> Command {
        let mut command = Command::new(call[0]);
        let script = format!("set -euo pipefail\nexec 2>&1\n{}{commands}", self.prelude);
        command.args(&call[1..]).args(["-c", &script]).current_dir(&self.folder).env("PATH", &self.path);
        for variable in ["GOPATCH_SOCKET", "GOPATCHD_CONTROL_SOCKET"] {
            command.env_remove(variable);
        }
        command
    }
}

fn link(original: &Path, link: &Path) -> Result<()> {
    symlink(original, link).with_context(|| format!("cannot link {}", link.display()))
}

#[test]
fn blocks_are_steps_by_their_fences() {
    let document = "```sh run\na\n```\n\n```text\nb\n```\n\n```text\nno step\n```\n```console\n$ no step\n```\n\
                    ```sh terminal=t\nc\n```\nwords\n\n```text\nno step\n```\n```text terminal=t\nd\n```\n";
    let step = |line, action, text: &str, printed: Option<&str>| {
        let (text, printed) = (format!("{text}\n"), printed.map(|printed| format!("{printed}\n")));
        Step { line, action, text, printed }
    };
    let expected = [
        step(1, Action::Run, "a", Some("b")),
        step(15, Action::Start("t".to_owned()), "c", None),
        step(23, Action::Shown("t".to_owned()), "d", None),
    ];
    assert_eq!(steps(document), expected);
}

#[test]
fn lines_are_compared_as_a_reader_would() {
    for (line, expected) in [("a  b", "a b"), ("a 12 b", "a ... b"), ("a 1", "a ..."), ("x 1 b 2", "x ... b ...")] {
        assert!(is_like(line, expected), "{line:?} {expected:?}");
    }
    for (line, expected) in [("a b c", "a b"), ("a 12 b c", "a ... b"), ("b 1", "a ..."), ("a", "a b")] {
        assert!(!is_like(line, expected), "{line:?} {expected:?}");
    }
    assert_eq!(first_missing("a\nb\nc\n", "a\n\nc\n"), None);
    assert_eq!(first_missing("a\nb\nc\n", "c\na\n"), Some("a"));
}

#[test]
fn the_commands_of_the_document_work() -> Result<()> {
    if !prometheus::is_installed("docs/operations.md")? {
        return Ok(());
    }
    let _turn = alone();
    let document = fs::read_to_string(workspace::root().join("docs/operations.md"))?;
    let free: [String; PORTS.len()] = real::free_addresses()?;
    let document = PORTS
        .iter()
        .zip(&free)
        .fold(document, |document, (port, address)| document.replace(&format!("127.0.0.1:{port}"), address));
    let steps = steps(&document);
    ensure!(steps.len() > 20, "only {} blocks are used", steps.len());

    let scratch = Scratch::new()?;
    let [folder, outputs, bin] = ["w", "out", "bin"].map(|name| scratch.file(name));
    for folder in [&folder, &outputs, &bin] {
        fs::create_dir(folder)?;
    }
    link(workspace::root(), &folder.join("gopatch"))?;
    for name in ["gopatch", "gopatchd"] {
        link(&release_binary(name)?, &bin.join(name))?;
    }
    link(&corpus::build("otelcol", NEWEST_GO, "default")?, &bin.join("otelcol"))?;
    let path = format!("{}:{}", bin.display(), std::env::var("PATH")?);
    let mut reader = Reader { folder, outputs, path, prelude: String::new(), terminals: BTreeMap::new() };
    for step in &steps {
        reader.follow(step).with_context(|| format!("docs/operations.md, line {}", step.line))?;
    }
    for (name, terminal) in std::mem::take(&mut reader.terminals) {
        terminal.press_ctrl_c().with_context(|| format!("terminal {name}"))?;
    }
    Ok(())
}
