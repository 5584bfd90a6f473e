c00000  cmp byte ptr [800040h],0
c00007  jne short 0c00016h
c00009  push rbp
c0000a  mov rbp,rsp
c0000d  sub rsp,20h
c00011  jmp 462c12h
c00016  mov r12,[r14+30h]
c0001a  mov r12,[r12+0a0h]
c00022  test r12,r12
c00025  je short 0c00009h
c00027  mov r12d,[r12]
c0002b  cmp r12d,[800004h]
c00032  jae 0c0028ah
c00038  shl r12d,8
c0003c  lea r13,[802000h]
c00043  add r13,r12
c00046  mov byte ptr [r13+30h],1
c0004b  cmp dword ptr [800000h],0
c00052  je 0c002a1h
c00058  mov [r13+40h],rax
c0005c  mov [r13+50h],rdx
c00060  mov [r13+48h],rcx
c00064  rdtsc
c00066  shl rdx,20h
c0006a  or rdx,rax
c0006d  mov r15,[r13]
c00071  lea rax,[r15+108h]
c00078  cmp rax,[r13+8]
c0007c  ja 0c002abh
c00082  and r15,[r13+10h]
c00086  add r15,[r13+18h]
c0008a  mov [r15+10h],rdx
c0008e  mov dword ptr [r15+0ch],0
c00096  mov rax,[r14+98h]
c0009d  mov [r15+18h],rax
c000a1  mov rax,[r14+8]
c000a5  sub rax,rsp
c000a8  sub rax,8
c000ae  mov [r15+20h],eax
c000b2  mov dword ptr [r15+24h],0
c000ba  lea r12,[r15+38h]
c000be  mov rax,rdi
c000c1  test rax,rax
c000c4  je 0c00174h
c000ca  mov rdx,[rax+8]
c000ce  mov rax,[rax]
c000d1  mov ecx,0ffffffffh
c000d6  cmp rdx,rcx
c000d9  jbe short 0c000ddh
c000db  mov edx,ecx
c000dd  mov [r15+2ch],edx
c000e1  cmp edx,10h
c000e4  jbe short 0c000ebh
c000e6  mov edx,10h
c000eb  mov [r15+28h],edx
c000ef  cmp edx,10h
c000f2  jb short 0c0011bh
c000f4  movups xmm15,[rax+rdx-10h]
c000fa  movups [r12+rdx-10h],xmm15
c00100  lea ecx,[rdx-1]
c00103  and ecx,0fffffff0h
c00106  je short 0c0016ah
c00108  movups xmm15,[rax+rcx-10h]
c0010e  movups [r12+rcx-10h],xmm15
c00114  sub ecx,10h
c00117  jne short 0c00108h
c00119  jmp short 0c0016ah
c0011b  cmp edx,8
c0011e  jb short 0c00133h
c00120  mov rcx,[rax+rdx-8]
c00125  mov [r12+rdx-8],rcx
c0012a  mov rcx,[rax]
c0012d  mov [r12],rcx
c00131  jmp short 0c0016ah
c00133  cmp edx,4
c00136  jb short 0c00149h
c00138  mov ecx,[rax+rdx-4]
c0013c  mov [r12+rdx-4],ecx
c00141  mov ecx,[rax]
c00143  mov [r12],ecx
c00147  jmp short 0c0016ah
c00149  test edx,edx
c0014b  je short 0c0016ah
c0014d  movzx ecx,byte ptr [rax]
c00150  mov [r12],cl
c00154  movzx ecx,byte ptr [rax+rdx-1]
c00159  mov [r12+rdx-1],cl
c0015e  mov ecx,edx
c00160  shr ecx,1
c00162  movzx eax,byte ptr [rax+rcx]
c00166  mov [r12+rcx],al
c0016a  add r12,rdx
c0016d  or dword ptr [r15+24h],1
c00172  jmp short 0c0017ch
c00174  mov qword ptr [r15+28h],0
c0017c  mov rax,rdi
c0017f  test rax,rax
c00182  je 0c00243h
c00188  mov rax,[rax+10h]
c0018c  test rax,rax
c0018f  je 0c00243h
c00195  mov rdx,[rax+40h]
c00199  mov rax,[rax+38h]
c0019d  mov ecx,0ffffffffh
c001a2  cmp rdx,rcx
c001a5  jbe short 0c001a9h
c001a7  mov edx,ecx
c001a9  mov [r15+34h],edx
c001ad  cmp edx,0c0h
c001b3  jbe short 0c001bah
c001b5  mov edx,0c0h
c001ba  mov [r15+30h],edx
c001be  cmp edx,10h
c001c1  jb short 0c001eah
c001c3  movups xmm15,[rax+rdx-10h]
c001c9  movups [r12+rdx-10h],xmm15
c001cf  lea ecx,[rdx-1]
c001d2  and ecx,0fffffff0h
c001d5  je short 0c00239h
c001d7  movups xmm15,[rax+rcx-10h]
c001dd  movups [r12+rcx-10h],xmm15
c001e3  sub ecx,10h
c001e6  jne short 0c001d7h
c001e8  jmp short 0c00239h
c001ea  cmp edx,8
c001ed  jb short 0c00202h
c001ef  mov rcx,[rax+rdx-8]
c001f4  mov [r12+rdx-8],rcx
c001f9  mov rcx,[rax]
c001fc  mov [r12],rcx
c00200  jmp short 0c00239h
c00202  cmp edx,4
c00205  jb short 0c00218h
c00207  mov ecx,[rax+rdx-4]
c0020b  mov [r12+rdx-4],ecx
c00210  mov ecx,[rax]
c00212  mov [r12],ecx
c00216  jmp short 0c00239h
c00218  test edx,edx
c0021a  je short 0c00239h
c0021c  movzx ecx,byte ptr [rax]
c0021f  mov [r12],cl
c00223  movzx ecx,byte ptr [rax+rdx-1]
c00228  mov [r12+rdx-1],cl
c0022d  mov ecx,edx
c0022f  shr ecx,1
c00231  movzx eax,byte ptr [rax+rcx]
c00235  mov [r12+rcx],al
c00239  add r12,rdx
c0023c  or dword ptr [r15+24h],2
c00241  jmp short 0c0024bh
c00243  mov qword ptr [r15+30h],0
c0024b  xorps xmm15,xmm15
c0024f  sub r12,r15
c00252  sub r12d,8
c00256  mov [r15+8],r12d
c0025a  mov [r15],r12
c0025d  add r12d,0fh
c00261  and r12d,0fffffff8h
c00265  add r12,[r13]
c00269  mov [r13],r12
c0026d  mov rax,[r13+20h]
c00271  mov [rax],r12
c00274  mov rax,[r13+40h]
c00278  mov rcx,[r13+48h]
c0027c  mov rdx,[r13+50h]
c00280  mov byte ptr [r13+30h],0
c00285  jmp 0c00009h
c0028a  inc r12d
c0028d  mov [801078h],r12d
c00294  lock inc qword ptr [801070h]
c0029c  jmp 0c00009h
c002a1  mov byte ptr [r13+30h],0
c002a6  jmp 0c00009h
c002ab  mov r12,[r13+28h]
c002af  mov r12,[r12]
c002b3  add r12,[r13+10h]
c002b7  inc r12
c002ba  mov [r13+8],r12
c002be  cmp rax,r12
c002c1  jbe 0c00082h
c002c7  mov r12,[r13+20h]
c002cb  inc qword ptr [r12+40h]
c002d0  jmp short 0c00274h
