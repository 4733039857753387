#!/bin/sh
# The heap of programs linked in each way has room, wherever the host's kernel puts mappings: with
# randomness and without, from above and from below. (CALQUE; AARCH64_CC, RISCV64_CC: compilers;
# RUNS: of each; vm.mmap_rnd_bits is for who runs it to raise.)
set -eu
calque=${CALQUE:-./calque}
here=${srcdir:-.}/tests/load
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
command -v setarch > /dev/null || { echo "no setarch"; exit 77; }
ran=0
for guest in "aarch64 ${AARCH64_CC:-no}" "riscv64 ${RISCV64_CC:-no}"; do
    arch=${guest%% *} cc=${guest#* }
    [ "$cc" != no ] || continue
    for linked in -static -static-pie -pie; do
        # (Debian's cross library for riscv64 has no rcrt1.o.)
        $cc -O1 -w $linked -o "$tmp/prog" "$here/brk.c" 2> /dev/null || continue
        # What has a fixed low address ends below the emulator.
        most=8192
        [ $linked != -static ] || most=1800
        for mib in 1 $most; do
            for how in '' -R -L -LR; do
                n=${RUNS:-2}
                while [ "$n" -gt 0 ]; do
                    # shellcheck disable=SC2086
                    said=$(${how:+setarch $how} "$calque" -L "/usr/$arch-linux-gnu" "$tmp/prog" $mib) ||
                        { echo "$arch $linked $mib MiB ${how:-as it is}: $said"; exit 1; }
                    ran=$((ran + 1)) n=$((n - 1))
                done
            done
        done
        rm -f "$tmp/prog"
    done
done
[ $ran -gt 0 ] || { echo "no cross compiler"; exit 77; }
echo "$ran runs"
