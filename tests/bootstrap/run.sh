#!/bin/bash
# Debian systems of the guests made from nothing, the second stage and every maintainer script under
# calque by binfmt_misc with flag F; then the packages of ./packages by apt-get inside, and a word from
# each of their programs.
#
# usage: run.sh [METHOD...]
#
# chroot      by root of a user namespace with 65,536 ids, in a plain chroot
# userns      the same, entered by pivot_root
# user        by a user without any right, with subordinate ids (newuidmap)
# mmdebstrap  by such a user too: mmdebstrap --mode=unshare
# Default: all for root; userns for others, who are such a user.
#
# CALQUE    the emulator, with calque-binfmt beside it    GUESTS  "arm64:bookworm riscv64:trixie"
# FOLDER    where (bootstrap-roots); gigabytes            KEEP    yes: systems that passed stay
# MIRROR    (default: the machine's own, as its apt configuration has it)
set -u
here=$(cd "$(dirname "$0")" && pwd)
calque=$(readlink -f "${CALQUE:-./calque}")
folder=${FOLDER:-bootstrap-roots}
passed=0 failed=0 skipped=0
user=calque-check uid=54321

if [ $# = 0 ]; then
    if [ "$(id -u)" = 0 ]; then set -- chroot userns user mmdebstrap; else set -- userns; fi
fi
mkdir -p "$folder" && folder=$(cd "$folder" && pwd) || exit 99
# A copy, which every user may read.
tools=$folder/tools
rm -rf "$tools"
mkdir "$tools"
cp "$calque" "$(dirname "$calque")/calque-binfmt" "$here"/../../docker/{bootstrap,enter,engine.sh} \
    "$here/inside.sh" "$tools" || exit 99
chmod -R a+rX "$tools" "$folder"
calque=$tools/calque
mirror=${MIRROR:-$(cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2> /dev/null |
    sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\) .*/\2/p' |
    grep -E '/debian/?$' | head -n 1)}

# A user that exists only here, with a range of ids.
as_user() { # as_user FIRST-ID COUNT COMMAND...
    unshare --mount sh -eu -c '
        dir=$1 name=$2 id=$3 range=$4:$5
        shift 5
        { cat /etc/passwd; echo "$name:x:$id:$id::$dir:/bin/sh"; } > "$dir/passwd"
        { cat /etc/group; echo "$name:x:$id:"; } > "$dir/group"
        echo "$name:$range" > "$dir/subuid"
        cp "$dir/subuid" "$dir/subgid"
        for file in passwd group subuid subgid; do
            [ -e "/etc/$file" ] || : > "/etc/$file"
            mount --bind "$dir/$file" "/etc/$file"
        done
        exec setpriv --reuid="$id" --regid="$id" --clear-groups --inh-caps=-all env -C "$dir" \
            HOME="$dir" USER="$name" LOGNAME="$name" "$@"' - "$where" "$user" "$uid" "$@"
}

packages() { # packages ARCH SUITE
    sed "/^#/d; s/^$1-$2: //; /: /d" "$here/packages" | xargs
}

make_system() { # make_system METHOD ARCH SUITE PACKAGE...: in $where
    local method=$1 arch=$2 suite=$3
    shift 3
    local how=(--mirror "$mirror" --folder "$where/root" "$arch" "$suite" "$calque"
        bash -eu -c "$(cat "$here/inside.sh")" - "$@")
    case $method in
    chroot) "$tools/enter" --calque "$calque" "$tools/bootstrap" --how chroot "${how[@]}" ;;
    userns) "$tools/bootstrap" --how userns "${how[@]}" ;;
    user) as_user 100000 65536 "$tools/bootstrap" --how userns "${how[@]}" ;;
    mmdebstrap)
        # The registration is the namespace's outside of mmdebstrap's own. The root is to be a mount,
        # as bubblewrap wants it.
        "$tools/enter" --ids 200000 --calque "$calque" bash -c "$(declare -f as_user)
            where=\$1 user=$user uid=\$2; shift 2; as_user 100000 65536 \"\$@\"" - "$where" 999 \
            mmdebstrap --mode=unshare --arch="$arch" --variant=minbase \
            --customize-hook="unshare --mount sh -c 'mount --rbind \"\$0\" \"\$0\"; exec chroot \"\$0\" \"\$@\"' \
                \"\$1\" bash -eu -c \"\$(cat $tools/inside.sh)\" - $*" \
            "$suite" "$where/root.tar" "$mirror" ;;
    esac
}

run_method() { # run_method METHOD ARCH SUITE
    local where=$folder/$1-$2 start=$SECONDS list
    if [ "$1" = mmdebstrap ] && ! command -v mmdebstrap > /dev/null; then
        echo "SKIP $1 $2: no mmdebstrap"
        skipped=$((skipped + 1))
        return
    fi
    "$tools/enter" rm -rf "$where"
    mkdir "$where"
    case $1 in
    user) chown "$uid:$uid" "$where" ;;
    mmdebstrap) chown 999:999 "$where" ;;
    esac
    list=$(packages "$2" "$3")
    # shellcheck disable=SC2086
    if make_system "$1" "$2" "$3" $list > "$where.log" 2>&1 < /dev/null &&
        grep -q '^every program answers$' "$where.log"; then
        echo "ok $1 $2 $3: $(grep -c '^Setting up\|^I: Configuring' "$where.log") packages set up" \
            "in $((SECONDS - start)) s"
        passed=$((passed + 1))
        [ "${KEEP-no}" = yes ] || "$tools/enter" rm -rf "$where"
    else
        echo "FAIL $1 $2 $3:"
        tail -n 20 "$where.log"
        failed=$((failed + 1))
    fi
}

"$tools/enter" true || exit 77
for method; do
    for guest in ${GUESTS:-arm64:bookworm riscv64:trixie}; do
        run_method "$method" "${guest%:*}" "${guest#*:}"
    done
done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
