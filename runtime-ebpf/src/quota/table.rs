//! What is limited, and the defaults: the one table of them.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

/// What a user, and all users together, may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Connections without a session.
    Greetings,
    /// Threads that read an executable. One that hangs counts until it returns.
    Readers,
    /// Memory of manifests, while they are read and while their programs run.
    ManifestBytes,
    Sessions,
    /// Large rings.
    Rings,
    /// Of large and spare rings, if each is used.
    RingBytes,
    /// Series of metrics.
    Series,
    /// Of the values of their attributes.
    LabelBytes,
}

use Kind::{Greetings, LabelBytes, ManifestBytes, Readers, RingBytes, Rings, Series, Sessions};

/// All kinds, in their order.
pub(crate) const KINDS: [Kind; 8] = [Greetings, Readers, ManifestBytes, Sessions, Rings, RingBytes, Series, LabelBytes];

/// An amount of each kind.
pub(crate) type Amounts = [u64; KINDS.len()];

/// The defaults: the name of a kind, and how much one user and all users may take.
const DEFAULTS: [(Kind, &str, u64, u64); KINDS.len()] = [
    (Greetings, "greetings", 128, 1024),
    (Readers, "readers", 8, 64),
    (ManifestBytes, "manifest_bytes", 512 << 20, 1 << 30),
    (Sessions, "sessions", 1024, 4096),
    (Rings, "rings", 2048, 4096),
    (RingBytes, "ring_bytes", 2 << 30, 4 << 30),
    (Series, "series", 20_000, 50_000),
    (LabelBytes, "label_bytes", 16 << 20, 64 << 20),
];

/// Bytes that a series takes without its labels: three histograms with exemplars, and one to push.
const SERIES_BYTES: u64 = 8 << 10;

/// Bytes of a thread and what it reads, besides the manifest.
const READER_BYTES: u64 = 1 << 20;

/// Bytes of the open calls of a session (`calls::LIMITS`).
const OPEN_CALL_BYTES: u64 = 256 << 20;

/// Memory that gopatchd takes besides.
const OWN_BYTES: u64 = 64 << 20;

/// All limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) user: Amounts,
    pub(crate) all: Amounts,
    /// Of one manifest.
    pub(crate) manifest: ManifestLimits,
    /// Most large rings of a process whose user has many.
    pub(crate) processors: u32,
}

/// Limits of one manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ManifestLimits {
    pub(crate) functions: usize,
    pub(crate) rules: usize,
}

/// The limits in the file of settings.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LimitSettings {
    pub(crate) user: BTreeMap<Kind, u64>,
    pub(crate) all: BTreeMap<Kind, u64>,
    pub(crate) functions: Option<usize>,
    pub(crate) rules: Option<usize>,
    pub(crate) processors: Option<u32>,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(DEFAULTS[*self as usize].1)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            user: DEFAULTS.map(|(_, _, user, _)| user),
            all: DEFAULTS.map(|(_, _, _, all)| all),
            manifest: ManifestLimits { functions: 200_000, rules: 1000 },
            processors: default_processors(),
        }
    }
}

impl LimitSettings {
    /// Fills in the defaults. An error names the key.
    pub(crate) fn resolve(&self) -> Result<Limits, (String, String)> {
        let mut limits = Limits::default();
        for (kind, amount) in &self.user {
            limits.user[*kind as usize] = *amount;
        }
        for (kind, amount) in &self.all {
            limits.all[*kind as usize] = *amount;
        }
        for kind in KINDS {
            let (user, all) = (limits.user[kind as usize], limits.all[kind as usize]);
            if user == 0 || all == 0 {
                return Err((format!("limits.user.{kind} and limits.all.{kind}"), "must be greater than 0".into()));
            }
        }
        limits.manifest.functions = self.functions.unwrap_or(limits.manifest.functions);
        limits.manifest.rules = self.rules.unwrap_or(limits.manifest.rules);
        limits.processors = self.processors.unwrap_or(limits.processors).max(1);
        Ok(limits)
    }
}

impl Limits {
    /// Most memory that gopatchd takes, with a queue of spans of `queue_bytes`. What is in
    /// a ring may also wait as records of two passes (`calls::order`), with as much for what is kept
    /// of each.
    pub(crate) fn memory(&self, queue_bytes: u64) -> u64 {
        let of = |kind: Kind| self.all[kind as usize];
        let parts = [
            of(RingBytes).saturating_mul(5),
            of(ManifestBytes),
            of(LabelBytes),
            // `calls::LIMITS` of each session.
            of(Sessions).saturating_mul(OPEN_CALL_BYTES),
            of(Series).saturating_mul(SERIES_BYTES),
            of(Readers).saturating_mul(READER_BYTES),
            queue_bytes,
            OWN_BYTES,
        ];
        parts.into_iter().fold(0, u64::saturating_add)
    }
}

/// The processors of the machine.
fn default_processors() -> u32 {
    // SAFETY: it reads no memory of ours.
    let processors = unsafe { libc::sysconf(libc::_SC_NPROCESSORS_CONF) };
    u32::try_from(processors).unwrap_or(1).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_kinds() {
        for (index, (kind, name, user, all)) in DEFAULTS.into_iter().enumerate() {
            assert_eq!((kind as usize, KINDS[index]), (index, kind));
            assert!(user <= all - all / 4 && all / 32 > 0, "{name}");
            let read: Kind = serde_json::from_value(name.into()).expect("the name in the settings");
            assert_eq!(read, kind);
        }
    }
}
