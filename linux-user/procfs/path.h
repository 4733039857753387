/* data plane */
/*
 * Which paths are files of /proc that show the guest.
 */
#ifndef LINUX_USER_PROCFS_PATH_H
#define LINUX_USER_PROCFS_PATH_H

#include <stdbool.h>
#include <sys/types.h>

typedef enum ProcFile {
    PROC_NONE, PROC_EXE, PROC_CMDLINE, PROC_ENVIRON, PROC_AUXV, PROC_MAPS, PROC_SMAPS, PROC_STAT,
    PROC_STATUS, PROC_STATM, PROC_LIMITS, PROC_CPUINFO, PROC_COMM, PROC_NUMA_MAPS, PROC_ROLLUP,
    PROC_SYSCALL, PROC_PAGEMAP,
} ProcFile;

typedef struct ProcPath {
    ProcFile file;
    pid_t other;   /* another process, or 0 */
    pid_t tid;     /* of task/TID, else the process's */
    pid_t task;    /* the path says task/TID or thread-self; else 0 */
    char host[64]; /* /proc/self/NAME or /proc/self/task/TID/NAME, or with that one's number */
} ProcPath;

/* By the path's last component; PROC_NONE for most. */
ProcFile proc_file_by_name(const char *path);
/* False: path is no such file. */
bool proc_path_find(int dirfd, const char *path, ProcPath *ret);
/* The same file of a process by its number, or of its thread `tid` (0: not by task/TID), which may
 * be this one. */
void proc_path_of(ProcFile file, pid_t pid, pid_t tid, ProcPath *ret);

#endif
