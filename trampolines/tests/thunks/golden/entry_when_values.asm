c00000  cmp byte ptr [800040h],0
c00007  jne short 0c00016h
c00009  push rbp
c0000a  mov rbp,rsp
c0000d  sub rsp,20h
c00011  jmp 462c12h
c00016  mov r12,rax
c00019  movzx r12d,r12b
c0001d  cmp r12,0
c00021  je short 0c00009h
c00023  mov r12,rdi
c00026  movsx r12,r12w
c0002a  cmp r12,0fffffffffffffffbh
c0002e  jl short 0c00009h
c00030  mov r12,[rsp+8]
c00035  mov r13,10000000000h
c0003f  cmp r12,r13
c00042  jae short 0c00009h
c00044  mov r13,[rsp+10h]
c00049  cmp r13,0fh
c0004d  jne short 0c00086h
c0004f  mov r12,rcx
c00052  mov r13,6f20656d616e2061h
c0005c  cmp [r12],r13
c00060  jne short 0c00086h
c00062  cmp dword ptr [r12+8],35312066h
c0006b  jne short 0c00086h
c0006d  movzx r13d,word ptr [r12+0ch]
c00073  cmp r13d,6220h
c0007a  jne short 0c00086h
c0007c  cmp byte ptr [r12+0eh],2eh
c00082  jne short 0c00086h
c00084  jmp short 0c00009h
c00086  mov r12,[r14+30h]
c0008a  mov r12,[r12+0a0h]
c00092  test r12,r12
c00095  je 0c00177h
c0009b  mov r12d,[r12]
c0009f  cmp r12d,[800004h]
c000a6  jae 0c00165h
c000ac  shl r12d,8
c000b0  lea r13,[802000h]
c000b7  add r13,r12
c000ba  mov byte ptr [r13+30h],1
c000bf  cmp dword ptr [800000h],0
c000c6  je 0c0017ch
c000cc  mov [r13+40h],rax
c000d0  mov [r13+50h],rdx
c000d4  rdtsc
c000d6  shl rdx,20h
c000da  or rdx,rax
c000dd  mov r15,[r13]
c000e1  lea rax,[r15+28h]
c000e5  cmp rax,[r13+8]
c000e9  ja 0c00186h
c000ef  and r15,[r13+10h]
c000f3  add r15,[r13+18h]
c000f7  prefetchw [r15+180h]
c000ff  mov [r15+10h],rdx
c00103  mov dword ptr [r15+0ch],0
c0010b  mov rax,[r14+98h]
c00112  mov [r15+18h],rax
c00116  mov rax,[r14+8]
c0011a  sub rax,rsp
c0011d  sub rax,8
c00123  mov [r15+20h],eax
c00127  mov dword ptr [r15+24h],0
c0012f  mov dword ptr [r15+8],20h
c00137  mov qword ptr [r15],20h
c0013e  mov r12d,28h
c00144  add r12,[r13]
c00148  mov [r13],r12
c0014c  mov rax,[r13+20h]
c00150  mov [rax],r12
c00153  mov rax,[r13+40h]
c00157  mov rdx,[r13+50h]
c0015b  mov byte ptr [r13+30h],0
c00160  jmp 0c00009h
c00165  inc r12d
c00168  mov [801078h],r12d
c0016f  lock inc qword ptr [801070h]
c00177  jmp 0c00009h
c0017c  mov byte ptr [r13+30h],0
c00181  jmp 0c00009h
c00186  mov r12,[r13+28h]
c0018a  mov r12,[r12]
c0018e  add r12,[r13+10h]
c00192  inc r12
c00195  mov [r13+8],r12
c00199  cmp rax,r12
c0019c  jbe 0c000efh
c001a2  mov r12,[r13+20h]
c001a6  inc qword ptr [r12+40h]
c001ab  jmp short 0c00153h
