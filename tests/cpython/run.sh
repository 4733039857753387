#!/bin/bash
# CPython's own test suite in a foreign Debian root under calque, module by module, against the same
# in the native root: what fails there must be what fails natively.
#
# usage: run.sh [MODULE...]     (CALQUE: the emulator; ROOTS: the roots; GUESTS as in programs/run.sh;
#                                RESULTS: a folder for the logs; SECONDS_PER_MODULE: 900)
set -u
here=$(cd "$(dirname "$0")" && pwd)
roots=${ROOTS:-roots}
calque=$(readlink -f "${CALQUE:-./calque}")
limit=${SECONDS_PER_MODULE:-900}
[ -d "$roots" ] || { echo "no roots: make roots fetches them (needs a Debian mirror)"; exit 77; }
unshare -m true 2>/dev/null || { echo "needs to be root to chroot"; exit 77; }
[ $# -gt 0 ] || set -- test_threading test_signal test_subprocess test_socket test_mmap test_os \
    test_posix test_time test_asyncio test_multiprocessing_fork test_select test_fcntl \
    test_resource test_ioctl test_pty test_io test_epoll test_faulthandler
results=${RESULTS:-$(mktemp -d)}
mkdir -p "$results"
. "$here/../programs/in-root.sh"

cat > "$results/script" <<'END'
ulimit -n 1024
cd /tmp
exec timeout -k 10 "$2" python3 -m test -v -i "*VSOCKSocketStream*" --timeout $(($2 - 60)) "$1" 2>&1
END

run() { # run ROOT EMULATOR MODULE: the log on standard output
    TEST_SCRIPT=$results/script TEST_CALQUE=$2 in_root "$1" ${2:+/usr/local/bin/calque} \
        /bin/sh /tmp/script "$3" "$limit"
}

# The tests of a log that failed, by name.
failures() {
    sed -nE 's/^(FAIL|ERROR|UNEXPECTED SUCCESS): ([^ ]+ \([^)]*\)).*/\2/p;
             s/^(Timeout|Fatal Python error|Segmentation).*/\1/p' "$1" | sort -u
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
        new=$(comm -13 <(failures "$native") <(failures "$log"))
        count=$(sed -nE 's/^Ran ([0-9]+) tests.*/\1/p' "$log" | tail -n 1)
        of=$(sed -nE 's/^Ran ([0-9]+) tests.*/\1/p' "$native" | tail -n 1)
        if [ -n "$new" ] || [ "${count:-0}" -lt "${of:-0}" ]; then
            echo "FAIL $arch $module: exit $status, ${count:-no} tests (native ${of:-none})"
            [ -z "$new" ] || echo "$new" | sed 's/^/    /'
            failed=$((failed + 1))
        else
            echo "ok $arch $module: ${count:-no} tests"
            passed=$((passed + 1))
        fi
    done
done
[ $ran = 1 ] || { echo "no roots of ${GUESTS:-any guest}"; exit 77; }
echo "$passed modules as natively, $failed not; logs in $results"
[ $failed = 0 ]
