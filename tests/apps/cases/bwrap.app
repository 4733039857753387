# bubblewrap: every namespace, a read-only root, its own /proc and /dev.
bwrap --unshare-all --ro-bind / / --proc /proc --dev /dev --tmpfs /tmp --uid 1000 --gid 1000 sh -c '
    id -u; ls /proc | grep -c "^[0-9]"; touch /x 2>&1; echo > /tmp/x && cat /tmp/x | wc -c'
bwrap --unshare-user --unshare-pid --unshare-uts --hostname foo --bind / / --die-with-parent \
    cat /proc/sys/kernel/hostname
unshare -Urpf --mount-proc sh -c 'id -u; echo $$'
