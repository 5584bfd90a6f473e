c00000  add rsp,20h
c00004  pop rbp
c00005  cmp byte ptr [800040h],0
c0000c  jne short 0c00010h
c0000e  rep ret
c00010  mov r12,rax
c00013  test r12,r12
c00016  je short 0c0003ah
c00018  mov r13,[r12+18h]
c0001d  lea r15,[503000h]
c00024  cmp r13,r15
c00027  jne short 0c0003ah
c00029  mov r12,[r12+20h]
c0002e  test r12,r12
c00031  je short 0c0003ah
c00033  cmp qword ptr [r12],0
c00038  je short 0c00082h
c0003a  mov r13,rbx
c0003d  lea r15,[501000h]
c00044  test r13,r13
c00047  je short 0c0000eh
c00049  cmp [r13+8],r15
c0004d  jne short 0c0000eh
c0004f  mov r12,rcx
c00052  test r12,r12
c00055  je short 0c0000eh
c00057  mov r12,[r12+10h]
c0005c  test r12,r12
c0005f  je short 0c0000eh
c00061  mov r13,[r12+8]
c00066  cmp r13,5
c0006a  jb short 0c0000eh
c0006c  mov r12,[r12]
c00070  cmp dword ptr [r12],6970612fh
c00078  jne short 0c0000eh
c0007a  cmp byte ptr [r12+4],2fh
c00080  jne short 0c0000eh
c00082  mov r12,[r14+30h]
c00086  mov r12,[r12+0a0h]
c0008e  test r12,r12
c00091  je 0c0000eh
c00097  mov r12d,[r12]
c0009b  cmp r12d,80h
c000a2  jae short 0c000dfh
c000a4  shl r12d,8
c000a8  lea r13,[802000h]
c000af  add r12,r13
c000b2  mov r13,5851f42d4c957f2dh
c000bc  imul r13,[r12+68h]
c000c2  add r13,3c6ef35fh
c000c9  mov [r12+68h],r13
c000ce  shr r13,20h
c000d2  cmp r13d,80000000h
c000d9  jae 0c0000eh
c000df  mov r12,[r14+30h]
c000e3  mov r12,[r12+0a0h]
c000eb  test r12,r12
c000ee  je 0c001efh
c000f4  mov r12d,[r12]
c000f8  cmp r12d,[800004h]
c000ff  jae 0c001c9h
c00105  shl r12d,8
c00109  lea r13,[802000h]
c00110  add r13,r12
c00113  cmp byte ptr [r13+30h],0
c00118  jne 0c001ddh
c0011e  mov byte ptr [r13+30h],1
c00123  cmp dword ptr [800000h],0
c0012a  je 0c001f4h
c00130  mov [r13+40h],rax
c00134  mov [r13+50h],rdx
c00138  rdtsc
c0013a  shl rdx,20h
c0013e  or rdx,rax
c00141  mov r15,[r13]
c00145  lea rax,[r15+28h]
c00149  cmp rax,[r13+8]
c0014d  ja 0c001feh
c00153  and r15,[r13+10h]
c00157  add r15,[r13+18h]
c0015b  prefetchw [r15+180h]
c00163  mov [r15+10h],rdx
c00167  mov dword ptr [r15+0ch],1
c0016f  mov rax,[r14+98h]
c00176  mov [r15+18h],rax
c0017a  mov rax,[r14+8]
c0017e  sub rax,rsp
c00181  sub rax,8
c00187  mov [r15+20h],eax
c0018b  mov dword ptr [r15+24h],0
c00193  mov dword ptr [r15+8],20h
c0019b  mov qword ptr [r15],20h
c001a2  mov r12d,28h
c001a8  add r12,[r13]
c001ac  mov [r13],r12
c001b0  mov rax,[r13+20h]
c001b4  mov [rax],r12
c001b7  mov rax,[r13+40h]
c001bb  mov rdx,[r13+50h]
c001bf  mov byte ptr [r13+30h],0
c001c4  jmp 0c0000eh
c001c9  inc r12d
c001cc  mov [801078h],r12d
c001d3  lock inc qword ptr [801070h]
c001db  jmp short 0c001efh
c001dd  cmp dword ptr [800000h],0
c001e4  je short 0c001efh
c001e6  mov r12,[r13+20h]
c001ea  inc qword ptr [r12+50h]
c001ef  jmp 0c0000eh
c001f4  mov byte ptr [r13+30h],0
c001f9  jmp 0c0000eh
c001fe  mov r12,[r13+28h]
c00202  mov r12,[r12]
c00206  add r12,[r13+10h]
c0020a  inc r12
c0020d  mov [r13+8],r12
c00211  cmp rax,r12
c00214  jbe 0c00153h
c0021a  mov r12,[r13+20h]
c0021e  inc qword ptr [r12+40h]
c00223  jmp short 0c001b7h
