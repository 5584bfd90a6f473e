//! A file system (FUSE) of one file, whose content never comes.

use std::ffi::CString;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

/// `include/uapi/linux/fuse.h`.
const LOOKUP: u32 = 1;
const FORGET: u32 = 2;
const GETATTR: u32 = 3;
const OPEN: u32 = 14;
const READ: u32 = 15;
const RELEASE: u32 = 18;
const INIT: u32 = 26;
const RELEASEDIR: u32 = 29;
const BATCH_FORGET: u32 = 42;

/// The only file's inode; 1 is the folder.
const FILE: u64 = 2;

/// What opens the file must be dropped before this.
pub(crate) struct HangingFolder {
    folder: tempfile::TempDir,
    is_deaf: Arc<AtomicBool>,
    server: Option<JoinHandle<File>>,
}

impl HangingFolder {
    /// Mounts it, which needs root and `/dev/fuse`. Requests for content are taken and never answered.
    pub(crate) fn mount() -> Self {
        let folder = tempfile::tempdir().expect("temporary folder");
        let device = OpenOptions::new().read(true).write(true).open("/dev/fuse").expect("/dev/fuse");
        let options = format!("fd={},rootmode=40000,user_id=0,group_id=0,allow_other", device.as_raw_fd());
        let options = CString::new(options).expect("no zero");
        let flags = MountFlags::NOSUID | MountFlags::NODEV;
        mount("hanging", folder.path(), "fuse", flags, &*options).expect("the right to mount");
        let is_deaf = Arc::new(AtomicBool::new(false));
        let deaf = Arc::clone(&is_deaf);
        let server = Some(std::thread::spawn(move || serve(device, &deaf)));
        Self { folder, is_deaf, server }
    }

    /// The file, open.
    pub(crate) fn file(&self) -> File {
        let open = || File::open(self.folder.path().join("program")).expect("everything but its content comes");
        // The kernel then knows that no close need be announced.
        drop(open());
        open()
    }

    /// From now on no request is taken. What keeps the file system mounted.
    pub(crate) fn deafen(&mut self) -> File {
        self.is_deaf.store(true, Ordering::Relaxed);
        self.server.take().expect("only once").join().expect("no panic")
    }
}

impl Drop for HangingFolder {
    fn drop(&mut self) {
        // All that wait get an error.
        let _ = unmount(self.folder.path(), UnmountFlags::FORCE);
        let _ = unmount(self.folder.path(), UnmountFlags::DETACH);
    }
}

/// Answers requests, but none for content, until the file system is gone or it is deaf.
fn serve(mut device: File, is_deaf: &AtomicBool) -> File {
    let mut request = vec![0; 1 << 20];
    let moment = Timespec { tv_sec: 0, tv_nsec: 10_000_000 };
    while !is_deaf.load(Ordering::Relaxed) {
        if poll(&mut [PollFd::new(&device, PollFlags::IN)], Some(&moment)).is_ok_and(|ready| ready == 0) {
            continue;
        }
        let Ok(size) = device.read(&mut request) else { break };
        let number = |at: usize| u32::from_le_bytes(request[at..at + 4].try_into().expect("four bytes"));
        assert!(size >= 40, "a request has a header");
        let (opcode, node) = (number(4), number(16));
        let answer = match opcode {
            FORGET | BATCH_FORGET | READ => continue,
            INIT => words(&[7, 31, 0, 0, 0, 1 << 16, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
            LOOKUP => [words(&[FILE as u32, 0, 1, 0, 60, 0, 60, 0, 0, 0]), attributes(FILE)].concat(),
            GETATTR => [words(&[60, 0, 0, 0]), attributes(node.into())].concat(),
            OPEN => words(&[0, 0, 0, 0]),
            _ => Vec::new(),
        };
        let is_known = !answer.is_empty() || [RELEASE, RELEASEDIR].contains(&opcode);
        let error = if is_known { 0 } else { -Errno::NOSYS.raw_os_error() };
        let mut reply = words(&[(16 + answer.len()) as u32, error.cast_unsigned()]);
        reply.extend_from_slice(&request[8..16]);
        reply.extend(answer);
        // The process that made the request may be gone.
        let _ = device.write_all(&reply);
    }
    device
}

/// `struct fuse_attr`: a large file, or a folder.
fn attributes(node: u64) -> Vec<u8> {
    let mode = if node == FILE { 0o100_755 } else { 0o040_755 };
    let mut words_of_it = vec![node as u32, 0, 1 << 20, 0, 1 << 11, 0];
    // Times, then mode, links, owner, device, block size, flags.
    words_of_it.extend([0; 9]);
    words_of_it.extend([mode, 1, 0, 0, 0, 4096, 0]);
    words(&words_of_it)
}

fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}
