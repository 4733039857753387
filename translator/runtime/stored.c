/* data plane */
/* See stored.h. */
#include "translator/runtime/stored.h"

#include <sys/mman.h>
#include <stdlib.h>

#include "translator/cache/build-id.h"
#include "translator/cache/store-history.h"
#include "translator/debug/perf-map.h"

enum {
    SAVE_UNITS = 16384,       /* a process that runs on saves when it has so many new ones */
    READ_BYTES = 512 << 10,   /* a chunk that large is read rather than mapped */
    BIND_AHEAD = 8,           /* links whose code is fetched ahead */
};

/* A mapping of a guest file's code. It only shrinks. */
typedef struct FileMap {
    struct FileMap *next;
    GuestAddr start, end;
    uint64_t bias;            /* address less offset in the file */
    TranslatorFile id;
    StoreFile *file;          /* NULL: not looked for yet */
    bool program;             /* the program or its interpreter, not a library */
    bool opened, record;      /* it records what it runs of the file: store-history.h */
    uint32_t better;          /* regions found in it in place of others that guessed wrong */
    uint32_t superseded;      /* StoreUnits.superseded */
    StoredChunk **chunk;      /* by number: NULL not loaded yet, &refused */
    uint32_t n_chunks, n_found; /* units of those that are loaded */
    StoreUse used;            /* when its chunks were given back */
} FileMap;

struct Stored {
    Store store;
    FileMap *maps;            /* the one used last comes first */
    unsigned n_files;         /* how many have been mapped */
    StoredChunk *loaded;
    StoredChunk refused;      /* what a chunk is that doesn't fit this process */
    uint32_t saved;           /* units of the code buffer's table below need no saving */
    bool last;                /* the process ends: translator_save_last() */
    const CompiledUnit **new_unit; /* while it saves */
};

/* -- mappings ---------------------------------------------------------------------------------- */

static uint64_t store_key(const Translator *t)
{
    uint64_t parts[3] = { STORE_FORMAT, t->backend->code_key(t),
                          (uint64_t)t->tier << 32 | t->tier_step };
    uint64_t h = store_hash(parts, sizeof parts, 0);
    h = store_hash(t->isa->name, strlen(t->isa->name), h);
    h = store_hash(t->cpu_name, strlen(t->cpu_name), h);
    h = store_hash(t->backend->name, strlen(t->backend->name), h);
    return store_hash(translator_build_id, strlen(translator_build_id), h);
}

bool translator_set_store(Translator *t, const TranslatorStoreConfig *config)
{
    if (!t->backend->stub || t->one_insn || t->no_opt || t->stored || t->tier == TIER_OPTIMIZE)
        return false;
    struct Stored *s = calloc(1, sizeof *s);
    if (!s)
        return false;
    s->store.config = *config;
    s->store.dir = s->store.file = -1;
    s->store.key = store_key(t);
    t->stored = s;
    return true;
}

void translator_map_file(Translator *t, GuestAddr start, uint64_t bytes, uint64_t offset,
                         const TranslatorFile *id)
{
    if (!t->stored || !bytes || offset + bytes > UINT32_MAX)
        return;
    FileMap *m = calloc(1, sizeof *m);
    if (!m)
        return;
    *m = (FileMap) { .start = start, .end = start + bytes, .bias = start - offset, .id = *id };
    translator_lock(t);
    m->program = t->stored->n_files++ < 2;
    m->next = t->stored->maps;
    t->stored->maps = m;
    translator_unlock(t);
}

static void map_free(FileMap *m)
{
    free(m->chunk);
    free(m->used.bit);
    free(m->used.ran);
    free(m->used.looked_up);
    free(m);
}

/* What lies behind a hole is a mapping of its own. */
static void split_map(FileMap *m, GuestAddr from)
{
    FileMap *rest = from < m->end ? calloc(1, sizeof *rest) : NULL;
    if (!rest)
        return;
    *rest = (FileMap) { .next = m->next, .start = from, .end = m->end, .bias = m->bias,
                        .id = m->id, .file = m->file, .program = m->program, .opened = true };
    m->next = rest;
}

/* Loaded chunks stay: they have all they need. */
void stored_unmap(Translator *t, GuestAddr start, uint64_t bytes)
{
    if (!t->stored)
        return;
    GuestAddr end = start + bytes < start ? ~(GuestAddr)0 : start + bytes;
    for (FileMap **at = &t->stored->maps, *m; (m = *at);) {
        if (m->start < end && start < m->end) {
            if (start > m->start) {
                split_map(m, end);
                m->end = start;
            } else {
                m->start = end < m->end ? end : m->end;
            }
        }
        if (m->start >= m->end) {
            *at = m->next;
            map_free(m);
        } else {
            at = &m->next;
        }
    }
}

void translator_unmap_file(Translator *t, GuestAddr start, uint64_t bytes)
{
    translator_lock(t);
    stored_unmap(t, start, bytes);
    translator_unlock(t);
}

static FileMap *find_map(struct Stored *s, GuestAddr pc)
{
    for (FileMap **at = &s->maps, *m; (m = *at); at = &m->next)
        if (pc >= m->start && pc < m->end) {
            *at = m->next;
            m->next = s->maps;
            return s->maps = m;
        }
    return NULL;
}

/* -- chunks ------------------------------------------------------------------------------------ */

static const uint8_t *host(GuestAddr a) { return (const uint8_t *)(uintptr_t)a; }

static void list_in_perf_map(Translator *t, const StoredChunk *c)
{
    for (uint32_t n = 0; t->perf_fd >= 0 && n < c->tables->n_units; n++) {
        CompiledUnit u;
        chunk_describe(c, n, &u);
        perf_map_add(t, &u, unit_code(&c->base) + c->unit[n].code);
    }
}

/* All that is used of a chunk has been copied: the pages of its file that only it is in needn't
 * count for this process any more. Small ones aren't worth a system call. */
static void let_go(const uint8_t *data, size_t bytes)
{
    enum { SMALL = 128 << 10 };
    uintptr_t from = ((uintptr_t)data + 4095) & ~(uintptr_t)4095;
    uintptr_t to = ((uintptr_t)data + bytes) & ~(uintptr_t)4095;
    if (to > from && to - from >= SMALL)
        madvise((void *)from, to - from, MADV_DONTNEED);
}

static StoredChunk *loaded_chunk(const struct Stored *s, const FileMap *m, uint32_t number)
{
    StoredChunk *c = number < m->n_chunks ? m->chunk[number] : NULL;
    return c == &s->refused ? NULL : c;
}

/* What jumps between the chunk and others goes straight there, without a look-up for each. May
 * fault. */
static void bind_chunk(Translator *t, const FileMap *m, uint32_t number)
{
    StoredChunk *c = m->chunk[number], *other;
    const StoreChunkRow *row;
    c->file = m->file;
    c->number = number;
    const uint8_t *cross = store_file_cross(m->file, number, &row, &c->first);
    const StoreBind *bind = m->record ? NULL : chunk_take_cross(t, c, cross, row);
    uint32_t count = bind ? row->n_out + row->n_in : 0;
    for (uint32_t n = 0; n < count; n++) {
        if (n + BIND_AHEAD < count) {
            const StoreBind *next = &bind[n + BIND_AHEAD];
            other = n + BIND_AHEAD < row->n_out ? c : loaded_chunk(t->stored, m,
                                                                   c->first + next->other);
            if (other)
                __builtin_prefetch(unit_code(&other->base) + next->site);
        }
        if ((other = loaded_chunk(t->stored, m, c->first + bind[n].other)))
            chunk_bind(t, n < row->n_out ? c : other, &bind[n], n < row->n_out ? other : c);
    }
}

/* NULL: it can't be had now, or not here. May fault. */
static StoredChunk *load_chunk(Translator *t, Vcpu *v, FileMap *m, uint32_t number)
{
    struct Stored *s = t->stored;
    if (number >= m->n_chunks) {
        StoredChunk **more = realloc(m->chunk, m->file->n_chunks * sizeof *more);
        if (!more)
            return NULL;
        memset(more + m->n_chunks, 0, (m->file->n_chunks - m->n_chunks) * sizeof *more);
        m->chunk = more;
        m->n_chunks = m->file->n_chunks;
    }
    StoredChunk *c = m->chunk[number];
    if (c)
        return c == &s->refused ? NULL : c;
    const uint8_t *data;
    const StoreChunkRow *row = store_file_chunk(m->file, number, &data);
    const ChunkPlace place = { m->bias, m->start, m->end };
    size_t bytes = (size_t)row->code_bytes + row->table_bytes;
    ChunkSource from = { .data = data, .fd = -1 };
    if (bytes >= READ_BYTES)
        from.fd = store_file_reopen(&s->store, m->file, data, &from.at);
    ChunkResult r = chunk_load(t, &from, row, &place, &c);
    if (bytes >= READ_BYTES)
        store_leave(&s->store);
    if (r != CHUNK_LOADED) {
        m->chunk[number] = r == CHUNK_FULL ? NULL : &s->refused;
        if (r == CHUNK_DIFFERS)
            store_file_forget_name(&s->store, m->file);
        return NULL;
    }
    if (from.fd < 0)
        let_go(data, bytes);
    c->next = s->loaded;
    s->loaded = c;
    m->n_found += c->tables->n_units;
    list_in_perf_map(t, c);
    if (log_on(LOG_CACHE))
        log_write("cache: %u units at %#llx from the store\n", c->tables->n_units,
                  (unsigned long long)m->start);
    m->chunk[number] = c;
    m->record = m->record && chunk_record(t, c, history_is_sure(m->file, number));
    if (!m->record)
        chunk_fill_jump_cache(c, v); /* before others take the place of its tables */
    bind_chunk(t, m, number);
    return c;
}

/* The unit becomes one of the table. NULL: it was invalidated, or there is no room. */
static CompiledUnit *adopt(Translator *t, StoredChunk *c, uint32_t n)
{
    CompiledUnit *u = chunk_made(c, n);
    if (u)
        return u->invalid ? NULL : u;
    u = chunk_make_unit(t, c, n);
    if (!u)
        return NULL;
    unit_table_add(t->units, u);
    t->stats.stored++;
    return u;
}

static bool log_wants_translation(void)
{
    return log_on(LOG_DECODE | LOG_IR | LOG_OPT | LOG_RA | LOG_OUT | LOG_EXEC | LOG_CPU |
                  LOG_NOCHAIN | LOG_IR_OPT);
}

static CompiledUnit *look_up(Translator *t, Vcpu *v, FileMap *m, GuestAddr pc, uint32_t wanted)
{
    uint32_t chunk, n, off = (uint32_t)(pc - m->bias), hint = wanted & ~(uint32_t)IR_UNIT_COUNTED;
    for (uint64_t state = 0; store_file_probe(m->file, off, &state, &chunk, &n);) {
        StoredChunk *c = load_chunk(t, v, m, chunk);
        if (!c || n >= c->tables->n_units || c->unit[n].off != off ||
            chunk_mode(c, &c->unit[n]) != v->mode || (chunk_flags(c, &c->unit[n]) & hint) != hint ||
            (wanted & IR_UNIT_COUNTED && !unit_counts(chunk_flags(c, &c->unit[n]))))
            continue;
        CompiledUnit *u = adopt(t, c, n);
        if (u && c->ran)
            c->ran[n / 64] |= UINT64_C(1) << n % 64;
        if (u)
            return u;
    }
    return NULL;
}

static bool open_map(Translator *t, FileMap *m)
{
    struct Stored *s = t->stored;
    if (!m->file)
        m->file = store_file_find(&s->store, &m->id);
    if (m->file && m->file->state == STORE_FILE_NEW)
        store_file_open(&s->store, m->file, host(m->start), m->end - m->start);
    bool open = m->file && m->file->state == STORE_FILE_OPEN;
    if (open && !m->opened) {
        m->opened = true;
        m->record = s->store.config.writable && !t->warming && m->file->layer[0].base &&
                    history_is_wanted(m->file);
    }
    return open;
}

/* May fault. */
static CompiledUnit *find(Translator *t, Vcpu *v, FileMap *m, GuestAddr pc, uint32_t wanted)
{
    if (!open_map(t, m))
        return NULL;
    uint32_t hint = units_hint(t, pc) | wanted, groups = m->file->n_groups;
    CompiledUnit *u = look_up(t, v, m, pc, hint);
    if (u)
        return u;
    store_file_refresh(&t->stored->store, m->file);
    return m->file->n_groups != groups ? look_up(t, v, m, pc, hint) : NULL;
}

static CompiledUnit *find_guarded(Translator *t, Vcpu *v, FileMap *m, GuestAddr pc,
                                  uint32_t wanted)
{
    sigjmp_buf recover;
    if (sigsetjmp(recover, 0)) {
        /* The file has been truncated, or the guest's code unmapped meanwhile. */
        store_leave(&t->stored->store);
        if (m->file)
            store_file_break(m->file);
        return NULL;
    }
    v->recover = &recover;
    CompiledUnit *u = find(t, v, m, pc, wanted);
    __asm__ volatile("" ::: "memory"); /* nothing that may fault moves behind */
    v->recover = NULL;
    return u;
}

CompiledUnit *stored_find(Translator *t, Vcpu *v, GuestAddr pc, uint32_t flags)
{
    if (flags & IR_UNIT_ALONE || log_wants_translation())
        return NULL;
    FileMap *m = find_map(t->stored, pc);
    bool broken = !m || (m->file && m->file->state == STORE_FILE_BROKEN);
    return broken ? NULL
                  : find_guarded(t, v, m, pc,
                               flags & (IR_UNIT_REGION | IR_UNIT_COUNTED | IR_UNIT_REBUILT));
}

CompiledUnit *stored_find_region(Translator *t, Vcpu *v, GuestAddr pc, unsigned rebuilt)
{
    uint32_t flags = IR_UNIT_REGION | rebuilt << IR_UNIT_REBUILT_SHIFT;
    return t->stored ? stored_find(t, v, pc, flags) : NULL;
}

bool stored_records(const Translator *t)
{
    const FileMap *m = t->stored ? t->stored->maps : NULL;
    while (m && !m->record)
        m = m->next;
    return m;
}

void stored_found_better(Translator *t, GuestAddr pc)
{
    FileMap *m = t->stored ? find_map(t->stored, pc) : NULL;
    if (m)
        m->better++;
}

/* A unit of a loaded chunk. */
typedef struct Loaded { StoredChunk *chunk; uint32_t unit; } Loaded;
enum { MAX_LOADED = 8 };

/* What of the loaded chunks is at pc. May fault. */
static uint32_t probe_loaded(const struct Stored *s, const FileMap *m, GuestAddr pc,
                             Loaded ret[MAX_LOADED])
{
    uint32_t chunk, n, count = 0, off = (uint32_t)(pc - m->bias);
    for (uint64_t state = 0;
         count < MAX_LOADED && store_file_probe(m->file, off, &state, &chunk, &n);) {
        StoredChunk *c = loaded_chunk(s, m, chunk);
        if (c && n < c->tables->n_units && c->unit[n].off == off)
            ret[count++] = (Loaded) { c, n };
    }
    return count;
}

static uint32_t probe_guarded(Translator *t, Vcpu *v, const FileMap *m, GuestAddr pc,
                              Loaded ret[MAX_LOADED])
{
    sigjmp_buf recover;
    if (sigsetjmp(recover, 0)) {
        store_file_break(m->file);
        return 0;
    }
    v->recover = &recover;
    uint32_t count = probe_loaded(t->stored, m, pc, ret);
    __asm__ volatile("" ::: "memory"); /* nothing that may fault moves behind */
    v->recover = NULL;
    return count;
}

static uint32_t find_at(Translator *t, Vcpu *v, GuestAddr pc, Loaded ret[MAX_LOADED])
{
    const FileMap *m = t->stored ? find_map(t->stored, pc) : NULL;
    return m && m->chunk && m->file->state == STORE_FILE_OPEN ? probe_guarded(t, v, m, pc, ret)
                                                              : 0;
}

void stored_prefer(Translator *t, Vcpu *v, CompiledUnit *region)
{
    Loaded at[MAX_LOADED];
    uint32_t count = find_at(t, v, region->pc, at);
    for (uint32_t k = 0; k < count; k++) {
        StoredChunk *c = at[k].chunk;
        const StoreUnit *u = &c->unit[at[k].unit];
        if (c == unit_chunk(region) || u->n_seen || chunk_mode(c, u) != region->mode)
            continue;
        CompiledUnit *old = adopt(t, c, at[k].unit);
        if (old)
            unit_replace(t, old, region);
    }
}

void stored_check(Translator *t, Vcpu *v, const CompiledUnit *u)
{
    StoredChunk *c = unit_chunk(u);
    if (!c || c->checked)
        return;
    c->checked = true;
    for (uint32_t n = 0; n < c->tables->n_units; n++)
        if (adopt(t, c, n))
            translate_check(t, v, chunk_made(c, n));
}

bool stored_knows(Translator *t, Vcpu *v, GuestAddr pc)
{
    Loaded at[MAX_LOADED];
    return find_at(t, v, pc, at);
}

/* A link that isn't the unit's but the chunk's: the unit needn't be made for it. Should it be made
 * later, its own link at that place stays unused. */
static UnitLink *link_of_chunk(Translator *t, StoredChunk *c, const StoreUnit *u, uint32_t number)
{
    const StoreLink *s = &c->link[number];
    UnitLink *link = cache_alloc_meta(t->code, sizeof *link);
    if (link)
        *link = (UnitLink) {
            .from = unit_ref(link, &c->base),
            .target = (int64_t)u->off + s->target, /* the chunk's own unit is at c->bias */
            .counts = s->counts,
            .site = u->code + s->site, .stub = chunk_stub_of(c, u, number) - (u->code + s->site),
        };
    return link;
}

UnitLink *stored_link(Translator *t, const uint8_t *stub)
{
    CompiledUnit *base = cache_find(t->code, stub);
    if (!base || !unit_chunk(base))
        return NULL;
    StoredChunk *c = unit_chunk(base);
    uint32_t number, n;
    if (!chunk_find_link(c, (uint32_t)(stub - unit_code(base)), &number, &n))
        return NULL;
    const StoreUnit *u = &c->unit[number];
    /* Who looks at a region's links wants to know the region. */
    bool whole = chunk_made(c, number) || u->n_seen || chunk_mode(c, u) != base->mode;
    CompiledUnit *made = whole ? adopt(t, c, number) : NULL;
    if (whole)
        return made ? unit_link_at(made, n - u->link) : NULL;
    return link_of_chunk(t, c, u, n);
}

/* -- invalidation ------------------------------------------------------------------------------ */

/* The code jumps there already. A target that has been invalidated was connected before. */
static void connect_link(Translator *t, UnitLink *link, CompiledUnit *to)
{
    if (!link->to && !to->invalid)
        unit_link(t, link, to);
}

typedef struct Touched {
    uint64_t is[STORE_CHUNK_UNITS / 64]; /* a bit a unit */
    uint32_t n;
} Touched;

static bool is_touched(const Touched *t, uint32_t n)
{
    return n < STORE_CHUNK_UNITS && t->is[n / 64] >> n % 64 & 1;
}

static void touch(Touched *t, uint32_t n)
{
    t->n += !is_touched(t, n);
    t->is[n / 64] |= UINT64_C(1) << n % 64;
}

static StoredChunk *find_loaded(const struct Stored *s, const StoredChunk *like, uint32_t number)
{
    StoredChunk *c = s->loaded;
    while (c && (c->number != number || c->file != like->file || c->bias != like->bias))
        c = c->next;
    return c;
}

/* Links of other chunks that lead to the chunk's units, all or those that are touched. */
static bool connect_bound(Translator *t, StoredChunk *c, const Touched *touched)
{
    for (uint32_t n = 0; n < c->n_in; n++) {
        StoreCross cross = c->in[n];
        if (touched && !is_touched(touched, cross.to))
            continue;
        StoredChunk *from = find_loaded(t->stored, c, c->first + cross.other);
        if (!from || !chunk_is_bound(from, cross, c))
            continue;
        if ((!chunk_made(c, cross.to) && !adopt(t, c, cross.to)) ||
            (!chunk_made(from, cross.from) && !adopt(t, from, cross.from)))
            return false;
        connect_link(t, unit_link_at(chunk_made(from, cross.from), cross.link),
                     chunk_made(c, cross.to));
    }
    return true;
}

void stored_expose_unit(Translator *t, CompiledUnit *u)
{
    StoredChunk *c = unit_chunk(u);
    if (!c || c->connected)
        return;
    uint32_t self = chunk_find_unit(c, (uint32_t)(unit_code(u) - unit_code(&c->base)));
    Touched only = { 0 };
    if (self < STORE_CHUNK_UNITS)
        touch(&only, self);
    connect_bound(t, c, self < STORE_CHUNK_UNITS ? &only : NULL);
    for (uint32_t n = 0; n < c->tables->n_units; n++) {
        const StoreUnit *from = &c->unit[n];
        for (uint32_t k = from->link; k < from[1].link; k++)
            if (c->link[k].to == self + 1 && (chunk_made(c, n) || adopt(t, c, n)))
                connect_link(t, unit_link_at(chunk_made(c, n), k - from->link), u);
    }
}

static bool connect(Translator *t, StoredChunk *c)
{
    for (uint32_t n = 0; n < c->tables->n_units; n++)
        if (!chunk_made(c, n) && !adopt(t, c, n))
            return false;
    for (uint32_t n = 0; n < c->tables->n_units; n++) {
        const StoreUnit *u = &c->unit[n];
        for (uint32_t k = u->link; k < u[1].link; k++)
            if (c->link[k].to)
                connect_link(t, unit_link_at(chunk_made(c, n), k - u->link),
                             chunk_made(c, c->link[k].to - 1));
    }
    if (!connect_bound(t, c, NULL))
        return false;
    c->connected = true;
    return true;
}

static void look_whether_touched(const StoredChunk *c, uint32_t n, GuestAddr start, GuestAddr last,
                                 Touched *ret)
{
    for (uint32_t k = 0; k < chunk_n_seen(&c->unit[n]); k++) {
        StoreRange seen = chunk_seen(c, &c->unit[n], k);
        GuestAddr from = seen.off + c->bias;
        if (from <= last && from + seen.bytes > start)
            touch(ret, n);
    }
}

/* Which units of a chunk that has seen code thereabouts have seen that of the place. Those but
 * regions have seen what is near them (StoreUnit.around). */
static void find_touched(const StoredChunk *c, GuestAddr start, GuestAddr last, Touched *ret)
{
    enum { NEAR = UINT16_MAX };
    memset(ret, 0, sizeof *ret);
    uint64_t from = (start > c->seen_start ? start : c->seen_start) - c->bias;
    uint64_t to = (last < c->seen_end ? last : c->seen_end) - c->bias;
    uint32_t end = chunk_first_from(c, to + NEAR + 1);
    for (uint32_t n = chunk_first_from(c, from > NEAR ? from - NEAR : 0); n < end; n++)
        if (c->unit[n].by_off < c->tables->n_units)
            look_whether_touched(c, c->unit[n].by_off, start, last, ret);
    for (uint32_t n = 0; c->tables->n_seen && n < c->tables->n_units; n++)
        if (c->unit[n].n_seen)
            look_whether_touched(c, n, start, last, ret);
}

/* Those units, and what jumps to them. An instruction that is to be translated in another way
 * concerns a few of the chunk's units, and each that is made takes some 200 bytes. */
static bool connect_touched(Translator *t, StoredChunk *c, const Touched *touched)
{
    for (uint32_t n = 0; n < c->tables->n_units; n++)
        if (is_touched(touched, n) && !chunk_made(c, n) && !adopt(t, c, n))
            return false;
    for (uint32_t n = 0; n < c->tables->n_units; n++)
        for (uint32_t k = c->unit[n].link; k < c->unit[n + 1].link; k++) {
            uint32_t to = c->link[k].to;
            if (!to || !is_touched(touched, to - 1))
                continue;
            if (!chunk_made(c, n) && !adopt(t, c, n))
                return false;
            connect_link(t, unit_link_at(chunk_made(c, n), k - c->unit[n].link),
                         chunk_made(c, to - 1));
        }
    return connect_bound(t, c, touched);
}

static bool expose(Translator *t, StoredChunk *c, GuestAddr start, GuestAddr last)
{
    enum { FEW = 64 };
    Touched touched;
    if (c->tables->n_units > STORE_CHUNK_UNITS)
        return connect(t, c);
    find_touched(c, start, last, &touched);
    return !touched.n || (touched.n > FEW ? connect(t, c) : connect_touched(t, c, &touched));
}

bool stored_expose(Translator *t, GuestAddr start, uint64_t bytes)
{
    GuestAddr last = start + bytes - 1 < start ? ~(GuestAddr)0 : start + bytes - 1;
    if (!t->stored || !bytes)
        return true;
    for (StoredChunk *c = t->stored->loaded; c; c = c->next)
        if (!c->connected && c->seen_start <= last && c->seen_end > start &&
            !expose(t, c, start, last))
            return false;
    return true;
}

void stored_flushed(Translator *t)
{
    struct Stored *s = t->stored;
    if (!s)
        return;
    s->loaded = NULL;
    s->saved = 0;
    for (FileMap *m = s->maps; m; m = m->next) {
        m->n_found = 0;
        m->record = false;
        for (uint32_t n = 0; n < m->n_chunks; n++)
            if (m->chunk[n] != &s->refused)
                m->chunk[n] = NULL;
    }
}

void stored_mend(Translator *t)
{
    struct Stored *s = t->stored;
    if (!s)
        return;
    store_forget(&s->store);
    s->new_unit = NULL;
    s->last = false;
}

void stored_forked(Translator *t)
{
    if (!t->stored)
        return;
    t->stored->saved = atomic_load_explicit(&t->code->n_units, memory_order_relaxed);
    for (FileMap *m = t->stored->maps; m; m = m->next)
        if (m->record) /* a page less to copy */
            m->record = false;
}

void stored_free(Translator *t)
{
    struct Stored *s = t->stored;
    if (!s)
        return;
    for (FileMap *m = s->maps, *next; m; m = next) {
        next = m->next;
        map_free(m);
    }
    for (StoreFile *f = s->store.files, *next; f; f = next) {
        next = f->next;
        store_file_break(f);
        free(f);
    }
    free(s);
    t->stored = NULL;
}

/* -- saving ------------------------------------------------------------------------------------ */

bool stored_save_due(const Translator *t)
{
    return t->stored && t->code->n_units - t->stored->saved >= SAVE_UNITS;
}

/* What one process's NaNs made slower isn't for others; nor what was made once more, counting. */
static bool is_new(const Translator *t, const CompiledUnit *u)
{
    const UnitSide *side = unit_side(u);
    return side && side->seen_hash && !u->invalid &&
           !(u->flags & (IR_UNIT_ALONE | IR_UNIT_NAN_CHECK)) &&
           (unit_counts(u->flags) ||
            !unit_table_find(t->units, u->pc, u->mode, IR_UNIT_COUNTED));
}

static bool lies_in(const CompiledUnit *u, const FileMap *m)
{
    for (uint32_t n = 0; n < unit_n_seen(u); n++)
        if (unit_seen(u, n).start < m->start || unit_seen(u, n).end > m->end)
            return false;
    return true;
}

static void collected_free(struct Stored *s)
{
    free(s->new_unit);
    s->new_unit = NULL;
}

/* One mapping's new units. */
static uint32_t collect(Translator *t, const FileMap *m, uint32_t end)
{
    struct Stored *s = t->stored;
    uint32_t count = 0;
    for (uint32_t n = s->saved; n < end; n++)
        count += lies_in(cache_unit(t->code, n), m) && is_new(t, cache_unit(t->code, n));
    s->new_unit = count ? malloc(count * sizeof *s->new_unit) : NULL;
    count = 0;
    for (uint32_t n = s->saved; s->new_unit && n < end; n++) {
        const CompiledUnit *u = cache_unit(t->code, n);
        if (lies_in(u, m) && is_new(t, u))
            s->new_unit[count++] = u;
    }
    return count;
}

/* A process that found most of what it ran in the store leaves its own in small chunks: of those
 * that have it in common with others each is loaded for the few units that this one needs. So does
 * one that uses little of a library. */
static void set_limits(const struct Stored *s, const FileMap *m, StoreUnits *u)
{
    enum { MANY = 4096 };
    bool later = m->n_found >= u->n || (m->n_found && u->n < MANY);
    bool shared = !m->program && u->n < MANY;
    u->joined_limit = shared ? STORE_SHARED_CODE : STORE_CHUNK_CODE;
    u->limit = later && !shared ? STORE_LATER_CODE
               : !s->last && !shared ? STORE_MEANWHILE_CODE : u->joined_limit;
}

static void set_bit(uint8_t *bits, uint32_t n) { bits[n / 8] |= (uint8_t)(1u << n % 8); }

/* What was run of a chunk with so many units; units are numbered on. Gives how many were. */
static uint32_t note_run(StoreUse *use, const StoredChunk *c, uint32_t n_units)
{
    uint32_t count = 0;
    for (uint32_t n = 0; c && c->ran && n < n_units && n < c->tables->n_units; n++) {
        const CompiledUnit *u = chunk_made(c, n);
        if (c->ran[n / 64] >> n % 64 & 1) {
            set_bit(use->ran, use->n_ran + n);
            count++;
        }
        if (u && u->looked_up)
            set_bit(use->looked_up, use->n_ran + n);
    }
    use->n_ran += n_units;
    return count;
}

/* What of the store's own file is loaded now and, at the end of a process that records, what of it
 * was run. */
static void note_use(const struct Stored *s, FileMap *m)
{
    const StoreFile *f = m->file;
    const StoreLayer *own = &f->layer[0];
    uint32_t loaded = 0, ran = 0, chunks = 0;
    free(m->used.bit);
    free(m->used.ran);
    free(m->used.looked_up);
    m->used = (StoreUse) { .bit = calloc(f->n_chunks / 8 + 1, 1), .inode = own->inode };
    if (m->record && s->last) {
        m->used.ran = calloc(f->n_units / 8 + 1, 1);
        m->used.looked_up = calloc(f->n_units / 8 + 1, 1);
    }
    bool record = m->used.ran && m->used.looked_up;
    for (uint32_t n = 0; m->used.bit && own->base && n < f->n_groups; n++) {
        const StoreGroupRef *g = &f->group[n];
        if ((size_t)(g->base - own->base) >= own->bytes)
            continue; /* another's */
        for (uint32_t k = 0; k < g->n_chunks; k++, m->used.n++) {
            const StoredChunk *c = loaded_chunk(s, m, g->first_chunk + k);
            if (c)
                set_bit(m->used.bit, m->used.n);
            if (record)
                ran += note_run(&m->used, c, g->row[k].n_units);
            loaded += c ? c->tables->n_units : 0;
            chunks += c != NULL;
        }
    }
    if (m->used.ran && (!record || !ran || !history_is_news(f, loaded, chunks, ran))) {
        free(m->used.ran);
        m->used.ran = NULL;
    }
}

/* A few units of a program that found a hundred thousand are made again faster than they are stored
 * and read by all. */
static bool is_worth_storing(const Translator *t, const FileMap *m, const StoreUnits *u)
{
    enum { FOUND_PER_UNIT = 1024 };
    bool region = false;
    for (uint32_t n = 0; n < u->n && !region; n++)
        region = u->unit[n]->flags & IR_UNIT_REGION;
    return region || t->warming || u->n >= m->n_found / FOUND_PER_UNIT;
}

/* May fault. False: again later. */
static bool save_map(Translator *t, FileMap *m, uint32_t end)
{
    struct Stored *s = t->stored;
    StoreUnits units = {
        .n = collect(t, m, end), .bias = m->bias, .code = host(m->start),
        .code_off = m->start - m->bias, .code_bytes = m->end - m->start,
        .limit = STORE_WARM_CODE, .joined_limit = STORE_WARM_CODE,
    };
    if (!t->warming)
        set_limits(s, m, &units);
    units.unit = s->new_unit;
    units.used = m->used;
    units.last = s->last || t->warming;
    units.superseded = m->superseded;
    if (units.n && !is_worth_storing(t, m, &units))
        units.n = 0;
    if (s->last)
        units.better = m->better;
    if (!units.n && !units.used.ran && !units.better && !(s->last && units.superseded))
        return true;
    if (t->callbacks.file_path && !m->file->layer[0].base)
        t->callbacks.file_path(t->opaque, m->start, units.path, sizeof units.path);
    bool done = store_file_write(t, &s->store, m->file, &units);
    m->superseded = units.superseded;
    return done;
}

static bool save_map_guarded(Translator *t, Vcpu *v, FileMap *m, uint32_t end)
{
    sigjmp_buf recover;
    if (sigsetjmp(recover, 0)) {
        store_write_abandon(&t->stored->store);
        collected_free(t->stored);
        return true;
    }
    v->recover = &recover;
    bool done = save_map(t, m, end);
    __asm__ volatile("" ::: "memory");
    v->recover = NULL;
    collected_free(t->stored);
    return done;
}

/* Has the process something to say beside its units? */
static bool has_notes(const struct Stored *s)
{
    const FileMap *m = s->maps;
    while (m && !m->record && !m->better && !m->superseded)
        m = m->next;
    return s->last && m;
}

void stored_save(Translator *t, Vcpu *v)
{
    struct Stored *s = t->stored;
    if (!s || !s->store.config.writable || log_wants_translation())
        return;
    uint32_t end = atomic_load_explicit(&t->code->n_units, memory_order_relaxed);
    bool done = true;
    if (end == s->saved && !has_notes(s))
        return;
    for (FileMap *m = s->maps; m; m = m->next)
        if (m->file && m->file->state != STORE_FILE_NEW) {
            if (m->chunk)
                note_use(s, m);
            done &= save_map_guarded(t, v, m, end);
        }
    if (done || end - s->saved > 4 * SAVE_UNITS)
        s->saved = end;
}

static bool has_new(const Translator *t, GuestAddr start, uint64_t bytes)
{
    const FileMap *m = t->stored->maps;
    uint32_t end = atomic_load_explicit(&t->code->n_units, memory_order_relaxed);
    while (m && (m->start - start >= bytes && start - m->start >= m->end - m->start))
        m = m->next;
    for (uint32_t n = t->stored->saved; m && n < end; n++)
        if (cache_unit(t->code, n)->pc - start < bytes && is_new(t, cache_unit(t->code, n)))
            return true;
    return false;
}

void translator_save(Translator *t, Vcpu *v, GuestAddr start, uint64_t bytes)
{
    if (!t->stored)
        return;
    translator_lock(t);
    if (has_new(t, start, bytes))
        stored_save(t, v);
    translator_unlock(t);
}

static void give_back(const void *from, const void *to)
{
    uintptr_t start = store_align((uintptr_t)from, 4096), end = (uintptr_t)to & ~(uintptr_t)4095;
    if (end > start)
        madvise((void *)start, end - start, MADV_DONTNEED);
}

/* Everything but the new units: in a big program that is more than saving takes. */
static void give_back_saved(Translator *t)
{
    enum { WORTH_BYTES = 2 << 20 };
    struct Stored *s = t->stored;
    const CodeBuffer *c = t->code;
    uint32_t end = atomic_load_explicit(&c->n_units, memory_order_relaxed), n = s->saved;
    while (n < end && !is_new(t, cache_unit(c, n)))
        n++;
    if (n == end || (size_t)(c->next - c->base) < WORTH_BYTES || !units_stop(t))
        return;
    s->loaded = NULL; /* what of the chunks is needed yet, the maps know */
    for (FileMap *m = s->maps; m; m = m->next) {
        if (m->chunk)
            note_use(s, m);
        free(m->chunk);
        m->chunk = NULL;
        m->n_chunks = 0;
    }
    give_back(c->first, cache_code(c, n));
    give_back(c->meta, cache_unit(c, n));
    s->saved = n;
    for (; n < end; n++) {
        const StoredChunk *chunk = unit_chunk(cache_unit(c, n));
        if (!chunk)
            continue;
        give_back(unit_code(&chunk->base), unit_code(&chunk->base) + chunk->base.host_bytes);
        give_back(chunk->tables, (const uint8_t *)chunk->tables + chunk->kept_bytes);
    }
}

void translator_save_last(Translator *t, Vcpu *v)
{
    if (!t->stored)
        return;
    translator_lock(t);
    t->stored->last = true;
    if (has_new(t, 0, UINT64_MAX) || has_notes(t->stored)) {
        give_back_saved(t);
        stored_save(t, v);
    }
    t->stored->last = false;
    translator_unlock(t);
}
