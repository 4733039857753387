/* data plane */
#include "linux-user/procfs/reread.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "linux-user/signal/host-syscall.h"

/*
 * Without a lock, since a fork may come at any time: `fd` is set last and taken away first. What
 * it says may be outdated (closed by a dup2() in a child that shares the memory, say), so the
 * file's identity tells whether it is still this one.
 */
typedef struct Opened {
    atomic_int fd;     /* and 1; 0: free; -1: being filled */
    atomic_bool old;   /* it was read, or something else was done, since its text was made */
    uint8_t file;      /* ProcFile */
    pid_t pid, tid;    /* tid: 0 or of task/TID */
    dev_t device;
    ino_t inode;
} Opened;

enum { N_OPENED = 16 };
static Opened opened[N_OPENED];
static atomic_uint next_opened;

static bool is_of(const Opened *o, uint64_t fd)
{
    int n = (int)fd;
    return n >= 0 && n < INT_MAX && atomic_load(&o->fd) == n + 1;
}

/* The file itself, whatever its descriptor's number. */
static bool is_still(const Opened *o, int fd)
{
    struct stat st;
    return host_raw(SYS_fstat, fd, (uintptr_t)&st) == 0 && st.st_dev == o->device &&
           st.st_ino == o->inode;
}

static bool take_away(Process *p, Opened *o, int fd)
{
    int held = fd + 1;
    if (!atomic_compare_exchange_strong(&o->fd, &held, 0))
        return false;
    atomic_fetch_sub(&p->n_proc_files, 1);
    return true;
}

/* A free entry, else the next one's in turn; NULL: all are being filled. */
static Opened *claim(Process *p)
{
    for (unsigned turn = 0; turn < 2 * N_OPENED; turn++) {
        Opened *o = &opened[atomic_fetch_add(&next_opened, 1) % N_OPENED];
        int held = 0;
        if (turn >= N_OPENED && (held = atomic_load(&o->fd)) > 0)
            take_away(p, o, held - 1);
        held = 0;
        if (atomic_compare_exchange_strong(&o->fd, &held, -1))
            return o;
    }
    return NULL;
}

void procfs_note_closed(Process *p, unsigned first, unsigned last)
{
    if (!atomic_load_explicit(&p->n_proc_files, memory_order_relaxed))
        return;
    for (Opened *o = opened; o < opened + N_OPENED; o++) {
        int fd = atomic_load(&o->fd) - 1;
        if (fd >= 0 && (unsigned)fd >= first && (unsigned)fd <= last)
            take_away(p, o, fd);
    }
}

void procfs_note_opened(Process *p, int fd, const ProcPath *found)
{
    struct stat st;
    if (found->file == PROC_EXE || found->file == PROC_CPUINFO)
        return;
    procfs_note_closed(p, (unsigned)fd, (unsigned)fd);
    Opened *o = host_raw(SYS_fstat, fd, (uintptr_t)&st) == 0 ? claim(p) : NULL;
    if (!o)
        return;
    o->file = (uint8_t)found->file;
    o->pid = (pid_t)(found->other ? found->other : host_raw(SYS_getpid));
    o->tid = found->task;
    o->device = st.st_dev;
    o->inode = st.st_ino;
    atomic_store(&o->old, false);
    atomic_fetch_add(&p->n_proc_files, 1);
    atomic_store(&o->fd, fd + 1);
}

/* What `from` has becomes all that `to` has. */
static long replace_text(int to, int from)
{
    char part[4096];
    long done = 0, n;
    while ((n = host_raw(SYS_read, from, (uintptr_t)part, sizeof part)) > 0) {
        long r = host_raw(SYS_pwrite64, to, (uintptr_t)part, n, done);
        if (r != n)
            return r < 0 ? r : -EIO;
        done += n;
    }
    return n < 0 ? n : host_raw(SYS_ftruncate, to, done);
}

static long make_anew(Thread *t, const Opened *o, int to)
{
    ProcPath path;
    int fd;
    proc_path_of(o->file, o->pid, o->tid, &path);
    if (!procfs_make(t, &path, O_RDONLY | O_CLOEXEC, &fd))
        fd = (int)procfs_copy(&path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fd == -ENOENT ? -ESRCH : fd;
    long r = replace_text(to, fd);
    host_raw(SYS_close, fd);
    return r;
}

/* The descriptor is the guest's, which may close it meanwhile: so the file that is written is that
 * of a descriptor of our own, once it has been looked at. */
static long reread(Thread *t, Opened *o, int fd)
{
    long r = 0, mine = host_raw(SYS_fcntl, fd, F_DUPFD_CLOEXEC, 0);
    if (mine < 0)
        return 0;
    if (!is_still(o, (int)mine))
        take_away(t->process, o, fd);
    else if (atomic_exchange(&o->old, true))
        r = make_anew(t, o, (int)mine);
    host_raw(SYS_close, mine);
    return r;
}

typedef enum CallKind { CALL_READS, CALL_LOOKS, CALL_DOES } CallKind;

/* Between open() and read() are mostly such calls as change nothing that files of /proc show. */
static CallKind kind_of(long host_nr)
{
    switch (host_nr) {
    case SYS_read: case SYS_pread64: case SYS_readv: case SYS_preadv: case SYS_preadv2:
        return CALL_READS;
    case SYS_open: case SYS_openat: case SYS_openat2: case SYS_close: case SYS_lseek: case SYS_stat:
    case SYS_lstat: case SYS_fstat: case SYS_newfstatat: case SYS_statx: case SYS_ioctl:
    case SYS_fcntl: case SYS_getdents64: case SYS_readlinkat: case SYS_write: case SYS_fadvise64:
        return CALL_LOOKS;
    default:
        return CALL_DOES;
    }
}

static bool reads_start(long host_nr, const uint64_t *args)
{
    bool at = host_nr == SYS_pread64 || host_nr == SYS_preadv || host_nr == SYS_preadv2;
    if (at && !(host_nr == SYS_preadv2 && args[3] == UINT64_MAX))
        return args[3] == 0;
    return host_raw(SYS_lseek, (int)args[0], 0, SEEK_CUR) == 0;
}

long procfs_before_call(Thread *t, long host_nr, const uint64_t *args)
{
    CallKind kind = kind_of(host_nr);
    for (Opened *o = opened; o < opened + N_OPENED && kind != CALL_LOOKS; o++) {
        if (kind == CALL_DOES)
            atomic_store_explicit(&o->old, true, memory_order_relaxed);
        else if (is_of(o, args[0]))
            return reads_start(host_nr, args) ? reread(t, o, (int)args[0]) : 0;
    }
    return 0;
}

int procfs_host_file(long host_nr, const uint64_t *args)
{
    bool asks = host_nr == SYS_fstat || host_nr == SYS_fstatfs ||
                (host_nr == SYS_newfstatat && args[3] & AT_EMPTY_PATH) ||
                (host_nr == SYS_statx && args[2] & AT_EMPTY_PATH);
    for (Opened *o = opened; asks && o < opened + N_OPENED; o++) {
        ProcPath path;
        if (!is_of(o, args[0]) || !is_still(o, (int)args[0]))
            continue;
        proc_path_of(o->file, o->pid, o->tid, &path);
        long fd = host_raw(SYS_openat, AT_FDCWD, (uintptr_t)path.host, O_PATH | O_CLOEXEC, 0);
        return fd < 0 ? -1 : (int)fd;
    }
    return -1;
}
