c00000  cmp byte ptr [800040h],0
c00007  jne short 0c00038h
c00009  lea r12,[rax+8]
c0000d  cmp r12,1000h
c00014  jb 0c0017eh
c0001a  mov rax,[rax+8]
c0001e  lea r12,[rax+rbx*8]
c00022  cmp r12,1000h
c00029  jb 0c001b0h
c0002f  mov rcx,[rax+rbx*8]
c00033  jmp 462c12h
c00038  mov r12,[r14+30h]
c0003c  mov r12,[r12+0a0h]
c00044  test r12,r12
c00047  je 0c00148h
c0004d  mov r12d,[r12]
c00051  cmp r12d,[800004h]
c00058  jae 0c00122h
c0005e  shl r12d,8
c00062  lea r13,[802000h]
c00069  add r13,r12
c0006c  cmp byte ptr [r13+30h],0
c00071  jne 0c00136h
c00077  mov byte ptr [r13+30h],1
c0007c  cmp dword ptr [800000h],0
c00083  je 0c0014dh
c00089  mov [r13+40h],rax
c0008d  mov [r13+50h],rdx
c00091  rdtsc
c00093  shl rdx,20h
c00097  or rdx,rax
c0009a  mov r15,[r13]
c0009e  lea rax,[r15+28h]
c000a2  cmp rax,[r13+8]
c000a6  ja 0c00157h
c000ac  and r15,[r13+10h]
c000b0  add r15,[r13+18h]
c000b4  prefetchw [r15+180h]
c000bc  mov [r15+10h],rdx
c000c0  mov dword ptr [r15+0ch],0
c000c8  mov rax,[r14+98h]
c000cf  mov [r15+18h],rax
c000d3  mov rax,[r14+8]
c000d7  sub rax,rsp
c000da  sub rax,8
c000e0  mov [r15+20h],eax
c000e4  mov dword ptr [r15+24h],0
c000ec  mov dword ptr [r15+8],20h
c000f4  mov qword ptr [r15],20h
c000fb  mov r12d,28h
c00101  add r12,[r13]
c00105  mov [r13],r12
c00109  mov rax,[r13+20h]
c0010d  mov [rax],r12
c00110  mov rax,[r13+40h]
c00114  mov rdx,[r13+50h]
c00118  mov byte ptr [r13+30h],0
c0011d  jmp 0c00009h
c00122  inc r12d
c00125  mov [801078h],r12d
c0012c  lock inc qword ptr [801070h]
c00134  jmp short 0c00148h
c00136  cmp dword ptr [800000h],0
c0013d  je short 0c00148h
c0013f  mov r12,[r13+20h]
c00143  inc qword ptr [r12+50h]
c00148  jmp 0c00009h
c0014d  mov byte ptr [r13+30h],0
c00152  jmp 0c00009h
c00157  mov r12,[r13+28h]
c0015b  mov r12,[r12]
c0015f  add r12,[r13+10h]
c00163  inc r12
c00166  mov [r13+8],r12
c0016a  cmp rax,r12
c0016d  jbe 0c000ach
c00173  mov r12,[r13+20h]
c00177  inc qword ptr [r12+40h]
c0017c  jmp short 0c00110h
c0017e  mov [r14+0f8h],r12
c00185  lea r12,[462c0ah]
c0018c  mov [r14+100h],r12
c00193  mov dword ptr [r14+0d0h],0bh
c0019e  mov qword ptr [r14+0f0h],1
c001a9  push r12
c001ab  jmp 470000h
c001b0  mov [r14+0f8h],r12
c001b7  lea r12,[462c0eh]
c001be  mov [r14+100h],r12
c001c5  mov dword ptr [r14+0d0h],0bh
c001d0  mov qword ptr [r14+0f0h],1
c001db  push r12
c001dd  jmp 470000h
