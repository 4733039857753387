/* data plane */
/*
 * See own-pages.h. The area is reserved without access, and made accessible from its start on as
 * far as it is needed (mlockall() of the guest's would bring in all that is accessible). What is
 * given back loses its pages and stays mapped, so the host has two mappings for all of it, and most
 * requests cost no call.
 */
#include "translator/memory/own-pages.h"

#include <string.h>
#include <sys/mman.h>

#include "translator/memory/shared-lock.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4 /* Linux 5.7 */
#endif

enum {
    PAGE_BYTES = 4096,
    STEP_BYTES = 4 << 20,   /* made accessible at once, at least */
    MOVE_BYTES = 256 << 10, /* copying less is as cheap as moving the pages */
    MAX_FREE = 256,
};

#define AREA_BYTES (UINT64_C(64) << 30)
#define AREA_LEAST (UINT64_C(64) << 20) /* with a limit on addresses */

typedef struct Extent { char *at; size_t bytes; } Extent;

static struct {
    SharedLock lock;
    bool tried;
    char *base, *next, *accessible, *limit; /* from `next` on nothing was given out */
    /* Before `next`; sorted, never adjacent. More than fit are forgotten: addresses only. */
    unsigned n_free;
    Extent free[MAX_FREE];
} own;

static size_t in_pages(size_t bytes) { return (bytes + PAGE_BYTES - 1) & -(size_t)PAGE_BYTES; }

/* If it had been a process that was killed, what was free is lost: addresses only. */
static void lock_own(void)
{
    if (shared_lock(&own.lock)) {
        own.n_free = 0;
        own.next = own.accessible;
    }
}

static void unlock_own(void) { shared_unlock(&own.lock); }

static bool is_own(const void *p)
{
    return own.base && (const char *)p >= own.base && (const char *)p < own.limit;
}

static void reserve_area(void)
{
    own.tried = true;
    for (size_t bytes = AREA_BYTES; bytes; bytes = bytes > AREA_LEAST ? AREA_LEAST : 0) {
        void *p = mmap(NULL, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (p == MAP_FAILED)
            continue;
        /* A page that is touched must not become 2 MiB. */
        madvise(p, bytes, MADV_NOHUGEPAGE);
        own.base = own.next = own.accessible = p;
        own.limit = own.base + bytes;
        return;
    }
}

static void remove_extent(unsigned i)
{
    own.n_free--;
    memmove(&own.free[i], &own.free[i + 1], (own.n_free - i) * sizeof own.free[0]);
}

static bool make_accessible(char *end)
{
    if (end <= own.accessible)
        return true;
    size_t bytes = (size_t)(end - own.accessible), left = (size_t)(own.limit - own.accessible);
    bytes = (bytes + STEP_BYTES - 1) & -(size_t)STEP_BYTES;
    bytes = bytes < left ? bytes : left;
    if (mprotect(own.accessible, bytes, PROT_READ | PROT_WRITE))
        return false;
    own.accessible += bytes;
    return true;
}

static char *take_locked(size_t bytes)
{
    if (!own.tried)
        reserve_area();
    for (unsigned i = 0; i < own.n_free; i++) {
        Extent *e = &own.free[i];
        if (e->bytes < bytes)
            continue;
        char *p = e->at;
        e->at += bytes;
        e->bytes -= bytes;
        if (!e->bytes)
            remove_extent(i);
        return p;
    }
    if ((size_t)(own.limit - own.next) < bytes || !make_accessible(own.next + bytes))
        return NULL;
    char *p = own.next;
    own.next += bytes;
    return p;
}

static char *take(size_t bytes)
{
    lock_own();
    char *p = take_locked(bytes);
    unlock_own();
    return p;
}

/* Without pages. */
static void give(char *p, size_t bytes)
{
    unsigned i = 0;
    lock_own();
    while (i < own.n_free && own.free[i].at < p)
        i++;
    bool joins_left = i && own.free[i - 1].at + own.free[i - 1].bytes == p;
    bool joins_right = i < own.n_free && p + bytes == own.free[i].at;
    if (joins_left) {
        own.free[i - 1].bytes += bytes + (joins_right ? own.free[i].bytes : 0);
        if (joins_right)
            remove_extent(i);
    } else if (joins_right) {
        own.free[i].at = p;
        own.free[i].bytes += bytes;
    } else if (own.n_free < MAX_FREE) {
        memmove(&own.free[i + 1], &own.free[i], (own.n_free - i) * sizeof own.free[0]);
        own.free[i] = (Extent) { p, bytes };
        own.n_free++;
    }
    Extent *last = own.n_free ? &own.free[own.n_free - 1] : NULL;
    if (last && last->at + last->bytes == own.next) {
        own.next = last->at;
        own.n_free--;
    }
    unlock_own();
}

static void *map_anywhere(size_t bytes)
{
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return p == MAP_FAILED ? NULL : p;
}

/* Zeros again, without pages. Locked pages (mlockall) can't be given up but by a new mapping. */
static bool empty(void *p, size_t bytes)
{
    return madvise(p, bytes, MADV_DONTNEED) == 0 ||
           mmap(p, bytes, PROT_READ | PROT_WRITE,
                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != MAP_FAILED;
}

void *own_pages_map(size_t bytes)
{
    bytes = in_pages(bytes);
    void *p = take(bytes);
    return p ? p : map_anywhere(bytes);
}

void own_pages_populate(void *p, size_t bytes)
{
    madvise(p, in_pages(bytes), MADV_POPULATE_WRITE); /* or they come with the faults */
}

void *own_pages_map_populated(size_t bytes)
{
    void *p = own_pages_map(bytes);
    if (p)
        own_pages_populate(p, bytes);
    return p;
}

void *own_pages_map_shared(size_t bytes)
{
    void *p = own_pages_map(bytes);
    if (p && mmap(p, in_pages(bytes), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED) {
        own_pages_unmap(p, bytes);
        p = NULL;
    }
    return p;
}

void own_pages_unmap(void *p, size_t bytes)
{
    bytes = in_pages(bytes);
    if (!p)
        return;
    if (!is_own(p))
        munmap(p, bytes);
    else if (empty(p, bytes))
        give(p, bytes);
}

/* The pages of p, which becomes empty, to `to`. */
static bool move_pages(void *p, size_t bytes, void *to)
{
    return is_own(p) && is_own(to) && bytes >= MOVE_BYTES &&
           mremap(p, bytes, bytes, MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP, to) == to;
}

void *own_pages_grow(void *p, size_t old_bytes, size_t new_bytes)
{
    old_bytes = in_pages(old_bytes);
    if (in_pages(new_bytes) <= old_bytes)
        return p;
    void *fresh = own_pages_map(new_bytes);
    if (!fresh || !p)
        return fresh;
    if (!move_pages(p, old_bytes, fresh))
        memcpy(fresh, p, old_bytes);
    own_pages_unmap(p, old_bytes);
    return fresh;
}

const void *own_pages_map_file(size_t bytes, int fd)
{
    bytes = in_pages(bytes);
    char *at = take(bytes);
    void *p = mmap(at, bytes, PROT_READ, MAP_SHARED | MAP_NORESERVE | (at ? MAP_FIXED : 0), fd, 0);
    if (p == MAP_FAILED && at)
        own_pages_unmap_file(at, bytes);
    return p == MAP_FAILED ? NULL : p;
}

void own_pages_unmap_file(const void *p, size_t bytes)
{
    void *at = (void *)(uintptr_t)p;
    bytes = in_pages(bytes);
    if (!is_own(at))
        munmap(at, bytes);
    else if (mmap(at, bytes, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0) != MAP_FAILED)
        give(at, bytes);
}

uintptr_t own_pages_end(void) { return (uintptr_t)own.limit; }

void own_pages_fork_prepare(void) { lock_own(); }
void own_pages_fork_done(void) { unlock_own(); }
