/* A loop that asks for the time: its region leads to the vDSO, which is far from the program. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

int main(int argc, char **argv)
{
    struct timespec t;
    long wrong = 0;
    for (int n = argc > 1 ? atoi(argv[1]) : 1; n > 0; n--)
        wrong += clock_gettime(CLOCK_MONOTONIC, &t) || t.tv_nsec < 0 || t.tv_nsec >= 1000000000;
    printf("%ld\n", wrong);
    return 0;
}
