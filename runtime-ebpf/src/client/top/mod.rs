//! `gopatchd top`: a live view of what patched programs do, in a terminal.
//!
//! - [`state`]: what is shown, and what a key does to it;
//! - [`table`]: the rows, from two snapshots;
//! - [`view`]: the screen.
//!
//! Trusts: nothing in the names that it shows.
//! Never does: leave the terminal changed, however it ends.

mod state;
mod table;
mod view;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyEventKind};

use self::state::Top;
use self::table::Snapshot;
use crate::client::cli::TopArgs;
use crate::client::request;
use crate::control::api::{Operations, Status};
use crate::summary::Summary;

/// Runs until a key ends it.
pub fn run(args: &TopArgs) -> Result<()> {
    // The first request comes before the screen is set up, so that its error is an ordinary
    // message.
    let snapshot = request_snapshot(&args.control.control)?;
    if !std::io::IsTerminal::is_terminal(&std::io::stdout()) {
        bail!("top needs a terminal\nhint: use `gopatchd status --json`");
    }
    let mut top = Top::new(snapshot);
    // This also restores the terminal after a panic.
    let mut terminal = ratatui::try_init().context("cannot set up the terminal")?;
    let done = run_loop(&mut top, &mut terminal, &args.control.control, Duration::from_secs_f64(args.interval));
    ratatui::restore();
    done
}

fn request_snapshot(control: &Path) -> Result<Snapshot> {
    let operations = request::get(control, "/operations")?;
    Ok(Snapshot { at: Instant::now(), status: request::get(control, "/status")?, operations })
}

/// The screen with these operations, as it is drawn after the first look, for tests of what it takes.
pub(crate) fn draw_operations(operations: Vec<Operations>) -> Result<String> {
    let status = Status {
        version: String::new(),
        pid: 1,
        uptime_seconds: 0.0,
        backend: String::new(),
        alive: true,
        totals: Summary::default(),
        spans: None,
        memory_limit_bytes: 0,
        limits: Vec::new(),
        processes: Vec::new(),
    };
    let before = Snapshot { at: Instant::now(), status: status.clone(), operations: Vec::new() };
    let snapshot = Snapshot { at: before.at + Duration::from_secs(1), status, operations };
    let rows = table::rows(&before, &snapshot);
    let top = Top { rows, ..Top::new(snapshot) };
    let mut terminal = ratatui::Terminal::new(ratatui::backend::TestBackend::new(100, 20))?;
    terminal.draw(|frame| view::draw(&top, frame))?;
    Ok(terminal.backend().to_string())
}

fn run_loop(top: &mut Top, terminal: &mut DefaultTerminal, control: &Path, interval: Duration) -> Result<()> {
    let mut next = Instant::now() + interval;
    loop {
        terminal.draw(|frame| view::draw(top, frame)).context("cannot draw")?;
        let until_next = next.saturating_duration_since(Instant::now());
        if event::poll(until_next).context("cannot read the terminal")?
            && let Event::Key(key) = event::read().context("cannot read the terminal")?
            && key.kind == KeyEventKind::Press
            && top.handle_key(key)
        {
            return Ok(());
        }
        if Instant::now() >= next {
            next = Instant::now() + interval;
            refresh(top, control);
        }
    }
}

fn refresh(top: &mut Top, control: &Path) {
    if top.is_paused {
        return;
    }
    match request_snapshot(control) {
        Ok(snapshot) => {
            top.rows = table::rows(&top.snapshot, &snapshot);
            top.snapshot = snapshot;
            top.trouble = None;
        }
        Err(error) => top.trouble = Some(format!("{error:#}")),
    }
}
