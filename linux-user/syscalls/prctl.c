/* data plane */
/*
 * prctl. Options about the process as the kernel has it go to the kernel; those about what the
 * emulator keeps for the guest (its layout in memory, filters, threads' words) are answered here;
 * those of a processor by linux-user/arch/.
 */
#include <errno.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>

#include "linux-user/mem/map.h"
#include "linux-user/seccomp/seccomp.h"
#include "linux-user/seccomp/user-dispatch.h"
#include "linux-user/signal/host-syscall.h"
#include "linux-user/syscalls/convert.h"
#include "syscall-tables/handlers.h"

/* Newer than the headers that this may be built with. */
enum {
    SYSCALL_USER_DISPATCH = 59, SET_MDWE = 65, GET_MDWE = 66,
    SET_MEMORY_MERGE = 67, GET_MEMORY_MERGE = 68, TIMER_CREATE_RESTORE_IDS = 77, FUTEX_HASH = 78,
    SET_VMA = 0x53564d41, GET_AUXV = 0x41555856,
};

static long set_name(Thread *t, GuestAddr at)
{
    char name[16] = {0};
    /* The kernel takes 15 bytes and cuts. */
    long n = mem_read_string(name, at, sizeof name - 1);
    if (n == -EFAULT)
        return n;
    name[sizeof name - 1] = 0;
    memcpy(t->comm, name, sizeof name);
    return host_raw(SYS_prctl, PR_SET_NAME, (uintptr_t)name);
}

static long get_auxv(Thread *t, const uint64_t *args)
{
    const Process *p = t->process;
    uint8_t aux[1024];
    uint64_t n = p->auxv_bytes < sizeof aux ? p->auxv_bytes : sizeof aux;
    if (args[3] || args[4])
        return -EINVAL;
    if (!mem_read(aux, p->auxv_start, n) ||
        !mem_write(args[1], aux, args[2] < n ? args[2] : n))
        return -EFAULT;
    return (long)p->auxv_bytes;
}

/* ---- PR_SET_MM ---- */

static long unimp_mm(int what)
{
    if (log_on(LOG_UNIMP))
        log_write("prctl: PR_SET_MM, field %d isn't there\n", what);
    return -EINVAL;
}

/* The kernel checks the address and shows it in /proc to others; the emulator does to the guest. */
static long set_mm_field(Process *p, const uint64_t *args)
{
    GuestAddr *fields[] = {
        [PR_SET_MM_START_CODE] = &p->code_start, [PR_SET_MM_END_CODE] = &p->code_end,
        [PR_SET_MM_START_STACK] = &p->start_sp,
        [PR_SET_MM_ARG_START] = &p->arg_start, [PR_SET_MM_ARG_END] = &p->arg_end,
        [PR_SET_MM_ENV_START] = &p->env_start, [PR_SET_MM_ENV_END] = &p->env_end,
    };
    unsigned field = args[1];
    long r = host_raw(SYS_prctl, args[0], args[1], args[2], args[3], args[4]);
    if (r == 0 && field < sizeof fields / sizeof *fields && fields[field])
        *fields[field] = args[2];
    return r;
}

/* All of them at once, but for the heap: the kernel's idea of that is the emulator's heap. */
static long set_mm_map(Thread *t, const uint64_t *args)
{
    Process *p = t->process;
    struct prctl_mm_map map;
    if (!t->process->abi->syscalls->like_host)
        return -EINVAL;
    if (args[3] != sizeof map)
        return -EINVAL;
    if (!mem_get(&map, args[2]))
        return -EFAULT;
    if (map.start_brk != p->mem->brk_start || map.brk != p->mem->brk || map.exe_fd != UINT32_MAX)
        return unimp_mm(PR_SET_MM_MAP);
    map.start_brk = map.brk = (uint64_t)host_raw(SYS_brk, 0);
    long r = host_raw(SYS_prctl, PR_SET_MM, PR_SET_MM_MAP, (uintptr_t)&map, sizeof map, 0);
    if (r == 0) {
        p->arg_start = map.arg_start;
        p->arg_end = map.arg_end;
        p->env_start = map.env_start;
        p->env_end = map.env_end;
    }
    return r;
}

static long set_mm(Thread *t, const uint64_t *args)
{
    switch (args[1]) {
    case PR_SET_MM_START_CODE: case PR_SET_MM_END_CODE: case PR_SET_MM_START_DATA:
    case PR_SET_MM_END_DATA: case PR_SET_MM_START_STACK: case PR_SET_MM_ARG_START:
    case PR_SET_MM_ARG_END: case PR_SET_MM_ENV_START: case PR_SET_MM_ENV_END:
        return set_mm_field(t->process, args);
    case PR_SET_MM_MAP:
        return set_mm_map(t, args);
    case PR_SET_MM_START_BRK: case PR_SET_MM_BRK: case PR_SET_MM_AUXV: case PR_SET_MM_EXE_FILE:
        return unimp_mm((int)args[1]);
    default:
        return host_raw(SYS_prctl, args[0], args[1], args[2], args[3], args[4]);
    }
}

/* ---- memory that is written is never executed ---- */

/* kernel/sys.c, prctl_set_mdwe. The host's kernel isn't told: the emulator makes code. */
static long set_mdwe(Process *p, const uint64_t *args)
{
    enum { REFUSE_EXEC_GAIN = 1, NO_INHERIT = 2 };
    uint64_t bits = args[1];
    if (args[2] || args[3] || args[4] || bits & ~UINT64_C(3) || bits == NO_INHERIT)
        return -EINVAL;
    mem_change_begin(p->mem);
    long r = p->mdwe && p->mdwe != bits ? -EPERM : 0;
    if (r == 0)
        p->mdwe = (uint8_t)bits;
    mem_change_end(p->mem);
    return r;
}

static long get_mdwe(const Process *p, const uint64_t *args)
{
    return args[1] || args[2] || args[3] || args[4] ? -EINVAL : p->mdwe;
}

/* ---- the call ---- */

static bool is_the_kernels(int option)
{
    switch (option) {
    case PR_GET_NAME: case PR_SET_PDEATHSIG: case PR_GET_PDEATHSIG: case PR_SET_DUMPABLE:
    case PR_GET_DUMPABLE: case PR_SET_KEEPCAPS: case PR_GET_KEEPCAPS: case PR_GET_SECUREBITS:
    case PR_SET_SECUREBITS: case PR_CAPBSET_READ: case PR_CAPBSET_DROP: case PR_SET_TIMERSLACK:
    case PR_GET_TIMERSLACK: case PR_SET_CHILD_SUBREAPER: case PR_GET_CHILD_SUBREAPER:
    case PR_SET_NO_NEW_PRIVS: case PR_GET_NO_NEW_PRIVS: case PR_SET_THP_DISABLE:
    case PR_GET_THP_DISABLE: case PR_CAP_AMBIENT: case PR_SET_PTRACER: case SET_VMA:
    case PR_MCE_KILL: case PR_MCE_KILL_GET: case PR_SET_IO_FLUSHER: case PR_GET_IO_FLUSHER:
    case PR_GET_TIMING: case PR_SET_TIMING: case PR_SCHED_CORE: case PR_TASK_PERF_EVENTS_DISABLE:
    case PR_TASK_PERF_EVENTS_ENABLE: case PR_GET_SPECULATION_CTRL: case PR_SET_SPECULATION_CTRL:
    case SET_MEMORY_MERGE: case GET_MEMORY_MERGE: case TIMER_CREATE_RESTORE_IDS: case FUTEX_HASH:
        return true;
    default:
        return false;
    }
}

/* What isn't in the lists: the processor's, or EINVAL as from a kernel that doesn't know it. That
 * goes for controls of processors that the guest's aren't. */
static long arch_prctl(Thread *t, const uint64_t *args)
{
    long r = t->process->abi->prctl ? t->process->abi->prctl(t, args) : -EINVAL;
    if (r == -EINVAL && log_on(LOG_UNIMP))
        log_write("prctl: option %d isn't there\n", (int)args[0]);
    return r;
}

long sys_prctl(Thread *t, const uint64_t *args)
{
    const SyscallTable *table = t->process->abi->syscalls;
    uint8_t word[8];
    int option = (int)args[0];
    if (is_the_kernels(option))
        return host_raw(SYS_prctl, args[0], args[1], args[2], args[3], args[4]);
    switch (option) {
    case PR_SET_NAME:
        return set_name(t, args[1]);
    case PR_GET_TID_ADDRESS:
        convert_store(table, word, table->word_bytes, t->clear_child_tid);
        return mem_write(args[1], word, table->word_bytes) ? 0 : -EFAULT;
    case GET_AUXV:
        return get_auxv(t, args);
    case PR_GET_SECCOMP:
        return t->seccomp_on ? SECCOMP_MODE_FILTER : SECCOMP_MODE_DISABLED;
    case PR_SET_SECCOMP:
        return args[1] == SECCOMP_MODE_STRICT   ? seccomp_set_mode_strict(t)
               : args[1] == SECCOMP_MODE_FILTER ? seccomp_set_mode_filter(t, 0, args[2])
                                                : -EINVAL;
    case SYSCALL_USER_DISPATCH:
        return user_dispatch_set(t, args[1], args[2], args[3], args[4]);
    case PR_SET_MM:
        return set_mm(t, args);
    case SET_MDWE:
        return set_mdwe(t->process, args);
    case GET_MDWE:
        return get_mdwe(t->process, args);
    default:
        return arch_prctl(t, args);
    }
}
