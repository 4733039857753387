/* data plane */
#include "linux-user/syscalls/convert.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <string.h>
#include <sys/mman.h>

#include "linux-user/load/prefix.h"
#include "linux-user/mem/map.h"
#include "linux-user/procfs/procfs.h"
#include "linux-user/signal/host-syscall.h"

/* ---- constants ---- */

static uint64_t set_convert(const TableSet *s, uint64_t v, const TableConst *from,
                            const TableConst *to)
{
    if (!s->flags) {
        for (unsigned i = 0; i < s->n; i++)
            if (from[i].value == v)
                return to[i].value;
        return v;
    }
    uint64_t out = 0;
    for (unsigned i = 0; i < s->n; i++) {
        if (!from[i].mask || (v & from[i].mask) != from[i].value)
            continue;
        out |= to[i].value;
        v &= ~from[i].mask;
    }
    return out | v;
}

uint64_t convert_set_to_host(const SyscallTable *table, unsigned set, uint64_t guest)
{
    const TableSet *s = &table->sets[set];

    return s->same ? guest
                   : set_convert(s, guest, &table_consts[s->first], &table_consts[s->host_first]);
}

uint64_t convert_set_to_guest(const SyscallTable *table, unsigned set, uint64_t host)
{
    const TableSet *s = &table->sets[set];

    return s->same ? host
                   : set_convert(s, host, &table_consts[s->host_first], &table_consts[s->first]);
}

/* ---- integers ---- */

enum { HOST_BIG = __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ };

static inline uint64_t load_bytes(const uint8_t *p, unsigned bytes, bool big, bool is_signed)
{
    uint64_t v = 0;

    switch (bytes) {
    case 8: {
        uint64_t x;
        memcpy(&x, p, 8);
        return big == HOST_BIG ? x : __builtin_bswap64(x);
    }
    case 4: {
        uint32_t x;
        memcpy(&x, p, 4);
        v = big == HOST_BIG ? x : __builtin_bswap32(x);
        return is_signed ? (uint64_t)(int64_t)(int32_t)v : v;
    }
    case 2: {
        uint16_t x;
        memcpy(&x, p, 2);
        v = big == HOST_BIG ? x : __builtin_bswap16(x);
        return is_signed ? (uint64_t)(int64_t)(int16_t)v : v;
    }
    default:
        return is_signed ? (uint64_t)(int64_t)(int8_t)*p : *p;
    }
}

static inline void store_bytes(uint8_t *p, unsigned bytes, bool big, uint64_t v)
{
    switch (bytes) {
    case 8:
        v = big == HOST_BIG ? v : __builtin_bswap64(v);
        memcpy(p, &v, 8);
        break;
    case 4: {
        uint32_t x = big == HOST_BIG ? (uint32_t)v : __builtin_bswap32(v);
        memcpy(p, &x, 4);
        break;
    }
    case 2: {
        uint16_t x = big == HOST_BIG ? (uint16_t)v : __builtin_bswap16(v);
        memcpy(p, &x, 2);
        break;
    }
    default:
        *p = v;
    }
}

uint64_t convert_load(const SyscallTable *table, const void *at, unsigned bytes, bool is_signed)
{
    return load_bytes(at, bytes, table->big_endian, is_signed);
}

void convert_store(const SyscallTable *table, void *at, unsigned bytes, uint64_t value)
{
    store_bytes(at, bytes, table->big_endian, value);
}

/* ---- structures ---- */

static void struct_to_host(const SyscallTable *table, unsigned layout, uint8_t *host,
                           const uint8_t *guest);
static void struct_to_guest(const SyscallTable *table, unsigned layout, uint8_t *guest,
                            const uint8_t *host);

static bool kind_is_set(unsigned kind) { return kind == TABLE_FLAGS || kind == TABLE_VALUES; }

static void field_to_host(const SyscallTable *table, const TableField *f, uint8_t *host,
                          const uint8_t *guest)
{
    unsigned n = f->count ? f->count : 1;

    if (f->kind == TABLE_STRUCT) {
        const TableLayout *inner = &table->layouts[f->ref];
        for (unsigned i = 0; i < n; i++)
            struct_to_host(table, f->ref, host + i * inner->host_bytes,
                           guest + i * inner->guest_bytes);
        return;
    }
    for (unsigned i = 0; i < n; i++) {
        uint64_t v = load_bytes(guest + i * f->guest_bytes, f->guest_bytes, table->big_endian,
                                f->is_signed);
        if (kind_is_set(f->kind))
            v = convert_set_to_host(table, f->ref, v);
        store_bytes(host + i * f->host_bytes, f->host_bytes, HOST_BIG, v);
    }
}

static void field_to_guest(const SyscallTable *table, const TableField *f, uint8_t *guest,
                           const uint8_t *host)
{
    unsigned n = f->count ? f->count : 1;

    if (f->kind == TABLE_STRUCT) {
        const TableLayout *inner = &table->layouts[f->ref];
        for (unsigned i = 0; i < n; i++)
            struct_to_guest(table, f->ref, guest + i * inner->guest_bytes,
                            host + i * inner->host_bytes);
        return;
    }
    for (unsigned i = 0; i < n; i++) {
        uint64_t v = load_bytes(host + i * f->host_bytes, f->host_bytes, HOST_BIG, f->is_signed);
        if (kind_is_set(f->kind))
            v = convert_set_to_guest(table, f->ref, v);
        store_bytes(guest + i * f->guest_bytes, f->guest_bytes, table->big_endian, v);
    }
}

static void struct_to_host(const SyscallTable *table, unsigned layout, uint8_t *host,
                           const uint8_t *guest)
{
    const TableLayout *l = &table->layouts[layout];
    const TableField *f = &table_fields[l->first];

    memset(host, 0, l->host_bytes);
    for (unsigned i = 0; i < l->n; i++)
        if (f[i].on_host)
            field_to_host(table, &f[i], host + f[i].host_offset, guest + f[i].guest_offset);
}

static void struct_to_guest(const SyscallTable *table, unsigned layout, uint8_t *guest,
                            const uint8_t *host)
{
    const TableLayout *l = &table->layouts[layout];
    const TableField *f = &table_fields[l->first];

    memset(guest, 0, l->guest_bytes);
    for (unsigned i = 0; i < l->n; i++)
        if (f[i].on_host)
            field_to_guest(table, &f[i], guest + f[i].guest_offset, host + f[i].host_offset);
}

void convert_to_host(const SyscallTable *table, unsigned layout, void *host, const void *guest)
{
    const TableLayout *l = &table->layouts[layout];

    if (l->same)
        memcpy(host, guest, l->host_bytes);
    else if (l->to_host)
        l->to_host(host, guest);
    else
        struct_to_host(table, layout, host, guest);
}

void convert_to_guest(const SyscallTable *table, unsigned layout, void *guest, const void *host)
{
    const TableLayout *l = &table->layouts[layout];

    if (l->same)
        memcpy(guest, host, l->guest_bytes);
    else if (l->to_guest)
        l->to_guest(guest, host);
    else
        struct_to_guest(table, layout, guest, host);
}


bool convert_get(const SyscallTable *table, unsigned layout, void *host, GuestAddr guest)
{
    uint8_t buf[TABLE_STRUCT_BYTES_MAX];

    if (!mem_read(buf, guest, table->layouts[layout].guest_bytes))
        return false;
    convert_to_host(table, layout, host, buf);
    return true;
}

bool convert_put(const SyscallTable *table, unsigned layout, GuestAddr guest, const void *host)
{
    uint8_t buf[TABLE_STRUCT_BYTES_MAX];

    convert_to_guest(table, layout, buf, host);
    return mem_write(guest, buf, table->layouts[layout].guest_bytes);
}

/* ---- paths ---- */

const char *path_lookup(Thread *t, int dirfd, GuestAddr path, bool follow, char *buf)
{
    char text[PATH_MAX];
    long n = mem_read_string(text, path, sizeof text);

    /* Relative paths, the most frequent, are nobody's but the host's, unless /proc is where they
     * begin; procfs knows. */
    if (n <= 0)
        return mem_host(path);
    const char *found = follow ? procfs_follow(t, dirfd, text) : text;
    if (found == text)
        found = prefix_lookup(t->process, text, buf, PATH_MAX);
    if (found == text)
        return mem_host(path);
    if (found != buf) {
        size_t len = strlen(found);
        if (len >= PATH_MAX)
            return mem_host(path);
        memcpy(buf, found, len + 1);
    }
    return buf;
}

/* ---- whole calls ---- */

/* Memory for converted arguments: a piece of the stack,
 * and mapped memory when that is too small. */
typedef struct Scratch {
    uint8_t here[2048];
    size_t used;
    struct ScratchMap { void *at; size_t bytes; } maps[6];
    unsigned n_maps;
} Scratch;

static void *scratch_take(Scratch *s, size_t bytes)
{
    bytes = (bytes + 15) & ~(size_t)15;
    if (bytes <= sizeof s->here - s->used) {
        s->used += bytes;
        return s->here + s->used - bytes;
    }
    long at = host_raw(HOST_NR_MMAP, 0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                       -1, 0);
    if (at < 0 && at > -4096)
        return NULL;
    s->maps[s->n_maps++] = (struct ScratchMap){ (void *)at, bytes };
    return (void *)at;
}

static void scratch_drop(Scratch *s)
{
    while (s->n_maps--)
        host_raw(HOST_NR_MUNMAP, s->maps[s->n_maps].at, s->maps[s->n_maps].bytes);
}

/* Bytes of one element that a pointer argument points to, on either side; 0: bytes, as they are. */
static unsigned element_bytes(const SyscallTable *table, const TableArg *a, bool host)
{
    unsigned word = host ? sizeof(long) : table->word_bytes;

    if (a->kind == TABLE_STRUCT)
        return host ? table->layouts[a->ref].host_bytes : table->layouts[a->ref].guest_bytes;
    return table_number_bytes(a->kind, word);
}

static bool argument_is_same(const SyscallTable *table, const TableArg *a)
{
    if (a->kind == TABLE_STRUCT)
        return table->layouts[a->ref].same;
    return table->like_host || element_bytes(table, a, false) <= 1;
}

static void element_convert(const SyscallTable *table, const TableArg *a, uint8_t *host,
                            uint8_t *guest, bool to_host)
{
    bool is_signed = a->kind == TABLE_LONG;
    unsigned gn = element_bytes(table, a, false), hn = element_bytes(table, a, true);

    if (a->kind == TABLE_STRUCT && to_host)
        convert_to_host(table, a->ref, host, guest);
    else if (a->kind == TABLE_STRUCT)
        convert_to_guest(table, a->ref, guest, host);
    else if (to_host)
        store_bytes(host, hn, HOST_BIG, load_bytes(guest, gn, table->big_endian, is_signed));
    else
        store_bytes(guest, gn, table->big_endian, load_bytes(host, hn, HOST_BIG, is_signed));
}

/* Copies n elements. False: guest memory can't be accessed. */
static bool elements_copy(const SyscallTable *table, const TableArg *a, uint8_t *host, GuestAddr g,
                          uint64_t n, bool to_host)
{
    unsigned gn = element_bytes(table, a, false), hn = element_bytes(table, a, true);
    uint8_t one[TABLE_STRUCT_BYTES_MAX];

    for (uint64_t i = 0; i < n; i++, g += gn, host += hn) {
        if (to_host && !mem_read(one, g, gn))
            return false;
        element_convert(table, a, host, one, to_host);
        if (!to_host && !mem_write(g, one, gn))
            return false;
    }
    return true;
}

static uint64_t element_count(const SyscallTable *table, const TableArg *a, const uint64_t *args)
{
    uint8_t raw[4];

    switch ((TableCount)a->count_kind) {
    case TABLE_ONE: return 1;
    case TABLE_CONST: return a->count;
    case TABLE_BY_ARG: return (uint32_t)args[a->count];
    case TABLE_BY_RET: return 0; /* output only: the caller takes the capacity */
    case TABLE_BY_PTR:
        return mem_read(raw, args[a->count], 4) ? convert_load(table, raw, 4, false) : 0;
    }
    return 0;
}

/* The argument that limits an output whose length the result tells: the next one. */
static uint64_t output_capacity(const TableProto *p, unsigned i, const uint64_t *args)
{
    return i + 1u < p->n_args ? (uint32_t)args[i + 1] : 1;
}

enum { ELEMENTS_MAX = 1 << 20 };

typedef struct Conversion {
    void *host[6]; /* converted copies, or NULL */
    uint64_t n[6];
    uint64_t args[6];
    Scratch scratch;
} Conversion;

static long pointer_to_host(const SyscallTable *table, const TableProto *p, unsigned i,
                            const uint64_t *args, Conversion *c)
{
    const TableArg *a = &table_args[p->args + i];

    c->args[i] = args[i];
    if (!args[i] || argument_is_same(table, a))
        return 0;
    uint64_t n = a->count_kind == TABLE_BY_RET ? output_capacity(p, i, args)
                                               : element_count(table, a, args);
    /* Counts beyond what Linux takes anywhere: the kernel refuses them before it looks. */
    if (n > ELEMENTS_MAX)
        return 0;
    uint8_t *host = scratch_take(&c->scratch, n * element_bytes(table, a, true) + 1);
    if (!host)
        return -ENOMEM;
    /* An unreadable argument goes to the kernel as it is: it says EFAULT, or doesn't look. */
    if (a->dir != TABLE_OUT && !elements_copy(table, a, host, args[i], n, true))
        return 0;
    c->host[i] = host;
    c->n[i] = n;
    c->args[i] = (uintptr_t)host;
    return 0;
}

static long pointers_to_guest(const SyscallTable *table, const TableProto *p, const uint64_t *args,
                              Conversion *c, long ret)
{
    for (unsigned i = 0; i < p->n_args; i++) {
        const TableArg *a = &table_args[p->args + i];
        if (!c->host[i] || a->dir == TABLE_IN)
            continue;
        uint64_t n = a->count_kind == TABLE_BY_RET && (uint64_t)ret < c->n[i] ? (uint64_t)ret
                                                                              : c->n[i];
        if (!elements_copy(table, a, c->host[i], args[i], n, false))
            return -EFAULT;
    }
    return ret;
}

/* Some argument of AT_ flags has AT_SYMLINK_NOFOLLOW (the same bit everywhere). */
static bool has_nofollow(const TableProto *p, const uint64_t *args)
{
    for (unsigned i = 0; i < p->n_args; i++) {
        const TableArg *a = &table_args[p->args + i];
        if (a->kind == TABLE_FLAGS && (args[i] & AT_SYMLINK_NOFOLLOW) &&
            (a->ref == TABLE_SET_AT || a->ref == TABLE_SET_STATX_AT ||
             a->ref == TABLE_SET_FACCESSAT))
            return true;
    }
    return false;
}

long convert_call(Thread *t, const TableCall *call, const uint64_t *args)
{
    const SyscallTable *table = t->process->abi->syscalls;
    const TableProto *p = &table_protos[call->proto];
    Conversion c;
    char path[PATH_MAX];
    int dirfd = AT_FDCWD;
    long ret = 0;

    memset(c.host, 0, sizeof c.host);
    c.scratch.used = c.scratch.n_maps = 0;
    for (unsigned i = 0; i < 6 && ret == 0; i++) {
        const TableArg *a = &table_args[p->args + i];
        if (i >= p->n_args) {
            c.args[i] = args[i];
        } else if (a->kind == TABLE_PATH || a->kind == TABLE_LINKPATH) {
            bool follow = a->kind == TABLE_PATH && !has_nofollow(p, args);
            c.args[i] = (uintptr_t)path_lookup(t, dirfd, args[i], follow, path);
        } else if (a->dir == TABLE_VALUE) {
            if (a->kind == TABLE_ATFD)
                dirfd = args[i];
            c.args[i] =
                kind_is_set(a->kind) ? convert_set_to_host(table, a->ref, args[i]) : args[i];
        } else {
            ret = pointer_to_host(table, p, i, args, &c);
        }
    }
    if (ret == 0)
        ret = host_syscall(t, call->host_nr, c.args[0], c.args[1], c.args[2], c.args[3], c.args[4],
                           c.args[5]);
    if (ret >= 0)
        ret = pointers_to_guest(table, p, args, &c, ret);
    scratch_drop(&c.scratch);
    return ret;
}
