/* data plane */
/*
 * A file of /proc shows what is the case when its first byte is read, not when it was opened: who
 * keeps one open and reads it again from the start (rewind(), pread() at 0) gets the new text.
 */
#ifndef LINUX_USER_PROCFS_REREAD_H
#define LINUX_USER_PROCFS_REREAD_H

#include <stdbool.h>
#include <stdint.h>

#include "linux-user/process.h"
#include "linux-user/procfs/path.h"

/* procfs.c: a descriptor of the file as it is now, or -errno. False: the host's own is as good. */
bool procfs_make(Thread *t, const ProcPath *found, int flags, int *ret_fd);
/* procfs.c: the same with what the host's file says, or -errno. */
long procfs_copy(const ProcPath *found, int flags);

/* At most 16 files are known, the last ones opened; others keep the text of when they were. */
void procfs_note_opened(Process *p, int fd, const ProcPath *found);
void procfs_note_closed(Process *p, unsigned first, unsigned last);

static inline bool procfs_keeps_files(const Process *p)
{
    return __builtin_expect(atomic_load_explicit(&p->n_proc_files, memory_order_relaxed), 0);
}
/* Before each call, by its host's number, while such files are known. If it reads one from its
 * start, the text is made anew, unless nothing can have changed since it was. 0, or -errno for the
 * guest (ESRCH: the process is gone). */
long procfs_before_call(Thread *t, long host_nr, const uint64_t *args);
/* If the call asks what kind of file such a descriptor is (fstat, fstatfs): one of the kernel's own
 * file to ask instead, and to close. Else -1. */
int procfs_host_file(long host_nr, const uint64_t *args);

#endif
