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
c0002b  jae 0c00236h
c00031  shl r12d,8
c00035  lea r13,[802000h]
c0003c  add r13,r12
c0003f  mov byte ptr [r13+30h],1
c00044  cmp dword ptr [800000h],0
c0004b  je 0c0024dh
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
c000bf  jne short 0c00102h
c000c1  cmp [rbx+r12+8],rcx
c000c6  jne short 0c0010fh
c000c8  mov rax,[rbx+r12+18h]
c000cd  mov [r13+80h],rax
c000d4  mov rax,[rbx+r12+20h]
c000d9  mov [r13+88h],rax
c000e0  cmp dword ptr [800010h],0
c000e7  jne short 0c000f3h
c000e9  mov qword ptr [rbx+r12],0
c000f1  jmp short 0c00127h
c000f3  mov rax,r15
c000f6  xor edx,edx
c000f8  lock cmpxchg [rbx+r12],rdx
c000fe  je short 0c00127h
c00100  jmp short 0c0010fh
c00102  add r12,40h
c00106  cmp r12,200h
c0010d  jb short 0c000bbh
c0010f  mov rax,[r13+20h]
c00113  inc qword ptr [rax+48h]
c00117  xor eax,eax
c00119  mov [r13+80h],rax
c00120  mov [r13+88h],rax
c00127  mov rdx,[r13+60h]
c0012b  mov r15,[r13]
c0012f  lea rax,[r15+30h]
c00133  cmp rax,[r13+8]
c00137  ja 0c00257h
c0013d  and r15,[r13+10h]
c00141  add r15,[r13+18h]
c00145  prefetchw [r15+180h]
c0014d  mov [r15+10h],rdx
c00151  mov dword ptr [r15+0ch],1
c00159  mov rax,[r14+98h]
c00160  mov [r15+18h],rax
c00164  mov rax,[r14+8]
c00168  sub rax,rsp
c0016b  sub rax,8
c00171  mov [r15+20h],eax
c00175  mov dword ptr [r15+24h],0
c0017d  mov rcx,[r13+80h]
c00184  lea rdx,[501000h]
c0018b  test rcx,rcx
c0018e  je short 0c001b4h
c00190  cmp [rcx+8],rdx
c00194  jne short 0c001b4h
c00196  mov rax,[r13+88h]
c0019d  test rax,rax
c001a0  je short 0c001b4h
c001a2  mov rax,[rax+0a0h]
c001a9  mov [r15+28h],rax
c001ad  or dword ptr [r15+24h],1
c001b2  jmp short 0c001f8h
c001b4  mov rcx,[r13+80h]
c001bb  lea rdx,[502000h]
c001c2  test rcx,rcx
c001c5  je short 0c001f0h
c001c7  cmp [rcx+8],rdx
c001cb  jne short 0c001f0h
c001cd  mov rax,[r13+88h]
c001d4  test rax,rax
c001d7  je short 0c001f0h
c001d9  mov rax,[rax]
c001dc  test rax,rax
c001df  je short 0c001f0h
c001e1  mov rax,[rax+60h]
c001e5  mov [r15+28h],rax
c001e9  or dword ptr [r15+24h],1
c001ee  jmp short 0c001f8h
c001f0  mov qword ptr [r15+28h],0
c001f8  mov dword ptr [r15+8],28h
c00200  mov qword ptr [r15],28h
c00207  mov r12d,30h
c0020d  add r12,[r13]
c00211  mov [r13],r12
c00215  mov rax,[r13+20h]
c00219  mov [rax],r12
c0021c  mov rbx,[r13+58h]
c00220  mov rax,[r13+40h]
c00224  mov rcx,[r13+48h]
c00228  mov rdx,[r13+50h]
c0022c  mov byte ptr [r13+30h],0
c00231  jmp 0c0000eh
c00236  inc r12d
c00239  mov [801078h],r12d
c00240  lock inc qword ptr [801070h]
c00248  jmp 0c0000eh
c0024d  mov byte ptr [r13+30h],0
c00252  jmp 0c0000eh
c00257  mov r12,[r13+28h]
c0025b  mov r12,[r12]
c0025f  add r12,[r13+10h]
c00263  inc r12
c00266  mov [r13+8],r12
c0026a  cmp rax,r12
c0026d  jbe 0c0013dh
c00273  mov r12,[r13+20h]
c00277  inc qword ptr [r12+40h]
c0027c  jmp short 0c0021ch
