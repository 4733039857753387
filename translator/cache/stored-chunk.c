/* data plane */
/* See stored-chunk.h. */
#include "translator/cache/stored-chunk.h"

#include "translator/runtime/state.h"

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

bool chunk_lay_out(StoredChunk *c, const void *tables, size_t bytes)
{
    Cursor k = { tables, 0, bytes, true };
    const StoreTables *t = take(&k, 1, sizeof *t);
    if (!k.ok || !t->n_units || t->fp_site_bytes > 4096 || !t->fp_site_bytes)
        return false;
    c->tables = t;
    c->vconst = take(&k, t->n_vconsts, sizeof *c->vconst);
    c->constant = take(&k, t->n_constants, sizeof *c->constant);
    c->unit = take(&k, (size_t)t->n_units + 1, sizeof *c->unit);
    c->link = take(&k, t->n_links, sizeof *c->link);
    c->fp_site = take(&k, t->n_fp_sites, t->fp_site_bytes);
    c->point = take(&k, t->n_points, sizeof *c->point);
    c->snap = take(&k, t->n_snaps, sizeof *c->snap);
    c->reloc = take(&k, t->n_relocs, sizeof *c->reloc);
    c->range = take(&k, t->n_ranges, sizeof *c->range);
    c->guest = take(&k, t->guest_bytes, 1);
    return k.ok;
}

/* -- loading ----------------------------------------------------------------------------------- */

static bool relocate(Translator *t, StoredChunk *c, uint8_t *code)
{
    enum { AT = (1u << STORE_RELOC_SHIFT) - 1 };
    for (uint32_t n = 0; n < c->tables->n_relocs; n++) {
        uint8_t *at = code + (c->reloc[n] & AT);
        uint64_t wide;
        uint32_t narrow;
        switch (c->reloc[n] >> STORE_RELOC_SHIFT) {
        case UNIT_RELOC_GUEST64:
            memcpy(&wide, at, sizeof wide);
            wide += c->bias;
            memcpy(at, &wide, sizeof wide);
            break;
        case UNIT_RELOC_GUEST32:
            /* made for a file at low addresses: must be low here too */
            memcpy(&narrow, at, sizeof narrow);
            wide = (int64_t)(int32_t)narrow + c->bias;
            if (wide > INT32_MAX)
                return false;
            narrow = (uint32_t)wide;
            memcpy(at, &narrow, sizeof narrow);
            break;
        case UNIT_RELOC_STUB:
            memcpy(&narrow, at, sizeof narrow);
            narrow = (uint32_t)(t->backend->stub(t, narrow) - (at + 4));
            memcpy(at, &narrow, sizeof narrow);
            break;
        default:
            return false;
        }
    }
    return true;
}

StoredChunk *chunk_load(Translator *t, const uint8_t *file, const StoreChunkRow *row, uint64_t bias,
                        bool *ret_full)
{
    CodeBuffer *buf = t->code;
    uint8_t *code = (uint8_t *)store_align((uintptr_t)buf->next, STORE_ALIGN);
    *ret_full = true;
    if (code > buf->limit || row->code_bytes > (size_t)(buf->limit - code))
        return NULL;
    StoredChunk *c = cache_alloc_meta(buf, sizeof *c);
    uint8_t *tables = c ? cache_alloc_meta(buf, row->table_bytes) : NULL;
    if (!tables) {
        if (c)
            chunk_drop(t, c);
        return NULL;
    }
    *ret_full = false;
    memcpy(code, file, row->code_bytes);
    memcpy(tables, file + row->code_bytes, row->table_bytes);
    c->bias = bias;
    c->base = (CompiledUnit) { .code = code, .host_bytes = row->code_bytes, .chunk = c };
    uint64_t sum = store_hash(tables, row->table_bytes, store_hash(code, row->code_bytes, 0));
    if (sum != row->checksum || !chunk_lay_out(c, tables, row->table_bytes) ||
        c->tables->fp_site_bytes != t->backend->fp_site_bytes || !relocate(t, c, code)) {
        chunk_drop(t, c);
        return NULL;
    }
    c->made = cache_alloc_meta(buf, c->tables->n_units * sizeof *c->made);
    if (!c->made) {
        *ret_full = true;
        chunk_drop(t, c);
        return NULL;
    }
    return c;
}

bool chunk_publish(Translator *t, StoredChunk *c)
{
    if (!cache_add(t->code, &c->base))
        return false;
    t->code->next = (uint8_t *)(uintptr_t)c->base.code + c->base.host_bytes;
    return true;
}

/* Metadata is handed out zeroed. */
void chunk_drop(Translator *t, StoredChunk *c)
{
    CodeBuffer *buf = t->code;
    uint8_t *from = (uint8_t *)c;
    size_t bytes = (size_t)(buf->meta_next - from);
    memset(from, 0, bytes);
    buf->meta_next = from;
}

/* -- units of a chunk -------------------------------------------------------------------------- */

uint32_t chunk_find_unit(const StoredChunk *c, uint32_t at)
{
    uint32_t low = 0, high = c->tables->n_units - 1;
    while (low < high) {
        uint32_t mid = low + (high - low + 1) / 2;
        if (c->unit[mid].code <= at)
            low = mid;
        else
            high = mid - 1;
    }
    return low;
}

/* The guest bytes of a stored unit lie in one of its chunk's ranges. */
const uint8_t *chunk_seen(const StoredChunk *c, const StoreUnit *u)
{
    uint32_t from = u->off - u->seen_before;
    size_t at = 0;
    for (uint32_t n = 0; n < c->tables->n_ranges; n++) {
        const StoreRange *r = &c->range[n];
        if (from - r->off < r->bytes && u->seen_bytes <= r->bytes - (from - r->off) &&
            at + r->bytes <= c->tables->guest_bytes)
            return c->guest + at + (from - r->off);
        at += r->bytes;
    }
    return NULL;
}

bool chunk_find_entry(const StoredChunk *c, uint32_t off)
{
    uint32_t low = 0, high = c->tables->n_units;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2, n = c->unit[mid].by_off;
        if (n < c->tables->n_units && c->unit[n].off == off)
            return true;
        if (n < c->tables->n_units && c->unit[n].off < off)
            low = mid + 1;
        else
            high = mid;
    }
    return false;
}

void chunk_describe(const StoredChunk *c, uint32_t n, CompiledUnit *ret)
{
    const StoreUnit *u = &c->unit[n], *next = u + 1;
    *ret = (CompiledUnit) {
        .pc = u->off + c->bias, .mode = u->mode, .code_bytes = u->code_bytes,
        .n_guest_insns = u->n_guest_insns, .flags = u->flags, .code = c->base.code + u->code,
        .host_bytes = u->host_bytes, .entry = u->entry, .n_links = next->link - u->link,
        .point = c->point + u->point, .n_points = next->point - u->point,
        .n_snaps = next->snap - u->snap, .n_constants = next->constant - u->constant,
        .n_vconsts = next->vconst - u->vconst, .snap = c->snap + u->snap,
        .constant = c->constant + u->constant, .guest_bias = c->bias,
        .vconst = c->vconst + u->vconst,
        .fp_site = (struct UnitFpSite *)(void *)(c->fp_site +
                                                 (size_t)u->fp_site * c->tables->fp_site_bytes),
        .n_fp_sites = next->fp_site - u->fp_site, .chunk = (StoredChunk *)(uintptr_t)c,
        .seen_start = u->off + c->bias - u->seen_before,
        .seen_end = u->off + c->bias - u->seen_before + u->seen_bytes,
    };
}

const CompiledUnit *chunk_view(const CodeBuffer *buf, const void *host_pc, CompiledUnit *view)
{
    const CompiledUnit *u = cache_find(buf, host_pc);
    if (!u || !u->chunk)
        return u;
    const StoredChunk *c = u->chunk;
    uint32_t at = (uint32_t)((const uint8_t *)host_pc - u->code), n = chunk_find_unit(c, at);
    chunk_describe(c, n, view);
    return at - c->unit[n].code < c->unit[n].host_bytes ? view : NULL;
}

bool chunk_link_target(const StoredChunk *c, uint32_t stub, GuestAddr *ret_target)
{
    const StoreUnit *u = &c->unit[chunk_find_unit(c, stub)];
    for (uint32_t n = u->link; n < u[1].link; n++)
        if (u->code + c->link[n].stub == stub) {
            *ret_target = c->link[n].target + c->bias;
            return true;
        }
    return false;
}

CompiledUnit *chunk_make_unit(Translator *t, StoredChunk *c, uint32_t n)
{
    if (c->made[n])
        return c->made[n];
    const StoreUnit *u = &c->unit[n];
    uint32_t n_links = u[1].link - u->link;
    CompiledUnit *made = cache_alloc_meta(t->code, sizeof *made);
    UnitLink *link = made ? cache_alloc_meta(t->code, n_links * sizeof *link) : NULL;
    if (!link)
        return NULL;
    chunk_describe(c, n, made);
    made->link = link;
    for (uint32_t k = 0; k < n_links; k++) {
        const StoreLink *s = &c->link[u->link + k];
        link[k] = (UnitLink) { .from = made, .target = s->target + c->bias, .site = s->site,
                               .stub = s->stub };
    }
    c->made[n] = made;
    return made;
}
