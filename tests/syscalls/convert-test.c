/*
 * Conversions of constants and structures: known bytes, and round trips through every layout of
 * every ABI, a 32-bit big-endian one among them. Memory of the guest is this program's own.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "linux-user/load/prefix.h"
#include "linux-user/mem/map.h"
#include "linux-user/procfs/procfs.h"
#include "linux-user/signal/host-syscall.h"
#include "linux-user/syscalls/convert.h"
#include "linux-user/syscalls/siginfo.h"
#include "syscall-tables/handlers.h"

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

    /* arm's own: 64-bit times and files of 32-bit programs. */
    abi.syscalls = &syscall_table_arm;
    struct stat here;
    uint8_t st64[128];
    c = find_call(&syscall_table_arm, "fstat64");
    CHECK(fstat(0, &here) == 0, "fstat");
    CHECK(convert_call(&t, c, (uint64_t[6]){ 0, mem_guest(st64) }) == 0, "fstat64");
    CHECK(*(uint32_t *)(st64 + 16) == here.st_mode, "st_mode at 16");
    CHECK(*(uint64_t *)(st64 + 96) == here.st_ino, "st_ino at 96");
    CHECK(*(int64_t *)(st64 + 48) == here.st_size, "st_size at 48");
    struct { int64_t sec, nsec; } ts64;
    c = find_call(&syscall_table_arm, "clock_gettime64");
    CHECK(convert_call(&t, c, (uint64_t[6]){ CLOCK_REALTIME, mem_guest(&ts64) }) == 0, "time");
    CHECK(ts64.sec > 1600000000 && ts64.nsec < 1000000000, "%lld", (long long)ts64.sec);
    CHECK(find_call(&syscall_table_arm, "ugetrlimit")->how == TABLE_OWN, "by a handler");
    CHECK(find_call(&syscall_table_arm, "sched_getaffinity")->how == TABLE_PASS, "the same bytes");
    CHECK(find_call(&syscall_table_be32, "signalfd4")->how == TABLE_REFUSE, "not the same");
    CHECK(syscall_table_arm.layouts[TABLE_STRUCT_STATFS64].guest_bytes == 84, "statfs64");
    CHECK(syscall_table_arm.layouts[TABLE_STRUCT_TIMEX64].guest_bytes == 208, "timex64");

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

/* ---- messages of ABIs unlike the host ---- */

/* Writes a value as the ABI has it; where the next one goes. */
static uint8_t *put(const SyscallTable *table, uint8_t *at, unsigned bytes, uint64_t v)
{
    convert_store(table, at, bytes, v);
    return at + bytes;
}

/* struct msghdr of a 32-bit ABI. */
static void put_msghdr(const SyscallTable *table, uint8_t *m, const void *name, unsigned namelen,
                       const void *iov, unsigned n, const void *control, unsigned controllen)
{
    uint8_t *at = put(table, m, 4, mem_guest(name));
    at = put(table, at, 4, namelen);
    at = put(table, at, 4, mem_guest(iov));
    at = put(table, at, 4, n);
    at = put(table, at, 4, mem_guest(control));
    at = put(table, at, 4, controllen);
    put(table, at, 4, 0);
}

typedef struct Low { /* what a 32-bit pointer must reach */
    uint8_t msg[64], iov[16], control[64], name[64], text[16], len[4], option[64];
} Low;

static void messages(const SyscallTable *table, Low *l)
{
    GuestAbi abi = { .syscalls = table };
    Process p = { .abi = &abi };
    Thread t = { .process = &p };
    int s[2], passed = dup(0), on = 1;

    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0, "socketpair");
    setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
    memset(l, 0, sizeof *l);
    strcpy((char *)l->text, "a message");
    put(table, put(table, l->iov, 4, mem_guest(l->text)), 4, 9);
    /* SCM_RIGHTS: a head of 12 bytes, a descriptor. */
    put(table, put(table, put(table, put(table, l->control, 4, 16), 4, SOL_SOCKET), 4, SCM_RIGHTS),
        4, (unsigned)passed);
    put_msghdr(table, l->msg, NULL, 0, l->iov, 1, l->control, 16);
    CHECK(sys_sendmsg(&t, (uint64_t[6]){ s[0], mem_guest(l->msg), 0 }) == 9, "sendmsg");
    memset(l->text, 0, sizeof l->text);
    memset(l->control, 0, sizeof l->control);
    put_msghdr(table, l->msg, NULL, 0, l->iov, 1, l->control, sizeof l->control);
    CHECK(sys_recvmsg(&t, (uint64_t[6]){ s[1], mem_guest(l->msg), 0 }) == 9, "recvmsg");
    CHECK(strcmp((char *)l->text, "a message") == 0, "%s", l->text);
    CHECK(convert_load(table, l->msg + 20, 4, false) == 24 + 16, "controllen");
    /* Credentials come first: pid, uid, gid. */
    CHECK(convert_load(table, l->control, 4, false) == 24, "length");
    CHECK(convert_load(table, l->control + 8, 4, false) == SCM_CREDENTIALS, "type");
    CHECK(convert_load(table, l->control + 12, 4, false) == (unsigned)getpid(), "pid");
    CHECK(convert_load(table, l->control + 24, 4, false) == 16, "length");
    CHECK(convert_load(table, l->control + 32, 4, false) == SCM_RIGHTS, "type");
    int got = (int)convert_load(table, l->control + 36, 4, true);
    CHECK(got > 2 && fcntl(got, F_GETFD) >= 0, "a descriptor");
    /* No room: cut, and said so. */
    write(s[0], "x", 1);
    put_msghdr(table, l->msg, NULL, 0, l->iov, 1, l->control, 14);
    CHECK(sys_recvmsg(&t, (uint64_t[6]){ s[1], mem_guest(l->msg), 0 }) == 1, "recvmsg");
    CHECK(convert_load(table, l->msg + 24, 4, false) & MSG_CTRUNC, "MSG_CTRUNC");
    CHECK(sys_sendmsg(&t, (uint64_t[6]){ s[0], 16, 0 }) == -EFAULT, "EFAULT");

    /* Options: two numbers, a time, one number. */
    put(table, put(table, l->option, 4, 1), 4, 7);
    CHECK(sys_setsockopt(&t, (uint64_t[6]){ s[0], SOL_SOCKET, SO_LINGER, mem_guest(l->option),
                                            8 }) == 0, "SO_LINGER");
    struct linger lg;
    socklen_t n = sizeof lg;
    CHECK(getsockopt(s[0], SOL_SOCKET, SO_LINGER, &lg, &n) == 0 && lg.l_onoff == 1 &&
              lg.l_linger == 7, "%d %d", lg.l_onoff, lg.l_linger);
    put(table, put(table, l->option, 4, 3), 4, 500000);
    CHECK(sys_setsockopt(&t, (uint64_t[6]){ s[0], SOL_SOCKET, SO_RCVTIMEO, mem_guest(l->option),
                                            8 }) == 0, "SO_RCVTIMEO");
    struct timeval tv;
    n = sizeof tv;
    CHECK(getsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &tv, &n) == 0 && tv.tv_sec == 3, "%ld",
          (long)tv.tv_sec);
    memset(l->option, 0, sizeof l->option);
    put(table, l->len, 4, 64);
    CHECK(sys_getsockopt(&t, (uint64_t[6]){ s[0], SOL_SOCKET, SO_RCVTIMEO, mem_guest(l->option),
                                            mem_guest(l->len) }) == 0, "SO_RCVTIMEO");
    CHECK(convert_load(table, l->len, 4, false) == 8, "8 bytes in this ABI");
    CHECK(convert_load(table, l->option, 4, false) == 3, "seconds");
    put(table, l->len, 4, 4);
    CHECK(sys_getsockopt(&t, (uint64_t[6]){ s[0], SOL_SOCKET, SO_TYPE, mem_guest(l->option),
                                            mem_guest(l->len) }) == 0, "SO_TYPE");
    CHECK(convert_load(table, l->option, 4, false) == SOCK_STREAM, "SO_TYPE");

    /* Vectors. */
    put(table, put(table, l->iov, 4, mem_guest(strcpy((char *)l->option, "xyz"))), 4, 3);
    CHECK(sys_writev(&t, (uint64_t[6]){ s[0], mem_guest(l->iov), 1 }) == 3, "writev");
    put(table, put(table, l->iov, 4, mem_guest(l->text)), 4, 16);
    CHECK(sys_readv(&t, (uint64_t[6]){ s[1], mem_guest(l->iov), 1 }) == 3, "readv");
    CHECK(memcmp(l->text, "xyz", 3) == 0, "readv");
    close(s[0]);
    close(s[1]);
    close(got);
    close(passed);

    /* An address: the family is in the machine's order, the rest in the network's. */
    int in = socket(AF_INET, SOCK_DGRAM, 0);
    memset(l->name, 0, 16);
    put(table, l->name, 2, AF_INET);
    memcpy(l->name + 4, "\x7f\0\0\1", 4);
    CHECK(sys_bind(&t, (uint64_t[6]){ in, mem_guest(l->name), 16 }) == 0, "bind");
    put(table, l->len, 4, 64);
    memset(l->name, 0, 16);
    CHECK(sys_getsockname(&t, (uint64_t[6]){ in, mem_guest(l->name), mem_guest(l->len) }) == 0,
          "getsockname");
    CHECK(convert_load(table, l->name, 2, false) == AF_INET, "the family");
    CHECK(memcmp(l->name + 4, "\x7f\0\0\1", 4) == 0, "the address");
    CHECK(convert_load(table, l->len, 4, false) == 16, "its length");
    CHECK(sys_connect(&t, (uint64_t[6]){ in, mem_guest(l->name), 16 }) == 0, "connect to itself");
    strcpy((char *)l->text, "self");
    CHECK(sys_sendto(&t, (uint64_t[6]){ in, mem_guest(l->text), 4, 0, mem_guest(l->name),
                                        16 }) == 4, "sendto");
    put(table, l->len, 4, 64);
    CHECK(sys_recvfrom(&t, (uint64_t[6]){ in, mem_guest(l->text), 8, 0, mem_guest(l->name),
                                          mem_guest(l->len) }) == 4, "recvfrom");
    CHECK(convert_load(table, l->name, 2, false) == AF_INET, "the family");
    close(in);
}

/* What signals tell, in 32-bit words. */
static void infos(const SyscallTable *table)
{
    siginfo_t in, out;
    uint8_t g[SIGINFO_BYTES];
    CHECK(table->layouts[TABLE_STRUCT_SIGEVENT].guest_bytes == 64, "sigevent");

    memset(&in, 0, sizeof in);
    in.si_signo = SIGCHLD;
    in.si_code = CLD_EXITED;
    in.si_pid = 1234;
    in.si_uid = 7;
    in.si_status = 9;
    in.si_utime = 0x1111;
    in.si_stime = -2;
    siginfo_to_guest(table, g, &in);
    static const int32_t child[] = { SIGCHLD, 0, CLD_EXITED, 1234, 7, 9, 0x1111, -2, 0 };
    for (unsigned i = 0; i < sizeof child / sizeof *child; i++)
        CHECK((int32_t)convert_load(table, g + 4 * i, 4, true) == child[i], "word %u of a child's",
              i);
    siginfo_to_host(table, &out, g);
    CHECK(memcmp(&in, &out, sizeof in) == 0, "there and back");

    memset(&in, 0, sizeof in);
    in.si_signo = SIGSEGV;
    in.si_code = SEGV_BNDERR;
    in.si_addr = (void *)0x12345678;
    in.si_lower = (void *)0x1000;
    in.si_upper = (void *)0x2000;
    siginfo_to_guest(table, g, &in);
    CHECK(convert_load(table, g + 12, 4, false) == 0x12345678, "si_addr");
    CHECK(convert_load(table, g + 20, 4, false) == 0x1000, "si_lower");
    CHECK(convert_load(table, g + 24, 4, false) == 0x2000, "si_upper");

    memset(&in, 0, sizeof in);
    in.si_signo = SIGALRM;
    in.si_code = SI_TIMER;
    in.si_overrun = 3;
    in.si_value.sival_int = 77;
    siginfo_to_guest(table, g, &in);
    CHECK(convert_load(table, g + 16, 4, false) == 3, "si_overrun");
    CHECK(convert_load(table, g + 20, 4, false) == 77, "si_value");

    memset(&in, 0, sizeof in);
    in.si_signo = SIGSYS;
    in.si_code = 1;
    in.si_syscall = 42;
    siginfo_to_guest(table, g, &in);
    CHECK(convert_load(table, g + 16, 4, false) == 42, "si_syscall");

    memset(&in, 0, sizeof in);
    in.si_signo = SIGRTMIN;
    in.si_code = POLL_IN;
    in.si_band = 0x41;
    in.si_fd = 5;
    siginfo_to_guest(table, g, &in);
    CHECK(convert_load(table, g + 12, 4, false) == 0x41, "si_band");
    CHECK(convert_load(table, g + 16, 4, false) == 5, "si_fd");
}

int main(void)
{
    Low *low = mmap(NULL, sizeof *low, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
    round_trips(&syscall_table_aarch64);
    round_trips(&syscall_table_riscv64);
    round_trips(&syscall_table_x86_64);
    round_trips(&syscall_table_arm);
    round_trips(&syscall_table_be32);
    known_bytes();
    infos(&syscall_table_arm);
    infos(&syscall_table_be32);
    flags();
    calls();
    if (low != MAP_FAILED) {
        messages(&syscall_table_arm, low);
        messages(&syscall_table_be32, low);
    }
    printf("%u checks, %u failed\n", done, failed);
    return failed != 0;
}
