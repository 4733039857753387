#!/bin/sh
# -R: where the guest's addresses end. (CALQUE; AARCH64_CC, RISCV64_CC: compilers.)
set -eu
calque=${CALQUE:-./calque}
here=${srcdir:-.}/tests/load
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
ran=0
for cc in "${AARCH64_CC:-no}" "${RISCV64_CC:-no}"; do
    [ "$cc" != no ] || continue
    ran=1
    for linked in -static-pie -static; do
        rm -f "$tmp/prog"
        # (Debian's cross library for riscv64 has no rcrt1.o.)
        $cc -O1 -pthread $linked -o "$tmp/prog" "$here/reserved-va.c" 2> /dev/null ||
            [ $linked = -static-pie ] && [ ! -e "$tmp/prog" ] && continue
        for end in 0x40000000 0x8000000000 0x40000000000 0x800000000000; do
            said=$("$calque" -R $end "$tmp/prog" $end again 2>&1) || true
            [ "$said" = below ] || { echo "$cc $linked $end: $said"; exit 1; }
        done
    done
    [ "$(CALQUE_RESERVED_VA=1G "$calque" "$tmp/prog" 0x40000000)" = below ]
done
for bad in 5 1M 5000000001 262144G x; do
    "$calque" -R $bad "$tmp/prog" 0 2> "$tmp/said" && exit 1
    grep -q -- '-R wants' "$tmp/said"
done
[ $ran = 1 ] || { echo "no cross compiler"; exit 77; }
