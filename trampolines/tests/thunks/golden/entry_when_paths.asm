c00000  cmp byte ptr [800040h],0
c00007  jne short 0c00016h
c00009  push rbp
c0000a  mov rbp,rsp
c0000d  sub rsp,20h
c00011  jmp 462c12h
c00016  mov r12,rax
c00019  test r12,r12
c0001c  je short 0c00040h
c0001e  mov r13,[r12+18h]
c00023  lea r15,[503000h]
c0002a  cmp r13,r15
c0002d  jne short 0c00040h
c0002f  mov r12,[r12+20h]
c00034  test r12,r12
c00037  je short 0c00040h
c00039  cmp qword ptr [r12],0
c0003e  je short 0c000a4h
c00040  mov r13,rbx
c00043  lea r15,[501000h]
c0004a  test r13,r13
c0004d  je 0c003c2h
c00053  cmp [r13+8],r15
c00057  jne 0c003c2h
c0005d  mov r12,rcx
c00060  test r12,r12
c00063  je 0c003c2h
c00069  mov r12,[r12+10h]
c0006e  test r12,r12
c00071  je 0c003c2h
c00077  mov r13,[r12+8]
c0007c  cmp r13,5
c00080  jb 0c003c2h
c00086  mov r12,[r12]
c0008a  cmp dword ptr [r12],6970612fh
c00092  jne 0c003c2h
c00098  cmp byte ptr [r12+4],2fh
c0009e  jne 0c003c2h
c000a4  mov r12,[r14+30h]
c000a8  mov r12,[r12+0a0h]
c000b0  test r12,r12
c000b3  je 0c0027fh
c000b9  mov r12d,[r12]
c000bd  cmp r12d,[800004h]
c000c4  jae 0c00259h
c000ca  shl r12d,8
c000ce  lea r13,[802000h]
c000d5  add r13,r12
c000d8  cmp byte ptr [r13+30h],0
c000dd  jne 0c0026dh
c000e3  mov byte ptr [r13+30h],1
c000e8  cmp dword ptr [800000h],0
c000ef  je 0c00316h
c000f5  mov [r13+40h],rax
c000f9  mov [r13+50h],rdx
c000fd  mov [r13+48h],rcx
c00101  mov [r13+58h],rbx
c00105  rdtsc
c00107  shl rdx,20h
c0010b  or rdx,rax
c0010e  mov [r13+60h],rdx
c00112  mov r15,[r14+98h]
c00119  test r15,r15
c0011c  je 0c001a1h
c00122  mov rax,[r14+8]
c00126  sub rax,rsp
c00129  sub rax,8
c0012f  shr rax,3
c00133  shl r15,1bh
c00137  or r15,rax
c0013a  mov rbx,9e3779b97f4a7c15h
c00144  imul rbx,r15
c00148  shr rbx,31h
c0014c  shl rbx,6
c00150  lea rax,[80a000h]
c00157  add rbx,rax
c0015a  mov rcx,[800008h]
c00161  or rcx,0
c00165  cmp byte ptr [800040h],0
c0016c  je 0c0023fh
c00172  xor r12d,r12d
c00175  mov rax,[rbx+r12]
c00179  test rax,rax
c0017c  je short 0c001aeh
c0017e  cmp rax,r15
c00181  jne short 0c0018ah
c00183  cmp [rbx+r12+8],rcx
c00188  je short 0c001bbh
c0018a  add r12,40h
c0018e  cmp r12,200h
c00195  jb short 0c00175h
c00197  mov dword ptr [8010f0h],1
c001a1  mov rax,[r13+20h]
c001a5  inc qword ptr [rax+48h]
c001a9  jmp 0c0023fh
c001ae  mov edx,1
c001b3  lock cmpxchg [rbx+r12],rdx
c001b9  jne short 0c00172h
c001bb  add rbx,r12
c001be  mov [rbx+8],rcx
c001c2  mov rdx,[r13+60h]
c001c6  mov [rbx],r15
c001c9  mov r15,[r13]
c001cd  lea rax,[r15+28h]
c001d1  cmp rax,[r13+8]
c001d5  ja 0c00320h
c001db  and r15,[r13+10h]
c001df  add r15,[r13+18h]
c001e3  prefetchw [r15+180h]
c001eb  mov [r15+10h],rdx
c001ef  mov dword ptr [r15+0ch],0
c001f7  mov rax,[r14+98h]
c001fe  mov [r15+18h],rax
c00202  mov rax,[r14+8]
c00206  sub rax,rsp
c00209  sub rax,8
c0020f  mov [r15+20h],eax
c00213  mov dword ptr [r15+24h],0
c0021b  mov dword ptr [r15+8],20h
c00223  mov qword ptr [r15],20h
c0022a  mov r12d,28h
c00230  add r12,[r13]
c00234  mov [r13],r12
c00238  mov rax,[r13+20h]
c0023c  mov [rax],r12
c0023f  mov rbx,[r13+58h]
c00243  mov rax,[r13+40h]
c00247  mov rcx,[r13+48h]
c0024b  mov rdx,[r13+50h]
c0024f  mov byte ptr [r13+30h],0
c00254  jmp 0c00009h
c00259  inc r12d
c0025c  mov [801078h],r12d
c00263  lock inc qword ptr [801070h]
c0026b  jmp short 0c0027fh
c0026d  cmp dword ptr [800000h],0
c00274  je short 0c0027fh
c00276  mov r12,[r13+20h]
c0027a  inc qword ptr [r12+50h]
c0027f  lock inc dword ptr [8010f8h]
c00286  movq xmm15,rax
c0028b  mov r15,[r14+98h]
c00292  test r15,r15
c00295  je short 0c00301h
c00297  mov r12,[r14+8]
c0029b  sub r12,rsp
c0029e  sub r12,8
c002a2  shr r12,3
c002a6  shl r15,1bh
c002aa  or r15,r12
c002ad  mov r13,9e3779b97f4a7c15h
c002b7  imul r13,r15
c002bb  shr r13,31h
c002bf  shl r13,6
c002c3  lea r12,[80a000h]
c002ca  add r13,r12
c002cd  mov rax,[800008h]
c002d4  or rax,0
c002da  xor r12d,r12d
c002dd  cmp [r13+r12],r15
c002e2  jne short 0c002f4h
c002e4  cmp [r13+r12+8],rax
c002e9  jne short 0c002f4h
c002eb  mov qword ptr [r13+r12],0
c002f4  add r12,40h
c002f8  cmp r12,200h
c002ff  jb short 0c002ddh
c00301  movq rax,xmm15
c00306  xorps xmm15,xmm15
c0030a  lock dec dword ptr [8010f8h]
c00311  jmp 0c00009h
c00316  mov byte ptr [r13+30h],0
c0031b  jmp 0c00009h
c00320  mov r12,[r13+28h]
c00324  mov r12,[r12]
c00328  add r12,[r13+10h]
c0032c  inc r12
c0032f  mov [r13+8],r12
c00333  cmp rax,r12
c00336  jbe 0c001dbh
c0033c  mov r12,[r13+20h]
c00340  inc qword ptr [r12+40h]
c00345  mov r15,[r14+98h]
c0034c  test r15,r15
c0034f  je 0c0023fh
c00355  mov rax,[r14+8]
c00359  sub rax,rsp
c0035c  sub rax,8
c00362  shr rax,3
c00366  shl r15,1bh
c0036a  or r15,rax
c0036d  mov rbx,9e3779b97f4a7c15h
c00377  imul rbx,r15
c0037b  shr rbx,31h
c0037f  shl rbx,6
c00383  lea rax,[80a000h]
c0038a  add rbx,rax
c0038d  mov rcx,[800008h]
c00394  or rcx,0
c00398  xor r12d,r12d
c0039b  cmp [rbx+r12],r15
c0039f  jne short 0c003b0h
c003a1  cmp [rbx+r12+8],rcx
c003a6  jne short 0c003b0h
c003a8  mov qword ptr [rbx+r12],0
c003b0  add r12,40h
c003b4  cmp r12,200h
c003bb  jb short 0c0039bh
c003bd  jmp 0c0023fh
c003c2  mov r15,[r14+98h]
c003c9  test r15,r15
c003cc  je 0c004b7h
c003d2  mov r12,[r14+8]
c003d6  sub r12,rsp
c003d9  sub r12,8
c003dd  shr r12,3
c003e1  shl r15,1bh
c003e5  or r15,r12
c003e8  mov r13,9e3779b97f4a7c15h
c003f2  imul r13,r15
c003f6  shr r13,31h
c003fa  shl r13,6
c003fe  lea r12,[80a000h]
c00405  add r13,r12
c00408  mov r12,[800008h]
c0040f  or r12,0
c00413  cmp [r13],r15
c00417  jne short 0c00423h
c00419  cmp [r13+8],r12
c0041d  je 0c0027fh
c00423  cmp [r13+40h],r15
c00427  jne short 0c00433h
c00429  cmp [r13+48h],r12
c0042d  je 0c0027fh
c00433  cmp [r13+80h],r15
c0043a  jne short 0c00449h
c0043c  cmp [r13+88h],r12
c00443  je 0c0027fh
c00449  cmp [r13+0c0h],r15
c00450  jne short 0c0045fh
c00452  cmp [r13+0c8h],r12
c00459  je 0c0027fh
c0045f  cmp [r13+100h],r15
c00466  jne short 0c00475h
c00468  cmp [r13+108h],r12
c0046f  je 0c0027fh
c00475  cmp [r13+140h],r15
c0047c  jne short 0c0048bh
c0047e  cmp [r13+148h],r12
c00485  je 0c0027fh
c0048b  cmp [r13+180h],r15
c00492  jne short 0c004a1h
c00494  cmp [r13+188h],r12
c0049b  je 0c0027fh
c004a1  cmp [r13+1c0h],r15
c004a8  jne short 0c004b7h
c004aa  cmp [r13+1c8h],r12
c004b1  je 0c0027fh
c004b7  jmp 0c00009h
