//! Nothing happens for a while: gopatchd sleeps, and wakes when it should.

use std::time::{Duration, Instant};

use crate::support::process::{Call, EVENT, Process, now};
use crate::support::{Gopatchd, backends, wait_until};

const CALL: Call = Call { goid: 7, frame: 640 };

/// What gopatchd's threads have slept, in times.
fn sleeps(gopatchd: &Gopatchd) -> u64 {
    let tasks = format!("/proc/{}/task", gopatchd.pid().as_raw_nonzero());
    let threads = std::fs::read_dir(tasks).expect("it runs").map(|thread| {
        let status = std::fs::read_to_string(thread.expect("a thread").path().join("status")).expect("it runs");
        let count = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        count.expect("Linux counts them").trim().parse::<u64>().expect("a number")
    });
    threads.sum()
}

fn event() -> Vec<u8> {
    CALL.record(EVENT, now(), &[], &[])
}

#[test]
fn it_sleeps_and_hears_the_bell() {
    for backend in backends() {
        let gopatchd = Gopatchd::start(backend, &[]);
        let mut process = Process::attach(&gopatchd.socket(), 2);
        let mut written = 0;
        for _ in 0..3 {
            wait_until("gopatchd says that it sleeps", || process.is_to_ring());
            wait_until("somebody listens", || process.ring() > 0);
            assert!(process.is_to_ring(), "a bell without a record wakes nobody for long");
            process.rings[1].write_all(&event());
            process.ring();
            written += 1;
            assert_eq!(gopatchd.next_operation()["name"], "note");
            wait_until("gopatchd is awake", || {
                let is_awake = !process.is_to_ring();
                if !is_awake {
                    // It is for a tenth of a second, which was over before somebody looked.
                    process.rings[1].write_all(&event());
                    process.ring();
                    written += 1;
                }
                is_awake
            });
        }
        let said = gopatchd.stop();
        assert_eq!(said.summary["records"], written, "{}", said.stderr);
    }
}

#[test]
fn what_nobody_rings_for_is_found() {
    for backend in backends() {
        let gopatchd = Gopatchd::start(backend, &[]);
        let mut process = Process::attach(&gopatchd.socket(), 1);
        wait_until("gopatchd says that it sleeps", || process.is_to_ring());
        // Longer than it goes on looking.
        std::thread::sleep(Duration::from_millis(400));
        process.rings[0].write_all(&event());
        assert_eq!(gopatchd.next_operation()["name"], "note");
    }
}

#[test]
fn it_listens_to_more_processes_than_one_call_can() {
    const PROCESSES: usize = 130;
    let gopatchd = Gopatchd::start("memfd", &["--ring-bytes", "4096"]);
    let mut processes: Vec<_> = (0..PROCESSES).map(|_| Process::attach(&gopatchd.socket(), 1)).collect();
    let last = processes.last_mut().expect("there are some");
    wait_until("gopatchd says that it sleeps", || last.is_to_ring());
    wait_until("somebody listens", || last.ring() > 0);
    last.rings[0].write_all(&event());
    last.ring();
    assert_eq!(gopatchd.next_operation()["name"], "note");
}

#[test]
fn silence_is_silent_and_so_is_a_bell_that_rings_all_the_time() {
    for backend in backends() {
        let gopatchd = Gopatchd::start(backend, &[]);
        let process = Process::attach(&gopatchd.socket(), 1);
        wait_until("gopatchd says that it sleeps", || process.is_to_ring());
        std::thread::sleep(Duration::from_millis(400));
        let count = |during: &dyn Fn()| {
            let (start, before) = (Instant::now(), sleeps(&gopatchd));
            while start.elapsed() < Duration::from_secs(2) {
                during();
            }
            sleeps(&gopatchd) - before
        };
        // Looks every 10 ms would be 200.
        let silence = count(&|| std::thread::sleep(Duration::from_millis(100)));
        assert!(silence <= 40, "{backend}: it woke {silence} times in 2 s");
        let noise = count(&|| {
            process.ring();
            std::thread::sleep(Duration::from_micros(100));
        });
        assert!(noise <= 120, "{backend}: it woke {noise} times in 2 s of a bell without records");
    }
}
