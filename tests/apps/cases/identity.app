# Who the machine says it is, inside and to others.
[ "$(uname -m)" = "$(dpkg-architecture -qDEB_HOST_GNU_CPU 2> /dev/null || uname -m)" ] && echo machine
grep -c '^processor' /proc/cpuinfo | grep -qx "$(nproc)" && echo processors
bash -c 'exec -a zero cat /proc/self/cmdline' | tr '\0' ' '; echo
sleep 5 & ps -o comm=,args= -p $!; readlink /proc/$!/exe; kill $!
bash -c 'cat /proc/$PPID/comm /proc/self/comm'
setarch -R true && setarch --uname-2.6 uname -r | cut -d. -f1
