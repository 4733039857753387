# strace and gdb on programs of the guest.
cd /tmp
strace -f -e trace=execve -o st sh -c 'true; /bin/true; exec /bin/true' && grep -c 'execve(.*= 0' st
printf 'int g(int *p) { return *p; }\nint main(void) { return g(0); }\n' > crash.c
gcc -g -O0 -o crash crash.c
gdb -batch -ex run -ex bt ./crash 2>&1 | grep -E '^(Program received|#[01])' | sed -E 's/0x[0-9a-f]+ in //'
printf 'int f(int n) { return n ? n + f(n - 1) : 0; }\nint main(void) { return f(4); }\n' > ok.c
gcc -g -O0 -o ok ok.c
gdb -batch -ex 'break f if n == 2' -ex run -ex 'print n' -ex finish -ex 'next' -ex continue ./ok 2>&1 |
    grep -E '^(\$1|Value|\[Inferior)' | sed -E 's/process [0-9]+/process/'
