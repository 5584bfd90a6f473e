//! The Prometheus that other tests query scrapes as configured, and its promtool finds faults in a
//! page of metrics.

use std::time::Duration;

use anyhow::{Result, ensure};
use gopatch_tests::prometheus::{self, Prometheus, promtool_check};
use gopatch_tests::{SOON, Scratch, wait_until};
use serde_json::Value;

#[test]
fn it_scrapes_and_answers_queries() -> Result<()> {
    if !prometheus::is_installed("Prometheus")? {
        return Ok(());
    }
    let scratch = Scratch::new()?;
    let prometheus = Prometheus::start(&scratch, &[], Duration::from_millis(100), true)?;
    let value = |result: &Value| result[0]["value"][1].as_str().and_then(|text| text.parse::<f64>().ok());
    let scrapes = format!("prometheus_target_interval_length_seconds_count{{instance=\"{}\"}}", prometheus.address());
    wait_until("ten scrapes", SOON, || Ok(value(&prometheus.query(&scrapes)?).filter(|count| *count >= 10.0)))?;
    let up = wait_until("a scrape in time", SOON, || {
        let up = prometheus.query("up == 1")?;
        Ok((up[0] != Value::Null).then_some(up))
    })?;
    ensure!(up[0]["metric"]["job"] == "prometheus" && up[1] == Value::Null, "{up:#}");
    let wrong = prometheus.query("up ==").expect_err("not an expression");
    ensure!(format!("{wrong:#}").contains("parse error"), "{wrong:#}");
    let (status, page) = prometheus::get(prometheus.address(), "/metrics")?;
    ensure!(status == 200 && promtool_check(&page)?.is_empty(), "its own metrics: {}", promtool_check(&page)?);
    prometheus.stop()
}

#[test]
fn promtool_finds_faults() -> Result<()> {
    if !prometheus::is_installed("promtool")? {
        return Ok(());
    }
    let good = "# HELP a_seconds_total Seconds.\n# TYPE a_seconds_total counter\na_seconds_total 1\n";
    ensure!(promtool_check(good)?.is_empty(), "{}", promtool_check(good)?);
    let complaints = promtool_check(&good.replace("_total", ""))?;
    ensure!(complaints.contains("should have \"_total\" suffix"), "{complaints}");
    let complaints = promtool_check("a_total{ 1\n")?;
    ensure!(complaints.contains("text format parsing error"), "{complaints}");
    Ok(())
}
