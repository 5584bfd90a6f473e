c00000  add rsp,20h
c00004  pop rbp
c00005  cmp byte ptr [800040h],0
c0000c  jne short 0c00010h
c0000e  rep ret
c00010  mov r12,[r14+30h]
c00014  mov r12,[r12+0a0h]
c0001c  test r12,r12
c0001f  je 0c00266h
c00025  mov r12d,[r12]
c00029  cmp r12d,[800004h]
c00030  jae 0c00240h
c00036  shl r12d,8
c0003a  lea r13,[802000h]
c00041  add r13,r12
c00044  cmp byte ptr [r13+30h],0
c00049  jne 0c00254h
c0004f  mov byte ptr [r13+30h],1
c00054  cmp dword ptr [800000h],0
c0005b  je 0c002fdh
c00061  mov [r13+40h],rax
c00065  mov [r13+50h],rdx
c00069  mov [r13+48h],rcx
c0006d  mov [r13+58h],rbx
c00071  rdtsc
c00073  shl rdx,20h
c00077  or rdx,rax
c0007a  mov [r13+60h],rdx
c0007e  mov r15,[r14+98h]
c00085  test r15,r15
c00088  je 0c00115h
c0008e  mov rax,[r14+8]
c00092  sub rax,rsp
c00095  sub rax,8
c0009b  shr rax,3
c0009f  shl r15,1bh
c000a3  or r15,rax
c000a6  mov rbx,9e3779b97f4a7c15h
c000b0  imul rbx,r15
c000b4  shr rbx,31h
c000b8  shl rbx,6
c000bc  lea rax,[80a000h]
c000c3  add rbx,rax
c000c6  mov rcx,[800008h]
c000cd  or rcx,0
c000d1  xor r12d,r12d
c000d4  cmp [rbx+r12],r15
c000d8  jne short 0c00108h
c000da  cmp [rbx+r12+8],rcx
c000df  jne short 0c00108h
c000e1  mov rax,[rbx+r12+10h]
c000e6  mov [r13+80h],rax
c000ed  mov rax,[rbx+r12+18h]
c000f2  mov [r13+88h],rax
c000f9  mov qword ptr [rbx+r12],0
c00101  mov byte ptr [r13+31h],1
c00106  jmp short 0c00131h
c00108  add r12,40h
c0010c  cmp r12,200h
c00113  jb short 0c000d4h
c00115  mov rax,[r13+20h]
c00119  inc qword ptr [rax+48h]
c0011d  xor eax,eax
c0011f  mov [r13+31h],al
c00123  mov [r13+80h],rax
c0012a  mov [r13+88h],rax
c00131  mov rdx,[r13+60h]
c00135  mov r15,[r13]
c00139  lea rax,[r15+30h]
c0013d  cmp rax,[r13+8]
c00141  ja 0c00307h
c00147  and r15,[r13+10h]
c0014b  add r15,[r13+18h]
c0014f  prefetchw [r15+180h]
c00157  mov [r15+10h],rdx
c0015b  mov dword ptr [r15+0ch],1
c00163  mov rax,[r14+98h]
c0016a  mov [r15+18h],rax
c0016e  mov rax,[r14+8]
c00172  sub rax,rsp
c00175  sub rax,8
c0017b  mov [r15+20h],eax
c0017f  mov dword ptr [r15+24h],0
c00187  mov rcx,[r13+80h]
c0018e  lea rdx,[501000h]
c00195  test rcx,rcx
c00198  je short 0c001beh
c0019a  cmp [rcx+8],rdx
c0019e  jne short 0c001beh
c001a0  mov rax,[r13+88h]
c001a7  test rax,rax
c001aa  je short 0c001beh
c001ac  mov rax,[rax+0a0h]
c001b3  mov [r15+28h],rax
c001b7  or dword ptr [r15+24h],1
c001bc  jmp short 0c00202h
c001be  mov rcx,[r13+80h]
c001c5  lea rdx,[502000h]
c001cc  test rcx,rcx
c001cf  je short 0c001fah
c001d1  cmp [rcx+8],rdx
c001d5  jne short 0c001fah
c001d7  mov rax,[r13+88h]
c001de  test rax,rax
c001e1  je short 0c001fah
c001e3  mov rax,[rax]
c001e6  test rax,rax
c001e9  je short 0c001fah
c001eb  mov rax,[rax+60h]
c001ef  mov [r15+28h],rax
c001f3  or dword ptr [r15+24h],1
c001f8  jmp short 0c00202h
c001fa  mov qword ptr [r15+28h],0
c00202  mov dword ptr [r15+8],28h
c0020a  mov qword ptr [r15],28h
c00211  mov r12d,30h
c00217  add r12,[r13]
c0021b  mov [r13],r12
c0021f  mov rax,[r13+20h]
c00223  mov [rax],r12
c00226  mov rbx,[r13+58h]
c0022a  mov rax,[r13+40h]
c0022e  mov rcx,[r13+48h]
c00232  mov rdx,[r13+50h]
c00236  mov byte ptr [r13+30h],0
c0023b  jmp 0c0000eh
c00240  inc r12d
c00243  mov [801078h],r12d
c0024a  lock inc qword ptr [801070h]
c00252  jmp short 0c00266h
c00254  cmp dword ptr [800000h],0
c0025b  je short 0c00266h
c0025d  mov r12,[r13+20h]
c00261  inc qword ptr [r12+50h]
c00266  lock inc dword ptr [8010f8h]
c0026d  movq xmm15,rax
c00272  mov r15,[r14+98h]
c00279  test r15,r15
c0027c  je short 0c002e8h
c0027e  mov r12,[r14+8]
c00282  sub r12,rsp
c00285  sub r12,8
c00289  shr r12,3
c0028d  shl r15,1bh
c00291  or r15,r12
c00294  mov r13,9e3779b97f4a7c15h
c0029e  imul r13,r15
c002a2  shr r13,31h
c002a6  shl r13,6
c002aa  lea r12,[80a000h]
c002b1  add r13,r12
c002b4  mov rax,[800008h]
c002bb  or rax,0
c002c1  xor r12d,r12d
c002c4  cmp [r13+r12],r15
c002c9  jne short 0c002dbh
c002cb  cmp [r13+r12+8],rax
c002d0  jne short 0c002dbh
c002d2  mov qword ptr [r13+r12],0
c002db  add r12,40h
c002df  cmp r12,200h
c002e6  jb short 0c002c4h
c002e8  movq rax,xmm15
c002ed  xorps xmm15,xmm15
c002f1  lock dec dword ptr [8010f8h]
c002f8  jmp 0c0000eh
c002fd  mov byte ptr [r13+30h],0
c00302  jmp 0c0000eh
c00307  mov r12,[r13+28h]
c0030b  mov r12,[r12]
c0030f  add r12,[r13+10h]
c00313  inc r12
c00316  mov [r13+8],r12
c0031a  cmp rax,r12
c0031d  jbe 0c00147h
c00323  mov r12,[r13+20h]
c00327  inc qword ptr [r12+40h]
c0032c  jmp 0c00226h
