#!/bin/sh
# The stub (-g) with gdb-multiarch: breakpoints, steps, registers, memory, threads, signals, a forked
# child, the end; watchpoints and breakpoints of the hardware.
set -eu
src=$(cd "$(dirname "$0")" && pwd)
command -v gdb-multiarch > /dev/null || { echo "no gdb-multiarch"; exit 77; }
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
result=77

expect() { # expect TEXT: in gdb's or the program's output
    grep -qE -- "$1" "$tmp/out" || { echo "$arch: no line like: $1"; result=1; }
}

for guest in "aarch64 ${AARCH64_CC:-no}" "riscv64 ${RISCV64_CC:-no}"; do
    arch=${guest%% *} cc=${guest#* }
    [ "$cc" != no ] || continue
    [ $result = 1 ] || result=0
    case $arch in aarch64) sign=-mbranch-protection=standard ;; *) sign= ;; esac
    $cc -g -O0 $sign -static -pthread -o "$tmp/guest" "$src/guest.c"
    (status=0
     cd "$tmp"
     ${CALQUE:-calque} -g "$tmp/socket" "$tmp/guest" > "$tmp/printed" 2>&1 || status=$?
     echo "ends $status" >> "$tmp/printed") &
    for _ in 1 2 3 4 5 6 7 8 9 10; do [ -S "$tmp/socket" ] || sleep 0.2; done
    timeout 60 gdb-multiarch -nx -batch -ex 'set pagination off' -ex 'set confirm off' \
        -ex "file $tmp/guest" -ex "target remote $tmp/socket" \
        -ex 'watch watched' -ex continue -ex 'info threads' -ex 'delete' \
        -ex 'rwatch read_only[2]' -ex continue -ex 'delete' -ex 'hbreak add' -ex continue -ex 'delete' \
        -ex 'break add' -ex continue \
        -ex 'bt' -ex 'info threads' -ex 'print n' -ex 'finish' -ex 'print ratio * 3' \
        -ex 'set var total = 1000' -ex 'print $_siginfo.si_signo' -ex 'stepi' -ex 'delete' \
        -ex 'handle SIGUSR1 stop print' -ex continue -ex continue -ex 'print $_siginfo.si_signo' \
        -ex 'info registers pc' -ex continue > "$tmp/out" 2>&1 < /dev/null || true
    wait
    cat "$tmp/printed" >> "$tmp/out"
    expect '^New value = 125250'
    expect '^Value = 3'
    expect '^Thread 2 .*hit Breakpoint 3, add'
    expect '^#0  add \(n=1\)'
    expect '^#1 .* in worker'
    expect '^#2 .* in start_thread' # worker's return address is signed
    expect '^\* 2 +Thread'
    expect 'Value returned is \$[0-9] = 2$'
    expect '= 1\.5$'
    expect 'signal SIGUSR1'
    expect 'signal SIGSEGV'
    expect '= 11$'
    expect '^total 1103 child 245$'
    expect '^ends 139$'
    [ $result = 0 ] || cat "$tmp/out"
    rm -f "$tmp/socket"
done
exit $result
