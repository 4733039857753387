#include "binfmt/doctor.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HEAD_BYTES = 4096, MAX_SCRIPTS = 4, MAX_LINKS = 20, PROBE_STATUS = 42 };

/* ---- the system ---- */

static void check_kernel(const DoctorCase *c, Report *r)
{
    g_autofree char *list = NULL;
    bool known = g_file_get_contents("/proc/filesystems", &list, NULL, NULL) &&
                 strstr(list, "binfmt_misc");

    if (c->registry->mounted && c->registry->enabled)
        report_ok(r, "binfmt_misc is mounted on %s and enabled", c->registry->dir);
    else if (c->registry->mounted)
        report_problem(r, "binfmt_misc is disabled as a whole: echo 1 > %s/status",
                       c->registry->dir);
    else if (known)
        report_problem(r, "binfmt_misc isn't mounted on %s: mount -t binfmt_misc binfmt_misc %s "
                       "(in a container: on the host, or in a user namespace of its own since "
                       "Linux 6.7)", c->registry->dir, c->registry->dir);
    else
        report_problem(r, "the kernel doesn't know binfmt_misc: modprobe binfmt_misc, or a kernel "
                       "with CONFIG_BINFMT_MISC");
}

static void check_flags(Report *r, const RegistryEntry *e)
{
    if (!strchr(e->flags, 'F'))
        report_problem(r, "%s: without the flag F chroots and containers need %s inside: "
                       "calque-binfmt install --flags=FPC", e->name, e->interpreter);
    if (!strchr(e->flags, 'P'))
        report_note(r, "%s: without the flag P programs see their path for argv[0]", e->name);
    if (!strchr(e->flags, 'C'))
        report_note(r, "%s: without the flag C set-uid programs such as sudo get no rights",
                    e->name);
}

/* An emulator that was replaced after its registration isn't the one that runs. */
static void check_age(const DoctorCase *c, Report *r, const RegistryEntry *e)
{
    struct stat st;

    if (strchr(e->flags, 'F') && stat(e->interpreter, &st) == 0 &&
        (st.st_ctim.tv_sec > e->since.tv_sec || st.st_mtim.tv_sec > e->since.tv_sec))
        report_note(r, "%s: %s is newer than its registration, which still runs the old one: "
                    "calque-binfmt install", e->name, e->interpreter);
}

static int run_probe(const BinfmtGuest *g, char **ret_why)
{
    uint8_t code[256];
    size_t n = guest_make_probe(g, code, sizeof code);
    char path[] = "/tmp/calque-probe-XXXXXX";
    int status = -1, fd = n ? mkstemp(path) : -1;

    *ret_why = NULL;
    if (fd < 0)
        return -1;
    bool ok = write(fd, code, n) == (ssize_t)n && fchmod(fd, 0700) == 0;
    close(fd);
    pid_t pid = ok ? fork() : -1;
    if (pid == 0) {
        execl(path, path, (char *)NULL);
        _exit(errno == ENOEXEC ? 200 : 201);
    }
    if (pid > 0)
        waitpid(pid, &status, 0);
    unlink(path);
    if (pid < 0)
        return -1;
    if (WIFSIGNALED(status))
        *ret_why = g_strdup_printf("it died by signal %d", WTERMSIG(status));
    else if (WEXITSTATUS(status) == 200)
        *ret_why = g_strdup("the kernel says \"exec format error\"");
    else if (WEXITSTATUS(status) == 201)
        *ret_why = g_strdup("the kernel can't execute it (is /tmp mounted noexec?)");
    else if (WEXITSTATUS(status) != PROBE_STATUS)
        *ret_why = g_strdup_printf("it ended with status %d", WEXITSTATUS(status));
    return *ret_why ? 1 : 0;
}

static void check_probe(const DoctorCase *c, Report *r, const BinfmtGuest *g)
{
    g_autofree char *why = NULL;

    /* A list of another namespace says nothing about what happens here. */
    if (strcmp(c->registry->dir, REGISTRY_DEFAULT_DIR))
        return;
    int result = run_probe(g, &why);
    if (result == 0)
        report_ok(r, "%s: a program of four instructions ran", g->name);
    else if (result > 0)
        report_problem(r, "%s: a program of four instructions doesn't run: %s", g->name, why);
}

/* The enabled entries that take the programs of `g`: the first must be ours. */
static void check_clash(const DoctorCase *c, Report *r, const BinfmtGuest *g, const char *own)
{
    GuestMagic m = guest_magic(g);
    const RegistryEntry *first = registry_match(c->registry, m.magic, m.bytes);

    for (guint i = 0; i < c->registry->entries->len; i++) {
        const RegistryEntry *e = g_ptr_array_index(c->registry->entries, i);
        if (!e->enabled || !strcmp(e->name, own) || !entry_matches(e, m.magic, m.bytes))
            continue;
        if (e == first)
            report_problem(r, "%s: another entry, %s (%s), was registered later and takes these "
                           "programs: calque-binfmt install %s, or echo -1 > %s/%s", g->name,
                           e->name, e->interpreter, g->name, c->registry->dir, e->name);
        else
            report_note(r, "%s: another entry, %s (%s), is for these programs too; the kernel "
                        "asks ours first", g->name, e->name, e->interpreter);
    }
}

/* Whether the kernel would hand this guest's programs to the emulator. */
static void check_guest(const DoctorCase *c, Report *r, const BinfmtGuest *g)
{
    g_autofree char *name = registry_name(g);
    const RegistryEntry *e = registry_find(c->registry, name);

    if (!e) {
        report_problem(r, "%s: not registered (or lost at a reboot): calque-binfmt install %s",
                       g->name, g->name);
        check_clash(c, r, g, name);
        return;
    }
    if (!e->enabled)
        report_problem(r, "%s: the registration is disabled: echo 1 > %s/%s", g->name,
                       c->registry->dir, name);
    else
        report_ok(r, "%s: registered as %s (%s, flags %s)", g->name, name, e->interpreter,
                  e->flags);
    check_flags(r, e);
    check_age(c, r, e);
    check_clash(c, r, g, name);
    /* Without F the path is looked up inside the root. */
    emulator_check(r, strchr(e->flags, 'F') ? "/" : c->root, e->interpreter, e->flags);
}

static void doctor_system(const DoctorCase *c, Report *r)
{
    if (!c->emulator->guests[0])
        report_problem(r, "%s: this emulator doesn't run; --emulator=PATH names another",
                       c->emulator->path);
    emulator_check(r, "/", c->emulator->path, "");
    if (!c->registry->mounted)
        return;
    for (char **name = c->emulator->guests; *name; name++) {
        const BinfmtGuest *g = guest_by_name(*name);
        if (!g || guest_is_host(g))
            continue;
        check_guest(c, r, g);
        if (c->registry->enabled)
            check_probe(c, r, g);
    }
}

/* ---- one program ---- */

/* `path` below the root, with links followed as a process inside would. */
static char *path_in_root(const DoctorCase *c, const char *path, int links)
{
    if (!strcmp(c->root, "/"))
        return g_strdup(path);
    g_auto(GStrv) parts = g_strsplit(path, "/", -1);
    GString *at = g_string_new(NULL); /* inside the root, without its own links */
    for (char **p = parts; *p; p++) {
        if (!**p || !strcmp(*p, "."))
            continue;
        if (!strcmp(*p, "..")) {
            char *slash = strrchr(at->str, '/');
            g_string_truncate(at, slash ? (gsize)(slash - at->str) : 0);
            continue;
        }
        gsize before = at->len;
        g_string_append_printf(at, "/%s", *p);
        g_autofree char *real = g_build_filename(c->root, at->str, NULL);
        g_autofree char *target = links < MAX_LINKS ? g_file_read_link(real, NULL) : NULL;
        if (!target)
            continue;
        g_string_truncate(at, target[0] == '/' ? 0 : before);
        g_autofree char *joined = g_strconcat(at->str, "/", target, NULL);
        g_autofree char *followed = path_in_root(c, joined, links + 1);
        g_string_assign(at, followed + strlen(c->root));
    }
    char *full = g_strconcat(c->root, at->str, NULL);
    g_string_free(at, TRUE);
    return full;
}

static bool check_file(const DoctorCase *c, Report *r, const char *real, const char *path)
{
    struct statvfs fs;
    struct stat st;

    if (stat(real, &st) < 0) {
        report_problem(r, "%s: %s", path, g_strerror(errno));
        return false;
    }
    if (!S_ISREG(st.st_mode)) {
        report_problem(r, "%s: not a regular file", path);
        return false;
    }
    if (!(st.st_mode & 0111))
        report_problem(r, "%s: not executable: chmod +x it", path);
    if (statvfs(real, &fs) == 0 && (fs.f_flag & ST_NOEXEC))
        report_problem(r, "%s: on a file system that is mounted noexec", path);
    if (statvfs(real, &fs) == 0 && (fs.f_flag & ST_NOSUID) && (st.st_mode & S_ISUID))
        report_problem(r, "%s: a set-uid program on a file system that is mounted nosuid gets no "
                       "rights", path);
    return true;
}

static size_t read_head(const char *path, uint8_t *ret)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? pread(fd, ret, HEAD_BYTES - 1, 0) : -1;

    if (fd >= 0)
        close(fd);
    ret[n > 0 ? n : 0] = 0;
    return n > 0 ? (size_t)n : 0;
}

static uint64_t get(const uint8_t *at, unsigned bytes, bool big_endian)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < bytes; i++)
        v |= (uint64_t)at[i] << 8 * (big_endian ? bytes - 1 - i : i);
    return v;
}

/* The program interpreter that an ELF file wants; NULL: none, or not within the first bytes. */
static char *elf_interpreter(const uint8_t *head, size_t n)
{
    bool wide = head[EI_CLASS] == ELFCLASS64, be = head[EI_DATA] == ELFDATA2MSB;
    uint64_t phoff = wide ? get(head + 32, 8, be) : get(head + 28, 4, be);
    uint64_t size = get(head + (wide ? 54 : 42), 2, be);
    uint64_t count = get(head + (wide ? 56 : 44), 2, be);

    for (uint64_t i = 0; i < count && size >= 32; i++) {
        uint64_t at = phoff + i * size;
        if (at + size > n)
            return NULL;
        if (get(head + at, 4, be) != PT_INTERP)
            continue;
        uint64_t offset = get(head + at + (wide ? 8 : 4), wide ? 8 : 4, be);
        uint64_t bytes = get(head + at + (wide ? 32 : 16), wide ? 8 : 4, be);
        if (offset > n || bytes > n - offset)
            return NULL;
        return g_strndup((const char *)head + offset, bytes);
    }
    return NULL;
}

static void suggest_package(Report *r, const BinfmtGuest *g, const char *interp, const char *path)
{
    const char *arch = g->debian ? g->debian : g->name;

    if (strstr(interp, "ld-musl-"))
        report_problem(r, "%s: its interpreter %s is missing: the C library musl (Debian: musl:%s; "
                       "Alpine: musl), or -L ROOT for a folder that has it", path, interp, arch);
    else if (strstr(interp, "/system/bin/linker"))
        report_problem(r, "%s: its interpreter %s is missing: it is an Android program", path,
                       interp);
    else
        report_problem(r, "%s: its interpreter %s is missing: the C library of that architecture "
                       "(Debian: dpkg --add-architecture %s && apt-get update && apt-get install "
                       "libc6:%s), or CALQUE_LD_PREFIX=ROOT for a folder that has it", path, interp,
                       arch, arch);
}

static void check_interpreter(const DoctorCase *c, Report *r, const BinfmtGuest *g,
                              const char *interp, const char *path)
{
    g_autofree char *real = path_in_root(c, interp, 0);
    const char *prefix = g_getenv("CALQUE_LD_PREFIX");
    g_autofree char *prefixed = prefix ? g_build_filename(prefix, interp, NULL) : NULL;
    uint8_t head[HEAD_BYTES];

    if (prefixed && access(prefixed, F_OK) == 0) {
        report_ok(r, "%s: its interpreter is %s, by CALQUE_LD_PREFIX", path, prefixed);
        return;
    }
    if (access(real, F_OK) < 0) {
        suggest_package(r, g, interp, path);
        return;
    }
    size_t n = read_head(real, head);
    if (access(real, X_OK) < 0)
        report_problem(r, "%s: its interpreter %s isn't executable", path, interp);
    else if (guest_by_header(head, n) != g)
        report_problem(r, "%s: its interpreter %s is for another processor", path, interp);
    else
        report_ok(r, "%s: its interpreter %s is there", path, interp);
}

/* Which entry gets it. */
static void check_taker(const DoctorCase *c, Report *r, const BinfmtGuest *g, const uint8_t *head,
                        size_t n, const char *path)
{
    g_autofree char *name = registry_name(g);
    const RegistryEntry *e = registry_match(c->registry, head, n);

    if (e && strcmp(e->name, name)) {
        report_problem(r, "%s: goes to another entry, %s (%s), not to calque: calque-binfmt "
                       "install %s, or echo -1 > %s/%s", path, e->name, e->interpreter, g->name,
                       c->registry->dir, e->name);
        emulator_check(r, strchr(e->flags, 'F') ? "/" : c->root, e->interpreter, e->flags);
        return;
    }
    check_guest(c, r, g);
    const RegistryEntry *own = registry_find(c->registry, name);
    if (own && own->enabled && !entry_matches(own, head, n))
        report_problem(r, "%s: its ELF header isn't quite that of a program for %s, so the "
                       "registration doesn't match", path, g->name);
}

static void check_elf(const DoctorCase *c, Report *r, const char *real, const char *path,
                      const uint8_t *head, size_t n)
{
    const BinfmtGuest *g = n >= sizeof(Elf32_Ehdr) ? guest_by_header(head, n) : NULL;
    struct stat st;

    if (!g) {
        report_problem(r, "%s: an ELF file that is cut off, or of a processor without a name here",
                       path);
        return;
    }
    uint64_t type = get(head + 16, 2, g->big_endian);
    if (type != ET_EXEC && type != ET_DYN) {
        report_problem(r, "%s: an ELF file for %s, but not a program (an object file?)", path,
                       g->name);
        return;
    }
    report_ok(r, "%s: a program for %s", path, g->name);
    g_autofree char *interp = elf_interpreter(head, n);
    if (interp)
        check_interpreter(c, r, g, interp, path);
    if (guest_is_host(g)) {
        report_ok(r, "%s: runs without an emulator", path);
        return;
    }
    if (!emulator_has_guest(c->emulator, g->name))
        report_problem(r, "%s: %s has no guest %s", path, c->emulator->path, g->name);
    else
        check_taker(c, r, g, head, n, path);
    const RegistryEntry *e = registry_match(c->registry, head, n);
    if (e && !strchr(e->flags, 'C') && stat(real, &st) == 0 && (st.st_mode & (S_ISUID | S_ISGID)))
        report_problem(r, "%s: set-uid, but %s has no flag C: it runs without its rights", path,
                       e->name);
}

static void doctor_program(const DoctorCase *c, Report *r, const char *path, int depth)
{
    uint8_t head[HEAD_BYTES];
    g_autofree char *real = path_in_root(c, path, 0);

    if (!check_file(c, r, real, path))
        return;
    size_t n = read_head(real, head);
    if (n >= 4 && !memcmp(head, ELFMAG, SELFMAG)) {
        check_elf(c, r, real, path, head, n);
    } else if (n >= 2 && !memcmp(head, "#!", 2)) {
        char *line = (char *)head + 2;
        line[strcspn(line, "\n")] = 0;
        line += strspn(line, " \t");
        bool dos = g_str_has_suffix(line, "\r");
        line[strcspn(line, " \t")] = 0;
        report_ok(r, "%s: a script for %s", path, line);
        if (dos)
            report_problem(r, "%s: its first line ends as on DOS, in a carriage return, which the "
                           "kernel takes for a part of the name", path);
        if (!*line || depth == MAX_SCRIPTS)
            report_problem(r, "%s: %s", path, *line ? "scripts interpreted by scripts, too deep"
                                                    : "no interpreter behind #!");
        else
            doctor_program(c, r, line, depth + 1);
    } else {
        report_problem(r, "%s: neither an ELF file nor a script%s", path, n ? "" : " (empty)");
    }
}

void doctor(const DoctorCase *c, Report *r)
{
    check_kernel(c, r);
    if (c->binary)
        doctor_program(c, r, c->binary, 0);
    else
        doctor_system(c, r);
}
