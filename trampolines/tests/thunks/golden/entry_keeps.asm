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
c00032  jae 0c001eeh
c00038  shl r12d,8
c0003c  lea r13,[802000h]
c00043  add r13,r12
c00046  mov byte ptr [r13+30h],1
c0004b  cmp dword ptr [800000h],0
c00052  je 0c00205h
c00058  mov [r13+40h],rax
c0005c  mov [r13+50h],rdx
c00060  mov [r13+48h],rcx
c00064  mov [r13+58h],rbx
c00068  rdtsc
c0006a  shl rdx,20h
c0006e  or rdx,rax
c00071  mov [r13+60h],rdx
c00075  mov rax,[r14+8]
c00079  sub rax,rsp
c0007c  sub rax,8
c00082  shr rax,3
c00086  mov r15,[r14+98h]
c0008d  shl r15,1bh
c00091  or r15,rax
c00094  mov rbx,9e3779b97f4a7c15h
c0009e  imul rbx,r15
c000a2  shr rbx,31h
c000a6  shl rbx,6
c000aa  lea rax,[80a000h]
c000b1  add rbx,rax
c000b4  mov rcx,[800008h]
c000bb  or rcx,0
c000bf  xor r12d,r12d
c000c2  mov rax,[rbx+r12]
c000c6  test rax,rax
c000c9  je short 0c000d0h
c000cb  cmp rax,r15
c000ce  jne short 0c000dfh
c000d0  mov edx,1
c000d5  lock cmpxchg [rbx+r12],rdx
c000db  je short 0c00122h
c000dd  jmp short 0c000bfh
c000df  add r12,40h
c000e3  cmp r12,200h
c000ea  jb short 0c000c2h
c000ec  xor r12d,r12d
c000ef  mov edx,40h
c000f4  mov rax,[rbx+rdx+10h]
c000f9  cmp rax,[rbx+r12+10h]
c000fe  jae short 0c00103h
c00100  mov r12,rdx
c00103  add rdx,40h
c00107  cmp rdx,200h
c0010e  jb short 0c000f4h
c00110  mov rax,[rbx+r12]
c00114  cmp rax,1
c0011a  jne short 0c000d0h
c0011c  mov rdx,[r13+60h]
c00120  jmp short 0c0015eh
c00122  add rbx,r12
c00125  mov [rbx+8],rcx
c00129  mov rdx,[r13+60h]
c0012d  mov [rbx+10h],rdx
c00131  mov rax,[r13+58h]
c00135  cmp rax,[r14]
c00138  jb short 0c00142h
c0013a  cmp rax,[r14+8]
c0013e  jae short 0c00142h
c00140  xor eax,eax
c00142  mov [rbx+18h],rax
c00146  mov rax,[r13+48h]
c0014a  cmp rax,[r14]
c0014d  jb short 0c00157h
c0014f  cmp rax,[r14+8]
c00153  jae short 0c00157h
c00155  xor eax,eax
c00157  mov [rbx+20h],rax
c0015b  mov [rbx],r15
c0015e  mov r15,[r13]
c00162  lea rax,[r15+28h]
c00166  cmp rax,[r13+8]
c0016a  ja 0c0020fh
c00170  and r15,[r13+10h]
c00174  add r15,[r13+18h]
c00178  prefetchw [r15+180h]
c00180  mov [r15+10h],rdx
c00184  mov dword ptr [r15+0ch],0
c0018c  mov rax,[r14+98h]
c00193  mov [r15+18h],rax
c00197  mov rax,[r14+8]
c0019b  sub rax,rsp
c0019e  sub rax,8
c001a4  mov [r15+20h],eax
c001a8  mov dword ptr [r15+24h],0
c001b0  mov dword ptr [r15+8],20h
c001b8  mov qword ptr [r15],20h
c001bf  mov r12d,28h
c001c5  add r12,[r13]
c001c9  mov [r13],r12
c001cd  mov rax,[r13+20h]
c001d1  mov [rax],r12
c001d4  mov rbx,[r13+58h]
c001d8  mov rax,[r13+40h]
c001dc  mov rcx,[r13+48h]
c001e0  mov rdx,[r13+50h]
c001e4  mov byte ptr [r13+30h],0
c001e9  jmp 0c00009h
c001ee  inc r12d
c001f1  mov [801078h],r12d
c001f8  lock inc qword ptr [801070h]
c00200  jmp 0c00009h
c00205  mov byte ptr [r13+30h],0
c0020a  jmp 0c00009h
c0020f  mov r12,[r13+28h]
c00213  mov r12,[r12]
c00217  add r12,[r13+10h]
c0021b  inc r12
c0021e  mov [r13+8],r12
c00222  cmp rax,r12
c00225  jbe 0c00170h
c0022b  mov r12,[r13+20h]
c0022f  inc qword ptr [r12+40h]
c00234  jmp short 0c001d4h
