//! gopatch replaces regular files and nothing else, by whatever name, also as root.
//!
//! Device nodes are made in the test's folder, by root only; no device of the machine is at risk.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, MetadataExt, symlink};
use std::os::unix::net::UnixListener;
use std::thread;

use anyhow::{Context, Result, ensure};
use gopatch_tests::{Gopatch, Scratch, release_binary};
use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};

use super::{HOT, fail, is_equal, run, succeed, tool, with_program};

const NULL: (u32, u32) = (1, 3);

/// Makes a device node like /dev/null; false if that is not allowed.
fn make_null(scratch: &Scratch, name: &str) -> bool {
    let device = makedev(NULL.0, NULL.1);
    let made = mknodat(CWD, scratch.file(name), FileType::CharacterDevice, Mode::from_raw_mode(0o666), device);
    // In some containers the device cannot be used.
    made.is_ok() && fs::write(scratch.file(name), "x").is_ok()
}

fn make_fifo(scratch: &Scratch, name: &str) -> Result<()> {
    Ok(mknodat(CWD, scratch.file(name), FileType::Fifo, Mode::from_raw_mode(0o666), 0)?)
}

/// Everything about a name that must stay.
fn identity(scratch: &Scratch, name: &str) -> Result<(u64, u32, u64)> {
    let metadata = fs::symlink_metadata(scratch.path().join(name)).with_context(|| name.to_owned())?;
    Ok((metadata.ino(), metadata.mode(), metadata.rdev()))
}

#[test]
fn an_executable_goes_into_a_file_only() -> Result<()> {
    let scratch = with_program()?;
    make_fifo(&scratch, "fifo")?;
    fs::create_dir(scratch.file("folder"))?;
    let _socket = UnixListener::bind(scratch.file("socket"))?;
    let mut names = vec![("fifo", "a FIFO"), ("folder", "a directory"), ("socket", "a socket")];
    if make_null(&scratch, "null") {
        names.push(("null", "a character device"));
        symlink("null", scratch.file("to-null"))?;
        names.push(("to-null", "a character device"));
    }
    for (target, name) in [("fifo", "to-fifo"), ("folder", "to-folder"), ("to-fifo", "to-link"), ("loop", "loop")] {
        symlink(target, scratch.file(name))?;
    }
    names.extend([("to-fifo", "a FIFO"), ("to-folder", "a directory"), ("to-link", "a FIFO")]);
    names.extend([("loop", "too many symbolic links"), ("/dev/null", "a character device")]);
    names.extend([("/dev/stdout", "an open descriptor"), ("/proc/self/fd/2", "an open descriptor")]);
    succeed(&scratch, &["-q", "in", "-o", "out", "--rules", "rules.yaml"])?;
    for (name, what) in names {
        let before = identity(&scratch, name)?;
        fail(&scratch, &["in", "-o", name, "--rules", "rules.yaml"], what)?;
        fail(&scratch, &["restore", "out", "-o", name], what)?;
        ensure!(identity(&scratch, name)? == before, "{name} was replaced");
    }
    Ok(())
}

#[test]
fn a_symbolic_link_stays_and_its_target_is_written() -> Result<()> {
    let scratch = with_program()?;
    fs::create_dir(scratch.file("folder"))?;
    fs::write(scratch.file("folder/old"), "old")?;
    for (target, name) in
        [("folder/old", "link"), ("link", "second"), ("folder/new", "dangling"), ("folder/text", "text")]
    {
        symlink(target, scratch.file(name))?;
    }
    succeed(&scratch, &["-q", "in", "-o", "plain", "--rules", "rules.yaml"])?;
    for (name, target) in [("second", "folder/old"), ("dangling", "folder/new")] {
        succeed(&scratch, &["in", "-o", name, "--rules", "rules.yaml", "--report", "text"])?;
        ensure!(is_equal(&scratch.file(target), &scratch.file("plain"))?, "{target} is not the output");
        succeed(&scratch, &["restore", "plain", "-o", name])?;
        ensure!(is_equal(&scratch.file(target), &scratch.file("in"))?, "{target} is not the input");
    }
    for name in ["link", "second", "dangling", "text"] {
        ensure!(fs::symlink_metadata(scratch.file(name))?.is_symlink(), "{name} was replaced");
    }
    ensure!(fs::read_to_string(scratch.file("folder/text"))?.contains("main.Hot"), "no report");
    Ok(())
}

#[test]
fn text_goes_through_devices_and_pipes() -> Result<()> {
    let scratch = with_program()?;
    make_fifo(&scratch, "fifo")?;
    let mut reader = scratch.file("fifo");
    let read = thread::spawn(move || {
        let mut text = String::new();
        File::open(&mut reader)?.read_to_string(&mut text).map(|_| text)
    });
    succeed(&scratch, &["in", "-o", "out", "--rules", "rules.yaml", "--report", "fifo"])?;
    let text = read.join().expect("no panic")?;
    ensure!(text.contains("main.Hot"), "the FIFO's reader got {text:?}");
    ensure!(fs::symlink_metadata(scratch.file("fifo"))?.file_type().is_fifo(), "the FIFO was replaced");

    if make_null(&scratch, "null") {
        let before = identity(&scratch, "null")?;
        let both = ["--report", "null", "--provenance", "null"];
        succeed(&scratch, &[&["in", "-o", "out", "--rules", "rules.yaml"], &both[..]].concat())?;
        ensure!(identity(&scratch, "null")? == before, "the device was replaced");
    }
    let before = identity(&scratch, "/dev/stdout")?;
    for name in ["/dev/stdout", "/proc/self/fd/1"] {
        let done = succeed(&scratch, &["in", "-o", "out", "--rules", "rules.yaml", "--report", name])?;
        ensure!(done.stdout.matches("main.Hot").count() == 1, "{name}: {:?}", done.stdout);
    }
    let done = succeed(&scratch, &["-q", "in", "-o", "out", "--rules", "rules.yaml", "--provenance", "/dev/stderr"])?;
    ensure!(done.stderr.contains("in-toto"), "{:?}", done.stderr);
    ensure!(identity(&scratch, "/dev/stdout")? == before, "/dev/stdout was replaced");

    // What a log has already stays, and so does a socket, through which nothing can be opened.
    let script = "echo first > log; \"$0\" in -o out --rules rules.yaml --report /dev/stdout >> log
                  \"$0\" in -o out --rules rules.yaml --report /dev/fd/3 3>> log";
    let gopatch = release_binary("gopatch")?;
    tool(&scratch, "sh", &["-c", script, gopatch.to_str().context("a path in UTF-8")?])?;
    let log = fs::read_to_string(scratch.file("log"))?;
    ensure!(log.starts_with("first\n") && log.matches("main.Hot").count() == 2, "{log}");
    let _socket = UnixListener::bind(scratch.file("socket"))?;
    fail(
        &scratch,
        &["in", "-o", "new", "--rules", "rules.yaml", "--report", "socket"],
        "socket: cannot write: a socket, not a file",
    )?;
    ensure!(!scratch.file("new").exists(), "an output without its report was kept");
    ensure!(fs::symlink_metadata(scratch.file("socket"))?.file_type().is_socket(), "the socket was replaced");
    Ok(())
}

#[test]
fn no_output_is_a_file_of_the_same_run() -> Result<()> {
    let scratch = with_program()?;
    fs::create_dir(scratch.file("folder"))?;
    symlink("in", scratch.file("link"))?;
    symlink("new", scratch.file("dangling"))?;
    fs::hard_link(scratch.file("in"), scratch.file("twin"))?;
    let patch = |output: &str, others: &[&str], reason: &str| {
        fail(&scratch, &[&["in", "-o", output, "--rules", "rules.yaml"], others].concat(), reason)
    };
    for name in ["in", "./in", "folder/../in", "link", "twin", "/proc/self/cwd/in"] {
        patch(name, &[], "OUT would overwrite IN")?;
        patch("out", &["--report", name], "the report would overwrite IN")?;
    }
    patch("out", &["--report", "folder/../rules.yaml"], "the report would overwrite a rules file")?;
    patch("rules.yaml", &[], "OUT would overwrite a rules file")?;
    patch("new", &["--report", "./new"], "the report would overwrite OUT")?;
    patch("new", &["--report", "dangling"], "the report would overwrite OUT")?;
    patch("out", &["--report", "new", "--provenance", "dangling"], "the provenance would overwrite the report")?;
    succeed(&scratch, &["-q", "in", "-o", "out", "--rules", "rules.yaml"])?;
    symlink("out", scratch.file("to-out"))?;
    fail(&scratch, &["restore", "out", "-o", "to-out"], "would overwrite OUT")?;
    ensure!(fs::read_to_string(scratch.file("rules.yaml"))? == HOT, "the rules were overwritten");
    ensure!(run(&scratch, &["verify", "out", "--original", "in"])?.status == Some(0), "the input was overwritten");
    Ok(())
}

/// A disk that is full while the report is written leaves no output either.
#[test]
fn a_report_that_cannot_be_written_leaves_no_output() -> Result<()> {
    let scratch = with_program()?;
    let done: Gopatch = run(&scratch, &["in", "-o", "out", "--rules", "rules.yaml", "--report", "/dev/full"])?;
    ensure!(done.status == Some(2), "{:?}", done.status);
    ensure!(done.stderr.contains("/dev/full: cannot write: No space left on device"), "{}", done.stderr);
    ensure!(!scratch.file("out").exists(), "an output without its report was kept");
    Ok(())
}
