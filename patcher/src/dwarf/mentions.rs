//! Which units of .debug_info may mention the wanted names. Most do not, and need not be read.
//!
//! A false match only costs time.
//! Trusts: that names are in .debug_info itself, as Go's linker writes them (the caller checks
//! that), and that a reference from one unit to an entry of another is an offset in .debug_info
//! (`DW_FORM_ref_addr`), in four bytes or eight.
//! Never does: parse.

use aho_corasick::packed::Searcher;
use gimli::DebugInfoOffset;

use super::WantedNames;

/// With more patterns than this the search is not fast enough to pay.
const MOST_PATTERNS: usize = 64;

/// Patterns to search for.
pub(super) struct Mentions(Searcher);

impl Mentions {
    /// Searches for entries with a wanted name. `None` when the search does not pay.
    pub(super) fn to_names(wanted: &WantedNames<'_>) -> Option<Self> {
        let functions = wanted.functions.iter().map(|name| until_type_arguments(name).as_bytes().to_vec());
        let types = wanted.types.iter().map(|name| [name.as_bytes(), b"\0"].concat());
        Self::new(functions.chain(types).collect())
    }

    /// Searches for entries that refer to one of `places` in another unit.
    pub(super) fn to_places(places: impl Iterator<Item = DebugInfoOffset>) -> Option<Self> {
        let bytes = |place: DebugInfoOffset| u32::try_from(place.0).ok().map(|offset| offset.to_le_bytes().to_vec());
        Self::new(places.map(bytes).collect::<Option<_>>()?)
    }

    fn new(patterns: Vec<Vec<u8>>) -> Option<Self> {
        if patterns.len() > MOST_PATTERNS {
            return None;
        }
        Searcher::new(patterns).map(Self)
    }

    /// Whether any pattern is in `bytes`.
    pub(super) fn are_in(&self, bytes: &[u8]) -> bool {
        self.0.find(bytes).is_some()
    }
}

/// The start of a function's name that all instances share: `sync/atomic.(*Pointer` of
/// `sync/atomic.(*Pointer).Load`. Type arguments follow the first identifier after the package,
/// which is the receiver's type or the function.
fn until_type_arguments(name: &str) -> &str {
    let base = name.rfind('/').map_or(0, |slash| slash + 1);
    let identifier = name[base..].find('.').map_or(name.len(), |dot| base + dot + 1);
    let end = name[identifier..].find(['.', ')']).map_or(name.len(), |end| identifier + end);
    &name[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_instance_of_a_function_is_found() {
        for (name, instance) in [
            ("main.F", "main.F[go.shape.int]"),
            ("main.T.M", "main.T[go.shape.int].M"),
            ("main.(*T).M", "main.(*T[go.shape.int]).M"),
            ("sync/atomic.(*Pointer).Load", "sync/atomic.(*Pointer[go.shape.struct {}]).Load"),
            ("gopkg.in/yaml%2ev3.Unmarshal", "gopkg.in/yaml%2ev3.Unmarshal"),
            ("net/http.(*conn).serve.func1", "net/http.(*conn).serve.func1"),
        ] {
            let wanted = WantedNames { functions: [name].into(), ..WantedNames::default() };
            let mentions = Mentions::to_names(&wanted).expect("few patterns");
            assert!(mentions.are_in(format!("\x02\x08{instance}\0").as_bytes()), "{instance}");
            assert!(!mentions.are_in(b"main.G\0main.U\0main.(*U).M\0sync/atomic.AddInt32\0net/http.Get\0"), "{name}");
        }
    }

    #[test]
    fn a_types_name_is_found_whole() {
        let wanted = WantedNames { types: ["runtime.g"].into(), ..WantedNames::default() };
        let mentions = Mentions::to_names(&wanted).expect("few patterns");
        assert!(mentions.are_in(b"\x1eruntime.g\0") && !mentions.are_in(b"runtime.gcStart\0"));
    }

    #[test]
    fn references_are_found_by_their_target() {
        let mentions = Mentions::to_places([DebugInfoOffset(0x12_6625)].into_iter()).expect("few patterns");
        assert!(mentions.are_in(&[9, 0x25, 0x66, 0x12, 0, 7]) && !mentions.are_in(&[9, 0x25, 0x66, 0x13, 0, 7]));
    }
}
