/* data plane */
/*
 * -L PREFIX.
 */
#include "linux-user/load/prefix.h"

#include <fcntl.h>
#include <string.h>

#include "linux-user/options.h"
#include "linux-user/signal/host-syscall.h"

const char *prefix_lookup(const Process *p, const char *path, char *buf, size_t size)
{
    const char *prefix = p->options->prefix;
    if (!prefix || path[0] != '/')
        return path;
    size_t n = strlen(prefix), m = strlen(path);
    if (n + m + 1 > size)
        return path;
    memcpy(buf, prefix, n);
    memcpy(buf + n, path, m + 1);
    return host_raw(SYS_faccessat, AT_FDCWD, (uintptr_t)buf, 0) == 0 ? buf : path;
}
