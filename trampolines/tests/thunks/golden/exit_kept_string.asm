c00000  add rsp,20h
c00004  pop rbp
c00005  cmp byte ptr [800040h],0
c0000c  jne short 0c00010h
c0000e  rep ret
c00010  mov r12,[r14+30h]
c00014  mov r12,[r12+0a0h]
c0001c  test r12,r12
c0001f  je 0c002c6h
c00025  mov r12d,[r12]
c00029  cmp r12d,[800004h]
c00030  jae 0c002a0h
c00036  shl r12d,8
c0003a  lea r13,[802000h]
c00041  add r13,r12
c00044  cmp byte ptr [r13+30h],0
c00049  jne 0c002b4h
c0004f  mov byte ptr [r13+30h],1
c00054  cmp dword ptr [800000h],0
c0005b  je 0c0035dh
c00061  mov [r13+40h],rax
c00065  mov [r13+50h],rdx
c00069  mov [r13+48h],rcx
c0006d  mov [r13+58h],rbx
c00071  rdtsc
c00073  shl rdx,20h
c00077  or rdx,rax
c0007a  mov [r13+60h],rdx
c0007e  mov r15,[r14+98h]
c00085  test r15,r15
c00088  je 0c00115h
c0008e  mov rax,[r14+8]
c00092  sub rax,rsp
c00095  sub rax,8
c0009b  shr rax,3
c0009f  shl r15,1bh
c000a3  or r15,rax
c000a6  mov rbx,9e3779b97f4a7c15h
c000b0  imul rbx,r15
c000b4  shr rbx,31h
c000b8  shl rbx,6
c000bc  lea rax,[80a000h]
c000c3  add rbx,rax
c000c6  mov rcx,[800008h]
c000cd  or rcx,0
c000d1  xor r12d,r12d
c000d4  cmp [rbx+r12],r15
c000d8  jne short 0c00108h
c000da  cmp [rbx+r12+8],rcx
c000df  jne short 0c00108h
c000e1  mov rax,[rbx+r12+10h]
c000e6  mov [r13+80h],rax
c000ed  mov rax,[rbx+r12+18h]
c000f2  mov [r13+88h],rax
c000f9  mov qword ptr [rbx+r12],0
c00101  mov byte ptr [r13+31h],1
c00106  jmp short 0c00131h
c00108  add r12,40h
c0010c  cmp r12,200h
c00113  jb short 0c000d4h
c00115  mov rax,[r13+20h]
c00119  inc qword ptr [rax+48h]
c0011d  xor eax,eax
c0011f  mov [r13+31h],al
c00123  mov [r13+80h],rax
c0012a  mov [r13+88h],rax
c00131  mov rdx,[r13+60h]
c00135  mov r15,[r13]
c00139  lea rax,[r15+40h]
c0013d  cmp rax,[r13+8]
c00141  ja 0c00367h
c00147  and r15,[r13+10h]
c0014b  add r15,[r13+18h]
c0014f  prefetchw [r15+180h]
c00157  mov [r15+10h],rdx
c0015b  mov dword ptr [r15+0ch],1
c00163  mov rax,[r14+98h]
c0016a  mov [r15+18h],rax
c0016e  mov rax,[r14+8]
c00172  sub rax,rsp
c00175  sub rax,8
c0017b  mov [r15+20h],eax
c0017f  mov dword ptr [r15+24h],0
c00187  lea r12,[r15+30h]
c0018b  mov rdx,[r13+88h]
c00192  mov rax,[r13+80h]
c00199  cmp byte ptr [r13+31h],0
c0019e  je 0c00255h
c001a4  test rdx,rdx
c001a7  je short 0c001b2h
c001a9  test rax,rax
c001ac  je 0c00255h
c001b2  mov ecx,0ffffffffh
c001b7  cmp rdx,rcx
c001ba  jbe short 0c001beh
c001bc  mov edx,ecx
c001be  mov [r15+2ch],edx
c001c2  cmp edx,10h
c001c5  jbe short 0c001cch
c001c7  mov edx,10h
c001cc  mov [r15+28h],edx
c001d0  cmp edx,10h
c001d3  jb short 0c001fch
c001d5  movups xmm15,[rax+rdx-10h]
c001db  movups [r12+rdx-10h],xmm15
c001e1  lea ecx,[rdx-1]
c001e4  and ecx,0fffffff0h
c001e7  je short 0c0024bh
c001e9  movups xmm15,[rax+rcx-10h]
c001ef  movups [r12+rcx-10h],xmm15
c001f5  sub ecx,10h
c001f8  jne short 0c001e9h
c001fa  jmp short 0c0024bh
c001fc  cmp edx,8
c001ff  jb short 0c00214h
c00201  mov rcx,[rax+rdx-8]
c00206  mov [r12+rdx-8],rcx
c0020b  mov rcx,[rax]
c0020e  mov [r12],rcx
c00212  jmp short 0c0024bh
c00214  cmp edx,4
c00217  jb short 0c0022ah
c00219  mov ecx,[rax+rdx-4]
c0021d  mov [r12+rdx-4],ecx
c00222  mov ecx,[rax]
c00224  mov [r12],ecx
c00228  jmp short 0c0024bh
c0022a  test edx,edx
c0022c  je short 0c0024bh
c0022e  movzx ecx,byte ptr [rax]
c00231  mov [r12],cl
c00235  movzx ecx,byte ptr [rax+rdx-1]
c0023a  mov [r12+rdx-1],cl
c0023f  mov ecx,edx
c00241  shr ecx,1
c00243  movzx eax,byte ptr [rax+rcx]
c00247  mov [r12+rcx],al
c0024b  add r12,rdx
c0024e  or dword ptr [r15+24h],1
c00253  jmp short 0c0025dh
c00255  mov qword ptr [r15+28h],0
c0025d  xorps xmm15,xmm15
c00261  sub r12,r15
c00264  sub r12d,8
c00268  mov [r15+8],r12d
c0026c  mov [r15],r12
c0026f  add r12d,0fh
c00273  and r12d,0fffffff8h
c00277  add r12,[r13]
c0027b  mov [r13],r12
c0027f  mov rax,[r13+20h]
c00283  mov [rax],r12
c00286  mov rbx,[r13+58h]
c0028a  mov rax,[r13+40h]
c0028e  mov rcx,[r13+48h]
c00292  mov rdx,[r13+50h]
c00296  mov byte ptr [r13+30h],0
c0029b  jmp 0c0000eh
c002a0  inc r12d
c002a3  mov [801078h],r12d
c002aa  lock inc qword ptr [801070h]
c002b2  jmp short 0c002c6h
c002b4  cmp dword ptr [800000h],0
c002bb  je short 0c002c6h
c002bd  mov r12,[r13+20h]
c002c1  inc qword ptr [r12+50h]
c002c6  lock inc dword ptr [8010f8h]
c002cd  movq xmm15,rax
c002d2  mov r15,[r14+98h]
c002d9  test r15,r15
c002dc  je short 0c00348h
c002de  mov r12,[r14+8]
c002e2  sub r12,rsp
c002e5  sub r12,8
c002e9  shr r12,3
c002ed  shl r15,1bh
c002f1  or r15,r12
c002f4  mov r13,9e3779b97f4a7c15h
c002fe  imul r13,r15
c00302  shr r13,31h
c00306  shl r13,6
c0030a  lea r12,[80a000h]
c00311  add r13,r12
c00314  mov rax,[800008h]
c0031b  or rax,0
c00321  xor r12d,r12d
c00324  cmp [r13+r12],r15
c00329  jne short 0c0033bh
c0032b  cmp [r13+r12+8],rax
c00330  jne short 0c0033bh
c00332  mov qword ptr [r13+r12],0
c0033b  add r12,40h
c0033f  cmp r12,200h
c00346  jb short 0c00324h
c00348  movq rax,xmm15
c0034d  xorps xmm15,xmm15
c00351  lock dec dword ptr [8010f8h]
c00358  jmp 0c0000eh
c0035d  mov byte ptr [r13+30h],0
c00362  jmp 0c0000eh
c00367  mov r12,[r13+28h]
c0036b  mov r12,[r12]
c0036f  add r12,[r13+10h]
c00373  inc r12
c00376  mov [r13+8],r12
c0037a  cmp rax,r12
c0037d  jbe 0c00147h
c00383  mov r12,[r13+20h]
c00387  inc qword ptr [r12+40h]
c0038c  jmp 0c00286h
