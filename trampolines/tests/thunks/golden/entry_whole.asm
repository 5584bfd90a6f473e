c00000  cmp byte ptr [800040h],0
c00007  jne short 0c00037h
c00009  test rbx,rbx
c0000c  je short 0c00018h
c0000e  mov eax,7
c00013  jmp 0c01000h
c00018  lea r12,[rax+24h]
c0001c  cmp r12,1000h
c00023  jb 0c0017dh
c00029  movzx eax,byte ptr [rax+24h]
c0002d  jmp 0c01000h
c00032  jmp 0c01000h
c00037  mov r12,[r14+30h]
c0003b  mov r12,[r12+0a0h]
c00043  test r12,r12
c00046  je 0c00147h
c0004c  mov r12d,[r12]
c00050  cmp r12d,[800004h]
c00057  jae 0c00121h
c0005d  shl r12d,8
c00061  lea r13,[802000h]
c00068  add r13,r12
c0006b  cmp byte ptr [r13+30h],0
c00070  jne 0c00135h
c00076  mov byte ptr [r13+30h],1
c0007b  cmp dword ptr [800000h],0
c00082  je 0c0014ch
c00088  mov [r13+40h],rax
c0008c  mov [r13+50h],rdx
c00090  rdtsc
c00092  shl rdx,20h
c00096  or rdx,rax
c00099  mov r15,[r13]
c0009d  lea rax,[r15+28h]
c000a1  cmp rax,[r13+8]
c000a5  ja 0c00156h
c000ab  and r15,[r13+10h]
c000af  add r15,[r13+18h]
c000b3  prefetchw [r15+180h]
c000bb  mov [r15+10h],rdx
c000bf  mov dword ptr [r15+0ch],0
c000c7  mov rax,[r14+98h]
c000ce  mov [r15+18h],rax
c000d2  mov rax,[r14+8]
c000d6  sub rax,rsp
c000d9  sub rax,8
c000df  mov [r15+20h],eax
c000e3  mov dword ptr [r15+24h],0
c000eb  mov dword ptr [r15+8],20h
c000f3  mov qword ptr [r15],20h
c000fa  mov r12d,28h
c00100  add r12,[r13]
c00104  mov [r13],r12
c00108  mov rax,[r13+20h]
c0010c  mov [rax],r12
c0010f  mov rax,[r13+40h]
c00113  mov rdx,[r13+50h]
c00117  mov byte ptr [r13+30h],0
c0011c  jmp 0c00009h
c00121  inc r12d
c00124  mov [801078h],r12d
c0012b  lock inc qword ptr [801070h]
c00133  jmp short 0c00147h
c00135  cmp dword ptr [800000h],0
c0013c  je short 0c00147h
c0013e  mov r12,[r13+20h]
c00142  inc qword ptr [r12+50h]
c00147  jmp 0c00009h
c0014c  mov byte ptr [r13+30h],0
c00151  jmp 0c00009h
c00156  mov r12,[r13+28h]
c0015a  mov r12,[r12]
c0015e  add r12,[r13+10h]
c00162  inc r12
c00165  mov [r13+8],r12
c00169  cmp rax,r12
c0016c  jbe 0c000abh
c00172  mov r12,[r13+20h]
c00176  inc qword ptr [r12+40h]
c0017b  jmp short 0c0010fh
c0017d  mov [r14+0f8h],r12
c00184  lea r12,[462c1dh]
c0018b  mov [r14+100h],r12
c00192  mov dword ptr [r14+0d0h],0bh
c0019d  mov qword ptr [r14+0f0h],1
c001a8  push r12
c001aa  jmp 470000h
