/* data plane */
#include "linux-user/procfs/maps.h"

#include <string.h>

#include "linux-user/mem/map.h"
#include "linux-user/procfs/status.h"
#include "linux-user/signal/host-syscall.h"

/* A line of the host's /proc/self/maps. */
typedef struct MapsLine {
    uint64_t start, end, offset;
    const char *device; /* device, inode, blanks and name, up to the line's end */
    size_t device_n;
    bool shared, ok;
} MapsLine;

static const char *parse_hex(const char *p, uint64_t *ret)
{
    uint64_t v = 0;
    for (;; p++) {
        unsigned d = *p >= '0' && *p <= '9'   ? (unsigned)(*p - '0')
                     : *p >= 'a' && *p <= 'f' ? (unsigned)(*p - 'a' + 10)
                                              : 16;
        if (d == 16)
            break;
        v = v << 4 | d;
    }
    *ret = v;
    return p;
}

static MapsLine parse_line(const char *p, const char *end)
{
    MapsLine l = {.ok = false};
    p = parse_hex(p, &l.start);
    if (*p != '-')
        return l;
    p = parse_hex(p + 1, &l.end);
    if (*p != ' ' || end - p < 7)
        return l;
    l.shared = p[4] == 's';
    p = parse_hex(p + 6, &l.offset);
    l.device = p;
    l.device_n = (size_t)(end - p);
    l.ok = true;
    return l;
}

static const char *kind_name(unsigned kind)
{
    switch (kind) {
    case MEM_STACK: return "[stack]";
    case MEM_HEAP: return "[heap]";
    case MEM_VDSO: return "[vdso]";
    default: return NULL;
    }
}

/* The part of a host's line that lies in one range of the guest's. */
static void write_piece(ProcOutput *o, const MapsLine *l, const MemRange *r)
{
    uint64_t start = l->start > r->start ? l->start : r->start;
    uint64_t end = l->end < r->end ? l->end : r->end;
    const char perms[] = {' ', r->prot & PROT_READ ? 'r' : '-', r->prot & PROT_WRITE ? 'w' : '-',
                          r->prot & PROT_EXEC ? 'x' : '-', l->shared ? 's' : 'p', ' ', 0};
    const char *name = kind_name(r->kind);
    output_number(o, start, 16, 8);
    output_text(o, "-");
    output_number(o, end, 16, 8);
    output_text(o, perms);
    bool anonymous = l->device_n >= 8 && !memcmp(l->device, " 00:00 0", 8);
    output_number(o, anonymous ? 0 : l->offset + (start - l->start), 16, 8);
    if (anonymous && name) {
        output_text(o, " 00:00 0                          ");
        output_text(o, name);
    } else {
        output_bytes(o, l->device, l->device_n);
    }
    output_text(o, "\n");
}

void procfs_write_maps(Process *p, ProcOutput *o, const char *host_path, bool details)
{
    size_t n_ranges = 0, range_bytes, n, map_bytes;
    MemRange *ranges = mem_snapshot(p->mem, &n_ranges, &range_bytes);
    char *text = host_file_read(host_path, &n, &map_bytes);
    size_t first = 0;
    bool ours = false;
    for (const char *at = text, *stop = text ? text + n : NULL; at < stop;) {
        const char *end = memchr(at, '\n', (size_t)(stop - at));
        if (!end)
            end = stop;
        MapsLine l = parse_line(at, end);
        if (!l.ok) {
            if (ours) /* a detail of the mapping above */
                output_bytes(o, at, (size_t)(end - at) + 1);
            at = end + 1;
            continue;
        }
        while (first < n_ranges && ranges[first].end <= l.start)
            first++;
        ours = false;
        for (size_t i = first; i < n_ranges && ranges[i].start < l.end; i++) {
            /* The details follow once, behind the first part. */
            if (!details || !ours)
                write_piece(o, &l, &ranges[i]);
            ours = true;
        }
        at = end + 1;
    }
    if (text)
        host_file_free(text, map_bytes);
    else
        o->error = o->error ? o->error : -2 /* ENOENT: no /proc */;
    if (ranges)
        host_raw(SYS_munmap, (uintptr_t)ranges, range_bytes);
}

/* Fields by number, as in proc(5). */
static bool stat_field(Process *p, unsigned field, uint64_t *ret)
{
    switch (field) {
    case 23: *ret = procfs_mapped_bytes(p); return true;
    case 26: *ret = p->code_start; return true;
    case 27: *ret = p->code_end; return true;
    case 28: *ret = p->start_sp; return true;
    case 29: case 30: *ret = 0; return true;
    case 45: *ret = p->code_end; return true;
    case 46: *ret = p->mem->brk_start; return true;
    case 47: *ret = p->mem->brk_start; return true;
    case 48: *ret = p->arg_start; return true;
    case 49: *ret = p->arg_end; return true;
    case 50: *ret = p->env_start; return true;
    case 51: *ret = p->env_end; return true;
    default: return false;
    }
}

void procfs_write_stat(Process *p, ProcOutput *o, const char *host_path)
{
    size_t n, map_bytes;
    char *text = host_file_read(host_path, &n, &map_bytes);
    if (!text) {
        o->error = -2 /* ENOENT */;
        return;
    }
    /* The name in parentheses may hold anything; fields count from behind the last one. */
    const char *stop = text + n, *at = stop;
    while (at > text && at[-1] != ')')
        at--;
    output_bytes(o, text, (size_t)(at - text));
    for (unsigned field = 3; at < stop && *at == ' '; field++) {
        const char *end = ++at;
        uint64_t value;
        while (end < stop && *end != ' ' && *end != '\n')
            end++;
        output_text(o, " ");
        if (stat_field(p, field, &value))
            output_number(o, value, 10, 1);
        else
            output_bytes(o, at, (size_t)(end - at));
        at = end;
    }
    output_text(o, "\n");
    host_file_free(text, map_bytes);
}
