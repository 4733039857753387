/* data plane */
#include "translator/cache/code-buffer.h"

#include <string.h>
#include <sys/mman.h>

/* Metadata takes about as much as the code (side tables); a unit has at least 64 bytes of code. */
enum { META_PER_CODE = 2, CODE_PER_UNIT = 64, ALIGN = 8 };
enum { SMALL_BYTES = 1280 << 10, HUGE_BYTES = 2 << 20, META_HUGE_BYTES = 4 * HUGE_BYTES };

/* One mapping: units refer to their code by UnitRef. */
bool cache_init(CodeBuffer *c, size_t bytes)
{
    memset(c, 0, sizeof *c);
    if (bytes == 0)
        bytes = CACHE_DEFAULT_BYTES;
    if (bytes < 1 << 20)
        bytes = 1 << 20;
    bytes = (bytes + 0xfff) & ~(size_t)0xfff;
    size_t meta_bytes = bytes * META_PER_CODE, units = bytes / CODE_PER_UNIT;
    size_t all = bytes + meta_bytes + units * sizeof *c->row;
    uint8_t *p = mmap(NULL, all, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        return false;
    if (mprotect(p, bytes, PROT_READ | PROT_WRITE | PROT_EXEC)) {
        munmap(p, all);
        return false;
    }
    c->cap_units = units;
    c->bytes = all;
    c->base = c->first = c->next = p;
    c->meta = c->meta_next = c->limit = p + bytes;
    c->meta_limit = c->meta + meta_bytes;
    c->row = (CacheRow *)(void *)c->meta_limit;
    return true;
}

void cache_free(CodeBuffer *c)
{
    if (c->base)
        munmap(c->base, c->bytes);
    memset(c, 0, sizeof *c);
}

void cache_reset(CodeBuffer *c)
{
    atomic_store_explicit(&c->n_units, 0, memory_order_release);
    c->next = c->wide ? c->wide : c->first;
    if (madvise(c->meta, c->meta_limit - c->meta, MADV_DONTNEED))
        memset(c->meta, 0, c->meta_next - c->meta);
    c->meta_next = c->meta_wide ? c->meta_wide : c->meta;
}

/* Gives the start of the huge pages, or NULL: what is wanted still fits the small ones, or the
 * mapping is too small for others. Where the kernel has no huge pages nothing but address space is
 * lost. */
static uint8_t *go_wide(uint8_t *base, const uint8_t *next, uint8_t *limit, size_t bytes,
                        size_t most)
{
    uintptr_t small = (uintptr_t)base + SMALL_BYTES;
    uint8_t *wide = base + (((small + HUGE_BYTES - 1) & ~(uintptr_t)(HUGE_BYTES - 1)) -
                            (uintptr_t)base);
    if ((size_t)(next - base) + bytes <= SMALL_BYTES || next > wide ||
        (size_t)(limit - base) < 8 * (size_t)HUGE_BYTES)
        return NULL;
    madvise(wide, (size_t)(limit - wide) < most ? (size_t)(limit - wide) : most, MADV_HUGEPAGE);
    return wide;
}

void cache_widen(CodeBuffer *c, size_t code_bytes, size_t meta_bytes)
{
    if (!c->wide && (c->wide = go_wide(c->base, c->next, c->limit, code_bytes, SIZE_MAX)))
        c->next = c->wide;
    if (!c->meta_wide &&
        (c->meta_wide = go_wide(c->meta, c->meta_next, c->meta_limit, meta_bytes,
                                META_HUGE_BYTES))) {
        c->meta_next = c->meta_wide;
        c->meta_narrow = c->meta_wide + META_HUGE_BYTES;
    }
}

void *cache_alloc_meta(CodeBuffer *c, size_t bytes)
{
    bytes = (bytes + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (bytes > (size_t)(c->meta_limit - c->meta_next))
        return NULL;
    void *p = c->meta_next;
    c->meta_next += bytes;
    return p;
}

bool cache_add(CodeBuffer *c, CompiledUnit *u)
{
    uint32_t n = atomic_load_explicit(&c->n_units, memory_order_relaxed);
    if (n == c->cap_units)
        return false;
    c->row[n] = (CacheRow) {
        .unit = (UnitRef)(((const uint8_t *)u - c->meta) / UNIT_REF_STEP),
        .code = (UnitRef)((unit_code(u) - c->base) / UNIT_REF_STEP),
    };
    /* release: a handler that sees the count sees the entry and the unit */
    atomic_store_explicit(&c->n_units, n + 1, memory_order_release);
    return true;
}

CompiledUnit *cache_find(const CodeBuffer *c, const void *host_pc)
{
    const uint8_t *pc = host_pc;
    uint32_t lo = 0, hi = atomic_load_explicit(&((CodeBuffer *)c)->n_units, memory_order_acquire);
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (pc < cache_code(c, mid))
            hi = mid;
        else
            lo = mid + 1;
    }
    CompiledUnit *u = lo ? cache_unit(c, lo - 1) : NULL;
    return u && (size_t)(pc - unit_code(u)) < u->host_bytes ? u : NULL;
}
