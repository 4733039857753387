/* data plane */
/*
 * Files of /proc that must show the guest: /proc/self, /proc/thread-self, /proc/PID of this process
 * and of others that run under this emulator, /proc/PID/task/TID, in every spelling, and
 * /proc/cpuinfo.
 */
#ifndef LINUX_USER_PROCFS_PROCFS_H
#define LINUX_USER_PROCFS_PROCFS_H

#include <stdbool.h>
#include <stddef.h>

#include "linux-user/process.h"

/* For open, openat, openat2 with a path in host memory. True: the path is one of ours and *ret_fd
 * is a descriptor or -errno. Cheap for paths that can't be. */
bool procfs_open(Thread *t, int dirfd, const char *path, int flags, int *ret_fd);

/* For readlink, readlinkat. True: *ret is the number of bytes put into buf (not terminated), or
 * -errno. */
bool procfs_readlink(Thread *t, int dirfd, const char *path, char *buf, size_t size, long *ret);

/* For calls that follow a path (stat, access, execve, open): where /proc/self/exe stands for the
 * guest's program, its path; else `path`. */
const char *procfs_follow(Thread *t, int dirfd, const char *path);

#endif
