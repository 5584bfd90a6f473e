//! Start and end of gopatchd: the socket, the pin, the output, and what remains after a kill.

use std::io::{BufRead, BufReader, Read};
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::process::{Call, EVENT, Process, now};
use crate::support::{Gopatchd, backends, bpf_works, failing, pin, remove_pin, wait_until};
use aya::maps::{ArrayOfMaps, Map, MapData};
use aya::programs::{RawTracePoint, RawTracePointRunOptions, TestRun};
use gopatch_protocol::wire::control::STALE_MILLIS;
use memmap2::MmapOptions;
use serde_json::json;

const CALL: Call = Call { goid: 7, frame: 0x200 };

#[test]
fn the_socket_and_the_pin_of_a_killed_gopatchd_are_replaced() {
    for backend in backends() {
        let first = Gopatchd::start(backend, &[]);
        let mut process = Process::attach(&first.socket(), 1);
        process.rings[0].write_all(&CALL.enter("GET", "/"));
        let folder = first.kill();
        assert!(folder.path().join("gopatchd.sock").exists(), "a killed gopatchd cannot remove its socket");
        let beat = process.heartbeat();
        std::thread::sleep(Duration::from_millis(STALE_MILLIS));
        assert_eq!(process.heartbeat(), beat, "a dead gopatchd has no heartbeat");

        let second = Gopatchd::start_in(folder, backend, &[]);
        assert_eq!(pin(second.folder.path()).join("gopatch_events").exists(), backend == "bpf");
        let mut process = Process::attach(&second.socket(), 1);
        process.rings[0].write_all(&CALL.enter("GET", "/again"));
        process.rings[0].write_all(&CALL.exit(200));
        assert_eq!(second.next_operation()["name"], "GET /again");
        let pin = pin(second.folder.path()).join("gopatch_events");
        second.stop();
        assert!(!pin.exists(), "the pin is left");
    }
}

/// Leaves in `folder` what a gopatchd leaves if it is killed after its drain has run and before it
/// has read the output.
fn leave_records(folder: &std::path::Path, records: u64) {
    let mut drain = aya::EbpfLoader::new()
        .allow_unsupported_maps()
        .load(include_bytes!("../../bpf/drain.bpf.o"))
        .expect("the object loads");
    let mut rings: ArrayOfMaps<MapData, MapData> =
        drain.take_map("gopatch_rings").expect("the array of rings").try_into().expect("an array of maps");
    let ring = aya_obj::Map::new_from_params(
        aya_obj::generated::bpf_map_type::BPF_MAP_TYPE_USER_RINGBUF as u32,
        0,
        0,
        4096,
        0,
    );
    let ring = MapData::create(ring, "test", None).expect("a ring");
    rings.set(3, &ring, 0).expect("a slot");
    let mut producer = vec![0; 4096];
    producer[..8].copy_from_slice(&(40 * records).to_le_bytes());
    for _ in 0..records {
        producer.extend(32u64.to_le_bytes());
        producer.extend(CALL.record(EVENT, now(), &[], &[]));
    }
    let memory = MmapOptions::new().offset(4096).len(8192).map_raw(&ring.fd().as_fd()).expect("the producer's part");
    // SAFETY: the mapping has two pages, and nothing else accesses it until the run below.
    unsafe { memory.as_mut_ptr().copy_from_nonoverlapping(producer.as_ptr(), producer.len()) };

    let program: &mut RawTracePoint = drain.program_mut("drain").expect("the drain").try_into().expect("a raw_tp");
    program.load().expect("the verifier agrees");
    let mut options = RawTracePointRunOptions::new();
    options.args[0] = 3;
    assert_eq!(u64::from(program.test_run(options).expect("gopatchd runs").return_value), records);
    let Some(Map::RingBuf(events)) = drain.take_map("gopatch_events") else {
        panic!("no output ring");
    };
    std::fs::create_dir_all(pin(folder)).expect("a folder in bpffs");
    events.pin(pin(folder).join("gopatch_events")).expect("a pin");
}

#[test]
fn records_that_a_killed_gopatchd_has_not_read_are_counted() {
    if !bpf_works() {
        return;
    }
    // A first run mounts the file system, if necessary.
    Gopatchd::start("bpf", &[]).stop();
    let folder = tempfile::tempdir().expect("temporary folder");
    leave_records(folder.path(), 5);
    let gopatchd = Gopatchd::start_in(folder, "bpf", &[]);
    assert!(gopatchd.stderr().contains("5 records were left by an earlier gopatchd"), "{}", gopatchd.stderr());
    let lost = gopatchd.stop().summary["lost"].take();
    assert_eq!((&lost["left_by_earlier"], &lost["total"]), (&json!(5), &json!(5)));
}

#[test]
fn the_pin_of_a_running_gopatchd_is_kept() {
    if !bpf_works() {
        return;
    }
    let first = Gopatchd::start("bpf", &[]);
    let pin = pin(first.folder.path());
    let second = Gopatchd::start("bpf", &["--pin", pin.to_str().expect("UTF-8")]);
    assert!(second.stderr().contains("another gopatchd has its pin"), "{}", second.stderr());
    for gopatchd in [&second, &first] {
        let mut process = Process::attach(&gopatchd.socket(), 1);
        process.rings[0].write_all(&CALL.record(EVENT, now(), &[], &[]));
        assert_eq!(gopatchd.next_operation()["name"], "note");
    }
    second.stop();
    assert!(pin.join("gopatch_events").exists());
}

#[test]
fn an_impossible_pin_is_a_warning() {
    if !bpf_works() {
        return;
    }
    let gopatchd = Gopatchd::start("bpf", &["--pin", "/tmp"]);
    assert!(gopatchd.stderr().contains("/tmp is not on a BPF file system"), "{}", gopatchd.stderr());
}

#[test]
fn two_gopatchds_on_one_socket_are_an_error() {
    let first = Gopatchd::start("memfd", &[]);
    let message = failing(Gopatchd::command(first.folder.path(), "memfd", &[]));
    assert!(message.starts_with("gopatchd: error: another gopatchd listens on /"), "{message}");
    assert!(first.socket().exists());
}

#[test]
fn a_wrong_ring_size_is_an_error() {
    let message = failing(Gopatchd::command(std::path::Path::new("/nowhere"), "memfd", &["--ring-bytes", "5000"]));
    assert!(message.contains("not a power of two"), "{message}");
}

#[test]
fn the_memfd_backend_works_where_bpf_is_refused() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let run = |backend: &str| {
        let gopatchd = Gopatchd::command(folder.path(), backend, &[]);
        // Without capabilities root is an ordinary user to bpf(2).
        let program = if bpf_works() { "setpriv --bounding-set=-all --inh-caps=-all" } else { "env" };
        let mut words = program.split(' ');
        let mut command = Command::new(words.next().expect("a word"));
        command.args(words).arg(gopatchd.get_program()).args(gopatchd.get_args());
        command.stdout(Stdio::null()).stderr(Stdio::piped());
        command
    };
    let message = failing(run("bpf"));
    assert!(message.contains("the bpf backend cannot start") && message.contains("hint: --backend memfd"), "{message}");

    let mut auto = run("auto").spawn().expect("gopatchd runs");
    let mut message = String::new();
    BufReader::new(auto.stderr.take().expect("piped")).read_line(&mut message).expect("a line");
    auto.kill().expect("a child of this process");
    auto.wait().expect("a child of this process");
    assert!(message.contains("backend memfd (bpf is not available: the kernel refuses a USER_RINGBUF"), "{message}");
}

#[test]
fn auto_takes_bpf_if_possible() {
    if !bpf_works() {
        return;
    }
    let folder = tempfile::tempdir().expect("temporary folder");
    let mut auto = Gopatchd::command(folder.path(), "auto", &[]).spawn().expect("gopatchd runs");
    let mut message = String::new();
    BufReader::new(auto.stderr.take().expect("piped")).read_line(&mut message).expect("a line");
    auto.kill().expect("a child of this process");
    auto.wait().expect("a child of this process");
    remove_pin(folder.path());
    assert!(message.contains("backend bpf ("), "{message}");
}

#[test]
fn gopatchd_ends_when_its_output_is_closed() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let mut child = Gopatchd::command(folder.path(), "memfd", &[]).spawn().expect("gopatchd runs");
    let socket = folder.path().join("gopatchd.sock");
    wait_until("gopatchd listens", || socket.exists());
    let mut process = Process::attach(&socket, 1);
    drop(child.stdout.take());
    process.rings[0].write_all(&CALL.record(EVENT, now(), &[], &[]));
    let has_ended = |child: &mut std::process::Child| child.try_wait().expect("a child of this process");
    wait_until("its end", || has_ended(&mut child).is_some_and(|status| status.code() == Some(1)));
    assert!(process.must_detach());
    let mut message = String::new();
    child.stderr.take().expect("piped").read_to_string(&mut message).expect("UTF-8");
    assert!(message.contains("gopatchd: operations: 1, records: 1, sessions: 1, records lost: 0"), "{message}");
}

/// `/dev/full` is a disk without room.
#[test]
fn a_full_disk_costs_lines_and_not_gopatchd() {
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
    for print in ["json", "text"] {
        let folder = tempfile::tempdir().expect("temporary folder");
        let mut command = Gopatchd::command(folder.path(), "memfd", &["--print", print]);
        let mut child = command.stdout(full()).spawn().expect("gopatchd runs");
        let socket = folder.path().join("gopatchd.sock");
        wait_until("gopatchd listens", || socket.exists());
        let mut process = Process::attach(&socket, 1);
        for read in 1..=20 {
            process.rings[0].write_all(&CALL.record(EVENT, now(), &[], &[]));
            wait_until("the record is read", || process.rings[0].consumer() == read * 40);
        }
        assert_eq!(child.try_wait().expect("a child of this process"), None, "gopatchd runs");
        // Others are served as before.
        drop(Process::attach(&socket, 1));
        rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::TERM)
            .expect("a child of this process");
        let mut message = String::new();
        child.stderr.take().expect("piped").read_to_string(&mut message).expect("UTF-8");
        let status = child.wait().expect("a child of this process");
        // In text there is no summary on standard output that could be lost.
        assert_eq!(status.code(), Some(i32::from(print == "json")), "{print}: {message}");
        assert!(message.contains("operations: 20, records: 20"), "{print}: {message}");
        assert!(message.contains("cannot write to standard output"), "{print}: {message}");
        assert!(message.contains(" operations were not printed"), "{print}: {message}");
    }
    // A log that cannot be written costs its messages.
    let folder = tempfile::tempdir().expect("temporary folder");
    let mut command = Gopatchd::command(folder.path(), "memfd", &[]);
    let mut child = command.stderr(full()).spawn().expect("gopatchd runs");
    let socket = folder.path().join("gopatchd.sock");
    wait_until("gopatchd listens", || socket.exists());
    let mut process = Process::attach(&socket, 1);
    process.rings[0].write_all(&CALL.record(EVENT, now(), &[], &[]));
    let mut line = String::new();
    BufReader::new(child.stdout.as_mut().expect("piped")).read_line(&mut line).expect("UTF-8");
    assert!(line.contains("note"), "{line}");
    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::TERM)
        .expect("a child of this process");
    assert!(child.wait().expect("a child of this process").success());
}

#[test]
fn a_reader_that_stops_holds_up_only_the_output() {
    const EVENTS: u64 = 60_000;
    let folder = tempfile::tempdir().expect("temporary folder");
    let mut child =
        Gopatchd::command(folder.path(), "memfd", &["--ring-bytes", "65536"]).spawn().expect("gopatchd runs");
    let socket = folder.path().join("gopatchd.sock");
    wait_until("gopatchd listens", || socket.exists());
    let mut process = Process::attach(&socket, 1);
    // More than the pipe, the buffer of gopatchd and the ring hold.
    let mut written = 0;
    for _ in 0..EVENTS {
        written += u64::from(process.rings[0].write(&CALL.record(EVENT, now(), &[], &[])));
        if written.is_multiple_of(500) {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
    let before = process.heartbeat();
    wait_until("the heartbeat goes on while the reader does not read", || process.heartbeat() > before);
    let _another = Process::attach(&socket, 1);

    rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::TERM)
        .expect("a child of this process");
    wait_until("gopatchd tells the process to detach", || process.must_detach());
    let lines: Vec<serde_json::Value> = BufReader::new(child.stdout.take().expect("piped"))
        .lines()
        .map(|line| serde_json::from_str(&line.expect("UTF-8")).expect("whole lines"))
        .collect();
    assert!(child.wait().expect("a child of this process").success());
    let summary = &lines.last().expect("a summary")["summary"];
    assert_eq!(lines.len() as u64 - 1, written, "all records in the ring are printed");
    assert_eq!(summary["lost"]["ring_full"], EVENTS - written);
    assert!(written < EVENTS, "the ring never overflowed");
}

#[test]
fn the_text_form_is_a_table() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let mut child =
        Gopatchd::command(folder.path(), "memfd", &[]).args(["--print", "text"]).spawn().expect("gopatchd runs");
    let socket = folder.path().join("gopatchd.sock");
    wait_until("gopatchd listens", || socket.exists());
    let mut process = Process::attach(&socket, 1);
    process.rings[0].write_all(&CALL.enter("GET", "/a\u{1b}[2Jb"));
    process.rings[0].write_all(&CALL.exit(404));
    let mut stdout = BufReader::new(child.stdout.take().expect("piped")).lines();
    let mut next = || stdout.next().expect("a line").expect("UTF-8");
    assert!(next().starts_with("TIME (UTC)"));
    let line = next();
    assert!(line.contains(r"GET /a\u{1b}[2Jb 404"), "{line}");
    assert!(line.ends_with(" client.address=127.0.0.1"), "{line}");
    child.kill().expect("a child of this process");
    child.wait().expect("a child of this process");
}
