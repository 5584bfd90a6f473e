//! gopatchd against processes that break the protocol: they spoil only their own events, on both
//! backends.

use std::os::fd::OwnedFd;
use std::time::Duration;

use crate::support::process::{
    Call, EVENT, Introduction, Process, connect_to, executable, manifest, now, receive_reply, send_hello,
};
use crate::support::{Gopatchd, SOON, backends};
use gopatch_protocol::manifest::SECTION;
use gopatch_protocol::wire::{Hello, MAX_PAYLOAD, Reply, ring};
use rustix::net::{RecvFlags, recv};
use serde_json::{Value, json};

const CALL: Call = Call { goid: 7, frame: 0x200 };

/// A valid event.
fn event() -> Vec<u8> {
    CALL.record(EVENT, now(), &[], &[])
}

/// The event with another size in its first word.
fn event_of_size(size: u32) -> Vec<u8> {
    let mut event = event();
    event[..4].copy_from_slice(&size.to_le_bytes());
    event
}

#[test]
fn malformed_records_are_counted_and_others_still_collected() {
    for backend in backends() {
        let gopatchd = Gopatchd::start(backend, &[]);
        let mut process = Process::attach(&gopatchd.socket(), 1);
        let mut long_string = CALL.enter("GET", "/x");
        long_string[32..36].copy_from_slice(&u32::MAX.to_le_bytes());
        let mut largest = vec![0; MAX_PAYLOAD];
        largest[..32].copy_from_slice(&event());
        largest[..4].copy_from_slice(&(MAX_PAYLOAD as u32).to_le_bytes());
        let mut too_large = [largest.clone(), vec![0; 8]].concat();
        too_large[..4].copy_from_slice(&(MAX_PAYLOAD as u32 + 8).to_le_bytes());
        let malformed = [
            event_of_size(0),
            event_of_size(31),
            event_of_size(33),
            event_of_size(u32::MAX),
            vec![],
            vec![0; 4],
            too_large,
            long_string,
            CALL.record(99, now(), &[], &[]),
            CALL.record(u32::MAX, now(), &[], &[]),
        ];
        for record in &malformed {
            process.rings[0].write_all(record);
            process.rings[0].write_all(&event());
        }
        process.rings[0].write_all(&largest);
        // Thunks never write this, but the format has it.
        process.rings[0].write_raw(ring::DISCARD | 32, &event());
        process.rings[0].write_all(&event());
        let output = gopatchd.stop();
        assert_eq!(output.operations.len(), malformed.len() + 2, "{}", output.stderr);
        assert_eq!(output.summary["lost"]["malformed"], malformed.len(), "{backend}: {}", output.stderr);
        assert_eq!(output.summary["broken_rings"], 0);
        assert!(output.stderr.contains("they were malformed"), "{}", output.stderr);
    }
}

#[test]
fn any_time_stamp_and_goroutine_is_accepted() {
    for backend in backends() {
        let gopatchd = Gopatchd::start(backend, &[]);
        let mut process = Process::attach(&gopatchd.socket(), 2);
        for tsc in [0, 1, u64::MAX, now() << 1, now()] {
            for call in [CALL, Call { goid: 0, frame: 0 }, Call { goid: u64::MAX, frame: u32::MAX }] {
                let mut enter = call.enter("GET", "/");
                enter[8..16].copy_from_slice(&tsc.to_le_bytes());
                process.rings[0].write_all(&enter);
                process.rings[1].write_all(&call.exit(200));
                process.rings[1].write_all(&Call { frame: u32::MAX, ..call }.boundary());
            }
        }
        let output = gopatchd.stop();
        assert_eq!(output.operations.len(), 15, "each entry gives one operation");
    }
}

#[test]
fn a_broken_ring_is_given_up_and_others_are_still_read() {
    for backend in backends() {
        type Break = fn(&mut crate::support::process::Ring);
        let ways: [(&str, Break); 5] = [
            ("a length beyond what was published", |ring| ring.write_raw(4000, &event())),
            ("the largest length", |ring| ring.write_raw(ring::DISCARD - 1, &event())),
            ("a position that went back", |ring| ring.set_producer(0)),
            ("a position too far ahead", |ring| ring.set_producer(1 << 40)),
            ("a position between words", |ring| ring.set_producer(44)),
        ];
        let gopatchd = Gopatchd::start(backend, &["--ring-bytes", "8192"]);
        let mut process = Process::attach(&gopatchd.socket(), 6);
        for (way, ring) in ways.iter().zip(&mut process.rings) {
            ring.write_all(&event());
            assert_eq!(gopatchd.next_operation()["name"], "note");
            crate::support::wait_until("the event is consumed", || ring.consumer() == 40);
            (way.1)(ring);
            gopatchd.wait_for_stderr("is no longer read");
        }
        process.rings[5].write_all(&event());
        assert_eq!(gopatchd.next_operation()["name"], "note");
        let output = gopatchd.stop();
        assert_eq!(output.stderr.matches("is no longer read").count(), ways.len(), "{backend}: {}", output.stderr);
        assert_eq!(output.summary["broken_rings"], ways.len());
    }
}

#[test]
fn a_record_that_stays_busy_holds_up_only_its_ring() {
    for backend in backends() {
        let gopatchd = Gopatchd::start(backend, &[]);
        let mut process = Process::attach(&gopatchd.socket(), 2);
        process.rings[0].write_raw(ring::BUSY | 32, &event());
        process.rings[0].write_all(&event());
        process.rings[1].write_all(&event());
        assert_eq!(gopatchd.next_operation()["name"], "note");
        let output = gopatchd.stop();
        assert_eq!((output.operations.len(), &output.summary["broken_rings"]), (0, &json!(0)));
    }
}

#[test]
fn invalid_hellos_are_refused_with_the_reason() {
    let gopatchd = Gopatchd::start("memfd", &[]);
    let valid = || Introduction::new(1);
    let mut version = valid();
    version.hello[7] = 1;
    let mut short = valid();
    short.hello.truncate(63);
    let mut long = valid();
    long.hello.push(0);
    let mut other_manifest = valid();
    other_manifest.hello[Hello::MANIFEST_ID] ^= 1;
    let with = |file: OwnedFd| Introduction { executable: Some(file), ..valid() };
    let with_section = |name: &str, content: &[u8]| {
        use sha2::Digest;
        let mut introduction = with(executable(name, content).into());
        introduction.hello[Hello::MANIFEST_ID..][..16].copy_from_slice(&sha2::Sha256::digest(content)[..16]);
        introduction
    };
    let null = || OwnedFd::from(std::fs::File::open("/dev/null").expect("it exists"));
    let text = || OwnedFd::from(std::fs::File::open("/proc/self/exe").expect("it exists"));
    let empty = || OwnedFd::from(tempfile::tempfile().expect("temporary file"));
    let (pipe, _writer) = std::io::pipe().expect("a pipe");
    let cases = [
        (version, "its hello is invalid"),
        (short, "its hello is invalid"),
        (long, "its hello is invalid"),
        (other_manifest, "was the file replaced?"),
        (with_section(".other", b"{}"), "no section"),
        (with_section(SECTION, b"{}"), "cannot read the manifest"),
        (with_section(SECTION, br#"{"format":2}"#), "the manifest"),
        (with(text()), "no section"),
        (with(empty()), "not a valid ELF file"),
        (with(null()), "not a regular file"),
        (with(pipe.into()), "not a regular file"),
        // gopatchd then opens the executable itself: this test program, which is not patched.
        (Introduction { executable: None, ..valid() }, "no section"),
    ];
    for (number, (introduction, reason)) in cases.iter().enumerate() {
        let connection = connect_to(&gopatchd.socket());
        send_hello(&connection, introduction);
        let (reply, files) = receive_reply(&connection);
        assert_eq!(reply.len(), Reply::SIZE, "case {number}");
        assert_ne!(reply[Reply::STATUS], 0, "case {number}");
        assert!(files.is_empty(), "case {number}");
        let is_logged = |line: &str| line.contains("refused") && line.contains(reason);
        crate::support::wait_until(reason, || gopatchd.stderr().lines().any(is_logged));
    }
    // The same refusal of a process is logged once a minute.
    assert_eq!(gopatchd.stderr().matches("its hello is invalid").count(), 1);
    assert_eq!(gopatchd.stop().summary["refused"], cases.len());
}

#[test]
fn a_silent_peer_holds_up_no_other_process() {
    let gopatchd = Gopatchd::start("memfd", &[]);
    let silent: Vec<_> = (0..10).map(|_| connect_to(&gopatchd.socket())).collect();
    drop(connect_to(&gopatchd.socket()));
    let mut process = Process::attach(&gopatchd.socket(), 1);
    process.rings[0].write_all(&event());
    assert_eq!(gopatchd.next_operation()["name"], "note");
    for connection in silent {
        let (reply, _) = receive_reply(&connection);
        assert_ne!(reply[Reply::STATUS], 0);
    }
    let output = gopatchd.stop();
    assert_eq!(output.summary["refused"], 10, "a connection that is closed at once is not refused: {}", output.stderr);
    assert!(output.stderr.contains("no hello within 1000 ms"), "{}", output.stderr);
}

#[test]
fn a_process_gets_at_most_128_rings() {
    for backend in backends() {
        let gopatchd = Gopatchd::start(backend, &["--ring-bytes", "4096"]);
        assert_eq!(Process::attach(&gopatchd.socket(), 0).rings.len(), 1);
        // And one spare ring.
        assert_eq!(Process::attach(&gopatchd.socket(), u32::MAX).rings.len(), 127);
    }
}

#[test]
fn replaced_rings_are_freed() {
    for backend in backends() {
        let gopatchd = Gopatchd::start(backend, &["--ring-bytes", "4096"]);
        let files = || {
            std::fs::read_dir(format!("/proc/{}/fd", gopatchd.pid().as_raw_nonzero())).expect("gopatchd runs").count()
        };
        let maps = || {
            let maps = std::fs::read_to_string(format!("/proc/{}/maps", gopatchd.pid().as_raw_nonzero()))
                .expect("gopatchd runs");
            maps.lines().filter(|line| line.contains("gopatch-ring") || line.contains("bpf-map")).count()
        };
        // While it looks for processes it has a file or two more.
        let fewest = (0..40).map(|_| {
            std::thread::sleep(Duration::from_millis(25));
            files()
        });
        let before = (fewest.min().expect("40 counts"), maps());
        // Each session replaces the one before; 40 times 127 rings are more than can exist at a
        // time.
        for _ in 0..40 {
            let mut process = Process::attach(&gopatchd.socket(), 127);
            process.rings[126].write_all(&event());
            assert_eq!(gopatchd.next_operation()["name"], "note");
        }
        std::thread::sleep(Duration::from_millis(2500));
        let deadline = std::time::Instant::now() + SOON;
        loop {
            let now = (files(), maps());
            // The last session has a pidfd and its process's memory.
            if now.0 <= before.0 + 2 && now.1 <= before.1 + 2 * 128 {
                break;
            }
            assert!(
                std::time::Instant::now() < deadline,
                "{now:?} files and mappings are left, {before:?} were before"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

#[test]
fn many_processes_can_attach_at_once() {
    // More than there are handshakes at a time.
    const CONNECTIONS: u64 = 100;
    let gopatchd = Gopatchd::start("memfd", &["--ring-bytes", "4096"]);
    let introduction = Introduction::new(1);
    let connections: Vec<_> = (0..CONNECTIONS).map(|_| connect_to(&gopatchd.socket())).collect();
    std::thread::scope(|scope| {
        for connection in connections {
            let introduction = &introduction;
            scope.spawn(move || {
                send_hello(&connection, introduction);
                assert_eq!(receive_reply(&connection).0[Reply::STATUS], 0);
            });
        }
    });
    let output = gopatchd.stop();
    assert_eq!(
        (&output.summary["sessions"], &output.summary["refused"]),
        (&json!(CONNECTIONS), &json!(0)),
        "{}",
        output.stderr
    );
}

#[test]
fn what_a_process_claims_to_have_lost_is_bounded() {
    for backend in backends() {
        let gopatchd = Gopatchd::start(backend, &["--ring-bytes", "8192"]);
        let mut process =
            Process::attach_with(&gopatchd.socket(), &Introduction::new(2).with_losses(u64::MAX, u64::MAX));
        process.rings[0].set_dropped(u64::MAX);
        process.rings[1].set_words_missing(u64::MAX);
        process.rings[1].write_all(&event());
        assert_eq!(gopatchd.next_operation()["name"], "note");
        let summary = gopatchd.stop().summary;
        let number = |value: &Value| value.as_u64().expect("a number");
        // Of both rings of 8192 bytes.
        assert_eq!(number(&summary["lost"]["unconsumed"]), 2 * 8192 / 40, "{backend}: {summary}");
        for bounded in [&summary["lost"]["ring_full"], &summary["lost"]["total"], &summary["words_missing"]] {
            assert!(number(bounded) < 1 << 40, "{backend}: {summary}");
        }
        assert_eq!(number(&summary["unproven_losses"]), u64::MAX, "{backend}: {summary}");
    }
}

/// A service version, a rule and a file name that a terminal would obey.
#[test]
fn no_text_of_a_process_reaches_a_terminal_as_it_is() {
    const EVIL: &str = "a\u{1b}]0;x\u{7}\u{9b}2J\u{202e}b\r\ngopatchd: all is well";
    let gopatchd = Gopatchd::start("memfd", &["--print", "text"]);
    let mut manifest = manifest();
    manifest["input"]["go_version"] = json!(EVIL);
    manifest["input"]["main_version"] = json!(EVIL);
    manifest["input"]["main_package"] = json!(EVIL);
    manifest["functions"][2]["rule"] = json!(EVIL);
    manifest["functions"][2]["operation"] = json!(EVIL);
    let mut process = Process::attach_with(&gopatchd.socket(), &Introduction::of(&manifest, 1));
    process.rings[0].write_all(&event());
    // A refusal that quotes the manifest.
    let connection = connect_to(&gopatchd.socket());
    manifest["points"][0]["at"] = json!(EVIL);
    send_hello(&connection, &Introduction::of(&manifest, 1));
    assert_ne!(receive_reply(&connection).0[Reply::STATUS], 0);
    gopatchd.wait_for_stderr("refused");
    let status = |options: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_gopatchd"));
        let output =
            command.arg("status").args(options).arg("--control").arg(gopatchd.folder.path().join("gopatchd.control"));
        String::from_utf8(output.output().expect("gopatchd runs").stdout).expect("UTF-8")
    };
    crate::support::wait_until("the operation", || status(&["--json"]).contains("\"operations\": 1"));
    let (table, json, log, lines) = (status(&[]), status(&["--json"]), gopatchd.stderr(), gopatchd.stop_text());
    for (what, text) in [("status", table), ("status --json", json), ("log", log), ("text", lines)] {
        assert!(text.contains('a') && text.contains("]0;x"), "{what} does not show it: {text}");
        let is_evil = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
        assert!(!text.contains(is_evil) && !text.contains("\ngopatchd: all is well"), "{what}: {text:?}");
    }
}

#[test]
fn a_process_that_has_not_read_its_reply_has_no_session() {
    for backend in backends() {
        let gopatchd = Gopatchd::start(backend, &[]);
        for waits in [true, false].repeat(5) {
            let connection = connect_to(&gopatchd.socket());
            send_hello(&connection, &Introduction::new(2));
            if waits {
                let peeked = recv(&connection, &mut [0; Reply::SIZE], RecvFlags::PEEK).expect("a reply");
                assert_eq!(peeked.1, Reply::SIZE);
            }
        }
        // One that reads it has one.
        let _process = Process::attach(&gopatchd.socket(), 1);
        let output = gopatchd.stop();
        assert_eq!(
            (&output.summary["sessions"], &output.summary["refused"]),
            (&json!(1), &json!(0)),
            "{backend}: {}",
            output.stderr
        );
    }
}
