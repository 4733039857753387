/* data plane */
/* The address space. */
#include <errno.h>
#include <sys/mman.h>

#include "linux-user/mem/map.h"
#include "linux-user/signal/host-syscall.h"
#include "linux-user/syscalls/dispatch.h"
#include "linux-user/syscalls/uring.h"
#include "linux-user/thread/rseq.h"
#include "linux-user/thread/thread.h"
#include "syscall-tables/handlers.h"

long sys_brk(Thread *t, const uint64_t *args) { return mem_brk(t->process, args[0]); }

long sys_mmap(Thread *t, const uint64_t *args)
{
    Process *p = t->process;
    bool takes_rseq = (int)args[3] & MAP_FIXED && rseq_leave(t, args[0], args[1]);
    long r = mem_mmap(p, args[0], args[1], (int)args[2], (int)args[3], (int)args[4], args[5]);
    if (takes_rseq)
        rseq_left(t);
    if (p->urings && (r >= 0 || r < -4095))
        uring_mapped(p, (int)args[4], args[5], (GuestAddr)r);
    return r;
}

long sys_munmap(Thread *t, const uint64_t *args)
{
    if (mem_has_code(t->process->mem, args[0], args[1]))
        thread_save_translations(t, args[0], args[1]); /* a plugin may be closed again */
    bool takes_rseq = rseq_leave(t, args[0], args[1]);
    long r = mem_munmap(t->process, args[0], args[1]);
    if (takes_rseq)
        rseq_left(t);
    return r;
}

long sys_mremap(Thread *t, const uint64_t *args)
{
    bool takes_rseq = rseq_leave(t, args[0], args[1]) ||
                      ((int)args[3] & MREMAP_FIXED && rseq_leave(t, args[4], args[2]));
    long r = mem_mremap(t->process, args[0], args[1], args[2], (int)args[3], args[4]);
    if (takes_rseq)
        rseq_left(t);
    return r;
}

long sys_mprotect(Thread *t, const uint64_t *args)
{
    bool takes_rseq = rseq_leave(t, args[0], args[1]);
    long r = mem_mprotect(t->process, args[0], args[1], (int)args[2]);
    if (takes_rseq)
        rseq_left(t);
    return r;
}

/* Advice that changes what memory holds may change code. */
static bool advice_drops(int advice)
{
    return advice == MADV_DONTNEED || advice == MADV_REMOVE || advice == MADV_FREE ||
           advice == 24 /* MADV_DONTNEED_LOCKED */ || advice == MADV_WIPEONFORK;
}

long sys_madvise(Thread *t, const uint64_t *args)
{
    Process *p = t->process;
    GuestAddr a = args[0];
    uint64_t n = mem_page_up(p->mem, args[1]);
    if (mem_misaligned(p->mem, a))
        return -EINVAL;
    /* The emulator's own memory is no business of the guest's. */
    if (n >= args[1] && n && !mem_check(p->mem, a, n, 0))
        return -ENOMEM;
    bool code = advice_drops((int)args[2]) && n && mem_has_code(p->mem, a, n);
    long r = host_syscall(t, SYS_madvise, a, n < args[1] ? args[1] : n, args[2], 0, 0, 0);
    if (code)
        translator_invalidate(p->translator, a, n);
    if (r == 0 && (args[2] == MADV_DONTFORK || args[2] == MADV_DOFORK)) {
        mem_change_begin(p->mem);
        mem_note_forked(p->mem, a, n, args[2] == MADV_DOFORK);
        mem_change_end(p->mem);
    }
    return r;
}

long sys_msync(Thread *t, const uint64_t *args)
{
    const MemMap *m = t->process->mem;
    uint64_t n = mem_page_up(m, args[1]);
    if (mem_misaligned(m, args[0]))
        return -EINVAL;
    return host_syscall(t, SYS_msync, args[0], n < args[1] ? args[1] : n, args[2], 0, 0, 0);
}
