c00000  cmp byte ptr [800040h],0
c00007  jne short 0c00016h
c00009  push rbp
c0000a  mov rbp,rsp
c0000d  sub rsp,20h
c00011  jmp 462c12h
c00016  mov r12,[r14+30h]
c0001a  mov r12,[r12+0a0h]
c00022  test r12,r12
c00025  je 0c003aah
c0002b  mov r12d,[r12]
c0002f  cmp r12d,[800004h]
c00036  jae 0c00384h
c0003c  shl r12d,8
c00040  lea r13,[802000h]
c00047  add r13,r12
c0004a  cmp byte ptr [r13+30h],0
c0004f  jne 0c00398h
c00055  mov byte ptr [r13+30h],1
c0005a  cmp dword ptr [800000h],0
c00061  je 0c003afh
c00067  mov [r13+40h],rax
c0006b  mov [r13+50h],rdx
c0006f  mov [r13+48h],rcx
c00073  rdtsc
c00075  shl rdx,20h
c00079  or rdx,rax
c0007c  mov r15,[r13]
c00080  lea rax,[r15+0b8h]
c00087  cmp rax,[r13+8]
c0008b  ja 0c003b9h
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
c000c9  mov dword ptr [r15+24h],0
c000d1  lea r12,[r15+38h]
c000d5  mov rax,rbx
c000d8  test rax,rax
c000db  je 0c001fch
c000e1  lea rdx,[500000h]
c000e8  mov rcx,rax
c000eb  sub rcx,rdx
c000ee  cmp rcx,1ffd0h
c000f5  jae 0c001fch
c000fb  mov ecx,[rax+28h]
c000fe  test ecx,ecx
c00100  je 0c001fch
c00106  cmp ecx,20000h
c0010c  jae 0c001fch
c00112  movzx eax,byte ptr [rax+14h]
c00116  shr eax,1
c00118  and eax,1
c0011d  mov [r15+28h],rax
c00121  lea rdx,[rdx+rcx+1]
c00126  movzx ecx,byte ptr [rdx]
c00129  inc rdx
c0012c  test cl,cl
c0012e  jns short 0c00146h
c00130  movzx eax,byte ptr [rdx]
c00133  inc rdx
c00136  test al,al
c00138  js 0c001fch
c0013e  shl eax,7
c00141  and ecx,7fh
c00144  or ecx,eax
c00146  mov rax,[r15+28h]
c0014a  sub rcx,rax
c0014d  jb 0c001fch
c00153  add rax,rdx
c00156  mov rdx,rcx
c00159  mov ecx,0ffffffffh
c0015e  cmp rdx,rcx
c00161  jbe short 0c00165h
c00163  mov edx,ecx
c00165  mov [r15+2ch],edx
c00169  cmp edx,40h
c0016c  jbe short 0c00173h
c0016e  mov edx,40h
c00173  mov [r15+28h],edx
c00177  cmp edx,10h
c0017a  jb short 0c001a3h
c0017c  movups xmm15,[rax+rdx-10h]
c00182  movups [r12+rdx-10h],xmm15
c00188  lea ecx,[rdx-1]
c0018b  and ecx,0fffffff0h
c0018e  je short 0c001f2h
c00190  movups xmm15,[rax+rcx-10h]
c00196  movups [r12+rcx-10h],xmm15
c0019c  sub ecx,10h
c0019f  jne short 0c00190h
c001a1  jmp short 0c001f2h
c001a3  cmp edx,8
c001a6  jb short 0c001bbh
c001a8  mov rcx,[rax+rdx-8]
c001ad  mov [r12+rdx-8],rcx
c001b2  mov rcx,[rax]
c001b5  mov [r12],rcx
c001b9  jmp short 0c001f2h
c001bb  cmp edx,4
c001be  jb short 0c001d1h
c001c0  mov ecx,[rax+rdx-4]
c001c4  mov [r12+rdx-4],ecx
c001c9  mov ecx,[rax]
c001cb  mov [r12],ecx
c001cf  jmp short 0c001f2h
c001d1  test edx,edx
c001d3  je short 0c001f2h
c001d5  movzx ecx,byte ptr [rax]
c001d8  mov [r12],cl
c001dc  movzx ecx,byte ptr [rax+rdx-1]
c001e1  mov [r12+rdx-1],cl
c001e6  mov ecx,edx
c001e8  shr ecx,1
c001ea  movzx eax,byte ptr [rax+rcx]
c001ee  mov [r12+rcx],al
c001f2  add r12,rdx
c001f5  or dword ptr [r15+24h],1
c001fa  jmp short 0c00204h
c001fc  mov qword ptr [r15+28h],0
c00204  mov rax,[r13+48h]
c00208  test rax,rax
c0020b  je 0c0033dh
c00211  mov rax,[rax+18h]
c00215  test rax,rax
c00218  je 0c0033dh
c0021e  mov rax,[rax+8]
c00222  lea rdx,[500000h]
c00229  mov rcx,rax
c0022c  sub rcx,rdx
c0022f  cmp rcx,1ffd0h
c00236  jae 0c0033dh
c0023c  mov ecx,[rax+28h]
c0023f  test ecx,ecx
c00241  je 0c0033dh
c00247  cmp ecx,20000h
c0024d  jae 0c0033dh
c00253  movzx eax,byte ptr [rax+14h]
c00257  shr eax,1
c00259  and eax,1
c0025e  mov [r15+30h],rax
c00262  lea rdx,[rdx+rcx+1]
c00267  movzx ecx,byte ptr [rdx]
c0026a  inc rdx
c0026d  test cl,cl
c0026f  jns short 0c00287h
c00271  movzx eax,byte ptr [rdx]
c00274  inc rdx
c00277  test al,al
c00279  js 0c0033dh
c0027f  shl eax,7
c00282  and ecx,7fh
c00285  or ecx,eax
c00287  mov rax,[r15+30h]
c0028b  sub rcx,rax
c0028e  jb 0c0033dh
c00294  add rax,rdx
c00297  mov rdx,rcx
c0029a  mov ecx,0ffffffffh
c0029f  cmp rdx,rcx
c002a2  jbe short 0c002a6h
c002a4  mov edx,ecx
c002a6  mov [r15+34h],edx
c002aa  cmp edx,40h
c002ad  jbe short 0c002b4h
c002af  mov edx,40h
c002b4  mov [r15+30h],edx
c002b8  cmp edx,10h
c002bb  jb short 0c002e4h
c002bd  movups xmm15,[rax+rdx-10h]
c002c3  movups [r12+rdx-10h],xmm15
c002c9  lea ecx,[rdx-1]
c002cc  and ecx,0fffffff0h
c002cf  je short 0c00333h
c002d1  movups xmm15,[rax+rcx-10h]
c002d7  movups [r12+rcx-10h],xmm15
c002dd  sub ecx,10h
c002e0  jne short 0c002d1h
c002e2  jmp short 0c00333h
c002e4  cmp edx,8
c002e7  jb short 0c002fch
c002e9  mov rcx,[rax+rdx-8]
c002ee  mov [r12+rdx-8],rcx
c002f3  mov rcx,[rax]
c002f6  mov [r12],rcx
c002fa  jmp short 0c00333h
c002fc  cmp edx,4
c002ff  jb short 0c00312h
c00301  mov ecx,[rax+rdx-4]
c00305  mov [r12+rdx-4],ecx
c0030a  mov ecx,[rax]
c0030c  mov [r12],ecx
c00310  jmp short 0c00333h
c00312  test edx,edx
c00314  je short 0c00333h
c00316  movzx ecx,byte ptr [rax]
c00319  mov [r12],cl
c0031d  movzx ecx,byte ptr [rax+rdx-1]
c00322  mov [r12+rdx-1],cl
c00327  mov ecx,edx
c00329  shr ecx,1
c0032b  movzx eax,byte ptr [rax+rcx]
c0032f  mov [r12+rcx],al
c00333  add r12,rdx
c00336  or dword ptr [r15+24h],2
c0033b  jmp short 0c00345h
c0033d  mov qword ptr [r15+30h],0
c00345  xorps xmm15,xmm15
c00349  sub r12,r15
c0034c  sub r12d,8
c00350  mov [r15+8],r12d
c00354  mov [r15],r12
c00357  add r12d,0fh
c0035b  and r12d,0fffffff8h
c0035f  add r12,[r13]
c00363  mov [r13],r12
c00367  mov rax,[r13+20h]
c0036b  mov [rax],r12
c0036e  mov rax,[r13+40h]
c00372  mov rcx,[r13+48h]
c00376  mov rdx,[r13+50h]
c0037a  mov byte ptr [r13+30h],0
c0037f  jmp 0c00009h
c00384  inc r12d
c00387  mov [801078h],r12d
c0038e  lock inc qword ptr [801070h]
c00396  jmp short 0c003aah
c00398  cmp dword ptr [800000h],0
c0039f  je short 0c003aah
c003a1  mov r12,[r13+20h]
c003a5  inc qword ptr [r12+50h]
c003aa  jmp 0c00009h
c003af  mov byte ptr [r13+30h],0
c003b4  jmp 0c00009h
c003b9  mov r12,[r13+28h]
c003bd  mov r12,[r12]
c003c1  add r12,[r13+10h]
c003c5  inc r12
c003c8  mov [r13+8],r12
c003cc  cmp rax,r12
c003cf  jbe 0c00091h
c003d5  mov r12,[r13+20h]
c003d9  inc qword ptr [r12+40h]
c003de  jmp short 0c0036eh
