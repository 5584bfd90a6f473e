c00000  cmp byte ptr [800040h],0
c00007  jne short 0c00038h
c00009  lea r12,[rax+8]
c0000d  cmp r12,1000h
c00014  jb 0c0015fh
c0001a  mov rax,[rax+8]
c0001e  lea r12,[rax+rbx*8]
c00022  cmp r12,1000h
c00029  jb 0c00191h
c0002f  mov rcx,[rax+rbx*8]
c00033  jmp 462c12h
c00038  mov r12,[r14+30h]
c0003c  mov r12,[r12+0a0h]
c00044  test r12,r12
c00047  je 0c00129h
c0004d  mov r12d,[r12]
c00051  cmp r12d,[800004h]
c00058  jae 0c00117h
c0005e  shl r12d,8
c00062  lea r13,[802000h]
c00069  add r13,r12
c0006c  mov byte ptr [r13+30h],1
c00071  cmp dword ptr [800000h],0
c00078  je 0c0012eh
c0007e  mov [r13+40h],rax
c00082  mov [r13+50h],rdx
c00086  rdtsc
c00088  shl rdx,20h
c0008c  or rdx,rax
c0008f  mov r15,[r13]
c00093  lea rax,[r15+28h]
c00097  cmp rax,[r13+8]
c0009b  ja 0c00138h
c000a1  and r15,[r13+10h]
c000a5  add r15,[r13+18h]
c000a9  prefetchw [r15+180h]
c000b1  mov [r15+10h],rdx
c000b5  mov dword ptr [r15+0ch],0
c000bd  mov rax,[r14+98h]
c000c4  mov [r15+18h],rax
c000c8  mov rax,[r14+8]
c000cc  sub rax,rsp
c000cf  sub rax,8
c000d5  mov [r15+20h],eax
c000d9  mov dword ptr [r15+24h],0
c000e1  mov dword ptr [r15+8],20h
c000e9  mov qword ptr [r15],20h
c000f0  mov r12d,28h
c000f6  add r12,[r13]
c000fa  mov [r13],r12
c000fe  mov rax,[r13+20h]
c00102  mov [rax],r12
c00105  mov rax,[r13+40h]
c00109  mov rdx,[r13+50h]
c0010d  mov byte ptr [r13+30h],0
c00112  jmp 0c00009h
c00117  inc r12d
c0011a  mov [801078h],r12d
c00121  lock inc qword ptr [801070h]
c00129  jmp 0c00009h
c0012e  mov byte ptr [r13+30h],0
c00133  jmp 0c00009h
c00138  mov r12,[r13+28h]
c0013c  mov r12,[r12]
c00140  add r12,[r13+10h]
c00144  inc r12
c00147  mov [r13+8],r12
c0014b  cmp rax,r12
c0014e  jbe 0c000a1h
c00154  mov r12,[r13+20h]
c00158  inc qword ptr [r12+40h]
c0015d  jmp short 0c00105h
c0015f  mov [r14+0f8h],r12
c00166  lea r12,[462c0ah]
c0016d  mov [r14+100h],r12
c00174  mov dword ptr [r14+0d0h],0bh
c0017f  mov qword ptr [r14+0f0h],1
c0018a  push r12
c0018c  jmp 470000h
c00191  mov [r14+0f8h],r12
c00198  lea r12,[462c0eh]
c0019f  mov [r14+100h],r12
c001a6  mov dword ptr [r14+0d0h],0bh
c001b1  mov qword ptr [r14+0f0h],1
c001bc  push r12
c001be  jmp 470000h
