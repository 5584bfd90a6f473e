//! Changes an input at random.
//!
//! Decides: what a change is: bits, bytes, numbers on the edges of their types, parts that are left
//! out, repeated or taken from another input. What a case is about survives most of them.

use fastrand::Rng;

/// Most changes of an input.
const MOST_CHANGES: usize = 6;

/// Numbers on the edges of types and sizes.
const EDGES: [u64; 16] = [
    0,
    1,
    7,
    8,
    0x7f,
    0x80,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    1 << 40,
    i64::MAX as u64,
    1 << 63,
    u64::MAX,
];

/// What text is made of.
const TOKENS: [&str; 24] = [
    "\"",
    "'",
    "\\",
    "{",
    "}",
    "[",
    "]",
    ": ",
    "- ",
    "? ",
    ", ",
    "\n",
    "  ",
    "#",
    "&a ",
    "*a",
    "!!str ",
    "|\n",
    "null",
    "-1",
    "1e999",
    "18446744073709551615",
    "\u{0}",
    "\u{202e}",
];

/// Changes `input`, which then has at most `most` bytes; `others` lend parts.
pub(crate) fn mutate(input: &mut Vec<u8>, others: &[Vec<u8>], most: usize, random: &mut Rng) {
    for _ in 0..random.usize(1..=MOST_CHANGES) {
        change(input, others, random);
    }
    input.truncate(most);
}

fn change(input: &mut Vec<u8>, others: &[Vec<u8>], random: &mut Rng) {
    let at = random.usize(..=input.len());
    // Small parts are more often what matters.
    let limit = 1usize << random.u32(0..10);
    let part = at..(at + random.usize(..limit)).min(input.len());
    match random.u8(..10) {
        0 | 1 if at < input.len() => input[at] ^= 1 << random.u8(..8),
        2 if at < input.len() => input[at] = random.u8(..),
        3 | 4 => overwrite(input, at, &EDGES[random.usize(..EDGES.len())].to_le_bytes()[..1 << random.u32(..4)]),
        5 => {
            let width = 1 << random.u32(..4);
            let mut word = [0; 8];
            let end = (at + width).min(input.len());
            word[..end - at].copy_from_slice(&input[at..end]);
            let sum = u64::from_le_bytes(word).wrapping_add_signed(random.i64(-16..=16));
            overwrite(input, at, &sum.to_le_bytes()[..end - at]);
        }
        6 => drop(input.drain(part)),
        7 => {
            let copy = input[part].repeat(1 << random.u32(..8) >> random.u32(..8));
            insert(input, at, &copy);
        }
        8 => insert(input, at, TOKENS[random.usize(..TOKENS.len())].as_bytes()),
        _ if others.is_empty() => {}
        _ => {
            let other = &others[random.usize(..others.len())];
            let start = random.usize(..=other.len());
            let lent = &other[start..(start + random.usize(..limit)).min(other.len())];
            if random.bool() { insert(input, at, lent) } else { overwrite(input, at, lent) }
        }
    }
}

fn overwrite(input: &mut [u8], at: usize, bytes: &[u8]) {
    let len = bytes.len().min(input.len() - at);
    input[at..at + len].copy_from_slice(&bytes[..len]);
}

fn insert(input: &mut Vec<u8>, at: usize, bytes: &[u8]) {
    input.splice(at..at, bytes.iter().copied());
}
