c00000  mov r12,[r14+30h]
c00004  mov r12,[r12+0a0h]
c0000c  test r12,r12
c0000f  je 0c0010dh
c00015  mov r12d,[r12]
c00019  cmp r12d,[800004h]
c00020  jae 0c000e7h
c00026  shl r12d,8
c0002a  lea r13,[802000h]
c00031  add r13,r12
c00034  cmp byte ptr [r13+30h],0
c00039  jne 0c000fbh
c0003f  mov byte ptr [r13+30h],1
c00044  cmp dword ptr [800000h],0
c0004b  je 0c0010fh
c00051  mov [r13+40h],rax
c00055  mov [r13+50h],rdx
c00059  rdtsc
c0005b  shl rdx,20h
c0005f  or rdx,rax
c00062  mov r15,[r13]
c00066  lea rax,[r15+28h]
c0006a  cmp rax,[r13+8]
c0006e  ja 0c00116h
c00074  and r15,[r13+10h]
c00078  add r15,[r13+18h]
c0007c  prefetchw [r15+180h]
c00084  mov [r15+10h],rdx
c00088  mov dword ptr [r15+0ch],1
c00090  mov rax,[r14+98h]
c00097  mov [r15+18h],rax
c0009b  mov rax,[r14+8]
c0009f  sub rax,rsp
c000a2  sub rax,8
c000a8  mov [r15+20h],eax
c000ac  mov dword ptr [r15+24h],0
c000b4  mov dword ptr [r15+8],20h
c000bc  mov qword ptr [r15],20h
c000c3  mov r12d,28h
c000c9  add r12,[r13]
c000cd  mov [r13],r12
c000d1  mov rax,[r13+20h]
c000d5  mov [rax],r12
c000d8  mov rax,[r13+40h]
c000dc  mov rdx,[r13+50h]
c000e0  mov byte ptr [r13+30h],0
c000e5  rep ret
c000e7  inc r12d
c000ea  mov [801078h],r12d
c000f1  lock inc qword ptr [801070h]
c000f9  jmp short 0c0010dh
c000fb  cmp dword ptr [800000h],0
c00102  je short 0c0010dh
c00104  mov r12,[r13+20h]
c00108  inc qword ptr [r12+50h]
c0010d  jmp short 0c000e5h
c0010f  mov byte ptr [r13+30h],0
c00114  jmp short 0c000e5h
c00116  mov r12,[r13+28h]
c0011a  mov r12,[r12]
c0011e  add r12,[r13+10h]
c00122  inc r12
c00125  mov [r13+8],r12
c00129  cmp rax,r12
c0012c  jbe 0c00074h
c00132  mov r12,[r13+20h]
c00136  inc qword ptr [r12+40h]
c0013b  jmp short 0c000d8h
