// The drain: moves records from the rings of patched processes to one output ring.
//
// Decides: how many records one run moves, and that a record keeps its size. Up to 7 bytes of padding after it may be
// bytes of earlier records.
// Trusts: gopatchd, for the index of the ring. The kernel checks every header and position in a ring
// (`__bpf_user_ringbuf_peek`, kernel/bpf/ringbuf.c); this program checks every payload.
// Never does: attach to anything. gopatchd runs it with BPF_PROG_TEST_RUN, so it costs nothing without records.
//
// The constants are those of trampolines/protocol/src/wire.rs; gopatchd's tests compare output with input.
// Written for Linux 6.1: no bpf_dynptr_size and no open-coded iterators.

#include <linux/bpf.h>
#include <linux/errno.h>
#include <bpf/bpf_helpers.h>

#define MAX_PAYLOAD 2048
#define MIN_PAYLOAD 32
#define MAX_RINGS 4096
// A run is not preempted. 4096 records take about half a millisecond, and even the largest fill only half the output ring.
#define RECORDS_A_RUN 4096
#define OUTPUT_BYTES (16 << 20)
// Bytes that go to the output ring in one piece, to share the cost of a call.
#define BATCH_BYTES (16 << 10)

struct ring {
	__uint(type, BPF_MAP_TYPE_USER_RINGBUF);
	// Only a template: gopatchd creates the rings, of the size that is configured.
	__uint(max_entries, 4096);
};

// Every ring that a process writes to. Linux 4.12; with USER_RINGBUFs, Linux 6.1.
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, MAX_RINGS);
	__type(key, __u32);
	__array(values, struct ring);
} gopatch_rings SEC(".maps");

// The output, read by gopatchd or another program that opens the pin. Linux 5.8.
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

// The header of each record in a piece of the output.
struct forwarded {
	__u32 ring;
	__u32 size;
	__u8 payload[];
};

#define LARGEST (sizeof(struct forwarded) + MAX_PAYLOAD)

struct batch {
	// A record may begin wherever less than a whole batch lies before it.
	__u8 bytes[BATCH_BYTES + LARGEST];
};

// Records to be forwarded. gopatchd runs one drain at a time. Linux 3.19.
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct batch);
} gopatch_batch SEC(".maps");

struct run {
	struct batch *batch;
	__u32 ring;
	__u32 left;
	// Of the batch.
	__u32 bytes;
	__u32 records;
};

static void count(__u32 loss, __u32 records)
{
	__u64 *counter = bpf_map_lookup_elem(&gopatch_losses, &loss);

	if (counter)
		__sync_fetch_and_add(counter, records);
}

static void flush(struct run *run)
{
	__u32 bytes = run->bytes;

	if (!run->records)
		return;
	// The verifier must see that the compared value is the one passed on.
	asm volatile("" : "+r"(bytes));
	// gopatchd empties the output after each run, so no reader has to be woken.
	if (bytes > sizeof(struct batch) ||
	    bpf_ringbuf_output(&gopatch_events, run->batch, bytes, BPF_RB_NO_WAKEUP))
		count(OUTPUT_FULL, run->records);
	run->bytes = 0;
	run->records = 0;
}

// Returns 1 to end the run; the current record is consumed either way.
static long forward(struct bpf_dynptr *record, struct run *run)
{
	if (run->bytes >= BATCH_BYTES)
		flush(run);
	// A copy that stays in a register keeps the bounds that the verifier learns here.
	__u32 at = run->bytes;

	if (at >= BATCH_BYTES)
		return 1;
	struct forwarded *out = (void *)&run->batch->bytes[at];

	// Most records are little longer than the shortest.
	if (bpf_dynptr_read(out->payload, MIN_PAYLOAD, record, 0, 0))
		goto malformed;
	__u32 size = *(__u32 *)out->payload;

	if (size < MIN_PAYLOAD || size > MAX_PAYLOAD)
		goto malformed;
	if (size > MIN_PAYLOAD &&
	    bpf_dynptr_read(out->payload + MIN_PAYLOAD, size - MIN_PAYLOAD, record, MIN_PAYLOAD, 0))
		goto malformed;
	out->ring = run->ring;
	out->size = size;
	// Not `at`: the verifier needs the pointer to the record in a register all the time, and only four are left.
	run->bytes += (sizeof(*out) + size + 7) & ~7u;
	run->records++;
	return --run->left == 0;

malformed:
	count(MALFORMED, 1);
	return --run->left == 0;
}

// Drains the ring whose index is the first argument. Gives the number of records taken, or a negative errno:
// -ENOENT no such ring, -EINVAL or -E2BIG invalid positions or an invalid header, -EBUSY another run drains the ring.
// Linux 6.1 (bpf_user_ringbuf_drain); BPF_PROG_TEST_RUN of a raw tracepoint is Linux 5.10.
SEC("raw_tp")
int drain(struct bpf_raw_tracepoint_args *ctx)
{
	__u32 ring = ctx->args[0], zero = 0;
	struct run run = { .ring = ring, .left = RECORDS_A_RUN };
	void *map = bpf_map_lookup_elem(&gopatch_rings, &ring);

	run.batch = bpf_map_lookup_elem(&gopatch_batch, &zero);
	if (!map || !run.batch)
		return -ENOENT;
	long taken = bpf_user_ringbuf_drain(map, forward, &run, BPF_RB_NO_WAKEUP);

	flush(&run);
	return taken;
}

char LICENSE[] SEC("license") = "Apache-2.0";
