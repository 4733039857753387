/* Netlink of every family, options of sockets by level, control messages received, errors queued,
 * zero copy, sockets of algorithms and packets. */
#include "test.h"

#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <linux/filter.h>
#include <linux/genetlink.h>
#include <linux/if_alg.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

static void families(void)
{
    static const struct { int family; const char *name; } all[] = {
        { NETLINK_ROUTE, "ROUTE" }, { NETLINK_USERSOCK, "USERSOCK" }, { NETLINK_SOCK_DIAG, "DIAG" },
        { NETLINK_XFRM, "XFRM" }, { NETLINK_AUDIT, "AUDIT" }, { NETLINK_NETFILTER, "NETFILTER" },
        { NETLINK_CONNECTOR, "CONNECTOR" }, { NETLINK_KOBJECT_UEVENT, "UEVENT" },
        { NETLINK_GENERIC, "GENERIC" }, { NETLINK_CRYPTO, "CRYPTO" }, { 31, "31" },
    };
    for (unsigned i = 0; i < sizeof all / sizeof *all; i++) {
        struct sockaddr_nl a = { .nl_family = AF_NETLINK };
        socklen_t len = sizeof a;
        int s = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, all[i].family);
        if (s < 0) {
            printf("%s: %s\n", all[i].name, strerrorname_np(errno));
            continue;
        }
        int r = bind(s, (void *)&a, sizeof a);
        printf("%s: bind %s ", all[i].name, r ? strerrorname_np(errno) : "ok");
        getsockname(s, (void *)&a, &len);
        printf("%u %d\n", len, a.nl_pid != 0);
        close(s);
    }
}

/* The loopback interface by RTM_GETLINK. */
static void routes(void)
{
    int s = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE), on = 1;
    struct { struct nlmsghdr h; struct ifinfomsg i; } q = {
        { sizeof q, RTM_GETLINK, NLM_F_REQUEST, 7, 0 }, { .ifi_index = if_nametoindex("lo") } };
    struct sockaddr_nl to = { .nl_family = AF_NETLINK };
    char buf[16384];
    SHOW(setsockopt(s, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on));
    SHOW(setsockopt(s, SOL_NETLINK, NETLINK_PKTINFO, &on, sizeof on));
    SHOW(sendto(s, &q, sizeof q, 0, (void *)&to, sizeof to) == sizeof q);
    struct iovec iov = { buf, sizeof buf };
    char control[64];
    struct msghdr m = { &to, sizeof to, &iov, 1, control, sizeof control };
    int n = recvmsg(s, &m, 0);
    struct nlmsghdr *h = (void *)buf;
    printf("%d type %d seq %u from %u\n", n > 0, h->nlmsg_type == RTM_NEWLINK, h->nlmsg_seq,
           to.nl_pid);
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    printf("control %d %d\n", c && c->cmsg_level == SOL_NETLINK, c ? c->cmsg_type : 0);
    struct rtattr *a = IFLA_RTA(NLMSG_DATA(h));
    for (int left = IFLA_PAYLOAD(h); RTA_OK(a, left); a = RTA_NEXT(a, left))
        if (a->rta_type == IFLA_IFNAME)
            printf("name %s\n", (char *)RTA_DATA(a));
    q.i.ifi_index = 99999;
    SHOW(send(s, &q, sizeof q, 0) == sizeof q);
    n = recv(s, buf, sizeof buf, 0);
    printf("error %d\n", h->nlmsg_type == NLMSG_ERROR ? *(int *)NLMSG_DATA(h) : 0);
    struct { struct nlmsghdr h; struct rtgenmsg g; } d = {
        { sizeof d, RTM_GETADDR, NLM_F_REQUEST | NLM_F_DUMP, 8, 0 }, { AF_INET } };
    SHOW(send(s, &d, sizeof d, 0) == sizeof d);
    int done = 0;
    while (!done && (n = recv(s, buf, sizeof buf, 0)) > 0)
        for (h = (void *)buf; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n))
            done |= h->nlmsg_type == NLMSG_DONE;
    SHOW(done);
    close(s);
    s = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
    struct { struct nlmsghdr h; struct genlmsghdr g; struct nlattr a; char name[8]; } g = {
        { sizeof g, GENL_ID_CTRL, NLM_F_REQUEST, 1, 0 }, { CTRL_CMD_GETFAMILY, 1 },
        { 4 + 7, CTRL_ATTR_FAMILY_NAME }, "nlctrl" };
    SHOW(send(s, &g, sizeof g, 0) == sizeof g);
    n = recv(s, buf, sizeof buf, 0);
    h = (void *)buf;
    printf("%d\n", n > 0 && h->nlmsg_type == GENL_ID_CTRL);
}

static void option(int s, const char *name, int level, int opt, const void *set, socklen_t n)
{
    unsigned char buf[256];
    socklen_t len = sizeof buf;
    errno = 0;
    printf("%s:", name);
    if (set)
        printf(" set %s", setsockopt(s, level, opt, set, n) ? strerrorname_np(errno) : "ok");
    memset(buf, 0, sizeof buf);
    if (getsockopt(s, level, opt, buf, &len) < 0) {
        printf(" get %s\n", strerrorname_np(errno));
        return;
    }
    printf(" get %u:", len);
    for (unsigned i = 0; i < len && i < 16; i++)
        printf(" %02x", buf[i]);
    printf("\n");
}
#define GET(s, level, opt) option(s, #opt, level, opt, NULL, 0)
#define SET(s, level, opt, ...)                                                                    \
    ({                                                                                             \
        __typeof__((__VA_ARGS__)) set_v = __VA_ARGS__;                                             \
        option(s, #opt, level, opt, &set_v, sizeof set_v);                                         \
    })

static void options(void)
{
    int t = socket(AF_INET, SOCK_STREAM, 0), u = socket(AF_INET, SOCK_DGRAM, 0);
    int x = socket(AF_UNIX, SOCK_DGRAM, 0);
    GET(t, SOL_SOCKET, SO_TYPE);
    GET(t, SOL_SOCKET, SO_PROTOCOL);
    GET(t, SOL_SOCKET, SO_ERROR);
    GET(t, SOL_SOCKET, SO_ACCEPTCONN);
    SET(t, SOL_SOCKET, SO_KEEPALIVE, 1);
    SET(t, SOL_SOCKET, SO_REUSEPORT, 1);
    SET(t, SOL_SOCKET, SO_LINGER, (struct linger){ 1, 30 });
    SET(t, SOL_SOCKET, SO_SNDTIMEO, (struct timeval){ 7, 250000 });
    SET(t, SOL_SOCKET, SO_SNDBUF, 40000);
    SET(t, SOL_SOCKET, SO_RCVLOWAT, 3);
    SET(t, SOL_SOCKET, SO_PRIORITY, 3);
    SET(t, SOL_SOCKET, SO_TIMESTAMPNS, 1);
    SET(t, SOL_SOCKET, SO_OOBINLINE, 1);
    SET(t, SOL_SOCKET, SO_ZEROCOPY, 1);
    SET(t, SOL_SOCKET, SO_INCOMING_CPU, 0);
    SET(x, SOL_SOCKET, SO_PASSCRED, 1);
    SET(x, SOL_SOCKET, SO_PEEK_OFF, 5);
    GET(x, SOL_SOCKET, SO_DOMAIN);
    struct sock_filter code[] = { BPF_STMT(BPF_RET | BPF_K, 3) };
    struct sock_fprog prog = { 1, code };
    SHOW(setsockopt(u, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof prog));
    SHOW(setsockopt(u, SOL_SOCKET, SO_LOCK_FILTER, &(int){ 1 }, 4));
    SHOW(setsockopt(u, SOL_SOCKET, SO_DETACH_FILTER, &(int){ 1 }, 4));
    SET(t, IPPROTO_TCP, TCP_NODELAY, 1);
    SET(t, IPPROTO_TCP, TCP_MAXSEG, 777);
    SET(t, IPPROTO_TCP, TCP_KEEPIDLE, 60);
    SET(t, IPPROTO_TCP, TCP_KEEPINTVL, 5);
    SET(t, IPPROTO_TCP, TCP_KEEPCNT, 4);
    SET(t, IPPROTO_TCP, TCP_SYNCNT, 3);
    SET(t, IPPROTO_TCP, TCP_LINGER2, 11);
    SET(t, IPPROTO_TCP, TCP_DEFER_ACCEPT, 2);
    SET(t, IPPROTO_TCP, TCP_USER_TIMEOUT, 12345);
    SET(t, IPPROTO_TCP, TCP_CORK, 1);
    SET(t, IPPROTO_TCP, TCP_QUICKACK, 1);
    SET(t, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1);
    SHOW(setsockopt(t, IPPROTO_TCP, TCP_CONGESTION, "nosuch", 6));
    SHOW(setsockopt(t, IPPROTO_TCP, 999, "x", 1));
    SET(u, IPPROTO_IP, IP_TOS, 0x10);
    SET(u, IPPROTO_IP, IP_TTL, 33);
    SET(u, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
    SET(u, IPPROTO_IP, IP_MULTICAST_TTL, 9);
    SET(u, IPPROTO_IP, IP_MULTICAST_LOOP, 0);
    SHOW(setsockopt(u, IPPROTO_IP, IP_TTL, &(int){ 999 }, 4));
    GET(u, IPPROTO_IP, IP_MTU);
    SET(u, IPPROTO_UDP, UDP_SEGMENT, 1000);
    int v = socket(AF_INET6, SOCK_DGRAM, 0);
    if (v >= 0) {
        SET(v, IPPROTO_IPV6, IPV6_V6ONLY, 1);
        SET(v, IPPROTO_IPV6, IPV6_UNICAST_HOPS, 44);
        SET(v, IPPROTO_IPV6, IPV6_TCLASS, 5);
        SET(v, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
        SET(v, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO);
    }
}

static void show_control(struct msghdr *m)
{
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        printf("  level %d type %d length %d", c->cmsg_level, c->cmsg_type, (int)c->cmsg_len);
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL)
            printf(" ttl %d", *(int *)CMSG_DATA(c));
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS)
            printf(" tos %d", *CMSG_DATA(c));
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO)
            printf(" to %s", inet_ntoa(((struct in_pktinfo *)CMSG_DATA(c))->ipi_addr));
        if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR) {
            struct sock_extended_err *e = (void *)CMSG_DATA(c);
            printf(" error %s origin %d", strerrorname_np(e->ee_errno), e->ee_origin);
        }
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS)
            printf(" a time %d", ((struct timespec *)CMSG_DATA(c))->tv_sec > 1000000000);
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMP)
            printf(" a time %d", ((struct timeval *)CMSG_DATA(c))->tv_sec > 1000000000);
        printf("\n");
    }
}

static void controls(void)
{
    int a = socket(AF_INET, SOCK_DGRAM, 0), b = socket(AF_INET, SOCK_DGRAM, 0), on = 1;
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof in;
    char buf[64], control[512];
    struct iovec iov = { buf, sizeof buf };
    struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control };
    bind(a, (void *)&in, sizeof in);
    getsockname(a, (void *)&in, &len);
    setsockopt(a, IPPROTO_IP, IP_RECVTTL, &on, 4);
    setsockopt(a, IPPROTO_IP, IP_RECVTOS, &on, 4);
    setsockopt(a, IPPROTO_IP, IP_PKTINFO, &on, 4);
    setsockopt(a, SOL_SOCKET, SO_TIMESTAMPNS, &on, 4);
    /* TTL and type of service for this one message. */
    struct msghdr o = { .msg_name = &in, .msg_namelen = sizeof in, .msg_iov = &iov,
                        .msg_iovlen = 1, .msg_control = control,
                        .msg_controllen = 2 * CMSG_SPACE(4) };
    memset(control, 0, sizeof control);
    struct cmsghdr *c = CMSG_FIRSTHDR(&o);
    *c = (struct cmsghdr){ CMSG_LEN(4), IPPROTO_IP, IP_TTL };
    *(int *)CMSG_DATA(c) = 55;
    c = CMSG_NXTHDR(&o, c);
    *c = (struct cmsghdr){ CMSG_LEN(4), IPPROTO_IP, IP_TOS };
    *(int *)CMSG_DATA(c) = 8;
    SHOW(sendmsg(b, &o, 0));
    m.msg_controllen = sizeof control;
    SHOW(recvmsg(a, &m, 0));
    show_control(&m);
    sendto(b, "x", 1, 0, (void *)&in, sizeof in);
    m.msg_controllen = 30;
    SHOW(recvmsg(a, &m, 0));
    printf("cut %d\n", !!(m.msg_flags & MSG_CTRUNC));
    setsockopt(a, SOL_SOCKET, SO_TIMESTAMP, &on, 4);
    sendto(b, "x", 1, 0, (void *)&in, sizeof in);
    m.msg_controllen = sizeof control;
    SHOW(recvmsg(a, &m, 0));
    show_control(&m);
    o.msg_controllen = 7;
    SHOW(sendmsg(b, &o, 0));
    o.msg_controllen = CMSG_SPACE(4);
    CMSG_FIRSTHDR(&o)->cmsg_type = 99;
    SHOW(sendmsg(b, &o, 0));
    /* Nobody there: the error comes by the queue. */
    close(a);
    SHOW(setsockopt(b, IPPROTO_IP, IP_RECVERR, &on, 4));
    connect(b, (void *)&in, sizeof in);
    send(b, "lost", 4, 0);
    usleep(20000);
    struct sockaddr_in from = { 0 };
    m.msg_name = &from;
    m.msg_namelen = sizeof from;
    m.msg_controllen = sizeof control;
    SHOW(recvmsg(b, &m, MSG_ERRQUEUE | MSG_DONTWAIT));
    printf("queue %d %s\n", !!(m.msg_flags & MSG_ERRQUEUE), inet_ntoa(from.sin_addr));
    show_control(&m);
    SHOW(recvmsg(b, &m, MSG_ERRQUEUE | MSG_DONTWAIT));
}

static void zero_copy(void)
{
    int l = socket(AF_INET, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_STREAM, 0), on = 1;
    struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof in;
    static char big[65536];
    char control[256];
    bind(l, (void *)&in, sizeof in);
    listen(l, 1);
    getsockname(l, (void *)&in, &len);
    SHOW(setsockopt(c, SOL_SOCKET, SO_ZEROCOPY, &on, 4));
    SHOW(connect(c, (void *)&in, sizeof in));
    int p = accept(l, NULL, NULL);
    int n = send(c, big, sizeof big, MSG_ZEROCOPY);
    printf("sent %d\n", n > 0);
    while (n > 0)
        n -= recv(p, big, n, 0);
    struct msghdr m = { .msg_control = control, .msg_controllen = sizeof control };
    usleep(20000);
    int r = recvmsg(c, &m, MSG_ERRQUEUE | MSG_DONTWAIT);
    printf("completed %d\n", r);
    struct cmsghdr *h = CMSG_FIRSTHDR(&m);
    if (r >= 0 && h)
        printf("origin %d\n",
               ((struct sock_extended_err *)CMSG_DATA(h))->ee_origin == SO_EE_ORIGIN_ZEROCOPY);
    SHOW(send(c, "urgent", 6, MSG_OOB));
    usleep(1000);
    char b[8];
    SHOW(recv(p, b, 1, MSG_OOB));
    printf("%c\n", b[0]);
    SHOW(recv(p, b, sizeof b, MSG_TRUNC | MSG_DONTWAIT));
}

static void others(void)
{
    struct sockaddr_alg sa = { .salg_family = AF_ALG, .salg_type = "hash", .salg_name = "sha1" };
    int s = socket(AF_ALG, SOCK_SEQPACKET, 0);
    if (s >= 0 && bind(s, (void *)&sa, sizeof sa) == 0) {
        int f = accept(s, NULL, 0);
        unsigned char digest[20];
        SHOW(write(f, "abc", 3));
        SHOW(read(f, digest, 20));
        printf("%02x%02x%02x\n", digest[0], digest[1], digest[2]);
    } else {
        printf("AF_ALG: %s\n", strerrorname_np(errno));
    }
    int p = socket(AF_PACKET, SOCK_DGRAM, htons(3));
    printf("AF_PACKET: %s\n", p < 0 ? strerrorname_np(errno) : "ok");
    int v = socket(AF_VSOCK, SOCK_STREAM, 0);
    printf("AF_VSOCK: %s\n", v < 0 ? strerrorname_np(errno) : "ok");
    SHOW(socket(AF_BLUETOOTH, SOCK_RAW, 77));
    SHOW(socket(AF_CAN, SOCK_RAW, 77));
    /* An abstract name, and who is at the other end. */
    struct sockaddr_un un = { AF_UNIX, "\0calque-test" };
    int l = socket(AF_UNIX, SOCK_SEQPACKET, 0), c = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    snprintf(un.sun_path + 1, 40, "calque-%d", getpid());
    bind(l, (void *)&un, sizeof un);
    listen(l, 1);
    SHOW(connect(c, (void *)&un, sizeof un));
    struct ucred u;
    socklen_t len = sizeof u;
    SHOW(getsockopt(c, SOL_SOCKET, SO_PEERCRED, &u, &len));
    printf("me %d %d\n", u.pid == getpid(), u.uid == getuid());
    int pidfd = -1;
    len = sizeof pidfd;
    int r = getsockopt(c, SOL_SOCKET, 77 /* SO_PEERPIDFD */, &pidfd, &len);
    printf("pidfd %s\n", r < 0 ? strerrorname_np(errno) : pidfd >= 0 ? "ok" : "?");
}

int main(void)
{
    families();
    routes();
    options();
    controls();
    zero_copy();
    others();
    return 0;
}
