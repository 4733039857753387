/* Which interrupted calls are restarted, and that no signal is lost. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Until an alarm that must find the call begun; a busy machine may take long to begin it. */
enum { ONCE_MS = 150 };

static volatile int alarms;
static int wake_fd = -1;

static void on_alarm(int sig)
{
    alarms++;
    if (wake_fd >= 0 && alarms == 2 && write(wake_fd, "y", 1) != 1)
        _exit(9);
}

static void install(int flags)
{
    struct sigaction a = {.sa_handler = on_alarm, .sa_flags = flags};
    sigaction(SIGALRM, &a, NULL);
    alarms = 0;
}

static void start(int first_ms, int every_ms)
{
    struct itimerval t = {{0, every_ms * 1000}, {0, first_ms * 1000}};
    setitimer(ITIMER_REAL, &t, NULL);
}

static void result(const char *what, long r)
{
    printf("%s: %ld %s, alarms %s\n", what, r, r < 0 ? strerror(errno) : "",
           alarms == 0 ? "0" : alarms == 1 ? "1" : "more");
}

int main(void)
{
    int fds[2];
    char c;
    if (pipe(fds))
        return 1;
    setvbuf(stdout, NULL, _IONBF, 0);
    install(0);
    start(ONCE_MS, 0);
    result("read", read(fds[0], &c, 1));
    install(SA_RESTART);
    wake_fd = fds[1];
    start(20, 20);
    long r = read(fds[0], &c, 1);
    start(0, 0);
    result("read, restarted", r);
    wake_fd = -1;
    install(SA_RESTART);
    start(ONCE_MS, 0);
    result("nanosleep", nanosleep(&(struct timespec){5, 0}, NULL));
    install(SA_RESTART);
    start(ONCE_MS, 0);
    result("poll", poll(NULL, 0, 5000));
    install(SA_RESTART);
    start(ONCE_MS, 0);
    result("select", select(0, NULL, NULL, NULL, &(struct timeval){5, 0}));
    install(SA_RESTART);
    start(ONCE_MS, 0);
    pause();
    result("pause", -1);
    pid_t pid = fork();
    if (pid == 0) {
        usleep(4 * ONCE_MS * 1000);
        _exit(5);
    }
    int status = 0;
    install(SA_RESTART);
    start(ONCE_MS, 0);
    r = waitpid(pid, &status, 0);
    printf("waitpid restarted %d status %d, alarms %d\n", r == pid, WEXITSTATUS(status), alarms);
    sigset_t set, old;
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    sigprocmask(SIG_BLOCK, &set, &old);
    install(0);
    start(10, 0);
    usleep(30000);
    printf("blocked: %d\n", alarms);
    r = ppoll(NULL, 0, &(struct timespec){5, 0}, &old);
    result("ppoll", r);
    install(0);
    start(10, 0);
    r = pselect(0, NULL, NULL, NULL, &(struct timespec){5, 0}, &old);
    result("pselect", r);
    sigprocmask(SIG_SETMASK, NULL, &set);
    printf("still blocked %d\n", sigismember(&set, SIGALRM));
    sigprocmask(SIG_SETMASK, &old, NULL);
    /* Signals that pelt a busy loop and calls; each must arrive (they are not queued: count those
     * that came while none was pending). */
    install(SA_RESTART);
    for (int i = 0; i < 2000; i++) {
        int before = alarms;
        kill(getpid(), SIGALRM);
        if (alarms != before + 1)
            printf("lost at %d\n", i);
    }
    printf("all: %d\n", alarms);
    return 0;
}
