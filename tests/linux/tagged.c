/* AArch64's tagged addresses: in accesses always, in system calls by PR_TAGGED_ADDR_ENABLE.
 * Natively and on RISC-V there are no tags, and the same is printed. */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

#include "test.h"

#ifdef __aarch64__
static void *tag(const void *p, unsigned long t) { return (void *)((uintptr_t)p | t << 56); }
static long control(unsigned long bits, long rest)
{
    return prctl(PR_SET_TAGGED_ADDR_CTRL, bits, rest, 0, 0);
}
static long get(void) { return prctl(PR_GET_TAGGED_ADDR_CTRL, 0, 0, 0, 0); }
#else
static void *tag(const void *p, unsigned long t) { return (void *)p; }
static long state;
static long control(unsigned long bits, long rest)
{
    if (bits & ~1ul || rest)
        return errno = EINVAL, -1;
    return state = bits, 0;
}
static long get(void) { return state; }
#endif

static void *thread(void *arg)
{
    SHOW(get());
    return NULL;
}

static void vectors(int fd[2], char *buf)
{
    struct iovec v[2] = {{tag("ab", 1), 2}, {tag("cd", 0x7f), 2}};
    SHOW(writev(fd[1], v, 2));
    v[0] = (struct iovec){tag(buf, 9), 1};
    v[1] = (struct iovec){tag(buf + 1, 8), 8};
    SHOW(readv(fd[0], tag(v, 3), 2));
    printf("%s\n", buf);
    int s[2], sent = fd[0];
    socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
    union { char bytes[CMSG_SPACE(sizeof(int))]; struct cmsghdr align; } control = {{0}};
    v[0] = (struct iovec){tag("message", 5), 8};
    struct msghdr m = {.msg_iov = tag(v, 6), .msg_iovlen = 1, .msg_control = &control,
                       .msg_controllen = sizeof control};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof sent);
    memcpy(CMSG_DATA(c), &sent, sizeof sent);
    m.msg_control = tag(&control, 2);
    SHOW(sendmsg(s[0], tag(&m, 7), 0));
    v[0] = (struct iovec){tag(buf, 5), 8};
    memset(&control, 0, sizeof control);
    SHOW(recvmsg(s[1], &m, 0));
    printf("%s control %d flags %d\n", buf, (int)m.msg_controllen, m.msg_flags);
    struct mmsghdr mm[2] = {{.msg_hdr = {.msg_iov = tag(v, 1), .msg_iovlen = 1}},
                            {.msg_hdr = {.msg_iov = v, .msg_iovlen = 1}}};
    SHOW(sendmmsg(s[0], mm, 2, 0));
    SHOW(recvmmsg(s[1], tag(mm, 4), 2, MSG_DONTWAIT, NULL));
    printf("%u %u\n", mm[0].msg_len, mm[1].msg_len);
    v[0].iov_base = tag((void *)16, 5);
    SHOW(writev(fd[1], v, 1));
    SHOW(writev(fd[1], v, 2000));
}

int main(void)
{
    struct stat st;
    char buf[16] = "text";
    pthread_t t;
    int fd[2];
    setvbuf(stdout, NULL, _IONBF, 0);
    pipe(fd);
    SHOW(get());
    SHOW(control(4, 0));
    SHOW(control(1, 1));
    SHOW(control(1, 0));
    SHOW(get());
    SHOW(write(fd[1], tag(buf, 0x5a), 4));
    char *tagged = tag(buf, 0x11);
    tagged[0] = '?';
    SHOW(read(fd[0], tag(buf, 0xff & 0x7f), 16));
    printf("%s\n", buf);
    SHOW(stat(tag("/", 3), tag(&st, 4)));
    SHOW(open(tag("/nothing", 3), O_RDONLY));
    char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    SHOW(mprotect(tag(page, 7), 4096, PROT_READ));
    SHOW(munmap(tag(page, 7), 4096));
    vectors(fd, buf);
    pthread_create(&t, NULL, thread, NULL);
    pthread_join(t, NULL);
    SHOW(control(0, 0));
    SHOW(get());
    return 0;
}
