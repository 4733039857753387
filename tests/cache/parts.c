/* Runs the part that its argument names; from 1 on also one that all of these have in common. */
#include <stdio.h>
#include <stdlib.h>

#define PART(n) \
    __attribute__((noinline)) int part##n(int x) \
    { \
        for (int k = 0; k < 20; k++) \
            x = x % 3 ? x * (n + 3) + k : x / 2 + (n ^ k); \
        return x; \
    }
PART(0) PART(1) PART(2) PART(3) PART(4) PART(5) PART(6) PART(7) PART(8) PART(9) PART(10) PART(11)
PART(12) PART(13) PART(14)

int main(int argc, char **argv)
{
    static int (*const part[])(int) = {part0, part1, part2,  part3,  part4,  part5,  part6, part7,
                                       part8, part9, part10, part11, part12, part13, part14};
    int n = argc > 1 ? atoi(argv[1]) : 0;
    printf("%d %d\n", part[n](7), n ? part14(n) : 0);
    return 0;
}
