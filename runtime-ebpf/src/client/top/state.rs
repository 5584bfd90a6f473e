//! What `top` shows, and what a key does to it.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::table::{Column, Row, Snapshot};

/// What is shown, and how.
#[derive(Debug)]
pub(super) struct Top {
    pub(super) snapshot: Snapshot,
    pub(super) rows: Vec<Row>,
    pub(super) sorted_by: Column,
    pub(super) is_reversed: bool,
    pub(super) filter: String,
    /// Whether keys go into the filter.
    pub(super) is_filtering: bool,
    pub(super) is_paused: bool,
    /// Rows above the visible ones.
    pub(super) above: usize,
    /// Why the running gopatchd does not answer.
    pub(super) trouble: Option<String>,
}

impl Top {
    /// What is shown at first.
    pub(super) fn new(snapshot: Snapshot) -> Self {
        Self {
            snapshot,
            rows: Vec::new(),
            sorted_by: Column::Rate,
            is_reversed: false,
            filter: String::new(),
            is_filtering: false,
            is_paused: false,
            above: 0,
            trouble: None,
        }
    }

    /// The rows that match the filter, sorted.
    pub(super) fn visible_rows(&self) -> Vec<&Row> {
        let mut rows: Vec<_> = self.rows.iter().filter(|row| row.matches(&self.filter)).collect();
        rows.sort_by(|one, other| {
            let order = self.sorted_by.compare(one, other);
            if self.is_reversed { order.reverse() } else { order }
        });
        rows
    }

    /// Handles a key. Returns whether it ends `top`.
    pub(super) fn handle_key(&mut self, key: KeyEvent) -> bool {
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
            KeyCode::Down => self.above = (self.above + 1).min(self.visible_rows().len().saturating_sub(1)),
            KeyCode::Up => self.above = self.above.saturating_sub(1),
            KeyCode::Home => self.above = 0,
            _ => {}
        }
        false
    }
}
