/* See perf-map.h. One line a unit: host address, size, name; written at once, since perf reads it
 * after the process is gone. */
#include "translator/debug/perf-map.h"

#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <unistd.h>

#include "translator/runtime/state.h"

int perf_map_open(void)
{
    char path[64];
    g_snprintf(path, sizeof path, "/tmp/perf-%d.map", (int)getpid());
    return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
}

void perf_map_add(const Translator *t, const CompiledUnit *u, const uint8_t *code)
{
    g_autofree char *symbol = t->callbacks.symbol ? t->callbacks.symbol(t->opaque, u->pc) : NULL;
    char line[512];
    int n =
        g_snprintf(line, sizeof line, "%lx %x %s:0x%lx%s%s\n", (unsigned long)(uintptr_t)code,
                   u->host_bytes, u->flags & IR_UNIT_REGION ? "region" : "guest",
                   (unsigned long)u->pc, symbol ? ":" : "", symbol ? symbol : "");
    if (n > 0)
        (void)!write(t->perf_fd, line, MIN((size_t)n, sizeof line - 1));
}
