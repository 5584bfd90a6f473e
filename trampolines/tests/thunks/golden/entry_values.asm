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
c00032  jae 0c00170h
c00038  shl r12d,8
c0003c  lea r13,[802000h]
c00043  add r13,r12
c00046  mov byte ptr [r13+30h],1
c0004b  cmp dword ptr [800000h],0
c00052  je 0c00187h
c00058  mov [r13+40h],rax
c0005c  mov [r13+50h],rdx
c00060  mov [r13+48h],rcx
c00064  rdtsc
c00066  shl rdx,20h
c0006a  or rdx,rax
c0006d  mov r15,[r13]
c00071  lea rax,[r15+58h]
c00075  cmp rax,[r13+8]
c00079  ja 0c00191h
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
c000b7  mov dword ptr [r15+24h],1fh
c000bf  mov rax,[r13+40h]
c000c3  movsx rax,al
c000c7  mov [r15+28h],rax
c000cb  mov rax,rbx
c000ce  movzx eax,ax
c000d1  mov [r15+30h],rax
c000d5  mov rax,r11
c000d8  movsxd rax,eax
c000db  mov [r15+38h],rax
c000df  mov rax,[rsp+18h]
c000e4  mov [r15+40h],rax
c000e8  mov rax,[r13+48h]
c000ec  xor ecx,ecx
c000ee  test rax,rax
c000f1  sete cl
c000f4  mov [r15+48h],rcx
c000f8  mov rax,rsi
c000fb  test rax,rax
c000fe  je short 0c0012eh
c00100  mov rcx,[rax+18h]
c00104  lea rdx,[503000h]
c0010b  cmp rcx,rdx
c0010e  jne short 0c0012eh
c00110  mov rax,[rax+20h]
c00114  test rax,rax
c00117  je short 0c0012eh
c00119  xor ecx,ecx
c0011b  cmp qword ptr [rax+8],0
c00120  setne cl
c00123  mov [r15+50h],rcx
c00127  or dword ptr [r15+24h],20h
c0012c  jmp short 0c00136h
c0012e  mov qword ptr [r15+50h],0
c00136  mov dword ptr [r15+8],50h
c0013e  mov qword ptr [r15],50h
c00145  mov r12d,58h
c0014b  add r12,[r13]
c0014f  mov [r13],r12
c00153  mov rax,[r13+20h]
c00157  mov [rax],r12
c0015a  mov rax,[r13+40h]
c0015e  mov rcx,[r13+48h]
c00162  mov rdx,[r13+50h]
c00166  mov byte ptr [r13+30h],0
c0016b  jmp 0c00009h
c00170  inc r12d
c00173  mov [801078h],r12d
c0017a  lock inc qword ptr [801070h]
c00182  jmp 0c00009h
c00187  mov byte ptr [r13+30h],0
c0018c  jmp 0c00009h
c00191  mov r12,[r13+28h]
c00195  mov r12,[r12]
c00199  add r12,[r13+10h]
c0019d  inc r12
c001a0  mov [r13+8],r12
c001a4  cmp rax,r12
c001a7  jbe 0c0007fh
c001ad  mov r12,[r13+20h]
c001b1  inc qword ptr [r12+40h]
c001b6  jmp short 0c0015ah
