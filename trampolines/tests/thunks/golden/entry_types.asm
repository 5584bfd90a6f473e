c00000  cmp byte ptr [800040h],0
c00007  jne short 0c00016h
c00009  push rbp
c0000a  mov rbp,rsp
c0000d  sub rsp,20h
c00011  jmp 462c12h
c00016  mov r12,[r14+30h]
c0001a  mov r12,[r12+0a0h]
c00022  test r12,r12
c00025  je 0c0038bh
c0002b  mov r12d,[r12]
c0002f  cmp r12d,[800004h]
c00036  jae 0c00379h
c0003c  shl r12d,8
c00040  lea r13,[802000h]
c00047  add r13,r12
c0004a  mov byte ptr [r13+30h],1
c0004f  cmp dword ptr [800000h],0
c00056  je 0c00390h
c0005c  mov [r13+40h],rax
c00060  mov [r13+50h],rdx
c00064  mov [r13+48h],rcx
c00068  rdtsc
c0006a  shl rdx,20h
c0006e  or rdx,rax
c00071  mov r15,[r13]
c00075  lea rax,[r15+0b8h]
c0007c  cmp rax,[r13+8]
c00080  ja 0c0039ah
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
c000be  mov dword ptr [r15+24h],0
c000c6  lea r12,[r15+38h]
c000ca  mov rax,rbx
c000cd  test rax,rax
c000d0  je 0c001f1h
c000d6  lea rdx,[500000h]
c000dd  mov rcx,rax
c000e0  sub rcx,rdx
c000e3  cmp rcx,1ffd0h
c000ea  jae 0c001f1h
c000f0  mov ecx,[rax+28h]
c000f3  test ecx,ecx
c000f5  je 0c001f1h
c000fb  cmp ecx,20000h
c00101  jae 0c001f1h
c00107  movzx eax,byte ptr [rax+14h]
c0010b  shr eax,1
c0010d  and eax,1
c00112  mov [r15+28h],rax
c00116  lea rdx,[rdx+rcx+1]
c0011b  movzx ecx,byte ptr [rdx]
c0011e  inc rdx
c00121  test cl,cl
c00123  jns short 0c0013bh
c00125  movzx eax,byte ptr [rdx]
c00128  inc rdx
c0012b  test al,al
c0012d  js 0c001f1h
c00133  shl eax,7
c00136  and ecx,7fh
c00139  or ecx,eax
c0013b  mov rax,[r15+28h]
c0013f  sub rcx,rax
c00142  jb 0c001f1h
c00148  add rax,rdx
c0014b  mov rdx,rcx
c0014e  mov ecx,0ffffffffh
c00153  cmp rdx,rcx
c00156  jbe short 0c0015ah
c00158  mov edx,ecx
c0015a  mov [r15+2ch],edx
c0015e  cmp edx,40h
c00161  jbe short 0c00168h
c00163  mov edx,40h
c00168  mov [r15+28h],edx
c0016c  cmp edx,10h
c0016f  jb short 0c00198h
c00171  movups xmm15,[rax+rdx-10h]
c00177  movups [r12+rdx-10h],xmm15
c0017d  lea ecx,[rdx-1]
c00180  and ecx,0fffffff0h
c00183  je short 0c001e7h
c00185  movups xmm15,[rax+rcx-10h]
c0018b  movups [r12+rcx-10h],xmm15
c00191  sub ecx,10h
c00194  jne short 0c00185h
c00196  jmp short 0c001e7h
c00198  cmp edx,8
c0019b  jb short 0c001b0h
c0019d  mov rcx,[rax+rdx-8]
c001a2  mov [r12+rdx-8],rcx
c001a7  mov rcx,[rax]
c001aa  mov [r12],rcx
c001ae  jmp short 0c001e7h
c001b0  cmp edx,4
c001b3  jb short 0c001c6h
c001b5  mov ecx,[rax+rdx-4]
c001b9  mov [r12+rdx-4],ecx
c001be  mov ecx,[rax]
c001c0  mov [r12],ecx
c001c4  jmp short 0c001e7h
c001c6  test edx,edx
c001c8  je short 0c001e7h
c001ca  movzx ecx,byte ptr [rax]
c001cd  mov [r12],cl
c001d1  movzx ecx,byte ptr [rax+rdx-1]
c001d6  mov [r12+rdx-1],cl
c001db  mov ecx,edx
c001dd  shr ecx,1
c001df  movzx eax,byte ptr [rax+rcx]
c001e3  mov [r12+rcx],al
c001e7  add r12,rdx
c001ea  or dword ptr [r15+24h],1
c001ef  jmp short 0c001f9h
c001f1  mov qword ptr [r15+28h],0
c001f9  mov rax,[r13+48h]
c001fd  test rax,rax
c00200  je 0c00332h
c00206  mov rax,[rax+18h]
c0020a  test rax,rax
c0020d  je 0c00332h
c00213  mov rax,[rax+8]
c00217  lea rdx,[500000h]
c0021e  mov rcx,rax
c00221  sub rcx,rdx
c00224  cmp rcx,1ffd0h
c0022b  jae 0c00332h
c00231  mov ecx,[rax+28h]
c00234  test ecx,ecx
c00236  je 0c00332h
c0023c  cmp ecx,20000h
c00242  jae 0c00332h
c00248  movzx eax,byte ptr [rax+14h]
c0024c  shr eax,1
c0024e  and eax,1
c00253  mov [r15+30h],rax
c00257  lea rdx,[rdx+rcx+1]
c0025c  movzx ecx,byte ptr [rdx]
c0025f  inc rdx
c00262  test cl,cl
c00264  jns short 0c0027ch
c00266  movzx eax,byte ptr [rdx]
c00269  inc rdx
c0026c  test al,al
c0026e  js 0c00332h
c00274  shl eax,7
c00277  and ecx,7fh
c0027a  or ecx,eax
c0027c  mov rax,[r15+30h]
c00280  sub rcx,rax
c00283  jb 0c00332h
c00289  add rax,rdx
c0028c  mov rdx,rcx
c0028f  mov ecx,0ffffffffh
c00294  cmp rdx,rcx
c00297  jbe short 0c0029bh
c00299  mov edx,ecx
c0029b  mov [r15+34h],edx
c0029f  cmp edx,40h
c002a2  jbe short 0c002a9h
c002a4  mov edx,40h
c002a9  mov [r15+30h],edx
c002ad  cmp edx,10h
c002b0  jb short 0c002d9h
c002b2  movups xmm15,[rax+rdx-10h]
c002b8  movups [r12+rdx-10h],xmm15
c002be  lea ecx,[rdx-1]
c002c1  and ecx,0fffffff0h
c002c4  je short 0c00328h
c002c6  movups xmm15,[rax+rcx-10h]
c002cc  movups [r12+rcx-10h],xmm15
c002d2  sub ecx,10h
c002d5  jne short 0c002c6h
c002d7  jmp short 0c00328h
c002d9  cmp edx,8
c002dc  jb short 0c002f1h
c002de  mov rcx,[rax+rdx-8]
c002e3  mov [r12+rdx-8],rcx
c002e8  mov rcx,[rax]
c002eb  mov [r12],rcx
c002ef  jmp short 0c00328h
c002f1  cmp edx,4
c002f4  jb short 0c00307h
c002f6  mov ecx,[rax+rdx-4]
c002fa  mov [r12+rdx-4],ecx
c002ff  mov ecx,[rax]
c00301  mov [r12],ecx
c00305  jmp short 0c00328h
c00307  test edx,edx
c00309  je short 0c00328h
c0030b  movzx ecx,byte ptr [rax]
c0030e  mov [r12],cl
c00312  movzx ecx,byte ptr [rax+rdx-1]
c00317  mov [r12+rdx-1],cl
c0031c  mov ecx,edx
c0031e  shr ecx,1
c00320  movzx eax,byte ptr [rax+rcx]
c00324  mov [r12+rcx],al
c00328  add r12,rdx
c0032b  or dword ptr [r15+24h],2
c00330  jmp short 0c0033ah
c00332  mov qword ptr [r15+30h],0
c0033a  xorps xmm15,xmm15
c0033e  sub r12,r15
c00341  sub r12d,8
c00345  mov [r15+8],r12d
c00349  mov [r15],r12
c0034c  add r12d,0fh
c00350  and r12d,0fffffff8h
c00354  add r12,[r13]
c00358  mov [r13],r12
c0035c  mov rax,[r13+20h]
c00360  mov [rax],r12
c00363  mov rax,[r13+40h]
c00367  mov rcx,[r13+48h]
c0036b  mov rdx,[r13+50h]
c0036f  mov byte ptr [r13+30h],0
c00374  jmp 0c00009h
c00379  inc r12d
c0037c  mov [801078h],r12d
c00383  lock inc qword ptr [801070h]
c0038b  jmp 0c00009h
c00390  mov byte ptr [r13+30h],0
c00395  jmp 0c00009h
c0039a  mov r12,[r13+28h]
c0039e  mov r12,[r12]
c003a2  add r12,[r13+10h]
c003a6  inc r12
c003a9  mov [r13+8],r12
c003ad  cmp rax,r12
c003b0  jbe 0c00086h
c003b6  mov r12,[r13+20h]
c003ba  inc qword ptr [r12+40h]
c003bf  jmp short 0c00363h
