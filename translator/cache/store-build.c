/* data plane */
/* See store-build.h. */
#include "translator/cache/store-build.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "translator/cache/store.h"
#include "translator/host/backend.h"
#include "translator/memory/own-pages.h"

typedef struct SeenBytes { uint32_t off, bytes; size_t at; } SeenBytes;
/* site: in the chunk's code; to_chunk: + 1; 0: to nothing in the group */
typedef struct OpenLink {
    uint32_t target, site, stub;
    uint16_t chunk, from, link, to_chunk, to, counts;
} OpenLink;
/* at: in the chunk's code */
typedef struct UnitEntry { uint32_t at; StoreKind kind; } UnitEntry;

/* Large ones are mappings of their own: what they have more than they need costs no memory, and
 * nothing is left in the heap when they are given back. */
enum { MAPPED_BYTES = 64 << 10 };

static bool is_mapped(const StoreBuffer *f) { return f->cap >= MAPPED_BYTES; }

static void buffer_free(StoreBuffer *f)
{
    if (is_mapped(f))
        own_pages_unmap(f->p, f->cap);
    else
        free(f->p);
    *f = (StoreBuffer) { 0 };
}

static bool buffer_reserve(StoreBuffer *f, size_t n)
{
    size_t cap = n * 2 + 4096;
    void *p;
    if (cap < MAPPED_BYTES) {
        p = realloc(f->p, cap);
    } else {
        cap = store_align(cap, 4096);
        p = is_mapped(f) ? own_pages_grow(f->p, f->cap, cap) : own_pages_map(cap);
        if (p && !is_mapped(f)) {
            memcpy(p, f->p, f->n);
            free(f->p);
        }
    }
    if (!p)
        return false;
    f->p = p;
    f->cap = cap;
    return true;
}

static void *grow(StoreBuilder *b, StoreBuffer *to, size_t bytes)
{
    if (to->n + bytes > to->cap && !buffer_reserve(to, to->n + bytes)) {
        b->failed = true;
        return NULL;
    }
    void *at = to->p + to->n;
    to->n += bytes;
    return at;
}

static void append(StoreBuilder *b, StoreBuffer *to, const void *what, size_t bytes)
{
    void *at = grow(b, to, bytes);
    if (at && bytes)
        memcpy(at, what, bytes);
}

static void pad_bytes(StoreBuilder *b, StoreBuffer *to, size_t n, uint8_t with)
{
    void *at = grow(b, to, n);
    if (at)
        memset(at, with, n);
}

static void pad(StoreBuilder *b, StoreBuffer *to, size_t align, uint8_t with)
{
    pad_bytes(b, to, store_align(to->n, align) - to->n, with);
}

void build_free(StoreBuilder *b)
{
    StoreBuffer *all[] = { &b->code, &b->units, &b->kinds, &b->links, &b->seen, &b->points,
                           &b->vconsts, &b->fp_sites, &b->relocs, &b->calls, &b->parts,
                           &b->seen_bytes, &b->looked_ups, &b->rows, &b->slots, &b->blob,
                           &b->open, &b->entries, &b->histories, &b->out };
    for (size_t n = 0; n < sizeof all / sizeof *all; n++)
        buffer_free(all[n]);
}

/* -- one unit ---------------------------------------------------------------------------------- */

/* The first of each table's; regions' `seen` is set where they are added. */
static StoreUnit unit_start(const StoreBuilder *b)
{
    return (StoreUnit) {
        .code = b->code.n, .link = b->links.n / sizeof(StoreLink), .point = b->points.n,
        .vconst = b->vconsts.n / sizeof(V128), .fp_site = b->fp_sites.n / b->fp_site_bytes,
    };
}

static void add_part(StoreBuilder *b, StoreRange r, const uint8_t *bytes)
{
    enum { NEAR = 8 }; /* neighbours have often seen the same */
    SeenBytes part = { r.off, r.bytes, b->seen_bytes.n };
    const SeenBytes *end = (const SeenBytes *)(const void *)(b->parts.p + b->parts.n), *p = end;
    for (size_t n = b->parts.n / sizeof part; n && end - p < NEAR; n--) {
        p--;
        if (r.off >= p->off && r.off - p->off <= p->bytes &&
            r.bytes <= p->bytes - (r.off - p->off) &&
            !memcmp(b->seen_bytes.p + p->at + (r.off - p->off), bytes, r.bytes))
            return;
    }
    append(b, &b->parts, &part, sizeof part);
    append(b, &b->seen_bytes, bytes, r.bytes);
}

static uint8_t add_kind(StoreBuilder *b, StoreKind kind)
{
    size_t n = b->kinds.n / sizeof kind;
    const StoreKind *all = (const StoreKind *)(const void *)b->kinds.p;
    for (size_t k = 0; k < n; k++)
        if (!memcmp(&all[k], &kind, sizeof kind))
            return (uint8_t)k;
    append(b, &b->kinds, &kind, sizeof kind);
    return (uint8_t)n;
}

static void set_site(StoreBuilder *b, uint32_t site, uint32_t to)
{
    uint32_t rel = to - (site + 4);
    memcpy(b->code.p + site, &rel, sizeof rel);
}

/* Units lie as close as references to them and the places of their links allow. Loops in a region
 * are aligned to its address in a cache line, as it was made. */
static void place_unit(StoreBuilder *b, uint32_t flags, uintptr_t made_at)
{
    pad(b, &b->code, flags & (IR_UNIT_REGION | UNIT_ALIGNED) ? 16 : UNIT_REF_STEP, 0xcc);
    if (flags & IR_UNIT_REGION)
        while (!b->failed && (b->code.n ^ made_at) % STORE_ALIGN / 16)
            pad_bytes(b, &b->code, 16, 0xcc);
}

static void close_chunk(StoreBuilder *b);

static void unit_end(StoreBuilder *b, StoreUnit *u, bool looked_up)
{
    uint16_t number = (uint16_t)(b->units.n / sizeof *u);
    append(b, &b->units, u, sizeof *u);
    if (looked_up)
        append(b, &b->looked_ups, &number, sizeof number);
    b->n_units++;
    if (b->n_history)
        append(b, &b->histories, &b->history, sizeof b->history);
    if (b->code.n >= b->limit || b->units.n / sizeof *u >= STORE_CHUNK_UNITS ||
        b->kinds.n / sizeof(StoreKind) > UINT8_MAX ||
        b->vconsts.n / sizeof(V128) > UINT16_MAX / 2 ||
        b->fp_sites.n / b->fp_site_bytes > UINT16_MAX / 2)
        close_chunk(b);
}

/* Until the chunk is closed a relocated place holds the guest address less bias, or the stub's
 * number. */
static void add_relocs(StoreBuilder *b, const UnitTables *u, uint64_t bias, size_t at)
{
    UnitRelocs relocs = u->relocs;
    for (UnitReloc r; !b->failed && unit_next_reloc(&relocs, &r) && at + r.at < b->code.n;) {
        uint8_t *place = b->code.p + at + r.at;
        uint64_t value = 0;
        size_t bytes = r.kind == UNIT_RELOC_GUEST64 ? 8 : 4;
        memcpy(&value, place, bytes);
        value = r.kind == UNIT_RELOC_STUB ? r.stub : value - bias;
        memcpy(place, &value, bytes);
        uint32_t word = (uint32_t)(at + r.at);
        if (r.kind == UNIT_RELOC_STUB) {
            append(b, &b->calls, &word, sizeof word);
            continue;
        }
        word |= (uint32_t)r.kind << STORE_RELOC_SHIFT;
        append(b, &b->relocs, &word, sizeof word);
    }
}

size_t store_seen_bytes(const CompiledUnit *u)
{
    size_t n = 0;
    for (uint32_t k = 0; k < unit_n_seen(u); k++)
        n += unit_seen(u, k).end - unit_seen(u, k).start;
    return n;
}

bool build_suits(const CompiledUnit *u, uint64_t bias)
{
    UnitTables t;
    unit_tables(u, &t);
    bool far = !u->n_ranges && (u->seen.before > UINT16_MAX || u->seen.after > UINT16_MAX);
    for (uint32_t n = 0; n < u->n_links; n++) {
        StoreLink l = { .target = (int32_t)unit_link_at(u, n)->target };
        far |= unit_link_at(u, n)->target != l.target;
    }
    return u->host_bytes <= UINT16_MAX && u->code_bytes <= UINT16_MAX &&
           u->pc - bias <= INT32_MAX && !far &&
           t.n_vconsts <= UINT16_MAX / 2 && t.n_fp_sites <= UINT16_MAX / 2;
}

void build_live(StoreBuilder *b, const CompiledUnit *u, uint64_t bias, const uint8_t *seen)
{
    if (b->failed)
        return;
    UnitTables t;
    unit_tables(u, &t);
    place_unit(b, u->flags, (uintptr_t)unit_code(u));
    StoreUnit r = unit_start(b);
    r.kind = add_kind(b, (StoreKind) { u->flags, u->mode });
    r.off = (uint32_t)(u->pc - bias);
    r.host_bytes = (uint16_t)unit_own_bytes(u);
    r.entry = u->entry;
    r.code_bytes = u->code_bytes;
    r.n_guest_insns = u->n_guest_insns;
    append(b, &b->code, unit_code(u), r.host_bytes);
    for (uint32_t n = 0; n < u->n_links && !b->failed; n++) {
        const UnitLink *l = unit_link_at(u, n);
        StoreLink s = { .target = (int32_t)l->target, .counts = l->counts,
                        .site = (uint16_t)l->site,
                        .stub = l->apart ? STORE_STUB_BEHIND : (uint16_t)link_stub(l),
                        .guard = l->guard ? (uint16_t)(l->site - l->guard) : 0 };
        append(b, &b->links, &s, sizeof s);
    }
    add_relocs(b, &t, bias, r.code);
    append(b, &b->points, t.points, t.point_bytes);
    append(b, &b->vconsts, t.vconst, t.n_vconsts * sizeof *t.vconst);
    append(b, &b->fp_sites, t.fp_site, (size_t)t.n_fp_sites * b->fp_site_bytes);
    r.n_seen = (uint8_t)u->n_ranges;
    if (u->n_ranges)
        r.seen = (uint32_t)(b->seen.n / sizeof(StoreRange));
    else
        r.around.before = (uint16_t)u->seen.before, r.around.after = (uint16_t)u->seen.after;
    for (uint32_t n = 0; n < unit_n_seen(u); n++) {
        UnitRange at = unit_seen(u, n);
        StoreRange own = { (uint32_t)(at.start - bias), (uint32_t)(at.end - at.start) };
        if (u->n_ranges)
            append(b, &b->seen, &own, sizeof own);
        add_part(b, own, seen);
        seen += own.bytes;
    }
    unit_end(b, &r, u->looked_up || b->looked_up);
}

enum { RELOC_AT = (1u << STORE_RELOC_SHIFT) - 1 };

/* Of places in the code, which are in order and may have a kind: the first from `at` on. */
static uint32_t first_place(const uint32_t *place, uint32_t n, uint32_t at)
{
    uint32_t low = 0;
    while (low < n) {
        uint32_t mid = low + (n - low) / 2;
        if ((place[mid] & RELOC_AT) < at)
            low = mid + 1;
        else
            n = mid;
    }
    return low;
}

/* To a guest address in the code. */
static void add_in_place(StoreBuilder *b, uint32_t reloc, uint64_t what)
{
    uint64_t value = 0;
    size_t bytes = reloc >> STORE_RELOC_SHIFT == UNIT_RELOC_GUEST64 ? 8 : 4;
    uint32_t at = reloc & RELOC_AT;
    if (at + bytes > b->code.n) {
        b->failed = true;
        return;
    }
    memcpy(&value, b->code.p + at, bytes);
    value += what;
    memcpy(b->code.p + at, &value, bytes);
}

/* As add_relocs(), of the n-th unit of a chunk, which comes to be at `to`. */
static void add_stored_relocs(StoreBuilder *b, const StoredChunk *c, const StoreUnit *u,
                              uint32_t to)
{
    const StoreTables *t = c->tables;
    for (uint32_t k = first_place(c->reloc, t->n_relocs, u->code);
         k < t->n_relocs && (c->reloc[k] & RELOC_AT) - u->code < u->host_bytes && !b->failed; k++) {
        uint32_t word = c->reloc[k] - u->code + to;
        append(b, &b->relocs, &word, sizeof word);
        add_in_place(b, word, -t->bias);
    }
    for (uint32_t k = first_place(c->call, t->n_calls, u->code);
         k < t->n_calls && c->call[k] - u->code < u->host_bytes && !b->failed; k++) {
        uint32_t place = c->call[k] - u->code + to, number;
        int32_t rel;
        if (place + sizeof rel > b->code.n) {
            b->failed = true;
            return;
        }
        memcpy(&rel, b->code.p + place, sizeof rel);
        number = (c->call[k] + 4 + (uint32_t)rel - t->jumps) / STORE_JUMP_BYTES;
        b->failed |= number >= t->n_stubs;
        number = b->failed ? 0 : c->stub[number];
        memcpy(b->code.p + place, &number, sizeof number);
        append(b, &b->calls, &place, sizeof place);
    }
}

void build_stored(StoreBuilder *b, const StoredChunk *c, const uint8_t *code, uint32_t n)
{
    const StoreUnit *u = &c->unit[n], *next = u + 1;
    for (uint32_t k = 0; k < chunk_n_seen(u); k++)
        if (!chunk_guest_bytes(c, chunk_seen(c, u, k)))
            return;
    if (b->failed)
        return;
    place_unit(b, c->kind[u->kind].flags, u->code);
    StoreUnit r = *u, start = unit_start(b);
    r.code = start.code;
    r.link = start.link;
    r.point = start.point;
    r.kind = add_kind(b, c->kind[u->kind]);
    if (u->n_seen)
        r.seen = (uint32_t)(b->seen.n / sizeof(StoreRange));
    r.vconst = start.vconst;
    r.fp_site = start.fp_site;
    append(b, &b->code, code + u->code, u->host_bytes);
    for (uint32_t k = u->link; k < next->link && !b->failed; k++) {
        StoreLink s = c->link[k];
        s.to = 0;
        append(b, &b->links, &s, sizeof s);
    }
    add_stored_relocs(b, c, u, r.code);
    append(b, &b->points, c->points + u->point, next->point - u->point);
    append(b, &b->vconsts, c->vconst + u->vconst, (next->vconst - u->vconst) * sizeof(V128));
    append(b, &b->fp_sites, c->fp_site + (size_t)u->fp_site * b->fp_site_bytes,
           (size_t)(next->fp_site - u->fp_site) * b->fp_site_bytes);
    for (uint32_t k = 0; k < chunk_n_seen(u); k++) {
        StoreRange seen = chunk_seen(c, u, k);
        if (u->n_seen)
            append(b, &b->seen, &seen, sizeof seen);
        add_part(b, seen, chunk_guest_bytes(c, seen));
    }
    unit_end(b, &r, chunk_is_looked_up(c, n) || b->looked_up);
}

/* -- a chunk ----------------------------------------------------------------------------------- */

typedef struct ByOff { uint32_t off, n; } ByOff;

static int compare_off(const void *a, const void *b)
{
    uint32_t x = ((const ByOff *)a)->off, y = ((const ByOff *)b)->off;
    return (x > y) - (x < y);
}

static void order_by_off(StoreBuilder *b)
{
    uint32_t n_units = b->units.n / sizeof(StoreUnit);
    StoreUnit *unit = (StoreUnit *)(void *)b->units.p;
    ByOff *order = malloc(n_units * sizeof *order);
    if (!order) {
        b->failed = true;
        return;
    }
    for (uint32_t n = 0; n < n_units; n++)
        order[n] = (ByOff) { unit[n].off, n };
    qsort(order, n_units, sizeof *order, compare_off);
    for (uint32_t n = 0; n < n_units; n++)
        unit[n].by_off = (uint16_t)order[n].n;
    free(order);
}

static void leave_open(StoreBuilder *b, const StoreUnit *unit, uint32_t from, uint32_t n,
                       uint32_t stub)
{
    const StoreLink *l = (const StoreLink *)(const void *)b->links.p + n;
    int64_t target = unit[from].off + (int64_t)l->target;
    OpenLink o = { .target = (uint32_t)target, .site = unit[from].code + l->site,
                   .chunk = (uint16_t)(b->rows.n / sizeof(StoreChunkRow)), .from = (uint16_t)from,
                   .link = (uint16_t)(n - unit[from].link), .counts = l->counts };
    o.stub = stub - o.site;
    set_site(b, o.site, stub);
    if (target == o.target)
        append(b, &b->open, &o, sizeof o);
}

/* Jumps among the chunk's units go straight there, others to their stubs, of which `stubs` are
 * those that no unit has. */
static void connect(StoreBuilder *b, uint32_t stubs)
{
    uint32_t n_units = b->units.n / sizeof(StoreUnit), cap = 16;
    StoreUnit *unit = (StoreUnit *)(void *)b->units.p;
    const StoreKind *kind = (const StoreKind *)(const void *)b->kinds.p;
    while (cap < 2 * n_units)
        cap *= 2;
    uint32_t *slot = calloc(cap, sizeof *slot);
    if (!slot) {
        b->failed = true;
        return;
    }
    for (uint32_t n = 0; n < n_units; n++) {
        uint32_t at = store_slot(unit[n].off, cap);
        while (slot[at])
            at = (at + 1) & (cap - 1);
        slot[at] = n + 1;
    }
    StoreLink *link = (StoreLink *)(void *)b->links.p;
    uint32_t n_links = b->links.n / sizeof *link;
    for (uint32_t from = 0, n = 0; n < n_links; n++) {
        while (from + 1 < n_units && unit[from + 1].link <= n)
            from++;
        int64_t target = unit[from].off + (int64_t)link[n].target;
        uint32_t at = store_slot((uint32_t)target, cap);
        for (; slot[at]; at = (at + 1) & (cap - 1)) {
            const StoreUnit *to = &unit[slot[at] - 1];
            if (to->off != target || kind[to->kind].mode != kind[unit[from].kind].mode ||
                (link[n].counts && !unit_counts(kind[to->kind].flags)))
                continue;
            set_site(b, unit[from].code + link[n].site, to->code + to->entry);
            link[n].to = (uint16_t)slot[at];
            break;
        }
        if (!link[n].to)
            leave_open(b, unit, from, n,
                       link[n].stub == STORE_STUB_BEHIND ? stubs + n * UNIT_STUB_BYTES
                                                         : unit[from].code + link[n].stub);
    }
    free(slot);
}

/* Guest addresses become what they are with the builder's bias, unless one of them would no longer
 * fit its place: then they stay offsets. Gives the bias. */
static uint64_t settle_addresses(StoreBuilder *b)
{
    const uint32_t *reloc = (const uint32_t *)(const void *)b->relocs.p;
    size_t n_relocs = b->relocs.n / sizeof *reloc;
    for (size_t n = 0; n < n_relocs; n++) {
        int32_t off;
        if (reloc[n] >> STORE_RELOC_SHIFT != UNIT_RELOC_GUEST32)
            continue;
        memcpy(&off, b->code.p + (reloc[n] & RELOC_AT), sizeof off);
        if ((uint64_t)off + b->bias > INT32_MAX)
            return 0;
    }
    for (size_t n = 0; n < n_relocs; n++)
        add_in_place(b, reloc[n], b->bias);
    return b->bias;
}

/* Where the jump to the common stub is, made now if there is none. */
static uint32_t jump_to(StoreBuilder *b, StoreBuffer *stubs, uint32_t jumps, uint16_t stub)
{
    uint32_t n = 0;
    while (n < stubs->n / sizeof stub && memcmp(stubs->p + n * sizeof stub, &stub, sizeof stub))
        n++;
    if (n == stubs->n / sizeof stub) {
        append(b, stubs, &stub, sizeof stub);
        pad_bytes(b, &b->code, STORE_JUMP_BYTES, 0xcc);
    }
    return jumps + n * STORE_JUMP_BYTES;
}

/* Behind the code comes a jump to each common stub that it uses, which it calls instead: the stubs
 * lie elsewhere in each process, and these few are all that depends on it. Their numbers go to
 * `stubs`. Then come links' own stubs. Gives where the jumps and those are. */
static void settle_calls(StoreBuilder *b, StoreBuffer *stubs, uint32_t *ret_jumps,
                         uint32_t *ret_link_stubs)
{
    const uint32_t *call = (const uint32_t *)(const void *)b->calls.p;
    pad(b, &b->code, STORE_JUMP_BYTES, 0xcc);
    uint32_t jumps = *ret_jumps = (uint32_t)b->code.n;
    for (size_t k = 0; k < b->calls.n / sizeof *call && !b->failed; k++) {
        uint32_t number;
        memcpy(&number, b->code.p + call[k], sizeof number);
        uint32_t to = jump_to(b, stubs, jumps, (uint16_t)number);
        if (!b->failed)
            set_site(b, call[k], to);
    }
    uint32_t to = jump_to(b, stubs, jumps, (uint16_t)b->backend->link_stub);
    uint32_t n_links = b->links.n / sizeof(StoreLink), at = *ret_link_stubs = (uint32_t)b->code.n;
    pad_bytes(b, &b->code, (size_t)n_links * UNIT_STUB_BYTES, 0xcc);
    for (uint32_t n = 0; n < n_links && !b->failed; n++, at += UNIT_STUB_BYTES)
        b->backend->put_link_stub(b->code.p + at, b->code.p + to);
}

/* StoredChunk.unit_at of the code as it is now. */
static void index_units(StoreBuilder *b, StoreBuffer *ret)
{
    const StoreUnit *unit = (const StoreUnit *)(const void *)b->units.p;
    uint32_t n_units = b->units.n / sizeof *unit, n = 0;
    for (uint32_t step = 0; step < store_steps((uint32_t)b->code.n); step++) {
        while (n + 1 < n_units && unit[n + 1].code <= step * STORE_STEP)
            n++;
        append(b, ret, &(uint16_t) { (uint16_t)n }, sizeof(uint16_t));
    }
}

static int by_off(const void *a, const void *b)
{
    uint32_t x = ((const SeenBytes *)a)->off, y = ((const SeenBytes *)b)->off;
    return (x > y) - (x < y);
}

/* Sorts and joins what the units have seen. */
static void join_seen(StoreBuilder *b, StoreBuffer *ranges, StoreBuffer *bytes)
{
    SeenBytes *seen = (SeenBytes *)(void *)b->parts.p;
    size_t n_seen = b->parts.n / sizeof *seen;
    StoreRange r = { 0, 0 };
    qsort(seen, n_seen, sizeof *seen, by_off);
    for (size_t n = 0; n < n_seen && !b->failed; n++) {
        const uint8_t *from = b->seen_bytes.p + seen[n].at;
        uint32_t done = 0;
        if (r.bytes && seen[n].off <= r.off + r.bytes) {
            done = r.off + r.bytes - seen[n].off;
            if (done > seen[n].bytes)
                done = seen[n].bytes;
            const uint8_t *old = bytes->p + bytes->n - (r.off + r.bytes - seen[n].off);
            b->failed |= memcmp(old, from, done) != 0;
        } else {
            if (r.bytes)
                append(b, ranges, &r, sizeof r);
            r = (StoreRange) { seen[n].off, 0 };
        }
        append(b, bytes, from + done, seen[n].bytes - done);
        r.bytes += seen[n].bytes - done;
    }
    if (r.bytes)
        append(b, ranges, &r, sizeof r);
}

/* What is large is given back at once, so that it isn't there twice. */
static void add_table(StoreBuilder *b, StoreBuffer *table)
{
    append(b, &b->blob, table->p, table->n);
    pad(b, &b->blob, 16, 0);
    if (is_mapped(table))
        buffer_free(table);
}

static void add_slots(StoreBuilder *b, uint32_t chunk)
{
    const StoreUnit *unit = (const StoreUnit *)(const void *)b->units.p;
    const StoreKind *kind = (const StoreKind *)(const void *)b->kinds.p;
    for (uint32_t n = 0; n < b->units.n / sizeof *unit; n++) {
        StoreSlot s = { unit[n].off, (uint16_t)(chunk + 1), (uint16_t)n };
        UnitEntry e = { unit[n].code + unit[n].entry, kind[unit[n].kind] };
        append(b, &b->slots, &s, sizeof s);
        append(b, &b->entries, &e, sizeof e);
    }
}

/* What a chunk has but for the builder's own. */
typedef struct ChunkParts { StoreBuffer stubs, unit_at, ranges, bytes; } ChunkParts;

/* The tables, in the file's order, into an empty blob, and what only writers need. `t` has the bias
 * and where the jumps are. Gives how many bytes there are of the tables. */
static uint32_t add_tables(StoreBuilder *b, StoreTables t, ChunkParts *p)
{
    t = (StoreTables) {
        .bias = t.bias, .jumps = t.jumps, .link_stubs = t.link_stubs,
        .n_vconsts = b->vconsts.n / sizeof(V128), .n_kinds = b->kinds.n / sizeof(StoreKind),
        .n_units = b->units.n / sizeof(StoreUnit), .n_links = b->links.n / sizeof(StoreLink),
        .n_seen = b->seen.n / sizeof(StoreRange), .n_fp_sites = b->fp_sites.n / b->fp_site_bytes,
        .point_bytes = b->points.n,
        .n_stubs = p->stubs.n / sizeof(uint16_t), .n_relocs = b->relocs.n / sizeof(uint32_t),
        .n_looked_up = b->looked_ups.n / sizeof(uint16_t),
        .n_ranges = p->ranges.n / sizeof(StoreRange), .guest_bytes = p->bytes.n,
        .n_calls = b->calls.n / sizeof(uint32_t), .fp_site_bytes = b->fp_site_bytes,
        .limit = b->joined_limit,
    };
    StoreUnit last = unit_start(b);
    append(b, &b->units, &last, sizeof last);
    StoreBuffer *kept[] = { &b->vconsts, &b->units, &p->unit_at, &b->kinds, &b->links, &b->seen,
                            &b->fp_sites, &b->points };
    StoreBuffer *rest[] = { &p->stubs, &b->looked_ups, &b->relocs, &p->ranges, &p->bytes };
    append(b, &b->blob, &t, sizeof t);
    for (size_t n = 0; n < sizeof kept / sizeof *kept; n++)
        add_table(b, kept[n]);
    t.kept_bytes = (uint32_t)b->blob.n;
    for (size_t n = 0; n < sizeof rest / sizeof *rest; n++)
        add_table(b, rest[n]);
    pad(b, &b->blob, STORE_ALIGN, 0);
    uint32_t bytes = (uint32_t)b->blob.n;
    add_table(b, &b->calls);
    pad(b, &b->blob, STORE_ALIGN, 0);
    if (!b->failed) {
        t.call_sum = store_hash(b->blob.p + bytes, b->blob.n - bytes, 0);
        memcpy(b->blob.p, &t, sizeof t);
    }
    return bytes;
}

static void write_at(StoreBuilder *b, const void *what, size_t bytes, uint64_t at)
{
    const uint8_t *p = what;
    while (bytes && !b->failed) {
        ssize_t done = pwrite(b->fd, p, bytes, (off_t)at);
        if (done > 0)
            p += done, at += (size_t)done, bytes -= (size_t)done;
        else
            b->failed = errno != EINTR;
    }
}

/* What is written in large pieces from round places lies in large pieces in the page cache, and the
 * faults of readers, who map many pages with each, take less. */
enum { WRITE_BYTES = 256 << 10, WRITE_ALIGN = 64 << 10 };

static void write_out(StoreBuilder *b, uint64_t to)
{
    uint64_t from = b->at - b->out.n;
    if (to <= from)
        return;
    write_at(b, b->out.p, to - from, from);
    b->out.n -= to - from;
    memmove(b->out.p, b->out.p + (to - from), b->out.n);
}

static void write_next(StoreBuilder *b, const void *what, size_t bytes)
{
    if (bytes >= WRITE_BYTES) {
        write_out(b, b->at);
        write_at(b, what, bytes, b->at);
        b->at += bytes;
        return;
    }
    append(b, &b->out, what, bytes);
    b->at += b->failed ? 0 : bytes;
    if (b->out.n >= WRITE_BYTES)
        write_out(b, b->at & ~(uint64_t)(WRITE_ALIGN - 1));
}

static void free_parts(ChunkParts *p)
{
    StoreBuffer *all[] = { &p->stubs, &p->unit_at, &p->ranges, &p->bytes };
    for (size_t n = 0; n < sizeof all / sizeof *all; n++)
        buffer_free(all[n]);
}

static void close_chunk(StoreBuilder *b)
{
    if (b->failed || !b->units.n)
        return;
    ChunkParts p = { 0 };
    StoreTables t = { .bias = settle_addresses(b) };
    settle_calls(b, &p.stubs, &t.jumps, &t.link_stubs);
    connect(b, t.link_stubs);
    order_by_off(b);
    pad(b, &b->code, STORE_ALIGN, 0xcc);
    index_units(b, &p.unit_at);
    b->failed |= b->rows.n / sizeof(StoreChunkRow) >= b->max_rows;
    if (b->failed) {
        free_parts(&p);
        return;
    }
    StoreChunkRow row = { .at = b->at - b->start, .code_bytes = (uint32_t)b->code.n,
                          .n_units = (uint32_t)(b->units.n / sizeof(StoreUnit)) };
    uint64_t code_sum = store_code_sum(b->code.p, b->code.n);
    write_next(b, b->code.p, b->code.n);
    if (is_mapped(&b->code))
        buffer_free(&b->code);
    join_seen(b, &p.ranges, &p.bytes);
    if (is_mapped(&b->seen_bytes))
        buffer_free(&b->seen_bytes);
    add_slots(b, b->rows.n / sizeof row);
    b->blob.n = 0;
    row.table_bytes = add_tables(b, t, &p);
    row.call_bytes = (uint32_t)b->blob.n - row.table_bytes;
    if (!b->failed)
        row.checksum = store_table_sum(code_sum, b->blob.p, b->blob.p, row.table_bytes);
    append(b, &b->rows, &row, sizeof row);
    write_next(b, b->blob.p, b->blob.n);
    StoreBuffer *empty[] = { &b->code, &b->units, &b->kinds, &b->links, &b->seen, &b->points,
                             &b->vconsts, &b->fp_sites, &b->relocs, &b->calls, &b->parts,
                             &b->seen_bytes, &b->looked_ups };
    for (size_t n = 0; n < sizeof empty / sizeof *empty; n++)
        empty[n]->n = 0;
    free_parts(&p);
}

void build_part(StoreBuilder *b, uint32_t limit, uint32_t joined_limit)
{
    if (b->code.n >= STORE_PART_CODE || joined_limit != b->joined_limit)
        close_chunk(b);
    b->joined_limit = joined_limit;
    b->limit = limit;
}

/* -- the group --------------------------------------------------------------------------------- */

void build_begin(StoreBuilder *b, int fd, uint64_t start, uint32_t max_rows)
{
    b->fd = fd;
    b->start = start;
    b->max_rows = max_rows;
    b->at = start + store_align(sizeof(StoreGroup) + max_rows * sizeof(StoreChunkRow), STORE_ALIGN);
}

/* Into an empty blob: an open-addressed table. Gives the number of slots. */
static uint32_t build_index(StoreBuilder *b)
{
    uint32_t slots = 16;
    while (slots < 2 * b->n_units)
        slots *= 2;
    b->blob.n = 0;
    StoreSlot *index = grow(b, &b->blob, slots * sizeof *index);
    if (!index)
        return 0;
    memset(index, 0, slots * sizeof *index);
    for (const StoreSlot *s = (const void *)b->slots.p; (uint8_t *)s < b->slots.p + b->slots.n;
         s++) {
        uint32_t at = store_slot(s->off, slots);
        while (index[at].chunk)
            at = (at + 1) & (slots - 1);
        index[at] = *s;
    }
    return slots;
}

static StoreChunkRow *rows(const StoreBuilder *b) { return (StoreChunkRow *)(void *)b->rows.p; }

static bool suits(const OpenLink *o, const UnitEntry *from, const UnitEntry *to)
{
    return from->kind.mode == to->kind.mode && (!o->counts || unit_counts(to->kind.flags));
}

/* The index in the blob tells where open links lead; `first`: of each chunk's entries. */
static void find_targets(StoreBuilder *b, uint32_t slots, const uint32_t *first)
{
    const StoreSlot *index = (const StoreSlot *)(const void *)b->blob.p;
    const UnitEntry *entry = (const UnitEntry *)(const void *)b->entries.p;
    OpenLink *end = (OpenLink *)(void *)(b->open.p + b->open.n);
    for (OpenLink *o = (OpenLink *)(void *)b->open.p; o < end; o++) {
        const UnitEntry *from = &entry[first[o->chunk] + o->from];
        uint32_t at = store_slot(o->target, slots);
        for (; index[at].chunk; at = (at + 1) & (slots - 1))
            if (index[at].off == o->target && index[at].chunk != o->chunk + 1 &&
                suits(o, from, &entry[first[index[at].chunk - 1] + index[at].unit]))
                break;
        o->to_chunk = index[at].chunk;
        o->to = index[at].unit;
        if (o->to_chunk) {
            rows(b)[o->chunk].n_out++;
            rows(b)[o->to_chunk - 1].n_in++;
        }
    }
}

static uint8_t *cross_of(const StoreBuilder *b, uint32_t chunk)
{
    return b->blob.p + (rows(b)[chunk].cross_at - (b->at - b->start));
}

/* Into the blob, which is empty, what store_cross_bytes() says of each chunk. */
static void add_cross(StoreBuilder *b, const uint32_t *first)
{
    const UnitEntry *entry = (const UnitEntry *)(const void *)b->entries.p;
    const OpenLink *end = (const OpenLink *)(const void *)(b->open.p + b->open.n);
    uint32_t n_chunks = b->rows.n / sizeof(StoreChunkRow);
    struct { uint32_t out, in; } *done = calloc(n_chunks + 1, sizeof *done);
    b->failed |= !done;
    for (uint32_t n = 0; n < n_chunks && !b->failed; n++) {
        rows(b)[n].cross_at = (uint32_t)(b->at - b->start + b->blob.n);
        grow(b, &b->blob, store_cross_bytes(&rows(b)[n]));
    }
    for (const OpenLink *o = (const void *)b->open.p; o < end && !b->failed; o++) {
        if (!o->to_chunk)
            continue;
        uint16_t to_chunk = o->to_chunk - 1;
        const StoreChunkRow *to = &rows(b)[to_chunk];
        StoreBind *out = (StoreBind *)(void *)cross_of(b, o->chunk) + done[o->chunk].out++;
        StoreBind *in = (StoreBind *)(void *)cross_of(b, to_chunk) + to->n_out;
        StoreCross *cross = (StoreCross *)(void *)(in + to->n_in) + done[to_chunk].in;
        *out = (StoreBind) { .site = o->site, .target = entry[first[to_chunk] + o->to].at,
                             .stub = o->stub, .other = to_chunk, .to = o->to };
        in[done[to_chunk].in] = *out;
        in[done[to_chunk].in++].other = o->chunk;
        *cross = (StoreCross) { o->chunk, o->from, o->link, o->to };
    }
    for (uint32_t n = 0; n < n_chunks && !b->failed; n++)
        rows(b)[n].cross_sum = store_hash(cross_of(b, n), store_cross_bytes(&rows(b)[n]), 0);
    free(done);
}

/* Writes the blob, padded: where in the group it begins. */
static uint32_t write_blob(StoreBuilder *b)
{
    uint64_t at = b->at - b->start;
    pad(b, &b->blob, STORE_ALIGN, 0);
    write_next(b, b->blob.p, b->blob.n);
    b->failed |= at > UINT32_MAX;
    return (uint32_t)at;
}

static uint32_t write_bytes(StoreBuilder *b, const void *what, size_t bytes)
{
    b->blob.n = 0;
    append(b, &b->blob, what, bytes);
    return write_blob(b);
}

bool build_finish(StoreBuilder *b, uint64_t key, uint64_t *ret_end)
{
    close_chunk(b);
    if (b->failed || (!b->n_units && !b->n_ran))
        return false;
    uint32_t slots = build_index(b), n_chunks = b->rows.n / sizeof(StoreChunkRow);
    uint32_t *first = malloc((n_chunks + 1) * sizeof *first);
    b->failed |= !first;
    for (uint32_t n = 0, sum = 0; n < n_chunks && first; sum += rows(b)[n++].n_units)
        first[n] = sum;
    if (!b->failed)
        find_targets(b, slots, first);
    StoreGroup g = {
        .magic = STORE_GROUP_MAGIC, .key = key, .n_chunks = n_chunks,
        .n_units = b->n_units, .index_slots = slots, .index_at = write_blob(b),
        .used_chunks = b->n_used, .ran_units = b->n_ran,
        .n_history = b->n_history, .n_recorded = b->n_recorded,
    };
    b->blob.n = 0;
    if (!b->failed)
        add_cross(b, first);
    free(first);
    write_blob(b);
    g.used_at = write_bytes(b, b->used, (b->n_used + 7) / 8);
    g.ran_at = write_bytes(b, b->ran, (b->n_ran + 7) / 8);
    g.looked_at = write_bytes(b, b->looked, (b->n_ran + 7) / 8);
    g.history_at = write_bytes(b, b->histories.p, b->histories.n);
    g.bytes = b->at - b->start;
    g.checksum = store_hash(b->rows.p, b->rows.n,
                            store_hash(&g.key, sizeof g - offsetof(StoreGroup, key), 0));
    write_out(b, b->at);
    write_at(b, b->rows.p, b->rows.n, b->start + sizeof g);
    write_at(b, &g, sizeof g, b->start);
    *ret_end = b->at;
    return !b->failed;
}
