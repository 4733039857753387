#!/bin/bash
# calque-binfmt, and the emulator as the kernel starts it, in a user namespace with a binfmt_misc of
# its own. (CALQUE: the emulator, with calque-binfmt beside it; AARCH64_CC, RISCV64_CC: compilers.)
set -u
here=$(cd "$(dirname "$0")" && pwd)
calque=$(readlink -f "${CALQUE:-./calque}")

if [ "${1-}" != inside ]; then
    # Everybody can register in a namespace of his own; what takes ids needs root.
    ids=one-id
    [ "$(id -u)" != 0 ] || ids=all-ids
    flag=--one-id
    [ $ids = one-id ] || flag=
    CALQUE=$calque exec python3 "$here/../../docker/enter" $flag bash "$0" inside $ids
fi
ids=$2
failed=0 passed=0 ran=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
chmod 0755 "$work"
PATH=$(dirname "$calque"):$PATH
calque_binfmt() { calque-binfmt "$@"; }
export_line() {
    mkdir -p "$work/export" && calque_binfmt --export=systemd "$work/export" "$arch" &&
        grep -v '^#' "$work/export/calque-$arch.conf"
}

expect() { # expect WHAT OUTPUT COMMAND...
    local what=$1 want=$2 got
    shift 2
    got=$("$@" 2>&1)
    if [ "$got" = "$want" ]; then
        passed=$((passed + 1))
    else
        printf 'FAIL %s\n  expected: %s\n  got:      %s\n' "$what" "$want" "$got"
        failed=1
    fi
}

for guest in "aarch64 ${AARCH64_CC:-no}" "riscv64 ${RISCV64_CC:-no}"; do
    arch=${guest%% *} cc=${guest#* }
    [ "$cc" != no ] || continue
    ran=1
    $cc -O1 -w -static -o "$work/prog" "$here/guest.c" || exit 99
    $cc -O1 -w -o "$work/dynamic" "$here/guest.c" || exit 99
    interp=$(LC_ALL=C readelf -l "$work/dynamic" | sed -n 's/.*interpreter: \(.*\)]/\1/p')
    for part in doctor flags $([ "$ids" = one-id ] || echo setuid); do
        # shellcheck disable=SC1090
        . "$here/$part.sh" < /dev/null
    done
done
[ $ran = 1 ] || { echo "no cross compiler"; exit 77; }
echo "$passed checks passed"
exit $failed
