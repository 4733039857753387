#!/bin/bash
# docker/: the image without an engine, updates of a folder, entering a root, and with an engine that
# only writes down what it is told, the rest. (CALQUE: the emulator, with calque-binfmt beside it.)
set -u
here=$(cd "$(dirname "$0")" && pwd)
docker=$here/../../docker
calque=$(readlink -f "${CALQUE:-./calque}")
cc=${AARCH64_CC:-no}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0 passed=0
expect() { # expect WHAT OUTPUT COMMAND...
    local what=$1 want=$2 got
    shift 2
    got=$("$@" 2>&1)
    if [ "$got" = "$want" ]; then
        passed=$((passed + 1))
    else
        printf 'FAIL %s\n  expected: %s\n  got:      %s\n' "$what" "$want" "$got"
        failed=1
    fi
}

# The archive: what the list names is there, and the sums are right.
export DOCKER=no-such-engine
expect "no engine" "build: no container engine answers; --output FILE makes the image without" \
    "$docker/build" "$(dirname "$calque")"
"$docker/build" --tag test --output "$work/image.tar" "$(dirname "$calque")" > "$work/log" || failed=1
expect "the image" "test:latest layer ok, config ok, /usr/bin/calque-binfmt, calque and calque-binfmt" \
    python3 - "$work/image.tar" << 'PY'
import hashlib, io, json, sys, tarfile
t = tarfile.open(sys.argv[1])
read = lambda name: t.extractfile(name).read()
m, = json.loads(read("manifest.json"))
c = json.loads(read(m["Config"]))
layer = read(m["Layers"][0])
ok = lambda b: "ok" if b else "wrong"
names = sorted(x.name.split("/")[-1] for x in tarfile.open(fileobj=io.BytesIO(layer)) if x.isfile())
print(f"{m['RepoTags'][0]} layer {ok('sha256:' + hashlib.sha256(layer).hexdigest() == c['rootfs']['diff_ids'][0])},",
      f"config {ok(hashlib.sha256(read(m['Config'])).hexdigest() + '.json' == m['Config'])},",
      f"{c['config']['Entrypoint'][0]},", " and ".join(names))
PY
mkdir "$work/root"
tar -xf "$work/image.tar" -C "$work" layer.tar && tar -xf "$work/layer.tar" -C "$work/root"

# Registered by what the image holds, inside of it, and an empty root besides.
if [ "$cc" != no ] && "$docker/enter" --one-id true 2> /dev/null; then
    $cc -O1 -w -static -o "$work/root/prog" "$here/guest.c"
    expect "the image registers" "['calque-aarch64'] linux/arm64" "$docker/enter" --one-id sh -c '
        cd "$0" && chroot . /usr/bin/calque-binfmt --binfmt-dir=/none --json > /dev/null &&
        usr/bin/calque-binfmt --install=arm64 > state &&
        python3 -c "
import json
s = json.load(open(\"state\"))
print([e[\"name\"] for e in s[\"emulators\"]], s[\"supported\"][0])"' "$work/root"
    expect "entering a root" "argv [/prog] [x] comm prog execfn /prog flags 0 execfd none secure 0 \
uid 0 euid 0 fds 0" "$docker/enter" --one-id --calque "$calque" --root "$work/root" /prog x < /dev/null
    expect "its status" 9 sh -c '"$@" > /dev/null; echo $?' - "$docker/enter" --one-id \
        --calque "$calque" --root "$work/root" /prog exec /nothing
    expect "nothing is left" "" sh -c 'grep " $0" /proc/self/mounts' "$work"
    expect "no such program" "enter: /nothing: No such file or directory
127" sh -c '"$@"; echo $?' - "$docker/enter" --one-id --root "$work/root" /nothing
fi

# update: a folder.
mkdir -p "$work/system/usr/local/bin"
echo old > "$work/system/usr/local/bin/calque"
expect "update" "$work/system/usr/local/bin/calque: $("$calque" -version)" \
    "$docker/update" "$work/system" "$calque"
expect "the new one is there" "same" sh -c 'cmp "$0" "$1" && echo same' "$calque" \
    "$work/system/usr/local/bin/calque"
expect "at a path" "$work/system/opt/calque: $("$calque" -version)" \
    "$docker/update" --path /opt/calque "$work/system" "$calque"
expect "no dynamic one" "update: /bin/sh: linked dynamically; it would look for its libraries inside" \
    "$docker/update" "$work/system" /bin/sh
expect "bootstrap wants a guest" "bootstrap: $calque has no guest sparc64" \
    "$docker/bootstrap" sparc64 sid "$calque"

# An engine that writes down its arguments.
cat > "$work/engine" << 'SH'
#!/bin/sh
case $1 in
version) exit 0 ;;
image) exit 1 ;;
create) echo c1 ;;
cp) [ "$2" = c1:/usr/local/bin/calque ] ;;
rm) ;;
build) for last; do :; done; echo "build: $*" | sed "s|$last\$|CONTEXT|"; ls "$last"; cat "$last/Dockerfile" 2> /dev/null || true ;;
*) echo "$*" ;;
esac
SH
chmod +x "$work/engine"
export DOCKER=$work/engine
expect "build by an engine" "build: build -t test -f $(cd "$docker" && pwd)/Dockerfile CONTEXT
calque
calque-binfmt" "$docker/build" --tag test "$(dirname "$calque")"
expect "update by an engine" "build: build -t image CONTEXT
Dockerfile
calque
FROM image
COPY calque /usr/local/bin/calque
image: /usr/local/bin/calque: $("$calque" -version)" "$docker/update" image "$calque"
expect "bootstrap by an engine" "build: build -t calque-bookworm-arm64 -f $(cd "$docker" && pwd)\
/Dockerfile.bootstrap --build-arg DEB_ARCH=arm64 --build-arg DEB_TYPE=bookworm --build-arg \
DEB_URL=http://mirror/debian --build-arg DEB_INCLUDE=make --build-arg DEB_VARIANT=minbase CONTEXT
calque
image calque-bookworm-arm64
run --rm --entrypoint /usr/bin/calque calque-bookworm-arm64 /usr/bin/env -- make -v" \
    "$docker/bootstrap" --mirror http://mirror/debian --include make arm64 bookworm "$calque" make -v

echo "$passed checks passed"
exit $failed
