c00000  mov byte ptr [rsp+8],0ffh
c00005  mov word ptr [rsp+0ah],0fffeh
c0000c  mov dword ptr [rsp+0ch],0fffffffdh
c00014  mov qword ptr [rsp+10h],0ffffffffffffffffh
c0001d  mov r13,10000000000h
c00027  mov [rsp+18h],r13
c0002c  lea r13,[0c0003dh]
c00033  mov [rsp+20h],r13
c00038  jmp 0c00100h
