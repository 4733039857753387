/* data plane */
/* What options of sockets and control messages hold: see message.c. */
#ifndef LINUX_USER_SYSCALLS_MESSAGE_H
#define LINUX_USER_SYSCALLS_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "syscall-tables/table.h"

/* The row of an option, or of a control message; NULL: there is none. */
const TableSockopt *sockopt_find(bool control, uint32_t level, uint32_t value);
/* Bytes of one element of it in an ABI; 1: nothing but bytes. */
unsigned sockopt_bytes(const SyscallTable *table, const TableSockopt *o, bool host);

#endif
