#!/bin/bash
# Big programs in Debian systems of the guests, made by docker/bootstrap and apt-get under calque: what
# they print must be what NAME.out says, COUNT times in a row.
#
# usage: run.sh [--native] [NAME...]      (all cases by default)
#
# --native  run them on this machine instead, with its own programs: is NAME.out right?
# CALQUE    the emulator, with calque-binfmt beside it   ROOTS   where the systems are (apps-roots)
# GUESTS    "arm64:bookworm riscv64:trixie"              COUNT   runs of each case (1)
set -u
here=$(cd "$(dirname "$0")" && pwd)
docker=$here/../../docker
calque=$(readlink -f "${CALQUE:-./calque}")
roots=${ROOTS:-apps-roots}
native=no
if [ "${1-}" = --native ]; then
    native=yes
    shift
fi
[ $# -gt 0 ] || set -- $(cd "$here/cases" && ls -- *.app | sed 's/\.app$//')
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0 skipped=0

# What is compiled or fetched outside.
prepare() {
    mkdir -p "$roots"
    cp "$here"/*.{go,js,py} "$work"
    for name in "$@"; do cp "$here/cases/$name.app" "$work"; done
    if command -v javac > /dev/null; then
        javac --release 17 -d "$work" "$here/Threads.java"
    fi
    local sum=31e066137a962676e89f69d1b65382de95a7ef7d914b8cb956f41ea72e0f516b
    if ! echo "$sum $roots/hello.tar.gz" | sha256sum -c --quiet > /dev/null 2>&1; then
        curl -fsS -o "$roots/hello.tar.gz" "$(mirror)/pool/main/h/hello/hello_2.10.orig.tar.gz" &&
            echo "$sum $roots/hello.tar.gz" | sha256sum -c --quiet || rm -f "$roots/hello.tar.gz"
    fi
    [ ! -e "$roots/hello.tar.gz" ] || cp "$roots/hello.tar.gz" "$work"
    chmod -R a+rX "$work"
}

mirror() {
    cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2> /dev/null |
        sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) .*/\2/p' |
        grep -E '/debian/?$' | head -n 1
}

# The system of a guest, with the packages.
make_root() { # make_root ARCH SUITE
    local root=$roots/$2-$1 list
    list=$(sed "/^#/d; s/^$1-$2: //; /: /d" "$here/packages" | xargs)
    [ "$(cat "$root/.packages" 2> /dev/null)" = "$list" ] && return
    # shellcheck disable=SC2086
    "$docker/bootstrap" --how userns --folder "$root" "$1" "$2" "$calque" sh -eu -c '
        printf "127.0.0.1 localhost %s\n" "$(uname -n)" > /etc/hosts
        apt-get -q update
        apt-get -q -y --no-install-recommends -o Acquire::Retries=3 install "$@"
        echo "$@" > /.packages' - $list > "$root.log" 2>&1 && return
    echo "FAIL: can't make $root:"
    tail -n 20 "$root.log"
    failed=$((failed + 1))
    return 1
}

run_case() { # run_case WHERE NAME COMMAND...: prints what differs
    local where=$1 name=$2 need
    shift 2
    need=$(sed -n 's/^# needs: //p' "$work/$name.app")
    if [ -n "$need" ] && [ ! -e "$work/$need" ]; then
        echo "SKIP $where $name: no $need"
        skipped=$((skipped + 1))
        return
    fi
    for i in $(seq "${COUNT:-1}"); do
        local began=$SECONDS
        "$@" > "$work/out" 2> "$work/err" < /dev/null
        if ! diff "$here/cases/$name.out" "$work/out" > "$work/diff"; then
            echo "FAIL $where $name, run $i of ${COUNT:-1}:"
            cat "$work/diff"
            tail -n 5 "$work/err"
            failed=$((failed + 1))
            return
        fi
        [ "${COUNT:-1}" = 1 ] || echo "$where $name: run $i of $COUNT, $((SECONDS - began)) s"
    done
    echo "ok $where $name (${COUNT:-1} times)"
    passed=$((passed + 1))
}

prepare "$@"
if [ $native = yes ]; then
    for name; do
        run_case native "$name" unshare -m sh -c 'mount -t tmpfs tmpfs /mnt && cp "$0"/* /mnt &&
            mount -t tmpfs tmpfs /tmp && cd /mnt && exec bash "$1"' "$work" "$name.app"
    done
else
    "$docker/enter" true || exit 77
    for guest in ${GUESTS:-arm64:bookworm riscv64:trixie}; do
        arch=${guest%:*} suite=${guest#*:}
        make_root "$arch" "$suite" || continue
        for name; do
            run_case "$arch" "$name" "$docker/enter" --calque "$calque" --root "$roots/$suite-$arch" \
                --bind "$work:/srv/apps" env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
                HOME=/root TERM=dumb LC_ALL=C.UTF-8 timeout -k 10 "${TIMEOUT:-900}" \
                sh -c 'cd /srv/apps && exec bash "$0"' "$name.app"
        done
    done
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
