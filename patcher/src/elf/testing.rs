//! Small ELF files for tests, laid out by hand so that a test can break any byte of them.

use object::elf;

/// A loaded section, with its own segment.
pub(crate) struct TestSection<'p> {
    pub(crate) name: &'p str,
    pub(crate) va: u64,
    pub(crate) executable: bool,
    pub(crate) data: Vec<u8>,
}

/// Offsets of fields in the ELF header and in a program header.
pub(crate) const E_TYPE: usize = 16;
pub(crate) const E_MACHINE: usize = 18;
pub(crate) const FIRST_PROGRAM_HEADER: usize = 64;
pub(crate) const P_OFFSET: usize = 8;
pub(crate) const P_FILESZ: usize = 32;

/// An ET_EXEC file for x86-64 with these parts.
pub(crate) fn image(parts: &[TestSection<'_>]) -> Vec<u8> {
    let mut names = vec![0];
    let name_offsets: Vec<_> = parts
        .iter()
        .map(|part| part.name)
        .chain([".shstrtab"])
        .map(|name| {
            let offset = names.len() as u32;
            names.extend(name.bytes().chain([0]));
            offset
        })
        .collect();

    let mut contents = Vec::new();
    let contents_start = FIRST_PROGRAM_HEADER + 56 * parts.len();
    let mut place = |data: &[u8]| {
        contents.resize((contents_start + contents.len()).next_multiple_of(16) - contents_start, 0);
        contents.extend_from_slice(data);
        (contents_start + contents.len() - data.len()) as u64
    };
    let offsets: Vec<_> = parts.iter().map(|part| place(&part.data)).collect();
    let names_offset = place(&names);
    let sections_offset = place(&[]);

    let mut file = Vec::new();
    file.extend(*b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    file.extend([elf::ET_EXEC.0, elf::EM_X86_64.0].map(u16::to_le_bytes).concat());
    file.extend(1u32.to_le_bytes());
    file.extend([0x401000, FIRST_PROGRAM_HEADER as u64, sections_offset].map(u64::to_le_bytes).concat());
    file.extend(0u32.to_le_bytes());
    let counts = [64, 56, parts.len() as u16, 64, parts.len() as u16 + 2, parts.len() as u16 + 1];
    file.extend(counts.map(u16::to_le_bytes).concat());
    for (part, offset) in parts.iter().zip(&offsets) {
        let flags = if part.executable { elf::PF_R.0 | elf::PF_X.0 } else { elf::PF_R.0 | elf::PF_W.0 };
        file.extend([elf::PT_LOAD.0, flags].map(u32::to_le_bytes).concat());
        let size = part.data.len() as u64;
        file.extend([*offset, part.va, part.va, size, size, 16].map(u64::to_le_bytes).concat());
    }
    file.extend(contents);
    let mut section = |name: u32, kind: elf::SectionType, flags: elf::SectionFlags, va: u64, offset: u64, size: u64| {
        file.extend([name, kind.0].map(u32::to_le_bytes).concat());
        file.extend([flags.0, va, offset, size, 0, 1, 0].map(u64::to_le_bytes).concat());
    };
    section(0, elf::SHT_NULL, elf::SectionFlags(0), 0, 0, 0);
    for ((part, name), offset) in parts.iter().zip(&name_offsets).zip(&offsets) {
        section(*name, elf::SHT_PROGBITS, elf::SHF_ALLOC, part.va, *offset, part.data.len() as u64);
    }
    let own_name = *name_offsets.last().expect("one for each part and one more");
    section(own_name, elf::SHT_STRTAB, elf::SectionFlags(0), 0, names_offset, names.len() as u64);
    file
}

/// Calls `check` with many damaged copies of a file, the same in every run.
pub(crate) fn damaged_copies(
    file: &[u8],
    interesting: &[std::ops::Range<usize>],
    count: u32,
    mut check: impl FnMut(&[u8]),
) {
    let mut state = 0x9e3779b97f4a7c15_u64;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below.max(1) as u64) as usize
    };
    let mut copy = file.to_vec();
    for _ in 0..count {
        let mut changed = Vec::new();
        for _ in 0..=random(3) {
            let range = &interesting[random(interesting.len())];
            let at = range.start + random(range.len());
            changed.push(at);
            copy[at] = [0x00, 0xff, 0x7f, 0x80, copy[at] ^ 1, random(256) as u8][random(6)];
        }
        check(&copy);
        for at in changed {
            copy[at] = file[at];
        }
        check(&file[..random(file.len())]);
    }
}
