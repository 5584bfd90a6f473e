//! How large rings are when nobody says.
//!
//! Decides: the bytes of a process's rings, by how many they are and how much memory others' take.
//! Trusts: its caller's sums. Never does: allocate.
//!
//! A ring has to hold what comes while gopatchd is kept from its processor. With 8 MiB that is 110 ms of a million records a second
//! of 76 bytes each; with 4 MiB 55 ms, which a shared virtual machine took now and then; with 1 MiB 14 ms, which a busy
//! machine takes more often than not. But each P of each process has one, a BPF ring
//! takes its memory at once, and a process with many Ps spreads its records.

use gopatch_protocol::wire::PAGE;

/// Largest ring. Each P of each process gets one.
const MAX_RING_BYTES: u32 = 1 << 28;

/// Largest ring, while there is room.
const LARGEST: u32 = 8 << 20;
/// Smallest, however little room there is.
const SMALLEST: u32 = 1 << 20;
/// What a process's rings may take together before they become smaller.
const OF_A_PROCESS: u64 = 32 << 20;
/// What all rings may.
const OF_ALL: u64 = 256 << 20;

/// Bytes of each of a new session's rings, when all others take `in_use` bytes.
pub(crate) fn ring_bytes(asked: Option<u32>, rings: u32, in_use: u64) -> u32 {
    asked.unwrap_or_else(|| {
        let fits = |bytes: &u32| {
            let together = u64::from(*bytes) * u64::from(rings);
            together <= OF_A_PROCESS && in_use.saturating_add(together) <= OF_ALL
        };
        std::iter::successors(Some(LARGEST), |bytes| Some(bytes / 2))
            .take_while(|bytes| *bytes > SMALLEST)
            .find(fits)
            .unwrap_or(SMALLEST)
    })
}

/// Whether a ring can have so many bytes.
pub(crate) fn check_ring_bytes(bytes: u32) -> Result<(), String> {
    if bytes.is_power_of_two() && (PAGE as u32..=MAX_RING_BYTES).contains(&bytes) {
        Ok(())
    } else {
        Err(format!("not a power of two from {PAGE} to {MAX_RING_BYTES}"))
    }
}

/// Reads a ring's size from a flag.
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
