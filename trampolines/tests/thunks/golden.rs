//! What the thunks look like: their disassembly lies beside the tests, so that a change of a
//! template shows in review.
//!
//! `GOPATCH_BLESS=1 cargo test -p gopatch-trampolines` rewrites the files.

use std::fmt::Write;
use std::path::Path;

use iced_x86::{Decoder, DecoderOptions, Formatter, IntelFormatter};

use crate::plans;

fn disassemble(bytes: &[u8]) -> String {
    let mut formatter = IntelFormatter::new();
    formatter.options_mut().set_uppercase_hex(false);
    formatter.options_mut().set_rip_relative_addresses(false);
    formatter.options_mut().set_branch_leading_zeros(false);
    let mut text = String::new();
    for instruction in &mut Decoder::with_ip(64, bytes, plans::CODE, DecoderOptions::NONE) {
        let mut line = String::new();
        formatter.format(&instruction, &mut line);
        writeln!(text, "{:x}  {line}", instruction.ip()).expect("writing to a string cannot fail");
    }
    text
}

#[test]
fn thunks_match_their_golden_files() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/thunks/golden");
    let bless = std::env::var_os("GOPATCH_BLESS").is_some();
    for thunk in plans::all().into_iter().chain(plans::skips()) {
        let path = folder.join(format!("{}.asm", thunk.name));
        let now = disassemble(&thunk.bytes);
        if bless {
            std::fs::write(&path, &now).expect("the golden file is writable");
        }
        let golden = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            golden == now,
            "{} differs from {}; if the change is intended, run with GOPATCH_BLESS=1 and review the difference\n{now}",
            thunk.name,
            path.display()
        );
    }
}
