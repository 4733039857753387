/* A space of many pieces: pages that are protected one by one, upwards, downwards and at random,
 * unmapped in between and mapped again; /proc/self/maps tells them as they are. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PAGES = 20000 };

static size_t page;
static char *space;
static unsigned char want[PAGES]; /* PROT_*, or HOLE */
enum { HOLE = 0xff };
static unsigned seed = 1;

static unsigned draw(unsigned n)
{
    seed = seed * 1103515245 + 12345;
    return (seed >> 8) % n;
}

static void protect(int n, int prot)
{
    if (mprotect(space + n * page, page, prot) != 0)
        perror("mprotect");
    want[n] = prot;
}

static void unmap(int n)
{
    if (munmap(space + n * page, page) != 0)
        perror("munmap");
    want[n] = HOLE;
}

static void map(int n, int prot)
{
    void *at = space + n * page;
    if (mmap(at, page, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != at)
        perror("mmap");
    want[n] = prot;
}

static void check(const char *what)
{
    static unsigned char is[PAGES];
    char line[512], prot[8];
    unsigned long start, end, n_wrong = 0, pieces = 0;
    FILE *f = fopen("/proc/self/maps", "r");
    for (int n = 0; n < PAGES; n++)
        is[n] = HOLE;
    while (f && fgets(line, sizeof line, f)) {
        if (sscanf(line, "%lx-%lx %7s", &start, &end, prot) != 3)
            continue;
        for (char *at = (char *)start; at < (char *)end; at += page)
            if (at >= space && at < space + PAGES * page)
                is[(at - space) / page] = (prot[0] == 'r' ? PROT_READ : 0) |
                                          (prot[1] == 'w' ? PROT_WRITE : 0);
    }
    if (f)
        fclose(f);
    for (int n = 0; n < PAGES; n++) {
        n_wrong += is[n] != want[n];
        pieces += !n || want[n] != want[n - 1];
    }
    printf("%s: %lu pieces, %lu pages wrong\n", what, pieces, n_wrong);
}

int main(void)
{
    page = (size_t)sysconf(_SC_PAGESIZE);
    space = mmap(NULL, PAGES * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (space == MAP_FAILED)
        return 1;
    for (int n = 0; n < PAGES; n++)
        want[n] = PROT_READ | PROT_WRITE;
    check("at first");
    for (int n = 0; n < PAGES; n += 2)
        protect(n, PROT_READ);
    check("upwards");
    for (int n = PAGES - 1; n >= 0; n -= 3)
        protect(n, PROT_NONE);
    check("downwards");
    for (int k = 0; k < PAGES; k++) {
        int at = draw(PAGES);
        protect(at, draw(4));
    }
    check("at random");
    for (int k = 0; k < 4000; k++) {
        unmap(draw(PAGES));
        int at = draw(PAGES);
        map(at, draw(2) ? PROT_READ : PROT_READ | PROT_WRITE);
    }
    check("holes");
    for (int n = 0; n < PAGES; n++)
        if (want[n] == HOLE)
            map(n, PROT_READ);
    if (mprotect(space, PAGES * page, PROT_READ) != 0)
        perror("mprotect of all");
    for (int n = 0; n < PAGES; n++)
        want[n] = PROT_READ;
    check("all");
    unmap(0);
    unmap(PAGES - 1);
    unmap(PAGES / 2);
    check("few holes");
    return 0;
}
