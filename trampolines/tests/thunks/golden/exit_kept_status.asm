c00000  add rsp,20h
c00004  pop rbp
c00005  cmp byte ptr [800040h],0
c0000c  jne short 0c0000fh
c0000e  ret
c0000f  mov r12,[r14+30h]
c00013  mov r12,[r12+0a0h]
c0001b  test r12,r12
c0001e  je 0c00246h
c00024  mov r12d,[r12]
c00028  cmp r12d,[800004h]
c0002f  jae 0c00234h
c00035  shl r12d,8
c00039  lea r13,[802000h]
c00040  add r13,r12
c00043  mov byte ptr [r13+30h],1
c00048  cmp dword ptr [800000h],0
c0004f  je 0c002ddh
c00055  mov [r13+40h],rax
c00059  mov [r13+50h],rdx
c0005d  mov [r13+48h],rcx
c00061  mov [r13+58h],rbx
c00065  rdtsc
c00067  shl rdx,20h
c0006b  or rdx,rax
c0006e  mov [r13+60h],rdx
c00072  mov r15,[r14+98h]
c00079  test r15,r15
c0007c  je 0c00109h
c00082  mov rax,[r14+8]
c00086  sub rax,rsp
c00089  sub rax,8
c0008f  shr rax,3
c00093  shl r15,1bh
c00097  or r15,rax
c0009a  mov rbx,9e3779b97f4a7c15h
c000a4  imul rbx,r15
c000a8  shr rbx,31h
c000ac  shl rbx,6
c000b0  lea rax,[80a000h]
c000b7  add rbx,rax
c000ba  mov rcx,[800008h]
c000c1  or rcx,0
c000c5  xor r12d,r12d
c000c8  cmp [rbx+r12],r15
c000cc  jne short 0c000fch
c000ce  cmp [rbx+r12+8],rcx
c000d3  jne short 0c000fch
c000d5  mov rax,[rbx+r12+10h]
c000da  mov [r13+80h],rax
c000e1  mov rax,[rbx+r12+18h]
c000e6  mov [r13+88h],rax
c000ed  mov qword ptr [rbx+r12],0
c000f5  mov byte ptr [r13+31h],1
c000fa  jmp short 0c00125h
c000fc  add r12,40h
c00100  cmp r12,200h
c00107  jb short 0c000c8h
c00109  mov rax,[r13+20h]
c0010d  inc qword ptr [rax+48h]
c00111  xor eax,eax
c00113  mov [r13+31h],al
c00117  mov [r13+80h],rax
c0011e  mov [r13+88h],rax
c00125  mov rdx,[r13+60h]
c00129  mov r15,[r13]
c0012d  lea rax,[r15+30h]
c00131  cmp rax,[r13+8]
c00135  ja 0c002e7h
c0013b  and r15,[r13+10h]
c0013f  add r15,[r13+18h]
c00143  prefetchw [r15+180h]
c0014b  mov [r15+10h],rdx
c0014f  mov dword ptr [r15+0ch],1
c00157  mov rax,[r14+98h]
c0015e  mov [r15+18h],rax
c00162  mov rax,[r14+8]
c00166  sub rax,rsp
c00169  sub rax,8
c0016f  mov [r15+20h],eax
c00173  mov dword ptr [r15+24h],0
c0017b  mov rcx,[r13+80h]
c00182  lea rdx,[501000h]
c00189  test rcx,rcx
c0018c  je short 0c001b2h
c0018e  cmp [rcx+8],rdx
c00192  jne short 0c001b2h
c00194  mov rax,[r13+88h]
c0019b  test rax,rax
c0019e  je short 0c001b2h
c001a0  mov rax,[rax+0a0h]
c001a7  mov [r15+28h],rax
c001ab  or dword ptr [r15+24h],1
c001b0  jmp short 0c001f6h
c001b2  mov rcx,[r13+80h]
c001b9  lea rdx,[502000h]
c001c0  test rcx,rcx
c001c3  je short 0c001eeh
c001c5  cmp [rcx+8],rdx
c001c9  jne short 0c001eeh
c001cb  mov rax,[r13+88h]
c001d2  test rax,rax
c001d5  je short 0c001eeh
c001d7  mov rax,[rax]
c001da  test rax,rax
c001dd  je short 0c001eeh
c001df  mov rax,[rax+60h]
c001e3  mov [r15+28h],rax
c001e7  or dword ptr [r15+24h],1
c001ec  jmp short 0c001f6h
c001ee  mov qword ptr [r15+28h],0
c001f6  mov dword ptr [r15+8],28h
c001fe  mov qword ptr [r15],28h
c00205  mov r12d,30h
c0020b  add r12,[r13]
c0020f  mov [r13],r12
c00213  mov rax,[r13+20h]
c00217  mov [rax],r12
c0021a  mov rbx,[r13+58h]
c0021e  mov rax,[r13+40h]
c00222  mov rcx,[r13+48h]
c00226  mov rdx,[r13+50h]
c0022a  mov byte ptr [r13+30h],0
c0022f  jmp 0c0000eh
c00234  inc r12d
c00237  mov [801078h],r12d
c0023e  lock inc qword ptr [801070h]
c00246  lock inc dword ptr [8010f8h]
c0024d  movq xmm15,rax
c00252  mov r15,[r14+98h]
c00259  test r15,r15
c0025c  je short 0c002c8h
c0025e  mov r12,[r14+8]
c00262  sub r12,rsp
c00265  sub r12,8
c00269  shr r12,3
c0026d  shl r15,1bh
c00271  or r15,r12
c00274  mov r13,9e3779b97f4a7c15h
c0027e  imul r13,r15
c00282  shr r13,31h
c00286  shl r13,6
c0028a  lea r12,[80a000h]
c00291  add r13,r12
c00294  mov rax,[800008h]
c0029b  or rax,0
c002a1  xor r12d,r12d
c002a4  cmp [r13+r12],r15
c002a9  jne short 0c002bbh
c002ab  cmp [r13+r12+8],rax
c002b0  jne short 0c002bbh
c002b2  mov qword ptr [r13+r12],0
c002bb  add r12,40h
c002bf  cmp r12,200h
c002c6  jb short 0c002a4h
c002c8  movq rax,xmm15
c002cd  xorps xmm15,xmm15
c002d1  lock dec dword ptr [8010f8h]
c002d8  jmp 0c0000eh
c002dd  mov byte ptr [r13+30h],0
c002e2  jmp 0c0000eh
c002e7  mov r12,[r13+28h]
c002eb  mov r12,[r12]
c002ef  add r12,[r13+10h]
c002f3  inc r12
c002f6  mov [r13+8],r12
c002fa  cmp rax,r12
c002fd  jbe 0c0013bh
c00303  mov r12,[r13+20h]
c00307  inc qword ptr [r12+40h]
c0030c  jmp 0c0021ah
