//! Numbers of the kernel's interface, x86-64: system calls from
//! `arch/x86/entry/syscalls/syscall_64.tbl`, the rest from `include/uapi`.

pub(super) const READ: u32 = 0;
pub(super) const CLOSE: u32 = 3;
pub(super) const FSTAT: u32 = 5;
pub(super) const POLL: u32 = 7;
pub(super) const MMAP: u32 = 9;
pub(super) const MUNMAP: u32 = 11;
pub(super) const RT_SIGACTION: u32 = 13;
pub(super) const RT_SIGPROCMASK: u32 = 14;
pub(super) const IOCTL: u32 = 16;
pub(super) const PWRITE64: u32 = 18;
pub(super) const MADVISE: u32 = 28;
pub(super) const SOCKET: u32 = 41;
pub(super) const CONNECT: u32 = 42;
pub(super) const SENDMSG: u32 = 46;
pub(super) const RECVMSG: u32 = 47;
pub(super) const CLONE: u32 = 56;
/// Of this thread alone.
pub(super) const EXIT: u32 = 60;
pub(super) const WAIT4: u32 = 61;
pub(super) const FCNTL: u32 = 72;
pub(super) const FTRUNCATE: u32 = 77;
pub(super) const FUTEX: u32 = 202;
pub(super) const SCHED_GETAFFINITY: u32 = 204;
pub(super) const CLONE3: u32 = 435;
/// Of all threads.
pub(super) const EXIT_GROUP: u32 = 231;
pub(super) const OPENAT: u32 = 257;
pub(super) const NEWFSTATAT: u32 = 262;
pub(super) const PRLIMIT64: u32 = 302;
pub(super) const GETRANDOM: u32 = 318;
pub(super) const MEMFD_CREATE: u32 = 319;
pub(super) const CLOSE_RANGE: u32 = 436;

pub(super) const AF_UNIX: i32 = 1;
pub(super) const SOCK_SEQPACKET_NONBLOCK_CLOEXEC: i32 = 5 | 0o4000 | 0o2_000_000;
pub(super) const O_RDONLY_CLOEXEC: i32 = 0o2_000_000;
pub(super) const AT_FDCWD: i32 = -100;
pub(super) const MSG_NOSIGNAL: i32 = 0x4000;
pub(super) const MSG_DONTWAIT_CMSG_CLOEXEC: i32 = 0x40 | 0x4000_0000;
/// Data or control data did not fit.
pub(super) const MSG_TRUNC_CTRUNC: i32 = 0x20 | 0x8;
pub(super) const POLLIN: i32 = 1;
pub(super) const GRND_NONBLOCK: i32 = 1;
/// Key of the auxiliary vector (`include/uapi/linux/auxvec.h`).
pub(super) const AT_SECURE: i32 = 23;
/// Without `FUTEX_PRIVATE_FLAG`: the waiter is another process.
pub(super) const FUTEX_WAKE: u32 = 1;
pub(super) const FUTEX_WAIT: u32 = 0;
pub(super) const PROT_NONE: i32 = 0;
pub(super) const PROT_READ: i32 = 1;
pub(super) const PROT_READ_WRITE: i32 = 3;
pub(super) const MAP_SHARED: i32 = 1;
pub(super) const MAP_SHARED_POPULATE: i32 = 0x8001;
pub(super) const MAP_FIXED: i32 = 0x10;
/// `MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE`.
pub(super) const MAP_RESERVE: i32 = 0x4022;
pub(super) const MADV_DONTFORK: i32 = 10;
pub(super) const MADV_DONTDUMP: i32 = 16;
pub(super) const MADV_WIPEONFORK: i32 = 18;
pub(super) const F_ADD_SEALS: i32 = 1033;
pub(super) const F_GET_SEALS: i32 = 1034;
/// `F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW`.
pub(super) const SEALS: i32 = 7;
pub(super) const MFD_CLOEXEC_ALLOW_SEALING: i32 = 3;
pub(super) const RLIMIT_FSIZE: i32 = 1;
pub(super) const RLIMIT_CORE: i32 = 4;
pub(super) const RLIMIT_AS: i32 = 9;
/// Of a Unix socket: bytes that the other end has not read (`unix_outq_len` in
/// `net/unix/af_unix.c`).
pub(super) const SIOCOUTQ: i32 = 0x5411;
pub(super) const RLIM_INFINITY: i32 = -1;
pub(super) const F_SEAL_SHRINK: i32 = 2;
pub(super) const SIG_BLOCK: i32 = 0;
pub(super) const SIG_SETMASK: i32 = 2;
pub(super) const SIGCHLD: i32 = 17;
/// Bytes of a signal set.
pub(super) const SIGSET_BYTES: u32 = 8;
/// `CLONE_VM | CLONE_FS | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM`, as Go's runtime starts
/// threads, but without `CLONE_FILES`; and `CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID`.
pub(super) const CLONE_HELPER: i32 = 0x100 | 0x200 | 0x800 | 0x1_0000 | 0x4_0000 | 0x10_0000 | 0x20_0000;
/// `CLONE_VFORK | CLONE_CHILD_SETTID`: a process of its own, until whose end the caller waits.
pub(super) const CLONE_PROBE: i32 = 0x4000 | 0x100_0000;
/// The call is not known.
pub(super) const ENOSYS: i32 = 38;
pub(super) const WNOHANG: i32 = 1;
/// `__WCLONE`: children that send another signal than SIGCHLD, or none, and no others.
pub(super) const WCLONE: i32 = i32::MIN;
/// `SOL_SOCKET` and `SCM_RIGHTS`: the eight bytes after `cmsg_len`.
pub(super) const SCM_RIGHTS: u64 = 1 | 1 << 32;
pub(super) const CMSG_HEADER: u64 = 16;

/// Offsets in `struct msghdr`.
pub(super) mod msghdr {
    pub(in crate::attach) const NAME: u64 = 0;
    pub(in crate::attach) const NAME_LEN: u64 = 8;
    pub(in crate::attach) const IOV: u64 = 16;
    pub(in crate::attach) const IOV_LEN: u64 = 24;
    pub(in crate::attach) const CONTROL: u64 = 32;
    pub(in crate::attach) const CONTROL_LEN: u64 = 40;
    pub(in crate::attach) const FLAGS: u64 = 48;
}

/// Offsets in the first version of `struct clone_args` (`include/uapi/linux/sched.h`).
pub(super) mod clone_args {
    pub(in crate::attach) const FLAGS: u64 = 0;
    pub(in crate::attach) const CHILD_TID: u64 = 16;
    pub(in crate::attach) const EXIT_SIGNAL: u64 = 32;
    pub(in crate::attach) const BYTES: u64 = 64;
}

/// Offsets in `struct stat`, and what its mode says.
pub(super) mod stat {
    pub(in crate::attach) const MODE: u64 = 24;
    pub(in crate::attach) const SIZE: u64 = 48;
    /// Seconds, and after them nanoseconds.
    pub(in crate::attach) const MTIME: u64 = 88;
    /// `S_IFMT`.
    pub(in crate::attach) const TYPE: i32 = 0xF000;
    pub(in crate::attach) const REGULAR: i32 = 0x8000;
    pub(in crate::attach) const SOCKET: i32 = 0xC000;
}
