# Run inside of a fresh Debian system (by run.sh): installs the packages that it is given, and asks
# each program of theirs for something that it must compute.
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
apt-get -q update
apt-get -q -y -o APT::Install-Recommends=true -o Acquire::Retries=3 install "$@"
broken=$(dpkg --audit; dpkg-query -f '${db:Status-Abbrev}${Package}\n' -W | grep -v '^ii ' || true)
[ -z "$broken" ] || { echo "not installed: $broken"; exit 1; }
apt-get -q check

answer() { # answer WANTED COMMAND...
    local want=$1 got
    shift
    got=$("$@" 2>&1) || true
    case $got in
    *"$want"*) ;;
    *)
        echo "$*: $got"
        exit 1 ;;
    esac
}
work=$(mktemp -d)
cd "$work"
echo 'int puts(const char *); int main(void) { return puts("made") < 0; }' > p.c
echo 'p: p.c' > Makefile
make
answer made ./p
answer 720 python3 -c 'import math; print(math.factorial(6))'
answer 720 perl -MList::Util=product -e 'print product 1 .. 6'
answer 'Initialized empty' git init repo
answer 'ba7816bf8f01cfea' sh -c 'printf abc | openssl sha256'
answer made curl -s "file://$work/p.c"
answer 720 sqlite3 :memory: 'select 6 * 120'
answer 720 ruby -e 'puts (1..6).inject(:*)'
printf 'package main\nfunc main() { println(6 * 120) }\n' > p.go
answer 720 env GOCACHE="$work/cache" GO111MODULE=off go run p.go
answer 720 node -p '6 * 120'
answer 'openjdk version' java -version
answer '+++ exited with 0 +++' strace ./p
answer 'exited normally' gdb -batch -ex run ./p
answer nobody sudo -u nobody id -un
answer made bwrap --bind / / ./p
answer '12:34' fakeroot sh -c 'touch f; chown 12:34 f; stat -c %u:%g f'
cd /
rm -rf "$work"
echo 'every program answers'
