//! What somebody who wrote a wrong name may have meant.
//!
//! Decides: when a name is near enough to be suggested. Trusts: nothing. Never does: take it in the place of the wrong one.

/// How alike two names must be, of 1 for the same.
const ALIKE: f64 = 0.75;

/// The one of some names that is most like a wrong one, if any is much like it.
pub fn nearest<'n>(wrong: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let lower = wrong.to_lowercase();
    let alike = |name: &str| strsim::jaro_winkler(&lower, &name.to_lowercase());
    let best = names.map(|name| (alike(name), name)).max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (best.0 > ALIKE).then_some(best.1)
}

/// The same as the end of a message; empty if there is none.
pub fn did_you_mean<'n>(wrong: &str, names: impl Iterator<Item = &'n str>) -> String {
    nearest(wrong, names).map_or_else(String::new, |name| format!(" (did you mean `{name}`?)"))
}
