//! The hooks that are measured: which function, and which path through the thunk.

/// A hook on one path through its thunk.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Variant {
    /// As in the budgets and in reports.
    pub(crate) name: &'static str,
    /// The function that hookbench calls, as its argument.
    pub(crate) call: &'static str,
    /// The function that runs, and that is hooked.
    pub(crate) function: &'static str,
    /// The rules.
    pub(crate) rules: &'static str,
    pub(crate) session: Session,
    /// Sites that a call passes.
    pub(crate) sites: u32,
    /// Records that a call leaves.
    pub(crate) records: u32,
    /// Bytes of these in a ring.
    pub(crate) bytes: u32,
}

/// The collector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Session {
    /// None.
    None,
    /// One that has switched the function off.
    Off,
    /// One that collects all records.
    On,
}

const ENTRY: &str = include_str!("../../bench/entry.yaml");
const PAIR: &str = include_str!("../../bench/pair.yaml");
const SAMPLED: &str = include_str!("../../bench/sampled.yaml");
const STRINGS: &str = include_str!("../../bench/strings.yaml");
const TEXT: &str = include_str!("../../bench/text.yaml");

/// The variants, cheapest first.
pub(crate) const VARIANTS: &[Variant] = &[
    entry("entry, inert", ENTRY, Session::None, 0),
    entry("entry, disabled", ENTRY, Session::Off, 0),
    entry("entry, sampled out", SAMPLED, Session::On, 0),
    entry("entry, no captures", ENTRY, Session::On, 1),
    text("entry, string of 16 bytes", "Text16", 64),
    text("entry, string of 64 bytes", "Text64", 112),
    text("entry, string of 256 bytes", "Text256", 304),
    pair("pair, inert", Session::None, 0, 0),
    pair("pair, disabled", Session::Off, 0, 0),
    Variant { rules: STRINGS, sites: 1, ..pair("entry, three strings", Session::On, 1, 104) },
    pair("pair, three strings and a status", Session::On, 2, 152),
];

const fn entry(name: &'static str, rules: &'static str, session: Session, records: u32) -> Variant {
    Variant { name, call: "Hot", function: "main.Hot", rules, session, sites: 1, records, bytes: records * 40 }
}

const fn text(name: &'static str, call: &'static str, bytes: u32) -> Variant {
    let (function, rules, session) = ("main.HotText", TEXT, Session::On);
    Variant { name, call, function, rules, session, sites: 1, records: 1, bytes }
}

const fn pair(name: &'static str, session: Session, records: u32, bytes: u32) -> Variant {
    let (call, function, rules) = ("ServeLike", "main.ServeLike", PAIR);
    Variant { name, call, function, rules, session, sites: 2, records, bytes }
}
