/* MAP_GROWSDOWN, huge pages, PR_SET_MDWE, what /proc/self/status, statm, limits and stat say. */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "test.h"

#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_GET_MDWE 66
#endif

static char text[65536];

static const char *slurp(const char *path)
{
    int fd = open(path, O_RDONLY);
    long n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    text[n > 0 ? n : 0] = 0;
    close(fd);
    return text;
}

static void line(const char *path, const char *name)
{
    char *at = strstr((char *)slurp(path), name);
    if (!at)
        at = (char *)"none\n";
    printf("%.*s\n", (int)strcspn(at, "\n"), at);
}

static unsigned long number(const char *path, const char *name)
{
    const char *at = strstr(slurp(path), name);
    return at ? strtoul(at + strlen(name), NULL, 10) : 0;
}

/* Where the mapping of p begins, and in prot_of what it allows. */
static char prot_of[5];
static uintptr_t start_of(void *p)
{
    unsigned long start, end;
    FILE *f = fopen("/proc/self/maps", "r");
    char buf[4096];
    while (fgets(buf, sizeof buf, f))
        if (sscanf(buf, "%lx-%lx %4s", &start, &end, prot_of) == 3 && (uintptr_t)p >= start &&
            (uintptr_t)p < end) {
            fclose(f);
            return start;
        }
    fclose(f);
    return 0;
}

static void test_grows_down(void)
{
    const long page = 4096;
    /* Room for it to grow, which the next mapping mustn't take. */
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    char *room = mmap(NULL, 64 << 20, PROT_NONE, flags | MAP_NORESERVE, -1, 0);
    char *p = room + (32 << 20);
    munmap(room, 64 << 20);
    p = mmap(p, 4 * page, PROT_READ | PROT_WRITE, flags | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
    printf("grows down: %d\n", p != MAP_FAILED);
    for (long i = 0; i < 64; i++)
        p[-i * page] = 1;
    printf("grown by %ld pages\n", (long)((uintptr_t)p - start_of(p)) / page);
    unsigned char vec[64];
    SHOW(mincore(p - 63 * page, 63 * page, vec));
    SHOW(madvise(p - 63 * page, page, MADV_DONTNEED));
    printf("%d\n", p[-63 * page]);
    SHOW(mprotect(p - 10 * page, page, PROT_READ));
    SHOW(munmap(p - 63 * page, 67 * page));
    printf("gone: %d\n", start_of(p - 20 * page) == 0);
    SHOW(mincore(p - 63 * page, page, vec));
    SHOW(mprotect(p, page, PROT_READ | PROT_GROWSDOWN));
}

/* As the dynamic linker makes stacks executable for an object that asks for it. */
static void test_protect_down(void)
{
    const long page = 4096;
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS, rw = PROT_READ | PROT_WRITE;
    char *here = (char *)((uintptr_t)__builtin_frame_address(0) & -page);
    SHOW(mprotect(here, page, rw | PROT_EXEC | PROT_GROWSDOWN));
    start_of(here);
    printf("%s\n", prot_of);
    start_of(here - 5 * page); /* down to where the stack begins */
    printf("%s\n", prot_of);
    SHOW(mprotect(here, page, rw | PROT_GROWSDOWN));
    start_of(here - 5 * page);
    printf("%s\n", prot_of);
    SHOW(mprotect(here, page, rw | PROT_GROWSDOWN | PROT_GROWSUP));
    SHOW(mprotect(here, page, rw | PROT_GROWSUP));

    char *p = mmap(NULL, 64 * page, PROT_NONE, flags, -1, 0);
    munmap(p, 32 * page);
    SHOW(mprotect(p + 40 * page, page, PROT_READ | PROT_GROWSDOWN)); /* doesn't grow */
    SHOW(mprotect(p + 30 * page, 2 * page, PROT_READ | PROT_GROWSDOWN)); /* nothing there */
    p = mmap(p + 32 * page, 4 * page, rw, flags | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
    p[-page] = p[-2 * page] = 1;
    SHOW(mprotect(p + page, page, PROT_READ | PROT_GROWSDOWN));
    printf("%ld pages, %s\n", ((long)p - (long)start_of(p)) / page, prot_of);
    start_of(p + 2 * page);
    printf("%s\n", prot_of);
    munmap(p - 2 * page, 34 * page);
}

static void on_signal(int sig) { (void)sig; }

static void test_status(void)
{
    sigset_t set;
    signal(SIGUSR1, on_signal);
    signal(SIGSEGV, SIG_IGN);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGTRAP, on_signal);
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    sigaddset(&set, SIGSEGV);
    sigaddset(&set, SIGRTMAX);
    sigprocmask(SIG_BLOCK, &set, NULL);
    kill(getpid(), SIGSEGV);
    line("/proc/self/status", "SigBlk:");
    line("/proc/self/status", "SigIgn:");
    line("/proc/self/status", "SigCgt:");
    line("/proc/thread-self/status", "SigBlk:");
    line("/proc/self/status", "Threads:");
    unsigned long before = number("/proc/self/status", "VmSize:");
    unsigned long pages = strtoul(slurp("/proc/self/statm"), NULL, 10);
    printf("size: %d %d\n", before < 100000, pages == before / 4);
    char *p = mmap(NULL, 1 << 30, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    printf("more: %lu kB\n", number("/proc/self/status", "VmSize:") - before);
    munmap(p, 1 << 30);
    struct rlimit limit = {1ul << 34, 1ul << 35};
    SHOW(setrlimit(RLIMIT_AS, &limit));
    line("/proc/self/limits", "Max address space");
    line("/proc/self/limits", "Max open files   ");
    signal(SIGSEGV, SIG_DFL);
}

static void test_mdwe(void)
{
    const int rw = PROT_READ | PROT_WRITE, rx = PROT_READ | PROT_EXEC;
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
    char *data = mmap(NULL, 4096, rw, flags, -1, 0), *code = mmap(NULL, 4096, rx, flags, -1, 0);
    SHOW(prctl(PR_GET_MDWE, 0, 0, 0, 0));
    SHOW(prctl(PR_GET_MDWE, 1, 0, 0, 0));
    SHOW(prctl(PR_SET_MDWE, 4, 0, 0, 0));
    SHOW(prctl(PR_SET_MDWE, 2, 0, 0, 0));
    SHOW(prctl(PR_SET_MDWE, 1, 1, 0, 0));
    SHOW(prctl(PR_SET_MDWE, 1, 0, 0, 0));
    SHOW(prctl(PR_SET_MDWE, 1, 0, 0, 0));
    SHOW(prctl(PR_SET_MDWE, 0, 0, 0, 0));
    SHOW(prctl(PR_GET_MDWE, 0, 0, 0, 0));
    OK(mmap(NULL, 4096, rw | PROT_EXEC, flags, -1, 0));
    OK(mmap(NULL, 4096, rw, flags, -1, 0));
    OK(mmap(NULL, 4096, rx, flags, -1, 0));
    SHOW(mprotect(data, 4096, rx));
    SHOW(mprotect(data, 4096, PROT_READ));
    SHOW(mprotect(code, 4096, rx));
    SHOW(mprotect(code, 4096, rw | PROT_EXEC));
    SHOW(mprotect(code, 4096, PROT_READ));
    SHOW(mprotect(code, 4096, rx));
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    if (argc > 1) {
        SHOW(prctl(PR_GET_MDWE, 0, 0, 0, 0));
        return 0;
    }
    test_grows_down();
    test_protect_down();
    test_status();
    if (!fork()) {
        test_mdwe();
        if (!fork()) {
            SHOW(prctl(PR_GET_MDWE, 0, 0, 0, 0));
            execl("/proc/self/exe", "again", "exec", NULL);
        }
        wait(NULL);
        _exit(0);
    }
    wait(NULL);
    SHOW(prctl(PR_GET_MDWE, 0, 0, 0, 0));
    /* What is wrong first. */
    OK(mmap(NULL, 0, PROT_READ, MAP_PRIVATE, 999, 0));
    OK(mmap(NULL, 0, PROT_READ, MAP_PRIVATE, 999, 1));
    OK(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, 999, 0));
    OK(mmap(NULL, -1ul, PROT_READ, MAP_PRIVATE, 999, 0));
    OK(mmap(NULL, -1ul, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    /* Huge pages that nobody reserved. */
    OK(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0));
    return 0;
}
