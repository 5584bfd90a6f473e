//! `gopatchd top`: a live view of what patched programs do, in a terminal.
//!
//! Decides: when to ask the running gopatchd, and what a key does.
//! Trusts: nothing in the names that it shows.
//! Never does: leaving the terminal as it was not, whatever ends it.

mod table;
mod view;

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

use crate::cli::TopArgs;
use crate::client;
use table::{Column, Moment, Row};

/// What is shown, and how.
#[derive(Debug)]
struct Top {
    moment: Moment,
    rows: Vec<Row>,
    sorted_by: Column,
    is_reversed: bool,
    filter: String,
    /// Keys go into the filter.
    is_filtering: bool,
    is_paused: bool,
    /// Rows that are scrolled over.
    above: usize,
    /// Why the running gopatchd does not answer.
    trouble: Option<String>,
}

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
    let done = top.go_on(&mut terminal, &args.control.control, Duration::from_secs_f64(args.interval));
    ratatui::restore();
    done
}

fn ask(control: &Path) -> Result<Moment> {
    let operations = client::get(control, "/operations")?;
    Ok(Moment { at: Instant::now(), status: client::get(control, "/status")?, operations })
}

impl Top {
    fn go_on(&mut self, terminal: &mut DefaultTerminal, control: &Path, interval: Duration) -> Result<()> {
        let mut next = Instant::now() + interval;
        loop {
            terminal.draw(|frame| view::draw(self, frame)).context("cannot draw")?;
            let until_next = next.saturating_duration_since(Instant::now());
            if event::poll(until_next).context("cannot read the terminal")?
                && let Event::Key(key) = event::read().context("cannot read the terminal")?
                && key.kind == KeyEventKind::Press
                && self.take(key)
            {
                return Ok(());
            }
            if Instant::now() >= next {
                next = Instant::now() + interval;
                self.refresh(control);
            }
        }
    }

    fn refresh(&mut self, control: &Path) {
        if self.is_paused {
            return;
        }
        match ask(control) {
            Ok(moment) => {
                self.rows = table::rows(&self.moment, &moment);
                self.moment = moment;
                self.trouble = None;
            }
            Err(error) => self.trouble = Some(format!("{error:#}")),
        }
    }

    /// The rows that are to be seen, in their order.
    fn shown(&self) -> Vec<&Row> {
        let mut rows: Vec<_> = self.rows.iter().filter(|row| row.is_like(&self.filter)).collect();
        rows.sort_by(|one, other| {
            let order = self.sorted_by.compare(one, other);
            if self.is_reversed { order.reverse() } else { order }
        });
        rows
    }

    /// Does what a key means. Gives whether it means the end.
    fn take(&mut self, key: KeyEvent) -> bool {
        if key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c') {
            return true;
        }
        if self.is_filtering {
            match key.code {
                KeyCode::Enter => self.is_filtering = false,
                KeyCode::Esc => {
                    self.is_filtering = false;
                    self.filter.clear();
                }
                KeyCode::Backspace => drop(self.filter.pop()),
                KeyCode::Char(c) => self.filter.push(c),
                _ => {}
            }
            return false;
        }
        match key.code {
            KeyCode::Char('q') | KeyCode::Esc => return true,
            KeyCode::Char('/') => self.is_filtering = true,
            KeyCode::Char('p' | ' ') => self.is_paused = !self.is_paused,
            KeyCode::Char('r') => self.is_reversed = !self.is_reversed,
            KeyCode::Char('s') | KeyCode::Right => self.sorted_by = self.sorted_by.next(),
            KeyCode::Left => self.sorted_by = self.sorted_by.previous(),
            KeyCode::Down => self.above = (self.above + 1).min(self.shown().len().saturating_sub(1)),
            KeyCode::Up => self.above = self.above.saturating_sub(1),
            KeyCode::Home => self.above = 0,
            _ => {}
        }
        false
    }
}
