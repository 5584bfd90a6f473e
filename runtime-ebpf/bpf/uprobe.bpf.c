// What `gopatchd uprobes` attaches: uprobes that record what the hooks of a patched file record.
//
// Decides: how gopatch's plan for the captures of a hook is followed from outside the process, and what is kept from an entry
// for its exit. The records are those of docs/wire-format.md, but their time is CLOCK_MONOTONIC in nanoseconds.
// Trusts: gopatchd, for the plans (uprobes/table.rs writes them) and the offsets in `g`; Go's ABIInternal: R14 is g, and at both
// ends of a call RSP + 8 is the frame address of the call. Nothing that is read from the process.
// Never does: wake gopatchd, which polls the ring, as it does with the rings of hooks.
//
// The helpers that read the memory of a program and the clock need the GPL, so this file, unlike the rest of the
// project, is also under the MIT licence and the GPL 2.0.

#include <stdbool.h>
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <bpf/bpf_helpers.h>

// trampolines/protocol/src/wire.rs and arena.rs.
#define MAX_PAYLOAD 2048
#define MAX_CAPTURES 32
#define MAX_KEPT 6
// uprobes/table.rs.
#define MAX_PATHS 48
#define MAX_STEPS 8
#define VA_BITS 44
#define REGISTERS 9
#define WORDS 16
// Another probed task may preempt a task in here, though neither leaves its CPU.
#define SCRATCHES 4

#define NAME_OFFSET 40
#define FLAGS_OFFSET 20
#define EXTRA_STAR 2
#define ITAB_TYPE 8

// Addresses and offsets depend on the program; gopatchd sets them.
const volatile __u32 g_stack;
const volatile __u32 g_goid;
const volatile __u64 types_va;
const volatile __u32 types_size;

#define STACK 255

// A register (0 to 8, in the order of the ABI), a word that the entry has kept (from 9 on), or a word of the caller's frame.
struct source {
	__u8 place;
	__u8 unused[3];
	__s32 stack;
};

enum { LOAD, ASSERT, ASSERT_EMPTY };

struct step {
	__s32 offset;
	__u32 kind;
	__u64 type_va;
};

enum { LEFT_OUT, VALUE, PAIR, CONSTANT, FRAME, POINTER, INTERFACE, INTERFACE_EMPTY };
enum { INT, INT_SIGNED, NIL, NOT_NIL, STRING, BYTES, TYPE_NAME, TYPE_NAME_EMPTY };

struct path {
	__u8 capture, root, leaf, size;
	__u32 steps;
	struct source first, second;
	__s32 offset;
	__u32 max;
	// A constant, or the type of an interface.
	__u64 operand;
	__u64 len;
	struct step step[MAX_STEPS];
};

// The plan of a point.
struct plan {
	__u32 point, function, is_exit, captures, paths, keep;
	struct source kept[MAX_KEPT];
	struct path path[MAX_PATHS];
};

// Linux 3.19; gopatchd sets the number of entries to that of points.
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct plan);
} plans SEC(".maps");

// The ring that gopatchd reads, of the size that is configured. Linux 5.8.
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} events SEC(".maps");

struct call {
	__u64 goid;
	__u32 tgid, frame, function, unused;
};

struct words {
	__u64 word[MAX_KEPT];
};

// Values that entries keep for their exits. A call that panics has no exit, so the oldest make room. Linux 4.10.
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 32768);
	__type(key, struct call);
	__type(value, struct words);
} open_calls SEC(".maps");

enum { RING_FULL, NO_SCRATCH, WORDS_MISSING, UNREADABLE, COUNTERS };

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, COUNTERS);
	__type(key, __u32);
	__type(value, __u64);
} counters SEC(".maps");

// Not 0 once gopatchd is stopping: the kernel takes a tenth of a second to remove a uprobe.
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} stopped SEC(".maps");

struct record {
	__u32 size, point;
	__u64 time, goid;
	__u32 frame, present;
	__u64 word[MAX_CAPTURES];
};

// A record being made, and what its paths start from.
struct scratch {
	__u32 busy, has_kept;
	__u64 frame_address, bias;
	__u64 word[WORDS];
	// From here on the bytes go into the ring.
	__u32 tgid, size;
	union {
		struct record record;
		// The masks below keep the start and length of a string within this.
		__u8 bytes[3 * MAX_PAYLOAD];
	};
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SCRATCHES);
	__type(key, __u32);
	__type(value, struct scratch);
} scratches SEC(".maps");

struct run {
	const struct plan *plan;
	struct scratch *scratch;
};

// Keeps the compiler from dropping a bound that only the verifier needs.
#define opaque(x) asm volatile("" : "+r"(x))

static void count(__u32 what)
{
	__u64 *counter = bpf_map_lookup_elem(&counters, &what);

	if (counter)
		__sync_fetch_and_add(counter, 1);
}

// A page that the process has never touched cannot be read, since a probe cannot wait for it.
static __always_inline bool read(void *to, __u32 size, __u64 from)
{
	if (!bpf_probe_read_user(to, size, (void *)from))
		return true;
	count(UNREADABLE);
	return false;
}

static __always_inline bool take(struct scratch *scratch, const struct source *source, __u64 *word)
{
	if (source->place == STACK)
		return read(word, sizeof(*word), scratch->frame_address + source->stack);
	*word = scratch->word[source->place & (WORDS - 1)];
	return true;
}

static __always_inline bool is_of_type(struct scratch *scratch, __u64 tab, bool empty, __u64 type_va)
{
	__u64 type = tab;

	if (!tab || (!empty && !read(&type, sizeof(type), tab + ITAB_TYPE)))
		return false;
	return type == type_va + scratch->bias;
}

// The address and length of the name of a type, unless the type was made at run time.
static __always_inline bool type_name(struct scratch *scratch, __u64 type, __u64 *name, __u64 *len)
{
	__u64 types = types_va + scratch->bias;
	__u32 name_offset = 0;
	__u8 flags = 0, head[3] = {};
	bool has_star;

	if (type - types >= types_size || !read(&name_offset, sizeof(name_offset), type + NAME_OFFSET))
		return false;
	if (!name_offset || name_offset >= types_size || !read(&flags, sizeof(flags), type + FLAGS_OFFSET))
		return false;
	has_star = flags & EXTRA_STAR;
	// Flags, and a length of one or two bytes of seven bits each, the low bits first.
	if (!read(head, sizeof(head), types + name_offset))
		return false;
	*name = types + name_offset + 2;
	*len = head[1];
	if (head[1] & 0x80) {
		if (head[2] & 0x80)
			return false;
		*name += 1;
		*len = (head[1] & 0x7f) | (__u64)head[2] << 7;
	}
	if (*len < has_star)
		return false;
	*name += has_star;
	*len -= has_star;
	return true;
}

static __always_inline bool copy(struct scratch *scratch, __u64 from, __u64 len, __u32 max, __u64 *word)
{
	__u64 full = len > 0xffffffff ? 0xffffffff : len;
	__u64 stored = full > max ? max : full;
	__u64 end = scratch->size;

	opaque(stored);
	stored &= MAX_PAYLOAD - 1;
	opaque(end);
	end &= 2 * MAX_PAYLOAD - 1;
	if (stored && !read(scratch->bytes + end, stored, from))
		return false;
	scratch->size = end + stored;
	*word = stored | full << 32;
	return true;
}

static __always_inline bool leaf(struct scratch *scratch, const struct path *path, bool in_register, __u64 at, __u64 len,
				 __u64 *word)
{
	__u64 value[2] = { at, len };
	__u32 size = path->size;
	__u32 unused_bits;

	switch (path->leaf) {
	case BYTES:
		if (!in_register)
			return copy(scratch, at + path->offset, path->len, path->max, word);
		len = scratch->size;
		opaque(len);
		len &= 2 * MAX_PAYLOAD - 1;
		scratch->bytes[len] = at;
		scratch->size = len + 1;
		*word = 1 | 1ULL << 32;
		return true;
	case STRING:
		if (!in_register && !read(value, sizeof(value), at + path->offset))
			return false;
		return copy(scratch, value[0], value[1], path->max, word);
	}

	if (!in_register) {
		value[0] = 0;
		if (size > sizeof(value[0]))
			return false;
		if (!read(value, size, at + path->offset))
			return false;
	}
	switch (path->leaf) {
	case INT:
	case INT_SIGNED:
		// The upper bits of a register that holds a small value are not specified.
		unused_bits = (64 - 8 * size) & 63;
		*word = value[0] << unused_bits;
		if (path->leaf == INT_SIGNED)
			*word = (__s64)*word >> unused_bits;
		else
			*word >>= unused_bits;
		return true;
	case NIL:
		*word = value[0] == 0;
		return true;
	case NOT_NIL:
		*word = value[0] != 0;
		return true;
	case TYPE_NAME:
	case TYPE_NAME_EMPTY:
		if (!value[0] || (path->leaf == TYPE_NAME && !read(value, sizeof(value[0]), value[0] + ITAB_TYPE)))
			return false;
		return type_name(scratch, value[0], &at, &len) && copy(scratch, at, len, path->max, word);
	}
	return false;
}

static __always_inline bool follow_to_end(struct scratch *scratch, const struct path *path, __u64 *word)
{
	__u64 at = 0, second = 0;
	bool in_register = false;

	switch (path->root) {
	case PAIR:
		if (!take(scratch, &path->second, &second))
			return false;
		// Fallthrough: the first word is that of a value.
	case VALUE:
		in_register = true;
		if (!take(scratch, &path->first, &at))
			return false;
		if (path->first.place >= REGISTERS && path->first.place != STACK) {
			// Bytes on the goroutine's stack: the length was kept but not the pointer.
			if (!scratch->has_kept || (second && !at))
				return false;
		}
		break;
	case CONSTANT:
		in_register = true;
		at = path->operand;
		break;
	case FRAME:
		at = scratch->frame_address + path->first.stack;
		break;
	case POINTER:
		if (!take(scratch, &path->first, &at))
			return false;
		break;
	case INTERFACE:
	case INTERFACE_EMPTY:
		if (!take(scratch, &path->first, &second) || !take(scratch, &path->second, &at))
			return false;
		if (!is_of_type(scratch, second, path->root == INTERFACE_EMPTY, path->operand))
			return false;
		break;
	default:
		return false;
	}
	if (!in_register) {
		for (__u32 index = 0; index < MAX_STEPS && index < path->steps; index++) {
			const struct step *step = &path->step[index];
			__u64 pair[2] = {};

			if (!at)
				return false;
			if (step->kind == LOAD) {
				if (!read(pair, sizeof(pair[0]), at + step->offset))
					return false;
				at = pair[0];
				continue;
			}
			if (!read(pair, sizeof(pair), at + step->offset))
				return false;
			if (!is_of_type(scratch, pair[0], step->kind == ASSERT_EMPTY, step->type_va))
				return false;
			at = pair[1];
		}
		if (!at)
			return false;
	}
	return leaf(scratch, path, in_register, at, second, word);
}

// Captures a value by a path, unless an earlier path has captured it.
static long follow(__u32 index, struct run *run)
{
	struct record *record = &run->scratch->record;
	const struct path *path;
	__u32 capture;
	__u64 word = 0;

	if (index >= MAX_PATHS)
		return 1;
	path = &run->plan->path[index];
	capture = path->capture;
	if (capture >= MAX_CAPTURES)
		return 1;
	if (record->present >> capture & 1)
		return 0;
	if (follow_to_end(run->scratch, path, &word))
		record->present |= 1U << capture;
	else
		word = 0;
	record->word[capture] = word;
	return 0;
}

static __always_inline void keep(const struct plan *plan, struct scratch *scratch, const struct call *call, const __u64 *stack)
{
	struct words words = {};

	for (__u32 index = 0; index < MAX_KEPT && index < plan->keep; index++) {
		__u64 word = 0;

		take(scratch, &plan->kept[index], &word);
		// The stack may move.
		words.word[index] = word >= stack[0] && word < stack[1] ? 0 : word;
	}
	bpf_map_update_elem(&open_calls, call, &words, BPF_ANY);
}

static __always_inline void recall(struct scratch *scratch, const struct call *call)
{
	struct words *words = bpf_map_lookup_elem(&open_calls, call);

	scratch->has_kept = words != 0;
	if (!words)
		count(WORDS_MISSING);
	for (__u32 index = 0; index < MAX_KEPT; index++)
		scratch->word[REGISTERS + index] = words ? words->word[index] : 0;
	if (words)
		bpf_map_delete_elem(&open_calls, call);
}

static __always_inline struct scratch *free_scratch(void)
{
	for (__u32 index = 0; index < SCRATCHES; index++) {
		__u32 key = index;
		struct scratch *scratch = bpf_map_lookup_elem(&scratches, &key);

		if (scratch && !__sync_val_compare_and_swap(&scratch->busy, 0, 1))
			return scratch;
	}
	return 0;
}

// The cookie is a point and the address of the place in the image of the file. Linux 5.17 (bpf_loop); cookies 5.15.
SEC("uprobe")
int probe(struct pt_regs *registers)
{
	__u64 time = bpf_ktime_get_ns();
	__u64 cookie = bpf_get_attach_cookie(registers);
	__u32 point = cookie >> VA_BITS, zero = 0;
	struct plan *plan = bpf_map_lookup_elem(&plans, &point);
	__u32 *is_stopped = bpf_map_lookup_elem(&stopped, &zero);
	struct scratch *scratch = plan && is_stopped && !*is_stopped ? free_scratch() : 0;
	struct run run = { .plan = plan, .scratch = scratch };
	__u64 stack[2] = {}, goid = 0;
	struct call call = {};
	struct record *record;
	__u64 size;

	if (!scratch) {
		if (is_stopped && !*is_stopped)
			count(NO_SCRATCH);
		return 0;
	}
	scratch->frame_address = registers->rsp + 8;
	scratch->bias = registers->rip - (cookie & ((1ULL << VA_BITS) - 1));
	scratch->word[0] = registers->rax;
	scratch->word[1] = registers->rbx;
	scratch->word[2] = registers->rcx;
	scratch->word[3] = registers->rdi;
	scratch->word[4] = registers->rsi;
	scratch->word[5] = registers->r8;
	scratch->word[6] = registers->r9;
	scratch->word[7] = registers->r10;
	scratch->word[8] = registers->r11;
	scratch->tgid = bpf_get_current_pid_tgid() >> 32;
	read(stack, sizeof(stack), registers->r14 + g_stack);
	read(&goid, sizeof(goid), registers->r14 + g_goid);

	record = &scratch->record;
	record->point = plan->point;
	record->time = time;
	record->goid = goid;
	record->frame = stack[1] - scratch->frame_address;
	record->present = 0;
	scratch->size = offsetof(struct record, word) + 8 * plan->captures;
	// Each thread has a g0, and all of them have id 0.
	if (plan->keep) {
		call.goid = goid;
		call.tgid = scratch->tgid;
		call.frame = record->frame;
		call.function = plan->function;
		if (plan->is_exit)
			recall(scratch, &call);
		else if (goid)
			keep(plan, scratch, &call, stack);
	}
	bpf_loop(plan->paths, follow, &run, 0);

	size = scratch->size;
	opaque(size);
	if (size > MAX_PAYLOAD)
		size = MAX_PAYLOAD;
	record->size = size;
	if (bpf_ringbuf_output(&events, &scratch->tgid, 2 * sizeof(__u32) + size, BPF_RB_NO_WAKEUP))
		count(RING_FULL);
	scratch->busy = 0;
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
