/* class: syscall; getppid and one-byte writes to /dev/null; args: 600000 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
int main(int c, char **v) { int f = open("/dev/null", O_WRONLY); long s = 0; for (int i = atoi(v[1]); i--;) { getppid(); s += write(f, "x", 1); } printf("%ld\n", s); return 0; }
