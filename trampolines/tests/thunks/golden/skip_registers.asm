c00000  mov eax,1
c00005  lea rbx,[0c00031h]
c0000c  mov ecx,8
c00011  xor edi,edi
c00013  mov r11,0ffffffffffffffffh
c0001d  mov r13,3fc00000h
c00027  movq xmm0,r13
c0002c  xorps xmm14,xmm14
c00030  ret
