// The yardstick of `cargo xtask bench hooks`: uprobes that record what the hooks of pair.yaml record.
//
// It reads the method, the path, the host and the status of main.ServeLike in corpus/hookbench.
// Trusts: the layouts in corpus/hookbench/functions.go, and Go's ABIInternal: `rw` comes in RAX (itab) and RBX (data),
// `req` in RCX, and R14 is g.
// It does no more than the hooks do, and leaves out what would only add cost: it does not check the type
// that `rw` holds, and it wakes no reader.
//
// The helpers that read a program's memory and the clock are for programs under the GPL, so this file is, other than
// the rest of the project, also under the MIT licence and the GPL 2.0.

#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <bpf/bpf_helpers.h>

#define MAX_METHOD 16
#define MAX_PATH 192
#define MAX_HOST 64
// More than a run of the benchmark leaves before it is read.
#define EVENTS_BYTES (16 << 20)

// The offset of g.goid depends on the version of Go; the benchmark sets it.
const volatile __u32 goid_offset;

struct go_string {
	const char *bytes;
	__u64 len;
};

struct url {
	struct go_string scheme, path;
};

struct request {
	struct go_string method;
	struct url *url;
	struct go_string proto;
	__u64 content_length;
	struct go_string host;
};

struct response {
	_Bool wrote_header;
	__u64 status;
};

struct entry {
	__u64 time, goid;
	__u32 method_len, path_len, host_len;
	char method[MAX_METHOD];
	char path[MAX_PATH];
	char host[MAX_HOST];
};

struct exit {
	__u64 time, goid, status;
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, EVENTS_BYTES);
} events SEC(".maps");

// At a return, the registers no longer hold `rw`.
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, __u64);
	__type(value, struct response *);
} open_calls SEC(".maps");

static __always_inline __u64 goid(struct pt_regs *registers)
{
	__u64 id = 0;

	bpf_probe_read_user(&id, sizeof(id), (void *)(registers->r14 + goid_offset));
	return id;
}

static __always_inline __u32 copy(char *to, __u32 max, struct go_string *from)
{
	__u64 len = from->len;

	if (len > max)
		len = max;
	bpf_probe_read_user(to, len, from->bytes);
	return len;
}

SEC("uprobe")
int enter(struct pt_regs *registers)
{
	struct response *rw = (void *)registers->rbx;
	struct go_string path = {};
	struct request request = {};
	struct entry *entry = bpf_ringbuf_reserve(&events, sizeof(*entry), 0);

	if (!entry)
		return 0;
	entry->time = bpf_ktime_get_ns();
	entry->goid = goid(registers);
	bpf_map_update_elem(&open_calls, &entry->goid, &rw, BPF_ANY);
	bpf_probe_read_user(&request, sizeof(request), (void *)registers->rcx);
	bpf_probe_read_user(&path, sizeof(path), &request.url->path);
	entry->method_len = copy(entry->method, MAX_METHOD, &request.method);
	entry->path_len = copy(entry->path, MAX_PATH, &path);
	entry->host_len = copy(entry->host, MAX_HOST, &request.host);
	bpf_ringbuf_submit(entry, BPF_RB_NO_WAKEUP);
	return 0;
}

SEC("uprobe")
int leave(struct pt_regs *registers)
{
	__u64 id = goid(registers);
	struct response **rw = bpf_map_lookup_elem(&open_calls, &id);
	struct exit *exit = rw ? bpf_ringbuf_reserve(&events, sizeof(*exit), 0) : 0;

	if (!exit)
		return 0;
	exit->time = bpf_ktime_get_ns();
	exit->goid = id;
	bpf_probe_read_user(&exit->status, sizeof(exit->status), &(*rw)->status);
	bpf_map_delete_elem(&open_calls, &id);
	bpf_ringbuf_submit(exit, BPF_RB_NO_WAKEUP);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
