//! What a real Prometheus computes from gopatchd's page of metrics.
//!
//! Its answers must be what the printed operations give; a quantile may be off by no more than its
//! bucket.

use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result, ensure};
use gopatch_tests::gopatchd::Operation;
use gopatch_tests::load::{FAST, MIX};
use gopatch_tests::prometheus::{self, Prometheus, promtool_check};
use gopatch_tests::{Gopatchd, Load, NEWEST_GO, SOON, Scratch, Server, alone, gopatch, real, wait_until};
use serde_json::Value;

#[test]
fn prometheus_computes_the_rate_and_the_quantiles() -> Result<()> {
    // A rate is compared with the clock.
    let _turn = alone();
    if !prometheus::is_installed("scraping gopatchd")? {
        return Ok(());
    }
    let scratch = Scratch::new()?;
    let [address] = real::free_addresses()?;
    let gopatchd = Gopatchd::start_by(&scratch, "memfd", &format!("http: {{ listen: '{address}' }}\n"))?;
    let (status, health) = prometheus::get(&address, "/healthz")?;
    ensure!((status, health.as_str()) == (200, "ok\n"), "{status} {health}");
    let mut server = Command::new(gopatch::patched(&scratch, "httpserver", NEWEST_GO, "default")?);
    let server = Server::start(&scratch, server.env("OTEL_RESOURCE_ATTRIBUTES", "service.namespace=shop"))?;
    server.knock(|| gopatchd.has_operation())?;
    let prometheus = Prometheus::start(&scratch, &[&address], Duration::from_millis(200), true)?;

    let load = |mix, count, tag| Load { tls: false, proto: "h1", mix, count, in_flight: 16, tag };
    load(MIX, 400, "a").send(&scratch, &server)?;
    // A rate needs an earlier value of the series.
    let fast = "http_server_request_duration_seconds_count{job=\"shop/httpserver\",http_route=\"/fast/\"}";
    wait_until("a first scrape", SOON, || Ok(number(&prometheus.query(&format!("sum({fast})"))?)))?;
    let began = SystemTime::now().duration_since(UNIX_EPOCH)?;
    load(FAST, 1000, "b").send_at(100, &scratch, &server)?;
    // The five seconds before the last one: the time of the query does not matter.
    let at = (began + Duration::from_secs(9)).as_secs_f64();
    let rate = number(&prometheus.query(&format!("sum(rate({fast}[5s] @ {at:.3}))"))?).context("a rate")?;
    ensure!((85.0..=115.0).contains(&rate), "100 requests a second are {rate}");

    let (status, page) = prometheus::get(&address, "/metrics")?;
    ensure!(status == 200);
    ensure!(promtool_check(&page)?.is_empty(), "{}", promtool_check(&page)?);
    server.stop()?;
    // The last requests stay on the page after the process has ended, even if others read the page.
    wait_until("the end of the process", SOON, || {
        let page = prometheus::get(&address, "/metrics")?.1;
        Ok(page.lines().any(|line| line == "gopatchd_processes 0").then_some(()))
    })?;
    let finished = wait_until("all to be printed", SOON, || {
        let status = gopatchd.status()?;
        let printed = gopatchd.operations_so_far()?;
        let are_all = status["totals"]["operations"].as_u64().context("operations")? == printed.len() as u64;
        Ok(are_all.then(|| printed.iter().filter(|it| is_finished_request(it)).count()))
    })?;
    wait_until("all requests", SOON, || {
        let counted = number(&prometheus.query("sum(http_server_request_duration_seconds_count)")?);
        ensure!(counted.is_none_or(|counted| counted <= finished as f64), "{counted:?} of {finished}");
        Ok((counted == Some(finished as f64)).then_some(()))
    })?;
    let quantile =
        "histogram_quantile(0.99, sum by (le) (http_server_request_duration_seconds_bucket{http_route=\"/slow/\"}))";
    let p99 = wait_until("a quantile", SOON, || Ok(number(&prometheus.query(quantile)?)))?;
    let collected = gopatchd.stop()?;
    prometheus.stop()?;
    collected.ensure_all_seen()?;

    let served: Vec<_> = collected.operations.iter().filter(|it| is_finished_request(it)).collect();
    ensure!(served.len() == finished, "{finished} of {}", served.len());
    let slow = served.iter().filter(|operation| operation.text("http.route") == Some("/slow/"));
    let mut slow: Vec<_> = slow.map(|operation| operation.duration_nano as f64 / 1e9).collect();
    slow.sort_by(f64::total_cmp);
    let exact = slow[(slow.len() as f64 * 0.99).ceil() as usize - 1];
    let bounds = [0.0, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];
    let above = bounds.iter().position(|bound| exact <= *bound).context("it is not that slow")?;
    ensure!(bounds[above - 1] <= p99 && p99 <= bounds[above], "p99 is {exact} s, and Prometheus says {p99} s");
    Ok(())
}

/// OpenMetrics has exemplars, and Prometheus keeps them.
#[test]
fn prometheus_keeps_exemplars() -> Result<()> {
    if !prometheus::is_installed("exemplars")? {
        return Ok(());
    }
    let scratch = Scratch::new()?;
    let [address] = real::free_addresses()?;
    let settings = format!("http: {{ listen: '{address}' }}\nmetrics: {{ exemplars: always_on }}\n");
    let gopatchd = Gopatchd::start_by(&scratch, "memfd", &settings)?;
    let server = gopatch::patched(&scratch, "httpserver", NEWEST_GO, "default")?;
    let server = Server::start(&scratch, &mut Command::new(server))?;
    server.knock(|| gopatchd.has_operation())?;
    Load { tls: true, proto: "h1", mix: MIX, count: 100, in_flight: 4, tag: "e" }.send(&scratch, &server)?;
    let prometheus = Prometheus::start(&scratch, &[&address], Duration::from_millis(200), true)?;
    let exemplars = wait_until("exemplars", SOON, || {
        let query = "/api/v1/query_exemplars?query=http_server_request_duration_seconds_bucket&start=0&end=99999999999";
        let data = prometheus.call_api(query)?;
        Ok((data[0] != Value::Null).then_some(data))
    })?;
    // Prometheus shows an exemplar at once, and samples when the whole scrape is committed.
    let info = wait_until("target_info", SOON, || {
        let info = prometheus.query("target_info")?;
        Ok((info[0] != Value::Null).then_some(info))
    })?;
    server.stop()?;
    let collected = gopatchd.stop()?;
    prometheus.stop()?;
    for series in exemplars.as_array().context("a list")? {
        for exemplar in series["exemplars"].as_array().context("a list")? {
            let span = exemplar["labels"]["span_id"].as_str().context("an id")?;
            let operation = collected.operations.iter().find(|operation| operation.span_id == span);
            let operation = operation.with_context(|| format!("no operation of {exemplar}"))?;
            ensure!(exemplar["labels"]["trace_id"] == operation.trace_id.as_str(), "{exemplar}");
            let value: f64 = exemplar["value"].as_str().context("a value")?.parse()?;
            ensure!((value - operation.duration_nano as f64 / 1e9).abs() < 1e-9, "{exemplar} {operation:?}");
        }
    }
    ensure!(info[0]["metric"]["process_runtime_version"] == format!("go{NEWEST_GO}"), "{info}");
    Ok(())
}

fn is_finished_request(operation: &Operation) -> bool {
    operation.rule == "http.server" && !operation.unfinished
}

fn number(result: &Value) -> Option<f64> {
    result[0]["value"][1].as_str()?.parse().ok()
}
