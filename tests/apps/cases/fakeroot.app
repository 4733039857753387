# fakeroot: a preloaded library and a daemon.
mkdir /tmp/f && cd /tmp/f
fakeroot sh -c 'touch a; chown 12:34 a; stat -c "%u %g" a; mknod null c 1 3; stat -c "%F %t %T" null
    id -u; tar cf t.tar a null; tar tvf t.tar --numeric-owner | cut -d" " -f1-2'
