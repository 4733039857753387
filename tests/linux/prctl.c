/* prctl, personality, limits and accounts of a process, capabilities. */
#include "test.h"

#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/times.h>
#include <sys/wait.h>

static void names(void)
{
    char name[32] = "";
    SHOW(prctl(PR_SET_NAME, "a name that is longer than fits"));
    SHOW(prctl(PR_GET_NAME, name));
    printf("%s\n", name);
    SHOW(prctl(PR_SET_NAME, BAD));
    SHOW(prctl(PR_GET_NAME, BAD));
    SHOW(prctl(PR_SET_NAME, ""));
    SHOW(prctl(PR_GET_NAME, name));
    printf("(%s)\n", name);
    FILE *f = fopen("/proc/self/comm", "r");
    printf("comm %d\n", f && fgetc(f) == '\n');
}

static void flags(void)
{
    int v = 77;
    SHOW(prctl(PR_SET_PDEATHSIG, SIGUSR1));
    SHOW(prctl(PR_GET_PDEATHSIG, &v));
    SHOW(v);
    SHOW(prctl(PR_SET_PDEATHSIG, 100));
    SHOW(prctl(PR_SET_PDEATHSIG, 0));
    SHOW(prctl(PR_GET_PDEATHSIG, BAD));
    SHOW(prctl(PR_GET_DUMPABLE));
    SHOW(prctl(PR_SET_DUMPABLE, 0));
    SHOW(prctl(PR_GET_DUMPABLE));
    SHOW(prctl(PR_SET_DUMPABLE, 1));
    SHOW(prctl(PR_SET_DUMPABLE, 2));
    SHOW(prctl(PR_SET_KEEPCAPS, 1));
    SHOW(prctl(PR_GET_KEEPCAPS));
    SHOW(prctl(PR_SET_KEEPCAPS, 2));
    SHOW(prctl(PR_SET_KEEPCAPS, 0));
    SHOW(prctl(PR_SET_TIMERSLACK, 12345));
    SHOW(prctl(PR_GET_TIMERSLACK));
    SHOW(prctl(PR_SET_CHILD_SUBREAPER, 1));
    v = 0;
    SHOW(prctl(PR_GET_CHILD_SUBREAPER, &v));
    SHOW(v);
    SHOW(prctl(PR_SET_CHILD_SUBREAPER, 0));
    SHOW(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
    SHOW(prctl(PR_SET_NO_NEW_PRIVS, 2, 0, 0, 0));
    SHOW(prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0));
    SHOW(prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
    SHOW(prctl(PR_GET_TIMING));
    SHOW(prctl(PR_SET_TIMING, PR_TIMING_TIMESTAMP));
    SHOW(prctl(PR_CAPBSET_READ, CAP_KILL) >= 0);
    SHOW(prctl(PR_CAPBSET_READ, 1000));
    SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, CAP_KILL, 0, 0));
    SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
    SHOW(prctl(PR_CAP_AMBIENT, 77, 0, 0, 0));
    SHOW(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_IS_SET, 1000, 0, 0));
    SHOW(prctl(PR_GET_SECUREBITS));
    SHOW(prctl(PR_MCE_KILL_GET, 0, 0, 0, 0));
    SHOW(prctl(PR_TASK_PERF_EVENTS_DISABLE));
    SHOW(prctl(PR_TASK_PERF_EVENTS_ENABLE));
    SHOW(prctl(123456));
    SHOW(prctl(-1));
    SHOW(prctl(PR_SET_FPEMU, 1));
    SHOW(prctl(PR_GET_ENDIAN, &v));
}

static void memory(void)
{
    unsigned long aux[128] = { 0 };
    long n = prctl(0x41555856 /* PR_GET_AUXV */, aux, sizeof aux, 0, 0);
    int entry = 0;
    for (long i = 0; i < n / 8; i += 2)
        entry |= aux[i] == 6 /* AT_PAGESZ */ && aux[i + 1] == 4096;
    printf("auxv %d %d\n", n > 0 || errno == EINVAL, n < 0 || entry);
    char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unsigned size = 0;
    SHOW(prctl(PR_SET_MM, 99, p, 0, 0));
    SHOW(prctl(PR_SET_MM, PR_SET_MM_ARG_START, 8, 0, 0));
    SHOW(prctl(PR_SET_MM, PR_SET_MM_MAP_SIZE, &size, 0, 0));
    SHOW(size);
    strcpy(p, "another command line");
    /* The end first: the start may not lie behind it. */
    if (prctl(PR_SET_MM, PR_SET_MM_ARG_END, p + 21, 0, 0) == 0 ||
        prctl(PR_SET_MM, PR_SET_MM_ARG_START, p, 0, 0) == 0) {
        prctl(PR_SET_MM, PR_SET_MM_ARG_START, p, 0, 0);
        prctl(PR_SET_MM, PR_SET_MM_ARG_END, p + 21, 0, 0);
        char line[64] = "";
        FILE *f = fopen("/proc/self/cmdline", "r");
        if (f)
            fread(line, 1, sizeof line - 1, f);
        printf("%s\n", line);
    }
}

static void tid_address(void)
{
    int *at = NULL;
    SHOW(prctl(PR_GET_TID_ADDRESS, &at));
    printf("%d\n", at != NULL);
    static int word;
    SHOW(syscall(SYS_set_tid_address, &word) == syscall(SYS_gettid));
    SHOW(prctl(PR_GET_TID_ADDRESS, &at));
    printf("%d\n", at == &word);
    SHOW(prctl(PR_GET_TID_ADDRESS, BAD));
}

static void persons(void)
{
    SHOW(personality(0xffffffff));
    SHOW(personality(ADDR_NO_RANDOMIZE));
    SHOW(personality(0xffffffff));
    SHOW(personality(0));
    SHOW(personality(0xffffffff));
}

static void limits(void)
{
    struct rlimit r, q;
    SHOW(getrlimit(RLIMIT_NOFILE, &r));
    q = r;
    q.rlim_cur = 33;
    SHOW(setrlimit(RLIMIT_NOFILE, &q));
    SHOW(getrlimit(RLIMIT_NOFILE, &q));
    printf("%lu %d\n", (long)q.rlim_cur, q.rlim_max == r.rlim_max);
    int fd, n = 0;
    while ((fd = dup(0)) >= 0)
        n = fd;
    printf("%d then %s\n", n, strerrorname_np(errno));
    while (n > 2)
        close(n--);
    SHOW(prlimit(0, RLIMIT_NOFILE, &r, &q));
    printf("%lu\n", (long)q.rlim_cur);
    q.rlim_cur = 5;
    q.rlim_max = 4;
    SHOW(setrlimit(RLIMIT_CORE, &q));
    SHOW(setrlimit(99, &q));
    SHOW(getrlimit(RLIMIT_CORE, BAD));
    SHOW(prlimit(0x7ffffff, RLIMIT_CORE, NULL, &q));
    q.rlim_cur = q.rlim_max = 0;
    SHOW(setrlimit(RLIMIT_CORE, &q));
    SHOW(getrlimit(RLIMIT_CORE, &q));
    printf("%lu %lu\n", (long)q.rlim_cur, (long)q.rlim_max);
    /* A file that may not grow. */
    signal(SIGXFSZ, SIG_IGN);
    q.rlim_cur = 4;
    q.rlim_max = RLIM_INFINITY;
    FILE *f = fopen("small", "w");
    getrlimit(RLIMIT_FSIZE, &r);
    q.rlim_max = r.rlim_max;
    SHOW(setrlimit(RLIMIT_FSIZE, &q));
    SHOW(write(fileno(f), "abcdefgh", 8));
    SHOW(write(fileno(f), "abcdefgh", 8));
    SHOW(setrlimit(RLIMIT_FSIZE, &r));
}

static void accounts(void)
{
    struct rusage u, before;
    struct tms t;
    SHOW(getrusage(RUSAGE_SELF, &before));
    for (volatile long i = 0; i < 3000000; i++)
        ;
    SHOW(getrusage(RUSAGE_SELF, &u));
    printf("%d\n", u.ru_utime.tv_sec * 1000000 + u.ru_utime.tv_usec + u.ru_stime.tv_usec >=
                   before.ru_utime.tv_sec * 1000000 + before.ru_utime.tv_usec);
    SHOW(getrusage(RUSAGE_THREAD, &u));
    SHOW(getrusage(RUSAGE_CHILDREN, &u));
    SHOW(getrusage(77, &u));
    SHOW(getrusage(RUSAGE_SELF, BAD));
    printf("%d\n", times(&t) != -1);
    SHOW(getpriority(PRIO_PROCESS, 0));
    SHOW(setpriority(PRIO_PROCESS, 0, 5));
    SHOW(getpriority(PRIO_PROCESS, 0));
    SHOW(getpriority(77, 0));
    SHOW(setpriority(PRIO_PROCESS, 0x7ffffff, 0));
    SHOW(syscall(SYS_ioprio_set, 1, 0, 2 << 13 | 3));
    SHOW(syscall(SYS_ioprio_get, 1, 0));
    SHOW(syscall(SYS_ioprio_get, 9, 0));
}

static void capabilities(void)
{
    struct __user_cap_header_struct h = { 0, 0 };
    struct __user_cap_data_struct d[2];
    SHOW(syscall(SYS_capget, &h, NULL));
    printf("%x\n", h.version);
    SHOW(syscall(SYS_capget, &h, d));
    h.version = 1;
    SHOW(syscall(SYS_capget, &h, d));
    h.version = _LINUX_CAPABILITY_VERSION_3;
    h.pid = 0x7ffffff;
    SHOW(syscall(SYS_capget, &h, d));
    h.pid = 0;
    SHOW(syscall(SYS_capget, &h, d));
    d[0].inheritable = 0;
    d[0].effective &= ~(1u << CAP_SYS_NICE);
    SHOW(syscall(SYS_capset, &h, d));
    SHOW(syscall(SYS_capget, &h, d));
    printf("%d\n", d[0].effective >> CAP_SYS_NICE & 1);
    h.pid = 1;
    SHOW(syscall(SYS_capset, &h, d));
    SHOW(syscall(SYS_capget, BAD, d));
}

static void scheduling(void)
{
    struct { unsigned size, policy; unsigned long long flags; int nice; unsigned priority;
             unsigned long long r, d, p; unsigned min, max; } a = { 0 };
    struct sched_param sp = { 0 };
    SHOW(syscall(SYS_sched_getattr, 0, &a, sizeof a, 0));
    printf("%u %u %d\n", a.size, a.policy, a.nice);
    SHOW(syscall(SYS_sched_getattr, 0, &a, 4, 0));
    SHOW(syscall(SYS_sched_getattr, 0, &a, sizeof a, 1));
    a.size = sizeof a;
    a.policy = SCHED_BATCH;
    SHOW(syscall(SYS_sched_setattr, 0, &a, 0));
    SHOW(sched_getscheduler(0));
    SHOW(sched_setscheduler(0, SCHED_OTHER, &sp));
    SHOW(sched_getscheduler(0x7ffffff));
    SHOW(sched_setscheduler(0, 77, &sp));
    SHOW(sched_get_priority_max(SCHED_FIFO));
    SHOW(sched_get_priority_min(SCHED_FIFO));
    SHOW(sched_get_priority_max(77));
    SHOW(sched_getparam(0, &sp));
    struct timespec ts;
    SHOW(sched_rr_get_interval(0, &ts));
    cpu_set_t set;
    CPU_ZERO(&set);
    SHOW(sched_getaffinity(0, sizeof set, &set));
    int first = 0;
    while (!CPU_ISSET(first, &set))
        first++;
    CPU_ZERO(&set);
    SHOW(sched_setaffinity(0, sizeof set, &set));
    CPU_SET(first, &set);
    SHOW(sched_setaffinity(0, sizeof set, &set));
    SHOW(sched_getcpu() == first);
    SHOW(syscall(SYS_sched_getaffinity, 0, 3, &set));
    unsigned cpu = 77, node = 77;
    SHOW(getcpu(&cpu, &node));
    printf("%d %d\n", cpu == first, node != 77);
    SHOW(syscall(SYS_get_mempolicy, NULL, NULL, 0, NULL, 0));
    SHOW(syscall(SYS_set_mempolicy, 77, NULL, 0));
    SHOW(syscall(SYS_set_mempolicy, 0, NULL, 0));
}

int main(void)
{
    names();
    flags();
    memory();
    tid_address();
    persons();
    limits();
    accounts();
    capabilities();
    scheduling();
    return 0;
}
