//! gopatchd against users who take what they can, and against descriptors that hang: others are
//! served, and SIGTERM ends gopatchd.

use std::fs::{File, Permissions};
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use gopatch_protocol::manifest::SECTION;
use gopatch_protocol::wire::Reply;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, Mode, mkfifoat};
use rustix::net::sockopt::set_socket_linger;
use rustix::process::{Signal, kill_process};
use rustix::thread::{Uid, set_thread_uid};
use serde_json::json;

use crate::support::hanging::HangingFolder;
use crate::support::process::{
    Call, EVENT, Introduction, Process, connect_to, executable, manifest, now, receive_reply, send_hello,
};
use crate::support::{Gopatchd, backends, wait_until};

const NOBODY: u32 = 65534;

/// How long gopatchd may take to end.
const END: Duration = Duration::from_secs(2);

/// A TCP socket for whose close the kernel waits a minute, and what keeps it waiting.
fn lingering() -> (OwnedFd, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback");
    let mut socket = TcpStream::connect(listener.local_addr().expect("bound")).expect("loopback");
    let (other, _) = listener.accept().expect("connected");
    socket.set_nonblocking(true).expect("a socket");
    // The other end reads nothing.
    while socket.write(&[0; 1 << 14]).is_ok() {}
    set_socket_linger(&socket, Some(Duration::from_mins(1))).expect("a socket");
    (socket.into(), other)
}

/// Lets every user reach the socket.
fn open_to_all(gopatchd: &Gopatchd) {
    std::fs::set_permissions(gopatchd.folder.path(), Permissions::from_mode(0o755)).expect("own folder");
}

/// Does something as another user.
fn of_nobody<T: Send + 'static>(act: impl FnOnce() -> T + Send + 'static) -> T {
    let act = move || {
        // Of this thread only, which the kernel takes for the user of its connections.
        set_thread_uid(Uid::from_raw(NOBODY)).expect("the tests run as root");
        act()
    };
    std::thread::spawn(act).join().expect("no panic")
}

/// A process attaches, and its event is printed.
fn check_service(gopatchd: &Gopatchd) {
    let mut process = Process::attach(&gopatchd.socket(), 1);
    process.rings[0].write_all(&Call { goid: 7, frame: 0x200 }.record(EVENT, now(), &[], &[]));
    assert_eq!(gopatchd.next_operation()["name"], "note");
}

/// The same for a process whose user has programs that hang: it may be refused until those are late.
fn check_service_soon(gopatchd: &Gopatchd) {
    wait_until("a process attaches", || {
        let connection = connect_to(&gopatchd.socket());
        send_hello(&connection, &Introduction::new(1));
        receive_reply(&connection).0[Reply::STATUS..][..4] == Reply::OK.to_le_bytes()
    });
    check_service(gopatchd);
}

/// Stops gopatchd in time.
fn check_end(gopatchd: Gopatchd) -> crate::support::Collected {
    let began = Instant::now();
    let output = gopatchd.stop();
    assert!(began.elapsed() < END, "{:?}", began.elapsed());
    output
}

#[test]
fn a_descriptor_that_hangs_when_it_is_closed_holds_up_no_other_process() {
    let gopatchd = Gopatchd::start("memfd", &[]);
    let mut kept = Vec::new();
    let mut send = |connection: &OwnedFd, hello: &[u8]| {
        let (socket, other) = lingering();
        send_hello(connection, &Introduction { hello: hello.to_vec(), executable: Some(socket) });
        kept.push(other);
    };
    // Stopped, so that it is gopatchd that has the last descriptor of each and closes it.
    kill_process(gopatchd.pid(), Signal::STOP).expect("a child of this process");
    for _ in 0..4 {
        // A reader closes the first, which is no executable. Nobody reads the second.
        let connection = connect_to(&gopatchd.socket());
        send(&connection, &Introduction::new(1).hello);
        send(&connection, &[1]);
        drop(connection);
        let connection = connect_to(&gopatchd.socket());
        send_hello(&connection, &Introduction::new(1));
        send(&connection, &[1]);
    }
    kill_process(gopatchd.pid(), Signal::CONT).expect("a child of this process");
    check_service(&gopatchd);
    // One that gopatchd may not have accepted.
    kill_process(gopatchd.pid(), Signal::STOP).expect("a child of this process");
    send(&connect_to(&gopatchd.socket()), &[1]);
    kill_process(gopatchd.pid(), Signal::CONT).expect("a child of this process");
    check_end(gopatchd);
}

/// Many programs of two users, all on this file system.
fn hang(gopatchd: &Gopatchd, program: &Arc<File>) -> [Vec<OwnedFd>; 2] {
    open_to_all(gopatchd);
    let (socket, program) = (gopatchd.socket(), Arc::clone(program));
    let connect = move || {
        let connections = (0..24).map(|_| connect_to(&socket)).collect::<Vec<_>>();
        for connection in &connections {
            let executable = Some(program.try_clone().expect("a descriptor").into());
            send_hello(connection, &Introduction { executable, ..Introduction::new(1) });
        }
        connections
    };
    [of_nobody(connect.clone()), connect()]
}

#[test]
fn executables_on_a_file_system_that_hangs_hold_up_no_other_process() {
    let mut folder = HangingFolder::mount();
    let program = Arc::new(folder.file());
    let _mounted = folder.deafen();
    let gopatchd = Gopatchd::start("memfd", &[]);
    let hanging = hang(&gopatchd, &program);
    // Of the same user as some of those.
    check_service_soon(&gopatchd);
    gopatchd.wait_for_stderr("its executable was not read within");
    let connection = connect_to(&gopatchd.socket());
    let executable = Some(program.try_clone().expect("a descriptor").into());
    send_hello(&connection, &Introduction { executable, ..Introduction::new(1) });
    gopatchd.wait_for_stderr("other programs on its file system are still being read");
    drop(hanging);
    check_end(gopatchd);
}

/// The kernel lets no process end while its file system has such a request. All else is over.
#[test]
fn gopatchd_stops_although_a_file_system_has_taken_its_requests_and_answers_none() {
    let folder = HangingFolder::mount();
    let program = Arc::new(folder.file());
    let gopatchd = Gopatchd::start("memfd", &[]);
    let hanging = hang(&gopatchd, &program);
    check_service_soon(&gopatchd);
    let began = Instant::now();
    gopatchd.terminate();
    gopatchd.wait_for_stderr("records lost: ");
    assert!(began.elapsed() < END && !gopatchd.socket().exists(), "{:?}", began.elapsed());
    drop((hanging, program, folder));
    gopatchd.wait();
}

#[test]
fn what_is_no_program_is_refused_at_once() {
    let gopatchd = Gopatchd::start("memfd", &[]);
    let folder = tempfile::tempdir().expect("temporary folder");
    let fifo = folder.path().join("fifo");
    mkfifoat(CWD, &fifo, Mode::RUSR | Mode::WUSR).expect("a temporary folder");
    let fifo = File::options().read(true).write(true).open(fifo).expect("a FIFO");
    // A terabyte without content, one in which the manifest is said to be, and one that shrinks.
    let giant = tempfile::tempfile().expect("temporary file");
    giant.set_len(1 << 40).expect("a sparse file");
    let stretched = executable(SECTION, manifest().to_string().as_bytes());
    stretched.set_len(1 << 40).expect("a sparse file");
    let short = executable(SECTION, manifest().to_string().as_bytes());
    short.set_len(short.metadata().expect("a file").len() / 2).expect("a file");
    for (program, refusal) in [
        (fifo, "its executable is not a regular file"),
        (File::open("/dev/zero").expect("a device"), "its executable is not a regular file"),
        (giant, "its executable is not a valid ELF file"),
        (short, "its executable is not a valid ELF file"),
    ] {
        let connection = connect_to(&gopatchd.socket());
        send_hello(&connection, &Introduction { executable: Some(program.into()), ..Introduction::new(1) });
        let (reply, files) = receive_reply(&connection);
        assert!(reply[Reply::STATUS..][..4] != Reply::OK.to_le_bytes() && files.is_empty());
        gopatchd.wait_for_stderr(refusal);
    }
    // What follows a program is not read.
    let introduction = Introduction { executable: Some(stretched.into()), ..Introduction::new(1) };
    Process::attach_with(&gopatchd.socket(), &introduction);
    check_service(&gopatchd);
    check_end(gopatchd);
}

#[test]
fn connections_of_one_user_refuse_no_other() {
    let gopatchd = Gopatchd::start("memfd", &[]);
    open_to_all(&gopatchd);
    let socket = gopatchd.socket();
    let silent = of_nobody(move || (0..500).map(|_| connect_to(&socket)).collect::<Vec<_>>());
    check_service(&gopatchd);
    gopatchd.wait_for_stderr("user 65534 has reached limits.user.greetings, 128");
    drop(silent);
    let output = check_end(gopatchd);
    assert!(output.summary["refused"].as_u64() >= Some(500 - 128), "{}", output.stderr);
}

/// 127 rings that are always full, and another user's process that writes 2,000 records a second, for
/// which its ring has room for 0.8 s.
#[test]
fn a_process_whose_rings_are_always_full_costs_another_no_record() {
    for backend in backends() {
        let gopatchd = Gopatchd::start(backend, &["--ring-bytes", "65536"]);
        open_to_all(&gopatchd);
        let socket = gopatchd.socket();
        let mut flooder = of_nobody(move || Process::attach(&socket, 127));
        let mut victim = Process::attach(&gopatchd.socket(), 1);
        let is_over = Arc::new(AtomicBool::new(false));
        let is_flooded = Arc::clone(&is_over);
        let flood = std::thread::spawn(move || {
            let mut written = 0_u64;
            while !is_flooded.load(Ordering::Relaxed) {
                for (ring, goid) in flooder.rings.iter_mut().zip(1000..) {
                    while ring.write(&Call { goid, frame: 0x200 }.record(EVENT, now(), &[], &[])) {
                        written += 1;
                    }
                }
            }
            written
        });
        let (mut lost, mut written) = (0, 0);
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(3) {
            if written < began.elapsed().as_millis() * 2 {
                written += 1;
                lost +=
                    u32::from(!victim.rings[0].write(&Call { goid: 7, frame: 0x200 }.record(EVENT, now(), &[], &[])));
            }
            std::thread::sleep(Duration::from_micros(100));
        }
        is_over.store(true, Ordering::Relaxed);
        let flooded = flood.join().expect("no panic");
        println!("{backend}: of {written} records beside {flooded} of the flooder, {lost} lost");
        assert_eq!(lost, 0, "of {written}, beside {flooded}");
    }
}

/// Without that, a record waits for a pass, which is at most 10 ms.
#[test]
fn to_attach_40000_functions_holds_up_no_other_process() {
    let mut large = manifest();
    let function = large["functions"][2].clone();
    large["functions"] = (0..40_000).map(|_| function.clone()).collect();
    large["points"] = (0..40_000).map(|index| json!({"function": index, "at": "enter", "captures": []})).collect();
    let introduction = Introduction::of(&large, 2);
    for backend in backends() {
        let gopatchd = Gopatchd::start(backend, &[]);
        let socket = gopatchd.socket();
        let mut victim = Process::attach(&socket, 1);
        let longest = |victim: &mut Process, is_over: &mut dyn FnMut() -> bool| {
            let mut longest = Duration::ZERO;
            while !is_over() {
                let written = Instant::now();
                victim.rings[0].write_all(&Call { goid: 7, frame: 0x200 }.record(EVENT, now(), &[], &[]));
                while !victim.rings[0].is_empty() {
                    std::thread::sleep(Duration::from_micros(100));
                }
                longest = longest.max(written.elapsed());
            }
            longest
        };
        let began = Instant::now();
        let before = longest(&mut victim, &mut || began.elapsed() > Duration::from_secs(1));
        let connection = connect_to(&socket);
        send_hello(&connection, &introduction);
        let mut attached = None;
        let during = longest(&mut victim, &mut || {
            if attached.is_none() && has_reply(&connection) {
                attached = Some(Instant::now());
            }
            attached.is_some_and(|at| at.elapsed() > Duration::from_millis(500))
        });
        assert_eq!(receive_reply(&connection).0[Reply::STATUS..][..4], Reply::OK.to_le_bytes());
        println!("{backend}: a record waited for at most {before:?} before, {during:?} meanwhile");
        assert!(during < before + Duration::from_secs(1), "{during:?}");
    }
}

fn has_reply(connection: &OwnedFd) -> bool {
    poll(&mut [PollFd::new(connection, PollFlags::IN)], Some(&Timespec::default())).is_ok_and(|ready| ready > 0)
}
