c00000  cmp byte ptr [800040h],0
c00007  jne short 0c00016h
c00009  push rbp
c0000a  mov rbp,rsp
c0000d  sub rsp,20h
c00011  jmp 462c12h
c00016  test byte ptr [800010h],1
c0001d  je short 0c00009h
c0001f  mov r12,rax
c00022  mov r15,300000000000000h
c0002c  or r15,r12
c0002f  mov r12,9e3779b97f4a7c15h
c00039  imul r12,r15
c0003d  shr r12,32h
c00041  shl r12,6
c00045  lea r13,[0a0b000h]
c0004c  cmp [r12+r13],r15
c00050  je short 0c00069h
c00052  cmp [r12+r13+10h],r15
c00057  je short 0c00069h
c00059  cmp [r12+r13+20h],r15
c0005e  je short 0c00069h
c00060  cmp [r12+r13+30h],r15
c00065  je short 0c00069h
c00067  jmp short 0c00009h
c00069  mov r12,[r14+30h]
c0006d  mov r12,[r12+0a0h]
c00075  test r12,r12
c00078  je 0c006f5h
c0007e  mov r12d,[r12]
c00082  cmp r12d,[800004h]
c00089  jae 0c006c5h
c0008f  shl r12d,8
c00093  lea r13,[802000h]
c0009a  add r13,r12
c0009d  cmp byte ptr [r13+30h],0
c000a2  jne 0c006deh
c000a8  mov byte ptr [r13+30h],1
c000ad  cmp dword ptr [800000h],0
c000b4  je 0c006fah
c000ba  mov [r13+40h],rax
c000be  mov [r13+50h],rdx
c000c2  mov [r13+48h],rcx
c000c6  mov [r13+58h],rbx
c000ca  mov [r13+70h],rsi
c000ce  mov [r13+78h],rdi
c000d2  mov rax,[r13+40h]
c000d6  mov r15,300000000000000h
c000e0  or r15,rax
c000e3  mov r12,9e3779b97f4a7c15h
c000ed  imul r12,r15
c000f1  shr r12,32h
c000f5  shl r12,6
c000f9  lea rdx,[0a0b000h]
c00100  add r12,rdx
c00103  cmp [r12],r15
c00107  je short 0c0012ch
c00109  add r12,10h
c0010d  cmp [r12],r15
c00111  je short 0c0012ch
c00113  add r12,10h
c00117  cmp [r12],r15
c0011b  je short 0c0012ch
c0011d  add r12,10h
c00121  cmp [r12],r15
c00125  je short 0c0012ch
c00127  jmp 0c0069dh
c0012c  movaps xmm15,[r12]
c00131  movq rdx,xmm15
c00136  psrldq xmm15,8
c0013c  movq rax,xmm15
c00141  cmp rdx,r15
c00144  jne 0c0069dh
c0014a  cmp [r12],r15
c0014e  jne 0c0069dh
c00154  test rax,rax
c00157  je 0c0069dh
c0015d  mov ecx,eax
c0015f  and ecx,1fffh
c00165  shl ecx,8
c00168  lea rdx,[0b0b000h]
c0016f  add rcx,rdx
c00172  mov rdx,rax
c00175  and rdx,0ffffffffffffdfffh
c0017c  cmp [rcx],rdx
c0017f  jne 0c0069dh
c00185  mov [r13+0e0h],rax
c0018c  mov rsi,rcx
c0018f  cmp dword ptr [rsi+84h],0
c00196  jne 0c0069dh
c0019c  mov rax,[r13+40h]
c001a0  test rax,rax
c001a3  je 0c00520h
c001a9  cmp qword ptr [rax],0
c001ad  je 0c00520h
c001b3  mov rdi,[rax+10h]
c001b7  mov rcx,[rax+18h]
c001bb  cmp byte ptr [rax+22h],0
c001bf  jne 0c00685h
c001c5  cmp [rax+10h],rdi
c001c9  jne 0c00685h
c001cf  test rdi,rdi
c001d2  je 0c00520h
c001d8  mov r15d,1
c001de  test rcx,rcx
c001e1  je short 0c00217h
c001e3  cmp rcx,1
c001e7  jne 0c00685h
c001ed  mov rdi,[rdi]
c001f0  test rdi,rdi
c001f3  je 0c00520h
c001f9  mov r15,[rdi+18h]
c001fd  cmp r15,0fh
c00201  ja 0c00685h
c00207  inc r15d
c0020a  mov rdi,[rdi+10h]
c0020e  test rdi,rdi
c00211  je 0c00520h
c00217  mov rcx,[rdi]
c0021a  not rcx
c0021d  mov rdx,8080808080808080h
c00227  and rcx,rdx
c0022a  je short 0c00289h
c0022c  bsf r12,rcx
c00230  shr r12d,3
c00234  lea r12,[r12+r12*4]
c00238  lea r12,[rdi+r12*8+8]
c0023d  cmp qword ptr [r12+8],0bh
c00243  jne short 0c00280h
c00245  mov rax,[r12]
c00249  test rax,rax
c0024c  je short 0c00280h
c0024e  mov rbx,[rax]
c00251  mov rdx,2020202020202020h
c0025b  or rbx,rdx
c0025e  mov rdx,7261706563617274h
c00268  cmp rbx,rdx
c0026b  jne short 0c00280h
c0026d  mov ebx,[rax+7]
c00270  or ebx,20202020h
c00276  cmp ebx,746e6572h
c0027c  jne short 0c00280h
c0027e  jmp short 0c0029ah
c00280  lea rdx,[rcx-1]
c00284  and rcx,rdx
c00287  jne short 0c0022ch
c00289  add rdi,148h
c00290  dec r15d
c00293  jne short 0c00217h
c00295  jmp 0c00520h
c0029a  mov rax,[r12+10h]
c0029f  mov rcx,[r12+18h]
c002a4  cmp rcx,1
c002a8  jne 0c00678h
c002ae  test rax,rax
c002b1  je 0c00678h
c002b7  cmp qword ptr [rax+8],37h
c002bc  jne 0c00678h
c002c2  mov rbx,[rax]
c002c5  test rbx,rbx
c002c8  je 0c00678h
c002ce  mov rdx,[rbx+3]
c002d2  cmp rdx,[rsi+8]
c002d6  jne 0c00678h
c002dc  mov rdx,[rbx+0bh]
c002e0  cmp rdx,[rsi+10h]
c002e4  jne 0c00678h
c002ea  mov rdx,[rbx+13h]
c002ee  cmp rdx,[rsi+18h]
c002f2  jne 0c00678h
c002f8  mov rdx,[rbx+1bh]
c002fc  cmp rdx,[rsi+20h]
c00300  jne 0c00678h
c00306  mov rdx,[rbx+24h]
c0030a  cmp rdx,[rsi+70h]
c0030e  jne 0c00678h
c00314  mov rdx,[rbx+2ch]
c00318  cmp rdx,[rsi+78h]
c0031c  jne 0c00678h
c00322  mov rcx,[r13+58h]
c00326  lea rdx,[501000h]
c0032d  test rcx,rcx
c00330  je 0c00692h
c00336  cmp [rcx+8],rdx
c0033a  jne 0c00692h
c00340  mov rax,[r13+48h]
c00344  test rax,rax
c00347  je 0c00692h
c0034d  test rax,rax
c00350  je 0c00692h
c00356  mov [rsi+90h],rax
c0035d  mov rcx,[rax+28h]
c00361  inc rcx
c00364  jle 0c00692h
c0036a  mov [rsi+88h],rcx
c00371  mov rsi,[r13+0e0h]
c00378  mov rax,[r14+98h]
c0037f  mov r15,400000000000000h
c00389  or r15,rax
c0038c  mov dword ptr [r13+0cch],4
c00397  dec dword ptr [r13+0cch]
c0039e  js 0c00510h
c003a4  mov r12,9e3779b97f4a7c15h
c003ae  imul r12,r15
c003b2  shr r12,32h
c003b6  shl r12,6
c003ba  lea rdx,[0a0b000h]
c003c1  add r12,rdx
c003c4  cmp [r12],r15
c003c8  je 0c004eeh
c003ce  add r12,10h
c003d2  cmp [r12],r15
c003d6  je 0c004eeh
c003dc  add r12,10h
c003e0  cmp [r12],r15
c003e4  je 0c004eeh
c003ea  add r12,10h
c003ee  cmp [r12],r15
c003f2  je 0c004eeh
c003f8  sub r12,30h
c003fc  mov rbx,[r12]
c00400  mov rdi,[r12+8]
c00405  mov rax,rdi
c00408  test rax,rax
c0040b  je 0c004f6h
c00411  mov ecx,eax
c00413  and ecx,1fffh
c00419  shl ecx,8
c0041c  lea rdx,[0b0b000h]
c00423  add rcx,rdx
c00426  mov rdx,rax
c00429  and rdx,0ffffffffffffdfffh
c00430  cmp [rcx],rdx
c00433  jne 0c004f6h
c00439  add r12,10h
c0043d  mov rbx,[r12]
c00441  mov rdi,[r12+8]
c00446  mov rax,rdi
c00449  test rax,rax
c0044c  je 0c004f6h
c00452  mov ecx,eax
c00454  and ecx,1fffh
c0045a  shl ecx,8
c0045d  lea rdx,[0b0b000h]
c00464  add rcx,rdx
c00467  mov rdx,rax
c0046a  and rdx,0ffffffffffffdfffh
c00471  cmp [rcx],rdx
c00474  jne 0c004f6h
c0047a  add r12,10h
c0047e  mov rbx,[r12]
c00482  mov rdi,[r12+8]
c00487  mov rax,rdi
c0048a  test rax,rax
c0048d  je short 0c004f6h
c0048f  mov ecx,eax
c00491  and ecx,1fffh
c00497  shl ecx,8
c0049a  lea rdx,[0b0b000h]
c004a1  add rcx,rdx
c004a4  mov rdx,rax
c004a7  and rdx,0ffffffffffffdfffh
c004ae  cmp [rcx],rdx
c004b1  jne short 0c004f6h
c004b3  add r12,10h
c004b7  mov rbx,[r12]
c004bb  mov rdi,[r12+8]
c004c0  mov rax,rdi
c004c3  test rax,rax
c004c6  je short 0c004f6h
c004c8  mov ecx,eax
c004ca  and ecx,1fffh
c004d0  shl ecx,8
c004d3  lea rdx,[0b0b000h]
c004da  add rcx,rdx
c004dd  mov rdx,rax
c004e0  and rdx,0ffffffffffffdfffh
c004e7  cmp [rcx],rdx
c004ea  jne short 0c004f6h
c004ec  jmp short 0c00510h
c004ee  mov rbx,r15
c004f1  mov rdi,[r12+8]
c004f6  mov rax,rbx
c004f9  mov rdx,rdi
c004fc  mov rbx,r15
c004ff  mov rcx,rsi
c00502  lock cmpxchg16b [r12]
c00508  jne 0c00397h
c0050e  jmp short 0c0051bh
c00510  mov rax,[r13+20h]
c00514  inc qword ptr [rax+0b8h]
c0051b  jmp 0c0069dh
c00520  mov rcx,[r13+58h]
c00524  lea rdx,[501000h]
c0052b  test rcx,rcx
c0052e  je 0c00692h
c00534  cmp [rcx+8],rdx
c00538  jne 0c00692h
c0053e  mov rax,[r13+48h]
c00542  test rax,rax
c00545  je 0c00692h
c0054b  mov rdx,rax
c0054e  test rdx,rdx
c00551  je 0c00692h
c00557  cmp qword ptr [rdx],0
c0055b  jne 0c00692h
c00561  mov rdi,[rdx+10h]
c00565  test rdi,rdi
c00568  je 0c00692h
c0056e  mov rcx,[rdx+28h]
c00572  test rcx,rcx
c00575  js 0c00692h
c0057b  mov rbx,[rdx+18h]
c0057f  sub rbx,rcx
c00582  add rdi,rcx
c00585  mov eax,46h
c0058a  mov ecx,[rsi+80h]
c00590  test ecx,ecx
c00592  je short 0c00597h
c00594  lea eax,[rcx+54h]
c00597  cmp rbx,rax
c0059a  jl 0c00692h
c005a0  mov [r13+0f0h],rax
c005a7  mov rbx,7261706563617274h
c005b1  mov [rdi],rbx
c005b4  mov rbx,2d3030203a746e65h
c005be  mov [rdi+8],rbx
c005c2  movups xmm15,[rsi+8]
c005c7  movups [rdi+10h],xmm15
c005cc  movups xmm15,[rsi+18h]
c005d1  movups [rdi+20h],xmm15
c005d6  movups xmm15,[rsi+28h]
c005db  movups [rdi+31h],xmm15
c005e0  mov byte ptr [rdi+30h],2dh
c005e4  movzx ebx,byte ptr [rsi+48h]
c005e8  and ebx,1
c005eb  shl ebx,10h
c005ee  add ebx,0d30302dh
c005f4  mov [rdi+41h],ebx
c005f7  mov byte ptr [rdi+45h],0ah
c005fb  test ecx,ecx
c005fd  je short 0c00651h
c005ff  mov rbx,6174736563617274h
c00609  mov [rdi+46h],rbx
c0060d  mov dword ptr [rdi+4eh],203a6574h
c00614  mov r15,rdx
c00617  lea r12,[0b0b000h]
c0061e  neg r12
c00621  add r12,rsi
c00624  shl r12,1
c00627  lea rdx,[0d0b000h]
c0062e  add r12,rdx
c00631  mov rdx,r15
c00634  xor r15d,r15d
c00637  movzx eax,byte ptr [r12+r15]
c0063c  mov [rdi+r15+52h],al
c00641  inc r15d
c00644  cmp r15d,ecx
c00647  jb short 0c00637h
c00649  mov word ptr [rdi+r15+52h],0a0dh
c00651  mov rax,[r13+0e0h]
c00658  cmp [rsi],rax
c0065b  jne short 0c0069dh
c0065d  mov rdi,rdx
c00660  mov rax,[r13+0f0h]
c00667  add [rdi+28h],rax
c0066b  mov rax,[r13+20h]
c0066f  inc qword ptr [rax+90h]
c00676  jmp short 0c0069dh
c00678  mov rax,[r13+20h]
c0067c  inc qword ptr [rax+0a0h]
c00683  jmp short 0c0069dh
c00685  mov rax,[r13+20h]
c00689  inc qword ptr [rax+0c0h]
c00690  jmp short 0c0069dh
c00692  mov rax,[r13+20h]
c00696  inc qword ptr [rax+0a8h]
c0069d  xorps xmm15,xmm15
c006a1  jmp short 0c006a3h
c006a3  mov rbx,[r13+58h]
c006a7  mov rax,[r13+40h]
c006ab  mov rcx,[r13+48h]
c006af  mov rsi,[r13+70h]
c006b3  mov rdi,[r13+78h]
c006b7  mov rdx,[r13+50h]
c006bb  mov byte ptr [r13+30h],0
c006c0  jmp 0c00009h
c006c5  jmp 0c00009h
c006ca  inc r12d
c006cd  mov [801078h],r12d
c006d4  lock inc qword ptr [801070h]
c006dc  jmp short 0c006f5h
c006de  cmp dword ptr [800000h],0
c006e5  je short 0c006f5h
c006e7  jmp 0c00009h
c006ec  mov r12,[r13+20h]
c006f0  inc qword ptr [r12+50h]
c006f5  jmp 0c00009h
c006fa  mov byte ptr [r13+30h],0
c006ff  jmp 0c00009h
