# For scripts that run commands in Debian roots; sourced. TEST_SCRIPT: a file that becomes /tmp/script
# there; TEST_ENV: settings NAME=VALUE for its environment; TEST_CALQUE: the emulator, which becomes /usr/local/bin/calque, or empty.
net=$(command -v ip)

# in_root ROOT COMMAND...: with /proc, /dev and an empty /tmp of its own, and no other environment.
in_root() {
    local root=$1
    shift
    # Namespaces of its own: what a script leaves running ends with it, and its ports are its own.
    unshare -m -p -f --kill-child ${net:+-n} sh -c '
        root=$1; shift
        ! command -v ip > /dev/null || ip link set lo up
        mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev" &&
            mount -t tmpfs tmpfs "$root/tmp" || exit 125
        cp "$TEST_SCRIPT" "$root/tmp/script"
        [ -z "$TEST_CALQUE" ] || { mkdir -p "$root/usr/local/bin" && : >> "$root/usr/local/bin/calque" &&
            mount --bind "$TEST_CALQUE" "$root/usr/local/bin/calque"; } || exit 125
        exec env -i PATH=/usr/bin:/usr/sbin HOME=/tmp LC_ALL=C.UTF-8 TERM=dumb ${TEST_ENV-} \
            chroot "$root" "$@"' in_root "$root" "$@" < /dev/null
}
