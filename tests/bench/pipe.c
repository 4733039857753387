/* class: syscall; two processes that pass a byte back and forth; args: 60000 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int c, char **v) { int a[2], b[2], n = atoi(v[1]); char x = 0; pipe(a); pipe(b); if (!fork()) { for (int i = 0; i < n; i++) { read(a[0], &x, 1); x++; write(b[1], &x, 1); } _exit(0); } for (int i = 0; i < n; i++) { write(a[1], &x, 1); read(b[0], &x, 1); } wait(0); printf("%d\n", x); return 0; }
