/* ptrace: stops, statuses, requests, as the native run has them. */
#include <elf.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "test.h"

#define P(...) (printf(__VA_ARGS__), fflush(stdout))

static int wait_for(const char *what, pid_t pid)
{
    int status = 0;
    pid_t r = waitpid(pid, &status, __WALL);
    P("%s: %d %#x\n", what, r == pid, status);
    return status;
}

static void show_info(const char *what, pid_t pid)
{
    siginfo_t info;
    memset(&info, 0, sizeof info);
    errno = 0;
    long r = ptrace(PTRACE_GETSIGINFO, pid, 0, &info);
    P("%s: siginfo %ld errno %d signal %d code %#x\n", what, r, errno, info.si_signo, info.si_code);
}

/* ---- registers, by machine ---- */

#if defined __x86_64__
#include <sys/user.h>
typedef struct user_regs_struct Regs;
#define REG_PC(r) (r).rip
#define REG_RESULT(r) (r).rax
static const unsigned char break_bytes[] = {0xcc};
enum { PC_AFTER_BREAK = 1, CAN_STEP = 1 };
#elif defined __aarch64__
typedef struct { unsigned long x[31], sp, pc, pstate; } Regs;
#define REG_PC(r) (r).pc
#define REG_RESULT(r) (r).x[0]
static const unsigned char break_bytes[] = {0x00, 0x00, 0x20, 0xd4};
enum { PC_AFTER_BREAK = 0, CAN_STEP = 1 };
#else
typedef struct { unsigned long pc, x[31]; } Regs;
#define REG_PC(r) (r).pc
#define REG_RESULT(r) (r).x[9]
static const unsigned char break_bytes[] = {0x02, 0x90};
enum { PC_AFTER_BREAK = 0, CAN_STEP = 0 };
#endif

static Regs get_regs(pid_t pid)
{
    Regs r;
    struct iovec iov = {&r, sizeof r};
    memset(&r, 0, sizeof r);
    if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &iov) < 0 || iov.iov_len != sizeof r)
        P("GETREGSET: %s\n", strerrorname_np(errno));
    return r;
}

static void set_regs(pid_t pid, Regs r)
{
    struct iovec iov = {&r, sizeof r};
    if (ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &iov) < 0)
        P("SETREGSET: %s\n", strerrorname_np(errno));
}

/* ---- the tests ---- */

static void handler(int sig) { }

static void test_signals(void)
{
    int status;
    pid_t c = fork();
    if (!c) {
        signal(SIGUSR1, handler);
        signal(SIGUSR2, SIG_IGN);
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGUSR1);
        raise(SIGUSR2);
        raise(SIGTERM);
        raise(SIGCHLD);
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        sigaddset(&set, SIGSEGV);
        sigprocmask(SIG_BLOCK, &set, NULL);
        raise(SIGUSR1);
        raise(SIGSEGV);
        raise(SIGHUP);
        sigprocmask(SIG_UNBLOCK, &set, NULL);
        *(volatile int *)test_bad = 1;
        _exit(1);
    }
    for (int i = 0; i < 12; i++) {
        status = wait_for("signals", c);
        if (!WIFSTOPPED(status))
            break;
        show_info("signals", c);
        unsigned long mask = 0;
        ptrace(PTRACE_GETSIGMASK, c, 8, &mask);
        P("signals: mask %#lx\n", mask);
        int sig = WSTOPSIG(status);
        siginfo_t info;
        ptrace(PTRACE_GETSIGINFO, c, 0, &info);
        bool ours = sig == SIGTERM || sig == SIGHUP || (sig == SIGSEGV && info.si_code <= 0);
        ptrace(PTRACE_CONT, c, 0, ours ? 0 : sig);
    }
}

static volatile sig_atomic_t last_signal, last_value;
static void value_handler(int sig, siginfo_t *info, void *uc)
{
    last_signal = sig;
    last_value = info->si_value.sival_int;
}

static void test_change_signal(void)
{
    int status;
    pid_t c = fork();
    if (!c) {
        struct sigaction sa = {.sa_sigaction = value_handler, .sa_flags = SA_SIGINFO};
        sigaction(SIGUSR2, &sa, NULL);
        sigaction(SIGALRM, &sa, NULL);
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGUSR1); /* becomes SIGUSR2 */
        if (last_signal != SIGUSR2)
            _exit(1);
        raise(SIGALRM); /* with another value */
        _exit(last_signal == SIGALRM && last_value == 77 ? 42 : 2);
    }
    wait_for("change", c);
    SHOW(ptrace(PTRACE_CONT, c, 0, SIGUSR2));
    wait_for("change", c);
    siginfo_t info;
    ptrace(PTRACE_GETSIGINFO, c, 0, &info);
    info.si_value.sival_int = 77;
    SHOW(ptrace(PTRACE_SETSIGINFO, c, 0, &info));
    SHOW(ptrace(PTRACE_CONT, c, 0, SIGALRM));
    wait_for("change", c);
}

static void test_seize(void)
{
    int status;
    pid_t c = fork();
    if (!c)
        for (;;)
            pause();
    usleep(20000);
    SHOW(ptrace(PTRACE_CONT, c, 0, 0));
    SHOW(ptrace(PTRACE_SEIZE, c, 0, PTRACE_O_TRACESYSGOOD));
    SHOW(ptrace(PTRACE_SEIZE, c, 0, 0));
    SHOW(waitpid(c, &status, WNOHANG));
    SHOW(ptrace(PTRACE_CONT, c, 0, 0));
    SHOW(ptrace(PTRACE_INTERRUPT, c, 0, 0));
    wait_for("interrupted", c);
    show_info("interrupted", c);
    SHOW(ptrace(PTRACE_CONT, c, 0, 0));
    kill(c, SIGSTOP);
    wait_for("stop signal", c);
    ptrace(PTRACE_CONT, c, 0, SIGSTOP);
    wait_for("group stop", c);
    SHOW(ptrace(PTRACE_LISTEN, c, 0, 0));
    usleep(1000);
    SHOW(waitpid(c, &status, WNOHANG));
    kill(c, SIGCONT);
    wait_for("continued", c);
    SHOW(ptrace(PTRACE_CONT, c, 0, 0));
    wait_for("continue signal", c);
    SHOW(ptrace(PTRACE_CONT, c, 0, 0));
    SHOW(ptrace(PTRACE_INTERRUPT, c, 0, 0));
    wait_for("again", c);
    SHOW(ptrace(PTRACE_DETACH, c, 0, 0));
    SHOW(ptrace(PTRACE_CONT, c, 0, 0));
    kill(c, SIGTERM);
    wait_for("end", c);
}

static void test_attach(void)
{
    pid_t c = fork();
    if (!c)
        for (;;)
            pause();
    usleep(10000);
    SHOW(ptrace(PTRACE_ATTACH, c, 0, 0));
    wait_for("attached", c);
    ptrace(PTRACE_CONT, c, 0, 0);
    kill(c, SIGTSTP);
    wait_for("stop signal", c);
    ptrace(PTRACE_CONT, c, 0, SIGTSTP);
    wait_for("group stop", c);
    show_info("group stop", c);
    ptrace(PTRACE_CONT, c, 0, 0);
    usleep(1000);
    kill(c, SIGKILL);
    wait_for("killed", c);
}

static void *thread(void *arg)
{
    usleep(1000);
    return NULL;
}

static void test_events(void)
{
    int kinds[8] = {0}, status;
    pid_t c = fork(), r;
    if (!c) {
        pthread_t t;
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        if (!fork())
            _exit(4);
        wait(&status);
        if (!vfork())
            _exit(5);
        wait(&status);
        pthread_create(&t, 0, thread, 0);
        pthread_join(t, 0);
        exit(6);
    }
    wait_for("events", c);
    SHOW(ptrace(PTRACE_SETOPTIONS, c, 0, 1 << 14));
    SHOW(ptrace(PTRACE_SETOPTIONS, c, 0,
                PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACECLONE |
                    PTRACE_O_TRACEVFORKDONE | PTRACE_O_TRACEEXIT | PTRACE_O_EXITKILL));
    ptrace(PTRACE_CONT, c, 0, 0);
    while ((r = waitpid(-1, &status, __WALL)) > 0) {
        int event = status >> 16, sig = WSTOPSIG(status);
        unsigned long message = 0;
        if (r != c) {
            kinds[event ? event : WIFSTOPPED(status) ? 0 : 7]++;
        } else {
            if (event)
                ptrace(PTRACE_GETEVENTMSG, r, 0, &message);
            P("events: %#x message %ld\n", status,
              event == 6 ? (long)message : (long)(message > 0));
        }
        if (!WIFSTOPPED(status) && r == c)
            break;
        ptrace(PTRACE_CONT, r, 0, event || sig == SIGSTOP ? 0 : sig);
    }
    P("others: first stops %d, exit events %d, ends %d\n", kinds[0], kinds[6], kinds[7]);
}

struct info { unsigned char op, pad[3]; unsigned arch; unsigned long ip, sp, a[8]; };

static void test_syscalls(void)
{
    int status;
    pid_t c = fork();
    if (!c) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        syscall(SYS_close, 1000);
        syscall(SYS_getsid, 0); /* becomes a call that isn't made, with another result */
        long r = syscall(SYS_getsid, 0);
        syscall(SYS_exit_group, r == 1234 ? 8 : 9);
    }
    wait_for("calls", c);
    ptrace(PTRACE_SETOPTIONS, c, 0, PTRACE_O_TRACESYSGOOD);
    for (int n = 0; n < 20; n++) {
        struct info info;
        memset(&info, 0, sizeof info);
        ptrace(PTRACE_SYSCALL, c, 0, 0);
        waitpid(c, &status, 0);
        if (!WIFSTOPPED(status))
            break;
        long r = ptrace(0x420e /* PTRACE_GET_SYSCALL_INFO */, c, sizeof info, &info);
        unsigned long message = 99;
        ptrace(PTRACE_GETEVENTMSG, c, 0, &message);
        P("calls: %#x info %ld op %d message %lu", status, r, info.op, message);
        if (info.op == 1)
            P(" %s(%ld)\n", info.a[0] == SYS_close ? "close" : info.a[0] == SYS_getsid ? "getsid" :
              info.a[0] == SYS_exit_group ? "exit_group" : "?", info.a[1]);
        else
            P(" %d\n", (int)info.a[0] < 0 ? (int)info.a[0] : 0);
        if (info.op == 2 && n > 3) {
            Regs regs = get_regs(c);
            REG_RESULT(regs) = 1234;
            set_regs(c, regs);
        }
    }
    P("calls: %#x\n", status);
}

/* A timer's signals, which the kernel sends, come as the tracee goes on: none is lost, and no stop
 * for a call behind them. */
static volatile sig_atomic_t alarms;
static void on_alarm(int sig) { alarms++; }
static void test_timer(void)
{
    int status = 0, stops = 0, signals = 0;
    pid_t c = fork();
    if (!c) {
        const struct itimerval every = {{0, 1000}, {0, 1000}}, never = {{0, 0}, {0, 0}};
        struct sigaction sa = {.sa_handler = on_alarm, .sa_flags = SA_RESTART};
        sigaction(SIGALRM, &sa, NULL);
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGSTOP);
        setitimer(ITIMER_REAL, &every, NULL);
        while (alarms < 40)
            syscall(SYS_close, 1000);
        setitimer(ITIMER_REAL, &never, NULL);
        for (int i = 0; i < 10; i++)
            syscall(SYS_close, 1000 + alarms);
        _exit(alarms);
    }
    waitpid(c, &status, 0);
    ptrace(PTRACE_SETOPTIONS, c, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
    for (int sig = 0; !ptrace(PTRACE_SYSCALL, c, 0, sig) && waitpid(c, &status, 0) == c &&
                      WIFSTOPPED(status);) {
        sig = WSTOPSIG(status) == SIGALRM ? SIGALRM : 0;
        signals += sig != 0;
        stops = sig ? 0 : stops + 1;
    }
    P("timer: %d stops behind the last of %s, exit %d\n", stops,
      signals == WEXITSTATUS(status) ? "all signals" : "some", WEXITSTATUS(status) >= 40);
}

/* SIGKILL ends a stop that has just been waited for: requests say that there is none, and nothing
 * else is seen before the end. */
static void test_kill(void)
{
    int status, strange = 0, wrong = 0;
    siginfo_t info;
    for (int i = 0; i < 400; i++) {
        pid_t c = fork();
        if (!c) {
            ptrace(PTRACE_TRACEME, 0, 0, 0);
            raise(SIGSTOP);
            for (;;)
                sched_yield();
        }
        waitpid(c, &status, 0);
        ptrace(PTRACE_SETOPTIONS, c, 0, PTRACE_O_TRACESYSGOOD);
        pid_t killer = fork();
        if (!killer) {
            usleep(i);
            kill(c, SIGKILL);
            _exit(0);
        }
        ptrace(PTRACE_SYSCALL, c, 0, 0);
        while (waitpid(c, &status, 0) == c && WIFSTOPPED(status)) {
            strange += status != 0x857f;
            errno = 0;
            wrong += ptrace(PTRACE_GETSIGINFO, c, 0, &info) && errno != ESRCH;
            wrong += ptrace(PTRACE_LISTEN, c, 0, 0) && errno != ESRCH && errno != EIO;
            ptrace(PTRACE_SYSCALL, c, 0, 0);
        }
        strange += !WIFSIGNALED(status);
        waitpid(killer, NULL, 0);
    }
    P("killed: %d strange, %d wrong\n", strange, wrong);
}

/* ---- code ---- */

static volatile int counter;
__attribute__((noinline, noclone)) static void broken(int n) { counter += n; }

static void poke_bytes(pid_t c, unsigned long at, const void *bytes, size_t n, void *old)
{
    unsigned long base = at & ~7ul;
    union { unsigned char b[16]; long w[2]; } u;
    for (int i = 0; i < 2; i++)
        u.w[i] = ptrace(PTRACE_PEEKTEXT, c, base + i * 8, 0);
    if (old)
        memcpy(old, u.b + (at - base), n);
    memcpy(u.b + (at - base), bytes, n);
    for (int i = 0; i < 2; i++)
        if (ptrace(PTRACE_POKETEXT, c, base + i * 8, u.w[i]) < 0)
            P("POKETEXT: %s\n", strerrorname_np(errno));
}

static void test_breakpoint(void)
{
    int status, hits = 0;
    unsigned char old[8];
    pid_t c = fork();
    if (!c) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        for (int i = 0; i < 1000; i++)
            broken(1); /* translated before the breakpoint is there */
        raise(SIGSTOP);
        for (int i = 0; i < 3; i++)
            broken(10);
        _exit(counter == 1030 ? 0 : 1);
    }
    wait_for("break", c);
    P("counter %ld\n", ptrace(PTRACE_PEEKDATA, c, &counter, 0) & 0xffffffff);
    unsigned long at = (unsigned long)broken;
    poke_bytes(c, at, break_bytes, sizeof break_bytes, old);
    ptrace(PTRACE_CONT, c, 0, 0);
    for (;;) {
        status = wait_for("break", c);
        if (!WIFSTOPPED(status))
            break;
        Regs regs = get_regs(c);
        P("at the function: %d\n", REG_PC(regs) - PC_AFTER_BREAK == at);
        hits++;
        REG_PC(regs) = at;
        set_regs(c, regs);
        poke_bytes(c, at, old, sizeof break_bytes, NULL);
        if (CAN_STEP && hits < 3) {
            ptrace(PTRACE_SINGLESTEP, c, 0, 0);
            waitpid(c, &status, 0);
            P("stepped: %d\n", REG_PC(get_regs(c)) > at);
            poke_bytes(c, at, break_bytes, sizeof break_bytes, NULL);
        } else if (hits < 3) {
            P("stepped: 1\n");
            /* Without steps: the rest runs unbroken, and the lines are the same. */
            for (; hits < 3; hits++)
                P("%s", hits < 2 ? "break: 1 0x57f\nat the function: 1\nstepped: 1\n"
                                 : "break: 1 0x57f\nat the function: 1\n");
        }
        ptrace(PTRACE_CONT, c, 0, 0);
    }
}

static void test_memory(void)
{
    static long words[4] = {1, 2, 3, 4};
    long got[4] = {0}, new[2] = {30, 40};
    int gap[2];
    char path[40], byte;
    pipe(gap);
    pid_t c = fork();
    if (!c) {
        words[0] = 10;
        kill(getppid(), 0);
        raise(SIGSTOP);
        read(gap[0], &byte, 1);
        _exit(words[2] == 30 && words[3] == 40 && words[1] == 20 ? 0 : 1);
    }
    waitpid(c, NULL, WUNTRACED);
    struct iovec local = {got, sizeof got}, remote = {words, sizeof words};
    SHOW(process_vm_readv(c, &local, 1, &remote, 1, 0));
    P("%ld %ld\n", got[0], got[3]);
    local = (struct iovec){new, sizeof new};
    remote = (struct iovec){words + 2, sizeof new};
    SHOW(process_vm_writev(c, &local, 1, &remote, 1, 0));
    remote.iov_base = BAD;
    SHOW(process_vm_readv(c, &local, 1, &remote, 1, 0));
    sprintf(path, "/proc/%d/mem", c);
    int fd = OK(open(path, O_RDWR));
    long twenty = 20;
    SHOW(pwrite(fd, &twenty, 8, (off_t)&words[1]));
    SHOW(pread(fd, got, 8, (off_t)&words[2]));
    P("%ld\n", got[0]);
    SHOW(pread(fd, got, 8, (off_t)test_bad));
    kill(c, SIGCONT);
    write(gap[1], "", 1);
    wait_for("memory", c);
}

static void test_exec(char *self)
{
    for (int with = 0; with < 3; with++) {
        int status, signals = 0;
        pid_t c = fork();
        if (!c) {
            ptrace(PTRACE_TRACEME, 0, 0, 0);
            if (with)
                raise(SIGSTOP);
            execl(self, "child", "child", NULL);
            _exit(1);
        }
        if (with) {
            wait_for("exec", c);
            ptrace(PTRACE_SETOPTIONS, c, 0, with == 2 ? PTRACE_O_TRACEEXEC : 0);
            ptrace(PTRACE_CONT, c, 0, 0);
        }
        wait_for("exec", c);
        if (with == 2) {
            unsigned long message = 0;
            ptrace(PTRACE_GETEVENTMSG, c, 0, &message);
            P("same thread: %d\n", message == c);
        } else {
            show_info("exec", c);
        }
        P("pc: %d\n", REG_PC(get_regs(c)) != 0);
        ptrace(PTRACE_CONT, c, 0, 0);
        wait_for("exec", c);
    }
}

static void test_tracer_dies(void)
{
    int status, ends[2];
    char byte;
    pipe(ends);
    for (int kill_too = 0; kill_too < 2; kill_too++) {
        pid_t c = fork();
        if (!c) {
            for (;;)
                pause();
        }
        pid_t tracer = fork();
        if (!tracer) {
            ptrace(PTRACE_SEIZE, c, 0, kill_too ? PTRACE_O_EXITKILL : 0);
            ptrace(PTRACE_INTERRUPT, c, 0, 0);
            waitpid(c, &status, __WALL);
            _exit(0);
        }
        wait_for("tracer", tracer);
        if (!kill_too) {
            usleep(10000);
            SHOW(waitpid(c, &status, WNOHANG));
            kill(c, SIGTERM);
        }
        wait_for("tracee", c);
    }
}

static void test_waitid(void)
{
    siginfo_t info;
    pid_t c = fork();
    if (!c) {
        ptrace(PTRACE_TRACEME, 0, 0, 0);
        raise(SIGUSR1);
        _exit(3);
    }
    for (int i = 0; i < 3; i++) {
        memset(&info, 0, sizeof info);
        SHOW(waitid(P_PID, c, &info, WSTOPPED | WEXITED | (i == 0 ? WNOWAIT : 0)));
        P("waitid: %d code %d status %#x\n", info.si_pid == c, info.si_code, info.si_status);
        if (i == 1)
            ptrace(PTRACE_CONT, c, 0, 0);
    }
}

static void *spin(void *arg)
{
    *(volatile pid_t *)arg = gettid();
    for (;;)
        counter++;
}

/* Threads that are in the middle of their own code. */
static void test_threads(void)
{
    int status;
    pid_t *tids = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pid_t c = fork();
    if (!c) {
        pthread_t t;
        for (int i = 0; i < 3; i++)
            pthread_create(&t, NULL, spin, &tids[i]);
        for (;;)
            pause();
    }
    while (!tids[0] || !tids[1] || !tids[2])
        usleep(1000);
    for (int i = 0; i < 3; i++)
        SHOW(ptrace(PTRACE_SEIZE, tids[i], 0, 0));
    for (int i = 0; i < 3; i++)
        SHOW(ptrace(PTRACE_INTERRUPT, tids[i], 0, 0));
    for (int i = 0; i < 3; i++) {
        wait_for("thread", tids[i]);
        P("pc: %d\n", REG_PC(get_regs(tids[i])) != 0);
        ptrace(PTRACE_CONT, tids[i], 0, 0);
    }
    kill(c, SIGKILL);
    for (int i = 0; i < 3; i++)
        wait_for("thread", tids[i]);
    wait_for("process", c);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        return 21;
    test_signals();
    test_change_signal();
    test_seize();
    test_attach();
    test_events();
    test_syscalls();
    test_timer();
    test_kill();
    test_breakpoint();
    test_memory();
    test_exec("/proc/self/exe");
    test_tracer_dies();
    test_waitid();
    test_threads();
    return 0;
}
