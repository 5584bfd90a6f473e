//! The size of rings.
//!
//! Decides: the default, from the number of a process's rings and the memory that all others take.
//!
//! A ring has to hold the records that come while gopatchd waits for a processor. 8 MiB hold 110 ms
//! of a million records a second of 76 bytes each; 4 MiB hold 55 ms, a pause that was seen now and
//! then on a shared virtual machine; 1 MiB holds 14 ms, which a busy machine exceeds more often
//! than not. But each P of each process has a ring, a BPF ring takes its memory at once, and a
//! process with many Ps spreads its records.

use gopatch_protocol::wire::PAGE;

/// Largest ring that can be configured. Each P of each process gets one.
const MAX_RING_BYTES: u32 = 1 << 28;

/// Default size while there is room.
const LARGEST: u32 = 8 << 20;
/// Smallest default size, however little room there is.
const SMALLEST: u32 = 1 << 20;
/// Most bytes of all rings of a process before they become smaller.
const PROCESS_BYTES: u64 = 32 << 20;
/// Most bytes of all rings of all processes before new ones become smaller.
const TOTAL_BYTES: u64 = 256 << 20;

/// Bytes of each ring of a new session, if all other rings take `in_use` bytes.
pub(crate) fn ring_bytes(configured: Option<u32>, rings: u32, in_use: u64) -> u32 {
    configured.unwrap_or_else(|| {
        let fits = |bytes: &u32| {
            let together = u64::from(*bytes) * u64::from(rings);
            together <= PROCESS_BYTES && in_use.saturating_add(together) <= TOTAL_BYTES
        };
        std::iter::successors(Some(LARGEST), |bytes| Some(bytes / 2))
            .take_while(|bytes| *bytes > SMALLEST)
            .find(fits)
            .unwrap_or(SMALLEST)
    })
}

/// Checks that a ring can have this many bytes.
pub(crate) fn check_ring_bytes(bytes: u32) -> Result<(), String> {
    if bytes.is_power_of_two() && (PAGE as u32..=MAX_RING_BYTES).contains(&bytes) {
        Ok(())
    } else {
        Err(format!("not a power of two from {PAGE} to {MAX_RING_BYTES}"))
    }
}

/// Parses the size of a ring.
pub(crate) fn parse_ring_bytes(text: &str) -> Result<u32, String> {
    let bytes: u32 = text.parse().map_err(|error| format!("{error}"))?;
    check_ring_bytes(bytes).map(|()| bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rings_are_large_while_there_is_room() {
        for (rings, mib) in [(2, 8), (4, 8), (5, 4), (8, 4), (9, 2), (16, 2), (17, 1), (128, 1)] {
            assert_eq!(ring_bytes(None, rings, 0), mib << 20, "{rings} rings");
        }
        for (in_use_mib, mib) in [(224, 4), (225, 2), (240, 2), (241, 1), (1 << 20, 1)] {
            assert_eq!(ring_bytes(None, 8, in_use_mib << 20), mib << 20, "{in_use_mib} MiB in use");
        }
        assert_eq!(ring_bytes(Some(4096), 2, 0), 4096);
    }

    #[test]
    fn a_size_is_a_power_of_two_within_bounds() {
        assert_eq!(parse_ring_bytes("4096"), Ok(4096));
        for bad in ["0", "5000", "2048", "536870912", "x"] {
            assert!(parse_ring_bytes(bad).is_err(), "{bad}");
        }
    }
}
