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
c00032  jae 0c000f1h
c00038  shl r12d,8
c0003c  lea r13,[802000h]
c00043  add r13,r12
c00046  mov byte ptr [r13+30h],1
c0004b  cmp dword ptr [800000h],0
c00052  je 0c00108h
c00058  mov [r13+40h],rax
c0005c  mov [r13+50h],rdx
c00060  rdtsc
c00062  shl rdx,20h
c00066  or rdx,rax
c00069  mov r15,[r13]
c0006d  lea rax,[r15+28h]
c00071  cmp rax,[r13+8]
c00075  ja 0c00112h
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
c000b3  mov dword ptr [r15+24h],0
c000bb  mov dword ptr [r15+8],20h
c000c3  mov qword ptr [r15],20h
c000ca  mov r12d,28h
c000d0  add r12,[r13]
c000d4  mov [r13],r12
c000d8  mov rax,[r13+20h]
c000dc  mov [rax],r12
c000df  mov rax,[r13+40h]
c000e3  mov rdx,[r13+50h]
c000e7  mov byte ptr [r13+30h],0
c000ec  jmp 0c00009h
c000f1  inc r12d
c000f4  mov [801078h],r12d
c000fb  lock inc qword ptr [801070h]
c00103  jmp 0c00009h
c00108  mov byte ptr [r13+30h],0
c0010d  jmp 0c00009h
c00112  mov r12,[r13+28h]
c00116  mov r12,[r12]
c0011a  add r12,[r13+10h]
c0011e  inc r12
c00121  mov [r13+8],r12
c00125  cmp rax,r12
c00128  jbe 0c0007bh
c0012e  mov r12,[r13+20h]
c00132  inc qword ptr [r12+40h]
c00137  jmp short 0c000dfh
