#!/bin/sh
# Builds the BPF object: `bpf/build.sh [OUT]`, by default in place of the committed one.
#
# The same source and clang give the same bytes in any folder: names are relative, and DWARF is stripped.
# BTF stays, since map definitions are read from it. Needs clang-14, llvm-14, libbpf-dev and linux-libc-dev.
set -eu
out=$(realpath "${1:-$(dirname "$0")/drain.bpf.o}")
cd "$(dirname "$0")"
clang-14 -O2 -g -Wall -Wextra -Werror -target bpf -fdebug-compilation-dir=. -I/usr/include/x86_64-linux-gnu \
	-c drain.bpf.c -o "$out"
llvm-strip-14 --strip-debug "$out"
