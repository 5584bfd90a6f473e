//! The rounds. Each runs every variant once, in a process of its own with a warm-up and a window.
//!
//! The order changes from round to round, so that drift (heat, other programs) affects all variants
//! alike, and so that no variant always follows the same one. A process that does not start, or
//! ends early, ends the comparison. No run is repeated because of its figures.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::account::Account;
use super::run::Run;
use super::target;
use crate::options::Options;
use crate::setup::patching::{self, Patched};
use crate::setup::variants::{self, LeftOut, Program, Variant};
use crate::template::{Template, Values};

/// Everything that the runs need.
pub(crate) struct Bench<'a> {
    /// The options.
    pub(crate) options: &'a Options,
    /// The variants, the original first.
    pub(crate) variants: Vec<Variant>,
    /// The variants that cannot run here.
    pub(crate) left_out: Vec<LeftOut>,
    /// The patched program.
    pub(crate) patched: Patched,
    folder: tempfile::TempDir,
}

impl<'a> Bench<'a> {
    /// Patches the program and chooses the variants.
    pub(crate) fn prepare(options: &'a Options) -> Result<Self> {
        let folder =
            tempfile::Builder::new().prefix("gopatch-ab-").tempdir().context("cannot create a temporary folder")?;
        let patched = patching::prepare(options, folder.path())?;
        tracing::info!("{}", patched.description);
        let (variants, left_out) = variants::choose(options, folder.path())?;
        for name in &options.gate_variants {
            let known = variants.iter().any(|variant| variant.name == *name);
            ensure!(known, "--gate-variant {name}: this comparison has no such variant");
        }
        Ok(Self { options, variants, left_out, patched, folder })
    }

    /// Runs all rounds.
    pub(crate) fn run_all(&self) -> Result<Vec<Run>> {
        let (options, runs) = (self.options, self.variants.len() as u32 * self.options.rounds);
        // Starting and stopping takes about a second.
        let seconds = (options.warm_up + options.duration + Duration::from_secs(1)).as_secs_f64() * f64::from(runs);
        tracing::info!(
            "{} variants, {} rounds: about {:.0} minutes",
            self.variants.len(),
            options.rounds,
            (seconds / 60.0).ceil()
        );
        let mut runs = Vec::new();
        for round in 1..=self.options.rounds {
            for index in order(round as usize - 1, self.variants.len()) {
                let variant = &self.variants[index];
                let run =
                    self.run(variant, round).with_context(|| format!("round {round}, variant {}", variant.name))?;
                tracing::info!("round {round} of {}: {}", self.options.rounds, run.progress_line());
                runs.push(run);
            }
        }
        Ok(runs)
    }

    fn run(&self, variant: &Variant, round: u32) -> Result<Run> {
        let (options, folder) = (self.options, self.folder.path());
        let values = Values::new(options.url.as_deref())?;
        let words = self.command(variant, &values)?;
        let socket = folder.join("gopatchd.sock");

        let companion = variant.companion.as_ref();
        let before = companion.map(|companion| companion.start_before(folder, &socket, &values)).transpose()?.flatten();
        let mut program = target::start(options, &words, &values, folder, &socket)?;
        let values = values.with_pid(program.pid());
        let after = companion.map(|companion| companion.start_after(folder, &values)).transpose()?.flatten();
        let collector = before.or(after);

        let mut warm_up_requests = None;
        if !options.warm_up.is_zero() {
            let report = options.load.run(&values, options.warm_up, folder).context("warm-up")?;
            warm_up_requests = report.requests.map(|requests| requests + report.errors.unwrap_or(0));
        }
        let measured = (|| {
            let read_accounts = || -> Result<_> {
                let collector = collector.as_ref().map(|collector| Account::read(collector.pid())).transpose()?;
                Ok((Account::read(program.pid())?, collector))
            };
            let before = read_accounts()?;
            let report = options.load.run(&values, options.duration, folder)?;
            let after = read_accounts()?;
            let collector = after.1.zip(before.1).map(|(after, before)| after.since(before));
            anyhow::Ok((report, after.0.since(before.0), collector))
        })();
        let (load, program_usage, collector_usage) = match measured {
            Ok(measured) => measured,
            Err(error) => return Err(error.context(program.with_output("was under load"))),
        };

        program.stop()?;
        let mut collected = None;
        if let Some(collector) = collector {
            collected = collector.stop()?;
        }
        if let (true, Some(summary)) = (variant.is_patched(), &collected) {
            ensure!(summary.sessions > 0, "{}", program.with_output("is patched but did not attach to gopatchd"));
        }
        Ok(Run {
            variant: variant.name.clone(),
            round,
            load,
            warm_up_requests,
            program: program_usage,
            collector: collector_usage,
            collected,
        })
    }

    /// The command that runs a variant's program.
    fn command(&self, variant: &Variant, values: &Values) -> Result<Vec<String>> {
        let with_arguments = |path: &Path| -> Result<Vec<String>> {
            let path = std::path::absolute(path)?.to_str().context("the program's path is not UTF-8")?.to_owned();
            Ok(std::iter::once(path).chain(self.options.arguments.fill(values)).collect())
        };
        match &variant.program {
            Program::Original => with_arguments(&self.options.original),
            Program::Patched => with_arguments(&self.patched.path),
            Program::Copy(path) => with_arguments(path),
            Program::Other(command) => Ok(Template::fill(command, values)),
        }
    }
}

/// The order of one round: rotated by one every two rounds, and reversed in every second.
fn order(round: usize, variants: usize) -> Vec<usize> {
    let mut order: Vec<usize> = (0..variants).collect();
    order.rotate_left(round / 2 % variants.max(1));
    if round % 2 == 1 {
        order.reverse();
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_round_runs_every_variant_once_and_the_first_one_changes() {
        let mut first = Vec::new();
        for round in 0..10 {
            let mut order = order(round, 5);
            first.push(order[0]);
            order.sort_unstable();
            assert_eq!(order, [0, 1, 2, 3, 4]);
        }
        first.sort_unstable();
        assert_eq!(first, [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
    }
}
