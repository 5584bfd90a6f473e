//! Suggestions for misspelt names.

/// The least similarity of a suggestion to the misspelt name; 1 is equality.
const MIN_SIMILARITY: f64 = 0.75;

/// The name most similar to a misspelt one, if any is similar enough.
pub fn nearest<'n>(misspelt: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let lower = misspelt.to_lowercase();
    let similarity = |name: &str| strsim::jaro_winkler(&lower, &name.to_lowercase());
    let best = names.map(|name| (similarity(name), name)).max_by(|(a, _), (b, _)| a.total_cmp(b))?;
    (best.0 > MIN_SIMILARITY).then_some(best.1)
}

/// The suggestion as the end of a message; empty if there is none.
pub fn did_you_mean<'n>(misspelt: &str, names: impl Iterator<Item = &'n str>) -> String {
    nearest(misspelt, names).map_or_else(String::new, |name| format!(" (did you mean `{name}`?)"))
}
