/* Children, one after another, call by pointers what their parent never runs. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define ONE(n) \
    __attribute__((noinline)) static unsigned f##n(unsigned x) { return x * 7 + n; }
#define TEN(n) ONE(n##0) ONE(n##1) ONE(n##2) ONE(n##3) ONE(n##4) ONE(n##5) ONE(n##6) ONE(n##7) \
    ONE(n##8) ONE(n##9)
#define NAMES(n) f##n##0, f##n##1, f##n##2, f##n##3, f##n##4, f##n##5, f##n##6, f##n##7, f##n##8, \
    f##n##9
TEN(1) TEN(2) TEN(3) TEN(4)

static unsigned (*volatile const f[])(unsigned) = { NAMES(1), NAMES(2), NAMES(3), NAMES(4) };

__attribute__((noinline)) static unsigned work(unsigned n)
{
    unsigned x = 1;
    for (unsigned k = 0; k < n; k++)
        x = f[k](x + k + 1);
    return x & 127;
}

static void leave(unsigned x)
{
    fflush(stdout);
    _exit(x);
}

static void stay(unsigned x)
{
    (void)x;
}

static void (*volatile const then[])(unsigned) = { stay, leave };

/* So many children, which call so many functions; their parent calls four. No branch is theirs. */
int main(int argc, char **argv)
{
    unsigned more = argc > 2 ? atoi(argv[2]) - 4 : 0;
    for (int n = argc > 1 ? atoi(argv[1]) : 0; n > 0; n--) {
        int status;
        unsigned in_child = !fork();
        then[in_child](work(4 + in_child * more));
        wait(&status);
        printf("%d\n", status);
        fflush(stdout);
    }
    then[1](work(4) & 1);
}
