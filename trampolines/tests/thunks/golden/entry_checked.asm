c00000  cmp rsp,[r14+10h]
c00004  jbe 462c50h
c0000a  cmp byte ptr [800040h],0
c00011  jne short 0c00018h
c00013  jmp 462c12h
c00018  mov r12,[r14+30h]
c0001c  mov r12,[r12+0a0h]
c00024  test r12,r12
c00027  je 0c00109h
c0002d  mov r12d,[r12]
c00031  cmp r12d,[800004h]
c00038  jae 0c000f7h
c0003e  shl r12d,8
c00042  lea r13,[802000h]
c00049  add r13,r12
c0004c  mov byte ptr [r13+30h],1
c00051  cmp dword ptr [800000h],0
c00058  je 0c0010eh
c0005e  mov [r13+40h],rax
c00062  mov [r13+50h],rdx
c00066  rdtsc
c00068  shl rdx,20h
c0006c  or rdx,rax
c0006f  mov r15,[r13]
c00073  lea rax,[r15+28h]
c00077  cmp rax,[r13+8]
c0007b  ja 0c00118h
c00081  and r15,[r13+10h]
c00085  add r15,[r13+18h]
c00089  prefetchw [r15+180h]
c00091  mov [r15+10h],rdx
c00095  mov dword ptr [r15+0ch],0
c0009d  mov rax,[r14+98h]
c000a4  mov [r15+18h],rax
c000a8  mov rax,[r14+8]
c000ac  sub rax,rsp
c000af  sub rax,8
c000b5  mov [r15+20h],eax
c000b9  mov dword ptr [r15+24h],0
c000c1  mov dword ptr [r15+8],20h
c000c9  mov qword ptr [r15],20h
c000d0  mov r12d,28h
c000d6  add r12,[r13]
c000da  mov [r13],r12
c000de  mov rax,[r13+20h]
c000e2  mov [rax],r12
c000e5  mov rax,[r13+40h]
c000e9  mov rdx,[r13+50h]
c000ed  mov byte ptr [r13+30h],0
c000f2  jmp 0c00013h
c000f7  inc r12d
c000fa  mov [801078h],r12d
c00101  lock inc qword ptr [801070h]
c00109  jmp 0c00013h
c0010e  mov byte ptr [r13+30h],0
c00113  jmp 0c00013h
c00118  mov r12,[r13+28h]
c0011c  mov r12,[r12]
c00120  add r12,[r13+10h]
c00124  inc r12
c00127  mov [r13+8],r12
c0012b  cmp rax,r12
c0012e  jbe 0c00081h
c00134  mov r12,[r13+20h]
c00138  inc qword ptr [r12+40h]
c0013d  jmp short 0c000e5h
