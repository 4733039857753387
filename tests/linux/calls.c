/* Calls that the optimizing tier takes in with their callers: faults, signals, jumps and changes of
 * code inside callees, targets that change, and returns that go astray. */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>

#include "test.h"

enum { ROUNDS = 40000 }; /* hot, by the default threshold */

#define LEAF __attribute__((noinline, noclone))

/* -- a callee whose code changes --------------------------------------------------------------- */
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

static void changing_code(void)
{
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
                      -1, 0);
    int (*fn)(void) = (int (*)(void))page;
    long sum = 0;
    int bytes = write_code(page, 1);
    __builtin___clear_cache(page, page + bytes);
    for (int round = 1; round < 20; round++) {
        for (int i = 0; i < ROUNDS; i++)
            sum += fn();
        write_code(page, round + 1);
        __builtin___clear_cache(page, page + bytes);
        sum += 1000000 * fn();
    }
    printf("changing code: %ld\n", sum);
    munmap(page, 4096);
}

/* -- faults inside ----------------------------------------------------------------------------- */
static sigjmp_buf out;
static volatile int faults;
static uintptr_t fault_address;

static void on_fault(int sig, siginfo_t *info, void *context)
{
    faults++;
    fault_address = (uintptr_t)info->si_addr;
    siglongjmp(out, 1);
}

LEAF static long load(const long *p) { return *p + 1; }
LEAF static long load_pair(const long *p, const long *q) { return load(p) * 3 + load(q); }

static void faulting_callees(void)
{
    struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
    sigaction(SIGSEGV, &sa, NULL);
    long *volatile bad = (long *)16, x = 5;
    volatile long sum = 0;
    volatile int i = 0;
    sigsetjmp(out, 1);
    for (; i < ROUNDS; i++) {
        int now = i;
        if (now % 5000 == 4999) {
            i = now + 1;
            sum += load_pair(&x, bad);
        }
        sum += load_pair(&x, &x);
    }
    printf("faults: %d at %lx, sum %ld\n", faults, (unsigned long)fault_address, sum);
    signal(SIGSEGV, SIG_DFL);
}

/* -- signals at any place ---------------------------------------------------------------------- */
static volatile sig_atomic_t ticks;
static void on_tick(int sig) { ticks++; }

LEAF static unsigned mix(unsigned a, unsigned b)
{
    a ^= b * 0x9e3779b1u;
    return (a << 7 | a >> 25) + b;
}

static void interrupted_callees(void)
{
    struct itimerval every = { { 0, 500 }, { 0, 500 } }, never = { { 0, 0 }, { 0, 0 } };
    signal(SIGALRM, on_tick);
    setitimer(ITIMER_REAL, &every, NULL);
    unsigned s = 1;
    for (unsigned i = 0; i < 3000000 || ticks < 5; i++)
        s = i < 3000000 ? mix(s, i) : s;
    setitimer(ITIMER_REAL, &never, NULL);
    printf("signals: %u\n", s);
}

/* -- targets that change ----------------------------------------------------------------------- */
LEAF static long twice(long x) { return 2 * x; }
LEAF static long plus(long x) { return x + 3; }
LEAF static long minus(long x) { return x - 1; }
LEAF static long negate(long x) { return -x; }
LEAF static long square(long x) { return x * x % 1009; }
LEAF static long same(long x) { return x; }
LEAF static long deep(long x) { return plus(twice(minus(x))); }

static void changing_targets(void)
{
    static long (*const fn[])(long) = { twice, plus, minus, negate, square, same, deep };
    long sum = 0;
    for (int kinds = 1; kinds <= 7; kinds++)
        for (int i = 0; i < 3 * ROUNDS; i++)
            sum += fn[(unsigned)i * 7919u % 1021u % kinds](i & 1023) * kinds;
    printf("targets: %ld\n", sum);
}

/* -- jumps out of callees ---------------------------------------------------------------------- */
static jmp_buf back;

LEAF static int maybe_jump(int i)
{
    if (i % 97 == 96)
        longjmp(back, i);
    return i & 3;
}
LEAF static int outer_call(int i) { return maybe_jump(i) + maybe_jump(i + 1); }

static void jumping_callees(void)
{
    volatile int i = 0;
    volatile long sum = 0, jumps = 0;
    if (setjmp(back))
        jumps++;
    while (i < 2 * ROUNDS) {
        int now = i;
        i = now + 1;
        sum += outer_call(now);
    }
    printf("jumps: %ld, sum %ld\n", jumps, sum);
}

/* -- recursion --------------------------------------------------------------------------------- */
LEAF static unsigned fib(unsigned n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }
LEAF static int odd(int n);
LEAF static int even(int n) { return n == 0 ? 1 : odd(n - 1); }
LEAF static int odd(int n) { return n == 0 ? 0 : even(n - 1) + 0 * n; }
LEAF static long depth(long n) { return n ? 1 + depth(n - 1) : 0; }

static void recursion(void)
{
    int evens = 0;
    for (int i = 0; i < 3000; i++)
        evens += even(i & 63);
    printf("recursion: %u %d %ld\n", fib(24), evens, depth(100000));
}

/* -- a switch in a loop ------------------------------------------------------------------------ */
static void state_machine(void)
{
    unsigned state = 0, seed = 1;
    long count[8] = { 0 };
    for (int i = 0; i < 10 * ROUNDS; i++) {
        seed = seed * 1664525 + 1013904223;
        switch (state) {
        case 0: state = seed >> 31; count[0]++; break;
        case 1: state = 2 + (seed >> 30); count[1] += state; break;
        case 2: state = 7; count[2]--; break;
        case 3: state = seed >> 29; count[3] ^= seed; break;
        case 4: state = 0; count[4] += twice(seed & 15); break;
        case 5: state = 6; count[5]++; break;
        case 6: state = 3; count[6]--; break;
        case 7: state = mix(seed, 1) & 7; count[7]++; break;
        }
    }
    for (int k = 0; k < 8; k++)
        printf("%ld ", count[k]);
    printf("\n");
}

int main(void)
{
    changing_code();
    faulting_callees();
    interrupted_callees();
    changing_targets();
    jumping_callees();
    recursion();
    state_machine();
    return 0;
}
