//! Runs a program that others built, and compares two ways to run it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Read as _};
use std::net::TcpStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use gopatch_protocol::wire::SOCKET_ENV;
use rustix::process::{Pid, Signal, kill_process_group};
use sha2::{Digest as _, Sha256};

use super::{Fetched, Program};
use crate::real::{free_addresses, wait_for_listener};
use crate::{Process, Scratch, gopatchd, wait_until};

/// Longest run of one command.
const PATIENCE: Duration = Duration::from_mins(10);

/// The files that every program finds in `files`.
const FILES: &[(&str, &str)] = &[
    ("a.txt", "one\ntwo\n"),
    ("b/c.txt", "three\n"),
    ("main.js", "import { add } from './util.js'\nconsole.log(add(1, 2), `${add(3, 4)}`)\n"),
    ("util.js", "export const add = (a, b) => { return a + b }\nexport const unused = 1\n"),
    ("main.ts", "enum Color { Red, Green }\nconst x: Color = Color.Green\nexport default x as number\n"),
    (
        "main.go",
        "package main\n\nimport (\n\t\"fmt\"\n\t\"strings\"\n)\n\nfunc main() {\n\tfmt.Println(strings.ToUpper(\"built\"))\n}\n",
    ),
    ("page.html", "<!doctype html>\n<html> <body>\n  <p class=\"a\">Text  and <b>more</b></p> </body></html>\n"),
    ("script.sh", "if [ -e a ]; then\n echo \"$1\" |\n  tr a b; fi\nf() { local x=1; }\n"),
    ("script.elv", "for x [1 2 3] { echo (* $x 2) }\nput [&a=1] | to-json\n"),
    ("some.yaml", "a:\n  - b: 1\n  - b: two\nc: {d: [3, 4]}\n"),
    ("some.proto", "syntax = \"proto3\";\npackage a.v1;\nmessage M { string name = 1; repeated int32 x = 2; }\n"),
];

/// What a program showed.
#[derive(Debug, PartialEq, Eq)]
pub struct Trial(Vec<String>);

impl Trial {
    /// Describes what of `self` and `again`, two runs of the same program, is missing in `found`.
    /// Lines on which the two disagree do not matter, as they depend on time or chance.
    pub fn difference(&self, again: &Self, found: &Self) -> Option<String> {
        if self == again {
            let other = self.0.iter().zip(&found.0).find(|(one, other)| one != other);
            return match other {
                Some((one, other)) => Some(format!("{other:?} instead of {one:?}")),
                None if self.0.len() != found.0.len() => {
                    Some(format!("{} lines instead of {}", found.0.len(), self.0.len()))
                }
                None => None,
            };
        }
        let (one, again, found) = (count(&self.0), count(&again.0), count(&found.0));
        let missing = one.iter().find(|(line, times)| {
            let steady = again.get(*line).copied().unwrap_or(0).min(**times);
            found.get(*line).copied().unwrap_or(0) < steady
        });
        missing.map(|(line, _)| format!("the line {line:?} is missing"))
    }

    /// How many lines there are.
    pub fn lines(&self) -> usize {
        self.0.len()
    }
}

fn count(lines: &[String]) -> BTreeMap<&str, usize> {
    lines.iter().fold(BTreeMap::new(), |mut counts, line| {
        *counts.entry(line.as_str()).or_default() += 1;
        counts
    })
}

/// Runs everything of a program. `executable` is where it lies, patched or not.
pub fn run(program: &Program, fetched: &Fetched, scratch: &Scratch, executable: &Path) -> Result<Trial> {
    let libraries = std::env::join_paths(&fetched.libraries)?;
    let home = scratch.file("home");
    if home.exists() {
        // Go's cache of modules cannot be removed as it is.
        xtask::workspace::output(Command::new("chmod").args(["-R", "u+w"]).arg(&home))?;
        fs::remove_dir_all(&home)?;
    }
    let [port, other] =
        free_addresses()?.map(|address: String| address.rsplit(':').next().unwrap_or_default().to_owned());
    let fill = |text: &str| {
        text.replace("@port", &port).replace("@other", &other).replace("@home", &home.display().to_string())
    };
    let input = program.input.iter().map(|(path, text)| (PathBuf::from(path), fill(text)));
    let files = FILES.iter().map(|(path, text)| (Path::new("files").join(path), (*text).to_owned()));
    for (path, text) in input.chain(files) {
        let path = home.join(path);
        fs::create_dir_all(path.parent().unwrap_or(&home))?;
        fs::write(path, text)?;
    }
    let command = |arguments: &str| {
        let mut command = Command::new(executable);
        command.args(fill(arguments).split_whitespace()).current_dir(&home).env_clear().process_group(0);
        command.envs([("PATH", "/usr/bin:/bin"), ("LANG", "C"), ("TZ", "UTC")]);
        command.env("HOME", &home).env("XDG_RUNTIME_DIR", &home).env(SOCKET_ENV, gopatchd::socket(scratch));
        if !libraries.is_empty() {
            command.env("LD_LIBRARY_PATH", &libraries);
        }
        command.envs(program.env.iter().map(|(name, value)| (name, fill(value))));
        command
    };
    let mut shown = String::new();
    for arguments in &program.run {
        let mut group = Group(Process::start(&mut command(arguments), scratch.path(), "public")?);
        let status = group.0.wait(PATIENCE).ok();
        // The first command asks for the version or the like: the program must be able to run.
        ensure!(
            !shown.is_empty() || status.is_some_and(|status| status.success()),
            "{}",
            group.0.describe(&format!("{arguments}: {}", describe(status)))
        );
        let status = describe(status);
        writeln!(shown, "$ {arguments}\n{}{}{status}", lossy(group.0.stdout_path())?, group.0.stderr())?;
    }
    if let Some(arguments) = &program.serve {
        let mut group = Group(Process::start(&mut command(arguments), scratch.path(), "served")?);
        let address = format!("127.0.0.1:{port}");
        wait_for_listener(&mut group.0, &address)?;
        if let Some(first) = program.get.first() {
            // A server may listen before it can answer.
            let is_ready = || Ok(get(&address, first)?.contains(" 200 ").then_some(()));
            wait_until("the server to be ready", crate::SOON, is_ready)?;
        }
        for path in &program.get {
            writeln!(shown, "GET {path}\n{}", get(&address, path)?)?;
        }
        group.0.signal(Signal::TERM)?;
        shown += &describe(group.0.wait(PATIENCE).ok());
    }
    for path in &program.leaves {
        let mut lines = Vec::new();
        digest(&home.join(path), &mut lines).with_context(|| format!("{path} of {}", program.name))?;
        write!(shown, "\n{}", lines.join("\n"))?;
    }
    // A port is another each time.
    Ok(Trial(shown.replace(&port, "PORT").replace(&other, "PORT").lines().map(str::to_owned).collect()))
}

/// A process and all that it starts, which end with it.
struct Group(Process);

impl Drop for Group {
    fn drop(&mut self) {
        // Fails when none of the group is left, which is the usual case.
        if let Some(group) = Pid::from_raw(self.0.pid() as i32) {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

fn describe(status: Option<ExitStatus>) -> String {
    status.map_or_else(|| "timed out".to_owned(), |status| status.to_string())
}

fn lossy(path: &Path) -> Result<String> {
    Ok(String::from_utf8_lossy(&fs::read(path)?).into_owned())
}

/// The status and the body of a response.
fn get(address: &str, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n");
    io::Write::write_all(&mut stream, request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (head, body) = answer.split_once("\r\n\r\n").context("no head")?;
    Ok(format!("{}\n{body}", head.lines().next().unwrap_or_default()))
}

/// The digests of a file, or of all files in a folder.
fn digest(path: &Path, lines: &mut Vec<String>) -> Result<()> {
    if path.is_dir() {
        let mut entries = fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
        entries.sort();
        return entries.iter().try_for_each(|entry| digest(entry, lines));
    }
    let hash = Sha256::digest(fs::read(path)?);
    lines.push(format!("{} {:02x?}", path.display(), &hash[..8]));
    Ok(())
}
