c00000  cmp byte ptr [800040h],0
c00007  jne short 0c00016h
c00009  push rbp
c0000a  mov rbp,rsp
c0000d  sub rsp,20h
c00011  jmp 462c12h
c00016  mov r12,[r14+30h]
c0001a  mov r12,[r12+0a0h]
c00022  test r12,r12
c00025  je 0c0020ch
c0002b  mov r12d,[r12]
c0002f  cmp r12d,[800004h]
c00036  jae 0c001e6h
c0003c  shl r12d,8
c00040  lea r13,[802000h]
c00047  add r13,r12
c0004a  cmp byte ptr [r13+30h],0
c0004f  jne 0c001fah
c00055  mov byte ptr [r13+30h],1
c0005a  cmp dword ptr [800000h],0
c00061  je 0c002a3h
c00067  mov [r13+40h],rax
c0006b  mov [r13+50h],rdx
c0006f  mov [r13+48h],rcx
c00073  mov [r13+58h],rbx
c00077  rdtsc
c00079  shl rdx,20h
c0007d  or rdx,rax
c00080  mov [r13+60h],rdx
c00084  mov r15,[r14+98h]
c0008b  test r15,r15
c0008e  je short 0c0010bh
c00090  mov rax,[r14+8]
c00094  sub rax,rsp
c00097  sub rax,8
c0009d  shr rax,3
c000a1  shl r15,1bh
c000a5  or r15,rax
c000a8  mov rbx,9e3779b97f4a7c15h
c000b2  imul rbx,r15
c000b6  shr rbx,31h
c000ba  shl rbx,6
c000be  lea rax,[80a000h]
c000c5  add rbx,rax
c000c8  mov rcx,[800008h]
c000cf  or rcx,0
c000d3  cmp byte ptr [800040h],0
c000da  je short 0c0010bh
c000dc  xor r12d,r12d
c000df  mov rax,[rbx+r12]
c000e3  test rax,rax
c000e6  je short 0c00111h
c000e8  cmp rax,r15
c000eb  jne short 0c000f4h
c000ed  cmp [rbx+r12+8],rcx
c000f2  je short 0c0011eh
c000f4  add r12,40h
c000f8  cmp r12,200h
c000ff  jb short 0c000dfh
c00101  mov dword ptr [8010f0h],1
c0010b  mov rdx,[r13+60h]
c0010f  jmp short 0c00156h
c00111  mov edx,1
c00116  lock cmpxchg [rbx+r12],rdx
c0011c  jne short 0c000dch
c0011e  add rbx,r12
c00121  mov [rbx+8],rcx
c00125  mov rdx,[r13+60h]
c00129  mov rax,[r13+58h]
c0012d  cmp rax,[r14]
c00130  jb short 0c0013ah
c00132  cmp rax,[r14+8]
c00136  jae short 0c0013ah
c00138  xor eax,eax
c0013a  mov [rbx+10h],rax
c0013e  mov rax,[r13+48h]
c00142  cmp rax,[r14]
c00145  jb short 0c0014fh
c00147  cmp rax,[r14+8]
c0014b  jae short 0c0014fh
c0014d  xor eax,eax
c0014f  mov [rbx+18h],rax
c00153  mov [rbx],r15
c00156  mov r15,[r13]
c0015a  lea rax,[r15+28h]
c0015e  cmp rax,[r13+8]
c00162  ja 0c002adh
c00168  and r15,[r13+10h]
c0016c  add r15,[r13+18h]
c00170  prefetchw [r15+180h]
c00178  mov [r15+10h],rdx
c0017c  mov dword ptr [r15+0ch],0
c00184  mov rax,[r14+98h]
c0018b  mov [r15+18h],rax
c0018f  mov rax,[r14+8]
c00193  sub rax,rsp
c00196  sub rax,8
c0019c  mov [r15+20h],eax
c001a0  mov dword ptr [r15+24h],0
c001a8  mov dword ptr [r15+8],20h
c001b0  mov qword ptr [r15],20h
c001b7  mov r12d,28h
c001bd  add r12,[r13]
c001c1  mov [r13],r12
c001c5  mov rax,[r13+20h]
c001c9  mov [rax],r12
c001cc  mov rbx,[r13+58h]
c001d0  mov rax,[r13+40h]
c001d4  mov rcx,[r13+48h]
c001d8  mov rdx,[r13+50h]
c001dc  mov byte ptr [r13+30h],0
c001e1  jmp 0c00009h
c001e6  inc r12d
c001e9  mov [801078h],r12d
c001f0  lock inc qword ptr [801070h]
c001f8  jmp short 0c0020ch
c001fa  cmp dword ptr [800000h],0
c00201  je short 0c0020ch
c00203  mov r12,[r13+20h]
c00207  inc qword ptr [r12+50h]
c0020c  lock inc dword ptr [8010f8h]
c00213  movq xmm15,rax
c00218  mov r15,[r14+98h]
c0021f  test r15,r15
c00222  je short 0c0028eh
c00224  mov r12,[r14+8]
c00228  sub r12,rsp
c0022b  sub r12,8
c0022f  shr r12,3
c00233  shl r15,1bh
c00237  or r15,r12
c0023a  mov r13,9e3779b97f4a7c15h
c00244  imul r13,r15
c00248  shr r13,31h
c0024c  shl r13,6
c00250  lea r12,[80a000h]
c00257  add r13,r12
c0025a  mov rax,[800008h]
c00261  or rax,0
c00267  xor r12d,r12d
c0026a  cmp [r13+r12],r15
c0026f  jne short 0c00281h
c00271  cmp [r13+r12+8],rax
c00276  jne short 0c00281h
c00278  mov qword ptr [r13+r12],0
c00281  add r12,40h
c00285  cmp r12,200h
c0028c  jb short 0c0026ah
c0028e  movq rax,xmm15
c00293  xorps xmm15,xmm15
c00297  lock dec dword ptr [8010f8h]
c0029e  jmp 0c00009h
c002a3  mov byte ptr [r13+30h],0
c002a8  jmp 0c00009h
c002ad  mov r12,[r13+28h]
c002b1  mov r12,[r12]
c002b5  add r12,[r13+10h]
c002b9  inc r12
c002bc  mov [r13+8],r12
c002c0  cmp rax,r12
c002c3  jbe 0c00168h
c002c9  mov r12,[r13+20h]
c002cd  inc qword ptr [r12+40h]
c002d2  jmp 0c001cch
