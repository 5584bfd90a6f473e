c00000  cmp byte ptr [800040h],0
c00007  jne short 0c00016h
c00009  push rbp
c0000a  mov rbp,rsp
c0000d  sub rsp,20h
c00011  jmp 462c12h
c00016  mov r12,[r14+30h]
c0001a  mov r12,[r12+0a0h]
c00022  test r12,r12
c00025  je 0c002cbh
c0002b  mov r12d,[r12]
c0002f  cmp r12d,[800004h]
c00036  jae 0c002a5h
c0003c  shl r12d,8
c00040  lea r13,[802000h]
c00047  add r13,r12
c0004a  cmp byte ptr [r13+30h],0
c0004f  jne 0c002b9h
c00055  mov byte ptr [r13+30h],1
c0005a  cmp dword ptr [800000h],0
c00061  je 0c002d0h
c00067  mov [r13+40h],rax
c0006b  mov [r13+50h],rdx
c0006f  mov [r13+48h],rcx
c00073  rdtsc
c00075  shl rdx,20h
c00079  or rdx,rax
c0007c  mov r15,[r13]
c00080  lea rax,[r15+88h]
c00087  cmp rax,[r13+8]
c0008b  ja 0c002dah
c00091  and r15,[r13+10h]
c00095  add r15,[r13+18h]
c00099  prefetchw [r15+180h]
c000a1  mov [r15+10h],rdx
c000a5  mov dword ptr [r15+0ch],0
c000ad  mov rax,[r14+98h]
c000b4  mov [r15+18h],rax
c000b8  mov rax,[r14+8]
c000bc  sub rax,rsp
c000bf  sub rax,8
c000c5  mov [r15+20h],eax
c000c9  mov dword ptr [r15+24h],0eh
c000d1  lea r12,[r15+48h]
c000d5  mov rax,[r13+40h]
c000d9  test rax,rax
c000dc  je 0c00190h
c000e2  add rax,20h
c000e8  mov edx,20h
c000ed  mov ecx,0ffffffffh
c000f2  cmp rdx,rcx
c000f5  jbe short 0c000f9h
c000f7  mov edx,ecx
c000f9  mov [r15+2ch],edx
c000fd  cmp edx,14h
c00100  jbe short 0c00107h
c00102  mov edx,14h
c00107  mov [r15+28h],edx
c0010b  cmp edx,10h
c0010e  jb short 0c00137h
c00110  movups xmm15,[rax+rdx-10h]
c00116  movups [r12+rdx-10h],xmm15
c0011c  lea ecx,[rdx-1]
c0011f  and ecx,0fffffff0h
c00122  je short 0c00186h
c00124  movups xmm15,[rax+rcx-10h]
c0012a  movups [r12+rcx-10h],xmm15
c00130  sub ecx,10h
c00133  jne short 0c00124h
c00135  jmp short 0c00186h
c00137  cmp edx,8
c0013a  jb short 0c0014fh
c0013c  mov rcx,[rax+rdx-8]
c00141  mov [r12+rdx-8],rcx
c00146  mov rcx,[rax]
c00149  mov [r12],rcx
c0014d  jmp short 0c00186h
c0014f  cmp edx,4
c00152  jb short 0c00165h
c00154  mov ecx,[rax+rdx-4]
c00158  mov [r12+rdx-4],ecx
c0015d  mov ecx,[rax]
c0015f  mov [r12],ecx
c00163  jmp short 0c00186h
c00165  test edx,edx
c00167  je short 0c00186h
c00169  movzx ecx,byte ptr [rax]
c0016c  mov [r12],cl
c00170  movzx ecx,byte ptr [rax+rdx-1]
c00175  mov [r12+rdx-1],cl
c0017a  mov ecx,edx
c0017c  shr ecx,1
c0017e  movzx eax,byte ptr [rax+rcx]
c00182  mov [r12+rcx],al
c00186  add r12,rdx
c00189  or dword ptr [r15+24h],1
c0018e  jmp short 0c00198h
c00190  mov qword ptr [r15+28h],0
c00198  lea rax,[rsp+10h]
c0019d  mov edx,10h
c001a2  mov ecx,0ffffffffh
c001a7  cmp rdx,rcx
c001aa  jbe short 0c001aeh
c001ac  mov edx,ecx
c001ae  mov [r15+34h],edx
c001b2  cmp edx,14h
c001b5  jbe short 0c001bch
c001b7  mov edx,14h
c001bc  mov [r15+30h],edx
c001c0  cmp edx,10h
c001c3  jb short 0c001ech
c001c5  movups xmm15,[rax+rdx-10h]
c001cb  movups [r12+rdx-10h],xmm15
c001d1  lea ecx,[rdx-1]
c001d4  and ecx,0fffffff0h
c001d7  je short 0c0023bh
c001d9  movups xmm15,[rax+rcx-10h]
c001df  movups [r12+rcx-10h],xmm15
c001e5  sub ecx,10h
c001e8  jne short 0c001d9h
c001ea  jmp short 0c0023bh
c001ec  cmp edx,8
c001ef  jb short 0c00204h
c001f1  mov rcx,[rax+rdx-8]
c001f6  mov [r12+rdx-8],rcx
c001fb  mov rcx,[rax]
c001fe  mov [r12],rcx
c00202  jmp short 0c0023bh
c00204  cmp edx,4
c00207  jb short 0c0021ah
c00209  mov ecx,[rax+rdx-4]
c0020d  mov [r12+rdx-4],ecx
c00212  mov ecx,[rax]
c00214  mov [r12],ecx
c00218  jmp short 0c0023bh
c0021a  test edx,edx
c0021c  je short 0c0023bh
c0021e  movzx ecx,byte ptr [rax]
c00221  mov [r12],cl
c00225  movzx ecx,byte ptr [rax+rdx-1]
c0022a  mov [r12+rdx-1],cl
c0022f  mov ecx,edx
c00231  shr ecx,1
c00233  movzx eax,byte ptr [rax+rcx]
c00237  mov [r12+rcx],al
c0023b  add r12,rdx
c0023e  mov rax,rdi
c00241  mov [r12],al
c00245  inc r12
c00248  mov dword ptr [r15+38h],1
c00250  mov dword ptr [r15+3ch],1
c00258  mov rax,10h
c00262  mov [r15+40h],rax
c00266  xorps xmm15,xmm15
c0026a  sub r12,r15
c0026d  sub r12d,8
c00271  mov [r15+8],r12d
c00275  mov [r15],r12
c00278  add r12d,0fh
c0027c  and r12d,0fffffff8h
c00280  add r12,[r13]
c00284  mov [r13],r12
c00288  mov rax,[r13+20h]
c0028c  mov [rax],r12
c0028f  mov rax,[r13+40h]
c00293  mov rcx,[r13+48h]
c00297  mov rdx,[r13+50h]
c0029b  mov byte ptr [r13+30h],0
c002a0  jmp 0c00009h
c002a5  inc r12d
c002a8  mov [801078h],r12d
c002af  lock inc qword ptr [801070h]
c002b7  jmp short 0c002cbh
c002b9  cmp dword ptr [800000h],0
c002c0  je short 0c002cbh
c002c2  mov r12,[r13+20h]
c002c6  inc qword ptr [r12+50h]
c002cb  jmp 0c00009h
c002d0  mov byte ptr [r13+30h],0
c002d5  jmp 0c00009h
c002da  mov r12,[r13+28h]
c002de  mov r12,[r12]
c002e2  add r12,[r13+10h]
c002e6  inc r12
c002e9  mov [r13+8],r12
c002ed  cmp rax,r12
c002f0  jbe 0c00091h
c002f6  mov r12,[r13+20h]
c002fa  inc qword ptr [r12+40h]
c002ff  jmp short 0c0028fh
