c00000  cmp byte ptr [800040h],0
c00007  jne short 0c00016h
c00009  push rbp
c0000a  mov rbp,rsp
c0000d  sub rsp,20h
c00011  jmp 462c12h
c00016  mov r12,[r14+30h]
c0001a  mov r12,[r12+0a0h]
c00022  test r12,r12
c00025  je 0c014b2h
c0002b  mov r12d,[r12]
c0002f  cmp r12d,[800004h]
c00036  jae 0c0148ch
c0003c  shl r12d,8
c00040  lea r13,[802000h]
c00047  add r13,r12
c0004a  cmp byte ptr [r13+30h],0
c0004f  jne 0c014a0h
c00055  mov byte ptr [r13+30h],1
c0005a  cmp dword ptr [800000h],0
c00061  je 0c014b7h
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
c000a1  je 0c011eeh
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
c0025d  js 0c011e3h
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
c003f8  jne 0c00b8bh
c003fe  jmp 0c00d77h
c00403  test byte ptr [800010h],1
c0040a  je 0c00b8bh
c00410  mov rax,[r13+78h]
c00414  test rax,rax
c00417  je 0c00b8bh
c0041d  mov rax,[rax+38h]
c00421  mov [r13+0f0h],rax
c00428  test rax,rax
c0042b  je 0c00b8bh
c00431  cmp qword ptr [rax],0
c00435  je 0c00b8bh
c0043b  mov rdi,[rax+10h]
c0043f  mov rcx,[rax+18h]
c00443  cmp byte ptr [rax+22h],0
c00447  jne 0c00b3ah
c0044d  cmp [rax+10h],rdi
c00451  jne 0c00b3ah
c00457  test rdi,rdi
c0045a  je 0c00b8bh
c00460  mov r15d,1
c00466  test rcx,rcx
c00469  je short 0c0049fh
c0046b  cmp rcx,1
c0046f  jne 0c00b3ah
c00475  mov rdi,[rdi]
c00478  test rdi,rdi
c0047b  je 0c00b8bh
c00481  mov r15,[rdi+18h]
c00485  cmp r15,0fh
c00489  ja 0c00b3ah
c0048f  inc r15d
c00492  mov rdi,[rdi+10h]
c00496  test rdi,rdi
c00499  je 0c00b8bh
c0049f  mov rcx,[rdi]
c004a2  not rcx
c004a5  mov rdx,8080808080808080h
c004af  and rcx,rdx
c004b2  je short 0c00511h
c004b4  bsf r12,rcx
c004b8  shr r12d,3
c004bc  lea r12,[r12+r12*4]
c004c0  lea r12,[rdi+r12*8+8]
c004c5  cmp qword ptr [r12+8],0bh
c004cb  jne short 0c00508h
c004cd  mov rax,[r12]
c004d1  test rax,rax
c004d4  je short 0c00508h
c004d6  mov rbx,[rax]
c004d9  mov rdx,2020202020202020h
c004e3  or rbx,rdx
c004e6  mov rdx,7261706563617274h
c004f0  cmp rbx,rdx
c004f3  jne short 0c00508h
c004f5  mov ebx,[rax+7]
c004f8  or ebx,20202020h
c004fe  cmp ebx,746e6572h
c00504  jne short 0c00508h
c00506  jmp short 0c00522h
c00508  lea rdx,[rcx-1]
c0050c  and rcx,rdx
c0050f  jne short 0c004b4h
c00511  add rdi,148h
c00518  dec r15d
c0051b  jne short 0c0049fh
c0051d  jmp 0c00b8bh
c00522  mov rax,[r12+10h]
c00527  mov rcx,[r12+18h]
c0052c  cmp rcx,1
c00530  jne 0c00b47h
c00536  test rax,rax
c00539  je 0c00b47h
c0053f  mov rbx,[rax]
c00542  mov rdi,[rax+8]
c00546  test rbx,rbx
c00549  je 0c00b47h
c0054f  cmp rdi,37h
c00553  jl 0c00b47h
c00559  movzx eax,word ptr [rbx]
c0055c  cmp eax,3030h
c00561  jne short 0c00572h
c00563  cmp rdi,37h
c00567  jne 0c00b47h
c0056d  jmp 0c005fch
c00572  cmp eax,6666h
c00577  je 0c00b47h
c0057d  mov rcx,3030303030300000h
c00587  or rax,rcx
c0058a  mov r15,8080808080808080h
c00594  test rax,r15
c00597  jne 0c00b47h
c0059d  mov rcx,5050505050505050h
c005a7  add rcx,rax
c005aa  mov rdx,4646464646464646h
c005b4  add rdx,rax
c005b7  not rdx
c005ba  and rcx,rdx
c005bd  mov rdx,1f1f1f1f1f1f1f1fh
c005c7  add rdx,rax
c005ca  mov r12,1919191919191919h
c005d4  add r12,rax
c005d7  not r12
c005da  and rdx,r12
c005dd  or rcx,rdx
c005e0  not rcx
c005e3  test rcx,r15
c005e6  jne 0c00b47h
c005ec  cmp rdi,37h
c005f0  je short 0c005fch
c005f2  cmp byte ptr [rbx+37h],2dh
c005f6  jne 0c00b47h
c005fc  cmp byte ptr [rbx+2],2dh
c00600  jne 0c00b47h
c00606  cmp byte ptr [rbx+23h],2dh
c0060a  jne 0c00b47h
c00610  cmp byte ptr [rbx+34h],2dh
c00614  jne 0c00b47h
c0061a  mov rax,[rbx+3]
c0061e  mov r15,8080808080808080h
c00628  test rax,r15
c0062b  jne 0c00b47h
c00631  mov rcx,5050505050505050h
c0063b  add rcx,rax
c0063e  mov rdx,4646464646464646h
c00648  add rdx,rax
c0064b  not rdx
c0064e  and rcx,rdx
c00651  mov rdx,1f1f1f1f1f1f1f1fh
c0065b  add rdx,rax
c0065e  mov r12,1919191919191919h
c00668  add r12,rax
c0066b  not r12
c0066e  and rdx,r12
c00671  or rcx,rdx
c00674  not rcx
c00677  test rcx,r15
c0067a  jne 0c00b47h
c00680  mov rax,[rbx+0bh]
c00684  mov r15,8080808080808080h
c0068e  test rax,r15
c00691  jne 0c00b47h
c00697  mov rcx,5050505050505050h
c006a1  add rcx,rax
c006a4  mov rdx,4646464646464646h
c006ae  add rdx,rax
c006b1  not rdx
c006b4  and rcx,rdx
c006b7  mov rdx,1f1f1f1f1f1f1f1fh
c006c1  add rdx,rax
c006c4  mov r12,1919191919191919h
c006ce  add r12,rax
c006d1  not r12
c006d4  and rdx,r12
c006d7  or rcx,rdx
c006da  not rcx
c006dd  test rcx,r15
c006e0  jne 0c00b47h
c006e6  mov rax,[rbx+13h]
c006ea  mov r15,8080808080808080h
c006f4  test rax,r15
c006f7  jne 0c00b47h
c006fd  mov rcx,5050505050505050h
c00707  add rcx,rax
c0070a  mov rdx,4646464646464646h
c00714  add rdx,rax
c00717  not rdx
c0071a  and rcx,rdx
c0071d  mov rdx,1f1f1f1f1f1f1f1fh
c00727  add rdx,rax
c0072a  mov r12,1919191919191919h
c00734  add r12,rax
c00737  not r12
c0073a  and rdx,r12
c0073d  or rcx,rdx
c00740  not rcx
c00743  test rcx,r15
c00746  jne 0c00b47h
c0074c  mov rax,[rbx+1bh]
c00750  mov r15,8080808080808080h
c0075a  test rax,r15
c0075d  jne 0c00b47h
c00763  mov rcx,5050505050505050h
c0076d  add rcx,rax
c00770  mov rdx,4646464646464646h
c0077a  add rdx,rax
c0077d  not rdx
c00780  and rcx,rdx
c00783  mov rdx,1f1f1f1f1f1f1f1fh
c0078d  add rdx,rax
c00790  mov r12,1919191919191919h
c0079a  add r12,rax
c0079d  not r12
c007a0  and rdx,r12
c007a3  or rcx,rdx
c007a6  not rcx
c007a9  test rcx,r15
c007ac  jne 0c00b47h
c007b2  mov rax,[rbx+24h]
c007b6  mov r15,8080808080808080h
c007c0  test rax,r15
c007c3  jne 0c00b47h
c007c9  mov rcx,5050505050505050h
c007d3  add rcx,rax
c007d6  mov rdx,4646464646464646h
c007e0  add rdx,rax
c007e3  not rdx
c007e6  and rcx,rdx
c007e9  mov rdx,1f1f1f1f1f1f1f1fh
c007f3  add rdx,rax
c007f6  mov r12,1919191919191919h
c00800  add r12,rax
c00803  not r12
c00806  and rdx,r12
c00809  or rcx,rdx
c0080c  not rcx
c0080f  test rcx,r15
c00812  jne 0c00b47h
c00818  mov rax,[rbx+2ch]
c0081c  mov r15,8080808080808080h
c00826  test rax,r15
c00829  jne 0c00b47h
c0082f  mov rcx,5050505050505050h
c00839  add rcx,rax
c0083c  mov rdx,4646464646464646h
c00846  add rdx,rax
c00849  not rdx
c0084c  and rcx,rdx
c0084f  mov rdx,1f1f1f1f1f1f1f1fh
c00859  add rdx,rax
c0085c  mov r12,1919191919191919h
c00866  add r12,rax
c00869  not r12
c0086c  and rdx,r12
c0086f  or rcx,rdx
c00872  not rcx
c00875  test rcx,r15
c00878  jne 0c00b47h
c0087e  movzx eax,word ptr [rbx+35h]
c00882  mov rcx,3030303030300000h
c0088c  or rax,rcx
c0088f  mov r15,8080808080808080h
c00899  test rax,r15
c0089c  jne 0c00b47h
c008a2  mov rcx,5050505050505050h
c008ac  add rcx,rax
c008af  mov rdx,4646464646464646h
c008b9  add rdx,rax
c008bc  not rdx
c008bf  and rcx,rdx
c008c2  mov rdx,1f1f1f1f1f1f1f1fh
c008cc  add rdx,rax
c008cf  mov r12,1919191919191919h
c008d9  add r12,rax
c008dc  not r12
c008df  and rdx,r12
c008e2  or rcx,rdx
c008e5  not rcx
c008e8  test rcx,r15
c008eb  jne 0c00b47h
c008f1  mov rcx,3030303030303030h
c008fb  cmp [rbx+3],rcx
c008ff  jne short 0c00918h
c00901  cmp [rbx+0bh],rcx
c00905  jne short 0c00918h
c00907  cmp [rbx+13h],rcx
c0090b  jne short 0c00918h
c0090d  cmp [rbx+1bh],rcx
c00911  jne short 0c00918h
c00913  jmp 0c00b47h
c00918  cmp [rbx+24h],rcx
c0091c  jne short 0c00929h
c0091e  cmp [rbx+2ch],rcx
c00922  jne short 0c00929h
c00924  jmp 0c00b47h
c00929  movups xmm15,[rbx+3]
c0092e  movups [rsi+8],xmm15
c00933  movups xmm15,[rbx+13h]
c00938  movups [rsi+18h],xmm15
c0093d  movups xmm15,[rbx+24h]
c00942  movups [rsi+38h],xmm15
c00947  movups xmm15,[rbx+24h]
c0094c  movups [rsi+70h],xmm15
c00951  movzx eax,byte ptr [rbx+36h]
c00955  mov ecx,eax
c00957  shr ecx,6
c0095a  xor eax,ecx
c0095c  and eax,1
c00961  or eax,400h
c00966  mov [rsi+48h],rax
c0096a  mov rax,[r13+20h]
c0096e  inc qword ptr [rax+80h]
c00975  mov dword ptr [rsi+80h],0
c0097f  mov rax,[r13+0f0h]
c00986  test rax,rax
c00989  je 0c00b38h
c0098f  cmp qword ptr [rax],0
c00993  je 0c00b38h
c00999  mov rdi,[rax+10h]
c0099d  mov rcx,[rax+18h]
c009a1  cmp byte ptr [rax+22h],0
c009a5  jne 0c00b38h
c009ab  cmp [rax+10h],rdi
c009af  jne 0c00b38h
c009b5  test rdi,rdi
c009b8  je 0c00b38h
c009be  mov r15d,1
c009c4  test rcx,rcx
c009c7  je short 0c009fdh
c009c9  cmp rcx,1
c009cd  jne 0c00b38h
c009d3  mov rdi,[rdi]
c009d6  test rdi,rdi
c009d9  je 0c00b38h
c009df  mov r15,[rdi+18h]
c009e3  cmp r15,0fh
c009e7  ja 0c00b38h
c009ed  inc r15d
c009f0  mov rdi,[rdi+10h]
c009f4  test rdi,rdi
c009f7  je 0c00b38h
c009fd  mov rcx,[rdi]
c00a00  not rcx
c00a03  mov rdx,8080808080808080h
c00a0d  and rcx,rdx
c00a10  je short 0c00a6fh
c00a12  bsf r12,rcx
c00a16  shr r12d,3
c00a1a  lea r12,[r12+r12*4]
c00a1e  lea r12,[rdi+r12*8+8]
c00a23  cmp qword ptr [r12+8],0ah
c00a29  jne short 0c00a66h
c00a2b  mov rax,[r12]
c00a2f  test rax,rax
c00a32  je short 0c00a66h
c00a34  mov rbx,[rax]
c00a37  mov rdx,2020202020202020h
c00a41  or rbx,rdx
c00a44  mov rdx,6174736563617274h
c00a4e  cmp rbx,rdx
c00a51  jne short 0c00a66h
c00a53  mov ebx,[rax+6]
c00a56  or ebx,20202020h
c00a5c  cmp ebx,65746174h
c00a62  jne short 0c00a66h
c00a64  jmp short 0c00a80h
c00a66  lea rdx,[rcx-1]
c00a6a  and rcx,rdx
c00a6d  jne short 0c00a12h
c00a6f  add rdi,148h
c00a76  dec r15d
c00a79  jne short 0c009fdh
c00a7b  jmp 0c00b38h
c00a80  mov rax,[r12+10h]
c00a85  mov rcx,[r12+18h]
c00a8a  mov rdi,rax
c00a8d  cmp rcx,20h
c00a91  jbe short 0c00a98h
c00a93  mov ecx,20h
c00a98  lea rbx,[0b0b000h]
c00a9f  neg rbx
c00aa2  add rbx,rsi
c00aa5  shl rbx,1
c00aa8  lea rdx,[0d0b000h]
c00aaf  add rbx,rdx
c00ab2  xor r15d,r15d
c00ab5  test ecx,ecx
c00ab7  je short 0c00b31h
c00ab9  test rdi,rdi
c00abc  je short 0c00b31h
c00abe  mov rax,[rdi]
c00ac1  mov r12,[rdi+8]
c00ac5  add rdi,10h
c00ac9  dec ecx
c00acb  test rax,rax
c00ace  je short 0c00ab5h
c00ad0  test r12,r12
c00ad3  jle short 0c00ab5h
c00ad5  test r15d,r15d
c00ad8  je short 0c00aebh
c00ada  cmp r15d,200h
c00ae1  jae short 0c00b12h
c00ae3  mov byte ptr [rbx+r15],2ch
c00ae8  inc r15d
c00aeb  cmp r15d,200h
c00af2  jae short 0c00b12h
c00af4  movzx edx,byte ptr [rax]
c00af7  cmp dl,20h
c00afa  jb short 0c00b2eh
c00afc  cmp dl,7eh
c00aff  ja short 0c00b2eh
c00b01  mov [rbx+r15],dl
c00b05  inc r15d
c00b08  inc rax
c00b0b  dec r12
c00b0e  jne short 0c00aebh
c00b10  jmp short 0c00ab5h
c00b12  mov rax,[r13+20h]
c00b16  inc qword ptr [rax+0c8h]
c00b1d  test r15d,r15d
c00b20  je short 0c00b31h
c00b22  dec r15d
c00b25  cmp byte ptr [rbx+r15],2ch
c00b2a  jne short 0c00b1dh
c00b2c  jmp short 0c00b31h
c00b2e  xor r15d,r15d
c00b31  mov [rsi+80h],r15d
c00b38  jmp short 0c00b54h
c00b3a  mov rax,[r13+20h]
c00b3e  inc qword ptr [rax+0c0h]
c00b45  jmp short 0c00b8bh
c00b47  mov rax,[r13+20h]
c00b4b  inc qword ptr [rax+88h]
c00b52  jmp short 0c00b8bh
c00b54  test byte ptr [800010h],2
c00b5b  je 0c00d77h
c00b61  and byte ptr [rsi+48h],0feh
c00b65  mov edx,1
c00b6a  mov rax,[800018h]
c00b71  test rax,rax
c00b74  je short 0c00b83h
c00b76  mov rdx,[rsi+1ah]
c00b7a  bswap rdx
c00b7d  cmp rdx,rax
c00b80  setb dl
c00b83  or [rsi+48h],dl
c00b86  jmp 0c00d77h
c00b8b  mov rax,9e3779b97f4a7c15h
c00b95  add rax,[r13+0b0h]
c00b9c  mov [r13+0b0h],rax
c00ba3  mov rdx,rax
c00ba6  shr rdx,1eh
c00baa  xor rax,rdx
c00bad  mov rdx,0bf58476d1ce4e5b9h
c00bb7  imul rax,rdx
c00bbb  mov rdx,rax
c00bbe  shr rdx,1bh
c00bc2  xor rax,rdx
c00bc5  mov rdx,94d049bb133111ebh
c00bcf  imul rax,rdx
c00bd3  mov rdx,rax
c00bd6  shr rdx,1fh
c00bda  xor rax,rdx
c00bdd  test rax,rax
c00be0  jne short 0c00be4h
c00be2  inc eax
c00be4  mov rdx,0f0f0f0f0f0f0f0fh
c00bee  mov rcx,rax
c00bf1  shr rcx,4
c00bf5  and rax,rdx
c00bf8  and rcx,rdx
c00bfb  mov rdx,606060606060606h
c00c05  add rdx,rax
c00c08  shr rdx,4
c00c0c  mov r15,101010101010101h
c00c16  and rdx,r15
c00c19  imul rdx,27h
c00c1d  mov r15,3030303030303030h
c00c27  add rax,r15
c00c2a  add rax,rdx
c00c2d  mov [rsi+8],rax
c00c31  mov rdx,606060606060606h
c00c3b  add rdx,rcx
c00c3e  shr rdx,4
c00c42  mov r15,101010101010101h
c00c4c  and rdx,r15
c00c4f  imul rdx,27h
c00c53  mov r15,3030303030303030h
c00c5d  add rcx,r15
c00c60  add rcx,rdx
c00c63  mov [rsi+10h],rcx
c00c67  mov rax,[r13+0b0h]
c00c6e  xor rax,[r13+0b8h]
c00c75  mov rdx,rax
c00c78  shr rdx,1eh
c00c7c  xor rax,rdx
c00c7f  mov rdx,0bf58476d1ce4e5b9h
c00c89  imul rax,rdx
c00c8d  mov rdx,rax
c00c90  shr rdx,1bh
c00c94  xor rax,rdx
c00c97  mov rdx,94d049bb133111ebh
c00ca1  imul rax,rdx
c00ca5  mov rdx,rax
c00ca8  shr rdx,1fh
c00cac  xor rax,rdx
c00caf  mov rdx,0f0f0f0f0f0f0f0fh
c00cb9  mov rcx,rax
c00cbc  shr rcx,4
c00cc0  and rax,rdx
c00cc3  and rcx,rdx
c00cc6  mov rdx,606060606060606h
c00cd0  add rdx,rax
c00cd3  shr rdx,4
c00cd7  mov r15,101010101010101h
c00ce1  and rdx,r15
c00ce4  imul rdx,27h
c00ce8  mov r15,3030303030303030h
c00cf2  add rax,r15
c00cf5  add rax,rdx
c00cf8  mov [rsi+18h],rax
c00cfc  mov rdx,606060606060606h
c00d06  add rdx,rcx
c00d09  shr rdx,4
c00d0d  mov r15,101010101010101h
c00d17  and rdx,r15
c00d1a  imul rdx,27h
c00d1e  mov r15,3030303030303030h
c00d28  add rcx,r15
c00d2b  add rcx,rdx
c00d2e  mov [rsi+20h],rcx
c00d32  xorps xmm15,xmm15
c00d36  movups [rsi+38h],xmm15
c00d3b  movups [rsi+70h],xmm15
c00d40  mov qword ptr [rsi+48h],0
c00d48  mov dword ptr [rsi+80h],0
c00d52  and byte ptr [rsi+48h],0feh
c00d56  mov edx,1
c00d5b  mov rax,[800018h]
c00d62  test rax,rax
c00d65  je short 0c00d74h
c00d67  mov rdx,[rsi+1ah]
c00d6b  bswap rdx
c00d6e  cmp rdx,rax
c00d71  setb dl
c00d74  or [rsi+48h],dl
c00d77  mov rax,9e3779b97f4a7c15h
c00d81  add rax,[r13+0b0h]
c00d88  mov [r13+0b0h],rax
c00d8f  mov rdx,rax
c00d92  shr rdx,1eh
c00d96  xor rax,rdx
c00d99  mov rdx,0bf58476d1ce4e5b9h
c00da3  imul rax,rdx
c00da7  mov rdx,rax
c00daa  shr rdx,1bh
c00dae  xor rax,rdx
c00db1  mov rdx,94d049bb133111ebh
c00dbb  imul rax,rdx
c00dbf  mov rdx,rax
c00dc2  shr rdx,1fh
c00dc6  xor rax,rdx
c00dc9  test rax,rax
c00dcc  jne short 0c00dd0h
c00dce  inc eax
c00dd0  mov rdx,0f0f0f0f0f0f0f0fh
c00dda  mov rcx,rax
c00ddd  shr rcx,4
c00de1  and rax,rdx
c00de4  and rcx,rdx
c00de7  mov rdx,606060606060606h
c00df1  add rdx,rax
c00df4  shr rdx,4
c00df8  mov r15,101010101010101h
c00e02  and rdx,r15
c00e05  imul rdx,27h
c00e09  mov r15,3030303030303030h
c00e13  add rax,r15
c00e16  add rax,rdx
c00e19  mov [rsi+28h],rax
c00e1d  mov rdx,606060606060606h
c00e27  add rdx,rcx
c00e2a  shr rdx,4
c00e2e  mov r15,101010101010101h
c00e38  and rdx,r15
c00e3b  imul rdx,27h
c00e3f  mov r15,3030303030303030h
c00e49  add rcx,r15
c00e4c  add rcx,rdx
c00e4f  mov [rsi+30h],rcx
c00e53  mov rax,[r13+0d8h]
c00e5a  mov [rsi+50h],rax
c00e5e  mov rax,[r14+98h]
c00e65  mov [rsi+58h],rax
c00e69  mov rax,[r14+8]
c00e6d  sub rax,rsp
c00e70  sub rax,8
c00e76  mov [rsi+60h],eax
c00e79  mov dword ptr [rsi+64h],0
c00e80  xor eax,eax
c00e82  mov [rsi+84h],eax
c00e88  mov [rsi+88h],rax
c00e8f  mov rsi,[rsi]
c00e92  mov r15,[r13+0e8h]
c00e99  mov dword ptr [r13+0cch],4
c00ea4  dec dword ptr [r13+0cch]
c00eab  js 0c0101dh
c00eb1  mov r12,9e3779b97f4a7c15h
c00ebb  imul r12,r15
c00ebf  shr r12,32h
c00ec3  shl r12,6
c00ec7  lea rdx,[0a0b000h]
c00ece  add r12,rdx
c00ed1  cmp [r12],r15
c00ed5  je 0c00ffbh
c00edb  add r12,10h
c00edf  cmp [r12],r15
c00ee3  je 0c00ffbh
c00ee9  add r12,10h
c00eed  cmp [r12],r15
c00ef1  je 0c00ffbh
c00ef7  add r12,10h
c00efb  cmp [r12],r15
c00eff  je 0c00ffbh
c00f05  sub r12,30h
c00f09  mov rbx,[r12]
c00f0d  mov rdi,[r12+8]
c00f12  mov rax,rdi
c00f15  test rax,rax
c00f18  je 0c01003h
c00f1e  mov ecx,eax
c00f20  and ecx,1fffh
c00f26  shl ecx,8
c00f29  lea rdx,[0b0b000h]
c00f30  add rcx,rdx
c00f33  mov rdx,rax
c00f36  and rdx,0ffffffffffffdfffh
c00f3d  cmp [rcx],rdx
c00f40  jne 0c01003h
c00f46  add r12,10h
c00f4a  mov rbx,[r12]
c00f4e  mov rdi,[r12+8]
c00f53  mov rax,rdi
c00f56  test rax,rax
c00f59  je 0c01003h
c00f5f  mov ecx,eax
c00f61  and ecx,1fffh
c00f67  shl ecx,8
c00f6a  lea rdx,[0b0b000h]
c00f71  add rcx,rdx
c00f74  mov rdx,rax
c00f77  and rdx,0ffffffffffffdfffh
c00f7e  cmp [rcx],rdx
c00f81  jne 0c01003h
c00f87  add r12,10h
c00f8b  mov rbx,[r12]
c00f8f  mov rdi,[r12+8]
c00f94  mov rax,rdi
c00f97  test rax,rax
c00f9a  je short 0c01003h
c00f9c  mov ecx,eax
c00f9e  and ecx,1fffh
c00fa4  shl ecx,8
c00fa7  lea rdx,[0b0b000h]
c00fae  add rcx,rdx
c00fb1  mov rdx,rax
c00fb4  and rdx,0ffffffffffffdfffh
c00fbb  cmp [rcx],rdx
c00fbe  jne short 0c01003h
c00fc0  add r12,10h
c00fc4  mov rbx,[r12]
c00fc8  mov rdi,[r12+8]
c00fcd  mov rax,rdi
c00fd0  test rax,rax
c00fd3  je short 0c01003h
c00fd5  mov ecx,eax
c00fd7  and ecx,1fffh
c00fdd  shl ecx,8
c00fe0  lea rdx,[0b0b000h]
c00fe7  add rcx,rdx
c00fea  mov rdx,rax
c00fed  and rdx,0ffffffffffffdfffh
c00ff4  cmp [rcx],rdx
c00ff7  jne short 0c01003h
c00ff9  jmp short 0c0101dh
c00ffb  mov rbx,r15
c00ffe  mov rdi,[r12+8]
c01003  mov rax,rbx
c01006  mov rdx,rdi
c01009  mov rbx,r15
c0100c  mov rcx,rsi
c0100f  lock cmpxchg16b [r12]
c01015  jne 0c00ea4h
c0101b  jmp short 0c01028h
c0101d  mov rax,[r13+20h]
c01021  inc qword ptr [rax+0b8h]
c01028  mov rax,[r13+78h]
c0102c  test rax,rax
c0102f  je 0c011e1h
c01035  mov rax,[rax+0f0h]
c0103c  test rax,rax
c0103f  je 0c011e1h
c01045  mov r15,200000000000000h
c0104f  or r15,rax
c01052  mov dword ptr [r13+0cch],4
c0105d  dec dword ptr [r13+0cch]
c01064  js 0c011d6h
c0106a  mov r12,9e3779b97f4a7c15h
c01074  imul r12,r15
c01078  shr r12,32h
c0107c  shl r12,6
c01080  lea rdx,[0a0b000h]
c01087  add r12,rdx
c0108a  cmp [r12],r15
c0108e  je 0c011b4h
c01094  add r12,10h
c01098  cmp [r12],r15
c0109c  je 0c011b4h
c010a2  add r12,10h
c010a6  cmp [r12],r15
c010aa  je 0c011b4h
c010b0  add r12,10h
c010b4  cmp [r12],r15
c010b8  je 0c011b4h
c010be  sub r12,30h
c010c2  mov rbx,[r12]
c010c6  mov rdi,[r12+8]
c010cb  mov rax,rdi
c010ce  test rax,rax
c010d1  je 0c011bch
c010d7  mov ecx,eax
c010d9  and ecx,1fffh
c010df  shl ecx,8
c010e2  lea rdx,[0b0b000h]
c010e9  add rcx,rdx
c010ec  mov rdx,rax
c010ef  and rdx,0ffffffffffffdfffh
c010f6  cmp [rcx],rdx
c010f9  jne 0c011bch
c010ff  add r12,10h
c01103  mov rbx,[r12]
c01107  mov rdi,[r12+8]
c0110c  mov rax,rdi
c0110f  test rax,rax
c01112  je 0c011bch
c01118  mov ecx,eax
c0111a  and ecx,1fffh
c01120  shl ecx,8
c01123  lea rdx,[0b0b000h]
c0112a  add rcx,rdx
c0112d  mov rdx,rax
c01130  and rdx,0ffffffffffffdfffh
c01137  cmp [rcx],rdx
c0113a  jne 0c011bch
c01140  add r12,10h
c01144  mov rbx,[r12]
c01148  mov rdi,[r12+8]
c0114d  mov rax,rdi
c01150  test rax,rax
c01153  je short 0c011bch
c01155  mov ecx,eax
c01157  and ecx,1fffh
c0115d  shl ecx,8
c01160  lea rdx,[0b0b000h]
c01167  add rcx,rdx
c0116a  mov rdx,rax
c0116d  and rdx,0ffffffffffffdfffh
c01174  cmp [rcx],rdx
c01177  jne short 0c011bch
c01179  add r12,10h
c0117d  mov rbx,[r12]
c01181  mov rdi,[r12+8]
c01186  mov rax,rdi
c01189  test rax,rax
c0118c  je short 0c011bch
c0118e  mov ecx,eax
c01190  and ecx,1fffh
c01196  shl ecx,8
c01199  lea rdx,[0b0b000h]
c011a0  add rcx,rdx
c011a3  mov rdx,rax
c011a6  and rdx,0ffffffffffffdfffh
c011ad  cmp [rcx],rdx
c011b0  jne short 0c011bch
c011b2  jmp short 0c011d6h
c011b4  mov rbx,r15
c011b7  mov rdi,[r12+8]
c011bc  mov rax,rbx
c011bf  mov rdx,rdi
c011c2  mov rbx,r15
c011c5  mov rcx,rsi
c011c8  lock cmpxchg16b [r12]
c011ce  jne 0c0105dh
c011d4  jmp short 0c011e1h
c011d6  mov rax,[r13+20h]
c011da  inc qword ptr [rax+0b8h]
c011e1  jmp short 0c011eeh
c011e3  mov rax,[r13+20h]
c011e7  inc qword ptr [rax+0b8h]
c011ee  xorps xmm15,xmm15
c011f2  mov rdx,[r13+60h]
c011f6  mov r15,[r13]
c011fa  lea rax,[r15+150h]
c01201  cmp rax,[r13+8]
c01205  ja 0c014c1h
c0120b  and r15,[r13+10h]
c0120f  add r15,[r13+18h]
c01213  prefetchw [r15+180h]
c0121b  mov [r15+10h],rdx
c0121f  mov dword ptr [r15+0ch],0
c01227  mov rax,[r14+98h]
c0122e  mov [r15+18h],rax
c01232  mov rax,[r14+8]
c01236  sub rax,rsp
c01239  sub rax,8
c0123f  mov [r15+20h],eax
c01243  mov dword ptr [r15+24h],0
c0124b  lea r12,[r15+38h]
c0124f  mov rax,[r13+78h]
c01253  test rax,rax
c01256  je 0c01306h
c0125c  mov rdx,[rax+8]
c01260  mov rax,[rax]
c01263  mov ecx,0ffffffffh
c01268  cmp rdx,rcx
c0126b  jbe short 0c0126fh
c0126d  mov edx,ecx
c0126f  mov [r15+2ch],edx
c01273  cmp edx,10h
c01276  jbe short 0c0127dh
c01278  mov edx,10h
c0127d  mov [r15+28h],edx
c01281  cmp edx,10h
c01284  jb short 0c012adh
c01286  movups xmm15,[rax+rdx-10h]
c0128c  movups [r12+rdx-10h],xmm15
c01292  lea ecx,[rdx-1]
c01295  and ecx,0fffffff0h
c01298  je short 0c012fch
c0129a  movups xmm15,[rax+rcx-10h]
c012a0  movups [r12+rcx-10h],xmm15
c012a6  sub ecx,10h
c012a9  jne short 0c0129ah
c012ab  jmp short 0c012fch
c012ad  cmp edx,8
c012b0  jb short 0c012c5h
c012b2  mov rcx,[rax+rdx-8]
c012b7  mov [r12+rdx-8],rcx
c012bc  mov rcx,[rax]
c012bf  mov [r12],rcx
c012c3  jmp short 0c012fch
c012c5  cmp edx,4
c012c8  jb short 0c012dbh
c012ca  mov ecx,[rax+rdx-4]
c012ce  mov [r12+rdx-4],ecx
c012d3  mov ecx,[rax]
c012d5  mov [r12],ecx
c012d9  jmp short 0c012fch
c012db  test edx,edx
c012dd  je short 0c012fch
c012df  movzx ecx,byte ptr [rax]
c012e2  mov [r12],cl
c012e6  movzx ecx,byte ptr [rax+rdx-1]
c012eb  mov [r12+rdx-1],cl
c012f0  mov ecx,edx
c012f2  shr ecx,1
c012f4  movzx eax,byte ptr [rax+rcx]
c012f8  mov [r12+rcx],al
c012fc  add r12,rdx
c012ff  or dword ptr [r15+24h],1
c01304  jmp short 0c0130eh
c01306  mov qword ptr [r15+28h],0
c0130e  mov rax,[r13+78h]
c01312  test rax,rax
c01315  je 0c013d6h
c0131b  mov rax,[rax+10h]
c0131f  test rax,rax
c01322  je 0c013d6h
c01328  mov rdx,[rax+40h]
c0132c  mov rax,[rax+38h]
c01330  mov ecx,0ffffffffh
c01335  cmp rdx,rcx
c01338  jbe short 0c0133ch
c0133a  mov edx,ecx
c0133c  mov [r15+34h],edx
c01340  cmp edx,0c0h
c01346  jbe short 0c0134dh
c01348  mov edx,0c0h
c0134d  mov [r15+30h],edx
c01351  cmp edx,10h
c01354  jb short 0c0137dh
c01356  movups xmm15,[rax+rdx-10h]
c0135c  movups [r12+rdx-10h],xmm15
c01362  lea ecx,[rdx-1]
c01365  and ecx,0fffffff0h
c01368  je short 0c013cch
c0136a  movups xmm15,[rax+rcx-10h]
c01370  movups [r12+rcx-10h],xmm15
c01376  sub ecx,10h
c01379  jne short 0c0136ah
c0137b  jmp short 0c013cch
c0137d  cmp edx,8
c01380  jb short 0c01395h
c01382  mov rcx,[rax+rdx-8]
c01387  mov [r12+rdx-8],rcx
c0138c  mov rcx,[rax]
c0138f  mov [r12],rcx
c01393  jmp short 0c013cch
c01395  cmp edx,4
c01398  jb short 0c013abh
c0139a  mov ecx,[rax+rdx-4]
c0139e  mov [r12+rdx-4],ecx
c013a3  mov ecx,[rax]
c013a5  mov [r12],ecx
c013a9  jmp short 0c013cch
c013ab  test edx,edx
c013ad  je short 0c013cch
c013af  movzx ecx,byte ptr [rax]
c013b2  mov [r12],cl
c013b6  movzx ecx,byte ptr [rax+rdx-1]
c013bb  mov [r12+rdx-1],cl
c013c0  mov ecx,edx
c013c2  shr ecx,1
c013c4  movzx eax,byte ptr [rax+rcx]
c013c8  mov [r12+rcx],al
c013cc  add r12,rdx
c013cf  or dword ptr [r15+24h],2
c013d4  jmp short 0c013deh
c013d6  mov qword ptr [r15+30h],0
c013de  mov rax,[r13+0d0h]
c013e5  test rax,rax
c013e8  je short 0c0141bh
c013ea  movups xmm15,[rax+8]
c013ef  movups [r12],xmm15
c013f4  movups xmm15,[rax+18h]
c013f9  movups [r12+10h],xmm15
c013ff  movups xmm15,[rax+28h]
c01404  movups [r12+20h],xmm15
c0140a  movups xmm15,[rax+38h]
c0140f  movups [r12+30h],xmm15
c01415  mov rax,[rax+48h]
c01419  jmp short 0c01438h
c0141b  xorps xmm15,xmm15
c0141f  movups [r12],xmm15
c01424  movups [r12+10h],xmm15
c0142a  movups [r12+20h],xmm15
c01430  movups [r12+30h],xmm15
c01436  xor eax,eax
c01438  mov [r12+40h],rax
c0143d  add r12,48h
c01441  xorps xmm15,xmm15
c01445  sub r12,r15
c01448  sub r12d,8
c0144c  mov [r15+8],r12d
c01450  mov [r15],r12
c01453  add r12d,0fh
c01457  and r12d,0fffffff8h
c0145b  add r12,[r13]
c0145f  mov [r13],r12
c01463  mov rax,[r13+20h]
c01467  mov [rax],r12
c0146a  mov rbx,[r13+58h]
c0146e  mov rax,[r13+40h]
c01472  mov rcx,[r13+48h]
c01476  mov rsi,[r13+70h]
c0147a  mov rdi,[r13+78h]
c0147e  mov rdx,[r13+50h]
c01482  mov byte ptr [r13+30h],0
c01487  jmp 0c00009h
c0148c  inc r12d
c0148f  mov [801078h],r12d
c01496  lock inc qword ptr [801070h]
c0149e  jmp short 0c014b2h
c014a0  cmp dword ptr [800000h],0
c014a7  je short 0c014b2h
c014a9  mov r12,[r13+20h]
c014ad  inc qword ptr [r12+50h]
c014b2  jmp 0c00009h
c014b7  mov byte ptr [r13+30h],0
c014bc  jmp 0c00009h
c014c1  mov r12,[r13+28h]
c014c5  mov r12,[r12]
c014c9  add r12,[r13+10h]
c014cd  inc r12
c014d0  mov [r13+8],r12
c014d4  cmp rax,r12
c014d7  jbe 0c0120bh
c014dd  mov r12,[r13+20h]
c014e1  inc qword ptr [r12+40h]
c014e6  jmp short 0c0146ah
