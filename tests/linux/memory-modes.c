/* mremap in all its modes, fixed mappings that replace nothing, huge pages, mappings that may be
 * dropped, shadow stacks, large reservations, limits that outlive an execve. */
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "test.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
enum { X86_MAP_32BIT = 0x40, X86_MAP_ABOVE4G = 0x80, DROPPABLE = 8, HUGE_SHIFT = 26 };

static const size_t page = 4096;
static const int rw = PROT_READ | PROT_WRITE, private = MAP_PRIVATE | MAP_ANONYMOUS;

static char *map(size_t pages, int flags)
{
    return mmap(NULL, pages * page, rw, flags | MAP_ANONYMOUS, -1, 0);
}
static char *remap(void *p, size_t old, size_t new, int flags, void *to)
{
    return (char *)syscall(SYS_mremap, p, old * page, new * page, flags, to);
}

static void perms(const char *what, const void *p)
{
    FILE *f = fopen("/proc/self/maps", "r");
    char line[4096], found[8] = "none", is[8];
    unsigned long start, end;
    while (fgets(line, sizeof line, f))
        if (sscanf(line, "%lx-%lx %4s", &start, &end, is) == 3 && (uintptr_t)p >= start &&
            (uintptr_t)p < end)
            strcpy(found, is);
    fclose(f);
    printf("%s: %s\n", what, found);
}

static void test_mremap(void)
{
    const int may = MREMAP_MAYMOVE, fixed = may | MREMAP_FIXED, leave = may | MREMAP_DONTUNMAP;
    char *space = map(64, MAP_PRIVATE), *a = space, *b;
    munmap(space, 64 * page);
    a = mmap(space, 4 * page, rw, private | MAP_FIXED, -1, 0);
    memset(a, 'a', 4 * page);
    SHOW(remap(a, 4, 8, 0, NULL) == a); /* room behind it */
    mmap(a + 8 * page, page, PROT_NONE, private | MAP_FIXED, -1, 0);
    OK(remap(a, 8, 12, 0, NULL));
    b = remap(a, 8, 12, may, NULL);
    printf("moved: %d %c\n", b != a, b[0]);
    perms("old", a);
    SHOW(remap(b, 12, 2, 0, NULL) == b);
    OK(remap(b, 2, 4, MREMAP_FIXED, a));
    OK(remap(b, 2, 4, MREMAP_DONTUNMAP, NULL));
    OK(remap(b, 2, 4, leave, NULL));
    OK(remap(b, 2, 2, fixed, b + page));
    OK(remap(b, 2, 0, may, NULL));
    OK(remap(b, 2, 4, may | 8, NULL));
    OK(remap(b + 1, 2, 4, may, NULL));
    OK(remap(b, 2, 2, fixed, a + 1));
    OK(remap(b, 2, 2, fixed, (void *)-page));
    OK(remap(b, 0, 2, may, NULL)); /* private: nothing to show twice */
    OK(remap((void *)page, 1, 2, may, NULL));
    SHOW(remap(b, 2, 2, leave, NULL) != MAP_FAILED);
    printf("left: %d\n", b[0]);
    char *s = map(2, MAP_SHARED);
    char *twice = remap(s, 0, 2, may, NULL);
    s[page] = 7;
    printf("twice: %d\n", twice[page]);
    char *third = remap(s, 0, 1, fixed, a);
    third[0] = 8;
    printf("thrice: %d %d\n", third == a, s[0]);
    char *left = remap(s, 2, 2, leave, NULL);
    printf("shared and left: %d\n", left == MAP_FAILED ? -1 : left[page] == s[page]);
    /* Several mappings at once. */
    char *m = map(3, MAP_PRIVATE);
    mprotect(m + page, page, PROT_READ);
    OK(remap(m, 3, 4, may, NULL));
    char *to = map(8, MAP_PRIVATE);
    char *all = remap(m, 3, 3, fixed, to);
    if (all == MAP_FAILED) { /* before Linux 6.17 */
        puts("not all");
    } else {
        perms("first", to);
        perms("second", to + page);
        perms("third", to + 2 * page);
        perms("source", m);
    }
}

static void test_fixed(void)
{
    char *a = map(4, MAP_PRIVATE);
    munmap(a + page, page);
    const int new = private | MAP_FIXED_NOREPLACE;
    OK(mmap(a, 4 * page, rw, new, -1, 0));
    OK(mmap(a + page, 2 * page, rw, new, -1, 0));
    SHOW(mmap(a + page, page, rw, new, -1, 0) == a + page);
    OK(mmap(a + page, page, rw, new, -1, 0));
    SHOW(mmap(a + page, page, rw, new | MAP_FIXED, -1, 0) == a + page);
    OK(mmap(a + 1, page, rw, new, -1, 0));
    OK(mmap((void *)-page, page, rw, new, -1, 0));
    OK(mmap(a, page, rw, MAP_ANONYMOUS, -1, 0));
    OK(mmap(a, page, rw, MAP_SHARED_VALIDATE | MAP_ANONYMOUS, -1, 0));
}

static void test_huge(void)
{
    for (int shift = 12; shift < 36; shift += 1) {
        if (shift == 16 || shift == 25) /* arm64 has such */
            continue;
        errno = 0;
        char *p = mmap(NULL, 1, rw, private | MAP_HUGETLB | shift << HUGE_SHIFT, -1, 0);
        printf("2^%d: %s\n", shift, p == MAP_FAILED ? strerrorname_np(errno) : "ok");
    }
    OK(mmap(NULL, 1, rw, private | MAP_HUGETLB, -1, 0));
    int fd = open("/proc/self/exe", O_RDONLY);
    OK(mmap(NULL, 1, PROT_READ, MAP_PRIVATE | MAP_HUGETLB, fd, 0));
    close(fd);
    OK(syscall(SYS_memfd_create, "huge", 4 /* MFD_HUGETLB */ | 21 << HUGE_SHIFT) >= 0);
}

static void test_droppable(void)
{
    char *p = mmap(NULL, 2 * page, rw, DROPPABLE | MAP_ANONYMOUS, -1, 0);
    printf("droppable: %s\n", p == MAP_FAILED ? strerrorname_np(errno) : "ok");
    if (p == MAP_FAILED)
        return;
    p[0] = 1;
    perms("droppable", p);
    SHOW(mlock(p, page));
    SHOW(madvise(p, page, MADV_KEEPONFORK));
    SHOW(madvise(p, page, MADV_DONTFORK));
    SHOW(munmap(p, 2 * page));
    int fd = open("/proc/self/exe", O_RDONLY);
    OK(mmap(NULL, page, PROT_READ, DROPPABLE, fd, 0));
    close(fd);
}

/* Flags that only x86 has: elsewhere the bits mean nothing, which MAP_SHARED_VALIDATE minds. */
static void test_foreign_flags(void)
{
    char name[] = "flags-XXXXXX";
    int fd = mkstemp(name);
    unlink(name);
    ftruncate(fd, page);
    SHOW(mmap(NULL, page, rw, private | X86_MAP_ABOVE4G, -1, 0) != MAP_FAILED);
    char *p = mmap(NULL, page, rw, private | X86_MAP_32BIT, -1, 0);
    char *q = mmap(NULL, page, rw, MAP_SHARED_VALIDATE | X86_MAP_32BIT, fd, 0);
    int refused = q == MAP_FAILED && errno == EOPNOTSUPP;
#if defined __x86_64__
    printf("MAP_32BIT: %d %d\n", (uintptr_t)p < 1ul << 32, !refused);
#else
    printf("MAP_32BIT: %d %d\n", (uintptr_t)p >= 1ul << 32, refused);
#endif
    OK(mmap(NULL, page, rw, MAP_SHARED_VALIDATE | 0x40000000, fd, 0));
    SHOW(mmap(NULL, page, rw, MAP_SHARED | 0x40000000, fd, 0) != MAP_FAILED);
    close(fd);
}

static void test_shadow_stacks(void)
{
    long r = syscall(453 /* map_shadow_stack */, 0, page, 0);
    printf("map_shadow_stack is refused: %d\n",
           r == -1 && (errno == EOPNOTSUPP || errno == ENOSYS));
    SHOW(prctl(74 /* PR_GET_SHADOW_STACK_STATUS */, &r, 0, 0, 0));
    SHOW(prctl(75 /* PR_SET_SHADOW_STACK_STATUS */, 1, 0, 0, 0));
    SHOW(prctl(76 /* PR_LOCK_SHADOW_STACK_STATUS */, 1, 0, 0, 0));
}

static unsigned long kib(const char *name)
{
    char line[256];
    unsigned long r = 0;
    FILE *f = fopen("/proc/self/status", "r");
    while (fgets(line, sizeof line, f))
        if (!strncmp(line, name, strlen(name)))
            r = strtoul(line + strlen(name), NULL, 10);
    fclose(f);
    return r;
}

/* Hundreds of GiB that nobody may touch, and pieces of them that one may: as Go, Java and
 * WebAssembly have them. */
static void test_reservation(void)
{
    const size_t all = 512ul << 30, piece = 64 << 10;
    unsigned long rss = kib("VmRSS:"), tables = kib("VmPTE:");
    char *p = mmap(NULL, all, PROT_NONE, private | MAP_NORESERVE, -1, 0);
    printf("reserved: %d\n", p != MAP_FAILED);
    for (size_t i = 0; i < 2000; i++) {
        char *at = p + i * (all / 2000 & -piece);
        if (mprotect(at, piece, rw))
            break;
        if (i % 100 == 0)
            at[5] = 1;
    }
    printf("little memory: %d\n", kib("VmRSS:") - rss < 4096 && kib("VmPTE:") - tables < 4096);
    perms("piece", p + 7 * (all / 2000 & -piece));
    perms("behind it", p + 7 * (all / 2000 & -piece) + piece);
    SHOW(madvise(p, piece, MADV_DONTNEED));
    SHOW(mprotect(p, all, PROT_NONE));
    perms("piece", p + 7 * (all / 2000 & -piece));
    SHOW(munmap(p, all));
    for (int i = 0; i < 100; i++) {
        p = mmap(NULL, all, PROT_NONE, private | MAP_NORESERVE, -1, 0);
        if (p == MAP_FAILED || munmap(p, all))
            puts("no more");
    }
}

static void show_limits(void)
{
    struct rlimit as, data;
    getrlimit(RLIMIT_AS, &as);
    getrlimit(RLIMIT_DATA, &data);
    printf("AS %lx %lx DATA %lx %lx\n", (long)as.rlim_cur, (long)as.rlim_max, (long)data.rlim_cur,
           (long)data.rlim_max);
    as.rlim_max += page;
    SHOW(setrlimit(RLIMIT_AS, &as));
    puts(getenv("CALQUE_LIMITS") ? "leaked" : "clean");
}

/* Root without root's rights, after an execve too. */
static void drop_rights(void)
{
    uint32_t head[2] = {0x20080522, 0}, none[6] = {0};
    prctl(PR_SET_SECUREBITS, 1 /* SECBIT_NOROOT */, 0, 0, 0);
    syscall(SYS_capset, head, none);
}

static void test_limits(char *self)
{
    int status;
    if (fork() == 0) {
        struct rlimit as = {1ul << 34, 1ul << 35}, data = {1ul << 33, 1ul << 34};
        drop_rights();
        SHOW(setrlimit(RLIMIT_AS, &as));
        SHOW(setrlimit(RLIMIT_DATA, &data));
        SHOW(execl("/nonexistent", "x", NULL));
        OK(mmap(NULL, 1ul << 33, PROT_NONE, private | MAP_NORESERVE, -1, 0));
        OK(mmap(NULL, 1ul << 34, PROT_NONE, private | MAP_NORESERVE, -1, 0));
        OK(mmap(NULL, 1ul << 33, rw, private | MAP_NORESERVE, -1, 0));
        execl(self, self, "limits", NULL);
        printf("execl: %s\n", strerrorname_np(errno));
        _exit(1);
    }
    wait(&status);
    printf("status %d\n", status);
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IONBF, 0);
    if (argc > 2) {
        show_limits();
        return 0;
    }
    if (argc > 1) {
        show_limits();
        execl(argv[0], argv[0], "limits", "again", NULL);
        return 1;
    }
    test_mremap();
    test_fixed();
    test_huge();
    test_droppable();
    test_foreign_flags();
    test_shadow_stacks();
    test_reservation();
    test_limits(argv[0]);
    return 0;
}
