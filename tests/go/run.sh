#!/bin/bash
# The tests of Go's own standard library, built for a guest by the native tool chain and run by the
# kernel's binfmt_misc under calque, against the same built for this machine: a test that passes
# natively must pass.
#
# usage: run.sh [PACKAGE...]     (default: std. CALQUE: the emulator; ROOTS: a folder for Go's root;
#                                 GUESTS: arm64 riscv64; MODE: -short, or empty for the long ones;
#                                 RESULTS: a folder for the logs)
#
# A native log that RESULTS has from before is used again.
set -u
here=$(cd "$(dirname "$0")" && pwd)
calque=$(readlink -f "${CALQUE:-./calque}")
roots=${ROOTS:-roots}
version=1.24
unshare -m true 2>/dev/null || { echo "needs to be root to chroot"; exit 77; }
[ $# -gt 0 ] || set -- std
results=$(realpath "${RESULTS:-$(mktemp -d)}")
mkdir -p "$results"
native=$(dpkg --print-architecture)
root=$roots/go-$native
"$here/../programs/fetch-root.sh" "$native" trixie "$root" base-files bash dash coreutils diffutils \
    findutils gawk gcc git grep gdb hostname iproute2 libc6-dev media-types mount netbase perl-base \
    procps sed strace tzdata util-linux ca-certificates golang-$version-go golang-$version-src ||
    exit 77
root=$(realpath "$root")

# What the tests expect of a machine beyond unpacked packages; all of it in an overlay.
cat > "$results/set-up" <<'END'
root=$1 arch=$2 calque=$3 binfmt=$4 version=$5 dir=$6
shift 6
mount -t tmpfs tmpfs "$dir" && mkdir "$dir/"{changes,work,root} &&
    mount -t overlay -o "lowerdir=$root,upperdir=$dir/changes,workdir=$dir/work" overlay "$dir/root" &&
    root=$dir/root && mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" &&
    mount -t binfmt_misc none "$root/proc/sys/fs/binfmt_misc" || exit 125
ip link set lo up 2> /dev/null
printf '127.0.0.1 localhost\n::1 localhost\n' > "$root/etc/hosts"
printf 'root:x:0:0:root:/root:/bin/bash\nnobody:x:65534:65534::/:/bin/false\n' > "$root/etc/passwd"
printf 'root:x:0:\nnogroup:x:65534:\n' > "$root/etc/group"
[ -z "$calque" ] || "$binfmt" --binfmt-dir="$root/proc/sys/fs/binfmt_misc" --emulator="$calque" \
    install > /dev/null || exit 125
exec env -i PATH=/usr/lib/go-$version/bin:/usr/bin:/bin:/usr/sbin HOME=/tmp LC_ALL=C.UTF-8 \
    GOARCH="$arch" CGO_ENABLED=0 GOFLAGS=-vet=off GOPROXY=off chroot "$root" \
    sh -c 'cd /usr/lib/go-'$version'/src && exec go test -json -timeout 30m "$@"' go "$@"
END

run() { # run ARCHITECTURE EMULATOR MODE PACKAGE...: the log, in JSON, on standard output
    local dir status arch=$1 emulator=$2
    shift 2
    dir=$(mktemp -d)
    # A user namespace has a binfmt_misc of its own: nothing is registered with the machine.
    unshare -r -m -p -n -f --kill-child bash "$results/set-up" "$root" "$arch" "$emulator" \
        "$(dirname "$calque")/calque-binfmt" $version "$dir" $MODE "$@" 2> "$results/errors.$arch"
    status=$?
    rmdir "$dir"
    [ $status -lt 125 ]
}

MODE=${MODE--short}
# A native debugger that starts the guest's program finds this machine's processor in it.
MODE="$MODE -skip=^TestGdb"
[ -s "$results/$native.json" ] || run "$native" "" "$@" > "$results/$native.json" ||
    { echo "the native tests don't run:"; head -5 "$results/errors.$native"; exit 1; }
failed=0
for guest in ${GUESTS:-arm64 riscv64}; do
    run "$guest" "$calque" "$@" > "$results/$guest.json"
    "${PYTHON:-python3}" "$here/compare.py" "$results/$native.json" "$results/$guest.json" || failed=1
done
echo "logs: $results"
exit $failed
