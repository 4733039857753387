/* data plane */
#ifndef LINUX_USER_SYSCALLS_HWPROBE_H
#define LINUX_USER_SYSCALLS_HWPROBE_H

#include "linux-user/process.h"

/* What riscv_hwprobe says of a key. False: no such key. */
bool riscv_hwprobe_value(const Process *p, int64_t key, uint64_t *ret);

#endif
