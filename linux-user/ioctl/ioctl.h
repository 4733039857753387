/* The tables of ioctls, for the call and for strace. */
#ifndef LINUX_USER_IOCTL_IOCTL_H
#define LINUX_USER_IOCTL_IOCTL_H

#include "syscall-tables/table.h"

/* The row of the guest's number, or NULL. */
const TableIoctl *ioctl_find(const SyscallTable *table, uint32_t nr);

#endif
