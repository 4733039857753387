/* A process that shares its parent's memory while both run; and one with clone3. */
#include <dirent.h>
#include <errno.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static atomic_int word, handled, arg2 = 2;
static char stack[1 << 16] __attribute__((aligned(16)));

static void on_signal(int sig) { handled++; }

static long time_namespace(void)
{
    char link[64];
    ssize_t n = readlink("/proc/self/ns/time", link, sizeof link - 1);
    link[n < 0 ? 0 : n] = 0;
    return strtol(link + strcspn(link, "0123456789"), NULL, 10);
}

static int child(void *arg)
{
    pid_t pid = (pid_t)syscall(SYS_getpid);
    word = 1;
    while (word != 2)
        sched_yield();
    signal(SIGUSR1, SIG_IGN); /* its own dispositions */
    syscall(SYS_kill, pid, SIGUSR1);
    word = 3;
    return *(int *)arg;
}

static int waits(void *arg)
{
    word = 1;
    while (*(atomic_int *)arg != 2)
        sched_yield();
    return 0;
}

static int threads_seen(void)
{
    int n = 0;
    DIR *d = opendir("/proc/self/task");
    while (readdir(d))
        n++;
    closedir(d);
    return n - 2;
}

static void *idle(void *arg)
{
    syscall(SYS_gettid);
    return arg;
}

/* One after the other, some of them killed; threads and forks in between and beside them. */
static void many(void)
{
    int status, ok = 0;
    for (int i = 0; i < 60; i++) {
        word = 0;
        pid_t pid = clone(waits, stack + sizeof stack, CLONE_VM | CLONE_FILES | SIGCHLD, &word);
        while (word != 1)
            sched_yield();
        pthread_t t;
        pthread_create(&t, NULL, idle, NULL);
        pthread_join(t, NULL);
        pid_t forked = fork();
        if (forked == 0)
            _exit(3);
        ok += waitpid(forked, &status, 0) == forked && WEXITSTATUS(status) == 3;
        if (i % 3 == 0)
            kill(pid, SIGKILL);
        else
            word = 2;
        ok += waitpid(pid, &status, 0) == pid && status == (i % 3 ? 0 : SIGKILL);
    }
    printf("many %d\n", ok);
}

static void spawn(void)
{
    char *args[] = {"nothing", NULL};
    pid_t pid;
    int e = posix_spawn(&pid, "/nothing/here", NULL, NULL, args, NULL);
    printf("spawn of a missing file: %s\n", strerrorname_np(e));
    e = posix_spawnp(&pid, "nothing-here", NULL, NULL, args, NULL);
    printf("spawnp of a missing file: %s\n", strerrorname_np(e));
}

/* The kernel writes and clears the words itself, in both processes' memory. */
static void words(void)
{
    int status;
    static atomic_int parent_word, child_word = 5;
    pid_t pid = clone(waits, stack + sizeof stack,
                      CLONE_VM | CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID |
                          SIGCHLD, &arg2, &parent_word, NULL, &child_word);
    waitpid(pid, &status, 0);
    printf("parent's word %d child's %d\n", parent_word == pid, child_word);
    pid = clone(waits, stack + sizeof stack, CLONE_VM | CLONE_VFORK | CLONE_CHILD_CLEARTID |
                    CLONE_CHILD_SETTID | SIGUSR2, (child_word = 5, &arg2), NULL, NULL,
                &child_word);
    int r = waitpid(pid, &status, 0);
    printf("not by plain wait %d %s", r, strerror(errno));
    printf(" but so %d, word %d\n", waitpid(pid, &status, __WCLONE) == pid, child_word);
}

int main(void)
{
    int status, arg = 9;
    signal(SIGUSR2, SIG_IGN);
    setvbuf(stdout, NULL, _IONBF, 0);
    signal(SIGUSR1, on_signal);
    pid_t pid = clone(child, stack + sizeof stack, CLONE_VM | SIGCHLD, &arg);
    while (word != 1)
        sched_yield();
    printf("child runs in this memory, threads here %d\n", threads_seen());
    word = 2;
    printf("waited %d", waitpid(pid, &status, 0) == pid);
    printf(" exit %d word %d\n", WEXITSTATUS(status), word);
    raise(SIGUSR1);
    printf("handled here %d\n", handled);
    many();
    spawn();
    words();
    printf("threads %d\n", threads_seen());
    struct clone_args a = {
        .exit_signal = SIGCHLD, .flags = CLONE_CHILD_SETTID, .child_tid = (uintptr_t)&word};
    long r = syscall(SYS_clone3, &a, sizeof a);
    if (r == 0)
        _exit(word == getpid() ? 5 : 6);
    printf("clone3 %d", waitpid((pid_t)r, &status, 0) == r);
    printf(" exit %d\n", WEXITSTATUS(status));
    a.flags = CLONE_THREAD;
    r = syscall(SYS_clone3, &a, sizeof a);
    printf("bad flags %ld %s\n", r, strerror(errno));
    r = syscall(SYS_clone3, &a, 8);
    printf("bad size %ld %s\n", r, strerror(errno));
    r = syscall(SYS_clone3, (void *)8, sizeof a);
    printf("bad pointer %ld %s\n", r, strerror(errno));
    a = (struct clone_args){.exit_signal = 99};
    r = syscall(SYS_clone3, &a, sizeof a);
    printf("bad signal %ld %s\n", r, strerror(errno));
    /* Its bit is among those of the signal in clone(). */
    long outside = time_namespace();
    a = (struct clone_args){.exit_signal = SIGCHLD,
                            .flags = CLONE_NEWTIME | (geteuid() ? CLONE_NEWUSER : 0)};
    r = syscall(SYS_clone3, &a, sizeof a);
    if (r == 0)
        _exit(time_namespace() != outside ? 7 : 8);
    status = 0;
    printf("time namespace %d", r > 0 && waitpid((pid_t)r, &status, 0) == r);
    printf(" exit %d\n", WEXITSTATUS(status));
    return 0;
}
