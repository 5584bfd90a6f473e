#!/bin/sh
# Builds the benchmark's BPF object: `bench/build.sh [OUT]`, by default in place of the committed one.
#
# The options are those of runtime-ebpf/bpf/build.sh, for the same reasons.
set -eu
out=$(realpath "${1:-$(dirname "$0")/uprobe.bpf.o}")
cd "$(dirname "$0")"
clang-14 -O2 -g -Wall -Wextra -Werror -target bpf -fdebug-compilation-dir=. -I/usr/include/x86_64-linux-gnu \
	-c uprobe.bpf.c -o "$out"
llvm-strip-14 --strip-debug "$out"
