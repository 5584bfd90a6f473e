c00000  add rsp,20h
c00004  pop rbp
c00005  cmp byte ptr [800040h],0
c0000c  jne short 0c0000fh
c0000e  ret
c0000f  mov r12,[r14+30h]
c00013  mov r12,[r12+0a0h]
c0001b  test r12,r12
c0001e  je 0c00265h
c00024  mov r12d,[r12]
c00028  cmp r12d,[800004h]
c0002f  jae 0c0023fh
c00035  shl r12d,8
c00039  lea r13,[802000h]
c00040  add r13,r12
c00043  cmp byte ptr [r13+30h],0
c00048  jne 0c00253h
c0004e  mov byte ptr [r13+30h],1
c00053  cmp dword ptr [800000h],0
c0005a  je 0c002fch
c00060  mov [r13+40h],rax
c00064  mov [r13+50h],rdx
c00068  mov [r13+48h],rcx
c0006c  mov [r13+58h],rbx
c00070  rdtsc
c00072  shl rdx,20h
c00076  or rdx,rax
c00079  mov [r13+60h],rdx
c0007d  mov r15,[r14+98h]
c00084  test r15,r15
c00087  je 0c00114h
c0008d  mov rax,[r14+8]
c00091  sub rax,rsp
c00094  sub rax,8
c0009a  shr rax,3
c0009e  shl r15,1bh
c000a2  or r15,rax
c000a5  mov rbx,9e3779b97f4a7c15h
c000af  imul rbx,r15
c000b3  shr rbx,31h
c000b7  shl rbx,6
c000bb  lea rax,[80a000h]
c000c2  add rbx,rax
c000c5  mov rcx,[800008h]
c000cc  or rcx,0
c000d0  xor r12d,r12d
c000d3  cmp [rbx+r12],r15
c000d7  jne short 0c00107h
c000d9  cmp [rbx+r12+8],rcx
c000de  jne short 0c00107h
c000e0  mov rax,[rbx+r12+10h]
c000e5  mov [r13+80h],rax
c000ec  mov rax,[rbx+r12+18h]
c000f1  mov [r13+88h],rax
c000f8  mov qword ptr [rbx+r12],0
c00100  mov byte ptr [r13+31h],1
c00105  jmp short 0c00130h
c00107  add r12,40h
c0010b  cmp r12,200h
c00112  jb short 0c000d3h
c00114  mov rax,[r13+20h]
c00118  inc qword ptr [rax+48h]
c0011c  xor eax,eax
c0011e  mov [r13+31h],al
c00122  mov [r13+80h],rax
c00129  mov [r13+88h],rax
c00130  mov rdx,[r13+60h]
c00134  mov r15,[r13]
c00138  lea rax,[r15+30h]
c0013c  cmp rax,[r13+8]
c00140  ja 0c00306h
c00146  and r15,[r13+10h]
c0014a  add r15,[r13+18h]
c0014e  prefetchw [r15+180h]
c00156  mov [r15+10h],rdx
c0015a  mov dword ptr [r15+0ch],1
c00162  mov rax,[r14+98h]
c00169  mov [r15+18h],rax
c0016d  mov rax,[r14+8]
c00171  sub rax,rsp
c00174  sub rax,8
c0017a  mov [r15+20h],eax
c0017e  mov dword ptr [r15+24h],0
c00186  mov rcx,[r13+80h]
c0018d  lea rdx,[501000h]
c00194  test rcx,rcx
c00197  je short 0c001bdh
c00199  cmp [rcx+8],rdx
c0019d  jne short 0c001bdh
c0019f  mov rax,[r13+88h]
c001a6  test rax,rax
c001a9  je short 0c001bdh
c001ab  mov rax,[rax+0a0h]
c001b2  mov [r15+28h],rax
c001b6  or dword ptr [r15+24h],1
c001bb  jmp short 0c00201h
c001bd  mov rcx,[r13+80h]
c001c4  lea rdx,[502000h]
c001cb  test rcx,rcx
c001ce  je short 0c001f9h
c001d0  cmp [rcx+8],rdx
c001d4  jne short 0c001f9h
c001d6  mov rax,[r13+88h]
c001dd  test rax,rax
c001e0  je short 0c001f9h
c001e2  mov rax,[rax]
c001e5  test rax,rax
c001e8  je short 0c001f9h
c001ea  mov rax,[rax+60h]
c001ee  mov [r15+28h],rax
c001f2  or dword ptr [r15+24h],1
c001f7  jmp short 0c00201h
c001f9  mov qword ptr [r15+28h],0
c00201  mov dword ptr [r15+8],28h
c00209  mov qword ptr [r15],28h
c00210  mov r12d,30h
c00216  add r12,[r13]
c0021a  mov [r13],r12
c0021e  mov rax,[r13+20h]
c00222  mov [rax],r12
c00225  mov rbx,[r13+58h]
c00229  mov rax,[r13+40h]
c0022d  mov rcx,[r13+48h]
c00231  mov rdx,[r13+50h]
c00235  mov byte ptr [r13+30h],0
c0023a  jmp 0c0000eh
c0023f  inc r12d
c00242  mov [801078h],r12d
c00249  lock inc qword ptr [801070h]
c00251  jmp short 0c00265h
c00253  cmp dword ptr [800000h],0
c0025a  je short 0c00265h
c0025c  mov r12,[r13+20h]
c00260  inc qword ptr [r12+50h]
c00265  lock inc dword ptr [8010f8h]
c0026c  movq xmm15,rax
c00271  mov r15,[r14+98h]
c00278  test r15,r15
c0027b  je short 0c002e7h
c0027d  mov r12,[r14+8]
c00281  sub r12,rsp
c00284  sub r12,8
c00288  shr r12,3
c0028c  shl r15,1bh
c00290  or r15,r12
c00293  mov r13,9e3779b97f4a7c15h
c0029d  imul r13,r15
c002a1  shr r13,31h
c002a5  shl r13,6
c002a9  lea r12,[80a000h]
c002b0  add r13,r12
c002b3  mov rax,[800008h]
c002ba  or rax,0
c002c0  xor r12d,r12d
c002c3  cmp [r13+r12],r15
c002c8  jne short 0c002dah
c002ca  cmp [r13+r12+8],rax
c002cf  jne short 0c002dah
c002d1  mov qword ptr [r13+r12],0
c002da  add r12,40h
c002de  cmp r12,200h
c002e5  jb short 0c002c3h
c002e7  movq rax,xmm15
c002ec  xorps xmm15,xmm15
c002f0  lock dec dword ptr [8010f8h]
c002f7  jmp 0c0000eh
c002fc  mov byte ptr [r13+30h],0
c00301  jmp 0c0000eh
c00306  mov r12,[r13+28h]
c0030a  mov r12,[r12]
c0030e  add r12,[r13+10h]
c00312  inc r12
c00315  mov [r13+8],r12
c00319  cmp rax,r12
c0031c  jbe 0c00146h
c00322  mov r12,[r13+20h]
c00326  inc qword ptr [r12+40h]
c0032b  jmp 0c00225h
