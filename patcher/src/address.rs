//! Addresses and offsets: in the input file, in its image, in the parts that gopatch adds.
//!
//! Decides: that no bare `u64` address crosses a module, and that an address is printed in hex.
//! Trusts: nothing. Arithmetic is checked, as most of these numbers come from the input file.
//! Never does: convert one kind into another. That needs the segments of an ELF file
//! (`crate::elf`).

use std::fmt;

macro_rules! address {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub u64);

        impl $name {
            /// The address `bytes` higher; `None` past the end of the address space.
            #[must_use]
            pub fn checked_add(self, bytes: u64) -> Option<Self> {
                self.0.checked_add(bytes).map(Self)
            }

            /// The address `bytes` lower; `None` below zero.
            #[must_use]
            pub fn checked_sub(self, bytes: u64) -> Option<Self> {
                self.0.checked_sub(bytes).map(Self)
            }

            /// Bytes from `start` to here; `None` when `start` is higher.
            #[must_use]
            pub fn offset_from(self, start: Self) -> Option<u64> {
                self.0.checked_sub(start.0)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:#x}", self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({:#x})"), self.0)
            }
        }
    };
}

address! {
    /// Offset in the input file.
    FileOffset
}

address! {
    /// Virtual address in the input's image, as the linker laid it out (before a PIE is moved).
    Va
}

address! {
    /// Virtual address in the parts that gopatch adds to the image.
    NewVa
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_shown_in_hex() {
        assert_eq!(Va(0x401000).to_string(), "0x401000");
        assert_eq!(format!("{:?}", FileOffset(0x10)), "FileOffset(0x10)");
    }

    #[test]
    fn arithmetic_stops_at_the_ends() {
        assert_eq!(Va(u64::MAX).checked_add(1), None);
        assert_eq!(Va(0).checked_sub(1), None);
        assert_eq!(Va(0x20).offset_from(Va(0x8)), Some(0x18));
        assert_eq!(Va(0x8).offset_from(Va(0x20)), None);
    }
}
