/* Calls that kernels got lately, or that programs make seldom: each once as it is meant and once
 * wrong. */
#include "test.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/fsuid.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/quota.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>

/* The numbers from 424 on are everywhere the same. */
enum {
    NR_move_mount = 429, NR_fsopen = 430, NR_fsconfig = 431, NR_fsmount = 432, NR_fspick = 433,
    NR_pidfd_open = 434, NR_pidfd_getfd = 438, NR_faccessat2 = 439, NR_process_madvise = 440,
    NR_epoll_pwait2 = 441, NR_mount_setattr = 442, NR_quotactl_fd = 443, NR_process_mrelease = 448,
    NR_futex_waitv = 449, NR_set_mempolicy_home_node = 450, NR_cachestat = 451, NR_fchmodat2 = 452,
    NR_futex_wake = 454, NR_futex_wait = 455, NR_futex_requeue = 456, NR_statmount = 457,
    NR_listmount = 458, NR_lsm_get_self_attr = 459, NR_lsm_list_modules = 461, NR_mseal = 462,
    NR_setxattrat = 463, NR_getxattrat = 464, NR_listxattrat = 465, NR_removexattrat = 466,
    NR_open_tree_attr = 467, NR_file_getattr = 468, NR_file_setattr = 469, NR_listns = 470,
};

static void waiting(void)
{
    int e = epoll_create1(0), p[2];
    struct epoll_event ev = {.events = EPOLLIN, .data.u64 = 0x123456789abcdef}, got = {0};
    struct timespec ts = {0, 1000000};
    pipe(p);
    epoll_ctl(e, EPOLL_CTL_ADD, p[0], &ev);
    SHOW(syscall(NR_epoll_pwait2, e, &got, 1, &ts, NULL, 8));
    write(p[1], "x", 1);
    SHOW(syscall(NR_epoll_pwait2, e, &got, 1, NULL, NULL, 8));
    printf("%d %d\n", got.events == EPOLLIN, got.data.u64 == ev.data.u64);
    ts.tv_nsec = -1;
    SHOW(syscall(NR_epoll_pwait2, e, &got, 1, &ts, NULL, 8));
    SHOW(syscall(NR_epoll_pwait2, e, BAD, 1, NULL, NULL, 8));
    close(e);
}

static void futexes(void)
{
    static uint32_t word = 5, other = 6;
    struct timespec ts;
    SHOW(syscall(NR_futex_wait, &word, 4ul, 0xfffffffful, 0x82, NULL, 0));
    clock_gettime(CLOCK_MONOTONIC, &ts);
    ts.tv_nsec += 2000000;
    if (ts.tv_nsec >= 1000000000) {
        ts.tv_sec++;
        ts.tv_nsec -= 1000000000;
    }
    SHOW(syscall(NR_futex_wait, &word, 5ul, 0xfffffffful, 0x82, &ts, CLOCK_MONOTONIC));
    SHOW(syscall(NR_futex_wait, &word, 5ul, 0xfffffffful, 0x83, &ts, CLOCK_MONOTONIC));
    SHOW(syscall(NR_futex_wake, &word, 0xfffffffful, 1, 0x82));
    SHOW(syscall(NR_futex_wake, BAD, 0xfffffffful, 1, 0x80 | 2));
    struct { uint64_t val, uaddr; uint32_t flags, reserved; } v[2] = {
        {5, (uintptr_t)&word, 0x82}, {6, (uintptr_t)&other, 0x82}};
    SHOW(syscall(NR_futex_requeue, v, 0, 1, 1));
    v[0].val = 9;
    SHOW(syscall(NR_futex_requeue, v, 0, 1, 1));
    SHOW(syscall(NR_futex_waitv, v, 2, 0, NULL, 0));
}

static void memory(void)
{
    char *p = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memset(p, 1, 16384);
    SHOW(syscall(NR_mseal, p, 4096, 0));
    SHOW(munmap(p, 4096));
    SHOW(mprotect(p, 8192, PROT_READ));
    SHOW(mmap(p, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED);
    SHOW(madvise(p, 4096, MADV_DONTNEED));
    SHOW(syscall(NR_mseal, p + 1, 4096, 0));
    SHOW(syscall(NR_mseal, p, 4096, 1));
    SHOW(munmap(p + 8192, 8192));
    SHOW(syscall(NR_mseal, p, 16384, 0));
    int pidfd = syscall(NR_pidfd_open, getpid(), 0);
    struct iovec v = {p, 4096};
    SHOW(syscall(NR_process_madvise, pidfd, &v, 1, MADV_COLD, 0));
    SHOW(syscall(NR_process_madvise, pidfd, &v, 1, MADV_COLD, 1));
    SHOW(syscall(NR_process_madvise, -1, &v, 1, MADV_COLD, 0));
    SHOW(syscall(NR_process_mrelease, pidfd, 0));
    SHOW(syscall(NR_set_mempolicy_home_node, p, 4096, 0, 1));
    int fd = open("cached", O_CREAT | O_RDWR, 0600);
    write(fd, p + 4096, 4096);
    uint64_t range[2] = {0, 4096}, stat[5] = {0};
    long r = SHOW(syscall(NR_cachestat, fd, range, stat, 0));
    printf("cached %d\n", r || stat[0] == 1);
    SHOW(syscall(NR_cachestat, fd, range, BAD, 0));
    SHOW(syscall(NR_cachestat, -1, range, stat, 0));
    close(pidfd);
    close(fd);
}

static void files(void)
{
    struct { uint64_t value; uint32_t size, flags; } x = {(uintptr_t)"value", 5, 0};
    char list[256];
    int fd = open("file", O_CREAT | O_RDWR, 0600);
    SHOW(syscall(NR_setxattrat, AT_FDCWD, "file", 0, "user.calque", &x, sizeof x));
    char value[16] = "";
    x.value = (uintptr_t)value;
    x.size = sizeof value;
    SHOW(syscall(NR_getxattrat, AT_FDCWD, "file", 0, "user.calque", &x, sizeof x));
    printf("%s\n", value);
    SHOW(syscall(NR_listxattrat, fd, "", AT_EMPTY_PATH, list, sizeof list));
    SHOW(syscall(NR_removexattrat, AT_FDCWD, "file", 0, "user.calque"));
    SHOW(syscall(NR_getxattrat, AT_FDCWD, "file", 0, "user.calque", &x, sizeof x));
    SHOW(setxattr("file", "user.b", "1", 1, 0));
    SHOW(lgetxattr("file", "user.b", value, 16));
    SHOW(fgetxattr(fd, "user.b", value, 16));
    SHOW(flistxattr(fd, list, sizeof list));
    SHOW(llistxattr("file", list, sizeof list));
    SHOW(fremovexattr(fd, "user.b"));
    SHOW(lremovexattr("file", "user.b"));
    struct { uint64_t xflags; uint32_t extsize, nextents, projid, cowextsize; } attr = {0};
    SHOW(syscall(NR_file_getattr, AT_FDCWD, "file", &attr, sizeof attr, 0));
    SHOW(syscall(NR_file_setattr, AT_FDCWD, "file", &attr, sizeof attr, 0));
    SHOW(syscall(NR_file_getattr, AT_FDCWD, "file", BAD, sizeof attr, 0));
    SHOW(syscall(NR_file_getattr, AT_FDCWD, "file", &attr, 3, 0));
    SHOW(syscall(NR_fchmodat2, fd, "", 0640, AT_EMPTY_PATH));
    SHOW(syscall(NR_fchmodat2, AT_FDCWD, "file", 0600, 1));
    SHOW(syscall(NR_faccessat2, fd, "", R_OK, AT_EMPTY_PATH | AT_EACCESS));
    struct stat st;
    fstat(fd, &st);
    printf("mode %o\n", st.st_mode & 07777);
    SHOW(sync_file_range(fd, 0, 4096, SYNC_FILE_RANGE_WRITE));
    SHOW(sync_file_range(fd, -1, 4096, 0));
    SHOW(syncfs(fd));
    SHOW(readahead(fd, 0, 4096));
    SHOW(syscall(NR_quotactl_fd, fd, QCMD(99, USRQUOTA), 0, NULL));
    SHOW(fchown(fd, -1, -1));
    SHOW(fchownat(AT_FDCWD, "file", -1, -1, AT_SYMLINK_NOFOLLOW));
    SHOW(linkat(AT_FDCWD, "file", AT_FDCWD, "second", 0));
    SHOW(symlinkat("second", AT_FDCWD, "third"));
    SHOW(mkdirat(AT_FDCWD, "folder", 0700));
    SHOW(unlinkat(AT_FDCWD, "folder", AT_REMOVEDIR));
    SHOW(mknodat(AT_FDCWD, "fifo", S_IFIFO | 0600, 0));
    close(fd);
}

static void pidfds(void)
{
    int p[2], s[2], on = 1;
    pipe(p);
    int pidfd = syscall(NR_pidfd_open, getpid(), 0);
    int copy = syscall(NR_pidfd_getfd, pidfd, p[1], 0);
    write(copy, "z", 1);
    char c = 0;
    SHOW(read(p[0], &c, 1));
    SHOW(syscall(NR_pidfd_getfd, pidfd, 9999, 0));
    SHOW(syscall(NR_pidfd_getfd, pidfd, p[1], 1));
    socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
    SHOW(setsockopt(s[1], SOL_SOCKET, 76 /* SO_PASSPIDFD */, &on, sizeof on));
    write(s[0], "x", 1);
    union { char bytes[64]; struct cmsghdr align; } control;
    struct iovec v = {&c, 1};
    struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1, .msg_control = &control,
                       .msg_controllen = sizeof control};
    SHOW(recvmsg(s[1], &m, 0));
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    printf("message %d\n", h ? h->cmsg_type : -1);
    struct { uint32_t size, spare; uint64_t id; uint32_t type, spare2; uint64_t user; } req = {
        sizeof req, 0, 0, 0x40000000, 0, 0};
    uint64_t ids[64];
    long n = syscall(NR_listns, &req, ids, 64, 0);
    printf("listns %s\n", n < 0 ? strerrorname_np(errno) : n > 0 ? "some" : "none");
    SHOW(syscall(NR_listns, BAD, ids, 64, 0));
    SHOW(syscall(NR_listns, &req, ids, 64, 99));
    uint32_t size = sizeof ids;
    n = syscall(NR_lsm_list_modules, ids, &size, 0);
    printf("lsm_list_modules %s\n", n < 0 ? strerrorname_np(errno) : "ok");
    SHOW(syscall(NR_lsm_list_modules, ids, BAD, 0));
    SHOW(syscall(NR_lsm_get_self_attr, 0, ids, &size, 0));
}

/* In namespaces of our own. */
static int mounts(void)
{
    if (unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWUTS)) {
        puts("no namespaces");
        return 0;
    }
    mkdir("place", 0700);
    int fs = syscall(NR_fsopen, "tmpfs", 1);
    printf("fsopen %d\n", fs >= 0);
    SHOW(syscall(NR_fsconfig, fs, 1, "size", "64k", 0));
    SHOW(syscall(NR_fsconfig, fs, 1, "nonsense", "1", 0));
    SHOW(syscall(NR_fsconfig, fs, 6, NULL, NULL, 0));
    int mnt = syscall(NR_fsmount, fs, 1, 0);
    printf("fsmount %d\n", mnt >= 0);
    SHOW(syscall(NR_move_mount, mnt, "", AT_FDCWD, "place", 4));
    struct { uint64_t set, clr, propagation, userns; } attr = {1 /* read only */};
    SHOW(syscall(NR_mount_setattr, AT_FDCWD, "place", 0, &attr, sizeof attr));
    printf("write %s\n", open("place/x", O_CREAT | O_WRONLY, 0600) < 0 ? strerrorname_np(errno)
                                                                       : "ok");
    SHOW(syscall(NR_mount_setattr, AT_FDCWD, "place", 0, &attr, 3));
    SHOW(syscall(NR_fspick, AT_FDCWD, "nothing", 0));
    attr.set = 0;
    attr.clr = 1;
    int tree = syscall(NR_open_tree_attr, AT_FDCWD, "place", 1 | O_CLOEXEC, &attr, sizeof attr);
    printf("open_tree_attr %s\n", tree < 0 ? strerrorname_np(errno) : "ok");
    struct { uint32_t size, spare; uint64_t id, param, ns; } req = {24, 0, ~0ull, 0, 0};
    uint64_t ids[64];
    long n = syscall(NR_listmount, &req, ids, 64, 0);
    printf("listmount %s\n", n < 0 ? strerrorname_np(errno) : "ok");
    if (n > 0) {
        struct { uint32_t size, opts; uint64_t mask, words[62]; char more[4096]; } st = {0};
        req.id = ids[n - 1];
        req.param = 1 | 2;
        SHOW(syscall(NR_statmount, &req, &st, sizeof st, 0));
        printf("mask %d\n", (st.mask & 3) == 3);
        SHOW(syscall(NR_statmount, &req, BAD, sizeof st, 0));
        req.id = 1;
        SHOW(syscall(NR_statmount, &req, &st, sizeof st, 0));
    }
    SHOW(umount2("place", MNT_DETACH));
    SHOW(sethostname("calque", 6));
    SHOW(syscall(SYS_setdomainname, BAD, 6));
    char name[16] = "";
    gethostname(name, sizeof name);
    printf("%s\n", name);
    return 0;
}

/* What needs a right that the child has given away. */
static int refused(void)
{
    setgroups(0, NULL);
    setresgid(12345, 12345, 12345);
    setresuid(12345, 12345, 12345);
    SHOW(setfsuid(12345) == geteuid());
    SHOW(setfsgid(12345) == getegid());
    SHOW(setregid(-1, -1));
    SHOW(syscall(SYS_acct, NULL));
    SHOW(syscall(SYS_swapon, "nothing", 0));
    SHOW(syscall(SYS_swapoff, "nothing"));
    SHOW(syscall(SYS_reboot, 1, 2, 3, NULL));
    SHOW(syscall(SYS_init_module, BAD, 1, ""));
    SHOW(syscall(SYS_finit_module, -1, "", 0));
    SHOW(syscall(SYS_delete_module, "nothing", 0));
    SHOW(syscall(SYS_kexec_load, 0, 0, NULL, 0));
    SHOW(syscall(SYS_vhangup));
    SHOW(syscall(SYS_chroot, "/"));
    SHOW(syscall(SYS_pivot_root, "/", "/"));
    SHOW(syscall(SYS_setns, -1, 0));
    struct timespec ts = {0, 0};
    SHOW(clock_settime(CLOCK_REALTIME, &ts));
    SHOW(settimeofday(NULL, NULL));
    return 0;
}

static void child(int (*run)(void))
{
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0)
        exit(run());
    waitpid(pid, NULL, 0);
}

int main(void)
{
    waiting();
    futexes();
    memory();
    files();
    pidfds();
    child(mounts);
    child(refused);
    return 0;
}
