c00000  cmp byte ptr [800040h],0
c00007  jne short 0c00024h
c00009  test rax,rax
c0000c  je short 0c00018h
c0000e  mov eax,7
c00013  jmp 0c01000h
c00018  xor eax,eax
c0001a  jmp 0c01000h
c0001f  jmp 0c01000h
c00024  mov r12,[r14+30h]
c00028  mov r12,[r12+0a0h]
c00030  test r12,r12
c00033  je 0c00115h
c00039  mov r12d,[r12]
c0003d  cmp r12d,[800004h]
c00044  jae 0c00103h
c0004a  shl r12d,8
c0004e  lea r13,[802000h]
c00055  add r13,r12
c00058  mov byte ptr [r13+30h],1
c0005d  cmp dword ptr [800000h],0
c00064  je 0c0011ah
c0006a  mov [r13+40h],rax
c0006e  mov [r13+50h],rdx
c00072  rdtsc
c00074  shl rdx,20h
c00078  or rdx,rax
c0007b  mov r15,[r13]
c0007f  lea rax,[r15+28h]
c00083  cmp rax,[r13+8]
c00087  ja 0c00124h
c0008d  and r15,[r13+10h]
c00091  add r15,[r13+18h]
c00095  prefetchw [r15+180h]
c0009d  mov [r15+10h],rdx
c000a1  mov dword ptr [r15+0ch],0
c000a9  mov rax,[r14+98h]
c000b0  mov [r15+18h],rax
c000b4  mov rax,[r14+8]
c000b8  sub rax,rsp
c000bb  sub rax,8
c000c1  mov [r15+20h],eax
c000c5  mov dword ptr [r15+24h],0
c000cd  mov dword ptr [r15+8],20h
c000d5  mov qword ptr [r15],20h
c000dc  mov r12d,28h
c000e2  add r12,[r13]
c000e6  mov [r13],r12
c000ea  mov rax,[r13+20h]
c000ee  mov [rax],r12
c000f1  mov rax,[r13+40h]
c000f5  mov rdx,[r13+50h]
c000f9  mov byte ptr [r13+30h],0
c000fe  jmp 0c00009h
c00103  inc r12d
c00106  mov [801078h],r12d
c0010d  lock inc qword ptr [801070h]
c00115  jmp 0c00009h
c0011a  mov byte ptr [r13+30h],0
c0011f  jmp 0c00009h
c00124  mov r12,[r13+28h]
c00128  mov r12,[r12]
c0012c  add r12,[r13+10h]
c00130  inc r12
c00133  mov [r13+8],r12
c00137  cmp rax,r12
c0013a  jbe 0c0008dh
c00140  mov r12,[r13+20h]
c00144  inc qword ptr [r12+40h]
c00149  jmp short 0c000f1h
