c00000  cmp byte ptr [800040h],0
c00007  jne short 0c00016h
c00009  push rbp
c0000a  mov rbp,rsp
c0000d  sub rsp,20h
c00011  jmp 462c12h
c00016  mov r12,[r14+30h]
c0001a  mov r12,[r12+0a0h]
c00022  test r12,r12
c00025  je 0c00107h
c0002b  mov r12d,[r12]
c0002f  cmp r12d,[800004h]
c00036  jae 0c000f5h
c0003c  shl r12d,8
c00040  lea r13,[802000h]
c00047  add r13,r12
c0004a  mov byte ptr [r13+30h],1
c0004f  cmp dword ptr [800000h],0
c00056  je 0c0010ch
c0005c  mov [r13+40h],rax
c00060  mov [r13+50h],rdx
c00064  rdtsc
c00066  shl rdx,20h
c0006a  or rdx,rax
c0006d  mov r15,[r13]
c00071  lea rax,[r15+28h]
c00075  cmp rax,[r13+8]
c00079  ja 0c00116h
c0007f  and r15,[r13+10h]
c00083  add r15,[r13+18h]
c00087  prefetchw [r15+180h]
c0008f  mov [r15+10h],rdx
c00093  mov dword ptr [r15+0ch],0
c0009b  mov rax,[r14+98h]
c000a2  mov [r15+18h],rax
c000a6  mov rax,[r14+8]
c000aa  sub rax,rsp
c000ad  sub rax,8
c000b3  mov [r15+20h],eax
c000b7  mov dword ptr [r15+24h],0
c000bf  mov dword ptr [r15+8],20h
c000c7  mov qword ptr [r15],20h
c000ce  mov r12d,28h
c000d4  add r12,[r13]
c000d8  mov [r13],r12
c000dc  mov rax,[r13+20h]
c000e0  mov [rax],r12
c000e3  mov rax,[r13+40h]
c000e7  mov rdx,[r13+50h]
c000eb  mov byte ptr [r13+30h],0
c000f0  jmp 0c00009h
c000f5  inc r12d
c000f8  mov [801078h],r12d
c000ff  lock inc qword ptr [801070h]
c00107  jmp 0c00009h
c0010c  mov byte ptr [r13+30h],0
c00111  jmp 0c00009h
c00116  mov r12,[r13+28h]
c0011a  mov r12,[r12]
c0011e  add r12,[r13+10h]
c00122  inc r12
c00125  mov [r13+8],r12
c00129  cmp rax,r12
c0012c  jbe 0c0007fh
c00132  mov r12,[r13+20h]
c00136  inc qword ptr [r12+40h]
c0013b  jmp short 0c000e3h
