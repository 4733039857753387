/* ioctls on what every machine has: descriptors, terminals, pipes, files, interfaces. */
#include "test.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <net/if_arp.h>
#include <linux/if_tun.h>
#include <linux/kd.h>
#include <linux/sockios.h>
#include <linux/loop.h>
#include <linux/nsfs.h>
#include <linux/random.h>
#include <linux/userfaultfd.h>
#include <net/if.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <termios.h>

static void descriptors(void)
{
    int v = 1, p[2], q[2];
    pipe(p);
    SHOW(ioctl(p[0], FIOCLEX));
    SHOW(fcntl(p[0], F_GETFD));
    SHOW(ioctl(p[0], FIONCLEX));
    SHOW(fcntl(p[0], F_GETFD));
    SHOW(ioctl(p[0], FIONBIO, &v));
    SHOW((fcntl(p[0], F_GETFL) & O_NONBLOCK) != 0);
    SHOW(ioctl(p[0], FIONBIO, BAD));
    write(p[1], "abc", 3);
    SHOW(ioctl(p[0], FIONREAD, &v));
    SHOW(v);
    SHOW(ioctl(p[0], FIONREAD, BAD));
    SHOW(ioctl(p[0], TIOCGWINSZ, &v));
    SHOW(ioctl(-1, FIONREAD, &v));
    SHOW(ioctl(p[0], 0x12345678, &v));
    socketpair(AF_UNIX, SOCK_STREAM, 0, q);
    write(q[0], "abcd", 4);
    SHOW(ioctl(q[1], FIONREAD, &v));
    SHOW(v);
    SHOW(ioctl(q[0], TIOCOUTQ, &v));
    printf("%d\n", v > 0);
    v = getpid();
    SHOW(ioctl(q[0], FIOSETOWN, &v));
    v = 0;
    SHOW(ioctl(q[0], FIOGETOWN, &v));
    printf("%d\n", v == getpid());
    SHOW(ioctl(q[0], SIOCATMARK, &v));
}

static void terminals(void)
{
    int m = posix_openpt(O_RDWR | O_NOCTTY), v = 0;
    if (m < 0) {
        printf("no terminals: %s\n", strerrorname_np(errno));
        return;
    }
    grantpt(m);
    unlockpt(m);
    int s = open(ptsname(m), O_RDWR | O_NOCTTY);
    struct termios t;
    SHOW(tcgetattr(s, &t));
    printf("%o %o %o %o\n", t.c_iflag, t.c_oflag, t.c_cflag, t.c_lflag);
    printf("%d %d %d\n", t.c_cc[VINTR], t.c_cc[VEOF], t.c_cc[VMIN]);
    t.c_lflag &= ~(ICANON | ECHO);
    t.c_cc[VMIN] = 3;
    SHOW(tcsetattr(s, TCSANOW, &t));
    memset(&t, 0, sizeof t);
    SHOW(tcgetattr(s, &t));
    printf("%o %d\n", t.c_lflag, t.c_cc[VMIN]);
    cfsetispeed(&t, B9600);
    cfsetospeed(&t, B9600);
    SHOW(tcsetattr(s, TCSADRAIN, &t));
    SHOW(tcgetattr(s, &t));
    printf("%d\n", cfgetospeed(&t) == B9600);
    /* struct termios2, by its number. */
    struct { unsigned i, o, c, l; unsigned char line, cc[19]; unsigned in, out; } t2;
    SHOW(ioctl(s, 0x802c542a, &t2));
    printf("%u %u\n", t2.in, t2.out);
    t2.c = (t2.c & ~0x100fu) | 0x1000; /* BOTHER */
    t2.in = t2.out = 12345;
    SHOW(ioctl(s, 0x402c542b, &t2));
    SHOW(ioctl(s, 0x802c542a, &t2));
    printf("%u\n", t2.out);
    struct winsize w = { 24, 80, 1, 2 };
    SHOW(ioctl(m, TIOCSWINSZ, &w));
    memset(&w, 0, sizeof w);
    SHOW(ioctl(s, TIOCGWINSZ, &w));
    printf("%d %d %d %d\n", w.ws_row, w.ws_col, w.ws_xpixel, w.ws_ypixel);
    SHOW(ioctl(m, TIOCGPTN, &v));
    v = 1;
    SHOW(ioctl(m, TIOCPKT, &v));
    v = 0;
    SHOW(ioctl(m, TIOCGPKT, &v));
    SHOW(v);
    SHOW(ioctl(s, TIOCGPGRP, &v));
    SHOW(ioctl(s, TIOCGSID, &v));
    SHOW(ioctl(s, TCFLSH, TCIOFLUSH));
    SHOW(ioctl(s, TCSBRK, 1));
    SHOW(ioctl(s, TCXONC, TCOON));
    SHOW(ioctl(s, TIOCEXCL));
    SHOW(ioctl(s, TIOCGEXCL, &v));
    SHOW(v);
    SHOW(ioctl(s, TIOCNXCL));
    SHOW(ioctl(s, TIOCGETD, &v));
    SHOW(v);
    v = 99;
    SHOW(ioctl(s, TIOCSETD, &v));
    SHOW(ioctl(s, TIOCMGET, &v));
    SHOW(ioctl(s, KDGKBTYPE, &v));
    SHOW(ioctl(s, TIOCGWINSZ, BAD));
    int peer = ioctl(m, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    printf("peer %d\n", peer >= 0);
}

static void files(void)
{
    int fd = open("file", O_CREAT | O_RDWR, 0600), v = 0, w = -1;
    long size = 0;
    SHOW(ioctl(fd, FIGETBSZ, &v));
    printf("%d\n", v > 0);
    SHOW(ioctl(fd, FIGETBSZ, BAD));
    write(fd, "hello", 5);
    SHOW(ioctl(fd, FIONREAD, &v));
    SHOW(v);
    SHOW(ioctl(fd, FIOQSIZE, &size));
    SHOW(size);
    SHOW(ioctl(fd, BLKGETSIZE64, &size));
    SHOW(ioctl(fd, FS_IOC_GETFLAGS, &v));
    SHOW(ioctl(fd, FICLONE, w));
    SHOW(ioctl(fd, FICLONE, fd));
    struct file_clone_range r = { -1, 0, 0, 0 };
    SHOW(ioctl(fd, FICLONERANGE, &r));
    SHOW(ioctl(fd, FICLONERANGE, BAD));
    SHOW(ioctl(fd, LOOP_GET_STATUS64, BAD));
    SHOW(ioctl(fd, FS_IOC_FSGETXATTR, BAD));
    int random = open("/dev/urandom", O_RDONLY);
    SHOW(ioctl(random, RNDGETENTCNT, &v));
    printf("%d\n", v >= 0);
    SHOW(ioctl(random, RNDGETENTCNT, BAD));
    int kvm = open("/dev/null", O_RDWR);
    SHOW(ioctl(kvm, 0xae00, 0)); /* KVM_GET_API_VERSION */
}

static void interfaces(void)
{
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    struct ifreq r = { .ifr_name = "lo" };
    char buf[4096];
    SHOW(ioctl(s, SIOCGIFINDEX, &r));
    SHOW(ioctl(s, SIOCGIFNAME, &r));
    printf("%s\n", r.ifr_name);
    SHOW(ioctl(s, SIOCGIFMTU, &r));
    printf("%d\n", r.ifr_mtu > 0);
    SHOW(ioctl(s, SIOCGIFHWADDR, &r));
    printf("%d\n", r.ifr_hwaddr.sa_family == ARPHRD_LOOPBACK);
    if (ioctl(s, SIOCGIFADDR, &r) == 0)
        printf("%s\n", inet_ntoa(((struct sockaddr_in *)&r.ifr_addr)->sin_addr));
    SHOW(ioctl(s, SIOCGIFTXQLEN, &r));
    struct ifconf c = { sizeof buf, { buf } };
    SHOW(ioctl(s, SIOCGIFCONF, &c));
    printf("%d\n", c.ifc_len % (int)sizeof r);
    c.ifc_buf = NULL;
    SHOW(ioctl(s, SIOCGIFCONF, &c));
    strcpy(r.ifr_name, "none7");
    SHOW(ioctl(s, SIOCGIFFLAGS, &r));
    SHOW(ioctl(s, SIOCGIFFLAGS, BAD));
    SHOW(ioctl(s, SIOCGIFCONF, BAD));
    SHOW(ioctl(s, SIOCBRADDBR, BAD));
    int tun = open("/dev/net/tun", O_RDWR);
    if (tun >= 0) {
        unsigned v = 0;
        SHOW(ioctl(tun, TUNGETFEATURES, &v));
        printf("%d\n", (v & (IFF_TUN | IFF_TAP)) == (IFF_TUN | IFF_TAP));
        SHOW(ioctl(tun, TUNGETIFF, &r));
    }
}

static void namespaces(void)
{
    int fd = open("/proc/self/ns/net", O_RDONLY);
    SHOW(ioctl(fd, NS_GET_NSTYPE) == 0x40000000);
    int user = open("/proc/self/ns/user", O_RDONLY), uid = -1;
    SHOW(ioctl(user, NS_GET_OWNER_UID, &uid));
    SHOW(uid);
    SHOW(ioctl(user, NS_GET_OWNER_UID, BAD));
    SHOW(ioctl(fd, NS_GET_PARENT));
}

/* ---- a page that the program itself provides ---- */

static int uffd;
static char *page;

static void *provider(void *arg)
{
    struct uffd_msg m;
    static char content[4096] __attribute__((aligned(4096))) = "provided";
    if (read(uffd, &m, sizeof m) != sizeof m)
        return NULL;
    printf("fault %d at the page %d\n", m.event == UFFD_EVENT_PAGEFAULT,
           (char *)(m.arg.pagefault.address & ~4095ul) == page);
    struct uffdio_copy c = { (unsigned long)page, (unsigned long)content, 4096, 0, 0 };
    SHOW(ioctl(uffd, UFFDIO_COPY, &c));
    printf("copied %lld\n", (long long)c.copy);
    return NULL;
}

static void faults(void)
{
    uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
    if (uffd < 0) {
        printf("userfaultfd: %s\n", strerrorname_np(errno));
        return;
    }
    struct uffdio_api api = { .api = UFFD_API };
    SHOW(ioctl(uffd, UFFDIO_API, &api));
    SHOW(ioctl(uffd, UFFDIO_API, &api));
    page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct uffdio_register r = { { (unsigned long)page, 8192 }, UFFDIO_REGISTER_MODE_MISSING, 0 };
    SHOW(ioctl(uffd, UFFDIO_REGISTER, &r));
    printf("can copy %d\n", (int)(r.ioctls >> _UFFDIO_COPY & 1));
    pthread_t t;
    fflush(stdout);
    pthread_create(&t, NULL, provider, NULL);
    volatile char c = page[0];
    pthread_join(t, NULL);
    printf("%c %s\n", c, page);
    struct uffdio_zeropage z = { { (unsigned long)page + 4096, 4096 }, 0, 0 };
    SHOW(ioctl(uffd, UFFDIO_ZEROPAGE, &z));
    printf("%d\n", page[4096]);
    SHOW(ioctl(uffd, UFFDIO_UNREGISTER, &r.range));
    SHOW(ioctl(uffd, UFFDIO_REGISTER, BAD));
    SHOW(syscall(SYS_userfaultfd, 0x12345));
}

int main(void)
{
    descriptors();
    terminals();
    files();
    interfaces();
    namespaces();
    faults();
    return 0;
}
