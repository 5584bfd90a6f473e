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
c00032  jae 0c00292h
c00038  shl r12d,8
c0003c  lea r13,[802000h]
c00043  add r13,r12
c00046  mov byte ptr [r13+30h],1
c0004b  cmp dword ptr [800000h],0
c00052  je 0c002a9h
c00058  mov [r13+40h],rax
c0005c  mov [r13+50h],rdx
c00060  mov [r13+48h],rcx
c00064  rdtsc
c00066  shl rdx,20h
c0006a  or rdx,rax
c0006d  mov r15,[r13]
c00071  lea rax,[r15+108h]
c00078  cmp rax,[r13+8]
c0007c  ja 0c002b3h
c00082  and r15,[r13+10h]
c00086  add r15,[r13+18h]
c0008a  prefetchw [r15+180h]
c00092  mov [r15+10h],rdx
c00096  mov dword ptr [r15+0ch],0
c0009e  mov rax,[r14+98h]
c000a5  mov [r15+18h],rax
c000a9  mov rax,[r14+8]
c000ad  sub rax,rsp
c000b0  sub rax,8
c000b6  mov [r15+20h],eax
c000ba  mov dword ptr [r15+24h],0
c000c2  lea r12,[r15+38h]
c000c6  mov rax,rdi
c000c9  test rax,rax
c000cc  je 0c0017ch
c000d2  mov rdx,[rax+8]
c000d6  mov rax,[rax]
c000d9  mov ecx,0ffffffffh
c000de  cmp rdx,rcx
c000e1  jbe short 0c000e5h
c000e3  mov edx,ecx
c000e5  mov [r15+2ch],edx
c000e9  cmp edx,10h
c000ec  jbe short 0c000f3h
c000ee  mov edx,10h
c000f3  mov [r15+28h],edx
c000f7  cmp edx,10h
c000fa  jb short 0c00123h
c000fc  movups xmm15,[rax+rdx-10h]
c00102  movups [r12+rdx-10h],xmm15
c00108  lea ecx,[rdx-1]
c0010b  and ecx,0fffffff0h
c0010e  je short 0c00172h
c00110  movups xmm15,[rax+rcx-10h]
c00116  movups [r12+rcx-10h],xmm15
c0011c  sub ecx,10h
c0011f  jne short 0c00110h
c00121  jmp short 0c00172h
c00123  cmp edx,8
c00126  jb short 0c0013bh
c00128  mov rcx,[rax+rdx-8]
c0012d  mov [r12+rdx-8],rcx
c00132  mov rcx,[rax]
c00135  mov [r12],rcx
c00139  jmp short 0c00172h
c0013b  cmp edx,4
c0013e  jb short 0c00151h
c00140  mov ecx,[rax+rdx-4]
c00144  mov [r12+rdx-4],ecx
c00149  mov ecx,[rax]
c0014b  mov [r12],ecx
c0014f  jmp short 0c00172h
c00151  test edx,edx
c00153  je short 0c00172h
c00155  movzx ecx,byte ptr [rax]
c00158  mov [r12],cl
c0015c  movzx ecx,byte ptr [rax+rdx-1]
c00161  mov [r12+rdx-1],cl
c00166  mov ecx,edx
c00168  shr ecx,1
c0016a  movzx eax,byte ptr [rax+rcx]
c0016e  mov [r12+rcx],al
c00172  add r12,rdx
c00175  or dword ptr [r15+24h],1
c0017a  jmp short 0c00184h
c0017c  mov qword ptr [r15+28h],0
c00184  mov rax,rdi
c00187  test rax,rax
c0018a  je 0c0024bh
c00190  mov rax,[rax+10h]
c00194  test rax,rax
c00197  je 0c0024bh
c0019d  mov rdx,[rax+40h]
c001a1  mov rax,[rax+38h]
c001a5  mov ecx,0ffffffffh
c001aa  cmp rdx,rcx
c001ad  jbe short 0c001b1h
c001af  mov edx,ecx
c001b1  mov [r15+34h],edx
c001b5  cmp edx,0c0h
c001bb  jbe short 0c001c2h
c001bd  mov edx,0c0h
c001c2  mov [r15+30h],edx
c001c6  cmp edx,10h
c001c9  jb short 0c001f2h
c001cb  movups xmm15,[rax+rdx-10h]
c001d1  movups [r12+rdx-10h],xmm15
c001d7  lea ecx,[rdx-1]
c001da  and ecx,0fffffff0h
c001dd  je short 0c00241h
c001df  movups xmm15,[rax+rcx-10h]
c001e5  movups [r12+rcx-10h],xmm15
c001eb  sub ecx,10h
c001ee  jne short 0c001dfh
c001f0  jmp short 0c00241h
c001f2  cmp edx,8
c001f5  jb short 0c0020ah
c001f7  mov rcx,[rax+rdx-8]
c001fc  mov [r12+rdx-8],rcx
c00201  mov rcx,[rax]
c00204  mov [r12],rcx
c00208  jmp short 0c00241h
c0020a  cmp edx,4
c0020d  jb short 0c00220h
c0020f  mov ecx,[rax+rdx-4]
c00213  mov [r12+rdx-4],ecx
c00218  mov ecx,[rax]
c0021a  mov [r12],ecx
c0021e  jmp short 0c00241h
c00220  test edx,edx
c00222  je short 0c00241h
c00224  movzx ecx,byte ptr [rax]
c00227  mov [r12],cl
c0022b  movzx ecx,byte ptr [rax+rdx-1]
c00230  mov [r12+rdx-1],cl
c00235  mov ecx,edx
c00237  shr ecx,1
c00239  movzx eax,byte ptr [rax+rcx]
c0023d  mov [r12+rcx],al
c00241  add r12,rdx
c00244  or dword ptr [r15+24h],2
c00249  jmp short 0c00253h
c0024b  mov qword ptr [r15+30h],0
c00253  xorps xmm15,xmm15
c00257  sub r12,r15
c0025a  sub r12d,8
c0025e  mov [r15+8],r12d
c00262  mov [r15],r12
c00265  add r12d,0fh
c00269  and r12d,0fffffff8h
c0026d  add r12,[r13]
c00271  mov [r13],r12
c00275  mov rax,[r13+20h]
c00279  mov [rax],r12
c0027c  mov rax,[r13+40h]
c00280  mov rcx,[r13+48h]
c00284  mov rdx,[r13+50h]
c00288  mov byte ptr [r13+30h],0
c0028d  jmp 0c00009h
c00292  inc r12d
c00295  mov [801078h],r12d
c0029c  lock inc qword ptr [801070h]
c002a4  jmp 0c00009h
c002a9  mov byte ptr [r13+30h],0
c002ae  jmp 0c00009h
c002b3  mov r12,[r13+28h]
c002b7  mov r12,[r12]
c002bb  add r12,[r13+10h]
c002bf  inc r12
c002c2  mov [r13+8],r12
c002c6  cmp rax,r12
c002c9  jbe 0c00082h
c002cf  mov r12,[r13+20h]
c002d3  inc qword ptr [r12+40h]
c002d8  jmp short 0c0027ch
