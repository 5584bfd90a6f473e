//! A patched file in which one byte was changed fails verification.
//!
//! That holds for the bytes of sites, thunks, the manifest and the program's own text, which the
//! manifest locates.

use std::fs;
use std::ops::Range;
use std::thread;

use ::gopatch::address::Va;
use ::gopatch::elf::Elf;
use ::gopatch::{restore, verify};
use anyhow::{Context, Result, ensure};
use gopatch_protocol::manifest::{self, Manifest};
use gopatch_tests::{NEWEST_GO, Scratch, gopatch};
use xtask::corpus;

/// A part of the file in which a change must be noticed.
struct Guarded {
    name: &'static str,
    ranges: Vec<Range<usize>>,
}

#[test]
fn a_thousand_changes_are_noticed() -> Result<()> {
    changes_are_noticed(1_000)
}

#[test]
#[ignore = "soak: takes minutes"]
fn a_hundred_thousand_changes_are_noticed() -> Result<()> {
    changes_are_noticed(100_000)
}

/// Makes that many changes, one at a time, to bytes of the whole file and to each guarded part.
fn changes_are_noticed(count: usize) -> Result<()> {
    let scratch = Scratch::new()?;
    let original = corpus::build("captures", NEWEST_GO, "default")?;
    let rules = scratch.file("rules.yaml");
    fs::write(&rules, "rules: [{ name: all, import: main, function: '*', partial: true, enter: {}, exit: {} }]\n")?;
    let output = scratch.file("out");
    let mut command = gopatch::command(&["-q", "--no-default-rules", "--rules"])?;
    let done = gopatch_tests::Gopatch::run(command.arg(rules).arg(&original).arg("-o").arg(&output))?;
    ensure!(done.status == Some(0), "{}", done.stderr);
    let (input, output) = (fs::read(original)?, fs::read(output)?);
    let manifest = verify::verify(&output, Some(&input))?;
    let guarded = guarded(&input, &output, &manifest)?;
    for part in &guarded {
        let bytes: usize = part.ranges.iter().map(ExactSizeIterator::len).sum();
        ensure!(bytes > 0, "there are no {}", part.name);
    }

    let threads = thread::available_parallelism()?.get();
    let each = count.div_ceil(threads * (guarded.len() + 1));
    thread::scope(|scope| {
        let start = |seed| {
            let (output, guarded) = (&output, &guarded);
            scope.spawn(move || change(output, guarded, seed, each))
        };
        let running: Vec<_> = (1..=threads as u64).map(start).collect();
        running.into_iter().try_for_each(|thread| thread.join().expect("verify does not panic"))
    })
}

fn change(output: &[u8], guarded: &[Guarded], seed: u64, count: usize) -> Result<()> {
    let mut file = output.to_vec();
    let mut random = Random(seed);
    let whole = Guarded { name: "file", ranges: std::iter::once(0..output.len()).collect() };
    for part in std::iter::once(&whole).chain(guarded) {
        for _ in 0..count {
            let at = random.below_all(&part.ranges);
            let bits = (random.next() % 255 + 1) as u8;
            file[at] ^= bits;
            let verdict = verify::verify(&file, None);
            let must_fail = guarded.iter().find(|part| part.ranges.iter().any(|range| range.contains(&at)));
            if let (Some(part), Ok(_)) = (must_fail, verdict) {
                anyhow::bail!("byte {at:#x} of the {} ^ {bits:#x} was not noticed", part.name);
            }
            // `restore` must not panic on it either.
            let _ = restore::input_of(&file);
            file[at] ^= bits;
        }
    }
    ensure!(file == output, "the test did not undo a change");
    Ok(())
}

fn guarded(input: &[u8], output: &[u8], manifest: &Manifest) -> Result<Vec<Guarded>> {
    let range = |start: u64, len: u64| start as usize..(start + len) as usize;
    let json = serde_json::to_vec(manifest)?;
    let manifest_at = output.windows(json.len()).rposition(|bytes| bytes == json).context("no manifest")?;
    let elf = Elf::parse(input)?;
    let site = |site: &manifest::Site| {
        let offset = elf.offset_of(Va(site.va)).context("a site that is not in the file")?;
        anyhow::Ok(range(offset.0, site.original.len() as u64 / 2))
    };
    let text = elf.section(".text").context("no text")?;
    Ok(vec![
        Guarded { name: "sites", ranges: manifest.sites.iter().map(site).collect::<Result<_>>()? },
        Guarded { name: "thunks", ranges: vec![range(manifest.code.offset, manifest.code.size)] },
        Guarded { name: "manifest", ranges: vec![range(manifest_at as u64, json.len() as u64)] },
        Guarded { name: "text", ranges: vec![range(text.offset.0, text.size)] },
    ])
}

/// A fixed sequence of numbers (xorshift64), so that a failure can be repeated.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A random place in one of `ranges`; all bytes are equally likely.
    fn below_all(&mut self, ranges: &[Range<usize>]) -> usize {
        let total: usize = ranges.iter().map(ExactSizeIterator::len).sum();
        let mut left = self.next() as usize % total;
        for range in ranges {
            if left < range.len() {
                return range.start + left;
            }
            left -= range.len();
        }
        unreachable!("the sum of the ranges' lengths is {total}")
    }
}
