/* class: signal; signals to itself; args: 300000 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
static volatile int n; static void h(int s) { n++; }
int main(int c, char **v) { signal(SIGUSR1, h); for (int i = atoi(v[1]); i--;) raise(SIGUSR1); printf("%d\n", n); return 0; }
