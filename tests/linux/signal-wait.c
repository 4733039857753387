/* Waiting for signals that the processor raises too, but somebody sent; and for a time, across
 * stops and tracers. */
#include "test.h"

#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>

static sigset_t set_of(int a, int b)
{
    sigset_t s;
    sigemptyset(&s);
    sigaddset(&s, a);
    sigaddset(&s, b);
    return s;
}

static double now(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec + ts.tv_nsec / 1e9;
}

static volatile int waiter_tid;

static void *waiter(void *arg)
{
    sigset_t s = set_of(SIGSEGV, SIGTRAP);
    siginfo_t info = {0};
    waiter_tid = (int)gettid();
    for (int i = 0; i < 3; i++) {
        int sig = sigwaitinfo(&s, &info);
        printf("waited: %d code %d pid %d\n", sig, info.si_code, info.si_pid == getpid());
    }
    return NULL;
}

static void threads(void)
{
    pthread_t t;
    sigset_t s = set_of(SIGSEGV, SIGTRAP), pending;
    struct timespec ts = {0, 50000000};
    siginfo_t info;
    sigprocmask(SIG_BLOCK, &s, NULL);
    pthread_create(&t, NULL, waiter, NULL);
    while (!waiter_tid)
        usleep(1000);
    usleep(50000);
    kill(getpid(), SIGSEGV);
    usleep(50000);
    tgkill(getpid(), waiter_tid, SIGTRAP);
    usleep(50000);
    sigqueue(getpid(), SIGTRAP, (union sigval){.sival_int = 5});
    pthread_join(t, NULL);
    /* One that comes before anybody waits for it. */
    kill(getpid(), SIGSEGV);
    sigpending(&pending);
    printf("pending %d\n", sigismember(&pending, SIGSEGV));
    SHOW(sigtimedwait(&s, &info, &ts));
    SHOW(sigtimedwait(&s, &info, &ts));
    fflush(stdout);
    pid_t pid = fork(), parent = getppid();
    if (pid == 0) {
        usleep(50000);
        kill(getppid(), SIGSEGV);
        _exit(0);
    }
    ts.tv_sec = 5;
    SHOW(sigtimedwait(&s, &info, &ts));
    printf("from the child %d\n", info.si_pid == pid);
    waitpid(pid, NULL, 0);
    /* Blocked, so it doesn't end a sleep. */
    pid = fork();
    if (pid == 0) {
        usleep(50000);
        kill(getppid(), SIGSEGV);
        _exit(0);
    }
    signal(SIGCHLD, SIG_DFL);
    double start = now();
    SHOW(usleep(200000));
    printf("slept %d\n", now() - start > 0.19);
    waitpid(pid, NULL, 0);
    ts.tv_sec = 0;
    SHOW(sigtimedwait(&s, &info, &ts));
}

/* ---- sleeps ---- */

static int do_nanosleep(void)
{
    struct timespec ts = {0, 400000000};
    return nanosleep(&ts, NULL);
}

static int do_clock(void)
{
    struct timespec ts = {0, 400000000}, rem;
    return clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, &rem);
}

static int do_futex(void)
{
    int word = 0;
    struct timespec ts = {0, 400000000};
    long r = syscall(SYS_futex, &word, FUTEX_WAIT, 0, &ts, NULL, 0);
    return r == -1 && errno == ETIMEDOUT ? 0 : 1;
}

static int do_ppoll(void)
{
    struct timespec ts = {0, 400000000};
    return ppoll(NULL, 0, &ts, NULL);
}

static const struct { const char *name; int (*run)(void); } sleeps[] = {
    {"nanosleep", do_nanosleep}, {"clock_nanosleep", do_clock}, {"futex", do_futex},
    {"ppoll", do_ppoll},
};

/* How long it took in hundredths of seconds, as the sleeper's status. */
static pid_t sleeper(int (*run)(void), int traced)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid)
        return pid;
    if (traced) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
    }
    double start = now();
    int r = run();
    _exit(r ? 200 : (int)((now() - start) * 100));
}

static void report(const char *how, const char *name, int status)
{
    int t = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    printf("%s %s: %s\n", how, name,
           t == 200 ? "given up" : t >= 39 && t < 75 ? "as long" : "other");
}

static void stops(void)
{
    for (size_t i = 0; i < sizeof sleeps / sizeof *sleeps; i++) {
        int status;
        pid_t pid = sleeper(sleeps[i].run, 0);
        for (int j = 0; j < 3; j++) {
            usleep(60000);
            kill(pid, SIGSTOP);
            usleep(30000);
            kill(pid, SIGCONT);
        }
        waitpid(pid, &status, 0);
        report("stopped", sleeps[i].name, status);

        pid = sleeper(sleeps[i].run, 0);
        usleep(200000);
        ptrace(PTRACE_SEIZE, pid, 0, 0);
        for (int j = 0; j < 3; j++) {
            ptrace(PTRACE_INTERRUPT, pid, 0, 0);
            waitpid(pid, &status, 0);
            ptrace(PTRACE_SYSCALL, pid, 0, 0);
            usleep(10000);
        }
        /* Only now a futex's end is known to the tracee's emulator. */
        if (sleeps[i].run == do_futex) {
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
        } else {
            while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status))
                ptrace(PTRACE_CONT, pid, 0, 0);
            report("seized", sleeps[i].name, status);
        }

        pid = sleeper(sleeps[i].run, 1);
        waitpid(pid, &status, 0);
        ptrace(PTRACE_CONT, pid, 0, 0);
        for (int j = 0; j < 4; j++) {
            usleep(50000);
            kill(pid, SIGURG); /* ignored, but a tracer sees it */
            if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
                break;
            ptrace(PTRACE_CONT, pid, 0, WSTOPSIG(status));
        }
        while (WIFSTOPPED(status) && waitpid(pid, &status, 0) == pid && WIFSTOPPED(status))
            ptrace(PTRACE_CONT, pid, 0, WSTOPSIG(status));
        report("traced", sleeps[i].name, status);
    }
    SHOW(syscall(SYS_restart_syscall));
}

int main(void)
{
    threads();
    stops();
    return 0;
}
