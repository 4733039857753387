/* See location.h. Control plane, but for cache_file_path(). */
#include "linux-user/cache/location.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include "linux-user/process.h"

#define SYSTEM_FOLDER "/var/cache/calque"
#define DEFAULT_LIMIT (UINT64_C(2) << 30)

/* CALQUE_CACHE_DIR; else the user's cache folder; for root, or without a home, the system's. */
static char *choose_folder(bool secure)
{
    const char *set = secure ? NULL : getenv("CALQUE_CACHE_DIR");
    if (set)
        return *set ? g_strdup(set) : NULL;
    const char *xdg = secure ? NULL : getenv("XDG_CACHE_HOME");
    const char *home = secure ? NULL : getenv("HOME");
    if (geteuid() != 0 && xdg && *xdg == '/')
        return g_strconcat(xdg, "/calque", NULL);
    if (geteuid() != 0 && home && *home == '/' && home[1])
        return g_strconcat(home, "/.cache/calque", NULL);
    return g_strdup(SYSTEM_FOLDER);
}

/* Why not to use that folder, or NULL. */
static const char *mistrust(const struct stat *st)
{
    if (st->st_uid != 0 && st->st_uid != geteuid())
        return "it belongs to another user";
    if (st->st_mode & 022)
        return "other users may write to it";
    return NULL;
}

/* Can it be used? *ret_why: it is there, but not to be trusted. */
static bool folder_good(const char *path, const char **ret_why, struct stat *ret)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    *ret_why = NULL;
    if (fd < 0) {
        int why = errno;
        if (lstat(path, ret) == 0 && S_ISLNK(ret->st_mode))
            *ret_why = "it is a symbolic link";
        else if (why == ENOTDIR)
            *ret_why = "it isn't a folder";
        errno = why;
        return false;
    }
    *ret_why = fstat(fd, ret) == 0 ? mistrust(ret) : "it can't be looked at";
    close(fd);
    errno = 0;
    return !*ret_why;
}

/* ~/.cache as well, but no folders on the way to one that the user has chosen: in a chroot it may
 * not be meant. */
static void make_folder(const char *path)
{
    g_autofree char *parent = g_path_get_dirname(path);
    if (mkdir(path, 0755) == 0 || errno != ENOENT || getenv("CALQUE_CACHE_DIR"))
        return;
    if (mkdir(parent, 0700) == 0)
        mkdir(path, 0755);
}

static uint64_t size_limit(void)
{
    const char *text = getenv("CALQUE_CACHE_SIZE");
    char *end;
    uint64_t n = text ? strtoull(text, &end, 0) : 0;
    if (!text || end == text)
        return DEFAULT_LIMIT;
    const char *unit = *end ? strchr("kKmMgG", *end) : NULL;
    return unit ? n << 10 * ((unit - "kKmMgG") / 2 + 1) : n;
}

static void find_lower(TranslatorStoreConfig *c)
{
    struct stat st;
    const char *why, *path = getenv("CALQUE_CACHE_PATH");
    if (!path)
        return;
    g_auto(GStrv) parts = g_strsplit(path, ":", 0);
    for (char **p = parts; *p && c->n_lower < TRANSLATOR_STORE_LOWER_MAX; p++)
        if (**p && folder_good(*p, &why, &st))
            c->lower[c->n_lower++] = g_strdup(*p);
}

void cache_locate(CacheLocation *ret, bool secure, bool make)
{
    const char *why = NULL;
    struct stat st;
    bool good = false;
    *ret = (CacheLocation) { .path = choose_folder(secure) };
    if (ret->path) {
        good = folder_good(ret->path, &why, &st);
        if (!good && !why && make && errno == ENOENT) {
            make_folder(ret->path);
            good = folder_good(ret->path, &why, &st);
        }
        ret->problem = why;
    }
    ret->config.dir = good ? ret->path : NULL;
    ret->config.writable = good && st.st_uid == geteuid();
    ret->config.limit_bytes = size_limit();
    if (!secure)
        find_lower(&ret->config);
}

bool cache_set_up(Process *p, const Options *o)
{
    CacheLocation at;
    if (o->no_cache)
        return true;
    cache_locate(&at, o->secure, true);
    if (at.problem)
        fprintf(stderr, "calque: the translation store %s isn't used: %s\n", at.path, at.problem);
    if (at.config.dir || at.config.n_lower)
        p->has_store = translator_set_store(p->translator, &at.config);
    return !at.problem;
}

/* Once for each file of the store that is made. */
void cache_file_path(void *opaque, GuestAddr pc, char *ret, size_t size)
{
    char line[PATH_MAX + 128];
    uint64_t start, end;
    int at;
    FILE *f = fopen("/proc/self/maps", "re");
    *ret = 0;
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %*s %*s %*s %n", &start, &end, &at) == 2 &&
            pc >= start && pc < end) {
            bool vdso = pc == ((Process *)opaque)->vdso;
            g_strlcpy(ret, vdso ? "[vdso]" : g_strchomp(line + at), size);
            break;
        }
    if (f)
        fclose(f);
}
