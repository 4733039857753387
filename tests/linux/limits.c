/* RLIMIT_AS, RLIMIT_DATA and RLIMIT_STACK strike the program, across fork and exec. */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/wait.h>

#include "test.h"

#define GIB (1L << 30)

static void *get(size_t bytes, int prot)
{
    return mmap(NULL, bytes, prot, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

static void limit(int what, rlim_t cur)
{
    struct rlimit l;
    getrlimit(what, &l);
    l.rlim_cur = cur;
    setrlimit(what, &l);
}

static void show(int what)
{
    struct rlimit l;
    getrlimit(what, &l);
    printf("limit %ld %d\n", (long)l.rlim_cur, l.rlim_max == RLIM_INFINITY);
}

static int fits(void)
{
    void *p[16];
    int n = 0;
    while (n < 16 && (p[n] = get(GIB / 8, PROT_NONE)) != MAP_FAILED)
        n++;
    for (int i = 0; i < n; i++)
        munmap(p[i], GIB / 8);
    return n;
}

static void address_space(void)
{
    limit(RLIMIT_AS, GIB);
    show(RLIMIT_AS);
    printf("mmap %s\n", get(2 * GIB, PROT_NONE) == MAP_FAILED ? strerrorname_np(errno) : "?");
    printf("fit %d, again %d\n", fits(), fits());
    char *m = get(GIB / 2, PROT_READ);
    printf("one more %d\n", get(GIB * 3 / 4, PROT_READ) != MAP_FAILED);
    printf("grow %d\n", mremap(m, GIB / 2, 2 * GIB, MREMAP_MAYMOVE) != MAP_FAILED);
    printf("in place %d\n", mmap(m, GIB / 2, PROT_NONE, MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS, -1,
                                 0) == m);
    char *end = sbrk(0);
    printf("brk %d\n", sbrk(GIB * 3 / 4) == (void *)-1);
    printf("small brk %d\n", sbrk(65536) == end);
    int id = shmget(IPC_PRIVATE, GIB * 3 / 4, 0600);
    if (id >= 0) {
        if (shmat(id, NULL, 0) != (void *)-1)
            printf("attached beyond the limit\n");
        shmctl(id, IPC_RMID, NULL);
    }
    munmap(m, GIB / 2);
    printf("fit %d\n", fits());
}

static void data(void)
{
    limit(RLIMIT_AS, RLIM_INFINITY);
    limit(RLIMIT_DATA, GIB / 2);
    printf("mmap %s\n",
           get(GIB, PROT_READ | PROT_WRITE) == MAP_FAILED ? strerrorname_np(errno) : "?");
    printf("read only %d\n", get(GIB, PROT_READ) != MAP_FAILED);
    printf("small %d\n", get(GIB / 8, PROT_READ | PROT_WRITE) != MAP_FAILED);
    printf("brk %d\n", sbrk(GIB / 2) == (void *)-1);
    limit(RLIMIT_DATA, RLIM_INFINITY);
    printf("mmap %d\n", get(GIB, PROT_READ | PROT_WRITE) != MAP_FAILED);
}

static sigjmp_buf back;
static void overflow(int sig) { siglongjmp(back, 1); }
static volatile long deepest;
static char *top;
static int deep(volatile char *p)
{
    volatile char room[8192];
    room[0] = *p + 1;
    deepest = top - (char *)room;
    return deep(room) + room[0];
}

static void stack(void)
{
    static char alt[65536];
    char c = 0;
    stack_t s = {.ss_sp = alt, .ss_size = sizeof alt};
    sigaltstack(&s, NULL);
    struct sigaction a = {.sa_handler = overflow, .sa_flags = SA_ONSTACK};
    sigaction(SIGSEGV, &a, NULL);
    top = &c;
    const int mib[] = {2, 1, 6, 20};
    for (int i = 0; i < 4; i++) {
        limit(RLIMIT_STACK, (rlim_t)mib[i] << 20);
        if (!sigsetjmp(back, 1))
            deep(&c);
        printf("stack of %d MiB: %s\n", mib[i],
               deepest < (long)mib[i] << 19                   ? "too small"
               : deepest > (((long)mib[i] + (i == 1)) << 20)  ? "too big"
                                                              : "as said");
    }
}

int main(int argc, char **argv)
{
    int status;
    setvbuf(stdout, NULL, _IONBF, 0);
    if (argc > 1) {
        show(RLIMIT_AS);
        printf("fit after exec %d\n", fits());
        return 0;
    }
    address_space();
    if (!fork()) {
        printf("fit after fork %d\n", fits());
        execl("/proc/self/exe", "limits", "again", NULL);
        _exit(1);
    }
    wait(&status);
    printf("child %d\n", status);
    data();
    stack();
    return 0;
}
