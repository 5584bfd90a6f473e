c00000  cmp byte ptr [800040h],0
c00007  jne short 0c00016h
c00009  push rbp
c0000a  mov rbp,rsp
c0000d  sub rsp,20h
c00011  jmp 462c12h
c00016  mov r12,[r14+30h]
c0001a  mov r12,[r12+0a0h]
c00022  test r12,r12
c00025  je 0c00135h
c0002b  mov r12d,[r12]
c0002f  cmp r12d,[800004h]
c00036  jae 0c0010fh
c0003c  shl r12d,8
c00040  lea r13,[802000h]
c00047  add r13,r12
c0004a  cmp byte ptr [r13+30h],0
c0004f  jne 0c00123h
c00055  mov byte ptr [r13+30h],1
c0005a  cmp dword ptr [800000h],0
c00061  je 0c0013ah
c00067  mov [r13+40h],rax
c0006b  mov [r13+50h],rdx
c0006f  rdtsc
c00071  shl rdx,20h
c00075  or rdx,rax
c00078  mov r15,[r13]
c0007c  lea rax,[r15+38h]
c00080  cmp rax,[r13+8]
c00084  ja 0c00144h
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
c000c2  mov dword ptr [r15+24h],3
c000ca  mov rax,[r13+40h]
c000ce  mov [r15+28h],rax
c000d2  mov rax,rcx
c000d5  mov [r15+30h],rax
c000d9  mov dword ptr [r15+8],30h
c000e1  mov qword ptr [r15],30h
c000e8  mov r12d,38h
c000ee  add r12,[r13]
c000f2  mov [r13],r12
c000f6  mov rax,[r13+20h]
c000fa  mov [rax],r12
c000fd  mov rax,[r13+40h]
c00101  mov rdx,[r13+50h]
c00105  mov byte ptr [r13+30h],0
c0010a  jmp 0c00009h
c0010f  inc r12d
c00112  mov [801078h],r12d
c00119  lock inc qword ptr [801070h]
c00121  jmp short 0c00135h
c00123  cmp dword ptr [800000h],0
c0012a  je short 0c00135h
c0012c  mov r12,[r13+20h]
c00130  inc qword ptr [r12+50h]
c00135  jmp 0c00009h
c0013a  mov byte ptr [r13+30h],0
c0013f  jmp 0c00009h
c00144  mov r12,[r13+28h]
c00148  mov r12,[r12]
c0014c  add r12,[r13+10h]
c00150  inc r12
c00153  mov [r13+8],r12
c00157  cmp rax,r12
c0015a  jbe 0c0008ah
c00160  mov r12,[r13+20h]
c00164  inc qword ptr [r12+40h]
c00169  jmp short 0c000fdh
