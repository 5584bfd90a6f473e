c00000  cmp byte ptr [800040h],0
c00007  jne short 0c00016h
c00009  push rbp
c0000a  mov rbp,rsp
c0000d  sub rsp,20h
c00011  jmp 462c12h
c00016  mov r12,[r14+30h]
c0001a  mov r12,[r12+0a0h]
c00022  test r12,r12
c00025  je 0c001edh
c0002b  mov r12d,[r12]
c0002f  cmp r12d,[800004h]
c00036  jae 0c001dbh
c0003c  shl r12d,8
c00040  lea r13,[802000h]
c00047  add r13,r12
c0004a  mov byte ptr [r13+30h],1
c0004f  cmp dword ptr [800000h],0
c00056  je 0c00284h
c0005c  mov [r13+40h],rax
c00060  mov [r13+50h],rdx
c00064  mov [r13+48h],rcx
c00068  mov [r13+58h],rbx
c0006c  rdtsc
c0006e  shl rdx,20h
c00072  or rdx,rax
c00075  mov [r13+60h],rdx
c00079  mov r15,[r14+98h]
c00080  test r15,r15
c00083  je short 0c00100h
c00085  mov rax,[r14+8]
c00089  sub rax,rsp
c0008c  sub rax,8
c00092  shr rax,3
c00096  shl r15,1bh
c0009a  or r15,rax
c0009d  mov rbx,9e3779b97f4a7c15h
c000a7  imul rbx,r15
c000ab  shr rbx,31h
c000af  shl rbx,6
c000b3  lea rax,[80a000h]
c000ba  add rbx,rax
c000bd  mov rcx,[800008h]
c000c4  or rcx,0
c000c8  cmp byte ptr [800040h],0
c000cf  je short 0c00100h
c000d1  xor r12d,r12d
c000d4  mov rax,[rbx+r12]
c000d8  test rax,rax
c000db  je short 0c00106h
c000dd  cmp rax,r15
c000e0  jne short 0c000e9h
c000e2  cmp [rbx+r12+8],rcx
c000e7  je short 0c00113h
c000e9  add r12,40h
c000ed  cmp r12,200h
c000f4  jb short 0c000d4h
c000f6  mov dword ptr [8010f0h],1
c00100  mov rdx,[r13+60h]
c00104  jmp short 0c0014bh
c00106  mov edx,1
c0010b  lock cmpxchg [rbx+r12],rdx
c00111  jne short 0c000d1h
c00113  add rbx,r12
c00116  mov [rbx+8],rcx
c0011a  mov rdx,[r13+60h]
c0011e  mov rax,[r13+58h]
c00122  cmp rax,[r14]
c00125  jb short 0c0012fh
c00127  cmp rax,[r14+8]
c0012b  jae short 0c0012fh
c0012d  xor eax,eax
c0012f  mov [rbx+10h],rax
c00133  mov rax,[r13+48h]
c00137  cmp rax,[r14]
c0013a  jb short 0c00144h
c0013c  cmp rax,[r14+8]
c00140  jae short 0c00144h
c00142  xor eax,eax
c00144  mov [rbx+18h],rax
c00148  mov [rbx],r15
c0014b  mov r15,[r13]
c0014f  lea rax,[r15+28h]
c00153  cmp rax,[r13+8]
c00157  ja 0c0028eh
c0015d  and r15,[r13+10h]
c00161  add r15,[r13+18h]
c00165  prefetchw [r15+180h]
c0016d  mov [r15+10h],rdx
c00171  mov dword ptr [r15+0ch],0
c00179  mov rax,[r14+98h]
c00180  mov [r15+18h],rax
c00184  mov rax,[r14+8]
c00188  sub rax,rsp
c0018b  sub rax,8
c00191  mov [r15+20h],eax
c00195  mov dword ptr [r15+24h],0
c0019d  mov dword ptr [r15+8],20h
c001a5  mov qword ptr [r15],20h
c001ac  mov r12d,28h
c001b2  add r12,[r13]
c001b6  mov [r13],r12
c001ba  mov rax,[r13+20h]
c001be  mov [rax],r12
c001c1  mov rbx,[r13+58h]
c001c5  mov rax,[r13+40h]
c001c9  mov rcx,[r13+48h]
c001cd  mov rdx,[r13+50h]
c001d1  mov byte ptr [r13+30h],0
c001d6  jmp 0c00009h
c001db  inc r12d
c001de  mov [801078h],r12d
c001e5  lock inc qword ptr [801070h]
c001ed  lock inc dword ptr [8010f8h]
c001f4  movq xmm15,rax
c001f9  mov r15,[r14+98h]
c00200  test r15,r15
c00203  je short 0c0026fh
c00205  mov r12,[r14+8]
c00209  sub r12,rsp
c0020c  sub r12,8
c00210  shr r12,3
c00214  shl r15,1bh
c00218  or r15,r12
c0021b  mov r13,9e3779b97f4a7c15h
c00225  imul r13,r15
c00229  shr r13,31h
c0022d  shl r13,6
c00231  lea r12,[80a000h]
c00238  add r13,r12
c0023b  mov rax,[800008h]
c00242  or rax,0
c00248  xor r12d,r12d
c0024b  cmp [r13+r12],r15
c00250  jne short 0c00262h
c00252  cmp [r13+r12+8],rax
c00257  jne short 0c00262h
c00259  mov qword ptr [r13+r12],0
c00262  add r12,40h
c00266  cmp r12,200h
c0026d  jb short 0c0024bh
c0026f  movq rax,xmm15
c00274  xorps xmm15,xmm15
c00278  lock dec dword ptr [8010f8h]
c0027f  jmp 0c00009h
c00284  mov byte ptr [r13+30h],0
c00289  jmp 0c00009h
c0028e  mov r12,[r13+28h]
c00292  mov r12,[r12]
c00296  add r12,[r13+10h]
c0029a  inc r12
c0029d  mov [r13+8],r12
c002a1  cmp rax,r12
c002a4  jbe 0c0015dh
c002aa  mov r12,[r13+20h]
c002ae  inc qword ptr [r12+40h]
c002b3  jmp 0c001c1h
