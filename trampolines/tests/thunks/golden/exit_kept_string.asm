c00000  add rsp,20h
c00004  pop rbp
c00005  cmp byte ptr [800040h],0
c0000c  jne short 0c0000fh
c0000e  ret
c0000f  mov r12,[r14+30h]
c00013  mov r12,[r12+0a0h]
c0001b  test r12,r12
c0001e  je 0c002c5h
c00024  mov r12d,[r12]
c00028  cmp r12d,[800004h]
c0002f  jae 0c0029fh
c00035  shl r12d,8
c00039  lea r13,[802000h]
c00040  add r13,r12
c00043  cmp byte ptr [r13+30h],0
c00048  jne 0c002b3h
c0004e  mov byte ptr [r13+30h],1
c00053  cmp dword ptr [800000h],0
c0005a  je 0c0035ch
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
c00138  lea rax,[r15+40h]
c0013c  cmp rax,[r13+8]
c00140  ja 0c00366h
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
c00186  lea r12,[r15+30h]
c0018a  mov rdx,[r13+88h]
c00191  mov rax,[r13+80h]
c00198  cmp byte ptr [r13+31h],0
c0019d  je 0c00254h
c001a3  test rdx,rdx
c001a6  je short 0c001b1h
c001a8  test rax,rax
c001ab  je 0c00254h
c001b1  mov ecx,0ffffffffh
c001b6  cmp rdx,rcx
c001b9  jbe short 0c001bdh
c001bb  mov edx,ecx
c001bd  mov [r15+2ch],edx
c001c1  cmp edx,10h
c001c4  jbe short 0c001cbh
c001c6  mov edx,10h
c001cb  mov [r15+28h],edx
c001cf  cmp edx,10h
c001d2  jb short 0c001fbh
c001d4  movups xmm15,[rax+rdx-10h]
c001da  movups [r12+rdx-10h],xmm15
c001e0  lea ecx,[rdx-1]
c001e3  and ecx,0fffffff0h
c001e6  je short 0c0024ah
c001e8  movups xmm15,[rax+rcx-10h]
c001ee  movups [r12+rcx-10h],xmm15
c001f4  sub ecx,10h
c001f7  jne short 0c001e8h
c001f9  jmp short 0c0024ah
c001fb  cmp edx,8
c001fe  jb short 0c00213h
c00200  mov rcx,[rax+rdx-8]
c00205  mov [r12+rdx-8],rcx
c0020a  mov rcx,[rax]
c0020d  mov [r12],rcx
c00211  jmp short 0c0024ah
c00213  cmp edx,4
c00216  jb short 0c00229h
c00218  mov ecx,[rax+rdx-4]
c0021c  mov [r12+rdx-4],ecx
c00221  mov ecx,[rax]
c00223  mov [r12],ecx
c00227  jmp short 0c0024ah
c00229  test edx,edx
c0022b  je short 0c0024ah
c0022d  movzx ecx,byte ptr [rax]
c00230  mov [r12],cl
c00234  movzx ecx,byte ptr [rax+rdx-1]
c00239  mov [r12+rdx-1],cl
c0023e  mov ecx,edx
c00240  shr ecx,1
c00242  movzx eax,byte ptr [rax+rcx]
c00246  mov [r12+rcx],al
c0024a  add r12,rdx
c0024d  or dword ptr [r15+24h],1
c00252  jmp short 0c0025ch
c00254  mov qword ptr [r15+28h],0
c0025c  xorps xmm15,xmm15
c00260  sub r12,r15
c00263  sub r12d,8
c00267  mov [r15+8],r12d
c0026b  mov [r15],r12
c0026e  add r12d,0fh
c00272  and r12d,0fffffff8h
c00276  add r12,[r13]
c0027a  mov [r13],r12
c0027e  mov rax,[r13+20h]
c00282  mov [rax],r12
c00285  mov rbx,[r13+58h]
c00289  mov rax,[r13+40h]
c0028d  mov rcx,[r13+48h]
c00291  mov rdx,[r13+50h]
c00295  mov byte ptr [r13+30h],0
c0029a  jmp 0c0000eh
c0029f  inc r12d
c002a2  mov [801078h],r12d
c002a9  lock inc qword ptr [801070h]
c002b1  jmp short 0c002c5h
c002b3  cmp dword ptr [800000h],0
c002ba  je short 0c002c5h
c002bc  mov r12,[r13+20h]
c002c0  inc qword ptr [r12+50h]
c002c5  lock inc dword ptr [8010f8h]
c002cc  movq xmm15,rax
c002d1  mov r15,[r14+98h]
c002d8  test r15,r15
c002db  je short 0c00347h
c002dd  mov r12,[r14+8]
c002e1  sub r12,rsp
c002e4  sub r12,8
c002e8  shr r12,3
c002ec  shl r15,1bh
c002f0  or r15,r12
c002f3  mov r13,9e3779b97f4a7c15h
c002fd  imul r13,r15
c00301  shr r13,31h
c00305  shl r13,6
c00309  lea r12,[80a000h]
c00310  add r13,r12
c00313  mov rax,[800008h]
c0031a  or rax,0
c00320  xor r12d,r12d
c00323  cmp [r13+r12],r15
c00328  jne short 0c0033ah
c0032a  cmp [r13+r12+8],rax
c0032f  jne short 0c0033ah
c00331  mov qword ptr [r13+r12],0
c0033a  add r12,40h
c0033e  cmp r12,200h
c00345  jb short 0c00323h
c00347  movq rax,xmm15
c0034c  xorps xmm15,xmm15
c00350  lock dec dword ptr [8010f8h]
c00357  jmp 0c0000eh
c0035c  mov byte ptr [r13+30h],0
c00361  jmp 0c0000eh
c00366  mov r12,[r13+28h]
c0036a  mov r12,[r12]
c0036e  add r12,[r13+10h]
c00372  inc r12
c00375  mov [r13+8],r12
c00379  cmp rax,r12
c0037c  jbe 0c00146h
c00382  mov r12,[r13+20h]
c00386  inc qword ptr [r12+40h]
c0038b  jmp 0c00285h
