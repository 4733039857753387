#!/bin/bash
# Unpacks Debian packages of any architecture, with what they depend on, into a folder that can be
# chrooted into. Nothing is configured: no maintainer script runs.
#
# usage: fetch-root.sh [--mirror URL] ARCHITECTURE SUITE FOLDER PACKAGE...
#
# The mirror is the machine's own, as its apt configuration has it, unless given. A folder that
# already has the same packages is left alone.
#
# UNSIGNED_INDEX=yes  go on with a list of packages that isn't the one that the mirror's InRelease has
#                     signed, rather than fail (packages are still checked against that list)
set -euo pipefail

mirror=
if [ "${1-}" = --mirror ]; then
    mirror=$2
    shift 2
fi
[ $# -ge 4 ] || { sed -n 's/^# \{0,1\}//; 2,11p' "$0" >&2; exit 2; }
arch=$1 suite=$2 root=$3
shift 3

if [ -z "$mirror" ]; then
    mirror=$(cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null |
        sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) .*/\2/p' |
        grep -E '/debian/?$' | head -n 1 || true)
fi
[ -n "$mirror" ] || { echo "fetch-root.sh: no Debian mirror in apt's configuration; give --mirror" >&2; exit 1; }

wanted="$arch $suite $*"
[ "$(cat "$root/.fetched" 2>/dev/null)" = "$wanted" ] && exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{lists/partial,cache/archives/partial,etc/none}
: > "$work/status"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror $suite main" > "$work/sources.list"
apt() {
    apt-get -q -o APT::Architecture="$arch" -o APT::Architectures="$arch" \
        -o Dir::State::status="$work/status" -o Dir::State::lists="$work/lists" \
        -o Dir::Cache="$work/cache" -o Dir::Etc::sourcelist="$work/sources.list" \
        -o Dir::Etc::sourceparts="$work/etc/none" -o Dir::Etc::preferencesparts="$work/etc/none" \
        -o APT::Install-Recommends=false -o Acquire::Languages=none -o APT::Sandbox::User=root \
        -o Debug::NoLocking=true -o Acquire::Retries=3 "$@"
}

# While a mirror is brought up to date its indexes don't belong together, for minutes or for hours.
# apt then has no list of packages; one in its folder that comes from no update has no signature.
fetch_unsigned_index() {
    local list=${mirror#*://}
    list=$work/lists/$(tr / _ <<< "${list%/}")_dists_${suite}_main_binary-${arch}_Packages
    rm -f "$work"/lists/*_dists_*
    /usr/lib/apt/apt-helper -q download-file \
        "$mirror/dists/$suite/main/binary-$arch/Packages.xz" "$work/Packages.xz" > "$work/log" 2>&1 &&
        /usr/lib/apt/apt-helper cat-file "$work/Packages.xz" > "$list" &&
        echo "deb [trusted=yes] $mirror $suite main" > "$work/sources.list"
}

for wait in 20 60 0; do
    apt update > "$work/log" 2>&1 && break
    if ! grep -qE 'unexpected size|Hash Sum mismatch' "$work/log"; then
        cat "$work/log" >&2
        exit 1
    elif [ $wait = 0 ]; then
        cat "$work/log" >&2
        [ "${UNSIGNED_INDEX-}" = yes ] || exit 1
        echo "fetch-root.sh: $mirror's index of $suite $arch is not the one signed; going on with it" >&2
        fetch_unsigned_index || { cat "$work/log" >&2; exit 1; }
    fi
    sleep $wait
done
apt install -y --download-only "$@" > "$work/log" 2>&1 || { tail -20 "$work/log" >&2; exit 1; }

new=$root.new
rm -rf "$new" "$root"
mkdir -p "$new"/{usr/bin,usr/sbin,usr/lib,proc,sys,dev,tmp,root,etc,var/tmp}
ln -s usr/bin usr/sbin usr/lib "$new"
case $arch in amd64) mkdir "$new/usr/lib64"; ln -s usr/lib64 "$new" ;; esac
for deb in "$work"/cache/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink -C "$new" 2>/dev/null ||
        dpkg-deb --fsys-tarfile "$deb" | tar -x --keep-directory-symlink --no-same-owner -C "$new"
done
# What maintainer scripts would have made and programs look for.
[ -e "$new/bin/sh" ] || ln -s dash "$new/bin/sh"
[ -e "$new/usr/bin/awk" ] || { [ -e "$new/usr/bin/mawk" ] && ln -s mawk "$new/usr/bin/awk"; } || true
echo 'root:x:0:0:root:/root:/bin/sh' > "$new/etc/passwd"
echo 'root:x:0:' > "$new/etc/group"
echo "$wanted" > "$new/.fetched"
mv "$new" "$root"
