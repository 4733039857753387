/* Memory beyond mapping: residence, advice, locking, sealing, secrets, barriers, other processes'
 * memory. Calls newer than the headers go by number (the same everywhere since 424). */
#include "test.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <linux/membarrier.h>

enum { PAGE = 4096, NR_PROCESS_MADVISE = 440, NR_MEMFD_SECRET = 447, NR_MSEAL = 462,
       NR_CACHESTAT = 451 };

static char *map(size_t pages, int prot)
{
    return mmap(NULL, pages * PAGE, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void residence(void)
{
    unsigned char v[4] = { 9, 9, 9, 9 };
    char *p = map(4, PROT_READ | PROT_WRITE);

    p[0] = p[PAGE] = 1;
    SHOW(mincore(p, 2 * PAGE, v));
    printf("%d %d %d\n", v[0] & 1, v[1] & 1, v[2]);
    SHOW(mincore(p + 1, PAGE, v));
    SHOW(mincore(p, 0, v));
    SHOW(mincore(p, PAGE, BAD));
    munmap(p + 2 * PAGE, PAGE);
    SHOW(mincore(p, 4 * PAGE, v));
    SHOW(mincore((void *)0x8000, PAGE, v));
    SHOW(mincore((void *)(-4096ul), PAGE, v));
    SHOW(msync(p, 4 * PAGE, MS_SYNC));
    SHOW(msync(p, PAGE, MS_SYNC | MS_ASYNC));
    SHOW(msync(p, PAGE, 0x100));
    SHOW(msync(p + 1, PAGE, MS_ASYNC));
    SHOW(msync(p, PAGE, MS_INVALIDATE));
}

static void advice(void)
{
    char *p = map(4, PROT_READ | PROT_WRITE);

    memset(p, 5, 4 * PAGE);
    SHOW(madvise(p, PAGE, MADV_DONTNEED));
    printf("%d %d\n", p[0], p[PAGE]);
    SHOW(madvise(p + 1, PAGE, MADV_DONTNEED));
    SHOW(madvise(p, PAGE, 12345));
    SHOW(madvise(p, 0, MADV_DONTNEED));
    SHOW(madvise(p, -1ul, MADV_DONTNEED));
    SHOW(madvise((void *)0x8000, PAGE, MADV_DONTNEED));
    SHOW(madvise(p, PAGE, MADV_SEQUENTIAL));
    SHOW(madvise(p, PAGE, MADV_RANDOM));
    SHOW(madvise(p, PAGE, MADV_NORMAL));
    SHOW(madvise(p, PAGE, MADV_DONTDUMP));
    SHOW(madvise(p, PAGE, MADV_DODUMP));
    SHOW(madvise(p, PAGE, MADV_FREE));
    SHOW(madvise(p, PAGE, MADV_COLD));
    SHOW(madvise(p, PAGE, MADV_PAGEOUT));
    SHOW(madvise(p, PAGE, MADV_POPULATE_READ));
    SHOW(madvise(p, PAGE, MADV_POPULATE_WRITE));
    SHOW(madvise(p, PAGE, MADV_REMOVE));
    /* What a child finds. */
    memset(p, 7, 4 * PAGE);
    SHOW(madvise(p, PAGE, MADV_WIPEONFORK));
    SHOW(madvise(p + 2 * PAGE, PAGE, MADV_DONTFORK));
    SHOW(madvise(p + 3 * PAGE, PAGE, MADV_WIPEONFORK));
    SHOW(madvise(p + 3 * PAGE, PAGE, MADV_KEEPONFORK));
    fflush(stdout);
    if (fork() == 0) {
        unsigned char v;
        printf("child %d %d %d, hole %d\n", p[0], p[PAGE], p[3 * PAGE],
               mincore(p + 2 * PAGE, PAGE, &v) < 0 && errno == ENOMEM);
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
    printf("parent %d %d\n", p[0], p[2 * PAGE]);
    char *shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    SHOW(madvise(shared, PAGE, MADV_WIPEONFORK));
    SHOW(madvise(shared, PAGE, MADV_REMOVE));
    SHOW(posix_madvise(p, PAGE, POSIX_MADV_WILLNEED));
    struct iovec iov = { p, PAGE };
    SHOW(syscall(NR_PROCESS_MADVISE, -1, &iov, 1, MADV_COLD, 0));
    int self = syscall(SYS_pidfd_open, getpid(), 0);
    SHOW(syscall(NR_PROCESS_MADVISE, self, &iov, 1, MADV_COLD, 0));
    SHOW(syscall(NR_PROCESS_MADVISE, self, &iov, 1, MADV_COLD, 1));
    SHOW(syscall(NR_PROCESS_MADVISE, self, BAD, 1, MADV_COLD, 0));
    close(self);
}

static void locking(void)
{
    char *p = map(2, PROT_READ | PROT_WRITE);

    SHOW(mlock(p, PAGE));
    SHOW(munlock(p, PAGE));
    SHOW(mlock2(p, PAGE, MLOCK_ONFAULT));
    SHOW(mlock2(p, PAGE, 0));
    SHOW(mlock2(p, PAGE, 8));
    SHOW(munlock(p, 2 * PAGE));
    SHOW(mlock((void *)0x8000, PAGE));
    SHOW(munlock((void *)0x8000, PAGE));
    SHOW(mlockall(0));
    SHOW(mlockall(77));
    SHOW(mlockall(MCL_ONFAULT));
    SHOW(munlockall());
}

static void not_forked(void)
{
    unsigned char v[4] = { 0 };
    char *p = map(4, PROT_READ | PROT_WRITE);

    SHOW(madvise(p, 4 * PAGE, MADV_DONTFORK));
    SHOW(madvise(p + PAGE, PAGE, MADV_DOFORK));
    SHOW(mprotect(p + 2 * PAGE, PAGE, PROT_READ));
    fflush(stdout);
    if (fork() == 0) {
        for (unsigned n = 0; n < 4; n++)
            SHOW(mincore(p + n * PAGE, PAGE, v));
        SHOW(mprotect(p, PAGE, PROT_READ));
        SHOW(munmap(p, PAGE));
        SHOW(mmap(p + 2 * PAGE, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS |
                  MAP_FIXED_NOREPLACE, -1, 0) == p + 2 * PAGE);
        SHOW(mincore(p + 2 * PAGE, PAGE, v));
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
}

/* All that there is, and what comes. Without the right to lock, as far as the limit goes. */
static void locking_all(void)
{
    unsigned char v[4] = { 0 };
    char *before = map(4, PROT_READ | PROT_WRITE);
    map(2, PROT_NONE);
    SHOW(mlockall(0));
    SHOW(mlockall(8));
    SHOW(mlockall(MCL_ONFAULT));
    fflush(stdout);
    if (fork() == 0) {
        struct rlimit limit = { 8 << 20, 8 << 20 };
        setrlimit(RLIMIT_MEMLOCK, &limit); /* or less is allowed already */
        if (getuid() == 0)
            SHOW(setuid(65534));
        SHOW(mlockall(MCL_CURRENT));
        SHOW(mincore(before, 4 * PAGE, v));
        printf("%d %d\n", v[0] & 1, v[3] & 1);
        char *after = map(4, PROT_READ | PROT_WRITE);
        SHOW(mincore(after, 4 * PAGE, v));
        printf("%d %d\n", v[0] & 1, v[3] & 1);
        SHOW(mlockall(MCL_CURRENT | MCL_FUTURE));
        after = map(4, PROT_READ | PROT_WRITE);
        SHOW(mincore(after, 4 * PAGE, v));
        printf("%d %d\n", v[0] & 1, v[3] & 1);
        OK(map(20 << 8, PROT_READ | PROT_WRITE));
        SHOW(munlockall());
        SHOW(mlockall(MCL_CURRENT | MCL_ONFAULT));
        map(20 << 8, PROT_READ | PROT_WRITE);
        SHOW(mlockall(MCL_CURRENT));
        limit.rlim_cur = limit.rlim_max = 0;
        setrlimit(RLIMIT_MEMLOCK, &limit);
        SHOW(mlockall(MCL_CURRENT));
        SHOW(mlockall(MCL_FUTURE));
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
}

static void sealing(void)
{
    char *p = map(4, PROT_READ | PROT_WRITE);

    SHOW(syscall(NR_MSEAL, p + 1, PAGE, 0));
    SHOW(syscall(NR_MSEAL, p, PAGE, 1));
    SHOW(syscall(NR_MSEAL, p, 0, 0));
    SHOW(syscall(NR_MSEAL, p, -1ul, 0));
    SHOW(syscall(NR_MSEAL, 0x8000, PAGE, 0));
    SHOW(syscall(NR_MSEAL, p + PAGE, PAGE, 0));
    SHOW(munmap(p + PAGE, PAGE));
    SHOW(munmap(p, 4 * PAGE));
    SHOW(mprotect(p + PAGE, PAGE, PROT_READ));
    printf("%d\n", mremap(p + PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED ? errno : 0);
    printf("%d\n", mmap(p + PAGE, PAGE, PROT_READ, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1,
                        0) == MAP_FAILED ? errno : 0);
    p[PAGE] = 1;
    SHOW(munmap(p, PAGE));
    SHOW(munmap(p + 2 * PAGE, 2 * PAGE));
    fflush(stdout);
    if (fork() == 0)
        _exit(munmap(p + PAGE, PAGE) < 0 && errno == EPERM ? 1 : 2);
    int status;
    wait(&status);
    printf("in a child %d\n", WEXITSTATUS(status));
}

static void secret(void)
{
    int fd = syscall(NR_MEMFD_SECRET, 0);

    SHOW(syscall(NR_MEMFD_SECRET, 5));
    if (fd < 0) {
        printf("memfd_secret: %s\n", strerrorname_np(errno));
        return;
    }
    SHOW(ftruncate(fd, PAGE));
    char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    printf("mapped %d\n", p != MAP_FAILED);
    if (p != MAP_FAILED) {
        strcpy(p, "hidden");
        printf("%s\n", p);
        SHOW(write(fd, "x", 1));
        int pfd[2];
        SHOW(pipe(pfd));
        SHOW(write(pfd[1], p, 6));
    }
    SHOW(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED);
    close(fd);
}

static void others(void)
{
    char here[16] = "", *p = map(1, PROT_READ | PROT_WRITE);
    int go[2];

    pipe(go);
    pid_t child = fork();
    if (child == 0) {
        strcpy(p, "of the child");
        write(go[1], "x", 1);
        pause();
    }
    read(go[0], here, 1);
    struct iovec l = { here, sizeof here }, r = { p, 13 };
    SHOW(process_vm_readv(child, &l, 1, &r, 1, 0));
    printf("%s\n", here);
    strcpy(here, "OF THE PARENT");
    SHOW(process_vm_writev(child, &l, 1, &r, 1, 0));
    memset(here, 0, sizeof here);
    SHOW(process_vm_readv(child, &l, 1, &r, 1, 0));
    printf("%s\n", here);
    SHOW(process_vm_readv(child, &l, 1, &r, 1, 1));
    r.iov_base = BAD;
    SHOW(process_vm_readv(child, &l, 1, &r, 1, 0));
    SHOW(process_vm_readv(0x7ffffff, &l, 1, &r, 1, 0));
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

static void barriers(void)
{
    long q = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);

    printf("global %d\n", q > 0 && q & MEMBARRIER_CMD_GLOBAL);
    SHOW(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
    SHOW(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0));
    SHOW(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0));
    SHOW(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 1, 0));
    SHOW(syscall(SYS_membarrier, 1 << 20, 0, 0));
}

static void cache(void)
{
    struct { unsigned long long off, len; } range = { 0, PAGE };
    unsigned long long st[5] = { 77 };
    int fd = open("cached", O_CREAT | O_RDWR, 0600);

    write(fd, "x", 1);
    SHOW(syscall(NR_CACHESTAT, fd, &range, st, 0));
    printf("%d\n", st[0] == 1 || st[0] == 77);
    SHOW(syscall(NR_CACHESTAT, fd, &range, st, 1));
    SHOW(syscall(NR_CACHESTAT, -1, &range, st, 0));
    SHOW(syscall(NR_CACHESTAT, fd, BAD, st, 0));
    SHOW(syscall(NR_CACHESTAT, fd, &range, BAD, 0));
    char *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    SHOW(remap_file_pages(p, PAGE, PROT_READ, 0, 0));
    SHOW(remap_file_pages(p, PAGE, 0, 0, 0));
    close(fd);
}

int main(void)
{
    residence();
    advice();
    locking();
    not_forked();
    locking_all();
    sealing();
    secret();
    others();
    barriers();
    cache();
    return 0;
}
