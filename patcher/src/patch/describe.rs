//! Describes what was done: the parts of the manifest and of the report.
//!
//! Decides: nothing. Everything here was decided by an earlier phase.

use gopatch_protocol::manifest::{self, At};
use gopatch_trampolines::plan::SigPanic;

use crate::layout::Layout;
use crate::report::{FunctionReport, InputReport, OutputReport, RuleReport, TrailingReport};
use crate::types::Origin;
use crate::write::NO_DIGEST;

use super::emission::Emission;
use super::hooks::Hook;
use super::matching::Match;
use super::{Executable, Options, digest};

/// The input, as the manifest names it; its digest is still to come.
pub(super) fn input(program: &Executable<'_>) -> manifest::Input {
    let build_info = &program.go.build_info;
    manifest::Input {
        sha256: NO_DIGEST.to_owned(),
        size: program.elf.data().len() as u64,
        go_version: build_info.go_version.clone(),
        main_package: build_info.main_package.clone(),
        main_version: build_info.main_module.as_ref().map(|module| module.version.clone()),
        vcs_revision: build_info.setting("vcs.revision").map(str::to_owned),
        vcs_modified: build_info.setting("vcs.modified") == Some("true"),
    }
}

/// The emitted code, as the manifest names it.
pub(super) fn code(
    emission: &Emission<'_>,
    layout: &Layout,
    offset: usize,
    sigpanic: Option<SigPanic>,
) -> manifest::Code {
    manifest::Code {
        va: layout.code_va().0,
        offset: offset as u64,
        size: emission.code.len() as u64,
        id_offset: emission.id_offset as u64,
        sha256: digest(&emission.code),
        stub: emission.stub,
        sigpanic: sigpanic.filter(|_| emission.has_guards).map(|it| it.entry),
    }
}

/// The input, as the report names it; its digest is still to come.
pub(super) fn input_report(program: &Executable<'_>, types: Origin, options: &Options) -> InputReport {
    let build_info = &program.go.build_info;
    let trailing = program.elf.trailing_data().len() as u64;
    InputReport {
        path: None,
        size: program.elf.data().len() as u64,
        sha256: String::new(),
        go_version: build_info.go_version.clone(),
        main_package: build_info.main_package.clone(),
        types,
        trailing_data: (trailing > 0).then_some(TrailingReport { bytes: trailing, done: options.trailing_data }),
    }
}

/// The output, as the report names it.
pub(super) fn output_report(size: u64, options: &Options, emission: &Emission<'_>, layout: &Layout) -> OutputReport {
    OutputReport {
        path: None,
        size,
        sha256: None,
        socket: String::from_utf8_lossy(&options.socket).into_owned(),
        code_bytes: emission.code.len() as u64,
        arena_bytes: layout.arena.bytes(),
        lost: Vec::new(),
    }
}

/// A rule, and its functions that are hooked.
pub(super) fn rule_report(matched: &Match<'_>, hooks: &[Hook<'_>]) -> RuleReport {
    let functions = hooks.iter().filter(|hook| std::ptr::eq(hook.rule, matched.rule)).map(function_report);
    RuleReport {
        rule: matched.rule.name.clone(),
        glob: matched.rule.is_glob(),
        left_out: matched.left_out.clone(),
        when: matched.rule.when.as_ref().map(|when| when.text.clone()),
        sample: matched.rule.sample,
        functions: functions.collect(),
    }
}

fn function_report(hook: &Hook<'_>) -> FunctionReport {
    let points = [&hook.enter, &hook.exit].into_iter().flatten();
    FunctionReport {
        name: hook.function.name.to_owned(),
        va: hook.function.start.0,
        entries: hook.sites[At::Enter as usize],
        exits: hook.sites[At::Exit as usize],
        attributes: points.clone().flat_map(|point| &point.captures).map(|c| c.attribute.clone()).collect(),
        left_out: points.flat_map(|point| point.left_out.iter().cloned()).collect(),
        inlined_into: hook.inlined_into.clone(),
        skip: hook.skip.as_ref().map(|skip| skip.shown.clone()),
    }
}
