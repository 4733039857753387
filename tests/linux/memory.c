/* mmap, mprotect, mremap, munmap, brk, code that changes, /proc/self/maps. */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static sigjmp_buf jump;
static void on_fault(int sig, siginfo_t *info, void *uc) { siglongjmp(jump, info->si_code); }

static int try_read(volatile char *p)
{
    int r = sigsetjmp(jump, 1);
    if (!r)
        (void)*p;
    return r;
}

static int try_write(volatile char *p)
{
    int r = sigsetjmp(jump, 1);
    if (!r)
        *p = 1;
    return r;
}

static void perms(const void *p, char *ret)
{
    FILE *f = fopen("/proc/self/maps", "r");
    char line[4096];
    unsigned long start, end;
    strcpy(ret, "none");
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "%lx-%lx %4s", &start, &end, ret) == 3 && (uintptr_t)p >= start &&
            (uintptr_t)p < end)
            break;
        else
            strcpy(ret, "none");
    if (f)
        fclose(f);
}

static void show(const char *what, const void *p)
{
    char text[8];
    perms(p, text);
    printf("%s: %s\n", what, text);
}

#if defined __x86_64__
static void code(unsigned char *p, int value)
{
    memcpy(p, "\xb8\0\0\0\0\xc3", 6);
    p[1] = (unsigned char)value;
}
#elif defined __aarch64__
static void code(unsigned char *p, int value)
{
    uint32_t insns[] = {0x52800000u | (uint32_t)value << 5, 0xd65f03c0};
    memcpy(p, insns, sizeof insns);
}
#elif defined __riscv
static void code(unsigned char *p, int value)
{
    uint32_t insns[] = {0x00000513u | (uint32_t)value << 20, 0x00008067};
    memcpy(p, insns, sizeof insns);
}
#endif

static int run_code(unsigned char *p)
{
    __builtin___clear_cache((char *)p, (char *)p + 64);
    return ((int (*)(void))(uintptr_t)p)();
}

static void test_code(void)
{
    unsigned char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE | PROT_EXEC,
                            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    show("rwx", p);
    for (int i = 0; i < 5; i++) {
        code(p, i);
        printf("%d ", run_code(p));
    }
    /* Gone and mapped again. */
    munmap(p, 4096);
    unsigned char *q =
        mmap(p, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    code(q, 77);
    mprotect(q, 4096, PROT_READ | PROT_EXEC);
    printf("%d\n", run_code(q));
    show("rx", q);
    printf("write to it: code %d\n", try_write((char *)q));
    mprotect(q, 4096, PROT_READ);
    int r = sigsetjmp(jump, 1);
    if (!r)
        run_code(q);
    printf("run without x: code %d\n", r);
    unsigned char *moved = mremap(p + 4096, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, q);
    code(moved, 88);
    printf("moved %d: %d\n", moved == q, run_code(moved));
}

int main(void)
{
    struct sigaction a = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    setvbuf(stdout, NULL, _IONBF, 0);
    sigaction(SIGSEGV, &a, NULL);
    sigaction(SIGBUS, &a, NULL);
    char *p = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    show("rw", p);
    memset(p, 7, 16384);
    mprotect(p + 4096, 4096, PROT_NONE);
    show("none", p + 4096);
    show("beside", p + 8192);
    printf("read none: %d\n", try_read(p + 4096));
    munmap(p + 8192, 4096);
    show("hole", p + 8192);
    printf("read hole: %d\n", try_read(p + 8192));
    printf("protect over hole: %d", mprotect(p, 16384, PROT_READ));
    printf(" %s\n", strerror(errno));
    printf("before the hole: write code %d\n", try_write(p));
    printf("no replace: %d",
           mmap(p, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) ==
               MAP_FAILED);
    printf(" %s\n", strerror(errno));
    printf("bad length: %d",
           mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED);
    printf(" %s\n", strerror(errno));
    printf("misaligned: %d", mmap(p + 1, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED,
                                  -1, 0) == MAP_FAILED);
    printf(" %s\n", strerror(errno));
    printf("munmap misaligned: %d", munmap(p + 1, 4096));
    printf(" %s\n", strerror(errno));
    printf("munmap of nothing: %d\n", munmap(p + 8192, 4096));
    char *big =
        mmap(NULL, 256UL << 30, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    printf("256 GiB: %d\n", big != MAP_FAILED);
    mprotect(big + (128UL << 30), 4096, PROT_READ | PROT_WRITE);
    printf("in it: %d\n", try_write(big + (128UL << 30)));
    munmap(big, 256UL << 30);
    char *g = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    strcpy(g, "kept");
    g = mremap(g, 4096, 1 << 20, MREMAP_MAYMOVE);
    printf("grown: %s %d\n", g, g[(1 << 20) - 1]);
    g = mremap(g, 1 << 20, 4096, 0);
    printf("shrunk: %s, behind it: %d\n", g, try_read(g + 4096));
    printf("remap bad: %d", mremap(p + 8192, 4096, 8192, MREMAP_MAYMOVE) == MAP_FAILED);
    printf(" %s\n", strerror(errno));
    char *old = sbrk(0);
    printf("sbrk: %d\n", sbrk(1 << 20) == old);
    memset(old, 1, 1 << 20);
    show("heap", old + 8192);
    sbrk(-(1 << 20));
    printf("given back: %d\n", sbrk(0) == old);
    unsigned char vec[4];
    g[0]++;
    printf("mincore: %d", mincore(g, 4096, vec));
    printf(" %d", vec[0] & 1);
    printf(" %d", mincore(p + 8192, 4096, vec));
    printf(" %s\n", strerror(errno));
    printf("madvise: %d", madvise(g, 4096, MADV_DONTNEED));
    printf(" %d", g[0]);
    printf(" %d", madvise(p + 8192, 4096, MADV_DONTNEED));
    printf(" %s\n", strerror(errno));
    test_code();
    void *many[3000];
    for (int i = 0; i < 3000; i++)
        many[i] =
            mmap(NULL, 4096, i & 1 ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int wrong = 0;
    for (int i = 0; i < 3000; i++)
        wrong += (try_read(many[i]) == 0) != (i & 1);
    for (int i = 0; i < 3000; i++)
        munmap(many[i], 4096);
    printf("many: %d wrong\n", wrong);
    return 0;
}
