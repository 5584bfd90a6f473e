c00000  cmp byte ptr [800040h],0
c00007  jne short 0c00016h
c00009  push rbp
c0000a  mov rbp,rsp
c0000d  sub rsp,20h
c00011  jmp 462c12h
c00016  mov r12,[r14+30h]
c0001a  mov r12,[r12+0a0h]
c00022  test r12,r12
c00025  je short 0c00009h
c00027  mov r12d,[r12]
c0002b  cmp r12d,[800004h]
c00032  jae 0c00100h
c00038  shl r12d,8
c0003c  lea r13,[802000h]
c00043  add r13,r12
c00046  mov byte ptr [r13+30h],1
c0004b  cmp dword ptr [800000h],0
c00052  je 0c00117h
c00058  mov [r13+40h],rax
c0005c  mov [r13+50h],rdx
c00060  rdtsc
c00062  shl rdx,20h
c00066  or rdx,rax
c00069  mov r15,[r13]
c0006d  lea rax,[r15+38h]
c00071  cmp rax,[r13+8]
c00075  ja 0c00121h
c0007b  and r15,[r13+10h]
c0007f  add r15,[r13+18h]
c00083  prefetchw [r15+180h]
c0008b  mov [r15+10h],rdx
c0008f  mov dword ptr [r15+0ch],0
c00097  mov rax,[r14+98h]
c0009e  mov [r15+18h],rax
c000a2  mov rax,[r14+8]
c000a6  sub rax,rsp
c000a9  sub rax,8
c000af  mov [r15+20h],eax
c000b3  mov dword ptr [r15+24h],3
c000bb  mov rax,[r13+40h]
c000bf  mov [r15+28h],rax
c000c3  mov rax,rcx
c000c6  mov [r15+30h],rax
c000ca  mov dword ptr [r15+8],30h
c000d2  mov qword ptr [r15],30h
c000d9  mov r12d,38h
c000df  add r12,[r13]
c000e3  mov [r13],r12
c000e7  mov rax,[r13+20h]
c000eb  mov [rax],r12
c000ee  mov rax,[r13+40h]
c000f2  mov rdx,[r13+50h]
c000f6  mov byte ptr [r13+30h],0
c000fb  jmp 0c00009h
c00100  inc r12d
c00103  mov [801078h],r12d
c0010a  lock inc qword ptr [801070h]
c00112  jmp 0c00009h
c00117  mov byte ptr [r13+30h],0
c0011c  jmp 0c00009h
c00121  mov r12,[r13+28h]
c00125  mov r12,[r12]
c00129  add r12,[r13+10h]
c0012d  inc r12
c00130  mov [r13+8],r12
c00134  cmp rax,r12
c00137  jbe 0c0007bh
c0013d  mov r12,[r13+20h]
c00141  inc qword ptr [r12+40h]
c00146  jmp short 0c000eeh
