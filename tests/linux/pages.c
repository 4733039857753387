/* The rules of pages, whatever size they have: alignment, rounding, ends of files, /proc.
 * pages: 16384 65536 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static sigjmp_buf jump;
static void *volatile fault_address;
static void on_fault(int sig, siginfo_t *info, void *uc)
{
    fault_address = info->si_addr;
    siglongjmp(jump, sig << 8 | info->si_code);
}

static long page;
#define HALF (page / 2)
static const int anonymous = MAP_PRIVATE | MAP_ANONYMOUS, both = PROT_READ | PROT_WRITE;

static void check(const char *what, int ok) { printf("%s: %s\n", what, ok ? "ok" : "WRONG"); }
static void check_errno(const char *what, long r, int expected)
{
    const char *said = r == -1 ? strerror(errno) : "done";
    printf("%s: %s\n", what, r == -1 && errno == expected ? "ok" : said);
}
static int aligned(const void *p) { return (uintptr_t)p % page == 0; }

/* The signal and its code, in one; 0: it could be written. */
static int write_byte(volatile char *p)
{
    int r = sigsetjmp(jump, 1);
    if (!r)
        *p = 1;
    return r;
}
static void check_fault(const char *what, volatile char *p, int sig, int code)
{
    int r = write_byte(p);
    check(what, r == (sig << 8 | code) && fault_address == p);
}

static char *map(long pages) { return mmap(NULL, pages * page, both, anonymous, -1, 0); }

static void mapping(void)
{
    char *a = mmap(NULL, 100, both, anonymous, -1, 0);
    check("mmap is aligned", aligned(a));
    check("a page is whole", !write_byte(a + page - 1));
    char *b = mmap(a + 3, 1, both, anonymous, -1, 0);
    check("a hint within a page", b != MAP_FAILED && aligned(b) && b != a);
    munmap(b, 1);
    char *free_space = map(8);
    munmap(free_space, 8 * page);
    b = mmap(free_space + 100, page, both, anonymous, -1, 0);
    check("a hint that is free", b == free_space || b == free_space + page);
    munmap(b, page);
    check_errno("MAP_FIXED within a page",
                (long)mmap(a + HALF, page, both, anonymous | MAP_FIXED, -1, 0), EINVAL);
    check_errno("MAP_FIXED_NOREPLACE within a page",
                (long)mmap(a + HALF, page, both, anonymous | MAP_FIXED_NOREPLACE, -1, 0), EINVAL);
    check_errno("MAP_FIXED_NOREPLACE over a page",
                (long)mmap(a, 1, both, anonymous | MAP_FIXED_NOREPLACE, -1, 0), EEXIST);
    check_errno("munmap within a page", munmap(a + HALF, page), EINVAL);
    check("munmap of a byte", munmap(a, 1) == 0);
    check_fault("takes the page away", a + page - 1, SIGSEGV, SEGV_MAPERR);

    a = map(4);
    check_errno("mprotect within a page", mprotect(a + HALF, page, PROT_READ), EINVAL);
    check("mprotect of a byte", mprotect(a + page, 1, PROT_READ) == 0);
    check_fault("holds for the page's start", a + page, SIGSEGV, SEGV_ACCERR);
    check_fault("and its end", a + 2 * page - 1, SIGSEGV, SEGV_ACCERR);
    check("not before", !write_byte(a + page - 1));
    check("nor behind", !write_byte(a + 2 * page));
    check_errno("madvise within a page", madvise(a + HALF, page, MADV_DONTNEED), EINVAL);
    a[2 * page] = a[3 * page - 1] = a[3 * page] = 7;
    check("madvise of a byte", madvise(a + 2 * page, 1, MADV_DONTNEED) == 0);
    check("empties the page", !a[2 * page] && !a[3 * page - 1] && a[3 * page] == 7);
    check_errno("msync within a page", msync(a + HALF, page, MS_SYNC), EINVAL);
    check("msync of a byte", msync(a, 1, MS_SYNC) == 0);
    munmap(a, 4 * page);
}

static void residence(void)
{
    unsigned char there[8];
    char *a = map(4);
    memset(there, 9, sizeof there);
    a[page + 5] = 1;
    a[3 * page - 1] = 1;
    check("mincore", mincore(a, 4 * page, there) == 0);
    check("has one byte a page",
          (there[1] & 1) && (there[2] & 1) && !(there[3] & 1) && there[4] == 9);
    check_errno("mincore within a page", mincore(a + HALF, page, there), EINVAL);
    munmap(a + 2 * page, page);
    check_errno("mincore over a hole", mincore(a, 4 * page, there), ENOMEM);
    munmap(a, 4 * page);
}

static void moving(void)
{
    char *a = map(2), *b;
    a[0] = 'a';
    a[2 * page - 1] = 'b';
    check_errno("mremap within a page",
                (long)mremap(a + HALF, page, 2 * page, MREMAP_MAYMOVE), EINVAL);
    b = mremap(a, 2 * page, 40 * page + 1, MREMAP_MAYMOVE);
    check("mremap grows", b != MAP_FAILED && aligned(b) && b[0] == 'a' && b[2 * page - 1] == 'b');
    check("to the page's end", !write_byte(b + 41 * page - 1));
    a = mremap(b, 41 * page, page + 1, 0);
    check("mremap shrinks", a == b && a[2 * page - 1] == 'b');
    check_fault("by pages", a + 2 * page, SIGSEGV, SEGV_MAPERR);
    char *to = map(8);
    check_errno("MREMAP_FIXED within a page",
                (long)mremap(a, 2 * page, 2 * page, MREMAP_MAYMOVE | MREMAP_FIXED, to + HALF),
                EINVAL);
    b = mremap(a, 2 * page, 3 * page, MREMAP_MAYMOVE | MREMAP_FIXED, to + page);
    check("MREMAP_FIXED", b == to + page && b[0] == 'a' && !write_byte(b + 3 * page - 1));
    /* C libraries pass the address on, or don't. */
    const int leave = MREMAP_MAYMOVE | MREMAP_DONTUNMAP;
    check_errno("MREMAP_DONTUNMAP near a place within a page",
                syscall(SYS_mremap, b, page, page, leave, to + 5 * page + HALF), EINVAL);
    a = (char *)syscall(SYS_mremap, b, 3 * page, 3 * page, leave, NULL);
    check("MREMAP_DONTUNMAP", a != MAP_FAILED && aligned(a) && a[0] == 'a' && b[0] == 0);
    munmap(a, 3 * page);
    munmap(to, 8 * page);
    a = mmap(NULL, 2 * page, both, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    b = mremap(a, 0, 2 * page, MREMAP_MAYMOVE);
    a[page] = 5;
    check("mremap of nothing shows it twice", b != MAP_FAILED && aligned(b) && b[page] == 5);
    munmap(a, 2 * page);
    munmap(b, 2 * page);
}

static long file_bytes(int fd) { return lseek(fd, 0, SEEK_END); }

static void files(void)
{
    FILE *f = tmpfile();
    int fd = fileno(f);
    char back[4] = "";
    for (int i = 0; i < 100; i++)
        write(fd, "x", 1);
    check_errno("an offset within a page", (long)mmap(NULL, page, both, MAP_SHARED, fd, HALF),
                EINVAL);
    for (int shared = 0; shared < 2; shared++) {
        char *a = mmap(NULL, 2 * page, both, shared ? MAP_SHARED : MAP_PRIVATE, fd, 0);
        const char *what = shared ? "shared" : "private";
        printf("%s mapping of 100 bytes\n", what);
        check("is aligned", aligned(a));
        check("has the file", a[0] == 'x' && a[99] == 'x');
        check("and zeroes", !a[100] && !a[page / 4] && !a[HALF + 1] && !a[page - 1]);
        check("that can be written", !write_byte(a + page - 1) && !write_byte(a + HALF) &&
                                         a[page - 1] == 1 && a[HALF] == 1);
        check_fault("up to the page's end", a + page, SIGBUS, BUS_ADRERR);
        check_fault("and no more", a + 2 * page - 1, SIGBUS, BUS_ADRERR);
        a[3] = 'y';
        pread(fd, back, 1, 3);
        check("the file", back[0] == (shared ? 'y' : 'x') && file_bytes(fd) == 100);
        check("unmaps", munmap(a, 2 * page) == 0);
        check_fault("all of it", a + page - 1, SIGSEGV, SEGV_MAPERR);
    }
    char *a = mmap(NULL, 3 * page, both, MAP_SHARED, fd, 0);
    ftruncate(fd, 2 * page + 10);
    a[page + 7] = 'z';
    a[HALF] = 'h';
    a[2 * page + 9] = 'e';
    pread(fd, back, 1, page + 7);
    pread(fd, back + 1, 1, HALF);
    pread(fd, back + 2, 1, 2 * page + 9);
    check("a file that grows behind its mapping", !memcmp(back, "zhe", 3));
    munmap(a, 3 * page);
    a = mmap(NULL, 10, both, MAP_PRIVATE, fd, page);
    check("a short mapping of a long file has a page of it",
          a[7] == 'z' && !write_byte(a + page - 1));
    mprotect(a, page, PROT_READ);
    check_fault("protected", a + page - 1, SIGSEGV, SEGV_ACCERR);
    munmap(a, 10);
    fclose(f);
}

static void heap(void)
{
    char *end = sbrk(0);
    char *start = (char *)(((uintptr_t)end + page - 1) & -page);
    check("brk by a byte", brk(start + 1) == 0);
    check("gives a page", !write_byte(start + page - 1));
    check("brk by a page more", brk(start + 2 * page) == 0 && !write_byte(start + 2 * page - 1));
    check("brk back", brk(start + 1) == 0 && sbrk(0) == start + 1);
    check_fault("takes whole pages", start + page, SIGSEGV, SEGV_MAPERR);
    check("and leaves the rest", !write_byte(start + page - 1));
    brk(end);
}

static char *free_space(void)
{
    char *space = map(4);
    munmap(space, 4 * page);
    return space;
}

static void shared_memory(void)
{
    int id = shmget(IPC_PRIVATE, 100, IPC_CREAT | 0600);
    char *a = shmat(id, NULL, 0), *b;
    if (id < 0 || a == (void *)-1) {
        puts("no shared memory");
        return;
    }
    check("shmat is aligned", aligned(a));
    char *space = free_space();
    check_errno("shmat within SHMLBA", (long)shmat(id, space + HALF, 0), EINVAL);
    /* Whatever else maps something in this process may come first. */
    for (int i = 0; (b = shmat(id, space + HALF, SHM_RND)) == (void *)-1 && i < 100; i++)
        space = free_space();
    check("SHM_RND", b == space);
    if (b == (void *)-1)
        return;
    b[5] = 'q';
    check("one memory", a[5] == 'q');
    check("shmdt", shmdt(a) == 0 && shmdt(b) == 0);
    shmctl(id, IPC_RMID, NULL);
}

/* Every line of maps begins and ends with a page; smaps names the page. */
static void proc(void)
{
    char line[4096];
    unsigned long start, end, size = 0, kernel = 0, mmu = 0, value;
    int good = 1, inside = 0;
    char *mine = mmap(NULL, 3 * page, PROT_READ, anonymous, -1, 0);
    FILE *f = tmpfile();
    write(fileno(f), "x", 1);
    char *file = mmap(NULL, page, both, MAP_PRIVATE, fileno(f), 0);
    FILE *maps = fopen("/proc/self/smaps", "r");
    while (fgets(line, sizeof line, maps)) {
        if (sscanf(line, "%lx-%lx ", &start, &end) == 2 && strchr(line, '-') < strchr(line, ' ')) {
            good &= (start % page == 0 && end % page == 0) || strstr(line, "[vsyscall]") != NULL;
            inside = (uintptr_t)mine >= start && (uintptr_t)mine < end;
            if (inside)
                size = end - start;
            if ((uintptr_t)file >= start && (uintptr_t)file < end)
                check("a file's line", end - start == page);
        } else if (inside && sscanf(line, "KernelPageSize: %lu kB", &value) == 1) {
            kernel = value;
        } else if (inside && sscanf(line, "MMUPageSize: %lu kB", &value) == 1) {
            mmu = value;
        }
    }
    fclose(maps);
    check("maps' lines are pages", good && size >= 3 * page);
    check("smaps has the page's size", kernel * 1024 == page && mmu * 1024 == page);
    unsigned long total = 0, resident = 0, vsize = 0;
    long rss = 0;
    maps = fopen("/proc/self/statm", "r");
    fscanf(maps, "%lu %lu", &total, &resident);
    fclose(maps);
    maps = fopen("/proc/self/stat", "r");
    fscanf(maps, "%*d %*s %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d "
                 "%*d %*d %*u %lu %ld", &vsize, &rss);
    fclose(maps);
    check("statm counts pages", total * page == vsize && resident > 0);
    check("stat too", labs(rss - (long)resident) * page < 4 << 20);
    munmap(mine, 3 * page);
    munmap(file, page);
    fclose(f);
}

/* A program that is executed has the same pages. */
static void executed(char *self)
{
    int ends[2], status;
    char said[32] = "", expected[32];
    pipe(ends);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], 1);
        execl(self, self, "say", NULL);
        _exit(1);
    }
    close(ends[1]);
    read(ends[0], said, sizeof said - 1);
    waitpid(child, &status, 0);
    snprintf(expected, sizeof expected, "%ld %ld\n", page, page);
    check("a program that is executed", status == 0 && !strcmp(said, expected));
}

int main(int argc, char **argv)
{
    setbuf(stdout, NULL);
    page = getpagesize();
    if (argc > 1) {
        printf("%ld %ld\n", page, (long)getauxval(AT_PAGESZ));
        return 0;
    }
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    sigaction(SIGSEGV, &action, NULL);
    sigaction(SIGBUS, &action, NULL);
    check("AT_PAGESZ", page == (long)getauxval(AT_PAGESZ) && page == sysconf(_SC_PAGESIZE));
    check("the vDSO is a page", getauxval(AT_SYSINFO_EHDR) % page == 0);
    mapping();
    residence();
    moving();
    files();
    heap();
    shared_memory();
    proc();
    executed(argv[0]);
    return 0;
}
