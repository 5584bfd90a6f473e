c00000  cmp byte ptr [800040h],0
c00007  jne short 0c00014h
c00009  sub rsp,20h
c0000d  xor ecx,ecx
c0000f  jmp 462c12h
c00014  mov r12,[r14+30h]
c00018  mov r12,[r12+0a0h]
c00020  test r12,r12
c00023  je 0c00282h
c00029  mov r12d,[r12]
c0002d  cmp r12d,[800004h]
c00034  jae 0c0025ch
c0003a  shl r12d,8
c0003e  lea r13,[802000h]
c00045  add r13,r12
c00048  cmp byte ptr [r13+30h],0
c0004d  jne 0c00270h
c00053  mov byte ptr [r13+30h],1
c00058  cmp dword ptr [800000h],0
c0005f  je 0c00319h
c00065  mov [r13+40h],rax
c00069  mov [r13+50h],rdx
c0006d  mov [r13+48h],rcx
c00071  mov [r13+58h],rbx
c00075  rdtsc
c00077  shl rdx,20h
c0007b  or rdx,rax
c0007e  mov [r13+60h],rdx
c00082  mov r15,[r14+98h]
c00089  test r15,r15
c0008c  je short 0c00109h
c0008e  mov rax,[r14+8]
c00092  sub rax,rsp
c00095  sub rax,10h
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
c000d1  cmp byte ptr [800040h],0
c000d8  je short 0c00109h
c000da  xor r12d,r12d
c000dd  mov rax,[rbx+r12]
c000e1  test rax,rax
c000e4  je short 0c0010fh
c000e6  cmp rax,r15
c000e9  jne short 0c000f2h
c000eb  cmp [rbx+r12+8],rcx
c000f0  je short 0c0011ch
c000f2  add r12,40h
c000f6  cmp r12,200h
c000fd  jb short 0c000ddh
c000ff  mov dword ptr [8010f0h],1
c00109  mov rdx,[r13+60h]
c0010d  jmp short 0c00154h
c0010f  mov edx,1
c00114  lock cmpxchg [rbx+r12],rdx
c0011a  jne short 0c000dah
c0011c  add rbx,r12
c0011f  mov [rbx+8],rcx
c00123  mov rdx,[r13+60h]
c00127  mov rax,[r13+58h]
c0012b  cmp rax,[r14]
c0012e  jb short 0c00138h
c00130  cmp rax,[r14+8]
c00134  jae short 0c00138h
c00136  xor eax,eax
c00138  mov [rbx+10h],rax
c0013c  mov rax,[r13+48h]
c00140  cmp rax,[r14]
c00143  jb short 0c0014dh
c00145  cmp rax,[r14+8]
c00149  jae short 0c0014dh
c0014b  xor eax,eax
c0014d  mov [rbx+18h],rax
c00151  mov [rbx],r15
c00154  mov r15,[r13]
c00158  lea rax,[r15+58h]
c0015c  cmp rax,[r13+8]
c00160  ja 0c00323h
c00166  and r15,[r13+10h]
c0016a  add r15,[r13+18h]
c0016e  prefetchw [r15+180h]
c00176  mov [r15+10h],rdx
c0017a  mov dword ptr [r15+0ch],0
c00182  mov rax,[r14+98h]
c00189  mov [r15+18h],rax
c0018d  mov rax,[r14+8]
c00191  sub rax,rsp
c00194  sub rax,10h
c0019a  mov [r15+20h],eax
c0019e  mov dword ptr [r15+24h],1fh
c001a6  mov rax,[r13+40h]
c001aa  movsx rax,al
c001ae  mov [r15+28h],rax
c001b2  mov rax,[r13+58h]
c001b6  movzx eax,ax
c001b9  mov [r15+30h],rax
c001bd  mov rax,r11
c001c0  movsxd rax,eax
c001c3  mov [r15+38h],rax
c001c7  mov rax,[rsp+20h]
c001cc  mov [r15+40h],rax
c001d0  mov rax,[r13+48h]
c001d4  xor ecx,ecx
c001d6  test rax,rax
c001d9  sete cl
c001dc  mov [r15+48h],rcx
c001e0  mov rax,rsi
c001e3  test rax,rax
c001e6  je short 0c00216h
c001e8  mov rcx,[rax+18h]
c001ec  lea rdx,[503000h]
c001f3  cmp rcx,rdx
c001f6  jne short 0c00216h
c001f8  mov rax,[rax+20h]
c001fc  test rax,rax
c001ff  je short 0c00216h
c00201  xor ecx,ecx
c00203  cmp qword ptr [rax+8],0
c00208  setne cl
c0020b  mov [r15+50h],rcx
c0020f  or dword ptr [r15+24h],20h
c00214  jmp short 0c0021eh
c00216  mov qword ptr [r15+50h],0
c0021e  mov dword ptr [r15+8],50h
c00226  mov qword ptr [r15],50h
c0022d  mov r12d,58h
c00233  add r12,[r13]
c00237  mov [r13],r12
c0023b  mov rax,[r13+20h]
c0023f  mov [rax],r12
c00242  mov rbx,[r13+58h]
c00246  mov rax,[r13+40h]
c0024a  mov rcx,[r13+48h]
c0024e  mov rdx,[r13+50h]
c00252  mov byte ptr [r13+30h],0
c00257  jmp 0c00009h
c0025c  inc r12d
c0025f  mov [801078h],r12d
c00266  lock inc qword ptr [801070h]
c0026e  jmp short 0c00282h
c00270  cmp dword ptr [800000h],0
c00277  je short 0c00282h
c00279  mov r12,[r13+20h]
c0027d  inc qword ptr [r12+50h]
c00282  lock inc dword ptr [8010f8h]
c00289  movq xmm15,rax
c0028e  mov r15,[r14+98h]
c00295  test r15,r15
c00298  je short 0c00304h
c0029a  mov r12,[r14+8]
c0029e  sub r12,rsp
c002a1  sub r12,10h
c002a5  shr r12,3
c002a9  shl r15,1bh
c002ad  or r15,r12
c002b0  mov r13,9e3779b97f4a7c15h
c002ba  imul r13,r15
c002be  shr r13,31h
c002c2  shl r13,6
c002c6  lea r12,[80a000h]
c002cd  add r13,r12
c002d0  mov rax,[800008h]
c002d7  or rax,0
c002dd  xor r12d,r12d
c002e0  cmp [r13+r12],r15
c002e5  jne short 0c002f7h
c002e7  cmp [r13+r12+8],rax
c002ec  jne short 0c002f7h
c002ee  mov qword ptr [r13+r12],0
c002f7  add r12,40h
c002fb  cmp r12,200h
c00302  jb short 0c002e0h
c00304  movq rax,xmm15
c00309  xorps xmm15,xmm15
c0030d  lock dec dword ptr [8010f8h]
c00314  jmp 0c00009h
c00319  mov byte ptr [r13+30h],0
c0031e  jmp 0c00009h
c00323  mov r12,[r13+28h]
c00327  mov r12,[r12]
c0032b  add r12,[r13+10h]
c0032f  inc r12
c00332  mov [r13+8],r12
c00336  cmp rax,r12
c00339  jbe 0c00166h
c0033f  mov r12,[r13+20h]
c00343  inc qword ptr [r12+40h]
c00348  jmp 0c00242h
