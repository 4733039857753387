/* data plane */
/*
 * What differs when the guest's pages are larger than the host's, beside alignment. See map.h.
 */
#include <errno.h>
#include <sys/stat.h>

#include "linux-user/mem/map.h"
#include "linux-user/signal/host-syscall.h"

/* Zeroes in [from, to) of the guest's. */
static bool put_zeroes(GuestAddr from, GuestAddr to, int prot, int sharing)
{
    return host_raw(SYS_mmap, from, to - from, mem_host_prot(prot),
                    sharing | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == (long)from;
}

void mem_fill_private_end(const MemMap *m, GuestAddr at, uint64_t bytes, int prot, int fd,
                          uint64_t off)
{
    struct stat st;
    if (host_raw(SYS_fstat, fd, (uintptr_t)&st) || !S_ISREG(st.st_mode) ||
        off >= (uint64_t)st.st_size)
        return;
    uint64_t left = (uint64_t)st.st_size - off;
    uint64_t from = (left + MEM_PAGE - 1) & -(uint64_t)MEM_PAGE, to = mem_page_up(m, left);
    if (to > bytes)
        to = bytes;
    if (from < to)
        put_zeroes(at + from, at + to, prot, MAP_PRIVATE);
}

bool mem_fill_shared_end(Process *p, GuestAddr addr)
{
    MemMap *m = p->mem;
    MemRange r;
    GuestAddr page = mem_page_down(m, addr), from = addr & -(uint64_t)MEM_PAGE;
    uint8_t byte;
    if (m->page == MEM_PAGE || page == from)
        return false;
    mem_change_begin(m);
    /* The file ends in this page of the guest's if there is some of it at the page's start. */
    bool ours = mem_find(m, addr, &r) && r.start <= page && r.object && mem_get(&byte, page);
    /* Another thread may have been faster. */
    bool done = ours && (mem_get(&byte, from) ||
                         put_zeroes(from, page + m->page, r.prot, MAP_SHARED));
    mem_change_end(m);
    return done;
}

/* A page is there if some of it is. */
long mem_residence(const MemMap *m, GuestAddr a, uint64_t bytes, GuestAddr vector)
{
    enum { PARTS = 16 };
    uint8_t there[PARTS];
    uint64_t step = m->page > PARTS * MEM_PAGE ? PARTS * MEM_PAGE : m->page;
    for (uint64_t at = 0; at < bytes; at += m->page, vector++) {
        uint8_t any = 0;
        for (uint64_t part = 0; part < m->page; part += step) {
            long r = host_raw(SYS_mincore, a + at + part, step, (uintptr_t)there);
            if (r < 0)
                return r;
            for (uint64_t n = 0; n < step / MEM_PAGE; n++)
                any |= there[n] & 1;
        }
        if (!mem_put(vector, any))
            return -EFAULT;
    }
    return 0;
}
