#!/bin/sh
# Makes the list of test files and configure. Options, each including the ones before it in effect:
#   --deps    install what the build and the tests need (Debian, as root or through sudo)
#   --demo    go on: configure, build, fetch a real arm64 program from Debian and run it
#   --check   go on: configure, build, run the tests
set -eu
cd "$(dirname "$0")"

deps=no demo=no check=no
for arg; do
    case $arg in
    --deps) deps=yes ;;
    --demo) demo=yes ;;
    --check) check=yes ;;
    *) echo "usage: $0 [--deps] [--demo] [--check]" >&2; exit 2 ;;
    esac
done

if [ $deps = yes ]; then
    sudo=
    [ "$(id -u)" = 0 ] || sudo=sudo
    $sudo apt-get update
    # The last lines are for tests and benchmarks only: cross compilers and oracles.
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
        autoconf automake make gcc libc6-dev pkg-config python3 xz-utils \
        libglib2.0-dev libffi-dev libcapstone-dev libpcre2-dev zlib1g-dev \
        gcc-aarch64-linux-gnu libc6-dev-arm64-cross gcc-riscv64-linux-gnu libc6-dev-riscv64-cross \
        gcc-arm-linux-gnueabihf libc6-dev-armhf-cross \
        gdb-multiarch \
        libunicorn-dev libmpfr-dev libgmp-dev qemu-user-static gcc-12-source csmith libcsmith-dev
fi

# list VARIABLE SUFFIX FOLDER: the test files of a folder, for automake.
list() {
    printf '%s =' "$1"
    for f in "$3"/*"$2"; do
        [ -e "$f" ] && printf ' \\\n\t%s' "$f"
    done
    printf '\n'
}
{
    echo "# Made by autogen.sh: test files register themselves."
    list IR_TESTS .ir tests/ir
    list LINUX_TESTS .c tests/linux
    list PROGRAM_TESTS .prog tests/programs/cases
    list APP_CASES .app tests/apps/cases
    list APP_OUTPUTS .out tests/apps/cases
    list BENCH_FILES .c tests/bench
} > tests/lists.mk.new
cmp -s tests/lists.mk.new tests/lists.mk 2>/dev/null && rm tests/lists.mk.new ||
    mv tests/lists.mk.new tests/lists.mk

autoreconf --install --force

if [ $demo = yes ] || [ $check = yes ]; then
    mkdir -p build
    cd build
    [ -f config.status ] || ../configure
    make -j"$(nproc)"
    [ $demo = no ] || make -s demo
    [ $check = no ] || make -j"$(nproc)" check
fi
