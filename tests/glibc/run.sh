#!/bin/bash
# glibc's own tests, built for a guest by the cross compiler and run by the kernel's binfmt_misc
# under calque. What fails must be known to fail natively in such a place too, or be stated here.
#
# usage: run.sh [SUBDIRECTORY...]  (also math, which takes as long as all others; CALQUE: the
#                                   emulator, with calque-binfmt beside it; GUESTS: aarch64 riscv64;
#                                   WORK: a folder that keeps source and builds)
set -u
calque=$(readlink -f "${CALQUE:-./calque}")
work=$(realpath "${WORK:-$(mktemp -d)}")
jobs=$(nproc)
[ $# -gt 0 ] || set -- signal setjmp nptl posix misc rt io stdlib time socket malloc debug dlfcn \
    elf libio string login resolv
for tool in gawk bison msgfmt; do
    command -v $tool > /dev/null || { echo "needs gawk, bison, gettext: no $tool"; exit 77; }
done
unshare -r -m true 2> /dev/null || { echo "needs user namespaces"; exit 77; }
mkdir -p "$work" && cd "$work" || exit 1

if ! [ -d source ]; then
    mkdir -p package
    (cd package && apt-get download -q glibc-source && dpkg -x glibc-source_*.deb .) \
        > download.log 2>&1 || { echo "can't fetch glibc-source"; exit 77; }
    mkdir unpacked && tar -xf package/usr/src/glibc/glibc-*.tar.xz -C unpacked &&
        mv unpacked/glibc-* source || exit 1
fi

# Natively so too, in a namespace with one user, without a debugger for the guest, beside a make
# that passes descriptors on; where the C++ library or NSS's aren't there. Then underflow that only
# Arm sees (host/x86_64/fp-site.h; and see is_gap), and 220,000 forks, which take longer than they
# may.
known='-printers$|tst-setuid3$|tst-fchownat$|tst-close_range$|tst-closefrom$|c\+\+-types-check$'
known+='|check-installed-headers|tst-gethostid$|/tst-tininess$|tst-arc4random-fork$'

# A test of functions in which nothing is wrong but that underflow.
is_gap() { # is_gap TEST'S-OUTPUT
    grep -q '^Failure: ' "$1" && ! grep '^Failure: ' "$1" | grep -qv 'Exception "Underflow" not set'
}

build() { # build GUEST
    local dir=build-$1 sys=/usr/$1-linux-gnu
    [ -s "$dir/elf/ld.so" ] && [ -s "$dir/libc.so" ] && return
    mkdir -p "$dir" && cd "$dir" || return
    ../source/configure --host="$1-linux-gnu" --build="$(gcc -dumpmachine)" --prefix=/usr \
        --disable-werror --with-headers="$sys/include" > configure.log 2>&1 &&
        make -j"$jobs" > make.log 2>&1
    local status=$?
    # Beside the library that is tested, for pthread_exit() and C++.
    cp "$sys"/lib/libgcc_s.so.1 "$sys"/lib/libstdc++.so.6 . 2> /dev/null
    cd ..
    return $status
}

# A user namespace has a binfmt_misc of its own: nothing is registered with the machine.
cat > in-namespace <<'END'
mount -t proc proc /proc && mount -t binfmt_misc none /proc/sys/fs/binfmt_misc || exit 125
ip link set lo up 2> /dev/null
"$(dirname "$1")/calque-binfmt" --binfmt-dir=/proc/sys/fs/binfmt_misc --emulator="$1" install \
    > /dev/null || exit 125
shift
exec "$@"
END

failed=0 ran=0
for guest in ${GUESTS:-aarch64 riscv64}; do
    command -v "$guest-linux-gnu-gcc" > /dev/null || { echo "$guest: no compiler"; continue; }
    build "$guest" || { echo "$guest: glibc can't be built: $work/build-$guest"; exit 1; }
    ran=1
    for subdir; do
        rm -f build-"$guest"/{tests.sum,"$subdir"/*.{out,test-result}}
        unshare -r -m -p -n -f --kill-child bash "$work/in-namespace" "$calque" make -k -j"$jobs" \
            -C "build-$guest" subdirs="$subdir" test-wrapper=env test-wrapper-env=env \
            run-built-tests=yes TIMEOUTFACTOR=3 check > "check-$guest-$subdir.log" 2>&1
        passed=$(cat build-"$guest/$subdir"/*.test-result | grep -c '^PASS')
        bad=
        for t in $(sed -n 's/^FAIL: //p' build-"$guest/$subdir"/*.test-result |
            grep -Ev -e "$known"); do
            is_gap "build-$guest/$t.out" || bad+=" $t"
        done
        echo "$guest $subdir: $passed passed${bad:+, failed:$bad}"
        [ -z "$bad" ] && [ "$passed" -gt 0 ] || failed=1
    done
done
[ $ran = 1 ] || exit 77
echo "logs: $work"
exit $failed
