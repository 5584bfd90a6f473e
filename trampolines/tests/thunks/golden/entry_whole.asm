c00000  cmp byte ptr [800040h],0
c00007  jne short 0c00045h
c00009  test rbx,rbx
c0000c  je short 0c00018h
c0000e  mov eax,7
c00013  jmp 0c01000h
c00018  lea r12,[rax+24h]
c0001c  cmp r12,1000h
c00023  jb 0c0016ch
c00029  lea r12,[462c1dh]
c00030  push r12
c00032  movzx eax,byte ptr [rax+24h]
c00036  lea rsp,[rsp+8]
c0003b  jmp 0c01000h
c00040  jmp 0c01000h
c00045  mov r12,[r14+30h]
c00049  mov r12,[r12+0a0h]
c00051  test r12,r12
c00054  je 0c00136h
c0005a  mov r12d,[r12]
c0005e  cmp r12d,[800004h]
c00065  jae 0c00124h
c0006b  shl r12d,8
c0006f  lea r13,[802000h]
c00076  add r13,r12
c00079  mov byte ptr [r13+30h],1
c0007e  cmp dword ptr [800000h],0
c00085  je 0c0013bh
c0008b  mov [r13+40h],rax
c0008f  mov [r13+50h],rdx
c00093  rdtsc
c00095  shl rdx,20h
c00099  or rdx,rax
c0009c  mov r15,[r13]
c000a0  lea rax,[r15+28h]
c000a4  cmp rax,[r13+8]
c000a8  ja 0c00145h
c000ae  and r15,[r13+10h]
c000b2  add r15,[r13+18h]
c000b6  prefetchw [r15+180h]
c000be  mov [r15+10h],rdx
c000c2  mov dword ptr [r15+0ch],0
c000ca  mov rax,[r14+98h]
c000d1  mov [r15+18h],rax
c000d5  mov rax,[r14+8]
c000d9  sub rax,rsp
c000dc  sub rax,8
c000e2  mov [r15+20h],eax
c000e6  mov dword ptr [r15+24h],0
c000ee  mov dword ptr [r15+8],20h
c000f6  mov qword ptr [r15],20h
c000fd  mov r12d,28h
c00103  add r12,[r13]
c00107  mov [r13],r12
c0010b  mov rax,[r13+20h]
c0010f  mov [rax],r12
c00112  mov rax,[r13+40h]
c00116  mov rdx,[r13+50h]
c0011a  mov byte ptr [r13+30h],0
c0011f  jmp 0c00009h
c00124  inc r12d
c00127  mov [801078h],r12d
c0012e  lock inc qword ptr [801070h]
c00136  jmp 0c00009h
c0013b  mov byte ptr [r13+30h],0
c00140  jmp 0c00009h
c00145  mov r12,[r13+28h]
c00149  mov r12,[r12]
c0014d  add r12,[r13+10h]
c00151  inc r12
c00154  mov [r13+8],r12
c00158  cmp rax,r12
c0015b  jbe 0c000aeh
c00161  mov r12,[r13+20h]
c00165  inc qword ptr [r12+40h]
c0016a  jmp short 0c00112h
c0016c  mov [r14+0f8h],r12
c00173  lea r12,[462c1dh]
c0017a  mov [r14+100h],r12
c00181  mov dword ptr [r14+0d0h],0bh
c0018c  mov qword ptr [r14+0f0h],1
c00197  push r12
c00199  jmp 470000h
