/* The guest's addresses end where -R says, argv[1]: whatever is mapped, moved or attached, and in a
 * program that it starts. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

static uintptr_t end;
static int failed;

static void *below(const char *what, void *p)
{
    if (p == MAP_FAILED || (uintptr_t)p >= end) {
        printf("%s: %p\n", what, p);
        failed = 1;
    }
    return p;
}

static void expect(const char *what, int ok)
{
    if (!ok) {
        printf("%s: %s\n", what, strerror(errno));
        failed = 1;
    }
}

static void *thread(void *arg)
{
    int local;
    below("a thread's stack", &local);
    return arg;
}

static char *map(void *hint, size_t n, int flags)
{
    return mmap(hint, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
}

int main(int argc, char **argv)
{
    enum { N = 1 << 20 };
    pthread_t t;
    end = strtoull(argv[1], NULL, 0);
    below("stack", &argc);
    below("code", (void *)(uintptr_t)main);
    below("the C library", (void *)(uintptr_t)strtoull);
    below("brk", sbrk(N));
    for (int i = 0; i < 300; i++) {
        char *p = below("mmap", map(NULL, N, 0));
        p[N - 1] = (char)i;
        if (i % 3 == 0)
            munmap(p, N / 2);
    }
    char *p = below("mmap", map(NULL, N, 0));
    p[5] = 42;
    map(p + N, 4096, MAP_FIXED_NOREPLACE);
    char *q = below("mremap", mremap(p, N, 64 * N, MREMAP_MAYMOVE));
    expect("moved", q != p && q[5] == 42);
    expect("in place", mremap(q, 64 * N, N, 0) == q && mremap(q, N, 2 * N, 0) == q);
    p = below("kept", mremap(q, N, N, MREMAP_MAYMOVE | MREMAP_DONTUNMAP));
    expect("moved away", p[5] == 42 && q[5] == 0);
    int id = shmget(IPC_PRIVATE, N, IPC_CREAT | 0600);
    p = below("shmat", shmat(id, NULL, 0));
    p[N - 1] = 1;
    expect("shmdt", !shmdt(p) && !shmctl(id, IPC_RMID, NULL));
    p = map(NULL, N, 0);
    munmap(p, N);
    expect("a hint", map(p, N, 0) == p);
    below("a hint beyond", map((void *)(end + N), N, 0));
    expect("fixed beyond", map((void *)(end - 4096), 8192, MAP_FIXED) == MAP_FAILED &&
                               errno == ENOMEM);
    expect("too much", map(NULL, end, MAP_NORESERVE) == MAP_FAILED && errno == ENOMEM);
    pthread_create(&t, NULL, thread, NULL);
    pthread_join(t, NULL);
    if (argc > 2) {
        fflush(stdout);
        execl(argv[0], argv[0], argv[1], (char *)NULL);
        failed = 1;
    }
    if (!failed)
        puts("below");
    return failed;
}
