//! Targets that read text of users: rule files, policies, settings, JSON of the control socket.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use gopatch::patch::{self, Options};
use gopatch::policy::Policy;
use gopatch::rules::{self, Source};
use gopatchd::fuzzing;
use xtask::workspace;

fn source(input: &[u8]) -> Source {
    Source { name: "file.yaml".to_owned(), text: String::from_utf8_lossy(input).into_owned() }
}

/// A rule file.
pub(crate) fn rules(input: &[u8]) {
    let source = source(input);
    if let Err(error) = rules::parse(&source) {
        assert!(!error.to_string().is_empty(), "an error says what is wrong");
    }
    let _ = patch::read_rules(&Options::new(vec![source]));
}

/// A policy.
pub(crate) fn policy(input: &[u8]) {
    let _ = Policy::parse(&source(input));
}

/// A settings file, or the value of a variable.
pub(crate) fn settings(input: &[u8]) {
    fuzzing::settings(&String::from_utf8_lossy(input));
}

/// A request or an answer of the control socket.
pub(crate) fn control(input: &[u8]) {
    fuzzing::request(input);
    fuzzing::answer(input);
}

/// The default rules one by one, the examples of the reference, and the rules of the tests.
pub(crate) fn rule_files() -> Result<Vec<Vec<u8>>> {
    let all = rules::DEFAULT;
    let mut files: Vec<Vec<u8>> =
        all.split("\n  - ").skip(1).map(|rule| format!("rules:\n  - {rule}\n").into_bytes()).collect();
    files.push(all.into());
    files.extend(examples("docs/rules.md")?);
    files.extend(examples("docs/hardening.md")?);
    let folder = workspace::root().join("tests/bench");
    for name in ["entry", "pair", "sampled", "strings", "text"] {
        files.push(read(&folder.join(name).with_extension("yaml"))?);
    }
    Ok(files)
}

/// The examples of the documents.
pub(crate) fn policies() -> Result<Vec<Vec<u8>>> {
    let all = "required_rules: [http.server, 'grpc.*']\nrequired_functions: 'main.(*service).charge'\n\
               refused: [no-room]\nskipped: none\ngopatch: '>=0.1, <0.2'\ngo: '>=1.27'\nrules_sha256: ";
    let digest = "ab".repeat(32);
    let mut files = examples("docs/hardening.md")?;
    files.push(format!("{all}{digest}\n").into());
    Ok(files)
}

/// The example with all settings, whole and in parts, and those of the documents.
pub(crate) fn settings_files() -> Result<Vec<Vec<u8>>> {
    let example = read(&workspace::root().join("runtime-ebpf/src/config/example.yaml"))?;
    let text = String::from_utf8(example)?;
    let active = text.replace("# ", "");
    let mut files: Vec<Vec<u8>> = active.split("\n\n").map(Into::into).collect();
    files.push(text.into());
    files.extend(examples("docs/operations.md")?);
    files.extend(["http://127.0.0.1:4318/base", "a=b%20c,d=e", "0.25"].map(Into::into));
    Ok(files)
}

/// Requests, and answers of a gopatchd.
pub(crate) fn control_messages() -> Result<Vec<Vec<u8>>> {
    let lost =
        r#"{"total":3,"ring_full":1,"unconsumed":1,"left_by_earlier":1,"slot_busy":0,"output_full":0,"malformed":0}"#;
    let totals = format!(
        r#"{{"operations":9,"unprinted":0,"records":20,"sessions":2,"refused":1,"lost":{lost},"unpaired_exits":1,"evicted_calls":0,"words_missing":0,"broken_rings":0,"unproven_losses":0}}"#
    );
    let rules = r#"[{"name":"http.server","functions":1,"enabled":true,"sample":0.1}]"#;
    let process = format!(
        r#"{{"pid":7,"service":"shop","instance":"i","version":"v1","go_version":"go1.27.4","ended":false,"records":20,"operations":9,"lost":{lost},"rules":{rules}}}"#
    );
    let spans = r#"{"waiting":1,"waiting_bytes":300,"pushed":8,"lost_queue_full":0,"lost_rejected":0}"#;
    let status = format!(
        r#"{{"version":"0.1.0","pid":1,"uptime_seconds":3.5,"backend":"memfd","alive":true,"totals":{totals},"spans":{spans},"processes":[{process}]}}"#
    );
    let operations = r#"[{"pid":7,"instance":"i","service":"shop","rule":"http.server","name":"GET /","count":9,"errors":1,"durations":[[80,8],[160,1]]}]"#;
    let requests =
        [r#"{"rule":"http.server","setting":{"sample":0.1},"pid":7}"#, r#"{"rule":"a","setting":"disable"}"#];
    let all = requests.into_iter().chain([&*status, operations]);
    Ok(all.map(Into::into).collect())
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| path.display().to_string())
}

/// The YAML blocks of a document.
fn examples(document: &str) -> Result<Vec<Vec<u8>>> {
    let text = String::from_utf8(read(&workspace::root().join(document))?)?;
    let blocks = text.split("```yaml").skip(1).filter_map(|rest| rest.split_once('\n')?.1.split("```").next());
    Ok(blocks.map(Into::into).collect())
}
