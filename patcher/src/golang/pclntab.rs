//! The pclntab: the function table of the program's own runtime, which stripped files have too.
//!
//! Decides: which functions exist, their names, bounds and flags (Go's `src/runtime/symtab.go` and
//! `runtime2.go`; the magic numbers are in `src/internal/abi/symtab.go`).
//! Trusts: nothing. Each offset is checked, and functions must be in order.
//! Never does: allocate for a name. Names are borrowed from the file.
//!
//! ```text
//! pcHeader   u32 magic, u8 0, u8 0, u8 minLC, u8 ptrSize, then words: nfunc, nfiles, textStart (0 since Go 1.26),
//!            and the offsets from here of: funcnametab, cutab, filetab, pctab, functab
//! functab    nfunc x (u32 entry, u32 offset of its _func), then u32 end of the last function; entries are offsets
//!            from runtime.text, _func offsets from functab
//! cutab      u32 each: offset in filetab of the name of a compilation unit's file; all ones for none
//! pctab      streams of (zigzag varint value delta, varint pc delta), up to a zero value delta (Go's `pcvalue`)
//! _func      u32 entry, i32 name, i32 args, u32 deferreturn, u32 pcsp, pcfile, pcln, npcdata, cuOffset,
//!            (Go 1.20: i32 startLine,) u8 funcID, u8 flag, u8 pad, u8 nfuncdata
//! ```

use std::ops::Range;

use crate::address::Va;
use crate::elf::Elf;

use super::GoVersion;

/// Format of Go 1.18 and 1.19.
const GO_1_18: u32 = 0xfffffff0;
/// Format of Go 1.20 and later.
const GO_1_20: u32 = 0xfffffff1;
/// The magic of every format is in this range (Go 1.2 to 1.15 had 0xfffffffb, 1.16 and 1.17
/// 0xfffffffa).
const ANY_FORMAT: Range<u32> = 0xfffffff0..0xfffffffc;

/// The bytes after the magic on x86-64: two zeroes, instructions of 1 byte, pointers of 8.
const X86_64_HEADER: [u8; 4] = [0, 0, 1, 8];
const NFUNC: usize = 8;
const FUNCNAMETAB: usize = 32;
const CUTAB: usize = 40;
const FILETAB: usize = 48;
const PCTAB: usize = 56;
const FUNCTAB: usize = 64;
/// Offsets in a _func.
const PCSP: usize = 16;
const PCFILE: usize = 20;
const PCLN: usize = 24;
const CU_OFFSET: usize = 32;
/// Offset of funcID in a _func, in either format.
const FUNC_ID_1_18: usize = 36;
const FUNC_ID_1_20: usize = 40;
/// Every linker aligns the table to this.
const ALIGN: usize = 8;

/// `args` of a function that does not declare it (`abi.ArgsSizeUnknown`).
const ARGS_UNKNOWN: u32 = 0x80000000;

/// A function of the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Function<'a> {
    /// Index in the table.
    pub index: u32,
    /// Name, as the runtime spells it: `net/http.(*conn).serve`.
    pub name: &'a str,
    /// First byte.
    pub start: Va,
    /// Start of the next function, or end of the text; padding before it belongs to this function.
    pub end: Va,
    /// Bytes of its arguments on the caller's stack: those not in registers, their results, and the
    /// registers' spill area. `None` in assembly that does not declare it.
    pub args: Option<u32>,
    /// Where a recovered panic resumes: the call of `runtime.deferreturn`.
    pub deferreturn: Option<Va>,
    /// The runtime's number for a function that it treats specially; 0 for others. The numbers
    /// change with the version (`src/internal/abi/symtab.go`).
    pub func_id: u8,
    /// Whether the compiler made it: a method wrapper, or the bridge between an assembly function
    /// and the other ABI, which shares its name. A user of the name means the other function.
    pub is_wrapper: bool,
    /// Flags for the runtime's unwinder.
    pub flags: FuncFlags,
    /// Offset in pctab of the table of stack depths; 0 when there is none.
    pub pcsp: u32,
}

impl Function<'_> {
    /// Bytes from `start` to `end`.
    pub fn size(&self) -> u64 {
        self.end.0 - self.start.0
    }
}

/// Flags of a function (`abi.FuncFlag`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FuncFlags(pub u8);

impl FuncFlags {
    /// First on its stack, where unwinding ends.
    pub fn is_top_frame(self) -> bool {
        self.0 & 1 != 0
    }

    /// Changes SP other than by adding a constant.
    pub fn writes_sp(self) -> bool {
        self.0 & 2 != 0
    }

    /// Written in assembly.
    pub fn is_assembly(self) -> bool {
        self.0 & 4 != 0
    }
}

/// Why the table cannot be read.
#[derive(Debug)]
pub(super) enum TableError {
    /// Its first word is that of no known format.
    Format(u32),
    /// What is wrong with it.
    Damaged(String),
}

/// Every function of the program, sorted by address.
#[derive(Debug, Clone)]
pub struct FunctionTable<'a> {
    functions: Vec<Function<'a>>,
    pctab: &'a [u8],
    names: &'a [u8],
    functab: &'a [u8],
    cutab: &'a [u8],
    filetab: &'a [u8],
    /// Offset of funcID in a _func.
    func_id: usize,
}

impl<'a> FunctionTable<'a> {
    /// A table of `functions`, which are sorted.
    #[cfg(test)]
    pub(crate) fn from_functions(functions: Vec<Function<'a>>, pctab: &'a [u8]) -> Self {
        Self { functions, pctab, names: &[], functab: &[], cutab: &[], filetab: &[], func_id: 0 }
    }

    /// Reads the pclntab at `va`; `text` is `runtime.text`.
    pub(super) fn read(elf: &Elf<'a>, va: Va, text: Va) -> Result<Self, TableError> {
        let damaged = |why: &str| TableError::Damaged(why.to_owned());
        let table = elf.bytes_from(va).ok_or_else(|| damaged("outside the file"))?;
        let magic = u32_at(table, 0).ok_or_else(|| damaged("no header"))?;
        let func_id_offset = match magic {
            GO_1_18 => FUNC_ID_1_18,
            GO_1_20 => FUNC_ID_1_20,
            _ => return Err(TableError::Format(magic)),
        };
        let field = |offset| word_at(table, offset).ok_or_else(|| damaged("no header"));
        let (count, names, pctab, functab) = (field(NFUNC)?, field(FUNCNAMETAB)?, field(PCTAB)?, field(FUNCTAB)?);
        let pctab = table.get(pctab..).ok_or_else(|| damaged("pctab outside the file"))?;
        let names = table.get(names..).ok_or_else(|| damaged("names outside the file"))?;
        let functab = table.get(functab..).ok_or_else(|| damaged("function table outside the file"))?;
        let cutab = table.get(field(CUTAB)?..).ok_or_else(|| damaged("cutab outside the file"))?;
        let filetab = table.get(field(FILETAB)?..).ok_or_else(|| damaged("filetab outside the file"))?;
        // After the pairs, one more word: the end of the last function.
        let entries = count.checked_mul(8).and_then(|len| functab.get(..len.checked_add(4)?));
        let entries = entries.ok_or_else(|| damaged("function table longer than the file"))?;

        let mut functions = Vec::with_capacity(count);
        for index in 0..count {
            let function = || {
                let (start, next) = (u32_at(entries, index * 8)?, u32_at(entries, index * 8 + 8)?);
                let record = functab.get(u32_at(entries, index * 8 + 4)? as usize..)?;
                let name = name_at(names, u32_at(record, 4)?)?;
                let start_va = text.checked_add(u64::from(start))?;
                let deferreturn = u32_at(record, 12)?;
                Some(Function {
                    index: index as u32,
                    name,
                    start: start_va,
                    end: text.checked_add(u64::from(next)).filter(|end| *end >= start_va)?,
                    args: Some(u32_at(record, 8)?).filter(|args| *args != ARGS_UNKNOWN),
                    deferreturn: if deferreturn == 0 { None } else { Some(start_va.checked_add(deferreturn.into())?) },
                    func_id: *record.get(func_id_offset)?,
                    is_wrapper: false,
                    flags: FuncFlags(*record.get(func_id_offset + 1)?),
                    pcsp: u32_at(record, PCSP)?,
                })
            };
            functions.push(function().ok_or_else(|| damaged(&format!("invalid function {index} of {count}")))?);
        }
        // Wrappers have the highest number in every version, and every program has wrappers.
        let wrapper = functions.iter().map(|function| function.func_id).max().unwrap_or_default();
        for function in &mut functions {
            function.is_wrapper = wrapper != 0 && function.func_id == wrapper;
        }
        Ok(Self { functions, pctab, names, functab, cutab, filetab, func_id: func_id_offset })
    }

    /// The oldest release that writes tables of this format.
    pub(super) fn oldest(&self) -> GoVersion {
        GoVersion::go1(if self.func_id == FUNC_ID_1_18 { 18 } else { 20 })
    }

    /// All functions, sorted by address.
    pub fn all(&self) -> &[Function<'a>] {
        &self.functions
    }

    /// Bytes between RSP and the return address before the instruction at `va` of `function`, by
    /// the table of the runtime's unwinder. `None` where the table has no entry.
    pub fn stack_depth(&self, function: &Function<'_>, va: Va) -> Option<i32> {
        let mut depths = self.values(function, function.pcsp)?;
        depths.find(|(_, end)| va < *end).filter(|_| function.start <= va).map(|(depth, _)| depth)
    }

    /// The line of each instruction of `function`, each with the end of its addresses; `None` without
    /// a table.
    pub fn lines(&self, function: &Function<'_>) -> Option<impl Iterator<Item = (i32, Va)> + 'a> {
        let (record, _) = self.record(function)?;
        self.values(function, u32_at(record, PCLN)?)
    }

    /// The values in the table at `start` of pctab, each with the end of its addresses; `None`
    /// without a table.
    pub(super) fn values(&self, function: &Function<'_>, start: u32) -> Option<impl Iterator<Item = (i32, Va)> + 'a> {
        let start = Some(start as usize).filter(|&start| start != 0)?;
        let mut stream = self.pctab.get(start..)?;
        let (first, mut pc, mut value) = (function.start, function.start, -1i32);
        Some(std::iter::from_fn(move || {
            // A zero ends the table, unless it is the first.
            let zigzag = varint(&mut stream).filter(|&zigzag| zigzag != 0 || pc == first)?;
            value = value.wrapping_add((zigzag >> 1) as i32 ^ -((zigzag & 1) as i32));
            pc = pc.checked_add(varint(&mut stream)?.into())?;
            Some((value, pc))
        }))
    }

    /// The source file of the instruction at `va`: for one of an inlined call, that call's.
    pub(super) fn file_at(&self, function: &Function<'_>, va: Va) -> Option<&'a str> {
        let (record, _) = self.record(function)?;
        let mut files = self.values(function, u32_at(record, PCFILE)?)?;
        let (file, _) = files.find(|(_, end)| va < *end)?;
        // The files of a compilation unit have consecutive numbers, from cuOffset on.
        let number = u32_at(record, CU_OFFSET)?.checked_add(u32::try_from(file).ok()?)?;
        let name = u32_at(self.cutab, (number as usize).checked_mul(4)?)?;
        name_at(self.filetab, name)
    }

    /// A function's _func, and the offset of funcID in it.
    pub(super) fn record(&self, function: &Function<'_>) -> Option<(&'a [u8], usize)> {
        let record = u32_at(self.functab, (function.index as usize).checked_mul(8)?.checked_add(4)?)?;
        Some((self.functab.get(record as usize..)?, self.func_id))
    }

    /// The name at an offset in the table of names.
    pub(super) fn name(&self, offset: u32) -> Option<&'a str> {
        name_at(self.names, offset)
    }

    /// The functions with that name. Usually one; a function and its wrapper for the other ABI
    /// share a name.
    pub fn by_name(&self, name: &str) -> impl Iterator<Item = &Function<'a>> {
        self.functions.iter().filter(move |function| function.name == name)
    }

    /// The function that contains `va`.
    pub fn containing(&self, va: Va) -> Option<&Function<'a>> {
        let after = self.functions.partition_point(|function| function.start <= va);
        self.functions[..after].last().filter(|function| va < function.end)
    }
}

/// Finds the pclntab by its section or its symbol; if a linker merged the section and the file was
/// stripped, by its header.
pub(super) fn find(elf: &Elf<'_>) -> Option<Va> {
    // A PIE's tables are in the part that is made read-only after relocation.
    let section = elf.section(".gopclntab").or_else(|| elf.section(".data.rel.ro.gopclntab")).map(|section| section.va);
    section.or_else(|| elf.symbol("runtime.pclntab")).or_else(|| {
        elf.loads().find_map(|segment| {
            let bytes = elf.bytes_from(segment.va)?;
            let index = bytes.chunks(ALIGN).position(|chunk| {
                u32_at(chunk, 0).is_some_and(|magic| ANY_FORMAT.contains(&magic))
                    && chunk.get(4..) == Some(&X86_64_HEADER)
            })?;
            segment.va.checked_add((index * ALIGN) as u64)
        })
    })
}

/// Takes a base-128 number of at most 32 bits from the front.
fn varint(stream: &mut &[u8]) -> Option<u32> {
    let mut value = 0;
    for shift in [0, 7, 14, 21, 28] {
        let (&byte, rest) = stream.split_first()?;
        *stream = rest;
        value |= u32::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn name_at(names: &[u8], offset: u32) -> Option<&str> {
    std::ffi::CStr::from_bytes_until_nul(names.get(offset as usize..)?).ok()?.to_str().ok()
}

pub(super) fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    let bytes = bytes.get(offset..)?;
    Some(u32::from_le_bytes(*bytes.first_chunk()?))
}

fn word_at(bytes: &[u8], offset: usize) -> Option<usize> {
    let bytes = bytes.get(offset..)?;
    Some(u64::from_le_bytes(*bytes.first_chunk()?) as usize)
}
