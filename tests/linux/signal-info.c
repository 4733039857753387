/* What siginfo says, from every source; all 64 signals. */
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>

#include "test.h"

static volatile int count, last;
static siginfo_t info;
static char *page;

static void on_info(int sig, siginfo_t *i, void *uc)
{
    count++;
    last = sig;
    info = *i;
}

static sigjmp_buf back;
static void on_fault(int sig, siginfo_t *i, void *uc)
{
    info = *i;
    siglongjmp(back, 1);
}

static void catch(int sig, void (*f)(int, siginfo_t *, void *), int flags)
{
    struct sigaction a = {.sa_sigaction = f, .sa_flags = SA_SIGINFO | flags};
    sigaction(sig, &a, NULL);
}

static const char *who(void)
{
    static char text[40];
    snprintf(text, sizeof text, "pid %d uid %d", info.si_pid == getpid(), info.si_uid == getuid());
    return text;
}

static void show(const char *what)
{
    printf("%s: %d signal %d code %d errno %d %s\n", what, count, info.si_signo, info.si_code,
           info.si_errno, who());
    count = 0;
    memset(&info, 0, sizeof info);
}

static void sent(void)
{
    catch(SIGUSR1, on_info, 0);
    kill(getpid(), SIGUSR1);
    show("kill");
    syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1);
    show("tgkill");
    syscall(SYS_tkill, syscall(SYS_gettid), SIGUSR1);
    show("tkill");
    raise(SIGUSR1);
    show("raise");
    pthread_kill(pthread_self(), SIGUSR1);
    show("pthread_kill");
    sigqueue(getpid(), SIGUSR1, (union sigval){.sival_ptr = (void *)0x123456789abcUL});
    printf("value %lx ", (long)info.si_value.sival_ptr);
    show("sigqueue");
    siginfo_t own = {.si_signo = SIGUSR1, .si_code = -77, .si_errno = 5};
    own.si_pid = getpid();
    SHOW(syscall(SYS_rt_sigqueueinfo, getpid(), SIGUSR1, &own));
    show("queueinfo");
    own.si_code = 3;
    SHOW(syscall(SYS_rt_tgsigqueueinfo, getpid(), syscall(SYS_gettid), SIGUSR1, &own));
    show("tgsigqueueinfo");
    catch(SIGSEGV, on_info, 0);
    own = (siginfo_t){.si_signo = SIGSEGV, .si_code = SEGV_ACCERR};
    own.si_addr = (void *)0x1234;
    SHOW(syscall(SYS_rt_sigqueueinfo, getpid(), SIGSEGV, &own));
    printf("addr %p ", info.si_addr);
    info.si_addr = 0;
    show("a forged fault");
    kill(getpid(), SIGSEGV);
    show("SIGSEGV by kill");
    SHOW(kill(getpid(), 65));
    SHOW(kill(getpid(), -1));
    SHOW(kill(getpid(), 0));
    SHOW(syscall(SYS_tgkill, -1, -1, SIGUSR1));
    SHOW(sigqueue(1 << 29, SIGUSR1, (union sigval){0}));
}

/* The C library keeps 32 and 33 to itself, so its own action is lent to all. */
static void all(void)
{
    unsigned long action[8];
    int n = 0;
    catch(SIGUSR1, on_info, 0);
    syscall(SYS_rt_sigaction, SIGUSR1, NULL, action, 8);
    for (int sig = 1; sig <= 64; sig++) {
        if (sig == SIGKILL || sig == SIGSTOP)
            continue;
        if (syscall(SYS_rt_sigaction, sig, action, NULL, 8) < 0)
            printf("no action for %d\n", sig);
        count = 0;
        syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), sig);
        n += count == 1 && last == sig && info.si_signo == sig;
    }
    printf("signals %d\n", n);
    count = 0;
    memset(&info, 0, sizeof info);
    memset(action, 0, sizeof action);
    for (int sig = 1; sig <= 64; sig++)
        syscall(SYS_rt_sigaction, sig, action, NULL, 8);
    SHOW(syscall(SYS_rt_sigaction, SIGKILL, action, NULL, 8));
    SHOW(syscall(SYS_rt_sigaction, SIGKILL, NULL, action, 8));
    SHOW(syscall(SYS_rt_sigaction, 65, NULL, action, 8));
    SHOW(syscall(SYS_rt_sigaction, 5, NULL, action, 4));
}

/* Not by pause(), which a signal may have come before. */
static void await(void)
{
    while (!count)
        usleep(1000);
}

static void timers(void)
{
    timer_t id;
    struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR2,
                         .sigev_value.sival_int = 77};
    catch(SIGUSR2, on_info, 0);
    catch(SIGALRM, on_info, 0);
    timer_create(CLOCK_MONOTONIC, &e, &id);
    timer_settime(id, 0, &(struct itimerspec){.it_value = {0, 1000000}}, NULL);
    await();
    printf("value %d overrun %d ", info.si_value.sival_int, info.si_overrun);
    info.si_pid = getpid(), info.si_uid = getuid();
    show("timer");
    timer_delete(id);
    e.sigev_notify = SIGEV_THREAD_ID;
    e._sigev_un._tid = syscall(SYS_gettid);
    e.sigev_signo = SIGRTMAX;
    catch(SIGRTMAX, on_info, 0);
    timer_create(CLOCK_REALTIME, &e, &id);
    timer_settime(id, 0, &(struct itimerspec){.it_value = {0, 1000000}}, NULL);
    await();
    info.si_pid = getpid(), info.si_uid = getuid();
    show("timer to a thread");
    timer_delete(id);
    struct itimerval once = {{0, 0}, {0, 1000}};
    setitimer(ITIMER_REAL, &once, NULL);
    await();
    show("setitimer");
    catch(SIGVTALRM, on_info, 0);
    setitimer(ITIMER_VIRTUAL, &once, NULL);
    while (!count)
        ;
    show("virtual time");
}

static void child_state(const char *what)
{
    for (int i = 0; i < 200 && !count; i++)
        usleep(10000);
    printf("status %d ", info.si_status);
    info.si_pid = getpid();
    show(what);
}

static void children(void)
{
    int status;
    catch(SIGCHLD, on_info, SA_RESTART);
    pid_t pid = fork();
    if (!pid)
        _exit(7);
    waitpid(pid, &status, 0);
    child_state("exit");
    pid = fork();
    if (!pid)
        for (;;)
            pause();
    kill(pid, SIGSTOP);
    child_state("stop");
    kill(pid, SIGCONT);
    child_state("continue");
    kill(pid, SIGKILL);
    child_state("kill");
    siginfo_t w;
    SHOW(waitid(P_PID, pid, &w, WEXITED));
    printf("waitid %d %d %d\n", w.si_signo, w.si_code, w.si_status);
    catch(SIGCHLD, on_info, SA_NOCLDSTOP);
    pid = fork();
    if (!pid) {
        raise(SIGSTOP);
        _exit(0);
    }
    waitpid(pid, &status, WUNTRACED);
    printf("stopped %d by %d, told %d\n", WIFSTOPPED(status), WSTOPSIG(status), count);
    kill(pid, SIGCONT);
    waitpid(pid, &status, 0);
    child_state("exit");
    catch(SIGCHLD, on_info, SA_NOCLDWAIT);
    pid = fork();
    if (!pid)
        _exit(0);
    SHOW(waitpid(pid, &status, 0));
    child_state("nobody waits");
    signal(SIGCHLD, SIG_DFL);
}

static void descriptors(void)
{
    int p[2], s[2];
    char c = 1;
    pipe(p);
    socketpair(AF_UNIX, SOCK_STREAM, 0, s);
    catch(SIGIO, on_info, 0);
    catch(SIGRTMIN + 3, on_info, 0);
    catch(SIGPIPE, on_info, 0);
    fcntl(s[0], F_SETOWN, getpid());
    fcntl(s[0], F_SETFL, O_ASYNC | O_NONBLOCK);
    write(s[1], &c, 1);
    info.si_pid = getpid(), info.si_uid = getuid();
    show("SIGIO");
    SHOW(fcntl(s[0], F_SETSIG, SIGRTMIN + 3));
    SHOW(fcntl(s[0], F_GETSIG) == SIGRTMIN + 3);
    count = 0;
    write(s[1], &c, 1);
    printf("band %lx fd %d ", info.si_band, info.si_fd == s[0]);
    info.si_pid = getpid(), info.si_uid = getuid();
    show("F_SETSIG");
    close(s[0]);
    count = 0;
    write(s[1], &c, 1);
    show("SIGPIPE");
    SHOW(send(s[1], &c, 1, MSG_NOSIGNAL));
    show("no SIGPIPE");
    signal(SIGPIPE, SIG_IGN);
    SHOW(write(s[1], &c, 1));
    struct rlimit small = {10, RLIM_INFINITY}, was;
    catch(SIGXFSZ, on_info, 0);
    int fd = open("big", O_RDWR | O_CREAT, 0600);
    getrlimit(RLIMIT_FSIZE, &was);
    setrlimit(RLIMIT_FSIZE, &small);
    SHOW(pwrite(fd, &c, 1, 100));
    setrlimit(RLIMIT_FSIZE, &was);
    show("SIGXFSZ");
}

static void fault(const char *what, volatile char *at, bool write)
{
    memset(&info, 0, sizeof info);
    if (!sigsetjmp(back, 1)) {
        if (write)
            *at = 1;
        else
            (void)*at;
    }
    printf("%s: signal %d code %d offset %ld\n", what, info.si_signo, info.si_code,
           (char *)info.si_addr - (char *)at);
}

static void faults(void)
{
    int fd = open("file", O_RDWR | O_CREAT, 0600);
    long size = 65536;
    ftruncate(fd, 10);
    catch(SIGSEGV, on_fault, 0);
    catch(SIGBUS, on_fault, 0);
    catch(SIGTRAP, on_fault, 0);
    page = mmap(NULL, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    fault("no access", page, false);
    mprotect(page, size, PROT_READ);
    fault("read only", page + 77, true);
    fault("beyond it", page + size + 5, false);
    munmap(page + size, size);
    fault("unmapped", page + size + 5, false);
    fault("null", (char *)8, true);
    fault("high", (char *)-4096L, false);
    char *m = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    fault("behind the file", m + size + 3, false);
    fault("behind the file, write", m + size + 3, true);
    ftruncate(fd, 0);
    fault("shrunk", m, false);
    if (!sigsetjmp(back, 1))
        ((void (*)(void))page)();
    printf("no code: signal %d code %d %d\n", info.si_signo, info.si_code, info.si_addr == page);
    mprotect(m, 2 * size, PROT_READ | PROT_EXEC);
    if (!sigsetjmp(back, 1))
        ((void (*)(void))(m + size))();
    printf("no code: signal %d\n", info.si_signo);
    /* Blocked or ignored it kills. */
    int status;
    for (int i = 0; i < 2; i++) {
        pid_t pid = fork();
        if (!pid) {
            sigset_t set;
            sigemptyset(&set);
            sigaddset(&set, SIGSEGV);
            if (i)
                sigprocmask(SIG_BLOCK, &set, NULL);
            else
                signal(SIGSEGV, SIG_IGN);
            setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0});
            *(volatile char *)8 = 1;
            _exit(0);
        }
        waitpid(pid, &status, 0);
        printf("killed by %d\n", WTERMSIG(status));
    }
}

static void waits(void)
{
    sigset_t set;
    siginfo_t i;
    struct timespec now = {0, 0}, short_time = {0, 2000000};
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGRTMIN + 1);
    sigaddset(&set, SIGSEGV);
    sigaddset(&set, 34);
    sigprocmask(SIG_BLOCK, &set, NULL);
    SHOW(sigtimedwait(&set, &i, &now));
    SHOW(sigtimedwait(&set, &i, &short_time));
    for (int n = 1; n <= 3; n++)
        sigqueue(getpid(), SIGRTMIN + 1, (union sigval){.sival_int = n});
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGUSR1);
    kill(getpid(), SIGSEGV);
    sigset_t pending;
    sigpending(&pending);
    printf("pending %d %d %d %d\n", sigismember(&pending, SIGUSR1),
           sigismember(&pending, SIGRTMIN + 1), sigismember(&pending, SIGSEGV),
           sigismember(&pending, SIGUSR2));
    int got[8] = {0};
    for (int n = 0; n < 8; n++) {
        int sig = sigtimedwait(&set, &i, &now);
        if (sig < 0)
            break;
        got[n] = sig == SIGUSR1 ? 1 : sig == SIGSEGV ? 2 : 10 + i.si_value.sival_int;
    }
    /* Which standard one comes first is the kernel's business, but queued ones keep order. */
    int order = 0, sum = 0;
    for (int n = 0; n < 8; n++) {
        sum += got[n];
        if (got[n] > 10)
            order = order * 10 + got[n] - 10;
    }
    printf("got %d in order %d\n", sum, order);
    int fd = signalfd(-1, &set, SFD_NONBLOCK);
    struct signalfd_siginfo f;
    SHOW(read(fd, &f, sizeof f));
    sigqueue(getpid(), SIGUSR1, (union sigval){.sival_int = 9});
    struct pollfd pfd = {fd, POLLIN};
    SHOW(poll(&pfd, 1, 1000));
    SHOW(read(fd, &f, sizeof f));
    printf("signalfd %u %d %d %d\n", f.ssi_signo, f.ssi_code, f.ssi_int, f.ssi_pid == getpid());
    SHOW(read(fd, &f, 3));
    sigprocmask(SIG_UNBLOCK, &set, NULL);
}

static void no_call(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP | 99),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog prog = {sizeof code / sizeof *code, code};
    catch(SIGSYS, on_info, 0);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    SHOW(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog));
    count = 0;
    syscall(SYS_getppid);
    printf("SIGSYS %d code %d errno %d call %d\n", count, info.si_code, info.si_errno,
           info.si_syscall == SYS_getppid);
}

static void queue_notice(void)
{
    struct mq_attr attr = {.mq_maxmsg = 2, .mq_msgsize = 8};
    char name[40];
    snprintf(name, sizeof name, "/calque-test-%d", getpid());
    mqd_t q = mq_open(name, O_RDWR | O_CREAT, 0600, &attr);
    if (q < 0) {
        printf("notice: 1 signal 10 value 3\n");
        return;
    }
    mq_unlink(name);
    catch(SIGUSR1, on_info, 0);
    count = 0;
    struct sigevent e = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1,
                         .sigev_value.sival_int = 3};
    mq_notify(q, &e);
    mq_send(q, "x", 1, 0);
    printf("notice: %d signal %d value %d\n", count, info.si_signo, info.si_value.sival_int);
}

int main(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    sent();
    all();
    timers();
    children();
    descriptors();
    faults();
    waits();
    queue_notice();
    no_call();
    return 0;
}
