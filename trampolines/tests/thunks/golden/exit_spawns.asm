c00000  add rsp,20h
c00004  pop rbp
c00005  cmp byte ptr [800040h],0
c0000c  jne short 0c00010h
c0000e  rep ret
c00010  mov r12,rax
c00013  test r12,r12
c00016  je short 0c0000eh
c00018  mov r12,[r12+120h]
c00020  mov r15,100000000000000h
c0002a  or r15,r12
c0002d  mov r12,9e3779b97f4a7c15h
c00037  imul r12,r15
c0003b  shr r12,32h
c0003f  shl r12,6
c00043  lea r13,[0a0b000h]
c0004a  cmp [r12+r13],r15
c0004e  je short 0c00067h
c00050  cmp [r12+r13+10h],r15
c00055  je short 0c00067h
c00057  cmp [r12+r13+20h],r15
c0005c  je short 0c00067h
c0005e  cmp [r12+r13+30h],r15
c00063  je short 0c00067h
c00065  jmp short 0c0000eh
c00067  mov r12,[r14+30h]
c0006b  mov r12,[r12+0a0h]
c00073  test r12,r12
c00076  je 0c003edh
c0007c  mov r12d,[r12]
c00080  cmp r12d,[800004h]
c00087  jae 0c003bdh
c0008d  shl r12d,8
c00091  lea r13,[802000h]
c00098  add r13,r12
c0009b  cmp byte ptr [r13+30h],0
c000a0  jne 0c003d6h
c000a6  mov byte ptr [r13+30h],1
c000ab  cmp dword ptr [800000h],0
c000b2  je 0c003f2h
c000b8  mov [r13+40h],rax
c000bc  mov [r13+50h],rdx
c000c0  mov [r13+48h],rcx
c000c4  mov [r13+58h],rbx
c000c8  mov [r13+70h],rsi
c000cc  mov [r13+78h],rdi
c000d0  mov rax,[r13+40h]
c000d4  test rax,rax
c000d7  je 0c00395h
c000dd  mov rax,[rax+120h]
c000e4  mov r15,100000000000000h
c000ee  or r15,rax
c000f1  mov r12,9e3779b97f4a7c15h
c000fb  imul r12,r15
c000ff  shr r12,32h
c00103  shl r12,6
c00107  lea rdx,[0a0b000h]
c0010e  add r12,rdx
c00111  cmp [r12],r15
c00115  je short 0c0013ah
c00117  add r12,10h
c0011b  cmp [r12],r15
c0011f  je short 0c0013ah
c00121  add r12,10h
c00125  cmp [r12],r15
c00129  je short 0c0013ah
c0012b  add r12,10h
c0012f  cmp [r12],r15
c00133  je short 0c0013ah
c00135  jmp 0c00395h
c0013a  movaps xmm15,[r12]
c0013f  movq rdx,xmm15
c00144  psrldq xmm15,8
c0014a  movq rax,xmm15
c0014f  cmp rdx,r15
c00152  jne 0c00395h
c00158  cmp [r12],r15
c0015c  jne 0c00395h
c00162  test rax,rax
c00165  je 0c00395h
c0016b  mov ecx,eax
c0016d  and ecx,1fffh
c00173  shl ecx,8
c00176  lea rdx,[0b0b000h]
c0017d  add rcx,rdx
c00180  mov rdx,rax
c00183  and rdx,0ffffffffffffdfffh
c0018a  cmp [rcx],rdx
c0018d  jne 0c00395h
c00193  mov dword ptr [r13+0cch],10h
c0019e  mov rsi,rax
c001a1  mov rax,[rcx+50h]
c001a5  test rax,rax
c001a8  je short 0c001d7h
c001aa  mov ecx,eax
c001ac  and ecx,1fffh
c001b2  shl ecx,8
c001b5  lea rdx,[0b0b000h]
c001bc  add rcx,rdx
c001bf  mov rdx,rax
c001c2  and rdx,0ffffffffffffdfffh
c001c9  cmp [rcx],rdx
c001cc  jne short 0c001d7h
c001ce  dec dword ptr [r13+0cch]
c001d5  jne short 0c0019eh
c001d7  bts rsi,0dh
c001dc  mov rax,[r13+40h]
c001e0  test rax,rax
c001e3  je 0c00395h
c001e9  mov rax,[rax+98h]
c001f0  test rax,rax
c001f3  je 0c00395h
c001f9  mov r15,100000000000000h
c00203  or r15,rax
c00206  mov dword ptr [r13+0cch],4
c00211  dec dword ptr [r13+0cch]
c00218  js 0c0038ah
c0021e  mov r12,9e3779b97f4a7c15h
c00228  imul r12,r15
c0022c  shr r12,32h
c00230  shl r12,6
c00234  lea rdx,[0a0b000h]
c0023b  add r12,rdx
c0023e  cmp [r12],r15
c00242  je 0c00368h
c00248  add r12,10h
c0024c  cmp [r12],r15
c00250  je 0c00368h
c00256  add r12,10h
c0025a  cmp [r12],r15
c0025e  je 0c00368h
c00264  add r12,10h
c00268  cmp [r12],r15
c0026c  je 0c00368h
c00272  sub r12,30h
c00276  mov rbx,[r12]
c0027a  mov rdi,[r12+8]
c0027f  mov rax,rdi
c00282  test rax,rax
c00285  je 0c00370h
c0028b  mov ecx,eax
c0028d  and ecx,1fffh
c00293  shl ecx,8
c00296  lea rdx,[0b0b000h]
c0029d  add rcx,rdx
c002a0  mov rdx,rax
c002a3  and rdx,0ffffffffffffdfffh
c002aa  cmp [rcx],rdx
c002ad  jne 0c00370h
c002b3  add r12,10h
c002b7  mov rbx,[r12]
c002bb  mov rdi,[r12+8]
c002c0  mov rax,rdi
c002c3  test rax,rax
c002c6  je 0c00370h
c002cc  mov ecx,eax
c002ce  and ecx,1fffh
c002d4  shl ecx,8
c002d7  lea rdx,[0b0b000h]
c002de  add rcx,rdx
c002e1  mov rdx,rax
c002e4  and rdx,0ffffffffffffdfffh
c002eb  cmp [rcx],rdx
c002ee  jne 0c00370h
c002f4  add r12,10h
c002f8  mov rbx,[r12]
c002fc  mov rdi,[r12+8]
c00301  mov rax,rdi
c00304  test rax,rax
c00307  je short 0c00370h
c00309  mov ecx,eax
c0030b  and ecx,1fffh
c00311  shl ecx,8
c00314  lea rdx,[0b0b000h]
c0031b  add rcx,rdx
c0031e  mov rdx,rax
c00321  and rdx,0ffffffffffffdfffh
c00328  cmp [rcx],rdx
c0032b  jne short 0c00370h
c0032d  add r12,10h
c00331  mov rbx,[r12]
c00335  mov rdi,[r12+8]
c0033a  mov rax,rdi
c0033d  test rax,rax
c00340  je short 0c00370h
c00342  mov ecx,eax
c00344  and ecx,1fffh
c0034a  shl ecx,8
c0034d  lea rdx,[0b0b000h]
c00354  add rcx,rdx
c00357  mov rdx,rax
c0035a  and rdx,0ffffffffffffdfffh
c00361  cmp [rcx],rdx
c00364  jne short 0c00370h
c00366  jmp short 0c0038ah
c00368  mov rbx,r15
c0036b  mov rdi,[r12+8]
c00370  mov rax,rbx
c00373  mov rdx,rdi
c00376  mov rbx,r15
c00379  mov rcx,rsi
c0037c  lock cmpxchg16b [r12]
c00382  jne 0c00211h
c00388  jmp short 0c00395h
c0038a  mov rax,[r13+20h]
c0038e  inc qword ptr [rax+0b8h]
c00395  xorps xmm15,xmm15
c00399  jmp short 0c0039bh
c0039b  mov rbx,[r13+58h]
c0039f  mov rax,[r13+40h]
c003a3  mov rcx,[r13+48h]
c003a7  mov rsi,[r13+70h]
c003ab  mov rdi,[r13+78h]
c003af  mov rdx,[r13+50h]
c003b3  mov byte ptr [r13+30h],0
c003b8  jmp 0c0000eh
c003bd  jmp 0c0000eh
c003c2  inc r12d
c003c5  mov [801078h],r12d
c003cc  lock inc qword ptr [801070h]
c003d4  jmp short 0c003edh
c003d6  cmp dword ptr [800000h],0
c003dd  je short 0c003edh
c003df  jmp 0c0000eh
c003e4  mov r12,[r13+20h]
c003e8  inc qword ptr [r12+50h]
c003ed  jmp 0c0000eh
c003f2  mov byte ptr [r13+30h],0
c003f7  jmp 0c0000eh
