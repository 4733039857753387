/* Files of /proc that stay open: what is read from the start again is new. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <sys/wait.h>

#include "test.h"

static char text[65536];

static int open_of(pid_t pid, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    return open(path, O_RDONLY);
}

/* The line of /proc/PID/status (of others the words alone), or why it can't be read. */
static void show(const char *when, ssize_t n, const char *line)
{
    text[n > 0 ? n : 0] = 0;
    char *at = strstr(text, line);
    if (n < 0)
        printf("%s: %s\n", when, strerror(errno));
    else
        printf("%s: %.*s\n", when,
               !at ? 0 : *line == ')' ? (int)strlen(line) : (int)strcspn(at, "\n"), at);
}

static ssize_t again(int fd)
{
    lseek(fd, 0, SEEK_SET);
    return read(fd, text, sizeof text - 1);
}

static void kind(int fd)
{
    struct stat st;
    struct statfs fs;
    SHOW(fstat(fd, &st));
    printf("mode %o, %ld bytes, %ld\n", st.st_mode, (long)st.st_size, (long)st.st_blksize);
    SHOW(fstatfs(fd, &fs));
    printf("type %#lx\n", (long)fs.f_type);
}

static void own(void)
{
    int fd = open("/proc/self/status", O_RDONLY), other = dup(fd);
    kind(fd);
    prctl(PR_SET_NAME, "first");
    show("read", read(fd, text, sizeof text - 1), "Name:");
    prctl(PR_SET_NAME, "second");
    printf("at the end: %zd\n", read(fd, text, sizeof text - 1));
    show("again", again(fd), "Name:");
    prctl(PR_SET_NAME, "third, longer");
    show("pread", pread(fd, text, sizeof text - 1, 0), "Name:");
    prctl(PR_SET_NAME, "4");
    struct iovec v[2] = { { text, 3 }, { text + 3, sizeof text - 4 } };
    show("preadv", preadv(fd, v, 2, 0), "Name:");
    lseek(fd, 0, SEEK_SET);
    show("readv", readv(fd, v, 2), "Name:");
    close(fd);
    show("its copy", again(other), "Name:"); /* that's the same open file */

    /* The number is another file's now: that mustn't be written to. */
    char name[] = "fileXXXXXX";
    int file = mkstemp(name);
    write(file, "Name: mine\n", 11);
    fd = open("/proc/self/status", O_RDONLY);
    read(fd, text, sizeof text - 1);
    SHOW(dup2(file, fd) == fd);
    show("a file", again(fd), "Name:");
    show("a file", again(fd), "Name:");
    SHOW(lseek(file, 0, SEEK_END));
    kind(fd);
    close(fd);

    /* Of this process still, in a child. */
    prctl(PR_SET_NAME, "parent");
    fd = open("/proc/self/status", O_RDONLY);
    read(fd, text, 1);
    fflush(stdout);
    if (fork() == 0) {
        prctl(PR_SET_NAME, "child");
        show("in the child", again(fd), "Name:");
        exit(0);
    }
    wait(NULL);
    close(fd);

    /* More files than anybody keeps. */
    int many[40];
    for (int i = 0; i < 40; i++)
        read(many[i] = open("/proc/self/statm", O_RDONLY), text, sizeof text);
    printf("many %d\n", again(many[39]) > 0 && again(many[0]) > 0);
    for (int i = 0; i < 40; i++)
        close(many[i]);
}

static void others(void)
{
    int go[2];
    char c;
    pipe(go);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        read(go[0], &c, 1);
        prctl(PR_SET_NAME, "renamed");
        raise(SIGSTOP);
        for (;;)
            pause();
    }
    int status = open_of(pid, "status"), stat = open_of(pid, "stat"), comm = open_of(pid, "comm");
    kind(stat);
    again(status);
    again(stat);
    again(comm);
    write(go[1], "x", 1);
    waitpid(pid, NULL, WUNTRACED);
    show("stopped", again(status), "State:");
    show("stopped", again(stat), ") T");
    show("renamed", again(comm), "renamed");
    kill(pid, SIGCONT);
    waitpid(pid, NULL, WCONTINUED);
    do {
        usleep(1000);
        again(status);
    } while (!strstr(text, "State:\tS"));
    kill(pid, SIGKILL);
    siginfo_t info;
    waitid(P_PID, pid, &info, WEXITED | WNOWAIT);
    show("ended", again(status), "State:");
    waitpid(pid, NULL, 0);
    show("gone", again(status), "State:");
    show("gone", again(stat), ")");
    close(status);
    close(stat);
    close(comm);
}

int main(void)
{
    own();
    others();
    return 0;
}
