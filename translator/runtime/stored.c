/* data plane */
/* See stored.h. */
#include "translator/runtime/stored.h"

#include <sys/mman.h>
#include <stdlib.h>

#include "translator/cache/build-id.h"
#include "translator/cache/store-history.h"
#include "translator/debug/perf-map.h"
#include "translator/runtime/stored-state.h"

enum {
    READ_BYTES = 512 << 10,   /* a chunk that large is read rather than mapped */
    BIND_AHEAD = 8,           /* links whose code is fetched ahead */
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
            other = n + BIND_AHEAD < row->n_out ? c : stored_loaded(t->stored, m,
                                                                   c->first + next->other);
            if (other)
                __builtin_prefetch(unit_code(&other->base) + next->site);
        }
        if ((other = stored_loaded(t->stored, m, c->first + bind[n].other)))
            chunk_bind(t, n < row->n_out ? c : other, &bind[n], n < row->n_out ? other : c);
    }
}

/* Room for one more, before anything is loaded. */
static bool reserve(struct Stored *s)
{
    if (s->n_loaded < s->loaded_room)
        return true;
    uint32_t room = s->loaded_room ? 2 * s->loaded_room : 64;
    StoredSpan *more = realloc(s->loaded, room * sizeof *more);
    if (!more)
        return false;
    s->loaded = more;
    s->loaded_room = room;
    return true;
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
    if (!reserve(s))
        return NULL;
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
    s->loaded[s->n_loaded++] = (StoredSpan) { c->seen_start, c->seen_end, c };
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

CompiledUnit *stored_adopt(Translator *t, StoredChunk *c, uint32_t n)
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

static CompiledUnit *look_up(Translator *t, Vcpu *v, FileMap *m, GuestAddr pc, uint32_t wanted)
{
    uint32_t chunk, n, off = (uint32_t)(pc - m->bias), hint = wanted & ~(uint32_t)IR_UNIT_COUNTED;
    for (uint64_t state = 0; store_file_probe(m->file, off, &state, &chunk, &n);) {
        StoredChunk *c = load_chunk(t, v, m, chunk);
        if (!c || n >= c->tables->n_units || c->unit[n].off != off ||
            chunk_mode(c, &c->unit[n]) != v->mode || (chunk_flags(c, &c->unit[n]) & hint) != hint ||
            (wanted & IR_UNIT_COUNTED && !unit_counts(chunk_flags(c, &c->unit[n]))))
            continue;
        CompiledUnit *u = stored_adopt(t, c, n);
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
        store_file_open(&s->store, m->file, stored_code(m), m->end - m->start);
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
    if (flags & IR_UNIT_ALONE || stored_is_left_out())
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
        StoredChunk *c = stored_loaded(s, m, chunk);
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
        CompiledUnit *old = stored_adopt(t, c, at[k].unit);
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
        if (stored_adopt(t, c, n))
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
    CompiledUnit *made = whole ? stored_adopt(t, c, number) : NULL;
    if (whole)
        return made ? unit_link_at(made, n - u->link) : NULL;
    return link_of_chunk(t, c, u, n);
}

void stored_flushed(Translator *t)
{
    struct Stored *s = t->stored;
    if (!s)
        return;
    s->n_loaded = 0;
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
    free(s->loaded);
    free(s);
    t->stored = NULL;
}
