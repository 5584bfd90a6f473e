//! A run-time type's descriptor: `Type` of Go's `src/internal/abi/type.go`, `_type` of
//! `src/runtime/type.go` until Go 1.20.
//!
//! Decides: where in a descriptor each fact is.
//! Trusts: nothing; `None` means that the bytes are no descriptor.
//! Never does: follow a reference to another type.
//!
//! ```text
//! 0    u64 size, u64 bytes that may hold pointers, u32 hash, u8 flags, u8 align, u8 align as a field, u8 kind,
//!      ptr equal, ptr gcdata, i32 name, i32 pointer to this type (both are offsets from runtime.types)
//! 48   pointer, slice: ptr element            chan: ptr element, u64 direction
//!      array: ptr element, ptr slice, u64 length
//!      func: u16 inputs, u16 results (top bit: variadic), padding
//!      interface: ptr package's name, slice of { i32 name, i32 type }
//!      struct: ptr package's name, slice of { ptr name, ptr type, u64 offset (Go 1.18: twice it, and 1 if embedded) }
//!      map: ptr key, ptr element, and more, by version
//! then if flags has UNCOMMON: i32 package's name, u16 methods, u16 exported ones, u32 offset of the methods, u32 0
//! then the kind's list: a func's inputs and results, an interface's methods, a struct's fields
//! then the methods, 16 bytes each
//! ```
//!
//! A name is a byte of flags, its length as a varint, and UTF-8.

use gopatch_trampolines::plan::descriptor::{COMMON, EXTRA_STAR, FLAGS, NAME};

use crate::address::Va;
use crate::elf::{Elf, Relative};
use crate::golang::{self, GoBinary};
use crate::types::{Field, Kind, TypeId};

/// Bits of a type's flags (`abi.TFlag`).
const UNCOMMON: u8 = 1;
const NAMED: u8 = 4;
/// Bit of a name's flags: the name of an embedded field. Since Go 1.19.
const EMBEDDED: u8 = 8;

/// Bits of the kind; until Go 1.25 the others are for the garbage collector.
const KIND: u8 = 0x1f;
const ARRAY: u8 = 17;
const CHAN: u8 = 18;
const FUNC: u8 = 19;
const INTERFACE: u8 = 20;
const MAP: u8 = 21;
const POINTER: u8 = 22;
const SLICE: u8 = 23;
const STRUCT: u8 = 25;
const UNSAFE_POINTER: u8 = 26;

const UNCOMMON_SIZE: u64 = 16;
const FIELD_SIZE: u64 = 24;

/// Most bytes of a value: a size is a positive `int`. The compiler allows 1 << 50.
const MAX_SIZE: u64 = i64::MAX as u64;

/// What types need of the image.
#[derive(Debug)]
pub(super) struct Image<'a> {
    elf: &'a Elf<'a>,
    relocations: &'a [Relative],
    /// `runtime.types`.
    types: Va,
    /// Size of a map's descriptor.
    map_size: u64,
    /// Whether the word with a field's offset also has the bit for an embedded field, as in Go
    /// 1.18.
    packed_offsets: bool,
}

/// The part that all descriptors have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Descriptor {
    /// Where it is.
    pub(super) va: Va,
    /// Size of a value.
    pub(super) size: u64,
    flags: u8,
    kind: u8,
    name: u32,
}

impl Descriptor {
    /// Whether the type has a declared name.
    pub(super) fn is_named(&self) -> bool {
        self.flags & NAMED != 0
    }

    /// Whether the type is a pointer.
    pub(super) fn is_pointer(&self) -> bool {
        self.kind == POINTER
    }

    fn has_uncommon(&self) -> bool {
        self.flags & UNCOMMON != 0
    }

    fn at(&self, offset: u64) -> Option<Va> {
        self.va.checked_add(offset)
    }
}

impl<'a> Image<'a> {
    pub(super) fn new(elf: &'a Elf<'a>, relocations: &'a [Relative], go: &GoBinary<'_>) -> Self {
        // Swiss tables came with Go 1.24; until 1.25 an experiment kept the old maps.
        let old_maps = go.build_info.go_version.contains("noswissmap");
        let minor = go.version.minor;
        let map_size = match minor {
            ..24 => 88,
            24 | 25 if old_maps => 88,
            24..27 => 112,
            _ => 136,
        };
        Self { elf, relocations, types: go.module_data.types, map_size, packed_offsets: minor < 19 }
    }

    pub(super) fn bytes(&self, va: Va, len: u64) -> Option<&'a [u8]> {
        self.elf.bytes_at(va, len)
    }

    /// The word at `va`, which is not an address.
    pub(super) fn word(&self, va: Va) -> Option<u64> {
        self.elf.word_at(va)
    }

    /// The address in the word at `va`.
    pub(super) fn pointer(&self, va: Va) -> Option<Va> {
        golang::pointer_at(self.elf, self.relocations, va)
    }

    fn u16(&self, va: Va) -> Option<u16> {
        Some(u16::from_le_bytes(self.bytes(va, 2)?.try_into().ok()?))
    }

    fn u32(&self, va: Va) -> Option<u32> {
        Some(u32::from_le_bytes(self.bytes(va, 4)?.try_into().ok()?))
    }

    /// The flags of the name at `va`, and its text.
    fn name(&self, va: Va) -> Option<(u8, &'a str)> {
        let (flags, mut rest) = self.elf.bytes_from(va)?.split_first()?;
        let mut len = 0;
        for shift in [0, 7, 14, 21, 28] {
            let (byte, after) = rest.split_first()?;
            rest = after;
            len |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some((*flags, std::str::from_utf8(rest.get(..len)?).ok()?));
            }
        }
        None
    }

    pub(super) fn descriptor(&self, va: Va) -> Option<Descriptor> {
        let common = self.bytes(va, COMMON)?;
        let size = u64::from_le_bytes(common[..8].try_into().ok()?);
        let name = u32::from_le_bytes(common.get(NAME as usize..)?.get(..4)?.try_into().ok()?);
        let (flags, kind) = (common[FLAGS as usize], common[23] & KIND);
        (size <= MAX_SIZE && (1..=UNSAFE_POINTER).contains(&kind)).then_some(Descriptor { va, size, flags, kind, name })
    }

    /// The name, with the last element of the import path: `*http.response`.
    pub(super) fn text(&self, descriptor: &Descriptor) -> Option<&'a str> {
        let (_, text) = self.name(self.types.checked_add(descriptor.name.into())?)?;
        if descriptor.flags & EXTRA_STAR != 0 { text.strip_prefix('*') } else { Some(text) }
    }

    /// The import path of the type's package; empty for types of the language.
    pub(super) fn package(&self, descriptor: &Descriptor) -> Option<&'a str> {
        if !descriptor.has_uncommon() {
            return Some("");
        }
        match self.u32(descriptor.at(self.fixed_size(descriptor))?)? {
            0 => Some(""),
            offset => Some(self.name(self.types.checked_add(offset.into())?)?.1),
        }
    }

    /// The element of a pointer, a slice or an array.
    pub(super) fn element(&self, descriptor: &Descriptor) -> Option<Va> {
        self.pointer(descriptor.at(COMMON)?)
    }

    pub(super) fn kind(&self, descriptor: &Descriptor) -> Option<Kind<'a>> {
        let element = || Some(TypeId::Runtime(self.element(descriptor)?));
        Some(match descriptor.kind {
            1 => Kind::Bool,
            2..=6 => Kind::Int { signed: true },
            7..=12 => Kind::Int { signed: false },
            13 | 14 => Kind::Float,
            15 | 16 => Kind::Complex,
            ARRAY => Kind::Array { element: element()?, len: self.word(descriptor.at(COMMON + 16)?)? },
            CHAN => Kind::Chan,
            FUNC => Kind::Func,
            INTERFACE => Kind::Interface { empty: self.word(descriptor.at(COMMON + 16)?)? == 0 },
            MAP => Kind::Map,
            POINTER => Kind::Pointer(element()?),
            SLICE => Kind::Slice(element()?),
            24 => Kind::String,
            STRUCT => Kind::Struct(self.fields(descriptor)?),
            UNSAFE_POINTER => Kind::UnsafePointer,
            _ => return None,
        })
    }

    fn fields(&self, descriptor: &Descriptor) -> Option<Vec<Field<'a>>> {
        let first = self.pointer(descriptor.at(COMMON + 8)?)?;
        let count = self.word(descriptor.at(COMMON + 16)?)?;
        // Checks all of them before memory is allocated for them.
        self.bytes(first, count.checked_mul(FIELD_SIZE)?)?;
        let field = |index| {
            let va = first.checked_add(index * FIELD_SIZE)?;
            let (flags, name) = self.name(self.pointer(va)?)?;
            let word = self.word(va.checked_add(16)?)?;
            let (offset, embedded) =
                if self.packed_offsets { (word >> 1, word & 1 != 0) } else { (word, flags & EMBEDDED != 0) };
            let type_id = TypeId::Runtime(self.pointer(va.checked_add(8)?)?);
            (offset <= descriptor.size).then_some(Field { name, offset, type_id, embedded })
        };
        (0..count).map(field).collect()
    }

    /// The address of the next descriptor (`DescriptorSize`, since Go 1.27).
    pub(super) fn next(&self, descriptor: &Descriptor) -> Option<Va> {
        let fixed_size = self.fixed_size(descriptor);
        let list = match descriptor.kind {
            FUNC => {
                let inputs = self.u16(descriptor.at(COMMON)?)?;
                let results = self.u16(descriptor.at(COMMON + 2)?)? & 0x7fff;
                (u64::from(inputs) + u64::from(results)) * 8
            }
            INTERFACE => self.word(descriptor.at(COMMON + 16)?)?.checked_mul(8)?,
            STRUCT => self.word(descriptor.at(COMMON + 16)?)?.checked_mul(FIELD_SIZE)?,
            _ => 0,
        };
        let uncommon = if descriptor.has_uncommon() {
            UNCOMMON_SIZE + u64::from(self.u16(descriptor.at(fixed_size + 4)?)?) * 16
        } else {
            0
        };
        descriptor.at(fixed_size.checked_add(uncommon)?.checked_add(list)?)
    }

    /// Bytes before the uncommon part.
    fn fixed_size(&self, descriptor: &Descriptor) -> u64 {
        match descriptor.kind {
            POINTER | SLICE | FUNC => COMMON + 8,
            CHAN => COMMON + 16,
            ARRAY => COMMON + 24,
            INTERFACE | STRUCT => COMMON + 32,
            MAP => self.map_size,
            _ => COMMON,
        }
    }
}
