/* A process that shares its parent's memory while both run; and one with clone3. */
#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static atomic_int word, handled;
static char stack[1 << 16] __attribute__((aligned(16)));

static void on_signal(int sig) { handled++; }

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

int main(void)
{
    int status, arg = 9;
    setvbuf(stdout, NULL, _IONBF, 0);
    signal(SIGUSR1, on_signal);
    pid_t pid = clone(child, stack + sizeof stack, CLONE_VM | SIGCHLD, &arg);
    while (word != 1)
        sched_yield();
    printf("child runs in this memory\n");
    word = 2;
    printf("waited %d", waitpid(pid, &status, 0) == pid);
    printf(" exit %d word %d\n", WEXITSTATUS(status), word);
    raise(SIGUSR1);
    printf("handled here %d\n", handled);
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
    return 0;
}
