c00000  cmp byte ptr [800040h],0
c00007  jne short 0c00016h
c00009  push rbp
c0000a  mov rbp,rsp
c0000d  sub rsp,20h
c00011  jmp 462c12h
c00016  mov r12,[r14+30h]
c0001a  mov r12,[r12+0a0h]
c00022  test r12,r12
c00025  je 0c00126h
c0002b  mov r12d,[r12]
c0002f  cmp r12d,[800004h]
c00036  jae 0c00100h
c0003c  shl r12d,8
c00040  lea r13,[802000h]
c00047  add r13,r12
c0004a  cmp byte ptr [r13+30h],0
c0004f  jne 0c00114h
c00055  mov byte ptr [r13+30h],1
c0005a  cmp dword ptr [800000h],0
c00061  je 0c0012bh
c00067  mov [r13+40h],rax
c0006b  mov [r13+50h],rdx
c0006f  rdtsc
c00071  shl rdx,20h
c00075  or rdx,rax
c00078  mov r15,[r13]
c0007c  lea rax,[r15+28h]
c00080  cmp rax,[r13+8]
c00084  ja 0c00135h
c0008a  and r15,[r13+10h]
c0008e  add r15,[r13+18h]
c00092  prefetchw [r15+180h]
c0009a  mov [r15+10h],rdx
c0009e  mov dword ptr [r15+0ch],0
c000a6  mov rax,[r14+98h]
c000ad  mov [r15+18h],rax
c000b1  mov rax,[r14+8]
c000b5  sub rax,rsp
c000b8  sub rax,8
c000be  mov [r15+20h],eax
c000c2  mov dword ptr [r15+24h],0
c000ca  mov dword ptr [r15+8],20h
c000d2  mov qword ptr [r15],20h
c000d9  mov r12d,28h
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
c00112  jmp short 0c00126h
c00114  cmp dword ptr [800000h],0
c0011b  je short 0c00126h
c0011d  mov r12,[r13+20h]
c00121  inc qword ptr [r12+50h]
c00126  jmp 0c00009h
c0012b  mov byte ptr [r13+30h],0
c00130  jmp 0c00009h
c00135  mov r12,[r13+28h]
c00139  mov r12,[r12]
c0013d  add r12,[r13+10h]
c00141  inc r12
c00144  mov [r13+8],r12
c00148  cmp rax,r12
c0014b  jbe 0c0008ah
c00151  mov r12,[r13+20h]
c00155  inc qword ptr [r12+40h]
c0015a  jmp short 0c000eeh
