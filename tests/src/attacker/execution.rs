//! Processes that end, fork, or execute another program in the middle of a session.

use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::client::{Session, Target, payload};
use crate::manifests::{Executable, Hooked, manifest, small};

/// Processes at a time.
const AT_ONCE: usize = 8;

/// How long a process writes before it goes on to its end.
const WRITES: Duration = Duration::from_millis(20);

/// Starts one process after another, each of which ends in another way.
pub(crate) fn keep_starting(target: &Target, socket: Option<&str>) -> Result<()> {
    let socket = socket.context("the socket once more, for the processes")?;
    let mut running: Vec<Child> = Vec::new();
    for number in 0_u64.. {
        while running.len() >= AT_ONCE {
            running.retain_mut(|child| child.try_wait().is_ok_and(|status| status.is_none()));
            std::thread::sleep(Duration::from_millis(2));
        }
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["once", socket, &number.to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
        running.push(command.spawn()?);
        target.tally.add("started", 1);
    }
    Ok(())
}

/// Attaches and writes. Then it executes itself, forks, or ends.
pub(crate) fn run_once(target: &Target, number: Option<&str>) -> Result<()> {
    let number: u64 = number.context("a number decides what happens")?.parse()?;
    let executable = if number.is_multiple_of(2) {
        Executable::new(&small())?
    } else {
        // A program with fewer functions than the one before it, or more.
        let rule = format!("rule.{number}");
        Executable::new(&manifest(&[Hooked { rule: &rule, captures: &["a"] }, Hooked { rule: "b", captures: &[] }]))?
    };
    let mut session = target.attach(2, &executable).context("no session")?;
    write(&mut session);
    match number % 5 {
        0 | 1 => {
            let mut next = Command::new(std::env::current_exe()?);
            next.args(std::env::args().skip(1).take(2)).arg((number / 5 + 2).to_string());
            // Returns only if it fails.
            Err(next.exec().into())
        }
        2 => {
            // SAFETY: this process has one thread, so the child may do whatever its parent may.
            let forked = unsafe { libc::fork() };
            write(&mut session);
            if forked == 0 {
                // The child goes on with what was its parent's, and wants a session besides.
                let own = target.attach(1, &executable);
                write(&mut session);
                drop(own);
            }
            Ok(())
        }
        // An exec with no reply read.
        3 => {
            let connection = target.connect().context("no connection")?;
            crate::client::send(&connection, &crate::client::hello(2, executable.id), None);
            Err(Command::new("/bin/true").exec().into())
        }
        _ => Ok(()),
    }
}

/// Writes records, some of points that another program has.
fn write(session: &mut Session) {
    for number in 0_u32..200 {
        let record = payload(number % 5, u64::from(number), &[]);
        for ring in &mut session.rings {
            ring.write(record.len() as u32, &record);
        }
    }
    std::thread::sleep(WRITES);
}
