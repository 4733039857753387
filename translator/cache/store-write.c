/* data plane */
/*
 * The writer's side of the translation store.
 *
 * A group is appended behind the last sound one and then the header says so: who is killed in
 * between leaves bytes that nobody looks at and the next writer writes over. When a file has many
 * groups they are joined into one, in a new file that takes the old one's name; who has the old
 * one mapped keeps it.
 */
#include "translator/cache/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h> /* renameat() */
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "translator/cache/store-build.h"
#include "translator/cache/store-history.h"
#include "translator/memory/own-pages.h"
#include "translator/runtime/state.h"

enum {
    ENOUGH_GROUPS = 8,        /* then they are joined, if there is enough in them */
    MAX_GROUPS = 24,          /* or then */
    JOIN_SHARE = 8,           /* enough: part of what was joined before */
    ENOUGH_RECORDS = 8,       /* of what processes ran: enough, too */
    MAX_FILE_BYTES = 192 << 20,
    LOCK_TRIES = 6, LOCK_WAIT_NS = 150000,
    EVICT_ONE_IN = 64,
    MAX_SUPERSEDED = 64,      /* regions whose places others have: also then */
    WRONG_BYTES = 4 << 20,    /* of a file: to copy them costs what a wrong guess costs some */
    LET_GO_BYTES = 256 << 10, LET_GO_UNITS = 1024,
};

/* A writer's things, where store_write_abandon() finds them. */
typedef struct StoreWrite {
    int fd;
    StoreFile now;            /* the file as it is under the lock */
    uint8_t *sound;           /* [now.n_chunks]: 1 yes, 2 no, 0 not looked at */
    uint32_t **range_at;      /* [now.n_chunks]: of those that are sound */
    bool *fresh;              /* [units]: not there yet */
    uint32_t *slot, slots;    /* fresh ones by store_slot() of their offset: unit + 1 */
    uint32_t superseded;      /* how many of them have something else in their place there, */
    uint32_t better;          /* and how many that guessed wrong */
    bool *common;             /* [now.n_chunks]: all use it */
    StoreHistory history;
    uint8_t **placed;         /* [now.n_chunks]: NULL, or for each unit whether it is built */
    StoreBuilder builder;
    uint8_t *seen;            /* a unit's guest bytes: seen_cap of them */
    size_t seen_cap;
    int joined_fd;            /* the file that takes the place of the old one, and its name */
    char joined[STORE_NAME_BYTES];
    bool joined_ok;           /* it has */
} StoreWrite;

void store_write_abandon(Store *s)
{
    StoreWrite *w = s->write;
    s->write = NULL;
    if (!w)
        return;
    if (w->fd >= 0)
        close(w->fd); /* and with it the lock */
    if (w->joined_fd >= 0) {
        close(w->joined_fd);
        if (!w->joined_ok)
            unlinkat(s->dir, w->joined, 0);
    }
    store_leave(s);
    for (uint32_t n = 0; n < w->now.n_chunks; n++) {
        if (w->placed)
            free(w->placed[n]);
        if (w->range_at)
            free(w->range_at[n]);
    }
    free(w->placed);
    free(w->range_at);
    store_file_break(&w->now);
    build_free(&w->builder);
    free(w->sound);
    free(w->common);
    history_free(&w->history);
    free(w->fresh);
    free(w->seen);
    free(w->slot);
    free(w);
}

/* -- the file, locked -------------------------------------------------------------------------- */

typedef enum LockResult { LOCKED, BUSY, IMPOSSIBLE } LockResult;

static int open_to_write(const Store *s, const char *name)
{
    enum { FLAGS = O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK };
    int fd = openat(s->dir, name, FLAGS, 0644);
    if (fd < 0 && errno == ENOENT) {
        char folder[STORE_NAME_BYTES];
        memcpy(folder, name, 16);
        folder[16] = 0;
        mkdirat(s->dir, folder, 0755);
        fd = openat(s->dir, name, FLAGS, 0644);
    }
    struct stat st;
    if (fd >= 0 && !store_fd_ok(fd, S_IFREG, &st)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

/* Never waits long: at the end of a process it would be felt. */
static bool lock(int fd)
{
    for (int n = 0; n < LOCK_TRIES; n++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return true;
        if (errno != EWOULDBLOCK && errno != EINTR)
            return false;
        nanosleep(&(struct timespec) { 0, LOCK_WAIT_NS << n / 2 }, NULL);
    }
    return false;
}

static LockResult open_locked(const Store *s, StoreWrite *w, const char *name)
{
    for (int n = 0; n < 3; n++) {
        struct stat st, named;
        w->fd = open_to_write(s, name);
        if (w->fd < 0)
            return IMPOSSIBLE;
        if (!lock(w->fd))
            return BUSY;
        /* Is it still the one of that name? */
        if (fstat(w->fd, &st) == 0 &&
            fstatat(s->dir, name, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
            st.st_ino == named.st_ino && st.st_dev == named.st_dev)
            return LOCKED;
        close(w->fd);
        w->fd = -1;
    }
    return BUSY;
}

static StoreHeader new_header(const Store *s, const StoreFile *f, const char path[STORE_PATH_BYTES],
                              uint64_t end)
{
    StoreHeader h = {
        .magic = STORE_FILE_MAGIC, .format = STORE_FORMAT, .header_bytes = sizeof h, .key = s->key,
        .content = f->content, .end = end, .end_check = ~end,
    };
    memcpy(h.path, path, sizeof h.path);
    h.path[sizeof h.path - 1] = 0;
    h.checksum = store_header_sum(&h);
    return h;
}

/* Makes the header right, whatever is there; where to append goes to *ret_end. */
static bool mend_header(const Store *s, const StoreFile *f, const StoreUnits *u, StoreWrite *w,
                        uint64_t *ret_end)
{
    StoreHeader h;
    struct stat st;
    if (fstat(w->fd, &st) < 0)
        return false;
    uint64_t bytes = (uint64_t)st.st_size & ~(uint64_t)(STORE_ALIGN - 1);
    bool good = pread(w->fd, &h, sizeof h, 0) == sizeof h &&
                store_header_ok(&h, s->key, f->content);
    uint64_t end = good ? store_header_end(&h) : 0;
    if (end && end <= bytes) {
        *ret_end = end;
        return true;
    }
    /* Truncated, damaged or new: what is sound behind the header stays. */
    end = sizeof h;
    const uint8_t *p = bytes > sizeof h ? own_pages_map_file(bytes, w->fd) : NULL;
    if (p) {
        for (uint64_t at = end; (at = store_next_group(p, at, bytes, s->key)) < bytes; end = at)
            at += ((const StoreGroup *)(p + at))->bytes;
        own_pages_unmap_file(p, bytes);
    }
    h = new_header(s, f, u->path, end);
    *ret_end = end;
    return pwrite(w->fd, &h, sizeof h, 0) == sizeof h;
}

/* -- what is there already --------------------------------------------------------------------- */

/* So much has been read of the file: it needn't count for this process. */
static void let_go(const StoreWrite *w, uint64_t bytes)
{
    const StoreLayer *l = &w->now.layer[0];
    if (l->base && bytes >= LET_GO_BYTES)
        madvise((void *)(uintptr_t)l->base, store_align(l->seen_end, 4096), MADV_DONTNEED);
}

static bool look_whether_sound(StoreWrite *w, uint32_t n, const StoreChunkRow *row,
                               const uint8_t *code)
{
    StoredChunk c;
    if (!store_chunk_ok(row, code) || !chunk_lay_out(&c, row, code))
        return false;
    w->range_at[n] = malloc((c.tables->n_ranges + (size_t)1) * sizeof **w->range_at);
    return w->range_at[n] && chunk_place_ranges(&c, w->range_at[n]);
}

static bool chunk_is_sound(StoreWrite *w, uint32_t n, StoredChunk *ret, const uint8_t **ret_code)
{
    const StoreChunkRow *row = store_file_chunk(&w->now, n, ret_code);
    if (!w->sound[n]) {
        w->sound[n] = 2 - look_whether_sound(w, n, row, *ret_code);
        let_go(w, row->code_bytes + (uint64_t)row->table_bytes);
    }
    ret->range_at = w->range_at[n];
    return w->sound[n] == 1 && chunk_lay_out(ret, row, *ret_code);
}

/* Was it made from these bytes? Different ranges have different bytes, or mean the same code. */
static bool has_seen(const StoredChunk *c, const StoreUnit *r, const CompiledUnit *u)
{
    if (chunk_n_seen(r) != unit_n_seen(u))
        return false;
    for (uint32_t n = 0; n < chunk_n_seen(r); n++) {
        StoreRange its = chunk_seen(c, r, n);
        UnitRange own = unit_seen(u, n);
        const uint8_t *bytes = chunk_guest_bytes(c, its);
        if (!bytes || its.bytes != own.end - own.start ||
            memcmp(bytes, (const void *)(uintptr_t)own.start, its.bytes))
            return false;
    }
    return true;
}

/* A region does what a unit does, and one that counts its entries what one does that doesn't. A
 * region that guesses less was made where guesses had been wrong, one that was made again where it
 * had left too often. */
static unsigned rank(uint32_t flags)
{
    unsigned less = !!(flags & IR_UNIT_NO_GUESS) + !!(flags & IR_UNIT_NO_BOXES);
    return flags & IR_UNIT_REGION ? 2 + less * (IR_UNIT_REBUILT_MOST + 1) + ir_unit_rebuilt(flags)
                                  : unit_counts(flags);
}

/* A region that was made anew has other blocks. */
static bool is_same(const StoredChunk *c, const StoreUnit *r, const CompiledUnit *u)
{
    return chunk_mode(c, r) == u->mode && chunk_flags(c, r) == u->flags &&
           (!(u->flags & IR_UNIT_REGION) || r->host_bytes == unit_own_bytes(u));
}

static bool is_there(StoreWrite *w, const CompiledUnit *u, uint64_t bias)
{
    uint64_t state = 0;
    uint32_t chunk, n, off = (uint32_t)(u->pc - bias);
    bool other = false, wrong = false;
    while (store_file_probe(&w->now, off, &state, &chunk, &n)) {
        StoredChunk c;
        const uint8_t *code;
        if (!chunk_is_sound(w, chunk, &c, &code) || n >= c.tables->n_units ||
            c.unit[n].off != off)
            continue;
        if (is_same(&c, &c.unit[n], u) && has_seen(&c, &c.unit[n], u))
            return true;
        other = true;
        wrong |= chunk_flags(&c, &c.unit[n]) & IR_UNIT_REGION &&
                 rank(chunk_flags(&c, &c.unit[n])) < rank(u->flags);
    }
    w->superseded += other && u->flags & IR_UNIT_REGION;
    w->better += wrong;
    return false;
}

/* Which of the process's units are to be added: how many. */
static uint32_t find_fresh(StoreWrite *w, const StoreUnits *u)
{
    uint32_t count = 0;
    w->fresh = calloc(u->n, sizeof *w->fresh);
    for (uint32_t n = 0; w->fresh && n < u->n; n++) {
        const CompiledUnit *unit = u->unit[n];
        w->fresh[n] = build_suits(unit, u->bias) && !is_there(w, unit, u->bias);
        count += w->fresh[n];
        if (n % LET_GO_UNITS == LET_GO_UNITS - 1)
            let_go(w, w->now.layer[0].seen_end);
    }
    return count;
}

/* The guest bytes that the unit was made from, if they are there still: who wrote to a file's
 * mapping, or to the file, needn't have told. */
static bool copy_seen(StoreWrite *w, const CompiledUnit *u)
{
    uint64_t hash = 0;
    size_t bytes = store_seen_bytes(u), at = 0;
    if (bytes > w->seen_cap) {
        free(w->seen);
        w->seen_cap = bytes + 4096;
        w->seen = malloc(w->seen_cap);
        if (!w->seen) {
            w->seen_cap = 0;
            return false;
        }
    }
    for (uint32_t n = 0; n < unit_n_seen(u); n++) {
        UnitRange seen = unit_seen(u, n);
        memcpy(w->seen + at, (const void *)(uintptr_t)seen.start, seen.end - seen.start);
        hash = store_hash(w->seen + at, seen.end - seen.start, hash);
        at += seen.end - seen.start;
    }
    return hash == unit_side(u)->seen_hash;
}

static void build_fresh(StoreWrite *w, const StoreUnits *u, uint32_t n)
{
    if (w->fresh[n] && copy_seen(w, u->unit[n]))
        build_live(&w->builder, u->unit[n], u->bias, w->seen);
    w->fresh[n] = false;
}

static void add_live(StoreWrite *w, const StoreUnits *u)
{
    for (uint32_t n = 0; n < u->n; n++)
        build_fresh(w, u, n);
}

static bool index_fresh(StoreWrite *w, const StoreUnits *u)
{
    for (w->slots = 16; w->slots < 2 * u->n; w->slots *= 2) {}
    w->slot = calloc(w->slots, sizeof *w->slot);
    for (uint32_t n = 0; w->slot && n < u->n; n++) {
        if (!w->fresh[n])
            continue;
        uint32_t at = store_slot((uint32_t)(u->unit[n]->pc - u->bias), w->slots);
        while (w->slot[at])
            at = (at + 1) & (w->slots - 1);
        w->slot[at] = n + 1;
    }
    return w->slot;
}

/* The process's best unit there, + 1. */
static uint32_t find_fresh_at(const StoreWrite *w, const StoreUnits *u, uint32_t off, uint32_t mode)
{
    uint32_t best = 0;
    for (uint32_t at = store_slot(off, w->slots); w->slot[at]; at = (at + 1) & (w->slots - 1)) {
        const CompiledUnit *unit = u->unit[w->slot[at] - 1];
        if ((uint32_t)(unit->pc - u->bias) == off && unit->mode == mode &&
            (!best || rank(unit->flags) > rank(u->unit[best - 1]->flags)))
            best = w->slot[at];
    }
    return best;
}

/* Does it do what the file's unit does, and better? A region is the newer one. */
static bool takes_place(const CompiledUnit *fresh, uint32_t flags)
{
    return fresh->flags & IR_UNIT_REGION || rank(fresh->flags) > rank(flags);
}

static bool still_so(const StoredChunk *c, StoreRange r, const StoreUnits *u)
{
    const uint8_t *seen = chunk_guest_bytes(c, r);
    uint64_t from = r.off - u->code_off;
    bool mapped = r.off >= u->code_off && from <= u->code_bytes &&
                  r.bytes <= u->code_bytes - from;
    return seen && (!mapped || !memcmp(u->code + from, seen, r.bytes));
}

static bool is_so(const StoredChunk *c, uint32_t n, const StoreUnits *u)
{
    const StoreUnit *r = &c->unit[n];
    for (uint32_t k = 0; k < chunk_n_seen(r); k++)
        if (!still_so(c, chunk_seen(c, r, k), u))
            return false;
    return true;
}

/* Once only. */
static void place(StoreWrite *w, uint32_t chunk, const StoredChunk *c, const uint8_t *code,
                  uint32_t n)
{
    if (!w->placed[chunk])
        w->placed[chunk] = calloc(c->tables->n_units, 1);
    if (!w->placed[chunk] || w->placed[chunk][n])
        return;
    w->placed[chunk][n] = 1;
    build_stored(&w->builder, c, code, n);
}

static bool can_be_kept(StoreWrite *w, uint32_t chunk, StoredChunk *ret, const uint8_t **ret_code)
{
    return chunk_is_sound(w, chunk, ret, ret_code) &&
           ret->tables->fp_site_bytes == w->builder.fp_site_bytes;
}

/* Of several of the same place the one of the highest rank, of those in the file the one that the
 * index gives first. It comes to be where the first of them was, near those that jump there. */
static void place_best(StoreWrite *w, uint32_t chunk, const StoredChunk *c, const uint8_t *code,
                       uint32_t n, const StoreUnits *u)
{
    const StoreUnit *r = &c->unit[n];
    StoredChunk best = { 0 };
    const uint8_t *best_code = NULL;
    uint32_t at, at_n, best_chunk = 0, best_n = 0;
    uint32_t fresh = find_fresh_at(w, u, r->off, chunk_mode(c, r));
    w->builder.looked_up |= chunk_is_looked_up(c, n);
    for (uint64_t state = 0; store_file_probe(&w->now, r->off, &state, &at, &at_n);) {
        StoredChunk other;
        const uint8_t *other_code;
        if (can_be_kept(w, at, &other, &other_code) &&
            at_n < other.tables->n_units && other.unit[at_n].off == r->off &&
            chunk_mode(&other, &other.unit[at_n]) == chunk_mode(c, r) && is_so(&other, at_n, u) &&
            (!best_code || rank(chunk_flags(&other, &other.unit[at_n])) >
                               rank(chunk_flags(&best, &best.unit[best_n])))) {
            best = other;
            best_code = other_code;
            best_chunk = at;
            best_n = at_n;
        }
    }
    if (fresh && (!best_code || takes_place(u->unit[fresh - 1],
                                            chunk_flags(&best, &best.unit[best_n]))))
        build_fresh(w, u, fresh - 1);
    else if (best_code)
        place(w, best_chunk, &best, best_code, best_n);
    else if (is_so(c, n, u)) /* the index is damaged */
        place(w, chunk, c, code, n);
}

typedef struct UseCount { uint8_t known, used; } UseCount;

static void count_use(UseCount *count, uint32_t n_chunks, const uint8_t *bit, uint32_t n)
{
    for (uint32_t k = 0; k < n && k < n_chunks; k++) {
        count[k].known++;
        count[k].used += bit[k / 8] >> k % 8 & 1;
    }
}

/* Chunks that each of those who have added to the file had loaded, as far as it can have known
 * them: whoever loads one of them will load the others. */
static void find_common(StoreWrite *w, const StoreUnits *u)
{
    enum { ENOUGH = 4 };
    UseCount *count = calloc(w->now.n_chunks + 1, sizeof *count);
    if (!count)
        return;
    for (uint32_t n = 0; n < w->now.n_groups && n < UINT8_MAX; n++) {
        const StoreGroup *g = (const StoreGroup *)(const void *)w->now.group[n].base;
        count_use(count, w->now.n_chunks, w->now.group[n].base + g->used_at, g->used_chunks);
    }
    if (u->used.inode == w->now.layer[0].inode)
        count_use(count, w->now.n_chunks, u->used.bit, u->used.n);
    for (uint32_t k = 0; k < w->now.n_chunks; k++)
        w->common[k] = count[k].known >= ENOUGH && count[k].used == count[k].known;
    free(count);
}

static void add_chunk(StoreWrite *w, const StoreUnits *u, uint32_t chunk)
{
    StoredChunk c;
    const uint8_t *code;
    if (!can_be_kept(w, chunk, &c, &code))
        return;
    uint32_t limit = c.tables->limit ? c.tables->limit : STORE_CHUNK_CODE;
    if (!w->common[chunk])
        build_part(&w->builder, limit, limit);
    const StoreHistory *h = &w->history;
    uint32_t first = h->first[chunk], n_known = h->first[chunk + 1] - first;
    for (uint32_t n = 0; n < c.tables->n_units; n++) {
        w->builder.history = n < n_known ? h->unit[first + n].who : 0;
        w->builder.looked_up = n < n_known && h->unit[first + n].looked_up;
        place_best(w, chunk, &c, code, n, u);
    }
    let_go(w, c.tables->kept_bytes);
}

/* What is common becomes one part. */
static void add_by_chunks(StoreWrite *w, const StoreUnits *u)
{
    find_common(w, u);
    build_part(&w->builder, STORE_CHUNK_CODE, STORE_CHUNK_CODE);
    for (uint32_t n = 0; n < 2 * w->now.n_chunks; n++) {
        uint32_t chunk = n % w->now.n_chunks;
        if (w->common[chunk] == (n < w->now.n_chunks))
            add_chunk(w, u, chunk);
    }
}

/* Of all chunks, since their units mix. */
static uint32_t largest_limit(StoreWrite *w)
{
    StoredChunk c;
    const uint8_t *code;
    uint32_t limit = STORE_WARM_CODE;
    for (uint32_t n = 0; n < w->now.n_chunks; n++)
        if (can_be_kept(w, n, &c, &code) && c.tables->limit > limit)
            limit = c.tables->limit;
    return limit;
}

/* Whoever ran one of several units of a place will run the one that is kept. */
static void share_records(StoreWrite *w)
{
    StoreHistory *h = &w->history;
    StoredChunk c;
    const uint8_t *code;
    for (uint32_t chunk = 0; h->n && chunk < w->now.n_chunks; chunk++) {
        uint32_t n_units = h->first[chunk + 1] - h->first[chunk], at, at_n;
        if (!can_be_kept(w, chunk, &c, &code))
            continue;
        for (uint32_t n = 0; n < n_units && n < c.tables->n_units; n++) {
            HistoryUnit *own = &h->unit[h->first[chunk] + n];
            for (uint64_t state = 0;
                 store_file_probe(&w->now, c.unit[n].off, &state, &at, &at_n);) {
                if (at_n >= h->first[at + 1] - h->first[at])
                    continue;
                const HistoryUnit *other = &h->unit[h->first[at] + at_n];
                own->who |= other->who;
                own->looked_up |= other->looked_up;
            }
        }
        let_go(w, c.tables->kept_bytes);
    }
}

/* What the same processes ran becomes one part. */
static void add_by_history(StoreWrite *w, const StoreUnits *u)
{
    const StoreHistory *h = &w->history;
    uint32_t limit = largest_limit(w), chunk, last = UINT32_MAX;
    StoredChunk c;
    const uint8_t *code;
    bool kept = false, begun = false;
    for (uint32_t k = 0; k < h->n_units; k++, last = chunk) {
        uint32_t n = h->unit[k].unit, who = h->unit[k].who;
        chunk = history_chunk(h, w->now.n_chunks, n);
        if (chunk != last)
            kept = can_be_kept(w, chunk, &c, &code);
        if (!kept || n - h->first[chunk] >= c.tables->n_units)
            continue;
        if (!begun || h->unit[k].begins || (!who && (chunk != last || h->unit[k - 1].who)))
            build_part(&w->builder, history_limit(h, who, limit), limit);
        begun = true;
        w->builder.history = who;
        w->builder.looked_up = h->unit[k].looked_up;
        place_best(w, chunk, &c, code, n - h->first[chunk], u);
        if (k % LET_GO_UNITS == LET_GO_UNITS - 1)
            let_go(w, w->now.layer[0].seen_end);
    }
}

static bool add_stored(StoreWrite *w, const StoreUnits *u)
{
    w->placed = calloc(w->now.n_chunks + 1, sizeof *w->placed);
    w->common = calloc(w->now.n_chunks + 1, sizeof *w->common);
    if (!w->placed || !w->common || !index_fresh(w, u) ||
        !history_collect(&w->history, &w->now, &u->used))
        return false;
    share_records(w);
    bool known = history_sort(&w->history);
    w->builder.n_history = w->history.n;
    w->builder.n_recorded = w->now.n_records +
                            (u->used.ran && u->used.inode == w->now.layer[0].inode);
    if (known)
        add_by_history(w, u);
    else
        add_by_chunks(w, u);
    w->builder.history = u->used.ran != NULL;
    w->builder.looked_up = false;
    return true;
}

/* -- writing ----------------------------------------------------------------------------------- */

/* How many chunks the group may get at most. */
static uint32_t most_chunks(const StoreWrite *w, const StoreUnits *u, bool join)
{
    uint64_t bytes = 0, units = u->n, chunks = 0;
    for (uint32_t n = 0; n < u->n; n++)
        bytes += w->fresh[n] ? u->unit[n]->host_bytes + STORE_ALIGN : 0;
    for (uint32_t n = 0; join && n < w->now.n_chunks; n++, chunks++) {
        const uint8_t *code;
        const StoreChunkRow *row = store_file_chunk(&w->now, n, &code);
        bytes += row->code_bytes;
        units += row->table_bytes / sizeof(StoreUnit);
    }
    return (uint32_t)(bytes / (join ? STORE_LEAST_CODE : u->limit) +
                      units / STORE_CHUNK_UNITS + chunks + 2);
}

static void append_group(const Store *s, const StoreUnits *u, StoreWrite *w, uint64_t end)
{
    uint64_t ends[2];
    build_begin(&w->builder, w->fd, end, most_chunks(w, u, false));
    if (u->used.inode == w->now.layer[0].inode) {
        w->builder.used = u->used.bit;
        w->builder.n_used = u->used.n;
        w->builder.ran = u->used.ran;
        w->builder.looked = u->used.looked_up;
        w->builder.n_ran = u->used.n_ran;
    }
    build_part(&w->builder, u->limit, u->joined_limit);
    add_live(w, u);
    if (!build_finish(&w->builder, s->key, &ends[0])) {
        (void)!ftruncate(w->fd, (off_t)end); /* no space: give back what was had */
        return;
    }
    ends[1] = ~ends[0];
    (void)!pwrite(w->fd, ends, sizeof ends, offsetof(StoreHeader, end));
}

static void replace_file(const Store *s, const StoreFile *f, const StoreUnits *u, StoreWrite *w,
                         const char *name)
{
    uint64_t end;
    store_path(w->joined, s->key, 't', f->content ^ (uint64_t)getpid() << 32);
    w->joined_fd = openat(s->dir, w->joined, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                          0644);
    if (w->joined_fd < 0)
        return;
    build_begin(&w->builder, w->joined_fd, sizeof(StoreHeader), most_chunks(w, u, true));
    if (!add_stored(w, u))
        return;
    build_part(&w->builder, u->limit, u->joined_limit);
    add_live(w, u);
    if (!build_finish(&w->builder, s->key, &end))
        return;
    const StoreHeader *old = (const StoreHeader *)(const void *)w->now.layer[0].base;
    StoreHeader h = new_header(s, f, *u->path ? u->path : old->path, end);
    if (pwrite(w->joined_fd, &h, sizeof h, 0) == sizeof h)
        w->joined_ok = renameat(s->dir, w->joined, s->dir, name) == 0;
}

/* A region that guesses wrong costs each process that runs it, a file that is joined, and has the
 * better one in its place, the one that does it: of a large file one in some. */
static bool is_better_joined(uint32_t better, uint64_t end)
{
    return better && store_one_in(end / ((uint64_t)better * WRONG_BYTES) + 1);
}

/* To join copies all, for which a few units here and there aren't worth it. */
static bool is_time_to_join(const StoreWrite *w, uint64_t end, const StoreUnits *u)
{
    if (!u->last)
        return w->now.n_groups >= MAX_GROUPS;
    if (is_better_joined(w->better + u->better, end) ||
        w->superseded + u->superseded >= MAX_SUPERSEDED)
        return true;
    if (!w->now.n_groups)
        return false;
    const uint8_t *first = w->now.group[0].base;
    const StoreGroup *g = (const StoreGroup *)(const void *)first;
    uint64_t joined = (uint64_t)(first - w->now.layer[0].base) + g->bytes;
    uint32_t records = w->now.n_records - g->n_recorded;
    if (g->n_history < HISTORY_ENOUGH && g->n_history + records >= HISTORY_ENOUGH)
        return true; /* it can be sorted for the first time */
    return w->now.n_groups >= MAX_GROUPS ||
           (w->now.n_groups >= ENOUGH_GROUPS &&
            (end - joined >= joined / JOIN_SHARE || records >= ENOUGH_RECORDS));
}

static void write_locked(Translator *t, Store *s, StoreFile *f, StoreUnits *units,
                         StoreWrite *w, const char *name)
{
    uint64_t end;
    if (!mend_header(s, f, units, w, &end) || end > MAX_FILE_BYTES)
        return;
    w->now.content = f->content;
    if (!store_file_map(s, &w->now, 0, w->fd))
        return;
    w->now.state = STORE_FILE_OPEN;
    store_file_refresh(s, &w->now);
    w->sound = calloc(w->now.n_chunks + 1, 1);
    w->range_at = calloc(w->now.n_chunks + 1, sizeof *w->range_at);
    if (!w->sound || !w->range_at)
        return;
    w->builder.backend = t->backend;
    w->builder.fp_site_bytes = (uint32_t)t->backend->fp_site_bytes;
    w->builder.bias = units->bias;
    uint32_t fresh = find_fresh(w, units);
    let_go(w, w->now.layer[0].seen_end);
    if (!fresh && !units->used.ran && !units->better && !units->superseded)
        return;
    if (!w->now.n_groups)
        store_remember_name(s, f); /* there was no folder before */
    bool join = is_time_to_join(w, end, units);
    if (join)
        replace_file(s, f, units, w, name);
    else if (fresh || units->used.ran)
        append_group(s, units, w, end);
    units->superseded = join ? 0 : units->superseded + w->superseded;
}

bool store_file_write(Translator *t, Store *s, StoreFile *f, StoreUnits *units)
{
    char name[STORE_NAME_BYTES];
    if (!s->config.writable || f->state == STORE_FILE_NEW || !f->content)
        return true;
    StoreWrite *w = s->write = calloc(1, sizeof *w);
    if (!w)
        return true;
    w->fd = w->joined_fd = -1;
    if (!store_enter(s)) {
        store_write_abandon(s);
        return true;
    }
    store_path(name, s->key, 'c', f->content);
    LockResult r = open_locked(s, w, name);
    if (r == LOCKED)
        write_locked(t, s, f, units, w, name);
    store_write_abandon(s);
    if (r == LOCKED && s->config.limit_bytes && store_one_in(EVICT_ONE_IN))
        store_evict(s->dir, s->config.limit_bytes);
    return r != BUSY;
}
