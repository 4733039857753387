/* Syscall user dispatch: calls become signals while a byte says so. */
#include "test.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif
#ifndef SYS_USER_DISPATCH
#define SYS_USER_DISPATCH 2
#endif

static volatile char selector;
static volatile int seen, code, number, error, arch, again;
static volatile uintptr_t where;

static void on_sys(int sig, siginfo_t *info, void *uc)
{
    (void)sig, (void)uc;
    selector = 0;
    seen++;
    code = info->si_code;
    number = info->si_syscall;
    error = info->si_errno;
    arch = info->si_arch;
    where = (uintptr_t)info->si_call_addr;
}

static long set(unsigned long mode, unsigned long offset, unsigned long len, volatile char *at)
{
    return prctl(PR_SET_SYSCALL_USER_DISPATCH, mode, offset, len, at);
}

/* The call and the address behind it. */
__attribute__((noinline)) static long call(long nr, uintptr_t *ret_behind)
{
    uintptr_t pc;
    long r;
#if defined __x86_64__
    __asm__ volatile("lea 1f(%%rip), %1; syscall; 1:" : "=a"(r), "=&b"(pc) : "0"(nr)
                     : "rcx", "r11", "memory");
#elif defined __aarch64__
    register long x8 __asm__("x8") = nr;
    register long x0 __asm__("x0") = 0;
    __asm__ volatile("adr %1, 1f; svc 0; 1:" : "+r"(x0), "=&r"(pc) : "r"(x8) : "memory");
    r = x0;
#else
    register long a7 __asm__("a7") = nr;
    register long a0 __asm__("a0") = 0;
    __asm__ volatile("lla %1, 1f; ecall; 1:" : "+r"(a0), "=&r"(pc) : "r"(a7) : "memory");
    r = a0;
#endif
    *ret_behind = pc;
    return r;
}

/* The selector is the first thread's too, which may make no call while it says "block": both wait
 * for one another without any. */
static volatile int started, finished;

static void *thread(void *arg)
{
    uintptr_t pc;
    while (!started)
        ;
    selector = 1;
    int same = call(SYS_getppid, &pc) == getppid();
    selector = 0;
    finished = 1;
    printf("thread %d\n", same);
    return NULL;
}

static int child(int (*run)(void))
{
    int status;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0)
        _exit(run());
    waitpid(pid, &status, 0);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static int bad_value(void)
{
    set(1, 0, 0, &selector);
    selector = 7;
    getppid();
    return 0;
}

static int bad_selector(void)
{
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    set(1, 0, 0, page);
    munmap(page, 4096);
    getppid();
    return 0;
}

static int no_handler(void)
{
    signal(SIGSYS, SIG_DFL);
    set(1, 0, 0, &selector);
    selector = 1;
    getppid();
    return 0;
}

static int inherited(void)
{
    uintptr_t pc;
    selector = 1;
    long r = call(SYS_getpid, &pc);
    selector = 0;
    return r == getpid() ? 42 : 43;
}

/* struct ptrace_sud_config */
typedef struct Config { uint64_t mode, selector, offset, len; } Config;
enum { SET_CONFIG = 0x4210, GET_CONFIG = 0x4211 };

static void try_config(pid_t pid, Config c, unsigned long size)
{
    long r = ptrace(SET_CONFIG, pid, (void *)size, &c);
    printf("set %d: %s\n", (int)c.mode, r ? strerror(errno) : "done");
}

static void print_config(pid_t pid)
{
    Config c = {9, 9, 9, 9};
    long r = ptrace(GET_CONFIG, pid, (void *)sizeof c, &c);
    printf("get %ld: mode %d selector %d offset %d len %d\n", r, (int)c.mode,
           c.selector == (uintptr_t)&selector, (int)c.offset, (int)c.len);
}

/* The tracer has the tracee's calls dispatched, and ends that. */
static void test_traced(void)
{
    Config on = {1, (uintptr_t)&selector, 0, 0};
    int status;
    fflush(stdout);
    pid_t pid = fork();
    if (!pid) {
        uintptr_t pc;
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        seen = 0;
        selector = 1;
        call(SYS_getpid, &pc);
        raise(SIGSTOP);
        selector = 1;
        _exit(call(SYS_getpid, &pc) == getpid() ? seen : 100);
    }
    waitpid(pid, &status, 0);
    print_config(pid);
    try_config(pid, on, sizeof on - 8);
    try_config(pid, (Config){7}, sizeof on);
    try_config(pid, (Config){0, 0, 1, 0}, sizeof on);
    try_config(pid, (Config){1, -4096, 0, 0}, sizeof on);
    try_config(pid, on, sizeof on);
    print_config(pid);
    ptrace(PTRACE_CONT, pid, 0, 0);
    waitpid(pid, &status, 0);
    printf("stops by %d\n", WIFSTOPPED(status) ? WSTOPSIG(status) : 0);
    ptrace(PTRACE_CONT, pid, 0, (void *)(long)SIGSYS);
    waitpid(pid, &status, 0);
    print_config(pid);
    try_config(pid, (Config){0}, sizeof on);
    print_config(pid);
    ptrace(PTRACE_CONT, pid, 0, 0);
    waitpid(pid, &status, 0);
    printf("ends %#x\n", status);
}

int main(void)
{
    struct sigaction sa = {.sa_sigaction = on_sys, .sa_flags = SA_SIGINFO};
    uintptr_t pc;
    pthread_t t;
    sigaction(SIGSYS, &sa, NULL);
    SHOW(set(0, 1, 0, NULL));
    SHOW(set(0, 0, 1, NULL));
    SHOW(set(0, 0, 0, &selector));
    SHOW(set(99, 0, 0, NULL));
    SHOW(set(1, 16, 0, &selector));
    SHOW(set(1, ~0ul, 2, &selector));
    SHOW(set(1, 0, 0, (char *)~0ul));
    SHOW(set(0, 0, 0, NULL));

    SHOW(set(1, 0, 0, &selector));
    printf("allowed %d\n", call(SYS_getpid, &pc) == getpid());
    selector = 1;
    long r = call(SYS_gettid, &pc);
    printf("seen %d code %d number %d error %d arch %d where %d\n", seen, code,
           number == SYS_gettid, error, arch != 0, where == pc);
    /* The registers are as they were: the handler decides what the call gives. */
#ifdef __x86_64__
    printf("result %d\n", r == SYS_gettid);
#else
    printf("result %d\n", r == 0);
#endif
    /* Numbers that nobody has. */
    selector = 1;
    call(3000, &pc);
    printf("seen %d number %d\n", seen, number);
    pthread_create(&t, NULL, thread, NULL);
    started = 1;
    while (!finished)
        ;
    pthread_join(t, NULL);
    printf("in a child %d\n", child(inherited));

    /* A range that goes through. */
    SHOW(set(1, pc - 64, 128, &selector));
    selector = 1;
    r = call(SYS_getpid, &pc);
    selector = 0;
    printf("in the range %d seen %d\n", r == getpid(), seen);
    SHOW(set(0, 0, 0, NULL));
    selector = 1;
    printf("off %d\n", call(SYS_getpid, &pc) == getpid());
    selector = 0;

    printf("value %d\n", child(bad_value));
    printf("selector %d\n", child(bad_selector));
    printf("no handler %d\n", child(no_handler));
    test_traced();
    return 0;
}
