//! Patches the program, as the command `gopatch` does.
//!
//! Decides: that a patch which hooks nothing is not worth measuring.
//! Trusts: the library, whose output is verified against the input.
//! Never does: write anywhere but to the comparison's own folder.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use gopatch::{patch, patched_file, rules, verify};
use gopatch_protocol::wire::DEFAULT_SOCKET;

use crate::options::{Options, Rules};

/// The program patched, and what that did.
#[derive(Debug)]
pub(crate) struct Patched {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// In words.
    pub(crate) what: String,
}

/// Takes the user's patched program, or patches the original.
pub(crate) fn patched(options: &Options, folder: &Path) -> Result<Patched> {
    let original = read(&options.original)?;
    ensure!(
        !patched_file::is_patched(&original),
        "{} is patched already: give the program as it was built, and this one as --patched",
        options.original.display()
    );
    if let Some(path) = &options.patched {
        let manifest = verify::verify(&read(path)?, Some(&original))
            .with_context(|| format!("{} is not {}, patched", path.display(), options.original.display()))?;
        let what = format!("{}: {} sites are hooked", path.display(), manifest.sites.len());
        return Ok(Patched { path: path.clone(), what });
    }
    let about = || options.original.display().to_string();
    let asked = patch::Options { rules: sources(&options.rules)?, socket: DEFAULT_SOCKET.into(), symbols: false };
    let patched = patch::patch(&original, &asked).with_context(about)?;
    let output = patched.output.to_vec();
    verify::verify(&output, Some(&original)).with_context(about)?;
    let (hooked, refused) = (patched.report.hooked(), patched.report.missing());
    ensure!(hooked > 0, "{}: these rules hook nothing in it, so there is nothing to compare", about());
    let path = folder.join("patched");
    fs::write(&path, output).with_context(|| format!("cannot write {}", path.display()))?;
    fs::set_permissions(&path, Permissions::from_mode(0o755))?;
    let go = &patched.report.input.go_version;
    Ok(Patched { path, what: format!("{} ({go}): {hooked} sites are hooked, {refused} are refused", about()) })
}

fn sources(rules: &Rules) -> Result<Vec<rules::Source>> {
    let default = rules.default.then(rules::Source::default_rules);
    let files = rules.files.iter().map(|path| {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read rules {}", path.display()))?;
        Ok(rules::Source { name: path.display().to_string(), text })
    });
    default.into_iter().map(Ok).chain(files).collect()
}

fn read(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}
