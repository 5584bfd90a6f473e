//! Unusual but common inputs: replaced modules, text that is not UTF-8, huge types, toolchains
//! whose name is not that of a release, no build info, no list of modules. Each program is patched,
//! verified and restored, and prints the same before and after.
//!
//! Trusts go and objcopy. Never downloads a module.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use gopatch_tests::{Gopatch, NEWEST_GO, Scratch, gopatch};
use serde_json::Value;
use xtask::{corpus, workspace};

/// Linker flags for a program without DWARF.
const STRIPPED: &str = "-s -w ";
/// Rules for programs with a function main.Work.
const WORK: &str = "rules: [{ name: work, import: main, function: Work, enter: {}, exit: {} }]\n";

const MAIN: &str = "package main

import (\"os\"; \"runtime\")

var version, started = \"none\", len(os.Args)

//go:noinline
func Work(n int) int { if n > 1 { return n * Work(n-1) }; return started }

func main() { println(Work(5), len(version), len(runtime.Version())) }
";

/// Writes a program's files.
fn write(scratch: &Scratch, files: &[(&str, &str)]) -> Result<()> {
    for (name, text) in files {
        let path = scratch.file(name);
        fs::create_dir_all(path.parent().context("a file in the folder")?)?;
        fs::write(path, text).with_context(|| (*name).to_owned())?;
    }
    Ok(())
}

/// A `go build` in a folder of the test, independent of the machine's settings.
fn go_build(scratch: &Scratch, folder: &str, flags: &[&OsStr]) -> Command {
    let mut command = Command::new("go");
    command.args(["build", "-o"]).arg(scratch.file("in")).args(flags).current_dir(scratch.file(folder));
    command.envs([("GOFLAGS", ""), ("GOOS", "linux"), ("GOARCH", "amd64"), ("GOWORK", "off"), ("GOPROXY", "off")]);
    command.env("CGO_ENABLED", "0").env_remove("GOEXPERIMENT");
    command
}

/// Builds the program in the folder `app` with these linker flags.
fn build(scratch: &Scratch, linker: &str) -> Result<PathBuf> {
    let flags = OsString::from(format!("-ldflags={linker}"));
    workspace::run(&mut go_build(scratch, "app", &[&flags]))?;
    Ok(scratch.file("in"))
}

fn run(program: &Path) -> Result<String> {
    let output = Command::new(program).output().with_context(|| program.display().to_string())?;
    ensure!(output.status.success(), "{}: {}", program.display(), output.status);
    Ok(format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
}

fn patch(scratch: &Scratch, program: &Path, rules: &str) -> Result<Gopatch> {
    fs::write(scratch.file("rules.yaml"), rules)?;
    let mut command = gopatch::command(&["--no-default-rules", "--format", "json", "--rules"])?;
    command.arg(scratch.file("rules.yaml")).arg(program).arg("-o").arg(scratch.file("out"));
    Gopatch::run(&mut command)
}

/// Patches a program, verifies and restores the output, compares what it prints, and returns the
/// report. All sites must be hooked.
#[track_caller]
fn patch_and_check(scratch: &Scratch, program: &Path, rules: &str) -> Result<Value> {
    let done = patch(scratch, program, rules)?;
    ensure!(done.status == Some(0), "{:?}\n{}", done.status, done.stderr);
    let (output, back) = (scratch.file("out"), scratch.file("back"));
    let mut verify = gopatch::command(&["verify"])?;
    let mut restore = gopatch::command(&["restore"])?;
    verify.arg(&output).arg("--original").arg(program);
    restore.arg(&output).arg("-o").arg(&back);
    for command in [&mut verify, &mut restore] {
        let done = Gopatch::run(command)?;
        ensure!(done.status == Some(0), "{}: {}{}", workspace::command_line(command), done.stdout, done.stderr);
    }
    ensure!(fs::read(back)? == fs::read(program)?, "the restored file differs from the input");
    ensure!(run(&output)? == run(program)?, "the patched program prints something else");
    Ok(serde_json::from_str(&done.stdout)?)
}

/// The names of the rules that hook a function.
fn hooked_rules(report: &Value) -> Result<Vec<&str>> {
    let rules = report["rules"].as_array().context("rules")?;
    let has_functions = |rule: &&Value| rule["functions"].as_array().is_some_and(|functions| !functions.is_empty());
    Ok(rules.iter().filter(has_functions).filter_map(|rule| rule["rule"].as_str()).collect())
}

/// Why a rule was left out.
fn left_out<'r>(report: &'r Value, rule: &str) -> Option<&'r str> {
    report["rules"].as_array()?.iter().find(|it| it["rule"] == rule)?["left_out"].as_str()
}

#[test]
fn replaced_modules() -> Result<()> {
    let scratch = Scratch::new()?;
    let import = MAIN.replace("import (", "import (\"example.com/lib\"; \"example.com/dep\"; ");
    let library = "package lib\n\n//go:noinline\nfunc Answer() int { return 42 }\n";
    write(
        &scratch,
        &[
            ("app/main.go", &import.replace("println(", "println(lib.Answer(), dep.Answer(), ")),
            ("lib/go.mod", "module example.com/lib\n\ngo 1.21\n"),
            ("lib/lib.go", library),
            ("dep/go.mod", "module example.com/dep\n\ngo 1.21\n"),
            ("dep/dep.go", &library.replace("package lib", "package dep")),
        ],
    )?;
    // Replaced by folders.
    let requires =
        "module example.com/app\n\ngo 1.21\n\nrequire (\n\texample.com/dep v1.0.0\n\texample.com/lib v0.1.0\n)\n\n";
    let by_folder = "replace (\n\texample.com/lib => ../lib\n\texample.com/dep v1.0.0 => ../dep\n)\n";
    write(&scratch, &[("app/go.mod", &(requires.to_owned() + by_folder))])?;
    for linker in ["", STRIPPED] {
        let program = build(&scratch, linker)?;
        ensure!(module_text(&program)?.contains("\n\t=>\t"), "no replacement in {}", module_text(&program)?);
        let rules = format!("{WORK}  - {{ name: lib, import: example.com/lib, function: Answer, version: '>=1' }}\n");
        let rules = rules.replace("rules: [{", "rules:\n  - {").replace("}]", "}");
        let report = patch_and_check(&scratch, &program, &rules)?;
        ensure!(hooked_rules(&report)? == ["work"], "{report}");
        let why = left_out(&report, "lib").context("left out")?;
        ensure!(why.starts_with("needs example.com/lib >=1; the program has "), "{why}");
    }
    // Replaced by other modules and vendored, so without a checksum.
    let by_module = "replace (\n\texample.com/lib => example.com/lib v0.2.0\n\texample.com/dep v1.0.0 => example.com/fork v1.3.0\n)\n";
    let listed = "# example.com/dep v1.0.0 => example.com/fork v1.3.0\n## explicit; go 1.21\nexample.com/dep\n\
                  # example.com/lib v0.1.0 => example.com/lib v0.2.0\n## explicit; go 1.21\nexample.com/lib\n\
                  # example.com/lib => example.com/lib v0.2.0\n";
    write(
        &scratch,
        &[
            ("app/go.mod", &(requires.to_owned() + by_module)),
            ("app/vendor/modules.txt", listed),
            ("app/vendor/example.com/lib/lib.go", library),
            ("app/vendor/example.com/dep/dep.go", &library.replace("package lib", "package dep")),
        ],
    )?;
    for linker in ["", STRIPPED] {
        let program = build(&scratch, linker)?;
        let rules = "rules:\n  - { name: lib, import: example.com/lib, function: Answer, version: '>=0.2.0', enter: {} }\n  \
                       - { name: old, import: example.com/lib, function: Answer, version: '<0.2.0', enter: {} }\n";
        let report = patch_and_check(&scratch, &program, rules)?;
        ensure!(hooked_rules(&report)? == ["lib"], "{report}");
        ensure!(left_out(&report, "old") == Some("needs example.com/lib <0.2.0; the program has v0.2.0"), "{report}");
    }
    Ok(())
}

/// What `go version -m` prints.
fn module_text(program: &Path) -> Result<String> {
    workspace::output(Command::new("go").args(["version", "-m"]).arg(program))
}

#[test]
fn text_that_is_not_utf_8() -> Result<()> {
    let scratch = Scratch::new()?;
    write(&scratch, &[("app/main.go", MAIN), ("app/go.mod", "module example.com/app\n\ngo 1.21\n")])?;
    for value in [&b"-X=main.version=\xff"[..], b"-X 'main.version=a \xff\tb'", b"-s -w -X=main.version=\xc3\x28\xfe"] {
        let flags = OsString::from_vec([b"-ldflags=", value].concat());
        workspace::run(&mut go_build(&scratch, "app", &[&flags]))?;
        patch_and_check(&scratch, &scratch.file("in"), WORK)?;
    }
    Ok(())
}

#[test]
fn types_of_any_size() -> Result<()> {
    let scratch = Scratch::new()?;
    let types = "
type wide struct { bytes [1<<50 - 64]byte; last int32 }

type job struct { wide *wide; data *[1<<48 - 1]byte; none [0]int; empty *[1<<62]struct{}; n int }

//go:noinline
func Do(j *job) int { return Work(j.n) }

var all = []any{&job{n: 3}, (*[1<<49 - 1]uint16)(nil), (*[1 << 61][0]int)(nil), (*wide)(nil)}
";
    let main = MAIN.replace("println(", "println(Do(all[0].(*job)), len(all), ") + types;
    write(&scratch, &[("app/main.go", &main), ("app/go.mod", "module example.com/app\n\ngo 1.21\n")])?;
    let rule = |value: &str| {
        format!(
            "rules: [{{ name: do, import: main, function: Do, signature: func Do(j *job) int, \
             enter: {{ n: {{ value: '{value}' }} }} }}]\n"
        )
    };
    for linker in ["", STRIPPED] {
        for version in ["local", "go1.18.10", "go1.24.13", &format!("go{NEWEST_GO}")] {
            let flags = OsString::from(format!("-ldflags={linker}"));
            let main = if version == "go1.18.10" { "go 1.18" } else { "go 1.21" };
            write(&scratch, &[("app/go.mod", &format!("module example.com/app\n\n{main}\n"))])?;
            let mut command = go_build(&scratch, "app", &[&flags]);
            workspace::run(command.env("GOTOOLCHAIN", version).env_remove("GOPROXY"))?;
            patch_and_check(&scratch, &scratch.file("in"), &rule("j.n"))
                .with_context(|| format!("{version} {linker}"))?;
        }
        // The field is further away than a displacement reaches.
        let done = patch(&scratch, &scratch.file("in"), &rule("j.wide.last"))?;
        ensure!(done.status == Some(2) && done.stderr.contains("too large"), "{:?} {}", done.status, done.stderr);
    }
    Ok(())
}

#[test]
fn toolchains_that_are_no_release() -> Result<()> {
    let scratch = Scratch::new()?;
    write(&scratch, &[("app/main.go", MAIN), ("app/go.mod", "module example.com/app\n\ngo 1.21\n")])?;
    let local = workspace::output(Command::new("go").args(["env", "GOVERSION"]).env("GOTOOLCHAIN", "local"))?;
    let local = local.trim();
    // These names contain the release that the toolchain is based on.
    let (release, _) = local.split_at(local.rfind('.').filter(|at| *at > 4).unwrap_or(local.len()));
    let based = [
        format!("{local}-custom"),
        format!("devel {release}-4c1bb6a172 Tue Mar 3 10:11:12 2026 +0000"),
        format!("{release}-20260101-RC01 cl/723456789 +4c1bb6a172 X:fieldtrack,boringcrypto"),
        format!("{release}rc2"),
        format!("acme-{local}"),
    ];
    for name in &based {
        for linker in ["", STRIPPED] {
            let program = build(&scratch, &format!("{linker}-X 'runtime.buildVersion={name}'"))?;
            let report = patch_and_check(&scratch, &program, WORK).with_context(|| format!("{linker}{name}"))?;
            ensure!(report["input"]["go_version"] == name.as_str(), "{name}: {}", report["input"]);
        }
    }
    // A name without a release is accepted if DWARF describes the types.
    for name in ["mygo", "devel +4c1bb6a172", "unknown"] {
        let version = format!("-X 'runtime.buildVersion={name}'");
        let rules = "rules:\n  - { name: work, import: main, function: Work, enter: { n: { value: n } } }\n  \
                       - { name: new, import: main, function: main, enter: {}, go: '>=1.18' }\n";
        let report = patch_and_check(&scratch, &build(&scratch, &version)?, rules).with_context(|| name.to_owned())?;
        ensure!(hooked_rules(&report)? == ["work"], "{report}");
        let why = left_out(&report, "new").context("left out")?;
        ensure!(why.starts_with(&format!("needs Go >=1.18; the program has {name}, and ")), "{why}");

        let done = patch(&scratch, &build(&scratch, &format!("{STRIPPED}{version}"))?, WORK)?;
        let reason = format!("built by {name:?} without DWARF");
        ensure!(done.status == Some(2) && done.stderr.contains(&reason), "{:?}\n{}", done.status, done.stderr);
    }
    Ok(())
}

#[test]
fn no_build_info() -> Result<()> {
    for version in ["go1.18.10", "go1.21.13", "go1.24.13", &format!("go{NEWEST_GO}")] {
        let scratch = Scratch::new()?;
        write(&scratch, &[("app/main.go", MAIN), ("app/go.mod", "module example.com/app\n\ngo 1.18\n")])?;
        for flags in [&[][..], &["-ldflags=-s -w"], &["-buildmode=pie", "-ldflags=-s -w"]] {
            let flags: Vec<_> = flags.iter().map(OsStr::new).collect();
            let mut command = go_build(&scratch, "app", &flags);
            workspace::run(command.env("GOTOOLCHAIN", version).env_remove("GOPROXY"))?;
            let program = scratch.file("in");
            workspace::run(Command::new("objcopy").arg("--remove-section=.go.buildinfo").arg(&program))?;
            let report = patch_and_check(&scratch, &program, WORK).with_context(|| format!("{version} {flags:?}"))?;
            let input = &report["input"];
            ensure!(input["go_version"] == version && input["main_package"] == "example.com/app", "{input}");
        }
    }
    Ok(())
}

/// The first of two versions of a module. In the second the function has other parameters: the job
/// has a new type, and the old type remains.
const FIRST: &str = "package rpc

type Server struct { calls int }

type Job struct { ID, Name string }

type Context interface { Done() bool }

type done struct{}

func (done) Done() bool { return true }

//go:noinline
func (s *Server) process(t Context, job *Job) string {
	if t.Done() { s.calls++ }
	return job.Name
}

func (s *Server) Call(name string) string { return s.process(done{}, &Job{Name: name}) }

var All = []any{&Job{}, &Server{}}
";

const MODULE_RULES: &str = "rules:
  - name: second
    import: example.com/rpc
    receiver: '*Server'
    function: process
    version: '>=2.0.0'
    signature: func (s *Server) process(t Context, job *ServerJob) string
    enter: { name: { value: job.Name } }
  - name: first
    import: example.com/rpc
    receiver: '*Server'
    function: process
    version: '>=1.0.0, <2.0.0'
    signature: func (s *Server) process(t Context, job *Job) string
    enter: { name: { value: job.Name } }
  - name: zeroth
    import: example.com/rpc
    receiver: '*Server'
    function: process
    version: '<1.0.0'
    signature: func (s *Server) process(job *Job) string
    enter: { name: { value: job.Name } }
";

#[test]
fn no_list_of_modules() -> Result<()> {
    let second = FIRST
        .replace("job *Job", "job *ServerJob")
        .replace("&Job{Name: name}", "&ServerJob{&Job{Name: name}}")
        .replace("[]any{", "[]any{&ServerJob{}, ")
        + "\ntype ServerJob struct { *Job }\n";
    let other =
        FIRST.replace("t Context, job *Job", "t Context, count int, job *Job").replace("done{}, ", "done{}, 3, ");
    let main = MAIN.replace("import (", "import (\"example.com/rpc\"; ");
    let main = main.replace("println(", "println((&rpc.Server{}).Call(\"a\"), len(rpc.All), ");
    for (source, expected) in [(FIRST, "first"), (second.as_str(), "second"), (other.as_str(), "none")] {
        for linker in ["", STRIPPED] {
            let scratch = Scratch::new()?;
            write(&scratch, &[("src/app/main.go", &main), ("src/example.com/rpc/rpc.go", source)])?;
            let flags = OsString::from(format!("-ldflags={linker}"));
            let mut command = go_build(&scratch, "src/app", &[&flags]);
            workspace::run(command.env("GO111MODULE", "off").env("GOPATH", scratch.path()))?;
            let rules = format!("{MODULE_RULES}{}", WORK.replace("rules: [", "  - ").replace("}]", "}"));
            let report = patch_and_check(&scratch, &scratch.file("in"), &rules)?;
            let expected: Vec<_> =
                ["first", "second"].into_iter().filter(|rule| *rule == expected).chain(["work"]).collect();
            ensure!(hooked_rules(&report)? == expected, "{linker}{report}");
            for rule in ["zeroth", "first", "second"].into_iter().filter(|rule| !expected.contains(rule)) {
                let why = left_out(&report, rule).with_context(|| format!("{rule}: {report}"))?;
                let start = "; the program has an unknown version, and ";
                let better = format!("{start}rule {} fits", expected[0]);
                let other = format!("{start}example.com/rpc.(*Server).process: ");
                ensure!(why.contains(if expected.len() == 2 { &better } else { &other }), "{why}");
            }
            if expected.len() == 1 {
                let done = patch(&scratch, &scratch.file("in"), MODULE_RULES)?;
                let reason =
                    "no rule matches a function of this program; rule second was left out: needs example.com/rpc";
                ensure!(done.status == Some(2) && done.stderr.contains(reason), "{:?}\n{}", done.status, done.stderr);
            }
        }
    }
    Ok(())
}

/// gRPC whose version neither the blob nor the variables contain.
#[test]
fn grpc_of_an_unknown_version() -> Result<()> {
    for mode in ["default", "stripped"] {
        let scratch = Scratch::new()?;
        let mut bytes = fs::read(corpus::build("greeter", NEWEST_GO, mode)?)?;
        let (known, unknown) = (b"dep\tgoogle.golang.org/grpc\t", b"dep\tnowhere.golang.org/rpc\t");
        let places: Vec<_> = (0..bytes.len() - known.len()).filter(|at| bytes[*at..].starts_with(known)).collect();
        ensure!(!places.is_empty(), "the program has no gRPC version");
        for at in places {
            bytes[at..at + unknown.len()].copy_from_slice(unknown);
        }
        fs::write(scratch.file("in"), bytes)?;
        let done = Gopatch::run(
            gopatch::command(&["--format", "json"])?.arg(scratch.file("in")).arg("-o").arg(scratch.file("out")),
        )?;
        ensure!(done.status == Some(0), "{mode}: {:?}\n{}", done.status, done.stderr);
        let report: Value = serde_json::from_str(&done.stdout)?;
        let hooked = hooked_rules(&report)?;
        for rule in ["grpc.server", "grpc.client", "grpc.client.stream"] {
            ensure!(hooked.contains(&rule), "{mode}: {rule} is not in {hooked:?}: {:?}", left_out(&report, rule));
        }
        ensure!(!hooked.iter().any(|rule| rule.starts_with("grpc.server.")), "{mode}: {hooked:?}");
    }
    Ok(())
}
