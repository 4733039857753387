#!/bin/sh
# Builds tests/isa/aarch64/*.c for the guest and runs each on the default backend, in the
# optimizing tier too, and the interpreter; they check themselves.
set -u
: "${AARCH64_CC:=aarch64-linux-gnu-gcc}" "${srcdir:=.}"
command -v "$AARCH64_CC" > /dev/null || { echo "no cross compiler for aarch64"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
status=0
for source in "$srcdir"/tests/isa/aarch64/*.c; do
    name=$(basename "$source" .c)
    "$AARCH64_CC" -static -O2 -Wno-array-bounds "$source" -o "$dir/$name" -lm || exit 99
    for options in "" "--tier=optimize" "--tier-threshold=1" "--backend interp"; do
        # shellcheck disable=SC2086 # words
        ./calque $options "$dir/$name" > "$dir/out" 2>&1 || {
            echo "$name $options:"
            cat "$dir/out"
            status=1
        }
    done
done
exit $status
