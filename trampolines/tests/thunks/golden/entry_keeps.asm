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
c00032  jae 0c00201h
c00038  shl r12d,8
c0003c  lea r13,[802000h]
c00043  add r13,r12
c00046  mov byte ptr [r13+30h],1
c0004b  cmp dword ptr [800000h],0
c00052  je 0c00218h
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
c000db  je short 0c00135h
c000dd  jmp short 0c000bfh
c000df  add r12,40h
c000e3  cmp r12,200h
c000ea  jb short 0c000c2h
c000ec  cmp dword ptr [800010h],2
c000f3  jne short 0c00125h
c000f5  xor r12d,r12d
c000f8  mov edx,40h
c000fd  mov rax,[rbx+rdx+10h]
c00102  cmp rax,[rbx+r12+10h]
c00107  jae short 0c0010ch
c00109  mov r12,rdx
c0010c  add rdx,40h
c00110  cmp rdx,200h
c00117  jb short 0c000fdh
c00119  mov rax,[rbx+r12]
c0011d  cmp rax,1
c00123  jne short 0c000d0h
c00125  mov dword ptr [8010f0h],1
c0012f  mov rdx,[r13+60h]
c00133  jmp short 0c00171h
c00135  add rbx,r12
c00138  mov [rbx+8],rcx
c0013c  mov rdx,[r13+60h]
c00140  mov [rbx+10h],rdx
c00144  mov rax,[r13+58h]
c00148  cmp rax,[r14]
c0014b  jb short 0c00155h
c0014d  cmp rax,[r14+8]
c00151  jae short 0c00155h
c00153  xor eax,eax
c00155  mov [rbx+18h],rax
c00159  mov rax,[r13+48h]
c0015d  cmp rax,[r14]
c00160  jb short 0c0016ah
c00162  cmp rax,[r14+8]
c00166  jae short 0c0016ah
c00168  xor eax,eax
c0016a  mov [rbx+20h],rax
c0016e  mov [rbx],r15
c00171  mov r15,[r13]
c00175  lea rax,[r15+28h]
c00179  cmp rax,[r13+8]
c0017d  ja 0c00222h
c00183  and r15,[r13+10h]
c00187  add r15,[r13+18h]
c0018b  prefetchw [r15+180h]
c00193  mov [r15+10h],rdx
c00197  mov dword ptr [r15+0ch],0
c0019f  mov rax,[r14+98h]
c001a6  mov [r15+18h],rax
c001aa  mov rax,[r14+8]
c001ae  sub rax,rsp
c001b1  sub rax,8
c001b7  mov [r15+20h],eax
c001bb  mov dword ptr [r15+24h],0
c001c3  mov dword ptr [r15+8],20h
c001cb  mov qword ptr [r15],20h
c001d2  mov r12d,28h
c001d8  add r12,[r13]
c001dc  mov [r13],r12
c001e0  mov rax,[r13+20h]
c001e4  mov [rax],r12
c001e7  mov rbx,[r13+58h]
c001eb  mov rax,[r13+40h]
c001ef  mov rcx,[r13+48h]
c001f3  mov rdx,[r13+50h]
c001f7  mov byte ptr [r13+30h],0
c001fc  jmp 0c00009h
c00201  inc r12d
c00204  mov [801078h],r12d
c0020b  lock inc qword ptr [801070h]
c00213  jmp 0c00009h
c00218  mov byte ptr [r13+30h],0
c0021d  jmp 0c00009h
c00222  mov r12,[r13+28h]
c00226  mov r12,[r12]
c0022a  add r12,[r13+10h]
c0022e  inc r12
c00231  mov [r13+8],r12
c00235  cmp rax,r12
c00238  jbe 0c00183h
c0023e  mov r12,[r13+20h]
c00242  inc qword ptr [r12+40h]
c00247  jmp short 0c001e7h
