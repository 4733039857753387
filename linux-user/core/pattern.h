/* data plane */
#ifndef LINUX_USER_CORE_PATTERN_H
#define LINUX_USER_CORE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "linux-user/process.h"

/* The name of the core file by /proc/sys/kernel/core_pattern and core_uses_pid (core(5)). False: it
 * doesn't fit. */
bool core_file_name(const Thread *t, int sig, char *to, size_t size);

#endif
