/* data plane */
/*
 * Messages, addresses, options and vectors for guests whose word size or byte order isn't the
 * host's (`| unlike` in syscall-tables/protos): what others hand to the kernel as it is goes
 * through these. The types of options and control messages are those of syscall-tables/sockopts.
 */
#include "linux-user/syscalls/message.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "linux-user/mem/map.h"
#include "linux-user/signal/host-syscall.h"
#include "linux-user/syscalls/convert.h"
#include "syscall-tables/handlers.h"

enum { NAME_MAX_BYTES = 128, CONTROL_MAX = 1 << 16, OPTION_MAX = 8192 };

const TableSockopt *sockopt_find(bool control, uint32_t level, uint32_t value)
{
    for (unsigned i = 0; i < table_n_sockopts; i++) {
        const TableSockopt *o = &table_sockopts[i];
        if (o->control == control && o->level == level && o->value == value)
            return o;
    }
    return NULL;
}

unsigned sockopt_bytes(const SyscallTable *table, const TableSockopt *o, bool host)
{
    switch (o ? (TableKind)o->kind : TABLE_BYTES) {
    case TABLE_STRUCT:
        return host ? table->layouts[o->ref].host_bytes : table->layouts[o->ref].guest_bytes;
    case TABLE_I16:
    case TABLE_U16: return 2;
    case TABLE_I32:
    case TABLE_U32: return 4;
    case TABLE_I64:
    case TABLE_U64: return 8;
    case TABLE_LONG:
    case TABLE_ULONG: return host ? sizeof(long) : table->word_bytes;
    default: return 1;
    }
}

/* ---- pieces ---- */

static uint64_t word_at(const SyscallTable *table, const uint8_t *p)
{
    return convert_load(table, p, table->word_bytes, false);
}

/* The bytes of an address in place: the family, and what else is in the machine's order. */
static void address_swap(const SyscallTable *table, uint8_t *p, unsigned n, bool to_host)
{
    static const struct { uint16_t family; uint8_t at, bytes; } fields[] = {
        { AF_INET6, 24, 4 },                                                /* scope */
        { AF_NETLINK, 4, 4 }, { AF_NETLINK, 8, 4 },                         /* port, groups */
        { AF_PACKET, 4, 4 }, { AF_PACKET, 8, 2 },                           /* interface, type */
        { AF_VSOCK, 4, 4 }, { AF_VSOCK, 8, 4 },                             /* port, cid */
    };
    uint16_t family;
    uint64_t v = 0;

    if (n < 2)
        return;
    if (to_host) {
        family = (uint16_t)convert_load(table, p, 2, false);
        memcpy(p, &family, 2);
    } else {
        memcpy(&family, p, 2);
        convert_store(table, p, 2, family);
    }
    for (unsigned i = 0; i < sizeof fields / sizeof *fields; i++) {
        uint8_t *at = p + fields[i].at;
        unsigned bytes = fields[i].bytes;
        if (fields[i].family != family || fields[i].at + bytes > n)
            continue;
        if (to_host) {
            v = convert_load(table, at, bytes, false);
            memcpy(at, &v, bytes);
        } else {
            v = 0;
            memcpy(&v, at, bytes);
            convert_store(table, at, bytes, v);
        }
    }
}

/* Elements of an option or message from one side to the other; the bytes that they take there. A
 * rest that is no whole element goes as bytes. */
static size_t elements_convert(const SyscallTable *table, const TableSockopt *o, uint8_t *to,
                               const uint8_t *from, size_t n, bool to_host)
{
    unsigned in = sockopt_bytes(table, o, !to_host), out = sockopt_bytes(table, o, to_host);
    size_t done = 0, used = 0;

    if (o && o->kind == TABLE_SOCKADDR) {
        memcpy(to, from, n);
        address_swap(table, to, n, to_host);
        return n;
    }
    while (in > 1 && used + in <= n) {
        uint64_t v = 0;
        if (o->kind == TABLE_STRUCT && to_host) {
            convert_to_host(table, o->ref, to + done, from + used);
        } else if (o->kind == TABLE_STRUCT) {
            convert_to_guest(table, o->ref, to + done, from + used);
        } else if (to_host) {
            v = convert_load(table, from + used, in, o->kind == TABLE_LONG);
            memcpy(to + done, &v, out);
        } else {
            memcpy(&v, from + used, in);
            convert_store(table, to + done, out, v);
        }
        used += in;
        done += out;
    }
    memcpy(to + done, from + used, n - used);
    done += n - used;
    /* Behind an error stands the address of who caused it. */
    if (o && o->control && o->kind == TABLE_STRUCT && o->ref == TABLE_STRUCT_SOCK_EXTENDED_ERR)
        address_swap(table, to + done - (n - used), n - used, to_host);
    return done;
}

static long vector_to_host(const SyscallTable *table, struct iovec *host, GuestAddr at, uint64_t n)
{
    unsigned word = table->word_bytes;
    uint8_t raw[16];

    for (uint64_t i = 0; i < n; i++, at += 2 * word) {
        if (!mem_read(raw, at, 2 * word))
            return -EFAULT;
        host[i] = (struct iovec){ mem_host(word_at(table, raw)), word_at(table, raw + word) };
        /* A length is signed: too long for the guest, if not for the host. */
        if (word == 4 && host[i].iov_len > INT32_MAX)
            return -EINVAL;
    }
    return 0;
}

/* ---- vectors ---- */

static long with_vector(Thread *t, long nr, const uint64_t *args, unsigned flags_at)
{
    const SyscallTable *table = t->process->abi->syscalls;
    struct iovec v[IOV_MAX];
    uint64_t pos = 0;

    if (args[2] > IOV_MAX)
        return -EINVAL;
    long r = vector_to_host(table, v, args[1], args[2]);
    if (r < 0)
        return r;
    /* A position in two halves; the host takes the whole in the first. */
    if (flags_at > 3)
        pos = table->word_bytes == 4 ? (uint32_t)args[3] | args[4] << 32 : args[3];
    return host_syscall(t, nr, args[0], (uintptr_t)v, args[2], pos, 0,
                        flags_at == 5 ? args[5] : 0);
}

long sys_readv(Thread *t, const uint64_t *args)
{
    return with_vector(t, HOST_NR_READV, args, 3);
}

long sys_writev(Thread *t, const uint64_t *args)
{
    return with_vector(t, HOST_NR_WRITEV, args, 3);
}

long sys_preadv(Thread *t, const uint64_t *args)
{
    return with_vector(t, HOST_NR_PREADV, args, 4);
}

long sys_pwritev(Thread *t, const uint64_t *args)
{
    return with_vector(t, HOST_NR_PWRITEV, args, 4);
}

long sys_preadv2(Thread *t, const uint64_t *args)
{
    return with_vector(t, HOST_NR_PREADV2, args, 5);
}

long sys_pwritev2(Thread *t, const uint64_t *args)
{
    return with_vector(t, HOST_NR_PWRITEV2, args, 5);
}

/* ---- addresses ---- */

static long address_in(Thread *t, GuestAddr at, int n, uint8_t host[NAME_MAX_BYTES])
{
    if (n < 0 || n > NAME_MAX_BYTES)
        return -EINVAL;
    if (!mem_read(host, at, n))
        return -EFAULT;
    address_swap(t->process->abi->syscalls, host, n, true);
    return 0;
}

/* As move_addr_to_user() does: cut to the room, the full length told. */
static long address_out(Thread *t, GuestAddr at, GuestAddr len_at, uint8_t *host, uint32_t n)
{
    const SyscallTable *table = t->process->abi->syscalls;
    uint8_t raw[4];

    if (!mem_read(raw, len_at, 4))
        return -EFAULT;
    int room = (int)convert_load(table, raw, 4, true);
    if (room < 0)
        return -EINVAL;
    address_swap(table, host, n, false);
    convert_store(table, raw, 4, n);
    if (!mem_write(at, host, n < (uint32_t)room ? n : (uint32_t)room) || !mem_write(len_at, raw, 4))
        return -EFAULT;
    return 0;
}

static long call_with_address(Thread *t, long nr, const uint64_t *args)
{
    uint8_t name[NAME_MAX_BYTES];
    long r = address_in(t, args[1], (int)args[2], name);

    return r < 0 ? r : host_syscall(t, nr, args[0], (uintptr_t)name, args[2], 0, 0, 0);
}

long sys_bind(Thread *t, const uint64_t *args)
{
    return call_with_address(t, HOST_NR_BIND, args);
}

long sys_connect(Thread *t, const uint64_t *args)
{
    return call_with_address(t, HOST_NR_CONNECT, args);
}

static long call_giving_address(Thread *t, long nr, const uint64_t *args, uint64_t flags)
{
    uint8_t name[NAME_MAX_BYTES];
    uint32_t n = sizeof name;

    long r = host_syscall(t, nr, args[0], args[1] ? (uintptr_t)name : 0,
                          args[1] ? (uintptr_t)&n : 0, flags, 0, 0);
    if (r >= 0 && args[1]) {
        long e = address_out(t, args[1], args[2], name, n);
        if (e < 0)
            return e;
    }
    return r;
}

long sys_accept(Thread *t, const uint64_t *args)
{
    return call_giving_address(t, HOST_NR_ACCEPT, args, 0);
}

long sys_getsockname(Thread *t, const uint64_t *args)
{
    return call_giving_address(t, HOST_NR_GETSOCKNAME, args, 0);
}

long sys_getpeername(Thread *t, const uint64_t *args)
{
    return call_giving_address(t, HOST_NR_GETPEERNAME, args, 0);
}

long sys_accept4(Thread *t, const uint64_t *args)
{
    uint64_t flags = convert_set_to_host(t->process->abi->syscalls, TABLE_SET_SOCKTYPE, args[3]);

    return call_giving_address(t, HOST_NR_ACCEPT4, args, flags);
}

long sys_sendto(Thread *t, const uint64_t *args)
{
    uint8_t name[NAME_MAX_BYTES];
    long r = args[4] ? address_in(t, args[4], (int)args[5], name) : 0;

    return r < 0 ? r : host_syscall(t, HOST_NR_SENDTO, args[0], args[1], args[2], args[3],
                                    args[4] ? (uintptr_t)name : 0, args[5]);
}

long sys_recvfrom(Thread *t, const uint64_t *args)
{
    uint8_t name[NAME_MAX_BYTES];
    uint32_t n = sizeof name;

    long r = host_syscall(t, HOST_NR_RECVFROM, args[0], args[1], args[2], args[3],
                          args[4] ? (uintptr_t)name : 0, args[4] ? (uintptr_t)&n : 0);
    if (r >= 0 && args[4]) {
        long e = address_out(t, args[4], args[5], name, n);
        if (e < 0)
            return e;
    }
    return r;
}

/* ---- options ---- */

long sys_setsockopt(Thread *t, const uint64_t *args)
{
    const SyscallTable *table = t->process->abi->syscalls;
    const TableSockopt *o = sockopt_find(false, args[1], args[2]);
    uint8_t guest[OPTION_MAX], host[2 * OPTION_MAX];

    if (args[4] > OPTION_MAX)
        return -EINVAL;
    if (!mem_read(guest, args[3], args[4]))
        return -EFAULT;
    size_t n = elements_convert(table, o, host, guest, args[4], true);
    return host_syscall(t, HOST_NR_SETSOCKOPT, args[0], args[1], args[2],
                        args[3] ? (uintptr_t)host : 0, n, 0);
}

long sys_getsockopt(Thread *t, const uint64_t *args)
{
    const SyscallTable *table = t->process->abi->syscalls;
    const TableSockopt *o = sockopt_find(false, args[1], args[2]);
    unsigned gn = sockopt_bytes(table, o, false), hn = sockopt_bytes(table, o, true);
    uint8_t raw[4], guest[2 * OPTION_MAX], host[OPTION_MAX];

    if (!mem_read(raw, args[4], 4))
        return -EFAULT;
    uint32_t room = convert_load(table, raw, 4, false);
    if ((int32_t)room < 0)
        return -EINVAL;
    /* As many elements as the guest has room for. */
    uint32_t n = gn > 1 && room >= gn ? room / gn * hn : room;
    if (n > OPTION_MAX)
        n = OPTION_MAX;
    long r = host_syscall(t, HOST_NR_GETSOCKOPT, args[0], args[1], args[2], (uintptr_t)host,
                          (uintptr_t)&n, 0);
    if (r < 0)
        return r;
    n = elements_convert(table, o, guest, host, n < OPTION_MAX ? n : OPTION_MAX, false);
    convert_store(table, raw, 4, n);
    if (!mem_write(args[3], guest, n < room ? n : room) || !mem_write(args[4], raw, 4))
        return -EFAULT;
    return r;
}

/* ---- messages ---- */

/* struct msghdr: { name, int namelen, iov, iovlen, control, controllen, int flags }, in words. */
typedef struct Message {
    struct msghdr host;
    GuestAddr at, name, control;
    uint64_t control_bytes;
    uint8_t *memory;      /* one mapping: vector, name, control */
    size_t memory_bytes;
    uint8_t address[NAME_MAX_BYTES];
} Message;

static uint64_t align_up(uint64_t n, unsigned to) { return (n + to - 1) & ~(uint64_t)(to - 1); }

/* The head of a control message: a length in a word, the level, the type. */
static unsigned head_bytes(const SyscallTable *table) { return table->word_bytes + 8; }

static void message_drop(Message *m)
{
    if (m->memory)
        host_raw(HOST_NR_MUNMAP, m->memory, m->memory_bytes);
}

/* The guest's control messages behind each other in the host's form; how many bytes, or -errno. */
static long control_to_host(const SyscallTable *table, const Message *m, uint8_t *to,
                            const uint8_t *from)
{
    unsigned word = table->word_bytes, head = head_bytes(table);
    uint64_t at = 0, out = 0;

    while (at + head <= m->control_bytes) {
        uint64_t len = word_at(table, from + at);
        uint32_t level = convert_load(table, from + at + word, 4, false);
        uint32_t type = convert_load(table, from + at + word + 4, 4, false);
        if (len < head || len > m->control_bytes - at)
            return -EINVAL;
        struct cmsghdr c = { .cmsg_level = (int)level, .cmsg_type = (int)type };
        c.cmsg_len = sizeof c + elements_convert(table, sockopt_find(true, level, type),
                                                 to + out + sizeof c, from + at + head, len - head,
                                                 true);
        memcpy(to + out, &c, sizeof c);
        out += align_up(c.cmsg_len, sizeof(long));
        at += align_up(len, word);
    }
    return (long)out;
}

/* Back; what doesn't fit is cut, and said so in the flags. */
static long control_to_guest(const SyscallTable *table, Message *m, uint8_t *room)
{
    unsigned word = table->word_bytes, head = head_bytes(table);
    const uint8_t *from = m->host.msg_control;
    uint64_t at = 0, out = 0;

    while (at + sizeof(struct cmsghdr) <= m->host.msg_controllen) {
        struct cmsghdr c;
        memcpy(&c, from + at, sizeof c);
        if (c.cmsg_len < sizeof c || c.cmsg_len > m->host.msg_controllen - at)
            break;
        uint64_t n = head + elements_convert(table,
                                             sockopt_find(true, c.cmsg_level, c.cmsg_type),
                                             room + head, from + at + sizeof c,
                                             c.cmsg_len - sizeof c, false);
        uint64_t left = m->control_bytes - out;
        if (n > left) {
            m->host.msg_flags |= MSG_CTRUNC;
            n = left < head ? 0 : left;
        }
        convert_store(table, room, word, n);
        convert_store(table, room + word, 4, (uint32_t)c.cmsg_level);
        convert_store(table, room + word + 4, 4, (uint32_t)c.cmsg_type);
        if (!mem_write(m->control + out, room, n))
            return -EFAULT;
        out += align_up(n, word);
        if (out >= m->control_bytes) {
            out = m->control_bytes;
            break;
        }
        at += align_up(c.cmsg_len, sizeof(long));
    }
    return (long)out;
}

static long message_memory(Message *m, uint64_t vectors, uint64_t control)
{
    m->memory_bytes = vectors * sizeof(struct iovec) + control + 64;
    long at = host_raw(HOST_NR_MMAP, 0, m->memory_bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at < 0 && at > -4096)
        return -ENOMEM;
    m->memory = (uint8_t *)at;
    m->host.msg_iov = (struct iovec *)m->memory;
    m->host.msg_control = control ? m->memory + vectors * sizeof(struct iovec) : NULL;
    return 0;
}

/* Control data of the host takes at most so much for the guest's: heads of 16 bytes for 12, words
 * that double. */
static uint64_t control_room(uint64_t guest) { return 3 * guest + 64; }

static long message_read(Thread *t, Message *m, GuestAddr at, bool sends)
{
    const SyscallTable *table = t->process->abi->syscalls;
    unsigned word = table->word_bytes;
    uint8_t raw[56];

    memset(m, 0, sizeof *m);
    m->at = at;
    if (!mem_read(raw, at, 7 * word))
        return -EFAULT;
    m->name = word_at(table, raw);
    int name_bytes = (int)convert_load(table, raw + word, 4, true);
    uint64_t vector = word_at(table, raw + 2 * word), n = word_at(table, raw + 3 * word);
    m->control = word_at(table, raw + 4 * word);
    m->control_bytes = word_at(table, raw + 5 * word);
    if (n > IOV_MAX)
        return -EMSGSIZE;
    if (name_bytes < 0)
        return -EINVAL;
    if (m->control_bytes > CONTROL_MAX)
        return -ENOBUFS;
    if (!m->control)
        m->control_bytes = 0;
    m->host.msg_namelen = m->name ? (name_bytes < NAME_MAX_BYTES ? name_bytes : NAME_MAX_BYTES) : 0;
    m->host.msg_name = m->name ? m->address : NULL;
    m->host.msg_iovlen = n;
    uint64_t control = m->control_bytes ? control_room(m->control_bytes) : 0;
    /* Twice: one in the host's form, one to read or build the guest's in. */
    long r = message_memory(m, n, 2 * control);
    if (r == 0)
        r = vector_to_host(table, m->host.msg_iov, vector, n);
    if (r == 0 && sends && m->name)
        r = address_in(t, m->name, m->host.msg_namelen, m->address);
    if (r == 0 && sends && control) {
        uint8_t *guest = (uint8_t *)m->host.msg_control + control;
        r = mem_read(guest, m->control, m->control_bytes)
                ? control_to_host(table, m, m->host.msg_control, guest)
                : -EFAULT;
        m->host.msg_controllen = r > 0 ? r : 0;
        r = r > 0 ? 0 : r;
    } else {
        m->host.msg_controllen = control;
    }
    return r;
}

/* What recvmsg leaves in the guest's structure. */
static long message_write(Thread *t, Message *m)
{
    const SyscallTable *table = t->process->abi->syscalls;
    unsigned word = table->word_bytes;
    uint8_t raw[8];
    long control = 0;

    if (m->control_bytes) {
        control = control_to_guest(table, m, (uint8_t *)m->host.msg_control +
                                                 control_room(m->control_bytes));
        if (control < 0)
            return control;
    }
    if (m->name) {
        uint32_t n = m->host.msg_namelen;
        address_swap(table, m->address, n < NAME_MAX_BYTES ? n : NAME_MAX_BYTES, false);
        if (!mem_write(m->name, m->address, n < NAME_MAX_BYTES ? n : NAME_MAX_BYTES))
            return -EFAULT;
        convert_store(table, raw, 4, n);
        if (!mem_write(m->at + word, raw, 4))
            return -EFAULT;
    }
    convert_store(table, raw, word, (uint64_t)control);
    if (!mem_write(m->at + 5 * word, raw, word))
        return -EFAULT;
    convert_store(table, raw, 4, (uint32_t)m->host.msg_flags);
    return mem_write(m->at + 6 * word, raw, 4) ? 0 : -EFAULT;
}

static long send_one(Thread *t, int fd, GuestAddr at, uint64_t flags)
{
    Message m;
    long r = message_read(t, &m, at, true);

    if (r == 0)
        r = host_syscall(t, HOST_NR_SENDMSG, fd, (uintptr_t)&m.host, flags, 0, 0, 0);
    message_drop(&m);
    return r;
}

static long receive_one(Thread *t, int fd, GuestAddr at, uint64_t flags)
{
    Message m;
    long r = message_read(t, &m, at, false);

    if (r == 0)
        r = host_syscall(t, HOST_NR_RECVMSG, fd, (uintptr_t)&m.host, flags, 0, 0, 0);
    if (r >= 0) {
        long e = message_write(t, &m);
        r = e < 0 ? e : r;
    }
    message_drop(&m);
    return r;
}

long sys_sendmsg(Thread *t, const uint64_t *args) { return send_one(t, args[0], args[1], args[2]); }

long sys_recvmsg(Thread *t, const uint64_t *args)
{
    return receive_one(t, args[0], args[1], args[2]);
}

/* One after the other; an error behind the first is the next call's. */
static long several(Thread *t, const uint64_t *args, bool sends)
{
    const SyscallTable *table = t->process->abi->syscalls;
    unsigned word = table->word_bytes;
    uint64_t flags = args[3] & ~(uint64_t)MSG_WAITFORONE;
    uint32_t n = (uint32_t)args[2] < IOV_MAX ? (uint32_t)args[2] : IOV_MAX, done = 0;
    uint8_t raw[4];

    for (GuestAddr at = args[1]; done < n; done++, at += 8 * word) {
        long r = sends ? send_one(t, args[0], at, flags) : receive_one(t, args[0], at, flags);
        if (r >= 0) {
            convert_store(table, raw, 4, (uint32_t)r);
            r = mem_write(at + 7 * word, raw, 4) ? 0 : -EFAULT;
        }
        if (r < 0)
            return done ? done : r;
        if (args[3] & MSG_WAITFORONE)
            flags |= MSG_DONTWAIT;
    }
    return done;
}

long sys_sendmmsg(Thread *t, const uint64_t *args) { return several(t, args, true); }

/* The timeout is looked at between messages only, as the kernel does, which is to say: not when it
 * would matter. One that is over at once takes what is there. */
long sys_recvmmsg(Thread *t, const uint64_t *args) { return several(t, args, false); }
