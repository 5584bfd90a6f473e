c00000  cmp rsp,[r14+10h]
c00004  jbe 462c21h
c0000a  cmp byte ptr [800040h],0
c00011  jne short 0c00025h
c00013  push rbp
c00014  mov rbp,rsp
c00017  lea r12,[462c21h]
c0001e  push r12
c00020  jmp 462000h
c00025  mov r12,[r14+30h]
c00029  mov r12,[r12+0a0h]
c00031  test r12,r12
c00034  je 0c00116h
c0003a  mov r12d,[r12]
c0003e  cmp r12d,[800004h]
c00045  jae 0c00104h
c0004b  shl r12d,8
c0004f  lea r13,[802000h]
c00056  add r13,r12
c00059  mov byte ptr [r13+30h],1
c0005e  cmp dword ptr [800000h],0
c00065  je 0c0011bh
c0006b  mov [r13+40h],rax
c0006f  mov [r13+50h],rdx
c00073  rdtsc
c00075  shl rdx,20h
c00079  or rdx,rax
c0007c  mov r15,[r13]
c00080  lea rax,[r15+28h]
c00084  cmp rax,[r13+8]
c00088  ja 0c00125h
c0008e  and r15,[r13+10h]
c00092  add r15,[r13+18h]
c00096  prefetchw [r15+180h]
c0009e  mov [r15+10h],rdx
c000a2  mov dword ptr [r15+0ch],0
c000aa  mov rax,[r14+98h]
c000b1  mov [r15+18h],rax
c000b5  mov rax,[r14+8]
c000b9  sub rax,rsp
c000bc  sub rax,8
c000c2  mov [r15+20h],eax
c000c6  mov dword ptr [r15+24h],0
c000ce  mov dword ptr [r15+8],20h
c000d6  mov qword ptr [r15],20h
c000dd  mov r12d,28h
c000e3  add r12,[r13]
c000e7  mov [r13],r12
c000eb  mov rax,[r13+20h]
c000ef  mov [rax],r12
c000f2  mov rax,[r13+40h]
c000f6  mov rdx,[r13+50h]
c000fa  mov byte ptr [r13+30h],0
c000ff  jmp 0c00013h
c00104  inc r12d
c00107  mov [801078h],r12d
c0010e  lock inc qword ptr [801070h]
c00116  jmp 0c00013h
c0011b  mov byte ptr [r13+30h],0
c00120  jmp 0c00013h
c00125  mov r12,[r13+28h]
c00129  mov r12,[r12]
c0012d  add r12,[r13+10h]
c00131  inc r12
c00134  mov [r13+8],r12
c00138  cmp rax,r12
c0013b  jbe 0c0008eh
c00141  mov r12,[r13+20h]
c00145  inc qword ptr [r12+40h]
c0014a  jmp short 0c000f2h
