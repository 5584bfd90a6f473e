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
c00032  jb short 0c00048h
c00034  inc r12d
c00037  mov [801078h],r12d
c0003e  lock inc qword ptr [801070h]
c00046  jmp short 0c00009h
c00048  shl r12d,8
c0004c  lea r13,[802000h]
c00053  add r13,r12
c00056  mov byte ptr [r13+30h],1
c0005b  cmp dword ptr [800000h],0
c00062  jne short 0c0006bh
c00064  mov byte ptr [r13+30h],0
c00069  jmp short 0c00009h
c0006b  mov [r13+40h],rax
c0006f  mov [r13+48h],rcx
c00073  mov [r13+50h],rdx
c00077  rdtsc
c00079  shl rdx,20h
c0007d  or rdx,rax
c00080  mov r15,[r13]
c00084  lea rax,[r15+108h]
c0008b  cmp rax,[r13+8]
c0008f  jbe short 0c000b5h
c00091  mov rcx,[r13+28h]
c00095  mov rcx,[rcx]
c00098  add rcx,[r13+10h]
c0009c  inc rcx
c0009f  mov [r13+8],rcx
c000a3  cmp rax,rcx
c000a6  jbe short 0c000b5h
c000a8  mov rcx,[r13+20h]
c000ac  inc qword ptr [rcx+40h]
c000b0  jmp 0c002a7h
c000b5  and r15,[r13+10h]
c000b9  add r15,[r13+18h]
c000bd  mov [r15+10h],rdx
c000c1  mov dword ptr [r15+0ch],0
c000c9  mov rax,[r14+98h]
c000d0  mov [r15+18h],rax
c000d4  mov rax,[r14+8]
c000d8  sub rax,rsp
c000db  sub rax,8
c000e1  mov [r15+20h],eax
c000e5  mov dword ptr [r15+24h],0
c000ed  lea r12,[r15+38h]
c000f1  mov rax,rdi
c000f4  test rax,rax
c000f7  je 0c001a7h
c000fd  mov rdx,[rax+8]
c00101  mov rax,[rax]
c00104  mov ecx,0ffffffffh
c00109  cmp rdx,rcx
c0010c  jbe short 0c00110h
c0010e  mov edx,ecx
c00110  mov [r15+2ch],edx
c00114  cmp edx,10h
c00117  jbe short 0c0011eh
c00119  mov edx,10h
c0011e  mov [r15+28h],edx
c00122  cmp edx,10h
c00125  jb short 0c0014eh
c00127  movups xmm15,[rax+rdx-10h]
c0012d  movups [r12+rdx-10h],xmm15
c00133  lea ecx,[rdx-1]
c00136  and ecx,0fffffff0h
c00139  je short 0c0019dh
c0013b  movups xmm15,[rax+rcx-10h]
c00141  movups [r12+rcx-10h],xmm15
c00147  sub ecx,10h
c0014a  jne short 0c0013bh
c0014c  jmp short 0c0019dh
c0014e  cmp edx,8
c00151  jb short 0c00166h
c00153  mov rcx,[rax+rdx-8]
c00158  mov [r12+rdx-8],rcx
c0015d  mov rcx,[rax]
c00160  mov [r12],rcx
c00164  jmp short 0c0019dh
c00166  cmp edx,4
c00169  jb short 0c0017ch
c0016b  mov ecx,[rax+rdx-4]
c0016f  mov [r12+rdx-4],ecx
c00174  mov ecx,[rax]
c00176  mov [r12],ecx
c0017a  jmp short 0c0019dh
c0017c  test edx,edx
c0017e  je short 0c0019dh
c00180  movzx ecx,byte ptr [rax]
c00183  mov [r12],cl
c00187  movzx ecx,byte ptr [rax+rdx-1]
c0018c  mov [r12+rdx-1],cl
c00191  mov ecx,edx
c00193  shr ecx,1
c00195  movzx eax,byte ptr [rax+rcx]
c00199  mov [r12+rcx],al
c0019d  add r12,rdx
c001a0  or dword ptr [r15+24h],1
c001a5  jmp short 0c001afh
c001a7  mov qword ptr [r15+28h],0
c001af  mov rax,rdi
c001b2  test rax,rax
c001b5  je 0c00276h
c001bb  mov rax,[rax+10h]
c001bf  test rax,rax
c001c2  je 0c00276h
c001c8  mov rdx,[rax+40h]
c001cc  mov rax,[rax+38h]
c001d0  mov ecx,0ffffffffh
c001d5  cmp rdx,rcx
c001d8  jbe short 0c001dch
c001da  mov edx,ecx
c001dc  mov [r15+34h],edx
c001e0  cmp edx,0c0h
c001e6  jbe short 0c001edh
c001e8  mov edx,0c0h
c001ed  mov [r15+30h],edx
c001f1  cmp edx,10h
c001f4  jb short 0c0021dh
c001f6  movups xmm15,[rax+rdx-10h]
c001fc  movups [r12+rdx-10h],xmm15
c00202  lea ecx,[rdx-1]
c00205  and ecx,0fffffff0h
c00208  je short 0c0026ch
c0020a  movups xmm15,[rax+rcx-10h]
c00210  movups [r12+rcx-10h],xmm15
c00216  sub ecx,10h
c00219  jne short 0c0020ah
c0021b  jmp short 0c0026ch
c0021d  cmp edx,8
c00220  jb short 0c00235h
c00222  mov rcx,[rax+rdx-8]
c00227  mov [r12+rdx-8],rcx
c0022c  mov rcx,[rax]
c0022f  mov [r12],rcx
c00233  jmp short 0c0026ch
c00235  cmp edx,4
c00238  jb short 0c0024bh
c0023a  mov ecx,[rax+rdx-4]
c0023e  mov [r12+rdx-4],ecx
c00243  mov ecx,[rax]
c00245  mov [r12],ecx
c00249  jmp short 0c0026ch
c0024b  test edx,edx
c0024d  je short 0c0026ch
c0024f  movzx ecx,byte ptr [rax]
c00252  mov [r12],cl
c00256  movzx ecx,byte ptr [rax+rdx-1]
c0025b  mov [r12+rdx-1],cl
c00260  mov ecx,edx
c00262  shr ecx,1
c00264  movzx eax,byte ptr [rax+rcx]
c00268  mov [r12+rcx],al
c0026c  add r12,rdx
c0026f  or dword ptr [r15+24h],2
c00274  jmp short 0c0027eh
c00276  mov qword ptr [r15+30h],0
c0027e  xorps xmm15,xmm15
c00282  sub r12,r15
c00285  sub r12d,8
c00289  mov [r15+8],r12d
c0028d  mov [r15],r12
c00290  add r12d,0fh
c00294  and r12d,0fffffff8h
c00298  add r12,[r13]
c0029c  mov [r13],r12
c002a0  mov rax,[r13+20h]
c002a4  mov [rax],r12
c002a7  mov rax,[r13+40h]
c002ab  mov rcx,[r13+48h]
c002af  mov rdx,[r13+50h]
c002b3  mov byte ptr [r13+30h],0
c002b8  jmp 0c00009h
