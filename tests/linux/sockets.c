/* Sockets: pairs, descriptors and credentials passed along, TCP and UDP on the loopback, options,
 * several messages at once. */
#include "test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

static void pairs(void)
{
    int s[2];
    char buf[64] = "", control[256];
    struct iovec iov[2] = { { "abc", 3 }, { "defg", 4 } };
    struct msghdr m = { .msg_iov = iov, .msg_iovlen = 2 };

    SHOW(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, s));
    SHOW(fcntl(s[0], F_GETFD));
    SHOW(sendmsg(s[0], &m, 0));
    SHOW(recv(s[1], buf, sizeof buf, MSG_PEEK));
    SHOW(recv(s[1], buf, sizeof buf, 0));
    printf("%s\n", buf);
    SHOW(recv(s[1], buf, sizeof buf, MSG_DONTWAIT));

    /* A descriptor and the sender's credentials. */
    int on = 1, fd = open("passed", O_CREAT | O_RDWR, 0600);
    SHOW(setsockopt(s[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
    m.msg_control = control;
    m.msg_controllen = CMSG_SPACE(sizeof fd);
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(c), &fd, sizeof fd);
    SHOW(sendmsg(s[0], &m, 0));
    iov[0] = (struct iovec){ buf, sizeof buf };
    m.msg_iovlen = 1;
    m.msg_controllen = sizeof control;
    SHOW(recvmsg(s[1], &m, MSG_CMSG_CLOEXEC));
    for (c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
        printf("control %d %d length %ld\n", c->cmsg_level, c->cmsg_type, (long)c->cmsg_len);
        if (c->cmsg_type == SCM_RIGHTS) {
            struct stat a, b;
            int got;
            memcpy(&got, CMSG_DATA(c), sizeof got);
            fstat(fd, &a);
            fstat(got, &b);
            printf("same file %d cloexec %d\n", a.st_ino == b.st_ino, fcntl(got, F_GETFD));
        } else if (c->cmsg_type == SCM_CREDENTIALS) {
            struct ucred u;
            memcpy(&u, CMSG_DATA(c), sizeof u);
            printf("me %d %d\n", u.pid == getpid(), u.uid == getuid());
        }
    }
    printf("flags %x\n", m.msg_flags);
    /* Control data that doesn't fit is cut, and said so. */
    m.msg_iovlen = 1;
    SHOW(send(s[0], "x", 1, 0));
    m.msg_controllen = 20;
    SHOW(recvmsg(s[1], &m, 0));
    printf("truncated %d\n", !!(m.msg_flags & MSG_CTRUNC));

    SHOW(shutdown(s[0], SHUT_WR));
    SHOW(recv(s[1], buf, sizeof buf, 0));
    SHOW(send(s[0], "x", 1, MSG_NOSIGNAL));
    SHOW(sendmsg(s[1], BAD, 0));
    m.msg_iov = BAD;
    SHOW(sendmsg(s[1], &m, 0));
    SHOW(recvmsg(s[1], BAD, 0));
    SHOW(shutdown(s[0], 9));
    SHOW(socketpair(AF_INET, SOCK_STREAM, 0, s));
    SHOW(socketpair(AF_UNIX, SOCK_STREAM, 0, BAD));
}

static void named(void)
{
    struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "sock" }, peer;
    socklen_t len = offsetof(struct sockaddr_un, sun_path) + 5;
    int s = OK(socket(AF_UNIX, SOCK_DGRAM, 0)), t = OK(socket(AF_UNIX, SOCK_DGRAM, 0));
    char buf[16] = "";

    SHOW(bind(s, (void *)&a, len));
    SHOW(bind(t, (void *)&a, len));
    strcpy(a.sun_path, "other");
    SHOW(bind(t, (void *)&a, len + 1));
    strcpy(a.sun_path, "sock");
    SHOW(sendto(t, "hello", 5, 0, (void *)&a, len));
    len = sizeof peer;
    memset(&peer, 0, sizeof peer);
    SHOW(recvfrom(s, buf, sizeof buf, 0, (void *)&peer, &len));
    printf("%s from %s, %u\n", buf, peer.sun_path, len);
    len = 4;
    memset(&peer, 0, sizeof peer);
    SHOW(getsockname(s, (void *)&peer, &len));
    printf("%s %u\n", peer.sun_path, len);
    SHOW(getsockname(s, BAD, &len));
    SHOW(getsockname(s, (void *)&peer, BAD));
    SHOW(getpeername(s, (void *)&peer, &len));
    strcpy(a.sun_path, "none");
    SHOW(connect(t, (void *)&a, sizeof a));
    SHOW(bind(t, (void *)&a, 1000));
    SHOW(connect(t, BAD, sizeof a));
}

static void internet(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) }, p;
    socklen_t len = sizeof a;
    int l = OK(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    char buf[64] = "";

    SHOW(bind(l, (void *)&a, sizeof a));
    SHOW(listen(l, 5));
    SHOW(getsockname(l, (void *)&a, &len));
    printf("family %d length %u port %d\n", a.sin_family, len, a.sin_port != 0);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        int c = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(c, (void *)&a, sizeof a) < 0)
            _exit(1);
        if (write(c, "from the child", 14) != 14)
            _exit(2);
        _exit(read(c, buf, sizeof buf) == 5 ? 0 : 3);
    }
    len = sizeof p;
    int c = OK(accept4(l, (void *)&p, &len, SOCK_CLOEXEC));
    printf("peer %s %u\n", inet_ntoa(p.sin_addr), len);
    SHOW(recv(c, buf, 14, MSG_WAITALL));
    printf("%s\n", buf);
    SHOW(write(c, "reply", 5));
    int status;
    waitpid(child, &status, 0);
    printf("child %x\n", status);
    int v = 0;
    len = sizeof v;
    SHOW(getsockopt(c, IPPROTO_TCP, TCP_NODELAY, &v, &len));
    v = 1;
    SHOW(setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &v, sizeof v));
    SHOW(getsockopt(c, IPPROTO_TCP, TCP_NODELAY, &v, &len));
    printf("nodelay %d %u\n", v, len);
    struct tcp_info info;
    len = sizeof info;
    SHOW(getsockopt(c, IPPROTO_TCP, TCP_INFO, &info, &len));
    SHOW(ioctl(c, FIONREAD, &v));
    SHOW(ioctl(l, SIOCATMARK, &v));
    SHOW(accept4(l, NULL, NULL, 0x1000));

    /* Nobody listens there any more. */
    close(l);
    l = socket(AF_INET, SOCK_STREAM, 0);
    SHOW(connect(l, (void *)&a, sizeof a));
    int u = OK(socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0));
    struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    if (bind(u, (void *)&six, sizeof six) == 0) {
        len = sizeof six;
        getsockname(u, (void *)&six, &len);
        struct iovec iov[3] = { { "one", 3 }, { "two!", 4 }, { "three", 5 } };
        struct mmsghdr mm[3] = { 0 };
        for (int i = 0; i < 3; i++) {
            mm[i].msg_hdr.msg_iov = &iov[i];
            mm[i].msg_hdr.msg_iovlen = 1;
            mm[i].msg_hdr.msg_name = &six;
            mm[i].msg_hdr.msg_namelen = sizeof six;
        }
        SHOW(sendmmsg(u, mm, 3, 0));
        printf("%u %u %u\n", mm[0].msg_len, mm[1].msg_len, mm[2].msg_len);
        char in[3][16] = { "" };
        for (int i = 0; i < 3; i++)
            iov[i] = (struct iovec){ in[i], sizeof in[i] };
        struct timespec ts = { 1, 0 };
        SHOW(recvmmsg(u, mm, 3, 0, &ts));
        printf("%s %s %s %u\n", in[0], in[1], in[2], mm[2].msg_len);
        SHOW(recvmmsg(u, mm, 3, 0, NULL));
    }
    SHOW(socket(AF_INET, SOCK_STREAM, 200));
    SHOW(socket(77, SOCK_STREAM, 0));
    SHOW(socket(AF_INET, 0x700, 0));
}

static void options(void)
{
    int s = socket(AF_INET, SOCK_STREAM, 0), v = 0;
    socklen_t len = sizeof v;

    SHOW(getsockopt(s, SOL_SOCKET, SO_TYPE, &v, &len));
    printf("%d\n", v);
    SHOW(getsockopt(s, SOL_SOCKET, SO_DOMAIN, &v, &len));
    printf("%d\n", v);
    v = 1;
    SHOW(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &v, sizeof v));
    v = 0;
    SHOW(getsockopt(s, SOL_SOCKET, SO_REUSEADDR, &v, &len));
    printf("%d\n", v);
    struct timeval tv = { 2, 500000 };
    SHOW(setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof tv));
    tv.tv_sec = 0;
    len = sizeof tv;
    SHOW(getsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &tv, &len));
    printf("%ld.%06ld %u\n", (long)tv.tv_sec, (long)tv.tv_usec, len);
    struct linger lg = { 1, 7 };
    SHOW(setsockopt(s, SOL_SOCKET, SO_LINGER, &lg, sizeof lg));
    memset(&lg, 0, sizeof lg);
    len = sizeof lg;
    SHOW(getsockopt(s, SOL_SOCKET, SO_LINGER, &lg, &len));
    printf("%d %d\n", lg.l_onoff, lg.l_linger);
    len = 2;
    v = -1;
    SHOW(getsockopt(s, SOL_SOCKET, SO_TYPE, &v, &len));
    printf("%x %u\n", v, len);
    SHOW(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &v, 1));
    SHOW(setsockopt(s, SOL_SOCKET, SO_REUSEADDR, BAD, 4));
    SHOW(setsockopt(s, SOL_SOCKET, 9999, &v, 4));
    SHOW(setsockopt(s, 9999, 1, &v, 4));
    SHOW(getsockopt(s, SOL_SOCKET, SO_TYPE, BAD, &len));
    v = IP_PMTUDISC_DO;
    SHOW(setsockopt(s, IPPROTO_IP, IP_MTU_DISCOVER, &v, sizeof v));
    struct ifreq ifr = { .ifr_name = "lo" };
    SHOW(ioctl(s, SIOCGIFINDEX, &ifr));
    printf("lo is %d\n", ifr.ifr_ifindex);
    SHOW(ioctl(s, SIOCGIFFLAGS, &ifr));
    printf("loopback %d\n", !!(ifr.ifr_flags & IFF_LOOPBACK));
    strcpy(ifr.ifr_name, "nosuch0");
    SHOW(ioctl(s, SIOCGIFINDEX, &ifr));
}

int main(void)
{
    pairs();
    named();
    internet();
    options();
    return 0;
}
