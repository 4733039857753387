/* data plane */
#include "linux-user/procfs/output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "linux-user/mem/map.h"
#include "linux-user/signal/host-syscall.h"
#include "translator/memory/own-pages.h"

void output_begin(ProcOutput *o, const char *name)
{
    long fd = host_raw(SYS_memfd_create, (uintptr_t)name, MFD_CLOEXEC);
    o->fd = (int)fd;
    o->error = fd < 0 ? fd : 0;
    o->n = 0;
}

static void flush(ProcOutput *o)
{
    size_t done = 0;
    while (!o->error && done < o->n) {
        long r = host_raw(SYS_write, o->fd, (uintptr_t)(o->buf + done), o->n - done);
        if (r < 0)
            o->error = r;
        else
            done += (size_t)r;
    }
    o->n = 0;
}

void output_bytes(ProcOutput *o, const void *bytes, size_t n)
{
    const char *from = bytes;
    while (n) {
        size_t part = sizeof o->buf - o->n;
        if (part > n)
            part = n;
        memcpy(o->buf + o->n, from, part);
        o->n += part;
        from += part;
        n -= part;
        if (o->n == sizeof o->buf)
            flush(o);
    }
}

void output_text(ProcOutput *o, const char *s) { output_bytes(o, s, strlen(s)); }

void output_number(ProcOutput *o, uint64_t value, unsigned base, unsigned digits)
{
    char buf[72], *p = buf + sizeof buf;
    unsigned n = 0;
    do {
        *--p = "0123456789abcdef"[value % base];
        value /= base;
    } while ((++n < digits || value) && n < 64);
    output_bytes(o, p, (size_t)(buf + sizeof buf - p));
}

void output_guest(ProcOutput *o, uint64_t start, uint64_t end)
{
    uint8_t part[512];
    while (start < end) {
        size_t n = end - start < sizeof part ? end - start : sizeof part;
        if (!mem_read(part, start, n))
            return;
        output_bytes(o, part, n);
        start += n;
    }
}

long output_end(ProcOutput *o, int flags)
{
    flush(o);
    if (o->error) {
        if (o->fd >= 0)
            host_raw(SYS_close, o->fd);
        return o->error;
    }
    host_raw(SYS_lseek, o->fd, 0, 0 /* SEEK_SET */);
    if (!(flags & O_CLOEXEC))
        host_raw(SYS_fcntl, o->fd, F_SETFD, 0);
    return o->fd;
}

char *host_file_read(const char *path, size_t *ret_n, size_t *ret_map_bytes)
{
    size_t size = 64 << 10, n = 0;
    long fd = host_raw(SYS_openat, AT_FDCWD, (uintptr_t)path, O_RDONLY | O_CLOEXEC, 0);
    if (fd < 0)
        return NULL;
    char *text = own_pages_map(size);
    while (text) {
        long r = host_raw(SYS_read, fd, (uintptr_t)text + n, size - n - 1);
        if (r <= 0)
            break;
        n += (size_t)r;
        if (n + 4096 < size)
            continue;
        char *larger = own_pages_grow(text, size, size * 2);
        if (!larger)
            own_pages_unmap(text, size);
        text = larger;
        size *= 2;
    }
    host_raw(SYS_close, fd);
    *ret_n = n;
    *ret_map_bytes = size;
    return text;
}

void host_file_free(char *text, size_t map_bytes)
{
    own_pages_unmap(text, map_bytes);
}
