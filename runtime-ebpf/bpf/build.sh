#!/bin/sh
# Builds a BPF object: `bpf/build.sh OUT`, from the source of that name (`drain.bpf.o` from `drain.bpf.c`).
#
# The same source and clang give the same bytes in any folder: names are relative, and DWARF is stripped.
# BTF stays, since map definitions are read from it. Needs clang-14, llvm-14, libbpf-dev and linux-libc-dev.
set -eu
out=$(realpath "$1")
name=$(basename "$out" .o)
cd "$(dirname "$0")"
case $name in
uprobe.bpf) cpu=v3 ;; # Its compare-and-swap is of Linux 5.12.
*) cpu=generic ;;
esac
clang-14 -O2 -g -Wall -Wextra -Werror -target bpf -mcpu=$cpu -fdebug-compilation-dir=. -I/usr/include/x86_64-linux-gnu \
	-c "$name.c" -o "$out"
llvm-strip-14 --strip-debug "$out"
