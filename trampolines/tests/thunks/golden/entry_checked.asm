c00000  cmp rsp,[r14+10h]
c00004  jbe 462c50h
c0000a  cmp byte ptr [800040h],0
c00011  jne short 0c00018h
c00013  jmp 462c12h
c00018  mov r12,[r14+30h]
c0001c  mov r12,[r12+0a0h]
c00024  test r12,r12
c00027  je 0c00128h
c0002d  mov r12d,[r12]
c00031  cmp r12d,[800004h]
c00038  jae 0c00102h
c0003e  shl r12d,8
c00042  lea r13,[802000h]
c00049  add r13,r12
c0004c  cmp byte ptr [r13+30h],0
c00051  jne 0c00116h
c00057  mov byte ptr [r13+30h],1
c0005c  cmp dword ptr [800000h],0
c00063  je 0c0012dh
c00069  mov [r13+40h],rax
c0006d  mov [r13+50h],rdx
c00071  rdtsc
c00073  shl rdx,20h
c00077  or rdx,rax
c0007a  mov r15,[r13]
c0007e  lea rax,[r15+28h]
c00082  cmp rax,[r13+8]
c00086  ja 0c00137h
c0008c  and r15,[r13+10h]
c00090  add r15,[r13+18h]
c00094  prefetchw [r15+180h]
c0009c  mov [r15+10h],rdx
c000a0  mov dword ptr [r15+0ch],0
c000a8  mov rax,[r14+98h]
c000af  mov [r15+18h],rax
c000b3  mov rax,[r14+8]
c000b7  sub rax,rsp
c000ba  sub rax,8
c000c0  mov [r15+20h],eax
c000c4  mov dword ptr [r15+24h],0
c000cc  mov dword ptr [r15+8],20h
c000d4  mov qword ptr [r15],20h
c000db  mov r12d,28h
c000e1  add r12,[r13]
c000e5  mov [r13],r12
c000e9  mov rax,[r13+20h]
c000ed  mov [rax],r12
c000f0  mov rax,[r13+40h]
c000f4  mov rdx,[r13+50h]
c000f8  mov byte ptr [r13+30h],0
c000fd  jmp 0c00013h
c00102  inc r12d
c00105  mov [801078h],r12d
c0010c  lock inc qword ptr [801070h]
c00114  jmp short 0c00128h
c00116  cmp dword ptr [800000h],0
c0011d  je short 0c00128h
c0011f  mov r12,[r13+20h]
c00123  inc qword ptr [r12+50h]
c00128  jmp 0c00013h
c0012d  mov byte ptr [r13+30h],0
c00132  jmp 0c00013h
c00137  mov r12,[r13+28h]
c0013b  mov r12,[r12]
c0013f  add r12,[r13+10h]
c00143  inc r12
c00146  mov [r13+8],r12
c0014a  cmp rax,r12
c0014d  jbe 0c0008ch
c00153  mov r12,[r13+20h]
c00157  inc qword ptr [r12+40h]
c0015c  jmp short 0c000f0h
