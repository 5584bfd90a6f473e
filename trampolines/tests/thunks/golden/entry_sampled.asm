c00000  cmp byte ptr [800040h],0
c00007  jne short 0c00016h
c00009  push rbp
c0000a  mov rbp,rsp
c0000d  sub rsp,20h
c00011  jmp 462c12h
c00016  mov r12,[r14+30h]
c0001a  mov r12,[r12+0a0h]
c00022  test r12,r12
c00025  je short 0c00009h
c00027  mov r12d,[r12]
c0002b  cmp r12d,80h
c00032  jae short 0c0006bh
c00034  shl r12d,8
c00038  lea r13,[802000h]
c0003f  add r12,r13
c00042  mov r13,5851f42d4c957f2dh
c0004c  imul r13,[r12+68h]
c00052  add r13,3c6ef35fh
c00059  mov [r12+68h],r13
c0005e  shr r13,20h
c00062  cmp r13d,1999999ah
c00069  jae short 0c00009h
c0006b  mov r12,[r14+30h]
c0006f  mov r12,[r12+0a0h]
c00077  test r12,r12
c0007a  je 0c0015ch
c00080  mov r12d,[r12]
c00084  cmp r12d,[800004h]
c0008b  jae 0c0014ah
c00091  shl r12d,8
c00095  lea r13,[802000h]
c0009c  add r13,r12
c0009f  mov byte ptr [r13+30h],1
c000a4  cmp dword ptr [800000h],0
c000ab  je 0c00161h
c000b1  mov [r13+40h],rax
c000b5  mov [r13+50h],rdx
c000b9  rdtsc
c000bb  shl rdx,20h
c000bf  or rdx,rax
c000c2  mov r15,[r13]
c000c6  lea rax,[r15+28h]
c000ca  cmp rax,[r13+8]
c000ce  ja 0c0016bh
c000d4  and r15,[r13+10h]
c000d8  add r15,[r13+18h]
c000dc  prefetchw [r15+180h]
c000e4  mov [r15+10h],rdx
c000e8  mov dword ptr [r15+0ch],0
c000f0  mov rax,[r14+98h]
c000f7  mov [r15+18h],rax
c000fb  mov rax,[r14+8]
c000ff  sub rax,rsp
c00102  sub rax,8
c00108  mov [r15+20h],eax
c0010c  mov dword ptr [r15+24h],0
c00114  mov dword ptr [r15+8],20h
c0011c  mov qword ptr [r15],20h
c00123  mov r12d,28h
c00129  add r12,[r13]
c0012d  mov [r13],r12
c00131  mov rax,[r13+20h]
c00135  mov [rax],r12
c00138  mov rax,[r13+40h]
c0013c  mov rdx,[r13+50h]
c00140  mov byte ptr [r13+30h],0
c00145  jmp 0c00009h
c0014a  inc r12d
c0014d  mov [801078h],r12d
c00154  lock inc qword ptr [801070h]
c0015c  jmp 0c00009h
c00161  mov byte ptr [r13+30h],0
c00166  jmp 0c00009h
c0016b  mov r12,[r13+28h]
c0016f  mov r12,[r12]
c00173  add r12,[r13+10h]
c00177  inc r12
c0017a  mov [r13+8],r12
c0017e  cmp rax,r12
c00181  jbe 0c000d4h
c00187  mov r12,[r13+20h]
c0018b  inc qword ptr [r12+40h]
c00190  jmp short 0c00138h
