c00000  cmp byte ptr [800040h],0
c00007  jne short 0c00037h
c00009  test rbx,rbx
c0000c  je short 0c00018h
c0000e  mov eax,7
c00013  jmp 0c01000h
c00018  lea r12,[rax+24h]
c0001c  cmp r12,1000h
c00023  jb 0c0015eh
c00029  movzx eax,byte ptr [rax+24h]
c0002d  jmp 0c01000h
c00032  jmp 0c01000h
c00037  mov r12,[r14+30h]
c0003b  mov r12,[r12+0a0h]
c00043  test r12,r12
c00046  je 0c00128h
c0004c  mov r12d,[r12]
c00050  cmp r12d,[800004h]
c00057  jae 0c00116h
c0005d  shl r12d,8
c00061  lea r13,[802000h]
c00068  add r13,r12
c0006b  mov byte ptr [r13+30h],1
c00070  cmp dword ptr [800000h],0
c00077  je 0c0012dh
c0007d  mov [r13+40h],rax
c00081  mov [r13+50h],rdx
c00085  rdtsc
c00087  shl rdx,20h
c0008b  or rdx,rax
c0008e  mov r15,[r13]
c00092  lea rax,[r15+28h]
c00096  cmp rax,[r13+8]
c0009a  ja 0c00137h
c000a0  and r15,[r13+10h]
c000a4  add r15,[r13+18h]
c000a8  prefetchw [r15+180h]
c000b0  mov [r15+10h],rdx
c000b4  mov dword ptr [r15+0ch],0
c000bc  mov rax,[r14+98h]
c000c3  mov [r15+18h],rax
c000c7  mov rax,[r14+8]
c000cb  sub rax,rsp
c000ce  sub rax,8
c000d4  mov [r15+20h],eax
c000d8  mov dword ptr [r15+24h],0
c000e0  mov dword ptr [r15+8],20h
c000e8  mov qword ptr [r15],20h
c000ef  mov r12d,28h
c000f5  add r12,[r13]
c000f9  mov [r13],r12
c000fd  mov rax,[r13+20h]
c00101  mov [rax],r12
c00104  mov rax,[r13+40h]
c00108  mov rdx,[r13+50h]
c0010c  mov byte ptr [r13+30h],0
c00111  jmp 0c00009h
c00116  inc r12d
c00119  mov [801078h],r12d
c00120  lock inc qword ptr [801070h]
c00128  jmp 0c00009h
c0012d  mov byte ptr [r13+30h],0
c00132  jmp 0c00009h
c00137  mov r12,[r13+28h]
c0013b  mov r12,[r12]
c0013f  add r12,[r13+10h]
c00143  inc r12
c00146  mov [r13+8],r12
c0014a  cmp rax,r12
c0014d  jbe 0c000a0h
c00153  mov r12,[r13+20h]
c00157  inc qword ptr [r12+40h]
c0015c  jmp short 0c00104h
c0015e  mov [r14+0f8h],r12
c00165  lea r12,[462c1dh]
c0016c  mov [r14+100h],r12
c00173  mov dword ptr [r14+0d0h],0bh
c0017e  mov qword ptr [r14+0f0h],1
c00189  push r12
c0018b  jmp 470000h
