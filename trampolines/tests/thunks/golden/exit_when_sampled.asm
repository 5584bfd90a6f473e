c00000  add rsp,20h
c00004  pop rbp
c00005  cmp byte ptr [800040h],0
c0000c  jne short 0c0000fh
c0000e  ret
c0000f  mov r12,rax
c00012  test r12,r12
c00015  je short 0c00039h
c00017  mov r13,[r12+18h]
c0001c  lea r15,[503000h]
c00023  cmp r13,r15
c00026  jne short 0c00039h
c00028  mov r12,[r12+20h]
c0002d  test r12,r12
c00030  je short 0c00039h
c00032  cmp qword ptr [r12],0
c00037  je short 0c00081h
c00039  mov r13,rbx
c0003c  lea r15,[501000h]
c00043  test r13,r13
c00046  je short 0c0000eh
c00048  cmp [r13+8],r15
c0004c  jne short 0c0000eh
c0004e  mov r12,rcx
c00051  test r12,r12
c00054  je short 0c0000eh
c00056  mov r12,[r12+10h]
c0005b  test r12,r12
c0005e  je short 0c0000eh
c00060  mov r13,[r12+8]
c00065  cmp r13,5
c00069  jb short 0c0000eh
c0006b  mov r12,[r12]
c0006f  cmp dword ptr [r12],6970612fh
c00077  jne short 0c0000eh
c00079  cmp byte ptr [r12+4],2fh
c0007f  jne short 0c0000eh
c00081  mov r12,[r14+30h]
c00085  mov r12,[r12+0a0h]
c0008d  test r12,r12
c00090  je 0c0000eh
c00096  mov r12d,[r12]
c0009a  cmp r12d,80h
c000a1  jae short 0c000deh
c000a3  shl r12d,8
c000a7  lea r13,[802000h]
c000ae  add r12,r13
c000b1  mov r13,5851f42d4c957f2dh
c000bb  imul r13,[r12+68h]
c000c1  add r13,3c6ef35fh
c000c8  mov [r12+68h],r13
c000cd  shr r13,20h
c000d1  cmp r13d,80000000h
c000d8  jae 0c0000eh
c000de  mov r12,[r14+30h]
c000e2  mov r12,[r12+0a0h]
c000ea  test r12,r12
c000ed  je 0c001eeh
c000f3  mov r12d,[r12]
c000f7  cmp r12d,[800004h]
c000fe  jae 0c001c8h
c00104  shl r12d,8
c00108  lea r13,[802000h]
c0010f  add r13,r12
c00112  cmp byte ptr [r13+30h],0
c00117  jne 0c001dch
c0011d  mov byte ptr [r13+30h],1
c00122  cmp dword ptr [800000h],0
c00129  je 0c001f3h
c0012f  mov [r13+40h],rax
c00133  mov [r13+50h],rdx
c00137  rdtsc
c00139  shl rdx,20h
c0013d  or rdx,rax
c00140  mov r15,[r13]
c00144  lea rax,[r15+28h]
c00148  cmp rax,[r13+8]
c0014c  ja 0c001fdh
c00152  and r15,[r13+10h]
c00156  add r15,[r13+18h]
c0015a  prefetchw [r15+180h]
c00162  mov [r15+10h],rdx
c00166  mov dword ptr [r15+0ch],1
c0016e  mov rax,[r14+98h]
c00175  mov [r15+18h],rax
c00179  mov rax,[r14+8]
c0017d  sub rax,rsp
c00180  sub rax,8
c00186  mov [r15+20h],eax
c0018a  mov dword ptr [r15+24h],0
c00192  mov dword ptr [r15+8],20h
c0019a  mov qword ptr [r15],20h
c001a1  mov r12d,28h
c001a7  add r12,[r13]
c001ab  mov [r13],r12
c001af  mov rax,[r13+20h]
c001b3  mov [rax],r12
c001b6  mov rax,[r13+40h]
c001ba  mov rdx,[r13+50h]
c001be  mov byte ptr [r13+30h],0
c001c3  jmp 0c0000eh
c001c8  inc r12d
c001cb  mov [801078h],r12d
c001d2  lock inc qword ptr [801070h]
c001da  jmp short 0c001eeh
c001dc  cmp dword ptr [800000h],0
c001e3  je short 0c001eeh
c001e5  mov r12,[r13+20h]
c001e9  inc qword ptr [r12+50h]
c001ee  jmp 0c0000eh
c001f3  mov byte ptr [r13+30h],0
c001f8  jmp 0c0000eh
c001fd  mov r12,[r13+28h]
c00201  mov r12,[r12]
c00205  add r12,[r13+10h]
c00209  inc r12
c0020c  mov [r13+8],r12
c00210  cmp rax,r12
c00213  jbe 0c00152h
c00219  mov r12,[r13+20h]
c0021d  inc qword ptr [r12+40h]
c00222  jmp short 0c001b6h
