//! `gopatchd ab` on the corpus server, a gRPC server and Caddy: all variants, exact counts of
//! records, limits, and the page in a browser.
//!
//! Runs are short, and no time is judged. Each request of the built-in load is one operation. In CI
//! chromium must be installed.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};
use gopatch_tests::{NEWEST_GO, Scratch, alone, backends, beside, release_binary};
use serde_json::Value;
use xtask::corpus;

const URL: &str = "http://127.0.0.1:{port}/fast/1";
const LISTEN: [&str; 3] = ["--", "-http", "127.0.0.1:{port}"];
const SHORT: [&str; 4] = ["--duration", "500ms", "--warm-up", "200ms"];

/// Makes a page describe itself as a reader sees it.
const SCRIPT: &str = "<script>
        const cells = row => [...row.cells].map(cell => cell.innerText);
        const box = shape => { const box = shape.getBoundingClientRect(); return [box.width, box.height]; };
        const all = (query, describe) => [...document.querySelectorAll(query)].map(describe);
        const seen = {
            figures: all('tr.figure', row => ({metric: row.dataset.metric, variant: row.dataset.variant, cells: cells(row)})),
            totals: all('tr.total', row => cells(row)),
            gates: all('#gates tbody tr', row => cells(row)),
            bars: all('rect.bar', bar => ({plot: bar.ownerSVGElement.id, variant: bar.dataset.variant, box: box(bar)})),
            lines: all('polyline.line[data-variant]', line => ({variant: line.dataset.variant, box: box(line)})),
            command: document.getElementById('command').innerText,
        };
        const pre = document.createElement('pre');
        pre.id = 'seen';
        pre.textContent = JSON.stringify(seen);
        document.body.append(pre);
    </script></body>";

/// The result of `gopatchd ab`.
struct Ab {
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Ab {
    /// Compares the corpus server.
    fn run(options: &[&str]) -> Result<Self> {
        let server = corpus::build("httpserver", NEWEST_GO, "default")?;
        Self::compare(&server, options, &LISTEN)
    }

    /// Compares a program that takes these arguments.
    fn compare(program: &Path, options: &[&str], arguments: &[&str]) -> Result<Self> {
        let _turn = beside();
        let mut command = Command::new(release_binary("gopatchd")?);
        let output = command.arg("ab").arg(program).args(SHORT).args(options).args(arguments).output()?;
        let text = |bytes| String::from_utf8(bytes).context("gopatchd's output is not UTF-8");
        Ok(Self { status: output.status.code(), stdout: text(output.stdout)?, stderr: text(output.stderr)? })
    }

    /// The same with all variants, which must be measured, printed and plotted. Returns the JSON
    /// too.
    fn all_variants(program: &Path, options: &[&str], arguments: &[&str]) -> Result<(Self, Value)> {
        let scratch = Scratch::new()?;
        let (json, html) = (scratch.file("ab.json"), scratch.file("ab.html"));
        let files = ["--json", json.to_str().context("UTF-8")?, "--html", html.to_str().context("UTF-8")?];
        let ab = Self::compare(program, &[&["--rounds", "2"], options, &files].concat(), arguments)?.ended(0)?;
        let report: Value = serde_json::from_str(&fs::read_to_string(json)?)?;
        ensure!(report["passed"] == true, "{report:#}");
        ab.has_all_variants(&report)?;
        in_a_browser(&scratch, &html, &report)?;
        Ok((ab, report))
    }

    fn has_all_variants(&self, report: &Value) -> Result<()> {
        let mut expected = vec!["original", "original (again)", "inert", "memfd"];
        if backends().contains(&"bpf") {
            expected.extend(["bpf", "uprobes"]);
        }
        for left_out in list(&report["left_out"]) {
            let name = text(&left_out["name"]);
            ensure!(!expected.contains(&name), "{left_out}");
            ensure!(self.stdout.contains(&format!("WARNING: variant {name} was left out")), "{}", self.stdout);
            ensure!(self.stderr.contains(&format!("LEFT OUT: variant {name}")), "{}", self.stderr);
        }
        let names = names(report);
        ensure!(expected.iter().all(|name| names.contains(name)), "{names:?}");
        for name in names {
            let runs = runs(report, name);
            ensure!(runs.len() == 2, "{name}: {} runs", runs.len());
            for run in runs {
                let load = &run["load"];
                ensure!(number(&load["requests"]) > 0 && number(&load["errors"]) == 0, "{name}: {load}");
                ensure!(run["program"]["cpu_seconds"].as_f64() > Some(0.0), "{run}");
                ensure!(number(&run["program"]["peak_bytes"]) > 1_000_000, "{run}");
                ensure!(run["collector"].is_object() == is_collected(name), "{run}");
                let collected = &run["collected"];
                let saw = number(&collected["operations"]) >= number(&load["requests"]);
                ensure!(saw || !is_collected(name), "{name}: {load}, {collected}");
            }
            let counts = list(&report["variants"]).iter().find(|variant| variant["name"] == *name).context("counts")?;
            ensure!(!is_collected(name) || number(&counts["lost"]) == 0, "{name}: {counts}");
        }
        for metric in list(&report["metrics"]) {
            ensure!(self.stdout.contains(text(&metric["title"])), "{metric}");
            for row in list(&metric["rows"]) {
                ensure!(self.stdout.lines().any(|line| cells(row).iter().all(|cell| line.contains(cell))), "{row}");
            }
        }
        Ok(())
    }

    /// Fails unless it ended with this status.
    fn ended(self, status: i32) -> Result<Self> {
        ensure!(self.status == Some(status), "status {:?}\n{}\n{}", self.status, self.stdout, self.stderr);
        Ok(self)
    }
}

#[test]
fn all_variants_are_measured_and_shown() -> Result<()> {
    let server = corpus::build("httpserver", NEWEST_GO, "default")?;
    let generous = ["--url", URL, "--max-cpu-overhead", "100000%", "--max-lost", "0"];
    let (ab, report) = Ab::all_variants(&server, &generous, &LISTEN)?;
    for name in names(&report) {
        let runs = runs(&report, name);
        let of_run = |run: &&Value| number(&run["load"]["requests"]) + number(&run["warm_up_requests"]);
        let requests: u64 = runs.iter().map(of_run).sum();
        let counts = list(&report["variants"]).iter().find(|variant| variant["name"] == *name).context("counts")?;
        if ["bpf", "memfd"].contains(&name) {
            let operations: u64 = runs.iter().map(|run| number(&run["collected"]["operations"])).sum();
            ensure!(operations == requests, "{name}: {requests} requests, {operations} operations");
            // Entry and exit, and one for each connection that has ended: of the warm-up, the load,
            // and the check whether the server is ready.
            let records = 2 * requests..=2 * requests + 2 * (16 + 16 + 1);
            ensure!(records.contains(&number(&counts["records"])), "{name}: {requests} requests, {counts}");
        }
        if name == "uprobes" {
            // A function that is probed at its first byte may start twice.
            ensure!(number(&counts["records"]) >= 2 * requests, "{name}: {requests} requests, {counts}");
        }
    }
    let gates = list(&report["gates"]);
    ensure!(gates.iter().any(|gate| gate["variant"] == "inert" && gate["exceeded"] == false), "{gates:?}");
    ensure!(ab.stdout.contains("--max-lost 0: memfd: held: 0 lost"), "{}", ab.stdout);
    Ok(())
}

/// The example of docs/ab.md.
#[test]
fn a_grpc_server_is_compared() -> Result<()> {
    let greeter = corpus::build("greeter", NEWEST_GO, "default")?;
    let load = format!("{} call -address 127.0.0.1:{{port}} -c 15 -duration {{duration}}", greeter.display());
    let options = ["--ready-tcp", "127.0.0.1:{port}", "--load", &load];
    Ab::all_variants(&greeter, &options, &["--", "serve", "-plain", "127.0.0.1:{port}"]).map(drop)
}

/// The example of docs/ab.md.
#[test]
#[ignore = "soak: Caddy takes minutes to build"]
fn caddy_is_compared() -> Result<()> {
    let caddy = corpus::build("caddy", NEWEST_GO, "default")?;
    let options = ["--url", "http://127.0.0.1:{port}/", "--rate", "500"];
    let arguments = ["--", "respond", "--listen", "127.0.0.1:{port}", "hello"];
    Ab::all_variants(&caddy, &options, &arguments).map(drop)
}

#[test]
fn a_limit_that_is_exceeded_fails() -> Result<()> {
    // Processor time is compared.
    let _turn = alone();
    let server = corpus::build("httpserver", NEWEST_GO, "default")?;
    // It also keeps a processor busy.
    let busy = format!("slow=sh -c '(while :; do :; done) & exec {} -http 127.0.0.1:{{port}}'", server.display());
    let options = ["--url", URL, "--rounds", "3", "--rate", "200", "--variants", "original", "--also", &busy];
    let limits = ["--max-cpu-overhead", "50%", "--gate-variant", "slow"];
    let ab = Ab::run(&[&options[..], &limits].concat())?.ended(1)?;
    ensure!(ab.stdout.contains("--max-cpu-overhead 50%: slow: EXCEEDED"), "{}", ab.stdout);
    Ok(())
}

#[test]
fn failed_requests_fail_unless_they_may() -> Result<()> {
    let missing = URL.replace("fast", "missing");
    let options = ["--url", &missing, "--rounds", "2", "--variants", "inert"];
    let ab = Ab::run(&options)?.ended(1)?;
    ensure!(ab.stdout.contains("WARNING: inert:") && ab.stdout.contains("status 404"), "{}", ab.stdout);
    Ab::run(&[&options[..], &["--allow-errors"]].concat())?.ended(0)?;
    Ok(())
}

#[test]
fn a_command_generates_the_load() -> Result<()> {
    let loadgen = corpus::build("loadgen", NEWEST_GO, "default")?;
    let load = format!("{} -url http://127.0.0.1:{{port}} -duration {{duration}} -c 4", loadgen.display());
    let address = "127.0.0.1:{port}";
    let options = ["--load", &load, "--ready-tcp", address, "--rounds", "2", "--variants", "memfd", "--json", "-"];
    let ab = Ab::run(&options)?.ended(0)?;
    let report: Value = serde_json::from_str(&ab.stdout)?;
    for key in ["requests_per_second", "latency_p99.9_us", "cpu_us"] {
        let metric = list(&report["metrics"]).iter().find(|metric| metric["key"] == key).context(key)?;
        for row in list(&metric["rows"]) {
            ensure!(row["spread"]["median"].as_f64() > Some(0.0), "{key}: {row}");
        }
    }
    Ok(())
}

#[test]
fn rivals_run_with_what_they_need() -> Result<()> {
    let [sdk, sink] = ["httpserver-otel", "otlpsink"].map(|name| corpus::build(name, NEWEST_GO, "default"));
    let exports = "OTEL_EXPORTER_OTLP_ENDPOINT=http://127.0.0.1:{port2} OTEL_EXPORTER_OTLP_INSECURE=true";
    let sdk = format!("sdk=env {exports} {} -http 127.0.0.1:{{port}}", sdk?.display());
    let sink = format!("sdk={} -grpc 127.0.0.1:{{port2}}", sink?.display());
    // An agent that ends is an error, so this one has found the program.
    let agent = "agent=sh -c 'kill -0 {pid} && exec sleep 60'";
    let rivals = ["--also", &sdk, "--sink", &sink, "--agent", agent, "--agent-wait", "300ms"];
    let options = ["--url", URL, "--rounds", "2", "--variants", "original", "--json", "-"];
    let ab = Ab::run(&[&options[..], &rivals].concat())?.ended(0)?;
    let report: Value = serde_json::from_str(&ab.stdout)?;
    for (name, works) in [("sdk", true), ("agent", false)] {
        let runs: Vec<_> = list(&report["runs"]).iter().filter(|run| run["variant"] == name).collect();
        ensure!(runs.len() == 2, "{name}: {} runs", runs.len());
        for run in runs {
            ensure!(number(&run["load"]["requests"]) > 0 && number(&run["load"]["errors"]) == 0, "{run}");
            let used = run["collector"]["cpu_seconds"].as_f64().context("an account of the rival's second process")?;
            ensure!(!works || used > 0.0, "{run}");
        }
    }
    let ab = Ab::run(&["--url", URL, "--agent", "agent=false", "--rounds", "2", "--variants", "original"])?.ended(2)?;
    ensure!(ab.stderr.contains("the agent ended with exit status: 1"), "{}", ab.stderr);
    Ok(())
}

#[test]
fn what_cannot_be_measured_is_an_error_with_the_reason() -> Result<()> {
    let ab = Ab::run(&["--url", URL, "--ready-line", "good morning", "--ready-within", "3s"])?.ended(2)?;
    ensure!(ab.stderr.contains("did not print \"good morning\" within 3s"), "{}", ab.stderr);
    // The error has what it printed instead.
    ensure!(ab.stderr.contains("\"http\":\"127.0.0.1:"), "{}", ab.stderr);
    let ab = Ab::run(&["--url", URL, "--load", "sh -c 'echo no; exit 3'", "--rounds", "2"])?.ended(2)?;
    ensure!(ab.stderr.contains("the load ended with exit status: 3") && ab.stderr.contains("no"), "{}", ab.stderr);
    let silent = ["--url", URL, "--load", "sleep 0.1", "--rounds", "2", "--variants", "inert"];
    let ab = Ab::run(&[&silent[..], &["--max-cpu-overhead", "1%"]].concat())?.ended(2)?;
    ensure!(
        ab.stdout.contains("not reported") && ab.stderr.contains("cannot be judged"),
        "{}\n{}",
        ab.stdout,
        ab.stderr
    );
    Ok(())
}

/// The page shows what the JSON has, loads nothing else, and its plots are not empty.
fn in_a_browser(scratch: &Scratch, html: &Path, report: &Value) -> Result<()> {
    let page = fs::read_to_string(html)?;
    for outside in ["<script", "<link", "<img", "src=", "href=", "url(", "@import"] {
        ensure!(!page.contains(outside), "the page loads something else: {outside}");
    }
    let copy = scratch.file("copy.html");
    fs::write(&copy, page.replace("</body>", SCRIPT))?;
    let Some(dom) = dom(scratch, &copy)? else {
        return Ok(());
    };
    let seen =
        dom.split("<pre id=\"seen\">").nth(1).and_then(|rest| rest.split("</pre>").next()).context(dom.clone())?;
    let seen = seen.replace("&lt;", "<").replace("&gt;", ">").replace("&nbsp;", "\u{a0}").replace("&amp;", "&");
    let seen: Value = serde_json::from_str(&seen)?;

    let mut figures = list(&seen["figures"]).iter();
    for metric in list(&report["metrics"]) {
        for row in list(&metric["rows"]) {
            let shown = figures.next().context("the page has fewer figures")?;
            ensure!(shown["metric"] == metric["key"] && shown["variant"] == row["variant"], "{shown} is not {row}");
            ensure!(list(&shown["cells"]).iter().map(text).eq(cells(row)), "{shown} is not {row}");
        }
    }
    ensure!(figures.next().is_none(), "the page has more figures");
    for (shown, variant) in list(&seen["totals"]).iter().zip(list(&report["variants"])) {
        let of = &variant["text"];
        let expected =
            [&variant["name"], &of["requests"], &of["errors"], &of["records"], &of["lost"], &variant["what"]];
        ensure!(list(shown).iter().eq(expected), "{shown} is not {variant}");
    }
    for (shown, gate) in list(&seen["gates"]).iter().zip(list(&report["gates"])) {
        ensure!(
            list(shown).iter().eq([&gate["limit"], &gate["variant"], &gate["measured"], &gate["verdict"]]),
            "{shown}"
        );
    }
    ensure!(list(&seen["gates"]).len() == list(&report["gates"]).len(), "{}", seen["gates"]);
    ensure!(text(&seen["command"]).starts_with("gopatchd ab "), "{}", seen["command"]);
    for variant in list(&report["variants"]) {
        let name = text(&variant["name"]);
        let collected = usize::from(is_collected(name));
        for (plot, count) in [("throughput", 1), ("cpu", 1 + collected)] {
            let of = |bar: &&Value| bar["plot"] == plot && bar["variant"] == name;
            let bars: Vec<_> = list(&seen["bars"]).iter().filter(of).collect();
            ensure!(bars.len() == count && bars.iter().all(|bar| has_extent(bar)), "{name}, {plot}: {bars:?}");
        }
        let line = list(&seen["lines"]).iter().find(|line| line["variant"] == name).context(name.to_owned())?;
        ensure!(has_extent(line), "{line}");
    }
    Ok(())
}

/// A page's elements in a headless browser. `None` without a browser.
fn dom(scratch: &Scratch, page: &Path) -> Result<Option<String>> {
    let mut command = Command::new("chromium");
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--dump-dom"]);
    command.args(["--disable-background-networking", "--disable-component-update", "--disable-sync"]);
    command.arg(format!("--user-data-dir={}", scratch.file("browser").display()));
    match command.arg(format!("file://{}", page.display())).output() {
        Ok(output) => {
            ensure!(output.status.success(), "chromium: {}", String::from_utf8_lossy(&output.stderr));
            Ok(Some(String::from_utf8(output.stdout)?))
        }
        Err(error) if std::env::var("CI").is_ok_and(|ci| ci == "true") => {
            Err(error).context("CI needs chromium: apt-get install chromium")
        }
        Err(error) => {
            eprintln!("NOT TESTED: the page in a browser: chromium: {error}");
            Ok(None)
        }
    }
}

fn names(report: &Value) -> Vec<&str> {
    list(&report["variants"]).iter().map(|variant| text(&variant["name"])).collect()
}

fn runs<'v>(report: &'v Value, variant: &str) -> Vec<&'v Value> {
    list(&report["runs"]).iter().filter(|run| run["variant"] == *variant).collect()
}

fn is_collected(variant: &str) -> bool {
    ["bpf", "memfd", "uprobes"].contains(&variant)
}

/// The cells of a figure.
fn cells(row: &Value) -> [&str; 6] {
    let of = &row["text"];
    [&row["variant"], &of["median"], &of["quartiles"], &of["difference"], &of["interval"], &of["verdict"]].map(text)
}

fn has_extent(shape: &Value) -> bool {
    list(&shape["box"]).iter().all(|side| side.as_f64() > Some(0.0))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}
