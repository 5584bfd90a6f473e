//! With every possible function hooked, Go's own tests have the results that they have unpatched:
//! without a collector, with gopatchd, with constant garbage collection, under a flood of profiling
//! signals, and in a build that preempts at every stack check.
//!
//! Whether a test should pass does not matter. gopatch's own report says what it hooked.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use gopatch_tests::std_test::{Results, StdTest};
use gopatch_tests::{Gopatch, NEWEST_GO, Process, SOON, Scratch, gopatch, gopatchd, release_binary, wait_until};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

const OPTIONS: &[&str] = &["-test.short"];

/// Percentage of functions that must be hooked at their entry and at every exit, in a large program
/// and in a small one: some twenty functions of Go's own packages have no room for a hook.
const COVERED: [f64; 2] = [99.5, 99.0];
/// The same for functions that were translated from C, of which many end in a loop of a few bytes.
const TRANSLATED: (&str, f64) = ("modernc.org-sqlite", 99.4);
/// Functions of a large program.
const LARGE: usize = 5_000;
/// Refusals of code that must not be hooked.
const FORBIDDEN: [&str; 4] = ["fips-140", "runtime-nosplit", "signal-handler", "system-call"];

/// Interval of signals: far shorter than the profile's own hundredth of a second.
const SIGNAL_EVERY: Duration = Duration::from_micros(200);

/// Longest run.
const PATIENCE: Duration = Duration::from_mins(30);

/// One test for each package and version of Go, so that each runs by its name.
macro_rules! packages {
    ($($package:ident: $path:literal)*) => {
        $(
            mod $package {
                use super::*;

                #[test]
                #[ignore = "soak: takes minutes"]
                fn go_1_21() -> Result<()> {
                    hooked_everywhere($path, "1.21.13")
                }

                #[test]
                #[ignore = "soak: takes minutes"]
                fn go_1_24() -> Result<()> {
                    hooked_everywhere($path, "1.24.13")
                }

                #[test]
                #[ignore = "soak: takes minutes"]
                fn go_1_27() -> Result<()> {
                    hooked_everywhere($path, "1.27.4")
                }
            }
        )*
    };
}

packages! {
    net_http: "net/http"
    crypto_tls: "crypto/tls"
    net: "net"
    encoding_json: "encoding/json"
    fmt: "fmt"
    strings: "strings"
    bufio: "bufio"
    compress_flate: "compress/flate"
    go_parser: "go/parser"
    text_template: "text/template"
    time: "time"
    runtime: "runtime"
    sync: "sync"
    reflect: "reflect"
    os: "os"
    os_signal: "os/signal"
    net_http_httputil: "net/http/httputil"
    math_big: "math/big"
    crypto_x509: "crypto/x509"
    encoding_gob: "encoding/gob"
    log_slog: "log/slog"
}

/// Packages of modules, of which the newest versions need the newest Go.
macro_rules! modules {
    ($($package:ident: $path:literal)*) => {
        mod modules {
            use super::*;

            $(
                #[test]
                #[ignore = "soak: takes minutes, and fetches modules"]
                fn $package() -> Result<()> {
                    as_usual($path, NEWEST_GO, "default")
                }
            )*
        }
    };
}

modules! {
    gin: "github.com/gin-gonic/gin"
    chi: "github.com/go-chi/chi/v5"
    pgx_types: "github.com/jackc/pgx/v5/pgtype"
    pgx_connection: "github.com/jackc/pgx/v5/pgconn"
    zap: "go.uber.org/zap"
    quic: "github.com/quic-go/quic-go"
    fasthttp: "github.com/valyala/fasthttp"
    http2: "golang.org/x/net/http2"
    grpc: "google.golang.org/grpc"
    bbolt: "go.etcd.io/bbolt"
    pebble: "github.com/cockroachdb/pebble"
    sqlite: "modernc.org/sqlite"
}

/// Packages in the other ways to compile them. `pgo` needs a profile of each: the tests of random
/// programs have one.
macro_rules! modes {
    ($($package:ident: $path:literal)*) => {
        mod modes {
            use super::*;

            $(
                #[test]
                #[ignore = "soak: takes minutes"]
                fn $package() -> Result<()> {
                    for mode in ["no-inlining", "no-optimization", "race", "cover", "amd64-v3"] {
                        as_usual($path, NEWEST_GO, mode).context(mode)?;
                    }
                    Ok(())
                }
            )*
        }
    };
}

modes! {
    net_http: "net/http"
    encoding_json: "encoding/json"
    text_template: "text/template"
    sync: "sync"
    reflect: "reflect"
}

fn hooked_everywhere(package: &str, go: &str) -> Result<()> {
    as_usual(package, go, "default")?;
    let scratch = Scratch::new()?;
    let tests = StdTest::new(&scratch, package, go, "maymorestack", OPTIONS)?;
    let patched = patch(&scratch, &tests)?;
    let collector = Collector::start(&scratch)?;
    same(&tests, &patched, "with gopatchd, preempted at every stack check", |it| tests.run(it, |_| Ok(())))?;
    collector.stop()
}

fn as_usual(package: &str, go: &str, mode: &str) -> Result<()> {
    let scratch = Scratch::new()?;
    let tests = StdTest::new(&scratch, package, go, mode, OPTIONS)?;
    let patched = patch(&scratch, &tests)?;
    let as_usual = |program: &Path| tests.run(program, |_| Ok(()));
    same(&tests, &patched, "no gopatchd", as_usual)?;
    let collector = Collector::start(&scratch)?;
    same(&tests, &patched, "with gopatchd", as_usual)?;
    let often = |program: &Path| tests.run(program, |command| Ok(_ = command.env("GOGC", "1")));
    same(&tests, &patched, "with gopatchd and GOGC=1", often)?;
    let profile = scratch.file("profile");
    let prepare = |command: &mut Command| Ok(_ = command.arg("-test.cpuprofile").arg(&profile));
    let flooded = |program: &Path| tests.run_with(program, prepare, flood);
    same(&tests, &patched, "with gopatchd and a flood of SIGPROF", flooded)?;
    collector.stop()
}

/// Fails unless the results are the unpatched binary's. Some tests depend on time: a difference must
/// occur twice, and not in the unpatched binary when that runs in the same way.
fn same(tests: &StdTest<'_>, patched: &Path, how: &str, run: impl Fn(&Path) -> Result<Results>) -> Result<()> {
    let once = run(patched).and_then(|results| tests.ensure_same(&results));
    let Err(error) = once else { return Ok(()) };
    eprintln!("{how}: {error:#}");
    let unpatched = run(&tests.original).with_context(|| format!("{how}, unpatched"))?;
    run(patched).and_then(|results| tests.ensure_same_as(&unpatched, &results)).with_context(|| how.to_owned())
}

/// A gopatchd whose output is gigabytes; only the last line is kept.
struct Collector {
    gopatchd: Child,
    last_line: Option<JoinHandle<std::io::Result<String>>>,
}

impl Collector {
    fn start(scratch: &Scratch) -> Result<Self> {
        let socket = gopatchd::socket(scratch);
        let mut command = Command::new(release_binary("gopatchd")?);
        command.args(["--print", "json"]).arg("--listen").arg(&socket).arg("--pin").arg(gopatchd::pin(scratch.path()));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(File::create(scratch.file("gopatchd.err"))?);
        let mut gopatchd = command.spawn()?;
        let stdout = gopatchd.stdout.take().context("gopatchd's stdout is piped")?;
        let last_line = move || BufReader::new(stdout).lines().try_fold(String::new(), |_, line| line);
        let collector = Self { gopatchd, last_line: Some(std::thread::spawn(last_line)) };
        wait_until("gopatchd listens", SOON, || Ok(socket.exists().then_some(())))?;
        Ok(collector)
    }

    /// Ends it. It must have recorded an operation.
    fn stop(mut self) -> Result<()> {
        kill_process(Pid::from_child(&self.gopatchd), Signal::TERM)?;
        let status = self.gopatchd.wait()?;
        let last_line = self.last_line.take().context("it is stopped once")?;
        let line = last_line.join().expect("the reader does not panic")?;
        let summary: Value = serde_json::from_str(&line)?;
        eprintln!("{line}");
        let seen = summary["summary"]["operations"].as_u64();
        ensure!(status.success() && seen > Some(0), "gopatchd ended with {status}: {line}");
        Ok(())
    }
}

impl Drop for Collector {
    fn drop(&mut self) {
        // Fails when the process has ended already, which is the usual case.
        let _ = self.gopatchd.kill();
        let _ = self.gopatchd.wait();
    }
}

/// Patches all functions, and checks how many were hooked.
fn patch(scratch: &Scratch, tests: &StdTest<'_>) -> Result<PathBuf> {
    let (rules, output) = (scratch.file("everything.yaml"), scratch.file("everything"));
    std::fs::write(&rules, gopatch::EVERYTHING)?;
    let mut command = gopatch::command(&["--no-default-rules", "--format", "json", "--rules"])?;
    let done = Gopatch::run(command.arg(rules).arg(&tests.original).arg("-o").arg(&output))?;
    ensure!(done.status == Some(0), "gopatch: {:?}\n{}", done.status, done.stderr);
    let report: Value = serde_json::from_str(&done.stdout)?;
    let hooked = report["rules"][0]["functions"].as_array().context("functions")?.iter();
    let hooked: BTreeSet<_> = hooked.map(|function| &function["va"]).map(Value::to_string).collect();
    let refused = report["refused"].as_array().context("refused")?.iter();
    let may_be_hooked = |place: &&Value| !FORBIDDEN.iter().any(|code| place["code"] == *code);
    let refused: BTreeSet<_> = refused.filter(may_be_hooked).map(|place| place["function"].to_string()).collect();
    // A function that is hooked at one end only is in both lists.
    let whole = report["rules"][0]["functions"].as_array().context("functions")?.iter();
    let whole = whole.filter(|function| !refused.contains(&function["name"].to_string())).count();
    let all = whole + refused.len();
    let covered = 100.0 * whole as f64 / all as f64;
    eprintln!("{}: {whole} of {all} functions, {covered:.2} %", tests.original.display());
    let is_translated = tests.original.to_string_lossy().contains(TRANSLATED.0);
    let least = if is_translated { TRANSLATED.1 } else { COVERED[usize::from(all < LARGE)] };
    ensure!(covered >= least && !hooked.is_empty(), "{covered:.2} % of the functions are hooked at both ends");
    Ok(output)
}

/// Sends SIGPROF until the process ends.
fn flood(process: &mut Process) -> Result<()> {
    // Before the runtime installs its handlers, the signal would kill the program.
    process.wait_for("begin a test", SOON, |it| Ok(it.stdout()?.contains("=== RUN").then_some(())))?;
    let until = std::time::Instant::now() + PATIENCE;
    while !process.has_ended()? {
        ensure!(std::time::Instant::now() < until, "{}", process.describe("did not end"));
        process.signal(Signal::PROF)?;
        std::thread::sleep(SIGNAL_EVERY);
    }
    process.wait(SOON).map(|_| ())
}
