c00000  cmp byte ptr [800040h],0
c00007  jne short 0c00016h
c00009  push rbp
c0000a  mov rbp,rsp
c0000d  sub rsp,20h
c00011  jmp 462c12h
c00016  mov r12,[r14+30h]
c0001a  mov r12,[r12+0a0h]
c00022  test r12,r12
c00025  je short 0c00009h
c00027  mov r12d,[r12]
c0002b  cmp r12d,[800004h]
c00032  jae 0c00168h
c00038  shl r12d,8
c0003c  lea r13,[802000h]
c00043  add r13,r12
c00046  mov byte ptr [r13+30h],1
c0004b  cmp dword ptr [800000h],0
c00052  je 0c0017fh
c00058  mov [r13+40h],rax
c0005c  mov [r13+50h],rdx
c00060  mov [r13+48h],rcx
c00064  rdtsc
c00066  shl rdx,20h
c0006a  or rdx,rax
c0006d  mov r15,[r13]
c00071  lea rax,[r15+58h]
c00075  cmp rax,[r13+8]
c00079  ja 0c00189h
c0007f  and r15,[r13+10h]
c00083  add r15,[r13+18h]
c00087  mov [r15+10h],rdx
c0008b  mov dword ptr [r15+0ch],0
c00093  mov rax,[r14+98h]
c0009a  mov [r15+18h],rax
c0009e  mov rax,[r14+8]
c000a2  sub rax,rsp
c000a5  sub rax,8
c000ab  mov [r15+20h],eax
c000af  mov dword ptr [r15+24h],1fh
c000b7  mov rax,[r13+40h]
c000bb  movsx rax,al
c000bf  mov [r15+28h],rax
c000c3  mov rax,rbx
c000c6  movzx eax,ax
c000c9  mov [r15+30h],rax
c000cd  mov rax,r11
c000d0  movsxd rax,eax
c000d3  mov [r15+38h],rax
c000d7  mov rax,[rsp+18h]
c000dc  mov [r15+40h],rax
c000e0  mov rax,[r13+48h]
c000e4  xor ecx,ecx
c000e6  test rax,rax
c000e9  sete cl
c000ec  mov [r15+48h],rcx
c000f0  mov rax,rsi
c000f3  test rax,rax
c000f6  je short 0c00126h
c000f8  mov rcx,[rax+18h]
c000fc  lea rdx,[503000h]
c00103  cmp rcx,rdx
c00106  jne short 0c00126h
c00108  mov rax,[rax+20h]
c0010c  test rax,rax
c0010f  je short 0c00126h
c00111  xor ecx,ecx
c00113  cmp qword ptr [rax+8],0
c00118  setne cl
c0011b  mov [r15+50h],rcx
c0011f  or dword ptr [r15+24h],20h
c00124  jmp short 0c0012eh
c00126  mov qword ptr [r15+50h],0
c0012e  mov dword ptr [r15+8],50h
c00136  mov qword ptr [r15],50h
c0013d  mov r12d,58h
c00143  add r12,[r13]
c00147  mov [r13],r12
c0014b  mov rax,[r13+20h]
c0014f  mov [rax],r12
c00152  mov rax,[r13+40h]
c00156  mov rcx,[r13+48h]
c0015a  mov rdx,[r13+50h]
c0015e  mov byte ptr [r13+30h],0
c00163  jmp 0c00009h
c00168  inc r12d
c0016b  mov [801078h],r12d
c00172  lock inc qword ptr [801070h]
c0017a  jmp 0c00009h
c0017f  mov byte ptr [r13+30h],0
c00184  jmp 0c00009h
c00189  mov r12,[r13+28h]
c0018d  mov r12,[r12]
c00191  add r12,[r13+10h]
c00195  inc r12
c00198  mov [r13+8],r12
c0019c  cmp rax,r12
c0019f  jbe 0c0007fh
c001a5  mov r12,[r13+20h]
c001a9  inc qword ptr [r12+40h]
c001ae  jmp short 0c00152h
