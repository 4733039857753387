# xz, zstd and gzip: both ways, at several levels, with threads.
set -e
cd /tmp; seq 1 60000 > f; md5sum < f
for l in 1 6 9; do xz -$l -k -c f > x; wc -c < x; xz -dc x | md5sum; done
xz -T2 --block-size=65536 -c f | xz -dc | md5sum; for l in 1 3 19; do zstd -q -$l -c f > z; wc -c < z; zstd -dc z | md5sum; done
zstd -q -T2 -c f | zstd -dc | md5sum; gzip -9 -nc f | wc -c; gzip -c f | gzip -dc | md5sum; xz -t x && zstd -qt z && echo tested
head -c 100 x | xz -dc > /dev/null 2>&1 || echo "truncated: $?"
