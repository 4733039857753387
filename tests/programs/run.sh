#!/bin/bash
# Runs one script of this folder in a foreign Debian root under calque, and in the native root of
# the same suite without; what they print and their exit status must be equal.
#
# usage: run.sh [-k] SCRIPT        (CALQUE: the emulator; ROOTS: where fetch-root.sh put the roots)
#
# GUESTS chooses among "arm64:bookworm riscv64:trixie" (default: both). A line `# normalize: SED`
# in the script names a sed expression for text that may differ (versions of processors, times).
set -u
here=$(cd "$(dirname "$0")" && pwd)
script=$1
roots=${ROOTS:-roots}
calque=$(readlink -f "${CALQUE:-./calque}")
normalize=$(sed -n 's/^# normalize: //p' "$script")
[ -d "$roots" ] || { echo "no roots: make roots fetches them (needs a Debian mirror)"; exit 77; }
unshare -m true 2>/dev/null || { echo "needs to be root to chroot"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

. "$here/in-root.sh"

failed=0 ran=0
for guest in ${GUESTS:-arm64:bookworm riscv64:trixie}; do
    arch=${guest%:*} suite=${guest#*:}
    [ -d "$roots/$arch-$suite" ] && [ -d "$roots/amd64-$suite" ] || continue
    ran=1
    TEST_SCRIPT=$script TEST_CALQUE= in_root "$roots/amd64-$suite" /bin/sh /tmp/script \
        > "$work/native" 2> "$work/native.err"
    native_status=$?
    TEST_SCRIPT=$script TEST_CALQUE=$calque in_root "$roots/$arch-$suite" \
        /usr/local/bin/calque /bin/sh /tmp/script > "$work/guest" 2> "$work/guest.err"
    guest_status=$?
    for f in native guest; do
        [ -z "$normalize" ] || sed -E -i "$normalize" "$work/$f"
    done
    if [ $native_status != $guest_status ] || ! cmp -s "$work/native" "$work/guest"; then
        echo "FAIL $arch: native exit $native_status, under calque $guest_status"
        diff "$work/native" "$work/guest" | head -40
        tail -15 "$work/guest.err"
        failed=1
    else
        echo "ok $arch"
    fi
done
[ $ran = 1 ] || { echo "no roots of ${GUESTS:-any guest}"; exit 77; }
exit $failed
