/* io_uring by its own system calls: rings, files, links, pipes, sockets, timeouts, epoll, buffers,
 * and what is refused. */
#include "test.h"

#include <fcntl.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <linux/openat2.h>
#include <linux/time_types.h>

static struct {
    int fd;
    struct io_uring_params p;
    char *sq, *cq;
    struct io_uring_sqe *sqes;
} ring;

#define AT(base, off) ((_Atomic unsigned *)((base) + (off)))

static int setup(unsigned n, unsigned flags)
{
    struct io_uring_params p = { .flags = flags };
    int fd = syscall(SYS_io_uring_setup, n, &p);
    ring.p = p;
    return fd;
}

static void map_ring(void)
{
    size_t sq = ring.p.sq_off.array + ring.p.sq_entries * 4;
    size_t cq = ring.p.cq_off.cqes + ring.p.cq_entries * sizeof(struct io_uring_cqe);
    ring.sq = mmap(NULL, sq, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring.fd,
                   IORING_OFF_SQ_RING);
    ring.cq = mmap(NULL, cq, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring.fd,
                   IORING_OFF_CQ_RING);
    ring.sqes = mmap(NULL, ring.p.sq_entries * sizeof *ring.sqes, PROT_READ | PROT_WRITE,
                     MAP_SHARED | MAP_POPULATE, ring.fd, IORING_OFF_SQES);
    printf("mapped %d %d %d\n", ring.sq != MAP_FAILED, ring.cq != MAP_FAILED,
           (void *)ring.sqes != MAP_FAILED);
}

static struct io_uring_sqe *entry(unsigned op, int fd, const void *addr, unsigned len,
                                  unsigned long long off, unsigned long long user)
{
    unsigned tail = *AT(ring.sq, ring.p.sq_off.tail), mask = *AT(ring.sq, ring.p.sq_off.ring_mask);
    struct io_uring_sqe *e = &ring.sqes[tail & mask];
    memset(e, 0, sizeof *e);
    e->opcode = op;
    e->fd = fd;
    e->addr = (unsigned long)addr;
    e->len = len;
    e->off = off;
    e->user_data = user;
    *AT(ring.sq, ring.p.sq_off.array + 4 * (tail & mask)) = tail & mask;
    atomic_store(AT(ring.sq, ring.p.sq_off.tail), tail + 1);
    return e;
}

static long enter(unsigned submit, unsigned complete)
{
    return syscall(SYS_io_uring_enter, ring.fd, submit, complete,
                   complete ? IORING_ENTER_GETEVENTS : 0, NULL, 0);
}

/* Takes n completions; their results by user_data. */
static void take(unsigned n, int *res)
{
    struct io_uring_cqe *cqes = (void *)(ring.cq + ring.p.cq_off.cqes);
    unsigned mask = *AT(ring.cq, ring.p.cq_off.ring_mask);
    while (n) {
        unsigned head = *AT(ring.cq, ring.p.cq_off.head);
        if (head == atomic_load(AT(ring.cq, ring.p.cq_off.tail))) {
            if (enter(0, 1) < 0)
                return;
            continue;
        }
        res[cqes[head & mask].user_data] = cqes[head & mask].res;
        atomic_store(AT(ring.cq, ring.p.cq_off.head), head + 1);
        n--;
    }
}

static int one(struct io_uring_sqe *e)
{
    int res[16] = { 0 };
    e->user_data = 0;
    long r = enter(1, 1);
    if (r != 1)
        return -10000 + r;
    take(1, res);
    return res[0];
}

static const char *result(int r)
{
    static char text[32];
    if (r < 0)
        return strerrorname_np(-r) ? strerrorname_np(-r) : "?";
    snprintf(text, sizeof text, "%d", r);
    return text;
}
#define RUN(e) printf("%s: %s\n", #e, result(one(e)))
#define RUN_FD(e)                                                                                  \
    ({                                                                                             \
        int run_fd = one(e);                                                                       \
        printf("%s: %s\n", #e, run_fd < 0 ? result(run_fd) : "ok");                                \
        run_fd;                                                                                    \
    })

static void files(void)
{
    char buf[64] = "";
    struct iovec iov[2] = { { "ring ", 5 }, { "of io", 5 } };
    struct io_uring_sqe *e = entry(IORING_OP_OPENAT, AT_FDCWD, "file", 0600, 0, 0);
    e->open_flags = O_CREAT | O_RDWR | O_CLOEXEC;
    int fd = RUN_FD(e);
    SHOW(fcntl(fd, F_GETFD));
    RUN(entry(IORING_OP_WRITEV, fd, iov, 2, 0, 0));
    RUN(entry(IORING_OP_READ, fd, buf, sizeof buf, 5, 0));
    printf("%s\n", buf);
    RUN(entry(IORING_OP_WRITE, fd, "IO", 2, 8, 0));
    RUN(entry(IORING_OP_FSYNC, fd, NULL, 0, 0, 0));
    iov[0] = (struct iovec){ buf, sizeof buf };
    RUN(entry(IORING_OP_READV, fd, iov, 1, 0, 0));
    printf("%s\n", buf);
    RUN(entry(IORING_OP_FALLOCATE, fd, (void *)8192, 0, 0, 0));
    struct statx sx;
    e = entry(IORING_OP_STATX, AT_FDCWD, "file", STATX_SIZE, (unsigned long)&sx, 0);
    RUN(e);
    printf("size %llu\n", (unsigned long long)sx.stx_size);
    /* Flags whose values differ between ports. */
    mkdir("dir", 0700);
    symlink("file", "link");
    e = entry(IORING_OP_OPENAT, AT_FDCWD, "dir", 0, 0, 0);
    e->open_flags = O_DIRECTORY | O_RDONLY;
    int dir = RUN_FD(e);
    e = entry(IORING_OP_OPENAT, AT_FDCWD, "file", 0, 0, 0);
    e->open_flags = O_DIRECTORY;
    RUN_FD(e);
    /* The entry is as it was. */
    printf("kept %d\n", e->open_flags == O_DIRECTORY);
    e = entry(IORING_OP_OPENAT, AT_FDCWD, "link", 0, 0, 0);
    e->open_flags = O_NOFOLLOW;
    RUN_FD(e);
    struct open_how how = { .flags = O_RDONLY | O_DIRECTORY };
    e = entry(IORING_OP_OPENAT2, AT_FDCWD, "file", sizeof how, (unsigned long)&how, 0);
    RUN_FD(e);
    how.flags = O_RDONLY | O_NOFOLLOW;
    e = entry(IORING_OP_OPENAT2, dir, "../link", sizeof how, (unsigned long)&how, 0);
    RUN_FD(e);
    how.flags = O_RDONLY;
    how.resolve = RESOLVE_BENEATH;
    e = entry(IORING_OP_OPENAT2, dir, "../file", sizeof how, (unsigned long)&how, 0);
    RUN_FD(e);
    e = entry(IORING_OP_OPENAT2, dir, "../file", 8, (unsigned long)&how, 0);
    RUN_FD(e);
    e = entry(IORING_OP_OPENAT, AT_FDCWD, BAD, 0, 0, 0);
    RUN_FD(e);
    e = entry(IORING_OP_RENAMEAT, AT_FDCWD, "file", (unsigned)AT_FDCWD, (unsigned long)"new", 0);
    RUN(e);
    e = entry(IORING_OP_MKDIRAT, AT_FDCWD, "made", 0700, 0, 0);
    RUN(e);
    e = entry(IORING_OP_UNLINKAT, AT_FDCWD, "made", 0, 0, 0);
    e->unlink_flags = AT_REMOVEDIR;
    RUN(e);
    RUN(entry(IORING_OP_CLOSE, fd, NULL, 0, 0, 0));
    RUN(entry(IORING_OP_CLOSE, fd, NULL, 0, 0, 0));
    RUN(entry(IORING_OP_READ, -1, buf, 1, 0, 0));
    RUN(entry(200, -1, buf, 1, 0, 0));
}

static void links(void)
{
    int p[2], res[8] = { 0 };
    char buf[8] = "";
    pipe(p);
    for (int i = 0; i < 3; i++) {
        struct io_uring_sqe *e = entry(IORING_OP_NOP, -1, NULL, 0, 0, i);
        e->flags = i < 2 ? IOSQE_IO_LINK : 0;
    }
    SHOW(enter(3, 3));
    take(3, res);
    printf("%d %d %d\n", res[0], res[1], res[2]);
    /* A link that fails cancels the rest. */
    entry(IORING_OP_READ, -1, buf, 1, 0, 0)->flags = IOSQE_IO_LINK;
    entry(IORING_OP_NOP, -1, NULL, 0, 0, 1);
    SHOW(enter(2, 2));
    take(2, res);
    printf("%s ", result(res[0]));
    printf("%s\n", result(res[1]));
    entry(IORING_OP_WRITE, p[1], "through", 7, 0, 0)->flags = IOSQE_IO_LINK;
    entry(IORING_OP_READ, p[0], buf, 7, 0, 1);
    SHOW(enter(2, 2));
    take(2, res);
    printf("%d %d %.7s\n", res[0], res[1], buf);
    /* A read that waits, and its cancellation. */
    entry(IORING_OP_READ, p[0], buf, 7, 0, 3);
    SHOW(enter(1, 0));
    entry(IORING_OP_ASYNC_CANCEL, -1, (void *)3, 0, 0, 4);
    SHOW(enter(1, 2));
    take(2, res);
    printf("%s ", result(res[3]));
    printf("%s\n", result(res[4]));
    struct __kernel_timespec ts = { 0, 1000000 };
    RUN(entry(IORING_OP_TIMEOUT, -1, &ts, 1, 0, 0));
    entry(IORING_OP_READ, p[0], buf, 7, 0, 0)->flags = IOSQE_IO_LINK;
    entry(IORING_OP_LINK_TIMEOUT, -1, &ts, 1, 0, 1);
    SHOW(enter(2, 2));
    take(2, res);
    printf("%s ", result(res[0]));
    printf("%s\n", result(res[1]));
    struct io_uring_sqe *e = entry(IORING_OP_POLL_ADD, p[1], NULL, 0, 0, 0);
    e->poll32_events = POLLOUT;
    RUN(e);
    close(p[0]);
    close(p[1]);
}

static void sockets(void)
{
    int s[2], res[4] = { 0 };
    char buf[32] = "";
    struct iovec iov = { "message", 7 };
    struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
    socketpair(AF_UNIX, SOCK_STREAM, 0, s);
    RUN(entry(IORING_OP_SEND, s[0], "sent", 4, 0, 0));
    RUN(entry(IORING_OP_RECV, s[1], buf, sizeof buf, 0, 0));
    printf("%s\n", buf);
    RUN(entry(IORING_OP_SENDMSG, s[0], &m, 1, 0, 0));
    iov = (struct iovec){ buf, sizeof buf };
    RUN(entry(IORING_OP_RECVMSG, s[1], &m, 1, 0, 0));
    printf("%s\n", buf);
    RUN(entry(IORING_OP_SHUTDOWN, s[0], NULL, SHUT_WR, 0, 0));
    RUN(entry(IORING_OP_RECV, s[1], buf, sizeof buf, 0, 0));

    int ep = epoll_create1(EPOLL_CLOEXEC), event = eventfd(0, EFD_NONBLOCK);
    struct epoll_event ev = { EPOLLIN, { .u64 = 0x1122334455667788 } }, got = { 0 };
    RUN(entry(IORING_OP_EPOLL_CTL, ep, &ev, EPOLL_CTL_ADD, event, 0));
    RUN(entry(IORING_OP_EPOLL_CTL, ep, &ev, EPOLL_CTL_ADD, event, 0));
    printf("kept %d\n", ev.data.u64 == 0x1122334455667788);
    unsigned long long v = 1;
    RUN(entry(IORING_OP_WRITE, event, &v, 8, 0, 0));
    SHOW(epoll_wait(ep, &got, 1, 0));
    printf("%x %llx\n", got.events, (unsigned long long)got.data.u64);
    RUN(entry(IORING_OP_EPOLL_CTL, ep, NULL, EPOLL_CTL_DEL, event, 0));
    RUN(entry(IORING_OP_EPOLL_CTL, ep, BAD, EPOLL_CTL_ADD, event, 0));
    (void)res;
}

static void registered(void)
{
    char buf[64] = "fixed buffer";
    struct iovec iov = { buf, sizeof buf };
    int fd = open("fixed", O_CREAT | O_RDWR, 0600), event = eventfd(0, EFD_NONBLOCK);
    unsigned long long n = 0;
    SHOW(syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_BUFFERS, &iov, 1));
    SHOW(syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_FILES, &fd, 1));
    SHOW(syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_EVENTFD, &event, 1));
    struct io_uring_sqe *e = entry(IORING_OP_WRITE_FIXED, 0, buf, 12, 0, 0);
    e->flags = IOSQE_FIXED_FILE;
    RUN(e);
    memset(buf, 0, sizeof buf);
    e = entry(IORING_OP_READ_FIXED, 0, buf, 12, 0, 0);
    e->flags = IOSQE_FIXED_FILE;
    RUN(e);
    printf("%s\n", buf);
    SHOW(read(event, &n, 8));
    printf("signalled %d\n", n >= 2);
    SHOW(syscall(SYS_io_uring_register, ring.fd, IORING_UNREGISTER_FILES, NULL, 0));
    SHOW(syscall(SYS_io_uring_register, ring.fd, IORING_UNREGISTER_BUFFERS, NULL, 0));
    SHOW(syscall(SYS_io_uring_register, ring.fd, IORING_UNREGISTER_BUFFERS, NULL, 0));
    SHOW(syscall(SYS_io_uring_register, ring.fd, 12345, NULL, 0));
    SHOW(syscall(SYS_io_uring_register, -1, IORING_UNREGISTER_FILES, NULL, 0));
    char probe[sizeof(struct io_uring_probe) + 256 * sizeof(struct io_uring_probe_op)] = "";
    SHOW(syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_PROBE, probe, 256));
    printf("openat %d\n", ((struct io_uring_probe *)probe)->ops[IORING_OP_OPENAT].flags);
}

static volatile sig_atomic_t alarms;
static void on_alarm(int sig) { alarms++; }

static void waiting(void)
{
    struct __kernel_timespec ts = { 0, 1000000 };
    struct io_uring_getevents_arg arg = { .ts = (unsigned long)&ts };
    SHOW(syscall(SYS_io_uring_enter, ring.fd, 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG,
                 &arg, sizeof arg));
    SHOW(syscall(SYS_io_uring_enter, ring.fd, 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG,
                 &arg, 3));
    SHOW(syscall(SYS_io_uring_enter, ring.fd, 0, 0, 1u << 30, NULL, 0));
    SHOW(syscall(SYS_io_uring_enter, -1, 0, 0, 0, NULL, 0));
    SHOW(syscall(SYS_io_uring_enter, 0, 1, 0, 0, NULL, 0));
    /* Blocked but for the time of the wait. */
    sigset_t blocked, none;
    struct sigaction sa = { .sa_handler = on_alarm };
    sigemptyset(&none);
    sigemptyset(&blocked);
    sigaddset(&blocked, SIGALRM);
    sigaction(SIGALRM, &sa, NULL);
    sigprocmask(SIG_BLOCK, &blocked, NULL);
    raise(SIGALRM);
    SHOW(alarms);
    SHOW(syscall(SYS_io_uring_enter, ring.fd, 0, 1, IORING_ENTER_GETEVENTS, &none, 8));
    SHOW(alarms);
    sigprocmask(SIG_BLOCK, NULL, &none);
    SHOW(sigismember(&none, SIGALRM));
}

/* The ring by a number of this thread's, also when its descriptor is closed. */
static void registered_ring(void)
{
    struct { unsigned offset, resv; unsigned long long data; } u = { -1u, 0, ring.fd }, v = u;
    long number = SHOW(syscall(SYS_io_uring_register, ring.fd, 20, &u, 1));
    printf("offset %d\n", (int)u.offset);
    if (number != 1)
        return;
    v.offset = 77;
    SHOW(syscall(SYS_io_uring_register, ring.fd, 20, &v, 1));
    SHOW(syscall(SYS_io_uring_enter, 5, 0, 0, 1u << 4, NULL, 0));
    SHOW(syscall(SYS_io_uring_enter, 99, 0, 0, 1u << 4, NULL, 0));
    SHOW(close(ring.fd));
    struct io_uring_sqe *e = entry(IORING_OP_OPENAT, AT_FDCWD, ".", 0, 0, 0);
    e->open_flags = O_RDONLY | O_DIRECTORY;
    SHOW(syscall(SYS_io_uring_enter, u.offset, 1, 1, 1u << 4 | IORING_ENTER_GETEVENTS, NULL, 0));
    int res[16] = { 0 };
    ring.fd = -1;
    take(1, res);
    struct stat st;
    printf("folder %d\n", fstat(res[0], &st) == 0 && S_ISDIR(st.st_mode));
    close(res[0]);
    u.data = 0;
    unsigned probe[2 + 2 * 64 + 2] = { 0 };
    long r = syscall(SYS_io_uring_register, u.offset, 1u << 31 | IORING_REGISTER_PROBE, probe, 64);
    printf("by number %s\n", r < 0 ? strerrorname_np(errno) : "ok");
    unsigned number_of = u.offset;
    r = syscall(SYS_io_uring_register, number_of, 1u << 31 | 21, &u, 1);
    printf("unregister %ld\n", r);
    SHOW(syscall(SYS_io_uring_enter, number_of, 0, 0, 1u << 4, NULL, 0));
}

int main(void)
{
    ring.fd = setup(8, 0);
    if (ring.fd < 0) {
        printf("io_uring_setup: %s\n", strerrorname_np(errno));
        return 0;
    }
    printf("entries %u %u\n", ring.p.sq_entries, ring.p.cq_entries);
    map_ring();
    files();
    links();
    sockets();
    registered();
    waiting();
    SHOW(setup(0, 0));
    SHOW(setup(8, 1u << 31));
    SHOW(syscall(SYS_io_uring_setup, 8, BAD));
    registered_ring();
    SHOW(close(ring.fd));
    SHOW(enter(0, 0));
    return 0;
}
