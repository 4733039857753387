# coreutils: a tour of many tools.
set -e
cd /tmp; mkdir c; cd c
seq 1 1000 > n; sort -R --random-source=n n | sort -n | md5sum; factor 123456789012345 18446744073709551557
shuf -n 3 --random-source=n n; sha512sum n; b2sum n; cksum n; sum n; base64 n | tail -1; base32 n | head -1
split -l 300 n part.; ls part.*; cat part.* | cmp - n && echo same; tac n | head -1; nl n | tail -1
paste n n | head -2; join n n | tail -1; comm -12 n n | wc -l; fold -w 10 n | tail -1; od -An -tx1 n | head -2
cp -a n m; ln -s m l; ln m h; stat -c '%n %s %h %F' n m l h; readlink -f l; mv m q; test -e l || echo dangling
mkdir -p a/b/c; touch -d '2020-02-29 12:34:56 UTC' a/b/c/f; TZ=UTC stat -c %y a/b/c/f; du -a a | wc -l
date -u -d '@1234567890' +%FT%TZ; printf '%.10f %e %a\n' 3.14159 2.71828 1.5; expr length abcdef; numfmt --to=iec 123456789
tr a-z b-za <<E
hello
E
dd if=/dev/zero bs=1k count=64 2>/dev/null | sha1sum; truncate -s 1M t; stat -c %s t; head -c 5 /dev/zero | od -c
env -i A=1 env; id -u; nproc > /dev/null; uname -s; tsort <<E
a b
b c
E
timeout 1 sleep 5 || echo "timeout $?"; nice -n 5 nice; pr -t n | head -3; ptx n | head -2; cut -c2- n | tail -1
echo 'a:b:c' | cut -d: -f2; tee x y < n | wc -c; cmp x y; unexpand n | head -1; chmod 640 x; stat -c %a x; realpath --relative-to=/ /tmp/c/x
yes | head -100000 | md5sum; mktemp -u XXXXXX | wc -c; dirname /a/b; basename /a/b.c .c; dircolors -p | head -1; [ -d a ] && rm -r a; ls
