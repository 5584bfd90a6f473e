//! Call frame information for the emitted code, for debuggers.
//!
//! Decides: what a debugger takes for the caller of a thunk: the function that it belongs to, at
//! its site.
//! Trusts: the emitted code, which changes RSP only by instructions that came from the program.
//! Never does: add anything to a program without such information.
//!
//! A thunk is in no function that a debugger knows. gdb's `next`, which steps through the end of a
//! function, would stop there, and a backtrace from there would show rubbish. So each thunk is
//! described as a signal handler's trampoline (augmentation `S`) that interrupted its function at
//! the site: registers are the function's own, the PC is the site's. gdb steps through such code
//! until it has left it. (gdb, `process_event_stop_test` in `gdb/infrun.c`. At a lone `ret` it
//! believes the instruction rather than this information, `amd64_stack_frame_destroyed_p` in
//! `gdb/amd64-tdep.c`, so emitted returns have a prefix.)
//!
//! It is in a section of its own. Debuggers read one `.eh_frame` and one `.debug_frame`, so where the
//! input has both, from C code, it is appended to a copy of the latter.

use gimli::write::{
    Address, CallFrameInstruction, CommonInformationEntry, DebugFrame, EhFrame, EndianVec, Expression,
    FrameDescriptionEntry, FrameTable, Writer,
};
use gimli::{Encoding, Format, LittleEndian, X86_64};
use iced_x86::{Code, Decoder, DecoderOptions, FlowControl, Instruction, Mnemonic, OpKind};
use libdeflater::{CompressionLvl, Compressor};
use object::elf::{self, CompressionHeader64};
use object::endian::{LittleEndian as LE, U32, U64};
use object::pod;

use crate::elf::Elf;

/// The section for new information, and the one that Go's linker writes.
pub(crate) const SECTION: &str = ".eh_frame";
const GO_SECTION: &str = ".debug_frame";
/// Their versions.
const VERSION: u16 = 1;
const GO_VERSION: u16 = 3;

/// A piece of emitted code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CodeFrame {
    /// Its address.
    pub(crate) va: u64,
    /// Its bytes.
    pub(crate) size: usize,
    /// Where the function is meanwhile.
    pub(crate) at: u64,
    /// RSP there, less RSP at the start of the code.
    pub(crate) rsp: i32,
    /// Whether the code changes RSP.
    pub(crate) moves_rsp: bool,
}

/// The contents of a section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contents {
    /// Index of the input's section that they replace; `None` for a new one.
    pub(crate) replaces: Option<usize>,
    pub(crate) bytes: Vec<u8>,
}

/// A section with these frames, if the input has any. `code` is the emitted code, for address
/// `code_va`.
pub(crate) fn section(elf: &Elf<'_>, frames: &[CodeFrame], (code, code_va): (&[u8], u64)) -> Option<Contents> {
    let old = elf.section(GO_SECTION)?;
    let is_new = elf.section(SECTION).is_none();
    let table = table(frames, (code, code_va), if is_new { VERSION } else { GO_VERSION })?;
    if is_new {
        let mut writer = EhFrame::from(EndianVec::new(LittleEndian));
        table.write_eh_frame(&mut writer).ok()?;
        return Some(Contents { replaces: None, bytes: writer.take() });
    }
    let mut writer = DebugFrame::from(EndianVec::new(LittleEndian));
    writer.write(&elf.section_data(old).ok()?).ok()?;
    table.write_debug_frame(&mut writer).ok()?;
    let grown = writer.take();
    let bytes = if old.flags.contains(elf::SHF_COMPRESSED) { compress(&grown)? } else { grown };
    Some(Contents { replaces: Some(old.index), bytes })
}

fn table(frames: &[CodeFrame], (code, code_va): (&[u8], u64), version: u16) -> Option<FrameTable> {
    let encoding = Encoding { address_size: 8, format: Format::Dwarf32, version };
    let mut table = FrameTable::default();
    let mut entry = CommonInformationEntry::new(encoding, 1, -8, X86_64::RA);
    entry.signal_trampoline = true;
    entry.add_instruction(CallFrameInstruction::Cfa(X86_64::RSP, 0));
    let entry = table.add_cie(entry);
    for frame in frames {
        let start = (frame.va - code_va) as usize;
        let bytes = code.get(start..start + frame.size)?;
        let mut described = FrameDescriptionEntry::new(Address::Constant(frame.va), frame.size as u32);
        let mut at = Expression::new();
        at.op_addr(Address::Constant(frame.at));
        described.add_instruction(0, CallFrameInstruction::ValExpression(X86_64::RA, at));
        for (offset, change) in changes(bytes, frame) {
            described.add_instruction(offset, CallFrameInstruction::CfaOffset(frame.rsp.wrapping_sub(change)));
        }
        table.add_fde(entry, described);
    }
    Some(table)
}

/// The places in a piece of code from which on RSP differs, and by how much then from its start.
fn changes(code: &[u8], frame: &CodeFrame) -> Vec<(u32, i32)> {
    if !frame.moves_rsp {
        return if frame.rsp == 0 { Vec::new() } else { vec![(0, 0)] };
    }
    // By offset: how much RSP has changed when control is there.
    let mut known: Vec<Option<i32>> = vec![None; code.len()];
    let mut ahead = vec![(0, 0)];
    while let Some((offset, change)) = ahead.pop() {
        if known.get(offset).is_none_or(Option::is_some) {
            continue;
        }
        known[offset] = Some(change);
        let instruction = Decoder::with_ip(64, &code[offset..], offset as u64, DecoderOptions::NONE).decode();
        let change = change.wrapping_add(change_of(&instruction));
        let flow = instruction.flow_control();
        if matches!(flow, FlowControl::ConditionalBranch | FlowControl::UnconditionalBranch) {
            ahead.push((instruction.near_branch_target() as usize, change));
        }
        if matches!(flow, FlowControl::Next | FlowControl::ConditionalBranch) {
            ahead.push((instruction.next_ip() as usize, change));
        }
    }
    let mut rows: Vec<(u32, i32)> = Vec::new();
    for (offset, change) in known.into_iter().enumerate().filter_map(|(offset, change)| Some((offset, change?))) {
        if rows.last().map_or(frame.rsp, |(_, last)| *last) != change || rows.is_empty() {
            rows.push((offset as u32, change));
        }
    }
    rows
}

/// By how much an instruction changes RSP. Whatever a damaged program adds up to, only debuggers read
/// it.
pub(crate) fn change_of(instruction: &Instruction) -> i32 {
    let sets_rsp = instruction.op_count() == 2 && instruction.op0_register() == iced_x86::Register::RSP;
    let number = || instruction.try_immediate(1).map_or(0, |number| number as i32);
    match instruction.mnemonic() {
        Mnemonic::Add if sets_rsp => number(),
        Mnemonic::Sub if sets_rsp => number().wrapping_neg(),
        Mnemonic::Lea if sets_rsp && instruction.op1_kind() == OpKind::Memory => {
            instruction.memory_displacement64() as i32
        }
        _ if instruction.code() == Code::Retnq => 0,
        _ => instruction.stack_pointer_increment(),
    }
}

/// `contents` as the ELF specification compresses a section.
fn compress(contents: &[u8]) -> Option<Vec<u8>> {
    let header = CompressionHeader64::<LE> {
        ch_type: U32::new(LE, elf::ELFCOMPRESS_ZLIB),
        ch_reserved: U32::new(LE, 0),
        ch_size: U64::new(LE, contents.len() as u64),
        ch_addralign: U64::new(LE, 1),
    };
    let mut compressor = Compressor::new(CompressionLvl::new(1).ok()?);
    let mut bytes = pod::bytes_of(&header).to_vec();
    let start = bytes.len();
    bytes.resize(start + compressor.zlib_compress_bound(contents.len()), 0);
    let len = compressor.zlib_compress(contents, &mut bytes[start..]).ok()?;
    bytes.truncate(start + len);
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `sub rsp, -0x80000000`, again and again.
    #[test]
    fn changes_too_large_to_count_are_no_panic() {
        let code = [0x48, 0x81, 0xEC, 0, 0, 0, 0x80].repeat(3);
        let frame = CodeFrame { va: 0x1000, size: code.len(), at: 0x2000, rsp: i32::MIN, moves_rsp: true };
        assert_eq!(changes(&code, &frame), [(0, 0), (7, i32::MIN), (14, 0)]);
        table(&[frame], (&code, 0x1000), VERSION).expect("a table");
    }
}
