/* data plane */
#ifndef LINUX_USER_PROCFS_MAPS_H
#define LINUX_USER_PROCFS_MAPS_H

#include "linux-user/process.h"
#include "linux-user/procfs/output.h"

/* The host's file maps, or with `details` smaps: what of the host's is the guest's, with the
 * guest's protection. */
void procfs_write_maps(Process *p, ProcOutput *o, const char *host_path, bool details);
/* /proc/self/stat and /proc/self/task/TID/stat with the guest's addresses. */
void procfs_write_stat(Process *p, ProcOutput *o, const char *host_path);

#endif
