/* Makes calls whose trace is strace.expected; nothing in between, so -nostdlib isn't needed: the
 * checker looks only between the two getpgid(-7) calls. Descriptors and buffers are fixed. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define FUTEX_WAKE_PRIVATE_CALL 129
#define CALL(name, ...) syscall(SYS_##name, ##__VA_ARGS__)

int main(void)
{
    char buf[64] = "";
    int fds[2], status, value = 1;
    struct iovec iov[2] = { { "one ", 4 }, { "two\n", 4 } };
    struct timespec ts = { 0, 1 };
    struct stat st;

    CALL(getpgid, -7);
    CALL(openat, AT_FDCWD, "file", O_CREAT | O_RDWR | O_EXCL | O_CLOEXEC, 0640);
    CALL(openat, AT_FDCWD, "none", O_RDONLY | O_NOFOLLOW | O_DIRECTORY);
    CALL(openat, 99, (void *)16, O_WRONLY | O_APPEND);
    CALL(writev, 3, iov, 2);
    CALL(pread64, 3, buf, 64, 2L);
    CALL(write, 3, "tab\t quote\" back\\ nul\0 \1\0019 \377 long enough to be cut", 50);
    CALL(fstat, 3, &st);
    CALL(fstat, 98, &st);
    CALL(lseek, 3, 1L << 33, SEEK_SET);
    CALL(fcntl, 3, F_SETFD, FD_CLOEXEC);
    CALL(fcntl, 3, F_GETFD);
    CALL(fcntl, 3, F_SETFL, O_APPEND | O_DIRECT * 0);
    CALL(fcntl, 3, 12345, 6);
    CALL(mkdirat, AT_FDCWD, "dir", 0);
    CALL(unlinkat, AT_FDCWD, "dir", AT_REMOVEDIR);
    CALL(renameat2, AT_FDCWD, "file", AT_FDCWD, "name", RENAME_NOREPLACE);
    CALL(faccessat, AT_FDCWD, "name", F_OK);
    CALL(faccessat, AT_FDCWD, "name", R_OK | W_OK);
    CALL(pipe2, fds, O_NONBLOCK);
    CALL(read, fds[0], buf, 1);
    CALL(ioctl, fds[0], FIONREAD, &value);
    CALL(ioctl, 3, TCGETS, buf);
    CALL(ioctl, 3, 0x80085a01, 0);
    struct pollfd pf[2] = { { fds[0], POLLIN, 0 }, { fds[1], POLLOUT, 0 } };
    CALL(ppoll, pf, 2, NULL, NULL, 8);
    CALL(ppoll, pf, 1, &ts, NULL, 8);
    fd_set r, w;
    FD_ZERO(&r);
    FD_ZERO(&w);
    FD_SET(fds[0], &r);
    FD_SET(fds[1], &w);
    CALL(pselect6, fds[1] + 1, &r, &w, NULL, NULL, NULL);
    CALL(epoll_create1, EPOLL_CLOEXEC);
    struct epoll_event ev = { EPOLLIN | EPOLLET, { .u64 = 7 } };
    CALL(epoll_ctl, 6, EPOLL_CTL_ADD, fds[0], &ev);
    CALL(epoll_ctl, 6, EPOLL_CTL_DEL, fds[0], NULL);
    CALL(socketpair, AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds);
    struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2 };
    CALL(sendmsg, fds[0], &m, MSG_NOSIGNAL | MSG_DONTWAIT);
    CALL(recvfrom, fds[1], buf, 64, 0, NULL, NULL);
    CALL(setsockopt, fds[0], SOL_SOCKET, SO_REUSEADDR, &value, sizeof value);
    struct sockaddr_in in = {
        .sin_family = AF_INET, .sin_port = htons(9), .sin_addr = {htonl(0x7f000001)}};
    CALL(connect, fds[0], &in, sizeof in);
    struct sockaddr_un un = { .sun_family = AF_UNIX, .sun_path = "nowhere" };
    CALL(connect, 3, &un, sizeof un);
    struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(80),
                                .sin6_addr = { { { 0x20, 1, 0xd, 0xb8, [15] = 1 } } } };
    CALL(bind, 3, &in6, sizeof in6);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGRTMIN);
    CALL(rt_sigprocmask, SIG_BLOCK, &set, NULL, 8);
    sigfillset(&set);
    sigdelset(&set, SIGUSR1);
    CALL(rt_sigprocmask, SIG_SETMASK, &set, NULL, 8);
    CALL(rt_sigprocmask, 9, NULL, NULL, 8);
    CALL(kill, 0x7ffffff, SIGUSR2);
    CALL(wait4, 0x7ffffff, &status, WNOHANG | __WALL, NULL);
    CALL(clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
    CALL(mmap, NULL, 4096L, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, 77,
         1L);
    CALL(mprotect, 1L, 4096L, PROT_NONE);
    CALL(madvise, 1L, 4096L, MADV_DONTNEED);
    CALL(futex, &value, FUTEX_WAKE_PRIVATE_CALL, 1);
    CALL(prlimit64, 0, 999, NULL, NULL);
    CALL(sched_setscheduler, 0, 77, NULL);
    CALL(inotify_add_watch, 3, "name", IN_CREATE | IN_DELETE);
    CALL(getrandom, buf, 0L, 99);
    CALL(umask, 022);
    CALL(getcwd, buf, 1L);
    CALL(close, -1);
    syscall(3000, 1L, 2L, 3L, 4L, 5L, 6L);
    CALL(getpgid, -7);
    return 0;
}
