/* class: syscall; clock_gettime, as event loops and profilers call it; args: 10000000 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int main(int c, char **v)
{
    long back = 0, last = 0;
    for (int i = atoi(v[1]); i--;) {
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        long now = t.tv_sec * 1000000000 + t.tv_nsec;
        back += now < last;
        last = now;
    }
    printf("%ld\n", back);
    return 0;
}
