//! A program does nothing for a while, and gopatchd sleeps. Then the program does something.
//!
//! In the meantime nothing happens, or a burst, gopatchd's death, or the program's end. The control
//! page, which gopatchd shares with the program, says when gopatchd sleeps. `cargo xtask bench
//! collector` measures what a sleeping gopatchd costs.

use std::ffi::c_void;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use gopatch_protocol::wire::{PAGE, control};
use gopatch_tests::load::{FAST, pair};
use gopatch_tests::{Gopatchd, Load, NEWEST_GO, SOON, Scratch, Server, backends, gopatch, wait_until};
use memmap2::{MmapOptions, MmapRaw};
use rustix::io::Errno;
use rustix::thread::futex::{Wait, WaitFlags, WaitvFlags, waitv};
use rustix::time::{ClockId, Timespec, clock_gettime};
use xtask::corpus;

/// The word of the control page that is 1 while gopatchd sleeps, as a program has it mapped.
struct Asleep {
    page: File,
    memory: MmapRaw,
}

impl Asleep {
    /// Maps the control page of a program once it is attached; only root may.
    fn from_server(server: &mut Server) -> Result<Self> {
        let pid = server.process().pid();
        let line = wait_until("the program to attach", SOON, || {
            let maps = fs::read_to_string(format!("/proc/{pid}/maps"))?;
            let line = maps.lines().find(|line| line.contains("/memfd:gopatch-control")).map(str::to_owned);
            if line.is_none() {
                server.stir()?;
            }
            Ok(line)
        })?;
        let range = line.split(' ').next().context("a line of maps has words")?;
        let page = File::open(format!("/proc/{pid}/map_files/{range}")).context("this test needs root")?;
        let memory = MmapOptions::new().len(PAGE).map_raw_read_only(&page)?;
        Ok(Self { page, memory })
    }

    fn wait(&self) -> Result<()> {
        wait_until("gopatchd to sleep", SOON, || {
            let mut word = [0; 4];
            self.page.read_exact_at(&mut word, control::ASLEEP as u64)?;
            Ok((u32::from_le_bytes(word) == 1).then_some(()))
        })?;
        // It still polls for a while.
        std::thread::sleep(Duration::from_millis(400));
        Ok(())
    }

    /// Waits on the word as gopatchd does, but not for long. Returns whether the program woke it.
    fn rang(&self) -> Result<bool> {
        let mut word = Wait::new();
        word.val = 1;
        word.uaddr = self.memory.as_mut_ptr().wrapping_add(control::ASLEEP).cast::<c_void>().into();
        word.flags = WaitFlags::SIZE_U32;
        let until = clock_gettime(ClockId::Monotonic) + Timespec { tv_sec: 1, tv_nsec: 0 };
        match waitv(&[word], WaitvFlags::empty(), Some(&until), ClockId::Monotonic) {
            Ok(_) => Ok(true),
            // The program did not wake it, or gopatchd found the records by itself.
            Err(Errno::TIMEDOUT | Errno::AGAIN | Errno::INTR) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

fn server(scratch: &Scratch, go: &str) -> Result<Server> {
    Server::start(scratch, &mut Command::new(gopatch::patched(scratch, "httpserver", go, "default")?))
}

fn load(tag: &str) -> Load<'_> {
    Load { tls: false, proto: "h1", mix: FAST, count: 500, in_flight: 4, tag }
}

#[test]
fn a_program_rings_when_it_has_records() -> Result<()> {
    // The oldest and the newest Go have different ticks.
    for go in ["1.18.10", NEWEST_GO] {
        for backend in backends() {
            let scratch = Scratch::new()?;
            let gopatchd = Gopatchd::start(&scratch, backend, &[])?;
            let mut server = server(&scratch, go)?;
            let asleep = Asleep::from_server(&mut server)?;
            let (mut seen, mut rang) = (Vec::new(), false);
            // gopatchd may find the first records by itself, and then the program need not ring.
            for tag in ["0-", "1-", "2-", "3-", "4-", "5-", "6-", "7-"] {
                asleep.wait()?;
                rang |= std::thread::scope(|scope| {
                    let bell = scope.spawn(|| asleep.rang());
                    seen.extend(load(tag).send(&scratch, &server)?);
                    bell.join().expect("the thread does not panic")
                })?;
                if rang {
                    break;
                }
            }
            ensure!(rang, "Go {go}, {backend}: the program did not ring");
            server.stop()?;
            let collected = gopatchd.stop()?;
            collected.ensure_all_seen()?;
            pair(&seen, collected.of_rule("http.server"))?;
        }
    }
    Ok(())
}

#[test]
fn a_burst_after_silence_is_not_lost() -> Result<()> {
    const RULE: &str = "rules: [{ name: hot, import: main, function: Hot, enter: {} }]";
    let program = corpus::build("hookbench", NEWEST_GO, "default")?;
    for backend in backends() {
        let scratch = Scratch::new()?;
        let patched = gopatch::patch_with(&scratch, &program, RULE)?;
        let gopatchd = Gopatchd::start(&scratch, backend, &[])?;
        let mut command = Command::new(patched);
        // Each burst fills three quarters of a ring at once; the pause is longer than gopatchd
        // waits before it sleeps.
        command.args(["-fn", "Hot", "-n", "20000", "-rounds", "4", "-pause", "800ms"]).env("GOMAXPROCS", "1");
        let status = command.env("GOPATCH_SOCKET", gopatchd.socket()).stdout(Stdio::null()).status()?;
        ensure!(status.success(), "hookbench ended with {status}");
        let collected = gopatchd.stop()?;
        collected.ensure_all_seen()?;
        ensure!(collected.summary.records >= 80_000, "{:?}", collected.summary);
    }
    Ok(())
}

#[test]
fn a_gopatchd_that_dies_in_its_sleep_is_replaced() -> Result<()> {
    for backend in backends() {
        let scratch = Scratch::new()?;
        let gopatchd = Gopatchd::start_named(&scratch, "first", backend, &[])?;
        let mut server = server(&scratch, NEWEST_GO)?;
        Asleep::from_server(&mut server)?.wait()?;
        gopatchd.kill()?;
        let gopatchd = Gopatchd::start_named(&scratch, "second", backend, &[])?;
        gopatchd.wait_for_session()?;
        let from = SystemTime::now();
        server.knock(|| gopatchd.has_operation_since(from))?;
        let seen = load("").send(&scratch, &server)?;
        server.stop()?;
        let collected = gopatchd.stop()?;
        pair(&seen, collected.of_rule("http.server").filter(|operation| operation.text("url.path") != Some("/knock")))?;
    }
    Ok(())
}

#[test]
fn a_program_that_ends_while_gopatchd_sleeps_is_released() -> Result<()> {
    for backend in backends() {
        let scratch = Scratch::new()?;
        let mut gopatchd = Gopatchd::start(&scratch, backend, &[])?;
        let pid = gopatchd.process().pid();
        let files = || Ok::<_, anyhow::Error>(fs::read_dir(format!("/proc/{pid}/fd"))?.count());
        let before = files()?;
        let mut first = server(&scratch, NEWEST_GO)?;
        Asleep::from_server(&mut first)?.wait()?;
        ensure!(files()? > before, "a session has files");
        first.process().kill()?;
        wait_until("gopatchd to release it", SOON, || Ok((files()? == before).then_some(())))?;
        let mut second = server(&scratch, NEWEST_GO)?;
        Asleep::from_server(&mut second)?;
        let seen = load("").send(&scratch, &second)?;
        second.stop()?;
        let collected = gopatchd.stop()?;
        collected.ensure_all_seen()?;
        pair(&seen, collected.of_rule("http.server"))?;
        ensure!(collected.summary.sessions == 2, "{:?}", collected.summary);
    }
    Ok(())
}
