/* data plane */
/* The reader's side of the translation store, and what it shares with the writer: see store.h. */
#include "translator/cache/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "translator/memory/own-pages.h"

enum {
    MAP_MORE = 256 << 20, /* address space, so that what others append shows up by itself */
    SAMPLE_STEP = 64 << 10, SAMPLE_BYTES = 4096, MAX_SAMPLES = 4,
    TOUCH_SECONDS = 24 * 3600, /* files that are used look younger: for eviction */
    MAX_CHUNKS = UINT16_MAX - 1,
};

/* -- names, headers ---------------------------------------------------------------------------- */

static char *put_hex(char *at, uint64_t n)
{
    for (int shift = 60; shift >= 0; shift -= 4)
        *at++ = "0123456789abcdef"[n >> shift & 15];
    return at;
}

bool store_one_in(uint64_t n)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)(now.tv_nsec >> 8) % n == 0;
}

void store_path(char *name, uint64_t key, char kind, uint64_t number)
{
    char *at = put_hex(name, key);
    *at++ = '/';
    *at++ = kind;
    *at++ = '-';
    *put_hex(at, number) = 0;
}

bool store_fd_ok(int fd, mode_t type, struct stat *ret)
{
    return fstat(fd, ret) == 0 && (ret->st_mode & S_IFMT) == type && !(ret->st_mode & 022) &&
           (ret->st_uid == geteuid() || ret->st_uid == 0);
}

uint64_t store_header_sum(const StoreHeader *h)
{
    return store_hash(h, offsetof(StoreHeader, checksum), 0);
}

bool store_header_ok(const StoreHeader *h, uint64_t key, uint64_t content)
{
    return h->magic == STORE_FILE_MAGIC && h->format == STORE_FORMAT && h->key == key &&
           h->content == content && h->header_bytes == sizeof *h &&
           h->checksum == store_header_sum(h);
}

uint64_t store_header_end(const StoreHeader *h)
{
    uint64_t end = *(const volatile uint64_t *)&h->end;
    return end == ~*(const volatile uint64_t *)&h->end_check && end >= sizeof *h &&
           end % STORE_ALIGN == 0 ? end : 0;
}

static bool group_ok(const StoreGroup *g, uint64_t left, uint64_t key)
{
    size_t rows = (size_t)g->n_chunks * sizeof(StoreChunkRow);
    if (left < sizeof *g || g->magic != STORE_GROUP_MAGIC || g->key != key || g->bytes > left ||
        g->bytes % STORE_ALIGN || g->n_chunks > MAX_CHUNKS || sizeof *g + rows > g->bytes ||
        g->index_slots == 0 || g->index_slots & (g->index_slots - 1) || g->index_at > g->bytes ||
        g->index_slots > (g->bytes - g->index_at) / sizeof(StoreSlot) || g->used_at > g->bytes ||
        g->used_chunks > (g->bytes - g->used_at) * 8 || g->ran_at > g->bytes ||
        g->ran_units > (g->bytes - g->ran_at) * 8 || g->looked_at > g->bytes ||
        g->ran_units > (g->bytes - g->looked_at) * 8 || g->n_history > STORE_HISTORY ||
        g->history_at > g->bytes || g->history_at % sizeof(uint32_t) ||
        (g->n_history && g->n_units > (g->bytes - g->history_at) / sizeof(uint32_t)))
        return false;
    if (store_hash(g + 1, rows,
                   store_hash(&g->key, sizeof *g - offsetof(StoreGroup, key), 0)) != g->checksum)
        return false;
    const StoreChunkRow *row = (const StoreChunkRow *)(g + 1);
    for (uint32_t n = 0; n < g->n_chunks; n++)
        if (row[n].at > g->bytes || row[n].at % STORE_ALIGN ||
            row[n].table_bytes < sizeof(StoreTables) || row[n].code_bytes % STORE_ALIGN ||
            (uint64_t)row[n].code_bytes + row[n].table_bytes + row[n].call_bytes >
                g->bytes - row[n].at ||
            row[n].cross_at > g->bytes || row[n].cross_at % sizeof(StoreCross) ||
            store_cross_bytes(&row[n]) > g->bytes - row[n].cross_at)
            return false;
    return true;
}

uint64_t store_next_group(const uint8_t *base, uint64_t at, uint64_t end, uint64_t key)
{
    for (; at < end; at += STORE_ALIGN)
        if (group_ok((const StoreGroup *)(base + at), end - at, key))
            return at;
    return end;
}

/* -- opening ----------------------------------------------------------------------------------- */

int store_open_folder(const char *path)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && !store_fd_ok(fd, S_IFDIR, &st)) {
        close(fd);
        fd = -1;
    }
    return fd;
}

bool store_enter(Store *s)
{
    s->dir = s->config.dir ? store_open_folder(s->config.dir) : -1;
    return s->dir >= 0;
}

void store_leave(Store *s)
{
    if (s->dir >= 0)
        close(s->dir);
    if (s->file >= 0)
        close(s->file);
    s->dir = s->file = -1;
}

void store_forget(Store *s)
{
    s->dir = s->file = -1;
    s->write = NULL;
}

StoreFile *store_file_find(Store *s, const TranslatorFile *id)
{
    for (StoreFile *f = s->files; f; f = f->next)
        if (!memcmp(&f->id, id, sizeof *id))
            return f;
    StoreFile *f = calloc(1, sizeof *f);
    if (f) {
        f->id = *id;
        f->next = s->files;
        s->files = f;
    }
    return f;
}

static uint64_t id_hash(const TranslatorFile *id) { return store_hash(id, sizeof *id, 1); }

/* Of the mapped code: all of what is small, samples of the rest. It needn't be certain, since the
 * bytes themselves are compared; only different builds of one program shall differ. The kernel maps
 * some 64 KB around each sample, which count as the process's memory. */
static uint64_t content_hash(const TranslatorFile *id, const uint8_t *code, size_t bytes)
{
    uint64_t h = store_hash(&id->size, sizeof id->size, 2);
    size_t step = store_align(bytes / MAX_SAMPLES, SAMPLE_STEP);
    step = step ? step : SAMPLE_STEP;
    for (size_t at = 0; at < bytes; at += at < SAMPLE_STEP ? SAMPLE_BYTES : step)
        h = store_hash(code + at, bytes - at < SAMPLE_BYTES ? bytes - at : SAMPLE_BYTES, h);
    return h;
}

/* Used lately, says its mtime: that of the data itself is of no interest. */
static void touch(int fd, const struct stat *st)
{
    if (st->st_mtime + TOUCH_SECONDS < time(NULL))
        futimens(fd, NULL);
}

bool store_file_map(const Store *s, StoreFile *f, unsigned layer, int fd)
{
    StoreLayer *l = &f->layer[layer];
    struct stat st;
    StoreHeader h;
    if (!store_fd_ok(fd, S_IFREG, &st) || pread(fd, &h, sizeof h, 0) != sizeof h ||
        !store_header_ok(&h, s->key, f->content ? f->content : h.content))
        return false;
    l->bytes = store_align((size_t)st.st_size, 4096) + MAP_MORE;
    const void *p = own_pages_map_file(l->bytes, fd);
    if (!p)
        return false;
    l->base = p;
    l->inode = st.st_ino;
    l->device = st.st_dev;
    f->content = h.content;
    l->seen_end = sizeof h;
    l->cut = store_header_end(&h) > (uint64_t)st.st_size
                 ? (uint64_t)st.st_size & ~(uint64_t)(STORE_ALIGN - 1) : 0;
    touch(fd, &st);
    return true;
}

static void open_layer(const Store *s, StoreFile *f, unsigned layer, int dir)
{
    char name[STORE_NAME_BYTES];
    store_path(name, s->key, 'c', f->content);
    int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
    if (fd < 0)
        return;
    store_file_map(s, f, layer, fd);
    close(fd);
}

int store_file_reopen(Store *s, const StoreFile *f, const uint8_t *data, off_t *ret_at)
{
    const StoreLayer *own = &f->layer[0];
    char name[STORE_NAME_BYTES];
    struct stat st;
    if (!own->base || (size_t)(data - own->base) >= own->bytes || !store_enter(s))
        return -1;
    *ret_at = data - own->base;
    store_path(name, s->key, 'c', f->content);
    s->file = openat(s->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
    bool same = s->file >= 0 && fstat(s->file, &st) == 0 && st.st_ino == own->inode &&
                st.st_dev == own->device;
    return same ? s->file : -1;
}

/* i-IDENTITY leads to c-CONTENT, which may not be there. */
static void read_name(Store *s, StoreFile *f, const char *name)
{
    char to[STORE_NAME_BYTES];
    ssize_t n = readlinkat(s->dir, name, to, sizeof to - 1);
    if (n == 18 && to[0] == 'c' && to[1] == '-') {
        to[n] = 0;
        f->content = strtoull(to + 2, NULL, 16);
    }
}

static void open_by_identity(Store *s, StoreFile *f)
{
    char name[STORE_NAME_BYTES];
    store_path(name, s->key, 'i', id_hash(&f->id));
    int fd = openat(s->dir, name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd >= 0) {
        store_file_map(s, f, 0, fd);
        close(fd);
    }
    if (!f->content)
        read_name(s, f, name);
}

void store_remember_name(Store *s, const StoreFile *f)
{
    char name[STORE_NAME_BYTES], to[STORE_NAME_BYTES];
    store_path(name, s->key, 'i', id_hash(&f->id));
    store_path(to, s->key, 'c', f->content);
    if (symlinkat(to + 17, s->dir, name) == 0 || errno != EEXIST)
        return;
    unlinkat(s->dir, name, 0);
    symlinkat(to + 17, s->dir, name);
}

void store_file_forget_name(Store *s, const StoreFile *f)
{
    char name[STORE_NAME_BYTES];
    store_path(name, s->key, 'i', id_hash(&f->id));
    if (store_enter(s))
        unlinkat(s->dir, name, 0);
    store_leave(s);
}

static void open_own(Store *s, StoreFile *f, const uint8_t *code, size_t bytes)
{
    bool there = store_enter(s);
    if (there)
        open_by_identity(s, f);
    if (!f->content) {
        f->content = content_hash(&f->id, code, bytes) | 1;
        if (there) {
            open_layer(s, f, 0, s->dir);
            store_remember_name(s, f);
        }
    }
    store_leave(s);
}

void store_file_open(Store *s, StoreFile *f, const uint8_t *code, size_t bytes)
{
    f->state = STORE_FILE_BROKEN; /* should it fault */
    open_own(s, f, code, bytes);
    for (unsigned n = 0; n < s->config.n_lower; n++) {
        int dir = store_open_folder(s->config.lower[n]);
        if (dir >= 0) {
            open_layer(s, f, n + 1, dir);
            close(dir);
        }
    }
    f->state = STORE_FILE_OPEN;
    store_file_refresh(s, f);
}

/* -- groups ------------------------------------------------------------------------------------ */

static bool add_group(StoreFile *f, const uint8_t *base)
{
    const StoreGroup *g = (const StoreGroup *)base;
    StoreGroup head = *g;
    if (head.n_chunks > MAX_CHUNKS - f->n_chunks)
        return false;
    StoreGroupRef *more = realloc(f->group, (f->n_groups + 1) * sizeof *more);
    if (!more)
        return false;
    f->group = more;
    StoreChunkRow *row = malloc((head.n_chunks + 1) * sizeof *row);
    if (!row)
        return false;
    memcpy(row, g + 1, head.n_chunks * sizeof *row);
    more[f->n_groups++] = (StoreGroupRef) {
        .base = base, .row = row, .n_chunks = head.n_chunks, .first_chunk = f->n_chunks,
        .index_at = head.index_at, .index_slots = head.index_slots,
    };
    f->n_chunks += head.n_chunks;
    f->n_joined = f->n_groups == 1 ? head.n_units : f->n_joined;
    f->n_units += head.n_units;
    f->n_records += head.n_recorded + (head.ran_units != 0);
    return true;
}

static void refresh_layer(const Store *s, StoreFile *f, StoreLayer *l)
{
    const StoreHeader *h = (const StoreHeader *)l->base;
    uint64_t end = h ? store_header_end(h) : 0;
    if (l->cut)
        end = l->cut;
    if (end > l->bytes || end <= l->seen_end)
        return;
    uint64_t at = l->seen_end;
    l->seen_end = end; /* once only, even if it faults */
    while ((at = store_next_group(l->base, at, end, s->key)) < end) {
        uint64_t bytes = ((const StoreGroup *)(l->base + at))->bytes;
        if (!add_group(f, l->base + at))
            return;
        at += bytes;
    }
}

void store_file_refresh(const Store *s, StoreFile *f)
{
    for (unsigned n = 0; n < STORE_LAYERS && f->state == STORE_FILE_OPEN; n++)
        refresh_layer(s, f, &f->layer[n]);
}

void store_file_break(StoreFile *f)
{
    f->state = STORE_FILE_BROKEN;
    for (unsigned n = 0; n < STORE_LAYERS; n++) {
        if (f->layer[n].base)
            own_pages_unmap_file(f->layer[n].base, f->layer[n].bytes);
        f->layer[n].base = NULL;
    }
    for (uint32_t n = 0; n < f->n_groups; n++)
        free(f->group[n].row);
    free(f->group);
    f->group = NULL;
    f->n_groups = f->n_chunks = f->n_units = f->n_records = 0;
}

bool store_file_probe(const StoreFile *f, uint32_t off, uint64_t *state, uint32_t *ret_chunk,
                      uint32_t *ret_unit)
{
    uint32_t group = *state >> 32, probe = (uint32_t)*state;
    for (uint32_t n = 0; !*state && n < f->n_groups; n++) {
        const StoreGroupRef *g = &f->group[n];
        __builtin_prefetch((const StoreSlot *)(g->base + g->index_at) +
                           store_slot(off, g->index_slots));
    }
    for (; group < f->n_groups; group++, probe = 0) {
        const StoreGroupRef *g = &f->group[f->n_groups - 1 - group];
        const StoreSlot *slots = (const StoreSlot *)(g->base + g->index_at);
        for (; probe < g->index_slots; probe++) {
            StoreSlot slot = slots[(store_slot(off, g->index_slots) + probe) &
                                   (g->index_slots - 1)];
            if (!slot.chunk)
                break;
            if (slot.off != off || slot.chunk > g->n_chunks)
                continue;
            *ret_chunk = g->first_chunk + slot.chunk - 1;
            *ret_unit = slot.unit;
            *state = (uint64_t)group << 32 | (probe + 1);
            return true;
        }
    }
    return false;
}

const StoreGroupRef *store_file_group(const StoreFile *f, uint32_t chunk)
{
    uint32_t n = f->n_groups;
    while (n > 1 && f->group[n - 1].first_chunk > chunk)
        n--;
    return &f->group[n - 1];
}

const StoreChunkRow *store_file_chunk(const StoreFile *f, uint32_t chunk, const uint8_t **ret_data)
{
    const StoreGroupRef *g = store_file_group(f, chunk);
    const StoreChunkRow *row = &g->row[chunk - g->first_chunk];
    *ret_data = g->base + row->at;
    return row;
}

const uint8_t *store_file_cross(const StoreFile *f, uint32_t chunk, const StoreChunkRow **ret_row,
                                uint32_t *ret_first_chunk)
{
    const StoreGroupRef *g = store_file_group(f, chunk);
    *ret_row = &g->row[chunk - g->first_chunk];
    *ret_first_chunk = g->first_chunk;
    return g->base + (*ret_row)->cross_at;
}
