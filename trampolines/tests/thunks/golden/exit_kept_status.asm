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
c0002b  jae 0c0021bh
c00031  shl r12d,8
c00035  lea r13,[802000h]
c0003c  add r13,r12
c0003f  mov byte ptr [r13+30h],1
c00044  cmp dword ptr [800000h],0
c0004b  je 0c00232h
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
c00124  ja 0c0023ch
c0012a  and r15,[r13+10h]
c0012e  add r15,[r13+18h]
c00132  mov [r15+10h],rdx
c00136  mov dword ptr [r15+0ch],1
c0013e  mov rax,[r14+98h]
c00145  mov [r15+18h],rax
c00149  mov rax,[r14+8]
c0014d  sub rax,rsp
c00150  sub rax,8
c00156  mov [r15+20h],eax
c0015a  mov dword ptr [r15+24h],0
c00162  mov rcx,[r13+80h]
c00169  lea rdx,[501000h]
c00170  test rcx,rcx
c00173  je short 0c00199h
c00175  cmp [rcx+8],rdx
c00179  jne short 0c00199h
c0017b  mov rax,[r13+88h]
c00182  test rax,rax
c00185  je short 0c00199h
c00187  mov rax,[rax+0a0h]
c0018e  mov [r15+28h],rax
c00192  or dword ptr [r15+24h],1
c00197  jmp short 0c001ddh
c00199  mov rcx,[r13+80h]
c001a0  lea rdx,[502000h]
c001a7  test rcx,rcx
c001aa  je short 0c001d5h
c001ac  cmp [rcx+8],rdx
c001b0  jne short 0c001d5h
c001b2  mov rax,[r13+88h]
c001b9  test rax,rax
c001bc  je short 0c001d5h
c001be  mov rax,[rax]
c001c1  test rax,rax
c001c4  je short 0c001d5h
c001c6  mov rax,[rax+60h]
c001ca  mov [r15+28h],rax
c001ce  or dword ptr [r15+24h],1
c001d3  jmp short 0c001ddh
c001d5  mov qword ptr [r15+28h],0
c001dd  mov dword ptr [r15+8],28h
c001e5  mov qword ptr [r15],28h
c001ec  mov r12d,30h
c001f2  add r12,[r13]
c001f6  mov [r13],r12
c001fa  mov rax,[r13+20h]
c001fe  mov [rax],r12
c00201  mov rbx,[r13+58h]
c00205  mov rax,[r13+40h]
c00209  mov rcx,[r13+48h]
c0020d  mov rdx,[r13+50h]
c00211  mov byte ptr [r13+30h],0
c00216  jmp 0c0000eh
c0021b  inc r12d
c0021e  mov [801078h],r12d
c00225  lock inc qword ptr [801070h]
c0022d  jmp 0c0000eh
c00232  mov byte ptr [r13+30h],0
c00237  jmp 0c0000eh
c0023c  mov r12,[r13+28h]
c00240  mov r12,[r12]
c00244  add r12,[r13+10h]
c00248  inc r12
c0024b  mov [r13+8],r12
c0024f  cmp rax,r12
c00252  jbe 0c0012ah
c00258  mov r12,[r13+20h]
c0025c  inc qword ptr [r12+40h]
c00261  jmp short 0c00201h
