/* data plane */
/* Units that a process has translated are put into the store. See stored.h. */
#include "translator/runtime/stored.h"

#include <sys/mman.h>
#include <stdlib.h>

#include "translator/cache/store-history.h"
#include "translator/runtime/stored-state.h"

enum { SAVE_UNITS = 16384 }; /* a process that runs on saves when it has so many new ones */

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
            const StoredChunk *c = stored_loaded(s, m, g->first_chunk + k);
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
        .n = collect(t, m, end), .bias = m->bias, .code = stored_code(m),
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
    if (!s || !s->store.config.writable || stored_is_left_out())
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
    s->n_loaded = 0; /* what of the chunks is needed yet, the maps know */
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
