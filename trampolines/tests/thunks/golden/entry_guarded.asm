c00000  cmp byte ptr [800040h],0
c00007  jne short 0c00043h
c00009  lea r12,[rax+8]
c0000d  cmp r12,1000h
c00014  jb 0c00189h
c0001a  lea r12,[462c0ah]
c00021  push r12
c00023  mov rax,[rax+8]
c00027  lea rsp,[rsp+8]
c0002c  lea r12,[462c0eh]
c00033  push r12
c00035  mov rcx,[rax+rbx*8]
c00039  lea rsp,[rsp+8]
c0003e  jmp 462c12h
c00043  mov r12,[r14+30h]
c00047  mov r12,[r12+0a0h]
c0004f  test r12,r12
c00052  je 0c00153h
c00058  mov r12d,[r12]
c0005c  cmp r12d,[800004h]
c00063  jae 0c0012dh
c00069  shl r12d,8
c0006d  lea r13,[802000h]
c00074  add r13,r12
c00077  cmp byte ptr [r13+30h],0
c0007c  jne 0c00141h
c00082  mov byte ptr [r13+30h],1
c00087  cmp dword ptr [800000h],0
c0008e  je 0c00158h
c00094  mov [r13+40h],rax
c00098  mov [r13+50h],rdx
c0009c  rdtsc
c0009e  shl rdx,20h
c000a2  or rdx,rax
c000a5  mov r15,[r13]
c000a9  lea rax,[r15+28h]
c000ad  cmp rax,[r13+8]
c000b1  ja 0c00162h
c000b7  and r15,[r13+10h]
c000bb  add r15,[r13+18h]
c000bf  prefetchw [r15+180h]
c000c7  mov [r15+10h],rdx
c000cb  mov dword ptr [r15+0ch],0
c000d3  mov rax,[r14+98h]
c000da  mov [r15+18h],rax
c000de  mov rax,[r14+8]
c000e2  sub rax,rsp
c000e5  sub rax,8
c000eb  mov [r15+20h],eax
c000ef  mov dword ptr [r15+24h],0
c000f7  mov dword ptr [r15+8],20h
c000ff  mov qword ptr [r15],20h
c00106  mov r12d,28h
c0010c  add r12,[r13]
c00110  mov [r13],r12
c00114  mov rax,[r13+20h]
c00118  mov [rax],r12
c0011b  mov rax,[r13+40h]
c0011f  mov rdx,[r13+50h]
c00123  mov byte ptr [r13+30h],0
c00128  jmp 0c00009h
c0012d  inc r12d
c00130  mov [801078h],r12d
c00137  lock inc qword ptr [801070h]
c0013f  jmp short 0c00153h
c00141  cmp dword ptr [800000h],0
c00148  je short 0c00153h
c0014a  mov r12,[r13+20h]
c0014e  inc qword ptr [r12+50h]
c00153  jmp 0c00009h
c00158  mov byte ptr [r13+30h],0
c0015d  jmp 0c00009h
c00162  mov r12,[r13+28h]
c00166  mov r12,[r12]
c0016a  add r12,[r13+10h]
c0016e  inc r12
c00171  mov [r13+8],r12
c00175  cmp rax,r12
c00178  jbe 0c000b7h
c0017e  mov r12,[r13+20h]
c00182  inc qword ptr [r12+40h]
c00187  jmp short 0c0011bh
c00189  mov [r14+0f8h],r12
c00190  lea r12,[462c0ah]
c00197  mov [r14+100h],r12
c0019e  mov dword ptr [r14+0d0h],0bh
c001a9  mov qword ptr [r14+0f0h],1
c001b4  push r12
c001b6  jmp 470000h
