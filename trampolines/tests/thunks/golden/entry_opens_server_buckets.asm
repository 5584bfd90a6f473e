c00000  cmp byte ptr [800040h],0
c00007  jne short 0c00016h
c00009  push rbp
c0000a  mov rbp,rsp
c0000d  sub rsp,20h
c00011  jmp 462c12h
c00016  mov r12,[r14+30h]
c0001a  mov r12,[r12+0a0h]
c00022  test r12,r12
c00025  je 0c01346h
c0002b  mov r12d,[r12]
c0002f  cmp r12d,[800004h]
c00036  jae 0c01320h
c0003c  shl r12d,8
c00040  lea r13,[802000h]
c00047  add r13,r12
c0004a  cmp byte ptr [r13+30h],0
c0004f  jne 0c01334h
c00055  mov byte ptr [r13+30h],1
c0005a  cmp dword ptr [800000h],0
c00061  je 0c0134bh
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
c000a1  je 0c01214h
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
c0025d  js 0c01209h
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
c00311  mov rax,[r13+0d8h]
c00318  test rax,rax
c0031b  je 0c00403h
c00321  mov ecx,eax
c00323  and ecx,1fffh
c00329  shl ecx,8
c0032c  lea rdx,[0b0b000h]
c00333  add rcx,rdx
c00336  mov rdx,rax
c00339  and rdx,0ffffffffffffdfffh
c00340  cmp [rcx],rdx
c00343  jne 0c00403h
c00349  bt rax,0dh
c0034e  mov edi,2
c00353  jae short 0c0035ah
c00355  jmp 0c00403h
c0035a  movups xmm15,[rcx+8]
c0035f  movups [rsi+8],xmm15
c00364  movups xmm15,[rcx+18h]
c00369  movups [rsi+18h],xmm15
c0036e  movups xmm15,[rcx+28h]
c00373  movups [rsi+38h],xmm15
c00378  movups xmm15,[rcx+70h]
c0037d  movups [rsi+70h],xmm15
c00382  shl edi,8
c00385  movzx edx,byte ptr [rcx+48h]
c00389  or rdx,rdi
c0038c  mov [rsi+48h],rdx
c00390  mov edx,[rcx+80h]
c00396  mov [rsi+80h],edx
c0039c  test edx,edx
c0039e  je short 0c003f0h
c003a0  lea r12,[0b0b000h]
c003a7  neg r12
c003aa  add r12,rcx
c003ad  shl r12,1
c003b0  lea rdx,[0d0b000h]
c003b7  add r12,rdx
c003ba  lea rbx,[0b0b000h]
c003c1  neg rbx
c003c4  add rbx,rsi
c003c7  shl rbx,1
c003ca  lea rdx,[0d0b000h]
c003d1  add rbx,rdx
c003d4  mov edx,[rsi+80h]
c003da  xor r15d,r15d
c003dd  movups xmm15,[r12+r15]
c003e2  movups [rbx+r15],xmm15
c003e7  add r15d,10h
c003eb  cmp r15d,edx
c003ee  jb short 0c003ddh
c003f0  btr rax,0dh
c003f5  cmp [rcx],rax
c003f8  jne 0c00bb1h
c003fe  jmp 0c00d9dh
c00403  test byte ptr [800010h],1
c0040a  je 0c00bb1h
c00410  mov rax,[r13+78h]
c00414  test rax,rax
c00417  je 0c00bb1h
c0041d  mov rax,[rax+38h]
c00421  mov [r13+0f0h],rax
c00428  test rax,rax
c0042b  je 0c00bb1h
c00431  cmp qword ptr [rax],0
c00435  je 0c00bb1h
c0043b  cmp qword ptr [rax],80h
c00442  ja 0c00b60h
c00448  test byte ptr [rax+8],4
c0044c  jne 0c00b60h
c00452  cmp qword ptr [rax+18h],0
c00457  jne 0c00b60h
c0045d  movzx ecx,byte ptr [rax+9]
c00461  cmp ecx,4
c00464  ja 0c00b60h
c0046a  mov rdi,[rax+10h]
c0046e  test rdi,rdi
c00471  je 0c00bb1h
c00477  mov r15d,1
c0047d  shl r15d,cl
c00480  or r15d,200000h
c00487  mov r12,rdi
c0048a  sub r15d,10000h
c00491  js 0c00b60h
c00497  xor ecx,ecx
c00499  cmp byte ptr [r12+rcx],5
c0049e  jb short 0c004fbh
c004a0  mov rdx,rcx
c004a3  shl edx,4
c004a6  lea r12,[r12+rdx+8]
c004ab  cmp qword ptr [r12+8],0bh
c004b1  jne short 0c004eeh
c004b3  mov rax,[r12]
c004b7  test rax,rax
c004ba  je short 0c004eeh
c004bc  mov rbx,[rax]
c004bf  mov rdx,2020202020202020h
c004c9  or rbx,rdx
c004cc  mov rdx,7261706563617274h
c004d6  cmp rbx,rdx
c004d9  jne short 0c004eeh
c004db  mov ebx,[rax+7]
c004de  or ebx,20202020h
c004e4  cmp ebx,746e6572h
c004ea  jne short 0c004eeh
c004ec  jmp short 0c0052fh
c004ee  mov rdx,rcx
c004f1  shl edx,4
c004f4  sub r12,rdx
c004f7  sub r12,8
c004fb  inc ecx
c004fd  cmp ecx,8
c00500  jb short 0c00499h
c00502  mov r12,[r12+148h]
c0050a  test r12,r12
c0050d  jne 0c0048ah
c00513  add rdi,150h
c0051a  dec r15d
c0051d  test r15d,0ffffh
c00524  jne 0c00487h
c0052a  jmp 0c00bb1h
c0052f  mov rax,[r12+rcx*8+80h]
c00537  mov rcx,[r12+rcx*8+88h]
c0053f  cmp rcx,1
c00543  jne 0c00b6dh
c00549  test rax,rax
c0054c  je 0c00b6dh
c00552  mov rbx,[rax]
c00555  mov rdi,[rax+8]
c00559  test rbx,rbx
c0055c  je 0c00b6dh
c00562  cmp rdi,37h
c00566  jl 0c00b6dh
c0056c  movzx eax,word ptr [rbx]
c0056f  cmp eax,3030h
c00574  jne short 0c00585h
c00576  cmp rdi,37h
c0057a  jne 0c00b6dh
c00580  jmp 0c0060fh
c00585  cmp eax,6666h
c0058a  je 0c00b6dh
c00590  mov rcx,3030303030300000h
c0059a  or rax,rcx
c0059d  mov r15,8080808080808080h
c005a7  test rax,r15
c005aa  jne 0c00b6dh
c005b0  mov rcx,5050505050505050h
c005ba  add rcx,rax
c005bd  mov rdx,4646464646464646h
c005c7  add rdx,rax
c005ca  not rdx
c005cd  and rcx,rdx
c005d0  mov rdx,1f1f1f1f1f1f1f1fh
c005da  add rdx,rax
c005dd  mov r12,1919191919191919h
c005e7  add r12,rax
c005ea  not r12
c005ed  and rdx,r12
c005f0  or rcx,rdx
c005f3  not rcx
c005f6  test rcx,r15
c005f9  jne 0c00b6dh
c005ff  cmp rdi,37h
c00603  je short 0c0060fh
c00605  cmp byte ptr [rbx+37h],2dh
c00609  jne 0c00b6dh
c0060f  cmp byte ptr [rbx+2],2dh
c00613  jne 0c00b6dh
c00619  cmp byte ptr [rbx+23h],2dh
c0061d  jne 0c00b6dh
c00623  cmp byte ptr [rbx+34h],2dh
c00627  jne 0c00b6dh
c0062d  mov rax,[rbx+3]
c00631  mov r15,8080808080808080h
c0063b  test rax,r15
c0063e  jne 0c00b6dh
c00644  mov rcx,5050505050505050h
c0064e  add rcx,rax
c00651  mov rdx,4646464646464646h
c0065b  add rdx,rax
c0065e  not rdx
c00661  and rcx,rdx
c00664  mov rdx,1f1f1f1f1f1f1f1fh
c0066e  add rdx,rax
c00671  mov r12,1919191919191919h
c0067b  add r12,rax
c0067e  not r12
c00681  and rdx,r12
c00684  or rcx,rdx
c00687  not rcx
c0068a  test rcx,r15
c0068d  jne 0c00b6dh
c00693  mov rax,[rbx+0bh]
c00697  mov r15,8080808080808080h
c006a1  test rax,r15
c006a4  jne 0c00b6dh
c006aa  mov rcx,5050505050505050h
c006b4  add rcx,rax
c006b7  mov rdx,4646464646464646h
c006c1  add rdx,rax
c006c4  not rdx
c006c7  and rcx,rdx
c006ca  mov rdx,1f1f1f1f1f1f1f1fh
c006d4  add rdx,rax
c006d7  mov r12,1919191919191919h
c006e1  add r12,rax
c006e4  not r12
c006e7  and rdx,r12
c006ea  or rcx,rdx
c006ed  not rcx
c006f0  test rcx,r15
c006f3  jne 0c00b6dh
c006f9  mov rax,[rbx+13h]
c006fd  mov r15,8080808080808080h
c00707  test rax,r15
c0070a  jne 0c00b6dh
c00710  mov rcx,5050505050505050h
c0071a  add rcx,rax
c0071d  mov rdx,4646464646464646h
c00727  add rdx,rax
c0072a  not rdx
c0072d  and rcx,rdx
c00730  mov rdx,1f1f1f1f1f1f1f1fh
c0073a  add rdx,rax
c0073d  mov r12,1919191919191919h
c00747  add r12,rax
c0074a  not r12
c0074d  and rdx,r12
c00750  or rcx,rdx
c00753  not rcx
c00756  test rcx,r15
c00759  jne 0c00b6dh
c0075f  mov rax,[rbx+1bh]
c00763  mov r15,8080808080808080h
c0076d  test rax,r15
c00770  jne 0c00b6dh
c00776  mov rcx,5050505050505050h
c00780  add rcx,rax
c00783  mov rdx,4646464646464646h
c0078d  add rdx,rax
c00790  not rdx
c00793  and rcx,rdx
c00796  mov rdx,1f1f1f1f1f1f1f1fh
c007a0  add rdx,rax
c007a3  mov r12,1919191919191919h
c007ad  add r12,rax
c007b0  not r12
c007b3  and rdx,r12
c007b6  or rcx,rdx
c007b9  not rcx
c007bc  test rcx,r15
c007bf  jne 0c00b6dh
c007c5  mov rax,[rbx+24h]
c007c9  mov r15,8080808080808080h
c007d3  test rax,r15
c007d6  jne 0c00b6dh
c007dc  mov rcx,5050505050505050h
c007e6  add rcx,rax
c007e9  mov rdx,4646464646464646h
c007f3  add rdx,rax
c007f6  not rdx
c007f9  and rcx,rdx
c007fc  mov rdx,1f1f1f1f1f1f1f1fh
c00806  add rdx,rax
c00809  mov r12,1919191919191919h
c00813  add r12,rax
c00816  not r12
c00819  and rdx,r12
c0081c  or rcx,rdx
c0081f  not rcx
c00822  test rcx,r15
c00825  jne 0c00b6dh
c0082b  mov rax,[rbx+2ch]
c0082f  mov r15,8080808080808080h
c00839  test rax,r15
c0083c  jne 0c00b6dh
c00842  mov rcx,5050505050505050h
c0084c  add rcx,rax
c0084f  mov rdx,4646464646464646h
c00859  add rdx,rax
c0085c  not rdx
c0085f  and rcx,rdx
c00862  mov rdx,1f1f1f1f1f1f1f1fh
c0086c  add rdx,rax
c0086f  mov r12,1919191919191919h
c00879  add r12,rax
c0087c  not r12
c0087f  and rdx,r12
c00882  or rcx,rdx
c00885  not rcx
c00888  test rcx,r15
c0088b  jne 0c00b6dh
c00891  movzx eax,word ptr [rbx+35h]
c00895  mov rcx,3030303030300000h
c0089f  or rax,rcx
c008a2  mov r15,8080808080808080h
c008ac  test rax,r15
c008af  jne 0c00b6dh
c008b5  mov rcx,5050505050505050h
c008bf  add rcx,rax
c008c2  mov rdx,4646464646464646h
c008cc  add rdx,rax
c008cf  not rdx
c008d2  and rcx,rdx
c008d5  mov rdx,1f1f1f1f1f1f1f1fh
c008df  add rdx,rax
c008e2  mov r12,1919191919191919h
c008ec  add r12,rax
c008ef  not r12
c008f2  and rdx,r12
c008f5  or rcx,rdx
c008f8  not rcx
c008fb  test rcx,r15
c008fe  jne 0c00b6dh
c00904  mov rcx,3030303030303030h
c0090e  cmp [rbx+3],rcx
c00912  jne short 0c0092bh
c00914  cmp [rbx+0bh],rcx
c00918  jne short 0c0092bh
c0091a  cmp [rbx+13h],rcx
c0091e  jne short 0c0092bh
c00920  cmp [rbx+1bh],rcx
c00924  jne short 0c0092bh
c00926  jmp 0c00b6dh
c0092b  cmp [rbx+24h],rcx
c0092f  jne short 0c0093ch
c00931  cmp [rbx+2ch],rcx
c00935  jne short 0c0093ch
c00937  jmp 0c00b6dh
c0093c  movups xmm15,[rbx+3]
c00941  movups [rsi+8],xmm15
c00946  movups xmm15,[rbx+13h]
c0094b  movups [rsi+18h],xmm15
c00950  movups xmm15,[rbx+24h]
c00955  movups [rsi+38h],xmm15
c0095a  movups xmm15,[rbx+24h]
c0095f  movups [rsi+70h],xmm15
c00964  movzx eax,byte ptr [rbx+36h]
c00968  mov ecx,eax
c0096a  shr ecx,6
c0096d  xor eax,ecx
c0096f  and eax,1
c00974  or eax,400h
c00979  mov [rsi+48h],rax
c0097d  mov rax,[r13+20h]
c00981  inc qword ptr [rax+80h]
c00988  mov dword ptr [rsi+80h],0
c00992  mov rax,[r13+0f0h]
c00999  test rax,rax
c0099c  je 0c00b5eh
c009a2  cmp qword ptr [rax],0
c009a6  je 0c00b5eh
c009ac  cmp qword ptr [rax],80h
c009b3  ja 0c00b5eh
c009b9  test byte ptr [rax+8],4
c009bd  jne 0c00b5eh
c009c3  cmp qword ptr [rax+18h],0
c009c8  jne 0c00b5eh
c009ce  movzx ecx,byte ptr [rax+9]
c009d2  cmp ecx,4
c009d5  ja 0c00b5eh
c009db  mov rdi,[rax+10h]
c009df  test rdi,rdi
c009e2  je 0c00b5eh
c009e8  mov r15d,1
c009ee  shl r15d,cl
c009f1  or r15d,200000h
c009f8  mov r12,rdi
c009fb  sub r15d,10000h
c00a02  js 0c00b5eh
c00a08  xor ecx,ecx
c00a0a  cmp byte ptr [r12+rcx],5
c00a0f  jb short 0c00a6ch
c00a11  mov rdx,rcx
c00a14  shl edx,4
c00a17  lea r12,[r12+rdx+8]
c00a1c  cmp qword ptr [r12+8],0ah
c00a22  jne short 0c00a5fh
c00a24  mov rax,[r12]
c00a28  test rax,rax
c00a2b  je short 0c00a5fh
c00a2d  mov rbx,[rax]
c00a30  mov rdx,2020202020202020h
c00a3a  or rbx,rdx
c00a3d  mov rdx,6174736563617274h
c00a47  cmp rbx,rdx
c00a4a  jne short 0c00a5fh
c00a4c  mov ebx,[rax+6]
c00a4f  or ebx,20202020h
c00a55  cmp ebx,65746174h
c00a5b  jne short 0c00a5fh
c00a5d  jmp short 0c00aa0h
c00a5f  mov rdx,rcx
c00a62  shl edx,4
c00a65  sub r12,rdx
c00a68  sub r12,8
c00a6c  inc ecx
c00a6e  cmp ecx,8
c00a71  jb short 0c00a0ah
c00a73  mov r12,[r12+148h]
c00a7b  test r12,r12
c00a7e  jne 0c009fbh
c00a84  add rdi,150h
c00a8b  dec r15d
c00a8e  test r15d,0ffffh
c00a95  jne 0c009f8h
c00a9b  jmp 0c00b5eh
c00aa0  mov rax,[r12+rcx*8+80h]
c00aa8  mov rcx,[r12+rcx*8+88h]
c00ab0  mov rdi,rax
c00ab3  cmp rcx,20h
c00ab7  jbe short 0c00abeh
c00ab9  mov ecx,20h
c00abe  lea rbx,[0b0b000h]
c00ac5  neg rbx
c00ac8  add rbx,rsi
c00acb  shl rbx,1
c00ace  lea rdx,[0d0b000h]
c00ad5  add rbx,rdx
c00ad8  xor r15d,r15d
c00adb  test ecx,ecx
c00add  je short 0c00b57h
c00adf  test rdi,rdi
c00ae2  je short 0c00b57h
c00ae4  mov rax,[rdi]
c00ae7  mov r12,[rdi+8]
c00aeb  add rdi,10h
c00aef  dec ecx
c00af1  test rax,rax
c00af4  je short 0c00adbh
c00af6  test r12,r12
c00af9  jle short 0c00adbh
c00afb  test r15d,r15d
c00afe  je short 0c00b11h
c00b00  cmp r15d,200h
c00b07  jae short 0c00b38h
c00b09  mov byte ptr [rbx+r15],2ch
c00b0e  inc r15d
c00b11  cmp r15d,200h
c00b18  jae short 0c00b38h
c00b1a  movzx edx,byte ptr [rax]
c00b1d  cmp dl,20h
c00b20  jb short 0c00b54h
c00b22  cmp dl,7eh
c00b25  ja short 0c00b54h
c00b27  mov [rbx+r15],dl
c00b2b  inc r15d
c00b2e  inc rax
c00b31  dec r12
c00b34  jne short 0c00b11h
c00b36  jmp short 0c00adbh
c00b38  mov rax,[r13+20h]
c00b3c  inc qword ptr [rax+0c8h]
c00b43  test r15d,r15d
c00b46  je short 0c00b57h
c00b48  dec r15d
c00b4b  cmp byte ptr [rbx+r15],2ch
c00b50  jne short 0c00b43h
c00b52  jmp short 0c00b57h
c00b54  xor r15d,r15d
c00b57  mov [rsi+80h],r15d
c00b5e  jmp short 0c00b7ah
c00b60  mov rax,[r13+20h]
c00b64  inc qword ptr [rax+0c0h]
c00b6b  jmp short 0c00bb1h
c00b6d  mov rax,[r13+20h]
c00b71  inc qword ptr [rax+88h]
c00b78  jmp short 0c00bb1h
c00b7a  test byte ptr [800010h],2
c00b81  je 0c00d9dh
c00b87  and byte ptr [rsi+48h],0feh
c00b8b  mov edx,1
c00b90  mov rax,[800018h]
c00b97  test rax,rax
c00b9a  je short 0c00ba9h
c00b9c  mov rdx,[rsi+1ah]
c00ba0  bswap rdx
c00ba3  cmp rdx,rax
c00ba6  setb dl
c00ba9  or [rsi+48h],dl
c00bac  jmp 0c00d9dh
c00bb1  mov rax,9e3779b97f4a7c15h
c00bbb  add rax,[r13+0b0h]
c00bc2  mov [r13+0b0h],rax
c00bc9  mov rdx,rax
c00bcc  shr rdx,1eh
c00bd0  xor rax,rdx
c00bd3  mov rdx,0bf58476d1ce4e5b9h
c00bdd  imul rax,rdx
c00be1  mov rdx,rax
c00be4  shr rdx,1bh
c00be8  xor rax,rdx
c00beb  mov rdx,94d049bb133111ebh
c00bf5  imul rax,rdx
c00bf9  mov rdx,rax
c00bfc  shr rdx,1fh
c00c00  xor rax,rdx
c00c03  test rax,rax
c00c06  jne short 0c00c0ah
c00c08  inc eax
c00c0a  mov rdx,0f0f0f0f0f0f0f0fh
c00c14  mov rcx,rax
c00c17  shr rcx,4
c00c1b  and rax,rdx
c00c1e  and rcx,rdx
c00c21  mov rdx,606060606060606h
c00c2b  add rdx,rax
c00c2e  shr rdx,4
c00c32  mov r15,101010101010101h
c00c3c  and rdx,r15
c00c3f  imul rdx,27h
c00c43  mov r15,3030303030303030h
c00c4d  add rax,r15
c00c50  add rax,rdx
c00c53  mov [rsi+8],rax
c00c57  mov rdx,606060606060606h
c00c61  add rdx,rcx
c00c64  shr rdx,4
c00c68  mov r15,101010101010101h
c00c72  and rdx,r15
c00c75  imul rdx,27h
c00c79  mov r15,3030303030303030h
c00c83  add rcx,r15
c00c86  add rcx,rdx
c00c89  mov [rsi+10h],rcx
c00c8d  mov rax,[r13+0b0h]
c00c94  xor rax,[r13+0b8h]
c00c9b  mov rdx,rax
c00c9e  shr rdx,1eh
c00ca2  xor rax,rdx
c00ca5  mov rdx,0bf58476d1ce4e5b9h
c00caf  imul rax,rdx
c00cb3  mov rdx,rax
c00cb6  shr rdx,1bh
c00cba  xor rax,rdx
c00cbd  mov rdx,94d049bb133111ebh
c00cc7  imul rax,rdx
c00ccb  mov rdx,rax
c00cce  shr rdx,1fh
c00cd2  xor rax,rdx
c00cd5  mov rdx,0f0f0f0f0f0f0f0fh
c00cdf  mov rcx,rax
c00ce2  shr rcx,4
c00ce6  and rax,rdx
c00ce9  and rcx,rdx
c00cec  mov rdx,606060606060606h
c00cf6  add rdx,rax
c00cf9  shr rdx,4
c00cfd  mov r15,101010101010101h
c00d07  and rdx,r15
c00d0a  imul rdx,27h
c00d0e  mov r15,3030303030303030h
c00d18  add rax,r15
c00d1b  add rax,rdx
c00d1e  mov [rsi+18h],rax
c00d22  mov rdx,606060606060606h
c00d2c  add rdx,rcx
c00d2f  shr rdx,4
c00d33  mov r15,101010101010101h
c00d3d  and rdx,r15
c00d40  imul rdx,27h
c00d44  mov r15,3030303030303030h
c00d4e  add rcx,r15
c00d51  add rcx,rdx
c00d54  mov [rsi+20h],rcx
c00d58  xorps xmm15,xmm15
c00d5c  movups [rsi+38h],xmm15
c00d61  movups [rsi+70h],xmm15
c00d66  mov qword ptr [rsi+48h],0
c00d6e  mov dword ptr [rsi+80h],0
c00d78  and byte ptr [rsi+48h],0feh
c00d7c  mov edx,1
c00d81  mov rax,[800018h]
c00d88  test rax,rax
c00d8b  je short 0c00d9ah
c00d8d  mov rdx,[rsi+1ah]
c00d91  bswap rdx
c00d94  cmp rdx,rax
c00d97  setb dl
c00d9a  or [rsi+48h],dl
c00d9d  mov rax,9e3779b97f4a7c15h
c00da7  add rax,[r13+0b0h]
c00dae  mov [r13+0b0h],rax
c00db5  mov rdx,rax
c00db8  shr rdx,1eh
c00dbc  xor rax,rdx
c00dbf  mov rdx,0bf58476d1ce4e5b9h
c00dc9  imul rax,rdx
c00dcd  mov rdx,rax
c00dd0  shr rdx,1bh
c00dd4  xor rax,rdx
c00dd7  mov rdx,94d049bb133111ebh
c00de1  imul rax,rdx
c00de5  mov rdx,rax
c00de8  shr rdx,1fh
c00dec  xor rax,rdx
c00def  test rax,rax
c00df2  jne short 0c00df6h
c00df4  inc eax
c00df6  mov rdx,0f0f0f0f0f0f0f0fh
c00e00  mov rcx,rax
c00e03  shr rcx,4
c00e07  and rax,rdx
c00e0a  and rcx,rdx
c00e0d  mov rdx,606060606060606h
c00e17  add rdx,rax
c00e1a  shr rdx,4
c00e1e  mov r15,101010101010101h
c00e28  and rdx,r15
c00e2b  imul rdx,27h
c00e2f  mov r15,3030303030303030h
c00e39  add rax,r15
c00e3c  add rax,rdx
c00e3f  mov [rsi+28h],rax
c00e43  mov rdx,606060606060606h
c00e4d  add rdx,rcx
c00e50  shr rdx,4
c00e54  mov r15,101010101010101h
c00e5e  and rdx,r15
c00e61  imul rdx,27h
c00e65  mov r15,3030303030303030h
c00e6f  add rcx,r15
c00e72  add rcx,rdx
c00e75  mov [rsi+30h],rcx
c00e79  mov rax,[r13+0d8h]
c00e80  mov [rsi+50h],rax
c00e84  mov rax,[r14+98h]
c00e8b  mov [rsi+58h],rax
c00e8f  mov rax,[r14+8]
c00e93  sub rax,rsp
c00e96  sub rax,8
c00e9c  mov [rsi+60h],eax
c00e9f  mov dword ptr [rsi+64h],0
c00ea6  xor eax,eax
c00ea8  mov [rsi+84h],eax
c00eae  mov [rsi+88h],rax
c00eb5  mov rsi,[rsi]
c00eb8  mov r15,[r13+0e8h]
c00ebf  mov dword ptr [r13+0cch],4
c00eca  dec dword ptr [r13+0cch]
c00ed1  js 0c01043h
c00ed7  mov r12,9e3779b97f4a7c15h
c00ee1  imul r12,r15
c00ee5  shr r12,32h
c00ee9  shl r12,6
c00eed  lea rdx,[0a0b000h]
c00ef4  add r12,rdx
c00ef7  cmp [r12],r15
c00efb  je 0c01021h
c00f01  add r12,10h
c00f05  cmp [r12],r15
c00f09  je 0c01021h
c00f0f  add r12,10h
c00f13  cmp [r12],r15
c00f17  je 0c01021h
c00f1d  add r12,10h
c00f21  cmp [r12],r15
c00f25  je 0c01021h
c00f2b  sub r12,30h
c00f2f  mov rbx,[r12]
c00f33  mov rdi,[r12+8]
c00f38  mov rax,rdi
c00f3b  test rax,rax
c00f3e  je 0c01029h
c00f44  mov ecx,eax
c00f46  and ecx,1fffh
c00f4c  shl ecx,8
c00f4f  lea rdx,[0b0b000h]
c00f56  add rcx,rdx
c00f59  mov rdx,rax
c00f5c  and rdx,0ffffffffffffdfffh
c00f63  cmp [rcx],rdx
c00f66  jne 0c01029h
c00f6c  add r12,10h
c00f70  mov rbx,[r12]
c00f74  mov rdi,[r12+8]
c00f79  mov rax,rdi
c00f7c  test rax,rax
c00f7f  je 0c01029h
c00f85  mov ecx,eax
c00f87  and ecx,1fffh
c00f8d  shl ecx,8
c00f90  lea rdx,[0b0b000h]
c00f97  add rcx,rdx
c00f9a  mov rdx,rax
c00f9d  and rdx,0ffffffffffffdfffh
c00fa4  cmp [rcx],rdx
c00fa7  jne 0c01029h
c00fad  add r12,10h
c00fb1  mov rbx,[r12]
c00fb5  mov rdi,[r12+8]
c00fba  mov rax,rdi
c00fbd  test rax,rax
c00fc0  je short 0c01029h
c00fc2  mov ecx,eax
c00fc4  and ecx,1fffh
c00fca  shl ecx,8
c00fcd  lea rdx,[0b0b000h]
c00fd4  add rcx,rdx
c00fd7  mov rdx,rax
c00fda  and rdx,0ffffffffffffdfffh
c00fe1  cmp [rcx],rdx
c00fe4  jne short 0c01029h
c00fe6  add r12,10h
c00fea  mov rbx,[r12]
c00fee  mov rdi,[r12+8]
c00ff3  mov rax,rdi
c00ff6  test rax,rax
c00ff9  je short 0c01029h
c00ffb  mov ecx,eax
c00ffd  and ecx,1fffh
c01003  shl ecx,8
c01006  lea rdx,[0b0b000h]
c0100d  add rcx,rdx
c01010  mov rdx,rax
c01013  and rdx,0ffffffffffffdfffh
c0101a  cmp [rcx],rdx
c0101d  jne short 0c01029h
c0101f  jmp short 0c01043h
c01021  mov rbx,r15
c01024  mov rdi,[r12+8]
c01029  mov rax,rbx
c0102c  mov rdx,rdi
c0102f  mov rbx,r15
c01032  mov rcx,rsi
c01035  lock cmpxchg16b [r12]
c0103b  jne 0c00ecah
c01041  jmp short 0c0104eh
c01043  mov rax,[r13+20h]
c01047  inc qword ptr [rax+0b8h]
c0104e  mov rax,[r13+78h]
c01052  test rax,rax
c01055  je 0c01207h
c0105b  mov rax,[rax+0f0h]
c01062  test rax,rax
c01065  je 0c01207h
c0106b  mov r15,200000000000000h
c01075  or r15,rax
c01078  mov dword ptr [r13+0cch],4
c01083  dec dword ptr [r13+0cch]
c0108a  js 0c011fch
c01090  mov r12,9e3779b97f4a7c15h
c0109a  imul r12,r15
c0109e  shr r12,32h
c010a2  shl r12,6
c010a6  lea rdx,[0a0b000h]
c010ad  add r12,rdx
c010b0  cmp [r12],r15
c010b4  je 0c011dah
c010ba  add r12,10h
c010be  cmp [r12],r15
c010c2  je 0c011dah
c010c8  add r12,10h
c010cc  cmp [r12],r15
c010d0  je 0c011dah
c010d6  add r12,10h
c010da  cmp [r12],r15
c010de  je 0c011dah
c010e4  sub r12,30h
c010e8  mov rbx,[r12]
c010ec  mov rdi,[r12+8]
c010f1  mov rax,rdi
c010f4  test rax,rax
c010f7  je 0c011e2h
c010fd  mov ecx,eax
c010ff  and ecx,1fffh
c01105  shl ecx,8
c01108  lea rdx,[0b0b000h]
c0110f  add rcx,rdx
c01112  mov rdx,rax
c01115  and rdx,0ffffffffffffdfffh
c0111c  cmp [rcx],rdx
c0111f  jne 0c011e2h
c01125  add r12,10h
c01129  mov rbx,[r12]
c0112d  mov rdi,[r12+8]
c01132  mov rax,rdi
c01135  test rax,rax
c01138  je 0c011e2h
c0113e  mov ecx,eax
c01140  and ecx,1fffh
c01146  shl ecx,8
c01149  lea rdx,[0b0b000h]
c01150  add rcx,rdx
c01153  mov rdx,rax
c01156  and rdx,0ffffffffffffdfffh
c0115d  cmp [rcx],rdx
c01160  jne 0c011e2h
c01166  add r12,10h
c0116a  mov rbx,[r12]
c0116e  mov rdi,[r12+8]
c01173  mov rax,rdi
c01176  test rax,rax
c01179  je short 0c011e2h
c0117b  mov ecx,eax
c0117d  and ecx,1fffh
c01183  shl ecx,8
c01186  lea rdx,[0b0b000h]
c0118d  add rcx,rdx
c01190  mov rdx,rax
c01193  and rdx,0ffffffffffffdfffh
c0119a  cmp [rcx],rdx
c0119d  jne short 0c011e2h
c0119f  add r12,10h
c011a3  mov rbx,[r12]
c011a7  mov rdi,[r12+8]
c011ac  mov rax,rdi
c011af  test rax,rax
c011b2  je short 0c011e2h
c011b4  mov ecx,eax
c011b6  and ecx,1fffh
c011bc  shl ecx,8
c011bf  lea rdx,[0b0b000h]
c011c6  add rcx,rdx
c011c9  mov rdx,rax
c011cc  and rdx,0ffffffffffffdfffh
c011d3  cmp [rcx],rdx
c011d6  jne short 0c011e2h
c011d8  jmp short 0c011fch
c011da  mov rbx,r15
c011dd  mov rdi,[r12+8]
c011e2  mov rax,rbx
c011e5  mov rdx,rdi
c011e8  mov rbx,r15
c011eb  mov rcx,rsi
c011ee  lock cmpxchg16b [r12]
c011f4  jne 0c01083h
c011fa  jmp short 0c01207h
c011fc  mov rax,[r13+20h]
c01200  inc qword ptr [rax+0b8h]
c01207  jmp short 0c01214h
c01209  mov rax,[r13+20h]
c0120d  inc qword ptr [rax+0b8h]
c01214  xorps xmm15,xmm15
c01218  mov rdx,[r13+60h]
c0121c  mov r15,[r13]
c01220  lea rax,[r15+70h]
c01224  cmp rax,[r13+8]
c01228  ja 0c01355h
c0122e  and r15,[r13+10h]
c01232  add r15,[r13+18h]
c01236  prefetchw [r15+180h]
c0123e  mov [r15+10h],rdx
c01242  mov dword ptr [r15+0ch],0
c0124a  mov rax,[r14+98h]
c01251  mov [r15+18h],rax
c01255  mov rax,[r14+8]
c01259  sub rax,rsp
c0125c  sub rax,8
c01262  mov [r15+20h],eax
c01266  mov dword ptr [r15+24h],0
c0126e  lea r12,[r15+28h]
c01272  mov rax,[r13+0d0h]
c01279  test rax,rax
c0127c  je short 0c012afh
c0127e  movups xmm15,[rax+8]
c01283  movups [r12],xmm15
c01288  movups xmm15,[rax+18h]
c0128d  movups [r12+10h],xmm15
c01293  movups xmm15,[rax+28h]
c01298  movups [r12+20h],xmm15
c0129e  movups xmm15,[rax+38h]
c012a3  movups [r12+30h],xmm15
c012a9  mov rax,[rax+48h]
c012ad  jmp short 0c012cch
c012af  xorps xmm15,xmm15
c012b3  movups [r12],xmm15
c012b8  movups [r12+10h],xmm15
c012be  movups [r12+20h],xmm15
c012c4  movups [r12+30h],xmm15
c012ca  xor eax,eax
c012cc  mov [r12+40h],rax
c012d1  add r12,48h
c012d5  xorps xmm15,xmm15
c012d9  sub r12,r15
c012dc  sub r12d,8
c012e0  mov [r15+8],r12d
c012e4  mov [r15],r12
c012e7  add r12d,0fh
c012eb  and r12d,0fffffff8h
c012ef  add r12,[r13]
c012f3  mov [r13],r12
c012f7  mov rax,[r13+20h]
c012fb  mov [rax],r12
c012fe  mov rbx,[r13+58h]
c01302  mov rax,[r13+40h]
c01306  mov rcx,[r13+48h]
c0130a  mov rsi,[r13+70h]
c0130e  mov rdi,[r13+78h]
c01312  mov rdx,[r13+50h]
c01316  mov byte ptr [r13+30h],0
c0131b  jmp 0c00009h
c01320  inc r12d
c01323  mov [801078h],r12d
c0132a  lock inc qword ptr [801070h]
c01332  jmp short 0c01346h
c01334  cmp dword ptr [800000h],0
c0133b  je short 0c01346h
c0133d  mov r12,[r13+20h]
c01341  inc qword ptr [r12+50h]
c01346  jmp 0c00009h
c0134b  mov byte ptr [r13+30h],0
c01350  jmp 0c00009h
c01355  mov r12,[r13+28h]
c01359  mov r12,[r12]
c0135d  add r12,[r13+10h]
c01361  inc r12
c01364  mov [r13+8],r12
c01368  cmp rax,r12
c0136b  jbe 0c0122eh
c01371  mov r12,[r13+20h]
c01375  inc qword ptr [r12+40h]
c0137a  jmp short 0c012feh
