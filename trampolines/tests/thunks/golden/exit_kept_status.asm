c00000  add rsp,20h
c00004  pop rbp
c00005  cmp byte ptr [800040h],0
c0000c  jne short 0c0000fh
c0000e  ret
c0000f  mov r12,[r14+30h]
c00013  mov r12,[r12+0a0h]
c0001b  test r12,r12
c0001e  je short 0c0000eh
c00020  mov r12d,[r12]
c00024  cmp r12d,[800004h]
c0002b  jb short 0c00041h
c0002d  inc r12d
c00030  mov [801078h],r12d
c00037  lock inc qword ptr [801070h]
c0003f  jmp short 0c0000eh
c00041  shl r12d,8
c00045  lea r13,[802000h]
c0004c  add r13,r12
c0004f  mov byte ptr [r13+30h],1
c00054  cmp dword ptr [800000h],0
c0005b  jne short 0c00064h
c0005d  mov byte ptr [r13+30h],0
c00062  jmp short 0c0000eh
c00064  mov [r13+40h],rax
c00068  mov [r13+48h],rcx
c0006c  mov [r13+50h],rdx
c00070  mov [r13+58h],rbx
c00074  rdtsc
c00076  shl rdx,20h
c0007a  or rdx,rax
c0007d  mov [r13+60h],rdx
c00081  mov rax,[r14+8]
c00085  sub rax,rsp
c00088  sub rax,8
c0008e  shr rax,3
c00092  mov r15,[r14+98h]
c00099  shl r15,1bh
c0009d  or r15,rax
c000a0  mov rbx,9e3779b97f4a7c15h
c000aa  imul rbx,r15
c000ae  shr rbx,31h
c000b2  shl rbx,6
c000b6  lea rax,[80a000h]
c000bd  add rbx,rax
c000c0  mov rcx,[800008h]
c000c7  or rcx,0
c000cb  xor r12d,r12d
c000ce  cmp [rbx+r12],r15
c000d2  jne short 0c00102h
c000d4  cmp [rbx+r12+8],rcx
c000d9  jne short 0c0010fh
c000db  mov rax,[rbx+r12+18h]
c000e0  mov [r13+80h],rax
c000e7  mov rax,[rbx+r12+20h]
c000ec  mov [r13+88h],rax
c000f3  mov rax,r15
c000f6  xor edx,edx
c000f8  lock cmpxchg [rbx+r12],rdx
c000fe  je short 0c00127h
c00100  jmp short 0c0010fh
c00102  add r12,40h
c00106  cmp r12,200h
c0010d  jb short 0c000ceh
c0010f  mov rax,[r13+20h]
c00113  inc qword ptr [rax+48h]
c00117  xor eax,eax
c00119  mov [r13+80h],rax
c00120  mov [r13+88h],rax
c00127  mov rdx,[r13+60h]
c0012b  mov r15,[r13]
c0012f  lea rax,[r15+30h]
c00133  cmp rax,[r13+8]
c00137  jbe short 0c0015dh
c00139  mov rcx,[r13+28h]
c0013d  mov rcx,[rcx]
c00140  add rcx,[r13+10h]
c00144  inc rcx
c00147  mov [r13+8],rcx
c0014b  cmp rax,rcx
c0014e  jbe short 0c0015dh
c00150  mov rcx,[r13+20h]
c00154  inc qword ptr [rcx+40h]
c00158  jmp 0c00234h
c0015d  and r15,[r13+10h]
c00161  add r15,[r13+18h]
c00165  mov [r15+10h],rdx
c00169  mov dword ptr [r15+0ch],1
c00171  mov rax,[r14+98h]
c00178  mov [r15+18h],rax
c0017c  mov rax,[r14+8]
c00180  sub rax,rsp
c00183  sub rax,8
c00189  mov [r15+20h],eax
c0018d  mov dword ptr [r15+24h],0
c00195  mov rcx,[r13+80h]
c0019c  lea rdx,[501000h]
c001a3  test rcx,rcx
c001a6  je short 0c001cch
c001a8  cmp [rcx+8],rdx
c001ac  jne short 0c001cch
c001ae  mov rax,[r13+88h]
c001b5  test rax,rax
c001b8  je short 0c001cch
c001ba  mov rax,[rax+0a0h]
c001c1  mov [r15+28h],rax
c001c5  or dword ptr [r15+24h],1
c001ca  jmp short 0c00210h
c001cc  mov rcx,[r13+80h]
c001d3  lea rdx,[502000h]
c001da  test rcx,rcx
c001dd  je short 0c00208h
c001df  cmp [rcx+8],rdx
c001e3  jne short 0c00208h
c001e5  mov rax,[r13+88h]
c001ec  test rax,rax
c001ef  je short 0c00208h
c001f1  mov rax,[rax]
c001f4  test rax,rax
c001f7  je short 0c00208h
c001f9  mov rax,[rax+60h]
c001fd  mov [r15+28h],rax
c00201  or dword ptr [r15+24h],1
c00206  jmp short 0c00210h
c00208  mov qword ptr [r15+28h],0
c00210  mov dword ptr [r15+8],28h
c00218  mov qword ptr [r15],28h
c0021f  mov r12d,30h
c00225  add r12,[r13]
c00229  mov [r13],r12
c0022d  mov rax,[r13+20h]
c00231  mov [rax],r12
c00234  mov rbx,[r13+58h]
c00238  mov rax,[r13+40h]
c0023c  mov rcx,[r13+48h]
c00240  mov rdx,[r13+50h]
c00244  mov byte ptr [r13+30h],0
c00249  jmp 0c0000eh
