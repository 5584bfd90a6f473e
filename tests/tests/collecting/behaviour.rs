//! A patched program does all that it did, however it was built and is run.
//!
//! Decides: which ways to build and run it.
//! Trusts: the harness to compare requests (`exact`), and the unpatched program.
//! Never does: look at the file (`fidelity` does).

use std::process::Command;

use anyhow::{Context, Result, ensure};
use gopatch_tests::load::{HTTP, MIX};
use gopatch_tests::{
    Gopatch, Gopatchd, Load, NEWEST_GO, Probe, SOON, Scratch, Server, Summary, backends, exact, gopatch, gopatchd,
    probe, wait_until,
};
use serde_json::Value;
use xtask::corpus;

const VERSIONS: [&str; 2] = ["1.21.13", NEWEST_GO];

/// Enough requests for each handler to be asked by several clients at a time.
const SOME: Load<'_> = Load { tls: false, proto: "h1", mix: MIX, count: 1_000, in_flight: 32, tag: "r" };

/// A server that is started like this is seen request by request.
fn is_seen(scratch: &Scratch, server: &mut Command) -> Result<()> {
    for backend in backends() {
        for (tls, proto) in HTTP {
            let load = Load { tls, proto, ..SOME };
            exact::run(scratch, server, backend, load).with_context(|| format!("{server:?}, {backend}, {load:?}"))?;
        }
    }
    Ok(())
}

#[test]
fn link_modes() -> Result<()> {
    for go in VERSIONS {
        for mode in ["pie", "static"] {
            let scratch = Scratch::new()?;
            is_seen(&scratch, &mut Command::new(gopatch::patched(&scratch, "httpserver", go, mode)?))?;
        }
    }
    Ok(())
}

#[test]
fn more_ps_than_processors() -> Result<()> {
    let scratch = Scratch::new()?;
    let server = gopatch::patched(&scratch, "httpserver", NEWEST_GO, "default")?;
    is_seen(&scratch, Command::new(&server).env("GOMAXPROCS", "8"))?;
    is_seen(&scratch, Command::new(&server).env("GOMAXPROCS", "1"))
}

/// A garbage collection after each megabyte or so, and the runtime's own checks of what it finds.
#[test]
fn under_the_garbage_collector() -> Result<()> {
    let scratch = Scratch::new()?;
    let server = gopatch::patched(&scratch, "httpserver", NEWEST_GO, "default")?;
    is_seen(&scratch, Command::new(&server).envs([("GOGC", "5"), ("GODEBUG", "gccheckmark=1")]))
}

#[test]
fn the_socket_is_the_one_it_was_patched_with_unless_the_environment_says_otherwise() -> Result<()> {
    let scratch = Scratch::new()?;
    let (input, output) = (corpus::build("httpserver", NEWEST_GO, "default")?, scratch.file("server"));
    let mut command = gopatch::command(&["--socket"])?;
    let done = Gopatch::run(command.arg(gopatchd::socket(&scratch)).arg(input).arg("-o").arg(&output))?;
    ensure!(done.status == Some(0), "{}", done.stderr);
    let nowhere = scratch.file("nobody.sock");
    for (socket, sessions) in [(None, 1), (Some(""), 0), (nowhere.to_str(), 0)] {
        let gopatchd = Gopatchd::start(&scratch, "memfd", &[])?;
        let mut server = Command::new("env");
        server.arg("-u").arg("GOPATCH_SOCKET");
        if let Some(socket) = socket {
            server.arg(format!("GOPATCH_SOCKET={socket}"));
        }
        let server = Server::start(&scratch, server.arg(&output))?;
        SOME.send(&scratch, &server)?;
        server.stop()?;
        let said = gopatchd.stop()?;
        ensure!(said.summary.sessions == sessions, "GOPATCH_SOCKET={socket:?}: {:?}", said.summary);
        ensure!(said.of("http.server").count() == sessions as usize * SOME.count, "{:?}", said.summary);
    }
    Ok(())
}

#[test]
fn stacks_are_walked() -> Result<()> {
    for go in VERSIONS {
        let scratch = Scratch::new()?;
        let program = Probe::build(&scratch, go)?;
        let expected = probe::run(&scratch, &program.original, &["stack"])?;
        ensure!(expected.contains("net/http.serverHandler.ServeHTTP\nnet/http.(*conn).serve\n"), "{expected}");
        let gopatchd = Gopatchd::start(&scratch, "memfd", &[])?;
        let stack = probe::run(&scratch, &program.patched, &["stack"])?;
        ensure!(stack == expected, "Go {go}: the stack is\n{stack}instead of\n{expected}");
        ensure!(gopatchd.stop()?.of("http.server").count() == 1);
    }
    Ok(())
}

#[test]
fn cpu_is_profiled() -> Result<()> {
    for go in VERSIONS {
        let scratch = Scratch::new()?;
        let program = Probe::build(&scratch, go)?;
        let gopatchd = Gopatchd::start(&scratch, "memfd", &[])?;
        let profile = scratch.file("profile");
        probe::run(&scratch, &program.patched, &["profile", &profile.to_string_lossy()])?;
        ensure!(gopatchd.stop()?.of("http.server").count() > 0);
        let top =
            Command::new("go").args(["tool", "pprof", "-top", "-cum"]).arg(&program.patched).arg(&profile).output()?;
        let top = String::from_utf8(top.stdout)?;
        // Behind each hooked function the stack goes on to its caller: all three have nearly all the time.
        for function in ["main.burn", "net/http.serverHandler.ServeHTTP", "net/http.(*conn).serve"] {
            let line = top.lines().find(|line| line.ends_with(&format!(" {function}")));
            let share = line.and_then(|line| line.split_whitespace().nth(4)?.trim_end_matches('%').parse::<f64>().ok());
            ensure!(share.is_some_and(|share| share > 80.0), "Go {go}: of {function} the profile says {line:?}\n{top}");
        }
    }
    Ok(())
}

#[test]
fn children_are_started() -> Result<()> {
    const REQUESTS: usize = 100;
    for go in VERSIONS {
        let scratch = Scratch::new()?;
        let program = Probe::build(&scratch, go)?;
        for backend in backends() {
            let gopatchd = Gopatchd::start(&scratch, backend, &[])?;
            probe::run(&scratch, &program.patched, &["children", &REQUESTS.to_string()])?;
            // Who has greeted just before the end is neither a session nor refused.
            wait_until("all to be greeted", SOON, || {
                let status: Value = serde_json::from_slice(&gopatchd.ask(&["status", "--json"])?.stdout)?;
                let count = |name: &str| status["totals"][name].as_u64().context("totals");
                Ok((count("sessions")? + count("refused")? == 1 + REQUESTS as u64).then_some(()))
            })?;
            let said = gopatchd.stop()?;
            said.ensure_all_seen()?;
            ensure!(said.of("http.server").count() == REQUESTS, "Go {go}, {backend}: {:?}", said.summary);
            // Itself, and the child that each request starts from the same file; on a busy machine a child may be gone
            // before it is answered. The shell is not patched.
            let Summary { sessions, refused, .. } = said.summary;
            ensure!(
                sessions + refused == 1 + REQUESTS as u64,
                "Go {go}, {backend}: {:?}\n{}",
                said.summary,
                said.stderr
            );
        }
    }
    Ok(())
}

#[test]
fn more_ps_while_it_runs() -> Result<()> {
    const REQUESTS: usize = 5_000;
    for go in VERSIONS {
        let scratch = Scratch::new()?;
        let program = Probe::build(&scratch, go)?;
        for backend in backends() {
            let gopatchd = Gopatchd::start(&scratch, backend, &[])?;
            let sent = probe::run(&scratch, &program.patched, &["procs", &REQUESTS.to_string()])?;
            let said = gopatchd.stop()?;
            let seen = |phase| {
                said.of("http.server")
                    .filter(|one| one.text("url.path").is_some_and(|path| path.starts_with(phase)))
                    .count()
            };
            let (before, meanwhile, after) = (seen("/before/"), seen("/while/"), seen("/after/"));
            let of = format!(
                "Go {go}, {backend}: of {REQUESTS}, {} and {REQUESTS} requests {before}, {meanwhile} and {after} were seen; {:?}",
                sent.trim(),
                said.summary
            );
            ensure!(before == REQUESTS && after == REQUESTS, "{of}");
            let missed = sent.trim().parse::<usize>()? - meanwhile;
            ensure!(missed == 0 || said.summary.lost.total > 0, "losses were not counted: {of}");
        }
    }
    Ok(())
}

/// A handler that panics leaves what was kept for its exit. Far more do than there is room for.
#[test]
fn words_are_kept_again_after_many_panics() -> Result<()> {
    const PANICS: usize = 50_000;
    for go in VERSIONS {
        let scratch = Scratch::new()?;
        let program = Probe::build(&scratch, go)?;
        for backend in backends() {
            let gopatchd = Gopatchd::start(&scratch, backend, &["--ring-bytes", "67108864"])?;
            probe::run(&scratch, &program.patched, &["panics", &PANICS.to_string()])?;
            let said = gopatchd.stop()?;
            let seen = |phase, unwound, status| {
                let of_phase = move |path: &str| path.starts_with(phase);
                said.of("http.server")
                    .filter(|one| one.text("url.path").is_some_and(of_phase) && one.unwound == unwound)
                    .filter(|one| one.number("http.response.status_code") == status)
                    .count()
            };
            let of = format!("Go {go}, {backend}: {:?}\n{}", said.summary, said.stderr);
            ensure!(said.summary.lost.total == 0 && said.summary.unpaired_exits == 0, "{of}");
            ensure!(seen("/panic/", true, None) == PANICS && seen("/after/", false, Some(200)) == 1000, "{of}");
            // It was open when the table was cleared: gopatchd says that the status is not known, and makes none up.
            ensure!(seen("/held/", false, None) == 1 && said.summary.words_missing == 1, "{of}");
        }
    }
    Ok(())
}
