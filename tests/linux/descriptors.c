/* Reading, writing, waiting, locks, and descriptors that stand for no file. */
#include "test.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>

static int file(const char *name, const char *text)
{
    int fd = open(name, O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
    if (write(fd, text, strlen(text)) < 0)
        perror("write");
    lseek(fd, 0, SEEK_SET);
    return fd;
}

static void moving(void)
{
    int fd = file("a", "abcdefghijklmnopqrstuvwxyz");
    char b1[8] = "", b2[8] = "";
    struct iovec iov[3] = { { b1, 3 }, { NULL, 0 }, { b2, 4 } };

    SHOW(readv(fd, iov, 3));
    printf("%s %s\n", b1, b2);
    SHOW(preadv(fd, iov, 3, 20));
    printf("%s %s\n", b1, b2);
    SHOW(preadv2(fd, iov, 3, -1, 0));
    SHOW(preadv(fd, iov, 3, -2));
    SHOW(pread(fd, b1, 3, 23));
    SHOW(pread(fd, b1, 3, 1L << 40));
    SHOW(pwrite(fd, "XYZ", 3, 1));
    SHOW(pwritev(fd, iov, 3, 30));
    SHOW(lseek(fd, 0, SEEK_CUR));
    SHOW(syscall(SYS_readv, fd, iov, -1));
    SHOW(readv(fd, iov, IOV_MAX + 1));
    SHOW(readv(fd, BAD, 1));
    iov[1] = (struct iovec){ BAD, 5 };
    SHOW(lseek(fd, 0, SEEK_SET));
    SHOW(readv(fd, iov, 3)); /* as far as it goes */
    SHOW(read(fd, BAD, 1));
    SHOW(write(fd, BAD, 1));
    SHOW(read(-1, b1, 1));
    SHOW(read(fd, b1, 0));
    int out = file("b", "");
    off_t off = 2;
    SHOW(sendfile(out, fd, &off, 10));
    printf("offset %ld\n", (long)off);
    loff_t in = 0, to = 3;
    SHOW(copy_file_range(fd, &in, out, &to, 5, 0));
    printf("%ld %ld\n", (long)in, (long)to);
    int p[2];
    SHOW(pipe2(p, O_CLOEXEC | O_NONBLOCK));
    SHOW(read(p[0], b1, 1));
    in = 1;
    SHOW(splice(fd, &in, p[1], NULL, 6, 0));
    int q[2];
    SHOW(pipe(q));
    SHOW(tee(p[0], q[1], 4, 0));
    SHOW(read(q[0], b1, 8));
    printf("%.4s\n", b1);
    iov[0] = (struct iovec){ "gift", 4 };
    SHOW(vmsplice(q[1], iov, 1, 0));
    int n;
    SHOW(ioctl(q[0], FIONREAD, &n));
    printf("%d\n", n);
    SHOW(ioctl(q[0], FIONREAD, BAD));
    SHOW(ioctl(fd, TIOCGWINSZ, &n));
    SHOW(ioctl(fd, 0x12345678, &n));
    SHOW(ioctl(-1, FIONREAD, &n));
    SHOW(fcntl(p[0], F_SETPIPE_SZ, 8192));
    SHOW(fcntl(p[0], F_GETPIPE_SZ));
    SHOW(pipe2(p, 0x40000000));
    SHOW(pipe(BAD));
    close(q[0]);
    signal(SIGPIPE, SIG_IGN);
    SHOW(write(q[1], "x", 1));
}

static void numbers(void)
{
    int fd = file("a", "x");

    SHOW(dup2(fd, 200));
    SHOW(dup3(fd, 201, O_CLOEXEC));
    SHOW(fcntl(201, F_GETFD));
    SHOW(dup3(fd, fd, 0));
    SHOW(dup2(fd, fd) == fd);
    SHOW(dup2(fd, -1));
    SHOW(dup2(-1, 3));
    SHOW(fcntl(fd, F_DUPFD, 300));
    SHOW(fcntl(fd, F_DUPFD_CLOEXEC, 300));
    SHOW(fcntl(301, F_GETFD));
    SHOW(syscall(SYS_close_range, 300, 300, 0));
    SHOW(fcntl(300, F_GETFD));
    SHOW(syscall(SYS_close_range, 200, 250, 4 /* CLOEXEC */));
    SHOW(fcntl(200, F_GETFD));
    SHOW(syscall(SYS_close_range, 200, ~0u, 0));
    SHOW(fcntl(200, F_GETFD));
    SHOW(fcntl(301, F_GETFD));
    SHOW(syscall(SYS_close_range, 5, 4, 0));
    SHOW(fcntl(fd, 9999));
    /* Nothing is open above but what the program opened. */
    int open_fds = 0;
    for (int i = fd + 1; i < 65536; i++)
        open_fds += close(i) == 0;
    printf("%d left\n", open_fds);
    puts("still here");
}

static void locks(void)
{
    int fd = file("a", "0123456789");
    struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 2, .l_len = 3 };

    SHOW(fcntl(fd, F_SETLK, &l));
    fflush(stdout);
    if (fork() == 0) {
        l.l_start = 0;
        l.l_len = 0;
        SHOW(fcntl(fd, F_GETLK, &l));
        printf("type %d start %ld len %ld parent %d\n", l.l_type, (long)l.l_start, (long)l.l_len,
               l.l_pid == getppid());
        l.l_type = F_RDLCK;
        SHOW(fcntl(fd, F_SETLK, &l));
        exit(0);
    }
    wait(NULL);
    int fd2 = open("a", O_RDWR);
    struct flock o = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
    SHOW(fcntl(fd2, F_OFD_SETLK, &o));
    l.l_type = F_UNLCK;
    SHOW(fcntl(fd, F_SETLK, &l));
    SHOW(fcntl(fd2, F_OFD_SETLK, &o));
    SHOW(fcntl(fd, F_SETLK, BAD));
    l.l_type = 77;
    SHOW(fcntl(fd, F_SETLK, &l));
}

static void waiting(void)
{
    int p[2];
    struct pollfd pf[3];
    struct timespec ts = { 0, 1000000 };

    SHOW(pipe(p));
    pf[0] = (struct pollfd){ p[0], POLLIN, 0 };
    pf[1] = (struct pollfd){ p[1], POLLOUT, 0 };
    pf[2] = (struct pollfd){ 999, POLLIN, 0 };
    SHOW(poll(pf, 3, 0));
    printf("%x %x %x\n", pf[0].revents, pf[1].revents, pf[2].revents);
    SHOW(write(p[1], "x", 1));
    SHOW(ppoll(pf, 1, &ts, NULL));
    printf("%x\n", pf[0].revents);
    SHOW(poll(NULL, 0, 1));
    SHOW(poll(BAD, 1, 1));
    ts.tv_nsec = -1;
    SHOW(ppoll(pf, 1, &ts, NULL));
    ts.tv_nsec = 1;
    sigset_t set;
    sigemptyset(&set);
    SHOW(ppoll(pf, 1, &ts, &set));
    SHOW(syscall(SYS_ppoll, pf, 1, &ts, &set, 4));
    SHOW(syscall(SYS_ppoll, pf, 1, &ts, BAD, 8));

    fd_set r, w;
    FD_ZERO(&r);
    FD_ZERO(&w);
    FD_SET(p[0], &r);
    FD_SET(p[1], &w);
    SHOW(select(p[1] + 1, &r, &w, NULL, NULL));
    printf("%d %d\n", !!FD_ISSET(p[0], &r), !!FD_ISSET(p[1], &w));
    SHOW(pselect(p[1] + 1, &r, NULL, NULL, &ts, &set));
    FD_SET(900, &r);
    SHOW(select(901, &r, NULL, NULL, NULL));
    SHOW(select(-1, NULL, NULL, NULL, NULL));

    int ep = OK(epoll_create1(EPOLL_CLOEXEC));
    SHOW(epoll_create1(12345));
    struct epoll_event ev = { .events = EPOLLIN, .data.u64 = 0x123456789abcdef0 }, out[4];
    memset(out, 0, sizeof out);
    SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev));
    SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &ev));
    ev.events = EPOLLOUT | EPOLLET;
    ev.data.u64 = 42;
    SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, p[1], &ev));
    SHOW(epoll_wait(ep, out, 4, 0));
    for (int i = 0; i < 2; i++)
        printf("%x %llx\n", out[i].events, (unsigned long long)out[i].data.u64);
    SHOW(epoll_wait(ep, out, 0, 0));
    SHOW(epoll_wait(ep, BAD, 4, 0));
    SHOW(epoll_pwait(ep, out, 4, 0, &set));
    SHOW(epoll_ctl(ep, EPOLL_CTL_DEL, p[0], NULL));
    SHOW(epoll_ctl(ep, EPOLL_CTL_ADD, p[0], NULL));
    SHOW(epoll_ctl(ep, EPOLL_CTL_MOD, p[0], &ev));
    SHOW(epoll_ctl(ep, 99, p[0], &ev));
    SHOW(epoll_wait(ep, out, 4, 1));
    /* Many at once, and more room than there are events. */
    static struct epoll_event many[1000];
    for (int i = 0; i < 200; i++) {
        int e = eventfd(1, 0);
        ev.events = EPOLLIN;
        ev.data.u64 = 1000 + e;
        epoll_ctl(ep, EPOLL_CTL_ADD, e, &ev);
    }
    int n = SHOW(epoll_wait(ep, many, 1000, 0));
    uint64_t sum = 0;
    for (int i = 0; i < n; i++)
        sum += many[i].data.u64 * (many[i].events == EPOLLIN);
    printf("sum %llu\n", (unsigned long long)sum);
    SHOW(epoll_wait(ep, many, 0x7fffffff, 0));
}

static void special(void)
{
    uint64_t v;
    char buf[512];
    int fd = OK(eventfd(3, EFD_NONBLOCK | EFD_SEMAPHORE));

    SHOW(read(fd, &v, 8));
    printf("%ld\n", (long)v);
    SHOW(read(fd, &v, 4));
    fd = OK(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC));
    struct itimerspec it = { { 0, 0 }, { 0, 1000000 } };
    SHOW(timerfd_settime(fd, 0, &it, &it));
    printf("old %ld %ld\n", (long)it.it_value.tv_sec, it.it_value.tv_nsec);
    SHOW(read(fd, &v, 8));
    printf("%ld\n", (long)v);
    SHOW(timerfd_settime(fd, 0, BAD, NULL));
    SHOW(timerfd_create(99, 0));

    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigprocmask(SIG_BLOCK, &set, NULL);
    fd = OK(signalfd(-1, &set, SFD_NONBLOCK));
    struct signalfd_siginfo si;
    SHOW(read(fd, &si, sizeof si));
    kill(getpid(), SIGUSR1);
    SHOW(read(fd, &si, sizeof si));
    printf("signal %u from me %d\n", si.ssi_signo, si.ssi_pid == (unsigned)getpid());

    fd = OK(inotify_init1(IN_NONBLOCK));
    SHOW(inotify_add_watch(fd, ".", IN_CREATE | IN_DELETE));
    SHOW(inotify_add_watch(fd, "nothing", IN_CREATE));
    close(file("made", "x"));
    unlink("made");
    ssize_t n = read(fd, buf, sizeof buf);
    for (char *at = buf; at < buf + n;) {
        struct inotify_event *e = (void *)at;
        printf("inotify %x %s\n", e->mask, e->len ? e->name : "");
        at += sizeof *e + e->len;
    }
    fd = OK(memfd_create("name", MFD_ALLOW_SEALING));
    SHOW(ftruncate(fd, 100));
    SHOW(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
    SHOW(fcntl(fd, F_GET_SEALS));
    SHOW(ftruncate(fd, 10));
    fd = OK((int)syscall(SYS_pidfd_open, getpid(), 0));
    SHOW(syscall(SYS_pidfd_open, getpid(), 0x1000));
    SHOW(syscall(SYS_pidfd_open, -1, 0));
}

int main(void)
{
    moving();
    numbers();
    locks();
    waiting();
    special();
    return 0;
}
