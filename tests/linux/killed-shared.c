/* Processes that share their parent's memory are killed by signals while the emulator translates
 * for them; the parent has code translated afterwards. Beside the parent, and while it waits. */
#define _GNU_SOURCE
#include <sched.h>
#include <stdatomic.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS = 160, CODE_BYTES = 4096 };

static char stack[1 << 16] __attribute__((aligned(16)));
enum { KINDS = 4, KILL = 3 }; /* the last one by the killer */
static const int signals[] = {SIGALRM, SIGVTALRM, SIGPROF, SIGKILL};
static const int timers[] = {ITIMER_REAL, ITIMER_VIRTUAL, ITIMER_PROF};

typedef struct Victim { atomic_int pid, us; } Victim;
static Victim *victim; /* shared with the killer */

/* New code that returns n. */
static int run_new(uint32_t *code, unsigned n)
{
    n &= 0x3ff;
    int (*f)(void) = (int (*)(void))(uintptr_t)code;
#if defined __aarch64__
    const uint32_t text[] = {0x52800000 | n << 5, 0xd65f03c0}; /* mov w0, #n; ret */
#elif defined __riscv
    const uint32_t text[] = {0x00000513 | n << 20, 0x00008067}; /* li a0, n; ret */
#else
    const uint32_t text[] = {0xb8 | n << 8, 0xc300}; /* mov eax, n; ret */
#endif
    memcpy(code, text, sizeof text);
    __builtin___clear_cache((char *)code, (char *)code + sizeof text);
    return f() == (int)n;
}

static void *new_page(void)
{
    return mmap(NULL, CODE_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
                -1, 0);
}

typedef struct Child { void *page; int which; unsigned us; } Child;

static void killer(void)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (;;) {
        while (!victim->pid)
            usleep(50);
        usleep((unsigned)victim->us);
        kill(victim->pid, SIGKILL);
        victim->pid = 0;
    }
}

static int child(void *arg)
{
    const Child *c = arg;
    struct itimerval soon = {.it_value.tv_usec = c->us};
    if (c->which == KILL) {
        victim->us = (int)c->us;
        victim->pid = getpid();
    } else {
        setitimer(timers[c->which], &soon, NULL);
    }
    for (unsigned n = 0;; n++)
        if (!run_new(c->page, n))
            return 1;
}

static int killed_rightly(int flags)
{
    int ok = 0, status;
    for (unsigned n = 0; n < ROUNDS; n++) {
        Child c = {new_page(), n % KINDS, 200 + n * 37 % 1500};
        pid_t pid = clone(child, stack + sizeof stack, CLONE_VM | flags | SIGCHLD, &c);
        for (int k = 0; !flags && k < 20; k++) /* beside it */
            run_new(new_page(), n + (unsigned)k);
        ok += waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) &&
              WTERMSIG(status) == signals[c.which] && run_new(c.page, n);
    }
    return ok;
}

/* Its own dispositions are as they are said to be. */
static int own(void *arg)
{
    struct sigaction a;
    int dead = 0;
    for (int sig = 1; sig < 32; sig++)
        dead += sigaction(sig, NULL, &a) == 0 && a.sa_handler == SIG_DFL;
    signal(SIGTERM, SIG_IGN);
    raise(SIGTERM);
    raise(SIGHUP); /* was ignored by its parent */
    raise(SIGCHLD);
    signal(SIGTERM, SIG_DFL);
    *(int *)arg = dead;
    raise(SIGTERM);
    return 1;
}

int main(void)
{
    int dead = 0, status;
    victim = mmap(NULL, sizeof *victim, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t helper = fork();
    if (!helper)
        killer();
    printf("beside its parent %d\n", killed_rightly(0));
    printf("while it waits %d\n", killed_rightly(CLONE_VFORK));
    signal(SIGHUP, SIG_IGN);
    pid_t pid = clone(own, stack + sizeof stack, CLONE_VM | SIGCHLD, &dead);
    printf("waited %d", waitpid(pid, &status, 0) == pid);
    printf(" by default %d signal %d\n", dead, WTERMSIG(status));
    kill(helper, SIGKILL);
    waitpid(helper, &status, 0);
    return 0;
}
