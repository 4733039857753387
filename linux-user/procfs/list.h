/* data plane */
#ifndef LINUX_USER_PROCFS_LIST_H
#define LINUX_USER_PROCFS_LIST_H

#include "linux-user/process.h"

/* Of n > 0 bytes that getdents64 has put at buf: takes away what isn't the guest's. What is left,
 * 0: nothing of this part; or -EFAULT. */
long procfs_list(Thread *t, int fd, GuestAddr buf, long n);

#endif
