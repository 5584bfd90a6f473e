//! The plan of a hook in the form that `bpf/uprobe.bpf.c` reads.
//!
//! Decides: what a plan can express: how many paths at a point, and how many steps in a path.
//! Never does: omit a capture without listing it.

use gopatch_protocol::manifest::At;
use gopatch_trampolines::arena::table::MAX_WORDS;
use gopatch_trampolines::plan::{CapturePlan, Gpr, HookPlan, Leaf, Path, Root, Source, Step, TypeData};

/// `MAX_PATHS` of the program.
const MAX_PATHS: usize = 48;
/// `MAX_STEPS` of the program.
const MAX_STEPS: usize = 8;
const PLAN_HEAD: usize = 24;
const SOURCE_BYTES: usize = 8;
const STEP_BYTES: usize = 16;
const PATH_BYTES: usize = 48 + MAX_STEPS * STEP_BYTES;

/// `struct plan` of the program.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub(super) struct Plan([u64; BYTES / 8]);

const BYTES: usize = PLAN_HEAD + MAX_WORDS * SOURCE_BYTES + MAX_PATHS * PATH_BYTES;

// SAFETY: an array of integers has no padding, and any bits are valid.
unsafe impl aya::Pod for Plan {}

/// A plan, and the indexes of the captures that it omits.
pub(super) struct Encoded {
    pub(super) plan: Plan,
    pub(super) left_out: Vec<usize>,
}

/// Encodes the plan of a hook.
pub(super) fn encode(hook: &HookPlan) -> Encoded {
    let mut left_out = Vec::new();
    let mut paths = Vec::new();
    for (index, capture) in hook.captures.iter().enumerate() {
        // An omitted capture gets an empty path, so that its word is zero.
        let room = MAX_PATHS - paths.len() - (hook.captures.len() - index - 1);
        if is_expressible(capture, room) {
            paths.extend(capture.paths.iter().map(|path| path_bytes(index as u8, path)));
        } else {
            left_out.push(index);
            paths.push(empty_path(index as u8));
        }
    }
    let mut bytes = Bytes::default();
    for word in [
        hook.point,
        hook.function,
        u32::from(hook.at == At::Exit),
        hook.captures.len() as u32,
        paths.len() as u32,
        hook.keep.len() as u32,
    ] {
        bytes.u32(word);
    }
    for index in 0..MAX_WORDS {
        bytes.source(hook.keep.get(index).copied());
    }
    for path in paths {
        bytes.0.extend(path);
    }
    bytes.0.resize(BYTES, 0);
    let mut plan = [0; BYTES / 8];
    for (word, bytes) in plan.iter_mut().zip(bytes.0.chunks_exact(8)) {
        *word = u64::from_le_bytes(bytes.try_into().expect("8 bytes"));
    }
    Encoded { plan: Plan(plan), left_out }
}

/// The type data of the program, if a plan needs them.
pub(super) fn types<'p>(hooks: impl IntoIterator<Item = &'p HookPlan>) -> Option<TypeData> {
    let mut paths = hooks.into_iter().flat_map(|hook| &hook.captures).flat_map(|capture| &capture.paths);
    paths.find_map(|path| match path.leaf {
        Leaf::TypeName { types, .. } => Some(types),
        _ => None,
    })
}

fn is_expressible(capture: &CapturePlan, room: usize) -> bool {
    capture.paths.len() <= room && capture.paths.iter().all(|path| path.steps.len() <= MAX_STEPS)
}

/// The numbers of the BPF program for roots, leaves and steps.
mod code {
    pub(super) const LEFT_OUT: u8 = 0;
    pub(super) const VALUE: u8 = 1;
    pub(super) const PAIR: u8 = 2;
    pub(super) const CONSTANT: u8 = 3;
    pub(super) const FRAME: u8 = 4;
    pub(super) const POINTER: u8 = 5;
    pub(super) const INTERFACE: u8 = 6;
    pub(super) const INTERFACE_EMPTY: u8 = 7;

    pub(super) const INT: u8 = 0;
    pub(super) const INT_SIGNED: u8 = 1;
    pub(super) const NIL: u8 = 2;
    pub(super) const NOT_NIL: u8 = 3;
    pub(super) const STRING: u8 = 4;
    pub(super) const BYTES: u8 = 5;
    pub(super) const TYPE_NAME: u8 = 6;
    pub(super) const TYPE_NAME_EMPTY: u8 = 7;

    pub(super) const LOAD: u32 = 0;
    pub(super) const ASSERT: u32 = 1;
    pub(super) const ASSERT_EMPTY: u32 = 2;

    pub(super) const STACK: u8 = 255;
}

/// The path of an omitted capture.
fn empty_path(capture: u8) -> Vec<u8> {
    let mut bytes = vec![capture, code::LEFT_OUT];
    bytes.resize(PATH_BYTES, 0);
    bytes
}

fn path_bytes(capture: u8, path: &Path) -> Vec<u8> {
    let (root, first, second, operand) = match path.root {
        Root::Value { first, second: None } => (code::VALUE, Some(first), None, 0),
        Root::Value { first, second } => (code::PAIR, Some(first), second, 0),
        Root::Constant(number) => (code::CONSTANT, None, None, number),
        Root::Frame(offset) => (code::FRAME, Some(Source::Stack(offset)), None, 0),
        Root::Pointer(source) => (code::POINTER, Some(source), None, 0),
        Root::Interface { tab, data, empty, type_va } => {
            let root = if empty { code::INTERFACE_EMPTY } else { code::INTERFACE };
            (root, Some(tab), Some(data), type_va)
        }
    };
    let (leaf, size, max, len) = match path.leaf {
        Leaf::Int { size, signed } => (if signed { code::INT_SIGNED } else { code::INT }, size, 0, 0),
        Leaf::Nil { is_nil } => (if is_nil { code::NIL } else { code::NOT_NIL }, 8, 0, 0),
        Leaf::String { max } => (code::STRING, 8, max, 0),
        Leaf::Bytes { len, max } => (code::BYTES, 1, max, len),
        Leaf::TypeName { empty, max, .. } => (if empty { code::TYPE_NAME_EMPTY } else { code::TYPE_NAME }, 8, max, 0),
    };
    let mut bytes = Bytes(vec![capture, root, leaf, size]);
    bytes.u32(path.steps.len() as u32);
    bytes.source(first);
    bytes.source(second);
    bytes.i32(path.offset);
    bytes.u32(u32::from(max));
    bytes.u64(operand);
    bytes.u64(u64::from(len));
    for step in &path.steps {
        let (offset, kind, type_va) = match *step {
            Step::Load { offset } => (offset, code::LOAD, 0),
            Step::Assert { offset, empty: false, type_va } => (offset, code::ASSERT, type_va),
            Step::Assert { offset, empty: true, type_va } => (offset, code::ASSERT_EMPTY, type_va),
        };
        bytes.i32(offset);
        bytes.u32(kind);
        bytes.u64(type_va);
    }
    bytes.0.resize(PATH_BYTES, 0);
    bytes.0
}

#[derive(Default)]
struct Bytes(Vec<u8>);

impl Bytes {
    fn u32(&mut self, number: u32) {
        self.0.extend(number.to_le_bytes());
    }

    fn i32(&mut self, number: i32) {
        self.0.extend(number.to_le_bytes());
    }

    fn u64(&mut self, number: u64) {
        self.0.extend(number.to_le_bytes());
    }

    fn source(&mut self, source: Option<Source>) {
        let register = |gpr| Gpr::ALL.iter().position(|one| *one == gpr).expect("one of all") as u8;
        let (place, stack) = match source {
            None => (0, 0),
            Some(Source::Register(gpr)) => (register(gpr), 0),
            Some(Source::Kept(index)) => (Gpr::ALL.len() as u8 + index, 0),
            Some(Source::Stack(offset)) => (code::STACK, offset),
        };
        self.u32(u32::from(place));
        self.i32(stack);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hook(captures: Vec<CapturePlan>) -> HookPlan {
        let (keep, filter) = (Vec::new(), gopatch_trampolines::plan::filter::Filter::default());
        HookPlan { function: 2, point: 5, at: At::Exit, captures, keep, filter, marked: false, context: None }
    }

    fn path(steps: usize) -> Path {
        let steps = vec![Step::Load { offset: 16 }; steps];
        Path { root: Root::Pointer(Source::Kept(1)), steps, offset: 8, leaf: Leaf::Int { size: 4, signed: true } }
    }

    #[test]
    fn a_plan_has_the_layout_of_the_bpf_program() {
        let Encoded { plan, left_out } = encode(&hook(vec![CapturePlan { paths: vec![path(2)] }]));
        assert_eq!(left_out, [0; 0]);
        let low_high = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
        assert_eq!(plan.0[..3], [low_high(5, 2), low_high(1, 1), low_high(1, 0)]);
        let path = &plan.0[(PLAN_HEAD + MAX_WORDS * SOURCE_BYTES) / 8..][..10];
        let head = u32::from_le_bytes([0, code::POINTER, code::INT_SIGNED, 4]);
        let kept = 9 + 1;
        assert_eq!(path[..6], [low_high(head, 2), kept, 0, 8, 0, 0]);
        assert_eq!(path[6..], [16, 0, 16, 0]);
    }

    #[test]
    fn captures_without_room_are_omitted_and_listed() {
        let deep = CapturePlan { paths: vec![path(MAX_STEPS + 1)] };
        let fits = CapturePlan { paths: vec![path(MAX_STEPS)] };
        assert_eq!(encode(&hook(vec![fits.clone(), deep])).left_out, [1]);
        let wide = CapturePlan { paths: vec![path(0); MAX_PATHS] };
        assert_eq!(encode(&hook(vec![fits.clone(), wide, fits])).left_out, [1]);
    }
}
