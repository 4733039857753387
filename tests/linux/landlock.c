/* A program that confines itself can still execute what its rules allow, and nothing else. */
#include "test.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

static int ruleset(unsigned long handled)
{
    struct landlock_ruleset_attr attr = {.handled_access_fs = handled};
    return syscall(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
}

static int allow(int set, const char *path, unsigned long access)
{
    struct landlock_path_beneath_attr rule = {access, open(path, O_PATH | O_CLOEXEC)};
    int r = syscall(SYS_landlock_add_rule, set, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
    close(rule.parent_fd);
    return r;
}

static int run(const char *path)
{
    int status;
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        execl(path, "again", "again", NULL);
        _exit(errno);
    }
    waitpid(pid, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void confined(unsigned long handled, unsigned long allowed, const char *exe)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid) {
        waitpid(pid, NULL, 0);
        return;
    }
    int set = ruleset(handled);
    SHOW(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    SHOW(allow(set, exe, allowed));
    SHOW(syscall(SYS_landlock_restrict_self, set, 0));
    printf("allowed %d\n", run(exe));
    int r = run("copy");
    printf("other %s\n", r ? strerrorname_np(r) : "ran");
    int fd = open("file", O_CREAT | O_WRONLY, 0600);
    printf("write %s\n", fd < 0 ? strerrorname_np(errno) : "ok");
    exit(0);
}

int main(int argc, char **argv)
{
    char exe[256], command[600];
    if (argc > 1)
        return 42;
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    exe[n] = 0;
    if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) < 0) {
        puts("no landlock");
        return 0;
    }
    int in = open(exe, O_RDONLY), out = open("copy", O_CREAT | O_WRONLY, 0700);
    while ((n = read(in, command, sizeof command)) > 0)
        write(out, command, n);
    close(in);
    close(out);
    printf("before %d\n", run("copy"));
    unsigned long exec = LANDLOCK_ACCESS_FS_EXECUTE;
    confined(exec, exec, exe);
    confined(exec | LANDLOCK_ACCESS_FS_READ_FILE, exec | LANDLOCK_ACCESS_FS_READ_FILE, exe);
    confined(exec | LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE |
             LANDLOCK_ACCESS_FS_MAKE_REG, exec | LANDLOCK_ACCESS_FS_READ_FILE, exe);
    SHOW(syscall(SYS_landlock_restrict_self, -1, 0));
    return 0;
}
