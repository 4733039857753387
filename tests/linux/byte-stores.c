/*
 * Words stored byte by byte, as compilers do where alignment isn't known, up to a page that can't
 * be written: which byte faults, and what has been stored by then. The optimizing tier stores such
 * bytes at once (translator/opt/bytes.c).
 */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include "test.h"

static sigjmp_buf back;
static volatile uintptr_t fault;

static void handler(int sig, siginfo_t *info, void *context)
{
    (void)sig, (void)context;
    fault = (uintptr_t)info->si_addr;
    siglongjmp(back, 1);
}

static __attribute__((noinline)) void up(volatile uint8_t *p, uint64_t v)
{
    p[0] = (uint8_t)v;
    p[1] = (uint8_t)(v >> 8);
    p[2] = (uint8_t)(v >> 16);
    p[3] = (uint8_t)(v >> 24);
    p[4] = (uint8_t)(v >> 32);
    p[5] = (uint8_t)(v >> 40);
    p[6] = (uint8_t)(v >> 48);
    p[7] = (uint8_t)(v >> 56);
}

static __attribute__((noinline)) void down(volatile uint8_t *p, uint64_t v)
{
    p[3] = (uint8_t)v;
    p[2] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)(v >> 16);
    p[0] = (uint8_t)(v >> 24);
}

static __attribute__((noinline)) void copy(volatile uint8_t *p, const uint8_t *from)
{
    uint8_t a = from[0], b = from[1], c = from[2], d = from[3];
    p[2] = c;
    p[0] = a;
    p[3] = d;
    p[1] = b;
}

static __attribute__((noinline)) uint64_t walk(uint8_t *p, long n)
{
    uint64_t sum = 1;
    for (long k = 0; k < n; k++) {
        uint8_t *at = p + k % 64 * 17;
        up(at, sum * 0x9e3779b97f4a7c15);
        down(at + 8, (uint32_t)sum * 3);
        copy(at + 12, at + 3);
        for (int i = 0; i < 16; i++)
            sum = sum * 31 + at[i];
    }
    return sum;
}

static void at_end(uint8_t *page, long bytes, int before, void (*store)(volatile uint8_t *))
{
    uint8_t *end = page + bytes;
    memset(end - 8, 0, 8);
    fault = 0;
    if (!sigsetjmp(back, 1))
        store(end - before);
    printf("%d before: fault at %ld:", before, fault ? (long)(fault - (uintptr_t)end) : -1L);
    for (int k = 8; k > 0; k--)
        printf(" %02x", end[-k]);
    printf("\n");
}

static void store_up(volatile uint8_t *p) { up(p, 0x8877665544332211); }
static void store_down(volatile uint8_t *p) { down(p, 0x44332211); }
static void store_copy(volatile uint8_t *p) { copy(p, (const uint8_t *)"\1\2\3\4"); }

int main(void)
{
    static uint8_t buffer[4096];
    struct sigaction a = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
    long bytes = sysconf(_SC_PAGESIZE);
    uint8_t *page = mmap(NULL, 2 * bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                         0);
    sigaction(SIGSEGV, &a, NULL);
    for (int turn = 0; turn < 3; turn++) {
        mprotect(page + bytes, bytes, PROT_READ | PROT_WRITE);
        printf("%llx %llx\n", (unsigned long long)walk(buffer, 200000),
               (unsigned long long)walk(page + bytes - 100, 1000));
        mprotect(page + bytes, bytes, PROT_NONE);
        for (int before = 0; before <= 8; before++) {
            at_end(page, bytes, before, store_up);
            at_end(page, bytes, before, store_down);
            at_end(page, bytes, before, store_copy);
        }
    }
    return 0;
}
