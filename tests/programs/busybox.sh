# A shell script in busybox: loops, pipes, grep, sed, awk, sort, tar, gzip.
exec busybox sh -e << 'SCRIPT'
cd /tmp
mkdir work && cd work
i=0
while [ $i -lt 200 ]; do
    echo "line $i value $((i * 7919 % 1009)) $(( (i * 31) ^ 85 ))"
    i=$((i + 1))
done > data
busybox wc data
busybox grep 'value 1' data | busybox head -5
busybox sed -n 's/line \([0-9]*\) value \([0-9]*\).*/\2 \1/p' data | busybox sort -n | busybox tail -5
busybox awk '{ s += $4; if ($4 > m) m = $4; c[$4 % 7]++ } END { print s, m; for (i = 0; i < 7; i++) print i, c[i] }' data
busybox tar -cf x.tar data && busybox gzip -9 x.tar && busybox gunzip -c x.tar.gz | busybox tar -tf - && busybox rm data
busybox gunzip x.tar.gz && busybox tar -xf x.tar && busybox md5sum data && busybox sha256sum data
busybox sort -k4 -n -r data | busybox cut -d' ' -f2,4 | busybox uniq | busybox head -3
for f in a b c; do echo $f | busybox tr a-z A-Z > $f; done
busybox ls; busybox cat a b c; busybox find . -name '[abc]' | busybox sort | busybox xargs busybox cat
busybox expr 6 \* 7; busybox printf '%05d %x %s\n' 42 255 text; busybox seq 1 5 | busybox tac 2>/dev/null || true
busybox bc << E || true
scale=20; 4*a(1)
E
SCRIPT
