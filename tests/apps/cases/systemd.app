# systemd's tools, without systemd running.
systemctl --version | grep -c '^systemd'
systemctl --root=/ list-unit-files --no-pager | tail -1 | grep -c 'unit files listed'
printf '[Service]\nExecStart=/bin/true\n' > /tmp/test.service
systemd-analyze verify --man=no /tmp/test.service; echo $?
systemd-analyze calendar --iterations=0 daily | grep Normalized
mkdir -p /tmp/r/etc && printf 'u testuser - "A user"\n' | systemd-sysusers --root=/tmp/r - 2> /dev/null
cut -d: -f1,5 /tmp/r/etc/passwd
printf 'd /tmp/made 0750 - - -\n' | systemd-tmpfiles --create - && stat -c %a /tmp/made
systemd-escape a/b; busctl --version | grep -c '^systemd'; systemd-detect-virt --version | grep -c '^systemd'
systemd-id128 new | wc -c
ldconfig -p | grep -q 'libc.so.6' && echo found
