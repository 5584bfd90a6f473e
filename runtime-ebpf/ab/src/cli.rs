//! The command line of `gopatchd ab`: flags, defaults, and which flags exclude each other. Numbers,
//! names and placeholders are validated here; no file is opened.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use clap::{ArgGroup, Args};

use crate::limits::{Limit, LimitedMetric};
use crate::options::{BuiltIn, Load, Options, Ready, Rules};
use crate::template::Template;
use crate::url;

/// The arguments of `gopatchd ab`.
#[derive(Debug, Args)]
#[command(
    after_help = "Placeholders: {url}, {duration}, {port} and {port2} are replaced in ARGUMENTS, --url, --ready-*, --load, \
                  --also, --sink and --agent; {pid}, the program's process ID, in --agent. The ports are free loopback \
                  ports, different for each run.\n\n\
                  Exit status: 0: measured, all limits held; 1: a limit was exceeded beyond the noise, or requests \
                  failed; 2: not measured, or a limit could not be judged.\n\n\
                  Example:\n  \
                  gopatchd ab ./server --url http://127.0.0.1:{port}/hello --html report.html -- --listen 127.0.0.1:{port}"
)]
#[command(group = ArgGroup::new("ready").args(["ready_url", "ready_tcp", "ready_line"]))]
pub struct AbArgs {
    /// The unpatched program
    original: PathBuf,

    /// Its arguments
    #[arg(last = true)]
    arguments: Vec<String>,

    /// The patched program [default: patch ORIGINAL into a temporary folder]
    #[arg(long, value_name = "FILE")]
    patched: Option<PathBuf>,

    /// Additional rules, for patching and for the uprobes
    #[arg(long, value_name = "FILE")]
    rules: Vec<PathBuf>,

    /// Do not use the default rules
    #[arg(long)]
    no_default_rules: bool,

    /// URL to request under load
    #[arg(long)]
    url: Option<String>,

    /// Ready when this URL answers, with any status [default: ready when the host of --url accepts
    /// connections]
    #[arg(long, value_name = "URL")]
    ready_url: Option<String>,

    /// Ready when this address accepts connections
    #[arg(long, value_name = "HOST:PORT")]
    ready_tcp: Option<String>,

    /// Ready when a line of the program's output contains this text
    #[arg(long, value_name = "TEXT")]
    ready_line: Option<String>,

    /// How long to wait for the program to be ready
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = duration)]
    ready_within: Duration,

    /// Command that puts the program under load for {duration} [default: a built-in HTTP client
    /// that requests --url]
    #[arg(long, value_name = "COMMAND")]
    load: Option<String>,

    /// Connections of the built-in load, each with one request in flight
    #[arg(long, value_name = "N", default_value_t = 16, conflicts_with = "load")]
    connections: usize,

    /// Threads of the built-in load
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "load")]
    load_threads: usize,

    /// Requests per second of the built-in load; latency then counts from when a request was due
    /// [default: as many as possible]
    #[arg(long, value_name = "N", conflicts_with = "load")]
    rate: Option<f64>,

    /// Runs of each variant. With fewer than 6, intervals assume log-normally distributed ratios
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u32).range(2..))]
    rounds: u32,

    /// Measured time of each run
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    duration: Duration,

    /// Time under load before each measurement
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration)]
    warm_up: Duration,

    /// Variants to run; it is an error if one of them cannot run here [default: all that can run
    /// here]
    #[arg(long, value_name = "NAME,...", value_enum, value_delimiter = ',')]
    variants: Option<Vec<BuiltIn>>,

    /// Compare another program too, such as a build with an SDK
    #[arg(long, value_name = "NAME=COMMAND", value_parser = name_and_command)]
    also: Vec<(String, String)>,

    /// Compare another tool's agent too; it runs alongside the original and starts once the program
    /// is ready
    #[arg(long, value_name = "NAME=COMMAND", value_parser = name_and_command)]
    agent: Vec<(String, String)>,

    /// Run this for the --also program of the same name, such as the server its SDK exports to;
    /// starts before the program and is measured as its collector
    #[arg(long, value_name = "NAME=COMMAND", value_parser = name_and_command)]
    sink: Vec<(String, String)>,

    /// How long an agent has to attach, and a sink to start
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = duration)]
    agent_wait: Duration,

    /// Limit the increase of CPU time per request, program and collector together
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    max_cpu_overhead: Option<f64>,

    /// Limit the increase of the 99th percentile of latency
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    max_latency_p99_overhead: Option<f64>,

    /// Limit the loss of throughput
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    max_throughput_loss: Option<f64>,

    /// Limit the increase of peak memory, program and collector together
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    max_memory_overhead: Option<f64>,

    /// Limit the records lost over all rounds
    #[arg(long, value_name = "N")]
    max_lost: Option<u64>,

    /// Variants that the limits apply to [default: all patched ones]
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    gate_variant: Vec<String>,

    /// Report failed requests, but do not fail because of them
    #[arg(long)]
    allow_errors: bool,

    /// Write all values of all rounds as JSON; `-` writes to stdout, in place of the text
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Write a self-contained HTML report with plots
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

impl AbArgs {
    /// Validates the arguments.
    pub(crate) fn into_options(self) -> Result<Options> {
        ensure!(self.connections > 0 && self.load_threads > 0, "--connections and --load-threads must be at least 1");
        ensure!(self.rate.is_none_or(|rate| rate.is_finite() && rate > 0.0), "--rate must be greater than 0");
        ensure!(self.duration >= Duration::from_millis(100), "--duration must be at least 100ms");
        if self.load.is_none() {
            let Some(url) = &self.url else { bail!("no load for the program: pass --url or --load") };
            ensure!(
                url.starts_with("http://"),
                "--url {url:?}: the built-in load supports http:// only; pass --load to use another tool"
            );
        }
        if let Some((name, _)) = self.sink.iter().find(|(name, _)| !self.also.iter().any(|(also, _)| also == name)) {
            bail!("--sink {name}: no --also has this name");
        }
        let limits = [
            (self.max_cpu_overhead, LimitedMetric::Cpu),
            (self.max_latency_p99_overhead, LimitedMetric::LatencyP99),
            (self.max_throughput_loss, LimitedMetric::Throughput),
            (self.max_memory_overhead, LimitedMetric::Memory),
            (self.max_lost.map(|count| count as f64), LimitedMetric::Lost),
        ];
        let limits =
            limits.into_iter().filter_map(|(at_most, metric)| Some(Limit { metric, at_most: at_most? })).collect();
        let url = self.url.as_deref();
        let ready = match (self.ready_url, self.ready_tcp, self.ready_line) {
            (Some(url), _, _) => Ready::Url(url),
            (_, Some(address), _) => Ready::Tcp(address),
            (_, _, Some(text)) => Ready::Line(text),
            _ => match url {
                Some(url) => Ready::Tcp(url::address(url)?),
                None => bail!("cannot tell when the program is ready: pass --url or one of --ready-*"),
            },
        };
        let load = match &self.load {
            Some(command) => Load::Command(Template::parse("--load", command)?),
            None => Load::Http { connections: self.connections, threads: self.load_threads, rate: self.rate },
        };
        let commands = |flag: &str, commands: &[(String, String)]| {
            let parse = |(name, command): &(String, String)| Ok((name.clone(), Template::parse(flag, command)?));
            commands.iter().map(parse).collect::<Result<Vec<_>>>()
        };
        Ok(Options {
            also: commands("--also", &self.also)?,
            agents: commands("--agent", &self.agent)?,
            sinks: commands("--sink", &self.sink)?,
            original: self.original,
            arguments: Template::from_words(self.arguments),
            patched: self.patched,
            rules: Rules { files: self.rules, default: !self.no_default_rules },
            url: self.url,
            ready,
            ready_within: self.ready_within,
            load,
            rounds: self.rounds,
            duration: self.duration,
            warm_up: self.warm_up,
            variants: self.variants,
            agent_wait: self.agent_wait,
            limits,
            gate_variants: self.gate_variant,
            allow_errors: self.allow_errors,
            json: self.json,
            html: self.html,
        })
    }
}

/// Parses `5s`, `500ms`, `2m`, or a number of seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let invalid = || "expected a time such as 5s, 500ms or 2m".to_owned();
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let seconds = match unit {
        "ms" => 0.001,
        "s" | "" => 1.0,
        "m" => 60.0,
        _ => return Err(invalid()),
    };
    let number: f64 = number.parse().map_err(|_| invalid())?;
    Duration::try_from_secs_f64(number * seconds)
        .map(|time| Duration::from_millis(time.as_millis() as u64))
        .map_err(|error| error.to_string())
}

/// Parses `2%` or `2` as a fraction.
fn percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim().parse().ok();
    let valid = number.filter(|number: &f64| number.is_finite() && *number >= 0.0);
    valid.map(|number| number / 100.0).ok_or_else(|| "expected a percentage of 0 or more".to_owned())
}

/// Parses `NAME=COMMAND`.
fn name_and_command(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, command)) if !name.trim().is_empty() && !command.trim().is_empty() => {
            Ok((name.trim().to_owned(), command.to_owned()))
        }
        _ => Err("expected NAME=COMMAND".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_flags_are_parsed() {
        assert_eq!(duration("5s"), Ok(Duration::from_secs(5)));
        assert_eq!(duration("2"), Ok(Duration::from_secs(2)));
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("2m"), Ok(Duration::from_mins(2)));
        for invalid in ["", "s", "5h", "-1s", "x"] {
            assert!(duration(invalid).is_err(), "{invalid}");
        }
        assert_eq!(percent("2%"), Ok(0.02));
        assert_eq!(percent("0"), Ok(0.0));
        for invalid in ["", "-1%", "two", "inf"] {
            assert!(percent(invalid).is_err(), "{invalid}");
        }
        assert_eq!(name_and_command("sdk=./server -x=1"), Ok(("sdk".to_owned(), "./server -x=1".to_owned())));
        assert!(name_and_command("=x").is_err() && name_and_command("sdk").is_err());
    }
}
