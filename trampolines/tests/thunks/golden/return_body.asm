c00000  mov r12,[r14+30h]
c00004  mov r12,[r12+0a0h]
c0000c  test r12,r12
c0000f  je 0c000d2h
c00015  mov r12d,[r12]
c00019  cmp r12d,[800004h]
c00020  jae 0c000d3h
c00026  shl r12d,8
c0002a  lea r13,[802000h]
c00031  add r13,r12
c00034  mov byte ptr [r13+30h],1
c00039  cmp dword ptr [800000h],0
c00040  je 0c000e7h
c00046  mov [r13+40h],rax
c0004a  mov [r13+50h],rdx
c0004e  rdtsc
c00050  shl rdx,20h
c00054  or rdx,rax
c00057  mov r15,[r13]
c0005b  lea rax,[r15+28h]
c0005f  cmp rax,[r13+8]
c00063  ja 0c000eeh
c00069  and r15,[r13+10h]
c0006d  add r15,[r13+18h]
c00071  mov [r15+10h],rdx
c00075  mov dword ptr [r15+0ch],1
c0007d  mov rax,[r14+98h]
c00084  mov [r15+18h],rax
c00088  mov rax,[r14+8]
c0008c  sub rax,rsp
c0008f  sub rax,8
c00095  mov [r15+20h],eax
c00099  mov dword ptr [r15+24h],0
c000a1  mov dword ptr [r15+8],20h
c000a9  mov qword ptr [r15],20h
c000b0  mov r12d,28h
c000b6  add r12,[r13]
c000ba  mov [r13],r12
c000be  mov rax,[r13+20h]
c000c2  mov [rax],r12
c000c5  mov rax,[r13+40h]
c000c9  mov rdx,[r13+50h]
c000cd  mov byte ptr [r13+30h],0
c000d2  ret
c000d3  inc r12d
c000d6  mov [801078h],r12d
c000dd  lock inc qword ptr [801070h]
c000e5  jmp short 0c000d2h
c000e7  mov byte ptr [r13+30h],0
c000ec  jmp short 0c000d2h
c000ee  mov r12,[r13+28h]
c000f2  mov r12,[r12]
c000f6  add r12,[r13+10h]
c000fa  inc r12
c000fd  mov [r13+8],r12
c00101  cmp rax,r12
c00104  jbe 0c00069h
c0010a  mov r12,[r13+20h]
c0010e  inc qword ptr [r12+40h]
c00113  jmp short 0c000c5h
