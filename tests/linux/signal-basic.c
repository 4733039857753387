/* Handlers, masks, alternate stack, siginfo, synchronous signals. Prints the same everywhere. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

static volatile int count, depth, max_depth;
static volatile siginfo_t last;
static sigjmp_buf jump;
static char *page;

static void say(const char *what, long r)
{
    printf("%s: %ld %s\n", what, r, r < 0 ? strerror(errno) : "");
}

static void on_count(int sig) { count++; }

static void on_info(int sig, siginfo_t *info, void *uc)
{
    last = *info;
    count++;
}

static void on_fault(int sig, siginfo_t *info, void *uc)
{
    printf("signal %d code %d addr %s\n", sig, info->si_code,
           info->si_addr == page ? "page" : info->si_addr == page + 4096 ? "page+4096"
           : info->si_addr == NULL ? "null" : (uintptr_t)info->si_addr == 0x1234 ? "0x1234" : "?");
    siglongjmp(jump, 1);
}

static void on_nested(int sig)
{
    depth++;
    if (depth > max_depth)
        max_depth = depth;
    if (count++ < 3)
        raise(sig);
    depth--;
}

static void on_altstack(int sig)
{
    stack_t s;
    int here;
    sigaltstack(NULL, &s);
    printf("on altstack %d flags %d\n", (char *)&here >= (char *)s.ss_sp &&
           (char *)&here < (char *)s.ss_sp + s.ss_size, s.ss_flags);
    s.ss_flags = SS_DISABLE;
    say("change while on it", sigaltstack(&s, NULL));
}

static void install(int sig, void (*f)(int), int flags, int mask_sig)
{
    struct sigaction a = {.sa_handler = f, .sa_flags = flags};
    sigemptyset(&a.sa_mask);
    if (mask_sig)
        sigaddset(&a.sa_mask, mask_sig);
    if (sigaction(sig, &a, NULL))
        perror("sigaction");
}

static void block(int how, int sig)
{
    sigset_t s;
    sigemptyset(&s);
    sigaddset(&s, sig);
    sigprocmask(how, &s, NULL);
}

static void test_order(int sig)
{
    sigset_t s;
    sigprocmask(SIG_SETMASK, NULL, &s);
    printf("in %s, USR1 %s, USR2 %s\n", sig == SIGUSR1 ? "USR1" : "USR2",
           sigismember(&s, SIGUSR1) ? "blocked" : "open",
           sigismember(&s, SIGUSR2) ? "blocked" : "open");
}

static void test_masks(void)
{
    sigset_t s;
    install(SIGUSR1, on_count, 0, 0);
    block(SIG_BLOCK, SIGUSR1);
    raise(SIGUSR1);
    raise(SIGUSR1);
    sigpending(&s);
    printf("pending %d count %d\n", sigismember(&s, SIGUSR1), count);
    block(SIG_UNBLOCK, SIGUSR1);
    printf("count %d\n", count);
    install(SIGUSR1, test_order, 0, SIGUSR2);
    install(SIGUSR2, test_order, SA_NODEFER, 0);
    raise(SIGUSR1);
    raise(SIGUSR2);
    block(SIG_BLOCK, SIGUSR1);
    block(SIG_BLOCK, SIGUSR2);
    raise(SIGUSR2);
    raise(SIGUSR1);
    sigset_t none;
    sigemptyset(&none);
    say("suspend", sigsuspend(&none));
    sigprocmask(SIG_SETMASK, NULL, &s);
    printf("after suspend %d %d\n", sigismember(&s, SIGUSR1), sigismember(&s, SIGUSR2));
    sigprocmask(SIG_SETMASK, &none, NULL);
}

static void test_info(void)
{
    struct sigaction a = {.sa_sigaction = on_info, .sa_flags = SA_SIGINFO};
    sigaction(SIGRTMIN + 1, &a, NULL);
    sigaction(SIGCHLD, &a, NULL);
    count = 0;
    block(SIG_BLOCK, SIGRTMIN + 1);
    for (int i = 0; i < 5; i++)
        sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = 100 + i});
    block(SIG_UNBLOCK, SIGRTMIN + 1);
    printf("queued %d last %d code %d pid %d\n", count, last.si_value.sival_int, last.si_code,
           last.si_pid == getpid());
    block(SIG_BLOCK, SIGRTMIN + 2);
    sigqueue(getpid(), SIGRTMIN + 2, (union sigval){.sival_int = 7});
    sigset_t s;
    siginfo_t info;
    sigemptyset(&s);
    sigaddset(&s, SIGRTMIN + 2);
    int r = sigwaitinfo(&s, &info);
    printf("sigwaitinfo %d value %d\n", r == SIGRTMIN + 2, info.si_value.sival_int);
    struct timespec no_time = {0, 1000};
    r = sigtimedwait(&s, &info, &no_time);
    say("sigtimedwait", r);
    /* One of those that are usually synchronous, sent and blocked. */
    block(SIG_BLOCK, SIGSEGV);
    kill(getpid(), SIGSEGV);
    sigpending(&s);
    printf("SEGV pending %d\n", sigismember(&s, SIGSEGV));
    sigemptyset(&s);
    sigaddset(&s, SIGSEGV);
    r = sigwaitinfo(&s, &info);
    printf("SEGV by wait %d code %d\n", r == SIGSEGV, info.si_code);
    block(SIG_UNBLOCK, SIGSEGV);
}

static void test_faults(void)
{
    struct sigaction a = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &a, NULL);
    sigaction(SIGBUS, &a, NULL);
    page = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (!sigsetjmp(jump, 1))
        *page = 1;
    if (!sigsetjmp(jump, 1))
        *(volatile char *)0x1234;
    mprotect(page, 4096, PROT_NONE);
    if (!sigsetjmp(jump, 1))
        *(volatile char *)page;
    munmap(page, 4096);
    if (!sigsetjmp(jump, 1))
        *(volatile char *)page;
    munmap(page + 4096, 4096);
    char name[] = "/tmp/calque-test-XXXXXX";
    int fd = mkstemp(name);
    unlink(name);
    if (write(fd, "x", 1) != 1)
        return;
    page = mmap(NULL, 8192, PROT_READ, MAP_SHARED, fd, 0);
    if (!sigsetjmp(jump, 1))
        ((volatile char *)page)[4096];
    if (!sigsetjmp(jump, 1))
        ((void (*)(void))0)();
    char *data = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    page = data;
    if (!sigsetjmp(jump, 1))
        ((void (*)(void))page)();
    close(fd);
}

static void test_altstack(void)
{
    stack_t s = {.ss_sp = malloc(65536), .ss_size = 65536}, old;
    sigaltstack(&s, &old);
    printf("old altstack flags %d size %zu\n", old.ss_flags, old.ss_size);
    install(SIGUSR1, on_altstack, SA_ONSTACK, 0);
    raise(SIGUSR1);
    s.ss_size = 100;
    say("too small", sigaltstack(&s, NULL));
    s.ss_flags = SS_DISABLE;
    sigaltstack(&s, NULL);
}

static void on_overflow(int sig, siginfo_t *info, void *uc)
{
    siglongjmp(jump, 2);
}

__attribute__((noinline)) static int overflow(int n)
{
    volatile char big[4096];
    big[0] = (char)n;
    return overflow(n + 1) + big[0];
}

static void test_overflow(void)
{
    stack_t s = {.ss_sp = malloc(65536), .ss_size = 65536};
    struct sigaction a = {.sa_sigaction = on_overflow, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaltstack(&s, NULL);
    sigaction(SIGSEGV, &a, NULL);
    int r = sigsetjmp(jump, 1);
    if (!r)
        overflow(0);
    printf("stack overflow caught: %d\n", r);
}

int main(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    test_masks();
    test_info();
    count = 0;
    install(SIGUSR1, on_nested, SA_NODEFER, 0);
    raise(SIGUSR1);
    printf("nested %d deep %d\n", count, max_depth);
    install(SIGUSR1, on_count, SA_RESETHAND, 0);
    raise(SIGUSR1);
    struct sigaction a;
    sigaction(SIGUSR1, NULL, &a);
    printf("reset to default %d\n", a.sa_handler == SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    int fds[2];
    if (pipe(fds))
        return 1;
    close(fds[0]);
    say("write", write(fds[1], "x", 1));
    test_faults();
    test_altstack();
    test_overflow();
    say("kill of nothing", kill(getpid(), 0));
    say("no such signal", kill(getpid(), 99));
    say("SIGKILL action", sigaction(SIGKILL, &(struct sigaction){.sa_handler = on_count}, NULL));
    return 0;
}
