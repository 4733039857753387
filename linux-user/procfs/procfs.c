/* data plane */
/*
 * Which paths are files of /proc that show the guest, and what they hold.
 */
#include "linux-user/procfs/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <string.h>
#include <unistd.h>

#include "linux-user/arch/text.h"
#include "linux-user/procfs/maps.h"
#include "linux-user/procfs/output.h"
#include "linux-user/ptrace/ptrace.h"
#include "linux-user/signal/host-syscall.h"

typedef enum ProcFile {
    PROC_NONE, PROC_EXE, PROC_CMDLINE, PROC_ENVIRON, PROC_AUXV, PROC_MAPS, PROC_SMAPS, PROC_STAT,
    PROC_CPUINFO,
} ProcFile;

static const struct { const char *name; ProcFile file; } names[] = {
    {"exe", PROC_EXE}, {"cmdline", PROC_CMDLINE}, {"environ", PROC_ENVIRON}, {"auxv", PROC_AUXV},
    {"maps", PROC_MAPS}, {"smaps", PROC_SMAPS}, {"stat", PROC_STAT}, {"cpuinfo", PROC_CPUINFO},
};

typedef struct ProcPath {
    ProcFile file;
    char host[64]; /* /proc/self/NAME or /proc/self/task/TID/NAME */
} ProcPath;

/* By the last component: most paths end here. */
static ProcFile file_by_name(const char *path)
{
    const char *base = strrchr(path, '/');
    base = base ? base + 1 : path;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!strcmp(base, names[i].name))
            return names[i].file;
    return PROC_NONE;
}

/* Joins and simplifies: no "//", "/./"; ".." takes a component away, which within /proc/self is
 * what it does. False: doesn't fit. */
static bool simplify(char *out, size_t size, size_t n, const char *path)
{
    while (*path) {
        size_t m = strcspn(path, "/");
        if (m == 2 && path[0] == '.' && path[1] == '.') {
            while (n && out[--n] != '/')
                ;
        } else if (m && !(m == 1 && path[0] == '.')) {
            if (n + m + 2 > size)
                return false;
            out[n++] = '/';
            memcpy(out + n, path, m);
            n += m;
        }
        path += m;
        path += *path == '/';
    }
    out[n] = 0;
    return true;
}

static bool absolute_path(int dirfd, const char *path, char *out, size_t size)
{
    char link[40] = "/proc/self/fd/", base[PATH_MAX];
    if (path[0] == '/')
        return simplify(out, size, 0, path);
    if (dirfd == AT_FDCWD) {
        strcpy(link, "/proc/self/cwd");
    } else if (dirfd < 0) {
        return false;
    } else {
        Text t = {link + strlen(link), link + sizeof link - 1};
        text_add_number(&t, (unsigned)dirfd, 10, 1);
        *t.at = 0;
    }
    long n = host_raw(SYS_readlinkat, AT_FDCWD, (uintptr_t)link, (uintptr_t)base, sizeof base - 1);
    if (n <= 0)
        return false;
    base[n] = 0;
    /* The host's /proc/self is named by the process's number there. */
    if (strncmp(base, "/proc", 5) || !simplify(out, size, 0, base))
        return false;
    return simplify(out, size, strlen(out), path);
}

static long parse_id(const char *s, const char **ret_end)
{
    long v = 0;
    const char *p = s;
    while (*p >= '0' && *p <= '9' && p - s < 10)
        v = v * 10 + (*p++ - '0');
    *ret_end = p;
    return p == s ? -1 : v;
}

static bool is_own_thread(long id)
{
    return host_raw(SYS_tgkill, host_raw(SYS_getpid), id, 0) == 0;
}

/* Behind "/proc/": "self/", "thread-self/", "ID/" of one of our threads; *ret_rest behind it. */
static bool skip_process(const char *s, const char **ret_rest, long *ret_tid)
{
    const char *end;
    *ret_tid = 0;
    if (!strncmp(s, "self/", 5)) {
        *ret_rest = s + 5;
        return true;
    }
    if (!strncmp(s, "thread-self/", 12)) {
        *ret_rest = s + 12;
        *ret_tid = host_raw(SYS_gettid);
        return true;
    }
    long id = parse_id(s, &end);
    if (id <= 0 || *end != '/' || !is_own_thread(id))
        return false;
    *ret_rest = end + 1;
    return true;
}

static bool recognize(int dirfd, const char *path, ProcPath *ret)
{
    char full[PATH_MAX];
    const char *rest;
    long tid;
    ProcFile file = file_by_name(path);
    if (file == PROC_NONE || !absolute_path(dirfd, path, full, sizeof full) ||
        strncmp(full, "/proc/", 6))
        return false;
    if (file == PROC_CPUINFO) {
        ret->file = file;
        return !strcmp(full, "/proc/cpuinfo");
    }
    if (!skip_process(full + 6, &rest, &tid))
        return false;
    if (!strncmp(rest, "task/", 5)) {
        const char *end;
        tid = parse_id(rest + 5, &end);
        if (tid <= 0 || *end != '/' || !is_own_thread(tid))
            return false;
        rest = end + 1;
    }
    if (strchr(rest, '/'))
        return false;
    Text t = {ret->host, ret->host + sizeof ret->host - 1};
    text_add(&t, "/proc/self/");
    if (tid) {
        text_add(&t, "task/");
        text_add_number(&t, (uint64_t)tid, 10, 1);
        text_add(&t, "/");
    }
    text_add(&t, rest);
    *t.at = 0;
    ret->file = file;
    return true;
}

/* One block for each processor that the guest may run on. */
static void write_cpuinfo(Thread *t, ProcOutput *o)
{
    char text[4096];
    unsigned long set[128] = {0};
    long n = host_raw(SYS_sched_getaffinity, 0, sizeof set, (uintptr_t)set);
    unsigned count = 0;
    for (long i = 0; i < n / (long)sizeof *set; i++)
        count += (unsigned)__builtin_popcountl(set[i]);
    for (unsigned cpu = 0; cpu < (count ? count : 1); cpu++)
        output_bytes(o, text, t->process->abi->cpuinfo(t, cpu, text, sizeof text));
}

bool procfs_open(Thread *t, int dirfd, const char *path, int flags, int *ret_fd)
{
    Process *p = t->process;
    ProcPath found;
    ProcOutput o;
    tracer_note_open(p, path, flags);
    if ((flags & O_PATH) || !recognize(dirfd, path, &found))
        return false;
    if (found.file == PROC_EXE) {
        *ret_fd = flags & O_NOFOLLOW ? -ELOOP
                                     : (int)host_raw(SYS_openat, AT_FDCWD, (uintptr_t)p->exe_path,
                                                     flags, 0);
        return true;
    }
    if ((flags & O_ACCMODE) != O_RDONLY || (flags & O_DIRECTORY)) {
        *ret_fd = flags & O_DIRECTORY ? -ENOTDIR : -EACCES;
        return true;
    }
    output_begin(&o, path);
    switch (found.file) {
    case PROC_CMDLINE: output_guest(&o, p->arg_start, p->arg_end); break;
    case PROC_ENVIRON: output_guest(&o, p->env_start, p->env_end); break;
    case PROC_AUXV: output_guest(&o, p->auxv_start, p->auxv_start + p->auxv_bytes); break;
    case PROC_MAPS: procfs_write_maps(p, &o, false); break;
    case PROC_SMAPS: procfs_write_maps(p, &o, true); break;
    case PROC_STAT: procfs_write_stat(p, &o, found.host); break;
    case PROC_CPUINFO: write_cpuinfo(t, &o); break;
    default: break;
    }
    *ret_fd = (int)output_end(&o, flags);
    return true;
}

bool procfs_readlink(Thread *t, int dirfd, const char *path, char *buf, size_t size, long *ret)
{
    ProcPath found;
    if (!recognize(dirfd, path, &found) || found.file != PROC_EXE)
        return false;
    size_t n = strlen(t->process->exe_path);
    if (n > size)
        n = size;
    memcpy(buf, t->process->exe_path, n);
    *ret = (long)n;
    return true;
}

const char *procfs_follow(Thread *t, int dirfd, const char *path)
{
    ProcPath found;
    return recognize(dirfd, path, &found) && found.file == PROC_EXE ? t->process->exe_path : path;
}
