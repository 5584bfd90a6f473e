//! The rounds: each runs every variant once.
//!
//! Decides: the order. It is another one in each round, so that what drifts (heat, other programs) hits all variants
//! alike, and who comes after whom changes too. Every run has a process of its own, a warm-up, and a window.
//! Trusts: nothing; a run in which something did not start, ended, or was not heard of ends the comparison.
//! Never does: repeat a run because its figures look odd.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::measure::account::Account;
use crate::measure::run::Run;
use crate::measure::target;
use crate::options::Options;
use crate::setup::patching::{self, Patched};
use crate::setup::variants::{self, LeftOut, Program, Variant};
use crate::template::{Template, Values};

/// All that is needed for the runs.
pub(crate) struct Bench<'a> {
    /// What was asked for.
    pub(crate) options: &'a Options,
    /// What is compared, the original first.
    pub(crate) variants: Vec<Variant>,
    /// What is not.
    pub(crate) left_out: Vec<LeftOut>,
    /// The program patched.
    pub(crate) patched: Patched,
    folder: tempfile::TempDir,
}

impl<'a> Bench<'a> {
    /// Patches, and finds out what can run here.
    pub(crate) fn prepare(options: &'a Options) -> Result<Self> {
        let folder =
            tempfile::Builder::new().prefix("gopatch-ab-").tempdir().context("cannot make a temporary folder")?;
        let patched = patching::patched(options, folder.path())?;
        tracing::info!("{}", patched.what);
        let (variants, left_out) = variants::choose(options, folder.path())?;
        for name in &options.gate_variants {
            let known = variants.iter().any(|variant| variant.name == *name);
            ensure!(known, "--gate-variant: there is no variant {name:?} in this run");
        }
        Ok(Self { options, variants, left_out, patched, folder })
    }

    /// Runs everything.
    pub(crate) fn run_all(&self) -> Result<Vec<Run>> {
        let (options, runs) = (self.options, self.variants.len() as u32 * self.options.rounds);
        // About a second goes into starting and stopping.
        let minutes =
            (options.warm_up + options.duration + Duration::from_secs(1)).as_secs_f64() * f64::from(runs) / 60.0;
        tracing::info!(
            "{} variants, {} rounds: about {:.0} minutes",
            self.variants.len(),
            options.rounds,
            minutes.ceil()
        );
        let mut runs = Vec::new();
        for round in 1..=self.options.rounds {
            for index in order(round as usize - 1, self.variants.len()) {
                let variant = &self.variants[index];
                let run =
                    self.run(variant, round).with_context(|| format!("round {round}, variant {}", variant.name))?;
                tracing::info!("round {round} of {}: {}", self.options.rounds, run.line());
                runs.push(run);
            }
        }
        Ok(runs)
    }

    fn run(&self, variant: &Variant, round: u32) -> Result<Run> {
        let (options, folder) = (self.options, self.folder.path());
        let values = Values::new(options.url.as_deref())?;
        let words = self.words(variant, &values)?;
        let socket = folder.join("gopatchd.sock");

        let beside = variant.beside.as_ref();
        let before = beside.map(|beside| beside.start_before(folder, &socket, &values)).transpose()?.flatten();
        let mut program = target::start(options, &words, &values, folder, &socket)?;
        let values = values.of_process(program.pid());
        let after = beside.map(|beside| beside.start_after(folder, &values)).transpose()?.flatten();
        let collector = before.or(after);

        let mut warm_up_requests = None;
        if !options.warm_up.is_zero() {
            let told = options.load.run(&values, options.warm_up, folder).context("warm-up")?;
            warm_up_requests = told.requests.map(|requests| requests + told.errors.unwrap_or(0));
        }
        let measured = (|| {
            let account = || -> Result<_> {
                let collector = collector.as_ref().map(|collector| Account::of_group(collector.pid())).transpose()?;
                Ok((Account::of_group(program.pid())?, collector))
            };
            let earlier = account()?;
            let told = options.load.run(&values, options.duration, folder)?;
            let later = account()?;
            let collector = later.1.zip(earlier.1).map(|(later, earlier)| later.since(earlier));
            anyhow::Ok((told, later.0.since(earlier.0), collector))
        })();
        let (load, used, used_beside) = match measured {
            Ok(measured) => measured,
            Err(error) => return Err(error.context(program.told("was under load"))),
        };

        program.stop()?;
        let mut collected = None;
        if let Some(collector) = collector {
            collected = collector.stop()?;
        }
        if let (true, Some(summary)) = (variant.is_patched(), &collected) {
            ensure!(summary.sessions > 0, "{}", program.told("was patched and did not find its gopatchd"));
        }
        Ok(Run {
            variant: variant.name.clone(),
            round,
            load,
            warm_up_requests,
            program: used,
            collector: used_beside,
            collected,
        })
    }

    fn words(&self, variant: &Variant, values: &Values) -> Result<Vec<String>> {
        let of_file = |path: &Path| -> Result<Vec<String>> {
            let path = std::path::absolute(path)?.to_str().context("the program's path is not UTF-8")?.to_owned();
            Ok(std::iter::once(path).chain(self.options.arguments.filled(values)).collect())
        };
        match &variant.program {
            Program::Original => of_file(&self.options.original),
            Program::Patched => of_file(&self.patched.path),
            Program::Copy(path) => of_file(path),
            Program::Other(command) => Ok(Template::filled(command, values)),
        }
    }
}

/// The order of one round: rotated by one each round, and every second round backward.
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
    fn each_round_runs_every_variant_once_and_none_is_always_first() {
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
