c00000  mov r12,[r14+30h]
c00004  mov r12,[r12+0a0h]
c0000c  test r12,r12
c0000f  je 0c000eeh
c00015  mov r12d,[r12]
c00019  cmp r12d,[800004h]
c00020  jae 0c000dch
c00026  shl r12d,8
c0002a  lea r13,[802000h]
c00031  add r13,r12
c00034  mov byte ptr [r13+30h],1
c00039  cmp dword ptr [800000h],0
c00040  je 0c000f0h
c00046  mov [r13+40h],rax
c0004a  mov [r13+50h],rdx
c0004e  rdtsc
c00050  shl rdx,20h
c00054  or rdx,rax
c00057  mov r15,[r13]
c0005b  lea rax,[r15+28h]
c0005f  cmp rax,[r13+8]
c00063  ja 0c000f7h
c00069  and r15,[r13+10h]
c0006d  add r15,[r13+18h]
c00071  prefetchw [r15+180h]
c00079  mov [r15+10h],rdx
c0007d  mov dword ptr [r15+0ch],1
c00085  mov rax,[r14+98h]
c0008c  mov [r15+18h],rax
c00090  mov rax,[r14+8]
c00094  sub rax,rsp
c00097  sub rax,8
c0009d  mov [r15+20h],eax
c000a1  mov dword ptr [r15+24h],0
c000a9  mov dword ptr [r15+8],20h
c000b1  mov qword ptr [r15],20h
c000b8  mov r12d,28h
c000be  add r12,[r13]
c000c2  mov [r13],r12
c000c6  mov rax,[r13+20h]
c000ca  mov [rax],r12
c000cd  mov rax,[r13+40h]
c000d1  mov rdx,[r13+50h]
c000d5  mov byte ptr [r13+30h],0
c000da  rep ret
c000dc  inc r12d
c000df  mov [801078h],r12d
c000e6  lock inc qword ptr [801070h]
c000ee  jmp short 0c000dah
c000f0  mov byte ptr [r13+30h],0
c000f5  jmp short 0c000dah
c000f7  mov r12,[r13+28h]
c000fb  mov r12,[r12]
c000ff  add r12,[r13+10h]
c00103  inc r12
c00106  mov [r13+8],r12
c0010a  cmp rax,r12
c0010d  jbe 0c00069h
c00113  mov r12,[r13+20h]
c00117  inc qword ptr [r12+40h]
c0011c  jmp short 0c000cdh
