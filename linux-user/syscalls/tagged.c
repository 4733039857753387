/* data plane */
/*
 * Tagged pointers inside of what a call's arguments point to: by the tagged address ABI the kernel
 * takes them as well as in registers (Documentation/arch/arm64/tagged-address-abi.rst, §2). The
 * host's doesn't, so vectors and messages that have some go to it as copies.
 */
#include "linux-user/syscalls/tagged.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "linux-user/mem/map.h"
#include "linux-user/signal/host-syscall.h"
#include "syscall-tables/table.h"
#include "translator/memory/own-pages.h"

enum { MAX_VECTOR = 1024, MAX_MESSAGES = 1024 };

/* Copies, in memory of their own that the kernel gives back zeroed. */
typedef struct Room {
    uint8_t *at;
    size_t used, bytes;
    bool tagged; /* there was a tag */
} Room;

static void *take(Room *room, size_t n)
{
    void *p = room->at + room->used;
    n = (n + 15) & ~(size_t)15;
    if (room->bytes - room->used < n)
        return NULL;
    room->used += n;
    return p;
}

static void *untag(Room *room, void *p)
{
    uint64_t a = (uintptr_t)p;
    if (!(a >> 55 & 1) && a >> 56) {
        room->tagged = true;
        a &= ~UINT64_C(0) >> 8;
    }
    return mem_host(a);
}

/* The copy, or as it is: then the kernel says what is wrong. */
static struct iovec *copy_vector(Room *room, struct iovec *at, uint64_t n)
{
    struct iovec *v = n && n <= MAX_VECTOR ? take(room, n * sizeof *v) : NULL;
    if (!v || !mem_read(v, mem_guest(at), n * sizeof *v))
        return at;
    for (uint64_t i = 0; i < n; i++)
        v[i].iov_base = untag(room, v[i].iov_base);
    return v;
}

static void copy_message(Room *room, struct msghdr *m)
{
    m->msg_name = untag(room, m->msg_name);
    m->msg_control = untag(room, m->msg_control);
    m->msg_iov = copy_vector(room, untag(room, m->msg_iov), m->msg_iovlen);
}

/* What the kernel has told in the copy of a message's head. */
static bool give_back(GuestAddr at, const struct msghdr *m)
{
    return mem_put(at + offsetof(struct msghdr, msg_namelen), m->msg_namelen) &&
           mem_put(at + offsetof(struct msghdr, msg_controllen), m->msg_controllen) &&
           mem_put(at + offsetof(struct msghdr, msg_flags), m->msg_flags);
}

/* Argument i of the kind, `n` elements: its copy's address. */
static uint64_t copy_argument(Room *room, unsigned kind, GuestAddr at, uint64_t n)
{
    if (kind == TABLE_IOVEC)
        return (uintptr_t)copy_vector(room, mem_host(at), n);
    if (kind == TABLE_MSGHDR) {
        struct msghdr *m = take(room, sizeof *m);
        if (!m || !mem_read(m, at, sizeof *m))
            return at;
        copy_message(room, m);
        return (uintptr_t)m;
    }
    n = n > MAX_MESSAGES ? MAX_MESSAGES : n;
    struct mmsghdr *all = take(room, n * sizeof *all);
    if (!n || !all || !mem_read(all, at, n * sizeof *all))
        return at;
    for (uint64_t i = 0; i < n; i++)
        copy_message(room, &all[i].msg_hdr);
    return (uintptr_t)all;
}

static long put_results(unsigned kind, GuestAddr at, uint64_t copy, long ret)
{
    if (copy == at)
        return ret;
    if (kind == TABLE_MSGHDR)
        return give_back(at, mem_host(copy)) ? ret : -EFAULT;
    const struct mmsghdr *all = mem_host(copy);
    for (long i = 0; kind == TABLE_MMSGHDR && i < ret; i++) {
        GuestAddr to = at + (GuestAddr)i * sizeof *all;
        if (!give_back(to, &all[i].msg_hdr) ||
            !mem_put(to + offsetof(struct mmsghdr, msg_len), all[i].msg_len))
            return -EFAULT;
    }
    return ret;
}

static int find_argument(const TableProto *p)
{
    for (unsigned i = 0; i < p->n_args; i++) {
        unsigned kind = table_args[p->args + i].kind;
        if (kind == TABLE_IOVEC || kind == TABLE_MSGHDR || kind == TABLE_MMSGHDR)
            return (int)i;
    }
    return -1;
}

bool tagged_call(Thread *t, const TableCall *c, const uint64_t *args, long *ret)
{
    const TableProto *p = &table_protos[c->proto];
    int i = find_argument(p);
    if (i < 0 || !args[i])
        return false;
    const TableArg *arg = &table_args[p->args + i];
    uint64_t n = arg->count_kind == TABLE_BY_ARG ? args[arg->count] : 1, a[6];
    Room room = {.bytes = arg->kind == TABLE_MMSGHDR ? 1 << 20 : 32 << 10};
    room.at = own_pages_map(room.bytes);
    if (!room.at)
        return false;
    memcpy(a, args, sizeof a);
    a[i] = copy_argument(&room, arg->kind, args[i], n);
    if (room.tagged) {
        *ret = host_syscall(t, c->host_nr, a[0], a[1], a[2], a[3], a[4], a[5]);
        if (*ret >= 0 && arg->dir != TABLE_IN)
            *ret = put_results(arg->kind, args[i], a[i], *ret);
    }
    own_pages_unmap(room.at, room.bytes);
    return room.tagged;
}
