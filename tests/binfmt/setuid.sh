# Programs with more rights than their user: flag C gives them, and nothing of the user's is
# honoured. Needs root, for the ids. Sourced by run.sh.
cp "$work/prog" "$work/suid"
chown 1234 "$work/suid" && chmod 4755 "$work/suid"
ln -f "$work/suid" "$work/-D"
as_user() { (cd "$work" && exec setpriv --reuid=1000 --regid=1000 --clear-groups env -i "$@"); }
secure() { # secure ARGV0 EXECFN COMM SECURE EUID REST...
    local argv0=$1 execfn=$2 comm=$3 secure=$4 euid=$5
    shift 5
    printf 'argv [%s]' "$argv0"
    [ $# = 0 ] || printf ' [%s]' "$@"
    printf ' comm %s execfn %s flags 0 execfd none secure %s uid 1000 euid %s fds 0\n' \
        "$comm" "$execfn" "$secure" "$euid"
}

calque_binfmt install "$arch" --flags=FP > /dev/null
expect "$arch: set-uid without C" "$(secure "$work/suid" "$work/suid" suid 0 1000)" \
    as_user "$work/suid" < /dev/null
calque_binfmt install "$arch" > /dev/null
expect "$arch: set-uid with C" "$(secure "$work/suid" "$work/suid" suid 1 1234)" \
    as_user "$work/suid" < /dev/null
expect "$arch: set-uid from inside" "$(secure zero "$work/suid" suid 1 1234 a)" \
    as_user "$work/prog" exec "$work/suid" zero a < /dev/null

# Every variable that the emulator knows, each by both names.
rm -f "$work/log"
chmod 1777 "$work"
hostile=()
for prefix in CALQUE QEMU; do
    hostile+=("${prefix}_STRACE=1" "${prefix}_LOG=in_asm,strace" "${prefix}_LOG_FILENAME=$work/log"
        "${prefix}_SET_ENV=INJECTED=1" "${prefix}_LD_PREFIX=$work" "${prefix}_CPU=nonsense"
        "${prefix}_ARGV0=injected" "${prefix}_GDB=1" "${prefix}_BACKEND=nonsense"
        "${prefix}_PLUGIN=$work/plugin.so" "${prefix}_UNAME=injected")
done
expect "$arch: set-uid ignores variables" "$(secure "$work/suid" "$work/suid" suid 1 1234)" \
    as_user "${hostile[@]}" "$work/suid" < /dev/null
expect "$arch: ... and sets none" "" bash -c '"$@" | grep ^INJECTED' - \
    setpriv --reuid=1000 --clear-groups env -i "${hostile[@]}" "$work/suid" env
expect "$arch: ... and opens no log" "no log" bash -c 'ls "$0" 2> /dev/null || echo no log' "$work/log"
mkdir -p "$work/cache"
chmod 1777 "$work/cache"
expect "$arch: ... and keeps no translations" "" bash -c '"$@" > /dev/null; find "$0" -type f' \
    "$work/cache" setpriv --reuid=1000 --clear-groups env -i CALQUE_CACHE_DIR="$work/cache" \
    XDG_CACHE_HOME="$work/cache" HOME="$work/cache" "$work/suid"
expect "$arch: ... nor takes a name for an option" "$(secure zero -D -D 1 1234 "$work/log")" \
    as_user python3 -c 'import os, sys; os.execv("-D", ["zero", sys.argv[1]])' "$work/log" < /dev/null
expect "$arch: the variables work without rights" "INJECTED=1" bash -c '"$@" | grep ^INJECTED' - \
    setpriv --reuid=1000 --clear-groups env -i CALQUE_SET_ENV=INJECTED=1 "$work/prog" env

# A file that can be executed and not read.
cp "$work/prog" "$work/unreadable" && chmod 0711 "$work/unreadable" && chmod 0111 "$work/unreadable"
expect "$arch: an unreadable program" "$(secure zero "$work/unreadable" unreadable 0 1000)" \
    as_user "$work/prog" exec "$work/unreadable" zero < /dev/null
# The emulator itself with rights runs nothing.
cp "$calque" "$work/calque-suid" && chown 1234 "$work/calque-suid" && chmod 4755 "$work/calque-suid"
expect "$arch: a set-uid emulator" "calque: this file is set-uid or has capabilities, which would \
give them to any program; binfmt_misc's flag C is for that" \
    setpriv --reuid=1000 --clear-groups "$work/calque-suid" "$work/prog"
expect "$arch: with more rights by the caller, no options" "calque: option '-strace' isn't taken by \
a program that runs with more rights than its user" python3 -c '
import os, sys
os.setresuid(1000, 1234, 1234)
os.execv(sys.argv[1], [sys.argv[1], "-strace", sys.argv[2]])' "$calque" "$work/prog"
expect "$arch: ... but what an exec passes on" "$(secure zero "$work/prog" prog 1 1234)" python3 -c '
import os, sys
os.setresuid(1000, 1234, 1234)
os.execv(sys.argv[1], [sys.argv[1], "-0", "zero", "--", sys.argv[2]])' "$calque" "$work/prog" < /dev/null
