/* data plane */
/*
 * -L PREFIX: absolute paths are looked up below the prefix first, and if nothing is there, as they
 * are. So a guest finds its own libraries and files, and everything else is the host's.
 */
#ifndef LINUX_USER_LOAD_PREFIX_H
#define LINUX_USER_LOAD_PREFIX_H

#include <stddef.h>

#include "linux-user/process.h"

/* `path` or, if something exists there, prefix + path, written to buf. */
const char *prefix_lookup(const Process *p, const char *path, char *buf, size_t size);

#endif
