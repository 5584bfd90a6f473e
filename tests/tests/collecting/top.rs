//! `gopatchd top` in a real terminal (tmux), and the switches of a running gopatchd.
//!
//! The tests look on the screen for what a person would look for. In CI tmux must be installed.

use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use gopatch_tests::{Gopatchd, Load, NEWEST_GO, SOON, Scratch, Server, alone, gopatch, release_binary, wait_until};

/// A terminal.
struct Terminal {
    socket: String,
}

impl Terminal {
    /// Starts a program in a new terminal. `None` without tmux.
    fn start(scratch: &Scratch, command: &str, columns: u32, rows: u32) -> Result<Option<Self>> {
        let terminal = Self { socket: scratch.file("tmux").display().to_string() };
        let (columns, rows) = (columns.to_string(), rows.to_string());
        let arguments = ["-f", "/dev/null", "new-session", "-d", "-x", &columns, "-y", &rows, command];
        match terminal.command(&arguments).env("LANG", "C.UTF-8").stdin(Stdio::null()).output() {
            Ok(output) => {
                ensure!(output.status.success(), "tmux: {}", String::from_utf8_lossy(&output.stderr));
                Ok(Some(terminal))
            }
            Err(error) if std::env::var_os("CI").is_some() => Err(error).context("CI needs tmux: apt-get install tmux"),
            Err(error) => {
                eprintln!("NOT TESTED: gopatchd top: tmux: {error}");
                Ok(None)
            }
        }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("tmux");
        command.args(["-u", "-S", &self.socket]).args(arguments);
        command
    }

    fn tmux(&self, arguments: &[&str]) -> Result<String> {
        let output = self.command(arguments).output().context("tmux")?;
        ensure!(output.status.success(), "tmux {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn screen(&self) -> Result<String> {
        self.tmux(&["capture-pane", "-p"])
    }

    fn press(&self, key: &str) -> Result<()> {
        self.tmux(&["send-keys", key]).map(drop)
    }

    /// Waits until the screen is as expected, and returns it.
    fn wait_for(&self, what: &str, is_so: impl Fn(&str) -> bool) -> Result<String> {
        let mut last = String::new();
        wait_until(what, SOON, || {
            last = self.screen()?;
            Ok(is_so(&last).then(|| last.clone()))
        })
        .with_context(|| format!("the screen is\n{last}"))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It may have ended with its program.
        drop(self.command(&["kill-server"]).stderr(Stdio::null()).status());
    }
}

/// The line of the screen that contains a text, and its number.
fn line<'s>(screen: &'s str, text: &str) -> Option<(usize, &'s str)> {
    screen.lines().enumerate().find(|(_, line)| line.contains(text))
}

#[test]
fn top_shows_sorts_filters_pauses_resizes_and_quits() -> Result<()> {
    // The keys are pressed while a load of known rate and length runs.
    let _turn = alone();
    let scratch = Scratch::new()?;
    let gopatchd = Gopatchd::start(&scratch, "memfd", &[])?;
    let server = gopatch::patched(&scratch, "httpserver", NEWEST_GO, "default")?;
    let mut server = Server::start(&scratch, &mut Command::new(server))?;
    server.knock(|| gopatchd.has_operation())?;
    let pid = server.process().pid().to_string();
    let command = format!(
        "{} top --interval 0.2 --control {}",
        release_binary("gopatchd")?.display(),
        gopatchd.control().display()
    );
    let Some(terminal) = Terminal::start(&scratch, &format!("{command}; sleep 100"), 120, 30)? else { return Ok(()) };

    let screen = terminal.wait_for("the head", |screen| screen.contains("processes: 1"))?;
    ensure!(screen.contains("SERVICE") && screen.contains("RATE/s▼") && screen.contains("q quit"), "{screen}");
    // There are three fast requests for each slow one, and only some fail.
    let busy = Load { tls: false, proto: "h1", mix: "fast,slow,fast,status,fast", count: 3000, in_flight: 8, tag: "t" };
    std::thread::scope(|scope| -> Result<()> {
        let sending = scope.spawn(|| busy.send_at(200, &scratch, &server));
        // An interval may have no slow request, or many when the load catches up.
        terminal.wait_for("operations", |screen| {
            let (Some((fast, _)), Some((slow, cells))) = (line(screen, "GET /fast/"), line(screen, "GET /slow/"))
            else {
                return false;
            };
            let cells: Vec<_> = cells.split_whitespace().collect();
            let [service, process, _, _, rate, median, p99, ..] = cells[..] else { return false };
            let takes_20_ms = median.ends_with("ms") && p99.ends_with("ms");
            let is_a_part = rate.parse().is_ok_and(|rate: f64| rate > 0.0 && rate < 200.0);
            fast < slow && (service, process) == ("httpserver", pid.as_str()) && takes_20_ms && is_a_part
        })?;

        terminal.press("s")?;
        terminal.wait_for("slow first, by P50", |screen| {
            let at = |text| line(screen, text).map(|(number, _)| number);
            screen.contains("P50▼")
                && matches!((at("GET /slow/"), at("GET /fast/")), (Some(slow), Some(fast)) if slow < fast)
        })?;
        terminal.press("r")?;
        terminal.wait_for("slow last", |screen| {
            let at = |text| line(screen, text).map(|(number, _)| number);
            screen.contains("P50▲")
                && matches!((at("GET /slow/"), at("GET /fast/")), (Some(slow), Some(fast)) if fast < slow)
        })?;
        for key in ["/", "S", "L", "O", "W"] {
            terminal.press(key)?;
        }
        terminal.wait_for("the filter", |screen| {
            screen.contains("filter: SLOW_") && screen.contains("GET /slow/") && !screen.contains("GET /fast/")
        })?;
        terminal.press("Enter")?;
        terminal.wait_for("keys again", |screen| screen.contains("filter: SLOW   q quit"))?;
        terminal.press("/")?;
        terminal.press("Escape")?;
        terminal.wait_for("no filter", |screen| screen.contains("GET /fast/"))?;

        terminal.press("p")?;
        let paused = terminal.wait_for("a pause", |screen| screen.contains("PAUSED"))?;
        std::thread::sleep(Duration::from_secs(1));
        ensure!(terminal.screen()? == paused, "the screen changes:\n{}\n{paused}", terminal.screen()?);
        terminal.press("p")?;
        terminal.wait_for("going on", |screen| !screen.contains("PAUSED") && screen != paused)?;

        for (columns, rows) in [("60", "10"), ("20", "4"), ("160", "40")] {
            terminal.tmux(&["resize-window", "-x", columns, "-y", rows])?;
            let columns: usize = columns.parse()?;
            terminal.wait_for("the new size", |screen| {
                screen.contains("gopatchd") && screen.lines().all(|line| line.chars().count() <= columns)
            })?;
        }
        terminal.wait_for("all of it", |screen| screen.contains("COUNT") && screen.contains("GET /slow/"))?;
        sending.join().expect("the thread does not panic")?;
        Ok(())
    })?;
    terminal.press("q")?;
    terminal.wait_for("the end", |screen| !screen.contains("SERVICE") && !screen.contains("q quit"))?;
    server.stop()?;
    gopatchd.stop()?.ensure_all_seen()
}

#[test]
fn rules_are_switched_in_a_running_process() -> Result<()> {
    let scratch = Scratch::new()?;
    let gopatchd = Gopatchd::start(&scratch, "memfd", &[])?;
    let server = gopatch::patched(&scratch, "httpserver", NEWEST_GO, "default")?;
    let server = Server::start(&scratch, &mut Command::new(server))?;
    server.knock(|| gopatchd.has_operation())?;
    let send = |tag, count| {
        Load { tls: false, proto: "h1", mix: "fast", count, in_flight: 4, tag }.send(&scratch, &server).map(drop)
    };
    let switch = |arguments: &[&str]| -> Result<String> {
        let output = gopatchd.run_client(&[&["rule"], arguments].concat())?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        // The process reads its switches ten times a second while it is busy.
        let busy = Load { tls: false, proto: "h1", mix: "slow", count: 50, in_flight: 1, tag: "busy" };
        busy.send(&scratch, &server)?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    send("on", 10)?;
    ensure!(switch(&["disable", "http.server"])?.starts_with("1 function in 1 process"));
    send("off", 10)?;
    let status = gopatchd.status()?;
    let rules = status["processes"][0]["rules"].as_array().context("a list")?;
    let rule = rules.iter().find(|rule| rule["name"] == "http.server").context("the rule")?;
    ensure!(rule["enabled"] == false && rule["functions"] == 1, "{rule}");
    switch(&["enable", "http.server"])?;
    send("again", 10)?;
    switch(&["sample", "http.server", "0.25"])?;
    send("part", 2000)?;
    switch(&["sample", "http.server", "1"])?;
    send("all", 10)?;

    let unknown = gopatchd.run_client(&["rule", "disable", "http.sever"])?;
    ensure!(unknown.status.code() == Some(1), "{unknown:?}");
    let wrong = gopatchd.run_client(&["rule", "sample", "http.server", "2"])?;
    ensure!(wrong.status.code() == Some(2), "{wrong:?}");
    let shown = String::from_utf8_lossy(&gopatchd.run_client(&["status"])?.stdout).into_owned();
    ensure!(shown.contains("http.server: on, 1 functions") && shown.contains("httpserver"), "{shown}");

    server.stop()?;
    let collected = gopatchd.stop()?;
    let of = |tag: &str| {
        let tagged =
            collected.of_rule("http.server").filter(|it| it.text("url.path").is_some_and(|path| path.contains(tag)));
        tagged.collect::<Vec<_>>()
    };
    let counts = ["on", "off", "again", "all"].map(|tag| of(&format!("/fast/{tag}")).len());
    ensure!(counts == [10, 0, 10, 10], "{counts:?}");
    // 500, with a standard deviation of 19.4.
    let part = of("/fast/part");
    ensure!((380..=620).contains(&part.len()), "{} of 2000", part.len());
    ensure!(part.iter().all(|operation| operation.sample == Some(0.25)), "{:?}", part[0]);
    // A call during which its rule was switched has only one end.
    ensure!(collected.summary.lost.total == 0 && collected.summary.unpaired_exits <= 2, "{}", collected.stderr);
    Ok(())
}
