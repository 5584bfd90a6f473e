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
c00032  jae 0c000f8h
c00038  shl r12d,8
c0003c  lea r13,[802000h]
c00043  add r13,r12
c00046  mov byte ptr [r13+30h],1
c0004b  cmp dword ptr [800000h],0
c00052  je 0c0010fh
c00058  mov [r13+40h],rax
c0005c  mov [r13+50h],rdx
c00060  rdtsc
c00062  shl rdx,20h
c00066  or rdx,rax
c00069  mov r15,[r13]
c0006d  lea rax,[r15+38h]
c00071  cmp rax,[r13+8]
c00075  ja 0c00119h
c0007b  and r15,[r13+10h]
c0007f  add r15,[r13+18h]
c00083  mov [r15+10h],rdx
c00087  mov dword ptr [r15+0ch],0
c0008f  mov rax,[r14+98h]
c00096  mov [r15+18h],rax
c0009a  mov rax,[r14+8]
c0009e  sub rax,rsp
c000a1  sub rax,8
c000a7  mov [r15+20h],eax
c000ab  mov dword ptr [r15+24h],3
c000b3  mov rax,[r13+40h]
c000b7  mov [r15+28h],rax
c000bb  mov rax,rcx
c000be  mov [r15+30h],rax
c000c2  mov dword ptr [r15+8],30h
c000ca  mov qword ptr [r15],30h
c000d1  mov r12d,38h
c000d7  add r12,[r13]
c000db  mov [r13],r12
c000df  mov rax,[r13+20h]
c000e3  mov [rax],r12
c000e6  mov rax,[r13+40h]
c000ea  mov rdx,[r13+50h]
c000ee  mov byte ptr [r13+30h],0
c000f3  jmp 0c00009h
c000f8  inc r12d
c000fb  mov [801078h],r12d
c00102  lock inc qword ptr [801070h]
c0010a  jmp 0c00009h
c0010f  mov byte ptr [r13+30h],0
c00114  jmp 0c00009h
c00119  mov r12,[r13+28h]
c0011d  mov r12,[r12]
c00121  add r12,[r13+10h]
c00125  inc r12
c00128  mov [r13+8],r12
c0012c  cmp rax,r12
c0012f  jbe 0c0007bh
c00135  mov r12,[r13+20h]
c00139  inc qword ptr [r12+40h]
c0013e  jmp short 0c000e6h
