/*
 * Translating a program or library into the translation store without running it.
 */
#ifndef LINUX_USER_CACHE_WARM_H
#define LINUX_USER_CACHE_WARM_H

#include "linux-user/load/load.h"

/* The file is mapped as `image`. How many units there are now. */
uint64_t cache_warm(Thread *t, int fd, const ElfImage *image);

#endif
