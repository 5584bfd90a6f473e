c00000  add rsp,20h
c00004  pop rbp
c00005  cmp byte ptr [800040h],0
c0000c  jne short 0c00010h
c0000e  rep ret
c00010  mov r15,[r14+98h]
c00017  test r15,r15
c0001a  je 0c000e9h
c00020  mov r12,[r14+8]
c00024  sub r12,rsp
c00027  sub r12,8
c0002b  shr r12,3
c0002f  shl r15,1bh
c00033  or r15,r12
c00036  mov r13,9e3779b97f4a7c15h
c00040  imul r13,r15
c00044  shr r13,31h
c00048  shl r13,6
c0004c  lea r12,[80a000h]
c00053  add r13,r12
c00056  mov r12,[800008h]
c0005d  or r12,0
c00061  cmp [r13],r15
c00065  jne short 0c00071h
c00067  cmp [r13+8],r12
c0006b  je 0c000eeh
c00071  cmp [r13+40h],r15
c00075  jne short 0c0007dh
c00077  cmp [r13+48h],r12
c0007b  je short 0c000eeh
c0007d  cmp [r13+80h],r15
c00084  jne short 0c0008fh
c00086  cmp [r13+88h],r12
c0008d  je short 0c000eeh
c0008f  cmp [r13+0c0h],r15
c00096  jne short 0c000a1h
c00098  cmp [r13+0c8h],r12
c0009f  je short 0c000eeh
c000a1  cmp [r13+100h],r15
c000a8  jne short 0c000b3h
c000aa  cmp [r13+108h],r12
c000b1  je short 0c000eeh
c000b3  cmp [r13+140h],r15
c000ba  jne short 0c000c5h
c000bc  cmp [r13+148h],r12
c000c3  je short 0c000eeh
c000c5  cmp [r13+180h],r15
c000cc  jne short 0c000d7h
c000ce  cmp [r13+188h],r12
c000d5  je short 0c000eeh
c000d7  cmp [r13+1c0h],r15
c000de  jne short 0c000e9h
c000e0  cmp [r13+1c8h],r12
c000e7  je short 0c000eeh
c000e9  jmp 0c0000eh
c000ee  mov r12,[r14+30h]
c000f2  mov r12,[r12+0a0h]
c000fa  test r12,r12
c000fd  je 0c00291h
c00103  mov r12d,[r12]
c00107  cmp r12d,[800004h]
c0010e  jae 0c0026bh
c00114  shl r12d,8
c00118  lea r13,[802000h]
c0011f  add r13,r12
c00122  cmp byte ptr [r13+30h],0
c00127  jne 0c0027fh
c0012d  mov byte ptr [r13+30h],1
c00132  cmp dword ptr [800000h],0
c00139  je 0c00328h
c0013f  mov [r13+40h],rax
c00143  mov [r13+50h],rdx
c00147  mov [r13+48h],rcx
c0014b  mov [r13+58h],rbx
c0014f  rdtsc
c00151  shl rdx,20h
c00155  or rdx,rax
c00158  mov [r13+60h],rdx
c0015c  mov r15,[r14+98h]
c00163  test r15,r15
c00166  je short 0c001d7h
c00168  mov rax,[r14+8]
c0016c  sub rax,rsp
c0016f  sub rax,8
c00175  shr rax,3
c00179  shl r15,1bh
c0017d  or r15,rax
c00180  mov rbx,9e3779b97f4a7c15h
c0018a  imul rbx,r15
c0018e  shr rbx,31h
c00192  shl rbx,6
c00196  lea rax,[80a000h]
c0019d  add rbx,rax
c001a0  mov rcx,[800008h]
c001a7  or rcx,0
c001ab  xor r12d,r12d
c001ae  cmp [rbx+r12],r15
c001b2  jne short 0c001cah
c001b4  cmp [rbx+r12+8],rcx
c001b9  jne short 0c001cah
c001bb  mov qword ptr [rbx+r12],0
c001c3  mov byte ptr [r13+31h],1
c001c8  jmp short 0c001d7h
c001ca  add r12,40h
c001ce  cmp r12,200h
c001d5  jb short 0c001aeh
c001d7  mov rdx,[r13+60h]
c001db  mov r15,[r13]
c001df  lea rax,[r15+28h]
c001e3  cmp rax,[r13+8]
c001e7  ja 0c00332h
c001ed  and r15,[r13+10h]
c001f1  add r15,[r13+18h]
c001f5  prefetchw [r15+180h]
c001fd  mov [r15+10h],rdx
c00201  mov dword ptr [r15+0ch],1
c00209  mov rax,[r14+98h]
c00210  mov [r15+18h],rax
c00214  mov rax,[r14+8]
c00218  sub rax,rsp
c0021b  sub rax,8
c00221  mov [r15+20h],eax
c00225  mov dword ptr [r15+24h],0
c0022d  mov dword ptr [r15+8],20h
c00235  mov qword ptr [r15],20h
c0023c  mov r12d,28h
c00242  add r12,[r13]
c00246  mov [r13],r12
c0024a  mov rax,[r13+20h]
c0024e  mov [rax],r12
c00251  mov rbx,[r13+58h]
c00255  mov rax,[r13+40h]
c00259  mov rcx,[r13+48h]
c0025d  mov rdx,[r13+50h]
c00261  mov byte ptr [r13+30h],0
c00266  jmp 0c0000eh
c0026b  inc r12d
c0026e  mov [801078h],r12d
c00275  lock inc qword ptr [801070h]
c0027d  jmp short 0c00291h
c0027f  cmp dword ptr [800000h],0
c00286  je short 0c00291h
c00288  mov r12,[r13+20h]
c0028c  inc qword ptr [r12+50h]
c00291  lock inc dword ptr [8010f8h]
c00298  movq xmm15,rax
c0029d  mov r15,[r14+98h]
c002a4  test r15,r15
c002a7  je short 0c00313h
c002a9  mov r12,[r14+8]
c002ad  sub r12,rsp
c002b0  sub r12,8
c002b4  shr r12,3
c002b8  shl r15,1bh
c002bc  or r15,r12
c002bf  mov r13,9e3779b97f4a7c15h
c002c9  imul r13,r15
c002cd  shr r13,31h
c002d1  shl r13,6
c002d5  lea r12,[80a000h]
c002dc  add r13,r12
c002df  mov rax,[800008h]
c002e6  or rax,0
c002ec  xor r12d,r12d
c002ef  cmp [r13+r12],r15
c002f4  jne short 0c00306h
c002f6  cmp [r13+r12+8],rax
c002fb  jne short 0c00306h
c002fd  mov qword ptr [r13+r12],0
c00306  add r12,40h
c0030a  cmp r12,200h
c00311  jb short 0c002efh
c00313  movq rax,xmm15
c00318  xorps xmm15,xmm15
c0031c  lock dec dword ptr [8010f8h]
c00323  jmp 0c0000eh
c00328  mov byte ptr [r13+30h],0
c0032d  jmp 0c0000eh
c00332  mov r12,[r13+28h]
c00336  mov r12,[r12]
c0033a  add r12,[r13+10h]
c0033e  inc r12
c00341  mov [r13+8],r12
c00345  cmp rax,r12
c00348  jbe 0c001edh
c0034e  mov r12,[r13+20h]
c00352  inc qword ptr [r12+40h]
c00357  jmp 0c00251h
