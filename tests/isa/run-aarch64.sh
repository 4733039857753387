#!/bin/sh
# Builds tests/isa/aarch64/*.c for the guest and runs each on every backend; they check themselves.
set -u
: "${AARCH64_CC:=aarch64-linux-gnu-gcc}" "${srcdir:=.}"
command -v "$AARCH64_CC" > /dev/null || { echo "no cross compiler for aarch64"; exit 77; }
backends=interp
[ "$(uname -m)" = x86_64 ] && backends="x86_64 interp"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
status=0
for source in "$srcdir"/tests/isa/aarch64/*.c; do
    name=$(basename "$source" .c)
    "$AARCH64_CC" -static -O2 -Wno-array-bounds "$source" -o "$dir/$name" -lm || exit 99
    for backend in $backends; do
        ./calque --backend "$backend" "$dir/$name" > "$dir/out" 2>&1 || {
            echo "$name on $backend:"
            cat "$dir/out"
            status=1
        }
    done
done
exit $status
