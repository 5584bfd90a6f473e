//! The provenance of an output: an in-toto Statement v1 with SLSA's provenance v1 as its predicate.
//!
//! Decides: what of a run the statement has: everything that determines the output's bytes, by
//! digest, and nothing else.
//! Trusts: the report's digests of the files read and written.
//! Never does: sign (that is for cosign or another tool with the pipeline's key), or record when or
//! where it ran. The same input and options give the same bytes, so a second run elsewhere can
//! prove the first.

use std::path::Path;

use gopatch_protocol::manifest::to_hex;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::patch::{Options, rules_digest};
use crate::report::Report;

/// Type of the statement.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// Type of its predicate.
pub const PREDICATE_TYPE: &str = "https://slsa.dev/provenance/v1";
/// Identifies what was done and what the parameters mean; see docs/hardening.md.
pub const BUILD_TYPE: &str = "urn:gopatch:build-type:patch:v1";
/// The builder: the command itself. The owner of the machine that it ran on signs the statement.
pub const BUILDER_ID: &str = "urn:gopatch:builder:command";

/// The statement for a run; `None` when the report lacks the files' paths or the output's digest.
pub fn statement(report: &Report, options: &Options) -> Option<Value> {
    let output = file(report.output.path.as_deref()?, report.output.sha256.as_deref()?);
    let input = file(report.input.path.as_deref()?, &report.input.sha256);
    let rules = options.rules.iter().map(|source| file(&source.name, &to_hex(&Sha256::digest(&source.text))));
    let rules: Vec<_> = rules.collect();
    let names: Vec<_> = rules.iter().map(|file| &file["name"]).collect();
    let dependencies: Vec<_> = std::iter::once(&input).chain(&rules).collect();
    Some(json!({
        "_type": STATEMENT_TYPE,
        "subject": [output],
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    "input": input["name"],
                    "rules": names,
                    "rulesSha256": rules_digest(options),
                    "socket": String::from_utf8_lossy(&options.socket),
                    "attach": report.attach.mode,
                    "symbols": options.symbols,
                    "trailingData": options.trailing_data,
                },
                "resolvedDependencies": dependencies,
            },
            "runDetails": {
                "builder": { "id": BUILDER_ID, "version": { "gopatch": env!("CARGO_PKG_VERSION") } },
            },
        },
    }))
}

/// A file by name and digest, without its folder, which does not matter to the output.
fn file(path: &str, sha256: &str) -> Value {
    let name = Path::new(path).file_name().map_or_else(|| path.into(), |name| name.to_string_lossy());
    json!({ "name": name, "digest": { "sha256": sha256 } })
}
