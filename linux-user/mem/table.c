/* data plane */
/*
 * The sorted table of the guest's ranges: an array, as programs have tens to some thousands of
 * them, and neighbours that agree are joined. Some have tens of thousands (garbage collectors that
 * protect single pages); they change near to where they did last, so the array's free entries lie
 * there, and only what is between two changes moves.
 */
#include <string.h>

#include "linux-user/mem/table.h"
#include "linux-user/signal/host-syscall.h"
#include "translator/memory/own-pages.h"

size_t mem_table_index(const MemMap *m, GuestAddr a)
{
    size_t low = 0, high = m->n;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (mem_range(m, middle)->end > a)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

static void move_gap(MemMap *m, size_t to)
{
    size_t gap = m->gap, free = m->capacity - m->n;
    if (to < gap)
        memmove(m->ranges + to + free, m->ranges + to, (gap - to) * sizeof *m->ranges);
    else
        memmove(m->ranges + gap, m->ranges + gap + free, (to - gap) * sizeof *m->ranges);
    m->gap = to;
}

/* Room for two more entries: a cut in the middle of a range makes two of it. */
static bool table_reserve(MemMap *m)
{
    if (m->n + 2 <= m->capacity)
        return true;
    size_t old = m->capacity * sizeof *m->ranges;
    size_t new = old ? old * 2 : 4 * MEM_PAGE;
    MemRange *fresh = own_pages_grow(m->ranges, old, new);
    if (!fresh)
        return false;
    m->ranges = fresh;
    move_gap(m, m->n);
    m->capacity = new / sizeof *m->ranges;
    return true;
}

/* Counts [start, end) of r in (sign 1) or out (-1). The first stack counts as little as it usually
 * has grown to; PROT_NONE counts for RLIMIT_AS only. */
static void table_count(MemMap *m, const MemRange *r, GuestAddr start, GuestAddr end, int sign)
{
    uint64_t n = r->kind == MEM_STACK ? 0 : end - start;
    m->bytes += sign > 0 ? n : -n;
    if ((r->prot & PROT_WRITE) && !r->shared)
        m->data_bytes += sign > 0 ? n : -n;
}

static void table_uncount(MemMap *m, GuestAddr start, GuestAddr end)
{
    for (size_t i = mem_table_index(m, start); i < m->n && mem_range(m, i)->start < end; i++) {
        const MemRange *r = mem_range(m, i);
        table_count(m, r, r->start > start ? r->start : start, r->end < end ? r->end : end, -1);
    }
}

static void range_cut_front(MemRange *r, GuestAddr start)
{
    r->offset += start - r->start;
    r->start = start;
}

static void table_remove(MemMap *m, size_t first, size_t count)
{
    if (!count)
        return;
    move_gap(m, first);
    m->n -= count;
}

static void table_insert(MemMap *m, size_t at, MemRange r)
{
    move_gap(m, at);
    m->ranges[at] = r;
    m->gap++;
    m->n++;
}

static bool ranges_agree(const MemRange *a, const MemRange *b)
{
    return a->end == b->start && a->prot == b->prot && a->kind == b->kind &&
           a->object == b->object &&
           (!a->object || a->offset + (a->end - a->start) == b->offset) &&
           a->shared == b->shared && a->sealed == b->sealed && a->not_forked == b->not_forked;
}

/* Joins the range at i with its left neighbour where they agree. */
static void table_join(MemMap *m, size_t i)
{
    if (i == 0 || i >= m->n || !ranges_agree(mem_range(m, i - 1), mem_range(m, i)))
        return;
    mem_range(m, i - 1)->end = mem_range(m, i)->end;
    table_remove(m, i, 1);
}

static void table_set(MemMap *m, GuestAddr start, GuestAddr end, const MemRange *r)
{
    table_uncount(m, start, end);
    size_t i = mem_table_index(m, start);
    if (i < m->n && mem_range(m, i)->start < start) {
        MemRange right = *mem_range(m, i);
        mem_range(m, i++)->end = start;
        if (right.end > start) {
            range_cut_front(&right, start);
            table_insert(m, i, right);
        }
    }
    size_t last = i;
    while (last < m->n && mem_range(m, last)->end <= end)
        last++;
    table_remove(m, i, last - i);
    if (i < m->n && mem_range(m, i)->start < end)
        range_cut_front(mem_range(m, i), end);
    if (r) {
        MemRange new = *r;
        table_count(m, r, start, end, 1);
        new.start = start;
        new.end = end;
        table_insert(m, i, new);
        table_join(m, i + 1);
        table_join(m, i);
    }
}

bool mem_table_set(MemMap *m, GuestAddr start, GuestAddr end, const MemRange *r)
{
    if (start >= end)
        return true;
    m->changing = true;
    atomic_signal_fence(memory_order_seq_cst); /* seen by others when this process is killed */
    bool ok = table_reserve(m);
    if (ok)
        table_set(m, start, end, r);
    atomic_signal_fence(memory_order_seq_cst);
    m->changing = false;
    return ok;
}

bool mem_table_has_code(const MemMap *m, GuestAddr start, GuestAddr end)
{
    for (size_t i = mem_table_index(m, start); i < m->n && mem_range(m, i)->start < end; i++)
        if (mem_range(m, i)->prot & PROT_EXEC)
            return true;
    return false;
}

bool mem_table_covers(const MemMap *m, GuestAddr start, GuestAddr end, int prot)
{
    for (size_t i = mem_table_index(m, start); start < end; i++) {
        if (i >= m->n || mem_range(m, i)->start > start || (mem_range(m, i)->prot & prot) != prot)
            return false;
        start = mem_range(m, i)->end;
    }
    return true;
}

bool mem_table_protect(MemMap *m, GuestAddr start, GuestAddr end, int prot)
{
    while (start < end) {
        size_t i = mem_table_index(m, start);
        if (i >= m->n || mem_range(m, i)->start >= end)
            return true;
        MemRange r = *mem_range(m, i);
        GuestAddr s = r.start > start ? r.start : start, e = r.end < end ? r.end : end;
        range_cut_front(&r, s);
        r.prot = (uint8_t)prot;
        if (!mem_table_set(m, s, e, &r))
            return false;
        start = e;
    }
    return true;
}
