/* data plane */
/* status, statm, syscall and limits of the guest: the host's files with what the emulator adds or
 * hides put right. */
#ifndef LINUX_USER_PROCFS_STATUS_H
#define LINUX_USER_PROCFS_STATUS_H

#include "linux-user/process.h"
#include "linux-user/procfs/output.h"

/* Of the thread tid. pid: another process, of which p is a copy, or 0. */
void procfs_write_status(Process *p, ProcOutput *o, const char *host_path, pid_t pid, pid_t tid);
/* Where a thread is in a system call, by the guest's numbers. */
void procfs_write_syscall(Process *p, ProcOutput *o, const char *host_path, pid_t pid, pid_t tid);
void procfs_write_statm(Process *p, ProcOutput *o, const char *host_path);
void procfs_write_limits(Process *p, ProcOutput *o, const char *host_path);
/* What the guest has mapped, its stack as far as it may grow not counted. */
uint64_t procfs_mapped_bytes(Process *p);
/* Signals of the process that are ignored, and that have handlers. `host`: what the kernel says is
 * ignored. */
void procfs_signal_sets(Process *p, uint64_t host, uint64_t *ret_ignored, uint64_t *ret_caught);

#endif
