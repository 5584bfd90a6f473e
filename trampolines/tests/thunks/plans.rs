//! The plans that the tests emit: one for each kind of thunk.

use gopatch_protocol::manifest::At;
use gopatch_trampolines::arena::Arena;
use gopatch_trampolines::plan::context::{BufioWriter, Chain, ContextPlan, Fields, MapLayout, Open, Word, Write};
use gopatch_trampolines::plan::filter::{Condition, Filter, Order, Relation, Test};
use gopatch_trampolines::plan::{
    CapturePlan, Gpr, Guard, HookPlan, Leaf, Path, ResultPart, ResultPlace, ResultValue, Root, RuntimeOffsets,
    SigPanic, SitePlan, Source, Step, TypeData,
};
use gopatch_trampolines::{skip, thunk};
use iced_x86::code_asm::r12;
use iced_x86::{Decoder, DecoderOptions, Instruction};

/// Where the arena lies in the tests' image.
pub(crate) const ARENA: u64 = 0x0080_0000;
/// Where the code lies.
pub(crate) const CODE: u64 = 0x00c0_0000;
/// Where the function continues after its entry site.
pub(crate) const RESUME: u64 = 0x0046_2c12;

/// Offsets as in Go 1.27.
pub(crate) const OFFSETS: RuntimeOffsets =
    RuntimeOffsets { g_stack_lo: 0, g_stack_hi: 8, g_m: 0x30, g_goid: 0x98, m_p: 0xa0, p_id: 0 };

/// An emitted thunk.
pub(crate) struct Emitted {
    /// Name of its golden file.
    pub(crate) name: &'static str,
    /// Its bytes, for address [`CODE`].
    pub(crate) bytes: Vec<u8>,
    /// Instructions of the program that were displaced into it.
    pub(crate) displaced: Vec<Instruction>,
}

/// The arena of one hooked function, with a words table.
pub(crate) fn arena() -> Arena {
    Arena::new(ARENA, 1, true)
}

fn decode(bytes: &[u8], ip: u64) -> Vec<Instruction> {
    Decoder::with_ip(64, bytes, ip, DecoderOptions::NONE).into_iter().collect()
}

/// `push rbp; mov rbp, rsp; sub rsp, 0x20`: all that makes a frame, Go 1.21 and later.
fn entry_site() -> SitePlan {
    let after = decode(&[0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xec, 0x20], RESUME - 8);
    SitePlan { after, resume: Some(RESUME), ..SitePlan::default() }
}

/// `cmp rsp, [r14+16]; jbe`: the entry site of most functions.
fn checked_site() -> SitePlan {
    let before = decode(&[0x49, 0x3b, 0x66, 0x10, 0x76, 0x3e], RESUME - 6);
    SitePlan { before, resume: Some(RESUME), ..SitePlan::default() }
}

/// `sub rsp, 0x20; xor ecx, ecx`, after `push rbp; mov rbp, rsp`: the entry site of a function with a
/// frame and without a check.
fn prologue_site() -> SitePlan {
    let after = decode(&[0x48, 0x83, 0xec, 0x20, 0x31, 0xc9], RESUME - 6);
    SitePlan { after, resume: Some(RESUME), depth: 8, ..SitePlan::default() }
}

/// `mov rax, [rax+8]; mov rcx, [rax+rbx*8]`: a method without a frame, whose first instructions may
/// meet nil. For the second the flags are not free.
fn guarded_site() -> SitePlan {
    let after = decode(&[0x48, 0x8b, 0x40, 0x08, 0x48, 0x8b, 0x0c, 0xd8], RESUME - 8);
    let guard = |it: &Instruction, sigpanic| Guard { ip: it.ip(), scratch: r12, sigpanic };
    let guards = vec![guard(&after[0], Some(SIGPANIC)), guard(&after[1], None)];
    SitePlan { after, resume: Some(RESUME), guards, ..SitePlan::default() }
}

/// `push rbp; mov rbp, rsp; call 0x462000`, after `cmp rsp, [r14+16]; jbe`.
fn calling_site() -> SitePlan {
    let code = [0x49, 0x3b, 0x66, 0x10, 0x76, 0x09, 0x55, 0x48, 0x89, 0xe5, 0xe8, 0xdf, 0xf3, 0xff, 0xff];
    let mut before = decode(&code, RESUME);
    let after = before.split_off(2);
    SitePlan { before, after, ..SitePlan::default() }
}

/// Where the runtime turns a nil access into a panic.
const SIGPANIC: SigPanic =
    SigPanic { entry: 0x0047_0000, g_sig: 0xd0, g_sigcode0: 0xf0, g_sigcode1: 0xf8, g_sigpc: 0x100 };

/// `test rbx, rbx; je out; mov eax, 7; ret; out: movzx eax, [rax+36]; ret`, followed by another
/// hook. A branch leads to the instruction that may meet nil.
fn whole_function() -> SitePlan {
    let code = [0x48, 0x85, 0xdb, 0x74, 0x06, 0xb8, 0x07, 0x00, 0x00, 0x00, 0xc3, 0x0f, 0xb6, 0x40, 0x24, 0xc3];
    let after = decode(&code, RESUME);
    let guards = vec![Guard { ip: after[4].ip(), scratch: r12, sigpanic: Some(SIGPANIC) }];
    SitePlan { after, resume: Some(CODE + 0x1000), guards, ..SitePlan::default() }
}

/// `add rsp, 0x20; pop rbp; ret`.
fn return_site() -> SitePlan {
    let mut before = decode(&[0x48, 0x83, 0xc4, 0x20, 0x5d, 0xc3], 0x0046_2c80);
    let after = before.split_off(2);
    SitePlan { before, after, ..SitePlan::default() }
}

fn capture(root: Root, steps: Vec<Step>, offset: i32, leaf: Leaf) -> CapturePlan {
    CapturePlan { paths: vec![Path { root, steps, offset, leaf }] }
}

fn hook(at: At, captures: Vec<CapturePlan>, keep: Vec<Source>) -> HookPlan {
    HookPlan {
        function: 0,
        point: u32::from(at == At::Exit),
        at,
        captures,
        keep,
        filter: Filter::default(),
        marked: false,
        context: None,
    }
}

/// `req.Method` and `req.URL.Path`, from a request in RDI.
fn request_strings() -> Vec<CapturePlan> {
    let request = Root::Pointer(Source::Register(Gpr::Rdi));
    vec![
        capture(request, Vec::new(), 0, Leaf::String { max: 16 }),
        capture(request, vec![Step::Load { offset: 0x10 }], 0x38, Leaf::String { max: 192 }),
    ]
}

/// `rw.(*response).status`, or `rw.(*http2responseWriter).rws.status`, from an interface that the
/// entry kept.
fn kept_status() -> CapturePlan {
    let root = |type_va| Root::Interface { tab: Source::Kept(0), data: Source::Kept(1), empty: false, type_va };
    let leaf = Leaf::Int { size: 8, signed: true };
    CapturePlan {
        paths: vec![
            Path { root: root(0x0050_1000), steps: Vec::new(), offset: 0xa0, leaf },
            Path { root: root(0x0050_2000), steps: vec![Step::Load { offset: 0 }], offset: 0x60, leaf },
        ],
    }
}

/// A string parameter, from its two words that the entry kept.
fn kept_string() -> Vec<CapturePlan> {
    let root = Root::Value { first: Source::Kept(0), second: Some(Source::Kept(1)) };
    vec![capture(root, Vec::new(), 0, Leaf::String { max: 16 })]
}

/// Results and stack arguments in all sizes, and a nested interface.
fn values() -> Vec<CapturePlan> {
    let value = |source, leaf| capture(Root::Value { first: source, second: None }, Vec::new(), 0, leaf);
    let inner = Step::Assert { offset: 0x18, empty: true, type_va: 0x0050_3000 };
    vec![
        value(Source::Register(Gpr::Rax), Leaf::Int { size: 1, signed: true }),
        value(Source::Register(Gpr::Rbx), Leaf::Int { size: 2, signed: false }),
        value(Source::Register(Gpr::R11), Leaf::Int { size: 4, signed: true }),
        value(Source::Stack(0x10), Leaf::Int { size: 8, signed: false }),
        value(Source::Register(Gpr::Rcx), Leaf::Nil { is_nil: true }),
        capture(Root::Pointer(Source::Register(Gpr::Rsi)), vec![inner], 8, Leaf::Nil { is_nil: false }),
    ]
}

/// Numbers in registers only: RCX is read in place, since it is not borrowed.
fn numbers() -> Vec<CapturePlan> {
    let leaf = Leaf::Int { size: 8, signed: true };
    let value = |gpr| Root::Value { first: Source::Register(gpr), second: None };
    [Gpr::Rax, Gpr::Rcx].map(|gpr| capture(value(gpr), Vec::new(), 0, leaf)).to_vec()
}

fn test(root: Root, steps: Vec<Step>, leaf: Leaf, relation: Relation) -> Condition {
    Condition::Test(Test { paths: vec![Path { root, steps, offset: 0, leaf }], relation })
}

/// `fail && !(n < -5 || big >= 1 << 40) && name != "a name of 15 b."`, of arguments in registers
/// and on the stack.
fn values_condition() -> Condition {
    let value = |first| Root::Value { first, second: None };
    let text = Root::Value { first: Source::Register(Gpr::Rcx), second: Some(Source::Stack(8)) };
    let number = |order, constant| Relation::Number { order, constant };
    let (byte, half) = (Leaf::Int { size: 1, signed: false }, Leaf::Int { size: 2, signed: true });
    let n = test(value(Source::Register(Gpr::Rdi)), Vec::new(), half, number(Order::Less, -5));
    let word = Leaf::Int { size: 8, signed: false };
    let big = test(value(Source::Stack(0)), Vec::new(), word, number(Order::GreaterOrEqual, 1 << 40));
    let bytes = b"a name of 15 b.".to_vec();
    Condition::All(vec![
        test(value(Source::Register(Gpr::Rax)), Vec::new(), byte, number(Order::NotEqual, 0)),
        Condition::Not(Box::new(Condition::Any(vec![n, big]))),
        test(text, Vec::new(), Leaf::String { max: 64 }, Relation::Text { bytes, prefix: false, is: false }),
    ])
}

/// `o.item.(T).next == nil || hasPrefix(e.(U).url.path, "/api/")`.
fn paths_condition() -> Condition {
    let inner = vec![Step::Assert { offset: 0x18, empty: true, type_va: 0x0050_3000 }];
    let e = Root::Interface {
        tab: Source::Register(Gpr::Rbx),
        data: Source::Register(Gpr::Rcx),
        empty: false,
        type_va: 0x0050_1000,
    };
    let prefix = Relation::Text { bytes: b"/api/".to_vec(), prefix: true, is: true };
    Condition::Any(vec![
        test(Root::Pointer(Source::Register(Gpr::Rax)), inner, Leaf::Nil { is_nil: true }, Relation::Holds),
        test(e, vec![Step::Load { offset: 0x10 }], Leaf::String { max: 64 }, prefix),
    ])
}

/// Hooks that record some calls: filters at entries that leave marks and at one that does not, and
/// the exits.
pub(crate) fn filtered() -> Vec<Emitted> {
    let emitted = |name, at, filter: Filter, marked| {
        let site = if at == At::Enter { entry_site() } else { return_site() };
        let plan = HookPlan { filter, marked, ..hook(at, Vec::new(), Vec::new()) };
        let bytes = thunk::emit(&plan, &site, &OFFSETS, &arena(), CODE).expect("emits");
        Emitted { name, bytes, displaced: site.before.iter().chain(&site.after).copied().collect() }
    };
    let condition = |condition| Filter { condition: Some(condition), sample_below: None };
    let both = Filter { condition: Some(paths_condition()), sample_below: Some(1 << 31) };
    vec![
        emitted("entry_when_values", At::Enter, condition(values_condition()), false),
        emitted("entry_when_paths", At::Enter, condition(paths_condition()), true),
        emitted("entry_sampled", At::Enter, Filter { condition: None, sample_below: Some(429_496_730) }, false),
        emitted("exit_when_sampled", At::Exit, both, false),
        emitted("exit_marked", At::Exit, Filter::default(), true),
    ]
}

/// Names of the types in interfaces: in registers, and through a pointer.
fn type_names() -> Vec<CapturePlan> {
    let types = TypeData { va: 0x0050_0000, size: 0x2_0000 };
    let leaf = |empty| Leaf::TypeName { empty, max: 64, types };
    let value = Root::Value { first: Source::Register(Gpr::Rbx), second: None };
    vec![
        capture(value, Vec::new(), 0, leaf(true)),
        capture(Root::Pointer(Source::Register(Gpr::Rcx)), Vec::new(), 0x18, leaf(false)),
    ]
}

/// Arrays of bytes: through a pointer, on the stack, in a register; and the length of one.
fn byte_arrays() -> Vec<CapturePlan> {
    let leaf = |len| Leaf::Bytes { len, max: 20 };
    let value = Root::Value { first: Source::Register(Gpr::Rdi), second: None };
    vec![
        capture(Root::Pointer(Source::Register(Gpr::Rax)), Vec::new(), 0x20, leaf(32)),
        capture(Root::Frame(8), Vec::new(), 0, leaf(16)),
        capture(value, Vec::new(), 0, leaf(1)),
        capture(Root::Constant(16), Vec::new(), 0, Leaf::Int { size: 8, signed: true }),
    ]
}

/// A word at the end of a path.
fn word(root: Root, steps: Vec<Step>, offset: i32) -> Word {
    let is_address = false;
    Word { path: Path { root, steps, offset, leaf: Leaf::Int { size: 8, signed: false } }, is_address }
}

/// A word in a register.
fn in_register(gpr: Gpr) -> Word {
    word(Root::Value { first: Source::Register(gpr), second: None }, Vec::new(), 0)
}

/// Thunks that give calls contexts, take them back, and carry them.
pub(crate) fn contexts() -> Vec<Emitted> {
    let arena = arena().with_contexts();
    let request = |offset| word(Root::Pointer(Source::Register(Gpr::Rdi)), Vec::new(), offset);
    let chain = |tab, data| Some(Chain { tab, data, types: vec![0x0050_4000, 0x0050_5000] });
    let server = |layout| Open {
        is_server: true,
        chain: chain(request(0xe8), request(0xf0)),
        read: Some(Fields { map: request(0x38), layout }),
        send: None,
    };
    let client = Open {
        is_server: false,
        chain: chain(in_register(Gpr::Rbx), in_register(Gpr::Rcx)),
        read: None,
        send: Some(request(0x38)),
    };
    let interface = Root::Interface {
        tab: Source::Register(Gpr::Rbx),
        data: Source::Register(Gpr::Rcx),
        empty: false,
        type_va: 0x0050_1000,
    };
    let write = Write {
        of: in_register(Gpr::Rax),
        own: Fields { map: in_register(Gpr::Rax), layout: MapLayout::Groups },
        to: Word { is_address: true, ..word(interface, Vec::new(), 0) },
        writer: BufioWriter { err: 0, buf: 16, n: 40 },
    };
    let result = |offset| word(Root::Pointer(Source::Register(Gpr::Rax)), Vec::new(), offset);
    let spawn = ContextPlan::Spawn { child: result(0x98), parent: result(0x120) };
    let emitted = |name, at, captures, context| {
        let site = if at == At::Enter { entry_site() } else { return_site() };
        let plan = HookPlan { context: Some(context), ..hook(at, captures, Vec::new()) };
        let bytes = thunk::emit(&plan, &site, &OFFSETS, &arena, CODE).expect("emits");
        Emitted { name, bytes, displaced: site.before.iter().chain(&site.after).copied().collect() }
    };
    let open = |open| ContextPlan::Open(Box::new(open));
    vec![
        emitted("entry_opens_server", At::Enter, request_strings(), open(server(MapLayout::Groups))),
        emitted("entry_opens_server_buckets", At::Enter, Vec::new(), open(server(MapLayout::Buckets))),
        emitted("entry_opens_client", At::Enter, Vec::new(), open(client)),
        emitted("exit_closes", At::Exit, Vec::new(), ContextPlan::Close),
        emitted("exit_closes_deeper", At::Exit, Vec::new(), ContextPlan::CloseDeeper),
        emitted("entry_writes", At::Enter, Vec::new(), ContextPlan::Write(Box::new(write))),
        emitted("exit_replaces", At::Exit, Vec::new(), ContextPlan::Replace(BufioWriter { err: 0, buf: 16, n: 40 })),
        emitted("exit_spawns", At::Exit, Vec::new(), spawn),
    ]
}

/// One thunk of each kind, except [`skips`].
pub(crate) fn all() -> Vec<Emitted> {
    let arena = arena();
    let whole = |name, plan: &HookPlan, site: &SitePlan| Emitted {
        name,
        bytes: thunk::emit(plan, site, &OFFSETS, &arena, CODE).expect("emits"),
        displaced: site.before.iter().chain(&site.after).copied().collect(),
    };
    let interface = vec![Source::Register(Gpr::Rbx), Source::Register(Gpr::Rcx)];
    let bare_exit = hook(At::Exit, Vec::new(), Vec::new());
    let return_site = return_site();
    vec![
        whole("entry_bare", &hook(At::Enter, Vec::new(), Vec::new()), &entry_site()),
        whole("entry_strings", &hook(At::Enter, request_strings(), Vec::new()), &entry_site()),
        whole("entry_keeps", &hook(At::Enter, Vec::new(), interface.clone()), &entry_site()),
        whole("entry_values", &hook(At::Enter, values(), Vec::new()), &entry_site()),
        whole("entry_types", &hook(At::Enter, type_names(), Vec::new()), &entry_site()),
        whole("entry_bytes", &hook(At::Enter, byte_arrays(), Vec::new()), &entry_site()),
        whole("entry_numbers", &hook(At::Enter, numbers(), Vec::new()), &entry_site()),
        whole("entry_checked", &hook(At::Enter, Vec::new(), Vec::new()), &checked_site()),
        whole("entry_in_prologue", &hook(At::Enter, values(), interface.clone()), &prologue_site()),
        whole("entry_guarded", &hook(At::Enter, Vec::new(), Vec::new()), &guarded_site()),
        whole("entry_calling", &hook(At::Enter, Vec::new(), Vec::new()), &calling_site()),
        whole("entry_whole", &hook(At::Enter, Vec::new(), Vec::new()), &whole_function()),
        whole("exit_kept_status", &hook(At::Exit, vec![kept_status()], interface.clone()), &return_site),
        whole("exit_kept_string", &hook(At::Exit, kept_string(), interface), &return_site),
        Emitted {
            name: "return_head",
            bytes: thunk::emit_return_head(&bare_exit, &return_site, &OFFSETS, &arena, (CODE, CODE + 0x100))
                .expect("emits"),
            displaced: return_site.before.iter().chain(&return_site.after).copied().collect(),
        },
        Emitted {
            name: "return_body",
            bytes: thunk::emit_return_body(&bare_exit, &OFFSETS, &arena, CODE).expect("emits"),
            displaced: return_site.after.clone(),
        },
    ]
    .into_iter()
    .chain(filtered())
    .chain(contexts())
    .collect()
}

/// The text in the results of [`skips`], which follows the code.
const TEXT: &[u8] = b"disabled";

/// Thunks that replace bodies, without the text after them: with results in registers, and on the
/// stack.
pub(crate) fn skips() -> Vec<Emitted> {
    let part = |place, size, value| ResultPart { place, size, value };
    let bits = |place, size, bits| part(place, size, ResultValue::Bits(bits));
    let text = |place| part(place, 8, ResultValue::Text(TEXT.to_vec()));
    let registers = vec![
        bits(ResultPlace::Register(Gpr::Rax), 1, 1),
        text(ResultPlace::Register(Gpr::Rbx)),
        bits(ResultPlace::Register(Gpr::Rcx), 8, TEXT.len() as u64),
        bits(ResultPlace::Register(Gpr::Rdi), 8, 0),
        bits(ResultPlace::Register(Gpr::R11), 8, u64::MAX),
        bits(ResultPlace::Float(0), 4, 1.5f32.to_bits().into()),
        bits(ResultPlace::Float(14), 8, 0),
    ];
    let stack = vec![
        bits(ResultPlace::Stack(0), 1, 0xff),
        bits(ResultPlace::Stack(2), 2, 0xfffe),
        bits(ResultPlace::Stack(4), 4, 0xffff_fffd),
        bits(ResultPlace::Stack(8), 8, u64::MAX),
        bits(ResultPlace::Stack(16), 8, 1 << 40),
        text(ResultPlace::Stack(24)),
    ];
    [("skip_registers", registers, None), ("skip_stack", stack, Some(CODE + 0x100))]
        .into_iter()
        .map(|(name, results, next)| {
            let mut bytes = skip::emit(&results, next, CODE).expect("emits");
            assert!(bytes.ends_with(TEXT), "{name}: the text follows the code");
            bytes.truncate(bytes.len() - TEXT.len());
            Emitted { name, bytes, displaced: Vec::new() }
        })
        .collect()
}
