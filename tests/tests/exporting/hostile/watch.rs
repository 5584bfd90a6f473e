//! What users of gopatchd see while it is attacked: whether it answers, and what memory it takes.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use gopatch_tests::soak::Held;

/// Time between two questions about health, and how long an answer is waited for.
const PERIOD: Duration = Duration::from_millis(100);
const PATIENCE: Duration = Duration::from_secs(20);

/// Time between two looks at memory.
const LOOK: Duration = Duration::from_secs(1);

/// Times of answers, and questions without an answer.
#[derive(Debug, Default)]
pub(super) struct Answers {
    pub(super) times: Vec<Duration>,
    pub(super) failures: Vec<String>,
}

/// Asks for `/healthz` until told to stop.
pub(super) fn ask_for_health(address: &str, is_over: &AtomicBool) -> Answers {
    let mut answers = Answers::default();
    while !is_over.load(Ordering::Relaxed) {
        let began = Instant::now();
        match ask(address) {
            Ok(()) => answers.times.push(began.elapsed()),
            Err(error) => answers.failures.push(format!("{error:#}, after {:?}", began.elapsed())),
        }
        std::thread::sleep(PERIOD.saturating_sub(began.elapsed()));
    }
    answers
}

fn ask(address: &str) -> Result<()> {
    let address: SocketAddr = address.parse()?;
    let mut connection = TcpStream::connect_timeout(&address, PATIENCE).context("cannot connect")?;
    connection.set_read_timeout(Some(PATIENCE))?;
    connection.write_all(b"GET /healthz HTTP/1.0\r\n\r\n")?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).context("no answer")?;
    ensure!(answer.contains(" 200 ") && answer.ends_with("ok\n"), "{answer}");
    Ok(())
}

/// Looks at what a process holds until told to stop, and returns the most of each.
pub(super) fn look_at_memory(pid: u32, is_over: &AtomicBool) -> Result<Held> {
    let mut most = Held::default();
    while !is_over.load(Ordering::Relaxed) {
        most = most.most(Held::by(pid).context("gopatchd is gone")?);
        std::thread::sleep(LOOK);
    }
    Ok(most)
}

/// The median, the 99th hundredth and the longest of some times, as text.
pub(super) fn describe(times: &[Duration]) -> String {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let at = |part: f64| sorted.get(((sorted.len() as f64 - 1.0) * part) as usize).copied().unwrap_or_default();
    let [p50, p99, most] = [0.5, 0.99, 1.0].map(|part| at(part).as_secs_f64() * 1e3);
    format!("{} times, p50 {p50:.1} ms, p99 {p99:.1} ms, at most {most:.1} ms", sorted.len())
}
