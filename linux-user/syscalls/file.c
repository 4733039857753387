/* data plane */
/* Files by name, where the emulator has a say: opening and reading links. The rest of the subject
 * goes by the tables. */
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <linux/openat2.h>
#include <string.h>

#include "linux-user/load/prefix.h"
#include "linux-user/mem/map.h"
#include "linux-user/procfs/list.h"
#include "linux-user/procfs/procfs.h"
#include "linux-user/signal/host-syscall.h"
#include "linux-user/syscalls/convert.h"
#include "syscall-tables/handlers.h"

/*
 * The path to open, or NULL with *ret the result: /proc's files of the guest are made by procfs.
 * Below the prefix only what is read is looked for: a file to write is the user's own.
 */
static const char *open_path(Thread *t, int dirfd, GuestAddr path, uint64_t flags, char *buf,
                             long *ret)
{
    char text[PATH_MAX];
    long n = mem_read_string(text, path, sizeof text);
    int fd;

    if (n <= 0)
        return mem_host(path);
    if (procfs_open(t, dirfd, text, flags, &fd)) {
        *ret = fd;
        return NULL;
    }
    const char *found = flags & O_NOFOLLOW ? text : procfs_follow(t, dirfd, text);
    if (found == text && (flags & (O_ACCMODE | O_CREAT | O_TRUNC)) == O_RDONLY)
        found = prefix_lookup(t->process, text, buf, PATH_MAX);
    if (found == text)
        return mem_host(path);
    if (found != buf) {
        size_t len = strlen(found);
        if (len >= PATH_MAX) {
            *ret = -ENAMETOOLONG;
            return NULL;
        }
        memcpy(buf, found, len + 1);
    }
    return buf;
}

long sys_openat(Thread *t, const uint64_t *args)
{
    uint64_t flags = convert_set_to_host(t->process->abi->syscalls, TABLE_SET_OPEN,
                                         (uint32_t)args[2]);
    char buf[PATH_MAX];
    long ret;
    const char *path = open_path(t, args[0], args[1], flags, buf, &ret);

    if (!path)
        return ret;
    return host_syscall(t, HOST_NR_OPENAT, args[0], (uintptr_t)path, flags, args[3], 0, 0);
}

/* Reads an extensible structure of a call (openat2, clone3 …) as copy_struct_from_user() does: what
 * is longer than the emulator knows must be zero. */
static long extensible_get(void *dst, size_t known, GuestAddr src, uint64_t size)
{
    uint8_t rest[256];

    memset(dst, 0, known);
    if (!mem_read(dst, src, size < known ? size : known))
        return -EFAULT;
    for (uint64_t at = known; at < size; at += sizeof rest) {
        size_t n = size - at < sizeof rest ? size - at : sizeof rest;
        if (!mem_read(rest, src + at, n))
            return -EFAULT;
        for (size_t i = 0; i < n; i++)
            if (rest[i])
                return -E2BIG;
    }
    return 0;
}

long sys_openat2(Thread *t, const uint64_t *args)
{
    const SyscallTable *table = t->process->abi->syscalls;
    uint8_t guest[sizeof(struct open_how)];
    struct open_how how;
    char buf[PATH_MAX];
    long ret;

    if (args[3] < sizeof how)
        return -EINVAL;
    if (args[3] > MEM_PAGE)
        return -E2BIG;
    ret = extensible_get(guest, sizeof guest, args[2], args[3]);
    if (ret < 0)
        return ret;
    convert_to_host(table, TABLE_STRUCT_OPEN_HOW, &how, guest);
    /* A path that is confined to a directory means what it says. */
    const char *path = how.resolve
                           ? mem_host(args[1])
                           : open_path(t, args[0], args[1], how.flags, buf, &ret);
    if (!path)
        return ret;
    return host_syscall(t, HOST_NR_OPENAT2, args[0], (uintptr_t)path, (uintptr_t)&how, sizeof how,
                        0, 0);
}

long sys_readlinkat(Thread *t, const uint64_t *args)
{
    char text[PATH_MAX], target[PATH_MAX], buf[PATH_MAX];
    int size = args[3];
    long ret;

    if (size > 0 && mem_read_string(text, args[1], sizeof text) > 0 &&
        procfs_readlink(t, args[0], text, target, size < PATH_MAX ? size : PATH_MAX, &ret)) {
        if (ret > 0 && !mem_write(args[2], target, ret))
            return -EFAULT;
        return ret;
    }
    const char *path = path_lookup(t, args[0], args[1], false, buf);
    return host_syscall(t, HOST_NR_READLINKAT, args[0], (uintptr_t)path, args[2], args[3], 0, 0);
}

long sys_getdents64(Thread *t, const uint64_t *args)
{
    long n, kept = 0;

    /* Entries of the other byte order would have to be converted. */
    if (t->process->abi->syscalls->big_endian != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__))
        return -ENOSYS;
    do {
        n = host_syscall(t, HOST_NR_GETDENTS64, args[0], args[1], args[2], 0, 0, 0);
        kept = n > 0 ? procfs_list(t, args[0], args[1], n) : n;
    } while (n > 0 && kept == 0);
    return kept;
}
