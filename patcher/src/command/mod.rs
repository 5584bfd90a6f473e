//! The commands. Each returns `Ok(false)` if it did its work, but a site was refused or a policy is
//! not met.
//!
//! Decides: what is printed where. Never does: look into a binary. `cli` has the arguments, `files`
//! reads and writes files, `destination` decides which names they may have, `metadata` keeps what
//! they have besides their bytes.

pub(crate) mod cli;
mod destination;
mod files;
mod metadata;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use anyhow::{Context, anyhow};
use gopatch::patch::{self, Options, PatchError, Patched};
use gopatch::patched_file::is_patched;
use gopatch::policy::Policy;
use gopatch::report::{LostReport, ManifestText, RuleListing};
use gopatch::{prove, provenance, restore, rules, verify};
use gopatch_protocol::manifest;
use gopatch_protocol::recipe::TrailingData;
use sha2::{Digest, Sha256};

use self::cli::{Format, PatchArgs, RuleArgs};
use self::destination::{Destination, Files};
use self::files::{Copying, FileComparison, Input, Pending};

/// Patches a file.
pub(crate) fn patch(args: &PatchArgs) -> anyhow::Result<bool> {
    // The command line requires both without another command.
    let (input_path, output_path) =
        args.input.as_deref().zip(args.output.as_deref()).ok_or_else(|| anyhow!("IN and OUT are required"))?;
    let socket = args.socket.as_os_str().as_encoded_bytes().to_vec();
    let options = Options {
        rules: rule_sources(&args.rules)?,
        socket,
        attach: args.attach.map(Into::into),
        symbols: args.symbols,
        trailing_data: args.trailing_data.into(),
    };
    let places = OutputPlaces::find(args, input_path, output_path)?;
    let input = Input::open(input_path)?;
    let (pending, mut patched) = write_verified(&input, &places.output, &options)?;
    let lost = pending.set_metadata(&input.metadata()?)?;
    let report = &mut patched.report;
    report.input.path = Some(input_path.display().to_string());
    report.output.path = Some(output_path.display().to_string());
    report.output.lost = lost;
    if args.format == Format::Json || args.provenance.is_some() {
        report.output.sha256 = Some(manifest::to_hex(&Sha256::digest(pending.written()?.bytes())));
    }
    let provenance = args.provenance.as_ref().and_then(|_| provenance::statement(report, &options));
    let provenance = provenance.as_ref().map(json).transpose()?;
    let report = match args.format {
        Format::Text => report.text(args.verbose).to_string(),
        Format::Json => json(report)?,
    };
    let texts = [(&places.report, Some(&report)), (&places.provenance, provenance.as_ref())];
    keep_with_texts(pending, texts.into_iter().filter_map(|(place, text)| place.as_ref().zip(text)))?;
    warn_of_lost(output_path, input_path, &patched.report.output.lost);
    if !args.quiet && args.report.is_none() {
        print(&report);
    }
    let refused = patched.report.missing();
    if refused > 0 {
        let sites = if refused == 1 { "1 site was".to_owned() } else { format!("{refused} sites were") };
        eprintln!("gopatch: warning: {}: {sites} refused; the report names each", output_path.display());
    }
    Ok(refused == 0)
}

/// Where the outputs of a run go.
struct OutputPlaces {
    output: PathBuf,
    report: Option<Destination>,
    provenance: Option<Destination>,
}

impl OutputPlaces {
    /// Finds them, and refuses outputs that would overwrite an input or each other.
    fn find(args: &PatchArgs, input: &Path, output: &Path) -> anyhow::Result<Self> {
        let mut files = Files::default();
        files.input("IN", input);
        args.rules.rules.iter().for_each(|path| files.input("a rules file", path));
        let hint = "pass the name of a file to -o; `gopatch inspect` shows what would be hooked and writes nothing";
        let output = Destination::for_executable(output, hint)?;
        files.output("OUT", "-o", &output)?;
        let mut find = |path: &Option<PathBuf>, role, option| {
            let place = path.as_deref().map(Destination::for_text).transpose()?;
            if let Some(Destination::File(path)) = &place {
                files.output(role, option, path)?;
            }
            anyhow::Ok(place)
        };
        let report = find(&args.report, "the report", "--report")?;
        let provenance = find(&args.provenance, "the provenance", "--provenance")?;
        Ok(Self { output, report, provenance })
    }
}

/// Writes texts, and gives them and the output their names once everything is written: a failure
/// before leaves no file.
fn keep_with_texts<'t>(
    output: Pending,
    texts: impl Iterator<Item = (&'t Destination, &'t String)>,
) -> anyhow::Result<()> {
    let mut pending = vec![output];
    let mut streams = Vec::new();
    for (place, text) in texts {
        match place {
            Destination::File(path) => pending.push(Pending::write_text(path, text)?),
            Destination::Stream(path) => streams.push((path, text)),
        }
    }
    for (path, text) in streams {
        destination::write_through(path, text).with_context(|| destination::cannot_write(path))?;
    }
    pending.into_iter().try_for_each(Pending::keep)
}

/// Names what a file has and the one made from it lacks.
fn warn_of_lost(output: &Path, input: &Path, lost: &[LostReport]) {
    for LostReport { what, why } in lost {
        eprintln!("gopatch: warning: {}: lacks the {what} of {}: {why}", output.display(), input.display());
    }
}

/// Writes and verifies an output that does not have its name yet.
fn write_verified<'i>(
    input: &'i Input,
    output_path: &Path,
    options: &Options,
) -> anyhow::Result<(Pending, Patched<'i>)> {
    let input_path = input.path();
    let copying = Copying::start(input, output_path)?;
    let comparison = FileComparison::new(input, copying.pending());
    let patched = thread::scope(|scope| {
        // Most bytes of the output are the input's, with any rules; and its digest takes as long as
        // everything else.
        let digest = scope.spawn(|| copying.digest());
        let plan = patch::plan(input.bytes(), options).map_err(|error| with_input(input_path, error))?;
        copying.finish()?;
        let pending = copying.pending();
        pending.overwrite(plan.overwrites())?;
        // Only the part after the input is still to be written.
        let compared = scope.spawn(|| comparison.run());
        let mut patched = plan.finish(digest.join().expect("the digest does not panic")?);
        let start = Instant::now();
        pending.append(input, &patched.output.tail)?;
        let differences = || Ok([comparison.run()?, compared.join().expect("the comparison does not panic")?].concat());
        verify::verify_written(pending.written()?.bytes(), input.bytes(), differences)
            .map_err(|error| with_input(input_path, error.into()))?;
        patched.report.phases_us.push(("verify", start.elapsed().as_micros() as u64));
        anyhow::Ok(patched)
    })?;
    Ok((copying.into_pending(), patched))
}

/// Checks a file against a policy.
pub(crate) fn judge(path: &Path, policy_path: &Path, format: Format) -> anyhow::Result<bool> {
    let text = std::fs::read_to_string(policy_path)
        .with_context(|| format!("{}: cannot read the policy", policy_path.display()))?;
    let policy = Policy::parse(&rules::Source { name: policy_path.display().to_string(), text })?;
    let file = Input::open(path)?;
    // The manifest of a file that fails verification proves nothing.
    let proved = || prove::prove(file.bytes(), None).with_context(|| path.display().to_string());
    let manifest = is_patched(file.bytes()).then(proved).transpose()?;
    let verdict = policy.judge(manifest.as_ref()).with_context(|| path.display().to_string())?;
    print(&match format {
        Format::Text => verdict.to_string(),
        Format::Json => json(&verdict)?,
    });
    if !verdict.met {
        eprintln!("gopatch: error: {}: does not meet {}", path.display(), policy_path.display());
    }
    Ok(verdict.met)
}

/// Shows what a file hooks, or what would be hooked in it.
pub(crate) fn inspect(path: &Path, rule_args: &RuleArgs, format: Format) -> anyhow::Result<bool> {
    let input = Input::open(path)?;
    let text = if is_patched(input.bytes()) {
        let manifest = match prove::prove(input.bytes(), None) {
            Err(error) if error.is_of_other_gopatch() => {
                eprintln!("gopatch: warning: {}: {error}", path.display());
                verify::verify(input.bytes(), None).map_err(anyhow::Error::from)
            }
            proved => proved.map_err(anyhow::Error::from),
        };
        let manifest = manifest.with_context(|| path.display().to_string())?;
        match format {
            Format::Text => ManifestText(&manifest).to_string(),
            Format::Json => json(&manifest)?,
        }
    } else {
        // The report names data after the ELF file.
        let options = Options { trailing_data: TrailingData::Keep, ..Options::new(rule_sources(rule_args)?) };
        let mut report = patch::patch(input.bytes(), &options).map_err(|error| with_input(path, error))?.report;
        report.input.path = Some(path.display().to_string());
        match format {
            Format::Text => format!("not patched; these rules would hook:\n{}", report.text(true)),
            Format::Json => json(&report)?,
        }
    };
    print(&text);
    Ok(true)
}

/// Checks a patched file.
pub(crate) fn verify(path: &Path, original: Option<&Path>) -> anyhow::Result<bool> {
    let output = Input::open(path)?;
    let original = original.map(Input::open).transpose()?;
    let manifest = prove::prove(output.bytes(), original.as_ref().map(Input::bytes))
        .with_context(|| path.display().to_string())?;
    let input = original.as_ref().map_or_else(|| "the restored input".to_owned(), |it| it.path().display().to_string());
    print(&format!(
        "{}: verified: {} sites lead to their thunks and back; every byte is what {} makes of {input}, sha256 {}\n",
        path.display(),
        manifest.sites.len(),
        manifest.tool,
        manifest.input.sha256
    ));
    Ok(true)
}

/// Restores the input of a patched file.
pub(crate) fn restore(path: &Path, output_path: &Path) -> anyhow::Result<bool> {
    let mut files = Files::default();
    files.input("OUT", path);
    let place = Destination::for_executable(output_path, "pass the name of a file to -o")?;
    files.output("IN", "-o", &place)?;
    let output = Input::open(path)?;
    let input = restore::input_of(output.bytes()).with_context(|| path.display().to_string())?;
    let pending = Pending::write(&place, &input)?;
    let lost = pending.set_metadata(&output.metadata()?)?;
    pending.keep()?;
    warn_of_lost(output_path, path, &lost);
    Ok(true)
}

/// Checks a file of rules, by itself or with a program. A refused site is shown, and is not a
/// failure.
pub(crate) fn check_rules(path: &Path, binary: Option<&Path>) -> anyhow::Result<bool> {
    let options = Options { trailing_data: TrailingData::Keep, ..Options::new(vec![rule_source(path)?]) };
    let rules = patch::read_rules(&options)?.len();
    print(&match binary {
        None => format!("{}: {rules} rules, all valid\n", path.display()),
        Some(binary) => {
            let input = Input::open(binary)?;
            let report = patch::patch(input.bytes(), &options).map_err(|error| with_input(binary, error))?.report;
            format!("these rules would hook:\n{}", report.text(true))
        }
    });
    Ok(true)
}

/// Lists the default rules, and those of a file.
pub(crate) fn list_rules(path: Option<&Path>, format: Format) -> anyhow::Result<bool> {
    let file = path.map(rule_source).transpose()?;
    let sources = std::iter::once(rules::Source::default_rules()).chain(file).collect();
    let rules = patch::read_rules(&Options::new(sources))?;
    let list: Vec<_> = rules.iter().map(RuleListing::from).collect();
    print(&match format {
        Format::Text => list.iter().map(ToString::to_string).collect(),
        Format::Json => json(&list)?,
    });
    Ok(true)
}

/// Prints the schema of rule files.
pub(crate) fn rules_schema() -> anyhow::Result<bool> {
    print(&json(&rules::schema())?);
    Ok(true)
}

/// Names the file that cannot be patched, unless the error is in the rules.
fn with_input(input: &Path, error: PatchError) -> anyhow::Error {
    match error {
        PatchError::Rule(error) => error.into(),
        error => anyhow::Error::from(error).context(input.display().to_string()),
    }
}

fn rule_sources(args: &RuleArgs) -> anyhow::Result<Vec<rules::Source>> {
    let mut sources = Vec::new();
    if !args.no_default_rules {
        sources.push(rules::Source::default_rules());
    }
    for path in &args.rules {
        sources.push(rule_source(path)?);
    }
    Ok(sources)
}

fn rule_source(path: &Path) -> anyhow::Result<rules::Source> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{}: cannot read the rules", path.display()))?;
    Ok(rules::Source { name: path.display().to_string(), text })
}

fn json(value: &impl serde::Serialize) -> anyhow::Result<String> {
    Ok(format!("{}\n", serde_json::to_string_pretty(value)?))
}

/// Prints to standard output. A closed pipe is not an error: the work is done.
fn print(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}
