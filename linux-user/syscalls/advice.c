/* data plane */
/* What may be said or asked of memory besides mapping it: sealing, residence, protection keys,
 * advice about another's memory, locking all; and aio's ring, which the kernel maps by itself. */
#include <errno.h>
#include <linux/aio_abi.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "linux-user/mem/map.h"
#include "linux-user/signal/host-syscall.h"
#include "syscall-tables/handlers.h"
#include "syscall-tables/ids.h"
#include "translator/memory/own-pages.h"

static uint64_t host_page_up(uint64_t n) { return (n + MEM_PAGE - 1) & ~(uint64_t)(MEM_PAGE - 1); }

/* mm/mseal.c: what isn't mapped, for the guest, can't be sealed. The host seals too, and the table
 * remembers it, because a call of the guest's may take several of the host's. */
long sys_mseal(Thread *t, const uint64_t *args)
{
    Process *p = t->process;
    GuestAddr a = args[0];
    uint64_t n = mem_page_up(p->mem, args[1]);

    if (args[2] || mem_misaligned(p->mem, a) || (args[1] && !n) || a + n < a)
        return -EINVAL;
    if (!n)
        return 0;
    mem_change_begin(p->mem);
    long r = mem_check(p->mem, a, n, 0) ? host_raw(HOST_NR_MSEAL, a, n, 0) : -ENOMEM;
    if (r == 0)
        mem_note_sealed(p->mem, a, n);
    mem_change_end(p->mem);
    return r;
}

/* What counts of a range, and is there to be locked: of the first stack what is in use. */
static GuestAddr lock_start(Thread *t, const MemRange *r)
{
    GuestAddr sp = t->process->abi->get_sp(vcpu_cpu(t->vcpu));
    if (r->kind != MEM_STACK || sp < r->start || sp >= r->end)
        return r->start;
    return sp & -(GuestAddr)MEM_PAGE;
}

static long lock_all_mapped(Thread *t, bool on_fault)
{
    size_t n, bytes;
    long r = 0;
    MemRange *range = mem_snapshot(t->process->mem, &n, &bytes);
    if (!range)
        return -ENOMEM;
    for (size_t i = 0; i < n && r == 0; i++) {
        GuestAddr from = lock_start(t, &range[i]);
        r = host_raw(HOST_NR_MLOCK2, from, range[i].end - from, MLOCK_ONFAULT);
    }
    /* Whatever can't be brought in is no error then. */
    for (size_t i = 0; i < n && r == 0 && !on_fault; i++) {
        GuestAddr from = lock_start(t, &range[i]);
        host_raw(HOST_NR_MLOCK, from, range[i].end - from);
    }
    own_pages_unmap(range, bytes);
    if (r < 0)
        host_raw(HOST_NR_MUNLOCKALL);
    return r;
}

/* Of the host's call the emulator's memory would be locked as well, would count, and would be
 * brought in, untouched tables and all. */
long sys_mlockall(Thread *t, const uint64_t *args)
{
    enum { KNOWN = MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT };
    unsigned flags = (unsigned)args[0];
    if (flags & ~(unsigned)KNOWN || !(flags & (MCL_CURRENT | MCL_FUTURE)))
        return -EINVAL;
    if (!(flags & MCL_FUTURE)) /* no longer then */
        host_raw(HOST_NR_MUNLOCKALL);
    mem_change_begin(t->process->mem);
    long r = flags & MCL_CURRENT ? lock_all_mapped(t, flags & MCL_ONFAULT) : 0;
    if (r == 0 && flags & MCL_FUTURE)
        r = host_raw(HOST_NR_MLOCKALL, flags & ~(unsigned)MCL_CURRENT);
    mem_change_end(t->process->mem);
    return r;
}

/* The emulator's own pages are nobody's to the guest. */
long sys_mincore(Thread *t, const uint64_t *args)
{
    MemMap *m = t->process->mem;
    GuestAddr a = args[0];
    uint64_t n = mem_page_up(m, args[1]);

    if (mem_misaligned(m, a))
        return -EINVAL;
    if (n && a + n > a && !mem_check(m, a, n, 0))
        return -ENOMEM;
    if (m->page > MEM_PAGE && n >= args[1] && a + n >= a)
        return mem_residence(m, a, n, args[2]);
    return host_syscall(t, HOST_NR_MINCORE, a, args[1], args[2], 0, 0, 0);
}

/* ---- protection keys: as on a processor that has none ---- */

long sys_pkey_mprotect(Thread *t, const uint64_t *args)
{
    return (int)args[3] == -1 ? sys_mprotect(t, args) : -EINVAL;
}

long sys_pkey_alloc(Thread *t, const uint64_t *args)
{
    return args[0] || args[1] & ~UINT64_C(3) ? -EINVAL : -ENOSPC;
}

long sys_pkey_free(Thread *t, const uint64_t *args) { return -EINVAL; }

/* The file's pages change places within one mapping: no protection changes, but code may. */
long sys_remap_file_pages(Thread *t, const uint64_t *args)
{
    Process *p = t->process;
    GuestAddr a = mem_page_down(p->mem, args[0]);
    uint64_t n = mem_page_down(p->mem, args[1]), unit = p->mem->page / MEM_PAGE;

    if (args[2] || a + n <= a || !mem_check(p->mem, a, n, 0))
        return -EINVAL;
    mem_change_begin(p->mem);
    bool code = mem_has_code(p->mem, a, n);
    long r = host_raw(HOST_NR_REMAP_FILE_PAGES, a, n, 0, args[3] * unit, args[4]);
    if (code)
        translator_invalidate(p->translator, a, n);
    mem_change_end(p->mem);
    return r;
}

/* The process may be this one: advice that drops pages may drop code. */
long sys_process_madvise(Thread *t, const uint64_t *args)
{
    Process *p = t->process;
    int advice = (int)args[3];
    struct iovec v;
    long r = host_syscall(t, HOST_NR_PROCESS_MADVISE, args[0], args[1], args[2], args[3], args[4],
                          0);

    if (r <= 0 || (advice != MADV_DONTNEED && advice != MADV_FREE && advice != MADV_REMOVE &&
                   advice != 24 /* MADV_DONTNEED_LOCKED */))
        return r;
    for (uint64_t i = 0, left = r; i < args[2] && left; i++) {
        if (!mem_get(&v, args[1] + i * sizeof v))
            break;
        if (mem_has_code(p->mem, mem_guest(v.iov_base), v.iov_len))
            translator_invalidate(p->translator, mem_guest(v.iov_base), v.iov_len);
        left -= v.iov_len < left ? v.iov_len : left;
    }
    return r;
}

/* ---- aio ---- */

/* The head of the ring that the kernel maps at the context's address (fs/aio.c, struct aio_ring);
 * libaio reads it too. */
typedef struct AioRing {
    uint32_t id, nr, head, tail, magic, compat, incompat, header_bytes;
} AioRing;
enum { AIO_RING_MAGIC = 0xa10a10a1u };

static uint64_t ring_bytes(GuestAddr ctx)
{
    AioRing ring;

    if (!mem_get(&ring, ctx) || ring.magic != AIO_RING_MAGIC)
        return 0;
    return host_page_up(ring.header_bytes + (uint64_t)ring.nr * sizeof(struct io_event));
}

long sys_io_setup(Thread *t, const uint64_t *args)
{
    MemMap *m = t->process->mem;
    uint64_t ctx;

    mem_change_begin(m);
    long r = host_raw(HOST_NR_IO_SETUP, args[0], args[1]);
    if (r == 0 && mem_get(&ctx, args[1])) {
        uint64_t n = ring_bytes(ctx);
        if (n)
            mem_note_mapped(m, ctx, n, PROT_READ | PROT_WRITE, MEM_PLAIN, true);
    }
    mem_change_end(m);
    return r;
}

long sys_io_destroy(Thread *t, const uint64_t *args)
{
    Process *p = t->process;

    mem_change_begin(p->mem);
    uint64_t n = ring_bytes(args[0]);
    long r = host_raw(HOST_NR_IO_DESTROY, args[0]);
    if (r == 0 && n)
        mem_note_unmapped(p, args[0], n);
    mem_change_end(p->mem);
    return r;
}
