c00000  mov r12,[r14+30h]
c00004  mov r12,[r12+0a0h]
c0000c  test r12,r12
c0000f  je 0c00110h
c00015  mov r12d,[r12]
c00019  cmp r12d,[800004h]
c00020  jb short 0c00039h
c00022  inc r12d
c00025  mov [801078h],r12d
c0002c  lock inc qword ptr [801070h]
c00034  jmp 0c00110h
c00039  shl r12d,8
c0003d  lea r13,[802000h]
c00044  add r13,r12
c00047  mov byte ptr [r13+30h],1
c0004c  cmp dword ptr [800000h],0
c00053  jne short 0c0005fh
c00055  mov byte ptr [r13+30h],0
c0005a  jmp 0c00110h
c0005f  mov [r13+40h],rax
c00063  mov [r13+48h],rcx
c00067  mov [r13+50h],rdx
c0006b  rdtsc
c0006d  shl rdx,20h
c00071  or rdx,rax
c00074  mov r15,[r13]
c00078  lea rax,[r15+28h]
c0007c  cmp rax,[r13+8]
c00080  jbe short 0c000a3h
c00082  mov rcx,[r13+28h]
c00086  mov rcx,[rcx]
c00089  add rcx,[r13+10h]
c0008d  inc rcx
c00090  mov [r13+8],rcx
c00094  cmp rax,rcx
c00097  jbe short 0c000a3h
c00099  mov rcx,[r13+20h]
c0009d  inc qword ptr [rcx+40h]
c000a1  jmp short 0c000ffh
c000a3  and r15,[r13+10h]
c000a7  add r15,[r13+18h]
c000ab  mov [r15+10h],rdx
c000af  mov dword ptr [r15+0ch],1
c000b7  mov rax,[r14+98h]
c000be  mov [r15+18h],rax
c000c2  mov rax,[r14+8]
c000c6  sub rax,rsp
c000c9  sub rax,8
c000cf  mov [r15+20h],eax
c000d3  mov dword ptr [r15+24h],0
c000db  mov dword ptr [r15+8],20h
c000e3  mov qword ptr [r15],20h
c000ea  mov r12d,28h
c000f0  add r12,[r13]
c000f4  mov [r13],r12
c000f8  mov rax,[r13+20h]
c000fc  mov [rax],r12
c000ff  mov rax,[r13+40h]
c00103  mov rcx,[r13+48h]
c00107  mov rdx,[r13+50h]
c0010b  mov byte ptr [r13+30h],0
c00110  ret
