/* data plane */
#include "linux-user/procfs/path.h"

#include <fcntl.h>
#include <linux/limits.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "linux-user/arch/text.h"
#include "linux-user/signal/host-syscall.h"

static const struct { const char *name; ProcFile file; } names[] = {
    {"exe", PROC_EXE}, {"cmdline", PROC_CMDLINE}, {"environ", PROC_ENVIRON}, {"auxv", PROC_AUXV},
    {"maps", PROC_MAPS}, {"smaps", PROC_SMAPS}, {"stat", PROC_STAT}, {"cpuinfo", PROC_CPUINFO},
    {"status", PROC_STATUS}, {"statm", PROC_STATM}, {"limits", PROC_LIMITS},
    {"comm", PROC_COMM}, {"numa_maps", PROC_NUMA_MAPS}, {"smaps_rollup", PROC_ROLLUP},
    {"syscall", PROC_SYSCALL}, {"pagemap", PROC_PAGEMAP},
};

/* By the last component: most paths end here. */
ProcFile proc_file_by_name(const char *path)
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

/* Behind "/proc/": "self/", "thread-self/", "ID/"; *ret_rest behind it. */
static bool skip_process(const char *s, const char **ret_rest, long *ret_tid, pid_t *ret_other)
{
    const char *end;
    *ret_tid = *ret_other = 0;
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
    if (id <= 0 || *end != '/')
        return false;
    if (!is_own_thread(id))
        *ret_other = (pid_t)id;
    *ret_rest = end + 1;
    return true;
}

static void host_name(ProcPath *p, const char *name)
{
    Text t = {p->host, p->host + sizeof p->host - 1};
    text_add(&t, "/proc/");
    if (p->other)
        text_add_number(&t, (uint64_t)p->other, 10, 1);
    else
        text_add(&t, "self");
    if (p->task) {
        text_add(&t, "/task/");
        text_add_number(&t, (uint64_t)p->task, 10, 1);
    }
    text_add(&t, "/");
    text_add(&t, name);
    *t.at = 0;
}

/* Where a folder of some mount of proc is, as if that were /proc; with the last component of path
 * behind it. */
static bool mounted_path(int dirfd, const char *path, char *out, size_t size)
{
    char parent[PATH_MAX], link[40] = "/proc/self/fd/";
    const char *name = strrchr(path, '/');
    size_t n = name ? (size_t)(name - path) + 1 : 0;
    struct statfs fs;
    struct stat st;
    if (n >= sizeof parent)
        return false;
    memcpy(parent, n ? path : ".", n ? n : 1);
    parent[n ? n : 1] = 0;
    long fd = host_raw(SYS_openat, dirfd, (uintptr_t)parent, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0)
        return false;
    Text t = {link + strlen(link), link + sizeof link - 1};
    text_add_number(&t, (unsigned)fd, 10, 1);
    *t.at = 0;
    bool is_proc = host_raw(SYS_fstatfs, fd, (uintptr_t)&fs) == 0 &&
                   fs.f_type == PROC_SUPER_MAGIC && host_raw(SYS_fstat, fd, (uintptr_t)&st) == 0;
    long m = is_proc ? host_raw(SYS_readlinkat, AT_FDCWD, (uintptr_t)link, (uintptr_t)parent,
                                sizeof parent - 1) : -1;
    host_raw(SYS_close, fd);
    if (m <= 0)
        return false;
    parent[m] = 0;
    /* The root, or …/PID, …/PID/task/TID: anything else is none of ours. */
    const char *last = strrchr(parent, '/');
    if (st.st_ino == 1 /* PROC_ROOT_INO */)
        last = "";
    else if (last - parent > 5 && !strncmp(last - 5, "/task", 5))
        for (last -= 5; last > parent && *--last != '/';)
            ;
    Text o = {out, out + size - 1};
    text_add(&o, "/proc");
    text_add(&o, last);
    text_add(&o, "/");
    text_add(&o, name ? name + 1 : path);
    *o.at = 0;
    return true;
}

bool proc_path_find(int dirfd, const char *path, ProcPath *ret)
{
    char full[PATH_MAX];
    const char *rest;
    long tid;
    ProcFile file = proc_file_by_name(path);
    ret->other = 0;
    if (file == PROC_NONE)
        return false;
    if ((!absolute_path(dirfd, path, full, sizeof full) || strncmp(full, "/proc/", 6)) &&
        !mounted_path(dirfd, path, full, sizeof full))
        return false;
    ret->file = file;
    if (file == PROC_CPUINFO)
        return !strcmp(full, "/proc/cpuinfo");
    if (!skip_process(full + 6, &rest, &tid, &ret->other))
        return false;
    if (!ret->other && file == PROC_COMM)
        return false;
    if (!strncmp(rest, "task/", 5)) {
        const char *end;
        tid = parse_id(rest + 5, &end);
        if (tid <= 0 || *end != '/' || (!ret->other && !is_own_thread(tid)))
            return false;
        rest = end + 1;
    }
    if (strchr(rest, '/'))
        return false;
    ret->task = (pid_t)tid;
    ret->tid = (pid_t)(tid ? tid : ret->other ? ret->other : host_raw(SYS_getpid));
    host_name(ret, rest);
    return true;
}

void proc_path_of(ProcFile file, pid_t pid, pid_t tid, ProcPath *ret)
{
    const char *name = "";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].file == file)
            name = names[i].name;
    *ret = (ProcPath){ .file = file, .other = is_own_thread(pid) ? 0 : pid,
                       .tid = tid ? tid : pid, .task = tid };
    host_name(ret, name);
}
