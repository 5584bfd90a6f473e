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
c00032  jb short 0c00048h
c00034  inc r12d
c00037  mov [801078h],r12d
c0003e  lock inc qword ptr [801070h]
c00046  jmp short 0c00009h
c00048  shl r12d,8
c0004c  lea r13,[802000h]
c00053  add r13,r12
c00056  mov byte ptr [r13+30h],1
c0005b  cmp dword ptr [800000h],0
c00062  jne short 0c0006bh
c00064  mov byte ptr [r13+30h],0
c00069  jmp short 0c00009h
c0006b  mov [r13+40h],rax
c0006f  mov [r13+48h],rcx
c00073  mov [r13+50h],rdx
c00077  rdtsc
c00079  shl rdx,20h
c0007d  or rdx,rax
c00080  mov r15,[r13]
c00084  lea rax,[r15+58h]
c00088  cmp rax,[r13+8]
c0008c  jbe short 0c000b2h
c0008e  mov rcx,[r13+28h]
c00092  mov rcx,[rcx]
c00095  add rcx,[r13+10h]
c00099  inc rcx
c0009c  mov [r13+8],rcx
c000a0  cmp rax,rcx
c000a3  jbe short 0c000b2h
c000a5  mov rcx,[r13+20h]
c000a9  inc qword ptr [rcx+40h]
c000ad  jmp 0c00185h
c000b2  and r15,[r13+10h]
c000b6  add r15,[r13+18h]
c000ba  mov [r15+10h],rdx
c000be  mov dword ptr [r15+0ch],0
c000c6  mov rax,[r14+98h]
c000cd  mov [r15+18h],rax
c000d1  mov rax,[r14+8]
c000d5  sub rax,rsp
c000d8  sub rax,8
c000de  mov [r15+20h],eax
c000e2  mov dword ptr [r15+24h],1fh
c000ea  mov rax,[r13+40h]
c000ee  movsx rax,al
c000f2  mov [r15+28h],rax
c000f6  mov rax,rbx
c000f9  movzx eax,ax
c000fc  mov [r15+30h],rax
c00100  mov rax,r11
c00103  movsxd rax,eax
c00106  mov [r15+38h],rax
c0010a  mov rax,[rsp+18h]
c0010f  mov [r15+40h],rax
c00113  mov rax,[r13+48h]
c00117  xor ecx,ecx
c00119  test rax,rax
c0011c  sete cl
c0011f  mov [r15+48h],rcx
c00123  mov rax,rsi
c00126  test rax,rax
c00129  je short 0c00159h
c0012b  mov rcx,[rax+18h]
c0012f  lea rdx,[503000h]
c00136  cmp rcx,rdx
c00139  jne short 0c00159h
c0013b  mov rax,[rax+20h]
c0013f  test rax,rax
c00142  je short 0c00159h
c00144  xor ecx,ecx
c00146  cmp qword ptr [rax+8],0
c0014b  setne cl
c0014e  mov [r15+50h],rcx
c00152  or dword ptr [r15+24h],20h
c00157  jmp short 0c00161h
c00159  mov qword ptr [r15+50h],0
c00161  mov dword ptr [r15+8],50h
c00169  mov qword ptr [r15],50h
c00170  mov r12d,58h
c00176  add r12,[r13]
c0017a  mov [r13],r12
c0017e  mov rax,[r13+20h]
c00182  mov [rax],r12
c00185  mov rax,[r13+40h]
c00189  mov rcx,[r13+48h]
c0018d  mov rdx,[r13+50h]
c00191  mov byte ptr [r13+30h],0
c00196  jmp 0c00009h
