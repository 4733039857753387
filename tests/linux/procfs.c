/* /proc of this process and of another one: what it shows is the program and nothing else. */
#include "test.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

static char text[1 << 18];

static long slurp_fd(int fd)
{
    size_t n = 0;
    ssize_t r = 0;
    while (n < sizeof text - 1 && (r = read(fd, text + n, sizeof text - 1 - n)) > 0)
        n += (size_t)r;
    text[n] = 0;
    close(fd);
    return r < 0 ? -1 : (long)n;
}

static long slurp(pid_t pid, const char *name)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    int fd = open(path, O_RDONLY);
    return fd < 0 ? -1 : slurp_fd(fd);
}

static const char *line_of(const char *name)
{
    static char buf[128];
    const char *at = strstr(text, name);
    snprintf(buf, sizeof buf, "%.*s", at ? (int)strcspn(at, "\n") : 7, at ? at : "missing");
    return buf;
}

static unsigned long number_of(const char *name)
{
    const char *at = strstr(text, name);
    return at ? strtoul(at + strlen(name), NULL, 10) : 0;
}

static void on_signal(int sig) { (void)sig; }

/* What this program has made of itself, to be found again from outside. */
static void *prepare(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGSEGV);
    sigaddset(&set, SIGUSR2);
    sigprocmask(SIG_BLOCK, &set, NULL);
    struct sigaction sa = {.sa_handler = on_signal};
    sigaction(SIGTRAP, &sa, NULL);
    sigaction(SIGUSR1, &sa, NULL);
    signal(SIGBUS, SIG_IGN);
    raise(SIGSEGV);
    raise(SIGUSR2);
    struct rlimit r = {3UL << 30, 4UL << 30};
    setrlimit(RLIMIT_DATA, &r);
    void *p = mmap(NULL, 5 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(p, 1, 5 << 20);
    return p;
}

/* Folders that list mappings and descriptors. */
static void lists(pid_t pid)
{
    char path[64];
    int found = 0, strange = 0, high = 0;
    snprintf(path, sizeof path, "/proc/%d/map_files", (int)pid);
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));) {
        char link[320], target[256];
        snprintf(link, sizeof link, "%s/%s", path, e->d_name);
        ssize_t n = readlink(link, target, sizeof target - 1);
        target[n > 0 ? n : 0] = 0;
        found += strstr(target, program_invocation_short_name) != NULL;
        strange += strstr(target, "/calque") != NULL;
    }
    if (d)
        closedir(d);
    printf("map_files: the program %d, others %d\n", !d || found > 0, strange);
    snprintf(path, sizeof path, "/proc/%d/fd", (int)pid);
    d = opendir(path);
    for (struct dirent *e; (e = readdir(d));)
        high += atoi(e->d_name) > 20;
    closedir(d);
    printf("descriptors above 20: %d\n", high);
}

static void check(pid_t pid, const void *big)
{
    char name[64];
    OK(slurp(pid, "status"));
    static const char *const lines[] = {"SigPnd:", "SigBlk:", "SigIgn:", "SigCgt:", "Seccomp:",
                                        "Threads:"};
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        printf("%s\n", line_of(lines[i]));
    printf("size %d, data %d, x86 %d\n", number_of("VmSize:") < 64 << 10,
           number_of("VmData:") >= 5 << 10 && number_of("VmData:") < 64 << 10,
           strstr(text, "x86") != NULL && sizeof(void *) == 4);
    OK(slurp(pid, "statm"));
    printf("size %d\n", strtoul(text, NULL, 10) < 16 << 10);
    OK(slurp(pid, "limits"));
    printf("%s\n", line_of("Max data size"));
    OK(slurp(pid, "smaps_rollup"));
    printf("rss %d anonymous %d\n", number_of("Rss:") >= 5 << 10 && number_of("Rss:") < 64 << 10,
           number_of("Anonymous:") >= 5 << 10 && number_of("Pss_Anon:") > 1024 &&
           number_of("Pss_Anon:") <= number_of("Pss:"));
    printf("head %d %d\n", (int)strcspn(text, "["), !strncmp(text + strcspn(text, "["),
                                                             "[rollup]\n", 9));
    if (access("/proc/self/numa_maps", R_OK) == 0) {
        slurp(pid, "numa_maps");
        snprintf(name, sizeof name, "\n%lx ", (unsigned long)big);
        printf("stack %d heap %d calque %d\n", strstr(text, " stack") != NULL,
               strstr(text, " heap") != NULL, strstr(text, "calque") != NULL);
    }
    OK(slurp(pid, "maps"));
    printf("calque %d\n", strstr(text, "/calque") != NULL);
    /* The pages of guest addresses. */
    char path[64];
    uint64_t entry = 0;
    snprintf(path, sizeof path, "/proc/%d/pagemap", (int)pid);
    int fd = open(path, O_RDONLY);
    if (fd >= 0)
        pread(fd, &entry, 8, (off_t)((unsigned long)big / 4096 * 8));
    close(fd);
    printf("present %d\n", (int)(entry >> 63));
    lists(pid);
}

/* Another thread's call, by this machine's number. */
static void calls(void)
{
    int pipes[2];
    pipe(pipes);
    pid_t pid = fork();
    if (pid == 0) {
        char c;
        read(pipes[0], &c, 1);
        _exit(0);
    }
    long nr = -1, fd = -1;
    for (int i = 0; i < 200 && nr != SYS_read; i++) {
        usleep(10000);
        if (slurp(pid, "syscall") > 0)
            sscanf(text, "%ld %lx", &nr, &fd);
    }
    unsigned long sp = 0, pc = 0;
    int words = 0;
    for (char *w = strtok(text, " \n"); w; w = strtok(NULL, " \n"), words++) {
        sp = words == 7 ? strtoul(w, NULL, 16) : sp;
        pc = words == 8 ? strtoul(w, NULL, 16) : pc;
    }
    extern char etext;
    printf("read %d fd %d words %d sp %d pc %d\n", nr == SYS_read, fd == pipes[0], words,
           sp < (unsigned long)&nr && sp > (unsigned long)&nr - 65536, pc < (unsigned long)&etext);
    write(pipes[1], "x", 1);
    waitpid(pid, NULL, 0);
}

/* Whoever looks at a process that executes a program sees the one or the other. */
static void race(const char *self)
{
    char exe[256];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    exe[n] = 0;
    int strange = 0, seen = 0;
    fflush(stdout);
    for (int i = 0; i < 40; i++) {
        pid_t pid = fork();
        if (pid == 0) {
            usleep((i % 8) * 100);
            execl(exe, "name-of-the-child", "sleep", NULL);
            _exit(1);
        }
        /* Where the processor has other things to do the first one may take long. */
        for (int j = 0; j < 30 || (!seen && j < 30000); j++) {
            slurp(pid, "cmdline");
            /* The kernel knows the new arguments a moment after the program. */
            strange += *text && strcmp(text, self) && strcmp(text, "name-of-the-child");
            seen += !strcmp(text, "name-of-the-child");
            usleep(50);
            slurp(pid, "comm");
            strange += !!strncmp(text, strrchr(exe, '/') + 1, strcspn(text, "\n"));
        }
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
    printf("strange %d seen %d\n", strange, seen > 0);
}

/* Another mount of proc, and links to it. */
static void mounted(void)
{
    char exe[256], seen[256];
    ssize_t n = readlink("/proc/self/exe", exe, sizeof exe - 1);
    fflush(stdout);
    pid_t pid = fork();
    if (pid)
        waitpid(pid, NULL, 0);
    if (pid)
        return;
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS) || mkdir("again", 0700) || symlink("again", "link") ||
        mount("/proc", "again", NULL, MS_BIND | MS_REC, NULL)) {
        puts("no mounts here");
    } else {
        ssize_t m = readlink("again/self/exe", seen, sizeof seen - 1);
        printf("exe %d\n", n == m && !memcmp(exe, seen, (size_t)n));
        chdir("link/self");
        slurp_fd(open("cmdline", O_RDONLY));
        printf("cmdline %s\n", strrchr(text, '/') ? "ok" : text);
        slurp_fd(open("../thread-self/maps", O_RDONLY));
        printf("maps %d\n", strstr(text, "[stack]") && !strstr(text, "/calque"));
    }
    exit(0);
}

int main(int argc, char **argv)
{
    if (argc > 1) {
        sleep(5);
        return 0;
    }
    if (!strchr(argv[0], '/'))
        return 1;
    race(argv[0]);
    calls();
    mounted();
    int pipes[2];
    char c;
    void *big = prepare();
    puts("self");
    check(getpid(), big);
    pipe(pipes);
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        prepare();
        write(pipes[1], "x", 1);
        for (;;)
            pause();
    }
    read(pipes[0], &c, 1);
    puts("other");
    check(pid, big);
    kill(pid, SIGKILL);
    return 0;
}
