/* data plane */
/*
 * io_uring for guests of the host's word size and byte order. The rings are the kernel's and the
 * guest's; entries mean the same to both, but for a few: flags of open and pipe where they differ,
 * epoll's events, paths below -L's prefix. These are converted in place while the kernel reads
 * them, which is during io_uring_enter (it copies all that an entry points to before it returns,
 * IORING_FEAT_SUBMIT_STABLE), and put back.
 *
 * What can't be done so is refused: a kernel thread that takes entries by itself
 * (IORING_SETUP_SQPOLL: EPERM, as older kernels say to users), rings under another descriptor than
 * the one they were made with, and of the entries those that open the emulator's files of /proc and
 * IORING_OP_EPOLL_WAIT: they complete with -EINVAL, as operations that a kernel doesn't know.
 *
 * A thread's registered rings, which the kernel knows by a small number for that thread alone, are
 * copies in the thread: the descriptor may be closed.
 */
#include "linux-user/syscalls/uring.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/limits.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>

#include "linux-user/mem/map.h"
#include "linux-user/procfs/procfs.h"
#include "linux-user/signal/host-syscall.h"
#include "linux-user/signal/signal.h"
#include "linux-user/syscalls/convert.h"
#include "linux-user/syscalls/hidden.h"
#include "syscall-tables/handlers.h"
#include "translator/memory/own-pages.h"

/* Newer than the headers that this may be built with: include/uapi/linux/io_uring.h. */
enum {
    SETUP_KNOWN = (1 << 19) - 1, SETUP_REGISTERED_FD_ONLY = 1 << 15, SETUP_NO_MMAP = 1 << 14,
    SETUP_NO_SQARRAY = 1 << 16, ENTER_EXT_ARG_REG = 1 << 6,
    OP_EPOLL_WAIT = 59, OP_PIPE = 62, OP_UNKNOWN = 255,
    REGISTER_RESIZE_RINGS = 33, OFFSET_MASK = 0xf8000000,
};
#define REGISTER_BY_RING (1u << 31)

typedef struct UringRing {
    bool known;
    uint32_t flags, head, tail, mask, array; /* offsets into the ring */
    GuestAddr ring, sqes;                    /* where the guest has them, or 0 */
} UringRing;

/* By descriptor; pages that nobody touches cost nothing. Written by calls that make, map and close
 * rings; a guest that does so while it enters the same ring has raced with itself. */
enum { MAX_FDS = 1 << 16 };

static UringRing *ring_find(const Process *p, uint64_t fd)
{
    UringRing *rings = atomic_load_explicit(&p->urings, memory_order_acquire);

    return rings && fd < MAX_FDS && rings[fd].known ? &rings[fd] : NULL;
}

static UringRing *ring_new(Process *p, unsigned fd)
{
    UringRing *rings = atomic_load_explicit(&p->urings, memory_order_acquire), *other = NULL;

    if (fd >= MAX_FDS)
        return NULL;
    if (!rings) {
        rings = own_pages_map(MAX_FDS * sizeof *rings);
        if (!rings)
            return NULL;
        /* release: what the kernel cleared is seen as cleared */
        if (!atomic_compare_exchange_strong_explicit(&p->urings, &other, rings,
                                                     memory_order_release, memory_order_acquire)) {
            own_pages_unmap(rings, MAX_FDS * sizeof *rings);
            rings = other;
        }
    }
    return &rings[fd];
}

void uring_mapped(Process *p, int fd, uint64_t offset, GuestAddr at)
{
    UringRing *r = ring_find(p, (unsigned)fd);

    if (r && (offset & OFFSET_MASK) == IORING_OFF_SQ_RING)
        r->ring = at;
    else if (r && (offset & OFFSET_MASK) == IORING_OFF_SQES)
        r->sqes = at;
}

void uring_closed(Process *p, unsigned first, unsigned last)
{
    UringRing *rings = atomic_load_explicit(&p->urings, memory_order_acquire);

    for (unsigned fd = first; rings && fd <= last && fd < MAX_FDS; fd++)
        if (rings[fd].known)
            memset(&rings[fd], 0, sizeof rings[fd]);
}

/* ---- registered rings ---- */

enum { MAX_REGISTERED = 16 }; /* IO_RINGFD_REG_MAX */

static void registered_put(Thread *t, unsigned i, const UringRing *r)
{
    if (i >= MAX_REGISTERED)
        return;
    if (!t->urings)
        t->urings = calloc(MAX_REGISTERED, sizeof *t->urings);
    if (t->urings)
        t->urings[i] = r ? *r : (UringRing){ 0 };
}

static const UringRing *registered_find(const Thread *t, uint64_t i)
{
    return t->urings && i < MAX_REGISTERED && t->urings[i].known ? &t->urings[i] : NULL;
}

/* The first n of an array of struct io_uring_rsrc_update, as the kernel has left them. */
static void note_registered(Thread *t, GuestAddr at, long n, bool add)
{
    struct io_uring_rsrc_update u;

    for (long i = 0; i < n && mem_get(&u, at + (GuestAddr)i * sizeof u); i++)
        registered_put(t, u.offset, add ? ring_find(t->process, u.data) : NULL);
}

static bool like_host(const Thread *t) { return t->process->abi->syscalls->like_host; }

static void refuse(const char *what)
{
    if (log_on(LOG_UNIMP))
        log_write("io_uring: %s\n", what);
}

long sys_io_uring_setup(Thread *t, const uint64_t *args)
{
    struct io_uring_params q;

    if (!like_host(t))
        return -ENOSYS;
    if (!mem_get(&q, args[1]))
        return -EFAULT;
    if (q.flags & IORING_SETUP_SQPOLL) {
        refuse("a polling kernel thread would take entries before they are converted");
        return -EPERM;
    }
    if (q.flags & ~(uint32_t)SETUP_KNOWN)
        return -EINVAL;
    long fd = host_raw(HOST_NR_IO_URING_SETUP, args[0], args[1]);
    if (fd < 0)
        return fd;
    UringRing alone = { 0 };
    bool by_number = q.flags & SETUP_REGISTERED_FD_ONLY;
    UringRing *r = by_number ? &alone : ring_new(t->process, fd);
    if (!r || !mem_get(&q, args[1])) {
        if (!by_number)
            host_raw(HOST_NR_CLOSE, fd);
        return r ? -EFAULT : -ENOMEM;
    }
    *r = (UringRing){ true, q.flags, q.sq_off.head, q.sq_off.tail, q.sq_off.ring_mask,
                      q.sq_off.array, 0, 0 };
    if (q.flags & SETUP_NO_MMAP) {
        r->ring = q.cq_off.resv2; /* user_addr, by its newer name */
        r->sqes = q.sq_off.resv2;
    }
    if (by_number)
        registered_put(t, fd, r);
    return fd;
}

/* ---- entries ---- */

/* Room for what entries point to, and for what they were. One enter that needs more submits less,
 * as the kernel itself does when it runs out of something. */
enum { MAX_CHANGES = 256, ROOM_BYTES = 16384 };

typedef struct Change {
    GuestAddr at;
    uint64_t old;
    uint8_t bytes;
} Change;

typedef struct Rewrite {
    unsigned n, used;
    Change changes[MAX_CHANGES];
    uint8_t room[ROOM_BYTES];
} Rewrite;

static void change(Rewrite *w, GuestAddr at, unsigned bytes, uint64_t value)
{
    Change *c = &w->changes[w->n];

    *c = (Change){ at, 0, bytes };
    if (mem_read(&c->old, at, bytes) && mem_write(at, &value, bytes))
        w->n++;
}

static void undo(Rewrite *w)
{
    while (w->n--)
        mem_write(w->changes[w->n].at, &w->changes[w->n].old, w->changes[w->n].bytes);
}

static void *keep(Rewrite *w, const void *p, size_t n)
{
    void *at = w->room + w->used;

    memcpy(at, p, n);
    w->used += (n + 7) & ~(size_t)7;
    return at;
}

#define FIELD(sqe, field) ((sqe) + offsetof(struct io_uring_sqe, field))

static void make_unknown(Rewrite *w, GuestAddr at, const char *what)
{
    refuse(what);
    change(w, FIELD(at, opcode), 1, OP_UNKNOWN);
}

/* False: the entry opens a file that procfs makes, which the kernel can't. */
static void path_rewrite(Thread *t, Rewrite *w, GuestAddr at, const struct io_uring_sqe *e,
                         uint64_t open_flags, bool opens)
{
    char text[PATH_MAX], buf[PATH_MAX];
    int fd;

    if (mem_read_string(text, e->addr, sizeof text) <= 0)
        return;
    if (opens && procfs_open(t, e->fd, text, open_flags & ~(uint64_t)O_TRUNC, &fd)) {
        if (fd >= 0)
            host_raw(HOST_NR_CLOSE, fd);
        make_unknown(w, at, "a file of /proc that the emulator makes can't be opened by an entry");
        return;
    }
    if (opens && (open_flags & (O_ACCMODE | O_CREAT | O_TRUNC)) != O_RDONLY)
        return;
    const char *found = path_lookup(t, e->fd, e->addr, !(open_flags & O_NOFOLLOW), buf);
    if (found == buf)
        change(w, FIELD(at, addr), 8, (uintptr_t)keep(w, buf, strlen(buf) + 1));
}

static void openat2_rewrite(Thread *t, Rewrite *w, GuestAddr at, const struct io_uring_sqe *e)
{
    const SyscallTable *table = t->process->abi->syscalls;
    uint8_t guest[sizeof(struct open_how)];
    struct open_how how;

    if (e->len < sizeof how || !mem_read(guest, e->off, sizeof guest))
        return; /* the kernel says what is wrong */
    convert_to_host(table, TABLE_STRUCT_OPEN_HOW, &how, guest);
    /* A longer one would have to be zero behind that; if it isn't, neither knows it. */
    if (!table->layouts[TABLE_STRUCT_OPEN_HOW].same && e->len == sizeof how)
        change(w, FIELD(at, off), 8, (uintptr_t)keep(w, &how, sizeof how));
    if (!how.resolve)
        path_rewrite(t, w, at, e, how.flags, true);
}

static void entry_rewrite(Thread *t, Rewrite *w, GuestAddr at, const struct io_uring_sqe *e)
{
    const SyscallTable *table = t->process->abi->syscalls;
    uint64_t flags;
    uint8_t event[32];

    switch (e->opcode) {
    case IORING_OP_OPENAT:
        flags = convert_set_to_host(table, TABLE_SET_OPEN, e->open_flags);
        if (flags != e->open_flags)
            change(w, FIELD(at, open_flags), 4, flags);
        path_rewrite(t, w, at, e, flags, true);
        break;
    case IORING_OP_OPENAT2:
        openat2_rewrite(t, w, at, e);
        break;
    case IORING_OP_STATX:
        path_rewrite(t, w, at, e, e->statx_flags & AT_SYMLINK_NOFOLLOW ? O_NOFOLLOW : 0, false);
        break;
    case IORING_OP_EPOLL_CTL:
        if (!table->layouts[TABLE_STRUCT_EPOLL_EVENT].same && e->addr &&
            convert_get(table, TABLE_STRUCT_EPOLL_EVENT, event, e->addr))
            change(w, FIELD(at, addr), 8, (uintptr_t)keep(w, event, sizeof event));
        break;
    case IORING_OP_CLOSE:
        if (!e->file_index && hidden_fd_has(t->process, e->fd))
            change(w, FIELD(at, fd), 4, UINT32_MAX);
        break;
    case OP_PIPE:
        flags = convert_set_to_host(table, TABLE_SET_FDFLAGS, e->rw_flags);
        if (flags != (uint32_t)e->rw_flags)
            change(w, FIELD(at, rw_flags), 4, flags);
        break;
    case OP_EPOLL_WAIT:
        if (!table->layouts[TABLE_STRUCT_EPOLL_EVENT].same)
            make_unknown(w, at, "IORING_OP_EPOLL_WAIT: its events would have to be converted");
        break;
    }
}

/* The entries that the kernel is about to take; how many of them are ready. */
static unsigned entries_rewrite(Thread *t, const UringRing *r, unsigned n, Rewrite *w)
{
    uint32_t head, tail, mask, index;
    unsigned stride = r->flags & IORING_SETUP_SQE128 ? 128 : 64;
    struct io_uring_sqe e;

    if (!mem_get(&head, r->ring + r->head) || !mem_get(&tail, r->ring + r->tail) ||
        !mem_get(&mask, r->ring + r->mask))
        return n;
    for (unsigned i = 0; i < n && head != tail; i++, head++) {
        if (w->n + 3 > MAX_CHANGES || w->used + PATH_MAX + 64 > ROOM_BYTES)
            return i;
        index = head & mask;
        if (!(r->flags & SETUP_NO_SQARRAY) && !mem_get(&index, r->ring + r->array + 4ull * index))
            return n;
        GuestAddr at = r->sqes + (uint64_t)(index & mask) * stride;
        if (!mem_get(&e, at))
            return n;
        entry_rewrite(t, w, at, &e);
    }
    return n;
}

/* ---- entering ---- */

/* The mask to wait under, alone or in struct io_uring_getevents_arg; what to pass instead. */
typedef struct WaitMask {
    uint64_t storage;
    struct io_uring_getevents_arg ext;
    uint64_t arg, bytes;
} WaitMask;

static long wait_mask(Thread *t, const uint64_t *args, WaitMask *m)
{
    const void *host;
    long r;

    m->arg = args[4];
    m->bytes = args[5];
    if (!args[4] || args[3] & ENTER_EXT_ARG_REG || !(args[3] & IORING_ENTER_GETEVENTS))
        return 0;
    if (!(args[3] & IORING_ENTER_EXT_ARG)) {
        r = signal_temp_mask(t, args[4], args[5], &m->storage, &host);
        m->arg = (uintptr_t)host;
        return r;
    }
    if (args[5] != sizeof m->ext)
        return -EINVAL;
    if (!mem_get(&m->ext, args[4]))
        return -EFAULT;
    if (m->ext.sigmask) {
        r = signal_temp_mask(t, m->ext.sigmask, m->ext.sigmask_sz, &m->storage, &host);
        if (r < 0)
            return r;
        m->ext.sigmask = (uintptr_t)host;
    }
    m->arg = (uintptr_t)&m->ext;
    return 0;
}

long sys_io_uring_enter(Thread *t, const uint64_t *args)
{
    unsigned n = args[1], ready = n, flags = args[3];
    bool registered = flags & IORING_ENTER_REGISTERED_RING;
    const UringRing *r = registered ? registered_find(t, args[0]) : ring_find(t->process, args[0]);
    Rewrite w;
    WaitMask m;

    if (!like_host(t))
        return -ENOSYS;
    w.n = w.used = 0;
    if (n && r && r->ring && r->sqes) {
        ready = entries_rewrite(t, r, n, &w);
    } else if (n && registered && r) {
        refuse("a ring that was registered before it was mapped");
        return -EOPNOTSUPP;
    } else if (n && !registered) {
        char target[32] = "";
        char link[64] = "/proc/self/fd/", *at = link + strlen(link), digits[12], *d = digits;
        for (unsigned v = args[0]; d == digits || v; v /= 10)
            *d++ = (char)('0' + v % 10);
        while (d > digits)
            *at++ = *--d;
        *at = 0;
        host_raw(HOST_NR_READLINKAT, AT_FDCWD, link, target, sizeof target - 1);
        if (!strcmp(target, "anon_inode:[io_uring]")) {
            refuse("a ring under another descriptor than it was made and mapped with");
            return -EOPNOTSUPP;
        }
    }
    long ret = ready == n ? wait_mask(t, args, &m) : 0;
    if (ret == 0 && ready == n)
        ret = host_syscall(t, HOST_NR_IO_URING_ENTER, args[0], n, args[2], flags, m.arg, m.bytes);
    else if (ret == 0)
        ret = host_syscall(t, HOST_NR_IO_URING_ENTER, args[0], ready, 0,
                           flags & ~(IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG), 0, 0);
    undo(&w);
    return ret;
}

/* ---- registering ---- */

/* The probe says what operations there are. */
static void probe_hide(Thread *t, GuestAddr at, unsigned n)
{
    GuestAddr op = at + offsetof(struct io_uring_probe, ops) +
                   OP_EPOLL_WAIT * sizeof(struct io_uring_probe_op);

    if (n > OP_EPOLL_WAIT &&
        !t->process->abi->syscalls->layouts[TABLE_STRUCT_EPOLL_EVENT].same)
        mem_put(op + offsetof(struct io_uring_probe_op, flags), (uint16_t)0);
}

long sys_io_uring_register(Thread *t, const uint64_t *args)
{
    unsigned op = args[1];
    struct io_uring_params q;

    if (!like_host(t))
        return -ENOSYS;
    bool registered = op & REGISTER_BY_RING;
    long r = host_syscall(t, HOST_NR_IO_URING_REGISTER, args[0], op, args[2], args[3], 0, 0);
    op &= ~REGISTER_BY_RING;
    if (r >= 0 && op == IORING_REGISTER_PROBE)
        probe_hide(t, args[2], args[3]);
    if (op == IORING_REGISTER_RING_FDS || op == IORING_UNREGISTER_RING_FDS)
        note_registered(t, args[2], r, op == IORING_REGISTER_RING_FDS);
    UringRing *ring = registered ? (UringRing *)registered_find(t, args[0])
                                 : ring_find(t->process, args[0]);
    if (r >= 0 && op == REGISTER_RESIZE_RINGS && ring && mem_get(&q, args[2])) {
        ring->array = q.sq_off.array;
        ring->ring = ring->sqes = 0; /* the guest maps them anew */
    }
    return r;
}
