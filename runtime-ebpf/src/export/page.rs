//! The page that Prometheus scrapes, in chunks.
//!
//! Decides: which series are on the page when all of them would be more than the settings allow:
//! each process gets its share, and one that needs less leaves the rest to others.
//! Trusts: nothing in what processes count.
//! Never does: I/O; hold the lock of a process for longer than a chunk takes; or keep more of a page
//! than a chunk.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::BuildHasher as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use foldhash::fast::RandomState;

use super::labels::{DUPLICATE, append, labels, sanitize};
use super::prometheus::{self, Counts, Form, Head};
use super::shared::Shared;
use crate::calls::attributes::Value;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::process::Process;

/// Bytes of a chunk. The last series in it may be longer.
const CHUNK: usize = 1 << 16;

/// Bytes that a line of a histogram has apart from its name and labels.
const LINE_BYTES: usize = 64;

/// Bytes of an exemplar.
const EXEMPLAR_BYTES: usize = 128;

/// What is left of a page.
pub(crate) struct Page {
    shared: Arc<Shared>,
    form: Form,
    /// What gopatchd has counted itself.
    first: Option<String>,
    processes: Vec<Participant>,
    /// What is on the page, in its order.
    families: std::vec::IntoIter<(String, Vec<Part>)>,
    current: Option<Current>,
    is_over: bool,
    hasher: RandomState,
}

/// A process on the page.
struct Participant {
    process: Arc<Process>,
    /// What tells it from a process with the same `instance` before it; 1 is the first.
    number: usize,
    /// How many bytes of the page it may still fill.
    left: usize,
}

/// Where the lines of a family come from.
#[derive(Clone, Copy)]
enum Part {
    /// The counters of a process, by its index.
    Counters(usize),
    /// An instrument of a group of a process.
    Histogram { process: usize, group: usize, instrument: usize },
}

/// The family that is being written.
struct Current {
    name: String,
    parts: std::vec::IntoIter<Part>,
    has_head: bool,
    /// The part that is being written, and its next series.
    part: Option<(Part, usize)>,
    /// Hashes of the labels so far.
    written: HashSet<u64>,
}

impl Page {
    /// Decides what is on the page. Others run in between: there may be many series.
    pub(crate) async fn plan(shared: &Arc<Shared>, form: Form) -> Self {
        // What is about processes comes first: histograms may leave no room.
        let mut families: BTreeMap<(bool, String), Vec<Part>> = BTreeMap::new();
        let mut numbers: HashMap<String, usize> = HashMap::new();
        let (mut processes, mut wanted) = (Vec::new(), Vec::new());
        for (index, process) in shared.processes.all().into_iter().enumerate() {
            let counts = Counts::new(&process);
            let groups = process.state().metrics.as_ref().map_or(0, |metrics| metrics.groups.len());
            let identity = prometheus::identity(&counts.resource, 1);
            let mut bytes = 0;
            for (head, lines) in prometheus::counters(&counts, &identity) {
                bytes += lines.len();
                families.entry((false, head.name.to_owned())).or_default().push(Part::Counters(index));
            }
            for group in 0..groups {
                let state = process.state();
                let Some(metrics) = &state.metrics else { break };
                let names = family_names(metrics, group);
                bytes += size(metrics, group, &names, identity.len(), form);
                for (instrument, name) in names.into_iter().enumerate() {
                    families.entry((true, name)).or_default().push(Part::Histogram {
                        process: index,
                        group,
                        instrument,
                    });
                }
            }
            let number = numbers.entry(identity).and_modify(|number| *number += 1).or_insert(1);
            processes.push(Participant { process, number: *number, left: 0 });
            wanted.push(bytes);
            tokio::task::yield_now().await;
        }
        let share = share(&wanted, shared.page_bytes);
        for participant in &mut processes {
            participant.left = share;
        }
        Self {
            shared: Arc::clone(shared),
            form,
            processes,
            families: families.into_iter().map(|((_, name), parts)| (name, parts)).collect::<Vec<_>>().into_iter(),
            first: Some(prometheus::gopatchd(shared, form)),
            current: None,
            is_over: false,
            hasher: RandomState::default(),
        }
    }

    /// The next chunk, none at the end.
    pub(crate) fn next_chunk(&mut self) -> Option<String> {
        let mut chunk = self.first.take().unwrap_or_default();
        while chunk.len() < CHUNK && !self.is_over {
            if self.current.is_none() {
                self.current = self.families.next().map(|(name, parts)| Current {
                    name,
                    parts: parts.into_iter(),
                    has_head: false,
                    part: None,
                    written: HashSet::new(),
                });
            }
            let Some(current) = &mut self.current else {
                self.end(&mut chunk);
                break;
            };
            let Some((part, next)) = current.part.take().or_else(|| Some((current.parts.next()?, 0))) else {
                self.current = None;
                continue;
            };
            let rest = match part {
                Part::Counters(process) => {
                    current.counters(&mut self.processes[process], &self.shared, self.form, &mut chunk);
                    None
                }
                Part::Histogram { process, group, instrument } => {
                    let participant = &mut self.processes[process];
                    let next = Next { group, instrument, series: next };
                    current.histograms(participant, &self.shared, self.form, &self.hasher, &next, &mut chunk)
                }
            };
            current.part = rest.map(|next| (part, next));
        }
        (!chunk.is_empty()).then_some(chunk)
    }

    fn end(&mut self, chunk: &mut String) {
        self.is_over = true;
        if self.form == Form::OpenMetrics {
            chunk.push_str("# EOF\n");
        }
        for participant in &self.processes {
            participant.process.state().scrape();
        }
        self.shared.forget_ended();
    }
}

/// A series to go on with.
struct Next {
    group: usize,
    instrument: usize,
    series: usize,
}

impl Current {
    fn head(&mut self, head: &Head<'_>, form: Form, chunk: &mut String) {
        if !self.has_head {
            head.append(form, chunk);
            self.has_head = true;
        }
    }

    fn counters(&mut self, participant: &mut Participant, shared: &Shared, form: Form, chunk: &mut String) {
        let counts = Counts::new(&participant.process);
        let identity = prometheus::identity(&counts.resource, participant.number);
        for (head, lines) in prometheus::counters(&counts, &identity) {
            if head.name == self.name && participant.has_room(lines.len(), shared) {
                self.head(&head, form, chunk);
                *chunk += &lines;
            }
        }
    }

    /// Appends series of an instrument. Returns the next one, if there are more.
    fn histograms(
        &mut self,
        participant: &mut Participant,
        shared: &Shared,
        form: Form,
        hasher: &RandomState,
        next: &Next,
        chunk: &mut String,
    ) -> Option<usize> {
        let process = Arc::clone(&participant.process);
        let state = process.state();
        let identity = prometheus::identity(&state.resource, participant.number);
        let metrics = state.metrics.as_ref()?;
        let group = metrics.groups.get(next.group)?;
        let instrument = &group.instruments[next.instrument];
        let head = Head {
            name: &self.name.clone(),
            kind: "histogram",
            help: &instrument.description,
            unit: unit(instrument.unit),
        };
        for (index, series) in group.series.iter().enumerate().skip(next.series) {
            if participant.left == 0 {
                shared.series_left_out.fetch_add((group.series.len() - index) as u64, Ordering::Relaxed);
                return None;
            }
            if chunk.len() >= CHUNK {
                return Some(index);
            }
            let measured = &series.measured[next.instrument];
            if measured.total.totals.count == 0 {
                continue;
            }
            let values = group.attributes(series).map(|(name, value)| (name, value.to_string()));
            let mut labels = labels(&identity, values);
            let mut number = 1;
            let plain = labels.len();
            // Values of other types can look alike, as can the names of two rules.
            while !self.written.insert(hasher.hash_one(&labels)) {
                number += 1;
                labels.truncate(plain);
                append(&mut labels, DUPLICATE, &number.to_string());
            }
            let mut lines = String::new();
            prometheus::histogram(&mut lines, &self.name, &labels, measured, form);
            if participant.has_room(lines.len(), shared) {
                self.head(&head, form, chunk);
                *chunk += &lines;
            }
        }
        None
    }
}

impl Participant {
    /// Whether there is room for a series, which is taken. Otherwise it is counted.
    fn has_room(&mut self, bytes: usize, shared: &Shared) -> bool {
        if let Some(left) = self.left.checked_sub(bytes) {
            self.left = left;
            return true;
        }
        // Nor for any after it, so that the same series are on each page.
        self.left = 0;
        if shared.series_left_out.fetch_add(1, Ordering::Relaxed) == 0 {
            let pid = self.process.pid;
            tracing::warn!("pid {pid}: its metrics do not fit on the page for Prometheus (see http.page_bytes)");
        }
        false
    }
}

/// The most that a process may fill so that all of them fit, where those that want less leave the
/// rest to the others.
fn share(wanted: &[usize], limit: usize) -> usize {
    let mut wanted = wanted.to_vec();
    wanted.sort_unstable();
    let mut left = limit;
    for (index, bytes) in wanted.iter().enumerate() {
        let part = left / (wanted.len() - index);
        if *bytes > part {
            return part;
        }
        left -= bytes;
    }
    usize::MAX
}

/// The names of a group's families.
fn family_names(metrics: &Metrics, group: usize) -> Vec<String> {
    let instruments = &metrics.groups[group].instruments;
    instruments.iter().map(|instrument| sanitize(&format!("{}_{}", instrument.name, unit(instrument.unit)))).collect()
}

fn unit(unit: &str) -> &'static str {
    if unit == "By" { "bytes" } else { "seconds" }
}

/// Not less than the bytes that a group takes.
fn size(metrics: &Metrics, group: usize, names: &[String], identity: usize, form: Form) -> usize {
    let group = &metrics.groups[group];
    let line = if form == Form::OpenMetrics { LINE_BYTES + EXEMPLAR_BYTES } else { LINE_BYTES };
    let mut bytes = 0;
    for series in &group.series {
        let labels: usize = group.attributes(series).map(|(name, value)| name.len() + length(value)).sum();
        for (name, instrument) in names.iter().zip(&group.instruments) {
            bytes += (instrument.bounds.len() + 3) * (identity + labels + name.len() + line);
        }
    }
    bytes
}

/// Bytes that a label has apart from its name, at most.
fn length(value: &Value<'_>) -> usize {
    let around = "exported_=\"\",".len();
    around
        + match value {
            Value::Text(text) => {
                text.bytes().map(|byte| if matches!(byte, 0 | b'\n' | b'"' | b'\\') { 3 } else { 1 }).sum()
            }
            Value::Int(_) | Value::Uint(_) | Value::Bool(_) => 20,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greedy_leave_the_modest_their_share() {
        assert_eq!(share(&[10, 20, 30], 60), usize::MAX, "all fit");
        assert_eq!(share(&[1000, 20, 30, 2000], 100), 26);
        assert_eq!(share(&[1000, 5, 5], 100), 90);
        assert_eq!(share(&[], 0), usize::MAX);
    }
}
