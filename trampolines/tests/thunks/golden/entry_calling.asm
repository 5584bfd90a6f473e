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
c00034  je 0c00135h
c0003a  mov r12d,[r12]
c0003e  cmp r12d,[800004h]
c00045  jae 0c0010fh
c0004b  shl r12d,8
c0004f  lea r13,[802000h]
c00056  add r13,r12
c00059  cmp byte ptr [r13+30h],0
c0005e  jne 0c00123h
c00064  mov byte ptr [r13+30h],1
c00069  cmp dword ptr [800000h],0
c00070  je 0c0013ah
c00076  mov [r13+40h],rax
c0007a  mov [r13+50h],rdx
c0007e  rdtsc
c00080  shl rdx,20h
c00084  or rdx,rax
c00087  mov r15,[r13]
c0008b  lea rax,[r15+28h]
c0008f  cmp rax,[r13+8]
c00093  ja 0c00144h
c00099  and r15,[r13+10h]
c0009d  add r15,[r13+18h]
c000a1  prefetchw [r15+180h]
c000a9  mov [r15+10h],rdx
c000ad  mov dword ptr [r15+0ch],0
c000b5  mov rax,[r14+98h]
c000bc  mov [r15+18h],rax
c000c0  mov rax,[r14+8]
c000c4  sub rax,rsp
c000c7  sub rax,8
c000cd  mov [r15+20h],eax
c000d1  mov dword ptr [r15+24h],0
c000d9  mov dword ptr [r15+8],20h
c000e1  mov qword ptr [r15],20h
c000e8  mov r12d,28h
c000ee  add r12,[r13]
c000f2  mov [r13],r12
c000f6  mov rax,[r13+20h]
c000fa  mov [rax],r12
c000fd  mov rax,[r13+40h]
c00101  mov rdx,[r13+50h]
c00105  mov byte ptr [r13+30h],0
c0010a  jmp 0c00013h
c0010f  inc r12d
c00112  mov [801078h],r12d
c00119  lock inc qword ptr [801070h]
c00121  jmp short 0c00135h
c00123  cmp dword ptr [800000h],0
c0012a  je short 0c00135h
c0012c  mov r12,[r13+20h]
c00130  inc qword ptr [r12+50h]
c00135  jmp 0c00013h
c0013a  mov byte ptr [r13+30h],0
c0013f  jmp 0c00013h
c00144  mov r12,[r13+28h]
c00148  mov r12,[r12]
c0014c  add r12,[r13+10h]
c00150  inc r12
c00153  mov [r13+8],r12
c00157  cmp rax,r12
c0015a  jbe 0c00099h
c00160  mov r12,[r13+20h]
c00164  inc qword ptr [r12+40h]
c00169  jmp short 0c000fdh
