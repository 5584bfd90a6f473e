c00000  cmp byte ptr [800040h],0
c00007  jne short 0c00016h
c00009  push rbp
c0000a  mov rbp,rsp
c0000d  sub rsp,20h
c00011  jmp 462c12h
c00016  mov r12,[r14+30h]
c0001a  mov r12,[r12+0a0h]
c00022  test r12,r12
c00025  je 0c002a8h
c0002b  mov r12d,[r12]
c0002f  cmp r12d,[800004h]
c00036  jae 0c00296h
c0003c  shl r12d,8
c00040  lea r13,[802000h]
c00047  add r13,r12
c0004a  mov byte ptr [r13+30h],1
c0004f  cmp dword ptr [800000h],0
c00056  je 0c002adh
c0005c  mov [r13+40h],rax
c00060  mov [r13+50h],rdx
c00064  mov [r13+48h],rcx
c00068  rdtsc
c0006a  shl rdx,20h
c0006e  or rdx,rax
c00071  mov r15,[r13]
c00075  lea rax,[r15+108h]
c0007c  cmp rax,[r13+8]
c00080  ja 0c002b7h
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
c000ca  mov rax,rdi
c000cd  test rax,rax
c000d0  je 0c00180h
c000d6  mov rdx,[rax+8]
c000da  mov rax,[rax]
c000dd  mov ecx,0ffffffffh
c000e2  cmp rdx,rcx
c000e5  jbe short 0c000e9h
c000e7  mov edx,ecx
c000e9  mov [r15+2ch],edx
c000ed  cmp edx,10h
c000f0  jbe short 0c000f7h
c000f2  mov edx,10h
c000f7  mov [r15+28h],edx
c000fb  cmp edx,10h
c000fe  jb short 0c00127h
c00100  movups xmm15,[rax+rdx-10h]
c00106  movups [r12+rdx-10h],xmm15
c0010c  lea ecx,[rdx-1]
c0010f  and ecx,0fffffff0h
c00112  je short 0c00176h
c00114  movups xmm15,[rax+rcx-10h]
c0011a  movups [r12+rcx-10h],xmm15
c00120  sub ecx,10h
c00123  jne short 0c00114h
c00125  jmp short 0c00176h
c00127  cmp edx,8
c0012a  jb short 0c0013fh
c0012c  mov rcx,[rax+rdx-8]
c00131  mov [r12+rdx-8],rcx
c00136  mov rcx,[rax]
c00139  mov [r12],rcx
c0013d  jmp short 0c00176h
c0013f  cmp edx,4
c00142  jb short 0c00155h
c00144  mov ecx,[rax+rdx-4]
c00148  mov [r12+rdx-4],ecx
c0014d  mov ecx,[rax]
c0014f  mov [r12],ecx
c00153  jmp short 0c00176h
c00155  test edx,edx
c00157  je short 0c00176h
c00159  movzx ecx,byte ptr [rax]
c0015c  mov [r12],cl
c00160  movzx ecx,byte ptr [rax+rdx-1]
c00165  mov [r12+rdx-1],cl
c0016a  mov ecx,edx
c0016c  shr ecx,1
c0016e  movzx eax,byte ptr [rax+rcx]
c00172  mov [r12+rcx],al
c00176  add r12,rdx
c00179  or dword ptr [r15+24h],1
c0017e  jmp short 0c00188h
c00180  mov qword ptr [r15+28h],0
c00188  mov rax,rdi
c0018b  test rax,rax
c0018e  je 0c0024fh
c00194  mov rax,[rax+10h]
c00198  test rax,rax
c0019b  je 0c0024fh
c001a1  mov rdx,[rax+40h]
c001a5  mov rax,[rax+38h]
c001a9  mov ecx,0ffffffffh
c001ae  cmp rdx,rcx
c001b1  jbe short 0c001b5h
c001b3  mov edx,ecx
c001b5  mov [r15+34h],edx
c001b9  cmp edx,0c0h
c001bf  jbe short 0c001c6h
c001c1  mov edx,0c0h
c001c6  mov [r15+30h],edx
c001ca  cmp edx,10h
c001cd  jb short 0c001f6h
c001cf  movups xmm15,[rax+rdx-10h]
c001d5  movups [r12+rdx-10h],xmm15
c001db  lea ecx,[rdx-1]
c001de  and ecx,0fffffff0h
c001e1  je short 0c00245h
c001e3  movups xmm15,[rax+rcx-10h]
c001e9  movups [r12+rcx-10h],xmm15
c001ef  sub ecx,10h
c001f2  jne short 0c001e3h
c001f4  jmp short 0c00245h
c001f6  cmp edx,8
c001f9  jb short 0c0020eh
c001fb  mov rcx,[rax+rdx-8]
c00200  mov [r12+rdx-8],rcx
c00205  mov rcx,[rax]
c00208  mov [r12],rcx
c0020c  jmp short 0c00245h
c0020e  cmp edx,4
c00211  jb short 0c00224h
c00213  mov ecx,[rax+rdx-4]
c00217  mov [r12+rdx-4],ecx
c0021c  mov ecx,[rax]
c0021e  mov [r12],ecx
c00222  jmp short 0c00245h
c00224  test edx,edx
c00226  je short 0c00245h
c00228  movzx ecx,byte ptr [rax]
c0022b  mov [r12],cl
c0022f  movzx ecx,byte ptr [rax+rdx-1]
c00234  mov [r12+rdx-1],cl
c00239  mov ecx,edx
c0023b  shr ecx,1
c0023d  movzx eax,byte ptr [rax+rcx]
c00241  mov [r12+rcx],al
c00245  add r12,rdx
c00248  or dword ptr [r15+24h],2
c0024d  jmp short 0c00257h
c0024f  mov qword ptr [r15+30h],0
c00257  xorps xmm15,xmm15
c0025b  sub r12,r15
c0025e  sub r12d,8
c00262  mov [r15+8],r12d
c00266  mov [r15],r12
c00269  add r12d,0fh
c0026d  and r12d,0fffffff8h
c00271  add r12,[r13]
c00275  mov [r13],r12
c00279  mov rax,[r13+20h]
c0027d  mov [rax],r12
c00280  mov rax,[r13+40h]
c00284  mov rcx,[r13+48h]
c00288  mov rdx,[r13+50h]
c0028c  mov byte ptr [r13+30h],0
c00291  jmp 0c00009h
c00296  inc r12d
c00299  mov [801078h],r12d
c002a0  lock inc qword ptr [801070h]
c002a8  jmp 0c00009h
c002ad  mov byte ptr [r13+30h],0
c002b2  jmp 0c00009h
c002b7  mov r12,[r13+28h]
c002bb  mov r12,[r12]
c002bf  add r12,[r13+10h]
c002c3  inc r12
c002c6  mov [r13+8],r12
c002ca  cmp rax,r12
c002cd  jbe 0c00086h
c002d3  mov r12,[r13+20h]
c002d7  inc qword ptr [r12+40h]
c002dc  jmp short 0c00280h
