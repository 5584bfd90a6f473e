c00000  cmp byte ptr [800040h],0
c00007  jne short 0c00016h
c00009  push rbp
c0000a  mov rbp,rsp
c0000d  sub rsp,20h
c00011  jmp 462c12h
c00016  mov r12,[r14+30h]
c0001a  mov r12,[r12+0a0h]
c00022  test r12,r12
c00025  je 0c001a5h
c0002b  mov r12d,[r12]
c0002f  cmp r12d,[800004h]
c00036  jae 0c0017fh
c0003c  shl r12d,8
c00040  lea r13,[802000h]
c00047  add r13,r12
c0004a  cmp byte ptr [r13+30h],0
c0004f  jne 0c00193h
c00055  mov byte ptr [r13+30h],1
c0005a  cmp dword ptr [800000h],0
c00061  je 0c001aah
c00067  mov [r13+40h],rax
c0006b  mov [r13+50h],rdx
c0006f  mov [r13+48h],rcx
c00073  rdtsc
c00075  shl rdx,20h
c00079  or rdx,rax
c0007c  mov r15,[r13]
c00080  lea rax,[r15+58h]
c00084  cmp rax,[r13+8]
c00088  ja 0c001b4h
c0008e  and r15,[r13+10h]
c00092  add r15,[r13+18h]
c00096  prefetchw [r15+180h]
c0009e  mov [r15+10h],rdx
c000a2  mov dword ptr [r15+0ch],0
c000aa  mov rax,[r14+98h]
c000b1  mov [r15+18h],rax
c000b5  mov rax,[r14+8]
c000b9  sub rax,rsp
c000bc  sub rax,8
c000c2  mov [r15+20h],eax
c000c6  mov dword ptr [r15+24h],1fh
c000ce  mov rax,[r13+40h]
c000d2  movsx rax,al
c000d6  mov [r15+28h],rax
c000da  mov rax,rbx
c000dd  movzx eax,ax
c000e0  mov [r15+30h],rax
c000e4  mov rax,r11
c000e7  movsxd rax,eax
c000ea  mov [r15+38h],rax
c000ee  mov rax,[rsp+18h]
c000f3  mov [r15+40h],rax
c000f7  mov rax,[r13+48h]
c000fb  xor ecx,ecx
c000fd  test rax,rax
c00100  sete cl
c00103  mov [r15+48h],rcx
c00107  mov rax,rsi
c0010a  test rax,rax
c0010d  je short 0c0013dh
c0010f  mov rcx,[rax+18h]
c00113  lea rdx,[503000h]
c0011a  cmp rcx,rdx
c0011d  jne short 0c0013dh
c0011f  mov rax,[rax+20h]
c00123  test rax,rax
c00126  je short 0c0013dh
c00128  xor ecx,ecx
c0012a  cmp qword ptr [rax+8],0
c0012f  setne cl
c00132  mov [r15+50h],rcx
c00136  or dword ptr [r15+24h],20h
c0013b  jmp short 0c00145h
c0013d  mov qword ptr [r15+50h],0
c00145  mov dword ptr [r15+8],50h
c0014d  mov qword ptr [r15],50h
c00154  mov r12d,58h
c0015a  add r12,[r13]
c0015e  mov [r13],r12
c00162  mov rax,[r13+20h]
c00166  mov [rax],r12
c00169  mov rax,[r13+40h]
c0016d  mov rcx,[r13+48h]
c00171  mov rdx,[r13+50h]
c00175  mov byte ptr [r13+30h],0
c0017a  jmp 0c00009h
c0017f  inc r12d
c00182  mov [801078h],r12d
c00189  lock inc qword ptr [801070h]
c00191  jmp short 0c001a5h
c00193  cmp dword ptr [800000h],0
c0019a  je short 0c001a5h
c0019c  mov r12,[r13+20h]
c001a0  inc qword ptr [r12+50h]
c001a5  jmp 0c00009h
c001aa  mov byte ptr [r13+30h],0
c001af  jmp 0c00009h
c001b4  mov r12,[r13+28h]
c001b8  mov r12,[r12]
c001bc  add r12,[r13+10h]
c001c0  inc r12
c001c3  mov [r13+8],r12
c001c7  cmp rax,r12
c001ca  jbe 0c0008eh
c001d0  mov r12,[r13+20h]
c001d4  inc qword ptr [r12+40h]
c001d9  jmp short 0c00169h
