//! The rows of `top`: what has happened between two snapshots.
//!
//! Decides: rates, quantiles, and how rows are sorted.
//! Trusts: gopatchd's counts.
//! Never does: I/O.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use crate::control::api::{DURATION_SCALE, Operations, Status};

/// What the running gopatchd reported at a time.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) at: Instant,
    pub(super) status: Status,
    pub(super) operations: Vec<Operations>,
}

/// Operations of one name in one process.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row {
    pub(super) service: String,
    pub(super) pid: u32,
    pub(super) name: String,
    /// Operations a second.
    pub(super) rate: f64,
    /// Errors a second.
    pub(super) errors: f64,
    /// In nanoseconds; none without operations.
    pub(super) p50: Option<f64>,
    pub(super) p99: Option<f64>,
    /// Operations since a client began to watch.
    pub(super) count: u64,
}

/// What rows are sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Column {
    Service,
    Pid,
    Operation,
    Rate,
    P50,
    P99,
    Errors,
    Count,
}

impl Column {
    pub(super) const ALL: [Self; 8] =
        [Self::Service, Self::Pid, Self::Operation, Self::Rate, Self::P50, Self::P99, Self::Errors, Self::Count];

    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Service => "SERVICE",
            Self::Pid => "PID",
            Self::Operation => "OPERATION",
            Self::Rate => "RATE/s",
            Self::P50 => "P50",
            Self::P99 => "P99",
            Self::Errors => "ERRORS/s",
            Self::Count => "COUNT",
        }
    }

    pub(super) fn next(self) -> Self {
        Self::ALL[(self as usize + 1) % Self::ALL.len()]
    }

    pub(super) fn previous(self) -> Self {
        Self::ALL[(self as usize + Self::ALL.len() - 1) % Self::ALL.len()]
    }

    /// Names in ascending order, numbers in descending order.
    pub(super) fn compare(self, one: &Row, other: &Row) -> Ordering {
        let greatest = |value: fn(&Row) -> f64| value(other).total_cmp(&value(one));
        let order = match self {
            Self::Service => one.service.cmp(&other.service),
            Self::Pid => one.pid.cmp(&other.pid),
            Self::Operation => Ordering::Equal,
            Self::Rate => greatest(|row| row.rate),
            Self::P50 => greatest(|row| row.p50.unwrap_or(-1.0)),
            Self::P99 => greatest(|row| row.p99.unwrap_or(-1.0)),
            Self::Errors => greatest(|row| row.errors),
            Self::Count => other.count.cmp(&one.count),
        };
        order.then_with(|| one.name.cmp(&other.name)).then_with(|| one.pid.cmp(&other.pid))
    }
}

impl Row {
    /// Whether the service or the name contains the filter, or the pid equals it.
    pub(super) fn matches(&self, filter: &str) -> bool {
        let filter = filter.to_lowercase();
        [&self.service, &self.name].iter().any(|name| name.to_lowercase().contains(&filter))
            || self.pid.to_string() == filter
    }
}

/// What has happened between two snapshots.
pub(super) fn rows(before: &Snapshot, now: &Snapshot) -> Vec<Row> {
    let seconds = now.at.duration_since(before.at).as_secs_f64().max(1e-3);
    let key = |operations: &Operations| (operations.instance.clone(), operations.pid, operations.name.clone());
    let known: HashMap<_, _> = before.operations.iter().map(|operations| (key(operations), operations)).collect();
    let rows = now.operations.iter().map(|operations| {
        let Operations { pid, service, name, count, errors, durations, .. } = operations;
        // Counts restart after some time without a client that watches.
        let earlier = known.get(&key(operations)).filter(|earlier| earlier.count <= *count);
        let (count_before, errors_before) = earlier.map_or((0, 0), |earlier| (earlier.count, earlier.errors));
        let mut fresh: BTreeMap<i32, u64> = durations.iter().copied().collect();
        for (index, count) in earlier.iter().flat_map(|earlier| &earlier.durations) {
            fresh.entry(*index).and_modify(|fresh| *fresh = fresh.saturating_sub(*count));
        }
        Row {
            service: service.clone(),
            pid: *pid,
            name: name.clone(),
            rate: (count - count_before) as f64 / seconds,
            errors: errors.saturating_sub(errors_before) as f64 / seconds,
            p50: quantile(&fresh, 0.5),
            p99: quantile(&fresh, 0.99),
            count: *count,
        }
    });
    rows.collect()
}

/// The duration that this part of all does not exceed: the middle of its bucket.
fn quantile(durations: &BTreeMap<i32, u64>, part: f64) -> Option<f64> {
    let all: u64 = durations.values().sum();
    let wanted = (part * all as f64).ceil().max(1.0) as u64;
    let mut seen = 0;
    let (index, _) = durations.iter().find(|(_, count)| {
        seen += **count;
        seen >= wanted
    })?;
    (all > 0).then(|| 2f64.powf((f64::from(*index) + 0.5) / f64::from(1 << DURATION_SCALE)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operations(name: &str, count: u64, errors: u64, durations: &[(i32, u64)]) -> Operations {
        Operations {
            pid: 7,
            instance: "i".into(),
            service: "shop".into(),
            rule: "r".into(),
            name: name.into(),
            count,
            errors,
            durations: durations.to_vec(),
        }
    }

    fn snapshot(at: Instant, operations: Vec<Operations>) -> Snapshot {
        let status = Status {
            memory_limit_bytes: 0,
            limits: Vec::new(),
            version: String::new(),
            pid: 1,
            uptime_seconds: 0.0,
            backend: String::new(),
            alive: true,
            totals: crate::summary::Summary::default(),
            spans: None,
            processes: Vec::new(),
        };
        Snapshot { at, status, operations }
    }

    #[test]
    fn rows_show_what_happened_between_two_snapshots() {
        let start = Instant::now();
        // 2^10 and 2^20 ns.
        let before = snapshot(start, vec![operations("GET /a", 10, 1, &[(80, 10)])]);
        let later = start + std::time::Duration::from_secs(2);
        let now = snapshot(
            later,
            vec![operations("GET /a", 110, 21, &[(80, 10), (160, 100)]), operations("GET /b", 4, 0, &[(80, 4)])],
        );
        let rows = rows(&before, &now);
        assert_eq!((rows[0].rate, rows[0].errors, rows[0].count), (50.0, 10.0, 110));
        let near = |duration: Option<f64>, expected: f64| (duration.expect("some") / expected - 1.0).abs() < 0.1;
        assert!(near(rows[0].p50, 2f64.powi(20)) && near(rows[0].p99, 2f64.powi(20)), "{rows:?}");
        assert_eq!((rows[1].rate, rows[1].count), (2.0, 4));
    }

    #[test]
    fn restarted_counts_give_no_negative_rate() {
        let start = Instant::now();
        let before = snapshot(start, vec![operations("GET /a", 1000, 0, &[(80, 1000)])]);
        let now = snapshot(start + std::time::Duration::from_secs(1), vec![operations("GET /a", 3, 0, &[(80, 3)])]);
        assert!((rows(&before, &now)[0].rate - 3.0).abs() < 1e-9);
    }

    #[test]
    fn rows_are_sorted_and_filtered() {
        let row = |name: &str, rate| Row {
            service: "shop".into(),
            pid: 7,
            name: name.into(),
            rate,
            errors: 0.0,
            p50: None,
            p99: None,
            count: 1,
        };
        let (slow, fast) = (row("GET /slow", 1.0), row("POST /fast", 9.0));
        assert_eq!(Column::Rate.compare(&fast, &slow), Ordering::Less, "the greatest first");
        assert_eq!(Column::Operation.compare(&slow, &fast), Ordering::Less);
        assert_eq!(Column::Count.compare(&slow, &fast), Ordering::Less, "equal counts are sorted by name");
        assert!(fast.matches("post") && fast.matches("SHOP") && fast.matches("7") && !slow.matches("post"));
        assert_eq!(Column::ALL.iter().fold(Column::Rate, |column, _| column.next()), Column::Rate);
        assert_eq!(Column::Service.previous(), Column::Count);
    }
}
