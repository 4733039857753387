/* data plane */
#include "linux-user/procfs/maps.h"

#include <stdlib.h>
#include <string.h>

#include "linux-user/mem/map.h"
#include "linux-user/procfs/status.h"
#include "linux-user/signal/host-syscall.h"
#include "translator/memory/own-pages.h"

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
static void write_piece(const MemMap *m, ProcOutput *o, const MapsLine *l, const MemRange *r)
{
    uint64_t start = l->start > r->start ? l->start : r->start;
    uint64_t end = mem_page_up(m, l->end);
    end = end < r->end ? end : r->end;
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

/* What is done with the host's lines about the guest's mappings. */
typedef struct MapsWalk {
    const MemMap *mem;
    ProcOutput *o;
    bool details;
    struct Rollup *sums; /* not written but added up, or NULL */
} MapsWalk;

/* A line of smaps_rollup. */
typedef struct RollupLine {
    const char *name; /* up to the colon */
    size_t n;
    uint64_t kib;
} RollupLine;

enum { ROLLUP_LINES = 40 };

typedef struct Rollup {
    RollupLine lines[ROLLUP_LINES];
    size_t n;
    uint64_t first, end;          /* addresses */
    uint64_t pss, anonymous;      /* of the mapping at hand */
    bool shmem;
} Rollup;

static void rollup_add(Rollup *s, const char *name, size_t n, uint64_t kib)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->lines[i].n == n && !memcmp(s->lines[i].name, name, n)) {
            s->lines[i].kib += kib;
            return;
        }
}

/* A mapping's details are complete. */
static void rollup_close(Rollup *s)
{
    uint64_t anonymous = s->anonymous < s->pss ? s->anonymous : s->pss;
    rollup_add(s, "Pss_Anon", 8, anonymous);
    rollup_add(s, s->shmem ? "Pss_Shmem" : "Pss_File", s->shmem ? 9 : 8, s->pss - anonymous);
    s->pss = s->anonymous = 0;
}

static void rollup_open(Rollup *s, const MapsLine *l)
{
    static const char *const shmem[] = {"/memfd:", "/dev/shm/", "/SYSV", "/dev/zero"};
    rollup_close(s);
    if (!s->end)
        s->first = l->start;
    s->end = l->end;
    s->shmem = false;
    const char *name = memchr(l->device, '/', l->device_n);
    for (size_t i = 0; name && i < sizeof shmem / sizeof *shmem; i++)
        s->shmem |= !strncmp(name, shmem[i], strlen(shmem[i]));
}

static void rollup_detail(Rollup *s, const char *at, const char *end)
{
    const char *colon = memchr(at, ':', (size_t)(end - at));
    uint64_t v = 0;
    if (!colon)
        return;
    const char *digit = colon + 1;
    while (digit < end && *digit == ' ')
        digit++;
    for (; digit < end && *digit >= '0' && *digit <= '9'; digit++)
        v = v * 10 + (uint64_t)(*digit - '0');
    size_t n = (size_t)(colon - at);
    rollup_add(s, at, n, v);
    if (n == 3 && !memcmp(at, "Pss", 3))
        s->pss = v;
    else if (n == 9 && !memcmp(at, "Anonymous", 9))
        s->anonymous = v;
}

/* A line of smaps below a mapping. */
static void write_detail(const MemMap *m, ProcOutput *o, const char *line, size_t n)
{
    static const char *const names[] = {"KernelPageSize:        4 ", "MMUPageSize:           4 "};
    for (size_t i = 0; i < 2 && m->page > MEM_PAGE; i++) {
        size_t length = strlen(names[i]);
        if (n < length || memcmp(line, names[i], length))
            continue;
        output_bytes(o, names[i], length - 3); /* of two digits */
        output_number(o, m->page >> 10, 10, 2);
        output_text(o, " kB\n");
        return;
    }
    output_bytes(o, line, n);
}

/* The host's maps or smaps. */
static void walk_maps(MapsWalk *w, const char *text, size_t n, const MemRange *ranges,
                      size_t n_ranges)
{
    size_t first = 0;
    bool ours = false;
    for (const char *at = text, *stop = text + n; at < stop;) {
        const char *end = memchr(at, '\n', (size_t)(stop - at));
        if (!end)
            end = stop;
        MapsLine l = parse_line(at, end);
        if (!l.ok) {
            if (ours && w->sums) /* a detail of the mapping above */
                rollup_detail(w->sums, at, end);
            else if (ours)
                write_detail(w->mem, w->o, at, (size_t)(end - at) + 1);
            at = end + 1;
            continue;
        }
        while (first < n_ranges && ranges[first].end <= l.start)
            first++;
        /* What begins within a page of the guest's is the end of the line above (mem/pages.c). */
        ours = false;
        for (size_t i = first; i < n_ranges && ranges[i].start < l.end; i++) {
            if (l.start > ranges[i].start && mem_misaligned(w->mem, l.start))
                continue;
            /* The details follow once, behind the first part. */
            if (w->sums && !ours)
                rollup_open(w->sums, &l);
            else if (!w->sums && (!w->details || !ours))
                write_piece(w->mem, w->o, &l, &ranges[i]);
            ours = true;
        }
        at = end + 1;
    }
}

static void write_walk(Process *p, MapsWalk *w, const char *host_path)
{
    size_t n_ranges = 0, range_bytes, n, map_bytes;
    MemRange *ranges = mem_snapshot(p->mem, &n_ranges, &range_bytes);
    char *text = host_file_read(host_path, &n, &map_bytes);
    if (text) {
        walk_maps(w, text, n, ranges, n_ranges);
        host_file_free(text, map_bytes);
    } else {
        w->o->error = w->o->error ? w->o->error : -2 /* ENOENT: no /proc */;
    }
    own_pages_unmap(ranges, range_bytes);
}

void procfs_write_maps(Process *p, ProcOutput *o, const char *host_path, bool details)
{
    write_walk(p, &(MapsWalk){.mem = p->mem, .o = o, .details = details}, host_path);
}

static void write_padded(ProcOutput *o, uint64_t v, size_t width)
{
    size_t digits = 1;
    for (uint64_t rest = v; rest /= 10;)
        digits++;
    for (; digits < width; digits++)
        output_text(o, " ");
    output_number(o, v, 10, 1);
}

static void write_sums(ProcOutput *o, const Rollup *s)
{
    output_number(o, s->first, 16, 8);
    output_text(o, "-");
    output_number(o, s->end, 16, 8);
    output_text(o, " ---p 00000000 00:00 0 ");
    /* The name stands in column 74 (fs/seq_file.c, seq_pad); addresses have 8 digits or more. */
    size_t at = 40;
    for (uint64_t v = s->first >> 32; v; v >>= 4)
        at++;
    for (uint64_t v = s->end >> 32; v; v >>= 4)
        at++;
    for (; at < 73; at++)
        output_text(o, " ");
    output_text(o, "[rollup]\n");
    for (size_t i = 0; i < s->n; i++) {
        output_bytes(o, s->lines[i].name, s->lines[i].n);
        output_text(o, ":");
        write_padded(o, s->lines[i].kib, 24 - s->lines[i].n - 1);
        output_text(o, " kB\n");
    }
}

void procfs_write_rollup(Process *p, ProcOutput *o, const char *host_path)
{
    enum { SUFFIX = sizeof "_rollup" - 1 };
    size_t n, map_bytes, m = strlen(host_path);
    char *text = host_file_read(host_path, &n, &map_bytes), smaps[80];
    Rollup s = {.n = 0};
    if (!text || m >= sizeof smaps) {
        o->error = -2 /* ENOENT */;
        return;
    }
    /* The names are this kernel's. */
    for (const char *at = text, *stop = text + n; at < stop;) {
        const char *end = memchr(at, '\n', (size_t)(stop - at));
        end = end ? end : stop;
        const char *colon = memchr(at, ':', (size_t)(end - at));
        if (at != text && colon && s.n < ROLLUP_LINES)
            s.lines[s.n++] = (RollupLine){.name = at, .n = (size_t)(colon - at)};
        at = end + 1;
    }
    memcpy(smaps, host_path, m - SUFFIX);
    smaps[m - SUFFIX] = 0;
    write_walk(p, &(MapsWalk){.mem = p->mem, .o = o, .sums = &s}, smaps);
    rollup_close(&s);
    write_sums(o, &s);
    host_file_free(text, map_bytes);
}

/* Its lines begin with a mapping's start alone. */
void procfs_write_numa_maps(Process *p, ProcOutput *o, const char *host_path)
{
    size_t n_ranges = 0, range_bytes, n, map_bytes, first = 0;
    MemRange *ranges = mem_snapshot(p->mem, &n_ranges, &range_bytes);
    char *text = host_file_read(host_path, &n, &map_bytes);
    if (!text)
        o->error = -2 /* ENOENT */;
    for (const char *at = text, *stop = text ? text + n : NULL; at < stop;) {
        const char *end = memchr(at, '\n', (size_t)(stop - at));
        uint64_t start;
        end = end ? end + 1 : stop;
        parse_hex(at, &start);
        while (first < n_ranges && ranges[first].end <= start)
            first++;
        if (first < n_ranges && ranges[first].start <= start) {
            unsigned kind = ranges[first].kind;
            output_bytes(o, at, (size_t)(end - at) - 1);
            output_text(o, kind == MEM_STACK ? " stack\n" : kind == MEM_HEAP ? " heap\n" : "\n");
        }
        at = end;
    }
    if (text)
        host_file_free(text, map_bytes);
    own_pages_unmap(ranges, range_bytes);
}

/* Fields by number, as in proc(5); *ret is the host's. */
static bool stat_field(Process *p, unsigned field, uint64_t *ret)
{
    switch (field) {
    case 23: *ret = procfs_mapped_bytes(p); return true;
    case 24: *ret = *ret * MEM_PAGE / p->mem->page; return true;
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
        uint64_t value = field == 24 ? strtoull(at, NULL, 10) : 0;
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
