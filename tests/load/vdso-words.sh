#!/bin/sh
# The vDSOs' words are what their sources assemble to (where there are cross compilers), and the
# images are ELF files that readelf finds nothing to say about.
set -eu
vdso=${srcdir:-.}/linux-user/vdso
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
compared=0
for guest in aarch64 riscv64; do
    cc=$guest-linux-gnu-gcc
    command -v "$cc" > /dev/null || continue
    "$vdso/words.py" "$cc" "$guest-linux-gnu-objdump" "$vdso/$guest.S" > "$tmp/$guest.words"
    diff -u "$vdso/$guest.words" "$tmp/$guest.words"
    "$vdso/vdsogen.py" $guest "$vdso/$guest.words" > "$tmp/vdso.c"
    printf '#include <stdio.h>\n#include "vdso.c"\nint main(void) { return !fwrite(image, sizeof image, 1, stdout); }\n' > "$tmp/dump.c"
    ${CC:-cc} -I"${srcdir:-.}" -o "$tmp/dump" "$tmp/dump.c"
    "$tmp/dump" > "$tmp/vdso.so"
    $guest-linux-gnu-readelf -aW "$tmp/vdso.so" > "$tmp/readelf" 2> "$tmp/said"
    cat "$tmp/said"
    [ ! -s "$tmp/said" ]
    grep -q 'clock_gettime@@LINUX_' "$tmp/readelf"
    compared=$((compared + 1))
done
[ $compared -gt 0 ] || { echo "no cross compiler"; exit 77; }
