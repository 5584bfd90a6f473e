//! Counts with callgrind how many instructions a program executes in some of its functions.
//!
//! Each instruction is counted at its address. Callgrind's counts by function do not help: it reads
//! no symbols of a program that has two executable segments, as patched ones have; and the totals
//! of a Go program differ from run to run, as its runtime does other things. Go must not preempt a
//! goroutine by a signal: callgrind 3.19 may then fail an assertion.

use std::fs;
use std::ops::Range;
use std::process::Command;

use anyhow::{Context, Result};
use xtask::workspace::{output, require};

/// Runs a program and returns how many instructions it executed at these addresses. `found` is for
/// callgrind's output.
pub(crate) fn count(program: &Command, found: &std::path::Path, places: &[Range<u64>]) -> Result<u64> {
    require(&["valgrind"])?;
    let mut command = Command::new("valgrind");
    command.args(["--quiet", "--tool=callgrind", "--dump-instr=yes", "--compress-pos=no"]);
    command.arg(format!("--callgrind-out-file={}", found.display()));
    command.arg(program.get_program()).args(program.get_args());
    command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.env("GODEBUG", "asyncpreemptoff=1");
    output(&mut command)?;
    sum(&fs::read_to_string(found).context("callgrind wrote no output")?, places)
}

/// Adds the counts of lines `ADDRESS LINE INSTRUCTIONS`. A line after `calls=` is not counted: it
/// repeats the callee's lines for the caller.
fn sum(found: &str, places: &[Range<u64>]) -> Result<u64> {
    let mut total = 0;
    let mut lines = found.lines();
    while let Some(line) = lines.next() {
        if line.starts_with("calls=") {
            lines.next();
        } else if let Some(line) = line.strip_prefix("0x") {
            let mut words = line.split(' ');
            let address = u64::from_str_radix(words.next().unwrap_or_default(), 16);
            let count = words.next_back().unwrap_or_default().parse::<u64>();
            let (Ok(address), Ok(count)) = (address, count) else {
                anyhow::bail!("callgrind printed {line:?}");
            };
            if places.iter().any(|place| place.contains(&address)) {
                total += count;
            }
        }
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instruction_counts_once_at_its_address() -> Result<()> {
        let found = "fn=(1) main.Hot\n0x400010 7 100\n0x400014 7 100\ncfn=(2)\ncalls=100 0x8c0000 0\n0x400014 7 900\n\
                     fn=(2) ???\n0x8c0000 0 100\n0x8c0010 0 800\n0x900000 0 5\n\ntotals: 1105\n";
        assert_eq!(sum(found, &[0x400010..0x400020, 0x8c0000..0x8c0011])?, 1100);
        assert_eq!(sum(found, &[])?, 0);
        assert!(sum("0x400010 7 many\n", &[]).is_err());
        Ok(())
    }
}
