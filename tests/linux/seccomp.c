/* seccomp: what programs are refused, every action, stacking, threads, inheritance over fork and
 * exec, strict mode, supervisors. Each case runs in a child of its own. */
#include "test.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#if defined __aarch64__
#define ARCH AUDIT_ARCH_AARCH64
#elif defined __riscv
#define ARCH AUDIT_ARCH_RISCV64
#else
#define ARCH AUDIT_ARCH_X86_64
#endif
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define IF(value, yes, no) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, yes, no)
#define RET(value) BPF_STMT(BPF_RET | BPF_K, value)
#define N(a) (sizeof(a) / sizeof *(a))

static char *self;

static long install(struct sock_filter *f, unsigned n, unsigned flags)
{
    struct sock_fprog p = { n, f };
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &p);
}

static long on_call(long nr, unsigned action, unsigned flags)
{
    struct sock_filter f[] = { LOAD(arch), IF(ARCH, 1, 0), RET(SECCOMP_RET_KILL_PROCESS), LOAD(nr),
                               IF((unsigned)nr, 0, 1), RET(action), RET(SECCOMP_RET_ALLOW) };
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    return install(f, N(f), flags);
}

/* Runs it in a child, and says how that ended. */
static void in_child(const char *name, void (*f)(void))
{
    int status;

    printf("- %s\n", name);
    fflush(stdout);
    if (fork() == 0) {
        f();
        fflush(stdout);
        _exit(7);
    }
    wait(&status);
    if (WIFSIGNALED(status))
        printf("killed by %s\n", strsignal(WTERMSIG(status)));
    else
        printf("exit %d\n", WEXITSTATUS(status));
}

static void rights(void)
{
    struct sock_filter f[] = { RET(SECCOMP_RET_ALLOW) };
    setuid(65534);
    SHOW(prctl(PR_GET_SECCOMP));
    SHOW(install(f, 1, 0));
    SHOW(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &(struct sock_fprog){ 1, f }));
    SHOW(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    SHOW(install(f, 1, 0));
    SHOW(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &(struct sock_fprog){ 1, f }));
    SHOW(prctl(PR_GET_SECCOMP));
    SHOW(prctl(PR_SET_SECCOMP, 3, 0));
    SHOW(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT));
    char line[256];
    FILE *s = fopen("/proc/self/status", "r");
    while (s && fgets(line, sizeof line, s))
        if (!strncmp(line, "Seccomp:", 8) || !strncmp(line, "NoNewPrivs:", 11))
            fputs(line, stdout);
}

static void programs(void)
{
    struct sock_filter good[] = { LOAD(args[0]), BPF_STMT(BPF_ST, 3), BPF_STMT(BPF_LD | BPF_MEM, 3),
                                  BPF_STMT(BPF_MISC | BPF_TAX, 0),
                                  BPF_STMT(BPF_ALU | BPF_ADD | BPF_X, 0),
                                  BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0), RET(SECCOMP_RET_ALLOW) };
    struct sock_filter modulo[] = { BPF_STMT(BPF_ALU | BPF_MOD | BPF_K, 3), RET(0) };
    struct sock_filter no_ret[] = { LOAD(nr) };
    struct sock_filter far[] = { BPF_JUMP(BPF_JMP | BPF_JA, 1, 0, 0), RET(0) };
    struct sock_filter far2[] = { IF(0, 1, 0), RET(0) };
    struct sock_filter unwritten[] = { BPF_STMT(BPF_LD | BPF_MEM, 3), RET(0) };
    struct sock_filter maybe[] = { IF(0, 1, 0), BPF_STMT(BPF_ST, 3), BPF_STMT(BPF_LD | BPF_MEM, 3),
                                   RET(0) };
    struct sock_filter odd[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 2), RET(0) };
    struct sock_filter beyond[] = { BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 64), RET(0) };
    struct sock_filter byte[] = { BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 0), RET(0) };
    struct sock_filter zero[] = { BPF_STMT(BPF_ALU | BPF_DIV | BPF_K, 0), RET(0) };
    struct sock_filter shift[] = { BPF_STMT(BPF_ALU | BPF_LSH | BPF_K, 32), RET(0) };
    struct sock_filter nonsense[] = { { 0xffff, 0, 0, 0 }, RET(0) };

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    SHOW(install(good, N(good), 0));
    SHOW(install(modulo, N(modulo), 0));
    SHOW(install(no_ret, N(no_ret), 0));
    SHOW(install(far, N(far), 0));
    SHOW(install(far2, N(far2), 0));
    SHOW(install(unwritten, N(unwritten), 0));
    SHOW(install(maybe, N(maybe), 0));
    SHOW(install(odd, N(odd), 0));
    SHOW(install(beyond, N(beyond), 0));
    SHOW(install(byte, N(byte), 0));
    SHOW(install(zero, N(zero), 0));
    SHOW(install(shift, N(shift), 0));
    SHOW(install(nonsense, N(nonsense), 0));
    SHOW(install(good, 0, 0));
    SHOW(install(good, 5000, 0));
    SHOW(install(BAD, 3, 0));
    SHOW(install(good, N(good), 1 << 20));
    SHOW(install(good, N(good), SECCOMP_FILTER_FLAG_LOG | SECCOMP_FILTER_FLAG_SPEC_ALLOW));
    SHOW(install(good, N(good), SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_NEW_LISTENER));
    SHOW(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, BAD));
    SHOW(syscall(SYS_seccomp, 77, 0, 0));
    SHOW(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 1, 0));
    unsigned a = SECCOMP_RET_TRAP, b = 0x12340000;
    SHOW(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &a));
    SHOW(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &b));
    SHOW(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 1, &a));
    SHOW(syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, BAD));
    struct seccomp_notif_sizes sizes;
    SHOW(syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes));
    printf("%d %d %d\n", sizes.seccomp_notif, sizes.seccomp_notif_resp, sizes.seccomp_data);
}

static void too_long(void)
{
    static struct sock_filter f[4096];
    int n = 0;
    for (unsigned i = 0; i < N(f); i++)
        f[i] = (struct sock_filter)RET(SECCOMP_RET_ALLOW);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    while (n < 20 && install(f, N(f), 0) == 0)
        n++;
    printf("%s at last\n", n < 20 ? strerrorname_np(errno) : "not");
}

static void errors(void)
{
    SHOW(on_call(SYS_getppid, SECCOMP_RET_ERRNO | EXDEV, 0));
    SHOW(syscall(SYS_getppid));
    SHOW(syscall(SYS_getpgid, 0) > 0);
    SHOW(on_call(SYS_sched_yield, SECCOMP_RET_ERRNO, 0));
    SHOW(syscall(SYS_sched_yield));
    SHOW(on_call(SYS_umask, SECCOMP_RET_ERRNO | 0xffff, 0));
    errno = 0;
    syscall(SYS_umask, 0);
    SHOW(errno);
    SHOW(on_call(SYS_sync, SECCOMP_RET_LOG, 0));
    SHOW(on_call(SYS_setpgid, SECCOMP_RET_TRACE | 3, 0));
    SHOW(syscall(SYS_setpgid, 0, 0));
    SHOW(on_call(SYS_getsid, SECCOMP_RET_USER_NOTIF, 0));
    SHOW(syscall(SYS_getsid, 0));
    /* Numbers that no kernel has are judged too. */
    SHOW(syscall(5000));
    SHOW(on_call(5000, SECCOMP_RET_ERRNO | EDOM, 0));
    SHOW(syscall(5000));
    /* The strictest of several counts, of equals the newest. */
    SHOW(on_call(SYS_getppid, SECCOMP_RET_ALLOW, 0));
    SHOW(syscall(SYS_getppid));
    SHOW(on_call(SYS_getppid, SECCOMP_RET_ERRNO | ENOTTY, 0));
    SHOW(syscall(SYS_getppid));
    SHOW(on_call(SYS_getppid, SECCOMP_RET_TRACE, 0));
    SHOW(syscall(SYS_getppid));
    fflush(stdout);
    if (fork() == 0) {
        SHOW(syscall(SYS_getppid));
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
}

static void arguments(void)
{
    struct sock_filter f[] = {
        LOAD(nr), IF(SYS_lseek, 0, 4),
        LOAD(args[1]), IF(0x89abcdef, 0, 2),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1]) + 4),
        IF(0x01234567, 1, 0),
        RET(SECCOMP_RET_ALLOW), RET(SECCOMP_RET_ERRNO | ECHILD) };
    struct sock_filter g[] = {
        LOAD(nr), IF(SYS_getpriority, 0, 4),
        LOAD(args[0]), BPF_STMT(BPF_ALU | BPF_MUL | BPF_K, 3),
        BPF_STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO), BPF_STMT(BPF_RET | BPF_A, 0),
        RET(SECCOMP_RET_ALLOW) };
    /* A division by a zero in X ends it with 0, which kills. */
    struct sock_filter d[] = {
        LOAD(nr), IF(SYS_getpgid, 0, 3),
        LOAD(args[0]), BPF_STMT(BPF_MISC | BPF_TAX, 0), BPF_STMT(BPF_ALU | BPF_DIV | BPF_X, 0),
        RET(SECCOMP_RET_ALLOW) };

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    SHOW(install(f, N(f), 0));
    SHOW(syscall(SYS_lseek, -1, 0x0123456789abcdefl, 0));
    SHOW(syscall(SYS_lseek, -1, 0x0123456889abcdefl, 0));
    SHOW(install(g, N(g), 0));
    SHOW(syscall(SYS_getpriority, 11));
    SHOW(install(d, N(d), 0));
    SHOW(syscall(SYS_getpgid, getpid()) > 0);
    fflush(stdout);
    syscall(SYS_getpgid, 0);
}

static volatile sig_atomic_t trapped;

static void on_sys(int sig, siginfo_t *info, void *uc)
{
    trapped++;
    printf("SIGSYS code %d errno %d number %d arch %d address %d\n", info->si_code, info->si_errno,
           info->si_syscall == SYS_getppid, info->si_arch == ARCH, info->si_call_addr != NULL);
}

static void traps(void)
{
    struct sigaction sa = { .sa_sigaction = on_sys, .sa_flags = SA_SIGINFO };
    sigaction(SIGSYS, &sa, NULL);
    SHOW(on_call(SYS_getppid, SECCOMP_RET_TRAP | 77, 0));
    syscall(SYS_getppid);
    syscall(SYS_getppid);
    SHOW(trapped);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGSYS);
    sigprocmask(SIG_BLOCK, &set, NULL);
    fflush(stdout);
    syscall(SYS_getppid);
    printf("not here\n");
}

static void trap_default(void)
{
    on_call(SYS_getppid, SECCOMP_RET_TRAP, 0);
    syscall(SYS_getppid);
}

static void kill_call(void)
{
    on_call(SYS_getppid, SECCOMP_RET_KILL_THREAD, 0);
    syscall(SYS_getppid);
}

static void unknown_action(void)
{
    on_call(SYS_getppid, 0x00770000, 0);
    syscall(SYS_getppid);
}

static void *call_getppid(void *arg)
{
    syscall(SYS_getppid);
    return NULL;
}

static void kill_in_thread(void)
{
    pthread_t t;
    on_call(SYS_getppid, SECCOMP_RET_KILL_THREAD, 0);
    pthread_create(&t, NULL, call_getppid, NULL);
    usleep(100000);
    printf("the others live\n");
}

static void kill_from_thread(void)
{
    pthread_t t;
    on_call(SYS_getppid, SECCOMP_RET_KILL_PROCESS, 0);
    pthread_create(&t, NULL, call_getppid, NULL);
    pthread_join(t, NULL);
    pause();
}

static pthread_barrier_t barrier;

static void *waits(void *own)
{
    if (own)
        on_call(SYS_sched_yield, SECCOMP_RET_ERRNO | EIO, 0);
    pthread_barrier_wait(&barrier);
    pthread_barrier_wait(&barrier);
    errno = 0;
    long r = syscall(SYS_getsid, 0);
    return (void *)(long)(r == -1 && errno == ESTALE);
}

static void sync_threads(void)
{
    pthread_t t;
    void *ret;
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_create(&t, NULL, waits, NULL);
    pthread_barrier_wait(&barrier);
    SHOW(on_call(SYS_getsid, SECCOMP_RET_ERRNO | ESTALE, SECCOMP_FILTER_FLAG_TSYNC));
    pthread_barrier_wait(&barrier);
    pthread_join(t, &ret);
    printf("the thread has it %ld\n", (long)ret);
    pthread_create(&t, NULL, waits, "own");
    pthread_barrier_wait(&barrier);
    SHOW(on_call(SYS_getsid, SECCOMP_RET_ERRNO | EPIPE, SECCOMP_FILTER_FLAG_TSYNC) > 0);
    SHOW(on_call(SYS_getsid, SECCOMP_RET_ERRNO | EPIPE,
                 SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_TSYNC_ESRCH));
    pthread_barrier_wait(&barrier);
    pthread_join(t, &ret);
    printf("the thread has it %ld\n", (long)ret);
}

static void strict(void)
{
    fflush(stdout);
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT);
    write(1, "strict\n", 7);
    syscall(SYS_exit, 9);
}

static void strict_killed(void)
{
    syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL);
    write(1, "strict\n", 7);
    syscall(SYS_getpid);
}

static void over_exec(void)
{
    on_call(SYS_getppid, SECCOMP_RET_ERRNO | EXDEV, 0);
    on_call(SYS_getsid, SECCOMP_RET_ERRNO | ENODEV, 0);
    fflush(stdout);
    execl(self, self, "again", NULL);
    printf("exec: %s\n", strerrorname_np(errno));
}

/* ---- a supervisor ---- */

static int listener;

static void *supervised(void *arg)
{
    listener = on_call(SYS_getppid, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER);
    printf("listener %d\n", listener >= 0);
    SHOW(on_call(SYS_getppid, SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER));
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < 4; i++) {
        errno = 0;
        long r = syscall(SYS_getppid, 11l, 22l, 33l, 44l, 55l, 0x66000000066l);
        if (i == 3)
            printf("continued %d\n", r == (long)arg);
        else
            printf("answered %ld %s\n", r, r == -1 ? strerrorname_np(errno) : "");
        pthread_barrier_wait(&barrier);
    }
    return NULL;
}

static void supervisor(void)
{
    pthread_t t;
    pthread_barrier_init(&barrier, NULL, 2);
    pthread_create(&t, NULL, supervised, (void *)(long)getppid());
    pthread_barrier_wait(&barrier);
    if (listener < 0)
        return;
    for (int i = 0; i < 4; i++) {
        struct seccomp_notif n = { 0 };
        struct seccomp_notif_resp r = { 0 };
        SHOW(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &n));
        printf("number %d arch %d args %llx %llx pid %d\n", n.data.nr == SYS_getppid,
               n.data.arch == ARCH, n.data.args[0], n.data.args[5], n.pid != 0);
        SHOW(ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &n.id));
        r.id = n.id;
        if (i == 0)
            r.val = 4711;
        else if (i == 1)
            r.error = -EUSERS;
        else if (i == 2)
            r.error = -ENOSYS;
        else
            r.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        int sent = ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &r);
        pthread_barrier_wait(&barrier);
        SHOW(sent);
        SHOW(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &r));
    }
    pthread_join(t, NULL);
    SHOW(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, BAD));
}

int main(int argc, char **argv)
{
    self = argv[0];
    if (argc > 1) {
        SHOW(syscall(SYS_getppid));
        SHOW(syscall(SYS_getsid, 0));
        SHOW(prctl(PR_GET_SECCOMP));
        return 0;
    }
    in_child("rights", rights);
    in_child("programs", programs);
    in_child("too long", too_long);
    in_child("errors", errors);
    in_child("arguments", arguments);
    in_child("traps", traps);
    in_child("trap by default", trap_default);
    in_child("kill", kill_call);
    in_child("unknown action", unknown_action);
    in_child("kill a thread", kill_in_thread);
    in_child("kill from a thread", kill_from_thread);
    in_child("all threads", sync_threads);
    in_child("strict", strict);
    in_child("strict, killed", strict_killed);
    in_child("exec", over_exec);
    in_child("supervisor", supervisor);
    return 0;
}
