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
        let functions = wanted.functions.iter().map(|name| until_type_arguments(name).as_bytes().to_vec());
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

/// A function's name as far as it is the same for all instances: `sync/atomic.(*Pointer` of `sync/atomic.(*Pointer).Load`.
/// Type arguments stand behind the first identifier of the package, be it the receiver's type or the function.
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
            let wanted = Wanted { functions: [name].into(), ..Wanted::default() };
            let mentions = Mentions::of_names(&wanted).expect("few patterns");
            assert!(mentions.are_in(format!("\x02\x08{instance}\0").as_bytes()), "{instance}");
            assert!(!mentions.are_in(b"main.G\0main.U\0main.(*U).M\0sync/atomic.AddInt32\0net/http.Get\0"), "{name}");
        }
    }

    #[test]
    fn a_types_name_is_found_whole() {
        let wanted = Wanted { types: ["runtime.g"].into(), ..Wanted::default() };
        let mentions = Mentions::of_names(&wanted).expect("few patterns");
        assert!(mentions.are_in(b"\x1eruntime.g\0") && !mentions.are_in(b"runtime.gcStart\0"));
    }

    #[test]
    fn references_are_found_by_where_they_lead() {
        let mentions = Mentions::of_places([DebugInfoOffset(0x12_6625)].into_iter()).expect("few patterns");
        assert!(mentions.are_in(&[9, 0x25, 0x66, 0x12, 0, 7]) && !mentions.are_in(&[9, 0x25, 0x66, 0x13, 0, 7]));
    }
}
