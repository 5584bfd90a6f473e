c00000  cmp byte ptr [800040h],0
c00007  jne short 0c00016h
c00009  push rbp
c0000a  mov rbp,rsp
c0000d  sub rsp,20h
c00011  jmp 462c12h
c00016  mov r12,[r14+30h]
c0001a  mov r12,[r12+0a0h]
c00022  test r12,r12
c00025  je 0c002ach
c0002b  mov r12d,[r12]
c0002f  cmp r12d,[800004h]
c00036  jae 0c0029ah
c0003c  shl r12d,8
c00040  lea r13,[802000h]
c00047  add r13,r12
c0004a  mov byte ptr [r13+30h],1
c0004f  cmp dword ptr [800000h],0
c00056  je 0c002b1h
c0005c  mov [r13+40h],rax
c00060  mov [r13+50h],rdx
c00064  mov [r13+48h],rcx
c00068  rdtsc
c0006a  shl rdx,20h
c0006e  or rdx,rax
c00071  mov r15,[r13]
c00075  lea rax,[r15+88h]
c0007c  cmp rax,[r13+8]
c00080  ja 0c002bbh
c00086  and r15,[r13+10h]
c0008a  add r15,[r13+18h]
c0008e  prefetchw [r15+180h]
c00096  mov [r15+10h],rdx
c0009a  mov dword ptr [r15+0ch],0
c000a2  mov rax,[r14+98h]
c000a9  mov [r15+18h],rax
c000ad  mov rax,[r14+8]
c000b1  sub rax,rsp
c000b4  sub rax,8
c000ba  mov [r15+20h],eax
c000be  mov dword ptr [r15+24h],0eh
c000c6  lea r12,[r15+48h]
c000ca  mov rax,[r13+40h]
c000ce  test rax,rax
c000d1  je 0c00185h
c000d7  add rax,20h
c000dd  mov edx,20h
c000e2  mov ecx,0ffffffffh
c000e7  cmp rdx,rcx
c000ea  jbe short 0c000eeh
c000ec  mov edx,ecx
c000ee  mov [r15+2ch],edx
c000f2  cmp edx,14h
c000f5  jbe short 0c000fch
c000f7  mov edx,14h
c000fc  mov [r15+28h],edx
c00100  cmp edx,10h
c00103  jb short 0c0012ch
c00105  movups xmm15,[rax+rdx-10h]
c0010b  movups [r12+rdx-10h],xmm15
c00111  lea ecx,[rdx-1]
c00114  and ecx,0fffffff0h
c00117  je short 0c0017bh
c00119  movups xmm15,[rax+rcx-10h]
c0011f  movups [r12+rcx-10h],xmm15
c00125  sub ecx,10h
c00128  jne short 0c00119h
c0012a  jmp short 0c0017bh
c0012c  cmp edx,8
c0012f  jb short 0c00144h
c00131  mov rcx,[rax+rdx-8]
c00136  mov [r12+rdx-8],rcx
c0013b  mov rcx,[rax]
c0013e  mov [r12],rcx
c00142  jmp short 0c0017bh
c00144  cmp edx,4
c00147  jb short 0c0015ah
c00149  mov ecx,[rax+rdx-4]
c0014d  mov [r12+rdx-4],ecx
c00152  mov ecx,[rax]
c00154  mov [r12],ecx
c00158  jmp short 0c0017bh
c0015a  test edx,edx
c0015c  je short 0c0017bh
c0015e  movzx ecx,byte ptr [rax]
c00161  mov [r12],cl
c00165  movzx ecx,byte ptr [rax+rdx-1]
c0016a  mov [r12+rdx-1],cl
c0016f  mov ecx,edx
c00171  shr ecx,1
c00173  movzx eax,byte ptr [rax+rcx]
c00177  mov [r12+rcx],al
c0017b  add r12,rdx
c0017e  or dword ptr [r15+24h],1
c00183  jmp short 0c0018dh
c00185  mov qword ptr [r15+28h],0
c0018d  lea rax,[rsp+10h]
c00192  mov edx,10h
c00197  mov ecx,0ffffffffh
c0019c  cmp rdx,rcx
c0019f  jbe short 0c001a3h
c001a1  mov edx,ecx
c001a3  mov [r15+34h],edx
c001a7  cmp edx,14h
c001aa  jbe short 0c001b1h
c001ac  mov edx,14h
c001b1  mov [r15+30h],edx
c001b5  cmp edx,10h
c001b8  jb short 0c001e1h
c001ba  movups xmm15,[rax+rdx-10h]
c001c0  movups [r12+rdx-10h],xmm15
c001c6  lea ecx,[rdx-1]
c001c9  and ecx,0fffffff0h
c001cc  je short 0c00230h
c001ce  movups xmm15,[rax+rcx-10h]
c001d4  movups [r12+rcx-10h],xmm15
c001da  sub ecx,10h
c001dd  jne short 0c001ceh
c001df  jmp short 0c00230h
c001e1  cmp edx,8
c001e4  jb short 0c001f9h
c001e6  mov rcx,[rax+rdx-8]
c001eb  mov [r12+rdx-8],rcx
c001f0  mov rcx,[rax]
c001f3  mov [r12],rcx
c001f7  jmp short 0c00230h
c001f9  cmp edx,4
c001fc  jb short 0c0020fh
c001fe  mov ecx,[rax+rdx-4]
c00202  mov [r12+rdx-4],ecx
c00207  mov ecx,[rax]
c00209  mov [r12],ecx
c0020d  jmp short 0c00230h
c0020f  test edx,edx
c00211  je short 0c00230h
c00213  movzx ecx,byte ptr [rax]
c00216  mov [r12],cl
c0021a  movzx ecx,byte ptr [rax+rdx-1]
c0021f  mov [r12+rdx-1],cl
c00224  mov ecx,edx
c00226  shr ecx,1
c00228  movzx eax,byte ptr [rax+rcx]
c0022c  mov [r12+rcx],al
c00230  add r12,rdx
c00233  mov rax,rdi
c00236  mov [r12],al
c0023a  inc r12
c0023d  mov dword ptr [r15+38h],1
c00245  mov dword ptr [r15+3ch],1
c0024d  mov rax,10h
c00257  mov [r15+40h],rax
c0025b  xorps xmm15,xmm15
c0025f  sub r12,r15
c00262  sub r12d,8
c00266  mov [r15+8],r12d
c0026a  mov [r15],r12
c0026d  add r12d,0fh
c00271  and r12d,0fffffff8h
c00275  add r12,[r13]
c00279  mov [r13],r12
c0027d  mov rax,[r13+20h]
c00281  mov [rax],r12
c00284  mov rax,[r13+40h]
c00288  mov rcx,[r13+48h]
c0028c  mov rdx,[r13+50h]
c00290  mov byte ptr [r13+30h],0
c00295  jmp 0c00009h
c0029a  inc r12d
c0029d  mov [801078h],r12d
c002a4  lock inc qword ptr [801070h]
c002ac  jmp 0c00009h
c002b1  mov byte ptr [r13+30h],0
c002b6  jmp 0c00009h
c002bb  mov r12,[r13+28h]
c002bf  mov r12,[r12]
c002c3  add r12,[r13+10h]
c002c7  inc r12
c002ca  mov [r13+8],r12
c002ce  cmp rax,r12
c002d1  jbe 0c00086h
c002d7  mov r12,[r13+20h]
c002db  inc qword ptr [r12+40h]
c002e0  jmp short 0c00284h
