#include "textflag.h"
#include "funcdata.h"

// func viaAssembly() int64
TEXT ·viaAssembly(SB), 0, $8-8
	NO_LOCAL_POINTERS
	CALL ·fromAssembly(SB)
	MOVQ 0(SP), AX
	MOVQ AX, ret+0(FP)
	RET
