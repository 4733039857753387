/* data plane */
/* See stored-chunk.h. */
#include "translator/cache/stored-chunk.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>

#include "translator/runtime/jump-cache.h"
#include "translator/runtime/state.h"
#include "translator/runtime/unit-table.h"

/* -- the tables of a chunk --------------------------------------------------------------------- */

typedef struct Cursor { const uint8_t *base; size_t at, limit; bool ok; } Cursor;

static void *take(Cursor *c, size_t n, size_t size)
{
    void *p = (uint8_t *)(uintptr_t)c->base + c->at;
    if (n > (c->limit - c->at) / size) {
        c->ok = false;
        return p;
    }
    c->at = store_align(c->at + n * size, 16);
    if (c->at > c->limit)
        c->ok = false, c->at = c->limit;
    return p;
}

static bool take_kept(StoredChunk *c, Cursor *k, uint32_t code_bytes)
{
    const StoreTables *t = take(k, 1, sizeof *t);
    if (!k->ok || !t->n_units || t->fp_site_bytes > 4096 || !t->fp_site_bytes ||
        t->link_stubs > code_bytes || t->n_links > (code_bytes - t->link_stubs) / UNIT_STUB_BYTES)
        return false;
    c->tables = t;
    c->vconst = take(k, t->n_vconsts, sizeof *c->vconst);
    c->unit = take(k, (size_t)t->n_units + 1, sizeof *c->unit);
    c->unit_at = take(k, store_steps(code_bytes), sizeof *c->unit_at);
    c->kind = take(k, t->n_kinds, sizeof *c->kind);
    c->link = take(k, t->n_links, sizeof *c->link);
    c->seen = take(k, t->n_seen, sizeof *c->seen);
    c->fp_site = take(k, t->n_fp_sites, t->fp_site_bytes);
    c->points = take(k, t->point_bytes, 1);
    return k->ok && k->at == t->kept_bytes;
}

static bool lay_out_kept(StoredChunk *c, const void *kept, size_t bytes, uint32_t code_bytes)
{
    Cursor k = { kept, 0, bytes, true };
    return take_kept(c, &k, code_bytes);
}

static bool lay_out_rest(StoredChunk *c, const void *rest, size_t bytes)
{
    Cursor k = { rest, 0, bytes, true };
    c->stub = take(&k, c->tables->n_stubs, sizeof *c->stub);
    c->looked_up = take(&k, c->tables->n_looked_up, sizeof *c->looked_up);
    c->reloc = take(&k, c->tables->n_relocs, sizeof *c->reloc);
    c->range = take(&k, c->tables->n_ranges, sizeof *c->range);
    c->guest = take(&k, c->tables->guest_bytes, 1);
    return k.ok;
}

bool chunk_lay_out(StoredChunk *c, const StoreChunkRow *row, const uint8_t *data)
{
    const uint8_t *tables = data + row->code_bytes, *calls = tables + row->table_bytes;
    Cursor k = { tables, 0, row->table_bytes, true };
    c->call = (const uint32_t *)(const void *)calls;
    return take_kept(c, &k, row->code_bytes) &&
           lay_out_rest(c, tables + k.at, row->table_bytes - k.at) &&
           c->tables->n_calls <= row->call_bytes / sizeof *c->call;
}

/* -- loading ----------------------------------------------------------------------------------- */

/* The code is made for another mapping of the file than this one. */
static bool relocate(const StoredChunk *c, uint8_t *code)
{
    const uint32_t *reloc = c->reloc;
    uint64_t on = c->bias - c->tables->bias, wide;
    enum { AT = (1u << STORE_RELOC_SHIFT) - 1 };
    for (uint32_t n = 0; on && n < c->tables->n_relocs; n++) {
        uint32_t at = reloc[n] & AT, kind = reloc[n] >> STORE_RELOC_SHIFT, narrow;
        if (at + (kind == UNIT_RELOC_GUEST64 ? sizeof wide : sizeof narrow) > c->base.host_bytes)
            return false;
        if (kind == UNIT_RELOC_GUEST64) {
            memcpy(&wide, code + at, sizeof wide);
            wide += on;
            memcpy(code + at, &wide, sizeof wide);
        } else {
            /* made for a file at low addresses: must be low here too */
            memcpy(&narrow, code + at, sizeof narrow);
            wide = (int64_t)(int32_t)narrow + on;
            if (wide > INT32_MAX)
                return false;
            narrow = (uint32_t)wide;
            memcpy(code + at, &narrow, sizeof narrow);
        }
    }
    return true;
}

static bool put_jumps(Translator *t, const StoredChunk *c, uint8_t *code)
{
    uint32_t n_stubs = c->tables->n_stubs, jumps = c->tables->jumps;
    if (jumps > c->base.host_bytes || n_stubs > (c->base.host_bytes - jumps) / STORE_JUMP_BYTES)
        return false;
    for (uint32_t n = 0; n < n_stubs; n++)
        t->backend->put_jump(code + jumps + n * STORE_JUMP_BYTES, t->backend->stub(t, c->stub[n]));
    return true;
}

/* Many pages are about to be written: one call instead of a fault for each. From `wide` to `narrow`
 * they are huge and cost one anyway. */
static void populate(const uint8_t *at, size_t bytes, const uint8_t *wide, const uint8_t *narrow)
{
#ifdef MADV_POPULATE_WRITE
    enum { WORTH = 64 << 10 };
    if (wide && at >= wide && at < narrow)
        return;
    uintptr_t from = (uintptr_t)at & ~(uintptr_t)4095;
    uintptr_t to = store_align((uintptr_t)at + bytes, 4096);
    if (to - from >= WORTH)
        madvise((void *)from, to - from, MADV_POPULATE_WRITE);
#endif
}

static bool same_code(Translator *t, StoredChunk *c, const ChunkPlace *p)
{
    size_t at = 0;
    uint64_t page = ~UINT64_C(0);
    c->seen_start = ~(GuestAddr)0;
    c->seen_end = 0;
    for (uint32_t n = 0; n < c->tables->n_ranges; n++) {
        StoreRange r = c->range[n];
        uint64_t from = r.off + p->bias;
        if (from < p->start || from > p->end || r.bytes > p->end - from ||
            !r.bytes || r.bytes > c->tables->guest_bytes - at)
            return false;
        if (from >> UNIT_PAGE_SHIFT != page || (from + r.bytes - 1) >> UNIT_PAGE_SHIFT != page)
            unit_table_see(t->units, from, r.bytes); /* a locked instruction a page */
        page = (from + r.bytes - 1) >> UNIT_PAGE_SHIFT;
        c->seen_start = from < c->seen_start ? from : c->seen_start;
        c->seen_end = from + r.bytes > c->seen_end ? from + r.bytes : c->seen_end;
        if (memcmp((const void *)(uintptr_t)from, c->guest + at, r.bytes))
            return false;
        at += r.bytes;
    }
    return true;
}

/* Metadata is handed out zeroed. */
static ChunkResult give_back(CodeBuffer *buf, uint8_t *from, ChunkResult why)
{
    size_t bytes = (size_t)(buf->meta_next - from);
    memset(from, 0, bytes);
    buf->meta_next = from;
    return why;
}

/* Reading takes less than a mapping's page faults, if it is much. */
static bool read_chunk(const ChunkSource *from, const struct iovec *to, int n_to, size_t bytes)
{
    return from->fd >= 0 && preadv(from->fd, to, n_to, from->at) == (ssize_t)bytes;
}

/* Code, kept tables, the rest, one after another; pages of these are about to be written. */
static void copy_chunk(CodeBuffer *buf, const ChunkSource *from, const struct iovec part[3])
{
    size_t bytes = part[0].iov_len + part[1].iov_len + part[2].iov_len, at = 0;
    populate(part[0].iov_base, part[0].iov_len + part[2].iov_len, buf->wide, buf->limit);
    populate(part[1].iov_base, part[1].iov_len, buf->meta_wide, buf->meta_narrow);
    if (read_chunk(from, part, 3, bytes))
        return;
    for (int n = 0; n < 3; at += part[n++].iov_len)
        memcpy(part[n].iov_base, from->data + at, part[n].iov_len);
}

/* All is copied before it is checked: the file may be damaged at any time. What only loading needs
 * goes behind the code, where the next chunk's will be. */
static ChunkResult fill(Translator *t, StoredChunk *c, const ChunkSource *from, uint8_t *kept,
                        const StoreChunkRow *row, const ChunkPlace *place)
{
    uint8_t *code = (uint8_t *)(uintptr_t)unit_code(&c->base);
    uint8_t *rest = code + row->code_bytes;
    size_t rest_bytes = row->table_bytes - c->kept_bytes;
    if (rest_bytes > (size_t)(t->code->limit - rest))
        return CHUNK_FULL;
    const struct iovec part[3] = { { code, row->code_bytes }, { kept, c->kept_bytes },
                                   { rest, rest_bytes } };
    copy_chunk(t->code, from, part);
    if (store_hash(rest, rest_bytes, store_hash(kept, c->kept_bytes,
                                                store_code_sum(code, row->code_bytes))) !=
            row->checksum ||
        !lay_out_kept(c, kept, c->kept_bytes, row->code_bytes) ||
        !lay_out_rest(c, rest, rest_bytes) ||
        c->tables->fp_site_bytes != t->backend->fp_site_bytes)
        return CHUNK_DAMAGED;
    if (!same_code(t, c, place) || !relocate(c, code))
        return CHUNK_DIFFERS;
    return put_jumps(t, c, code) ? CHUNK_LOADED : CHUNK_DAMAGED;
}

ChunkResult chunk_load(Translator *t, const ChunkSource *from, const StoreChunkRow *row,
                       const ChunkPlace *place, StoredChunk **ret)
{
    CodeBuffer *buf = t->code;
    cache_widen(buf, row->code_bytes, row->table_bytes);
    uint8_t *code = (uint8_t *)store_align((uintptr_t)buf->next, STORE_ALIGN);
    const StoreTables *tables = (const StoreTables *)(const void *)(from->data + row->code_bytes);
    uint32_t kept_bytes = tables->kept_bytes;
    if (code > buf->limit || row->code_bytes > (size_t)(buf->limit - code))
        return CHUNK_FULL;
    if (kept_bytes > row->table_bytes)
        return CHUNK_DAMAGED;
    StoredChunk *c = cache_alloc_meta(buf, sizeof *c);
    enum { TABLE_ALIGN = 16 };
    uint8_t *kept = c ? cache_alloc_meta(buf, kept_bytes + TABLE_ALIGN) : NULL;
    if (!kept)
        return CHUNK_FULL;
    kept = (uint8_t *)store_align((uintptr_t)kept, TABLE_ALIGN);
    c->bias = place->bias;
    c->kept_bytes = kept_bytes;
    c->base = (CompiledUnit) {
        .pc = place->bias, .code = (UnitRef)((code - (uint8_t *)c) / UNIT_REF_STEP),
        .host_bytes = row->code_bytes, .stored = true,
    };
    ChunkResult r = fill(t, c, from, kept, row, place);
    if (r != CHUNK_LOADED)
        return give_back(buf, (uint8_t *)c, r);
    c->made = cache_alloc_meta(buf, c->tables->n_units * sizeof *c->made);
    if (!c->made || !cache_add(buf, &c->base))
        return give_back(buf, (uint8_t *)c, CHUNK_FULL);
    c->base.mode = chunk_mode(c, c->unit);
    buf->next = code + row->code_bytes;
    *ret = c;
    return r;
}

/* -- units of a chunk -------------------------------------------------------------------------- */

uint32_t chunk_find_unit(const StoredChunk *c, uint32_t at)
{
    uint32_t n = c->unit_at[at / STORE_STEP];
    while (n + 1 < c->tables->n_units && c->unit[n + 1].code <= at)
        n++;
    return n;
}

bool chunk_place_ranges(const StoredChunk *c, uint32_t *ret)
{
    uint32_t at = 0;
    for (uint32_t n = 0; n < c->tables->n_ranges; at += c->range[n++].bytes) {
        const StoreRange *r = &c->range[n];
        if ((n && (r->off < r[-1].off || r->off - r[-1].off < r[-1].bytes)) ||
            r->bytes > c->tables->guest_bytes - at)
            return false;
        ret[n] = at;
    }
    return true;
}

const uint8_t *chunk_guest_bytes(const StoredChunk *c, StoreRange seen)
{
    uint32_t low = 0, high = c->tables->n_ranges; /* the last one that doesn't begin behind it */
    while (high - low > 1) {
        uint32_t mid = low + (high - low) / 2;
        if (c->range[mid].off <= seen.off)
            low = mid;
        else
            high = mid;
    }
    if (!high || seen.off - c->range[low].off >= c->range[low].bytes ||
        seen.bytes > c->range[low].bytes - (seen.off - c->range[low].off))
        return NULL;
    return c->guest + c->range_at[low] + (seen.off - c->range[low].off);
}

uint32_t chunk_first_from(const StoredChunk *c, uint64_t off)
{
    uint32_t low = 0, high = c->tables->n_units;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2, n = c->unit[mid].by_off;
        if (n < c->tables->n_units && c->unit[n].off < off)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static const uint8_t *entry_of(const StoredChunk *c, uint32_t n)
{
    return unit_code(&c->base) + c->unit[n].code + c->unit[n].entry;
}

void chunk_fill_jump_cache(const StoredChunk *c, Vcpu *v)
{
    for (uint32_t k = 0; k < c->tables->n_looked_up; k++) {
        uint32_t n = c->looked_up[k];
        if (n < c->tables->n_units && chunk_mode(c, &c->unit[n]) == v->mode)
            jump_cache_expect(v, c->unit[n].off + c->bias, entry_of(c, n));
    }
}

bool chunk_is_looked_up(const StoredChunk *c, uint32_t n)
{
    uint32_t low = 0, high = c->tables->n_looked_up;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (c->looked_up[mid] < n)
            low = mid + 1;
        else
            high = mid;
    }
    return low < c->tables->n_looked_up && c->looked_up[low] == n;
}

void chunk_describe(const StoredChunk *c, uint32_t n, CompiledUnit *ret)
{
    const StoreUnit *u = &c->unit[n], *next = u + 1;
    *ret = (CompiledUnit) {
        .pc = u->off + c->bias, .mode = chunk_mode(c, u), .code_bytes = u->code_bytes,
        .n_guest_insns = u->n_guest_insns, .flags = chunk_flags(c, u),
        .host_bytes = u->host_bytes, .entry = u->entry, .n_links = next->link - u->link,
        .stored = true,
    };
    StoreRange seen = chunk_seen(c, u, 0);
    unit_set_seen(ret, seen.off + c->bias, seen.off + c->bias + seen.bytes);
}

void chunk_tables(const StoredChunk *c, uint32_t n, UnitTables *ret)
{
    const StoreUnit *u = &c->unit[n], *next = u + 1;
    *ret = (UnitTables) {
        .points = c->points + u->point, .point_bytes = next->point - u->point,
        .vconst = c->vconst + u->vconst, .n_vconsts = next->vconst - u->vconst,
        .fp_site = (struct UnitFpSite *)(void *)(c->fp_site +
                                                 (size_t)u->fp_site * c->tables->fp_site_bytes),
        .n_fp_sites = next->fp_site - u->fp_site,
    };
}

const CompiledUnit *chunk_view(const CodeBuffer *buf, const void *host_pc, ChunkView *view)
{
    const CompiledUnit *base = cache_find(buf, host_pc);
    if (!base)
        return NULL;
    view->code = unit_code(base);
    if (!unit_chunk(base)) {
        unit_tables(base, &view->tables);
        return base;
    }
    const StoredChunk *c = unit_chunk(base);
    uint32_t at = (uint32_t)((const uint8_t *)host_pc - view->code), n = chunk_find_unit(c, at);
    const StoreUnit *u = &c->unit[n];
    chunk_describe(c, n, &view->unit);
    chunk_tables(c, n, &view->tables);
    view->code += u->code;
    return at - u->code < u->host_bytes ? &view->unit : NULL;
}

static uint8_t *site_of(const StoredChunk *c, const StoreUnit *u, const StoreLink *l)
{
    return (uint8_t *)(uintptr_t)unit_code(&c->base) + u->code + l->site;
}

uint32_t chunk_stub_of(const StoredChunk *c, const StoreUnit *u, uint32_t link)
{
    return c->link[link].stub == STORE_STUB_BEHIND ? c->tables->link_stubs + link * UNIT_STUB_BYTES
                                                   : u->code + c->link[link].stub;
}

static const uint8_t *leads_to(const uint8_t *site)
{
    int32_t rel;
    memcpy(&rel, site, sizeof rel);
    return site + sizeof rel + rel;
}

/* The link and its unit; NULL: there is none that leads to that unit of the other chunk. */
static const StoreLink *find_cross(const StoredChunk *from, StoreCross cross, const StoredChunk *to,
                                   const StoreUnit **ret_unit)
{
    if (cross.from >= from->tables->n_units || cross.to >= to->tables->n_units)
        return NULL;
    const StoreUnit *u = *ret_unit = &from->unit[cross.from], *target = &to->unit[cross.to];
    const StoreLink *l = &from->link[u->link + cross.link];
    bool agree = cross.link < u[1].link - u->link && !l->to &&
                 (int64_t)u->off + l->target == target->off && from->bias == to->bias &&
                 chunk_mode(from, u) == chunk_mode(to, target) &&
                 (!l->counts || unit_counts(chunk_flags(to, target)));
    return agree ? l : NULL;
}

void chunk_bind(Translator *t, StoredChunk *from, const StoreBind *b, const StoredChunk *to)
{
    if (!from->binds || !to->binds || to->connected || b->to >= to->tables->n_units ||
        b->site + sizeof(int32_t) > from->base.host_bytes || b->target >= to->base.host_bytes)
        return;
    uint8_t *site = (uint8_t *)(uintptr_t)unit_code(&from->base) + b->site;
    const CompiledUnit *made = chunk_made(to, b->to);
    if (!(made && made->invalid) && leads_to(site) == site + b->stub)
        t->backend->patch(site, unit_code(&to->base) + b->target);
}

/* The file's bytes are copied first, to where the next chunk's code will be. */
const StoreBind *chunk_take_cross(Translator *t, StoredChunk *c, const uint8_t *file,
                                  const StoreChunkRow *row)
{
    CodeBuffer *buf = t->code;
    size_t bytes = store_cross_bytes(row);
    if (buf->next > buf->limit || bytes > (size_t)(buf->limit - buf->next))
        return NULL;
    uint8_t *copy = (uint8_t *)store_align((uintptr_t)buf->next, STORE_ALIGN);
    if (copy + bytes > buf->limit)
        return NULL;
    memcpy(copy, file, bytes);
    StoreCross *in = cache_alloc_meta(buf, row->n_in * sizeof *in);
    if (!in || store_hash(copy, bytes, 0) != row->cross_sum)
        return NULL;
    memcpy(in, copy + bytes - row->n_in * sizeof *in, row->n_in * sizeof *in);
    c->in = in;
    c->n_in = row->n_in;
    c->binds = true;
    return (const StoreBind *)(const void *)copy;
}

bool chunk_is_bound(const StoredChunk *from, StoreCross cross, const StoredChunk *to)
{
    const StoreUnit *u;
    const StoreLink *l = find_cross(from, cross, to, &u);
    return l && leads_to(site_of(from, u, l)) == entry_of(to, cross.to);
}

bool chunk_record(Translator *t, StoredChunk *c, bool all)
{
    size_t bytes = (c->tables->n_units + 63) / 64 * sizeof *c->ran;
    c->ran = cache_alloc_meta(t->code, bytes);
    if (!c->ran)
        return false;
    if (all) {
        memset(c->ran, 0xff, bytes);
        return true;
    }
    StoreLink *link = (StoreLink *)(uintptr_t)c->link; /* a copy, which is ours */
    for (uint32_t n = 0; n < c->tables->n_units; n++)
        for (uint32_t k = c->unit[n].link; k < c->unit[n + 1].link; k++)
            if (link[k].to) {
                t->backend->patch(site_of(c, &c->unit[n], &link[k]),
                                  unit_code(&c->base) + chunk_stub_of(c, &c->unit[n], k));
                link[k].to = 0;
            }
    return true;
}

/* The unit that has the link, unit[low].link <= link < unit[high].link, and the last one of those
 * whose links begin there. Units have much the same number of links, so that it is found near where
 * it would be if all had as many: halving would miss the cache at each of 15 steps. */
static uint32_t unit_of_link(const StoredChunk *c, uint32_t link)
{
    uint32_t low = 0, high = c->tables->n_units;
    for (bool halve = false; high - low > 1; halve = !halve) {
        uint32_t first = c->unit[low].link, on = (high - low) / 2;
        if (!halve && c->unit[high].link > first && link >= first)
            on = (uint32_t)((uint64_t)(link - first) * (high - low) /
                            (c->unit[high].link - first));
        uint32_t at = low + (on == 0 ? 1 : on >= high - low ? high - low - 1 : on);
        if (c->unit[at].link <= link)
            low = at;
        else
            high = at;
    }
    return low;
}

bool chunk_find_link(const StoredChunk *c, uint32_t stub, uint32_t *ret_unit, uint32_t *ret_link)
{
    if (stub >= c->tables->link_stubs) {
        *ret_link = (stub - c->tables->link_stubs) / UNIT_STUB_BYTES;
        *ret_unit = unit_of_link(c, *ret_link);
        return *ret_link < c->tables->n_links;
    }
    *ret_unit = chunk_find_unit(c, stub);
    const StoreUnit *u = &c->unit[*ret_unit];
    for (uint32_t n = u->link; n < u[1].link; n++)
        if (c->link[n].stub != STORE_STUB_BEHIND && u->code + c->link[n].stub == stub) {
            *ret_link = n;
            return true;
        }
    return false;
}

bool chunk_link_target(const StoredChunk *c, uint32_t stub, GuestAddr *ret_target)
{
    uint32_t unit, link;
    if (!chunk_find_link(c, stub, &unit, &link))
        return false;
    *ret_target = c->unit[unit].off + c->bias + (int64_t)c->link[link].target;
    return true;
}

CompiledUnit *chunk_make_unit(Translator *t, StoredChunk *c, uint32_t n)
{
    if (chunk_made(c, n))
        return chunk_made(c, n);
    const StoreUnit *u = &c->unit[n];
    uint32_t n_links = u[1].link - u->link;
    CompiledUnit *made = cache_alloc_meta(t->code, sizeof *made);
    UnitLink *link = made ? cache_alloc_meta(t->code, n_links * sizeof *link) : NULL;
    if (!link)
        return NULL;
    chunk_describe(c, n, made);
    made->code = (UnitRef)((unit_code(&c->base) + u->code - (uint8_t *)made) / UNIT_REF_STEP);
    made->side = unit_ref(made, c);
    made->link = unit_ref(made, link);
    if (u->n_seen) {
        UnitRange *range = cache_alloc_meta(t->code, u->n_seen * sizeof *range);
        if (!range)
            return NULL;
        made->range = range;
        for (uint32_t k = 0; k < u->n_seen; k++) {
            StoreRange seen = chunk_seen(c, u, k);
            GuestAddr from = seen.off + c->bias;
            range[made->n_ranges++] = (UnitRange) { .start = from, .end = from + seen.bytes };
        }
    }
    for (uint32_t k = 0; k < n_links; k++) {
        const StoreLink *s = &c->link[u->link + k];
        link[k] = (UnitLink) { .from = unit_ref(&link[k], made),
                               .target = s->target, .counts = s->counts, .site = s->site,
                               .stub = chunk_stub_of(c, u, u->link + k) - (u->code + s->site),
                               .guard = s->guard ? s->site - s->guard : 0 };
    }
    c->made[n] = unit_ref(c, made);
    return made;
}
