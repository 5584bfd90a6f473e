//! What is compared.
//!
//! Decides: which variants can run here. One that was asked for by name and cannot is an error; one that was not is left
//! out, and named.
//! Trusts: a try: each collector is started once before anything is measured.
//! Never does: leave something out in silence.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use crate::options::{BuiltIn, Options};
use crate::setup::collector::{self, Beside};
use crate::template::{Template, Values};

/// The first variant of each round, which the others are compared with.
pub(crate) const ORIGINAL: &str = "original";

/// The same once more, for the noise.
pub(crate) const AGAIN: &str = "original (again)";

/// A program, and what runs beside it.
#[derive(Debug)]
pub(crate) struct Variant {
    /// Its name.
    pub(crate) name: String,
    /// What it is, in words.
    pub(crate) what: &'static str,
    /// The program's command.
    pub(crate) program: Program,
    /// What runs beside.
    pub(crate) beside: Option<Beside>,
}

/// A program's command.
#[derive(Debug)]
pub(crate) enum Program {
    /// The program as it was built.
    Original,
    /// Patched.
    Patched,
    /// A copy of the program as it was built, which nobody else runs.
    Copy(PathBuf),
    /// Another.
    Other(Template),
}

/// A variant that cannot run here.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct LeftOut {
    /// Its name.
    pub(crate) name: String,
    /// Why.
    pub(crate) reason: String,
}

impl Variant {
    /// Whether the limits hold for it unless the user says otherwise.
    pub(crate) fn is_patched(&self) -> bool {
        matches!(self.program, Program::Patched)
    }
}

/// All variants that can run, the original first, and those that cannot.
pub(crate) fn choose(options: &Options, folder: &Path) -> Result<(Vec<Variant>, Vec<LeftOut>)> {
    let plain = |name: &str, what| Variant { name: name.to_owned(), what, program: Program::Original, beside: None };
    let mut variants =
        vec![plain(ORIGINAL, "as it was built"), plain(AGAIN, "the same once more: how large is the noise?")];
    let mut left_out = Vec::new();
    for built_in in [BuiltIn::Inert, BuiltIn::Bpf, BuiltIn::Memfd, BuiltIn::Uprobes] {
        if options.variants.as_ref().is_some_and(|asked| !asked.contains(&built_in)) {
            continue;
        }
        let variant = of(built_in, options, folder)?;
        match can_run(&variant, folder) {
            Ok(()) => variants.push(variant),
            Err(error) if options.variants.is_none() => {
                // What a collector says beyond that, one can see by starting it.
                let reason: Vec<_> = format!("{error:#}").lines().take(2).map(|line| line.trim().to_owned()).collect();
                let reason = reason.join(" ");
                tracing::info!("LEFT OUT: variant {}: {reason}", variant.name);
                left_out.push(LeftOut { name: variant.name, reason });
            }
            Err(error) => return Err(error).with_context(|| format!("variant {} cannot run here", variant.name)),
        }
    }
    for (name, command) in &options.also {
        let sink = options.sinks.iter().find(|(of, _)| of == name);
        let beside = sink.map(|(_, command)| Beside::Sink(command.clone(), options.agent_wait));
        let program = Program::Other(command.clone());
        variants.push(Variant { name: name.clone(), what: "another program", program, beside });
    }
    for (name, command) in &options.agents {
        let beside = Some(Beside::Agent(command.clone(), options.agent_wait));
        let what = "as it was built, beside another agent";
        variants.push(Variant { name: name.clone(), what, program: Program::Original, beside });
    }
    for (index, variant) in variants.iter().enumerate() {
        let earlier = &variants[..index];
        ensure!(earlier.iter().all(|other| other.name != variant.name), "two variants are named {:?}", variant.name);
    }
    Ok((variants, left_out))
}

fn of(built_in: BuiltIn, options: &Options, folder: &Path) -> Result<Variant> {
    let (name, what, program, beside) = match built_in {
        BuiltIn::Original => (ORIGINAL, "as it was built", Program::Original, None),
        BuiltIn::Inert => ("inert", "patched, and nobody listens", Program::Patched, None),
        BuiltIn::Bpf => {
            ("bpf", "patched, collected through BPF ring buffers", Program::Patched, Some(Beside::Daemon("bpf")))
        }
        BuiltIn::Memfd => {
            ("memfd", "patched, collected through shared memory", Program::Patched, Some(Beside::Daemon("memfd")))
        }
        BuiltIn::Uprobes => {
            let rules = collector::rule_flags(&options.rules);
            // Whoever else runs the file, such as a load that is the same program, would be probed too.
            let copy = folder.join("probed");
            fs::copy(&options.original, &copy).with_context(|| format!("cannot write {}", copy.display()))?;
            let beside = Beside::Uprobes { original: copy.clone(), rules };
            ("uprobes", "as it was built, with uprobes that record the same", Program::Copy(copy), Some(beside))
        }
    };
    Ok(Variant { name: name.to_owned(), what, program, beside })
}

fn can_run(variant: &Variant, folder: &Path) -> Result<()> {
    if let Some(beside) = &variant.beside
        && let Some(collector) =
            beside.start_before(&folder.join("try"), &folder.join("try.sock"), &Values::new(None)?)?
    {
        collector.stop()?;
    }
    Ok(())
}
