# What a program sees with each flag, and what an exec from inside does. Sourced by run.sh.

# What `show` is to print; A0: argv[0], FN: AT_EXECFN, FDS.
shown() { # shown ARGV0 EXECFN COMM FDS REST-OF-ARGV...
    local argv0=$1 execfn=$2 comm=$3 fds=$4
    shift 4
    printf 'argv [%s]' "$argv0"
    [ $# = 0 ] || printf ' [%s]' "$@"
    printf ' comm %s execfn %s flags 0 execfd none secure 0 uid 0 euid 0 fds%s\n' \
        "$comm" "$execfn" "$fds"
}

printf '#!%s -opt\n' "$work/prog" > "$work/script"
chmod +x "$work/script"
for flags in "" P O C F PO PC FP FC FO FPC FPCO; do
    calque_binfmt install "$arch" --flags="$flags" > /dev/null || failed=1
    case $flags in *P*) zero=zero ;; *) zero=$work/prog ;; esac
    expect "$arch flags '$flags'" "$(shown "$zero" "$work/prog" prog ' 0' a 'b c')" \
        bash -c 'exec -a zero "$0" a "b c" < /dev/null' "$work/prog"
    expect "$arch flags '$flags', descriptor 0 closed" "$(shown "$zero" "$work/prog" prog '' a)" \
        bash -c 'exec -a zero "$0" a <&-' "$work/prog"
    case $flags in *P*) zero=zero ;; *) zero=./prog ;; esac
    expect "$arch flags '$flags', from inside" "$(shown "$zero" ./prog prog ' 0' x)" \
        bash -c 'cd "$1" && exec ./prog exec ./prog zero x < /dev/null' - "$work"
    expect "$arch flags '$flags', a script" \
        "$(shown "$work/prog" "$work/script" script ' 0' -opt "$work/script" y)" \
        bash -c 'exec "$0" y < /dev/null' "$work/script"
    expect "$arch flags '$flags', a script from inside" \
        "$(shown "$work/prog" "$work/script" script ' 0' -opt "$work/script" y)" \
        bash -c 'exec "$0" exec "$1" zero y < /dev/null' "$work/prog" "$work/script"
    expect "$arch flags '$flags', a program of the host" "$(uname -m)" \
        "$work/prog" exec "$(command -v uname)" uname -m
done

# A path that looks like an option is none.
calque_binfmt install "$arch" > /dev/null
ln -f "$work/prog" "$work/--strace"
expect "$arch: a name like an option" "$(shown zero --strace --strace ' 0' a)" \
    python3 -c 'import os, sys; os.chdir(sys.argv[1]); os.execv("--strace", ["zero", "a"])' "$work"

# In an empty root, without /proc, there is nothing but the program (flag F).
mkdir -p "$work/empty"
cp "$work/prog" "$work/empty/prog"
expect "$arch: an empty chroot" "$(shown zero /prog prog ' 0' a)" \
    chroot "$work/empty" /prog exec /prog zero a
calque_binfmt install "$arch" --flags=P > /dev/null
expect "$arch: an empty chroot without F" "127" \
    bash -c 'chroot "$0" /prog > /dev/null 2>&1; echo $?' "$work/empty"

# The registration goes while the program runs: the emulator starts itself.
calque_binfmt install "$arch" > /dev/null
expect "$arch: the registration has gone" "$(shown zero "$work/prog" prog ' 0' a)" \
    "$work/prog" exec /bin/sh sh -c "calque-binfmt remove $arch > /dev/null; exec $calque -0 p \
    $work/prog exec $work/prog zero a"

# How others see it.
calque_binfmt install "$arch" > /dev/null
rm -f "$work/ready"
"$work/prog" sleep one two > "$work/ready" &
pid=$!
for _ in $(seq 100); do [ -s "$work/ready" ] && break; sleep 0.05; done
expect "$arch: its name to others" prog cat /proc/$pid/comm
expect "$arch: its arguments to others" "$work/prog sleep one two " \
    sh -c 'tr "\0" " " < /proc/$0/cmdline; echo' $pid
kill $pid
wait $pid 2> /dev/null
