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

typedef struct OtherProcess {
    Process process;  /* a copy; of what it points to only mem is here */
    MemMap mem;
    size_t range_bytes;
    char exe_path[PATH_MAX];
} OtherProcess;

/* False: it runs something else, or may not be read. */
bool other_open(pid_t pid, OtherProcess *ret);
/* Waits until a process that has just been executed shows its guest: natively execve changes all at
 * once. Not for long, as it may be stopped. A file of the kernel that was opened before that execve
 * and is read right after it shows the emulator still. */
void other_settle(pid_t pid);
void other_close(OtherProcess *o);

#endif
