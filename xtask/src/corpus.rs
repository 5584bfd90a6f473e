//! The corpus: Go programs built with many toolchains and link modes, and a cache of them.
//!
//! A program's name in the cache holds the hash of its sources, its toolchain and its build
//! options, so a stale one is never used. Nothing is built inside the source tree. Two processes
//! that want the same program build it once.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::workspace;

/// Environment variable that moves the cache of built programs.
pub const CACHE_ENV: &str = "GOPATCH_CORPUS_DIR";

/// The programs, and how they are built.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    go: Vec<Go>,
    modes: Vec<Mode>,
    programs: Vec<Program>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Go {
    version: String,
    /// The toolchain's command, if the `go` command on PATH does not fetch it.
    command: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mode {
    name: String,
    cgo: bool,
    flags: Vec<String>,
    /// Environment variables of the build.
    #[serde(default)]
    env: BTreeMap<String, String>,
    /// Arguments of objcopy, which then runs on the built program.
    #[serde(default)]
    objcopy: Vec<String>,
    /// The first Go that has the mode.
    since: Option<String>,
    /// Whether `modes: all` leaves it out.
    #[serde(default)]
    apart: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Program {
    name: String,
    kind: Kind,
    /// The package of a `std-test` or a `module-test`.
    package: Option<String>,
    go: Selection,
    /// The first Go that can build it, where `go` is `all`.
    since: Option<String>,
    modes: Selection,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Program,
    StdTest,
    ModuleTest,
}

impl Kind {
    /// The folder in which a program of this kind is built.
    fn folder(self, name: &str) -> PathBuf {
        match self {
            Self::Program => sources().join(name),
            Self::StdTest => sources(),
            Self::ModuleTest => sources().join("modules"),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Selection {
    Some(Vec<String>),
    All(All),
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum All {
    All,
}

/// One program, toolchain and link mode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// Name of the program.
    pub program: String,
    /// Version of Go, without the `go`.
    pub go: String,
    /// Name of the link mode.
    pub mode: String,
}

impl fmt::Display for Variant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.program, self.go, self.mode)
    }
}

impl Manifest {
    /// Reads `corpus/manifest.yaml`.
    pub fn read() -> Result<Self> {
        let path = sources().join("manifest.yaml");
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let manifest: Self = serde_yaml_ng::from_str(&text).with_context(|| path.display().to_string())?;
        for program in &manifest.programs {
            if let Selection::Some(versions) = &program.go {
                for version in versions {
                    manifest.go(version).with_context(|| format!("{}: program {}", path.display(), program.name))?;
                }
            }
            ensure!(
                (program.kind == Kind::Program) == program.package.is_none(),
                "{}: program {}: a test has a `package`, and a folder of corpus/ has none",
                path.display(),
                program.name
            );
        }
        Ok(manifest)
    }

    /// Every combination, program by program, oldest Go first.
    pub fn variants(&self) -> Vec<Variant> {
        let mut variants = Vec::new();
        for program in &self.programs {
            for go in &self.go {
                variants.extend(self.modes.iter().filter(|mode| program.is_built(go, mode)).map(|mode| Variant {
                    program: program.name.clone(),
                    go: go.version.clone(),
                    mode: mode.name.clone(),
                }));
            }
        }
        variants
    }

    /// The versions of Go, oldest first.
    pub fn go_versions(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.go.iter().map(|go| go.version.as_str())
    }

    /// The `go build` command of a mode, as a person would type it.
    pub fn describe_mode(&self, name: &str) -> Option<String> {
        let mode = self.modes.iter().find(|mode| mode.name == name)?;
        let quoted = |word: &String| if word.contains(' ') { format!("'{word}'") } else { word.clone() };
        let mut words = vec![format!("CGO_ENABLED={}", u8::from(mode.cgo))];
        words.extend(mode.env.iter().map(|(name, value)| format!("{name}={value}")));
        words.push("go build".to_owned());
        words.extend(mode.flags.iter().map(quoted));
        if !mode.objcopy.is_empty() {
            words.push("; objcopy".to_owned());
            words.extend(mode.objcopy.iter().map(quoted));
        }
        Some(words.join(" ").replace(" ;", ";"))
    }

    fn go(&self, version: &str) -> Result<&Go> {
        self.go
            .iter()
            .find(|go| go.version == version)
            .with_context(|| format!("no Go {version:?} in the corpus; there are {}", join_names(self.go_versions())))
    }

    fn plan(&self, program: &str, go: &str, mode: &str) -> Result<Plan<'_>> {
        let program = self.programs.iter().find(|one| one.name == program).with_context(|| {
            format!(
                "no program {program:?} in the corpus; there are {}",
                join_names(self.programs.iter().map(|p| &p.name))
            )
        })?;
        let go = self.go(go)?;
        let mode = self.modes.iter().find(|one| one.name == mode).with_context(|| {
            format!("no link mode {mode:?} in the corpus; there are {}", join_names(self.modes.iter().map(|m| &m.name)))
        })?;
        ensure!(
            program.is_built(go, mode),
            "{} is not built with Go {} as {}; add it in corpus/manifest.yaml",
            program.name,
            go.version,
            mode.name
        );
        Ok(Plan { program, go, mode, folder: program.kind.folder(&program.name) })
    }
}

impl Program {
    fn is_built(&self, go: &Go, mode: &Mode) -> bool {
        let since = [&self.since, &mode.since].into_iter().flatten();
        let is_listed = match &self.modes {
            Selection::All(_) => !mode.apart,
            Selection::Some(_) => self.modes.has(&mode.name),
        };
        self.go.has(&go.version) && is_listed && since.into_iter().all(|since| go.is_since(since))
    }
}

impl Selection {
    fn has(&self, name: &str) -> bool {
        match self {
            Self::All(All::All) => true,
            Self::Some(names) => names.iter().any(|one| one == name),
        }
    }
}

fn numbers(version: &str) -> impl Iterator<Item = Option<u32>> {
    version.split('.').map(|number| number.parse().ok())
}

fn join_names<S: AsRef<str>>(names: impl Iterator<Item = S>) -> String {
    names.map(|name| name.as_ref().to_owned()).collect::<Vec<_>>().join(", ")
}

/// Builds one program, unless it is in the cache, and returns its path.
pub fn build(program: &str, go: &str, mode: &str) -> Result<PathBuf> {
    let manifest = Manifest::read()?;
    manifest.plan(program, go, mode)?.build().with_context(|| format!("cannot build {program} with Go {go} as {mode}"))
}

/// Builds the program `package` of a folder with these `files`, unless it is in the cache, and
/// returns its path. `folder` is a name that no other set of files has; the program's is `name`.
pub fn build_generated(
    name: &str,
    folder: &str,
    package: &str,
    files: &BTreeMap<PathBuf, impl AsRef<[u8]>>,
    go: &str,
    mode: &str,
) -> Result<PathBuf> {
    let manifest = Manifest::read()?;
    let folder = cache().join("generated").join(folder);
    for (path, text) in files {
        let path = folder.join(path);
        // An unchanged file is not written, so that what the Go command has cached of it stays
        // valid.
        if !fs::read(&path).is_ok_and(|old| old == text.as_ref()) {
            fs::create_dir_all(path.parent().unwrap_or(&folder))?;
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    let all = || Selection::All(All::All);
    let package = Some(package.to_owned());
    let program = Program { name: name.to_owned(), kind: Kind::Program, package, go: all(), since: None, modes: all() };
    let mode = manifest.modes.iter().find(|one| one.name == mode).with_context(|| format!("no link mode {mode:?}"))?;
    Plan { program: &program, go: manifest.go(go)?, mode, folder }.build()
}

/// The folder of a tested package's module, or Go's `src`, and the package's folder in it, in which
/// its tests run.
pub fn package_folder(package: &str, go: &str) -> Result<(PathBuf, PathBuf)> {
    let manifest = Manifest::read()?;
    let listed = |program: &&Program| program.package.as_deref() == Some(package);
    let program = manifest.programs.iter().find(listed).with_context(|| format!("no tests of {package:?}"))?;
    let mut command = manifest.go(go)?.command();
    let format = "{{if .Module}}{{.Module.Dir}}{{else}}{{.Root}}/src{{end}}\n{{.Dir}}";
    command.args(["list", "-f", format, package]).current_dir(program.kind.folder(&program.name));
    let printed = workspace::output(&mut command)?;
    let (root, folder) = printed.trim_end().split_once('\n').context("`go list` prints two lines")?;
    let in_root = Path::new(folder).strip_prefix(root).with_context(|| format!("{folder} is not in {root}"))?;
    Ok((PathBuf::from(root), in_root.to_owned()))
}

impl Go {
    fn is_since(&self, version: &str) -> bool {
        numbers(&self.version).ge(numbers(version))
    }

    /// This toolchain's `go` command. Settings of the developer that would change a build are
    /// overridden.
    fn command(&self) -> Command {
        let mut command = Command::new(self.command.as_deref().unwrap_or(Path::new("go")));
        command
            .envs([("GOOS", "linux"), ("GOARCH", "amd64"), ("GOAMD64", "v1"), ("GOWORK", "off"), ("GO111MODULE", "on")])
            .env("GOFLAGS", "-buildvcs=false")
            .env("GOTOOLCHAIN", format!("go{}", self.version))
            .env_remove("GOROOT")
            .env_remove("GODEBUG")
            .env_remove("GOEXPERIMENT");
        command
    }

    /// The toolchain's version line. The wrong toolchain would make every result wrong.
    fn identity(&self) -> Result<String> {
        let mut command = self.command();
        let printed = workspace::output(command.arg("version"))?;
        let version = printed.split_whitespace().nth(2).and_then(|word| word.strip_prefix("go")).unwrap_or_default();
        let patch = version.strip_prefix(&*self.version);
        ensure!(
            patch.is_some_and(|rest| rest.is_empty() || rest.starts_with('.')),
            "`{}` is {:?}, not Go {}\nhint: a `go` of 1.21 or later on PATH fetches the others itself",
            workspace::command_line(&command),
            printed.trim_end(),
            self.version
        );
        Ok(printed)
    }
}

/// How one variant is built.
struct Plan<'a> {
    program: &'a Program,
    go: &'a Go,
    mode: &'a Mode,
    /// The folder of the source.
    folder: PathBuf,
}

impl Plan<'_> {
    fn build(&self) -> Result<PathBuf> {
        let identity = self.go.identity()?;
        let folder = cache();
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let built = folder.join(format!(
            "{}-{}-{}-{}",
            self.program.name,
            self.go.version,
            self.mode.name,
            self.key(&identity)?
        ));
        // The kernel releases the lock when the process ends, however it ends.
        let lock_path = built.with_added_extension("lock");
        let lock = File::create(&lock_path).with_context(|| format!("cannot make {}", lock_path.display()))?;
        lock.lock().with_context(|| format!("cannot lock {}", lock_path.display()))?;
        if !built.exists() {
            let unfinished = built.with_added_extension("unfinished");
            workspace::output(&mut self.command(&unfinished))?;
            if !self.mode.objcopy.is_empty() {
                workspace::output(Command::new("objcopy").args(&self.mode.objcopy).arg(&unfinished))?;
            }
            fs::rename(&unfinished, &built).with_context(|| format!("cannot make {}", built.display()))?;
        }
        Ok(built)
    }

    /// The arguments of the build, without the output's path, which does not change the output.
    fn options(&self) -> Vec<&str> {
        let command: &[&str] = if self.program.kind == Kind::Program { &["build"] } else { &["test", "-c"] };
        command.iter().copied().chain(self.mode.flags.iter().map(String::as_str)).collect()
    }

    fn command(&self, output: &Path) -> Command {
        let mut command = self.go.command();
        command.env("CGO_ENABLED", if self.mode.cgo { "1" } else { "0" }).envs(&self.mode.env);
        command.args(self.options()).arg("-o").arg(output).arg(self.program.package.as_deref().unwrap_or("."));
        command.current_dir(&self.folder);
        command
    }

    /// Sixteen hex digits of the SHA-256 of everything that determines the output. Each part is
    /// preceded by its length, so that different lists of parts have different hashes.
    fn key(&self, identity: &str) -> Result<String> {
        let mut hash = Sha256::new();
        let mut add = |part: &[u8]| {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        };
        add(identity.as_bytes());
        add(if self.mode.cgo { b"cgo" } else { b"no cgo" });
        for option in self.options() {
            add(option.as_bytes());
        }
        for (name, value) in &self.mode.env {
            add(name.as_bytes());
            add(value.as_bytes());
        }
        for option in &self.mode.objcopy {
            add(option.as_bytes());
        }
        if self.program.kind != Kind::StdTest {
            // The folder's path is part of the debug information.
            add(self.folder.as_os_str().as_encoded_bytes());
            for (name, text) in files(&self.folder)? {
                add(name.as_os_str().as_encoded_bytes());
                add(&text);
            }
        }
        add(self.program.package.as_deref().unwrap_or_default().as_bytes());
        let mut key = String::new();
        for byte in &hash.finalize()[..8] {
            write!(key, "{byte:02x}")?;
        }
        Ok(key)
    }
}

/// The files of a program's folder and of the folders in it, by path.
fn files(folder: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let mut ahead = vec![folder.to_owned()];
    while let Some(folder) = ahead.pop() {
        for entry in fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                ahead.push(path);
            } else {
                let text = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
                files.insert(path, text);
            }
        }
    }
    Ok(files)
}

fn sources() -> PathBuf {
    workspace::root().join("corpus")
}

fn cache() -> PathBuf {
    std::env::var_os(CACHE_ENV)
        .map_or_else(|| workspace::root().join("target/corpus"), |folder| workspace::root().join(folder))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_variant_has_its_own_place_in_the_cache() {
        let manifest = Manifest::read().expect("the committed manifest reads");
        let mut places = BTreeSet::new();
        for variant in manifest.variants() {
            let plan = manifest.plan(&variant.program, &variant.go, &variant.mode).expect("a listed variant");
            let key = plan.key(&variant.go).expect("its sources can be read");
            assert!(places.insert(key), "{variant} has the key of another variant");
        }
        assert!(!places.is_empty());
    }

    #[test]
    fn an_unknown_name_is_an_error_that_lists_the_known_ones() {
        let manifest = Manifest::read().expect("the committed manifest reads");
        for (program, go, mode, expected) in [
            ("no-such", "1.19", "default", "no program \"no-such\" in the corpus; there are httpserver"),
            ("torture", "1.4", "default", "no Go \"1.4\" in the corpus; there are 1.18.10, 1.19"),
            ("torture", "1.19", "mold", "no link mode \"mold\" in the corpus; there are default"),
            ("loadgen", "1.19", "default", "loadgen is not built with Go 1.19 as default"),
        ] {
            let error = manifest.plan(program, go, mode).err().expect("not in the corpus").to_string();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
