/* Restartable sequences: registration and its errors; counters of each processor that threads
 * increase without atomics, while timers interrupt them; aborts by signals; membarrier. */
#include <fcntl.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "test.h"

typedef struct Area {
    volatile uint32_t cpu_id_start, cpu_id;
    volatile uint64_t rseq_cs;
    volatile uint32_t flags, node_id, mm_cid, pad;
} __attribute__((aligned(32))) Area;

static __thread Area own;
/* The C library's, if it has one (weak: older ones don't say). */
extern const ptrdiff_t __rseq_offset __attribute__((weak));
extern const unsigned __rseq_size __attribute__((weak));

#if defined __x86_64__
#define SIGNATURE 0x53053053
#define SIGNATURE_BYTES ".byte 0x0f,0xb9,0x3d\n.long 0x53053053\n"
#elif defined __aarch64__
#define SIGNATURE 0xd428bc00
#define SIGNATURE_BYTES ".inst 0xd428bc00\n"
#else
#define SIGNATURE 0xf1401073
#define SIGNATURE_BYTES ".word 0xf1401073\n"
#endif

static int registered_by_library(void) { return &__rseq_size && __rseq_size; }

static Area *area(void)
{
    return registered_by_library() ? (Area *)((char *)__builtin_thread_pointer() + __rseq_offset)
                                   : &own;
}

static long rseq(void *a, unsigned n, int flags, unsigned signature)
{
    return syscall(SYS_rseq, a, n, flags, signature);
}

static void join(void)
{
    if (!registered_by_library() && rseq(&own, 32, 0, SIGNATURE))
        printf("can't register: %s\n", strerrorname_np(errno));
}

#define TABLE                                                                                      \
    ".pushsection __rseq_cs,\"aw\"\n.balign 32\n3: .long 0,0\n.quad 1f, 2f-1f, 4f\n.popsection\n"
#define FAILURE(jump)                                                                              \
    ".pushsection __rseq_failure,\"ax\"\n" SIGNATURE_BYTES "4: " jump "\n.popsection\n"

/* *counter += 1 if the thread is on `cpu` all the while. False: it wasn't. `linger` rounds of
 * nothing between the load and the store. */
static int add(Area *a, volatile uint64_t *counter, uint32_t cpu, long linger)
{
#if defined __x86_64__
    __asm__ goto(TABLE "lea 3b(%%rip), %%rax\nmov %%rax, 8(%0)\n"
                 "1: cmp %2, 4(%0)\njnz 4f\nmov (%1), %%rcx\nmov %3, %%rdx\n"
                 "5: sub $1, %%rdx\njg 5b\nadd $1, %%rcx\nmov %%rcx, (%1)\n2:\n"
                 FAILURE("jmp %l[aborted]")
                 : : "r"(a), "r"(counter), "r"(cpu), "r"(linger)
                 : "rax", "rcx", "rdx", "memory", "cc" : aborted);
#elif defined __aarch64__
    __asm__ goto(TABLE "adrp x9, 3b\nadd x9, x9, :lo12:3b\nstr x9, [%0, #8]\n"
                 "1: ldr w9, [%0, #4]\ncmp w9, %w2\nb.ne 4f\nldr x10, [%1]\nmov x11, %3\n"
                 "5: subs x11, x11, #1\nb.gt 5b\nadd x10, x10, #1\nstr x10, [%1]\n2:\n"
                 FAILURE("b %l[aborted]")
                 : : "r"(a), "r"(counter), "r"(cpu), "r"(linger)
                 : "x9", "x10", "x11", "memory", "cc" : aborted);
#else
    __asm__ goto(TABLE "lla t0, 3b\nsd t0, 8(%0)\n"
                 "1: lw t0, 4(%0)\nbne t0, %2, 4f\nld t1, 0(%1)\nmv t2, %3\n"
                 "5: addi t2, t2, -1\nbgtz t2, 5b\naddi t1, t1, 1\nsd t1, 0(%1)\n2:\n"
                 FAILURE("j %l[aborted]")
                 : : "r"(a), "r"(counter), "r"((long)(int)cpu), "r"(linger)
                 : "t0", "t1", "t2", "memory" : aborted);
#endif
    return 1;
aborted:
    return 0;
}

enum { THREADS = 6, ROUNDS = 200000 };
static volatile uint64_t counters[4096][8];
static _Atomic long aborts;

static void *count(void *arg)
{
    long failed = 0;
    join();
    Area *a = area();
    for (int i = 0; i < ROUNDS;) {
        uint32_t cpu = a->cpu_id_start;
        if (add(a, &counters[cpu & 4095][0], cpu, i % 64 ? 1 : 2000))
            i++;
        else
            failed++;
    }
    atomic_fetch_add(&aborts, failed);
    return NULL;
}

static void test_counters(void)
{
    pthread_t t[THREADS];
    uint64_t sum = 0;
    for (int i = 0; i < THREADS; i++)
        pthread_create(&t[i], NULL, count, NULL);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    for (int i = 0; i < 4096; i++)
        sum += counters[i][0];
    printf("counted %s\n", sum == THREADS * ROUNDS ? "all" : "too few");
}

static volatile int signals;
static void on_signal(int sig) { signals++; }

/* Each signal that comes in a sequence aborts it. */
static void test_signals(void)
{
    struct itimerval every = {{0, 500}, {0, 500}}, never = {0};
    volatile uint64_t counter = 0;
    long failed = 0;
    signal(SIGALRM, on_signal);
    setitimer(ITIMER_REAL, &every, NULL);
    Area *a = area();
    for (int i = 0; signals < 50;) {
        int before = signals;
        if (!add(a, &counter, a->cpu_id_start, 3000000))
            failed++;
        else if (before != signals) /* it may have come before or behind the sequence */
            i++;
    }
    setitimer(ITIMER_REAL, &never, NULL);
    printf("aborted by signals: %s\n", failed > 10 ? "often" : "never");
}

static void test_fields(void)
{
    Area *a = area();
    int same = 0;
    for (int i = 0; i < 100; i++) {
        cpu_set_t set;
        CPU_ZERO(&set);
        CPU_SET(i % 2, &set);
        sched_setaffinity(0, sizeof set, &set);
        unsigned cpu = ~0u, node;
        syscall(SYS_getcpu, &cpu, &node, NULL);
        same += a->cpu_id == cpu && a->cpu_id_start == cpu && a->node_id == node;
    }
    printf("the kernel's numbers: %d\n", same);
}

static void survive(int sig) { }

/* Without its struct a thread dies as soon as the kernel looks for it, handler or not, in system
 * calls as in code. */
static void test_lost_struct(int handler, int calls, int never)
{
    pid_t pid = fork();
    if (!pid) {
        Area *lost = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        setrlimit(RLIMIT_CORE, &(struct rlimit){0});
        if (handler)
            signal(SIGSEGV, survive);
        if (never)
            munmap(lost, 4096);
        if (rseq(lost, 32, 0, SIGNATURE))
            _exit(1);
        munmap(lost, 4096);
        for (;;)
            if (calls)
                sched_yield();
    }
    int status = 0;
    waitpid(pid, &status, 0);
    printf("without its struct: %s\n", WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "lives");
}

/* Nobody misses it at the end. (Tried again: the processor may be lost just before.) */
static void test_lost_at_end(int call)
{
    int status = 0;
    for (int i = 0; i < 3 && (i == 0 || !WIFEXITED(status)); i++) {
        pid_t pid = fork();
        if (!pid) {
            void *lost = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                              -1, 0);
            setrlimit(RLIMIT_CORE, &(struct rlimit){0});
            rseq(lost, 32, 0, SIGNATURE);
            munmap(lost, 4096);
            syscall(call, 3);
        }
        waitpid(pid, &status, 0);
    }
    printf("ends without its struct: %#x\n", status);
}

/* What becomes of the struct: all but the last take it. */
static long lose(int how, void *lost)
{
    enum { ANYWHERE = MAP_PRIVATE | MAP_ANONYMOUS };
    void *place;
    switch (how) {
    case 0: return munmap(lost, 4096);
    case 1: return mprotect(lost, 4096, PROT_READ);
    case 2: return mmap(lost, 4096, PROT_NONE, ANYWHERE | MAP_FIXED, -1, 0) != lost;
    case 3:
        place = mmap(NULL, 4096, PROT_READ, ANYWHERE, -1, 0);
        return mremap(lost, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, place) != place;
    case 4: return mremap(place = mmap(NULL, 4096, PROT_READ, ANYWHERE, -1, 0), 4096, 4096,
                          MREMAP_MAYMOVE | MREMAP_FIXED, lost) != lost;
    default: return mmap(lost, 4096, PROT_READ | PROT_WRITE, ANYWHERE | MAP_FIXED, -1, 0) != lost;
    }
}

/* The tracer is told of the call that takes it, and of the signal. */
static void test_lost_traced(int how)
{
    int status = 0, signals = 0, calls = 0;
    pid_t pid = fork();
    if (!pid) {
        void *lost = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        setrlimit(RLIMIT_CORE, &(struct rlimit){0});
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        rseq(lost, 32, 0, SIGNATURE);
        lose(how, lost);
        for (int n = 0; n < 100; n++)
            sched_yield();
        _exit(3);
    }
    while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
        int sig = WSTOPSIG(status);
        signals += sig == SIGSEGV;
        calls += sig == SIGTRAP;
        ptrace(PTRACE_SYSCALL, pid, 0, (void *)(long)(sig == SIGSEGV ? sig : 0));
    }
    printf("traced, loses it %d: %d signals, stops %d, ends %#x\n", how, signals,
           WIFSIGNALED(status) ? calls % 2 == 0 : calls % 2, status);
}

int main(void)
{
    static Area other;
    setvbuf(stdout, NULL, _IONBF, 0);
    if (!registered_by_library())
        join();
    SHOW(rseq(&other, 32, 0, SIGNATURE));
    SHOW(rseq(area(), 32, 0, SIGNATURE));
    SHOW(rseq(area(), 32, 0, 1));
    SHOW(rseq(area(), 16, 1, SIGNATURE));
    SHOW(rseq(area(), 32, 2, SIGNATURE));
    SHOW(rseq(area(), 32, 1, 1));
    cpu_set_t all;
    sched_getaffinity(0, sizeof all, &all);
    test_fields();
    sched_setaffinity(0, sizeof all, &all);
    test_counters();
    test_signals();
    SHOW(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ, 0, 0));
    SHOW(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, 0, 0));
    if (!fork()) {
        uint32_t cpu = area()->cpu_id_start;
        volatile uint64_t n = 0;
        while (!add(area(), &n, area()->cpu_id_start, 1))
            ;
        SHOW(rseq(area(), 32, 1, SIGNATURE));
        SHOW(rseq(area(), 32, 1, SIGNATURE));
        printf("in the child: %d\n", (int)n);
        _exit(0);
    }
    wait(NULL);
    SHOW(rseq(area(), 32, 1, SIGNATURE));
    SHOW((int)area()->cpu_id);
    SHOW(rseq((char *)&other + 4, 32, 0, SIGNATURE));
    SHOW(rseq(BAD, 32, 0, SIGNATURE));
    SHOW(rseq(&other, 32, 0, SIGNATURE));
    SHOW(rseq(&other, 32, 1, SIGNATURE));
    for (int i = 0; i < 8; i++)
        test_lost_struct(i & 1, i & 2, i & 4);
    test_lost_at_end(SYS_exit);
    test_lost_at_end(SYS_exit_group);
    for (int how = 0; how < 6; how++)
        test_lost_traced(how);
    return 0;
}
