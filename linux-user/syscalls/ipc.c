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

static uint64_t page_round(uint64_t n) { return (n + MEM_PAGE - 1) & ~(uint64_t)(MEM_PAGE - 1); }

long sys_shmat(Thread *t, const uint64_t *args)
{
    Process *p = t->process;
    struct shmid_ds ds;
    int flags = args[2];
    long ret = host_raw(HOST_NR_SHMCTL, (int)args[0], IPC_STAT, &ds);

    if (ret < 0)
        return ret;
    /* Over the emulator's own memory nothing may be put; without SHM_REMAP the kernel refuses a
     * range in use by itself. */
    uint64_t bytes = page_round(ds.shm_segsz);
    if (args[1] && flags & SHM_REMAP && !mem_check(p->mem, args[1], bytes, 0))
        return -EINVAL;
    if (!mem_limits_allow(p, bytes, false))
        return -ENOMEM;
    /* The guest's PROT_EXEC is the translator's matter, never the host's. */
    long placed = !args[1] && p->mem->end ? mem_place(p->mem, 0, bytes, MEM_PAGE) : 0;
    if (placed < 0)
        return placed;
    ret = host_raw(HOST_NR_SHMAT, (int)args[0], placed ? (uint64_t)placed : args[1],
                   (flags & ~SHM_EXEC) | (placed ? SHM_REMAP : 0));
    if (ret < 0 && ret > -4096) {
        if (placed)
            host_raw(SYS_munmap, placed, bytes);
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
