//! The command line of `gopatchd ab`.
//!
//! Decides: flags, their defaults, and what does not go together.
//! Trusts: nothing; numbers, names and placeholders are checked here.
//! Never does: open a file.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Result, bail, ensure};
use clap::{ArgGroup, Args};

use crate::limits::{Limit, Limited};
use crate::options::{BuiltIn, Load, Options, Ready, Rules};
use crate::template::Template;
use crate::url;

/// What `gopatchd ab` takes.
#[derive(Debug, Args)]
#[command(
    after_help = "{url}, {duration}, {port} and {port2} (free ports of loopback, others for each run) are replaced in ARGUMENTS, \
                  --url, --ready-*, --load, --also, --sink and --agent; {pid}, the program's, in --agent.\n\n\
                  Exit status: 0: measured, and every limit held; 1: a limit was exceeded beyond the noise, or requests \
                  failed; 2: it could not be measured, or a limit could not be judged."
)]
#[command(group = ArgGroup::new("ready").args(["ready_url", "ready_tcp", "ready_line"]))]
pub struct AbArgs {
    /// The program as it was built
    original: PathBuf,

    /// Its arguments
    #[arg(last = true)]
    arguments: Vec<String>,

    /// The program patched. Without this, it is patched here, into a temporary folder
    #[arg(long, value_name = "FILE")]
    patched: Option<PathBuf>,

    /// Rules besides the default ones, for the patch and the uprobes
    #[arg(long, value_name = "FILE")]
    rules: Vec<PathBuf>,

    /// Leave the default rules out
    #[arg(long)]
    no_default_rules: bool,

    /// What is asked under load
    #[arg(long)]
    url: Option<String>,

    /// Ready when this URL answers, with whatever status. The default is that --url's host accepts connections
    #[arg(long, value_name = "URL")]
    ready_url: Option<String>,

    /// Ready when this address accepts connections
    #[arg(long, value_name = "HOST:PORT")]
    ready_tcp: Option<String>,

    /// Ready when a line of its output has this text
    #[arg(long, value_name = "TEXT")]
    ready_line: Option<String>,

    /// Longest wait until the program is ready
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = duration)]
    ready_within: Duration,

    /// Command that puts the program under load for {duration}. Without this, the built-in HTTP client asks --url
    #[arg(long, value_name = "COMMAND")]
    load: Option<String>,

    /// Connections of the built-in load, each with one request in flight
    #[arg(long, value_name = "N", default_value_t = 16, conflicts_with = "load")]
    connections: usize,

    /// Threads of the built-in load
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "load")]
    load_threads: usize,

    /// Requests a second of the built-in load, instead of as many as are answered. Latency then counts from when a
    /// request was due
    #[arg(long, value_name = "N", conflicts_with = "load")]
    rate: Option<f64>,

    /// How often each variant runs. Below 6 the intervals assume that ratios are distributed log-normally
    #[arg(long, value_name = "N", default_value_t = 9, value_parser = clap::value_parser!(u32).range(2..))]
    rounds: u32,

    /// How long each run is measured
    #[arg(long, value_name = "TIME", default_value = "5s", value_parser = duration)]
    duration: Duration,

    /// How long each run is under load before that
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = duration)]
    warm_up: Duration,

    /// Which variants run. The default is all that can run here; those named here must be able to
    #[arg(long, value_name = "NAME,...", value_enum, value_delimiter = ',')]
    variants: Option<Vec<BuiltIn>>,

    /// Another program to compare, such as a build with an SDK
    #[arg(long, value_name = "NAME=COMMAND", value_parser = named)]
    also: Vec<(String, String)>,

    /// An agent to run beside the original, such as another tool's; started when the program is ready
    #[arg(long, value_name = "NAME=COMMAND", value_parser = named)]
    agent: Vec<(String, String)>,

    /// What the --also program of that name needs, such as what an SDK exports to; started before it, and accounted as
    /// its collector
    #[arg(long, value_name = "NAME=COMMAND", value_parser = named)]
    sink: Vec<(String, String)>,

    /// How long an agent gets to attach, and a sink to start
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = duration)]
    agent_wait: Duration,

    /// Limit: CPU time a request, of program and collector together, over the original's
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    max_cpu_overhead: Option<f64>,

    /// Limit: 99th percentile of latency over the original's
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    max_latency_p99_overhead: Option<f64>,

    /// Limit: throughput below the original's
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    max_throughput_loss: Option<f64>,

    /// Limit: peak memory of program and collector together, over the original's
    #[arg(long, value_name = "PERCENT", value_parser = percent)]
    max_memory_overhead: Option<f64>,

    /// Limit: records lost over all rounds
    #[arg(long, value_name = "N")]
    max_lost: Option<u64>,

    /// The variants that the limits hold for. The default is all patched ones
    #[arg(long, value_name = "NAME,...", value_delimiter = ',')]
    gate_variant: Vec<String>,

    /// Requests may fail: they are shown, and the exit status does not tell
    #[arg(long)]
    allow_errors: bool,

    /// Write all figures of all rounds as JSON; `-` means stdout, in place of the text
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,

    /// Write a report with plots: one file that needs nothing else
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
}

impl AbArgs {
    /// The same as plain options.
    pub(crate) fn into_options(self) -> Result<Options> {
        ensure!(self.connections > 0 && self.load_threads > 0, "a load needs a connection and a thread");
        ensure!(self.rate.is_none_or(|rate| rate.is_finite() && rate > 0.0), "--rate must be above 0");
        ensure!(self.duration >= Duration::from_millis(100), "--duration: give each run 100 ms or more");
        if self.load.is_none() {
            let Some(url) = &self.url else { bail!("give --url for the built-in load, or --load") };
            ensure!(
                url.starts_with("http://"),
                "the built-in load asks http:// URLs, and {url:?} is another; use --load with a tool of your choice"
            );
        }
        if let Some((name, _)) = self.sink.iter().find(|(name, _)| !self.also.iter().any(|(also, _)| also == name)) {
            bail!("--sink {name}: there is no --also of that name");
        }
        let limits = [
            (self.max_cpu_overhead, Limited::Cpu),
            (self.max_latency_p99_overhead, Limited::LatencyP99),
            (self.max_throughput_loss, Limited::Throughput),
            (self.max_memory_overhead, Limited::Memory),
            (self.max_lost.map(|count| count as f64), Limited::Lost),
        ];
        let limits = limits.into_iter().filter_map(|(at_most, what)| Some(Limit { what, at_most: at_most? })).collect();
        let url = self.url.as_deref();
        let ready = match (self.ready_url, self.ready_tcp, self.ready_line) {
            (Some(url), _, _) => Ready::Url(url),
            (_, Some(address), _) => Ready::Tcp(address),
            (_, _, Some(text)) => Ready::Line(text),
            _ => match url {
                Some(url) => Ready::Tcp(url::address_of(url)?),
                None => bail!("how is one to know that the program is ready? Give --url, or one of --ready-*"),
            },
        };
        let load = match &self.load {
            Some(command) => Load::Command(Template::of_command("--load", command)?),
            None => Load::Http { connections: self.connections, threads: self.load_threads, rate: self.rate },
        };
        let commands = |flag: &str, named: &[(String, String)]| {
            let of = |(name, command): &(String, String)| Ok((name.clone(), Template::of_command(flag, command)?));
            named.iter().map(of).collect::<Result<Vec<_>>>()
        };
        Ok(Options {
            also: commands("--also", &self.also)?,
            agents: commands("--agent", &self.agent)?,
            sinks: commands("--sink", &self.sink)?,
            original: self.original,
            arguments: Template::of_words(self.arguments),
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

/// `5s`, `500ms`, `2m`, or a number of seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let unit_at = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let seconds = match unit {
        "ms" => 0.001,
        "s" | "" => 1.0,
        "m" => 60.0,
        _ => return Err("not a time such as 5s, 500ms or 2m".to_owned()),
    };
    let number: f64 = number.parse().map_err(|_| "not a time such as 5s, 500ms or 2m".to_owned())?;
    Duration::try_from_secs_f64(number * seconds)
        .map(|time| Duration::from_millis(time.as_millis() as u64))
        .map_err(|error| error.to_string())
}

/// `2%` or `2`, as a part of 1.
fn percent(text: &str) -> Result<f64, String> {
    let number: f64 =
        text.strip_suffix('%').unwrap_or(text).trim().parse().map_err(|_| "not a percentage".to_owned())?;
    if number.is_finite() && number >= 0.0 {
        Ok(number / 100.0)
    } else {
        Err("not a percentage of 0 or more".to_owned())
    }
}

/// `NAME=COMMAND`.
fn named(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, command)) if !name.trim().is_empty() && !command.trim().is_empty() => {
            Ok((name.trim().to_owned(), command.to_owned()))
        }
        _ => Err("not NAME=COMMAND".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_percentages() {
        assert_eq!(duration("5s"), Ok(Duration::from_secs(5)));
        assert_eq!(duration("2"), Ok(Duration::from_secs(2)));
        assert_eq!(duration("1.5s"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("250ms"), Ok(Duration::from_millis(250)));
        assert_eq!(duration("2m"), Ok(Duration::from_mins(2)));
        for bad in ["", "s", "5h", "-1s", "x"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
        assert_eq!(percent("2%"), Ok(0.02));
        assert_eq!(percent("0"), Ok(0.0));
        for bad in ["", "-1%", "two", "inf"] {
            assert!(percent(bad).is_err(), "{bad}");
        }
        assert_eq!(named("sdk=./server -x=1"), Ok(("sdk".to_owned(), "./server -x=1".to_owned())));
        assert!(named("=x").is_err() && named("sdk").is_err());
    }
}
