/*
 * The emulator's own pages: what is given out is zero, nobody else's, and in the area whatever
 * holes the guest makes; through growth, moves, threads, fork, locked memory and a limit on
 * addresses.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "translator/memory/own-pages.h"

enum { PAGE = 4096, SLOTS = 64, ROUNDS = 4000, THREADS = 3 };
#define AREA_BYTES (UINT64_C(64) << 30)

typedef struct Slot { uint64_t *p; size_t bytes; uint64_t mark; } Slot;

static void need(bool good, const char *what)
{
    if (good)
        return;
    printf("FAIL %s\n", what);
    exit(1);
}

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

static void check_zero(const uint64_t *p, size_t from, size_t bytes)
{
    for (size_t n = from / 8; n < bytes / 8; n += 256)
        need(p[n] == 0, "fresh pages are zero");
}

static void mark(Slot *s, uint64_t value)
{
    s->mark = value;
    for (size_t n = 0; n < s->bytes / 8; n += 256)
        s->p[n] = value;
}

static void check_mark(const Slot *s, size_t bytes)
{
    for (size_t n = 0; n < bytes / 8; n += 256)
        need(s->p[n] == s->mark, "pages are nobody else's");
}

static void step(Slot *s, uint64_t *state, bool in_area)
{
    uint64_t what = next_random(state) % 8;
    size_t bytes = (1 + next_random(state) % (what ? 40 : 400)) * PAGE;
    if (!s->p) {
        s->bytes = bytes;
        s->p = what & 1 ? own_pages_map(bytes) : own_pages_map_populated(bytes);
        need(s->p != NULL, "there is memory");
        need(!in_area || own_pages_end() - (uintptr_t)s->p <= AREA_BYTES, "it is in the area");
        check_zero(s->p, 0, bytes);
    } else if (what < 3 && bytes > s->bytes) {
        s->p = own_pages_grow(s->p, s->bytes, bytes);
        need(s->p != NULL, "there is memory to grow into");
        check_mark(s, s->bytes);
        check_zero(s->p, s->bytes, bytes);
        s->bytes = bytes;
    } else {
        check_mark(s, s->bytes);
        own_pages_unmap(s->p, s->bytes);
        s->p = NULL;
        return;
    }
    mark(s, next_random(state) | 1);
}

static void free_all(Slot *slot)
{
    for (unsigned n = 0; n < SLOTS; n++)
        if (slot[n].p) {
            check_mark(&slot[n], slot[n].bytes);
            own_pages_unmap(slot[n].p, slot[n].bytes);
        }
}

static void *thread_main(void *arg)
{
    uint64_t state = (uintptr_t)arg;
    Slot slot[SLOTS] = {0};
    for (unsigned n = 0; n < ROUNDS; n++)
        step(&slot[next_random(&state) % SLOTS], &state, true);
    free_all(slot);
    return NULL;
}

static void wait_for(pid_t pid, const char *what)
{
    int status;
    need(waitpid(pid, &status, 0) == pid && status == 0, what);
}

static void test_threads(void)
{
    pthread_t thread[THREADS];
    for (uintptr_t n = 0; n < THREADS; n++)
        need(!pthread_create(&thread[n], NULL, thread_main, (void *)(n + 1)), "threads");
    for (unsigned n = 0; n < 50; n++) {
        own_pages_fork_prepare();
        pid_t pid = fork();
        own_pages_fork_done();
        if (pid == 0) {
            uint64_t state = n;
            Slot slot[SLOTS] = {0};
            for (unsigned k = 0; k < 200; k++)
                step(&slot[next_random(&state) % SLOTS], &state, true);
            _exit(0);
        }
        wait_for(pid, "a forked child has the area to itself");
    }
    for (unsigned n = 0; n < THREADS; n++)
        pthread_join(thread[n], NULL);
}

/* The guest unmaps something: the hole stays free. */
static void test_holes(void)
{
    enum { N = 200 };
    void *hole[N];
    for (unsigned n = 0; n < N; n++)
        hole[n] = mmap(NULL, 16 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (unsigned n = 0; n < N; n += 2)
        munmap(hole[n], 16 * PAGE);
    for (unsigned n = 0; n < N; n++)
        need(own_pages_map((1 + n % 32) * PAGE) != NULL, "there is memory");
    for (unsigned n = 0; n < N; n += 2)
        need(mmap(hole[n], 16 * PAGE, PROT_NONE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == hole[n],
             "a hole of the guest's stays one");
}

static void test_file(void)
{
    FILE *f = tmpfile();
    need(f && fputs("of a file", f) >= 0 && fflush(f) == 0, "a file");
    for (unsigned n = 0; n < 3; n++) {
        const char *p = own_pages_map_file(64 * PAGE, fileno(f));
        need(p && !strcmp(p, "of a file"), "a file's contents");
        own_pages_unmap_file(p, 64 * PAGE);
        uint64_t *q = own_pages_map(64 * PAGE);
        check_zero(q, 0, 64 * PAGE);
        q[0] = 1;
        own_pages_unmap(q, 64 * PAGE);
    }
    need(!own_pages_map_file(PAGE, -1), "no file");
    uint64_t *q = own_pages_map(PAGE);
    q[0] = 1;
    own_pages_unmap(q, PAGE);
    fclose(f);
}

static void test_locked(void)
{
    uint64_t *p = own_pages_map(8 * PAGE);
    if (mlock(p, 8 * PAGE))
        return; /* RLIMIT_MEMLOCK */
    memset(p, 1, 8 * PAGE);
    own_pages_unmap(p, 8 * PAGE);
    p = own_pages_map(8 * PAGE);
    check_zero(p, 0, 8 * PAGE);
    own_pages_unmap(p, 8 * PAGE);
}

int main(void)
{
    pid_t pid = fork();
    if (pid == 0) { /* an area of the smaller kind */
#ifndef __SANITIZE_ADDRESS__
        struct rlimit limit = {1 << 30, 1 << 30};
        setrlimit(RLIMIT_AS, &limit);
#endif
        uint64_t state = 7;
        Slot slot[SLOTS] = {0};
        for (unsigned n = 0; n < ROUNDS; n++)
            step(&slot[next_random(&state) % SLOTS], &state, false);
        free_all(slot);
        _exit(!own_pages_map(100 << 20));
    }
    wait_for(pid, "with a limit on addresses");
    test_holes();
    test_file();
    test_locked();
    test_threads();
    puts("ok");
    return 0;
}
