//! Which functions hold inlined copies of another, by the inline trees that the program's runtime
//! uses for tracebacks.
//!
//! Decides: whether a function was inlined somewhere, in stripped programs too.
//! Trusts: nothing. `None` means that a tree cannot be read.
//! Never does: find a copy of which no instruction is left, such as of a body that is a constant.
//! The program has no trace of it.
//!
//! ```text
//! _func        ... u8 funcID, u8 flag, u8 pad, u8 nfuncdata, then u32 each: npcdata offsets in pctab, nfuncdata offsets from
//!              go:func.*, all ones for none
//! pcdata 2     at each instruction the index in the tree, -1 for the function's own
//! funcdata 3   until Go 1.19: i16 parent, u8 funcID, u8 0, i32 file, i32 line, i32 name, i32 parent's pc
//!              since Go 1.20: u8 funcID, 3 x u8 0, i32 name, i32 parent's pc, i32 startLine
//! ```
//!
//! A parent comes before the calls inlined into it, so the largest index in use gives the tree's
//! size. (Go's `src/runtime/symtabinl.go`, `src/runtime/symtab.go` until Go 1.20;
//! `src/cmd/internal/obj/pcln.go`.)

use crate::elf::Elf;

use super::pclntab::{Function, FunctionTable, u32_at};
use super::{GoBinary, GoVersion};
use crate::golang::symbol::without_type_arguments;

/// Offset of npcdata in a _func.
const NPCDATA: usize = 28;
/// Numbers of the two among a function's tables (`PCDATA_InlTreeIndex`, `FUNCDATA_InlTree`).
const INDEX_TABLE: usize = 2;
const TREE: usize = 3;

impl<'a> GoBinary<'a> {
    /// The functions that hold inlined copies of `function`, one for each copy; `None` when a
    /// function's tree cannot be read.
    pub fn inlined_into(&self, elf: &Elf<'_>, function: &Function<'_>) -> Option<Vec<String>> {
        let name = without_type_arguments(function.name);
        let mut holders = Vec::new();
        for holder in self.functions.all() {
            let inlined = self.inlined_here(elf, holder)?;
            let copies = inlined.iter().filter(|inlined| without_type_arguments(inlined) == name);
            holders.extend(copies.map(|_| holder.name.to_owned()));
        }
        Some(holders)
    }

    /// The source file of a function, by the first of its own instructions; `None` if all of them are
    /// those of inlined calls, or the tables do not tell.
    pub fn source_file(&self, function: &Function<'_>) -> Option<&'a str> {
        let table = &self.functions;
        let (record, func_id) = table.record(function)?;
        let offsets = record.get(func_id + 4..)?;
        let inlined = (u32_at(record, NPCDATA)? as usize > INDEX_TABLE)
            .then(|| table.values(function, u32_at(offsets, INDEX_TABLE * 4)?))
            .flatten();
        let mut va = Some(function.start);
        if let Some(indices) = inlined {
            let mut start = function.start;
            va = None;
            for (index, end) in indices {
                if index < 0 {
                    va = Some(start);
                    break;
                }
                start = end;
            }
        }
        table.file_at(function, va?)
    }

    /// The names of the functions inlined into `holder`.
    fn inlined_here(&self, elf: &Elf<'_>, holder: &Function<'_>) -> Option<Vec<&str>> {
        let table: &FunctionTable<'_> = &self.functions;
        let (record, func_id) = table.record(holder)?;
        let offsets = record.get(func_id + 4..)?;
        let (pc_data, func_data) = (u32_at(record, NPCDATA)? as usize, usize::from(*record.get(func_id + 3)?));
        if pc_data <= INDEX_TABLE || func_data <= TREE {
            return Some(Vec::new());
        }
        let tree = u32_at(offsets, pc_data.checked_add(TREE)?.checked_mul(4)?)?;
        let Some(indices) = table.values(holder, u32_at(offsets, INDEX_TABLE * 4)?) else { return Some(Vec::new()) };
        let count = indices.map(|(index, _)| index.saturating_add(1)).max().unwrap_or_default();
        if tree == u32::MAX || count <= 0 {
            return Some(Vec::new());
        }
        let (size, name) = if self.version < GoVersion::go1(20) { (20, 12) } else { (16, 4) };
        let tree = elf.bytes_at(self.module_data.func_data.checked_add(tree.into())?, count as u64 * size)?;
        tree.chunks_exact(size as usize).map(|call| table.name(u32_at(call, name)?)).collect()
    }
}

#[cfg(test)]
mod tests {
    use crate::elf::Elf;
    use crate::elf::testing::damaged_copies;
    use crate::golang::{GoBinary, testing};

    #[test]
    fn copies_are_found_without_dwarf() {
        for arguments in [&["-ldflags=-s -w"][..], &["-ldflags=-s -w", "-buildmode=pie"]] {
            let file = testing::build(arguments);
            let elf = Elf::parse(&file).unwrap();
            let go = GoBinary::read(&elf, &elf.relative_relocations().unwrap()).unwrap();
            let copies =
                |name: &str| go.inlined_into(&elf, go.functions.by_name(name).next().unwrap()).map(|into| into.len());
            assert_eq!(copies("main.Scalars"), Some(0), "it is marked noinline");
            let caller = go.functions.by_name("main.CallsSmall").next().unwrap();
            assert_eq!(go.inlined_here(&elf, caller), Some(vec!["main.small"; 2]));
        }
    }

    #[test]
    fn damage_gives_none_and_never_a_panic() {
        let file = testing::build(&["-ldflags=-s -w"]);
        let elf = Elf::parse(&file).unwrap();
        let go = GoBinary::read(&elf, &[]).unwrap();
        let tables = elf.offset_of(go.module_data.func_data).unwrap().0 as usize;
        let module_data = elf.offset_of(go.module_data.va).unwrap().0 as usize;
        let mut answers = 0;
        damaged_copies(&file, &[tables..tables + 0x2000, module_data + 280..module_data + 352], 20, |copy| {
            let Ok(elf) = Elf::parse(copy) else { return };
            let Ok(go) = GoBinary::read(&elf, &[]) else { return };
            answers += u32::from(go.inlined_into(&elf, &go.functions.all()[0]).is_some());
        });
        assert!(answers > 0, "{answers}");
    }
}
