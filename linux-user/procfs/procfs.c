/* data plane */
/*
 * What the files of /proc that show the guest hold.
 */
#include "linux-user/procfs/procfs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "linux-user/arch/text.h"
#include "linux-user/procfs/maps.h"
#include "linux-user/procfs/other.h"
#include "linux-user/procfs/output.h"
#include "linux-user/procfs/path.h"
#include "linux-user/procfs/reread.h"
#include "linux-user/procfs/status.h"
#include "linux-user/ptrace/ptrace.h"
#include "linux-user/signal/host-syscall.h"

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

/* In the other's root, which may be another than ours. */
static long open_other_exe(pid_t pid, const char *exe, int flags)
{
    char path[PATH_MAX + 32] = "/proc/";
    Text t = {path + strlen(path), path + sizeof path - 1};
    text_add_number(&t, (uint64_t)pid, 10, 1);
    text_add(&t, "/root");
    text_add(&t, exe);
    *t.at = 0;
    return host_raw(SYS_openat, AT_FDCWD, (uintptr_t)path, flags, 0);
}

static long open_exe(const Process *p, pid_t other, int flags)
{
    if (flags & O_NOFOLLOW)
        return -ELOOP;
    return other ? open_other_exe(other, p->exe_path, flags)
                 : host_raw(SYS_openat, AT_FDCWD, (uintptr_t)p->exe_path, flags, 0);
}

/* A file of p's, whose thread is t if p is this process. */
static long open_file(Thread *t, Process *p, const ProcPath *found, int flags)
{
    ProcOutput o;
    if (found->file == PROC_EXE)
        return open_exe(p, found->other, flags);
    if ((flags & O_ACCMODE) != O_RDONLY || (flags & O_DIRECTORY))
        return flags & O_DIRECTORY ? -ENOTDIR : -EACCES;
    output_begin(&o, found->host);
    switch (found->file) {
    case PROC_NUMA_MAPS: procfs_write_numa_maps(p, &o, found->host); break;
    case PROC_ROLLUP: procfs_write_rollup(p, &o, found->host); break;
    case PROC_SYSCALL:
        procfs_write_syscall(p, &o, found->host, found->other, found->tid);
        break;
    case PROC_CMDLINE: output_guest(&o, p->arg_start, p->arg_end); break;
    case PROC_ENVIRON: output_guest(&o, p->env_start, p->env_end); break;
    case PROC_AUXV: output_guest(&o, p->auxv_start, p->auxv_start + p->auxv_bytes); break;
    case PROC_MAPS: procfs_write_maps(p, &o, found->host, false); break;
    case PROC_SMAPS: procfs_write_maps(p, &o, found->host, true); break;
    case PROC_STAT: procfs_write_stat(p, &o, found->host); break;
    case PROC_STATUS:
        procfs_write_status(p, &o, found->host, found->other, found->tid);
        break;
    case PROC_STATM: procfs_write_statm(p, &o, found->host); break;
    case PROC_LIMITS: procfs_write_limits(p, &o, found->host); break;
    case PROC_CPUINFO: write_cpuinfo(t, &o); break;
    default: break;
    }
    return output_end(&o, flags);
}

/* Of another process the kernel knows these itself (main.c, show_arguments). */
static bool is_the_hosts(ProcFile file)
{
    return file == PROC_CMDLINE || file == PROC_ENVIRON || file == PROC_AUXV || file == PROC_COMM;
}

long procfs_copy(const ProcPath *found, int flags)
{
    ProcOutput o;
    size_t n, map_bytes;
    char *text = host_file_read(found->host, &n, &map_bytes);
    if (!text)
        return -ENOENT; /* and the host's call tells why */
    output_begin(&o, found->host);
    output_bytes(&o, text, n);
    host_file_free(text, map_bytes);
    return output_end(&o, flags);
}

/*
 * Another process's, as it is at one moment: all is read again if it has executed another program
 * meanwhile. A file of the host's would show the emulator, if that process executed one of ours
 * between now and the guest's read(): natively execve changes all at once.
 */
static bool open_of_other(Thread *t, const ProcPath *found, int flags, int *ret_fd)
{
    enum { TRIES = 5 };
    OtherImage before, after;
    OtherProcess other;
    bool copies = is_the_hosts(found->file);
    for (int i = 0; i < TRIES; i++) {
        other_settle(found->other);
        other_image(found->other, &before);
        long fd = -ENOENT;
        bool ours = !copies && other_open(found->other, &other);
        if (copies) {
            fd = procfs_copy(found, flags);
        } else if (ours) {
            fd = open_file(t, &other.process, found, flags);
            other_close(&other);
        }
        other_image(found->other, &after);
        bool started = before.arg_start || !before.is_guest;
        if (started && !memcmp(&before, &after, sizeof before)) {
            *ret_fd = (int)fd;
            return ours || (copies && fd >= 0);
        }
        if (fd >= 0)
            host_raw(SYS_close, fd);
    }
    return false;
}

bool procfs_make(Thread *t, const ProcPath *found, int flags, int *ret_fd)
{
    if (found->file == PROC_PAGEMAP) {
        /* It has a word for each of the host's pages; kernels may be without it. */
        *ret_fd = -ENOENT;
        return t->process->mem->page > MEM_PAGE;
    }
    if (!found->other) {
        *ret_fd = (int)open_file(t, t->process, found, flags);
        return true;
    }
    if (is_the_hosts(found->file) && ((flags & O_ACCMODE) != O_RDONLY || (flags & O_DIRECTORY)))
        return false;
    return open_of_other(t, found, flags, ret_fd);
}

bool procfs_open(Thread *t, int dirfd, const char *path, int flags, int *ret_fd)
{
    ProcPath found;
    tracer_note_open(t->process, path, flags);
    if ((flags & O_PATH) || !proc_path_find(dirfd, path, &found) ||
        !procfs_make(t, &found, flags, ret_fd))
        return false;
    if (*ret_fd >= 0)
        procfs_note_opened(t->process, *ret_fd, &found);
    return true;
}

/* The program of the process that path names, into exe unless it is this one's own; NULL: path is
 * no such link. */
static const char *exe_of(Thread *t, int dirfd, const char *path, char *exe)
{
    ProcPath found;
    OtherProcess other;
    if (!proc_path_find(dirfd, path, &found) || found.file != PROC_EXE)
        return NULL;
    if (!found.other)
        return t->process->exe_path;
    other_settle(found.other);
    if (!other_open(found.other, &other))
        return NULL;
    strcpy(exe, other.exe_path);
    other_close(&other);
    return exe;
}

bool procfs_readlink(Thread *t, int dirfd, const char *path, char *buf, size_t size, long *ret)
{
    char storage[PATH_MAX];
    const char *exe = exe_of(t, dirfd, path, storage);
    if (!exe)
        return false;
    size_t n = strlen(exe);
    if (n > size)
        n = size;
    memcpy(buf, exe, n);
    *ret = (long)n;
    return true;
}

const char *procfs_follow(Thread *t, int dirfd, const char *path)
{
    ProcFile file = proc_file_by_name(path);
    if (__builtin_expect(file != PROC_EXE, 1))
        return path;
    if (!t->follow && !(t->follow = malloc(PATH_MAX)))
        return path;
    const char *exe = exe_of(t, dirfd, path, t->follow);
    return exe ? exe : path;
}
