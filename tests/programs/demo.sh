#!/bin/bash
# The README's demonstration: a real arm64 program from Debian, or without a mirror one that the
# cross compiler makes, runs under calque.
set -u
calque=${1:-./calque}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
here=$(cd "$(dirname "$0")" && pwd)
suite=bookworm

if "$here/fetch-root.sh" arm64 $suite "$work/root" busybox-static > "$work/log" 2>&1; then
    program=$work/root/bin/busybox
    echo "busybox of Debian's arm64 port ($suite):"
    file "$program" 2>/dev/null | cut -d: -f2 | cut -c1-76
    set -x
    "$calque" "$program" uname -m
    "$calque" "$program" sh -c 'i=0; while [ $i -lt 5 ]; do i=$((i + 1)); echo "line $i of $(uname -m)"; done | sort -r'
    "$calque" "$program" seq 1 100000 | "$calque" "$program" sha256sum
else
    echo "No Debian mirror can be reached; building an arm64 program instead."
    cat > "$work/demo.c" << 'C'
#include <stdio.h>
#include <sys/utsname.h>
int main(int argc, char **argv) {
    struct utsname u;
    uname(&u);
    printf("Hello from %s: %s, 1/3 = %.17g\n", u.machine, argv[0], 1.0 / 3);
    return 0;
}
C
    aarch64-linux-gnu-gcc -O2 -static -o "$work/demo" "$work/demo.c" || exit 1
    set -x
    "$calque" "$work/demo"
fi
