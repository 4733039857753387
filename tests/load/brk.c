/* brk.c MIB: grows the heap by so much, step by step, with other mappings in between. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    size_t want = strtoul(argv[1], NULL, 0) << 20, step, done = 0;
    char *start = sbrk(0);
    for (; done < want; done += step) {
        step = done >= 64ul << 20 ? 64ul << 20 : 1ul << 20;
        if (sbrk(step) != start + done) {
            printf("after %zu MiB at %p\n", done >> 20, sbrk(0));
            return 1;
        }
        start[done] = 1;
        if (mmap(NULL, step, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
            return 2;
    }
    return start[0] != 1 || sbrk(0) != start + done;
}
