#include "textflag.h"

// A NOP of the five bytes that Linux 6.18 turns into a call where a uprobe lies, after arguments in
// the registers that ServeLike has them in. It is written as bytes, since the assembler chooses its
// own encoding.
TEXT ·Nop(SB), NOSPLIT, $0-24
	MOVQ rw_data+8(FP), BX
	MOVQ req+16(FP), CX
	BYTE $0x0F; BYTE $0x1F; BYTE $0x44; BYTE $0x00; BYTE $0x00
	RET
