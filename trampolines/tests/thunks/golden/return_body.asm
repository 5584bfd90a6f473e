c00000  mov r12,[r14+30h]
c00004  mov r12,[r12+0a0h]
c0000c  test r12,r12
c0000f  je 0c000edh
c00015  mov r12d,[r12]
c00019  cmp r12d,[800004h]
c00020  jae 0c000dbh
c00026  shl r12d,8
c0002a  lea r13,[802000h]
c00031  add r13,r12
c00034  mov byte ptr [r13+30h],1
c00039  cmp dword ptr [800000h],0
c00040  je 0c000efh
c00046  mov [r13+40h],rax
c0004a  mov [r13+50h],rdx
c0004e  rdtsc
c00050  shl rdx,20h
c00054  or rdx,rax
c00057  mov r15,[r13]
c0005b  lea rax,[r15+28h]
c0005f  cmp rax,[r13+8]
c00063  ja 0c000f6h
c00069  and r15,[r13+10h]
c0006d  add r15,[r13+18h]
c00071  prefetchw [r15+180h]
c00079  mov [r15+10h],rdx
c0007d  mov dword ptr [r15+0ch],1
c00085  mov rax,[r14+98h]
c0008c  mov [r15+18h],rax
c00090  mov rax,[r14+8]
c00094  sub rax,rsp
c00097  sub rax,8
c0009d  mov [r15+20h],eax
c000a1  mov dword ptr [r15+24h],0
c000a9  mov dword ptr [r15+8],20h
c000b1  mov qword ptr [r15],20h
c000b8  mov r12d,28h
c000be  add r12,[r13]
c000c2  mov [r13],r12
c000c6  mov rax,[r13+20h]
c000ca  mov [rax],r12
c000cd  mov rax,[r13+40h]
c000d1  mov rdx,[r13+50h]
c000d5  mov byte ptr [r13+30h],0
c000da  ret
c000db  inc r12d
c000de  mov [801078h],r12d
c000e5  lock inc qword ptr [801070h]
c000ed  jmp short 0c000dah
c000ef  mov byte ptr [r13+30h],0
c000f4  jmp short 0c000dah
c000f6  mov r12,[r13+28h]
c000fa  mov r12,[r12]
c000fe  add r12,[r13+10h]
c00102  inc r12
c00105  mov [r13+8],r12
c00109  cmp rax,r12
c0010c  jbe 0c00069h
c00112  mov r12,[r13+20h]
c00116  inc qword ptr [r12+40h]
c0011b  jmp short 0c000cdh
