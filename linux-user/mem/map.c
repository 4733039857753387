/* data plane */
/*
 * The guest's mappings: mmap and its relatives, on the host's own calls. The host's kernel chooses
 * addresses; what it gives to the emulator is out of the guest's reach, because a fixed mapping
 * first claims with MAP_FIXED_NOREPLACE what isn't the guest's yet.
 */
#include <errno.h>
#include <sys/stat.h>

#include "linux-user/mem/map.h"
#include "linux-user/mem/table.h"
#include "linux-user/signal/host-syscall.h"
#include "translator/memory/own-pages.h"

enum {
    HOST_MAP_ONLY = 0x40 | 0x80,      /* x86's MAP_32BIT and MAP_ABOVE4G: no guest's flags */
    GUEST_PROT_KNOWN = PROT_READ | PROT_WRITE | PROT_EXEC | PROT_GROWSDOWN | PROT_GROWSUP |
                       0x8 /* PROT_SEM */ | 0x10 /* PROT_BTI */,
};

static bool is_error(long r) { return r < 0 && r >= -4095; }
static uint64_t host_page_up(uint64_t n) { return (n + MEM_PAGE - 1) & -(uint64_t)MEM_PAGE; }

MemMap *mem_new(uint64_t page_bytes)
{
    MemMap *m = own_pages_map(sizeof(MemMap));
    if (!m)
        return NULL;
    m->page = page_bytes;
    return m;
}

static bool range_wraps(GuestAddr a, uint64_t bytes) { return a + bytes < a; }

bool mem_has_code(MemMap *m, GuestAddr a, uint64_t bytes)
{
    mem_lock(m);
    bool r = mem_table_has_code(m, a, a + bytes);
    mem_unlock(m);
    return r;
}

static bool table_set(MemMap *m, GuestAddr a, uint64_t bytes, const MemRange *r)
{
    mem_lock(m);
    bool ok = mem_table_set(m, a, a + bytes, r);
    mem_unlock(m);
    return ok;
}

/* Ranges that grow downwards have done so as far as there is something on the host: the kernel
 * keeps other mappings away from them (stack_guard_gap). */
static void mem_grown(MemMap *m)
{
    unsigned char there;
    mem_lock(m);
    for (size_t i = 0; i < m->n; i++) {
        MemRange r = *mem_range(m, i);
        GuestAddr floor = i ? mem_range(m, i - 1)->end : 0, start = r.start;
        if (r.kind != MEM_GROWS)
            continue;
        if (start >= own_pages_end() && floor < own_pages_end())
            floor = own_pages_end();
        while (start > floor &&
               host_raw(SYS_mincore, start - MEM_PAGE, MEM_PAGE, (uintptr_t)&there) == 0)
            start -= MEM_PAGE;
        start = mem_page_down(m, start);
        start = start < floor ? floor : start;
        if (start < r.start)
            mem_table_set(m, start, r.start, &r);
    }
    mem_unlock(m);
}

_Noreturn void mem_is_lost(void)
{
    static const char text[] = "calque: a process that shared this one's memory was killed in the "
                               "middle of changing the list of mappings\n";
    host_raw(SYS_write, log_descriptor(), (uintptr_t)text, sizeof text - 1);
    for (;;)
        host_raw(SYS_exit_group, 126);
}

void mem_change_begin(MemMap *m)
{
    shared_lock(&m->change_lock); /* if its owner was killed, what it had is the emulator's (4) */
    if (__builtin_expect(m->grows, 0))
        mem_grown(m);
}
void mem_change_end(MemMap *m) { shared_unlock(&m->change_lock); }

bool mem_check(MemMap *m, GuestAddr a, uint64_t n, int prot)
{
    if (range_wraps(a, n))
        return false;
    mem_lock(m);
    bool r = mem_table_covers(m, a, a + n, prot);
    mem_unlock(m);
    if (!r && m->grows) {
        mem_grown(m);
        mem_lock(m);
        r = mem_table_covers(m, a, a + n, prot);
        mem_unlock(m);
    }
    return r;
}

bool mem_find(MemMap *m, GuestAddr a, MemRange *ret)
{
    mem_lock(m);
    size_t i = mem_table_index(m, a);
    bool found = i < m->n;
    if (found)
        *ret = *mem_range(m, i);
    mem_unlock(m);
    return found;
}

MemRange *mem_snapshot(MemMap *m, size_t *ret_n, size_t *ret_bytes)
{
    if (m->grows)
        mem_grown(m);
    mem_lock(m);
    size_t bytes = host_page_up(m->n * sizeof *m->ranges + 1);
    MemRange *to = own_pages_map(bytes);
    if (to) {
        __builtin_memcpy(to, m->ranges, m->gap * sizeof *to);
        __builtin_memcpy(to + m->gap, m->ranges + m->gap + (m->capacity - m->n),
                         (m->n - m->gap) * sizeof *to);
        *ret_n = m->n;
        *ret_bytes = bytes;
    }
    mem_unlock(m);
    return to;
}

void mem_note_mapped(MemMap *m, GuestAddr a, uint64_t n, int prot, MemKind kind, bool shared)
{
    MemRange r = {.prot = (uint8_t)(prot & 7), .kind = kind, .shared = shared};
    table_set(m, a, host_page_up(n), &r);
}

void mem_note_unmapped(Process *p, GuestAddr a, uint64_t n)
{
    bool code = mem_has_code(p->mem, a, n);
    table_set(p->mem, a, host_page_up(n), NULL);
    if (code)
        translator_invalidate(p->translator, a, n);
}

typedef enum MemMark { MARK_SEALED, MARK_NOT_FORKED, MARK_FORKED } MemMark;

static void note_mark(MemMap *m, GuestAddr a, uint64_t n, MemMark mark)
{
    GuestAddr end = a + n;
    for (MemRange r; a < end && mem_find(m, a, &r) && r.start < end; a = r.end) {
        GuestAddr from = r.start > a ? r.start : a, to = r.end < end ? r.end : end;
        r.offset += from - r.start;
        if (mark == MARK_SEALED)
            r.sealed = 1;
        else
            r.not_forked = mark == MARK_NOT_FORKED;
        table_set(m, from, to - from, &r);
    }
}

void mem_note_sealed(MemMap *m, GuestAddr a, uint64_t n) { note_mark(m, a, n, MARK_SEALED); }

void mem_note_forked(MemMap *m, GuestAddr a, uint64_t n, bool forked)
{
    note_mark(m, a, n, forked ? MARK_FORKED : MARK_NOT_FORKED);
}

/* Some of [a, a + n) is sealed: then it stays as it is, all of it (EPERM). */
static bool is_sealed(MemMap *m, GuestAddr a, uint64_t n)
{
    bool sealed = false;
    mem_lock(m);
    for (size_t i = mem_table_index(m, a); i < m->n && mem_range(m, i)->start < a + n; i++)
        sealed |= mem_range(m, i)->sealed;
    mem_unlock(m);
    return sealed;
}

/* Claims what of [a, a + bytes) isn't the guest's. Without success nothing stays claimed; with it
 * the host has a mapping everywhere in the range. */
static bool claim_gaps(MemMap *m, GuestAddr a, uint64_t bytes)
{
    GuestAddr end = a + bytes, at = a;
    while (at < end) {
        MemRange r;
        if (!mem_find(m, at, &r))
            r.start = r.end = end;
        GuestAddr stop = r.start < end ? r.start : end;
        if (at < stop) {
            long got = host_raw(SYS_mmap, at, stop - at, PROT_NONE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE,
                                -1, 0);
            if (got != (long)at) {
                if (!is_error(got))
                    host_raw(SYS_munmap, got, stop - at);
                break;
            }
        }
        at = r.end > stop ? r.end : stop;
    }
    if (at >= end)
        return true;
    for (GuestAddr undo = a; undo < at;) {
        MemRange r;
        if (!mem_find(m, undo, &r) || r.start > at)
            r.start = r.end = at;
        if (undo < r.start)
            host_raw(SYS_munmap, undo, r.start - undo);
        undo = r.end;
    }
    return false;
}

/* After a failed fixed mapping: gives back what claim_gaps() took. */
static void release_gaps(MemMap *m, GuestAddr a, uint64_t bytes)
{
    GuestAddr end = a + bytes;
    for (GuestAddr at = a; at < end;) {
        MemRange r;
        if (!mem_find(m, at, &r))
            r.start = r.end = end;
        GuestAddr stop = r.start < end ? r.start : end;
        if (at < stop)
            host_raw(SYS_munmap, at, stop - at);
        at = r.end > stop ? r.end : stop;
    }
}

/* Code of a file: its translations may be in the store. Not what the guest may write to, or has no
 * name (memfd_create()). */
static void note_file_code(Process *p, GuestAddr at, uint64_t bytes, int fd, uint64_t off)
{
    struct stat st;
    if (host_raw(SYS_fstat, fd, (uintptr_t)&st) || !S_ISREG(st.st_mode) || !st.st_nlink)
        return;
    TranslatorFile file = {
        .dev = st.st_dev, .ino = st.st_ino, .size = (uint64_t)st.st_size,
        .mtime_ns = st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
        .ctime_ns = st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec,
    };
    translator_map_file(p->translator, at, bytes, off, &file);
}

/* Which memory a shared mapping of fd shows: two of the same have the same number. */
static uint64_t shared_object(int fd)
{
    struct stat st;
    if (host_raw(SYS_fstat, fd, (uintptr_t)&st))
        return 0;
    return (st.st_dev * UINT64_C(0x9e3779b97f4a7c15) ^ st.st_ino) | 1;
}

/* Code that may also be changed through another mapping. */
static void note_shared_code(Process *p, const MemRange *r)
{
    if (r->object && r->prot & PROT_EXEC)
        translator_set_aliased(p->translator);
}

size_t mem_aliases(void *opaque, GuestAddr addr, GuestAddr *ret, size_t max)
{
    MemMap *m = ((Process *)opaque)->mem;
    size_t n = 0;
    mem_lock(m);
    size_t i = mem_table_index(m, addr);
    if (i < m->n && mem_range(m, i)->start <= addr && mem_range(m, i)->object) {
        uint64_t object = mem_range(m, i)->object;
        uint64_t offset = mem_range(m, i)->offset + (addr - mem_range(m, i)->start);
        for (size_t k = 0; k < m->n && n < max; k++) {
            const MemRange *r = mem_range(m, k);
            if (r->object == object && offset >= r->offset &&
                offset - r->offset < r->end - r->start && k != i)
                ret[n++] = r->start + (offset - r->offset);
        }
    }
    mem_unlock(m);
    return n;
}

void mem_code_changed(Process *p, GuestAddr a, uint64_t n)
{
    enum { MANY = 16 << 20 };
    GuestAddr end = a + n, other[16];
    if (n > MANY || range_wraps(a, n)) {
        translator_invalidate(p->translator, 0, UINT64_MAX);
        return;
    }
    translator_invalidate(p->translator, a, n);
    for (GuestAddr next; a < end; a = next) {
        next = (a | (MEM_PAGE - 1)) + 1;
        uint64_t piece = (next < end ? next : end) - a;
        size_t aliases = mem_aliases(p, a, other, sizeof other / sizeof *other);
        while (aliases > 0)
            translator_invalidate(p->translator, other[--aliases], piece);
    }
}

/* How much more is mapped if [addr, addr + n) becomes a new mapping there. */
static uint64_t bytes_added(MemMap *m, GuestAddr addr, uint64_t n, bool replaces)
{
    uint64_t there = 0;
    GuestAddr end = addr + n;
    for (MemRange r; replaces && addr < end && mem_find(m, addr, &r) && r.start < end; addr = r.end)
        there += (r.end < end ? r.end : end) - (r.start > addr ? r.start : addr);
    return n - there;
}

static uint64_t huge_bytes(int flags)
{
    unsigned shift = (unsigned)flags >> MAP_HUGE_SHIFT & MAP_HUGE_MASK;
    return UINT64_C(1) << (shift ? shift : 21);
}

/* On the host. What isn't a file may take its own length only, in the host's pages (io_uring's
 * rings); the rest of the guest's page stays inaccessible then. */
static long map_on_host(const MemMap *m, GuestAddr addr, uint64_t bytes, int prot, int flags,
                        int fd, uint64_t off)
{
    uint64_t n = mem_page_up(m, bytes), least = host_page_up(bytes);
    long r = host_raw(SYS_mmap, addr, n, mem_host_prot(prot), flags, fd, off);
    if (r == -EINVAL && least < n && flags & (MAP_FIXED | MAP_FIXED_NOREPLACE)) {
        r = host_raw(SYS_mmap, addr, least, mem_host_prot(prot), flags, fd, off);
        if (!is_error(r))
            host_raw(SYS_mmap, addr + least, n - least, PROT_NONE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    }
    return r;
}

/* `asked` bytes are `bytes` in pages. */
static long mmap_locked(Process *p, GuestAddr addr, uint64_t asked, uint64_t bytes, int prot,
                        int flags, int fd, uint64_t off)
{
    MemMap *m = p->mem;
    bool fixed = (flags & MAP_FIXED) && !(flags & MAP_FIXED_NOREPLACE);
    bool code = fixed && mem_has_code(m, addr, bytes);
    if (fixed && is_sealed(m, addr, bytes))
        return -EPERM;
    int type = flags & MAP_TYPE;
    if (p->mdwe && (prot & (PROT_WRITE | PROT_EXEC)) == (PROT_WRITE | PROT_EXEC))
        return -EACCES;
    if (!mem_limits_allow(p, bytes_added(m, addr, bytes, fixed),
                          prot & PROT_WRITE && type == MAP_PRIVATE))
        return -ENOMEM;
    if (fixed && !claim_gaps(m, addr, bytes))
        return -ENOMEM;
    bool placed = mem_places(m) && !(flags & (MAP_FIXED | MAP_FIXED_NOREPLACE));
    if (placed) {
        long at = mem_place(m, addr, bytes, flags & MAP_HUGETLB ? huge_bytes(flags) : m->page);
        if (is_error(at))
            return at;
        addr = (GuestAddr)at;
        flags |= MAP_FIXED;
    }
    long r = map_on_host(m, addr, asked, prot, flags, fd, off);
    if (is_error(r)) {
        if (fixed)
            release_gaps(m, addr, bytes);
        if (placed)
            host_raw(SYS_munmap, addr, bytes);
        return r;
    }
    if (m->page > MEM_PAGE && type == MAP_PRIVATE && !(flags & MAP_ANONYMOUS))
        mem_fill_private_end(m, (GuestAddr)r, bytes, prot, fd, off);
    bool grows = flags & MAP_GROWSDOWN && type == MAP_PRIVATE;
    MemRange range = {.prot = (uint8_t)(prot & 7),
                      .kind = grows ? MEM_GROWS : MEM_PLAIN,
                      .shared = type == MAP_SHARED || type == MAP_SHARED_VALIDATE};
    m->grows |= range.kind == MEM_GROWS;
    if (range.shared && !(flags & MAP_ANONYMOUS)) {
        range.object = shared_object(fd);
        range.offset = off;
        note_shared_code(p, &range);
    }
    if (!table_set(m, (GuestAddr)r, bytes, &range)) {
        host_raw(SYS_munmap, r, bytes);
        return -ENOMEM;
    }
    if (code)
        translator_invalidate(p->translator, addr, bytes);
    if (p->has_store && (prot & (PROT_EXEC | PROT_WRITE)) == PROT_EXEC && type == MAP_PRIVATE &&
        !(flags & MAP_ANONYMOUS))
        note_file_code(p, (GuestAddr)r, bytes, fd, off);
    return r;
}

long mem_mmap(Process *p, GuestAddr addr, uint64_t bytes, int prot, int flags, int fd, uint64_t off)
{
    if (mem_misaligned(p->mem, off))
        return -EINVAL;
    uint64_t n = mem_page_up(p->mem, bytes);
    if (bytes == 0 || n < bytes) /* EINVAL or ENOMEM, but EBADF comes first */
        return host_raw(SYS_mmap, 0, bytes, PROT_NONE, flags & ~MAP_FIXED, fd, off);
    if (flags & HOST_MAP_ONLY && (flags & MAP_TYPE) == MAP_SHARED_VALIDATE &&
        !(flags & MAP_ANONYMOUS))
        return -EOPNOTSUPP;
    flags &= ~HOST_MAP_ONLY;
    bool fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);
    if (fixed && mem_misaligned(p->mem, addr))
        return -EINVAL;
    if (fixed && (range_wraps(addr, n) || addr + n > mem_end(p)))
        return -ENOMEM;
    /* A hint above what every x86-64 host has would only ask for five-level tables. */
    if (!fixed && addr >= UINT64_C(1) << 47)
        addr = 0;
    /* Huge pages: the host rounds the length up to its page; the table must know how far. */
    if ((flags & MAP_HUGETLB) && (flags & MAP_ANONYMOUS)) {
        uint64_t huge = huge_bytes(flags);
        n = (n + huge - 1) & ~(huge - 1);
        bytes = n;
    }
    mem_change_begin(p->mem);
    long r = mmap_locked(p, addr, bytes, n, prot, flags, fd, off);
    mem_change_end(p->mem);
    return r;
}

static void unmap_owned(Process *p, GuestAddr a, uint64_t bytes)
{
    MemMap *m = p->mem;
    GuestAddr end = a + bytes;
    for (GuestAddr at = a; at < end;) {
        MemRange r;
        if (!mem_find(m, at, &r) || r.start >= end)
            break;
        GuestAddr s = r.start > at ? r.start : at, e = r.end < end ? r.end : end;
        if (table_set(m, s, e - s, NULL))
            host_raw(SYS_munmap, s, e - s);
        at = e;
    }
}

long mem_munmap(Process *p, GuestAddr addr, uint64_t bytes)
{
    uint64_t n = mem_page_up(p->mem, bytes);
    if (mem_misaligned(p->mem, addr) || n == 0 || range_wraps(addr, n) || addr + n > mem_end(p))
        return -EINVAL;
    mem_change_begin(p->mem);
    bool sealed = is_sealed(p->mem, addr, n);
    bool code = !sealed && mem_has_code(p->mem, addr, n);
    if (!sealed)
        unmap_owned(p, addr, n);
    if (code)
        translator_invalidate(p->translator, addr, n);
    mem_change_end(p->mem);
    return sealed ? -EPERM : 0;
}

/* What PR_SET_MDWE forbids (include/linux/mman.h, map_deny_write_exec). */
static bool gains_exec(MemMap *m, GuestAddr addr, GuestAddr end, int prot)
{
    if (!(prot & PROT_EXEC) || prot & PROT_WRITE)
        return prot & PROT_EXEC;
    for (MemRange r; addr < end && mem_find(m, addr, &r) && r.start < end; addr = r.end)
        if (!(r.prot & PROT_EXEC))
            return true;
    return false;
}

static long mprotect_locked(Process *p, GuestAddr addr, uint64_t n, int prot)
{
    MemMap *m = p->mem;
    /* As the kernel: what lies before a hole is changed, and then the answer is ENOMEM. */
    GuestAddr end = addr;
    for (MemRange r; end < addr + n && mem_find(m, end, &r) && r.start <= end;)
        end = r.end;
    bool hole = end < addr + n;
    if (!hole)
        end = addr + n;
    if (end == addr)
        return -ENOMEM;
    if (is_sealed(m, addr, end - addr))
        return -EPERM;
    if (p->mdwe && gains_exec(m, addr, end, prot))
        return -EACCES;
    bool code = !(prot & PROT_EXEC) && mem_has_code(m, addr, end - addr);
    for (MemRange range = {.end = addr}; range.end < end && mem_find(m, range.end, &range);) {
        range.prot = (uint8_t)prot;
        note_shared_code(p, &range);
    }
    if (p->has_store && prot & PROT_WRITE)
        translator_unmap_file(p->translator, addr, end - addr);
    long r = host_raw(SYS_mprotect, addr, end - addr, mem_host_prot(prot));
    if (is_error(r))
        return r;
    mem_lock(m);
    bool ok = mem_table_protect(m, addr, end, prot & 7);
    mem_unlock(m);
    if (code)
        translator_invalidate(p->translator, addr, end - addr);
    return !ok || hole ? -ENOMEM : 0;
}

/* PROT_GROWSDOWN: from the start of the range that grows, on the host too where it grows there; the
 * first stack doesn't, its place is kept for it. As do_mprotect_pkey() of mm/mprotect.c. */
static long mprotect_grown(Process *p, GuestAddr addr, uint64_t n, int prot)
{
    MemRange r;
    if (!mem_find(p->mem, addr, &r) || r.start >= addr + n)
        return -ENOMEM;
    if (r.kind != MEM_STACK && r.kind != MEM_GROWS)
        return -EINVAL;
    return mprotect_locked(p, r.start, addr + n - r.start, prot & ~PROT_GROWSDOWN);
}

long mem_mprotect(Process *p, GuestAddr addr, uint64_t bytes, int prot)
{
    uint64_t n = mem_page_up(p->mem, bytes);
    if (mem_misaligned(p->mem, addr) || (prot & ~GUEST_PROT_KNOWN) ||
        (prot & (PROT_GROWSDOWN | PROT_GROWSUP)) == (PROT_GROWSDOWN | PROT_GROWSUP))
        return -EINVAL;
    if (bytes == 0)
        return 0;
    if (n == 0 || range_wraps(addr, n))
        return -ENOMEM;
    mem_change_begin(p->mem);
    long r = prot & PROT_GROWSDOWN ? mprotect_grown(p, addr, n, prot)
                                   : mprotect_locked(p, addr, n, prot);
    mem_change_end(p->mem);
    return r;
}

/* In place, else where mem_place() says. */
static long mremap_placed(MemMap *m, GuestAddr old, uint64_t old_n, uint64_t new_n, int flags)
{
    uint64_t end = m->end ? m->end : UINT64_C(1) << 47;
    if (new_n > old_n && new_n > end - old && !(flags & MREMAP_MAYMOVE))
        return -ENOMEM;
    if (old_n && !(flags & MREMAP_DONTUNMAP) && new_n <= end - old) {
        long r = host_raw(SYS_mremap, old, old_n, new_n, flags & ~MREMAP_MAYMOVE, 0);
        if (r != -ENOMEM)
            return r;
    }
    if (!(flags & MREMAP_MAYMOVE))
        return host_raw(SYS_mremap, old, old_n, new_n, flags, 0);
    long to = mem_place(m, 0, new_n, m->page);
    if (is_error(to))
        return to;
    long r = host_raw(SYS_mremap, old, old_n, new_n, flags | MREMAP_FIXED, to);
    if (is_error(r))
        host_raw(SYS_munmap, to, new_n);
    return r;
}

/* What was at `old` is at `to` as well; several mappings may have moved (Linux 6.17). */
static void move_ranges(MemMap *m, GuestAddr old, uint64_t old_n, GuestAddr to, uint64_t new_n)
{
    uint64_t done = 0;
    for (MemRange r; done < new_n && mem_find(m, old + done, &r);) {
        uint64_t n = r.end - (old + done);
        r.offset += old + done - r.start;
        if (n > new_n - done || done + n >= old_n)
            n = new_n - done; /* the last one has what is new */
        if (to != old || done + n > old_n)
            table_set(m, to + done, n, &r);
        done += n;
    }
}

/* Nothing is left at `old`, but for what `to` has in common with it (in place, shorter). */
static void unset_moved(MemMap *m, GuestAddr old, uint64_t old_n, GuestAddr to, uint64_t new_n)
{
    if (to != old)
        table_set(m, old, old_n, NULL);
    else if (new_n < old_n)
        table_set(m, old + new_n, old_n - new_n, NULL);
}

static long mremap_locked(Process *p, GuestAddr old, uint64_t old_n, uint64_t new_n, int flags,
                          GuestAddr to)
{
    MemMap *m = p->mem;
    MemRange r;
    if (!mem_check(m, old, old_n ? old_n : m->page, 0) || !mem_find(m, old, &r))
        return -EFAULT;
    bool fixed = flags & MREMAP_FIXED;
    if (is_sealed(m, old, old_n ? old_n : m->page) || (fixed && is_sealed(m, to, new_n)))
        return -EPERM;
    uint64_t more = !old_n || flags & MREMAP_DONTUNMAP ? new_n : new_n > old_n ? new_n - old_n : 0;
    if (more && !mem_limits_allow(p, more, r.prot & PROT_WRITE && !r.shared))
        return -ENOMEM;
    if (fixed && !claim_gaps(m, to, new_n))
        return -ENOMEM;
    bool code = mem_has_code(m, old, old_n) || (fixed && mem_has_code(m, to, new_n));
    long got = mem_places(m) && !fixed ? mremap_placed(m, old, old_n, new_n, flags)
                                : host_raw(SYS_mremap, old, old_n, new_n, flags, to);
    if (is_error(got)) {
        if (fixed)
            release_gaps(m, to, new_n);
        return got;
    }
    move_ranges(m, old, old_n, (GuestAddr)got, new_n);
    if (old_n && !(flags & MREMAP_DONTUNMAP))
        unset_moved(m, old, old_n, (GuestAddr)got, new_n);
    if (code) {
        translator_invalidate(p->translator, old, old_n);
        translator_invalidate(p->translator, (GuestAddr)got, new_n);
    }
    return got;
}

long mem_mremap(Process *p, GuestAddr old, uint64_t old_bytes, uint64_t new_bytes, int flags,
                GuestAddr to)
{
    const MemMap *m = p->mem;
    uint64_t old_n = mem_page_up(m, old_bytes), new_n = mem_page_up(m, new_bytes);
    /* The kernel looks at the address in both cases, though it is but a hint in the second. */
    bool told = flags & (MREMAP_FIXED | MREMAP_DONTUNMAP);
    if ((flags & ~(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP)) || mem_misaligned(m, old) ||
        new_n == 0 || range_wraps(old, old_n) || (told && !(flags & MREMAP_MAYMOVE)) ||
        (flags & MREMAP_DONTUNMAP && old_n != new_n) ||
        (told && (mem_misaligned(m, to) || range_wraps(to, new_n) || to + new_n > mem_end(p))) ||
        (told && old < to + new_n && to < old + old_n))
        return -EINVAL;
    mem_change_begin(p->mem);
    long r = mremap_locked(p, old, old_n, new_n, flags, to);
    mem_change_end(p->mem);
    return r;
}

static long brk_locked(Process *p, GuestAddr to)
{
    MemMap *m = p->mem;
    GuestAddr limit = mem_page_up(m, to);
    if (to < m->brk_start || limit < to)
        return (long)m->brk;
    if (limit > m->brk_limit) {
        uint64_t n = limit - m->brk_limit;
        if (!mem_limits_allow(p, n, true))
            return (long)m->brk;
        long got = host_raw(SYS_mmap, m->brk_limit, n, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        if (got != (long)m->brk_limit) {
            if (!is_error(got)) /* a kernel before 4.17 takes the address as a hint */
                host_raw(SYS_munmap, got, n);
            return (long)m->brk;
        }
        MemRange r = {.prot = PROT_READ | PROT_WRITE, .kind = MEM_HEAP};
        if (!table_set(m, m->brk_limit, n, &r)) {
            host_raw(SYS_munmap, got, n);
            return (long)m->brk;
        }
    } else if (limit < m->brk_limit && is_sealed(m, limit, m->brk_limit - limit)) {
        return (long)m->brk;
    } else if (limit < m->brk_limit) {
        bool code = mem_has_code(m, limit, m->brk_limit - limit);
        unmap_owned(p, limit, m->brk_limit - limit);
        if (code)
            translator_invalidate(p->translator, limit, m->brk_limit - limit);
    }
    m->brk_limit = limit;
    m->brk = to;
    return (long)to;
}

long mem_brk(Process *p, GuestAddr to)
{
    mem_change_begin(p->mem);
    long r = brk_locked(p, to);
    mem_change_end(p->mem);
    return r;
}

size_t mem_fetch(void *opaque, GuestAddr pc, size_t want, const uint8_t **ret_host)
{
    MemMap *m = ((Process *)opaque)->mem;
    size_t n = 0;
    mem_lock(m);
    for (size_t i = mem_table_index(m, pc); n < want && i < m->n; i++) {
        const MemRange *r = mem_range(m, i);
        if (r->start > pc + n || !(r->prot & PROT_EXEC))
            break;
        n = r->end - pc < want ? r->end - pc : want;
    }
    mem_unlock(m);
    *ret_host = mem_host(pc);
    return n;
}

void mem_fork_prepare(MemMap *m)
{
    shared_lock(&m->change_lock);
}

/* What a forked child hasn't got. */
static void forget_not_forked(Process *p)
{
    MemMap *m = p->mem;
    for (size_t i = m->n; i-- > 0;) {
        MemRange r = *mem_range(m, i);
        if (r.not_forked)
            mem_note_unmapped(p, r.start, r.end - r.start);
    }
}

void mem_fork_done(Process *p, bool child)
{
    MemMap *m = p->mem;
    if (child) {
        m->change_lock = m->lock = (SharedLock) {0};
        m->changing = false;
        forget_not_forked(p);
    } else {
        shared_unlock(&m->change_lock);
    }
}
