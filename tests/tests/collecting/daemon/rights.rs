//! gopatchd keeps only the rights that it needs once it has started, in each of its threads, and
//! serves only the processes that its settings allow.

use std::fs;

use anyhow::{Context, Result, ensure};
use gopatch_tests::{Gopatchd, NEWEST_GO, SOON, Scratch, Server, backends, gopatch, wait_until};
use rustix::thread::CapabilitySet;

/// What the threads may have, by name; all others have what the main loop has, or less.
fn allowed(thread: &str, backend: &str) -> CapabilitySet {
    let look = CapabilitySet::DAC_READ_SEARCH | CapabilitySet::SYS_PTRACE;
    let maps = if backend == "bpf" { CapabilitySet::BPF } else { CapabilitySet::empty() };
    match thread {
        "export" | "output" => CapabilitySet::empty(),
        "touch" => CapabilitySet::DAC_READ_SEARCH,
        "finder" => look | CapabilitySet::CHECKPOINT_RESTORE,
        "slots" => maps,
        // For one minute: no other thread can open the rings that an earlier gopatchd has left.
        "ids" => maps | CapabilitySet::SYS_ADMIN,
        _ => look | maps,
    }
}

#[test]
fn no_thread_of_gopatchd_keeps_a_capability_that_it_does_not_need() -> Result<()> {
    for backend in backends() {
        let scratch = Scratch::new()?;
        let mut gopatchd = Gopatchd::start(&scratch, backend, &["--http", "127.0.0.1:0"])?;
        let program = gopatch::patched(&scratch, "httpserver", NEWEST_GO, "default")?;
        let mut command = std::process::Command::new(program);
        command.env(gopatch_protocol::wire::SOCKET_ENV, gopatchd.socket());
        let server = Server::start(&scratch, &mut command)?;
        server.knock(|| gopatchd.has_operation())?;

        let pid = gopatchd.process().pid();
        let mut threads = Vec::new();
        for task in fs::read_dir(format!("/proc/{pid}/task"))? {
            let task = task?.path();
            // A thread may end at any time.
            let (Ok(name), Ok(status)) =
                (fs::read_to_string(task.join("comm")), fs::read_to_string(task.join("status")))
            else {
                continue;
            };
            let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
            let thread = name.trim().to_owned();
            for set in ["CapPrm:", "CapEff:", "CapInh:", "CapAmb:"] {
                let held = u64::from_str_radix(field(set).context(set)?, 16)?;
                let more = CapabilitySet::from_bits_retain(held) - allowed(&thread, backend);
                ensure!(more.is_empty(), "{backend}: {thread} has {more:?} in {set}");
                ensure!(held.count_ones() <= 3, "{backend}: {thread} has {held:#x} in {set}");
            }
            ensure!(field("NoNewPrivs:") == Some("1"), "{backend}: {thread} may gain rights");
            ensure!(field("Seccomp:") == Some("2"), "{backend}: {thread} may make any system call");
            threads.push(thread);
        }
        for expected in ["export", "finder", "output", "touch", "heartbeat"] {
            ensure!(threads.iter().any(|name| name == expected), "{backend}: no thread {expected} in {threads:?}");
        }
        let log = gopatchd.process().stderr();
        ensure!(log.contains("no_new_privs; system calls filtered"), "{log}");
        server.stop()?;
        let collected = gopatchd.stop()?;
        collected.ensure_all_seen()?;
        ensure!(collected.summary.refused == 0, "{backend}: the filter stands in the way: {}", collected.stderr);
    }
    Ok(())
}

#[test]
fn the_filter_of_system_calls_can_be_turned_off() -> Result<()> {
    let scratch = Scratch::new()?;
    let mut gopatchd = Gopatchd::start_by(&scratch, "memfd", "collect: { filter: false }\n")?;
    let log = gopatchd.process().stderr();
    ensure!(log.contains("no_new_privs; system calls not filtered"), "{log}");
    gopatchd.stop().map(drop)
}

/// Its user, its group and its cgroup each permit a process. One that is not permitted is refused,
/// counted and named, and answers requests all the same.
#[test]
fn only_processes_that_the_settings_allow_are_served() -> Result<()> {
    let (uid, gid) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    let allowed = [format!("uid:1, uid:{uid}"), format!("gid:{gid}"), "cgroup:/".to_owned()];
    let others = [format!("uid:{}", uid + 1), format!("gid:{}", gid + 1), "cgroup:/no-such-cgroup".to_owned()];
    let cases = allowed.iter().map(|entries| (entries, true)).chain(others.iter().map(|entries| (entries, false)));
    for (entries, is_allowed) in cases {
        let scratch = Scratch::new()?;
        let mut gopatchd = Gopatchd::start_by(&scratch, "memfd", &format!("collect: {{ allow: [{entries}] }}\n"))?;
        let program = gopatch::patched(&scratch, "httpserver", NEWEST_GO, "default")?;
        let mut command = std::process::Command::new(program);
        command.env(gopatch_protocol::wire::SOCKET_ENV, gopatchd.socket());
        let mut server = Server::start(&scratch, &mut command)?;
        if is_allowed {
            server.knock(|| gopatchd.has_operation())?;
            server.stop()?;
            gopatchd.stop()?.ensure_all_seen()?;
            continue;
        }
        let refusal = format!("pid {} refused: uid {uid}, gid {gid} is not in collect.allow", server.process().pid());
        wait_until(&refusal, SOON, || Ok(gopatchd.process().stderr().contains(&refusal).then_some(())))?;
        server.knock(|| Ok(true))?;
        server.stop()?;
        ensure!(!gopatchd.has_operation()?, "{entries}: a process that is not allowed was served");
        let summary = gopatchd.stop()?.summary;
        ensure!(summary.refused > 0 && summary.sessions == 0, "{entries}: {summary:?}");
    }
    Ok(())
}
