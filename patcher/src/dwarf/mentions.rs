//! Which bytes of .debug_info can say something of the wanted names. Most units have none of them, and need not be read.
//!
//! Decides: nothing that matters but time: bytes that are found and mean something else are read in vain.
//! Trusts: that names stand in .debug_info itself, as Go's linker writes them (the caller sees to that), and that a reference
//! from one unit to an entry of another is its offset in .debug_info (`DW_FORM_ref_addr`), in four bytes or eight.
//! Never does: parse.

use aho_corasick::packed::Searcher;
use gimli::DebugInfoOffset;

use super::Wanted;

/// More patterns than this are not looked for at once in a few instructions.
const MOST_PATTERNS: usize = 64;

/// Patterns to look for.
pub(super) struct Mentions(Searcher);

impl Mentions {
    /// Entries that have a wanted name. `None` when looking for them does not pay.
    pub(super) fn of_names(wanted: &Wanted<'_>) -> Option<Self> {
        // Type arguments may follow a function's name or its receiver's.
        let until_arguments = |name: &&str| name.find(')').map_or(name.len(), |end| end);
        let functions = wanted.functions.iter().map(|name| name.as_bytes()[..until_arguments(name)].to_vec());
        let types = wanted.types.iter().map(|name| [name.as_bytes(), b"\0"].concat());
        Self::of(functions.chain(types).collect())
    }

    /// Entries that refer to one of `places`, in another unit than theirs.
    pub(super) fn of_places(places: impl Iterator<Item = DebugInfoOffset>) -> Option<Self> {
        let bytes = |place: DebugInfoOffset| u32::try_from(place.0).ok().map(|offset| offset.to_le_bytes().to_vec());
        Self::of(places.map(bytes).collect::<Option<_>>()?)
    }

    fn of(patterns: Vec<Vec<u8>>) -> Option<Self> {
        if patterns.len() > MOST_PATTERNS {
            return None;
        }
        Searcher::new(patterns).map(Self)
    }

    /// Whether any of it stands there.
    pub(super) fn are_in(&self, bytes: &[u8]) -> bool {
        self.0.find(bytes).is_some()
    }
}
