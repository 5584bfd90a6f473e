// The drain: moves records from the rings of patched processes to one output ring.
//
// Decides: how many records one run moves, and that a record keeps its own size and nothing behind it.
// Trusts: gopatchd, for the index of the ring it asks for. The kernel checks every header and position in a ring
// (`__bpf_user_ringbuf_peek`, kernel/bpf/ringbuf.c); this program checks every payload.
// Never does: attach to anything. gopatchd runs it with BPF_PROG_TEST_RUN, so it costs nothing while nobody writes.
//
// The constants are those of trampolines/src/wire.rs; gopatchd's tests compare what comes out with what went in.
// Written for Linux 6.1: no bpf_dynptr_size and no open-coded iterators.

#include <linux/bpf.h>
#include <linux/errno.h>
#include <bpf/bpf_helpers.h>

#define MAX_PAYLOAD 2048
#define MIN_PAYLOAD 32
#define MAX_RINGS 4096
// A run is not preempted. 4096 records take about half a millisecond, and even the largest fill half the output ring.
#define RECORDS_A_RUN 4096
#define OUTPUT_BYTES (16 << 20)

struct ring {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	// Only a pattern: gopatchd makes the real ones, of the size it was asked for.
	__uint(max_entries, 4096);
};

// Every ring that some process writes to. Linux 4.12; with USER_RINGBUFs in it, Linux 6.1.
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, MAX_RINGS);
	__type(key, __u32);
	__array(values, struct ring);
} gopatch_rings SEC(".maps");

// What gopatchd, or another program that opens the pin, reads. Linux 5.8.
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, OUTPUT_BYTES);
} gopatch_events SEC(".maps");

enum { MALFORMED, OUTPUT_FULL, LOSSES };

// Records that were taken from a ring and not forwarded, by cause. Linux 3.19.
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, LOSSES);
	__type(key, __u32);
	__type(value, __u64);
} gopatch_losses SEC(".maps");

struct forwarded {
	__u32 ring;
	__u32 size;
	__u8 payload[MAX_PAYLOAD];
};

// One record on its way; too large for the BPF stack. Linux 4.6.
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct forwarded);
} gopatch_scratch SEC(".maps");

struct run {
	struct forwarded *scratch;
	__u32 ring;
	__u32 left;
};

static void count(__u32 loss)
{
	__u64 *counter = bpf_map_lookup_elem(&gopatch_losses, &loss);

	if (counter)
		__sync_fetch_and_add(counter, 1);
}

// Returns 1 to end the run; the record at hand is consumed either way.
static long forward(struct bpf_dynptr *record, struct run *run)
{
	struct forwarded *out = run->scratch;
	__u32 head = 0;

	bpf_dynptr_read(&head, sizeof(head), record, 0, 0);
	// A copy that stays in a register keeps the bounds that the verifier learns here.
	__u32 size = head;

	if (size < MIN_PAYLOAD || size > MAX_PAYLOAD || bpf_dynptr_read(out->payload, size, record, 0, 0)) {
		count(MALFORMED);
	} else {
		out->ring = run->ring;
		out->size = size;
		// gopatchd empties the output after each run, so nobody has to be woken.
		if (bpf_ringbuf_output(&gopatch_events, out, offsetof(struct forwarded, payload) + size, BPF_RB_NO_WAKEUP))
			count(OUTPUT_FULL);
	}
	return --run->left == 0;
}

// Drains the ring whose index is the first argument. Gives the number of records taken, or a negative errno:
// -ENOENT no such ring, -EINVAL or -E2BIG the ring's positions or a header in it are nonsense, -EBUSY another run has it.
// Linux 6.1 (bpf_user_ringbuf_drain); BPF_PROG_TEST_RUN of a raw tracepoint is Linux 5.10.
SEC("raw_tp")
int drain(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 ring = ctx->args[0], zero = 0;
	struct run run = { .ring = ring, .left = RECORDS_A_RUN };
	void *map = bpf_map_lookup_elem(&gopatch_rings, &ring);

	run.scratch = bpf_map_lookup_elem(&gopatch_scratch, &zero);
	if (!map || !run.scratch)
		return -ENOENT;
	return bpf_user_ringbuf_drain(map, forward, &run, BPF_RB_NO_WAKEUP);
}

char LICENSE[] SEC("license") = "Apache-2.0";
