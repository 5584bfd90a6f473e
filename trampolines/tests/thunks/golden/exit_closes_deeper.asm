c00000  add rsp,20h
c00004  pop rbp
c00005  cmp byte ptr [800040h],0
c0000c  jne short 0c00010h
c0000e  rep ret
c00010  mov r12,[r14+30h]
c00014  mov r12,[r12+0a0h]
c0001c  test r12,r12
c0001f  je 0c00417h
c00025  mov r12d,[r12]
c00029  cmp r12d,[800004h]
c00030  jae 0c003f1h
c00036  shl r12d,8
c0003a  lea r13,[802000h]
c00041  add r13,r12
c00044  cmp byte ptr [r13+30h],0
c00049  jne 0c00405h
c0004f  mov byte ptr [r13+30h],1
c00054  cmp dword ptr [800000h],0
c0005b  je 0c0041ch
c00061  mov [r13+40h],rax
c00065  mov [r13+50h],rdx
c00069  mov [r13+48h],rcx
c0006d  mov [r13+58h],rbx
c00071  mov [r13+70h],rsi
c00075  mov [r13+78h],rdi
c00079  rdtsc
c0007b  shl rdx,20h
c0007f  or rdx,rax
c00082  mov [r13+60h],rdx
c00086  mov rax,[r14+98h]
c0008d  mov r15,100000000000000h
c00097  or r15,rax
c0009a  mov r12,9e3779b97f4a7c15h
c000a4  imul r12,r15
c000a8  shr r12,32h
c000ac  shl r12,6
c000b0  lea rdx,[0a0b000h]
c000b7  add r12,rdx
c000ba  cmp [r12],r15
c000be  je short 0c000e3h
c000c0  add r12,10h
c000c4  cmp [r12],r15
c000c8  je short 0c000e3h
c000ca  add r12,10h
c000ce  cmp [r12],r15
c000d2  je short 0c000e3h
c000d4  add r12,10h
c000d8  cmp [r12],r15
c000dc  je short 0c000e3h
c000de  jmp 0c00351h
c000e3  movaps xmm15,[r12]
c000e8  movq rdx,xmm15
c000ed  psrldq xmm15,8
c000f3  movq rax,xmm15
c000f8  cmp rdx,r15
c000fb  jne 0c00351h
c00101  cmp [r12],r15
c00105  jne 0c00351h
c0010b  mov rbx,[r14+8]
c0010f  sub rbx,rsp
c00112  sub rbx,8
c00116  mov dword ptr [r13+0cch],10h
c00121  mov rsi,rax
c00124  test rax,rax
c00127  je 0c001b9h
c0012d  mov ecx,eax
c0012f  and ecx,1fffh
c00135  shl ecx,8
c00138  lea rdx,[0b0b000h]
c0013f  add rcx,rdx
c00142  mov rdx,rax
c00145  and rdx,0ffffffffffffdfffh
c0014c  cmp [rcx],rdx
c0014f  jne short 0c001b9h
c00151  bt rax,0dh
c00156  jb short 0c001b9h
c00158  cmp [rcx+60h],ebx
c0015b  ja short 0c0015fh
c0015d  jmp short 0c001b9h
c0015f  mov rdi,[rcx+50h]
c00163  mov rdx,[r13+60h]
c00167  sub rdx,[rcx+68h]
c0016b  sar rdx,20h
c0016f  cmp rdx,18h
c00173  jge short 0c0019fh
c00175  cmp dword ptr [r13+0c8h],0
c0017d  jne short 0c00196h
c0017f  and eax,1fffh
c00184  inc eax
c00186  mov [r13+0c8h],eax
c0018d  mov qword ptr [rcx],0ffffffffffffffffh
c00194  jmp short 0c001a6h
c00196  mov qword ptr [rcx],0
c0019d  jmp short 0c001a6h
c0019f  xor edx,edx
c001a1  lock cmpxchg [rcx],rdx
c001a6  mov rax,rdi
c001a9  dec dword ptr [r13+0cch]
c001b0  jne 0c00121h
c001b6  mov rsi,rax
c001b9  test rsi,rsi
c001bc  je 0c00351h
c001c2  mov dword ptr [r13+0cch],4
c001cd  dec dword ptr [r13+0cch]
c001d4  js 0c00346h
c001da  mov r12,9e3779b97f4a7c15h
c001e4  imul r12,r15
c001e8  shr r12,32h
c001ec  shl r12,6
c001f0  lea rdx,[0a0b000h]
c001f7  add r12,rdx
c001fa  cmp [r12],r15
c001fe  je 0c00324h
c00204  add r12,10h
c00208  cmp [r12],r15
c0020c  je 0c00324h
c00212  add r12,10h
c00216  cmp [r12],r15
c0021a  je 0c00324h
c00220  add r12,10h
c00224  cmp [r12],r15
c00228  je 0c00324h
c0022e  sub r12,30h
c00232  mov rbx,[r12]
c00236  mov rdi,[r12+8]
c0023b  mov rax,rdi
c0023e  test rax,rax
c00241  je 0c0032ch
c00247  mov ecx,eax
c00249  and ecx,1fffh
c0024f  shl ecx,8
c00252  lea rdx,[0b0b000h]
c00259  add rcx,rdx
c0025c  mov rdx,rax
c0025f  and rdx,0ffffffffffffdfffh
c00266  cmp [rcx],rdx
c00269  jne 0c0032ch
c0026f  add r12,10h
c00273  mov rbx,[r12]
c00277  mov rdi,[r12+8]
c0027c  mov rax,rdi
c0027f  test rax,rax
c00282  je 0c0032ch
c00288  mov ecx,eax
c0028a  and ecx,1fffh
c00290  shl ecx,8
c00293  lea rdx,[0b0b000h]
c0029a  add rcx,rdx
c0029d  mov rdx,rax
c002a0  and rdx,0ffffffffffffdfffh
c002a7  cmp [rcx],rdx
c002aa  jne 0c0032ch
c002b0  add r12,10h
c002b4  mov rbx,[r12]
c002b8  mov rdi,[r12+8]
c002bd  mov rax,rdi
c002c0  test rax,rax
c002c3  je short 0c0032ch
c002c5  mov ecx,eax
c002c7  and ecx,1fffh
c002cd  shl ecx,8
c002d0  lea rdx,[0b0b000h]
c002d7  add rcx,rdx
c002da  mov rdx,rax
c002dd  and rdx,0ffffffffffffdfffh
c002e4  cmp [rcx],rdx
c002e7  jne short 0c0032ch
c002e9  add r12,10h
c002ed  mov rbx,[r12]
c002f1  mov rdi,[r12+8]
c002f6  mov rax,rdi
c002f9  test rax,rax
c002fc  je short 0c0032ch
c002fe  mov ecx,eax
c00300  and ecx,1fffh
c00306  shl ecx,8
c00309  lea rdx,[0b0b000h]
c00310  add rcx,rdx
c00313  mov rdx,rax
c00316  and rdx,0ffffffffffffdfffh
c0031d  cmp [rcx],rdx
c00320  jne short 0c0032ch
c00322  jmp short 0c00346h
c00324  mov rbx,r15
c00327  mov rdi,[r12+8]
c0032c  mov rax,rbx
c0032f  mov rdx,rdi
c00332  mov rbx,r15
c00335  mov rcx,rsi
c00338  lock cmpxchg16b [r12]
c0033e  jne 0c001cdh
c00344  jmp short 0c00351h
c00346  mov rax,[r13+20h]
c0034a  inc qword ptr [rax+0b8h]
c00351  xorps xmm15,xmm15
c00355  mov rdx,[r13+60h]
c00359  mov r15,[r13]
c0035d  lea rax,[r15+28h]
c00361  cmp rax,[r13+8]
c00365  ja 0c00426h
c0036b  and r15,[r13+10h]
c0036f  add r15,[r13+18h]
c00373  prefetchw [r15+180h]
c0037b  mov [r15+10h],rdx
c0037f  mov dword ptr [r15+0ch],1
c00387  mov rax,[r14+98h]
c0038e  mov [r15+18h],rax
c00392  mov rax,[r14+8]
c00396  sub rax,rsp
c00399  sub rax,8
c0039f  mov [r15+20h],eax
c003a3  mov dword ptr [r15+24h],0
c003ab  mov dword ptr [r15+8],20h
c003b3  mov qword ptr [r15],20h
c003ba  mov r12d,28h
c003c0  add r12,[r13]
c003c4  mov [r13],r12
c003c8  mov rax,[r13+20h]
c003cc  mov [rax],r12
c003cf  mov rbx,[r13+58h]
c003d3  mov rax,[r13+40h]
c003d7  mov rcx,[r13+48h]
c003db  mov rsi,[r13+70h]
c003df  mov rdi,[r13+78h]
c003e3  mov rdx,[r13+50h]
c003e7  mov byte ptr [r13+30h],0
c003ec  jmp 0c0000eh
c003f1  inc r12d
c003f4  mov [801078h],r12d
c003fb  lock inc qword ptr [801070h]
c00403  jmp short 0c00417h
c00405  cmp dword ptr [800000h],0
c0040c  je short 0c00417h
c0040e  mov r12,[r13+20h]
c00412  inc qword ptr [r12+50h]
c00417  jmp 0c0000eh
c0041c  mov byte ptr [r13+30h],0
c00421  jmp 0c0000eh
c00426  mov r12,[r13+28h]
c0042a  mov r12,[r12]
c0042e  add r12,[r13+10h]
c00432  inc r12
c00435  mov [r13+8],r12
c00439  cmp rax,r12
c0043c  jbe 0c0036bh
c00442  mov r12,[r13+20h]
c00446  inc qword ptr [r12+40h]
c0044b  jmp short 0c003cfh
