//! No byte of an output can be changed without `verify` noticing it, also by one who renews the
//! digests in the manifest. `verify` trusts the manifest only as far as it can make the file again
//! from it.
//!
//! Changes that a digest shows are tried in this process; the others by the command, whose release
//! build makes the file again faster.

use std::fs;
use std::ops::Range;
use std::path::PathBuf;
use std::thread;

use ::gopatch::{prove, restore};
use anyhow::{Context, Result, ensure};
use gopatch_protocol::manifest::{self, Manifest};
use gopatch_tests::{Gopatch, NEWEST_GO, Scratch, gopatch};
use sha2::{Digest, Sha256};
use xtask::corpus;

use super::{fail, run, succeed, with_program};

const RULES: &str = "rules: [{ name: all, import: main, function: '*', partial: true, enter: {}, exit: {} }]\n";

/// Bytes of one kind.
struct Part {
    name: &'static str,
    ranges: Vec<Range<usize>>,
    forgery: Forgery,
}

/// What else a forger does after a change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Forgery {
    /// Nothing; a digest in the manifest differs then.
    None,
    /// Nothing, where the manifest has no digest.
    Undigested,
    /// The manifest gets the new digest of the emitted code, and the code the manifest's new id.
    Code,
    /// The code gets the manifest's new id.
    Manifest,
    /// The manifest gets the new digest of the input, and the code the manifest's new id. Only the
    /// input itself shows it.
    Input,
}

#[test]
fn a_thousand_changes_are_noticed() -> Result<()> {
    changes_are_noticed(1_000)
}

#[test]
#[ignore = "soak: takes half an hour"]
fn a_hundred_thousand_changes_are_noticed() -> Result<()> {
    changes_are_noticed(100_000)
}

/// A patched file and what it was made from.
struct Patched {
    input: Vec<u8>,
    output: Vec<u8>,
    manifest: Manifest,
    /// Where the manifest is in the output.
    manifest_at: Range<usize>,
}

/// A program with a payload, hooks and symbols: with all kinds of bytes that an output has.
fn patched(scratch: &Scratch) -> Result<Patched> {
    fs::write(scratch.file("rules.yaml"), RULES)?;
    let mut input = fs::read(corpus::build("captures", NEWEST_GO, "default")?)?;
    input.extend(b"a payload after the program");
    fs::write(scratch.file("in"), &input)?;
    let options = ["-q", "--no-default-rules", "--symbols", "--trailing-data", "keep"];
    succeed(scratch, &[&options[..], &["--rules", "rules.yaml", "in", "-o", "out"]].concat())?;
    let output = fs::read(scratch.file("out"))?;
    let manifest = prove::prove(&output, Some(&input))?;
    let json = serde_json::to_vec(&manifest)?;
    let start = output.windows(json.len()).rposition(|bytes| bytes == json).context("no manifest")?;
    Ok(Patched { input, output, manifest, manifest_at: start..start + json.len() })
}

impl Patched {
    fn code(&self) -> Range<usize> {
        let code = &self.manifest.code;
        code.offset as usize..(code.offset + code.size) as usize
    }

    fn parts(&self) -> Vec<Part> {
        let (input, code) = (self.input.len(), self.code());
        let patches = self.manifest.patches.iter();
        let headers = patches.map(|it| it.offset as usize..it.offset as usize + it.original.len() / 2).collect();
        let rest = vec![input..code.start, code.end..self.manifest_at.start, self.manifest_at.end..self.output.len()];
        let manifest = vec![self.manifest_at.clone()];
        let part = |name, ranges, forgery| Part { name, ranges, forgery };
        vec![
            part("program", std::iter::once(0..input).collect(), Forgery::None),
            part("code", vec![code.clone()], Forgery::None),
            part("manifest", manifest.clone(), Forgery::None),
            part("headers", headers, Forgery::Undigested),
            part("section headers, names, symbols, payload and filling", rest, Forgery::Undigested),
            part("code, its digest renewed", vec![code], Forgery::Code),
            part("manifest, its id renewed", manifest, Forgery::Manifest),
            part("program, its digest renewed", std::iter::once(0..input).collect(), Forgery::Input),
        ]
    }

    /// The output with a byte changed, as this forger leaves it.
    fn forge(&self, at: usize, bits: u8, forgery: Forgery) -> Vec<u8> {
        let mut file = self.output.clone();
        file[at] ^= bits;
        match forgery {
            Forgery::None | Forgery::Undigested => return file,
            Forgery::Manifest => {}
            Forgery::Code => {
                let old = &self.manifest.code.sha256;
                let id = self.id();
                let mut code = file[self.code()].to_vec();
                code[id.start - self.code().start..id.end - self.code().start].fill(0);
                self.replace_digest(&mut file, old, &code);
            }
            Forgery::Input => {
                let mut input = self.input.clone();
                // `restore` puts the original bytes of a site back.
                if self.output[at] == input[at] {
                    input[at] ^= bits;
                }
                self.replace_digest(&mut file, &self.manifest.input.sha256, &input);
            }
        }
        let id = Sha256::digest(&file[self.manifest_at.clone()]);
        file[self.id()].copy_from_slice(&id[..16]);
        file
    }

    fn id(&self) -> Range<usize> {
        let start = (self.manifest.code.offset + self.manifest.code.id_offset) as usize;
        start..start + 16
    }

    fn replace_digest(&self, file: &mut [u8], old: &str, content: &[u8]) {
        let json = &mut file[self.manifest_at.clone()];
        if let Some(at) = json.windows(old.len()).position(|bytes| bytes == old.as_bytes()) {
            json[at..at + old.len()].copy_from_slice(manifest::to_hex(&Sha256::digest(content)).as_bytes());
        }
    }
}

/// Makes that many changes, one at a time, as many in each part.
fn changes_are_noticed(count: usize) -> Result<()> {
    let scratch = Scratch::new()?;
    let patched = patched(&scratch)?;
    let parts = patched.parts();
    for part in &parts {
        let bytes: usize = part.ranges.iter().map(ExactSizeIterator::len).sum();
        ensure!(bytes > 0, "there are no {}", part.name);
    }
    let threads = thread::available_parallelism()?.get();
    let each = count.div_ceil(threads * parts.len());
    thread::scope(|scope| {
        let start = |seed| {
            let (patched, parts, scratch) = (&patched, &parts, &scratch);
            scope.spawn(move || change(patched, parts, scratch, seed, each))
        };
        let running: Vec<_> = (1..=threads as u64).map(start).collect();
        running.into_iter().try_for_each(|thread| thread.join().expect("verify does not panic"))
    })
}

fn change(patched: &Patched, parts: &[Part], scratch: &Scratch, seed: u64, count: usize) -> Result<()> {
    let mut random = fastrand::Rng::with_seed(seed);
    let path = scratch.file(&format!("changed-{seed}"));
    for part in parts {
        for _ in 0..count {
            let at = any_byte(&part.ranges, &mut random);
            let bits = random.u8(1..);
            let file = patched.forge(at, bits, part.forgery);
            if file == patched.output {
                // The change was in what the forger renews.
                continue;
            }
            let is_noticed = match part.forgery {
                Forgery::None => prove::prove(&file, None).is_err(),
                forgery => !is_verified(scratch, &file, &path, forgery == Forgery::Input)?,
            };
            ensure!(is_noticed, "{}: byte {at:#x} ^ {bits:#x} was not noticed", part.name);
            // `restore` must not panic on it either.
            let _ = restore::input_of(&file);
        }
    }
    Ok(())
}

/// Whether the command verifies a file.
fn is_verified(scratch: &Scratch, file: &[u8], path: &PathBuf, with_original: bool) -> Result<bool> {
    fs::write(path, file)?;
    let mut command = gopatch::command(&["verify"])?;
    command.arg(path);
    if with_original {
        command.arg("--original").arg(scratch.file("in"));
    }
    let done = Gopatch::run(&mut command)?;
    ensure!(matches!(done.status, Some(0 | 2)), "{:?}\n{}", done.status, done.stderr);
    Ok(done.status == Some(0))
}

/// The entry stub, which runs before the program, replaced by one that ends the process.
#[test]
fn another_entry_stub_is_noticed() -> Result<()> {
    let scratch = Scratch::new()?;
    let patched = patched(&scratch)?;
    let stub = (patched.manifest.code.stub - patched.manifest.code.va) as usize + patched.code().start;
    // mov edi, 42; mov eax, 231 (exit_group); syscall
    let exit = *b"\xbf\x2a\0\0\0\xb8\xe7\0\0\0\x0f\x05";
    let mut output = patched.output.clone();
    output[stub..stub + exit.len()].copy_from_slice(&exit);
    let forged = Patched { output, ..patched }.forge(stub, 0, Forgery::Code);
    fs::write(scratch.file("forged"), forged)?;
    for original in [&[][..], &["--original", "in"]] {
        fail(&scratch, &[&["verify", "forged"], original].concat(), "in the emitted code")?;
    }
    for reader in [&["inspect", "forged"][..], &["inspect", "forged", "--policy", "policy.yaml"]] {
        fs::write(scratch.file("policy.yaml"), "required_rules: all\n")?;
        fail(&scratch, reader, "in the emitted code")?;
    }
    Ok(())
}

/// What another version of gopatch made, this one cannot make again. `restore` needs no version.
#[test]
fn a_file_of_another_version_is_not_verified() -> Result<()> {
    let scratch = with_program()?;
    succeed(&scratch, &["-q", "in", "-o", "out", "--rules", "rules.yaml"])?;
    let output = fs::read(scratch.file("out"))?;
    let manifest = prove::prove(&output, None)?;
    let older = Manifest { tool: "gopatch 0.0.9".to_owned(), ..manifest.clone() };
    let oldest = Manifest { recipe: None, ..manifest.clone() };
    let unreadable = Manifest { format: 2, ..manifest.clone() };
    for (other, reason, is_shown) in [
        (older, "made by gopatch 0.0.9, which alone can make it again", true),
        (oldest, "made by a gopatch that did not record its rules and options", true),
        (unreadable, "patched by another version of gopatch: the manifest has format 2", false),
    ] {
        fs::write(scratch.file("other"), with_manifest(&output, &manifest, &other)?)?;
        fail(&scratch, &["verify", "other"], reason)?;
        fail(&scratch, &["verify", "other", "--original", "in"], reason)?;
        let shown = run(&scratch, &["inspect", "other"])?;
        ensure!(shown.stderr.contains(reason), "{}", shown.stderr);
        ensure!(shown.stdout.contains("main.Hot") == is_shown, "{}{}", shown.stdout, shown.stderr);
        if is_shown {
            succeed(&scratch, &["restore", "other", "-o", "back"])?;
            ensure!(super::is_equal(&scratch.file("back"), &scratch.file("in"))?, "it was not restored");
        }
    }
    Ok(())
}

/// The file with another manifest, with the right id.
fn with_manifest(output: &[u8], old: &Manifest, new: &Manifest) -> Result<Vec<u8>> {
    let mut output = output.to_vec();
    let (old_json, mut json) = (serde_json::to_vec(old)?, serde_json::to_vec(new)?);
    let at = output.windows(old_json.len()).rposition(|bytes| bytes == old_json).context("no manifest")?;
    ensure!(json.len() <= old_json.len(), "the new manifest is longer");
    json.resize(old_json.len(), b' ');
    output[at..at + json.len()].copy_from_slice(&json);
    let id = (old.code.offset + old.code.id_offset) as usize;
    output[id..id + 16].copy_from_slice(&Sha256::digest(&json)[..16]);
    Ok(output)
}

/// A place in one of `ranges`; all bytes are equally likely.
fn any_byte(ranges: &[Range<usize>], random: &mut fastrand::Rng) -> usize {
    let total: usize = ranges.iter().map(ExactSizeIterator::len).sum();
    let mut left = random.usize(..total);
    for range in ranges {
        if left < range.len() {
            return range.start + left;
        }
        left -= range.len();
    }
    unreachable!("the sum of the ranges' lengths is {total}")
}
