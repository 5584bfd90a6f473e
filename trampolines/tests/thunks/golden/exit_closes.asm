c00000  add rsp,20h
c00004  pop rbp
c00005  cmp byte ptr [800040h],0
c0000c  jne short 0c00010h
c0000e  rep ret
c00010  mov r12,[r14+30h]
c00014  mov r12,[r12+0a0h]
c0001c  test r12,r12
c0001f  je 0c00476h
c00025  mov r12d,[r12]
c00029  cmp r12d,[800004h]
c00030  jae 0c00450h
c00036  shl r12d,8
c0003a  lea r13,[802000h]
c00041  add r13,r12
c00044  cmp byte ptr [r13+30h],0
c00049  jne 0c00464h
c0004f  mov byte ptr [r13+30h],1
c00054  cmp dword ptr [800000h],0
c0005b  je 0c0047bh
c00061  mov [r13+40h],rax
c00065  mov [r13+50h],rdx
c00069  mov [r13+48h],rcx
c0006d  mov [r13+58h],rbx
c00071  mov [r13+70h],rsi
c00075  mov [r13+78h],rdi
c00079  rdtsc
c0007b  shl rdx,20h
c0007f  or rdx,rax
c00082  mov [r13+60h],rdx
c00086  mov rax,[r14+98h]
c0008d  mov r15,100000000000000h
c00097  or r15,rax
c0009a  mov r12,9e3779b97f4a7c15h
c000a4  imul r12,r15
c000a8  shr r12,32h
c000ac  shl r12,6
c000b0  lea rdx,[0a0b000h]
c000b7  add r12,rdx
c000ba  cmp [r12],r15
c000be  je short 0c000e3h
c000c0  add r12,10h
c000c4  cmp [r12],r15
c000c8  je short 0c000e3h
c000ca  add r12,10h
c000ce  cmp [r12],r15
c000d2  je short 0c000e3h
c000d4  add r12,10h
c000d8  cmp [r12],r15
c000dc  je short 0c000e3h
c000de  jmp 0c003b0h
c000e3  movaps xmm15,[r12]
c000e8  movq rdx,xmm15
c000ed  psrldq xmm15,8
c000f3  movq rax,xmm15
c000f8  cmp rdx,r15
c000fb  jne 0c003b0h
c00101  cmp [r12],r15
c00105  jne 0c003b0h
c0010b  mov rbx,[r14+8]
c0010f  sub rbx,rsp
c00112  sub rbx,8
c00116  mov dword ptr [r13+0cch],10h
c00121  mov rsi,rax
c00124  test rax,rax
c00127  je 0c00218h
c0012d  mov ecx,eax
c0012f  and ecx,1fffh
c00135  shl ecx,8
c00138  lea rdx,[0b0b000h]
c0013f  add rcx,rdx
c00142  mov rdx,rax
c00145  and rdx,0ffffffffffffdfffh
c0014c  cmp [rcx],rdx
c0014f  jne 0c00218h
c00155  bt rax,0dh
c0015a  jb 0c00218h
c00160  cmp [rcx+60h],ebx
c00163  ja short 0c001beh
c00165  jb 0c00218h
c0016b  cmp dword ptr [rcx+64h],0
c0016f  jne 0c00218h
c00175  mov rsi,[rcx+50h]
c00179  mov rdx,[r13+60h]
c0017d  sub rdx,[rcx+68h]
c00181  sar rdx,20h
c00185  cmp rdx,18h
c00189  jge short 0c001b5h
c0018b  cmp dword ptr [r13+0c8h],0
c00193  jne short 0c001ach
c00195  and eax,1fffh
c0019a  inc eax
c0019c  mov [r13+0c8h],eax
c001a3  mov qword ptr [rcx],0ffffffffffffffffh
c001aa  jmp short 0c001bch
c001ac  mov qword ptr [rcx],0
c001b3  jmp short 0c001bch
c001b5  xor edx,edx
c001b7  lock cmpxchg [rcx],rdx
c001bc  jmp short 0c00218h
c001be  mov rdi,[rcx+50h]
c001c2  mov rdx,[r13+60h]
c001c6  sub rdx,[rcx+68h]
c001ca  sar rdx,20h
c001ce  cmp rdx,18h
c001d2  jge short 0c001feh
c001d4  cmp dword ptr [r13+0c8h],0
c001dc  jne short 0c001f5h
c001de  and eax,1fffh
c001e3  inc eax
c001e5  mov [r13+0c8h],eax
c001ec  mov qword ptr [rcx],0ffffffffffffffffh
c001f3  jmp short 0c00205h
c001f5  mov qword ptr [rcx],0
c001fc  jmp short 0c00205h
c001fe  xor edx,edx
c00200  lock cmpxchg [rcx],rdx
c00205  mov rax,rdi
c00208  dec dword ptr [r13+0cch]
c0020f  jne 0c00121h
c00215  mov rsi,rax
c00218  test rsi,rsi
c0021b  je 0c003b0h
c00221  mov dword ptr [r13+0cch],4
c0022c  dec dword ptr [r13+0cch]
c00233  js 0c003a5h
c00239  mov r12,9e3779b97f4a7c15h
c00243  imul r12,r15
c00247  shr r12,32h
c0024b  shl r12,6
c0024f  lea rdx,[0a0b000h]
c00256  add r12,rdx
c00259  cmp [r12],r15
c0025d  je 0c00383h
c00263  add r12,10h
c00267  cmp [r12],r15
c0026b  je 0c00383h
c00271  add r12,10h
c00275  cmp [r12],r15
c00279  je 0c00383h
c0027f  add r12,10h
c00283  cmp [r12],r15
c00287  je 0c00383h
c0028d  sub r12,30h
c00291  mov rbx,[r12]
c00295  mov rdi,[r12+8]
c0029a  mov rax,rdi
c0029d  test rax,rax
c002a0  je 0c0038bh
c002a6  mov ecx,eax
c002a8  and ecx,1fffh
c002ae  shl ecx,8
c002b1  lea rdx,[0b0b000h]
c002b8  add rcx,rdx
c002bb  mov rdx,rax
c002be  and rdx,0ffffffffffffdfffh
c002c5  cmp [rcx],rdx
c002c8  jne 0c0038bh
c002ce  add r12,10h
c002d2  mov rbx,[r12]
c002d6  mov rdi,[r12+8]
c002db  mov rax,rdi
c002de  test rax,rax
c002e1  je 0c0038bh
c002e7  mov ecx,eax
c002e9  and ecx,1fffh
c002ef  shl ecx,8
c002f2  lea rdx,[0b0b000h]
c002f9  add rcx,rdx
c002fc  mov rdx,rax
c002ff  and rdx,0ffffffffffffdfffh
c00306  cmp [rcx],rdx
c00309  jne 0c0038bh
c0030f  add r12,10h
c00313  mov rbx,[r12]
c00317  mov rdi,[r12+8]
c0031c  mov rax,rdi
c0031f  test rax,rax
c00322  je short 0c0038bh
c00324  mov ecx,eax
c00326  and ecx,1fffh
c0032c  shl ecx,8
c0032f  lea rdx,[0b0b000h]
c00336  add rcx,rdx
c00339  mov rdx,rax
c0033c  and rdx,0ffffffffffffdfffh
c00343  cmp [rcx],rdx
c00346  jne short 0c0038bh
c00348  add r12,10h
c0034c  mov rbx,[r12]
c00350  mov rdi,[r12+8]
c00355  mov rax,rdi
c00358  test rax,rax
c0035b  je short 0c0038bh
c0035d  mov ecx,eax
c0035f  and ecx,1fffh
c00365  shl ecx,8
c00368  lea rdx,[0b0b000h]
c0036f  add rcx,rdx
c00372  mov rdx,rax
c00375  and rdx,0ffffffffffffdfffh
c0037c  cmp [rcx],rdx
c0037f  jne short 0c0038bh
c00381  jmp short 0c003a5h
c00383  mov rbx,r15
c00386  mov rdi,[r12+8]
c0038b  mov rax,rbx
c0038e  mov rdx,rdi
c00391  mov rbx,r15
c00394  mov rcx,rsi
c00397  lock cmpxchg16b [r12]
c0039d  jne 0c0022ch
c003a3  jmp short 0c003b0h
c003a5  mov rax,[r13+20h]
c003a9  inc qword ptr [rax+0b8h]
c003b0  xorps xmm15,xmm15
c003b4  mov rdx,[r13+60h]
c003b8  mov r15,[r13]
c003bc  lea rax,[r15+28h]
c003c0  cmp rax,[r13+8]
c003c4  ja 0c00485h
c003ca  and r15,[r13+10h]
c003ce  add r15,[r13+18h]
c003d2  prefetchw [r15+180h]
c003da  mov [r15+10h],rdx
c003de  mov dword ptr [r15+0ch],1
c003e6  mov rax,[r14+98h]
c003ed  mov [r15+18h],rax
c003f1  mov rax,[r14+8]
c003f5  sub rax,rsp
c003f8  sub rax,8
c003fe  mov [r15+20h],eax
c00402  mov dword ptr [r15+24h],0
c0040a  mov dword ptr [r15+8],20h
c00412  mov qword ptr [r15],20h
c00419  mov r12d,28h
c0041f  add r12,[r13]
c00423  mov [r13],r12
c00427  mov rax,[r13+20h]
c0042b  mov [rax],r12
c0042e  mov rbx,[r13+58h]
c00432  mov rax,[r13+40h]
c00436  mov rcx,[r13+48h]
c0043a  mov rsi,[r13+70h]
c0043e  mov rdi,[r13+78h]
c00442  mov rdx,[r13+50h]
c00446  mov byte ptr [r13+30h],0
c0044b  jmp 0c0000eh
c00450  inc r12d
c00453  mov [801078h],r12d
c0045a  lock inc qword ptr [801070h]
c00462  jmp short 0c00476h
c00464  cmp dword ptr [800000h],0
c0046b  je short 0c00476h
c0046d  mov r12,[r13+20h]
c00471  inc qword ptr [r12+50h]
c00476  jmp 0c0000eh
c0047b  mov byte ptr [r13+30h],0
c00480  jmp 0c0000eh
c00485  mov r12,[r13+28h]
c00489  mov r12,[r12]
c0048d  add r12,[r13+10h]
c00491  inc r12
c00494  mov [r13+8],r12
c00498  cmp rax,r12
c0049b  jbe 0c003cah
c004a1  mov r12,[r13+20h]
c004a5  inc qword ptr [r12+40h]
c004aa  jmp short 0c0042eh
