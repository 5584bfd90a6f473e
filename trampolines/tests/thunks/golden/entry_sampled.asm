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
c0007a  je 0c0017bh
c00080  mov r12d,[r12]
c00084  cmp r12d,[800004h]
c0008b  jae 0c00155h
c00091  shl r12d,8
c00095  lea r13,[802000h]
c0009c  add r13,r12
c0009f  cmp byte ptr [r13+30h],0
c000a4  jne 0c00169h
c000aa  mov byte ptr [r13+30h],1
c000af  cmp dword ptr [800000h],0
c000b6  je 0c00180h
c000bc  mov [r13+40h],rax
c000c0  mov [r13+50h],rdx
c000c4  rdtsc
c000c6  shl rdx,20h
c000ca  or rdx,rax
c000cd  mov r15,[r13]
c000d1  lea rax,[r15+28h]
c000d5  cmp rax,[r13+8]
c000d9  ja 0c0018ah
c000df  and r15,[r13+10h]
c000e3  add r15,[r13+18h]
c000e7  prefetchw [r15+180h]
c000ef  mov [r15+10h],rdx
c000f3  mov dword ptr [r15+0ch],0
c000fb  mov rax,[r14+98h]
c00102  mov [r15+18h],rax
c00106  mov rax,[r14+8]
c0010a  sub rax,rsp
c0010d  sub rax,8
c00113  mov [r15+20h],eax
c00117  mov dword ptr [r15+24h],0
c0011f  mov dword ptr [r15+8],20h
c00127  mov qword ptr [r15],20h
c0012e  mov r12d,28h
c00134  add r12,[r13]
c00138  mov [r13],r12
c0013c  mov rax,[r13+20h]
c00140  mov [rax],r12
c00143  mov rax,[r13+40h]
c00147  mov rdx,[r13+50h]
c0014b  mov byte ptr [r13+30h],0
c00150  jmp 0c00009h
c00155  inc r12d
c00158  mov [801078h],r12d
c0015f  lock inc qword ptr [801070h]
c00167  jmp short 0c0017bh
c00169  cmp dword ptr [800000h],0
c00170  je short 0c0017bh
c00172  mov r12,[r13+20h]
c00176  inc qword ptr [r12+50h]
c0017b  jmp 0c00009h
c00180  mov byte ptr [r13+30h],0
c00185  jmp 0c00009h
c0018a  mov r12,[r13+28h]
c0018e  mov r12,[r12]
c00192  add r12,[r13+10h]
c00196  inc r12
c00199  mov [r13+8],r12
c0019d  cmp rax,r12
c001a0  jbe 0c000dfh
c001a6  mov r12,[r13+20h]
c001aa  inc qword ptr [r12+40h]
c001af  jmp short 0c00143h
