/* data plane */
#include "linux-user/core/memory.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>

#include "linux-user/mem/map.h"
#include "linux-user/procfs/maps.h"
#include "linux-user/procfs/output.h"
#include "linux-user/signal/host-syscall.h"
#include "translator/memory/own-pages.h"

/* core(5), "Controlling which mappings are written". */
enum {
    FILTER_ANON_PRIVATE = 1, FILTER_ANON_SHARED = 2, FILTER_FILE_PRIVATE = 4,
    FILTER_FILE_SHARED = 8, FILTER_ELF_HEADERS = 16, FILTER_DEFAULT = 0x33,
    PAGES_AT_ONCE = 512,
};

static uint64_t parse_number(const char **p, unsigned base)
{
    uint64_t v = 0;
    for (;; (*p)++) {
        unsigned c = (unsigned char)**p;
        unsigned d = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
        if (d >= base)
            return v;
        v = v * base + d;
    }
}

static unsigned read_filter(void)
{
    size_t n, bytes;
    char *text = host_file_read("/proc/self/coredump_filter", &n, &bytes);
    const char *p = text;
    unsigned v = text && n ? (unsigned)parse_number(&p, 16) : FILTER_DEFAULT;
    if (text)
        host_file_free(text, bytes);
    return v;
}

/* "START-END PERM OFFSET DEVICE INODE NAME", at line's end. False: a detail of the one above. */
static bool parse_range(const char *p, const char *end, CoreRange *r, bool *ret_shared)
{
    memset(r, 0, sizeof *r);
    r->start = parse_number(&p, 16);
    if (*p != '-')
        return false;
    p++;
    r->end = parse_number(&p, 16);
    if (*p != ' ' || end - p < 10)
        return false;
    r->flags = (p[1] == 'r' ? PF_R : 0) | (p[2] == 'w' ? PF_W : 0) | (p[3] == 'x' ? PF_X : 0);
    *ret_shared = p[4] == 's';
    p += 6;
    r->file_offset = parse_number(&p, 16);
    const char *name = memchr(p, '/', (size_t)(end - p));
    if (name) {
        r->name = name;
        r->name_bytes = (uint32_t)(end - name);
    }
    return true;
}

/* fs/coredump.c, vma_dump_size. `touched`: it has pages of its own. */
static uint64_t dump_bytes(const CoreRange *r, bool shared, bool touched, unsigned filter)
{
    uint64_t whole = r->end - r->start;
    uint8_t head[SELFMAG];
    bool file = r->name && strncmp(r->name, "/dev/zero", 9) && strncmp(r->name, "/memfd:", 7);
    if (shared)
        return filter & (file ? FILTER_FILE_SHARED : FILTER_ANON_SHARED) ? whole : 0;
    if (touched && (filter & FILTER_ANON_PRIVATE))
        return whole;
    if (!file)
        return 0;
    if (filter & FILTER_FILE_PRIVATE)
        return whole;
    if ((filter & FILTER_ELF_HEADERS) && !r->file_offset && (r->flags & PF_R) &&
        mem_read(head, r->start, sizeof head) && !memcmp(head, ELFMAG, SELFMAG))
        return MEM_PAGE;
    return 0;
}

static void parse_text(CoreMemory *m, size_t text_n, unsigned filter)
{
    for (const char *p = m->text, *stop = p + text_n; p < stop;) {
        const char *end = memchr(p, '\n', (size_t)(stop - p));
        bool shared;
        if (!end)
            end = stop;
        CoreRange *r = &m->ranges[m->n];
        if (parse_range(p, end, r, &shared)) {
            r->bytes = dump_bytes(r, shared, false, filter);
            r->shared = shared;
            m->n++;
        }
        p = end + 1;
    }
}

/* The host's mapping has pages of the process's own. */
static void note_touched(CoreMemory *m, const CoreRange *host, unsigned filter)
{
    for (size_t i = 0; i < m->n; i++) {
        CoreRange *r = &m->ranges[i];
        if (r->start < host->end && r->end > host->start && !r->shared)
            r->bytes = dump_bytes(r, false, true, filter);
    }
}

static void parse_details(CoreMemory *m, const char *p, size_t n, unsigned filter)
{
    CoreRange host = {0};
    for (const char *stop = p + n; p < stop;) {
        const char *end = memchr(p, '\n', (size_t)(stop - p));
        bool shared;
        CoreRange r;
        if (!end)
            end = stop;
        if (end - p > 10 && !memcmp(p, "Anonymous:", 10)) {
            const char *q = p + 10 + strspn(p + 10, " ");
            if (parse_number(&q, 10))
                note_touched(m, &host, filter);
        } else if (parse_range(p, end, &r, &shared)) {
            host = r;
        }
        p = end + 1;
    }
}

bool core_memory_read(Process *p, CoreMemory *ret)
{
    ProcOutput o;
    memset(ret, 0, sizeof *ret);
    output_begin(&o, "core");
    procfs_write_maps(p, &o, "/proc/self/maps", false);
    long fd = output_end(&o, O_CLOEXEC);
    if (fd < 0)
        return false;
    long n = host_raw(SYS_lseek, fd, 0, 2 /* SEEK_END */);
    ret->text_bytes = (size_t)(n + MEM_PAGE) & ~(size_t)(MEM_PAGE - 1);
    ret->text = own_pages_map(ret->text_bytes);
    /* A line of a range has 40 characters at least. */
    ret->range_bytes = (size_t)(n / 40 + 1) * sizeof(CoreRange);
    ret->ranges = own_pages_map(ret->range_bytes);
    bool good = n > 0 && ret->text && ret->ranges;
    for (long done = 0; good && done < n;) {
        long r = host_raw(SYS_pread64, fd, (uintptr_t)(ret->text + done), n - done, done);
        good = r > 0;
        done += r;
    }
    host_raw(SYS_close, fd);
    if (!good)
        return false;
    unsigned filter = read_filter();
    size_t details_n, details_bytes;
    parse_text(ret, (size_t)n, filter);
    char *details = host_file_read("/proc/self/smaps", &details_n, &details_bytes);
    if (details) {
        parse_details(ret, details, details_n, filter);
        host_file_free(details, details_bytes);
    }
    return true;
}

void core_memory_free(CoreMemory *m)
{
    own_pages_unmap(m->text, m->text_bytes);
    own_pages_unmap(m->ranges, m->range_bytes);
}

/* What can't be read (behind a file's end) is left out. */
static bool write_pages(int fd, GuestAddr from, uint64_t n, uint64_t at)
{
    while (n) {
        long r = host_raw(SYS_pwrite64, fd, from, n, at);
        if (r == -14 /* EFAULT */)
            r = (long)(n < MEM_PAGE ? n : MEM_PAGE);
        if (r <= 0)
            return false;
        from += (uint64_t)r;
        at += (uint64_t)r;
        n -= (uint64_t)r;
    }
    return true;
}

bool core_memory_write(const CoreRange *r, int fd, uint64_t at, uint64_t limit)
{
    uint64_t present[PAGES_AT_ONCE];
    bool good = true;
    long map = host_raw(SYS_openat, AT_FDCWD, (uintptr_t) "/proc/self/pagemap",
                        O_RDONLY | O_CLOEXEC, 0);
    for (uint64_t done = 0; good && done < r->bytes;) {
        uint64_t pages = (r->bytes - done) / MEM_PAGE, page = (r->start + done) / MEM_PAGE, n = 1;
        pages = pages < PAGES_AT_ONCE ? pages : PAGES_AT_ONCE;
        long got = map < 0 ? -1 : host_raw(SYS_pread64, map, (uintptr_t)present, pages * 8,
                                           page * 8);
        /* What isn't there of a file is still the file's. */
        if (got != (long)pages * 8 || r->name || r->shared)
            memset(present, 0xff, sizeof present);
        /* Bits 63, 62: in memory, in swap. Runs of pages that are alike. */
        while (n < pages && (present[n] >> 62 != 0) == (present[0] >> 62 != 0))
            n++;
        if (at + done + n * MEM_PAGE > limit)
            good = false;
        else if (present[0] >> 62)
            good = write_pages(fd, r->start + done, n * MEM_PAGE, at + done);
        done += n * MEM_PAGE;
    }
    if (map >= 0)
        host_raw(SYS_close, map);
    return good;
}
