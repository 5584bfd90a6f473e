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
c000fd  je 0c00272h
c00103  mov r12d,[r12]
c00107  cmp r12d,[800004h]
c0010e  jae 0c00260h
c00114  shl r12d,8
c00118  lea r13,[802000h]
c0011f  add r13,r12
c00122  mov byte ptr [r13+30h],1
c00127  cmp dword ptr [800000h],0
c0012e  je 0c00309h
c00134  mov [r13+40h],rax
c00138  mov [r13+50h],rdx
c0013c  mov [r13+48h],rcx
c00140  mov [r13+58h],rbx
c00144  rdtsc
c00146  shl rdx,20h
c0014a  or rdx,rax
c0014d  mov [r13+60h],rdx
c00151  mov r15,[r14+98h]
c00158  test r15,r15
c0015b  je short 0c001cch
c0015d  mov rax,[r14+8]
c00161  sub rax,rsp
c00164  sub rax,8
c0016a  shr rax,3
c0016e  shl r15,1bh
c00172  or r15,rax
c00175  mov rbx,9e3779b97f4a7c15h
c0017f  imul rbx,r15
c00183  shr rbx,31h
c00187  shl rbx,6
c0018b  lea rax,[80a000h]
c00192  add rbx,rax
c00195  mov rcx,[800008h]
c0019c  or rcx,0
c001a0  xor r12d,r12d
c001a3  cmp [rbx+r12],r15
c001a7  jne short 0c001bfh
c001a9  cmp [rbx+r12+8],rcx
c001ae  jne short 0c001bfh
c001b0  mov qword ptr [rbx+r12],0
c001b8  mov byte ptr [r13+31h],1
c001bd  jmp short 0c001cch
c001bf  add r12,40h
c001c3  cmp r12,200h
c001ca  jb short 0c001a3h
c001cc  mov rdx,[r13+60h]
c001d0  mov r15,[r13]
c001d4  lea rax,[r15+28h]
c001d8  cmp rax,[r13+8]
c001dc  ja 0c00313h
c001e2  and r15,[r13+10h]
c001e6  add r15,[r13+18h]
c001ea  prefetchw [r15+180h]
c001f2  mov [r15+10h],rdx
c001f6  mov dword ptr [r15+0ch],1
c001fe  mov rax,[r14+98h]
c00205  mov [r15+18h],rax
c00209  mov rax,[r14+8]
c0020d  sub rax,rsp
c00210  sub rax,8
c00216  mov [r15+20h],eax
c0021a  mov dword ptr [r15+24h],0
c00222  mov dword ptr [r15+8],20h
c0022a  mov qword ptr [r15],20h
c00231  mov r12d,28h
c00237  add r12,[r13]
c0023b  mov [r13],r12
c0023f  mov rax,[r13+20h]
c00243  mov [rax],r12
c00246  mov rbx,[r13+58h]
c0024a  mov rax,[r13+40h]
c0024e  mov rcx,[r13+48h]
c00252  mov rdx,[r13+50h]
c00256  mov byte ptr [r13+30h],0
c0025b  jmp 0c0000eh
c00260  inc r12d
c00263  mov [801078h],r12d
c0026a  lock inc qword ptr [801070h]
c00272  lock inc dword ptr [8010f8h]
c00279  movq xmm15,rax
c0027e  mov r15,[r14+98h]
c00285  test r15,r15
c00288  je short 0c002f4h
c0028a  mov r12,[r14+8]
c0028e  sub r12,rsp
c00291  sub r12,8
c00295  shr r12,3
c00299  shl r15,1bh
c0029d  or r15,r12
c002a0  mov r13,9e3779b97f4a7c15h
c002aa  imul r13,r15
c002ae  shr r13,31h
c002b2  shl r13,6
c002b6  lea r12,[80a000h]
c002bd  add r13,r12
c002c0  mov rax,[800008h]
c002c7  or rax,0
c002cd  xor r12d,r12d
c002d0  cmp [r13+r12],r15
c002d5  jne short 0c002e7h
c002d7  cmp [r13+r12+8],rax
c002dc  jne short 0c002e7h
c002de  mov qword ptr [r13+r12],0
c002e7  add r12,40h
c002eb  cmp r12,200h
c002f2  jb short 0c002d0h
c002f4  movq rax,xmm15
c002f9  xorps xmm15,xmm15
c002fd  lock dec dword ptr [8010f8h]
c00304  jmp 0c0000eh
c00309  mov byte ptr [r13+30h],0
c0030e  jmp 0c0000eh
c00313  mov r12,[r13+28h]
c00317  mov r12,[r12]
c0031b  add r12,[r13+10h]
c0031f  inc r12
c00322  mov [r13+8],r12
c00326  cmp rax,r12
c00329  jbe 0c001e2h
c0032f  mov r12,[r13+20h]
c00333  inc qword ptr [r12+40h]
c00338  jmp 0c00246h
