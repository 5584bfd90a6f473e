c00000  cmp byte ptr [800040h],0
c00007  jne short 0c00043h
c00009  lea r12,[rax+8]
c0000d  cmp r12,1000h
c00014  jb 0c0016ah
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
c00052  je 0c00134h
c00058  mov r12d,[r12]
c0005c  cmp r12d,[800004h]
c00063  jae 0c00122h
c00069  shl r12d,8
c0006d  lea r13,[802000h]
c00074  add r13,r12
c00077  mov byte ptr [r13+30h],1
c0007c  cmp dword ptr [800000h],0
c00083  je 0c00139h
c00089  mov [r13+40h],rax
c0008d  mov [r13+50h],rdx
c00091  rdtsc
c00093  shl rdx,20h
c00097  or rdx,rax
c0009a  mov r15,[r13]
c0009e  lea rax,[r15+28h]
c000a2  cmp rax,[r13+8]
c000a6  ja 0c00143h
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
c00134  jmp 0c00009h
c00139  mov byte ptr [r13+30h],0
c0013e  jmp 0c00009h
c00143  mov r12,[r13+28h]
c00147  mov r12,[r12]
c0014b  add r12,[r13+10h]
c0014f  inc r12
c00152  mov [r13+8],r12
c00156  cmp rax,r12
c00159  jbe 0c000ach
c0015f  mov r12,[r13+20h]
c00163  inc qword ptr [r12+40h]
c00168  jmp short 0c00110h
c0016a  mov [r14+0f8h],r12
c00171  lea r12,[462c0ah]
c00178  mov [r14+100h],r12
c0017f  mov dword ptr [r14+0d0h],0bh
c0018a  mov qword ptr [r14+0f0h],1
c00195  push r12
c00197  jmp 470000h
