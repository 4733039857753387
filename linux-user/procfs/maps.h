/* data plane */
#ifndef LINUX_USER_PROCFS_MAPS_H
#define LINUX_USER_PROCFS_MAPS_H

#include "linux-user/process.h"
#include "linux-user/procfs/output.h"

/* The host's file maps, or with `details` smaps: what of the host's is the guest's, with the
 * guest's protection. */
void procfs_write_maps(Process *p, ProcOutput *o, const char *host_path, bool details);
/* Of its mappings alone; what smaps doesn't tell of the sums' parts (Pss_Anon …) is estimated from
 * what it tells. */
void procfs_write_rollup(Process *p, ProcOutput *o, const char *host_path);
void procfs_write_numa_maps(Process *p, ProcOutput *o, const char *host_path);
/* /proc/self/stat and /proc/self/task/TID/stat with the guest's addresses. */
void procfs_write_stat(Process *p, ProcOutput *o, const char *host_path);

#endif
