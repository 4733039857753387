/* Job control on a terminal: what its keys send to whom, who may read, and the end of it. */
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>

#include "test.h"

static int master;

static void key(const char *keys) { write(master, keys, strlen(keys)); }

static void said(int fd, const char *what)
{
    char c;
    printf("%s%s\n", what, read(fd, &c, 1) == 1 ? "" : " (not)");
}

static volatile int resized;
static void on_winch(int sig) { resized++; }

static pid_t job(int tty, bool foreground, void (*what)(int, int), int *ret_fd)
{
    int p[2];
    pipe(p);
    pid_t pid = fork();
    if (!pid) {
        setpgid(0, 0);
        signal(SIGTTOU, SIG_IGN);
        if (foreground)
            tcsetpgrp(tty, getpid());
        signal(SIGTTOU, SIG_DFL);
        what(tty, p[1]);
        _exit(3);
    }
    setpgid(pid, pid);
    close(p[1]);
    *ret_fd = p[0];
    return pid;
}

static void wait_keys(int tty, int fd)
{
    write(fd, "", 1);
    for (;;)
        pause();
}

static void read_line(int tty, int fd)
{
    char text[40];
    long n = read(tty, text, sizeof text - 1);
    text[n < 0 ? 0 : n] = 0;
    printf("read %ld %s", n, n > 0 ? text : strerrorname_np(errno));
}

static void set_mode(int tty, int fd)
{
    struct termios t;
    tcgetattr(tty, &t);
    printf("set %d\n", tcsetattr(tty, TCSANOW, &t));
}

static void status(const char *what, pid_t pid)
{
    int s;
    waitpid(pid, &s, WUNTRACED);
    printf("%s: %s %d\n", what, WIFSTOPPED(s) ? "stopped" : WIFSIGNALED(s) ? "killed" : "exit",
           WIFSTOPPED(s) ? WSTOPSIG(s) : WIFSIGNALED(s) ? WTERMSIG(s) : WEXITSTATUS(s));
}

static void shell(int tty)
{
    int fd;
    signal(SIGTTOU, SIG_IGN);
    signal(SIGWINCH, on_winch);
    pid_t pid = job(tty, true, wait_keys, &fd);
    said(fd, "runs");
    key("\003");
    status("interrupt key", pid);
    pid = job(tty, true, wait_keys, &fd);
    said(fd, "runs");
    key("\032");
    status("suspend key", pid);
    kill(-pid, SIGCONT);
    key("\034");
    status("quit key", pid);
    pid = job(tty, false, read_line, &fd);
    tcsetpgrp(tty, getpid());
    status("read behind", pid);
    tcsetpgrp(tty, pid);
    kill(-pid, SIGCONT);
    key("a line\n");
    status("read in front", pid);
    tcsetpgrp(tty, getpid());
    pid = job(tty, false, set_mode, &fd);
    status("mode behind", pid);
    kill(-pid, SIGKILL);
    status("gone", pid);
    printf("foreground %d session %d\n", tcgetpgrp(tty) == getpid(), tcgetsid(tty) == getpid());
    struct winsize size = {40, 100};
    ioctl(master, TIOCSWINSZ, &size);
    memset(&size, 0, sizeof size);
    SHOW(ioctl(tty, TIOCGWINSZ, &size));
    printf("size %d %d told %d\n", size.ws_row, size.ws_col, resized);
    printf("name %d\n", isatty(tty));
}

int main(void)
{
    int s;
    setvbuf(stdout, NULL, _IONBF, 0);
    master = posix_openpt(O_RDWR | O_NOCTTY);
    grantpt(master);
    unlockpt(master);
    pid_t pid = fork();
    if (!pid) {
        setsid();
        int tty = open(ptsname(master), O_RDWR);
        struct termios t;
        tcgetattr(tty, &t);
        t.c_lflag &= ~ECHO;
        tcsetattr(tty, TCSANOW, &t);
        shell(tty);
        signal(SIGHUP, SIG_DFL);
        close(master);
        kill(getpid(), SIGSTOP);
        for (;;)
            pause();
    }
    waitpid(pid, &s, WUNTRACED);
    kill(pid, SIGCONT);
    close(master);
    waitpid(pid, &s, 0);
    printf("hung up: %d\n", WIFSIGNALED(s) ? WTERMSIG(s) : -1);
    return 0;
}
