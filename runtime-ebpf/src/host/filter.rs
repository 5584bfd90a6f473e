//! The system calls that gopatchd may make once it has started.
//!
//! Decides: the list, and what becomes of any other call: it fails with EPERM. To end gopatchd
//! instead would end the telemetry of every program of the host when a new C library tries a new call
//! first, which it does without once that fails. Code that was made to run here gains nothing from the
//! difference: execve(2), ptrace(2), mount(2), listen(2) and the like fail for it.
//! Never does: look at arguments. The kernel then remembers which calls are permitted, and the filter
//! costs a permitted call nothing.

use std::collections::BTreeMap;

use anyhow::Result;
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch, apply_filter_all_threads};

#[rustfmt::skip]
const PERMITTED: &[libc::c_long] = &[
    // Memory, of the allocator, of rings, and of threads' stacks.
    libc::SYS_brk, libc::SYS_madvise, libc::SYS_mmap, libc::SYS_mprotect, libc::SYS_mremap, libc::SYS_munmap,
    // New sessions: memory files, and BPF maps.
    libc::SYS_bpf, libc::SYS_fallocate, libc::SYS_fchmod, libc::SYS_ftruncate, libc::SYS_memfd_create,
    // Threads, and their rights.
    libc::SYS_capget, libc::SYS_capset, libc::SYS_clone, libc::SYS_clone3, libc::SYS_exit, libc::SYS_exit_group,
    libc::SYS_futex, libc::SYS_futex_waitv, libc::SYS_getcpu, libc::SYS_membarrier, libc::SYS_prctl, libc::SYS_rseq,
    libc::SYS_sched_getaffinity, libc::SYS_sched_yield, libc::SYS_set_robust_list, libc::SYS_set_tid_address,
    // Signals; tgkill(2) is abort(3)'s.
    libc::SYS_restart_syscall, libc::SYS_rt_sigaction, libc::SYS_rt_sigprocmask, libc::SYS_rt_sigreturn,
    libc::SYS_sigaltstack, libc::SYS_tgkill,
    // What this process is.
    libc::SYS_getegid, libc::SYS_geteuid, libc::SYS_getgid, libc::SYS_getpid, libc::SYS_getppid,
    libc::SYS_getrandom, libc::SYS_getrusage, libc::SYS_gettid, libc::SYS_getuid, libc::SYS_prlimit64,
    libc::SYS_sysinfo, libc::SYS_uname,
    // Time.
    libc::SYS_clock_getres, libc::SYS_clock_gettime, libc::SYS_clock_nanosleep, libc::SYS_gettimeofday,
    libc::SYS_nanosleep, libc::SYS_time,
    // Files: executables, /proc, certificates, the resolver's settings, output.
    libc::SYS_access, libc::SYS_close, libc::SYS_dup, libc::SYS_faccessat, libc::SYS_faccessat2, libc::SYS_fadvise64,
    libc::SYS_fcntl, libc::SYS_fstat, libc::SYS_fstatfs, libc::SYS_getcwd, libc::SYS_getdents64, libc::SYS_ioctl,
    libc::SYS_lseek, libc::SYS_lstat, libc::SYS_newfstatat, libc::SYS_open, libc::SYS_openat, libc::SYS_pread64,
    libc::SYS_preadv, libc::SYS_pwrite64, libc::SYS_read, libc::SYS_readlink, libc::SYS_readlinkat, libc::SYS_readv,
    libc::SYS_stat, libc::SYS_statfs, libc::SYS_statx, libc::SYS_write, libc::SYS_writev,
    // The path of a socket is touched while it listens, and removed at the end; so is a pin.
    libc::SYS_unlink, libc::SYS_unlinkat, libc::SYS_utimensat,
    // Waiting.
    libc::SYS_epoll_create1, libc::SYS_epoll_ctl, libc::SYS_epoll_pwait, libc::SYS_epoll_wait, libc::SYS_eventfd2,
    libc::SYS_pidfd_open, libc::SYS_pipe2, libc::SYS_poll, libc::SYS_ppoll,
    // Connections: of processes and clients, to receivers, and of the resolver, which binds a netlink
    // socket. Nothing new may listen.
    libc::SYS_accept, libc::SYS_accept4, libc::SYS_bind, libc::SYS_connect, libc::SYS_getpeername,
    libc::SYS_getsockname, libc::SYS_getsockopt, libc::SYS_recvfrom, libc::SYS_recvmmsg, libc::SYS_recvmsg,
    libc::SYS_sendmmsg, libc::SYS_sendmsg, libc::SYS_sendto, libc::SYS_setsockopt, libc::SYS_shutdown,
    libc::SYS_socket, libc::SYS_socketpair,
];

/// Permits this process, in all its threads and for good, only what it needs.
pub(crate) fn install() -> Result<()> {
    Ok(apply_filter_all_threads(&compile()?)?)
}

fn compile() -> Result<BpfProgram> {
    let rules: BTreeMap<_, _> = PERMITTED.iter().map(|call| (*call, Vec::new())).collect();
    let refused = SeccompAction::Errno(libc::EPERM.cast_unsigned());
    Ok(SeccompFilter::new(rules, refused, SeccompAction::Allow, TargetArch::x86_64)?.try_into()?)
}

#[cfg(test)]
mod tests {
    use std::process::Command;
    use std::{io, thread};

    use super::*;

    #[test]
    fn no_program_is_executed_under_the_filter_and_files_are_read() -> Result<()> {
        let filter = compile()?;
        // The filter is one of this thread, which ends.
        let filtered = thread::spawn(move || {
            seccompiler::apply_filter(&filter).expect("the kernel has seccomp");
            let executed = Command::new("true").status().map_err(|error| error.kind());
            let listened = std::net::TcpListener::bind("127.0.0.1:0").map(drop).map_err(|error| error.kind());
            let read = std::fs::read("/proc/self/status").map(|status| status.is_empty()).ok();
            let started = thread::spawn(|| 7).join().ok();
            (executed.err(), listened.err(), read, started)
        });
        let refused = Some(io::ErrorKind::PermissionDenied);
        assert_eq!(filtered.join().expect("it does not panic"), (refused, refused, Some(false), Some(7)));
        Ok(())
    }

    #[test]
    fn each_call_is_listed_once() {
        let distinct: std::collections::BTreeSet<_> = PERMITTED.iter().collect();
        assert_eq!(distinct.len(), PERMITTED.len());
    }
}
