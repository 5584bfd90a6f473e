c00000  add rsp,20h
c00004  pop rbp
c00005  cmp byte ptr [800040h],0
c0000c  jne short 0c0000fh
c0000e  ret
c0000f  mov r12,[r14+30h]
c00013  mov r12,[r12+0a0h]
c0001b  test r12,r12
c0001e  je 0c002a6h
c00024  mov r12d,[r12]
c00028  cmp r12d,[800004h]
c0002f  jae 0c00294h
c00035  shl r12d,8
c00039  lea r13,[802000h]
c00040  add r13,r12
c00043  mov byte ptr [r13+30h],1
c00048  cmp dword ptr [800000h],0
c0004f  je 0c0033dh
c00055  mov [r13+40h],rax
c00059  mov [r13+50h],rdx
c0005d  mov [r13+48h],rcx
c00061  mov [r13+58h],rbx
c00065  rdtsc
c00067  shl rdx,20h
c0006b  or rdx,rax
c0006e  mov [r13+60h],rdx
c00072  mov r15,[r14+98h]
c00079  test r15,r15
c0007c  je 0c00109h
c00082  mov rax,[r14+8]
c00086  sub rax,rsp
c00089  sub rax,8
c0008f  shr rax,3
c00093  shl r15,1bh
c00097  or r15,rax
c0009a  mov rbx,9e3779b97f4a7c15h
c000a4  imul rbx,r15
c000a8  shr rbx,31h
c000ac  shl rbx,6
c000b0  lea rax,[80a000h]
c000b7  add rbx,rax
c000ba  mov rcx,[800008h]
c000c1  or rcx,0
c000c5  xor r12d,r12d
c000c8  cmp [rbx+r12],r15
c000cc  jne short 0c000fch
c000ce  cmp [rbx+r12+8],rcx
c000d3  jne short 0c000fch
c000d5  mov rax,[rbx+r12+10h]
c000da  mov [r13+80h],rax
c000e1  mov rax,[rbx+r12+18h]
c000e6  mov [r13+88h],rax
c000ed  mov qword ptr [rbx+r12],0
c000f5  mov byte ptr [r13+31h],1
c000fa  jmp short 0c00125h
c000fc  add r12,40h
c00100  cmp r12,200h
c00107  jb short 0c000c8h
c00109  mov rax,[r13+20h]
c0010d  inc qword ptr [rax+48h]
c00111  xor eax,eax
c00113  mov [r13+31h],al
c00117  mov [r13+80h],rax
c0011e  mov [r13+88h],rax
c00125  mov rdx,[r13+60h]
c00129  mov r15,[r13]
c0012d  lea rax,[r15+40h]
c00131  cmp rax,[r13+8]
c00135  ja 0c00347h
c0013b  and r15,[r13+10h]
c0013f  add r15,[r13+18h]
c00143  prefetchw [r15+180h]
c0014b  mov [r15+10h],rdx
c0014f  mov dword ptr [r15+0ch],1
c00157  mov rax,[r14+98h]
c0015e  mov [r15+18h],rax
c00162  mov rax,[r14+8]
c00166  sub rax,rsp
c00169  sub rax,8
c0016f  mov [r15+20h],eax
c00173  mov dword ptr [r15+24h],0
c0017b  lea r12,[r15+30h]
c0017f  mov rdx,[r13+88h]
c00186  mov rax,[r13+80h]
c0018d  cmp byte ptr [r13+31h],0
c00192  je 0c00249h
c00198  test rdx,rdx
c0019b  je short 0c001a6h
c0019d  test rax,rax
c001a0  je 0c00249h
c001a6  mov ecx,0ffffffffh
c001ab  cmp rdx,rcx
c001ae  jbe short 0c001b2h
c001b0  mov edx,ecx
c001b2  mov [r15+2ch],edx
c001b6  cmp edx,10h
c001b9  jbe short 0c001c0h
c001bb  mov edx,10h
c001c0  mov [r15+28h],edx
c001c4  cmp edx,10h
c001c7  jb short 0c001f0h
c001c9  movups xmm15,[rax+rdx-10h]
c001cf  movups [r12+rdx-10h],xmm15
c001d5  lea ecx,[rdx-1]
c001d8  and ecx,0fffffff0h
c001db  je short 0c0023fh
c001dd  movups xmm15,[rax+rcx-10h]
c001e3  movups [r12+rcx-10h],xmm15
c001e9  sub ecx,10h
c001ec  jne short 0c001ddh
c001ee  jmp short 0c0023fh
c001f0  cmp edx,8
c001f3  jb short 0c00208h
c001f5  mov rcx,[rax+rdx-8]
c001fa  mov [r12+rdx-8],rcx
c001ff  mov rcx,[rax]
c00202  mov [r12],rcx
c00206  jmp short 0c0023fh
c00208  cmp edx,4
c0020b  jb short 0c0021eh
c0020d  mov ecx,[rax+rdx-4]
c00211  mov [r12+rdx-4],ecx
c00216  mov ecx,[rax]
c00218  mov [r12],ecx
c0021c  jmp short 0c0023fh
c0021e  test edx,edx
c00220  je short 0c0023fh
c00222  movzx ecx,byte ptr [rax]
c00225  mov [r12],cl
c00229  movzx ecx,byte ptr [rax+rdx-1]
c0022e  mov [r12+rdx-1],cl
c00233  mov ecx,edx
c00235  shr ecx,1
c00237  movzx eax,byte ptr [rax+rcx]
c0023b  mov [r12+rcx],al
c0023f  add r12,rdx
c00242  or dword ptr [r15+24h],1
c00247  jmp short 0c00251h
c00249  mov qword ptr [r15+28h],0
c00251  xorps xmm15,xmm15
c00255  sub r12,r15
c00258  sub r12d,8
c0025c  mov [r15+8],r12d
c00260  mov [r15],r12
c00263  add r12d,0fh
c00267  and r12d,0fffffff8h
c0026b  add r12,[r13]
c0026f  mov [r13],r12
c00273  mov rax,[r13+20h]
c00277  mov [rax],r12
c0027a  mov rbx,[r13+58h]
c0027e  mov rax,[r13+40h]
c00282  mov rcx,[r13+48h]
c00286  mov rdx,[r13+50h]
c0028a  mov byte ptr [r13+30h],0
c0028f  jmp 0c0000eh
c00294  inc r12d
c00297  mov [801078h],r12d
c0029e  lock inc qword ptr [801070h]
c002a6  lock inc dword ptr [8010f8h]
c002ad  movq xmm15,rax
c002b2  mov r15,[r14+98h]
c002b9  test r15,r15
c002bc  je short 0c00328h
c002be  mov r12,[r14+8]
c002c2  sub r12,rsp
c002c5  sub r12,8
c002c9  shr r12,3
c002cd  shl r15,1bh
c002d1  or r15,r12
c002d4  mov r13,9e3779b97f4a7c15h
c002de  imul r13,r15
c002e2  shr r13,31h
c002e6  shl r13,6
c002ea  lea r12,[80a000h]
c002f1  add r13,r12
c002f4  mov rax,[800008h]
c002fb  or rax,0
c00301  xor r12d,r12d
c00304  cmp [r13+r12],r15
c00309  jne short 0c0031bh
c0030b  cmp [r13+r12+8],rax
c00310  jne short 0c0031bh
c00312  mov qword ptr [r13+r12],0
c0031b  add r12,40h
c0031f  cmp r12,200h
c00326  jb short 0c00304h
c00328  movq rax,xmm15
c0032d  xorps xmm15,xmm15
c00331  lock dec dword ptr [8010f8h]
c00338  jmp 0c0000eh
c0033d  mov byte ptr [r13+30h],0
c00342  jmp 0c0000eh
c00347  mov r12,[r13+28h]
c0034b  mov r12,[r12]
c0034f  add r12,[r13+10h]
c00353  inc r12
c00356  mov [r13+8],r12
c0035a  cmp rax,r12
c0035d  jbe 0c0013bh
c00363  mov r12,[r13+20h]
c00367  inc qword ptr [r12+40h]
c0036c  jmp 0c0027ah
