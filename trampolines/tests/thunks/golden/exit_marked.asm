c00000  add rsp,20h
c00004  pop rbp
c00005  cmp byte ptr [800040h],0
c0000c  jne short 0c0000fh
c0000e  ret
c0000f  mov r15,[r14+98h]
c00016  test r15,r15
c00019  je 0c000e8h
c0001f  mov r12,[r14+8]
c00023  sub r12,rsp
c00026  sub r12,8
c0002a  shr r12,3
c0002e  shl r15,1bh
c00032  or r15,r12
c00035  mov r13,9e3779b97f4a7c15h
c0003f  imul r13,r15
c00043  shr r13,31h
c00047  shl r13,6
c0004b  lea r12,[80a000h]
c00052  add r13,r12
c00055  mov r12,[800008h]
c0005c  or r12,0
c00060  cmp [r13],r15
c00064  jne short 0c00070h
c00066  cmp [r13+8],r12
c0006a  je 0c000edh
c00070  cmp [r13+40h],r15
c00074  jne short 0c0007ch
c00076  cmp [r13+48h],r12
c0007a  je short 0c000edh
c0007c  cmp [r13+80h],r15
c00083  jne short 0c0008eh
c00085  cmp [r13+88h],r12
c0008c  je short 0c000edh
c0008e  cmp [r13+0c0h],r15
c00095  jne short 0c000a0h
c00097  cmp [r13+0c8h],r12
c0009e  je short 0c000edh
c000a0  cmp [r13+100h],r15
c000a7  jne short 0c000b2h
c000a9  cmp [r13+108h],r12
c000b0  je short 0c000edh
c000b2  cmp [r13+140h],r15
c000b9  jne short 0c000c4h
c000bb  cmp [r13+148h],r12
c000c2  je short 0c000edh
c000c4  cmp [r13+180h],r15
c000cb  jne short 0c000d6h
c000cd  cmp [r13+188h],r12
c000d4  je short 0c000edh
c000d6  cmp [r13+1c0h],r15
c000dd  jne short 0c000e8h
c000df  cmp [r13+1c8h],r12
c000e6  je short 0c000edh
c000e8  jmp 0c0000eh
c000ed  mov r12,[r14+30h]
c000f1  mov r12,[r12+0a0h]
c000f9  test r12,r12
c000fc  je 0c00271h
c00102  mov r12d,[r12]
c00106  cmp r12d,[800004h]
c0010d  jae 0c0025fh
c00113  shl r12d,8
c00117  lea r13,[802000h]
c0011e  add r13,r12
c00121  mov byte ptr [r13+30h],1
c00126  cmp dword ptr [800000h],0
c0012d  je 0c00308h
c00133  mov [r13+40h],rax
c00137  mov [r13+50h],rdx
c0013b  mov [r13+48h],rcx
c0013f  mov [r13+58h],rbx
c00143  rdtsc
c00145  shl rdx,20h
c00149  or rdx,rax
c0014c  mov [r13+60h],rdx
c00150  mov r15,[r14+98h]
c00157  test r15,r15
c0015a  je short 0c001cbh
c0015c  mov rax,[r14+8]
c00160  sub rax,rsp
c00163  sub rax,8
c00169  shr rax,3
c0016d  shl r15,1bh
c00171  or r15,rax
c00174  mov rbx,9e3779b97f4a7c15h
c0017e  imul rbx,r15
c00182  shr rbx,31h
c00186  shl rbx,6
c0018a  lea rax,[80a000h]
c00191  add rbx,rax
c00194  mov rcx,[800008h]
c0019b  or rcx,0
c0019f  xor r12d,r12d
c001a2  cmp [rbx+r12],r15
c001a6  jne short 0c001beh
c001a8  cmp [rbx+r12+8],rcx
c001ad  jne short 0c001beh
c001af  mov qword ptr [rbx+r12],0
c001b7  mov byte ptr [r13+31h],1
c001bc  jmp short 0c001cbh
c001be  add r12,40h
c001c2  cmp r12,200h
c001c9  jb short 0c001a2h
c001cb  mov rdx,[r13+60h]
c001cf  mov r15,[r13]
c001d3  lea rax,[r15+28h]
c001d7  cmp rax,[r13+8]
c001db  ja 0c00312h
c001e1  and r15,[r13+10h]
c001e5  add r15,[r13+18h]
c001e9  prefetchw [r15+180h]
c001f1  mov [r15+10h],rdx
c001f5  mov dword ptr [r15+0ch],1
c001fd  mov rax,[r14+98h]
c00204  mov [r15+18h],rax
c00208  mov rax,[r14+8]
c0020c  sub rax,rsp
c0020f  sub rax,8
c00215  mov [r15+20h],eax
c00219  mov dword ptr [r15+24h],0
c00221  mov dword ptr [r15+8],20h
c00229  mov qword ptr [r15],20h
c00230  mov r12d,28h
c00236  add r12,[r13]
c0023a  mov [r13],r12
c0023e  mov rax,[r13+20h]
c00242  mov [rax],r12
c00245  mov rbx,[r13+58h]
c00249  mov rax,[r13+40h]
c0024d  mov rcx,[r13+48h]
c00251  mov rdx,[r13+50h]
c00255  mov byte ptr [r13+30h],0
c0025a  jmp 0c0000eh
c0025f  inc r12d
c00262  mov [801078h],r12d
c00269  lock inc qword ptr [801070h]
c00271  lock inc dword ptr [8010f8h]
c00278  movq xmm15,rax
c0027d  mov r15,[r14+98h]
c00284  test r15,r15
c00287  je short 0c002f3h
c00289  mov r12,[r14+8]
c0028d  sub r12,rsp
c00290  sub r12,8
c00294  shr r12,3
c00298  shl r15,1bh
c0029c  or r15,r12
c0029f  mov r13,9e3779b97f4a7c15h
c002a9  imul r13,r15
c002ad  shr r13,31h
c002b1  shl r13,6
c002b5  lea r12,[80a000h]
c002bc  add r13,r12
c002bf  mov rax,[800008h]
c002c6  or rax,0
c002cc  xor r12d,r12d
c002cf  cmp [r13+r12],r15
c002d4  jne short 0c002e6h
c002d6  cmp [r13+r12+8],rax
c002db  jne short 0c002e6h
c002dd  mov qword ptr [r13+r12],0
c002e6  add r12,40h
c002ea  cmp r12,200h
c002f1  jb short 0c002cfh
c002f3  movq rax,xmm15
c002f8  xorps xmm15,xmm15
c002fc  lock dec dword ptr [8010f8h]
c00303  jmp 0c0000eh
c00308  mov byte ptr [r13+30h],0
c0030d  jmp 0c0000eh
c00312  mov r12,[r13+28h]
c00316  mov r12,[r12]
c0031a  add r12,[r13+10h]
c0031e  inc r12
c00321  mov [r13+8],r12
c00325  cmp rax,r12
c00328  jbe 0c001e1h
c0032e  mov r12,[r13+20h]
c00332  inc qword ptr [r12+40h]
c00337  jmp 0c00245h
