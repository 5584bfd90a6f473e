c00000  cmp byte ptr [800040h],0
c00007  jne short 0c00045h
c00009  test rbx,rbx
c0000c  je short 0c00018h
c0000e  mov eax,7
c00013  jmp 0c01000h
c00018  lea r12,[rax+24h]
c0001c  cmp r12,1000h
c00023  jb 0c0018bh
c00029  lea r12,[462c1dh]
c00030  push r12
c00032  movzx eax,byte ptr [rax+24h]
c00036  lea rsp,[rsp+8]
c0003b  jmp 0c01000h
c00040  jmp 0c01000h
c00045  mov r12,[r14+30h]
c00049  mov r12,[r12+0a0h]
c00051  test r12,r12
c00054  je 0c00155h
c0005a  mov r12d,[r12]
c0005e  cmp r12d,[800004h]
c00065  jae 0c0012fh
c0006b  shl r12d,8
c0006f  lea r13,[802000h]
c00076  add r13,r12
c00079  cmp byte ptr [r13+30h],0
c0007e  jne 0c00143h
c00084  mov byte ptr [r13+30h],1
c00089  cmp dword ptr [800000h],0
c00090  je 0c0015ah
c00096  mov [r13+40h],rax
c0009a  mov [r13+50h],rdx
c0009e  rdtsc
c000a0  shl rdx,20h
c000a4  or rdx,rax
c000a7  mov r15,[r13]
c000ab  lea rax,[r15+28h]
c000af  cmp rax,[r13+8]
c000b3  ja 0c00164h
c000b9  and r15,[r13+10h]
c000bd  add r15,[r13+18h]
c000c1  prefetchw [r15+180h]
c000c9  mov [r15+10h],rdx
c000cd  mov dword ptr [r15+0ch],0
c000d5  mov rax,[r14+98h]
c000dc  mov [r15+18h],rax
c000e0  mov rax,[r14+8]
c000e4  sub rax,rsp
c000e7  sub rax,8
c000ed  mov [r15+20h],eax
c000f1  mov dword ptr [r15+24h],0
c000f9  mov dword ptr [r15+8],20h
c00101  mov qword ptr [r15],20h
c00108  mov r12d,28h
c0010e  add r12,[r13]
c00112  mov [r13],r12
c00116  mov rax,[r13+20h]
c0011a  mov [rax],r12
c0011d  mov rax,[r13+40h]
c00121  mov rdx,[r13+50h]
c00125  mov byte ptr [r13+30h],0
c0012a  jmp 0c00009h
c0012f  inc r12d
c00132  mov [801078h],r12d
c00139  lock inc qword ptr [801070h]
c00141  jmp short 0c00155h
c00143  cmp dword ptr [800000h],0
c0014a  je short 0c00155h
c0014c  mov r12,[r13+20h]
c00150  inc qword ptr [r12+50h]
c00155  jmp 0c00009h
c0015a  mov byte ptr [r13+30h],0
c0015f  jmp 0c00009h
c00164  mov r12,[r13+28h]
c00168  mov r12,[r12]
c0016c  add r12,[r13+10h]
c00170  inc r12
c00173  mov [r13+8],r12
c00177  cmp rax,r12
c0017a  jbe 0c000b9h
c00180  mov r12,[r13+20h]
c00184  inc qword ptr [r12+40h]
c00189  jmp short 0c0011dh
c0018b  mov [r14+0f8h],r12
c00192  lea r12,[462c1dh]
c00199  mov [r14+100h],r12
c001a0  mov dword ptr [r14+0d0h],0bh
c001ab  mov qword ptr [r14+0f0h],1
c001b6  push r12
c001b8  jmp 470000h
