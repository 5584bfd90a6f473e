c00000  cmp byte ptr [800040h],0
c00007  jne short 0c00016h
c00009  push rbp
c0000a  mov rbp,rsp
c0000d  sub rsp,20h
c00011  jmp 462c12h
c00016  mov r12,[r14+30h]
c0001a  mov r12,[r12+0a0h]
c00022  test r12,r12
c00025  je 0c00e4eh
c0002b  mov r12d,[r12]
c0002f  cmp r12d,[800004h]
c00036  jae 0c00e28h
c0003c  shl r12d,8
c00040  lea r13,[802000h]
c00047  add r13,r12
c0004a  cmp byte ptr [r13+30h],0
c0004f  jne 0c00e3ch
c00055  mov byte ptr [r13+30h],1
c0005a  cmp dword ptr [800000h],0
c00061  je 0c00e53h
c00067  mov [r13+40h],rax
c0006b  mov [r13+50h],rdx
c0006f  mov [r13+48h],rcx
c00073  mov [r13+58h],rbx
c00077  mov [r13+70h],rsi
c0007b  mov [r13+78h],rdi
c0007f  rdtsc
c00081  shl rdx,20h
c00085  or rdx,rax
c00088  mov [r13+60h],rdx
c0008c  mov qword ptr [r13+0d0h],0
c00097  mov rax,[r14+98h]
c0009e  test rax,rax
c000a1  je 0c00d1ch
c000a7  mov r15,100000000000000h
c000b1  or r15,rax
c000b4  mov [r13+0e8h],r15
c000bb  mov qword ptr [r13+0d8h],0
c000c6  mov r12,9e3779b97f4a7c15h
c000d0  imul r12,r15
c000d4  shr r12,32h
c000d8  shl r12,6
c000dc  lea rdx,[0a0b000h]
c000e3  add r12,rdx
c000e6  cmp [r12],r15
c000ea  je short 0c0010fh
c000ec  add r12,10h
c000f0  cmp [r12],r15
c000f4  je short 0c0010fh
c000f6  add r12,10h
c000fa  cmp [r12],r15
c000fe  je short 0c0010fh
c00100  add r12,10h
c00104  cmp [r12],r15
c00108  je short 0c0010fh
c0010a  jmp 0c001eeh
c0010f  movaps xmm15,[r12]
c00114  movq rdx,xmm15
c00119  psrldq xmm15,8
c0011f  movq rax,xmm15
c00124  cmp rdx,r15
c00127  jne 0c001eeh
c0012d  cmp [r12],r15
c00131  jne 0c001eeh
c00137  mov rbx,[r14+8]
c0013b  sub rbx,rsp
c0013e  sub rbx,8
c00142  mov dword ptr [r13+0cch],10h
c0014d  test rax,rax
c00150  je 0c001eeh
c00156  mov ecx,eax
c00158  and ecx,1fffh
c0015e  shl ecx,8
c00161  lea rdx,[0b0b000h]
c00168  add rcx,rdx
c0016b  mov rdx,rax
c0016e  and rdx,0ffffffffffffdfffh
c00175  cmp [rcx],rdx
c00178  jne short 0c001eeh
c0017a  bt rax,0dh
c0017f  jb short 0c001e7h
c00181  cmp [rcx+60h],ebx
c00184  jb short 0c001e7h
c00186  jne short 0c0018eh
c00188  cmp dword ptr [rcx+64h],0
c0018c  jne short 0c001e7h
c0018e  mov rdi,[rcx+50h]
c00192  mov rdx,[r13+60h]
c00196  sub rdx,[rcx+68h]
c0019a  sar rdx,20h
c0019e  cmp rdx,18h
c001a2  jge short 0c001ceh
c001a4  cmp dword ptr [r13+0c8h],0
c001ac  jne short 0c001c5h
c001ae  and eax,1fffh
c001b3  inc eax
c001b5  mov [r13+0c8h],eax
c001bc  mov qword ptr [rcx],0ffffffffffffffffh
c001c3  jmp short 0c001d5h
c001c5  mov qword ptr [rcx],0
c001cc  jmp short 0c001d5h
c001ce  xor edx,edx
c001d0  lock cmpxchg [rcx],rdx
c001d5  mov rax,rdi
c001d8  dec dword ptr [r13+0cch]
c001df  jne 0c0014dh
c001e5  jmp short 0c001eeh
c001e7  mov [r13+0d8h],rax
c001ee  lea rdx,[802000h]
c001f5  mov rcx,r13
c001f8  sub rcx,rdx
c001fb  shl rcx,6
c001ff  mov r12,200000h
c00209  add r12,[r13+0c0h]
c00210  mov [r13+0c0h],r12
c00217  or r12,rcx
c0021a  mov eax,[r13+0c8h]
c00221  sub eax,1
c00226  jb short 0c0024bh
c00228  mov dword ptr [r13+0c8h],0
c00233  or r12,rax
c00236  shl eax,8
c00239  lea rsi,[0b0b000h]
c00240  add rsi,rax
c00243  mov [rsi],r12
c00246  jmp 0c00302h
c0024b  mov dword ptr [r13+0cch],8
c00256  dec dword ptr [r13+0cch]
c0025d  js 0c00d11h
c00263  mov rax,9e3779b97f4a7c15h
c0026d  add rax,[r13+0b0h]
c00274  mov [r13+0b0h],rax
c0027b  mov rdx,rax
c0027e  shr rdx,1eh
c00282  xor rax,rdx
c00285  mov rdx,0bf58476d1ce4e5b9h
c0028f  imul rax,rdx
c00293  mov rdx,rax
c00296  shr rdx,1bh
c0029a  xor rax,rdx
c0029d  mov rdx,94d049bb133111ebh
c002a7  imul rax,rdx
c002ab  mov rdx,rax
c002ae  shr rdx,1fh
c002b2  xor rax,rdx
c002b5  test rax,rax
c002b8  jne short 0c002bch
c002ba  inc eax
c002bc  and eax,1fffh
c002c1  mov edi,eax
c002c3  shl eax,8
c002c6  lea rsi,[0b0b000h]
c002cd  add rsi,rax
c002d0  mov rax,[rsi]
c002d3  test rax,rax
c002d6  je short 0c002f4h
c002d8  js 0c00256h
c002de  mov rdx,[r13+60h]
c002e2  sub rdx,[rsi+68h]
c002e6  sar rdx,20h
c002ea  cmp rdx,20h
c002ee  jl 0c00256h
c002f4  or rdi,r12
c002f7  lock cmpxchg [rsi],rdi
c002fc  jne 0c00256h
c00302  mov rdx,[r13+60h]
c00306  mov [rsi+68h],rdx
c0030a  mov [r13+0d0h],rsi
c00311  mov dword ptr [r13+0f8h],0
c0031c  mov rax,[r13+58h]
c00320  mov [r13+0f0h],rax
c00327  mov rax,[r13+48h]
c0032b  mov rbx,rax
c0032e  mov dword ptr [r13+0cch],10h
c00339  mov rax,rbx
c0033c  test rax,rax
c0033f  je 0c00557h
c00345  mov r15,200000000000000h
c0034f  or r15,rax
c00352  mov r12,9e3779b97f4a7c15h
c0035c  imul r12,r15
c00360  shr r12,32h
c00364  shl r12,6
c00368  lea rdx,[0a0b000h]
c0036f  add r12,rdx
c00372  cmp [r12],r15
c00376  je short 0c00398h
c00378  add r12,10h
c0037c  cmp [r12],r15
c00380  je short 0c00398h
c00382  add r12,10h
c00386  cmp [r12],r15
c0038a  je short 0c00398h
c0038c  add r12,10h
c00390  cmp [r12],r15
c00394  je short 0c00398h
c00396  jmp short 0c003eeh
c00398  movaps xmm15,[r12]
c0039d  movq rdx,xmm15
c003a2  psrldq xmm15,8
c003a8  movq rax,xmm15
c003ad  cmp rdx,r15
c003b0  jne short 0c003eeh
c003b2  cmp [r12],r15
c003b6  jne short 0c003eeh
c003b8  test rax,rax
c003bb  je short 0c003e3h
c003bd  mov ecx,eax
c003bf  and ecx,1fffh
c003c5  shl ecx,8
c003c8  lea rdx,[0b0b000h]
c003cf  add rcx,rdx
c003d2  mov rdx,rax
c003d5  and rdx,0ffffffffffffdfffh
c003dc  cmp [rcx],rdx
c003df  jne short 0c003e3h
c003e1  jmp short 0c0043fh
c003e3  mov dword ptr [r13+0f8h],1
c003ee  mov rdx,[r13+0f0h]
c003f5  test rdx,rdx
c003f8  je 0c00557h
c003fe  mov rdx,[rdx+8]
c00402  lea rcx,[504000h]
c00409  cmp rdx,rcx
c0040c  je short 0c0041fh
c0040e  lea rcx,[505000h]
c00415  cmp rdx,rcx
c00418  je short 0c0041fh
c0041a  jmp 0c00557h
c0041f  mov rax,[rbx]
c00422  mov [r13+0f0h],rax
c00429  mov rbx,[rbx+8]
c0042d  dec dword ptr [r13+0cch]
c00434  jne 0c00339h
c0043a  jmp 0c00557h
c0043f  mov [r13+0e0h],rax
c00446  mov rbx,rcx
c00449  mov edi,1
c0044e  mov rax,[r13+0d8h]
c00455  test rax,rax
c00458  je short 0c004a8h
c0045a  mov ecx,eax
c0045c  and ecx,1fffh
c00462  shl ecx,8
c00465  lea rdx,[0b0b000h]
c0046c  add rcx,rdx
c0046f  mov rdx,rax
c00472  and rdx,0ffffffffffffdfffh
c00479  cmp [rcx],rdx
c0047c  jne short 0c004a8h
c0047e  mov rdx,[rcx+8]
c00482  cmp rdx,[rbx+8]
c00486  jne short 0c004a8h
c00488  mov rdx,[rcx+10h]
c0048c  cmp rdx,[rbx+10h]
c00490  jne short 0c004a8h
c00492  mov rdx,[rcx+18h]
c00496  cmp rdx,[rbx+18h]
c0049a  jne short 0c004a8h
c0049c  mov rdx,[rcx+20h]
c004a0  cmp rdx,[rbx+20h]
c004a4  jne short 0c004a8h
c004a6  jmp short 0c004b2h
c004a8  mov rcx,rbx
c004ab  mov rax,[r13+0e0h]
c004b2  movups xmm15,[rcx+8]
c004b7  movups [rsi+8],xmm15
c004bc  movups xmm15,[rcx+18h]
c004c1  movups [rsi+18h],xmm15
c004c6  movups xmm15,[rcx+28h]
c004cb  movups [rsi+38h],xmm15
c004d0  movups xmm15,[rcx+70h]
c004d5  movups [rsi+70h],xmm15
c004da  shl edi,8
c004dd  movzx edx,byte ptr [rcx+48h]
c004e1  or rdx,rdi
c004e4  mov [rsi+48h],rdx
c004e8  mov edx,[rcx+80h]
c004ee  mov [rsi+80h],edx
c004f4  test edx,edx
c004f6  je short 0c00548h
c004f8  lea r12,[0b0b000h]
c004ff  neg r12
c00502  add r12,rcx
c00505  shl r12,1
c00508  lea rdx,[0d0b000h]
c0050f  add r12,rdx
c00512  lea rbx,[0b0b000h]
c00519  neg rbx
c0051c  add rbx,rsi
c0051f  shl rbx,1
c00522  lea rdx,[0d0b000h]
c00529  add rbx,rdx
c0052c  mov edx,[rsi+80h]
c00532  xor r15d,r15d
c00535  movups xmm15,[r12+r15]
c0053a  movups [rbx+r15],xmm15
c0053f  add r15d,10h
c00543  cmp r15d,edx
c00546  jb short 0c00535h
c00548  btr rax,0dh
c0054d  cmp [rcx],rax
c00550  jne short 0c00557h
c00552  jmp 0c0083fh
c00557  cmp dword ptr [r13+0f8h],0
c0055f  jne 0c00653h
c00565  mov rax,[r13+0d8h]
c0056c  test rax,rax
c0056f  je 0c00653h
c00575  mov ecx,eax
c00577  and ecx,1fffh
c0057d  shl ecx,8
c00580  lea rdx,[0b0b000h]
c00587  add rcx,rdx
c0058a  mov rdx,rax
c0058d  and rdx,0ffffffffffffdfffh
c00594  cmp [rcx],rdx
c00597  jne 0c00653h
c0059d  bt rax,0dh
c005a2  mov edi,2
c005a7  jae short 0c005aeh
c005a9  mov edi,3
c005ae  movups xmm15,[rcx+8]
c005b3  movups [rsi+8],xmm15
c005b8  movups xmm15,[rcx+18h]
c005bd  movups [rsi+18h],xmm15
c005c2  movups xmm15,[rcx+28h]
c005c7  movups [rsi+38h],xmm15
c005cc  movups xmm15,[rcx+70h]
c005d1  movups [rsi+70h],xmm15
c005d6  shl edi,8
c005d9  movzx edx,byte ptr [rcx+48h]
c005dd  or rdx,rdi
c005e0  mov [rsi+48h],rdx
c005e4  mov edx,[rcx+80h]
c005ea  mov [rsi+80h],edx
c005f0  test edx,edx
c005f2  je short 0c00644h
c005f4  lea r12,[0b0b000h]
c005fb  neg r12
c005fe  add r12,rcx
c00601  shl r12,1
c00604  lea rdx,[0d0b000h]
c0060b  add r12,rdx
c0060e  lea rbx,[0b0b000h]
c00615  neg rbx
c00618  add rbx,rsi
c0061b  shl rbx,1
c0061e  lea rdx,[0d0b000h]
c00625  add rbx,rdx
c00628  mov edx,[rsi+80h]
c0062e  xor r15d,r15d
c00631  movups xmm15,[r12+r15]
c00636  movups [rbx+r15],xmm15
c0063b  add r15d,10h
c0063f  cmp r15d,edx
c00642  jb short 0c00631h
c00644  btr rax,0dh
c00649  cmp [rcx],rax
c0064c  jne short 0c00653h
c0064e  jmp 0c0083fh
c00653  mov rax,9e3779b97f4a7c15h
c0065d  add rax,[r13+0b0h]
c00664  mov [r13+0b0h],rax
c0066b  mov rdx,rax
c0066e  shr rdx,1eh
c00672  xor rax,rdx
c00675  mov rdx,0bf58476d1ce4e5b9h
c0067f  imul rax,rdx
c00683  mov rdx,rax
c00686  shr rdx,1bh
c0068a  xor rax,rdx
c0068d  mov rdx,94d049bb133111ebh
c00697  imul rax,rdx
c0069b  mov rdx,rax
c0069e  shr rdx,1fh
c006a2  xor rax,rdx
c006a5  test rax,rax
c006a8  jne short 0c006ach
c006aa  inc eax
c006ac  mov rdx,0f0f0f0f0f0f0f0fh
c006b6  mov rcx,rax
c006b9  shr rcx,4
c006bd  and rax,rdx
c006c0  and rcx,rdx
c006c3  mov rdx,606060606060606h
c006cd  add rdx,rax
c006d0  shr rdx,4
c006d4  mov r15,101010101010101h
c006de  and rdx,r15
c006e1  imul rdx,27h
c006e5  mov r15,3030303030303030h
c006ef  add rax,r15
c006f2  add rax,rdx
c006f5  mov [rsi+8],rax
c006f9  mov rdx,606060606060606h
c00703  add rdx,rcx
c00706  shr rdx,4
c0070a  mov r15,101010101010101h
c00714  and rdx,r15
c00717  imul rdx,27h
c0071b  mov r15,3030303030303030h
c00725  add rcx,r15
c00728  add rcx,rdx
c0072b  mov [rsi+10h],rcx
c0072f  mov rax,[r13+0b0h]
c00736  xor rax,[r13+0b8h]
c0073d  mov rdx,rax
c00740  shr rdx,1eh
c00744  xor rax,rdx
c00747  mov rdx,0bf58476d1ce4e5b9h
c00751  imul rax,rdx
c00755  mov rdx,rax
c00758  shr rdx,1bh
c0075c  xor rax,rdx
c0075f  mov rdx,94d049bb133111ebh
c00769  imul rax,rdx
c0076d  mov rdx,rax
c00770  shr rdx,1fh
c00774  xor rax,rdx
c00777  mov rdx,0f0f0f0f0f0f0f0fh
c00781  mov rcx,rax
c00784  shr rcx,4
c00788  and rax,rdx
c0078b  and rcx,rdx
c0078e  mov rdx,606060606060606h
c00798  add rdx,rax
c0079b  shr rdx,4
c0079f  mov r15,101010101010101h
c007a9  and rdx,r15
c007ac  imul rdx,27h
c007b0  mov r15,3030303030303030h
c007ba  add rax,r15
c007bd  add rax,rdx
c007c0  mov [rsi+18h],rax
c007c4  mov rdx,606060606060606h
c007ce  add rdx,rcx
c007d1  shr rdx,4
c007d5  mov r15,101010101010101h
c007df  and rdx,r15
c007e2  imul rdx,27h
c007e6  mov r15,3030303030303030h
c007f0  add rcx,r15
c007f3  add rcx,rdx
c007f6  mov [rsi+20h],rcx
c007fa  xorps xmm15,xmm15
c007fe  movups [rsi+38h],xmm15
c00803  movups [rsi+70h],xmm15
c00808  mov qword ptr [rsi+48h],0
c00810  mov dword ptr [rsi+80h],0
c0081a  and byte ptr [rsi+48h],0feh
c0081e  mov edx,1
c00823  mov rax,[800018h]
c0082a  test rax,rax
c0082d  je short 0c0083ch
c0082f  mov rdx,[rsi+1ah]
c00833  bswap rdx
c00836  cmp rdx,rax
c00839  setb dl
c0083c  or [rsi+48h],dl
c0083f  mov rax,9e3779b97f4a7c15h
c00849  add rax,[r13+0b0h]
c00850  mov [r13+0b0h],rax
c00857  mov rdx,rax
c0085a  shr rdx,1eh
c0085e  xor rax,rdx
c00861  mov rdx,0bf58476d1ce4e5b9h
c0086b  imul rax,rdx
c0086f  mov rdx,rax
c00872  shr rdx,1bh
c00876  xor rax,rdx
c00879  mov rdx,94d049bb133111ebh
c00883  imul rax,rdx
c00887  mov rdx,rax
c0088a  shr rdx,1fh
c0088e  xor rax,rdx
c00891  test rax,rax
c00894  jne short 0c00898h
c00896  inc eax
c00898  mov rdx,0f0f0f0f0f0f0f0fh
c008a2  mov rcx,rax
c008a5  shr rcx,4
c008a9  and rax,rdx
c008ac  and rcx,rdx
c008af  mov rdx,606060606060606h
c008b9  add rdx,rax
c008bc  shr rdx,4
c008c0  mov r15,101010101010101h
c008ca  and rdx,r15
c008cd  imul rdx,27h
c008d1  mov r15,3030303030303030h
c008db  add rax,r15
c008de  add rax,rdx
c008e1  mov [rsi+28h],rax
c008e5  mov rdx,606060606060606h
c008ef  add rdx,rcx
c008f2  shr rdx,4
c008f6  mov r15,101010101010101h
c00900  and rdx,r15
c00903  imul rdx,27h
c00907  mov r15,3030303030303030h
c00911  add rcx,r15
c00914  add rcx,rdx
c00917  mov [rsi+30h],rcx
c0091b  mov rax,[r13+0d8h]
c00922  mov [rsi+50h],rax
c00926  mov rax,[r14+98h]
c0092d  mov [rsi+58h],rax
c00931  mov rax,[r14+8]
c00935  sub rax,rsp
c00938  sub rax,8
c0093e  mov [rsi+60h],eax
c00941  mov dword ptr [rsi+64h],0
c00948  xor eax,eax
c0094a  mov [rsi+84h],eax
c00950  mov [rsi+88h],rax
c00957  mov rsi,[rsi]
c0095a  mov r15,[r13+0e8h]
c00961  mov dword ptr [r13+0cch],4
c0096c  dec dword ptr [r13+0cch]
c00973  js 0c00ae5h
c00979  mov r12,9e3779b97f4a7c15h
c00983  imul r12,r15
c00987  shr r12,32h
c0098b  shl r12,6
c0098f  lea rdx,[0a0b000h]
c00996  add r12,rdx
c00999  cmp [r12],r15
c0099d  je 0c00ac3h
c009a3  add r12,10h
c009a7  cmp [r12],r15
c009ab  je 0c00ac3h
c009b1  add r12,10h
c009b5  cmp [r12],r15
c009b9  je 0c00ac3h
c009bf  add r12,10h
c009c3  cmp [r12],r15
c009c7  je 0c00ac3h
c009cd  sub r12,30h
c009d1  mov rbx,[r12]
c009d5  mov rdi,[r12+8]
c009da  mov rax,rdi
c009dd  test rax,rax
c009e0  je 0c00acbh
c009e6  mov ecx,eax
c009e8  and ecx,1fffh
c009ee  shl ecx,8
c009f1  lea rdx,[0b0b000h]
c009f8  add rcx,rdx
c009fb  mov rdx,rax
c009fe  and rdx,0ffffffffffffdfffh
c00a05  cmp [rcx],rdx
c00a08  jne 0c00acbh
c00a0e  add r12,10h
c00a12  mov rbx,[r12]
c00a16  mov rdi,[r12+8]
c00a1b  mov rax,rdi
c00a1e  test rax,rax
c00a21  je 0c00acbh
c00a27  mov ecx,eax
c00a29  and ecx,1fffh
c00a2f  shl ecx,8
c00a32  lea rdx,[0b0b000h]
c00a39  add rcx,rdx
c00a3c  mov rdx,rax
c00a3f  and rdx,0ffffffffffffdfffh
c00a46  cmp [rcx],rdx
c00a49  jne 0c00acbh
c00a4f  add r12,10h
c00a53  mov rbx,[r12]
c00a57  mov rdi,[r12+8]
c00a5c  mov rax,rdi
c00a5f  test rax,rax
c00a62  je short 0c00acbh
c00a64  mov ecx,eax
c00a66  and ecx,1fffh
c00a6c  shl ecx,8
c00a6f  lea rdx,[0b0b000h]
c00a76  add rcx,rdx
c00a79  mov rdx,rax
c00a7c  and rdx,0ffffffffffffdfffh
c00a83  cmp [rcx],rdx
c00a86  jne short 0c00acbh
c00a88  add r12,10h
c00a8c  mov rbx,[r12]
c00a90  mov rdi,[r12+8]
c00a95  mov rax,rdi
c00a98  test rax,rax
c00a9b  je short 0c00acbh
c00a9d  mov ecx,eax
c00a9f  and ecx,1fffh
c00aa5  shl ecx,8
c00aa8  lea rdx,[0b0b000h]
c00aaf  add rcx,rdx
c00ab2  mov rdx,rax
c00ab5  and rdx,0ffffffffffffdfffh
c00abc  cmp [rcx],rdx
c00abf  jne short 0c00acbh
c00ac1  jmp short 0c00ae5h
c00ac3  mov rbx,r15
c00ac6  mov rdi,[r12+8]
c00acb  mov rax,rbx
c00ace  mov rdx,rdi
c00ad1  mov rbx,r15
c00ad4  mov rcx,rsi
c00ad7  lock cmpxchg16b [r12]
c00add  jne 0c0096ch
c00ae3  jmp short 0c00af0h
c00ae5  mov rax,[r13+20h]
c00ae9  inc qword ptr [rax+0b8h]
c00af0  test byte ptr [800010h],1
c00af7  je 0c00d0fh
c00afd  mov rax,[r13+78h]
c00b01  test rax,rax
c00b04  je 0c00d0fh
c00b0a  mov rax,[rax+38h]
c00b0e  test rax,rax
c00b11  je 0c00d0fh
c00b17  mov r15,300000000000000h
c00b21  or r15,rax
c00b24  mov dword ptr [r13+0cch],4
c00b2f  dec dword ptr [r13+0cch]
c00b36  js 0c00d04h
c00b3c  mov r12,9e3779b97f4a7c15h
c00b46  imul r12,r15
c00b4a  shr r12,32h
c00b4e  shl r12,6
c00b52  lea rdx,[0a0b000h]
c00b59  add r12,rdx
c00b5c  cmp [r12],r15
c00b60  je 0c00c92h
c00b66  add r12,10h
c00b6a  cmp [r12],r15
c00b6e  je 0c00c92h
c00b74  add r12,10h
c00b78  cmp [r12],r15
c00b7c  je 0c00c92h
c00b82  add r12,10h
c00b86  cmp [r12],r15
c00b8a  je 0c00c92h
c00b90  sub r12,30h
c00b94  mov rbx,[r12]
c00b98  mov rdi,[r12+8]
c00b9d  mov rax,rdi
c00ba0  test rax,rax
c00ba3  je 0c00ceah
c00ba9  mov ecx,eax
c00bab  and ecx,1fffh
c00bb1  shl ecx,8
c00bb4  lea rdx,[0b0b000h]
c00bbb  add rcx,rdx
c00bbe  mov rdx,rax
c00bc1  and rdx,0ffffffffffffdfffh
c00bc8  cmp [rcx],rdx
c00bcb  jne 0c00ceah
c00bd1  add r12,10h
c00bd5  mov rbx,[r12]
c00bd9  mov rdi,[r12+8]
c00bde  mov rax,rdi
c00be1  test rax,rax
c00be4  je 0c00ceah
c00bea  mov ecx,eax
c00bec  and ecx,1fffh
c00bf2  shl ecx,8
c00bf5  lea rdx,[0b0b000h]
c00bfc  add rcx,rdx
c00bff  mov rdx,rax
c00c02  and rdx,0ffffffffffffdfffh
c00c09  cmp [rcx],rdx
c00c0c  jne 0c00ceah
c00c12  add r12,10h
c00c16  mov rbx,[r12]
c00c1a  mov rdi,[r12+8]
c00c1f  mov rax,rdi
c00c22  test rax,rax
c00c25  je 0c00ceah
c00c2b  mov ecx,eax
c00c2d  and ecx,1fffh
c00c33  shl ecx,8
c00c36  lea rdx,[0b0b000h]
c00c3d  add rcx,rdx
c00c40  mov rdx,rax
c00c43  and rdx,0ffffffffffffdfffh
c00c4a  cmp [rcx],rdx
c00c4d  jne 0c00ceah
c00c53  add r12,10h
c00c57  mov rbx,[r12]
c00c5b  mov rdi,[r12+8]
c00c60  mov rax,rdi
c00c63  test rax,rax
c00c66  je 0c00ceah
c00c6c  mov ecx,eax
c00c6e  and ecx,1fffh
c00c74  shl ecx,8
c00c77  lea rdx,[0b0b000h]
c00c7e  add rcx,rdx
c00c81  mov rdx,rax
c00c84  and rdx,0ffffffffffffdfffh
c00c8b  cmp [rcx],rdx
c00c8e  jne short 0c00ceah
c00c90  jmp short 0c00d04h
c00c92  mov rbx,r15
c00c95  mov rdi,[r12+8]
c00c9a  mov rax,rdi
c00c9d  test rax,rax
c00ca0  je short 0c00ceah
c00ca2  mov ecx,eax
c00ca4  and ecx,1fffh
c00caa  shl ecx,8
c00cad  lea rdx,[0b0b000h]
c00cb4  add rcx,rdx
c00cb7  mov rdx,rax
c00cba  and rdx,0ffffffffffffdfffh
c00cc1  cmp [rcx],rdx
c00cc4  jne short 0c00ceah
c00cc6  mov rax,[r14+98h]
c00ccd  cmp [rcx+58h],rax
c00cd1  je short 0c00ceah
c00cd3  mov dword ptr [rcx+84h],1
c00cdd  mov rax,[r13+20h]
c00ce1  inc qword ptr [rax+0b0h]
c00ce8  jmp short 0c00d0fh
c00cea  mov rax,rbx
c00ced  mov rdx,rdi
c00cf0  mov rbx,r15
c00cf3  mov rcx,rsi
c00cf6  lock cmpxchg16b [r12]
c00cfc  jne 0c00b2fh
c00d02  jmp short 0c00d0fh
c00d04  mov rax,[r13+20h]
c00d08  inc qword ptr [rax+0b8h]
c00d0f  jmp short 0c00d1ch
c00d11  mov rax,[r13+20h]
c00d15  inc qword ptr [rax+0b8h]
c00d1c  xorps xmm15,xmm15
c00d20  mov rdx,[r13+60h]
c00d24  mov r15,[r13]
c00d28  lea rax,[r15+70h]
c00d2c  cmp rax,[r13+8]
c00d30  ja 0c00e5dh
c00d36  and r15,[r13+10h]
c00d3a  add r15,[r13+18h]
c00d3e  prefetchw [r15+180h]
c00d46  mov [r15+10h],rdx
c00d4a  mov dword ptr [r15+0ch],0
c00d52  mov rax,[r14+98h]
c00d59  mov [r15+18h],rax
c00d5d  mov rax,[r14+8]
c00d61  sub rax,rsp
c00d64  sub rax,8
c00d6a  mov [r15+20h],eax
c00d6e  mov dword ptr [r15+24h],0
c00d76  lea r12,[r15+28h]
c00d7a  mov rax,[r13+0d0h]
c00d81  test rax,rax
c00d84  je short 0c00db7h
c00d86  movups xmm15,[rax+8]
c00d8b  movups [r12],xmm15
c00d90  movups xmm15,[rax+18h]
c00d95  movups [r12+10h],xmm15
c00d9b  movups xmm15,[rax+28h]
c00da0  movups [r12+20h],xmm15
c00da6  movups xmm15,[rax+38h]
c00dab  movups [r12+30h],xmm15
c00db1  mov rax,[rax+48h]
c00db5  jmp short 0c00dd4h
c00db7  xorps xmm15,xmm15
c00dbb  movups [r12],xmm15
c00dc0  movups [r12+10h],xmm15
c00dc6  movups [r12+20h],xmm15
c00dcc  movups [r12+30h],xmm15
c00dd2  xor eax,eax
c00dd4  mov [r12+40h],rax
c00dd9  add r12,48h
c00ddd  xorps xmm15,xmm15
c00de1  sub r12,r15
c00de4  sub r12d,8
c00de8  mov [r15+8],r12d
c00dec  mov [r15],r12
c00def  add r12d,0fh
c00df3  and r12d,0fffffff8h
c00df7  add r12,[r13]
c00dfb  mov [r13],r12
c00dff  mov rax,[r13+20h]
c00e03  mov [rax],r12
c00e06  mov rbx,[r13+58h]
c00e0a  mov rax,[r13+40h]
c00e0e  mov rcx,[r13+48h]
c00e12  mov rsi,[r13+70h]
c00e16  mov rdi,[r13+78h]
c00e1a  mov rdx,[r13+50h]
c00e1e  mov byte ptr [r13+30h],0
c00e23  jmp 0c00009h
c00e28  inc r12d
c00e2b  mov [801078h],r12d
c00e32  lock inc qword ptr [801070h]
c00e3a  jmp short 0c00e4eh
c00e3c  cmp dword ptr [800000h],0
c00e43  je short 0c00e4eh
c00e45  mov r12,[r13+20h]
c00e49  inc qword ptr [r12+50h]
c00e4e  jmp 0c00009h
c00e53  mov byte ptr [r13+30h],0
c00e58  jmp 0c00009h
c00e5d  mov r12,[r13+28h]
c00e61  mov r12,[r12]
c00e65  add r12,[r13+10h]
c00e69  inc r12
c00e6c  mov [r13+8],r12
c00e70  cmp rax,r12
c00e73  jbe 0c00d36h
c00e79  mov r12,[r13+20h]
c00e7d  inc qword ptr [r12+40h]
c00e82  jmp short 0c00e06h
