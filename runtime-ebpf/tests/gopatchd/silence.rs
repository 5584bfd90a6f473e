//! Without records gopatchd sleeps, and wakes when it should.

use std::time::{Duration, Instant};

use crate::support::process::{Call, EVENT, Process, now};
use crate::support::{Gopatchd, backends, wait_until};

const CALL: Call = Call { goid: 7, frame: 640 };

/// How often the threads of gopatchd have gone to sleep.
fn sleeps(gopatchd: &Gopatchd) -> u64 {
    let tasks = format!("/proc/{}/task", gopatchd.pid().as_raw_nonzero());
    let threads = std::fs::read_dir(tasks).expect("gopatchd runs").map(|thread| {
        let status = std::fs::read_to_string(thread.expect("a thread").path().join("status")).expect("gopatchd runs");
        let count = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
        count.expect("Linux counts them").trim().parse::<u64>().expect("a number")
    });
    threads.sum()
}

fn event() -> Vec<u8> {
    CALL.record(EVENT, now(), &[], &[])
}

#[test]
fn gopatchd_sleeps_and_hears_the_doorbell() {
    for backend in backends() {
        let gopatchd = Gopatchd::start(backend, &[]);
        let mut process = Process::attach(&gopatchd.socket(), 2);
        let mut written = 0;
        for _ in 0..3 {
            wait_until("gopatchd sleeps", || process.must_ring());
            wait_until("a thread listens", || process.ring() > 0);
            assert!(process.must_ring(), "a doorbell without a record does not keep gopatchd awake");
            process.rings[1].write_all(&event());
            process.ring();
            written += 1;
            assert_eq!(gopatchd.next_operation()["name"], "note");
            wait_until("gopatchd is awake", || {
                let is_awake = !process.must_ring();
                if !is_awake {
                    // gopatchd stays awake for a tenth of a second, which was over before this
                    // check.
                    process.rings[1].write_all(&event());
                    process.ring();
                    written += 1;
                }
                is_awake
            });
        }
        let output = gopatchd.stop();
        assert_eq!(output.summary["records"], written, "{}", output.stderr);
    }
}

#[test]
fn records_without_a_doorbell_are_found() {
    for backend in backends() {
        let gopatchd = Gopatchd::start(backend, &[]);
        let mut process = Process::attach(&gopatchd.socket(), 1);
        wait_until("gopatchd sleeps", || process.must_ring());
        // Longer than gopatchd keeps looking.
        std::thread::sleep(Duration::from_millis(400));
        process.rings[0].write_all(&event());
        assert_eq!(gopatchd.next_operation()["name"], "note");
    }
}

#[test]
fn more_processes_than_one_call_can_wait_for_are_heard() {
    const PROCESSES: usize = 130;
    let gopatchd = Gopatchd::start("memfd", &["--ring-bytes", "4096"]);
    let mut processes: Vec<_> = (0..PROCESSES).map(|_| Process::attach(&gopatchd.socket(), 1)).collect();
    let last = processes.last_mut().expect("there are some");
    wait_until("gopatchd sleeps", || last.must_ring());
    wait_until("a thread listens", || last.ring() > 0);
    last.rings[0].write_all(&event());
    last.ring();
    assert_eq!(gopatchd.next_operation()["name"], "note");
}

#[test]
fn gopatchd_wakes_rarely_in_silence_and_under_a_constant_doorbell() {
    for backend in backends() {
        let gopatchd = Gopatchd::start(backend, &[]);
        let process = Process::attach(&gopatchd.socket(), 1);
        wait_until("gopatchd sleeps", || process.must_ring());
        std::thread::sleep(Duration::from_millis(400));
        let count = |during: &dyn Fn()| {
            let (start, before) = (Instant::now(), sleeps(&gopatchd));
            while start.elapsed() < Duration::from_secs(2) {
                during();
            }
            sleeps(&gopatchd) - before
        };
        // A look every 10 ms would give 200.
        let silence = count(&|| std::thread::sleep(Duration::from_millis(100)));
        assert!(silence <= 40, "{backend}: {silence} wake-ups in 2 s");
        let noise = count(&|| {
            process.ring();
            std::thread::sleep(Duration::from_micros(100));
        });
        assert!(noise <= 120, "{backend}: {noise} wake-ups in 2 s of a doorbell without records");
    }
}
