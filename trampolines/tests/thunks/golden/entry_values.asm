c00000  cmp byte ptr [800040h],0
c00007  jne short 0c00016h
c00009  push rbp
c0000a  mov rbp,rsp
c0000d  sub rsp,20h
c00011  jmp 462c12h
c00016  mov r12,[r14+30h]
c0001a  mov r12,[r12+0a0h]
c00022  test r12,r12
c00025  je 0c00186h
c0002b  mov r12d,[r12]
c0002f  cmp r12d,[800004h]
c00036  jae 0c00174h
c0003c  shl r12d,8
c00040  lea r13,[802000h]
c00047  add r13,r12
c0004a  mov byte ptr [r13+30h],1
c0004f  cmp dword ptr [800000h],0
c00056  je 0c0018bh
c0005c  mov [r13+40h],rax
c00060  mov [r13+50h],rdx
c00064  mov [r13+48h],rcx
c00068  rdtsc
c0006a  shl rdx,20h
c0006e  or rdx,rax
c00071  mov r15,[r13]
c00075  lea rax,[r15+58h]
c00079  cmp rax,[r13+8]
c0007d  ja 0c00195h
c00083  and r15,[r13+10h]
c00087  add r15,[r13+18h]
c0008b  prefetchw [r15+180h]
c00093  mov [r15+10h],rdx
c00097  mov dword ptr [r15+0ch],0
c0009f  mov rax,[r14+98h]
c000a6  mov [r15+18h],rax
c000aa  mov rax,[r14+8]
c000ae  sub rax,rsp
c000b1  sub rax,8
c000b7  mov [r15+20h],eax
c000bb  mov dword ptr [r15+24h],1fh
c000c3  mov rax,[r13+40h]
c000c7  movsx rax,al
c000cb  mov [r15+28h],rax
c000cf  mov rax,rbx
c000d2  movzx eax,ax
c000d5  mov [r15+30h],rax
c000d9  mov rax,r11
c000dc  movsxd rax,eax
c000df  mov [r15+38h],rax
c000e3  mov rax,[rsp+18h]
c000e8  mov [r15+40h],rax
c000ec  mov rax,[r13+48h]
c000f0  xor ecx,ecx
c000f2  test rax,rax
c000f5  sete cl
c000f8  mov [r15+48h],rcx
c000fc  mov rax,rsi
c000ff  test rax,rax
c00102  je short 0c00132h
c00104  mov rcx,[rax+18h]
c00108  lea rdx,[503000h]
c0010f  cmp rcx,rdx
c00112  jne short 0c00132h
c00114  mov rax,[rax+20h]
c00118  test rax,rax
c0011b  je short 0c00132h
c0011d  xor ecx,ecx
c0011f  cmp qword ptr [rax+8],0
c00124  setne cl
c00127  mov [r15+50h],rcx
c0012b  or dword ptr [r15+24h],20h
c00130  jmp short 0c0013ah
c00132  mov qword ptr [r15+50h],0
c0013a  mov dword ptr [r15+8],50h
c00142  mov qword ptr [r15],50h
c00149  mov r12d,58h
c0014f  add r12,[r13]
c00153  mov [r13],r12
c00157  mov rax,[r13+20h]
c0015b  mov [rax],r12
c0015e  mov rax,[r13+40h]
c00162  mov rcx,[r13+48h]
c00166  mov rdx,[r13+50h]
c0016a  mov byte ptr [r13+30h],0
c0016f  jmp 0c00009h
c00174  inc r12d
c00177  mov [801078h],r12d
c0017e  lock inc qword ptr [801070h]
c00186  jmp 0c00009h
c0018b  mov byte ptr [r13+30h],0
c00190  jmp 0c00009h
c00195  mov r12,[r13+28h]
c00199  mov r12,[r12]
c0019d  add r12,[r13+10h]
c001a1  inc r12
c001a4  mov [r13+8],r12
c001a8  cmp rax,r12
c001ab  jbe 0c00083h
c001b1  mov r12,[r13+20h]
c001b5  inc qword ptr [r12+40h]
c001ba  jmp short 0c0015eh
