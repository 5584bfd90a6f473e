c00000  add rsp,20h
c00004  pop rbp
c00005  cmp byte ptr [800040h],0
c0000c  jne short 0c0000fh
c0000e  ret
c0000f  mov r12,[r14+30h]
c00013  mov r12,[r12+0a0h]
c0001b  test r12,r12
c0001e  je short 0c0000eh
c00020  mov r12d,[r12]
c00024  cmp r12d,[800004h]
c0002b  jae 0c00223h
c00031  shl r12d,8
c00035  lea r13,[802000h]
c0003c  add r13,r12
c0003f  mov byte ptr [r13+30h],1
c00044  cmp dword ptr [800000h],0
c0004b  je 0c0023ah
c00051  mov [r13+40h],rax
c00055  mov [r13+50h],rdx
c00059  mov [r13+48h],rcx
c0005d  mov [r13+58h],rbx
c00061  rdtsc
c00063  shl rdx,20h
c00067  or rdx,rax
c0006a  mov [r13+60h],rdx
c0006e  mov rax,[r14+8]
c00072  sub rax,rsp
c00075  sub rax,8
c0007b  shr rax,3
c0007f  mov r15,[r14+98h]
c00086  shl r15,1bh
c0008a  or r15,rax
c0008d  mov rbx,9e3779b97f4a7c15h
c00097  imul rbx,r15
c0009b  shr rbx,31h
c0009f  shl rbx,6
c000a3  lea rax,[80a000h]
c000aa  add rbx,rax
c000ad  mov rcx,[800008h]
c000b4  or rcx,0
c000b8  xor r12d,r12d
c000bb  cmp [rbx+r12],r15
c000bf  jne short 0c000efh
c000c1  cmp [rbx+r12+8],rcx
c000c6  jne short 0c000fch
c000c8  mov rax,[rbx+r12+18h]
c000cd  mov [r13+80h],rax
c000d4  mov rax,[rbx+r12+20h]
c000d9  mov [r13+88h],rax
c000e0  mov rax,r15
c000e3  xor edx,edx
c000e5  lock cmpxchg [rbx+r12],rdx
c000eb  je short 0c00114h
c000ed  jmp short 0c000fch
c000ef  add r12,40h
c000f3  cmp r12,200h
c000fa  jb short 0c000bbh
c000fc  mov rax,[r13+20h]
c00100  inc qword ptr [rax+48h]
c00104  xor eax,eax
c00106  mov [r13+80h],rax
c0010d  mov [r13+88h],rax
c00114  mov rdx,[r13+60h]
c00118  mov r15,[r13]
c0011c  lea rax,[r15+30h]
c00120  cmp rax,[r13+8]
c00124  ja 0c00244h
c0012a  and r15,[r13+10h]
c0012e  add r15,[r13+18h]
c00132  prefetchw [r15+180h]
c0013a  mov [r15+10h],rdx
c0013e  mov dword ptr [r15+0ch],1
c00146  mov rax,[r14+98h]
c0014d  mov [r15+18h],rax
c00151  mov rax,[r14+8]
c00155  sub rax,rsp
c00158  sub rax,8
c0015e  mov [r15+20h],eax
c00162  mov dword ptr [r15+24h],0
c0016a  mov rcx,[r13+80h]
c00171  lea rdx,[501000h]
c00178  test rcx,rcx
c0017b  je short 0c001a1h
c0017d  cmp [rcx+8],rdx
c00181  jne short 0c001a1h
c00183  mov rax,[r13+88h]
c0018a  test rax,rax
c0018d  je short 0c001a1h
c0018f  mov rax,[rax+0a0h]
c00196  mov [r15+28h],rax
c0019a  or dword ptr [r15+24h],1
c0019f  jmp short 0c001e5h
c001a1  mov rcx,[r13+80h]
c001a8  lea rdx,[502000h]
c001af  test rcx,rcx
c001b2  je short 0c001ddh
c001b4  cmp [rcx+8],rdx
c001b8  jne short 0c001ddh
c001ba  mov rax,[r13+88h]
c001c1  test rax,rax
c001c4  je short 0c001ddh
c001c6  mov rax,[rax]
c001c9  test rax,rax
c001cc  je short 0c001ddh
c001ce  mov rax,[rax+60h]
c001d2  mov [r15+28h],rax
c001d6  or dword ptr [r15+24h],1
c001db  jmp short 0c001e5h
c001dd  mov qword ptr [r15+28h],0
c001e5  mov dword ptr [r15+8],28h
c001ed  mov qword ptr [r15],28h
c001f4  mov r12d,30h
c001fa  add r12,[r13]
c001fe  mov [r13],r12
c00202  mov rax,[r13+20h]
c00206  mov [rax],r12
c00209  mov rbx,[r13+58h]
c0020d  mov rax,[r13+40h]
c00211  mov rcx,[r13+48h]
c00215  mov rdx,[r13+50h]
c00219  mov byte ptr [r13+30h],0
c0021e  jmp 0c0000eh
c00223  inc r12d
c00226  mov [801078h],r12d
c0022d  lock inc qword ptr [801070h]
c00235  jmp 0c0000eh
c0023a  mov byte ptr [r13+30h],0
c0023f  jmp 0c0000eh
c00244  mov r12,[r13+28h]
c00248  mov r12,[r12]
c0024c  add r12,[r13+10h]
c00250  inc r12
c00253  mov [r13+8],r12
c00257  cmp rax,r12
c0025a  jbe 0c0012ah
c00260  mov r12,[r13+20h]
c00264  inc qword ptr [r12+40h]
c00269  jmp short 0c00209h
