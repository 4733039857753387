#!/bin/sh
# run.sh PROGRAM.c: builds it for this machine and for every guest that there is a compiler for, runs
# all of them in folders of their own, and compares what they print and how they end.
# A line `cflags: …` in the program's first comment adds flags; a line `pages: …` has sizes of pages
# that a guest shall run it with as well, if it has such. AArch64's return addresses are signed, as
# distributions build theirs.
set -eu
src=$1
case $src in /*) ;; *) src=$PWD/$src ;; esac
name=$(basename "$src" .c)
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
flags=$(sed -n 's/^.*cflags: *//p; /\*\//q' "$src" | head -1)
pages=$(sed -n 's/^.* pages: *\([0-9 ]*\).*/\1/p; /\*\//q' "$src" | head -1)

run() { # run NAME COMMAND…: prints into NAME.out
    dir=$tmp/$1.dir out=$tmp/$1.out
    shift
    mkdir "$dir"
    status=0
    (cd "$dir" && TMPDIR=$dir timeout 180 "$@") > "$out" 2> "$out.err" < /dev/null || status=$?
    echo "exit status $status" >> "$out"
}

build() { # build COMPILER OUTPUT
    # shellcheck disable=SC2086
    $1 -std=gnu17 -O1 -g -w -pthread -static -D_GNU_SOURCE $flags -o "$2" "$src" -lrt -lm
}

build "${CC:-cc}" "$tmp/native"
run native "$tmp/native"
if ! tail -1 "$tmp/native.out" | grep -qx 'exit status 0'; then
    echo "$name fails natively:"
    cat "$tmp/native.out" "$tmp/native.out.err"
    exit 99
fi

# Lines of results; make check-count adds them up.
echo "$name: $(wc -l < "$tmp/native.out") results"
guests=0
result=0
for guest in "aarch64 ${AARCH64_CC:-no}" "riscv64 ${RISCV64_CC:-no}"; do
    arch=${guest%% *} cc=${guest#* }
    [ "$cc" != no ] || continue
    case $arch in aarch64) cc="$cc -mbranch-protection=standard" ;; esac
    build "$cc" "$tmp/$arch"
    guests=$((guests + 1))
    sizes=
    [ "$arch" = riscv64 ] || sizes=$pages
    for size in '' $sizes; do
        as=$arch${size:+-$size}
        # shellcheck disable=SC2086
        run "$as" ${CALQUE:-calque} ${CALQUE_FLAGS:-} ${size:+-p "$size"} "$tmp/$arch"
        if ! diff -u "$tmp/native.out" "$tmp/$as.out"; then
            echo "$name: $as differs from native"
            cat "$tmp/$as.out.err"
            result=1
        elif grep 'in the emulator' "$tmp/$as.out.err"; then
            echo "$name: a crash of the emulator's own as $as"
            result=1
        fi
    done
done
[ $guests -gt 0 ] || exit 77
exit $result
