//! A patched program behaves as before, however it is built and run.
//!
//! `exact` compares requests; other behaviour is compared with that of the unpatched program.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use gopatch_tests::load::{HTTP, MIX};
use gopatch_tests::{
    Gopatch, Gopatchd, Load, NEWEST_GO, Probe, SOON, Scratch, Server, Summary, backends, exact, gopatch, gopatchd,
    probe, wait_until,
};
use xtask::corpus;

const VERSIONS: [&str; 2] = ["1.21.13", NEWEST_GO];

/// Enough requests for several clients at a time on each handler.
const SOME: Load<'_> = Load { tls: false, proto: "h1", mix: MIX, count: 1_000, in_flight: 32, tag: "r" };

/// Each request to a server that is started like this is recorded.
fn ensure_recorded(scratch: &Scratch, server: &mut Command) -> Result<()> {
    for backend in backends() {
        for (tls, proto) in HTTP {
            let load = Load { tls, proto, ..SOME };
            exact::run(scratch, server, backend, load).with_context(|| format!("{server:?}, {backend}, {load:?}"))?;
        }
    }
    Ok(())
}

#[test]
fn other_link_modes() -> Result<()> {
    for go in VERSIONS {
        for mode in ["pie", "static"] {
            let scratch = Scratch::new()?;
            ensure_recorded(&scratch, &mut Command::new(gopatch::patched(&scratch, "httpserver", go, mode)?))?;
        }
    }
    Ok(())
}

#[test]
fn more_ps_than_processors() -> Result<()> {
    let scratch = Scratch::new()?;
    let server = gopatch::patched(&scratch, "httpserver", NEWEST_GO, "default")?;
    ensure_recorded(&scratch, Command::new(&server).env("GOMAXPROCS", "8"))?;
    ensure_recorded(&scratch, Command::new(&server).env("GOMAXPROCS", "1"))
}

/// A garbage collection after each megabyte or so, with the runtime's own checks of its marks.
#[test]
fn under_the_garbage_collector() -> Result<()> {
    let scratch = Scratch::new()?;
    let server = gopatch::patched(&scratch, "httpserver", NEWEST_GO, "default")?;
    ensure_recorded(&scratch, Command::new(&server).envs([("GOGC", "5"), ("GODEBUG", "gccheckmark=1")]))
}

#[test]
fn the_environment_overrides_the_socket_of_the_patch() -> Result<()> {
    let scratch = Scratch::new()?;
    let (input, output) = (corpus::build("httpserver", NEWEST_GO, "default")?, scratch.file("server"));
    let mut command = gopatch::command(&["--socket"])?;
    let done = Gopatch::run(command.arg(gopatchd::socket(&scratch)).arg(input).arg("-o").arg(&output))?;
    ensure!(done.status == Some(0), "{}", done.stderr);
    let nowhere = scratch.file("no-collector.sock");
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
        let collected = gopatchd.stop()?;
        ensure!(collected.summary.sessions == sessions, "GOPATCH_SOCKET={socket:?}: {:?}", collected.summary);
        ensure!(collected.of_rule("http.server").count() == sessions as usize * SOME.count, "{:?}", collected.summary);
    }
    Ok(())
}

#[test]
fn stacks_are_unwound() -> Result<()> {
    for go in VERSIONS {
        let scratch = Scratch::new()?;
        let program = Probe::build(&scratch, go)?;
        let expected = probe::run(&scratch, &program.original, &["stack"])?;
        ensure!(expected.contains("net/http.serverHandler.ServeHTTP\nnet/http.(*conn).serve\n"), "{expected}");
        let gopatchd = Gopatchd::start(&scratch, "memfd", &[])?;
        let stack = probe::run(&scratch, &program.patched, &["stack"])?;
        ensure!(stack == expected, "Go {go}: the stack is\n{stack}instead of\n{expected}");
        ensure!(gopatchd.stop()?.of_rule("http.server").count() == 1);
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
        ensure!(gopatchd.stop()?.of_rule("http.server").count() > 0);
        let top =
            Command::new("go").args(["tool", "pprof", "-top", "-cum"]).arg(&program.patched).arg(&profile).output()?;
        let top = String::from_utf8(top.stdout)?;
        // Unwinding goes on from each hooked function to its caller: all three have nearly all the
        // time.
        for function in ["main.burn", "net/http.serverHandler.ServeHTTP", "net/http.(*conn).serve"] {
            let line = top.lines().find(|line| line.ends_with(&format!(" {function}")));
            let share = line.and_then(|line| line.split_whitespace().nth(4)?.trim_end_matches('%').parse::<f64>().ok());
            ensure!(share.is_some_and(|share| share > 80.0), "Go {go}: the profile has {line:?} for {function}\n{top}");
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
            let mut gopatchd = Gopatchd::start(&scratch, backend, &[])?;
            probe::run(&scratch, &program.patched, &["children", &REQUESTS.to_string()])?;
            // A child that connects just before gopatchd's end counts as neither a session nor
            // refused.
            wait_until("a reply to all hellos", SOON, || {
                let status = gopatchd.status()?;
                let count = |name: &str| status["totals"][name].as_u64().context("totals");
                Ok((count("sessions")? + count("refused")? == 1 + REQUESTS as u64).then_some(()))
            })
            .with_context(|| {
                let totals = format!("Go {go}: {:?}", gopatchd.status());
                gopatchd.process().describe(&totals)
            })?;
            let collected = gopatchd.stop()?;
            collected.ensure_all_seen()?;
            ensure!(
                collected.of_rule("http.server").count() == REQUESTS,
                "Go {go}, {backend}: {:?}",
                collected.summary
            );
            // The program and one child of the same file for each request; on a busy machine a
            // child may end before it gets a reply. The shell is not patched.
            let Summary { sessions, refused, .. } = collected.summary;
            ensure!(
                sessions + refused == 1 + REQUESTS as u64,
                "Go {go}, {backend}: {:?}\n{}",
                collected.summary,
                collected.stderr
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
            let collected = gopatchd.stop()?;
            let seen = |phase| {
                collected
                    .of_rule("http.server")
                    .filter(|one| one.text("url.path").is_some_and(|path| path.starts_with(phase)))
                    .count()
            };
            let (before, meanwhile, after) = (seen("/before/"), seen("/while/"), seen("/after/"));
            let of = format!(
                "Go {go}, {backend}: of {REQUESTS}, {} and {REQUESTS} requests {before}, {meanwhile} and {after} were seen; {:?}",
                sent.trim(),
                collected.summary
            );
            ensure!(before == REQUESTS && after == REQUESTS, "{of}");
            let missed = sent.trim().parse::<usize>()? - meanwhile;
            ensure!(missed == 0 || collected.summary.lost.total > 0, "losses were not counted: {of}");
        }
    }
    Ok(())
}

/// A handler that panics leaves the words that were kept for its exit. Far more panic than there is
/// room for.
#[test]
fn words_are_kept_again_after_many_panics() -> Result<()> {
    const PANICS: usize = 50_000;
    for go in VERSIONS {
        let scratch = Scratch::new()?;
        let program = Probe::build(&scratch, go)?;
        for backend in backends() {
            let gopatchd = Gopatchd::start(&scratch, backend, &["--ring-bytes", "67108864"])?;
            probe::run(&scratch, &program.patched, &["panics", &PANICS.to_string()])?;
            let collected = gopatchd.stop()?;
            let seen = |phase, unwound, status| {
                let of_phase = move |path: &str| path.starts_with(phase);
                collected
                    .of_rule("http.server")
                    .filter(|one| one.text("url.path").is_some_and(of_phase) && one.unwound == unwound)
                    .filter(|one| one.number("http.response.status_code") == status)
                    .count()
            };
            let of = format!("Go {go}, {backend}: {:?}\n{}", collected.summary, collected.stderr);
            ensure!(collected.summary.lost.total == 0 && collected.summary.unpaired_exits == 0, "{of}");
            ensure!(seen("/panic/", true, None) == PANICS && seen("/after/", false, Some(200)) == 1000, "{of}");
            // This call was open when the table was cleared: gopatchd reports its status as
            // unknown.
            ensure!(seen("/held/", false, None) == 1 && collected.summary.words_missing == 1, "{of}");
        }
    }
    Ok(())
}
