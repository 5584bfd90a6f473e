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
c000fc  je 0c00290h
c00102  mov r12d,[r12]
c00106  cmp r12d,[800004h]
c0010d  jae 0c0026ah
c00113  shl r12d,8
c00117  lea r13,[802000h]
c0011e  add r13,r12
c00121  cmp byte ptr [r13+30h],0
c00126  jne 0c0027eh
c0012c  mov byte ptr [r13+30h],1
c00131  cmp dword ptr [800000h],0
c00138  je 0c00327h
c0013e  mov [r13+40h],rax
c00142  mov [r13+50h],rdx
c00146  mov [r13+48h],rcx
c0014a  mov [r13+58h],rbx
c0014e  rdtsc
c00150  shl rdx,20h
c00154  or rdx,rax
c00157  mov [r13+60h],rdx
c0015b  mov r15,[r14+98h]
c00162  test r15,r15
c00165  je short 0c001d6h
c00167  mov rax,[r14+8]
c0016b  sub rax,rsp
c0016e  sub rax,8
c00174  shr rax,3
c00178  shl r15,1bh
c0017c  or r15,rax
c0017f  mov rbx,9e3779b97f4a7c15h
c00189  imul rbx,r15
c0018d  shr rbx,31h
c00191  shl rbx,6
c00195  lea rax,[80a000h]
c0019c  add rbx,rax
c0019f  mov rcx,[800008h]
c001a6  or rcx,0
c001aa  xor r12d,r12d
c001ad  cmp [rbx+r12],r15
c001b1  jne short 0c001c9h
c001b3  cmp [rbx+r12+8],rcx
c001b8  jne short 0c001c9h
c001ba  mov qword ptr [rbx+r12],0
c001c2  mov byte ptr [r13+31h],1
c001c7  jmp short 0c001d6h
c001c9  add r12,40h
c001cd  cmp r12,200h
c001d4  jb short 0c001adh
c001d6  mov rdx,[r13+60h]
c001da  mov r15,[r13]
c001de  lea rax,[r15+28h]
c001e2  cmp rax,[r13+8]
c001e6  ja 0c00331h
c001ec  and r15,[r13+10h]
c001f0  add r15,[r13+18h]
c001f4  prefetchw [r15+180h]
c001fc  mov [r15+10h],rdx
c00200  mov dword ptr [r15+0ch],1
c00208  mov rax,[r14+98h]
c0020f  mov [r15+18h],rax
c00213  mov rax,[r14+8]
c00217  sub rax,rsp
c0021a  sub rax,8
c00220  mov [r15+20h],eax
c00224  mov dword ptr [r15+24h],0
c0022c  mov dword ptr [r15+8],20h
c00234  mov qword ptr [r15],20h
c0023b  mov r12d,28h
c00241  add r12,[r13]
c00245  mov [r13],r12
c00249  mov rax,[r13+20h]
c0024d  mov [rax],r12
c00250  mov rbx,[r13+58h]
c00254  mov rax,[r13+40h]
c00258  mov rcx,[r13+48h]
c0025c  mov rdx,[r13+50h]
c00260  mov byte ptr [r13+30h],0
c00265  jmp 0c0000eh
c0026a  inc r12d
c0026d  mov [801078h],r12d
c00274  lock inc qword ptr [801070h]
c0027c  jmp short 0c00290h
c0027e  cmp dword ptr [800000h],0
c00285  je short 0c00290h
c00287  mov r12,[r13+20h]
c0028b  inc qword ptr [r12+50h]
c00290  lock inc dword ptr [8010f8h]
c00297  movq xmm15,rax
c0029c  mov r15,[r14+98h]
c002a3  test r15,r15
c002a6  je short 0c00312h
c002a8  mov r12,[r14+8]
c002ac  sub r12,rsp
c002af  sub r12,8
c002b3  shr r12,3
c002b7  shl r15,1bh
c002bb  or r15,r12
c002be  mov r13,9e3779b97f4a7c15h
c002c8  imul r13,r15
c002cc  shr r13,31h
c002d0  shl r13,6
c002d4  lea r12,[80a000h]
c002db  add r13,r12
c002de  mov rax,[800008h]
c002e5  or rax,0
c002eb  xor r12d,r12d
c002ee  cmp [r13+r12],r15
c002f3  jne short 0c00305h
c002f5  cmp [r13+r12+8],rax
c002fa  jne short 0c00305h
c002fc  mov qword ptr [r13+r12],0
c00305  add r12,40h
c00309  cmp r12,200h
c00310  jb short 0c002eeh
c00312  movq rax,xmm15
c00317  xorps xmm15,xmm15
c0031b  lock dec dword ptr [8010f8h]
c00322  jmp 0c0000eh
c00327  mov byte ptr [r13+30h],0
c0032c  jmp 0c0000eh
c00331  mov r12,[r13+28h]
c00335  mov r12,[r12]
c00339  add r12,[r13+10h]
c0033d  inc r12
c00340  mov [r13+8],r12
c00344  cmp rax,r12
c00347  jbe 0c001ech
c0034d  mov r12,[r13+20h]
c00351  inc qword ptr [r12+40h]
c00356  jmp 0c00250h
