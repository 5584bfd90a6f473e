//! A file system that never answers a read, as one of a server that is gone.
//!
//! It is a FUSE file system (`include/uapi/linux/fuse.h`) of one file, which answers until that file
//! has been opened once. Whoever reads it then waits until the file system is dropped, or is killed.

use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result};
use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};

/// Requests.
const LOOKUP: u32 = 1;
const FORGET: u32 = 2;
const GETATTR: u32 = 3;
const OPEN: u32 = 14;
const INIT: u32 = 26;

/// Bytes of a request's header, and offsets in it.
const HEADER: usize = 40;
const OPCODE: usize = 4;
const UNIQUE: usize = 8;
const NODE: usize = 16;

/// The nodes: the folder, and the file.
const FOLDER: u64 = 1;
const FILE: u64 = 2;

/// Bytes of the file, and how long the kernel may trust an answer, in seconds.
const SIZE: u64 = 1 << 20;
const VALID: u64 = 1 << 20;

/// The file system. Dropping it ends every wait.
pub(crate) struct Hanging {
    folder: PathBuf,
    /// The connection lasts as long as this is open.
    _device: Arc<File>,
}

impl Hanging {
    /// Mounts one on a new folder; only root may.
    pub(crate) fn mount(folder: PathBuf) -> Result<Self> {
        fs::create_dir(&folder)?;
        let device = OpenOptions::new().read(true).write(true).open("/dev/fuse").context("cannot open /dev/fuse")?;
        let device = Arc::new(device);
        let options = format!("fd={},rootmode=40000,user_id=0,group_id=0,allow_other", device.as_raw_fd());
        let options = CString::new(options)?;
        mount("hanging", &folder, "fuse", MountFlags::NOSUID | MountFlags::NODEV, options.as_c_str())
            .context("cannot mount a FUSE file system")?;
        let served = Arc::clone(&device);
        std::thread::spawn(move || serve(&served));
        Ok(Self { folder, _device: device })
    }

    /// The file.
    pub(crate) fn file(&self) -> PathBuf {
        Path::new(&self.folder).join("file")
    }
}

impl Drop for Hanging {
    fn drop(&mut self) {
        // Aborts what still waits there.
        let _ = unmount(&self.folder, UnmountFlags::DETACH | UnmountFlags::FORCE);
    }
}

/// Answers until the file is open.
fn serve(device: &File) {
    let mut request = vec![0; 1 << 17];
    let mut device = device;
    while let Ok(read) = device.read(&mut request)
        && read >= HEADER
    {
        let word = |at: usize| u64::from_le_bytes(request[at..at + 8].try_into().expect("eight bytes"));
        let opcode = word(OPCODE) as u32;
        let answer = match opcode {
            // Version 7.31, and defaults.
            INIT => Ok([7, 31, 1 << 16, 0, 0, 1 << 16, 1].map(u32::to_le_bytes).concat()).map(|mut answer| {
                answer.resize(64, 0);
                answer
            }),
            LOOKUP => Ok([vec_of(&[FILE, 0, VALID, VALID, 0]), attributes(FILE)].concat()),
            GETATTR => Ok([vec_of(&[VALID, 0]), attributes(word(NODE))].concat()),
            OPEN => Ok(vec![0; 16]),
            _ => Err(libc::ENOSYS),
        };
        if opcode == FORGET {
            continue;
        }
        let (error, content) = answer.map_or_else(|error| (-error, Vec::new()), |content| (0, content));
        let mut reply = ((16 + content.len()) as u32).to_le_bytes().to_vec();
        reply.extend(error.to_le_bytes());
        reply.extend(word(UNIQUE).to_le_bytes());
        reply.extend(content);
        if device.write_all(&reply).is_err() || opcode == OPEN {
            return;
        }
    }
}

fn vec_of(words: &[u64]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// A node's `fuse_attr`.
fn attributes(node: u64) -> Vec<u8> {
    let (size, mode) = if node == FOLDER { (0, libc::S_IFDIR | 0o755) } else { (SIZE, libc::S_IFREG | 0o755) };
    let mut attributes = vec_of(&[node, size, size / 512, 0, 0, 0]);
    // Nanoseconds of three times; mode, links, owner, group, device, block size, flags.
    attributes.extend([0, 0, 0, mode, 1, 0, 0, 0, 4096, 0].into_iter().flat_map(u32::to_le_bytes));
    attributes
}

#[test]
fn a_read_waits_until_the_file_system_is_gone() -> Result<()> {
    let scratch = gopatch_tests::Scratch::new()?;
    let hanging = Hanging::mount(scratch.file("hanging"))?;
    let mut file = File::open(hanging.file())?;
    anyhow::ensure!(file.metadata()?.len() == SIZE);
    let (sender, read) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(file.read(&mut [0; 64]).is_err()));
    let early = read.recv_timeout(std::time::Duration::from_millis(300));
    anyhow::ensure!(early.is_err(), "the file system answers: {early:?}");
    drop(hanging);
    anyhow::ensure!(read.recv_timeout(gopatch_tests::SOON)?, "the read failed in the end");
    Ok(())
}
