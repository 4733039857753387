/* data plane */
/*
 * The guest's address space. A guest address is a host address; the table here knows which ranges
 * are the guest's (everything else is the emulator's or free) and with which protection, because
 * the guest's PROT_EXEC is never given to the host, and because /proc/self/maps shows it.
 *
 * Rules:
 *  1. GuestAddr becomes a pointer only in mem_host(). Memory behind it may vanish at any time, so
 *     it is handed to the kernel (which checks) or used by the copying functions below; nothing
 *     else dereferences it.
 *  2. Lock order: change_lock (held for the whole of a call that changes mappings, so that memory
 *     which leaves and comes back is invalidated in between), the translator's locks, lock. The
 *     translator calls mem_fetch() with its own lock held; translator_invalidate() is called with
 *     change_lock held and lock not.
 *  3. The guest's page (MemMap.page) may be larger than the host's: then its ranges begin and end
 *     at its own pages, though the host has more pieces there (pages.c), and what the guest maps
 *     anywhere is placed by mem_place().
 *  4. A range leaves the table before the host unmaps it and enters after the host mapped it, so
 *     that memory the emulator allocates in between is never taken for the guest's.
 */
#ifndef LINUX_USER_MEM_MAP_H
#define LINUX_USER_MEM_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include "linux-user/process.h"
#include "translator/memory/shared-lock.h"

enum { MEM_PAGE = 4096 /* the host's */, MEM_LOWEST = 0x10000 };

typedef enum MemKind {
    MEM_PLAIN, MEM_STACK, MEM_HEAP, MEM_VDSO,
    MEM_GROWS, /* MAP_GROWSDOWN: the kernel makes it longer by itself; mem_grown() finds out */
} MemKind;

typedef struct MemRange {
    GuestAddr start, end;
    uint8_t prot;   /* the guest's PROT_* */
    uint8_t kind;   /* MemKind */
    uint8_t shared;
    uint8_t sealed; /* by mseal() */
    uint8_t not_forked; /* MADV_DONTFORK: a forked child hasn't got it */
    /* What a shared mapping of a file shows (0: none), and from where: other mappings of it are the
     * same memory. */
    uint64_t object, offset;
} MemRange;

typedef struct MemMap {
    uint64_t page;        /* the guest's: MEM_PAGE, or a larger power of two */
    SharedLock change_lock, lock; /* lock: by mem_lock() */
    bool changing;        /* the table is being changed: if its owner is killed, it is lost */
    /* Under lock, and seen through mem_range(): n of them, sorted, disjoint, neighbours that agree
     * are joined. The array's free entries lie before the one of number `gap`. */
    MemRange *ranges;
    size_t n, capacity, gap;
    GuestAddr brk_start, brk, brk_limit; /* under change_lock; brk_limit: end of what is mapped */
    uint64_t bytes, data_bytes; /* under lock: what RLIMIT_AS and RLIMIT_DATA count */
    GuestAddr end;        /* where the guest's addresses end, by -R; 0: the host chooses */
    bool grows;           /* there has been a range of MEM_GROWS */
    GuestAddr stack_floor, stack_start, stack_top; /* under change_lock; the first stack: where its
                             reserve and what the guest has of it begin (limits.c) */
} MemMap;

_Noreturn void mem_is_lost(void); /* says so, and ends the process */

static inline void mem_lock(MemMap *m)
{
    if (__builtin_expect(shared_lock(&m->lock) && m->changing, 0))
        mem_is_lost();
}
static inline void mem_unlock(MemMap *m) { shared_unlock(&m->lock); }

static inline MemRange *mem_range(const MemMap *m, size_t i)
{
    return &m->ranges[i < m->gap ? i : m->capacity - m->n + i];
}

static inline uint64_t mem_page_down(const MemMap *m, uint64_t n) { return n & -m->page; }
static inline uint64_t mem_page_up(const MemMap *m, uint64_t n)
{
    return (n + m->page - 1) & -m->page;
}
static inline bool mem_misaligned(const MemMap *m, uint64_t n) { return n & (m->page - 1); }

static inline void *mem_host(GuestAddr a) { return (void *)(uintptr_t)a; }
static inline GuestAddr mem_guest(const void *p) { return (uintptr_t)p; }

/* Copies that survive any address. False (and -EFAULT is due): some byte can't be accessed; part
 * of the copy may have been done. */
bool mem_read(void *dst, GuestAddr src, size_t n);
bool mem_write(GuestAddr dst, const void *src, size_t n);
bool mem_clear(GuestAddr dst, size_t n);
/* A string with its NUL into dst[size]: its length, -EFAULT, or -ENAMETOOLONG if it doesn't fit. */
long mem_read_string(char *dst, GuestAddr src, size_t size);
/* Length of a string in guest memory or -EFAULT. */
long mem_string_length(GuestAddr src, size_t max);
#define mem_get(ret, src) mem_read((ret), (src), sizeof *(ret))
#define mem_put(dst, value)                                                                        \
    ({                                                                                             \
        __auto_type mem_put_v = (value);                                                           \
        mem_write((dst), &mem_put_v, sizeof mem_put_v);                                            \
    })

/* Atomic compare and exchange of a guest's 32-bit word; *expected becomes what was there. */
bool mem_word_cas(GuestAddr at, uint32_t *expected, uint32_t desired);

/* Some of [a, a + n) is executable. */
bool mem_has_code(MemMap *m, GuestAddr a, uint64_t n);
/* All of [a, a + n) is the guest's with at least these PROT_* bits. */
bool mem_check(MemMap *m, GuestAddr a, uint64_t n, int prot);

/* The guest's calls; a value or -errno. */
long mem_mmap(Process *p, GuestAddr addr, uint64_t bytes, int prot, int flags, int fd,
              uint64_t off);
long mem_munmap(Process *p, GuestAddr addr, uint64_t bytes);
long mem_mprotect(Process *p, GuestAddr addr, uint64_t bytes, int prot);
long mem_mremap(Process *p, GuestAddr old, uint64_t old_bytes, uint64_t new_bytes, int flags,
                GuestAddr to);
long mem_brk(Process *p, GuestAddr to);
/* For shmat and the like: the host has mapped [a, a + n), rounded up to its own pages, for the
 * guest, or unmapped it. Call them between mem_change_begin() and mem_change_end(). */
void mem_change_begin(MemMap *m);
void mem_change_end(MemMap *m);
void mem_note_mapped(MemMap *m, GuestAddr a, uint64_t n, int prot, MemKind kind, bool shared);
void mem_note_unmapped(Process *p, GuestAddr a, uint64_t n);
/* Sealed: [a, a + n) can't be unmapped, replaced, moved or protected otherwise any more. */
void mem_note_sealed(MemMap *m, GuestAddr a, uint64_t n);
void mem_note_forked(MemMap *m, GuestAddr a, uint64_t n, bool forked);

/* limits.c: RLIMIT_AS, RLIMIT_DATA and RLIMIT_STACK of the guest. The first two would strike the
 * emulator as well, so they are raised on the host at start and counted here; what the guest has
 * set is put on the host when a program is executed. */
void mem_limits_start(Process *p);
void mem_limits_exec(Process *p, bool failed);
/* Hard limits that the guest has lowered go to the next program by a variable, since the host's
 * couldn't be raised again if the execve fails, nor for the emulator. Text of it for the
 * environment; false: nothing to pass on. */
enum { MEM_LIMITS_TEXT = 64 };
bool mem_limits_pass(Process *p, char text[MEM_LIMITS_TEXT]);
/* Takes it out of the environment again; behind mem_limits_start(). */
void mem_limits_take(Process *p, char **envp);
/* `more` bytes may be mapped, private and writable ones if data. */
bool mem_limits_allow(Process *p, uint64_t more, bool data);
/* A stack of `bytes` is the guest's, the rest of the reserve isn't. */
bool mem_stack_reserve(Process *p, uint64_t bytes, int prot, GuestAddr *ret_top);
void mem_stack_limit(Process *p, uint64_t bytes);

/* The translator's callback: other addresses of the same memory as addr, at most max. */
size_t mem_aliases(void *opaque, GuestAddr addr, GuestAddr *ret, size_t max);
/* The guest says that it has changed code in [a, a + n): there and wherever else that is mapped. */
void mem_code_changed(Process *p, GuestAddr a, uint64_t n);
/* The translator's fetch callback; opaque is the Process. */
size_t mem_fetch(void *opaque, GuestAddr pc, size_t want, const uint8_t **ret_host);

/* pages.c: a file that ends within a page of the guest's. Up to that page's end there are zeroes,
 * but the host's mapping of the file ends with its own smaller page.
 * A mapping of `bytes` of fd from `off` on has been made at `at`; for a private one does all that
 * is to be done. */
void mem_fill_private_end(const MemMap *m, GuestAddr at, uint64_t bytes, int prot, int fd,
                          uint64_t off);
/* For a shared one, at the access, as the file may have become longer until then: SIGBUS at `addr`.
 * True: there is memory now, and the access is to be done again. */
bool mem_fill_shared_end(Process *p, GuestAddr addr);
/* mincore() with the guest's pages. */
long mem_residence(const MemMap *m, GuestAddr a, uint64_t bytes, GuestAddr vector);

/* The first address beyond the guest's memory. */
static inline GuestAddr mem_end(const Process *p)
{
    return p->mem->end ? p->mem->end : p->abi->task_size;
}
/* An address has to be found for what the guest maps anywhere; else the host's kernel does it. */
static inline bool mem_places(const MemMap *m) { return m->end || m->page > MEM_PAGE; }
/* change_lock held: an address for `bytes`, at the hint if that is free; or -ENOMEM. The host has
 * an inaccessible mapping there, which isn't in the table. (place.c) */
long mem_place(MemMap *m, GuestAddr hint, uint64_t bytes, uint64_t align);

/* The range that holds a, or the first above it; false: none. */
bool mem_find(MemMap *m, GuestAddr a, MemRange *ret);

/* A copy of the table, for /proc/self/maps; *ret_bytes to give to munmap(). NULL: no memory. */
MemRange *mem_snapshot(MemMap *m, size_t *ret_n, size_t *ret_bytes);

/* The host's protection for the guest's. */
static inline int mem_host_prot(int prot)
{
    int host = prot & (PROT_READ | PROT_WRITE | PROT_GROWSDOWN | PROT_GROWSUP);
    return prot & PROT_EXEC ? host | PROT_READ : host;
}

MemMap *mem_new(uint64_t page_bytes);
void mem_fork_prepare(MemMap *m);
/* In the child what isn't forked (MADV_DONTFORK) leaves the table. */
void mem_fork_done(Process *p, bool child);

#endif
