/* data plane */
/*
 * Folders of /proc that would list what is the emulator's: /proc/PID/fd and fdinfo its hidden
 * descriptors, map_files its mappings.
 */
#include "linux-user/procfs/list.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/vfs.h>

#include "linux-user/arch/text.h"
#include "linux-user/mem/map.h"
#include "linux-user/procfs/other.h"
#include "linux-user/signal/host-syscall.h"
#include "linux-user/syscalls/hidden.h"
#include "translator/memory/own-pages.h"

typedef enum ListKind { LIST_PLAIN, LIST_FDS, LIST_MAPPINGS } ListKind;

typedef struct ListFilter {
    ListKind kind;
    const Process *process;
    const MemRange *ranges;
    size_t n_ranges;
} ListFilter;

/* As the kernel writes it; the fields before the name are all that is used. */
typedef struct DirEntry {
    uint64_t inode;
    int64_t offset;
    uint16_t bytes;
    uint8_t type;
    char name[37]; /* "START-END" at most */
} DirEntry;

enum { ENTRY_HEAD = 19 };

static uint64_t parse(const char *s, unsigned base)
{
    uint64_t v = 0;
    for (;; s++) {
        unsigned d = *s >= '0' && *s <= '9'   ? (unsigned)(*s - '0')
                     : *s >= 'a' && *s <= 'f' ? (unsigned)(*s - 'a' + 10)
                                              : 16;
        if (d >= base)
            return v;
        v = v * base + d;
    }
}

/* Which list fd is, and of which process. */
static ListKind list_kind(int fd, pid_t *ret_pid)
{
    struct statfs fs;
    char link[40] = "/proc/self/fd/", path[128];
    Text t = {link + strlen(link), link + sizeof link - 1};
    if (host_raw(SYS_fstatfs, fd, (uintptr_t)&fs) < 0 || fs.f_type != PROC_SUPER_MAGIC)
        return LIST_PLAIN;
    text_add_number(&t, (unsigned)fd, 10, 1);
    *t.at = 0;
    long n = host_raw(SYS_readlinkat, AT_FDCWD, (uintptr_t)link, (uintptr_t)path, sizeof path - 1);
    if (n <= 0)
        return LIST_PLAIN;
    path[n] = 0;
    char *name = strrchr(path, '/');
    ListKind kind = !strcmp(name, "/fd") || !strcmp(name, "/fdinfo") ? LIST_FDS
                    : !strcmp(name, "/map_files")                    ? LIST_MAPPINGS
                                                                     : LIST_PLAIN;
    /* …/PID/fd, …/PID/task/TID/fd */
    *name = 0;
    char *number = strrchr(path, '/');
    *ret_pid = number ? (pid_t)parse(number + 1, 10) : 0;
    return kind;
}

static bool is_hidden(const ListFilter *f, const char *name)
{
    if (*name == '.')
        return false;
    if (f->kind == LIST_FDS)
        return hidden_fd_has(f->process, (int)parse(name, 10));
    uint64_t start = parse(name, 16);
    size_t low = 0, high = f->n_ranges;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (f->ranges[middle].end <= start)
            low = middle + 1;
        else
            high = middle;
    }
    return low == f->n_ranges || f->ranges[low].start > start;
}

/* What is left of n bytes at buf, or -EFAULT. */
static long take_out(const ListFilter *f, GuestAddr buf, long n)
{
    long kept = 0;
    uint8_t copy[280];
    for (long at = 0; at + ENTRY_HEAD <= n;) {
        DirEntry e = {0};
        size_t head = (size_t)(n - at) < sizeof e ? (size_t)(n - at) : sizeof e;
        if (!mem_read(&e, buf + (GuestAddr)at, head))
            return -EFAULT;
        e.name[sizeof e.name - 1] = 0;
        if (e.bytes < ENTRY_HEAD || e.bytes > sizeof copy || e.bytes > n - at)
            return n;
        if (!is_hidden(f, e.name)) {
            if (kept != at && (!mem_read(copy, buf + (GuestAddr)at, e.bytes) ||
                               !mem_write(buf + (GuestAddr)kept, copy, e.bytes)))
                return -EFAULT;
            kept += e.bytes;
        }
        at += e.bytes;
    }
    return kept;
}

static long filter(ListFilter *f, GuestAddr buf, long n)
{
    size_t map_bytes = 0;
    MemRange *ranges = NULL;
    if (f->kind == LIST_MAPPINGS) {
        ranges = mem_snapshot(f->process->mem, &f->n_ranges, &map_bytes);
        f->ranges = ranges;
    }
    n = take_out(f, buf, n);
    own_pages_unmap(ranges, map_bytes);
    return n;
}

long procfs_list(Thread *t, int fd, GuestAddr buf, long n)
{
    pid_t pid;
    OtherProcess other;
    ListFilter f = {.kind = list_kind(fd, &pid), .process = t->process};
    if (f.kind == LIST_PLAIN)
        return n;
    if (host_raw(SYS_tgkill, host_raw(SYS_getpid), pid, 0) == 0)
        return filter(&f, buf, n);
    if (!other_open(pid, &other))
        return n;
    f.process = &other.process;
    n = filter(&f, buf, n);
    other_close(&other);
    return n;
}
