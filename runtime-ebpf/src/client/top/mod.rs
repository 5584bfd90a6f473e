//! `gopatchd top`: a live view of what patched programs do, in a terminal.
//!
//! Decides: when to ask the running gopatchd, and what a key does.
//! Trusts: nothing in the names that it shows.
//! Never does: leaving the terminal as it was not, whatever ends it.

mod state;
mod table;
mod view;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyEventKind};

use self::state::Top;
use self::table::{Column, Moment};
use crate::client::cli::TopArgs;
use crate::client::request;

/// Runs until a key ends it.
pub fn run(args: &TopArgs) -> Result<()> {
    // Asked once before the terminal is taken, so that what is wrong is said in it.
    let moment = ask(&args.control.control)?;
    if !std::io::IsTerminal::is_terminal(&std::io::stdout()) {
        bail!("top needs a terminal; `gopatchd status --json` does not");
    }
    let mut top = Top {
        moment,
        rows: Vec::new(),
        sorted_by: Column::Rate,
        is_reversed: false,
        filter: String::new(),
        is_filtering: false,
        is_paused: false,
        above: 0,
        trouble: None,
    };
    // It restores the terminal in a panic too.
    let mut terminal = ratatui::try_init().context("cannot take the terminal")?;
    let done = go_on(&mut top, &mut terminal, &args.control.control, Duration::from_secs_f64(args.interval));
    ratatui::restore();
    done
}

fn ask(control: &Path) -> Result<Moment> {
    let operations = request::get(control, "/operations")?;
    Ok(Moment { at: Instant::now(), status: request::get(control, "/status")?, operations })
}

fn go_on(top: &mut Top, terminal: &mut DefaultTerminal, control: &Path, interval: Duration) -> Result<()> {
    let mut next = Instant::now() + interval;
    loop {
        terminal.draw(|frame| view::draw(top, frame)).context("cannot draw")?;
        let until_next = next.saturating_duration_since(Instant::now());
        if event::poll(until_next).context("cannot read the terminal")?
            && let Event::Key(key) = event::read().context("cannot read the terminal")?
            && key.kind == KeyEventKind::Press
            && top.take(key)
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
    match ask(control) {
        Ok(moment) => {
            top.rows = table::rows(&top.moment, &moment);
            top.moment = moment;
            top.trouble = None;
        }
        Err(error) => top.trouble = Some(format!("{error:#}")),
    }
}
