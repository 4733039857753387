#!/bin/sh
# -strace of strace-calls.c in every guest that there is a compiler for, against strace.expected.
set -eu
srcdir=${srcdir:-.}
here=$(cd "$srcdir/tests/syscalls" && pwd)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
guests=0 result=0
for guest in "aarch64 ${AARCH64_CC:-no}" "riscv64 ${RISCV64_CC:-no}"; do
    arch=${guest%% *} cc=${guest#* }
    [ "$cc" != no ] || continue
    guests=$((guests + 1))
    $cc -O1 -w -static -o "$tmp/$arch" "$here/strace-calls.c"
    mkdir "$tmp/$arch.dir"
    (cd "$tmp/$arch.dir" && $CALQUE -D "$tmp/$arch.log" -strace "$tmp/$arch" < /dev/null)
    # Between the markers; the tid, addresses, and the fraction of a second that is left vary.
    sed -E 's/^\[[0-9]+\] //' "$tmp/$arch.log" |
        awk '/^getpgid\(-7\)/ { on = !on; next } on' |
        sed -E 's/0x[0-9a-f]{6,}/PTR/g; s/st_rdev=[^,]*/st_rdev=R/' > "$tmp/$arch.out"
    if ! diff -u "$here/strace.expected" "$tmp/$arch.out"; then
        echo "the trace of $arch differs"
        result=1
    fi
    tail -1 "$tmp/$arch.log" | grep -q '^\[[0-9]*\] +++ exited with 0 +++$' || {
        echo "$arch: no last line"
        result=1
    }
done
[ $guests -gt 0 ] || exit 77
exit $result
