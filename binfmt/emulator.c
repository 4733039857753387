#include "binfmt/emulator.h"

#include <elf.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

static char *beside_this_program(const char *name)
{
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *dir = self ? g_path_get_dirname(self) : NULL;
    g_autofree char *path = dir ? g_build_filename(dir, name, NULL) : NULL;

    return path && g_file_test(path, G_FILE_TEST_IS_EXECUTABLE) ? g_steal_pointer(&path) : NULL;
}

/* Its own answer to "-cpu help": a line for each guest, "NAME: MODELS". */
static char **ask_guests(const char *path)
{
    char *argv[] = {(char *)path, (char *)"-cpu", (char *)"help", NULL};
    g_autofree char *out = NULL;
    GPtrArray *names = g_ptr_array_new();
    int status = 1;

    if (g_spawn_sync(NULL, argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &out, NULL, &status,
                     NULL) && status == 0) {
        g_auto(GStrv) lines = g_strsplit(out, "\n", -1);
        for (char **l = lines; *l; l++)
            if (strchr(*l, ':'))
                g_ptr_array_add(names, g_strndup(*l, strcspn(*l, ":")));
    }
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}

Emulator *emulator_find(const char *path)
{
    Emulator *e = g_new0(Emulator, 1);

    e->path = path ? g_canonicalize_filename(path, NULL) : beside_this_program("calque");
    if (!e->path)
        e->path = g_strdup(BINDIR "/calque");
    e->guests = ask_guests(e->path);
    return e;
}

void emulator_free(Emulator *e)
{
    if (!e)
        return;
    g_free(e->path);
    g_strfreev(e->guests);
    g_free(e);
}

bool emulator_has_guest(const Emulator *e, const char *name)
{
    return g_strv_contains((const char *const *)e->guests, name);
}

/* Whether others, such as apt's user _apt, reach the file: every folder above must let them. */
static void check_reach(Report *r, const char *root, const char *path)
{
    g_autofree char *dir = g_path_get_dirname(path);

    for (;;) {
        g_autofree char *real = g_build_filename(root, dir, NULL);
        struct stat st;
        if (stat(real, &st) == 0 && !(st.st_mode & S_IXOTH))
            report_problem(r, "%s: other users (such as apt's _apt) can't go through this folder "
                           "to the emulator: chmod o+x it", dir);
        if (!strcmp(dir, "/") || !strcmp(dir, "."))
            return;
        char *up = g_path_get_dirname(dir);
        g_free(dir);
        dir = up;
    }
}

/* With F the file is opened once, outside; its own interpreter would be looked for inside. */
static bool has_interpreter(const char *path)
{
    g_autofree char *bytes = NULL;
    gsize n;

    if (!g_file_get_contents(path, &bytes, &n, NULL) || n < sizeof(Elf64_Ehdr))
        return false;
    const Elf64_Ehdr *h = (const Elf64_Ehdr *)bytes;
    if (memcmp(h->e_ident, ELFMAG, SELFMAG) || h->e_ident[EI_CLASS] != ELFCLASS64)
        return false;
    for (unsigned i = 0; i < h->e_phnum; i++) {
        const Elf64_Phdr *ph = (const Elf64_Phdr *)(bytes + h->e_phoff) + i;
        if ((const char *)(ph + 1) <= bytes + n && ph->p_type == PT_INTERP)
            return true;
    }
    return false;
}

void emulator_check(Report *r, const char *root, const char *path, const char *flags)
{
    g_autofree char *real = g_build_filename(root, path, NULL);
    bool fixed = strchr(flags, 'F');
    struct statvfs fs;
    struct stat st;

    if (stat(real, &st) < 0) {
        if (fixed)
            report_note(r, "%s: the file has gone since it was registered; the kernel still holds "
                        "it (flag F) until the next boot", path);
        else
            report_problem(r, "%s: there is no such emulator; install it, or register one that "
                           "exists: calque-binfmt install --emulator=PATH", path);
        return;
    }
    if (!S_ISREG(st.st_mode)) {
        report_problem(r, "%s: not a regular file", path);
        return;
    }
    if (!(st.st_mode & 0111))
        report_problem(r, "%s: not executable: chmod 755 it", path);
    else if (!(st.st_mode & S_IXOTH))
        report_problem(r, "%s: other users (such as apt's _apt) can't execute the emulator: "
                       "chmod 755 it", path);
    if (st.st_mode & (S_ISUID | S_ISGID))
        report_problem(r, "%s: the emulator mustn't be set-uid itself; flag C is for that", path);
    if (!fixed)
        check_reach(r, root, path);
    if (statvfs(real, &fs) == 0 && (fs.f_flag & ST_NOEXEC))
        report_problem(r, "%s: on a file system that is mounted noexec", path);
    if (statvfs(real, &fs) == 0 && (fs.f_flag & ST_NOSUID) && strchr(flags, 'C'))
        report_note(r, "%s: on a file system that is mounted nosuid; that doesn't matter to "
                    "set-uid programs elsewhere", path);
    if (fixed && has_interpreter(real))
        report_problem(r, "%s: linked dynamically; with the flag F its libraries would have to be "
                       "in every chroot: build it statically", path);
}
