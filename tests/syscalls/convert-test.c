/*
 * Conversions of constants and structures: known bytes, and round trips through every layout of
 * every ABI, a 32-bit big-endian one among them. Memory of the guest is this program's own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "linux-user/load/prefix.h"
#include "linux-user/mem/map.h"
#include "linux-user/procfs/procfs.h"
#include "linux-user/signal/host-syscall.h"
#include "linux-user/syscalls/convert.h"

extern const SyscallTable syscall_table_aarch64, syscall_table_riscv64, syscall_table_x86_64,
    syscall_table_arm, syscall_table_be32;

/* ---- what the emulator's other parts give ---- */

bool mem_read(void *dst, GuestAddr src, size_t n)
{
    if (src < 4096)
        return false;
    memcpy(dst, mem_host(src), n);
    return true;
}

bool mem_write(GuestAddr dst, const void *src, size_t n)
{
    if (dst < 4096)
        return false;
    memcpy(mem_host(dst), src, n);
    return true;
}

long mem_read_string(char *dst, GuestAddr src, size_t size)
{
    if (src < 4096)
        return -EFAULT;
    size_t n = strnlen(mem_host(src), size);
    if (n == size)
        return -ENAMETOOLONG;
    memcpy(dst, mem_host(src), n + 1);
    return n;
}

const char *prefix_lookup(const Process *p, const char *path, char *buf, size_t size)
{
    return path;
}

const char *procfs_follow(Thread *t, int dirfd, const char *path) { return path; }

long host_syscall_asm(const void *pending, long nr, uint64_t a0, uint64_t a1, uint64_t a2,
                      uint64_t a3, uint64_t a4, uint64_t a5)
{
    long r = syscall(nr, a0, a1, a2, a3, a4, a5);
    return r < 0 ? -errno : r;
}

long host_syscall_raw_asm(long nr, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4,
                          uint64_t a5)
{
    return host_syscall_asm(NULL, nr, a0, a1, a2, a3, a4, a5);
}

/* ---- checks ---- */

static unsigned failed, done;

#define CHECK(cond, ...)                                                                           \
    do {                                                                                           \
        done++;                                                                                    \
        if (!(cond)) {                                                                             \
            failed++;                                                                              \
            printf("%s:%d: %s: ", __FILE__, __LINE__, #cond);                                      \
            printf(__VA_ARGS__);                                                                   \
            putchar('\n');                                                                         \
        }                                                                                          \
    } while (0)

static uint64_t rng_state = 0x9e3779b97f4a7c15;

static uint64_t rng(void)
{
    rng_state ^= rng_state << 13;
    rng_state ^= rng_state >> 7;
    return rng_state ^= rng_state << 17;
}

/* Random fields that both sides can hold, so that going there and back changes nothing. */
static void fill(const SyscallTable *table, unsigned layout, uint8_t *host)
{
    const TableLayout *l = &table->layouts[layout];

    for (unsigned i = 0; i < l->n; i++) {
        const TableField *f = &table_fields[l->first + i];
        for (unsigned k = 0; k < (f->count ? f->count : 1); k++) {
            if (f->kind == TABLE_STRUCT) {
                fill(table, f->ref, host + f->host_offset + k * table->layouts[f->ref].host_bytes);
                continue;
            }
            unsigned bits = 8 * (f->guest_bytes < f->host_bytes ? f->guest_bytes : f->host_bytes);
            uint64_t v = rng();
            if (bits < 64)
                v &= (UINT64_C(1) << bits) - 1;
            /* Values that read the same signed or not, where the widths differ. */
            if (f->guest_bytes != f->host_bytes && bits < 64)
                v >>= 1;
            if (f->kind == TABLE_FLAGS || f->kind == TABLE_VALUES) {
                const TableSet *s = &table->sets[f->ref];
                v = table_consts[s->host_first + rng() % s->n].value;
                if (f->host_bytes < 8)
                    v &= (UINT64_C(1) << 8 * f->host_bytes) - 1;
            }
            memcpy(host + f->host_offset + k * f->host_bytes, &v, f->host_bytes);
        }
    }
}

static const char *layout_name(const SyscallTable *table, unsigned layout)
{
    return table_strings + table->layouts[layout].name;
}

static void round_trips(const SyscallTable *table)
{
    for (unsigned s = 0; s < TABLE_N_STRUCTS; s++) {
        const TableLayout *l = &table->layouts[s];
        CHECK(l->guest_bytes <= TABLE_STRUCT_BYTES_MAX &&
                  l->host_bytes <= TABLE_STRUCT_BYTES_MAX, "%s %s", table->name,
              layout_name(table, s));
        for (unsigned n = 0; n < 20; n++) {
            uint8_t host[TABLE_STRUCT_BYTES_MAX] = { 0 }, guest[TABLE_STRUCT_BYTES_MAX + 16],
                    back[TABLE_STRUCT_BYTES_MAX];
            memset(guest, 0xa5, sizeof guest);
            fill(table, s, host);
            if (l->same) {
                /* Padding takes part in a plain copy. */
                convert_to_guest(table, s, guest, host);
                CHECK(memcmp(guest, host, l->host_bytes) == 0, "%s %s", table->name,
                      layout_name(table, s));
            } else {
                CHECK(convert_put(table, s, mem_guest(guest), host), "write");
            }
            CHECK(guest[l->guest_bytes] == 0xa5, "%s %s: wrote too far", table->name,
                  layout_name(table, s));
            CHECK(convert_get(table, s, back, mem_guest(guest)), "read");
            CHECK(memcmp(back, host, l->host_bytes) == 0, "%s %s: not the same again", table->name,
                  layout_name(table, s));
        }
    }
}

/* Bytes written out by hand, from the kernel's structures. */
static void known_bytes(void)
{
    struct stat st = { .st_dev = 0x11, .st_ino = 0x22, .st_mode = 0100644, .st_nlink = 3,
                       .st_uid = 1000, .st_gid = 1001, .st_size = 0x123456789, .st_blksize = 4096,
                       .st_blocks = 8 };
    uint8_t g[256];

    st.st_mtim.tv_sec = 0x5555;
    convert_to_guest(&syscall_table_aarch64, TABLE_STRUCT_STAT, g, &st);
    static const uint8_t start[] = { 0x11, 0, 0, 0, 0, 0, 0, 0, 0x22, 0, 0, 0, 0, 0, 0, 0,
                                     0xa4, 0x81, 0, 0, 3, 0, 0, 0, 0xe8, 3, 0, 0, 0xe9, 3, 0, 0 };
    CHECK(memcmp(g, start, sizeof start) == 0, "stat's first fields on aarch64");
    CHECK(*(int64_t *)(g + 48) == 0x123456789, "st_size");
    CHECK(*(int32_t *)(g + 56) == 4096, "st_blksize");
    CHECK(*(int64_t *)(g + 88) == 0x5555, "st_mtime");

    struct epoll_event ev = { .events = EPOLLIN, .data.u64 = 0x0102030405060708 };
    convert_to_guest(&syscall_table_riscv64, TABLE_STRUCT_EPOLL_EVENT, g, &ev);
    CHECK(*(uint32_t *)g == 1 && *(uint64_t *)(g + 8) == 0x0102030405060708, "epoll_event");
    convert_to_guest(&syscall_table_be32, TABLE_STRUCT_EPOLL_EVENT, g, &ev);
    static const uint8_t big[] = { 0, 0, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8 };
    CHECK(memcmp(g, big, sizeof big) == 0, "epoll_event, big-endian");

    /* Alignment of 64-bit integers: 8 on arm, 4 on be32. */
    CHECK(syscall_table_arm.layouts[TABLE_STRUCT_EPOLL_EVENT].guest_bytes == 16, "arm");
    CHECK(syscall_table_be32.layouts[TABLE_STRUCT_EPOLL_EVENT].guest_bytes == 12, "be32");
    CHECK(syscall_table_x86_64.layouts[TABLE_STRUCT_EPOLL_EVENT].guest_bytes == 12, "x86_64");

    struct timespec ts = { .tv_sec = -2, .tv_nsec = 7 };
    convert_to_guest(&syscall_table_be32, TABLE_STRUCT_TIMESPEC, g, &ts);
    static const uint8_t minus[] = { 0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 7 };
    CHECK(memcmp(g, minus, sizeof minus) == 0, "negative long, big-endian");
    memset(&ts, 0, sizeof ts);
    convert_to_host(&syscall_table_be32, TABLE_STRUCT_TIMESPEC, &ts, g);
    CHECK(ts.tv_sec == -2 && ts.tv_nsec == 7, "sign extension");
    CHECK(!convert_get(&syscall_table_be32, TABLE_STRUCT_TIMESPEC, &ts, 16), "EFAULT");
}

static void flags(void)
{
    const SyscallTable *a = &syscall_table_aarch64, *r = &syscall_table_riscv64;

    /* arch/arm64: O_DIRECTORY 040000 O_NOFOLLOW 0100000 O_DIRECT 0200000 O_LARGEFILE 0400000 */
    CHECK(convert_set_to_host(a, TABLE_SET_OPEN, 040000) == O_DIRECTORY, "O_DIRECTORY");
    CHECK(convert_set_to_host(a, TABLE_SET_OPEN, 0100000) == O_NOFOLLOW, "O_NOFOLLOW");
    CHECK(convert_set_to_host(a, TABLE_SET_OPEN, 0200000 | 2) == (O_DIRECT | O_RDWR), "O_DIRECT");
    CHECK(convert_set_to_host(a, TABLE_SET_OPEN, 0400000) == 0100000, "O_LARGEFILE");
    CHECK(convert_set_to_host(a, TABLE_SET_OPEN, 020040000 | 1) == (O_TMPFILE | O_WRONLY),
          "O_TMPFILE");
    CHECK(convert_set_to_host(a, TABLE_SET_OPEN, O_CREAT | O_TRUNC | O_CLOEXEC | O_SYNC) ==
              (O_CREAT | O_TRUNC | O_CLOEXEC | O_SYNC), "the rest");
    CHECK(convert_set_to_guest(a, TABLE_SET_OPEN, O_DIRECTORY | O_NOFOLLOW) == 0140000, "back");
    CHECK(convert_set_to_host(r, TABLE_SET_OPEN, O_DIRECTORY) == O_DIRECTORY, "riscv is generic");
    for (unsigned n = 0; n < 1000; n++) {
        uint64_t v = rng() & 037777777;
        CHECK(convert_set_to_guest(a, TABLE_SET_OPEN, convert_set_to_host(a, TABLE_SET_OPEN, v)) ==
                  v, "%llo", (unsigned long long)v);
    }
}

/* ---- whole calls ---- */

static const TableCall *find_call(const SyscallTable *table, const char *name)
{
    for (uint32_t i = 0; i < table->n; i++)
        if (table->calls[i].how != TABLE_UNKNOWN &&
            strcmp(table_strings + table_protos[table->calls[i].proto].name, name) == 0)
            return &table->calls[i];
    printf("%s has no call %s\n", table->name, name);
    exit(1);
}

static void calls(void)
{
    GuestAbi abi = { .syscalls = &syscall_table_be32 };
    Process p = { .abi = &abi };
    Thread t = { .process = &p };
    uint8_t g[64] = { 0 };

    CHECK(find_call(&syscall_table_aarch64, "getpid")->how == TABLE_PASS, "passed");
    CHECK(find_call(&syscall_table_aarch64, "read")->how == TABLE_PASS, "passed");
    CHECK(find_call(&syscall_table_riscv64, "pipe2")->how == TABLE_PASS, "passed");
    CHECK(find_call(&syscall_table_aarch64, "pipe2")->how == TABLE_CONVERT, "O_DIRECT differs");
    CHECK(find_call(&syscall_table_be32, "clock_getres")->how == TABLE_CONVERT, "converted");

    /* 1 ns, as two big-endian words. */
    const TableCall *c = find_call(&syscall_table_be32, "clock_getres");
    CHECK(convert_call(&t, c, (uint64_t[6]){ CLOCK_MONOTONIC, mem_guest(g) }) == 0, "clock_getres");
    CHECK(memcmp(g, "\0\0\0\0\0\0\0\1", 8) == 0, "resolution");
    CHECK(convert_call(&t, c, (uint64_t[6]){ CLOCK_MONOTONIC, 16 }) == -EFAULT, "EFAULT");
    CHECK(convert_call(&t, c, (uint64_t[6]){ 12345, mem_guest(g) }) == -EINVAL, "EINVAL");
    CHECK(convert_call(&t, c, (uint64_t[6]){ CLOCK_MONOTONIC, 0 }) == 0, "null is allowed");

    c = find_call(&syscall_table_be32, "pipe2");
    CHECK(convert_call(&t, c, (uint64_t[6]){ mem_guest(g), O_CLOEXEC }) == 0, "pipe2");
    int r = g[0] << 24 | g[1] << 16 | g[2] << 8 | g[3],
        w = g[4] << 24 | g[5] << 16 | g[6] << 8 | g[7];
    CHECK(write(w, "x", 1) == 1 && read(r, g, 1) == 1 && g[0] == 'x', "a pipe");

    /* A relative wait of 1 ms in the guest's order; an array of structures in. */
    c = find_call(&syscall_table_be32, "nanosleep");
    static const uint8_t ms[] = { 0, 0, 0, 0, 0, 0x0f, 0x42, 0x40 };
    CHECK(convert_call(&t, c, (uint64_t[6]){ mem_guest(ms), 0 }) == 0, "nanosleep");
    static const uint8_t bad[] = { 0, 0, 0, 0, 0x40, 0, 0, 0 };
    CHECK(convert_call(&t, c, (uint64_t[6]){ mem_guest(bad), 0 }) == -EINVAL, "nanosleep");
    CHECK(convert_call(&t, c, (uint64_t[6]){ 16, 0 }) == -EFAULT, "nanosleep");

    /* Paths and structures: what aarch64 gets is what stat() says. */
    abi.syscalls = &syscall_table_aarch64;
    struct stat st;
    uint8_t gst[128];
    c = find_call(&syscall_table_aarch64, "newfstatat");
    CHECK(stat("/", &st) == 0, "stat");
    CHECK(convert_call(&t, c, (uint64_t[6]){ AT_FDCWD, mem_guest("/"), mem_guest(gst), 0 }) == 0,
          "newfstatat");
    CHECK(*(uint64_t *)(gst + 8) == st.st_ino && *(uint32_t *)(gst + 16) == st.st_mode, "of /");
    CHECK(convert_call(&t, c, (uint64_t[6]){ AT_FDCWD, 16, mem_guest(gst), 0 }) == -EFAULT, "path");
    CHECK(convert_call(&t, c, (uint64_t[6]){AT_FDCWD, mem_guest("/"), 16, 0}) == -EFAULT, "buffer");
    CHECK(convert_call(&t, c, (uint64_t[6]){ AT_FDCWD, mem_guest("/nothing/there"),
                                             mem_guest(gst), 0 }) == -ENOENT, "ENOENT");
}

int main(void)
{
    round_trips(&syscall_table_aarch64);
    round_trips(&syscall_table_riscv64);
    round_trips(&syscall_table_x86_64);
    round_trips(&syscall_table_arm);
    round_trips(&syscall_table_be32);
    known_bytes();
    flags();
    calls();
    printf("%u checks, %u failed\n", done, failed);
    return failed != 0;
}
