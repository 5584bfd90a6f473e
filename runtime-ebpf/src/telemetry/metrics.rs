//! The metrics of the operations of one process.
//!
//! Decides: which histograms count an operation, and which attributes they have.
//! Trusts: nothing in the values. A process that keeps making up values gets `limit` series a
//! metric, and as many in all as the quotas of its user allow; all further operations are counted in
//! one series for overflow.
//! Never does: I/O, or forget a series.

use std::hash::Hash;
use std::sync::Arc;
use std::time::{Duration, Instant};

use foldhash::fast::RandomState;
use gopatch_protocol::manifest::ValueType;
use hashbrown::{Equivalent, HashMap};

use super::conventions::{Conventional, Instrument};
use super::histogram::{Exemplar, Explicit, Exponential};
use crate::calls::attributes::Value;
use crate::calls::convention::Convention;
use crate::calls::operation::Operation;
use crate::calls::program::Program;
use crate::quota::table::Kind;
use crate::quota::{Quotas, Share};

/// The attribute of the series that counts operations without a series of their own.
pub(crate) const OVERFLOW: &str = "otel.metric.overflow";

/// The form of pushed histograms. Explicit, cumulative ones are always kept, for the scrape
/// endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Pushed {
    /// Counts restart after each push.
    pub(crate) delta: bool,
    /// Histograms are exponential.
    pub(crate) exponential: bool,
}

/// How metrics are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Keeping {
    pub(crate) pushed: Pushed,
    /// Most series of each metric.
    pub(crate) limit: usize,
}

/// The metrics of one process.
#[derive(Debug)]
pub(crate) struct Metrics {
    keeping: Keeping,
    /// The group of each function of the manifest.
    group_of_function: Vec<usize>,
    pub(crate) groups: Vec<Group>,
    index: HashMap<Key, usize, RandomState>,
    /// Operations counted in a series for overflow.
    pub(crate) overflowed: u64,
    budget: Budget,
}

/// What the series of a process take from its user.
#[derive(Debug, Default)]
struct Budget {
    /// Series and bytes of their labels. Nothing limits a process that has none, as in tests.
    shares: Option<(Share, Share)>,
    /// Until when there is no need to ask again.
    full_until: Option<Instant>,
}

/// How long a budget that was exceeded is not asked again: each operation would ask.
const FULL_FOR: Duration = Duration::from_secs(1);

impl Budget {
    /// Takes what a series with these values needs, if there is as much.
    fn take(&mut self, values: &[Option<Value<'_>>]) -> bool {
        let Some((series, labels)) = &mut self.shares else { return true };
        if self.full_until.is_some_and(|until| Instant::now() < until) {
            return false;
        }
        let texts = values.iter().flatten().map(|value| if let Value::Text(text) = value { text.len() } else { 0 });
        // The index has them too.
        let bytes = 2 * (texts.sum::<usize>() + size_of_val(values));
        let taken = series.add(1).and_then(|()| {
            labels.add(bytes as u64).inspect_err(|_| {
                // To have less is never refused.
                let _ = series.resize(series.amount() - 1);
            })
        });
        self.full_until = taken.is_err().then(|| Instant::now() + FULL_FOR);
        taken.is_ok()
    }
}

/// Metrics with the same attributes.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) convention: Convention,
    pub(crate) instruments: Vec<Instrument>,
    pub(crate) dimensions: Vec<String>,
    pub(crate) series: Vec<Series>,
    /// The index of the series for overflow.
    overflow: Option<usize>,
}

/// Values of the dimensions, and a histogram for each instrument of the group.
#[derive(Debug)]
pub(crate) struct Series {
    /// A value for each dimension of the group; none for overflow.
    pub(crate) values: Option<Box<[Option<Value<'static>>]>>,
    pub(crate) measured: Vec<Measured>,
}

/// The values of one instrument in one series.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) total: Explicit,
    /// The histogram to push, if it differs.
    pub(crate) pushed: Option<Push>,
    /// The last exemplar of each bucket of `total`.
    pub(crate) exemplars: Box<[Option<Exemplar>]>,
}

/// A histogram that is kept only to be pushed.
#[derive(Debug, Clone)]
pub(crate) enum Push {
    Explicit(Explicit),
    Exponential(Exponential),
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    group: usize,
    values: Box<[Option<Value<'static>>]>,
}

#[derive(Hash)]
struct KeyRef<'k> {
    group: usize,
    values: &'k [Option<Value<'k>>],
}

impl Equivalent<Key> for KeyRef<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.group == key.group && *self.values == *key.values
    }
}

impl Metrics {
    /// Those of a process of a user, none yet. Takes a time linear in the size of the program.
    pub(crate) fn new(program: &Program, keeping: Keeping, uid: u32, quotas: &Arc<Quotas>) -> Self {
        let mut groups: Vec<Group> = Vec::new();
        let mut known = HashMap::<_, usize, RandomState>::default();
        let group_of_function = (0..program.functions()).map(|index| {
            let convention = program.convention(index as u32);
            // Own metrics are named after the rule.
            let rule = (convention == Convention::Own).then(|| program.rule_of(index as u32));
            *known.entry((convention, rule)).or_insert_with(|| {
                groups.push(Group::new(program, index, convention));
                groups.len() - 1
            })
        });
        let group_of_function = group_of_function.collect();
        // Nothing is never refused.
        let shares = [Kind::Series, Kind::LabelBytes].map(|kind| quotas.take(uid, kind, 0).ok());
        let [series, labels] = shares;
        let budget = Budget { shares: series.zip(labels), full_until: None };
        Self { keeping, group_of_function, groups, index: HashMap::default(), overflowed: 0, budget }
    }

    /// Whether pushed metrics count from one push to the next.
    pub(crate) fn is_delta(&self) -> bool {
        self.keeping.pushed.delta
    }

    /// Restarts the counts to push, if they count from one push to the next.
    pub(crate) fn restart(&mut self) {
        if self.is_delta() {
            let series = self.groups.iter_mut().flat_map(|group| &mut group.series);
            series.flat_map(|series| &mut series.measured).for_each(Measured::restart);
        }
    }

    /// Counts an operation. An unfinished one has no duration yet, and is not counted.
    pub(crate) fn add(&mut self, operation: &Operation<'_>, is_exemplar: bool) {
        if operation.unfinished {
            return;
        }
        let group_index = self.group_of_function[operation.function as usize];
        let group = &mut self.groups[group_index];
        let view = Conventional { operation, convention: group.convention };
        let values: Vec<_> = group.dimensions.iter().map(|name| view.get(name)).collect();
        let key = KeyRef { group: group_index, values: &values };
        let index = match self.index.get(&key) {
            Some(index) => *index,
            // One series is reserved for overflow.
            None if group.series.len() + 1 < self.keeping.limit && self.budget.take(&values) => {
                let values: Box<[_]> = values.into_iter().map(|value| value.map(Value::into_owned)).collect();
                let index = group.add_series(Some(values.clone()), self.keeping.pushed);
                self.index.insert(Key { group: group_index, values }, index);
                index
            }
            None => {
                self.overflowed += 1;
                group.overflow(self.keeping.pushed)
            }
        };
        let weight = operation.sample.map_or(1, |ratio| (1.0 / f64::from(ratio)).round() as u64);
        let exemplar = is_exemplar.then_some(Exemplar {
            value: 0.0,
            unix_nanos: operation.start_unix_nano.saturating_add(operation.duration_nano),
            trace: operation.lineage.trace.0,
            span: operation.lineage.span.0,
        });
        for (instrument, measured) in group.instruments.iter().zip(&mut group.series[index].measured) {
            let value = match instrument.attribute {
                None => operation.duration_nano as f64 / 1e9,
                Some(attribute) => match view.number(attribute) {
                    Some(number) if number >= 0 => number as f64,
                    // A body of unknown length is -1.
                    _ => continue,
                },
            };
            measured.add(value, weight, exemplar);
        }
    }
}

/// The dimensions of a rule without a convention: those named, and how its calls ended.
fn own_dimensions<'n>(named: impl Iterator<Item = &'n String>) -> Vec<String> {
    let mut dimensions: Vec<_> = named.cloned().collect();
    dimensions.push("error.type".into());
    dimensions.sort_unstable();
    dimensions.dedup();
    dimensions
}

impl Group {
    /// That of a function.
    fn new(program: &Program, index: usize, convention: Convention) -> Self {
        let function = program.function(index);
        let dimensions = if let Some(dimensions) = convention.dimensions() {
            dimensions.iter().map(|name| (*name).to_owned()).collect()
        } else {
            let truths = program.captures_of(index).filter(|capture| capture.value == ValueType::Bool);
            own_dimensions(function.dimensions.iter().chain(truths.map(|capture| &capture.attribute)))
        };
        let instruments = convention.instruments(function);
        Self { convention, instruments, dimensions, series: Vec::new(), overflow: None }
    }

    fn add_series(&mut self, values: Option<Box<[Option<Value<'static>>]>>, pushed: Pushed) -> usize {
        let measured = self.instruments.iter().map(|instrument| Measured::new(instrument.bounds, pushed)).collect();
        self.series.push(Series { values, measured });
        self.series.len() - 1
    }

    fn overflow(&mut self, pushed: Pushed) -> usize {
        let index = self.overflow.unwrap_or_else(|| self.add_series(None, pushed));
        self.overflow = Some(index);
        index
    }

    /// The attributes of a series.
    pub(crate) fn attributes<'g>(&'g self, series: &'g Series) -> impl Iterator<Item = (&'g str, &'g Value<'static>)> {
        const IS_OVERFLOW: &Value<'static> = &Value::Bool(true);
        let named = series.values.iter().flat_map(|values| self.dimensions.iter().zip(values));
        let named = named.filter_map(|(name, value)| Some((name.as_str(), value.as_ref()?)));
        named.chain(series.values.is_none().then_some((OVERFLOW, IS_OVERFLOW)))
    }
}

impl Measured {
    fn new(bounds: &'static [f64], pushed: Pushed) -> Self {
        let total = Explicit::new(bounds);
        let pushed = match (pushed.exponential, pushed.delta) {
            (true, _) => Some(Push::Exponential(Exponential::new())),
            (false, true) => Some(Push::Explicit(Explicit::new(bounds))),
            (false, false) => None,
        };
        Self { exemplars: vec![None; bounds.len() + 1].into(), total, pushed }
    }

    fn add(&mut self, value: f64, weight: u64, exemplar: Option<Exemplar>) {
        self.total.add(value, weight);
        match &mut self.pushed {
            Some(Push::Explicit(histogram)) => histogram.add(value, weight),
            Some(Push::Exponential(histogram)) => histogram.add(value, weight),
            None => {}
        }
        if let Some(exemplar) = exemplar {
            self.exemplars[self.total.bucket(value)] = Some(Exemplar { value, ..exemplar });
        }
    }

    fn restart(&mut self) {
        match &mut self.pushed {
            Some(Push::Explicit(histogram)) => *histogram = Explicit::new(histogram.bounds),
            Some(Push::Exponential(histogram)) => *histogram = Exponential::new(),
            None => {}
        }
    }
}
