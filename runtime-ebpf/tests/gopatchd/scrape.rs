//! The HTTP port against clients and processes that mean harm: health is always answered, and
//! Prometheus takes every page.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::support::process::{Call, EVENT, Introduction, Process, manifest, now};
use crate::support::{Gopatchd, SOON, wait_until};

/// An address that nothing listens on.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port")
}

/// What a server answers to GET: its status line and the body.
fn get(address: SocketAddr, path: &str) -> std::io::Result<(String, String)> {
    let mut connection = TcpStream::connect(address)?;
    connection.set_read_timeout(Some(SOON))?;
    write!(connection, "GET {path} HTTP/1.0\r\nHost: x\r\n\r\n")?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").ok_or(ErrorKind::InvalidData)?;
    Ok((head.lines().next().unwrap_or_default().to_owned(), body.to_owned()))
}

fn page(address: SocketAddr) -> String {
    get(address, "/metrics").expect("a page").1
}

/// The value of a metric without labels.
fn metric(address: SocketAddr, name: &str) -> f64 {
    let page = page(address);
    let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in {page}")).parse().expect("a number")
}

#[test]
fn health_is_answered_however_many_clients_are_slow_or_silent() {
    let address = free_address();
    let gopatchd = Gopatchd::start("memfd", &["--http", &address.to_string()]);
    // Thousands of pages are more than the sockets hold, so their connections wait for the reader.
    let questions = "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n".repeat(2000);
    let connect = || TcpStream::connect(address).expect("gopatchd listens");
    let slow: Vec<_> = (0..100).map(|_| connect()).collect();
    for mut connection in &slow {
        connection.set_nonblocking(true).expect("a socket");
        // What it does not take is not needed.
        let _ = connection.write(questions.as_bytes());
    }
    let silent: Vec<_> = (0..300).map(|_| connect()).collect();
    let (status, health) = get(address, "/healthz").expect("health is answered");
    assert_eq!((status.as_str(), health.as_str()), ("HTTP/1.0 200 OK", "ok\n"));
    // So are pages, and what had to give way is counted.
    assert!(page(address).contains("\ngopatchd_processes 0\n"));
    wait_until("closed connections are counted", || {
        let closed = page(address);
        let counts = closed
            .lines()
            .filter_map(|line| line.strip_prefix("gopatchd_connections_closed_total{cause=\"too_many\"} "));
        counts.map(|count| count.parse::<f64>().expect("a number")).sum::<f64>() > 0.0
    });
    drop((slow, silent));
    gopatchd.stop();
}

/// A manifest with these rules, each of a function whose calls have these dimensions.
fn hostile_manifest(rules: &[&str], dimensions: &[&str]) -> Value {
    let mut manifest = manifest();
    let functions = rules.iter().enumerate().map(|(index, rule)| {
        json!({
            "name": format!("main.f{index}"), "rule": rule, "kind": "internal", "operation": "o",
            "va": 0x401000, "dimensions": dimensions,
        })
    });
    let captures: Vec<_> = dimensions.iter().map(|name| json!({"attribute": name, "type": "string"})).collect();
    let points = (0..rules.len()).map(|index| json!({"function": index, "at": "enter", "captures": captures}));
    manifest["functions"] = functions.collect();
    manifest["points"] = points.collect();
    manifest
}

/// An honest process that has served a request and written an event.
fn honest(gopatchd: &Gopatchd) {
    let mut process = Process::attach(&gopatchd.socket(), 1);
    let call = Call { goid: 1, frame: 64 };
    process.rings[0].write_all(&call.enter("GET", "/"));
    process.rings[0].write_all(&call.exit(200));
    process.rings[0].write_all(&call.record(EVENT, now(), &[], &[]));
    assert!([gopatchd.next_operation(), gopatchd.next_operation()].iter().any(|operation| operation["name"] == "note"));
}

/// A program that is ended when this is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Whether Prometheus and promtool are installed, as they must be in CI.
fn prometheus_is_installed() -> bool {
    let is_installed = |program| {
        let mut command = Command::new(program);
        command.arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    };
    let are_installed = ["prometheus", "promtool"].into_iter().all(is_installed);
    assert!(are_installed || std::env::var_os("CI").is_none(), "CI needs the package prometheus");
    if !are_installed {
        eprintln!("NOT TESTED: what Prometheus says to hostile names: it is not installed");
    }
    are_installed
}

/// Names that Prometheus keeps for itself, does not allow, or cannot tell apart.
const RULES: [&str; 7] = ["a.b", "a-b", "__name__", "9", "target_info", "gopatchd.queue", "x\n# EOF\n\0\"\\{}"];
const DIMENSIONS: [&str; 10] =
    ["le", "quantile", "__name__", "job", "instance", "a.b", "a_b", "9x", "\u{202e}\u{1b}[2J", "gopatch.duplicate"];

#[test]
fn no_name_makes_prometheus_drop_a_scrape() {
    if !prometheus_is_installed() {
        return;
    }
    let address = free_address();
    let gopatchd = Gopatchd::start("memfd", &["--http", &address.to_string()]);
    honest(&gopatchd);
    // The same pid and so the same instance, with another program.
    let introduction = Introduction::of(&hostile_manifest(&RULES, &DIMENSIONS), 1);
    let mut process = Process::attach_with(&gopatchd.socket(), &introduction);
    let call = Call { goid: 1, frame: 64 };
    let values = [
        ["+Inf", "0.5", "up", "prometheus", "localhost", "1", "2", "", "\0\n\"\\", "2"],
        // Not the same, but the same once they are joined.
        ["+Inf", "0.5", "up", "prometheus", "localhost", "", "1;2", "", "\0\n\"\\", "2"],
        ["", "", "", "", "", "", "", "", "", ""],
    ];
    for point in 0..RULES.len() {
        for strings in &values {
            process.rings[0].write_all(&call.record(point as u32, now(), &[], strings));
            gopatchd.next_operation();
        }
    }
    let text = page(address);
    let series: Vec<_> = text.lines().filter_map(|line| line.rsplit_once(' ')).map(|(series, _)| series).collect();
    let series: Vec<_> = series.into_iter().filter(|series| !series.starts_with('#')).collect();
    let distinct: std::collections::HashSet<_> = series.iter().collect();
    assert_eq!(distinct.len(), series.len(), "series are on the page twice: {text}");
    assert!(text.contains(r#"a_b="1;2""#) && text.contains(r#"exported_le="+Inf""#), "{text}");
    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut promtool = promtool.spawn().expect("promtool runs");
    promtool.stdin.take().expect("piped").write_all(text.as_bytes()).expect("promtool reads");
    let checked = promtool.wait_with_output().expect("a child of this process");
    // 3 is a matter of style.
    assert!(matches!(checked.status.code(), Some(0 | 3)), "{checked:?}\n{text}");

    let web = free_address();
    let folder = gopatchd.folder.path();
    let config = format!(
        "global: {{ scrape_interval: 200ms, scrape_timeout: 200ms }}\nscrape_configs:\n  - {{ job_name: scraped, \
         honor_labels: true, static_configs: [{{ targets: ['{address}'] }}] }}\n"
    );
    std::fs::write(folder.join("prometheus.yaml"), config).expect("disk space");
    let mut prometheus = Command::new("prometheus");
    prometheus
        .arg(format!("--config.file={}", folder.join("prometheus.yaml").display()))
        .arg(format!("--storage.tsdb.path={}", folder.join("data").display()))
        .arg(format!("--web.listen-address={web}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let _prometheus = Running(prometheus.spawn().expect("prometheus runs"));
    let count = |query: &str| {
        let Ok((_, body)) = get(web, &format!("/api/v1/query?query={query}")) else { return 0.0 };
        let answer: Value = serde_json::from_str(&body).unwrap_or_default();
        let value = answer["data"]["result"][0]["value"][1].as_str();
        value.map_or(0.0, |value| value.parse().expect("a number"))
    };
    let is = |query: &str, expected: f64| {
        let deadline = std::time::Instant::now() + 3 * SOON;
        while (count(query) - expected).abs() > 0.1 {
            assert!(std::time::Instant::now() < deadline, "{query} is {}, not {expected}\n{text}", count(query));
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    };
    is("up%7Bjob=%22scraped%22%7D", 1.0);
    is("count(http_server_request_duration_seconds_count)", 1.0);
    // Two rules with three calls each.
    is("count(a_b_duration_seconds_count)", 6.0);
    is("sum(a_b_duration_seconds_count)", 6.0);
    is("count(target_info)", 2.0);
    // It says 0 if Prometheus took what it could of a page.
    is("min(up)", 1.0);
    gopatchd.stop();
}

#[test]
fn a_page_is_bounded_and_has_something_of_every_process() {
    let address = free_address();
    let folder = tempfile::tempdir().expect("temporary folder");
    let settings = folder.path().join("settings.yaml");
    std::fs::write(&settings, "http: { page_bytes: 40000 }\n").expect("disk space");
    let options = ["--http", &address.to_string(), "--config", settings.to_str().expect("UTF-8")];
    let gopatchd = Gopatchd::start("memfd", &options);
    honest(&gopatchd);
    let introduction = Introduction::of(&hostile_manifest(&["aaa"], &["value"]), 1);
    let mut process = Process::attach_with(&gopatchd.socket(), &introduction);
    let call = Call { goid: 1, frame: 64 };
    for number in 0..100 {
        let value = format!("{number:0>1000}");
        process.rings[0].write_all(&call.record(0, now(), &[], &[&value]));
        gopatchd.next_operation();
    }
    let page = page(address);
    let of_processes: usize = page.lines().filter(|line| line.contains("job=")).map(|line| line.len() + 1).sum();
    assert!(of_processes <= 40_000, "{of_processes} bytes");
    assert!(page.contains("\nhttp_server_request_duration_seconds_count{"), "{page}");
    assert!(page.contains("\naaa_duration_seconds_count{"), "{page}");
    assert_eq!(page.matches("\ntarget_info{").count(), 2, "{page}");
    assert!(metric(address, "gopatchd_series_left_out_total") > 90.0);
    assert!(gopatchd.stderr().contains("http.page_bytes"), "{}", gopatchd.stderr());
    gopatchd.stop();
}
