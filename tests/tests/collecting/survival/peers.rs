//! Peers that do not do what gopatchd does: that close, wait, lie, or go on lying after they have
//! granted a session.

use std::io::IoSlice;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use gopatch_protocol::wire::{ATTACH_ENV, Hello, PAGE, Reply, control, ring};
use rustix::fs::{
    AtFlags, CWD, MemfdFlags, SealFlags, Timespec, Timestamps, UTIME_NOW, fcntl_add_seals, ftruncate, memfd_create,
    utimensat,
};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketAddrUnix, SocketFlags,
    SocketType, accept_with, bind, listen, recv, sendmsg, socket_with,
};

use super::{Moment, Survivor, check_all};

const RING_BYTES: u32 = 4096;
const RINGS: u32 = 2;

/// What a peer does with each connection.
#[derive(Debug, Clone)]
enum Peer {
    /// Has connections in its backlog when it closes its socket.
    NeverAccepts,
    ClosesUnread,
    ReadsAndCloses,
    NeverAnswers,
    Answers {
        reply: Vec<u8>,
        files: Files,
        times: usize,
        delay: Duration,
    },
}

/// What comes with a reply.
#[derive(Debug, Clone, Copy)]
enum Files {
    /// As many of that kind.
    Of(Kind, usize),
    /// What the reply states, and what the peer does with them afterwards.
    Session(Lie),
    /// A session for the first hello, and for later ones rings that cannot be mapped to be written.
    OneSession,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Pipe,
    DevNull,
    Socket,
    Empty,
    /// Of the right size, but it can shrink, and does.
    Unsealed,
    /// Cannot shrink, and is too short.
    Short,
}

/// What the peer writes into a session that it has granted, whose heart does not beat.
#[derive(Debug, Clone, Copy)]
enum Lie {
    None,
    /// The consumer is there.
    Consumer(u64),
    /// Every byte of the rings is this.
    Bytes(u8),
}

#[test]
fn a_program_outlives_peers_that_do_not_keep_to_the_protocol() -> Result<()> {
    let survivor = Survivor::build()?;
    let cases: Vec<_> =
        peers().into_iter().flat_map(|peer| Moment::BOTH.map(|moment| (peer.clone(), moment))).collect();
    check_all(&cases, |index, (peer, moment)| {
        try_peer(&survivor, peer, *moment, moment.millis(), &format!("p{index}")).map(drop)
    })
}

#[test]
fn a_program_that_attaches_when_it_starts_looks_for_no_peer_later() -> Result<()> {
    let survivor = Survivor::build()?;
    let cases = ["late", "start", "never"].map(|mode| Moment::BOTH.map(|moment| (mode, moment))).concat();
    check_all(&cases, |index, (mode, moment)| {
        let mut command = Command::new(&survivor.patched);
        command.arg(moment.millis().to_string()).env(ATTACH_ENV, mode);
        let hellos = serve(&survivor, &Peer::NeverAnswers, *moment, &mut command, &format!("m{index}"))?;
        let most = match (*mode, moment) {
            ("late", _) => usize::MAX,
            ("start", Moment::Start) => 1,
            _ => 0,
        };
        ensure!((most.min(1)..=most).contains(&hellos.len()), "{} hellos", hellos.len());
        Ok(())
    })
}

#[test]
fn a_program_leaves_a_session_whose_peer_lies() -> Result<()> {
    let survivor = Survivor::build()?;
    let far = [1, 3, 8, u64::MAX, u64::MAX - 7, 1 << 63, 1 << 40];
    let lies = far.map(Lie::Consumer).into_iter().chain([0, 1, 0x40, 0xFF].map(Lie::Bytes)).chain([Lie::None]);
    let cases: Vec<_> = lies.collect();
    check_all(&cases, |index, lie| {
        let peer =
            Peer::Answers { reply: granted(RINGS), files: Files::Session(*lie), times: 1, delay: Duration::ZERO };
        let hellos = try_peer(&survivor, &peer, Moment::Start, 6_500, &format!("l{index}"))?;
        ensure!(hellos.len() > 1, "did not come back after {} hellos", hellos.len());
        let last = &hellos[hellos.len() - 1];
        ensure!(last.sessions_before > 0, "{last:?}");
        // A ring holds no more records than headers.
        let most = u64::from(RINGS * RING_BYTES) / ring::HEADER as u64;
        ensure!(last.lost_unconsumed <= most, "{last:?}");
        Ok(())
    })
}

#[test]
fn a_program_outlives_a_second_session_that_cannot_be_mapped() -> Result<()> {
    let survivor = Survivor::build()?;
    let peer = Peer::Answers { reply: granted(RINGS), files: Files::OneSession, times: 1, delay: Duration::ZERO };
    let hellos = try_peer(&survivor, &peer, Moment::Start, 9_000, "unmappable")?;
    ensure!(hellos.len() > 2, "did not come back after {} hellos", hellos.len());
    Ok(())
}

#[test]
fn a_program_with_few_descriptors_outlives_a_reply_with_many_files() -> Result<()> {
    let survivor = Survivor::build()?;
    let cases: Vec<_> = [9, 12, 64].into_iter().flat_map(|limit| Moment::BOTH.map(|at| (limit, at))).collect();
    check_all(&cases, |index, (limit, moment)| {
        let reply = granted(127);
        let files = Files::Of(Kind::Short, 129);
        let peer = Peer::Answers { reply, files, times: 1, delay: Duration::ZERO };
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit -n {limit}; exec \"$0\" \"$@\"")]).arg(&survivor.patched);
        serve(&survivor, &peer, *moment, command.arg(moment.millis().to_string()), &format!("d{index}")).map(drop)
    })
}

/// A reply with so many large rings and a spare one.
fn granted(large_rings: u32) -> Vec<u8> {
    let rings = large_rings.wrapping_add(1);
    let reply = Reply { status: Reply::OK, rings, large_rings, ring_bytes: RING_BYTES, control_bytes: PAGE as u32 };
    reply.encode().to_vec()
}

fn peers() -> Vec<Peer> {
    use Kind::{DevNull, Empty, Pipe, Short, Socket, Unsealed};
    let mut peers = vec![Peer::NeverAccepts, Peer::ClosesUnread, Peer::ReadsAndCloses, Peer::NeverAnswers];
    let answers = |reply: Vec<u8>, files| Peer::Answers { reply, files, times: 1, delay: Duration::ZERO };
    for length in [0, 1, 8, 12, 63, 65, 4096] {
        let mut reply = granted(1);
        reply.resize(length, 0);
        peers.push(answers(reply, Files::Of(Empty, 2)));
    }
    peers.push(answers(vec![0xA5; Reply::SIZE], Files::Of(Pipe, 2)));
    let mut wrong_magic = granted(1);
    wrong_magic[7] ^= 1;
    peers.push(answers(wrong_magic, Files::Of(Pipe, 2)));
    for (rings, large_rings, ring_bytes, control_bytes) in [
        (0, 0, 4096, 4096),
        (1, 0, 4096, 4096),
        (1, 1, 4096, 4096),
        (2, 0, 4096, 4096),
        (2, 2, 4096, 4096),
        (2, 3, 4096, 4096),
        (2, u32::MAX, 4096, 4096),
        (129, 1, 4096, 4096),
        (129, 128, 4096, 4096),
        (u32::MAX, 1, 4096, 4096),
        (2, 1, 0, 4096),
        (2, 1, 4095, 4096),
        (2, 1, 1 << 31, 4096),
        (2, 1, 4096, 0),
    ] {
        let reply = Reply { status: Reply::OK, rings, large_rings, ring_bytes, control_bytes };
        peers.push(answers(reply.encode().to_vec(), Files::Of(Short, 3)));
    }
    for files in [0, 1, 2, 4, 130, 200, 253] {
        peers.push(answers(granted(1), Files::Of(DevNull, files)));
        peers.push(answers(granted((files as u32).wrapping_sub(2)), Files::Of(DevNull, files)));
    }
    for large_rings in [1, 2, 127] {
        for kind in [Pipe, DevNull, Socket, Empty, Unsealed, Short] {
            peers.push(answers(granted(large_rings), Files::Of(kind, 3)));
        }
    }
    let session = Files::Session(Lie::None);
    peers.push(Peer::Answers { reply: granted(RINGS), files: session, times: 2, delay: Duration::ZERO });
    for millis in [100, 190, 210, 1_005, 3_000] {
        peers.push(Peer::Answers {
            reply: granted(RINGS),
            files: session,
            times: 1,
            delay: Duration::from_millis(millis),
        });
    }
    peers
}

/// Runs the program against a peer and gives the hellos.
fn try_peer(survivor: &Survivor, peer: &Peer, moment: Moment, millis: u64, name: &str) -> Result<Vec<Hello>> {
    let mut command = Command::new(&survivor.patched);
    serve(survivor, peer, moment, command.arg(millis.to_string()), name)
}

fn serve(survivor: &Survivor, peer: &Peer, moment: Moment, command: &mut Command, name: &str) -> Result<Vec<Hello>> {
    let (path, hidden) =
        (survivor.scratch.file(&format!("{name}.sock")), survivor.scratch.file(&format!("{name}.hidden")));
    let listener =
        socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
    bind(&listener, &SocketAddrUnix::new(&hidden)?)?;
    listen(&listener, 8)?;
    if moment == Moment::Start {
        std::fs::rename(&hidden, &path)?;
    }
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let over = &over;
        let (from, to) = (&hidden, &path);
        let server = scope.spawn(move || {
            if moment == Moment::Late {
                std::thread::sleep(moment.hidden());
                std::fs::rename(from, to)?;
            }
            accept_until(over, listener, to, peer)
        });
        let checked = survivor.check(command, name, &path);
        over.store(true, Ordering::Relaxed);
        let hellos = server.join().expect("no panic").context("the peer failed")?;
        checked.map(|()| hellos)
    })
}

const NOW: Timestamps = {
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    Timestamps { last_access: now, last_modification: now }
};

fn accept_until(over: &AtomicBool, listener: OwnedFd, path: &Path, peer: &Peer) -> Result<Vec<Hello>> {
    let begun = Instant::now();
    let mut touched = begun;
    let (mut hellos, mut listener, mut kept) = (Vec::new(), Some(listener), Vec::new());
    while !over.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(2));
        // As a gopatchd that lives does. It is not there before it is shown.
        if touched.elapsed() > Duration::from_millis(500) {
            touched = Instant::now();
            let _ = utimensat(CWD, path, &NOW, AtFlags::SYMLINK_NOFOLLOW);
        }
        if matches!(peer, Peer::NeverAccepts) {
            // Resets what is in its backlog, at a time when a program waits for its reply.
            if begun.elapsed() > Duration::from_millis(600) {
                listener = None;
            }
            continue;
        }
        let Some(listening) = &listener else { continue };
        match accept_with(listening, SocketFlags::CLOEXEC) {
            Ok(connection) => kept.extend(meet(&connection, peer, over, &mut hellos)?.map(|files| (connection, files))),
            Err(Errno::AGAIN) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(hellos)
}

/// Meets one process. Returns what must stay open.
fn meet(connection: &OwnedFd, peer: &Peer, over: &AtomicBool, hellos: &mut Vec<Hello>) -> Result<Option<Vec<OwnedFd>>> {
    if matches!(peer, Peer::ClosesUnread) {
        return Ok(None);
    }
    let mut bytes = [0; Hello::SIZE];
    let (read, _) = recv(connection, &mut bytes, RecvFlags::empty())?;
    hellos.extend(Hello::parse(&bytes[..read]));
    let Peer::Answers { reply, files, times, delay } = peer else {
        return Ok(matches!(peer, Peer::NeverAnswers).then(Vec::new));
    };
    let answer_at = Instant::now() + *delay;
    while Instant::now() < answer_at && !over.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(1));
    }
    let made = make(*files, hellos.len() == 1)?;
    for _ in 0..*times {
        let sent: Vec<_> = made.iter().map(AsFd::as_fd).collect();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(253))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        ensure!(sent.is_empty() || ancillary.push(SendAncillaryMessage::ScmRights(&sent)), "no room");
        match sendmsg(connection, &[IoSlice::new(reply)], &mut ancillary, SendFlags::NOSIGNAL) {
            // The process may have given up.
            Ok(_) | Err(Errno::PIPE | Errno::CONNRESET) => {}
            Err(error) => return Err(error).context("cannot answer"),
        }
    }
    match files {
        Files::Of(Kind::Unsealed, _) => made.iter().try_for_each(|file| ftruncate(file, 0))?,
        Files::Of(..) | Files::OneSession => {}
        Files::Session(lie) => tell(*lie, &made[1..])?,
    }
    Ok(Some(made))
}

fn make(files: Files, is_first: bool) -> Result<Vec<OwnedFd>> {
    let ring = ring::stride(RING_BYTES);
    Ok(match files {
        Files::Of(kind, number) => (0..number).map(|_| make_one(kind)).collect::<Result<_>>()?,
        Files::Session(_) | Files::OneSession => {
            let control = memory(PAGE as u64, true)?;
            rustix::io::pwrite(&control, &[1], control::ENABLE as u64)?;
            let spare = memory(ring::stride(ring::SPARE_BYTES), true);
            let rings = (0..RINGS).map(|_| memory(ring, true)).chain([spare]);
            let made = std::iter::once(Ok(control)).chain(rings).collect::<Result<Vec<_>>>()?;
            if matches!(files, Files::OneSession) && !is_first {
                made[1..].iter().try_for_each(|ring| fcntl_add_seals(ring, SealFlags::FUTURE_WRITE))?;
            }
            made
        }
    })
}

fn make_one(kind: Kind) -> Result<OwnedFd> {
    Ok(match kind {
        Kind::Pipe => std::io::pipe()?.0.into(),
        Kind::DevNull => std::fs::File::options().read(true).write(true).open("/dev/null")?.into(),
        Kind::Socket => socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?,
        Kind::Empty => memory(0, false)?,
        Kind::Unsealed => memory(1 << 20, false)?,
        Kind::Short => memory(PAGE as u64, true)?,
    })
}

fn memory(bytes: u64, sealed: bool) -> Result<OwnedFd> {
    let file = memfd_create("peer", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
    ftruncate(&file, bytes)?;
    if sealed {
        fcntl_add_seals(&file, SealFlags::SHRINK | SealFlags::GROW)?;
    }
    Ok(file)
}

fn tell(lie: Lie, rings: &[OwnedFd]) -> Result<()> {
    // While the process writes records. Its heart stops after 700 ms.
    std::thread::sleep(Duration::from_millis(200));
    for ring in rings {
        let written = match lie {
            Lie::None => Ok(0),
            Lie::Consumer(position) => rustix::io::pwrite(ring, &position.to_le_bytes(), ring::CONSUMER_POS as u64),
            Lie::Bytes(byte) => {
                rustix::io::pwrite(ring, &vec![byte; ring::DATA + RING_BYTES as usize], ring::CONSUMER_POS as u64)
            }
        };
        written.context("cannot lie")?;
    }
    Ok(())
}
