#include "binfmt/registry.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { MAX_LINE = 1920 }; /* what the kernel takes at once */

GQuark registry_quark(void) { return g_quark_from_static_string("calque-binfmt"); }

static void entry_free(void *data)
{
    RegistryEntry *e = data;
    g_free(e->name);
    g_free(e->interpreter);
    g_free(e);
}

static size_t parse_hex(const char *text, uint8_t *ret, size_t size)
{
    size_t n = 0;
    for (; n < size && g_ascii_isxdigit(text[0]) && g_ascii_isxdigit(text[1]); text += 2)
        ret[n++] = (uint8_t)(g_ascii_xdigit_value(text[0]) << 4 | g_ascii_xdigit_value(text[1]));
    return n;
}

static void parse_line(RegistryEntry *e, const char *line)
{
    if (!strcmp(line, "enabled")) {
        e->enabled = true;
    } else if (g_str_has_prefix(line, "interpreter ")) {
        g_free(e->interpreter);
        e->interpreter = g_strdup(line + strlen("interpreter "));
    } else if (g_str_has_prefix(line, "flags: ")) {
        g_strlcpy(e->flags, line + strlen("flags: "), sizeof e->flags);
    } else if (g_str_has_prefix(line, "offset ")) {
        e->offset = (unsigned)g_ascii_strtoull(line + strlen("offset "), NULL, 10);
    } else if (g_str_has_prefix(line, "extension ")) {
        e->is_extension = true;
    } else if (g_str_has_prefix(line, "magic ")) {
        e->bytes = parse_hex(line + strlen("magic "), e->magic, sizeof e->magic);
    } else if (g_str_has_prefix(line, "mask ")) {
        parse_hex(line + strlen("mask "), e->mask, sizeof e->mask);
    }
}

static RegistryEntry *read_entry(const char *dir, const char *name)
{
    g_autofree char *path = g_build_filename(dir, name, NULL), *text = NULL;
    struct stat st;
    if (stat(path, &st) < 0 || !g_file_get_contents(path, &text, NULL, NULL))
        return NULL;
    RegistryEntry *e = g_new0(RegistryEntry, 1);
    e->name = g_strdup(name);
    e->since = st.st_ctim;
    e->inode = st.st_ino;
    memset(e->mask, 0xff, sizeof e->mask);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **l = lines; *l; l++)
        parse_line(e, *l);
    return e;
}

/* The kernel puts each new entry before the others. */
static gint newer_first(gconstpointer a, gconstpointer b)
{
    const RegistryEntry *x = *(RegistryEntry *const *)a, *y = *(RegistryEntry *const *)b;
    if (x->since.tv_sec != y->since.tv_sec)
        return x->since.tv_sec < y->since.tv_sec ? 1 : -1;
    if (x->since.tv_nsec != y->since.tv_nsec)
        return x->since.tv_nsec < y->since.tv_nsec ? 1 : -1;
    return x->inode < y->inode ? 1 : -1; /* within one tick of the clock */
}

Registry *registry_read(const char *dir)
{
    Registry *r = g_new0(Registry, 1);
    struct statfs fs;
    g_autofree char *status = g_build_filename(dir, "status", NULL), *text = NULL;

    r->dir = g_strdup(dir);
    r->entries = g_ptr_array_new_with_free_func(entry_free);
    r->mounted = statfs(dir, &fs) == 0 && (unsigned)fs.f_type == BINFMTFS_MAGIC;
    if (!r->mounted)
        return r;
    r->enabled = g_file_get_contents(status, &text, NULL, NULL) &&
                 g_str_has_prefix(text, "enabled");
    GDir *d = g_dir_open(dir, 0, NULL);
    for (const char *name; d && (name = g_dir_read_name(d));) {
        RegistryEntry *e = strcmp(name, "status") && strcmp(name, "register")
                               ? read_entry(dir, name) : NULL;
        if (e)
            g_ptr_array_add(r->entries, e);
    }
    if (d)
        g_dir_close(d);
    g_ptr_array_sort(r->entries, newer_first);
    return r;
}

void registry_free(Registry *r)
{
    if (!r)
        return;
    g_ptr_array_unref(r->entries);
    g_free(r->dir);
    g_free(r);
}

const RegistryEntry *registry_find(const Registry *r, const char *name)
{
    for (guint i = 0; i < r->entries->len; i++) {
        const RegistryEntry *e = g_ptr_array_index(r->entries, i);
        if (!strcmp(e->name, name))
            return e;
    }
    return NULL;
}

bool entry_matches(const RegistryEntry *e, const uint8_t *header, size_t n)
{
    if (e->is_extension || !e->bytes || e->offset + e->bytes > n)
        return false;
    for (size_t i = 0; i < e->bytes; i++)
        if ((header[e->offset + i] ^ e->magic[i]) & e->mask[i])
            return false;
    return true;
}

const RegistryEntry *registry_match(const Registry *r, const uint8_t *header, size_t n)
{
    for (guint i = 0; i < r->entries->len; i++) {
        const RegistryEntry *e = g_ptr_array_index(r->entries, i);
        if (e->enabled && entry_matches(e, header, n))
            return e;
    }
    return NULL;
}

char *registry_name(const BinfmtGuest *g) { return g_strconcat("calque-", g->name, NULL); }

static void append_bytes(GString *s, const uint8_t *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        g_string_append_printf(s, "\\x%02x", bytes[i]);
}

char *registry_line(const BinfmtGuest *g, const char *interpreter, const char *flags)
{
    GuestMagic m = guest_magic(g);
    g_autofree char *name = registry_name(g);
    GString *s = g_string_new(NULL);

    g_string_append_printf(s, ":%s:M::", name);
    append_bytes(s, m.magic, m.bytes);
    g_string_append_c(s, ':');
    append_bytes(s, m.mask, m.bytes);
    g_string_append_printf(s, ":%s:%s", interpreter, flags);
    return g_string_free(s, FALSE);
}

static bool write_file(const char *dir, const char *name, const char *text, GError **error)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

    if (!ok)
        registry_error(error, "%s: %s", path, g_strerror(errno));
    if (fd >= 0)
        close(fd);
    return ok;
}

bool registry_prepare(const char *dir, GError **error)
{
    g_autoptr(Registry) r = registry_read(dir);

    if (!r->mounted && !strcmp(dir, REGISTRY_DEFAULT_DIR) &&
        mount("binfmt_misc", dir, "binfmt_misc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) == 0) {
        registry_free(r);
        r = registry_read(dir);
    }
    if (!r->mounted) {
        registry_error(error, "%s: binfmt_misc isn't mounted there ('calque-binfmt doctor' says "
                       "more)", dir);
        return false;
    }
    return r->enabled || write_file(dir, "status", "1", error);
}

bool registry_remove(const char *dir, const char *name, GError **error)
{
    return write_file(dir, name, "-1", error);
}

bool registry_add(const char *dir, const BinfmtGuest *g, const char *interpreter,
                  const char *flags, GError **error)
{
    g_autofree char *name = registry_name(g), *line = registry_line(g, interpreter, flags);
    g_autoptr(Registry) before = registry_read(dir);

    if (guest_is_host(g)) {
        registry_error(error, "%s: this machine's own programs are such, they need no emulator",
                       g->name);
        return false;
    }
    if (strchr(interpreter, ':') || strchr(interpreter, '\n') || strlen(line) > MAX_LINE) {
        registry_error(error, "%s: the kernel can't be told such a path", interpreter);
        return false;
    }
    if (registry_find(before, name) && !registry_remove(dir, name, error))
        return false;
    return write_file(dir, "register", line, error);
}
