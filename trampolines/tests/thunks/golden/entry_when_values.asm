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
c00095  je 0c00196h
c0009b  mov r12d,[r12]
c0009f  cmp r12d,[800004h]
c000a6  jae 0c00170h
c000ac  shl r12d,8
c000b0  lea r13,[802000h]
c000b7  add r13,r12
c000ba  cmp byte ptr [r13+30h],0
c000bf  jne 0c00184h
c000c5  mov byte ptr [r13+30h],1
c000ca  cmp dword ptr [800000h],0
c000d1  je 0c0019bh
c000d7  mov [r13+40h],rax
c000db  mov [r13+50h],rdx
c000df  rdtsc
c000e1  shl rdx,20h
c000e5  or rdx,rax
c000e8  mov r15,[r13]
c000ec  lea rax,[r15+28h]
c000f0  cmp rax,[r13+8]
c000f4  ja 0c001a5h
c000fa  and r15,[r13+10h]
c000fe  add r15,[r13+18h]
c00102  prefetchw [r15+180h]
c0010a  mov [r15+10h],rdx
c0010e  mov dword ptr [r15+0ch],0
c00116  mov rax,[r14+98h]
c0011d  mov [r15+18h],rax
c00121  mov rax,[r14+8]
c00125  sub rax,rsp
c00128  sub rax,8
c0012e  mov [r15+20h],eax
c00132  mov dword ptr [r15+24h],0
c0013a  mov dword ptr [r15+8],20h
c00142  mov qword ptr [r15],20h
c00149  mov r12d,28h
c0014f  add r12,[r13]
c00153  mov [r13],r12
c00157  mov rax,[r13+20h]
c0015b  mov [rax],r12
c0015e  mov rax,[r13+40h]
c00162  mov rdx,[r13+50h]
c00166  mov byte ptr [r13+30h],0
c0016b  jmp 0c00009h
c00170  inc r12d
c00173  mov [801078h],r12d
c0017a  lock inc qword ptr [801070h]
c00182  jmp short 0c00196h
c00184  cmp dword ptr [800000h],0
c0018b  je short 0c00196h
c0018d  mov r12,[r13+20h]
c00191  inc qword ptr [r12+50h]
c00196  jmp 0c00009h
c0019b  mov byte ptr [r13+30h],0
c001a0  jmp 0c00009h
c001a5  mov r12,[r13+28h]
c001a9  mov r12,[r12]
c001ad  add r12,[r13+10h]
c001b1  inc r12
c001b4  mov [r13+8],r12
c001b8  cmp rax,r12
c001bb  jbe 0c000fah
c001c1  mov r12,[r13+20h]
c001c5  inc qword ptr [r12+40h]
c001ca  jmp short 0c0015eh
