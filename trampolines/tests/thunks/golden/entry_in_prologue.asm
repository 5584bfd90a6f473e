c00000  cmp byte ptr [800040h],0
c00007  jne short 0c00014h
c00009  sub rsp,20h
c0000d  xor ecx,ecx
c0000f  jmp 462c12h
c00014  mov r12,[r14+30h]
c00018  mov r12,[r12+0a0h]
c00020  test r12,r12
c00023  je 0c00263h
c00029  mov r12d,[r12]
c0002d  cmp r12d,[800004h]
c00034  jae 0c00251h
c0003a  shl r12d,8
c0003e  lea r13,[802000h]
c00045  add r13,r12
c00048  mov byte ptr [r13+30h],1
c0004d  cmp dword ptr [800000h],0
c00054  je 0c002fah
c0005a  mov [r13+40h],rax
c0005e  mov [r13+50h],rdx
c00062  mov [r13+48h],rcx
c00066  mov [r13+58h],rbx
c0006a  rdtsc
c0006c  shl rdx,20h
c00070  or rdx,rax
c00073  mov [r13+60h],rdx
c00077  mov r15,[r14+98h]
c0007e  test r15,r15
c00081  je short 0c000feh
c00083  mov rax,[r14+8]
c00087  sub rax,rsp
c0008a  sub rax,10h
c00090  shr rax,3
c00094  shl r15,1bh
c00098  or r15,rax
c0009b  mov rbx,9e3779b97f4a7c15h
c000a5  imul rbx,r15
c000a9  shr rbx,31h
c000ad  shl rbx,6
c000b1  lea rax,[80a000h]
c000b8  add rbx,rax
c000bb  mov rcx,[800008h]
c000c2  or rcx,0
c000c6  cmp byte ptr [800040h],0
c000cd  je short 0c000feh
c000cf  xor r12d,r12d
c000d2  mov rax,[rbx+r12]
c000d6  test rax,rax
c000d9  je short 0c00104h
c000db  cmp rax,r15
c000de  jne short 0c000e7h
c000e0  cmp [rbx+r12+8],rcx
c000e5  je short 0c00111h
c000e7  add r12,40h
c000eb  cmp r12,200h
c000f2  jb short 0c000d2h
c000f4  mov dword ptr [8010f0h],1
c000fe  mov rdx,[r13+60h]
c00102  jmp short 0c00149h
c00104  mov edx,1
c00109  lock cmpxchg [rbx+r12],rdx
c0010f  jne short 0c000cfh
c00111  add rbx,r12
c00114  mov [rbx+8],rcx
c00118  mov rdx,[r13+60h]
c0011c  mov rax,[r13+58h]
c00120  cmp rax,[r14]
c00123  jb short 0c0012dh
c00125  cmp rax,[r14+8]
c00129  jae short 0c0012dh
c0012b  xor eax,eax
c0012d  mov [rbx+10h],rax
c00131  mov rax,[r13+48h]
c00135  cmp rax,[r14]
c00138  jb short 0c00142h
c0013a  cmp rax,[r14+8]
c0013e  jae short 0c00142h
c00140  xor eax,eax
c00142  mov [rbx+18h],rax
c00146  mov [rbx],r15
c00149  mov r15,[r13]
c0014d  lea rax,[r15+58h]
c00151  cmp rax,[r13+8]
c00155  ja 0c00304h
c0015b  and r15,[r13+10h]
c0015f  add r15,[r13+18h]
c00163  prefetchw [r15+180h]
c0016b  mov [r15+10h],rdx
c0016f  mov dword ptr [r15+0ch],0
c00177  mov rax,[r14+98h]
c0017e  mov [r15+18h],rax
c00182  mov rax,[r14+8]
c00186  sub rax,rsp
c00189  sub rax,10h
c0018f  mov [r15+20h],eax
c00193  mov dword ptr [r15+24h],1fh
c0019b  mov rax,[r13+40h]
c0019f  movsx rax,al
c001a3  mov [r15+28h],rax
c001a7  mov rax,[r13+58h]
c001ab  movzx eax,ax
c001ae  mov [r15+30h],rax
c001b2  mov rax,r11
c001b5  movsxd rax,eax
c001b8  mov [r15+38h],rax
c001bc  mov rax,[rsp+20h]
c001c1  mov [r15+40h],rax
c001c5  mov rax,[r13+48h]
c001c9  xor ecx,ecx
c001cb  test rax,rax
c001ce  sete cl
c001d1  mov [r15+48h],rcx
c001d5  mov rax,rsi
c001d8  test rax,rax
c001db  je short 0c0020bh
c001dd  mov rcx,[rax+18h]
c001e1  lea rdx,[503000h]
c001e8  cmp rcx,rdx
c001eb  jne short 0c0020bh
c001ed  mov rax,[rax+20h]
c001f1  test rax,rax
c001f4  je short 0c0020bh
c001f6  xor ecx,ecx
c001f8  cmp qword ptr [rax+8],0
c001fd  setne cl
c00200  mov [r15+50h],rcx
c00204  or dword ptr [r15+24h],20h
c00209  jmp short 0c00213h
c0020b  mov qword ptr [r15+50h],0
c00213  mov dword ptr [r15+8],50h
c0021b  mov qword ptr [r15],50h
c00222  mov r12d,58h
c00228  add r12,[r13]
c0022c  mov [r13],r12
c00230  mov rax,[r13+20h]
c00234  mov [rax],r12
c00237  mov rbx,[r13+58h]
c0023b  mov rax,[r13+40h]
c0023f  mov rcx,[r13+48h]
c00243  mov rdx,[r13+50h]
c00247  mov byte ptr [r13+30h],0
c0024c  jmp 0c00009h
c00251  inc r12d
c00254  mov [801078h],r12d
c0025b  lock inc qword ptr [801070h]
c00263  lock inc dword ptr [8010f8h]
c0026a  movq xmm15,rax
c0026f  mov r15,[r14+98h]
c00276  test r15,r15
c00279  je short 0c002e5h
c0027b  mov r12,[r14+8]
c0027f  sub r12,rsp
c00282  sub r12,10h
c00286  shr r12,3
c0028a  shl r15,1bh
c0028e  or r15,r12
c00291  mov r13,9e3779b97f4a7c15h
c0029b  imul r13,r15
c0029f  shr r13,31h
c002a3  shl r13,6
c002a7  lea r12,[80a000h]
c002ae  add r13,r12
c002b1  mov rax,[800008h]
c002b8  or rax,0
c002be  xor r12d,r12d
c002c1  cmp [r13+r12],r15
c002c6  jne short 0c002d8h
c002c8  cmp [r13+r12+8],rax
c002cd  jne short 0c002d8h
c002cf  mov qword ptr [r13+r12],0
c002d8  add r12,40h
c002dc  cmp r12,200h
c002e3  jb short 0c002c1h
c002e5  movq rax,xmm15
c002ea  xorps xmm15,xmm15
c002ee  lock dec dword ptr [8010f8h]
c002f5  jmp 0c00009h
c002fa  mov byte ptr [r13+30h],0
c002ff  jmp 0c00009h
c00304  mov r12,[r13+28h]
c00308  mov r12,[r12]
c0030c  add r12,[r13+10h]
c00310  inc r12
c00313  mov [r13+8],r12
c00317  cmp rax,r12
c0031a  jbe 0c0015bh
c00320  mov r12,[r13+20h]
c00324  inc qword ptr [r12+40h]
c00329  jmp 0c00237h
