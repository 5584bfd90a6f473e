c00000  mov r12,[r14+30h]
c00004  mov r12,[r12+0a0h]
c0000c  test r12,r12
c0000f  je 0c000c4h
c00015  mov r12d,[r12]
c00019  cmp r12d,[800004h]
c00020  jae 0c000c5h
c00026  shl r12d,8
c0002a  lea r13,[802000h]
c00031  add r13,r12
c00034  mov byte ptr [r13+30h],1
c00039  cmp dword ptr [800000h],0
c00040  je 0c000d9h
c00046  mov [r13+40h],rax
c0004a  mov [r13+50h],rdx
c0004e  rdtsc
c00050  shl rdx,20h
c00054  or rdx,rax
c00057  mov r15,[r13]
c0005b  lea r12,[r15+28h]
c0005f  cmp r12,[r13+8]
c00063  ja short 0c000e0h
c00065  and r15,[r13+10h]
c00069  add r15,[r13+18h]
c0006d  mov [r15+10h],rdx
c00071  mov dword ptr [r15+0ch],1
c00079  mov rax,[r14+98h]
c00080  mov [r15+18h],rax
c00084  mov rax,[r14+8]
c00088  sub rax,rsp
c0008b  sub rax,8
c00091  mov [r15+20h],eax
c00095  mov dword ptr [r15+24h],0
c0009d  mov dword ptr [r15+8],20h
c000a5  mov qword ptr [r15],20h
c000ac  mov [r13],r12
c000b0  mov rax,[r13+20h]
c000b4  mov [rax],r12
c000b7  mov rax,[r13+40h]
c000bb  mov rdx,[r13+50h]
c000bf  mov byte ptr [r13+30h],0
c000c4  ret
c000c5  inc r12d
c000c8  mov [801078h],r12d
c000cf  lock inc qword ptr [801070h]
c000d7  jmp short 0c000c4h
c000d9  mov byte ptr [r13+30h],0
c000de  jmp short 0c000c4h
c000e0  mov rax,[r13+28h]
c000e4  mov rax,[rax]
c000e7  add rax,[r13+10h]
c000eb  inc rax
c000ee  mov [r13+8],rax
c000f2  cmp r12,rax
c000f5  jbe 0c00065h
c000fb  mov rax,[r13+20h]
c000ff  inc qword ptr [rax+40h]
c00103  jmp short 0c000b7h
