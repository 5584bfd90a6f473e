c00000  cmp byte ptr [800040h],0
c00007  jne short 0c00016h
c00009  push rbp
c0000a  mov rbp,rsp
c0000d  sub rsp,20h
c00011  jmp 462c12h
c00016  mov r12,rax
c00019  test r12,r12
c0001c  je short 0c00040h
c0001e  mov r13,[r12+18h]
c00023  lea r15,[503000h]
c0002a  cmp r13,r15
c0002d  jne short 0c00040h
c0002f  mov r12,[r12+20h]
c00034  test r12,r12
c00037  je short 0c00040h
c00039  cmp qword ptr [r12],0
c0003e  je short 0c000a4h
c00040  mov r13,rbx
c00043  lea r15,[501000h]
c0004a  test r13,r13
c0004d  je 0c003a3h
c00053  cmp [r13+8],r15
c00057  jne 0c003a3h
c0005d  mov r12,rcx
c00060  test r12,r12
c00063  je 0c003a3h
c00069  mov r12,[r12+10h]
c0006e  test r12,r12
c00071  je 0c003a3h
c00077  mov r13,[r12+8]
c0007c  cmp r13,5
c00080  jb 0c003a3h
c00086  mov r12,[r12]
c0008a  cmp dword ptr [r12],6970612fh
c00092  jne 0c003a3h
c00098  cmp byte ptr [r12+4],2fh
c0009e  jne 0c003a3h
c000a4  mov r12,[r14+30h]
c000a8  mov r12,[r12+0a0h]
c000b0  test r12,r12
c000b3  je 0c00260h
c000b9  mov r12d,[r12]
c000bd  cmp r12d,[800004h]
c000c4  jae 0c0024eh
c000ca  shl r12d,8
c000ce  lea r13,[802000h]
c000d5  add r13,r12
c000d8  mov byte ptr [r13+30h],1
c000dd  cmp dword ptr [800000h],0
c000e4  je 0c002f7h
c000ea  mov [r13+40h],rax
c000ee  mov [r13+50h],rdx
c000f2  mov [r13+48h],rcx
c000f6  mov [r13+58h],rbx
c000fa  rdtsc
c000fc  shl rdx,20h
c00100  or rdx,rax
c00103  mov [r13+60h],rdx
c00107  mov r15,[r14+98h]
c0010e  test r15,r15
c00111  je 0c00196h
c00117  mov rax,[r14+8]
c0011b  sub rax,rsp
c0011e  sub rax,8
c00124  shr rax,3
c00128  shl r15,1bh
c0012c  or r15,rax
c0012f  mov rbx,9e3779b97f4a7c15h
c00139  imul rbx,r15
c0013d  shr rbx,31h
c00141  shl rbx,6
c00145  lea rax,[80a000h]
c0014c  add rbx,rax
c0014f  mov rcx,[800008h]
c00156  or rcx,0
c0015a  cmp byte ptr [800040h],0
c00161  je 0c00234h
c00167  xor r12d,r12d
c0016a  mov rax,[rbx+r12]
c0016e  test rax,rax
c00171  je short 0c001a3h
c00173  cmp rax,r15
c00176  jne short 0c0017fh
c00178  cmp [rbx+r12+8],rcx
c0017d  je short 0c001b0h
c0017f  add r12,40h
c00183  cmp r12,200h
c0018a  jb short 0c0016ah
c0018c  mov dword ptr [8010f0h],1
c00196  mov rax,[r13+20h]
c0019a  inc qword ptr [rax+48h]
c0019e  jmp 0c00234h
c001a3  mov edx,1
c001a8  lock cmpxchg [rbx+r12],rdx
c001ae  jne short 0c00167h
c001b0  add rbx,r12
c001b3  mov [rbx+8],rcx
c001b7  mov rdx,[r13+60h]
c001bb  mov [rbx],r15
c001be  mov r15,[r13]
c001c2  lea rax,[r15+28h]
c001c6  cmp rax,[r13+8]
c001ca  ja 0c00301h
c001d0  and r15,[r13+10h]
c001d4  add r15,[r13+18h]
c001d8  prefetchw [r15+180h]
c001e0  mov [r15+10h],rdx
c001e4  mov dword ptr [r15+0ch],0
c001ec  mov rax,[r14+98h]
c001f3  mov [r15+18h],rax
c001f7  mov rax,[r14+8]
c001fb  sub rax,rsp
c001fe  sub rax,8
c00204  mov [r15+20h],eax
c00208  mov dword ptr [r15+24h],0
c00210  mov dword ptr [r15+8],20h
c00218  mov qword ptr [r15],20h
c0021f  mov r12d,28h
c00225  add r12,[r13]
c00229  mov [r13],r12
c0022d  mov rax,[r13+20h]
c00231  mov [rax],r12
c00234  mov rbx,[r13+58h]
c00238  mov rax,[r13+40h]
c0023c  mov rcx,[r13+48h]
c00240  mov rdx,[r13+50h]
c00244  mov byte ptr [r13+30h],0
c00249  jmp 0c00009h
c0024e  inc r12d
c00251  mov [801078h],r12d
c00258  lock inc qword ptr [801070h]
c00260  lock inc dword ptr [8010f8h]
c00267  movq xmm15,rax
c0026c  mov r15,[r14+98h]
c00273  test r15,r15
c00276  je short 0c002e2h
c00278  mov r12,[r14+8]
c0027c  sub r12,rsp
c0027f  sub r12,8
c00283  shr r12,3
c00287  shl r15,1bh
c0028b  or r15,r12
c0028e  mov r13,9e3779b97f4a7c15h
c00298  imul r13,r15
c0029c  shr r13,31h
c002a0  shl r13,6
c002a4  lea r12,[80a000h]
c002ab  add r13,r12
c002ae  mov rax,[800008h]
c002b5  or rax,0
c002bb  xor r12d,r12d
c002be  cmp [r13+r12],r15
c002c3  jne short 0c002d5h
c002c5  cmp [r13+r12+8],rax
c002ca  jne short 0c002d5h
c002cc  mov qword ptr [r13+r12],0
c002d5  add r12,40h
c002d9  cmp r12,200h
c002e0  jb short 0c002beh
c002e2  movq rax,xmm15
c002e7  xorps xmm15,xmm15
c002eb  lock dec dword ptr [8010f8h]
c002f2  jmp 0c00009h
c002f7  mov byte ptr [r13+30h],0
c002fc  jmp 0c00009h
c00301  mov r12,[r13+28h]
c00305  mov r12,[r12]
c00309  add r12,[r13+10h]
c0030d  inc r12
c00310  mov [r13+8],r12
c00314  cmp rax,r12
c00317  jbe 0c001d0h
c0031d  mov r12,[r13+20h]
c00321  inc qword ptr [r12+40h]
c00326  mov r15,[r14+98h]
c0032d  test r15,r15
c00330  je 0c00234h
c00336  mov rax,[r14+8]
c0033a  sub rax,rsp
c0033d  sub rax,8
c00343  shr rax,3
c00347  shl r15,1bh
c0034b  or r15,rax
c0034e  mov rbx,9e3779b97f4a7c15h
c00358  imul rbx,r15
c0035c  shr rbx,31h
c00360  shl rbx,6
c00364  lea rax,[80a000h]
c0036b  add rbx,rax
c0036e  mov rcx,[800008h]
c00375  or rcx,0
c00379  xor r12d,r12d
c0037c  cmp [rbx+r12],r15
c00380  jne short 0c00391h
c00382  cmp [rbx+r12+8],rcx
c00387  jne short 0c00391h
c00389  mov qword ptr [rbx+r12],0
c00391  add r12,40h
c00395  cmp r12,200h
c0039c  jb short 0c0037ch
c0039e  jmp 0c00234h
c003a3  mov r15,[r14+98h]
c003aa  test r15,r15
c003ad  je 0c00498h
c003b3  mov r12,[r14+8]
c003b7  sub r12,rsp
c003ba  sub r12,8
c003be  shr r12,3
c003c2  shl r15,1bh
c003c6  or r15,r12
c003c9  mov r13,9e3779b97f4a7c15h
c003d3  imul r13,r15
c003d7  shr r13,31h
c003db  shl r13,6
c003df  lea r12,[80a000h]
c003e6  add r13,r12
c003e9  mov r12,[800008h]
c003f0  or r12,0
c003f4  cmp [r13],r15
c003f8  jne short 0c00404h
c003fa  cmp [r13+8],r12
c003fe  je 0c00260h
c00404  cmp [r13+40h],r15
c00408  jne short 0c00414h
c0040a  cmp [r13+48h],r12
c0040e  je 0c00260h
c00414  cmp [r13+80h],r15
c0041b  jne short 0c0042ah
c0041d  cmp [r13+88h],r12
c00424  je 0c00260h
c0042a  cmp [r13+0c0h],r15
c00431  jne short 0c00440h
c00433  cmp [r13+0c8h],r12
c0043a  je 0c00260h
c00440  cmp [r13+100h],r15
c00447  jne short 0c00456h
c00449  cmp [r13+108h],r12
c00450  je 0c00260h
c00456  cmp [r13+140h],r15
c0045d  jne short 0c0046ch
c0045f  cmp [r13+148h],r12
c00466  je 0c00260h
c0046c  cmp [r13+180h],r15
c00473  jne short 0c00482h
c00475  cmp [r13+188h],r12
c0047c  je 0c00260h
c00482  cmp [r13+1c0h],r15
c00489  jne short 0c00498h
c0048b  cmp [r13+1c8h],r12
c00492  je 0c00260h
c00498  jmp 0c00009h
