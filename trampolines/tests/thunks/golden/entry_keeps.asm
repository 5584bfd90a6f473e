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
c00032  jb short 0c00048h
c00034  inc r12d
c00037  mov [801078h],r12d
c0003e  lock inc qword ptr [801070h]
c00046  jmp short 0c00009h
c00048  shl r12d,8
c0004c  lea r13,[802000h]
c00053  add r13,r12
c00056  mov byte ptr [r13+30h],1
c0005b  cmp dword ptr [800000h],0
c00062  jne short 0c0006bh
c00064  mov byte ptr [r13+30h],0
c00069  jmp short 0c00009h
c0006b  mov [r13+40h],rax
c0006f  mov [r13+48h],rcx
c00073  mov [r13+50h],rdx
c00077  mov [r13+58h],rbx
c0007b  rdtsc
c0007d  shl rdx,20h
c00081  or rdx,rax
c00084  mov [r13+60h],rdx
c00088  mov rax,[r14+8]
c0008c  sub rax,rsp
c0008f  sub rax,8
c00095  shr rax,3
c00099  mov r15,[r14+98h]
c000a0  shl r15,1bh
c000a4  or r15,rax
c000a7  mov rbx,9e3779b97f4a7c15h
c000b1  imul rbx,r15
c000b5  shr rbx,31h
c000b9  shl rbx,6
c000bd  lea rax,[80a000h]
c000c4  add rbx,rax
c000c7  mov rcx,[800008h]
c000ce  or rcx,0
c000d2  xor r12d,r12d
c000d5  mov rax,[rbx+r12]
c000d9  test rax,rax
c000dc  je short 0c000e3h
c000de  cmp rax,r15
c000e1  jne short 0c000f2h
c000e3  mov edx,1
c000e8  lock cmpxchg [rbx+r12],rdx
c000ee  je short 0c00135h
c000f0  jmp short 0c000d2h
c000f2  add r12,40h
c000f6  cmp r12,200h
c000fd  jb short 0c000d5h
c000ff  xor r12d,r12d
c00102  mov edx,40h
c00107  mov rax,[rbx+rdx+10h]
c0010c  cmp rax,[rbx+r12+10h]
c00111  jae short 0c00116h
c00113  mov r12,rdx
c00116  add rdx,40h
c0011a  cmp rdx,200h
c00121  jb short 0c00107h
c00123  mov rax,[rbx+r12]
c00127  cmp rax,1
c0012d  jne short 0c000e3h
c0012f  mov rdx,[r13+60h]
c00133  jmp short 0c00171h
c00135  add rbx,r12
c00138  mov [rbx+8],rcx
c0013c  mov rdx,[r13+60h]
c00140  mov [rbx+10h],rdx
c00144  mov rax,[r13+58h]
c00148  cmp rax,[r14]
c0014b  jb short 0c00155h
c0014d  cmp rax,[r14+8]
c00151  jae short 0c00155h
c00153  xor eax,eax
c00155  mov [rbx+18h],rax
c00159  mov rax,[r13+48h]
c0015d  cmp rax,[r14]
c00160  jb short 0c0016ah
c00162  cmp rax,[r14+8]
c00166  jae short 0c0016ah
c00168  xor eax,eax
c0016a  mov [rbx+20h],rax
c0016e  mov [rbx],r15
c00171  mov r15,[r13]
c00175  lea rax,[r15+28h]
c00179  cmp rax,[r13+8]
c0017d  jbe short 0c001a0h
c0017f  mov rcx,[r13+28h]
c00183  mov rcx,[rcx]
c00186  add rcx,[r13+10h]
c0018a  inc rcx
c0018d  mov [r13+8],rcx
c00191  cmp rax,rcx
c00194  jbe short 0c001a0h
c00196  mov rcx,[r13+20h]
c0019a  inc qword ptr [rcx+40h]
c0019e  jmp short 0c001fch
c001a0  and r15,[r13+10h]
c001a4  add r15,[r13+18h]
c001a8  mov [r15+10h],rdx
c001ac  mov dword ptr [r15+0ch],0
c001b4  mov rax,[r14+98h]
c001bb  mov [r15+18h],rax
c001bf  mov rax,[r14+8]
c001c3  sub rax,rsp
c001c6  sub rax,8
c001cc  mov [r15+20h],eax
c001d0  mov dword ptr [r15+24h],0
c001d8  mov dword ptr [r15+8],20h
c001e0  mov qword ptr [r15],20h
c001e7  mov r12d,28h
c001ed  add r12,[r13]
c001f1  mov [r13],r12
c001f5  mov rax,[r13+20h]
c001f9  mov [rax],r12
c001fc  mov rbx,[r13+58h]
c00200  mov rax,[r13+40h]
c00204  mov rcx,[r13+48h]
c00208  mov rdx,[r13+50h]
c0020c  mov byte ptr [r13+30h],0
c00211  jmp 0c00009h
