/* Calls that programs make seldom: asynchronous I/O, futexes of every kind, keys, landlock, pidfds,
 * kcmp, fanotify, extended attributes by descriptor, mounts, quotas, events, bpf. What the
 * native kernel says is what the guest must get, be it that there is no such thing. Newer ones go
 * by number. */
#include "test.h"

#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/bpf.h>
#include <linux/futex.h>
#include <linux/kcmp.h>
#include <linux/keyctl.h>
#include <linux/landlock.h>
#include <linux/perf_event.h>
#include <linux/close_range.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/quota.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>

#define CALL(nr, ...) syscall(nr, ##__VA_ARGS__)
enum { EPOLL_PWAIT2 = 441, FUTEX_WAITV = 449, FUTEX2_WAKE = 454, FUTEX2_WAIT, FUTEX2_REQUEUE,
       STATMOUNT, LISTMOUNT, LSM_LIST_MODULES = 461, SETXATTRAT = 463, GETXATTRAT, LISTXATTRAT,
       REMOVEXATTRAT, OPEN_TREE_ATTR, FILE_GETATTR, FILE_SETATTR };

static void aio(void)
{
    aio_context_t ctx = 0;
    SHOW(CALL(SYS_io_setup, 8, &ctx));
    if (!ctx)
        return;
    int fd = open("aio", O_CREAT | O_RDWR, 0600), event = eventfd(0, EFD_NONBLOCK);
    char buf[16] = "";
    struct iocb w = { .aio_data = 11, .aio_lio_opcode = IOCB_CMD_PWRITE, .aio_fildes = fd,
                      .aio_buf = (uintptr_t)"written", .aio_nbytes = 7,
                      .aio_flags = IOCB_FLAG_RESFD, .aio_resfd = event };
    struct iocb r = { .aio_data = 22, .aio_lio_opcode = IOCB_CMD_PREAD, .aio_fildes = fd,
                      .aio_buf = (uintptr_t)buf, .aio_nbytes = 7 };
    struct iocb bad = { .aio_lio_opcode = 99, .aio_fildes = fd }, *list[] = { &w }, *two[] = { &r };
    struct iocb *wrong[] = { &bad };
    struct io_event ev[4];
    struct timespec ts = { 1, 0 };
    SHOW(CALL(SYS_io_submit, ctx, 1, list));
    SHOW(CALL(SYS_io_getevents, ctx, 1, 4, ev, &ts));
    printf("%lld %lld\n", (long long)ev[0].data, (long long)ev[0].res);
    SHOW(CALL(SYS_io_submit, ctx, 1, two));
    SHOW(CALL(SYS_io_pgetevents, ctx, 1, 4, ev, &ts, NULL));
    printf("%lld %lld %s\n", (long long)ev[0].data, (long long)ev[0].res, buf);
    uint64_t n = 0;
    SHOW(read(event, &n, 8));
    SHOW(n);
    SHOW(CALL(SYS_io_submit, ctx, 1, wrong));
    SHOW(CALL(SYS_io_submit, ctx, 1, BAD));
    SHOW(CALL(SYS_io_submit, 12345l, 1, list));
    SHOW(CALL(SYS_io_cancel, ctx, &r, ev));
    SHOW(CALL(SYS_io_getevents, ctx, 0, 4, ev, NULL));
    SHOW(CALL(SYS_io_destroy, ctx));
    SHOW(CALL(SYS_io_destroy, ctx));
    SHOW(CALL(SYS_io_setup, 0, &ctx));
    SHOW(CALL(SYS_io_setup, 8, BAD));
}

static _Atomic uint32_t word, other;

static void *wakes(void *arg)
{
    usleep(20000);
    word = 1;
    while (CALL(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1) == 0)
        usleep(1000);
    return NULL;
}

struct waitv { uint64_t val, uaddr; uint32_t flags, reserved; };

static void *wakes2(void *arg)
{
    usleep(20000);
    while (CALL(SYS_futex, &other, FUTEX_WAKE, 1) == 0)
        usleep(1000);
    return NULL;
}

static void futexes(void)
{
    pthread_t t;
    struct timespec ts = { 0, 1000000 }, past = { 1, 0 };
    SHOW(CALL(SYS_futex, &word, FUTEX_WAIT, 5, &ts));
    SHOW(CALL(SYS_futex, &word, FUTEX_WAIT, 0, &ts));
    SHOW(CALL(SYS_futex, &word, FUTEX_WAIT_BITSET, 0, &past, NULL, -1));
    SHOW(CALL(SYS_futex, &word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &past, NULL, -1));
    SHOW(CALL(SYS_futex, &word, FUTEX_WAIT_BITSET, 0, &ts, NULL, 0));
    SHOW(CALL(SYS_futex, (char *)&word + 1, FUTEX_WAIT, 0, &ts));
    SHOW(CALL(SYS_futex, BAD, FUTEX_WAIT, 0, &ts));
    SHOW(CALL(SYS_futex, &word, 99, 0, &ts));
    pthread_create(&t, NULL, wakes, NULL);
    while (!word)
        CALL(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL);
    pthread_cancel(t);
    pthread_join(t, NULL);
    SHOW(CALL(SYS_futex, &word, FUTEX_CMP_REQUEUE, 1, 1l, &other, 77));
    SHOW(CALL(SYS_futex, &word, FUTEX_CMP_REQUEUE, 1, 1l, &other, 1));
    /* Adds 1 to the other and wakes both, were there anybody. */
    SHOW(CALL(SYS_futex, &word, FUTEX_WAKE_OP, 1, 1l, &other, 1 << 28 | 1 << 12));
    SHOW(other);
    word = 0;
    SHOW(CALL(SYS_futex, &word, FUTEX_LOCK_PI, 0, NULL));
    SHOW(word == CALL(SYS_gettid));
    SHOW(CALL(SYS_futex, &word, FUTEX_LOCK_PI, 0, NULL));
    SHOW(CALL(SYS_futex, &word, FUTEX_TRYLOCK_PI, 0, NULL));
    SHOW(CALL(SYS_futex, &word, FUTEX_UNLOCK_PI, 0, NULL));
    SHOW(CALL(SYS_futex, &word, FUTEX_UNLOCK_PI, 0, NULL));
    /* Several at once. */
    struct waitv v[2] = { { 0, (uintptr_t)&word, 2 }, { other, (uintptr_t)&other, 2 } };
    word = 0;
    struct timespec soon;
    clock_gettime(CLOCK_MONOTONIC, &soon);
    v[1].val = 99;
    SHOW(CALL(FUTEX_WAITV, v, 2, 0, &soon, CLOCK_MONOTONIC));
    v[1].val = other;
    SHOW(CALL(FUTEX_WAITV, v, 2, 0, &soon, CLOCK_MONOTONIC));
    pthread_create(&t, NULL, wakes2, NULL);
    SHOW(CALL(FUTEX_WAITV, v, 2, 0, NULL, 0));
    pthread_cancel(t);
    pthread_join(t, NULL);
    SHOW(CALL(FUTEX_WAITV, v, 2, 1, NULL, 0));
    SHOW(CALL(FUTEX_WAITV, v, 0, 0, NULL, 0));
    SHOW(CALL(FUTEX_WAITV, BAD, 1, 0, NULL, 0));
    SHOW(CALL(FUTEX2_WAKE, &word, -1l, 1, 2));
    SHOW(CALL(FUTEX2_WAIT, &word, 5l, -1l, 2, NULL, 0));
    SHOW(CALL(FUTEX2_WAIT, &word, 0l, -1l, 2, &soon, CLOCK_MONOTONIC));
    SHOW(CALL(FUTEX2_WAKE, &word, -1l, 1, 77));
    SHOW(CALL(FUTEX2_REQUEUE, v, 0, 1, 1));
}

static void keys(void)
{
    long ring = CALL(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, "calque-test");
    printf("session %s\n", ring < 0 ? strerrorname_np(errno) : "ok");
    if (ring < 0)
        return;
    long key = CALL(SYS_add_key, "user", "name", "payload", 7, KEY_SPEC_SESSION_KEYRING);
    printf("key %d\n", key > 0);
    char buf[64] = "";
    SHOW(CALL(SYS_keyctl, KEYCTL_READ, key, buf, sizeof buf));
    printf("%s\n", buf);
    SHOW(CALL(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING, "user", "name", 0) == key);
    SHOW(CALL(SYS_request_key, "user", "nothing", NULL, 0));
    SHOW(CALL(SYS_keyctl, KEYCTL_UPDATE, key, "longer payload", 14));
    SHOW(CALL(SYS_keyctl, KEYCTL_READ, key, buf, sizeof buf));
    SHOW(CALL(SYS_keyctl, KEYCTL_DESCRIBE, key, buf, sizeof buf) > 0);
    SHOW(CALL(SYS_keyctl, KEYCTL_REVOKE, key));
    SHOW(CALL(SYS_keyctl, KEYCTL_READ, key, buf, sizeof buf));
    SHOW(CALL(SYS_keyctl, 999, 0));
    SHOW(CALL(SYS_add_key, "nosuch", "name", "x", 1, KEY_SPEC_SESSION_KEYRING));
    SHOW(CALL(SYS_add_key, BAD, "name", "x", 1, KEY_SPEC_SESSION_KEYRING));
}

static void confined(void)
{
    struct { uint64_t fs; } attr = { LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_DIR };
    int abi = CALL(444, NULL, 0l, 1);
    printf("landlock %s\n", abi < 0 ? strerrorname_np(errno) : "ok");
    if (abi < 0)
        return;
    int rules = CALL(444, &attr, sizeof attr, 0);
    printf("rules %d\n", rules >= 0);
    mkdir("inside", 0700);
    struct landlock_path_beneath_attr path = {
        LANDLOCK_ACCESS_FS_WRITE_FILE, open("inside", O_PATH | O_CLOEXEC) };
    SHOW(CALL(445, rules, LANDLOCK_RULE_PATH_BENEATH, &path, 0));
    SHOW(CALL(445, rules, 99, &path, 0));
    SHOW(CALL(445, rules, LANDLOCK_RULE_PATH_BENEATH, BAD, 0));
    SHOW(CALL(444, &attr, 3l, 0));
    SHOW(CALL(446, rules, 1 << 30));
    fflush(stdout);
    if (fork() == 0) {
        close(open("outside", O_CREAT | O_RDONLY, 0600));
        syscall(SYS_prctl, 38 /* PR_SET_NO_NEW_PRIVS */, 1, 0, 0, 0);
        SHOW(CALL(446, rules, 0));
        SHOW(open("outside", O_WRONLY));
        OK(open("outside", O_RDONLY));
        SHOW(open(".", O_RDONLY | O_DIRECTORY));
        OK(open("inside/new", O_CREAT | O_WRONLY, 0600));
        fflush(stdout);
        _exit(0);
    }
    wait(NULL);
}

static void pidfds(void)
{
    int p[2], status;
    pipe(p);
    pid_t child = fork();
    if (child == 0) {
        pause();
        _exit(0);
    }
    int fd = CALL(434, child, 0);
    printf("pidfd %d\n", fd >= 0);
    SHOW(fcntl(fd, F_GETFD));
    struct pollfd pf = { fd, POLLIN, 0 };
    SHOW(poll(&pf, 1, 0));
    SHOW(CALL(SYS_pidfd_send_signal, fd, 0, NULL, 0));
    int got = CALL(438, fd, p[1], 0);
    printf("taken %s\n", got < 0 ? strerrorname_np(errno) : "ok");
    SHOW(CALL(438, fd, 999, 0));
    long same = CALL(SYS_kcmp, getpid(), child, KCMP_FILE, p[0], p[0]);
    printf("kcmp %s\n", same < 0 ? strerrorname_np(errno) : same ? "different" : "same");
    same = CALL(SYS_kcmp, getpid(), getpid(), KCMP_FILE, p[0], p[1]);
    printf("kcmp %s\n", same < 0 ? strerrorname_np(errno) : same ? "different" : "same");
    SHOW(CALL(SYS_kcmp, getpid(), child, 99, 0, 0));
    SHOW(CALL(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0));
    siginfo_t info = { 0 };
    SHOW(waitid(P_PIDFD, fd, &info, WEXITED));
    printf("%d %d %d\n", info.si_pid == child, info.si_code == CLD_KILLED, info.si_status);
    SHOW(poll(&pf, 1, 0));
    SHOW(CALL(SYS_pidfd_send_signal, fd, 0, NULL, 0));
    SHOW(CALL(434, 0x7ffffff, 0));
    SHOW(CALL(434, getpid(), 1));
    SHOW(CALL(434, -1, 0));
    (void)status;
}

static void watches(void)
{
    int n = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    char buf[4096];
    mkdir("watched", 0700);
    SHOW(inotify_add_watch(n, "watched", IN_CREATE | IN_DELETE | IN_MOVED_TO));
    SHOW(inotify_add_watch(n, "watched", 0));
    SHOW(inotify_add_watch(n, "none", IN_CREATE));
    close(open("watched/a", O_CREAT | O_RDWR, 0600));
    rename("watched/a", "watched/b");
    unlink("watched/b");
    int len = read(n, buf, sizeof buf);
    for (char *at = buf; at < buf + len; at += sizeof(struct inotify_event) +
                                              ((struct inotify_event *)at)->len) {
        struct inotify_event *e = (void *)at;
        printf("%x %s\n", e->mask, e->name);
    }
    SHOW(read(n, buf, sizeof buf));
    SHOW(inotify_rm_watch(n, 1));
    SHOW(inotify_rm_watch(n, 1));
    SHOW(inotify_init1(0x1234));
    int f = fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK, O_RDONLY);
    printf("fanotify %s\n", f < 0 ? strerrorname_np(errno) : "ok");
    if (f >= 0) {
        SHOW(fanotify_mark(f, FAN_MARK_ADD, FAN_OPEN | FAN_EVENT_ON_CHILD, AT_FDCWD, "watched"));
        close(open("watched/c", O_CREAT | O_RDWR, 0600));
        struct fanotify_event_metadata m;
        SHOW(read(f, &m, sizeof m) == sizeof m);
        printf("%llx %d %d\n", (unsigned long long)m.mask, m.vers, m.pid == getpid());
        SHOW(fanotify_mark(f, 0x12345678, FAN_OPEN, AT_FDCWD, "watched"));
        SHOW(fanotify_mark(f, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, "none"));
    }
    SHOW(fanotify_init(0x12345678, 0));
}

static void attributes(void)
{
    struct { uint64_t value; uint32_t size, flags; } a = { (uintptr_t)"value", 5, 0 };
    char buf[256];
    close(open("attributed", O_CREAT | O_RDWR, 0600));
    SHOW(setxattr("attributed", "user.one", "1", 1, XATTR_CREATE));
    SHOW(setxattr("attributed", "user.one", "1", 1, XATTR_CREATE));
    SHOW(getxattr("attributed", "user.one", buf, sizeof buf));
    SHOW(getxattr("attributed", "user.none", buf, sizeof buf));
    SHOW(getxattr("attributed", "user.one", NULL, 0));
    SHOW(listxattr("attributed", buf, sizeof buf));
    SHOW(CALL(SETXATTRAT, AT_FDCWD, "attributed", 0, "user.two", &a, sizeof a));
    SHOW(CALL(SETXATTRAT, AT_FDCWD, "attributed", 0, "user.two", &a, 3l));
    a.value = (uintptr_t)buf;
    a.size = sizeof buf;
    SHOW(CALL(GETXATTRAT, AT_FDCWD, "attributed", 0, "user.two", &a, sizeof a));
    SHOW(CALL(LISTXATTRAT, AT_FDCWD, "attributed", 0, buf, sizeof buf));
    SHOW(CALL(REMOVEXATTRAT, AT_FDCWD, "attributed", 0, "user.two"));
    SHOW(CALL(REMOVEXATTRAT, AT_FDCWD, "attributed", 0, "user.two"));
    SHOW(removexattr("attributed", "user.one"));
    SHOW(setxattr("attributed", "nonsense", "1", 1, 0));
    struct { uint64_t x; uint32_t e, n, p, c; } fa = { 0 };
    SHOW(CALL(FILE_GETATTR, AT_FDCWD, "attributed", &fa, sizeof fa, 0));
    SHOW(CALL(FILE_GETATTR, AT_FDCWD, "attributed", &fa, 3l, 0));
    SHOW(CALL(FILE_GETATTR, AT_FDCWD, "none", &fa, sizeof fa, 0));
    struct { struct file_handle h; char more[128]; } fh = { { 128, 0 } };
    int mount;
    SHOW(name_to_handle_at(AT_FDCWD, "attributed", &fh.h, &mount, 0));
    fh.h.handle_bytes = 0;
    SHOW(name_to_handle_at(AT_FDCWD, "attributed", &fh.h, &mount, 0));
    SHOW(open_by_handle_at(-1, &fh.h, O_RDONLY));
}

static void mounts(void)
{
    struct { uint32_t size, spare; uint64_t id, param; } req = { sizeof req, 0, -1ull, 0 };
    uint64_t ids[4] = { 0 };
    long n = CALL(LISTMOUNT, &req, ids, 4l, 0);
    printf("listmount %s\n", n < 0 ? strerrorname_np(errno) : "ok");
    SHOW(CALL(LISTMOUNT, &req, ids, 4l, 1 << 20));
    SHOW(CALL(LISTMOUNT, BAD, ids, 4l, 0));
    req.id = 12345;
    char buf[512];
    SHOW(CALL(STATMOUNT, &req, buf, sizeof buf, 0));
    SHOW(CALL(STATMOUNT, &req, buf, sizeof buf, 1));
    int fs = CALL(430, "tmpfs", 1);
    printf("fsopen %s\n", fs < 0 ? strerrorname_np(errno) : "ok");
    if (fs >= 0) {
        SHOW(CALL(431, fs, 1, "size", "1m", 0));
        SHOW(CALL(431, fs, 1, "nonsense", "1m", 0));
        SHOW(CALL(431, fs, 6, NULL, NULL, 0));
        int m = CALL(432, fs, 1, 0);
        printf("fsmount %s\n", m < 0 ? strerrorname_np(errno) : "ok");
        if (m >= 0)
            OK(openat(m, "in a mount", O_CREAT | O_RDWR, 0600));
    }
    SHOW(CALL(430, "nosuchfs", 0));
    int tree = CALL(428, AT_FDCWD, ".", O_CLOEXEC);
    printf("open_tree %s\n", tree < 0 ? strerrorname_np(errno) : "ok");
    struct { uint64_t set, clear, propagation, fd; } at = { 0 };
    SHOW(CALL(442, -1, "", AT_EMPTY_PATH, &at, sizeof at));
    SHOW(CALL(442, AT_FDCWD, ".", 0, &at, 3l));
    SHOW(CALL(OPEN_TREE_ATTR, AT_FDCWD, "none", 0, &at, sizeof at));
    SHOW(mount("none", "nowhere", "tmpfs", 0, NULL));
    SHOW(umount2("nowhere", 0x1000));
    SHOW(quotactl(QCMD(Q_SYNC, USRQUOTA), "/dev/none", 0, NULL));
    SHOW(CALL(443, -1, QCMD(Q_SYNC, USRQUOTA), 0, NULL));
    uint64_t lsm[16];
    uint32_t size = sizeof lsm;
    long l = CALL(LSM_LIST_MODULES, lsm, &size, 0);
    printf("lsm %s\n", l < 0 ? strerrorname_np(errno) : "ok");
    SHOW(CALL(470, NULL, NULL, 0l, 0));
}

static void events(void)
{
    SHOW(epoll_create1(0x1234));
    SHOW(CALL(SYS_epoll_create1, O_NONBLOCK));
    int e = epoll_create1(EPOLL_CLOEXEC), f = eventfd(3, EFD_SEMAPHORE | EFD_NONBLOCK);
    struct epoll_event ev = { EPOLLIN | EPOLLONESHOT, { .u64 = 0x123456789abcdef0 } }, got[2];
    struct timespec ts = { 0, 1000000 };
    SHOW(epoll_ctl(e, EPOLL_CTL_ADD, f, &ev));
    SHOW(CALL(EPOLL_PWAIT2, e, got, 2, &ts, NULL, 0l));
    printf("%x %llx\n", got[0].events, (unsigned long long)got[0].data.u64);
    SHOW(CALL(EPOLL_PWAIT2, e, got, 2, &ts, NULL, 0l));
    ts.tv_nsec = 2000000000;
    SHOW(CALL(EPOLL_PWAIT2, e, got, 2, &ts, NULL, 0l));
    SHOW(epoll_ctl(e, EPOLL_CTL_MOD, f, BAD));
    SHOW(epoll_ctl(e, 99, f, &ev));
    SHOW(epoll_ctl(e, EPOLL_CTL_ADD, e, &ev));
    SHOW(epoll_wait(e, got, 0, 0));
    uint64_t v = 0;
    SHOW(read(f, &v, 8));
    SHOW(v);
    SHOW(read(f, &v, 4));
    SHOW(eventfd(0, 0x1234));
    SHOW(close_range(900, 800, 0));
    SHOW(close_range(900, 1000, 1 << 10));
    SHOW(close_range(900, 1000, CLOSE_RANGE_CLOEXEC));
    struct perf_event_attr pa = { .type = PERF_TYPE_SOFTWARE, .size = sizeof pa,
                                  .config = PERF_COUNT_SW_TASK_CLOCK, .exclude_kernel = 1 };
    int p = CALL(SYS_perf_event_open, &pa, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
    printf("perf %s\n", p < 0 ? strerrorname_np(errno) : "ok");
    if (p >= 0) {
        uint64_t count = 0;
        for (volatile int i = 0; i < 1000000; i++)
            ;
        SHOW(ioctl(p, PERF_EVENT_IOC_DISABLE, 0));
        SHOW(read(p, &count, 8));
        printf("counted %d\n", count > 0);
    }
    SHOW(CALL(SYS_perf_event_open, BAD, 0, -1, -1, 0));
    union bpf_attr b = { .map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 8,
                         .max_entries = 4 };
    int map = CALL(SYS_bpf, BPF_MAP_CREATE, &b, sizeof b);
    printf("bpf %s\n", map < 0 ? strerrorname_np(errno) : "ok");
    if (map >= 0) {
        uint32_t key = 2;
        uint64_t value = 4711, back = 0;
        memset(&b, 0, sizeof b);
        b.map_fd = map;
        b.key = (uintptr_t)&key;
        b.value = (uintptr_t)&value;
        SHOW(CALL(SYS_bpf, BPF_MAP_UPDATE_ELEM, &b, sizeof b));
        b.value = (uintptr_t)&back;
        SHOW(CALL(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &b, sizeof b));
        SHOW(back);
        key = 9;
        SHOW(CALL(SYS_bpf, BPF_MAP_LOOKUP_ELEM, &b, sizeof b));
    }
    SHOW(CALL(SYS_bpf, 9999, &b, sizeof b));
}

int main(void)
{
    aio();
    futexes();
    keys();
    confined();
    pidfds();
    watches();
    attributes();
    mounts();
    events();
    return 0;
}
