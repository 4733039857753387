/* Code that is written through one mapping and run through another, as runtimes that never have
 * memory both writable and executable do; told of by either address. */
#include <stdint.h>
#include <sys/mman.h>

#include "test.h"

/* A function that returns n. */
static int write_code(void *at, unsigned n)
{
#if defined __aarch64__
    uint32_t code[] = {0x52800000 | n << 5, 0xd65f03c0}; /* mov w0, #n; ret */
#elif defined __riscv
    uint32_t code[] = {0x00000513 | n << 20, 0x00008067}; /* addi a0, zero, n; ret */
#else
    uint8_t code[] = {0xb8, n, n >> 8, 0, 0, 0xc3};
#endif
    memcpy(at, code, sizeof code);
    return sizeof code;
}

int main(void)
{
    const int size = 65536;
    int fd = memfd_create("code", 0), sum = 0, good = 0;
    ftruncate(fd, 2 * size);
    char *rw = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char *rx = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_SHARED, fd, size);
    for (int i = 0; i < 1000; i++) {
        char *at = rw + size + i % 10 * 64, *run = rx + i % 10 * 64;
        int n = write_code(at, i);
        char *told = i & 1 ? at : run;
        __builtin___clear_cache(told, told + n);
        good += ((int (*)(void))run)() == i;
    }
    printf("two mappings: %d\n", good);
    /* A passing writable view of each, and a second executable one. */
    char *rx2 = mmap(NULL, 2 * size, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    munmap(rw, 2 * size);
    good = 0;
    for (int i = 0; i < 200; i++) {
        char *view = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, size);
        int n = write_code(view + 128, i + 1000);
        __builtin___clear_cache(view + 128, view + 128 + n);
        munmap(view, size);
        good += ((int (*)(void))(rx + 128))() == i + 1000;
        good += ((int (*)(void))(rx2 + size + 128))() == i + 1000;
    }
    printf("passing views: %d\n", good);
    /* Moved, with its executable pages cut. */
    char *moved = mremap(rx2, 2 * size, 2 * size, MREMAP_MAYMOVE | MREMAP_FIXED, rw);
    mprotect(rx, 4096, PROT_READ);
    char *view = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, size);
    good = 0;
    for (int i = 0; i < 100; i++) {
        int n = write_code(view + 8192, i);
        __builtin___clear_cache(view + 8192, view + 8192 + n);
        good += ((int (*)(void))(moved + size + 8192))() == i;
        good += ((int (*)(void))(rx + 8192))() == i;
    }
    printf("moved and cut: %d\n", good);
    return 0;
}
