/*
 * Throws random system calls with hostile arguments at the emulator that runs it. The program is a
 * guest's; syscall-fuzz/run makes the scratch namespaces that it wants to be pid 1 of, with an
 * empty file system.
 *
 * usage: fuzz SECONDS FIRST-SEED [COUNT [MIX]]
 *
 * Each seed is a child process of some hundred calls, half of them random, half by a mix of one
 * subject (mixes.c), which is MIX or the seed's; every third seed has threads that make their calls
 * at the same time. What a child does to itself (it may end, crash or destroy its own memory) is
 * its own affair; the emulator says on its log or on standard error when it crashed or an assertion
 * failed, and run looks there.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

enum { CALLS = 400, N_CALLS = 475, CHILD_MS = 700, THREADS = 3 };

/* Generic numbers, which both guests have. */
enum { NR_clone = 220, NR_clone3 = 435 };

static __thread uint64_t state;
static uint8_t *area;                     /* buffers, and what lies around them */
static uint8_t *buffers[N_BUFFERS];       /* each ends at a page that isn't there */
static volatile int *progress;            /* shared: the call a child is in */

uint64_t rnd(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state * UINT64_C(0x2545f4914f6cdd1d) >> 8;
}

static const char *const paths[] = {
    "a", "b", "d", "d/x", "fifo", "link", ".", "..", "/", "", "/proc/self/exe", "/proc/self/maps",
    "/proc/self/fd/0", "/proc/self/mem", "/proc/self/stat", "/proc/self/task", "/proc/cpuinfo",
    "/dev/null", "/dev/zero", "/proc/self/cmdline", "a/b", "user.x", "tmpfs", "proc", "overlay",
};

uint64_t area_page(void)
{
    return (uintptr_t)area + (rnd() % (4 * N_BUFFERS * PAGE) & ~UINT64_C(4095));
}

uint64_t hostile_pointer(void)
{
    static const uint64_t fixed[] = {
        0, 1, 8, 4095, 4096, UINT64_MAX, UINT64_MAX - 7, UINT64_C(1) << 47, (UINT64_C(1) << 47) - 8,
        UINT64_C(1) << 48, UINT64_C(0xffff800000000000), INT64_MIN, UINT64_C(0x7fffffffffffffff),
        UINT64_C(0x00ffffffffffff00), UINT64_C(0x5600000000000000),
    };
    switch (pick(4)) {
    case 0: return fixed[pick(sizeof fixed / sizeof *fixed)];
    case 1: return rnd() & UINT64_C(0x7ffffffff000);
    case 2: return area_page();
    default: return rnd() << 8 ^ rnd();
    }
}

uint64_t buffer_pointer(void)
{
    uint8_t *b = buffers[pick(N_BUFFERS)];
    switch (pick(4)) {
    case 0: return (uintptr_t)b;
    case 1: return (uintptr_t)b + PAGE - pick(64);  /* across the end */
    case 2: return (uintptr_t)b + PAGE - 8 * pick(64);
    default: return (uintptr_t)b + pick(PAGE);
    }
}

uint64_t number(void)
{
    switch (pick(9)) {
    case 0: return 0;
    case 1: return 1u << pick(32);
    case 2: return pick(16);
    case 3: return pick(256);
    case 4: return (uint64_t)-(int64_t)pick(128);
    case 5: return 4096ull << pick(8);
    case 6: return UINT64_C(1) << pick(64);
    case 7: return 8 * pick(16);
    default: return rnd() << 16 ^ rnd();
    }
}

uint64_t argument(void)
{
    switch (pick(10)) {
    case 0: case 1: case 2: return buffer_pointer();
    case 3: return hostile_pointer();
    case 4: return (uintptr_t)paths[pick(sizeof paths / sizeof *paths)];
    case 5: case 6: return pick(20);      /* descriptors stand here too */
    case 7: return (uint64_t)AT_FDCWD;
    default: return number();
    }
}

/* What structures are made of: numbers, pointers, descriptors, text. */
static void fill_buffers(void)
{
    uint8_t *b = buffers[pick(N_BUFFERS)];
    for (int where = 0; where < 2; where++) {
        uint64_t *word = (uint64_t *)(where ? b + PAGE - 256 : b);
        for (int i = 0; i < 32; i++) {
            uint64_t v = pick(3) ? argument() : (uint64_t)pick(64) << 32 | pick(64);
            memcpy(&word[i], &v, sizeof v);
        }
    }
    if (!pick(4))
        strcpy((char *)b, paths[pick(sizeof paths / sizeof *paths)]);
}

static void on_signal(int sig) {}

static void open_things(void)
{
    int pipes[2];
    chdir("/w");
    mkdir("d", 0777);
    mkfifo("fifo", 0666);
    symlink("a", "link");
    for (int fd = 3; fd < 20; fd++)
        close(fd);
    open("a", O_RDWR | O_CREAT, 0666);
    open(".", O_RDONLY | O_DIRECTORY);
    pipe(pipes);
    socketpair(AF_UNIX, SOCK_STREAM, 0, pipes);
    socket(AF_INET, SOCK_DGRAM, 0);
    socket(AF_INET6, SOCK_STREAM, 0);
    socket(AF_NETLINK, SOCK_RAW, 0);
    epoll_create1(0);
    eventfd(3, 0);
    memfd_create("m", 0);
    open("/dev/null", O_RDWR);
    open("/proc/self", O_RDONLY | O_DIRECTORY);
    ftruncate(3, 20000);
}

static void set_up(uint64_t seed)
{
    setsid(); /* kill(0) is for itself */
    dup2(open("/dev/null", O_RDWR), 1); /* and what it writes */
    state = seed * UINT64_C(0x9e3779b97f4a7c15) + 1;
    for (int i = 0; i < 4; i++)
        rnd();
    area = mmap(NULL, 4 * N_BUFFERS * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < N_BUFFERS; i++) {
        buffers[i] = area + (4 * i + 1) * PAGE;
        mprotect(buffers[i], PAGE, PROT_READ | PROT_WRITE);
        /* One that can only be read behind it, so that half of a result fits. */
        if (i == 1)
            mprotect(buffers[i] + PAGE, PAGE, PROT_READ);
    }
    open_things();
    for (int sig = 1; sig <= 64; sig++)
        if (pick(2))
            signal(sig, on_signal);
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = on_signal}, NULL); /* calls don't go on */
    struct itimerval timer = {{0, 20000}, {0, 20000}};
    setitimer(ITIMER_REAL, &timer, NULL);
    struct rlimit files = {64, 64}, size = {1 << 24, 1 << 24}, core = {0, 0};
    setrlimit(RLIMIT_NOFILE, &files);
    setrlimit(RLIMIT_FSIZE, &size);
    setrlimit(RLIMIT_CORE, &core);
}

/* A call by itself: what it begins (a thread on any stack, a child) ends without touching one. */
static long call_raw(long nr, const uint64_t *a)
{
    bool begins = nr == NR_clone || nr == NR_clone3;
#ifdef __aarch64__
    register long n asm("x8") = nr;
    register uint64_t r asm("x0") = a[0], b asm("x1") = a[1], c asm("x2") = a[2],
                      d asm("x3") = a[3], e asm("x4") = a[4], f asm("x5") = a[5];
    asm volatile("svc #0\n\tcbz %0, 1f\n\tb 2f\n1:\tcbz %w7, 2f\n\tmov x8, #93\n\tsvc #0\n2:"
                 : "+r"(r)
                 : "r"(n), "r"(b), "r"(c), "r"(d), "r"(e), "r"(f), "r"(begins)
                 : "memory", "cc");
#else
    register long n asm("a7") = nr;
    register uint64_t r asm("a0") = a[0], b asm("a1") = a[1], c asm("a2") = a[2],
                      d asm("a3") = a[3], e asm("a4") = a[4], f asm("a5") = a[5];
    asm volatile("ecall\n\tbnez %0, 1f\n\tbeqz %7, 1f\n\tli a7, 93\n\tecall\n1:"
                 : "+r"(r)
                 : "r"(n), "r"(b), "r"(c), "r"(d), "r"(e), "r"(f), "r"(begins)
                 : "memory");
#endif
    return (long)r;
}

long call(long nr, const uint64_t a[6])
{
    uint64_t b[6];
    memcpy(b, a, sizeof b);
    if (nr == 93 || nr == 94 || nr == 142) /* ends, reboots: nothing to learn */
        return 0;
    if ((nr == 129 || nr == 138) && (int)b[0] == -1)
        b[0] = 0;
    if (nr == 139 && pick(40)) /* sigreturn mostly ends it */
        return 0;
    *progress = (int)nr;
    long r = call_raw(nr, b);
    *progress = -1;
    return r;
}

static void one_call(void)
{
    uint64_t a[6];
    long nr = pick(50) ? pick(N_CALLS) : (long)number();
    for (int i = 0; i < 6; i++)
        a[i] = argument();
    call(nr, a);
}

static void calls(unsigned mix)
{
    for (int i = 0; i < CALLS; i++) {
        if (!pick(3))
            fill_buffers();
        if (pick(2))
            mix_step(mix);
        else
            one_call();
    }
}

typedef struct Part {
    pthread_t thread;
    uint64_t seed;
    unsigned mix;
} Part;

static void *thread(void *of)
{
    const Part *part = of;
    state = part->seed;
    calls(part->mix);
    return NULL;
}

static void child(uint64_t seed, unsigned mix)
{
    Part parts[THREADS];
    int n = 0;
    set_up(seed);
    mix_prepare(mix);
    while (seed % 3 == 0 && n < THREADS) {
        parts[n] = (Part){.seed = rnd() + n, .mix = mix};
        if (pthread_create(&parts[n].thread, NULL, thread, &parts[n]) != 0)
            break;
        n++;
    }
    calls(mix);
    syscall(SYS_exit_group, 0); /* whatever the threads are in */
}

static long now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int run_seed(uint64_t seed, unsigned mix, unsigned *stuck)
{
    int status = 0, one = 0;
    bool killed = false;
    long end = now_ms() + CHILD_MS;
    pid_t pid = fork(), got;
    if (pid == 0)
        child(seed, mix);
    if (pid < 0)
        return 0;
    /* Everything that comes: a thread may have made this process its tracer, and as long as nobody
     * waits for it the whole process can't be waited for. */
    while ((got = waitpid(-1, &one, WNOHANG | __WALL)) != pid) {
        if (got > 0)
            continue;
        if (now_ms() > end && !killed) {
            if (*progress >= 0 && *progress < N_CALLS)
                stuck[*progress]++;
            kill(pid, SIGKILL);
            killed = true;
        }
        usleep(2000);
    }
    status = one;
    if (getpid() == 1) { /* whatever else it left */
        kill(-1, SIGKILL);
        while (waitpid(-1, NULL, __WALL) > 0)
            ;
    }
    return status;
}

int main(int argc, char **argv)
{
    long seconds = argc > 1 ? atol(argv[1]) : 10;
    uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 0) : 1, first = seed;
    uint64_t count = argc > 3 ? strtoull(argv[3], NULL, 0) : UINT64_MAX;
    int mix = argc > 4 ? atoi(argv[4]) : -1;
    static unsigned stuck[N_CALLS];
    long end = now_ms() + seconds * 1000;
    progress = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    for (; seed - first < count && now_ms() < end; seed++) {
        int status = run_seed(seed, mix >= 0 ? (unsigned)mix : seed % N_MIXES, stuck);
        if (getenv("VERBOSE"))
            printf("seed %llu: status %x, last call %d\n", (unsigned long long)seed, status,
                   *progress);
    }
    printf("%llu seeds\n", (unsigned long long)(seed - first));
    for (int i = 0; getenv("VERBOSE") && i < N_CALLS; i++)
        if (stuck[i])
            printf("call %d: stuck %u times\n", i, stuck[i]);
    return 0;
}
