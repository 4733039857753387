/* fork, vfork, posix_spawn, exec, wait: statuses, inheritance, errors. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;
static char self[4096], dir[] = "/tmp/calque-process-XXXXXX";
static int shared;

static void status(const char *what, int s)
{
    if (WIFEXITED(s))
        printf("%s: exit %d\n", what, WEXITSTATUS(s));
    else if (WIFSIGNALED(s))
        printf("%s: signal %d\n", what, WTERMSIG(s));
    else
        printf("%s: %x\n", what, s);
}

static void wait_for(const char *what, pid_t pid)
{
    int s = -1;
    if (waitpid(pid, &s, 0) != pid)
        printf("%s: no child: %s\n", what, strerror(errno));
    else
        status(what, s);
}

static int child_main(int argc, char **argv)
{
    sigset_t set;
    sigprocmask(SIG_SETMASK, NULL, &set);
    printf("child");
    for (int i = 0; i < argc; i++)
        printf(" [%s]", i == 0 && !strcmp(argv[0], self) ? "self" : argv[i]);
    printf(" X=%s usr1 blocked %d usr2 ignored %d segv ignored %d\n",
           getenv("X") ? getenv("X") : "(none)", sigismember(&set, SIGUSR1),
           signal(SIGUSR2, SIG_DFL) == SIG_IGN, signal(SIGSEGV, SIG_DFL) == SIG_IGN);
    fflush(stdout);
    return 42;
}

static void *thread_forks(void *arg)
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        printf("forked by a thread: leader %d\n", getpid() == gettid());
        fflush(stdout);
        _exit(3);
    }
    wait_for("thread's child", pid);
    return NULL;
}

static void *thread_execs(void *arg)
{
    char *argv[] = {"by-thread", "child", NULL};
    execve(self, argv, environ);
    return NULL;
}

static void write_file(const char *name, const char *text, int mode)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, mode);
    if (write(fd, text, strlen(text)) < 0)
        perror(name);
    close(fd);
    chmod(name, mode);
}

static void test_errors(void)
{
    char path[5000], *argv[] = {"x", NULL};
    printf("exec nothing: %s\n", execv("/nonexistent/x", argv) ? strerror(errno) : "");
    printf("exec empty path: %s\n", execv("", argv) ? strerror(errno) : "");
    printf("exec directory: %s\n", execv("/", argv) ? strerror(errno) : "");
    snprintf(path, sizeof path, "%s/data", dir);
    write_file(path, "no program", 0755);
    printf("exec data: %s\n", execv(path, argv) ? strerror(errno) : "");
    write_file(path, "", 0755);
    printf("exec empty: %s\n", execv(path, argv) ? strerror(errno) : "");
    write_file(path, "\177ELF", 0755);
    printf("exec short ELF: %s\n", execv(path, argv) ? strerror(errno) : "");
    write_file(path, "#!\n", 0755);
    printf("exec script of nothing: %s\n", execv(path, argv) ? strerror(errno) : "");
    write_file(path, "#!/nonexistent/sh\n", 0755);
    printf("exec script of missing: %s\n", execv(path, argv) ? strerror(errno) : "");
    memset(path, 'a', sizeof path - 1);
    path[0] = '/';
    path[sizeof path - 1] = 0;
    printf("exec long: %s\n", execv(path, argv) ? strerror(errno) : "");
    printf("exec bad pointer: %s\n", execv(path, (char **)8) ? strerror(errno) : "");
    snprintf(path, sizeof path, "%s/data/x", dir);
    printf("exec below a file: %s\n", execv(path, argv) ? strerror(errno) : "");
}

static void test_scripts(void)
{
    char path[4096], text[5000], out[4096];
    snprintf(path, sizeof path, "%s/script", dir);
    snprintf(text, sizeof text, "#! %s  child and more \nignored\n", self);
    write_file(path, text, 0755);
    pid_t pid;
    char *argv[] = {"zero", "one", NULL};
    int r = posix_spawn(&pid, path, NULL, NULL, argv, environ);
    snprintf(out, sizeof out, "script, spawned %d", r);
    if (!r)
        wait_for(out, pid);
    unlink(path);
}

static char *child_args[] = {"name of the child", "child", "", "a b", NULL};

static void find_self(void)
{
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    self[n > 0 ? n : 0] = 0;
}

/* Started by the test itself, or as the interpreter of its script. */
static int run_as_child(int argc, char **argv)
{
    if (!strcmp(argv[1], "child and more")) {
        argv[2] = "script";
        if (argc > 3)
            argv[3] = "rest";
    }
    return child_main(argc, argv);
}

static void no_core(void) { setrlimit(RLIMIT_CORE, &(struct rlimit){0}); }

static void test_ends(void)
{
    pid_t pid = fork();
    if (pid == 0)
        _exit(1);
    wait_for("fork", pid);
    pid = fork();
    if (pid == 0) {
        no_core();
        abort();
    }
    wait_for("abort", pid);
    pid = fork();
    if (pid == 0)
        raise(SIGKILL);
    wait_for("kill", pid);
    pid = fork();
    if (pid == 0)
        raise(SIGTERM);
    wait_for("term", pid);
    pid = fork();
    if (pid == 0) {
        no_core();
        *(volatile int *)8 = 1;
    }
    wait_for("segv", pid);
    fflush(stdout);
}

static void test_vfork(void)
{
    pid_t pid = vfork();
    if (pid == 0) {
        shared = 5;
        _exit(2);
    }
    wait_for("vfork", pid);
    printf("memory shared: %d\n", shared);
    pid = vfork();
    if (pid == 0) {
        execl("/nonexistent/y", "y", NULL);
        shared = errno;
        _exit(127);
    }
    wait_for("vfork exec", pid);
    printf("errno from the child: %s\n", strerror(shared));
    char *bad[] = {"z", NULL};
    printf("spawn: %s\n", strerror(posix_spawn(&pid, "/nonexistent/z", NULL, NULL, bad, environ)));
}

/* What a program inherits: blocked and ignored signals, its names, the environment. */
static void test_exec(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGSEGV);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGUSR2, SIG_IGN);
    signal(SIGSEGV, SIG_IGN);
    char *env[] = {"X=1", NULL};
    pid_t pid = fork();
    if (pid == 0) {
        execve(self, child_args, env);
        _exit(99);
    }
    wait_for("exec", pid);
    sigprocmask(SIG_UNBLOCK, &set, NULL);
    signal(SIGSEGV, SIG_DFL);
    signal(SIGUSR2, SIG_DFL);
}

static void test_spawn(void)
{
    pid_t pid;
    char out[4096], line[4096];
    posix_spawn_file_actions_t actions;
    setenv("X", "2", 1);
    posix_spawn_file_actions_init(&actions);
    snprintf(out, sizeof out, "%s/out", dir);
    posix_spawn_file_actions_addopen(&actions, 1, out, O_WRONLY | O_CREAT, 0600);
    if (!posix_spawn(&pid, self, &actions, NULL, child_args, environ))
        wait_for("spawned", pid);
    FILE *f = fopen(out, "r");
    if (f && fgets(line, sizeof line, f))
        printf("its output: %s", line);
    unlink(out);
    pid = fork();
    if (pid == 0) {
        int fd = open(self, O_RDONLY);
        fexecve(fd, child_args, environ);
        _exit(98);
    }
    wait_for("fexecve", pid);
}

static void test_threads(void)
{
    pthread_t t;
    pthread_create(&t, NULL, thread_forks, NULL);
    pthread_join(t, NULL);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        pthread_create(&t, NULL, thread_execs, NULL);
        pthread_join(t, NULL);
        _exit(97);
    }
    wait_for("exec by thread", pid);
}

static void test_stops(void)
{
    int s, wait_pipe[2];
    pipe(wait_pipe);
    pid_t pid = fork();
    if (pid == 0) {
        char c;
        close(wait_pipe[1]);
        raise(SIGSTOP);
        read(wait_pipe[0], &c, 1); /* until the parent has seen it going on */
        _exit(4);
    }
    waitpid(pid, &s, WUNTRACED);
    printf("stopped %d by %d\n", WIFSTOPPED(s), WSTOPSIG(s) == SIGSTOP);
    kill(pid, SIGCONT);
    waitpid(pid, &s, WCONTINUED);
    printf("continued %d\n", WIFCONTINUED(s));
    close(wait_pipe[1]);
    wait_for("then", pid);
}

static void test_waitid(void)
{
    siginfo_t info;
    pid_t pid = fork();
    if (pid == 0)
        _exit(6);
    waitid(P_PID, pid, &info, WEXITED);
    printf("waitid code %d status %d pid %d\n", info.si_code, info.si_status, info.si_pid == pid);
}

int main(int argc, char **argv)
{
    find_self();
    if (argc > 1 && (!strcmp(argv[1], "child") || !strcmp(argv[1], "child and more")))
        return run_as_child(argc, argv);
    if (!mkdtemp(dir))
        return 1;
    setvbuf(stdout, NULL, _IOLBF, 0);
    test_ends();
    test_vfork();
    test_exec();
    test_spawn();
    test_scripts();
    test_errors();
    test_threads();
    test_stops();
    test_waitid();
    char data[4096];
    snprintf(data, sizeof data, "%s/data", dir);
    unlink(data);
    rmdir(dir);
    return 0;
}
