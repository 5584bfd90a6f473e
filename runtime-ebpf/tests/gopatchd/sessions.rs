//! gopatchd against processes that keep to the protocol: each call becomes one operation, on both
//! backends.

use std::collections::HashMap;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::process::{Call, EVENT, EXIT, Introduction, Process, now};
use crate::support::{Gopatchd, backends, wait_until};
use gopatch_protocol::wire::control::HEARTBEAT_MILLIS;
use serde_json::{Value, json};

const CALL: Call = Call { goid: 7, frame: 0x200 };

fn paths(operations: &[Value]) -> HashMap<String, usize> {
    let mut paths = HashMap::new();
    for operation in operations {
        let path = operation["attributes"]["url.path"].as_str().expect("a path").to_owned();
        *paths.entry(path).or_default() += 1;
    }
    paths
}

#[test]
fn a_call_becomes_an_operation_with_its_captures() {
    for backend in backends() {
        let gopatchd = Gopatchd::start(backend, &[]);
        let mut process = Process::attach(&gopatchd.socket(), 1);
        assert_eq!(process.enable_bytes(), [1, 1, 1, 0, 0, 0, 0, 0], "one byte a function");
        let (began, unix) = (Instant::now(), std::time::SystemTime::now());
        process.rings[0].write_all(&CALL.enter("GET", "/hällo"));
        std::thread::sleep(Duration::from_millis(20));
        process.rings[0].write_all(&CALL.exit(0));
        let took = began.elapsed();

        let mut operation = gopatchd.next_operation();
        let start = Duration::from_nanos(operation["start_unix_nano"].take().as_u64().expect("a time"));
        let duration = Duration::from_nanos(operation["duration_nano"].take().as_u64().expect("a duration"));
        assert!(duration >= Duration::from_millis(20) && duration <= took, "{duration:?} of {took:?}");
        for (id, digits) in [("trace_id", 32), ("span_id", 16)] {
            let id = operation.as_object_mut().expect("an object").remove(id);
            let is_id = |id: &str| id.len() == digits && id.bytes().any(|byte| byte != b'0');
            assert!(id.as_ref().and_then(|id| id.as_str()).is_some_and(is_id), "{id:?}");
        }
        let unix = unix.duration_since(std::time::UNIX_EPOCH).expect("after 1970");
        let tolerance = Duration::from_millis(10);
        let latest = unix + took + tolerance;
        assert!(start + tolerance > unix && start < latest, "{start:?} is not from {unix:?} to {latest:?}");
        assert_eq!(
            operation,
            json!({
                "name": "GET /hällo",
                "start_unix_nano": null,
                "duration_nano": null,
                "pid": std::process::id(),
                "goid": 7,
                "rule": "http.server",
                "kind": "server",
                "attributes": {
                    "http.request.method": "GET",
                    "url.path": "/hällo",
                    "client.address": "127.0.0.1",
                    "client.port": 4711,
                    "http.response.status_code": 200,
                },
            })
        );
        let output = gopatchd.stop();
        assert_eq!((&output.summary["records"], &output.summary["lost"]["total"]), (&json!(2), &json!(0)));
        assert_eq!(output.summary["sessions"], 1);
    }
}

#[test]
fn a_ring_that_wraps_many_times_gives_each_call_once() {
    const CALLS: usize = 3000;
    for backend in backends() {
        let gopatchd = Gopatchd::start(backend, &["--ring-bytes", "4096"]);
        let mut process = Process::attach(&gopatchd.socket(), 1);
        for number in 0..CALLS {
            let path = format!("/{number}/{}", "x".repeat(number % 301));
            process.rings[0].write_all(&CALL.enter("GET", &path));
            process.rings[0].write_all(&CALL.exit(200));
        }
        let output = gopatchd.stop();
        let paths = paths(&output.operations);
        assert!(paths.len() == CALLS && paths.values().all(|count| *count == 1), "{} paths", paths.len());
        assert_eq!(output.summary["lost"]["total"], 0);
    }
}

#[test]
fn calls_that_change_their_ring_are_paired() {
    const CALLS: u64 = 5000;
    for backend in backends() {
        let gopatchd = Gopatchd::start(backend, &[]);
        let mut process = Process::attach(&gopatchd.socket(), 8);
        assert_eq!(process.rings.len(), 8);
        // Ten goroutines, each of which keeps moving to another P.
        for number in 0..CALLS {
            let call = Call { goid: 1 + number % 10, frame: 0x100 };
            let (enter, exit) = ((number * 7 % 8) as usize, (number * 5 % 8) as usize);
            process.rings[enter].write_all(&call.enter("GET", &format!("/{number}")));
            process.rings[exit].write_all(&call.exit(number));
        }
        let output = gopatchd.stop();
        assert_eq!(output.operations.len() as u64, CALLS);
        for operation in output.operations {
            let attributes = &operation["attributes"];
            let status = attributes["http.response.status_code"].as_u64().expect("a status");
            let path = if status == 200 && attributes["url.path"] == "/0" { 0 } else { status };
            assert_eq!(attributes["url.path"], format!("/{path}"));
            assert_eq!(operation.get("unwound"), None);
        }
        assert_eq!(output.summary["unpaired_exits"], 0);
    }
}

#[test]
fn a_panic_ends_at_the_boundary() {
    for backend in backends() {
        let gopatchd = Gopatchd::start(backend, &[]);
        let mut process = Process::attach(&gopatchd.socket(), 2);
        process.rings[0].write_all(&CALL.enter("GET", "/panics"));
        process.rings[1].write_all(&Call { goid: 8, ..CALL }.enter("GET", "/goes-on"));
        process.rings[0].write_all(&CALL.boundary());
        let operation = gopatchd.next_operation();
        assert_eq!((&operation["name"], &operation["unwound"]), (&json!("GET /panics"), &json!(true)));
        process.rings[1].write_all(&Call { goid: 8, ..CALL }.exit(204));
        let operation = gopatchd.next_operation();
        assert_eq!(operation["attributes"]["http.response.status_code"], 204);
        assert_eq!(operation.get("unwound"), None);
    }
}

#[test]
fn a_function_with_an_entry_only_is_an_event() {
    for backend in backends() {
        let gopatchd = Gopatchd::start(backend, &[]);
        let mut process = Process::attach(&gopatchd.socket(), 1);
        process.rings[0].write_all(&CALL.record(EVENT, now(), &[], &[]));
        let operation = gopatchd.next_operation();
        assert_eq!((&operation["name"], &operation["duration_nano"]), (&json!("note"), &json!(0)));
    }
}

#[test]
fn an_exit_without_its_entry_is_counted() {
    for backend in backends() {
        let gopatchd = Gopatchd::start(backend, &[]);
        let mut process = Process::attach(&gopatchd.socket(), 1);
        process.rings[0].write_all(&CALL.record(EXIT, now(), &[200], &[]));
        let output = gopatchd.stop();
        assert_eq!((output.operations.len(), &output.summary["unpaired_exits"]), (0, &json!(1)));
    }
}

#[test]
fn a_full_ring_loses_what_it_counts() {
    const EVENTS: u64 = 20_000;
    for backend in backends() {
        let gopatchd = Gopatchd::start(backend, &["--ring-bytes", "4096"]);
        let mut process = Process::attach(&gopatchd.socket(), 2);
        let written =
            (0..EVENTS).filter(|_| process.rings[1].write(&CALL.record(EVENT, now(), &[], &[]))).count() as u64;
        process.rings[0].set_words_missing(3);
        assert!(written < EVENTS, "20,000 records found room in a ring for 100");
        let output = gopatchd.stop();
        assert_eq!(output.operations.len() as u64, written);
        assert_eq!(output.summary["lost"]["ring_full"], EVENTS - written);
        assert_eq!(output.summary["lost"]["total"], EVENTS - written);
        assert_eq!(output.summary["words_missing"], 3);
        assert!(output.stderr.contains("their ring was full"), "{}", output.stderr);
    }
}

#[test]
fn records_written_while_gopatchd_stops_are_not_lost() {
    for backend in backends() {
        // gopatchd waits for 400 ms. If this test was held up for longer, it tries again.
        while !is_in_time(backend) {}
    }
}

fn is_in_time(backend: &str) -> bool {
    let gopatchd = Gopatchd::start(backend, &[]);
    let mut process = Process::attach(&gopatchd.socket(), 1);
    process.rings[0].write_all(&CALL.enter("GET", "/open"));
    let began = Instant::now();
    gopatchd.terminate();
    wait_until("gopatchd tells the process to detach", || process.must_detach());
    std::thread::sleep(Duration::from_millis(100));
    process.rings[0].write_all(&Call { goid: 8, ..CALL }.enter("GET", "/late"));
    process.rings[0].write_all(&Call { goid: 8, ..CALL }.exit(200));
    if began.elapsed() > Duration::from_millis(300) {
        return false;
    }
    let output = gopatchd.wait();
    let names: Vec<_> =
        output.operations.iter().map(|operation| (&operation["name"], operation.get("unfinished"))).collect();
    assert_eq!(names, [(&json!("GET /late"), None), (&json!("GET /open"), Some(&json!(true)))]);
    true
}

#[test]
fn a_second_session_of_a_process_replaces_its_first() {
    for backend in backends() {
        let gopatchd = Gopatchd::start(backend, &[]);
        let mut first = Process::attach(&gopatchd.socket(), 1);
        first.rings[0].write_all(&CALL.enter("GET", "/first"));
        first.rings[0].set_dropped(3);
        // The records not drained yet still will be, and three of five that found no room were
        // counted in the ring.
        let mut second = Process::attach_with(&gopatchd.socket(), &Introduction::new(1).with_losses(5, 5));
        wait_until("the first is told to detach", || first.must_detach());
        assert!(!second.must_detach());
        second.rings[0].write_all(&CALL.enter("GET", "/second"));
        second.rings[0].write_all(&CALL.exit(200));
        assert_eq!(gopatchd.next_operation()["name"], "GET /second");
        first.rings[0].write_all(&CALL.exit(200));
        assert_eq!(gopatchd.next_operation()["name"], "GET /first", "the first is still drained for a while");
        let beat = first.heartbeat();
        wait_until("the first is given up", || {
            let before = first.heartbeat();
            std::thread::sleep(Duration::from_millis(3 * HEARTBEAT_MILLIS));
            first.heartbeat() == before
        });
        assert!(first.heartbeat() > beat, "the first was given up at once");
        let output = gopatchd.stop();
        assert_eq!((&output.summary["sessions"], &output.summary["lost"]["total"]), (&json!(2), &json!(5)));
    }
}

#[test]
fn losses_with_an_earlier_gopatchd_are_counted() {
    let gopatchd = Gopatchd::start("memfd", &[]);
    let _process = Process::attach_with(&gopatchd.socket(), &Introduction::new(1).with_losses(5, 6));
    let lost = gopatchd.stop().summary["lost"].take();
    assert_eq!((&lost["unconsumed"], &lost["ring_full"], &lost["total"]), (&json!(5), &json!(6), &json!(11)));
}

/// Starts this test program again, to run `a_process`.
fn start_process(socket: &std::path::Path, path: &str) -> std::process::Child {
    Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "sessions::a_process", "--ignored", "--nocapture"])
        .env("GOPATCH_TEST_SOCKET", socket)
        .env("GOPATCH_TEST_PATH", path)
        .stdout(Stdio::null())
        .spawn()
        .expect("this program runs")
}

/// Not a test: a separate process for the tests below.
#[test]
#[ignore = "other tests start it"]
fn a_process() {
    let socket = std::env::var_os("GOPATCH_TEST_SOCKET").expect("started by a test");
    let path = std::env::var("GOPATCH_TEST_PATH").expect("started by a test");
    let mut process = Process::attach(socket.as_ref(), 2);
    // First, because the test may end this process once it has the others.
    process.rings[0].write_all(&Call { goid: 8, ..CALL }.enter("GET", &format!("/{path}/open")));
    for number in 0..100 {
        process.rings[0].write_all(&CALL.enter("GET", &format!("/{path}/{number}")));
        process.rings[1].write_all(&CALL.exit(200));
    }
    if path == "killed" {
        std::thread::sleep(Duration::from_mins(1));
    }
}

#[test]
fn processes_are_kept_apart_and_their_open_calls_are_unfinished() {
    for backend in backends() {
        let gopatchd = Gopatchd::start(backend, &[]);
        let mut children = ["ended", "killed"].map(|path| start_process(&gopatchd.socket(), path));
        let mut operations: Vec<_> = (0..201).map(|_| gopatchd.next_operation()).collect();
        children[1].kill().expect("a child of this process");
        operations.push(gopatchd.next_operation());
        for (child, path) in children.iter_mut().zip(["ended", "killed"]) {
            child.wait().expect("a child of this process");
            let of_child: Vec<_> =
                operations.iter().filter(|operation| operation["pid"] == child.id()).cloned().collect();
            let paths = paths(&of_child);
            assert_eq!(paths.len(), 101, "{path}");
            assert!(paths.keys().all(|name| name.starts_with(&format!("/{path}/"))), "{path}");
            for operation in of_child {
                let is_open = operation["attributes"]["url.path"] == format!("/{path}/open");
                assert_eq!(operation.get("unfinished").is_some(), is_open, "{operation}");
            }
        }
        assert_eq!(gopatchd.stop().summary["operations"], 202);
    }
}

#[test]
fn gopatchd_uses_no_cpu_without_processes_and_little_without_records() {
    let ticks = |gopatchd: &Gopatchd| -> u64 {
        let stat =
            std::fs::read_to_string(format!("/proc/{}/stat", gopatchd.pid().as_raw_nonzero())).expect("gopatchd runs");
        let fields: Vec<_> = stat.rsplit_once(") ").expect("a name").1.split(' ').collect();
        fields[11].parse::<u64>().expect("utime") + fields[12].parse::<u64>().expect("stime")
    };
    let gopatchd = Gopatchd::start("memfd", &[]);
    // The threads of gopatchd have to start first.
    wait_until("gopatchd does nothing without processes", || {
        let before = ticks(&gopatchd);
        std::thread::sleep(Duration::from_millis(500));
        ticks(&gopatchd) == before
    });
    let _process = Process::attach(&gopatchd.socket(), 2);
    let before = ticks(&gopatchd);
    std::thread::sleep(Duration::from_millis(500));
    assert!(ticks(&gopatchd) - before <= 5, "more than a tenth of a CPU for nothing");
}
