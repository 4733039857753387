# GNU hello from source: ./configure && make && make check.
# needs: hello.tar.gz
mkdir /tmp/h && cd /tmp/h && tar -xzf "$OLDPWD/hello.tar.gz" && cd hello-*
cp /usr/share/misc/config.guess /usr/share/misc/config.sub build-aux/
(./configure && make && make check) > log 2>&1 || tail -n 30 log
grep -E '^# (TOTAL|PASS|SKIP|FAIL|ERROR)' log
./hello
