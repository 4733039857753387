/* See admin.h. */
#include "translator/cache/admin.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include "translator/cache/store.h"

#define EXPORT_MAGIC "CLQUEXP1"

/* A file of the store in memory, as it is at this moment. */
typedef struct Image { int fd; uint8_t *base; uint64_t bytes, end; struct stat st; } Image;

static bool image_open(Image *m, int dir, const char *name)
{
    *m = (Image) { .fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC) };
    if (m->fd < 0 || fstat(m->fd, &m->st) < 0)
        return false;
    m->bytes = (uint64_t)m->st.st_size;
    m->base = malloc(m->bytes + sizeof(StoreHeader));
    uint64_t done = 0;
    for (ssize_t n; m->base && done < m->bytes; done += (uint64_t)n)
        if ((n = pread(m->fd, m->base + done, m->bytes - done, (off_t)done)) <= 0)
            break;
    m->bytes = done;
    return m->base;
}

static void image_close(Image *m)
{
    free(m->base);
    if (m->fd >= 0)
        close(m->fd);
}

static bool group_sound(const uint8_t *base)
{
    const StoreGroup *g = (const StoreGroup *)(const void *)base;
    const StoreChunkRow *row = (const StoreChunkRow *)(g + 1);
    for (uint32_t n = 0; n < g->n_chunks; n++)
        if (!store_chunk_ok(&row[n], base + row[n].at))
            return false;
    return true;
}

/* Where the groups end, or *ret_problem. */
static uint64_t find_end(const Image *m, const StoreHeader *h, const char **ret_problem)
{
    uint64_t bytes = m->bytes & ~(uint64_t)(STORE_ALIGN - 1), end = store_header_end(h);
    if (end && end <= bytes)
        return end;
    *ret_problem = end ? "it is truncated" : "its header is damaged";
    return bytes;
}

static void look_at(const Image *m, uint64_t key, uint64_t content, bool deep, StoreInfo *info)
{
    const StoreHeader *h = (const StoreHeader *)(const void *)m->base;
    info->bytes = m->bytes;
    info->used = m->st.st_mtime;
    if (m->bytes < sizeof *h || !store_header_ok(h, key, content)) {
        info->problem = "its header is damaged";
        return;
    }
    memcpy(info->path, h->path, sizeof info->path - 1);
    uint64_t end = find_end(m, h, &info->problem), at = sizeof *h;
    for (uint64_t next; at < end; at = next) {
        uint64_t found = store_next_group(m->base, at, end, key);
        if (found != at)
            info->problem = "a group is damaged";
        if (found >= end)
            break;
        const StoreGroup *g = (const StoreGroup *)(const void *)(m->base + found);
        const StoreChunkRow *row = (const StoreChunkRow *)(g + 1);
        if (deep && !group_sound(m->base + found))
            info->problem = "a chunk is damaged";
        info->groups++;
        info->chunks += g->n_chunks;
        info->units += g->n_units;
        for (uint32_t n = 0; n < g->n_chunks; n++)
            info->code_bytes += row[n].code_bytes;
        next = found + g->bytes;
    }
}

static void numbers_of(const char *name, uint64_t *ret_key, uint64_t *ret_content)
{
    *ret_key = strtoull(name, NULL, 16);
    *ret_content = strtoull(name + 19, NULL, 16);
}

static void visit_folder(int dir, const char *folder, bool deep, StoreVisitor *fn, void *opaque)
{
    int fd = openat(dir, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    for (struct dirent *x; d && (x = readdir(d));) {
        if (strlen(x->d_name) != 18 || x->d_name[0] != 'c')
            continue;
        StoreInfo info = { 0 };
        uint64_t key, content;
        snprintf(info.name, sizeof info.name, "%.16s/%.18s", folder, x->d_name);
        numbers_of(info.name, &key, &content);
        Image m;
        if (image_open(&m, dir, info.name)) {
            look_at(&m, key, content, deep, &info);
            fn(opaque, dir, &info);
        }
        image_close(&m);
    }
    if (d)
        closedir(d);
    else if (fd >= 0)
        close(fd);
}

void store_each(int dir, bool deep, StoreVisitor *fn, void *opaque)
{
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    for (struct dirent *x; d && (x = readdir(d));)
        if (strlen(x->d_name) == 16)
            visit_folder(dir, x->d_name, deep, fn, opaque);
    if (d)
        closedir(d);
    else if (fd >= 0)
        close(fd);
}

/* -- mending ----------------------------------------------------------------------------------- */

static bool write_all(int fd, const void *from, size_t bytes)
{
    for (const uint8_t *p = from; bytes;) {
        ssize_t n = write(fd, p, bytes);
        if (n <= 0)
            return false;
        p += n;
        bytes -= (size_t)n;
    }
    return true;
}

/* Puts a whole file in place of whatever is there. */
static bool put_file(int dir, const char *name, const void *bytes, size_t n)
{
    char fresh[48];
    snprintf(fresh, sizeof fresh, "%.17st-%016llx", name, (unsigned long long)getpid());
    int fd = openat(dir, fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
    bool ok = fd >= 0 && write_all(fd, bytes, n) && renameat(dir, fresh, dir, name) == 0;
    int why = errno;
    if (!ok && fd >= 0)
        unlinkat(dir, fresh, 0);
    if (fd >= 0)
        close(fd);
    errno = why;
    return ok;
}

const char *store_mend(int dir, const StoreInfo *info)
{
    uint64_t key, content;
    Image m;
    numbers_of(info->name, &key, &content);
    if (!image_open(&m, dir, info->name) || flock(m.fd, LOCK_EX) < 0) {
        image_close(&m);
        return "it can't be read";
    }
    StoreHeader h;
    memset(&h, 0, sizeof h);
    if (m.bytes >= sizeof h)
        memcpy(&h, m.base, sizeof h);
    if (!store_header_ok(&h, key, content)) {
        memset(&h, 0, sizeof h);
        h = (StoreHeader) { .magic = STORE_FILE_MAGIC, .format = STORE_FORMAT, .key = key,
                            .header_bytes = sizeof h, .content = content };
        h.checksum = store_header_sum(&h);
    }
    uint64_t end = m.bytes & ~(uint64_t)(STORE_ALIGN - 1), to = sizeof h, at = sizeof h;
    while (at < end && (at = store_next_group(m.base, at, end, key)) < end) {
        uint64_t bytes = ((const StoreGroup *)(const void *)(m.base + at))->bytes;
        if (group_sound(m.base + at)) {
            memmove(m.base + to, m.base + at, bytes);
            to += bytes;
        }
        at += bytes;
    }
    h.end = to;
    h.end_check = ~to;
    memcpy(m.base, &h, sizeof h);
    const char *what = "what is sound of it was kept";
    if (to == sizeof h)
        what = unlinkat(dir, info->name, 0) == 0 ? "nothing of it is sound: removed"
                                                 : "it can't be removed";
    else if (!put_file(dir, info->name, m.base, to))
        what = "it can't be written";
    image_close(&m);
    return what;
}

void store_prune(int dir, uint64_t limit) { store_evict(dir, limit); }

/* -- moving ------------------------------------------------------------------------------------ */

typedef struct ExportHead { char name[40]; uint64_t bytes, checksum; } ExportHead;
typedef struct Export { FILE *to; unsigned files; bool failed; } Export;

static void export_one(void *opaque, int dir, const StoreInfo *info)
{
    Export *e = opaque;
    Image m;
    if (info->problem || e->failed)
        return;
    if (image_open(&m, dir, info->name)) {
        ExportHead h = { .bytes = m.bytes, .checksum = store_hash(m.base, m.bytes, 0) };
        memcpy(h.name, info->name, sizeof h.name);
        e->failed |= fwrite(&h, sizeof h, 1, e->to) != 1 ||
                     fwrite(m.base, 1, m.bytes, e->to) != m.bytes;
        e->files++;
    }
    image_close(&m);
}

bool store_export(int dir, FILE *to, unsigned *ret_files)
{
    Export e = { .to = to };
    e.failed = fwrite(EXPORT_MAGIC, 8, 1, to) != 1;
    store_each(dir, true, export_one, &e);
    ExportHead last = { .name = "" };
    e.failed |= fwrite(&last, sizeof last, 1, to) != 1 || fflush(to);
    *ret_files = e.files;
    return !e.failed;
}

static bool name_ok(const char *name)
{
    static const char hex[] = "0123456789abcdef";
    return strnlen(name, 40) == 35 && strspn(name, hex) == 16 && !memcmp(name + 16, "/c-", 3) &&
           strspn(name + 19, hex) == 16;
}

static bool import_one(int dir, const ExportHead *h, FILE *from, unsigned *ret_files,
                       unsigned *ret_kept)
{
    uint64_t key, content;
    char folder[17];
    struct stat st;
    uint8_t *bytes = name_ok(h->name) && h->bytes < UINT64_C(1) << 32 ? malloc(h->bytes + 1) : NULL;
    errno = 0;
    if (!bytes || fread(bytes, 1, h->bytes, from) != h->bytes || h->bytes < sizeof(StoreHeader) ||
        store_hash(bytes, h->bytes, 0) != h->checksum) {
        free(bytes);
        return false;
    }
    numbers_of(h->name, &key, &content);
    bool ok = store_header_ok((const StoreHeader *)(const void *)bytes, key, content);
    memcpy(folder, h->name, 16);
    folder[16] = 0;
    if (ok && fstatat(dir, h->name, &st, AT_SYMLINK_NOFOLLOW) == 0) {
        ++*ret_kept;
    } else if (ok) {
        mkdirat(dir, folder, 0755);
        ok = put_file(dir, h->name, bytes, h->bytes);
        *ret_files += ok;
    }
    free(bytes);
    return ok;
}

bool store_import(int dir, FILE *from, unsigned *ret_files, unsigned *ret_kept)
{
    char magic[8];
    ExportHead h;
    *ret_files = *ret_kept = 0;
    errno = 0;
    if (fread(magic, sizeof magic, 1, from) != 1 || memcmp(magic, EXPORT_MAGIC, sizeof magic))
        return false;
    while (fread(&h, sizeof h, 1, from) == 1) {
        if (!h.name[0])
            return true;
        if (!import_one(dir, &h, from, ret_files, ret_kept))
            return false;
    }
    return false;
}
