/* data plane */
/* Keeps the translation store within its limit: the files that were used longest ago go first, of
 * whatever translator they are, and what is left of interrupted writes. */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "translator/cache/store.h"

enum { LEFTOVER_SECONDS = 3600, KEEP_PERCENT = 80 };

typedef struct Entry { char name[STORE_NAME_BYTES]; time_t used; uint64_t bytes; } Entry;
typedef struct Entries { Entry *entry; size_t n, cap; uint64_t bytes; } Entries;

static void add(Entries *e, const char *folder, const char *name, const struct stat *st)
{
    if (e->n == e->cap) {
        size_t cap = e->cap * 2 + 64;
        Entry *more = realloc(e->entry, cap * sizeof *more);
        if (!more)
            return;
        e->entry = more;
        e->cap = cap;
    }
    Entry *x = &e->entry[e->n++];
    char *at = stpcpy(x->name, folder);
    *at++ = '/';
    strcpy(at, name);
    x->used = st->st_mtime;
    x->bytes = (uint64_t)st->st_blocks * 512;
    e->bytes += x->bytes;
}

static void scan_folder(Entries *e, int dir, const char *folder)
{
    int fd = openat(dir, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (!d) {
        if (fd >= 0)
            close(fd);
        return;
    }
    time_t now = time(NULL);
    for (struct dirent *x; (x = readdir(d));) {
        struct stat st;
        if (strlen(x->d_name) != 18 || fstatat(fd, x->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        if (x->d_name[0] == 'c' && S_ISREG(st.st_mode))
            add(e, folder, x->d_name, &st);
        else if (x->d_name[0] == 't' && st.st_mtime + LEFTOVER_SECONDS < now)
            unlinkat(fd, x->d_name, 0);
        else if (x->d_name[0] == 'i' && fstatat(fd, x->d_name, &st, 0) < 0)
            unlinkat(fd, x->d_name, 0); /* leads nowhere any more */
    }
    closedir(d);
}

static int by_use(const void *a, const void *b)
{
    time_t x = ((const Entry *)a)->used, y = ((const Entry *)b)->used;
    return (x > y) - (x < y);
}

void store_evict(int dir, uint64_t limit)
{
    Entries all = { 0 };
    int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
    if (!d) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (struct dirent *x; (x = readdir(d));)
        if (strlen(x->d_name) == 16)
            scan_folder(&all, dir, x->d_name);
    if (all.bytes > limit) {
        qsort(all.entry, all.n, sizeof *all.entry, by_use);
        for (size_t n = 0; n < all.n && all.bytes > limit / 100 * KEEP_PERCENT; n++) {
            unlinkat(dir, all.entry[n].name, 0);
            all.bytes -= all.entry[n].bytes;
            char folder[STORE_NAME_BYTES];
            memcpy(folder, all.entry[n].name, 16);
            folder[16] = 0;
            unlinkat(dir, folder, AT_REMOVEDIR); /* once it is empty */
        }
    }
    free(all.entry);
    closedir(d);
}
