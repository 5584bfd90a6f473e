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
c00084  lea rax,[r15+28h]
c00088  cmp rax,[r13+8]
c0008c  jbe short 0c000afh
c0008e  mov rcx,[r13+28h]
c00092  mov rcx,[rcx]
c00095  add rcx,[r13+10h]
c00099  inc rcx
c0009c  mov [r13+8],rcx
c000a0  cmp rax,rcx
c000a3  jbe short 0c000afh
c000a5  mov rcx,[r13+20h]
c000a9  inc qword ptr [rcx+40h]
c000ad  jmp short 0c0010bh
c000af  and r15,[r13+10h]
c000b3  add r15,[r13+18h]
c000b7  mov [r15+10h],rdx
c000bb  mov dword ptr [r15+0ch],0
c000c3  mov rax,[r14+98h]
c000ca  mov [r15+18h],rax
c000ce  mov rax,[r14+8]
c000d2  sub rax,rsp
c000d5  sub rax,8
c000db  mov [r15+20h],eax
c000df  mov dword ptr [r15+24h],0
c000e7  mov dword ptr [r15+8],20h
c000ef  mov qword ptr [r15],20h
c000f6  mov r12d,28h
c000fc  add r12,[r13]
c00100  mov [r13],r12
c00104  mov rax,[r13+20h]
c00108  mov [rax],r12
c0010b  mov rax,[r13+40h]
c0010f  mov rcx,[r13+48h]
c00113  mov rdx,[r13+50h]
c00117  mov byte ptr [r13+30h],0
c0011c  jmp 0c00009h
