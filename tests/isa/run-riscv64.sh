#!/bin/sh
# Builds tests/isa/riscv64/*.c for the guest and runs each on every backend, with the whole processor,
# with one that is RV64GC only, an instruction at a time, and in the optimizing tier. They check
# themselves.
set -u
: "${RISCV64_CC:=riscv64-linux-gnu-gcc}" "${srcdir:=.}"
command -v "$RISCV64_CC" > /dev/null || { echo "no cross compiler for riscv64"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
status=0

try() { # try COMMAND…
    "$@" > "$dir/out" 2>&1 && return
    echo "$*:"
    cat "$dir/out"
    status=1
}

for source in "$srcdir"/tests/isa/riscv64/*.c; do
    program=$dir/$(basename "$source" .c)
    "$RISCV64_CC" -static -O1 -o "$program" "$source" -lm || exit 99
    for backend in ${ISA_BACKENDS-default interp}; do
        calque="./calque"
        [ "$backend" = default ] || calque="$calque --backend $backend"
        try $calque "$program"
        try $calque -cpu rv64gc "$program" gc
        try $calque -one-insn-per-tb "$program"
        try $calque --tier=optimize "$program"
        try $calque --tier-threshold=1 "$program"
    done
done
exit $status
