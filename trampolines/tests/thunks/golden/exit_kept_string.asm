c00000  add rsp,20h
c00004  pop rbp
c00005  cmp byte ptr [800040h],0
c0000c  jne short 0c00010h
c0000e  rep ret
c00010  mov r12,[r14+30h]
c00014  mov r12,[r12+0a0h]
c0001c  test r12,r12
c0001f  je 0c002a7h
c00025  mov r12d,[r12]
c00029  cmp r12d,[800004h]
c00030  jae 0c00295h
c00036  shl r12d,8
c0003a  lea r13,[802000h]
c00041  add r13,r12
c00044  mov byte ptr [r13+30h],1
c00049  cmp dword ptr [800000h],0
c00050  je 0c0033eh
c00056  mov [r13+40h],rax
c0005a  mov [r13+50h],rdx
c0005e  mov [r13+48h],rcx
c00062  mov [r13+58h],rbx
c00066  rdtsc
c00068  shl rdx,20h
c0006c  or rdx,rax
c0006f  mov [r13+60h],rdx
c00073  mov r15,[r14+98h]
c0007a  test r15,r15
c0007d  je 0c0010ah
c00083  mov rax,[r14+8]
c00087  sub rax,rsp
c0008a  sub rax,8
c00090  shr rax,3
c00094  shl r15,1bh
c00098  or r15,rax
c0009b  mov rbx,9e3779b97f4a7c15h
c000a5  imul rbx,r15
c000a9  shr rbx,31h
c000ad  shl rbx,6
c000b1  lea rax,[80a000h]
c000b8  add rbx,rax
c000bb  mov rcx,[800008h]
c000c2  or rcx,0
c000c6  xor r12d,r12d
c000c9  cmp [rbx+r12],r15
c000cd  jne short 0c000fdh
c000cf  cmp [rbx+r12+8],rcx
c000d4  jne short 0c000fdh
c000d6  mov rax,[rbx+r12+10h]
c000db  mov [r13+80h],rax
c000e2  mov rax,[rbx+r12+18h]
c000e7  mov [r13+88h],rax
c000ee  mov qword ptr [rbx+r12],0
c000f6  mov byte ptr [r13+31h],1
c000fb  jmp short 0c00126h
c000fd  add r12,40h
c00101  cmp r12,200h
c00108  jb short 0c000c9h
c0010a  mov rax,[r13+20h]
c0010e  inc qword ptr [rax+48h]
c00112  xor eax,eax
c00114  mov [r13+31h],al
c00118  mov [r13+80h],rax
c0011f  mov [r13+88h],rax
c00126  mov rdx,[r13+60h]
c0012a  mov r15,[r13]
c0012e  lea rax,[r15+40h]
c00132  cmp rax,[r13+8]
c00136  ja 0c00348h
c0013c  and r15,[r13+10h]
c00140  add r15,[r13+18h]
c00144  prefetchw [r15+180h]
c0014c  mov [r15+10h],rdx
c00150  mov dword ptr [r15+0ch],1
c00158  mov rax,[r14+98h]
c0015f  mov [r15+18h],rax
c00163  mov rax,[r14+8]
c00167  sub rax,rsp
c0016a  sub rax,8
c00170  mov [r15+20h],eax
c00174  mov dword ptr [r15+24h],0
c0017c  lea r12,[r15+30h]
c00180  mov rdx,[r13+88h]
c00187  mov rax,[r13+80h]
c0018e  cmp byte ptr [r13+31h],0
c00193  je 0c0024ah
c00199  test rdx,rdx
c0019c  je short 0c001a7h
c0019e  test rax,rax
c001a1  je 0c0024ah
c001a7  mov ecx,0ffffffffh
c001ac  cmp rdx,rcx
c001af  jbe short 0c001b3h
c001b1  mov edx,ecx
c001b3  mov [r15+2ch],edx
c001b7  cmp edx,10h
c001ba  jbe short 0c001c1h
c001bc  mov edx,10h
c001c1  mov [r15+28h],edx
c001c5  cmp edx,10h
c001c8  jb short 0c001f1h
c001ca  movups xmm15,[rax+rdx-10h]
c001d0  movups [r12+rdx-10h],xmm15
c001d6  lea ecx,[rdx-1]
c001d9  and ecx,0fffffff0h
c001dc  je short 0c00240h
c001de  movups xmm15,[rax+rcx-10h]
c001e4  movups [r12+rcx-10h],xmm15
c001ea  sub ecx,10h
c001ed  jne short 0c001deh
c001ef  jmp short 0c00240h
c001f1  cmp edx,8
c001f4  jb short 0c00209h
c001f6  mov rcx,[rax+rdx-8]
c001fb  mov [r12+rdx-8],rcx
c00200  mov rcx,[rax]
c00203  mov [r12],rcx
c00207  jmp short 0c00240h
c00209  cmp edx,4
c0020c  jb short 0c0021fh
c0020e  mov ecx,[rax+rdx-4]
c00212  mov [r12+rdx-4],ecx
c00217  mov ecx,[rax]
c00219  mov [r12],ecx
c0021d  jmp short 0c00240h
c0021f  test edx,edx
c00221  je short 0c00240h
c00223  movzx ecx,byte ptr [rax]
c00226  mov [r12],cl
c0022a  movzx ecx,byte ptr [rax+rdx-1]
c0022f  mov [r12+rdx-1],cl
c00234  mov ecx,edx
c00236  shr ecx,1
c00238  movzx eax,byte ptr [rax+rcx]
c0023c  mov [r12+rcx],al
c00240  add r12,rdx
c00243  or dword ptr [r15+24h],1
c00248  jmp short 0c00252h
c0024a  mov qword ptr [r15+28h],0
c00252  xorps xmm15,xmm15
c00256  sub r12,r15
c00259  sub r12d,8
c0025d  mov [r15+8],r12d
c00261  mov [r15],r12
c00264  add r12d,0fh
c00268  and r12d,0fffffff8h
c0026c  add r12,[r13]
c00270  mov [r13],r12
c00274  mov rax,[r13+20h]
c00278  mov [rax],r12
c0027b  mov rbx,[r13+58h]
c0027f  mov rax,[r13+40h]
c00283  mov rcx,[r13+48h]
c00287  mov rdx,[r13+50h]
c0028b  mov byte ptr [r13+30h],0
c00290  jmp 0c0000eh
c00295  inc r12d
c00298  mov [801078h],r12d
c0029f  lock inc qword ptr [801070h]
c002a7  lock inc dword ptr [8010f8h]
c002ae  movq xmm15,rax
c002b3  mov r15,[r14+98h]
c002ba  test r15,r15
c002bd  je short 0c00329h
c002bf  mov r12,[r14+8]
c002c3  sub r12,rsp
c002c6  sub r12,8
c002ca  shr r12,3
c002ce  shl r15,1bh
c002d2  or r15,r12
c002d5  mov r13,9e3779b97f4a7c15h
c002df  imul r13,r15
c002e3  shr r13,31h
c002e7  shl r13,6
c002eb  lea r12,[80a000h]
c002f2  add r13,r12
c002f5  mov rax,[800008h]
c002fc  or rax,0
c00302  xor r12d,r12d
c00305  cmp [r13+r12],r15
c0030a  jne short 0c0031ch
c0030c  cmp [r13+r12+8],rax
c00311  jne short 0c0031ch
c00313  mov qword ptr [r13+r12],0
c0031c  add r12,40h
c00320  cmp r12,200h
c00327  jb short 0c00305h
c00329  movq rax,xmm15
c0032e  xorps xmm15,xmm15
c00332  lock dec dword ptr [8010f8h]
c00339  jmp 0c0000eh
c0033e  mov byte ptr [r13+30h],0
c00343  jmp 0c0000eh
c00348  mov r12,[r13+28h]
c0034c  mov r12,[r12]
c00350  add r12,[r13+10h]
c00354  inc r12
c00357  mov [r13+8],r12
c0035b  cmp rax,r12
c0035e  jbe 0c0013ch
c00364  mov r12,[r13+20h]
c00368  inc qword ptr [r12+40h]
c0036d  jmp 0c0027bh
