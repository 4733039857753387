/* The vDSO as its ELF image shows it, and what its functions give beside the system calls. */
#include "test.h"

#include <elf.h>
#include <link.h>
#include <sched.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>

static void *find(const char *name)
{
    const char *base = (const char *)getauxval(AT_SYSINFO_EHDR);
    const ElfW(Ehdr) *ehdr = (const void *)base;
    const ElfW(Phdr) *ph = (const void *)(base + ehdr->e_phoff);
    const ElfW(Dyn) *dyn = NULL;
    const ElfW(Sym) *symbols = NULL;
    const char *strings = NULL, *load = base;
    const uint32_t *hash = NULL;
    size_t n = 0;
    for (int k = 0; k < ehdr->e_phnum; k++) {
        if (ph[k].p_type == PT_LOAD)
            load = base + ph[k].p_offset - ph[k].p_vaddr;
        if (ph[k].p_type == PT_DYNAMIC)
            dyn = (const void *)(base + ph[k].p_offset);
    }
    for (; dyn->d_tag; dyn++) {
        const void *at = load + dyn->d_un.d_ptr;
        if (dyn->d_tag == DT_SYMTAB)
            symbols = at;
        else if (dyn->d_tag == DT_STRTAB)
            strings = at;
        else if (dyn->d_tag == DT_HASH)
            hash = at;
    }
    n = hash ? hash[1] : 0;
    for (size_t k = 1; k < n; k++) {
        const char *s = strings + symbols[k].st_name;
        const char *prefix = strncmp(s, "__vdso_", 7) ? "__kernel_" : "__vdso_";
        if (!strncmp(s, prefix, strlen(prefix)) && !strcmp(s + strlen(prefix), name))
            return (void *)(load + symbols[k].st_value);
    }
    return NULL;
}

static int64_t ns(const struct timespec *t) { return t->tv_sec * 1000000000ll + t->tv_nsec; }

typedef int ClockFn(clockid_t, struct timespec *);
static const clockid_t clocks[] = {
    CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE,
    CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME, CLOCK_TAI, CLOCK_PROCESS_CPUTIME_ID,
    CLOCK_THREAD_CPUTIME_ID,
};

static void times(void)
{
    ClockFn *gettime = (ClockFn *)find("clock_gettime"), *getres = (ClockFn *)find("clock_getres");
    printf("clock_gettime %d, clock_getres %d\n", gettime != NULL, getres != NULL);
    for (size_t k = 0; k < sizeof clocks / sizeof *clocks; k++) {
        struct timespec before, between, after, res, real_res;
        int rounds = 0, bad = 0;
        for (; rounds < 1000; rounds++) {
            syscall(SYS_clock_gettime, clocks[k], &before);
            bad += gettime(clocks[k], &between) != 0;
            syscall(SYS_clock_gettime, clocks[k], &after);
            bad += ns(&before) > ns(&between) || ns(&between) > ns(&after);
            bad += (uint64_t)between.tv_nsec > 999999999;
        }
        getres(clocks[k], &res);
        syscall(SYS_clock_getres, clocks[k], &real_res);
        printf("clock %d: %d bad of %d, resolution %d\n", (int)clocks[k], bad, rounds,
               ns(&res) == ns(&real_res));
    }
    struct timespec t;
    printf("clock 10: %d, clock 99: %d, clock -1: %d\n", gettime(10, &t), gettime(99, &t),
           gettime(-1, &t));

    int (*gettimeofday_fn)(struct timeval *, struct timezone *) = find("gettimeofday");
    struct timeval a, b;
    struct timezone tz = { 77, 77 };
    struct timespec now;
    syscall(SYS_clock_gettime, CLOCK_REALTIME, &now);
    int ret = gettimeofday_fn(&a, NULL), ret2 = gettimeofday_fn(&b, &tz);
    int64_t us = a.tv_sec * 1000000ll + a.tv_usec, us2 = b.tv_sec * 1000000ll + b.tv_usec;
    printf("gettimeofday %d %d %d, in order %d %d, zone %d, nothing %d\n", ret, ret2,
           a.tv_usec >= 0 && a.tv_usec < 1000000, us >= ns(&now) / 1000, us2 >= us,
           tz.tz_minuteswest != 77, gettimeofday_fn(NULL, NULL));
}

static void fault(int sig, siginfo_t *info, void *uc)
{
    printf("signal %d, address %d\n", sig, info->si_addr == (void *)16);
    fflush(stdout);
    _exit(0);
}

/* The functions write to the caller's buffer themselves, so a bad one is a fault, not EFAULT. */
static void bad_buffer(void)
{
    ClockFn *gettime = (ClockFn *)find("clock_gettime");
    fflush(stdout);
    if (!fork()) {
        struct sigaction sa = { .sa_sigaction = fault, .sa_flags = SA_SIGINFO };
        sigaction(SIGSEGV, &sa, NULL);
        gettime(CLOCK_MONOTONIC, (struct timespec *)16);
        _exit(1);
    }
    int status;
    wait(&status);
    printf("status %#x\n", status);
}

typedef ssize_t RandomFn(void *, size_t, unsigned, void *, size_t);

/* Kernels have it since 6.11: the native run may do without. */
static const char *random_numbers(void)
{
    RandomFn *fn = (RandomFn *)find("getrandom");
#if defined __x86_64__
    if (!fn)
        return "right";
#else
    if (!fn)
        return "missing";
#endif
    struct { uint32_t size, prot, flags, reserved[13]; } params;
    memset(&params, 0xff, sizeof params);
    if (fn(NULL, 0, 0, &params, ~(size_t)0) || !params.size || params.prot != 3 ||
        params.reserved[12])
        return "wrong parameters";
    void *state = mmap(NULL, 4096, (int)params.prot, (int)params.flags, -1, 0);
    if (state == MAP_FAILED)
        return "no state";
    unsigned char buf[600];
    for (size_t want = 0; want < 300; want += want < 20 ? 1 : 37) {
        memset(buf, 0x5a, sizeof buf);
        if (fn(buf, want, 0, state, params.size) != (ssize_t)want)
            return "short";
        for (size_t k = want; k < sizeof buf; k++)
            if (buf[k] != 0x5a)
                return "wrote too much";
        size_t same = 0;
        for (size_t k = 0; k < want; k++)
            same += buf[k] == 0x5a;
        if (want > 16 && same > want / 4)
            return "wrote too little";
    }
    if (fn(buf, sizeof buf, 0, state, params.size) != (ssize_t)sizeof buf)
        return "long one short";
    if (fn(buf, 16, GRND_NONBLOCK, state, params.size) != 16)
        return "flags";
    if (fn(buf, 16, 0x100, state, params.size) != -EINVAL)
        return "bad flags";
    static uint64_t words[1000];
    for (int k = 0; k < 1000; k++) {
        fn(&words[k], 8, 0, state, params.size);
        for (int j = 0; j < k; j++)
            if (words[k] == words[j])
                return "not random";
    }
    /* Parent and child must not get the same numbers. */
    int fd[2];
    uint64_t mine, others;
    if (pipe(fd))
        return "pipe";
    pid_t pid = fork();
    fn(&mine, 8, 0, state, params.size);
    if (!pid) {
        if (write(fd[1], &mine, 8) != 8)
            _exit(1);
        _exit(0);
    }
    waitpid(pid, NULL, 0);
    if (read(fd[0], &others, 8) != 8)
        return "child";
    return mine == others ? "the child's are the parent's" : "right";
}

/* RISC-V's: what the function says is what the call says. */
static const char *processors(void)
{
#ifdef __riscv
    struct { int64_t key; uint64_t value; } a[20], b[20];
    long (*fn)(void *, size_t, size_t, void *, unsigned) = find("riscv_hwprobe");
    unsigned long set[16];
    if (!fn)
        return "missing";
    for (int i = 0; i < 20; i++)
        a[i].key = b[i].key = i - 1, a[i].value = b[i].value = 5;
    if (fn(a, 20, 0, NULL, 0) || syscall(258, b, 20, 0, NULL, 0) || memcmp(a, b, sizeof a))
        return "not what the call says";
    sched_getaffinity(0, sizeof set, (cpu_set_t *)set);
    if (fn(a, 20, sizeof set, set, 0) || memcmp(a, b, sizeof a) || fn(a, 1, 8, NULL, 2) != -EINVAL)
        return "wrong about some";
#endif
    return "right";
}

int main(void)
{
    const ElfW(Ehdr) *ehdr = (const void *)getauxval(AT_SYSINFO_EHDR);
    printf("image %d, type %d\n", !memcmp(ehdr->e_ident, ELFMAG, SELFMAG), ehdr->e_type);
    times();
    bad_buffer();
    printf("getrandom %s\n", random_numbers());
    printf("processors %s\n", processors());
    return 0;
}
