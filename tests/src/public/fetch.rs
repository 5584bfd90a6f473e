//! Fetches packages by the ordinary clients of their registries, and unpacks them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use xtask::workspace;

use super::Program;

/// An unpacked package.
pub struct Fetched {
    /// Its folder.
    pub folder: PathBuf,
    /// The package and its version.
    pub version: String,
    /// The program.
    pub program: PathBuf,
    /// Folders of libraries that it needs.
    pub libraries: Vec<PathBuf>,
}

impl Fetched {
    /// The program, and the others of its package that it runs.
    pub fn originals(&self, program: &Program) -> Result<Vec<PathBuf>> {
        std::iter::once(&program.file).chain(&program.tools).map(|file| find(&self.folder, file)).collect()
    }
}

/// Fetches a program's package and the libraries that it needs, unless they were fetched before.
/// `None`: this machine cannot.
pub fn fetch(program: &Program) -> Result<Option<Fetched>> {
    let mut folders = Vec::new();
    for from in std::iter::once(&program.from).chain(&program.needs) {
        match unpacked(from) {
            Ok(folder) => folders.push(folder),
            Err(error) => {
                eprintln!("NOT TESTED: {}, as {from} cannot be fetched: {error:#}", program.name);
                return Ok(None);
            }
        }
    }
    let folder = folders.remove(0);
    let found = fs::read_to_string(folder.join("version"))?;
    let executable = find(&folder, &program.file)?;
    for file in std::iter::once(&program.file).chain(&program.tools) {
        // Wheels do not keep the permission to execute.
        fs::set_permissions(find(&folder, file)?, fs::Permissions::from_mode(0o755))?;
    }
    let libraries = folders.iter().flat_map(|folder| LIBRARIES.map(|path| folder.join(path))).collect();
    Ok(Some(Fetched { program: executable, version: found, folder, libraries }))
}

/// Where Debian's packages have libraries.
const LIBRARIES: [&str; 2] = ["usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu"];

/// The folder of an unpacked package, `REGISTRY PACKAGE`.
fn unpacked(from: &str) -> Result<PathBuf> {
    let (registry, package) = from.split_once(' ').context("`from` is REGISTRY PACKAGE")?;
    let folder = workspace::root().join("target/public").join(from.replace([' ', '/', '@'], "-"));
    if !folder.exists() {
        let partial = folder.with_extension("partial");
        if partial.exists() {
            fs::remove_dir_all(&partial)?;
        }
        fs::create_dir_all(&partial)?;
        download(registry, package, &partial)?;
        fs::rename(&partial, &folder)?;
    }
    Ok(folder)
}

/// Fetches and unpacks a package, and writes its version into the file `version`.
fn download(registry: &str, package: &str, folder: &Path) -> Result<()> {
    let run = |command: &mut Command| workspace::output(command.current_dir(folder));
    match registry {
        "debian" => run(Command::new("apt-get").args(["download", "--quiet", package])),
        "pypi" => run(Command::new("python3").args([
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--only-binary",
            ":all:",
            package,
        ])),
        "npm" => run(Command::new("npm").args(["pack", "--silent", package])),
        _ => bail!("no registry {registry:?}"),
    }?;
    let archives = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    let [archive] = &archives[..] else { bail!("{package}: {archives:?} instead of one file") };
    match registry {
        "debian" => run(Command::new("dpkg-deb").arg("-x").arg(archive).arg(".")),
        "pypi" => run(Command::new("python3").args(["-m", "zipfile", "-e"]).arg(archive).arg(".")),
        _ => run(Command::new("tar").arg("xzf").arg(archive)),
    }?;
    let stem = archive.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    // NAME_VERSION_amd64 of Debian, NAME-VERSION-TAGS of PyPI, SCOPE-NAME-VERSION of npm.
    let parts: Vec<_> = stem.split(if registry == "debian" { '_' } else { '-' }).collect();
    let version = match registry {
        "npm" => parts
            .iter()
            .skip_while(|part| !part.starts_with(|one: char| one.is_ascii_digit()))
            .copied()
            .collect::<Vec<_>>()
            .join("-"),
        _ => parts.get(1).copied().unwrap_or_default().replace("%3a", ":"),
    };
    ensure!(!version.is_empty(), "{stem} has no version");
    fs::remove_file(archive)?;
    fs::write(folder.join("version"), version)?;
    Ok(())
}

/// The file at a path in which `*` stands for the rest of one name.
fn find(folder: &Path, path: &str) -> Result<PathBuf> {
    let mut found = folder.to_owned();
    for part in path.split('/') {
        found = match part.split_once('*') {
            None => found.join(part),
            Some((start, end)) => fs::read_dir(&found)?
                .filter_map(|entry| entry.ok().map(|entry| entry.path()))
                .find(|one| {
                    let name = one.file_name().unwrap_or_default().to_string_lossy();
                    name.starts_with(start) && name.ends_with(end)
                })
                .with_context(|| format!("{} has no {part}", found.display()))?,
        };
    }
    ensure!(found.is_file(), "no file {}", found.display());
    Ok(found)
}
