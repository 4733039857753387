#!/bin/bash
# CPython's own test suite in a foreign Debian root under calque, module by module, against the same
# in the native root: each test must end as it does natively.
#
# usage: run.sh [MODULE...]     (CALQUE: the emulator; ROOTS: the roots; GUESTS as in programs/run.sh;
#                                RESULTS: a folder for the logs; SECONDS_PER_MODULE: 900;
#                                TEST_ENV: settings for the environment)
#
# Logs of native runs that RESULTS has from before are used again.
set -u
here=$(cd "$(dirname "$0")" && pwd)
roots=${ROOTS:-roots}
calque=$(readlink -f "${CALQUE:-./calque}")
limit=${SECONDS_PER_MODULE:-900}
[ -d "$roots" ] || { echo "no roots: make roots fetches them (needs a Debian mirror)"; exit 77; }
unshare -m true 2>/dev/null || { echo "needs to be root to chroot"; exit 77; }
command -v script > /dev/null || { echo "needs script(1), for a terminal"; exit 77; }
[ $# -gt 0 ] || set -- test_threading test_signal test_subprocess test_socket test_mmap test_os \
    test_posix test_time test_asyncio test_multiprocessing_fork test_select test_fcntl \
    test_resource test_ioctl test_pty test_io test_epoll test_faulthandler
results=$(realpath "${RESULTS:-$(mktemp -d)}")
mkdir -p "$results"

# VSOCK tests need a peer. A process group of timeout's own wouldn't be the terminal's.
cat > "$results/script" <<'END'
ulimit -n 1024
cd /tmp
exec timeout --foreground -k 10 "$2" \
    python3 -m test -v -i "*VSOCKSocketStream*" --timeout $(($2 - 60)) "$1" 2>&1
END

# What the tests expect of a machine beyond unpacked packages: names, a shared memory file system
# and a controlling terminal (/dev/tty; standard input is none). All of it is in an overlay: the
# root stays as it is.
cat > "$results/set-up" <<'END'
. "$1/in-root.sh"
root=$2 emulator=$3 module=$4 limit=$5 dir=$6
mount -t tmpfs tmpfs "$dir" && mkdir "$dir/"{changes,work,root} &&
    mount -t overlay -o "lowerdir=$root,upperdir=$dir/changes,workdir=$dir/work" overlay "$dir/root" &&
    mount --make-rprivate / && mount -t tmpfs tmpfs /dev/shm || exit 125
chmod 1777 /dev/shm
printf '127.0.0.1 localhost %s\n::1 localhost\n' "$(hostname)" > "$dir/root/etc/hosts"
printf 'tcp 6 TCP\nudp 17 UDP\nicmp 1 ICMP\n' > "$dir/root/etc/protocols"
printf 'echo 7/tcp\necho 7/udp\ndaytime 13/tcp\ndaytime 13/udp\ndomain 53/tcp\ndomain 53/udp\nhttp 80/tcp\n' \
    > "$dir/root/etc/services"
echo 'nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin' >> "$dir/root/etc/passwd"
echo 'nogroup:x:65534:' >> "$dir/root/etc/group"
in_root "$dir/root" $emulator /bin/sh /tmp/script "$module" "$limit"
END

run() { # run ROOT EMULATOR MODULE: the log on standard output
    local dir
    dir=$(mktemp -d)
    TEST_SCRIPT=$results/script TEST_CALQUE=$2 script -qec "$(printf 'unshare -m bash %q %q %q %q %q %q %q' \
        "$results/set-up" "$here/../programs" "$1" "${2:+/usr/local/bin/calque}" "$3" "$limit" "$dir") \
            < /dev/null >&9 2>&9 9>&-" /dev/null < /dev/null 9>&1 > /dev/null
    local status=$?
    rmdir "$dir"
    return $status
}

failed=0 passed=0 ran=0
for guest in ${GUESTS:-arm64:bookworm riscv64:trixie}; do
    arch=${guest%:*} suite=${guest#*:}
    [ -d "$roots/$arch-$suite" ] && [ -d "$roots/amd64-$suite" ] || continue
    ran=1
    for module in "$@"; do
        native=$results/$suite-$module.native log=$results/$arch-$module.log
        [ -s "$native" ] || run "$roots/amd64-$suite" '' "$module" > "$native"
        run "$roots/$arch-$suite" "$calque" "$module" > "$log"
        status=$?
        if differences=$(python3 "$here/compare.py" "$native" "$log"); then
            echo "ok $arch $module: $differences"
            passed=$((passed + 1))
        else
            echo "FAIL $arch $module: exit $status, $differences"
            failed=$((failed + 1))
        fi
    done
done
[ $ran = 1 ] || { echo "no roots of ${GUESTS:-any guest}"; exit 77; }
echo "$passed modules as natively, $failed not; logs in $results"
[ $failed = 0 ]
