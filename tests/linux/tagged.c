/* AArch64's tagged addresses: in accesses always, in system calls by PR_TAGGED_ADDR_ENABLE.
 * Natively and on RISC-V there are no tags, and the same is printed. */
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>

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
    pthread_create(&t, NULL, thread, NULL);
    pthread_join(t, NULL);
    SHOW(control(0, 0));
    SHOW(get());
    return 0;
}
