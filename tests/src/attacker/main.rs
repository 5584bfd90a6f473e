//! A hostile client of gopatchd, for tests: it speaks the wire format, and lies in it.
//!
//! `attacker WAY SOCKET [ARGUMENT]` attacks in one way until it is killed. Once a second it prints
//! what it has done, as a line of JSON, so that a test can tell that it attacks at all. It runs at the
//! lowest priority: how processes share a processor is the kernel's affair, and not what is tested.

mod client;
mod execution;
mod files;
mod greetings;
mod large;
mod manifests;
mod records;
mod web;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use rustix::process::{Resource, Signal, getrlimit, set_parent_process_death_signal, setpriority_process, setrlimit};

use client::Target;

/// A way to attack: never returns unless it cannot begin.
type Way = fn(&Target, Option<&str>) -> Result<()>;

/// All ways, by name.
const WAYS: [(&str, Way); 11] = [
    ("hellos", greetings::flood),
    ("silent", greetings::stay_silent),
    ("rings", records::keep_rings_full),
    ("positions", records::lie_about_positions),
    ("labels", records::make_up_labels),
    ("collisions", records::collide),
    ("manifests", large::send_all),
    ("files", files::send_odd),
    ("executions", execution::keep_starting),
    ("once", execution::run_once),
    ("web", web::hold),
];

/// How often an attack has done what.
#[derive(Clone, Default)]
pub(crate) struct Tally(Arc<Mutex<BTreeMap<&'static str, u64>>>);

impl Tally {
    pub(crate) fn add(&self, what: &'static str, count: u64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(what).or_default() += count;
    }

    fn print(&self) {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        println!("{}", serde_json::to_string(&*counts).expect("numbers"));
    }
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().context("a way to attack is needed")?;
    let socket = PathBuf::from(arguments.next().context("a socket is needed")?);
    let (_, way) = WAYS.iter().find(|(way, _)| *way == name).with_context(|| format!("no way is called {name}"))?;
    // It ends with its test, even if that is killed.
    set_parent_process_death_signal(Some(Signal::KILL))?;
    setpriority_process(None, 19)?;
    let mut files = getrlimit(Resource::Nofile);
    files.current = files.maximum;
    setrlimit(Resource::Nofile, files)?;
    let target = Target::new(Path::new(&socket));
    let tally = target.tally.clone();
    // A process that forks has one thread.
    if name != "once" {
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(Duration::from_secs(1));
                tally.print();
            }
        });
    }
    way(&target, arguments.next().as_deref())
}
