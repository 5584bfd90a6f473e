c00000  add rsp,20h
c00004  pop rbp
c00005  cmp byte ptr [800040h],0
c0000c  jne 0c00100h
c00012  rep ret
