//! How `top` looks.
//!
//! Decides: where everything goes, in a terminal of any size.
//! Trusts: ratatui to cut off text that does not fit.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout};
use ratatui::style::{Modifier, Style, Stylize as _};
use ratatui::text::Line;
use ratatui::widgets::{Cell, Paragraph, Row, Table};

use super::state::Top;
use super::table::{self, Column};
use crate::console::text::{format_duration, printable};

const KEYS: &str = "q quit  s/←→ sort  r reverse  / filter  p pause  ↑↓ scroll";

/// Draws the whole screen.
pub(super) fn draw(top: &Top, frame: &mut Frame<'_>) {
    let [head, body, foot] =
        Layout::vertical([Constraint::Length(3), Constraint::Min(1), Constraint::Length(1)]).areas(frame.area());
    frame.render_widget(Paragraph::new(head_lines(top)), head);
    frame.render_widget(rows(top), body);
    frame.render_widget(Line::from(foot_line(top)).reversed(), foot);
}

fn head_lines(top: &Top) -> Vec<Line<'static>> {
    let status = &top.snapshot.status;
    let attached = status.processes.iter().filter(|process| !process.ended).count();
    let totals = &status.totals;
    let rate: f64 = top.rows.iter().map(|row| row.rate).sum();
    let spans = status.spans.as_ref().map_or_else(String::new, |spans| {
        format!(
            "  spans waiting: {}  lost: {}",
            spans.waiting,
            spans.lost_queue_full.saturating_add(spans.lost_rejected)
        )
    });
    let paused = if top.is_paused { "  PAUSED" } else { "" };
    vec![
        Line::from(format!(
            "gopatchd {}  pid {}  backend {}  processes: {attached}{paused}",
            status.version, status.pid, status.backend
        ))
        .bold(),
        Line::from(format!(
            "operations: {}  {rate:.0}/s  records: {}  lost: {}{spans}",
            totals.operations, totals.records, totals.lost.total
        )),
        match &top.trouble {
            Some(trouble) => Line::from(format!("no answer: {}", printable(trouble))).red(),
            None => Line::default(),
        },
    ]
}

fn rows(top: &Top) -> Table<'static> {
    let title = |column: &Column| {
        let mark = match (*column == top.sorted_by, top.is_reversed) {
            (false, _) => "",
            (true, false) => "▼",
            (true, true) => "▲",
        };
        let style = if mark.is_empty() { Style::new() } else { Style::new().add_modifier(Modifier::BOLD) };
        Cell::from(format!("{}{mark}", column.title())).style(style)
    };
    let head = Row::new(Column::ALL.iter().map(title)).underlined();
    let visible = top.visible_rows();
    let rows = visible.iter().skip(top.above).map(|row| {
        let table::Row { service, pid, name, rate, errors, p50, p99, count } = row;
        let cells = [
            printable(service).into_owned(),
            pid.to_string(),
            printable(name).into_owned(),
            format!("{rate:.1}"),
            duration(*p50),
            duration(*p99),
            format!("{errors:.1}"),
            count.to_string(),
        ];
        let row = Row::new(cells);
        if *errors > 0.0 { row.red() } else { row }
    });
    let widths = [
        Constraint::Length(16),
        Constraint::Length(8),
        Constraint::Min(16),
        Constraint::Length(10),
        Constraint::Length(9),
        Constraint::Length(9),
        Constraint::Length(10),
        Constraint::Length(10),
    ];
    Table::new(rows.collect::<Vec<_>>(), widths).header(head)
}

fn foot_line(top: &Top) -> String {
    match (top.is_filtering, top.filter.is_empty()) {
        (true, _) => format!("filter: {}_   Enter keep  Esc clear", top.filter),
        (false, false) => format!("filter: {}   {KEYS}", top.filter),
        (false, true) => KEYS.to_owned(),
    }
}

/// A duration, or `-` if nothing happened.
fn duration(nanos: Option<f64>) -> String {
    nanos.map_or_else(|| "-".to_owned(), |nanos| format_duration(nanos, 3))
}
