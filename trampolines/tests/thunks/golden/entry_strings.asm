c00000  cmp byte ptr [800040h],0
c00007  jne short 0c00016h
c00009  push rbp
c0000a  mov rbp,rsp
c0000d  sub rsp,20h
c00011  jmp 462c12h
c00016  mov r12,[r14+30h]
c0001a  mov r12,[r12+0a0h]
c00022  test r12,r12
c00025  je 0c002c7h
c0002b  mov r12d,[r12]
c0002f  cmp r12d,[800004h]
c00036  jae 0c002a1h
c0003c  shl r12d,8
c00040  lea r13,[802000h]
c00047  add r13,r12
c0004a  cmp byte ptr [r13+30h],0
c0004f  jne 0c002b5h
c00055  mov byte ptr [r13+30h],1
c0005a  cmp dword ptr [800000h],0
c00061  je 0c002cch
c00067  mov [r13+40h],rax
c0006b  mov [r13+50h],rdx
c0006f  mov [r13+48h],rcx
c00073  rdtsc
c00075  shl rdx,20h
c00079  or rdx,rax
c0007c  mov r15,[r13]
c00080  lea rax,[r15+108h]
c00087  cmp rax,[r13+8]
c0008b  ja 0c002d6h
c00091  and r15,[r13+10h]
c00095  add r15,[r13+18h]
c00099  prefetchw [r15+180h]
c000a1  mov [r15+10h],rdx
c000a5  mov dword ptr [r15+0ch],0
c000ad  mov rax,[r14+98h]
c000b4  mov [r15+18h],rax
c000b8  mov rax,[r14+8]
c000bc  sub rax,rsp
c000bf  sub rax,8
c000c5  mov [r15+20h],eax
c000c9  mov dword ptr [r15+24h],0
c000d1  lea r12,[r15+38h]
c000d5  mov rax,rdi
c000d8  test rax,rax
c000db  je 0c0018bh
c000e1  mov rdx,[rax+8]
c000e5  mov rax,[rax]
c000e8  mov ecx,0ffffffffh
c000ed  cmp rdx,rcx
c000f0  jbe short 0c000f4h
c000f2  mov edx,ecx
c000f4  mov [r15+2ch],edx
c000f8  cmp edx,10h
c000fb  jbe short 0c00102h
c000fd  mov edx,10h
c00102  mov [r15+28h],edx
c00106  cmp edx,10h
c00109  jb short 0c00132h
c0010b  movups xmm15,[rax+rdx-10h]
c00111  movups [r12+rdx-10h],xmm15
c00117  lea ecx,[rdx-1]
c0011a  and ecx,0fffffff0h
c0011d  je short 0c00181h
c0011f  movups xmm15,[rax+rcx-10h]
c00125  movups [r12+rcx-10h],xmm15
c0012b  sub ecx,10h
c0012e  jne short 0c0011fh
c00130  jmp short 0c00181h
c00132  cmp edx,8
c00135  jb short 0c0014ah
c00137  mov rcx,[rax+rdx-8]
c0013c  mov [r12+rdx-8],rcx
c00141  mov rcx,[rax]
c00144  mov [r12],rcx
c00148  jmp short 0c00181h
c0014a  cmp edx,4
c0014d  jb short 0c00160h
c0014f  mov ecx,[rax+rdx-4]
c00153  mov [r12+rdx-4],ecx
c00158  mov ecx,[rax]
c0015a  mov [r12],ecx
c0015e  jmp short 0c00181h
c00160  test edx,edx
c00162  je short 0c00181h
c00164  movzx ecx,byte ptr [rax]
c00167  mov [r12],cl
c0016b  movzx ecx,byte ptr [rax+rdx-1]
c00170  mov [r12+rdx-1],cl
c00175  mov ecx,edx
c00177  shr ecx,1
c00179  movzx eax,byte ptr [rax+rcx]
c0017d  mov [r12+rcx],al
c00181  add r12,rdx
c00184  or dword ptr [r15+24h],1
c00189  jmp short 0c00193h
c0018b  mov qword ptr [r15+28h],0
c00193  mov rax,rdi
c00196  test rax,rax
c00199  je 0c0025ah
c0019f  mov rax,[rax+10h]
c001a3  test rax,rax
c001a6  je 0c0025ah
c001ac  mov rdx,[rax+40h]
c001b0  mov rax,[rax+38h]
c001b4  mov ecx,0ffffffffh
c001b9  cmp rdx,rcx
c001bc  jbe short 0c001c0h
c001be  mov edx,ecx
c001c0  mov [r15+34h],edx
c001c4  cmp edx,0c0h
c001ca  jbe short 0c001d1h
c001cc  mov edx,0c0h
c001d1  mov [r15+30h],edx
c001d5  cmp edx,10h
c001d8  jb short 0c00201h
c001da  movups xmm15,[rax+rdx-10h]
c001e0  movups [r12+rdx-10h],xmm15
c001e6  lea ecx,[rdx-1]
c001e9  and ecx,0fffffff0h
c001ec  je short 0c00250h
c001ee  movups xmm15,[rax+rcx-10h]
c001f4  movups [r12+rcx-10h],xmm15
c001fa  sub ecx,10h
c001fd  jne short 0c001eeh
c001ff  jmp short 0c00250h
c00201  cmp edx,8
c00204  jb short 0c00219h
c00206  mov rcx,[rax+rdx-8]
c0020b  mov [r12+rdx-8],rcx
c00210  mov rcx,[rax]
c00213  mov [r12],rcx
c00217  jmp short 0c00250h
c00219  cmp edx,4
c0021c  jb short 0c0022fh
c0021e  mov ecx,[rax+rdx-4]
c00222  mov [r12+rdx-4],ecx
c00227  mov ecx,[rax]
c00229  mov [r12],ecx
c0022d  jmp short 0c00250h
c0022f  test edx,edx
c00231  je short 0c00250h
c00233  movzx ecx,byte ptr [rax]
c00236  mov [r12],cl
c0023a  movzx ecx,byte ptr [rax+rdx-1]
c0023f  mov [r12+rdx-1],cl
c00244  mov ecx,edx
c00246  shr ecx,1
c00248  movzx eax,byte ptr [rax+rcx]
c0024c  mov [r12+rcx],al
c00250  add r12,rdx
c00253  or dword ptr [r15+24h],2
c00258  jmp short 0c00262h
c0025a  mov qword ptr [r15+30h],0
c00262  xorps xmm15,xmm15
c00266  sub r12,r15
c00269  sub r12d,8
c0026d  mov [r15+8],r12d
c00271  mov [r15],r12
c00274  add r12d,0fh
c00278  and r12d,0fffffff8h
c0027c  add r12,[r13]
c00280  mov [r13],r12
c00284  mov rax,[r13+20h]
c00288  mov [rax],r12
c0028b  mov rax,[r13+40h]
c0028f  mov rcx,[r13+48h]
c00293  mov rdx,[r13+50h]
c00297  mov byte ptr [r13+30h],0
c0029c  jmp 0c00009h
c002a1  inc r12d
c002a4  mov [801078h],r12d
c002ab  lock inc qword ptr [801070h]
c002b3  jmp short 0c002c7h
c002b5  cmp dword ptr [800000h],0
c002bc  je short 0c002c7h
c002be  mov r12,[r13+20h]
c002c2  inc qword ptr [r12+50h]
c002c7  jmp 0c00009h
c002cc  mov byte ptr [r13+30h],0
c002d1  jmp 0c00009h
c002d6  mov r12,[r13+28h]
c002da  mov r12,[r12]
c002de  add r12,[r13+10h]
c002e2  inc r12
c002e5  mov [r13+8],r12
c002e9  cmp rax,r12
c002ec  jbe 0c00091h
c002f2  mov r12,[r13+20h]
c002f6  inc qword ptr [r12+40h]
c002fb  jmp short 0c0028bh
