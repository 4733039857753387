/* data plane */
/*
 * What another process that runs under this emulator is to its guest, read out of its memory: the
 * same binary has its Process at the same address (process.h, process_main).
 */
#ifndef LINUX_USER_PROCFS_OTHER_H
#define LINUX_USER_PROCFS_OTHER_H

#include <limits.h>
#include <stdbool.h>

#include "linux-user/mem/map.h"
#include "linux-user/process.h"
#include "linux-user/signal/signal.h"

typedef struct OtherProcess {
    Process process;  /* a copy; of what it points to only mem and signals are here */
    MemMap mem;
    SignalState signals;
    size_t range_bytes;
    char exe_path[PATH_MAX];
} OtherProcess;

/* Of a thread of this process or another what status and syscall show. */
typedef struct OtherThread {
    uint64_t mask, held;
    int seccomp;               /* as in status */
    unsigned filters;
    int syscall_nr;            /* or -1 */
    uint64_t syscall_args[6];
    GuestAddr sp, pc;
} OtherThread;

/* Which program a process runs: equal twice, and no execve was between. */
typedef struct OtherImage {
    uint64_t device, inode;    /* of /proc/PID/exe, the emulator's or a native program's */
    uint64_t is_guest;         /* it is the emulator, and could be read */
    uint64_t arg_start;        /* 0: it doesn't show the guest yet */
    uint64_t exe_path, mem;
} OtherImage;

/* False: it runs something else, or may not be read. */
bool other_open(pid_t pid, OtherProcess *ret);
/* Waits until a process that has just been executed shows its guest: natively execve changes all at
 * once. Not for long, as it may be stopped. */
void other_settle(pid_t pid);
void other_image(pid_t pid, OtherImage *ret);
void other_close(OtherProcess *o);
/* Of p, whose number is pid. False: it has no such thread. */
bool other_thread(pid_t pid, const Process *p, pid_t tid, OtherThread *ret);

#endif
