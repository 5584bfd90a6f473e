//! Rings that are always full, positions and lengths that are wrong, and labels without end.

use std::time::Duration;

use anyhow::Result;
use gopatch_protocol::wire::{MAX_RINGS, ring};

use crate::client::{Ring, Session, Target, now, payload};
use crate::manifests::{Executable, Hooked, manifest, small};

/// Rules with labels, and bytes of a label.
const RULES: usize = 300;
const LABEL: usize = 900;

/// Bytes of a record with its header that fill a ring without a rest.
const UNIT: u64 = 64;

/// How long a session of wrong positions lasts.
const SHORT: Duration = Duration::from_millis(50);

fn executable() -> Result<Executable> {
    Executable::new(&small())
}

fn pause() {
    std::thread::sleep(Duration::from_millis(1));
}

/// A session. An attacker that is refused tries again, for ever.
fn attach(target: &Target, rings: u32, executable: &Executable) -> Session {
    loop {
        match target.attach(rings, executable) {
            Some(session) => return session,
            None => std::thread::sleep(Duration::from_millis(100)),
        }
    }
}

/// Writes records while there is room, but not for ever.
fn write_many(ring: &mut Ring, header: u32, record: &[u8]) {
    for _ in 0..4096 {
        ring.write(header, record);
    }
}

/// Takes as many rings as there can be, and keeps each full: whatever gopatchd has read is there
/// again at once.
pub(crate) fn keep_rings_full(target: &Target, _: Option<&str>) -> Result<()> {
    let executable = executable()?;
    let mut session = attach(target, u32::MAX, &executable);
    target.tally.add("rings", session.rings.len() as u64);
    for index in 0..session.rings.len() {
        let record = payload(0, index as u64, &[]);
        let ring = &session.rings[index];
        for place in (0..ring.bytes).step_by(UNIT as usize) {
            ring.put(place, UNIT - ring::HEADER as u64);
            for (word, bytes) in (1..).zip(record.as_chunks().0) {
                ring.put(place + 8 * word, u64::from_le_bytes(*bytes));
            }
        }
        top_up(target, &mut session.rings[..=index]);
    }
    loop {
        top_up(target, &mut session.rings);
        pause();
    }
}

/// Publishes once more what has been read of rings that hold records everywhere.
fn top_up(target: &Target, rings: &mut [Ring]) {
    for ring in rings {
        let full = ring.consumer().wrapping_add(ring.bytes);
        target.tally.add("records", full.wrapping_sub(ring.producer) / UNIT);
        ring.publish(full);
    }
}

/// Publishes what cannot be, in session after session.
pub(crate) fn lie_about_positions(target: &Target, _: Option<&str>) -> Result<()> {
    let executable = executable()?;
    let record = payload(0, 1, &[]);
    let ways: [fn(&mut Ring, &[u8]); 12] = [
        |ring, _| ring.publish(1 << 40),
        |ring, _| ring.publish(u64::MAX),
        |ring, _| ring.publish(44),
        |ring, record| {
            ring.write(record.len() as u32, record);
            ring.publish(0);
        },
        |ring, record| {
            ring.write(4000, record);
        },
        |ring, record| {
            ring.write(ring::DISCARD - 1, record);
        },
        |ring, record| {
            ring.write(u32::MAX, record);
        },
        |ring, record| {
            ring.write(ring::BUSY | record.len() as u32, record);
            write_many(ring, record.len() as u32, record);
        },
        |ring, record| write_many(ring, ring::DISCARD | record.len() as u32, record),
        |ring, _| write_many(ring, 8, &[0; 8]),
        |ring, _| {
            for place in 0..ring.bytes / 8 {
                ring.put(8 * place, fastrand::u64(..));
            }
            ring.publish(ring.bytes);
        },
        |ring, _| {
            for counter in [ring::DROPPED, ring::WORDS_MISSING, ring::SLOT_BUSY, ring::RESUMED] {
                ring.set(counter, u64::MAX);
            }
        },
    ];
    loop {
        let mut session = attach(target, ways.len() as u32, &executable);
        for (ring, way) in session.rings.iter_mut().zip(ways) {
            way(ring, &record);
            target.tally.add("lies", 1);
        }
        std::thread::sleep(SHORT);
    }
}

/// Makes up values of labels, in as many rules as it may have.
pub(crate) fn make_up_labels(target: &Target, _: Option<&str>) -> Result<()> {
    let names: Vec<_> = (0..RULES).map(|rule| format!("labels.{rule}.{}", "r".repeat(100))).collect();
    let hooked: Vec<_> = names.iter().map(|rule| Hooked { rule, captures: &["one.label", "another.label"] }).collect();
    let manifest = manifest(&hooked);
    fill(target, &Executable::new(&manifest)?, RULES as u32, |number| {
        let label = format!("{number:x}-{}", "\\\"\n".repeat(LABEL / 3));
        vec![label.clone(), label]
    })
}

/// Counts operations of rules, and with labels, whose names are alike once Prometheus' characters
/// replace the others, or have a meaning of their own there.
pub(crate) fn collide(target: &Target, _: Option<&str>) -> Result<()> {
    const RULES: [&str; 14] = [
        "a.b",
        "a_b",
        "a-b",
        "a b",
        "A.B",
        "a.b.duration",
        "a_b_duration_seconds",
        "target",
        "target_info",
        "gopatchd_records",
        "gopatchd",
        "http.server.request",
        "",
        "\u{e9}",
    ];
    const LABELS: [&str; 16] = [
        "x.y",
        "x_y",
        "x-y",
        "x y",
        "le",
        "quantile",
        "__name__",
        "job",
        "instance",
        "exported_le",
        "gopatch_duplicate",
        "otel.metric.overflow",
        "error.type",
        "",
        "0",
        "\u{e9}",
    ];
    let manifest = manifest(&RULES.map(|rule| Hooked { rule, captures: &LABELS }));
    fill(target, &Executable::new(&manifest)?, RULES.len() as u32, |number| {
        let value = if number % 3 == 0 { String::new() } else { format!("{}", number % 5) };
        vec![value; LABELS.len()]
    })
}

/// Takes a session and calls functions with these values, as fast as gopatchd reads that.
fn fill(target: &Target, executable: &Executable, functions: u32, values: impl Fn(u64) -> Vec<String>) -> ! {
    let mut session = attach(target, 1, executable);
    let ring = &mut session.rings[0];
    let start = now();
    let mut number = 0;
    loop {
        let function = (number % u64::from(functions)) as u32;
        let values = values(start.wrapping_add(number));
        let values: Vec<_> = values.iter().map(String::as_str).collect();
        for record in [payload(2 * function, number, &values), payload(2 * function + 1, number, &[])] {
            while !ring.write(record.len() as u32, &record) {
                pause();
            }
        }
        target.tally.add("calls", 1);
        number += 1;
    }
}

const _: () = assert!(MAX_RINGS == 128, "the attack is on 128 rings");
