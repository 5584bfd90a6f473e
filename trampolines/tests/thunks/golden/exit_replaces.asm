c00000  add rsp,20h
c00004  pop rbp
c00005  cmp byte ptr [800040h],0
c0000c  jne short 0c00010h
c0000e  rep ret
c00010  mov r12,[r14+98h]
c00017  mov r15,400000000000000h
c00021  or r15,r12
c00024  mov r12,9e3779b97f4a7c15h
c0002e  imul r12,r15
c00032  shr r12,32h
c00036  shl r12,6
c0003a  lea r13,[0a0b000h]
c00041  cmp [r12+r13],r15
c00045  je short 0c0005eh
c00047  cmp [r12+r13+10h],r15
c0004c  je short 0c0005eh
c0004e  cmp [r12+r13+20h],r15
c00053  je short 0c0005eh
c00055  cmp [r12+r13+30h],r15
c0005a  je short 0c0005eh
c0005c  jmp short 0c0000eh
c0005e  mov r12,[r14+30h]
c00062  mov r12,[r12+0a0h]
c0006a  test r12,r12
c0006d  je 0c002afh
c00073  mov r12d,[r12]
c00077  cmp r12d,[800004h]
c0007e  jae 0c0027fh
c00084  shl r12d,8
c00088  lea r13,[802000h]
c0008f  add r13,r12
c00092  cmp byte ptr [r13+30h],0
c00097  jne 0c00298h
c0009d  mov byte ptr [r13+30h],1
c000a2  cmp dword ptr [800000h],0
c000a9  je 0c002b4h
c000af  mov [r13+40h],rax
c000b3  mov [r13+50h],rdx
c000b7  mov [r13+48h],rcx
c000bb  mov [r13+58h],rbx
c000bf  mov [r13+70h],rsi
c000c3  mov [r13+78h],rdi
c000c7  mov rax,[r14+98h]
c000ce  mov r15,400000000000000h
c000d8  or r15,rax
c000db  mov r12,9e3779b97f4a7c15h
c000e5  imul r12,r15
c000e9  shr r12,32h
c000ed  shl r12,6
c000f1  lea rdx,[0a0b000h]
c000f8  add r12,rdx
c000fb  cmp [r12],r15
c000ff  je short 0c00124h
c00101  add r12,10h
c00105  cmp [r12],r15
c00109  je short 0c00124h
c0010b  add r12,10h
c0010f  cmp [r12],r15
c00113  je short 0c00124h
c00115  add r12,10h
c00119  cmp [r12],r15
c0011d  je short 0c00124h
c0011f  jmp 0c00257h
c00124  movaps xmm15,[r12]
c00129  movq rdx,xmm15
c0012e  psrldq xmm15,8
c00134  movq rax,xmm15
c00139  cmp rdx,r15
c0013c  jne 0c00257h
c00142  cmp [r12],r15
c00146  jne 0c00257h
c0014c  test rax,rax
c0014f  je 0c00257h
c00155  mov ecx,eax
c00157  and ecx,1fffh
c0015d  shl ecx,8
c00160  lea rdx,[0b0b000h]
c00167  add rcx,rdx
c0016a  mov rdx,rax
c0016d  and rdx,0ffffffffffffdfffh
c00174  cmp [rcx],rdx
c00177  jne 0c00257h
c0017d  mov [r13+0e0h],rax
c00184  mov rsi,rcx
c00187  mov rcx,[rsi+88h]
c0018e  test rcx,rcx
c00191  je 0c00257h
c00197  mov qword ptr [rsi+88h],0
c001a2  dec rcx
c001a5  mov rdx,[rsi+90h]
c001ac  mov rbx,[rdx+28h]
c001b0  cmp rbx,[rdx+18h]
c001b4  jg 0c0024ch
c001ba  sub rbx,46h
c001be  mov rdi,[rdx+10h]
c001c2  test rdi,rdi
c001c5  je 0c0024ch
c001cb  mov r12,2d3030203a746e65h
c001d5  mov r15,[rsi+8]
c001d9  cmp rcx,rbx
c001dc  jg short 0c0024ch
c001de  cmp [rdi+rcx+10h],r15
c001e3  jne short 0c00247h
c001e5  cmp [rdi+rcx+8],r12
c001ea  jne short 0c00247h
c001ec  mov rax,[rdi+rcx+18h]
c001f1  cmp rax,[rsi+10h]
c001f5  jne short 0c00247h
c001f7  mov rax,[rdi+rcx+20h]
c001fc  cmp rax,[rsi+18h]
c00200  jne short 0c00247h
c00202  mov rax,[rdi+rcx+28h]
c00207  cmp rax,[rsi+20h]
c0020b  jne short 0c00247h
c0020d  mov rax,[rdi+rcx+31h]
c00212  cmp rax,[rsi+70h]
c00216  jne short 0c00247h
c00218  mov rax,[rdi+rcx+39h]
c0021d  cmp rax,[rsi+78h]
c00221  jne short 0c00247h
c00223  movups xmm15,[rsi+28h]
c00228  mov rax,[r13+0e0h]
c0022f  cmp [rsi],rax
c00232  jne short 0c00257h
c00234  movups [rdi+rcx+31h],xmm15
c0023a  mov rax,[r13+20h]
c0023e  inc qword ptr [rax+98h]
c00245  jmp short 0c00257h
c00247  inc rcx
c0024a  jmp short 0c001d9h
c0024c  mov rax,[r13+20h]
c00250  inc qword ptr [rax+0a8h]
c00257  xorps xmm15,xmm15
c0025b  jmp short 0c0025dh
c0025d  mov rbx,[r13+58h]
c00261  mov rax,[r13+40h]
c00265  mov rcx,[r13+48h]
c00269  mov rsi,[r13+70h]
c0026d  mov rdi,[r13+78h]
c00271  mov rdx,[r13+50h]
c00275  mov byte ptr [r13+30h],0
c0027a  jmp 0c0000eh
c0027f  jmp 0c0000eh
c00284  inc r12d
c00287  mov [801078h],r12d
c0028e  lock inc qword ptr [801070h]
c00296  jmp short 0c002afh
c00298  cmp dword ptr [800000h],0
c0029f  je short 0c002afh
c002a1  jmp 0c0000eh
c002a6  mov r12,[r13+20h]
c002aa  inc qword ptr [r12+50h]
c002af  jmp 0c0000eh
c002b4  mov byte ptr [r13+30h],0
c002b9  jmp 0c0000eh
