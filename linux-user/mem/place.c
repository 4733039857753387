/* data plane */
/*
 * Addresses for what the guest maps anywhere, below the end that the option -R gives its address
 * space: programs that keep something in the upper bits of pointers, or know of certain sizes of
 * address spaces only (ThreadSanitizer: 39, 42 or 48 bits for AArch64), want another than the
 * host's. Without -R the host's kernel chooses; if the guest's pages are larger than its own it
 * is asked for more, and gets back what is too much.
 */
#include <errno.h>

#include "linux-user/mem/table.h"
#include "linux-user/signal/host-syscall.h"

static bool claim(GuestAddr at, uint64_t bytes)
{
    long got = host_raw(SYS_mmap, at, bytes, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (got == (long)at)
        return true;
    if (!(got < 0 && got >= -4095)) /* a kernel before 4.17 takes the address as a hint */
        host_raw(SYS_munmap, got, bytes);
    return false;
}

/* The highest free place that ends at *end or below; *end becomes where to look on if something of
 * the emulator's is in it. 0: none. */
static GuestAddr gap_below(MemMap *m, GuestAddr *end, uint64_t bytes, uint64_t align)
{
    GuestAddr at = 0;
    mem_lock(m);
    size_t i = mem_table_index(m, *end);
    if (i < m->n && mem_range(m, i)->start < *end)
        *end = mem_range(m, i)->start;
    for (;; i--) {
        GuestAddr floor = i ? mem_range(m, i - 1)->end : MEM_LOWEST;
        if (*end >= bytes && ((*end - bytes) & ~(align - 1)) >= floor) {
            at = (*end - bytes) & ~(align - 1);
            break;
        }
        if (!i)
            break;
        *end = mem_range(m, i - 1)->start;
    }
    mem_unlock(m);
    return at;
}

/* Where the host likes. */
static long claim_anywhere(uint64_t bytes, uint64_t align)
{
    uint64_t all = bytes + align - MEM_PAGE;
    if (all < bytes)
        return -ENOMEM;
    long got = host_raw(SYS_mmap, 0, all, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (got < 0 && got >= -4095)
        return got;
    uint64_t at = ((uint64_t)got + align - 1) & ~(align - 1), before = at - (uint64_t)got;
    if (before)
        host_raw(SYS_munmap, got, before);
    if (all - before > bytes)
        host_raw(SYS_munmap, at + bytes, all - before - bytes);
    return (long)at;
}

long mem_place(MemMap *m, GuestAddr hint, uint64_t bytes, uint64_t align)
{
    uint64_t limit = m->end ? m->end : UINT64_C(1) << 47;
    hint &= ~(align - 1);
    if (hint >= MEM_LOWEST && hint < limit && limit - hint >= bytes && claim(hint, bytes))
        return (long)hint;
    if (!m->end)
        return claim_anywhere(bytes, align);
    uint64_t step = align; /* what is in the way may be large */
    for (GuestAddr end = m->end, at; (at = gap_below(m, &end, bytes, align)); step *= 2) {
        if (claim(at, bytes))
            return (long)at;
        if (at + bytes <= step)
            break;
        end = at + bytes - step;
    }
    return -ENOMEM;
}
