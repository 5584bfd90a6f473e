c00000  add rsp,20h
c00004  pop rbp
c00005  cmp byte ptr [800040h],0
c0000c  jne short 0c00010h
c0000e  rep ret
c00010  mov r12,[r14+30h]
c00014  mov r12,[r12+0a0h]
c0001c  test r12,r12
c0001f  je 0c00247h
c00025  mov r12d,[r12]
c00029  cmp r12d,[800004h]
c00030  jae 0c00235h
c00036  shl r12d,8
c0003a  lea r13,[802000h]
c00041  add r13,r12
c00044  mov byte ptr [r13+30h],1
c00049  cmp dword ptr [800000h],0
c00050  je 0c002deh
c00056  mov [r13+40h],rax
c0005a  mov [r13+50h],rdx
c0005e  mov [r13+48h],rcx
c00062  mov [r13+58h],rbx
c00066  rdtsc
c00068  shl rdx,20h
c0006c  or rdx,rax
c0006f  mov [r13+60h],rdx
c00073  mov r15,[r14+98h]
c0007a  test r15,r15
c0007d  je 0c0010ah
c00083  mov rax,[r14+8]
c00087  sub rax,rsp
c0008a  sub rax,8
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
c000c6  xor r12d,r12d
c000c9  cmp [rbx+r12],r15
c000cd  jne short 0c000fdh
c000cf  cmp [rbx+r12+8],rcx
c000d4  jne short 0c000fdh
c000d6  mov rax,[rbx+r12+10h]
c000db  mov [r13+80h],rax
c000e2  mov rax,[rbx+r12+18h]
c000e7  mov [r13+88h],rax
c000ee  mov qword ptr [rbx+r12],0
c000f6  mov byte ptr [r13+31h],1
c000fb  jmp short 0c00126h
c000fd  add r12,40h
c00101  cmp r12,200h
c00108  jb short 0c000c9h
c0010a  mov rax,[r13+20h]
c0010e  inc qword ptr [rax+48h]
c00112  xor eax,eax
c00114  mov [r13+31h],al
c00118  mov [r13+80h],rax
c0011f  mov [r13+88h],rax
c00126  mov rdx,[r13+60h]
c0012a  mov r15,[r13]
c0012e  lea rax,[r15+30h]
c00132  cmp rax,[r13+8]
c00136  ja 0c002e8h
c0013c  and r15,[r13+10h]
c00140  add r15,[r13+18h]
c00144  prefetchw [r15+180h]
c0014c  mov [r15+10h],rdx
c00150  mov dword ptr [r15+0ch],1
c00158  mov rax,[r14+98h]
c0015f  mov [r15+18h],rax
c00163  mov rax,[r14+8]
c00167  sub rax,rsp
c0016a  sub rax,8
c00170  mov [r15+20h],eax
c00174  mov dword ptr [r15+24h],0
c0017c  mov rcx,[r13+80h]
c00183  lea rdx,[501000h]
c0018a  test rcx,rcx
c0018d  je short 0c001b3h
c0018f  cmp [rcx+8],rdx
c00193  jne short 0c001b3h
c00195  mov rax,[r13+88h]
c0019c  test rax,rax
c0019f  je short 0c001b3h
c001a1  mov rax,[rax+0a0h]
c001a8  mov [r15+28h],rax
c001ac  or dword ptr [r15+24h],1
c001b1  jmp short 0c001f7h
c001b3  mov rcx,[r13+80h]
c001ba  lea rdx,[502000h]
c001c1  test rcx,rcx
c001c4  je short 0c001efh
c001c6  cmp [rcx+8],rdx
c001ca  jne short 0c001efh
c001cc  mov rax,[r13+88h]
c001d3  test rax,rax
c001d6  je short 0c001efh
c001d8  mov rax,[rax]
c001db  test rax,rax
c001de  je short 0c001efh
c001e0  mov rax,[rax+60h]
c001e4  mov [r15+28h],rax
c001e8  or dword ptr [r15+24h],1
c001ed  jmp short 0c001f7h
c001ef  mov qword ptr [r15+28h],0
c001f7  mov dword ptr [r15+8],28h
c001ff  mov qword ptr [r15],28h
c00206  mov r12d,30h
c0020c  add r12,[r13]
c00210  mov [r13],r12
c00214  mov rax,[r13+20h]
c00218  mov [rax],r12
c0021b  mov rbx,[r13+58h]
c0021f  mov rax,[r13+40h]
c00223  mov rcx,[r13+48h]
c00227  mov rdx,[r13+50h]
c0022b  mov byte ptr [r13+30h],0
c00230  jmp 0c0000eh
c00235  inc r12d
c00238  mov [801078h],r12d
c0023f  lock inc qword ptr [801070h]
c00247  lock inc dword ptr [8010f8h]
c0024e  movq xmm15,rax
c00253  mov r15,[r14+98h]
c0025a  test r15,r15
c0025d  je short 0c002c9h
c0025f  mov r12,[r14+8]
c00263  sub r12,rsp
c00266  sub r12,8
c0026a  shr r12,3
c0026e  shl r15,1bh
c00272  or r15,r12
c00275  mov r13,9e3779b97f4a7c15h
c0027f  imul r13,r15
c00283  shr r13,31h
c00287  shl r13,6
c0028b  lea r12,[80a000h]
c00292  add r13,r12
c00295  mov rax,[800008h]
c0029c  or rax,0
c002a2  xor r12d,r12d
c002a5  cmp [r13+r12],r15
c002aa  jne short 0c002bch
c002ac  cmp [r13+r12+8],rax
c002b1  jne short 0c002bch
c002b3  mov qword ptr [r13+r12],0
c002bc  add r12,40h
c002c0  cmp r12,200h
c002c7  jb short 0c002a5h
c002c9  movq rax,xmm15
c002ce  xorps xmm15,xmm15
c002d2  lock dec dword ptr [8010f8h]
c002d9  jmp 0c0000eh
c002de  mov byte ptr [r13+30h],0
c002e3  jmp 0c0000eh
c002e8  mov r12,[r13+28h]
c002ec  mov r12,[r12]
c002f0  add r12,[r13+10h]
c002f4  inc r12
c002f7  mov [r13+8],r12
c002fb  cmp rax,r12
c002fe  jbe 0c0013ch
c00304  mov r12,[r13+20h]
c00308  inc qword ptr [r12+40h]
c0030d  jmp 0c0021bh
