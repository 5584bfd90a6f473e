//! Go programs of a given size.
//!
//! A web server and packages of services, each with types, methods, closures and an interface, all
//! from one text (`bench/generated.go.txt`). They are not padded: code, type data, tables and DWARF
//! make them large, as in real programs.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use xtask::corpus;

const SERVICE: &str = include_str!("../../../bench/generated.go.txt");
const MODULE: &str = "gopatch.example/generated";
/// Services of each package.
const SERVICES: u32 = 100;

/// Numbers of packages of the programs: about 40 and 100 MB with DWARF.
pub(crate) const PACKAGES: [u32; 2] = [43, 129];

/// Builds the program with this many packages. Both programs are in one folder, so that shared
/// packages are compiled once.
pub(crate) fn build(packages: u32, go: &str, mode: &str) -> Result<PathBuf> {
    let mut files = BTreeMap::from([(PathBuf::from("go.mod"), format!("module {MODULE}\n\ngo 1.18\n"))]);
    let services: String = (0..SERVICES).map(|number| SERVICE.replace("%N%", &number.to_string())).collect();
    for packages in PACKAGES {
        files.insert(PathBuf::from(format!("with{packages}/main.go")), main(packages));
        files.extend((0..packages).map(|package| {
            let text = format!(
                "package p{package}\n\nimport (\n\t\"errors\"\n\t\"fmt\"\n\t\"sort\"\n\t\"strconv\"\n\t\"strings\"\n)\n\n\
                 var services []func(int) int\n\n// Run calls every service.\nfunc Run(seed int) (total int) {{\n\
                 \tfor _, service := range services {{\n\t\ttotal += service(seed)\n\t}}\n\treturn total\n}}\n\n{services}"
            );
            (PathBuf::from(format!("p{package}/services.go")), text)
        }));
    }
    let name = format!("with{packages}");
    corpus::build_generated(&name, "services", &format!("./{name}"), &files, go, mode)
}

/// A web server that calls all services.
fn main(packages: u32) -> String {
    let lines = |line: fn(u32) -> String| (0..packages).map(line).collect::<Vec<_>>().concat();
    let imports = lines(|package| format!("\t\"{MODULE}/p{package}\"\n"));
    let calls = lines(|package| format!("\t\ttotal += p{package}.Run(seed)\n"));
    format!(
        "package main\n\nimport (\n\t\"fmt\"\n\t\"log\"\n\t\"net/http\"\n\n{imports})\n\nfunc main() {{\n\
         \thttp.HandleFunc(\"/\", func(w http.ResponseWriter, r *http.Request) {{\n\
         \t\tseed, total := len(r.URL.Path), 0\n{calls}\t\tfmt.Fprintln(w, total)\n\t}})\n\
         \tlog.Fatal(http.ListenAndServe(\"127.0.0.1:0\", nil))\n}}\n"
    )
}
