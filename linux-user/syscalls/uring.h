/* data plane */
/* io_uring's rings as other calls meet them: see uring.c. */
#ifndef LINUX_USER_SYSCALLS_URING_H
#define LINUX_USER_SYSCALLS_URING_H

#include "linux-user/process.h"

/* The guest has mapped descriptor fd from `offset` on at address `at`: perhaps a ring. */
void uring_mapped(Process *p, int fd, uint64_t offset, GuestAddr at);
/* Descriptors [first, last] are closed. */
void uring_closed(Process *p, unsigned first, unsigned last);

#endif
