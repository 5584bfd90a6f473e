//! The dashboard of deploy/grafana, queried from a real Prometheus that scrapes a real gopatchd.
//!
//! The load gives every panel something to show, except those that are named here. This file fills
//! in the variables, as Grafana does. Tempo and the service map are not tested.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use gopatch_tests::load::MIX;
use gopatch_tests::prometheus::{self, Prometheus};
use gopatch_tests::{Gopatchd, Load, NEWEST_GO, SOON, Scratch, Server, alone, gopatch, real, wait_until};
use serde_json::Value;
use xtask::workspace;

/// Panels for data that no default rule records.
const EMPTY: [&str; 1] = ["Database: rate and p99"];

/// Panels of failures that do not occur here: their curves exist and are zero.
const ZERO: [&str; 4] =
    ["Records lost by cause", "Spans lost by cause", "Records lost by service", "Series over the limit"];

#[test]
fn every_query_of_the_dashboard_has_a_result() -> Result<()> {
    // Scrapes must come in time, and a rate must not fall to zero.
    let _turn = alone();
    if !prometheus::is_installed("the dashboard")? {
        return Ok(());
    }
    let scratch = Scratch::new()?;
    let [address, unused] = real::free_addresses()?;
    // No receiver listens there, so some spans wait.
    let settings = format!("http: {{ listen: '{address}' }}\notlp: {{ traces: {{ endpoint: 'http://{unused}' }} }}\n");
    let gopatchd = Gopatchd::start_by(&scratch, "memfd", &settings)?;
    let server = gopatch::patched(&scratch, "httpserver", NEWEST_GO, "default")?;
    let server = Server::start(&scratch, &mut Command::new(server))?;
    let folder = Scratch::new()?;
    let mut relay = Command::new(gopatch::patched(&folder, "relay", NEWEST_GO, "default")?);
    relay.args(["-upstream", &server.url(false)]).env("GOPATCH_SOCKET", gopatchd.socket());
    let mut relay = Server::start(&folder, &mut relay)?;
    let pid = relay.process().pid();
    relay.knock(|| gopatchd.has_operation_of(pid))?;
    let greeter = gopatch::patched(&scratch, "greeter", NEWEST_GO, "default")?;
    let mut greets = real::start(&scratch, Command::new(&greeter).arg("serve"), "greeter")?;
    let ready: Value = greets.wait_for("listen", SOON, |process| Ok(serde_json::from_str(&process.stdout()?).ok()))?;
    let plain = ready["plain"].as_str().context("its address")?;
    let mut caller = Command::new(&greeter);
    caller.args(["call", "-duration", "1m", "-c", "1", "-address", plain]);
    let _caller = real::start(&scratch, &mut caller, "caller")?;
    let prometheus = Prometheus::start(&scratch, &[&address], Duration::from_millis(200), true)?;

    let send = |tags: [&str; 2]| -> Result<()> {
        let load = |tls, mix, tag| Load { tls, proto: "h1", mix, count: 400, in_flight: 4, tag };
        load(true, MIX, tags[0]).send(&scratch, &server)?;
        load(false, "status", tags[1]).send(&scratch, &relay)?;
        // A client that does not speak TLS.
        let mut connection = TcpStream::connect(server.url(true).trim_start_matches("https://"))?;
        connection.write_all(b"GET / HTTP/1.0\r\n\r\n")?;
        connection.read_to_end(&mut Vec::new()).map(drop).context("the server closes the connection")
    };
    // A rate needs an earlier value of the series.
    send(["a", "b"])?;
    let all = "sum(http_client_request_duration_seconds_count) >= 400 \
               and sum(http_server_request_duration_seconds_count{job=\"relay\"}) >= 400";
    wait_until("a first scrape", SOON, || Ok((prometheus.query(all)? != Value::Array(Vec::new())).then_some(())))?;
    send(["c", "d"])?;

    let dashboard = fs::read_to_string(workspace::root().join("deploy/grafana/gopatch.json"))?;
    let dashboard: Value = serde_json::from_str(&dashboard)?;
    let mut queries = 0;
    for panel in dashboard["panels"].as_array().context("panels")? {
        let title = panel["title"].as_str().context("a title")?;
        for target in panel["targets"].as_array().into_iter().flatten() {
            let Some(query) = target["expr"].as_str() else { continue };
            let query = filled_in(query);
            let answers = |is_good: fn(f64) -> bool| -> Result<()> {
                let mut last = Value::Null;
                let shows = || {
                    last = prometheus.query(&query)?;
                    Ok(numbers(&last).any(is_good).then_some(()))
                };
                wait_until("an answer", SOON, shows).with_context(|| format!("{title}: {query}: {last:#}"))
            };
            if EMPTY.contains(&title) {
                let result = prometheus.query(&query)?;
                ensure!(numbers(&result).next().is_none(), "{title} is no longer empty: {result:#}");
            } else if ZERO.contains(&title) {
                answers(|number| number == 0.0)?;
            } else {
                answers(|number| number > 0.0)?;
            }
            queries += 1;
        }
    }
    ensure!(queries > 30, "only {queries} queries");
    for variable in dashboard["templating"]["list"].as_array().context("variables")? {
        let Some(query) = variable["definition"].as_str() else { continue };
        let inside = query.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')'));
        let (series, label) = inside.and_then(|inside| inside.rsplit_once(", ")).context("a query of label values")?;
        let mut last = Value::Null;
        let is_whole = || {
            last = prometheus.query(&format!("count by ({label}) ({})", filled_in(series)))?;
            let values = last.as_array().context("a list")?.iter().filter_map(|value| value["metric"][label].as_str());
            let values: Vec<_> = values.collect();
            let is_whole = match label {
                "job" => ["httpserver", "relay", "greeter"].iter().all(|name| values.contains(name)),
                "http_route" => values.contains(&"/fast/"),
                _ => values.len() > 2,
            };
            Ok(is_whole.then_some(()))
        };
        wait_until("all values", SOON, is_whole).with_context(|| format!("{label}: {last:#}"))?;
    }
    prometheus.stop()?;
    relay.stop()?;
    server.stop()?;
    greets.terminate()?;
    // Terminated, it would try for seconds to push its spans.
    gopatchd.kill().map(drop)
}

/// A query with the variables that Grafana has when everything is selected.
fn filled_in(query: &str) -> String {
    let all = ["$job", "$instance", "$route"].iter().fold(query.to_owned(), |query, name| query.replace(name, ".*"));
    all.replace("$__rate_interval", "1m")
}

/// The finite values of a result. A quantile of nothing is not a number.
fn numbers(result: &Value) -> impl Iterator<Item = f64> {
    let values = result.as_array().into_iter().flatten().filter_map(|series| series["value"][1].as_str());
    values.filter_map(|value| value.parse().ok()).filter(|value: &f64| value.is_finite())
}
