/* Dispositions, masks, alternate stacks; calls that are interrupted; contexts that are changed. */
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>

#include "test.h"

static volatile int depth, deepest, count;
static char order[64];
static volatile int n_order;

static void set(int sig, void (*f)(int), int flags, int also)
{
    struct sigaction a = {.sa_handler = f, .sa_flags = flags};
    if (also)
        sigaddset(&a.sa_mask, also);
    sigaction(sig, &a, NULL);
}

static void nested(int sig)
{
    order[n_order++] = sig == SIGUSR1 ? 'a' : sig == SIGUSR2 ? 'b' : 'c';
    if (++depth > deepest)
        deepest = depth;
    if (n_order < 5)
        raise(sig);
    if (sig == SIGUSR1 && n_order < 8)
        raise(SIGUSR2);
    depth--;
    order[n_order++] = sig == SIGUSR1 ? 'A' : sig == SIGUSR2 ? 'B' : 'C';
}

static void show_order(const char *what)
{
    order[n_order] = 0;
    printf("%s: %s deepest %d\n", what, order, deepest);
    n_order = deepest = 0;
}

static void nesting(void)
{
    set(SIGUSR2, nested, 0, 0);
    set(SIGUSR1, nested, 0, 0);
    raise(SIGUSR1);
    show_order("plain");
    set(SIGUSR1, nested, SA_NODEFER, 0);
    raise(SIGUSR1);
    show_order("SA_NODEFER");
    set(SIGUSR1, nested, 0, SIGUSR2);
    raise(SIGUSR1);
    show_order("mask");
    set(SIGUSR1, nested, SA_RESETHAND | SA_NODEFER, 0);
    struct sigaction now;
    n_order = 10;
    raise(SIGUSR1);
    sigaction(SIGUSR1, NULL, &now);
    printf("reset %d %x\n", now.sa_handler == SIG_DFL, now.sa_flags & ~0x04000000);
    n_order = deepest = 0;
    int status;
    pid_t pid = fork();
    if (!pid) {
        set(SIGUSR1, nested, SA_RESETHAND, 0);
        n_order = 10;
        raise(SIGUSR1);
        raise(SIGUSR1);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    printf("second one kills %d\n", WTERMSIG(status));
    /* Several pending, unblocked at once: all handled before the call returns. */
    sigset_t all, old;
    sigfillset(&all);
    set(SIGUSR1, nested, 0, 0);
    sigprocmask(SIG_SETMASK, &all, &old);
    n_order = 10;
    for (int i = 0; i < 3; i++)
        raise(SIGUSR1), raise(SIGUSR2), raise(SIGRTMIN), raise(SIGRTMIN + 1);
    set(SIGRTMIN, nested, 0, 0);
    set(SIGRTMIN + 1, nested, 0, 0);
    sigprocmask(SIG_SETMASK, &old, NULL);
    printf("at once %d\n", n_order - 10);
    n_order = deepest = 0;
}

/* ---- alternate stacks ---- */

static char alt[1 << 16], alt2[1 << 16];
static volatile int on_alt, alt_flags, rc, alt_errno;

static void look(int sig)
{
    char here;
    stack_t s;
    on_alt = &here >= alt && &here < alt + sizeof alt;
    sigaltstack(NULL, &s);
    alt_flags = s.ss_flags;
    stack_t other = {.ss_sp = alt2, .ss_size = sizeof alt2};
    errno = 0;
    rc = sigaltstack(&other, NULL);
    alt_errno = errno;
}

static void show_alt(const char *what)
{
    stack_t s;
    sigaltstack(NULL, &s);
    printf("%s: on %d flags %x change %d %d after %x %d\n", what, on_alt, alt_flags, rc, alt_errno,
           s.ss_flags, s.ss_sp == alt ? 1 : s.ss_sp == alt2 ? 2 : 0);
}

static jmp_buf back;
static void overflow(int sig, siginfo_t *i, void *uc) { longjmp(back, 1); }
static int deep(volatile char *p)
{
    volatile char room[4096];
    room[0] = *p + 1;
    return deep(room) + room[0];
}

static void stacks(void)
{
    stack_t s = {.ss_sp = alt, .ss_size = sizeof alt}, bad = s, off = {.ss_flags = SS_DISABLE};
    set(SIGUSR1, look, SA_ONSTACK, 0);
    set(SIGUSR2, look, 0, 0);
    raise(SIGUSR1);
    show_alt("none");
    SHOW(sigaltstack(&s, NULL));
    raise(SIGUSR1);
    show_alt("set");
    SHOW(sigaltstack(&s, NULL));
    raise(SIGUSR2);
    show_alt("not asked for");
    s.ss_flags = 1 << 31; /* SS_AUTODISARM */
    SHOW(sigaltstack(&s, NULL));
    raise(SIGUSR1);
    show_alt("autodisarm");
    s.ss_flags = SS_ONSTACK;
    SHOW(sigaltstack(&s, NULL));
    bad.ss_size = 100;
    SHOW(sigaltstack(&bad, NULL));
    bad.ss_flags = 77;
    SHOW(sigaltstack(&bad, NULL));
    SHOW(sigaltstack(BAD, NULL));
    SHOW(sigaltstack(&off, NULL));
    raise(SIGUSR1);
    show_alt("off");
    s.ss_flags = 0;
    sigaltstack(&s, NULL);
    struct sigaction a = {.sa_sigaction = overflow,
                          .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
    sigaction(SIGSEGV, &a, NULL);
    setrlimit(RLIMIT_STACK, &(struct rlimit){1 << 20, RLIM_INFINITY});
    char c = 0;
    if (!setjmp(back))
        deep(&c);
    else
        printf("stack overflow handled\n");
    /* Without one, the handler of an overflow can't run. */
    int status;
    pid_t pid = fork();
    if (!pid) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
        a.sa_flags = SA_SIGINFO;
        sigaction(SIGSEGV, &a, NULL);
        if (!setjmp(back))
            deep(&c);
        _exit(1);
    }
    waitpid(pid, &status, 0);
    printf("without a stack killed by %d\n", WIFSIGNALED(status) ? WTERMSIG(status) : 0);
    signal(SIGSEGV, SIG_DFL);
}

/* ---- interrupted calls ---- */

static void counts(int sig) { count++; }

/* Again and again: on a busy machine the first may come before the call has begun. */
static void alarms(int ms)
{
    struct itimerval t = {{0, 5000 * ms}, {0, 1000 * ms}};
    setitimer(ITIMER_REAL, &t, NULL);
}

#define SHOW_INTERRUPTED(call) \
    do { \
        alarms(10); \
        SHOW(call); \
        alarms(0); \
        handled += count > 0; \
        count = 0; \
    } while (0)

static int fds[2];
static int futex_word;

static long futex_wait(const struct timespec *timeout)
{
    return syscall(SYS_futex, &futex_word, FUTEX_WAIT, 0, timeout, NULL, 0);
}

static void interrupted(int flags)
{
    char c;
    struct timespec second = {1, 0}, left = {0, 0};
    struct pollfd p = {fds[0], POLLIN};
    struct epoll_event ev;
    fd_set set_;
    int ep = epoll_create1(0), sem = semget(IPC_PRIVATE, 1, 0600), q = msgget(IPC_PRIVATE, 0600);
    struct timeval tv = {1, 0};
    int s[2], handled = 0;
    socketpair(AF_UNIX, SOCK_STREAM, 0, s);
    setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv);
    set(SIGALRM, counts, flags, 0);
    printf("flags %x\n", flags);
    SHOW_INTERRUPTED(poll(&p, 1, 1000));
    SHOW_INTERRUPTED(nanosleep(&second, &left));
    printf("left %d\n", left.tv_sec == 0 && left.tv_nsec > 0);
    FD_ZERO(&set_);
    FD_SET(fds[0], &set_);
    SHOW_INTERRUPTED(select(fds[0] + 1, &set_, NULL, NULL, &(struct timeval){1, 0}));
    SHOW_INTERRUPTED(epoll_wait(ep, &ev, 1, 1000));
    SHOW_INTERRUPTED(pause());
    SHOW_INTERRUPTED(recv(s[0], &c, 1, 0));
    SHOW_INTERRUPTED(futex_wait(&second));
    SHOW_INTERRUPTED(semop(sem, &(struct sembuf){0, -1, 0}, 1));
    SHOW_INTERRUPTED(msgrcv(q, &left, 8, 0, 0));
    sigset_t none;
    sigemptyset(&none);
    SHOW_INTERRUPTED(sigsuspend(&none));
    struct timespec late = {1 << 30, 0};
    SHOW_INTERRUPTED(clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &late, NULL));
    semctl(sem, 0, IPC_RMID);
    msgctl(q, IPC_RMID, NULL);
    close(ep);
    printf("handled %d\n", handled);
}

/* Stopped and continued, without a handler: goes on where it was (restart_syscall). */
static void stopped(const char *what, int which)
{
    int status;
    pid_t pid = fork();
    if (!pid) {
        struct timespec t = {0, 150000000};
        struct pollfd p = {fds[0], POLLIN};
        signal(SIGALRM, SIG_DFL);
        int r = which == 0   ? nanosleep(&t, NULL)
                : which == 1 ? poll(&p, 1, 150)
                : which == 2 ? futex_wait(&t)
                             : usleep(150000);
        _exit(r == 0 ? 10 : errno);
    }
    usleep(40000);
    kill(pid, SIGSTOP);
    waitpid(pid, &status, WUNTRACED);
    usleep(20000);
    kill(pid, SIGCONT);
    waitpid(pid, &status, 0);
    printf("%s: %d\n", what, WEXITSTATUS(status));
}

/* The signal is pending when the call begins: the mask changes and it waits in one step. */
static void atomic_masks(void)
{
    sigset_t all, none;
    int ok = 0;
    sigfillset(&all);
    sigemptyset(&none);
    set(SIGUSR1, counts, 0, 0);
    sigprocmask(SIG_SETMASK, &all, NULL);
    struct pollfd p = {fds[0], POLLIN};
    struct epoll_event ev;
    int ep = epoll_create1(0);
    for (int i = 0; i < 50; i++) {
        raise(SIGUSR1);
        ok += sigsuspend(&none) == -1 && errno == EINTR;
        raise(SIGUSR1);
        ok += ppoll(&p, 1, NULL, &none) == -1 && errno == EINTR;
        raise(SIGUSR1);
        ok += pselect(0, NULL, NULL, NULL, NULL, &none) == -1 && errno == EINTR;
        raise(SIGUSR1);
        ok += epoll_pwait(ep, &ev, 1, -1, &none) == -1 && errno == EINTR;
    }
    sigset_t now;
    sigprocmask(SIG_SETMASK, NULL, &now);
    printf("atomic %d handled %d still blocked %d\n", ok, count, sigismember(&now, SIGUSR1));
    /* Nothing is pending, and what can be had at once is had. */
    write(fds[1], "x", 1);
    SHOW(ppoll(&p, 1, NULL, &none));
    raise(SIGUSR1);
    SHOW(ppoll(&p, 1, NULL, &all));
    char c;
    read(fds[0], &c, 1);
    sigprocmask(SIG_SETMASK, &none, NULL);
    printf("then %d\n", count);
    count = 0;
}

/* Wake-ups are never lost: two processes play ping-pong by signals. */
static void ping_pong(void)
{
    sigset_t usr1, none;
    sigemptyset(&usr1);
    sigaddset(&usr1, SIGUSR1);
    sigemptyset(&none);
    sigprocmask(SIG_BLOCK, &usr1, NULL);
    set(SIGUSR1, counts, 0, 0);
    pid_t parent = getpid(), pid = fork();
    for (int i = 0; i < 2000; i++) {
        if (pid) {
            kill(pid, SIGUSR1);
            sigsuspend(&none);
        } else {
            sigsuspend(&none);
            kill(parent, SIGUSR1);
        }
    }
    if (!pid)
        _exit(0);
    waitpid(pid, NULL, 0);
    sigprocmask(SIG_UNBLOCK, &usr1, NULL);
    printf("ping-pong %d\n", count);
    count = 0;
}

/* ---- contexts ---- */

static void *good;
static volatile long result;

/* As language runtimes do with null checks: the handler goes on elsewhere. */
static void skip(int sig, siginfo_t *i, void *opaque)
{
    ucontext_t *uc = opaque;
#if defined __aarch64__
    uc->uc_mcontext.pc += 4;
    uc->uc_mcontext.regs[0] = 4711;
#elif defined __riscv
    uc->uc_mcontext.__gregs[0] += 4;
    uc->uc_mcontext.__gregs[10] = 4711;
#else
    uc->uc_mcontext.gregs[REG_RIP] += 2;
    uc->uc_mcontext.gregs[REG_RAX] = 4711;
#endif
}

static long load(long *at)
{
#if defined __aarch64__
    register long r __asm__("x0") = (long)at;
    __asm__ volatile("ldr w0, [x0]" : "+r"(r) : : "memory");
#elif defined __riscv
    register long r __asm__("a0") = (long)at;
    __asm__ volatile(".option push\n.option norvc\nlw a0, 0(a0)\n.option pop"
                     : "+r"(r) : : "memory");
#else
    register long r __asm__("rax") = (long)at;
    __asm__ volatile("movl (%%rax), %%eax" : "+r"(r) : : "memory");
#endif
    return r;
}

static ucontext_t main_context, green[4];
static char green_stack[4][65536] __attribute__((aligned(16)));
static int trail[64], n_trail;

static void green_main(int n)
{
    for (int i = 0; i < 3; i++) {
        trail[n_trail++] = n * 10 + i;
        swapcontext(&green[n], &green[(n + 1) % 4]);
    }
    trail[n_trail++] = n * 10 + 9;
}

/* Preemption: the handler of a timer swaps contexts. */
static ucontext_t pre[2], pre_main;
static volatile int current, switches;
static volatile unsigned long work[2];
/* Longer each time: on a busy machine a short while is over before anything has run. */
static void preempt_soon(void)
{
    setitimer(ITIMER_REAL, &(struct itimerval){{0, 0}, {0, 2000 + 100 * switches}}, NULL);
}
static void preempt(int sig)
{
    int from = current;
    if (++switches >= 20 && (switches >= 5000 || (work[0] && work[1]))) {
        setitimer(ITIMER_REAL, &(struct itimerval){0}, NULL);
        swapcontext(&pre[from], &pre_main);
    }
    current = !from;
    preempt_soon();
    swapcontext(&pre[from], &pre[current]);
}
static void spin(int n)
{
    for (;;)
        work[n]++;
}

static void contexts(void)
{
    struct sigaction a = {.sa_sigaction = skip, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &a, NULL);
    long sum = 0;
    for (int i = 0; i < 1000; i++)
        sum += load((long *)8) & 0xffff;
    printf("null checks %ld\n", sum);
    signal(SIGSEGV, SIG_DFL);
    for (int i = 0; i < 4; i++) {
        getcontext(&green[i]);
        green[i].uc_stack.ss_sp = green_stack[i];
        green[i].uc_stack.ss_size = sizeof green_stack[i];
        green[i].uc_link = i == 3 ? &main_context : &green[i + 1];
        makecontext(&green[i], (void (*)(void))green_main, 1, i);
    }
    swapcontext(&main_context, &green[0]);
    for (int i = 0; i < n_trail; i++)
        printf("%d ", trail[i]);
    printf("\n");
    for (int i = 0; i < 2; i++) {
        getcontext(&pre[i]);
        pre[i].uc_stack.ss_sp = green_stack[i];
        pre[i].uc_stack.ss_size = sizeof green_stack[i];
        pre[i].uc_link = NULL;
        makecontext(&pre[i], (void (*)(void))spin, 1, i);
    }
    set(SIGALRM, preempt, 0, 0);
    preempt_soon();
    swapcontext(&pre_main, &pre[0]);
    printf("preempted %d, both ran %d\n", switches >= 20, work[0] > 0 && work[1] > 0);
}

int main(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    pipe(fds);
    nesting();
    stacks();
    interrupted(0);
    interrupted(SA_RESTART);
    stopped("nanosleep", 0);
    stopped("poll", 1);
    stopped("futex", 2);
    stopped("usleep", 3);
    atomic_masks();
    ping_pong();
    contexts();
    return 0;
}
