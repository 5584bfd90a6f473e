//! The variants to compare.
//!
//! A variant that the user named and that cannot run here is an error; any other that cannot run is
//! left out, and every report says so. To find out, each collector is started once before anything
//! is measured.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use super::collector::{self, Companion};
use crate::options::{BuiltIn, Options};
use crate::template::{Template, Values};

/// The variant that the others are compared with.
pub(crate) const ORIGINAL: &str = "original";

/// The same variant again, which shows the noise.
pub(crate) const ORIGINAL_AGAIN: &str = "original (again)";

/// A program and what runs alongside.
#[derive(Debug)]
pub(crate) struct Variant {
    /// Its name.
    pub(crate) name: String,
    /// What it is, in words.
    pub(crate) description: &'static str,
    /// The program's command.
    pub(crate) program: Program,
    /// What runs alongside.
    pub(crate) companion: Option<Companion>,
}

/// A program's command.
#[derive(Debug)]
pub(crate) enum Program {
    /// The unpatched program.
    Original,
    /// The patched program.
    Patched,
    /// A copy of the unpatched program that nothing else runs.
    Copy(PathBuf),
    /// Another program.
    Other(Template),
}

/// A variant that cannot run here.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct LeftOut {
    /// Its name.
    pub(crate) name: String,
    /// Why it cannot run.
    pub(crate) reason: String,
}

impl Variant {
    /// Whether the limits apply to this variant by default.
    pub(crate) fn is_patched(&self) -> bool {
        matches!(self.program, Program::Patched)
    }
}

/// All variants that can run, the original first, and those that cannot.
pub(crate) fn choose(options: &Options, folder: &Path) -> Result<(Vec<Variant>, Vec<LeftOut>)> {
    let original = |name: &str, description| Variant {
        name: name.to_owned(),
        description,
        program: Program::Original,
        companion: None,
    };
    let mut variants =
        vec![original(ORIGINAL, "unpatched"), original(ORIGINAL_AGAIN, "unpatched, a second time: shows the noise")];
    let mut left_out = Vec::new();
    for built_in in [BuiltIn::Inert, BuiltIn::Bpf, BuiltIn::Memfd, BuiltIn::Uprobes] {
        if options.variants.as_ref().is_some_and(|chosen| !chosen.contains(&built_in)) {
            continue;
        }
        let variant = built_in_variant(built_in, options, folder)?;
        match try_companion(&variant, folder) {
            Ok(()) => variants.push(variant),
            Err(error) if options.variants.is_none() => {
                // The rest is the collector's output, which starting it by hand shows too.
                let reason: Vec<_> = format!("{error:#}").lines().take(2).map(|line| line.trim().to_owned()).collect();
                let reason = reason.join(" ");
                tracing::info!("LEFT OUT: variant {}: {reason}", variant.name);
                left_out.push(LeftOut { name: variant.name, reason });
            }
            Err(error) => return Err(error).with_context(|| format!("variant {} cannot run here", variant.name)),
        }
    }
    for (name, command) in &options.also {
        let sink = options.sinks.iter().find(|(program, _)| program == name);
        let companion = sink.map(|(_, command)| Companion::Sink(command.clone(), options.agent_wait));
        let program = Program::Other(command.clone());
        variants.push(Variant { name: name.clone(), description: "another program", program, companion });
    }
    for (name, command) in &options.agents {
        let companion = Some(Companion::Agent(command.clone(), options.agent_wait));
        let description = "unpatched, with another tool's agent";
        variants.push(Variant { name: name.clone(), description, program: Program::Original, companion });
    }
    for (index, variant) in variants.iter().enumerate() {
        let earlier = &variants[..index];
        ensure!(earlier.iter().all(|other| other.name != variant.name), "two variants are named {:?}", variant.name);
    }
    Ok((variants, left_out))
}

fn built_in_variant(built_in: BuiltIn, options: &Options, folder: &Path) -> Result<Variant> {
    let daemon = |backend| Some(Companion::Daemon(backend));
    let (name, description, program, companion) = match built_in {
        BuiltIn::Original => (ORIGINAL, "unpatched", Program::Original, None),
        BuiltIn::Inert => ("inert", "patched, without a collector", Program::Patched, None),
        BuiltIn::Bpf => ("bpf", "patched, collected through BPF ring buffers", Program::Patched, daemon("bpf")),
        BuiltIn::Memfd => ("memfd", "patched, collected through shared memory", Program::Patched, daemon("memfd")),
        BuiltIn::Uprobes => {
            let rules = collector::rule_flags(&options.rules);
            // Uprobes fire in every process that runs the file, for instance in a load that is the
            // same program.
            let copy = folder.join("probed");
            fs::copy(&options.original, &copy).with_context(|| format!("cannot write {}", copy.display()))?;
            let companion = Companion::Uprobes { original: copy.clone(), rules };
            ("uprobes", "unpatched, with uprobes that record the same data", Program::Copy(copy), Some(companion))
        }
    };
    Ok(Variant { name: name.to_owned(), description, program, companion })
}

/// Starts and stops the variant's collector.
fn try_companion(variant: &Variant, folder: &Path) -> Result<()> {
    if let Some(companion) = &variant.companion
        && let Some(collector) =
            companion.start_before(&folder.join("try"), &folder.join("try.sock"), &Values::new(None)?)?
    {
        collector.stop()?;
    }
    Ok(())
}
