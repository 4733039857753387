# What calque-binfmt says of what it finds. Sourced by run.sh.

# says WHAT PATTERN ARGUMENT...: doctor with these arguments prints a line with the pattern.
says() {
    local what=$1 pattern=$2
    shift 2
    calque_binfmt doctor "$@" > "$work/said" 2>&1
    if grep -qE "$pattern" "$work/said"; then
        passed=$((passed + 1))
    else
        echo "FAIL doctor: $what: no line with '$pattern' in:"
        cat "$work/said"
        failed=1
    fi
}

calque_binfmt remove all > /dev/null 2>&1
says "nothing registered" "^problem: $arch: not registered"
expect "install says what it did" "calque-$arch: installed ($calque, flags FPC)" \
    calque_binfmt install "$arch"
expect "the kernel has it" "enabled
interpreter $calque
flags: POCF
offset 0" sh -c 'head -4 "$0"' /proc/sys/fs/binfmt_misc/calque-$arch
calque_binfmt install > /dev/null
says "all is well" "^no problem found"
says "it tries" "^ok: $arch: a program of four instructions ran"
says "a static program" "^ok: $work/prog: a program for $arch" "$work/prog"
says "no problem with it" "^no problem found" "$work/prog"
says "its own programs" "runs without an emulator" /bin/sh
echo 0 > /proc/sys/fs/binfmt_misc/calque-$arch
says "disabled" "^problem: $arch: the registration is disabled" "$work/prog"
echo 0 > /proc/sys/fs/binfmt_misc/status
says "all disabled" "^problem: binfmt_misc is disabled as a whole"
expect "install enables" "enabled" \
    sh -c 'calque-binfmt install > /dev/null; cat /proc/sys/fs/binfmt_misc/status'
calque_binfmt install "$arch" --flags=PC > /dev/null
says "no F" "^problem: calque-$arch: without the flag F" "$work/prog"
calque_binfmt install "$arch" --flags=F > /dev/null
says "no C" "^note: calque-$arch: without the flag C" "$work/prog"
calque_binfmt install "$arch" > /dev/null
# Somebody else's entry, later than ours.
sleep 0.05 # the kernel's clock of files ticks slowly
sed "s/calque-$arch/other-$arch/" <<< "$(export_line)" > /proc/sys/fs/binfmt_misc/register
says "a clash" "^problem: .*other-$arch" "$work/prog"
says "a clash" "^problem: .*other-$arch .* was registered later"
sleep 0.05
calque_binfmt install "$arch" > /dev/null
says "asked first" "^note: $arch: another entry, other-$arch"
echo -1 > "/proc/sys/fs/binfmt_misc/other-$arch"
# Programs that can't run.
says "missing" "No such file" "$work/nothing"
printf 'x\n' > "$work/text"
chmod -x "$work/text"
says "not executable" "^problem: $work/text: not executable" "$work/text"
chmod +x "$work/text"
says "text" "neither an ELF file nor a script" "$work/text"
printf '#!/bin/sh\r\n' > "$work/dos"
chmod +x "$work/dos"
says "a carriage return" "carriage return" "$work/dos"
printf '#!%s/prog\n' "$work" > "$work/script"
says "a script" "a script for $work/prog" "$work/script"
says "and its interpreter" "^ok: $work/prog: a program for $arch" "$work/script"
head -c 30 "$work/prog" > "$work/short"
chmod +x "$work/short"
says "cut off" "cut off" "$work/short"
says "no interpreter" "^problem: $work/dynamic: its interpreter /lib/ld-linux.* is missing.*libc6:" \
    "$work/dynamic"
mkdir -p "$work/root/lib"
cp "$work/dynamic" "$work/root/"
cp "$work/prog" "$work/root/lib/$(basename "$interp")"
says "one in a root" "^ok: /dynamic: its interpreter $interp is there" --root "$work/root" /dynamic
ln -sf /loop/../dynamic "$work/root/link"
mkdir -p "$work/root/loop"
says "a link in a root" "^ok: /link: a program for $arch" --root "$work/root" /link
cp "$(type -P true)" "$work/root/lib/$(basename "$interp")"
says "of another processor" "is for another processor" --root "$work/root" /dynamic
python3 - "$work/prog" "$work/s390x" << 'PY'
import sys
b = bytearray(open(sys.argv[1], "rb").read())
b[5], b[16:20] = 2, bytes([0, 2, 0, 22])
open(sys.argv[2], "wb").write(b)
PY
chmod +x "$work/s390x"
says "no such guest" "has no guest s390x" "$work/s390x"
mount -t tmpfs -o noexec tmpfs "$work/root"
cp "$work/prog" "$work/root/"
says "noexec" "noexec" "$work/root/prog"
umount "$work/root"
# Emulators that won't do.
mkdir -p "$work/private"
cp "$calque" "$work/private/calque"
chmod 0700 "$work/private/calque"
says "not for others" "other users .*can't execute the emulator" --emulator="$work/private/calque"
chmod 0755 "$work/private/calque"
chmod 0700 "$work/private"
says "not to be reached" "other users .*can't go through" --emulator="$work/private/calque"
says "no emulator" "there is no such emulator" --emulator=/no/such
umount /proc/sys/fs/binfmt_misc
says "not mounted" "^problem: binfmt_misc isn't mounted" "$work/prog"
mount -t binfmt_misc none /proc/sys/fs/binfmt_misc

# Files of others: what systemd would write makes the same entry; JSON is JSON.
calque_binfmt install "$arch" > /dev/null
cp "/proc/sys/fs/binfmt_misc/calque-$arch" "$work/own"
calque_binfmt remove "$arch" > /dev/null
export_line > /proc/sys/fs/binfmt_misc/register
expect "systemd's file is the same registration" "$(cat "$work/own")" \
    cat "/proc/sys/fs/binfmt_misc/calque-$arch"
mkdir -p "$work/debian"
calque_binfmt --export=debian "$work/debian" "$arch"
expect "Debian's file" "package interpreter magic offset mask credentials preserve fix_binary" \
    sh -c 'cut -d" " -f1 "$0" | xargs' "$work/debian/calque-$arch"
expect "status in JSON" "True True POCF" python3 -c '
import json, subprocess, sys
s = json.loads(subprocess.check_output(["calque-binfmt", "--json"]))
e = next(e for e in s["emulators"] if e["name"] == "calque-" + sys.argv[1])
print(s["binfmt_misc"]["mounted"], e["enabled"], e["flags"])' "$arch"
expect "findings in JSON" "0" python3 -c '
import json, subprocess
print(json.loads(subprocess.check_output(["calque-binfmt", "--json", "doctor", "/bin/sh"]))["problems"])'
expect "remove" "calque-$arch: removed" calque_binfmt remove "$arch"
expect "remove again" "1" sh -c 'calque-binfmt remove "$0" 2> /dev/null; echo $?' "$arch"
expect "no such guest" "calque-binfmt: mips: $calque has no such guest" \
    sh -c 'calque-binfmt install mips 2>&1'
