/* data plane */
/* System V IPC, where the emulator has a say: shared memory is a mapping, semctl's argument is a
 * union that its command chooses from. */
#include <errno.h>
#include <sys/ipc.h>
#include <sys/sem.h>
#include <sys/shm.h>

#include "linux-user/mem/map.h"
#include "linux-user/signal/host-syscall.h"
#include "linux-user/syscalls/convert.h"
#include "syscall-tables/handlers.h"

/* An address that the guest asks for, when its pages (SHMLBA) are larger than the host's: what lies
 * behind the segment in its last page stays inaccessible. *ret_at: what the host is to be told. */
static long choose_place(Process *p, GuestAddr *at, uint64_t bytes, int *flags, bool *ret_placed)
{
    MemMap *m = p->mem;
    *ret_placed = false;
    if (*at && m->page > MEM_PAGE) {
        if (mem_misaligned(m, *at) && !(*flags & SHM_RND))
            return -EINVAL;
        *at = mem_page_down(m, *at);
        if (!*at && *flags & SHM_REMAP)
            return -EINVAL;
    }
    if (*at || !mem_places(m))
        return 0;
    long r = mem_place(m, 0, bytes, m->page);
    if (r < 0)
        return r;
    *at = (GuestAddr)r;
    *flags |= SHM_REMAP;
    *ret_placed = true;
    return 0;
}

long sys_shmat(Thread *t, const uint64_t *args)
{
    Process *p = t->process;
    struct shmid_ds ds;
    int flags = args[2];
    GuestAddr at = args[1];
    bool placed;
    long ret = host_raw(HOST_NR_SHMCTL, (int)args[0], IPC_STAT, &ds);

    if (ret < 0)
        return ret;
    /* Over the emulator's own memory nothing may be put; without SHM_REMAP the kernel refuses a
     * range in use by itself. */
    uint64_t bytes = mem_page_up(p->mem, ds.shm_segsz);
    if (args[1] && flags & SHM_REMAP && !mem_check(p->mem, args[1], bytes, 0))
        return -EINVAL;
    if (!mem_limits_allow(p, bytes, false))
        return -ENOMEM;
    /* The guest's PROT_EXEC is the translator's matter, never the host's. */
    ret = choose_place(p, &at, bytes, &flags, &placed);
    if (ret == 0)
        ret = host_raw(HOST_NR_SHMAT, (int)args[0], at, flags & ~SHM_EXEC);
    if (ret < 0 && ret > -4096) {
        if (placed)
            host_raw(SYS_munmap, at, bytes);
        return ret;
    }
    int prot =
        PROT_READ | (flags & SHM_RDONLY ? 0 : PROT_WRITE) | (flags & SHM_EXEC ? PROT_EXEC : 0);
    mem_note_mapped(p->mem, ret, bytes, prot, MEM_PLAIN, true);
    return ret;
}

/* How long the mapping was, only the kernel knows: the range that the table has here, as far as the
 * host unmapped it, which mincore() tells page by page. */
long sys_shmdt(Thread *t, const uint64_t *args)
{
    Process *p = t->process;
    MemRange range;

    if (!mem_find(p->mem, args[0], &range) || args[0] < range.start || !range.shared)
        return -EINVAL;
    long ret = host_raw(HOST_NR_SHMDT, args[0]);
    if (ret < 0)
        return ret;
    GuestAddr end = args[0];
    uint8_t there;
    while (end < range.end && host_raw(HOST_NR_MINCORE, end, MEM_PAGE, &there) == -ENOMEM)
        end += MEM_PAGE;
    if (mem_misaligned(p->mem, end)) { /* choose_place() */
        GuestAddr rest = end;
        end = mem_page_up(p->mem, end);
        host_raw(SYS_munmap, rest, end - rest);
    }
    if (end > args[0])
        mem_note_unmapped(p, args[0], end - args[0]);
    return ret;
}

long sys_semctl(Thread *t, const uint64_t *args)
{
    const SyscallTable *table = t->process->abi->syscalls;
    int cmd = args[2] & ~0x100; /* IPC_64, which 32-bit guests add */
    struct semid_ds ds;
    long ret;

    switch (cmd) {
    case IPC_STAT:
    case SEM_STAT:
    case SEM_STAT_ANY:
    case IPC_SET:
        if (table->layouts[TABLE_STRUCT_SEMID_DS].same)
            break;
        if (cmd == IPC_SET && !convert_get(table, TABLE_STRUCT_SEMID_DS, &ds, args[3]))
            return -EFAULT;
        ret = host_raw(HOST_NR_SEMCTL, args[0], args[1], cmd, &ds);
        if (ret >= 0 && cmd != IPC_SET &&
            !convert_put(table, TABLE_STRUCT_SEMID_DS, args[3], &ds))
            return -EFAULT;
        return ret;
    case GETALL:
    case SETALL:
        if (table->big_endian != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__))
            return -ENOSYS;
        break;
    case IPC_INFO:
    case SEM_INFO:
        if (table->big_endian != (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__))
            return -ENOSYS;
        break;
    case SETVAL: {
        /* The value is the union's int: the half of the word that comes first in memory. */
        bool high = table->big_endian && table->word_bytes == 8;
        return host_raw(HOST_NR_SEMCTL, args[0], args[1], cmd,
                        (uint32_t)(high ? args[3] >> 32 : args[3]));
    }
    }
    return host_raw(HOST_NR_SEMCTL, args[0], args[1], cmd, args[3]);
}
