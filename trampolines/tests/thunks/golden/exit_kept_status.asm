c00000  add rsp,20h
c00004  pop rbp
c00005  cmp byte ptr [800040h],0
c0000c  jne short 0c0000fh
c0000e  ret
c0000f  mov r12,[r14+30h]
c00013  mov r12,[r12+0a0h]
c0001b  test r12,r12
c0001e  je 0c0023dh
c00024  mov r12d,[r12]
c00028  cmp r12d,[800004h]
c0002f  jae 0c0022bh
c00035  shl r12d,8
c00039  lea r13,[802000h]
c00040  add r13,r12
c00043  mov byte ptr [r13+30h],1
c00048  cmp dword ptr [800000h],0
c0004f  je 0c002d4h
c00055  mov [r13+40h],rax
c00059  mov [r13+50h],rdx
c0005d  mov [r13+48h],rcx
c00061  mov [r13+58h],rbx
c00065  rdtsc
c00067  shl rdx,20h
c0006b  or rdx,rax
c0006e  mov [r13+60h],rdx
c00072  mov r15,[r14+98h]
c00079  test r15,r15
c0007c  je 0c00104h
c00082  mov rax,[r14+8]
c00086  sub rax,rsp
c00089  sub rax,8
c0008f  shr rax,3
c00093  shl r15,1bh
c00097  or r15,rax
c0009a  mov rbx,9e3779b97f4a7c15h
c000a4  imul rbx,r15
c000a8  shr rbx,31h
c000ac  shl rbx,6
c000b0  lea rax,[80a000h]
c000b7  add rbx,rax
c000ba  mov rcx,[800008h]
c000c1  or rcx,0
c000c5  xor r12d,r12d
c000c8  cmp [rbx+r12],r15
c000cc  jne short 0c000f7h
c000ce  cmp [rbx+r12+8],rcx
c000d3  jne short 0c000f7h
c000d5  mov rax,[rbx+r12+10h]
c000da  mov [r13+80h],rax
c000e1  mov rax,[rbx+r12+18h]
c000e6  mov [r13+88h],rax
c000ed  mov qword ptr [rbx+r12],0
c000f5  jmp short 0c0011ch
c000f7  add r12,40h
c000fb  cmp r12,200h
c00102  jb short 0c000c8h
c00104  mov rax,[r13+20h]
c00108  inc qword ptr [rax+48h]
c0010c  xor eax,eax
c0010e  mov [r13+80h],rax
c00115  mov [r13+88h],rax
c0011c  mov rdx,[r13+60h]
c00120  mov r15,[r13]
c00124  lea rax,[r15+30h]
c00128  cmp rax,[r13+8]
c0012c  ja 0c002deh
c00132  and r15,[r13+10h]
c00136  add r15,[r13+18h]
c0013a  prefetchw [r15+180h]
c00142  mov [r15+10h],rdx
c00146  mov dword ptr [r15+0ch],1
c0014e  mov rax,[r14+98h]
c00155  mov [r15+18h],rax
c00159  mov rax,[r14+8]
c0015d  sub rax,rsp
c00160  sub rax,8
c00166  mov [r15+20h],eax
c0016a  mov dword ptr [r15+24h],0
c00172  mov rcx,[r13+80h]
c00179  lea rdx,[501000h]
c00180  test rcx,rcx
c00183  je short 0c001a9h
c00185  cmp [rcx+8],rdx
c00189  jne short 0c001a9h
c0018b  mov rax,[r13+88h]
c00192  test rax,rax
c00195  je short 0c001a9h
c00197  mov rax,[rax+0a0h]
c0019e  mov [r15+28h],rax
c001a2  or dword ptr [r15+24h],1
c001a7  jmp short 0c001edh
c001a9  mov rcx,[r13+80h]
c001b0  lea rdx,[502000h]
c001b7  test rcx,rcx
c001ba  je short 0c001e5h
c001bc  cmp [rcx+8],rdx
c001c0  jne short 0c001e5h
c001c2  mov rax,[r13+88h]
c001c9  test rax,rax
c001cc  je short 0c001e5h
c001ce  mov rax,[rax]
c001d1  test rax,rax
c001d4  je short 0c001e5h
c001d6  mov rax,[rax+60h]
c001da  mov [r15+28h],rax
c001de  or dword ptr [r15+24h],1
c001e3  jmp short 0c001edh
c001e5  mov qword ptr [r15+28h],0
c001ed  mov dword ptr [r15+8],28h
c001f5  mov qword ptr [r15],28h
c001fc  mov r12d,30h
c00202  add r12,[r13]
c00206  mov [r13],r12
c0020a  mov rax,[r13+20h]
c0020e  mov [rax],r12
c00211  mov rbx,[r13+58h]
c00215  mov rax,[r13+40h]
c00219  mov rcx,[r13+48h]
c0021d  mov rdx,[r13+50h]
c00221  mov byte ptr [r13+30h],0
c00226  jmp 0c0000eh
c0022b  inc r12d
c0022e  mov [801078h],r12d
c00235  lock inc qword ptr [801070h]
c0023d  lock inc dword ptr [8010f8h]
c00244  movq xmm15,rax
c00249  mov r15,[r14+98h]
c00250  test r15,r15
c00253  je short 0c002bfh
c00255  mov r12,[r14+8]
c00259  sub r12,rsp
c0025c  sub r12,8
c00260  shr r12,3
c00264  shl r15,1bh
c00268  or r15,r12
c0026b  mov r13,9e3779b97f4a7c15h
c00275  imul r13,r15
c00279  shr r13,31h
c0027d  shl r13,6
c00281  lea r12,[80a000h]
c00288  add r13,r12
c0028b  mov rax,[800008h]
c00292  or rax,0
c00298  xor r12d,r12d
c0029b  cmp [r13+r12],r15
c002a0  jne short 0c002b2h
c002a2  cmp [r13+r12+8],rax
c002a7  jne short 0c002b2h
c002a9  mov qword ptr [r13+r12],0
c002b2  add r12,40h
c002b6  cmp r12,200h
c002bd  jb short 0c0029bh
c002bf  movq rax,xmm15
c002c4  xorps xmm15,xmm15
c002c8  lock dec dword ptr [8010f8h]
c002cf  jmp 0c0000eh
c002d4  mov byte ptr [r13+30h],0
c002d9  jmp 0c0000eh
c002de  mov r12,[r13+28h]
c002e2  mov r12,[r12]
c002e6  add r12,[r13+10h]
c002ea  inc r12
c002ed  mov [r13+8],r12
c002f1  cmp rax,r12
c002f4  jbe 0c00132h
c002fa  mov r12,[r13+20h]
c002fe  inc qword ptr [r12+40h]
c00303  jmp 0c00211h
