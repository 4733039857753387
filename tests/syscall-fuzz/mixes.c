/*
 * Mixes of system calls by subject. Purely random calls seldom get past the first check of a
 * descriptor or a flag; here the arguments are taken from what the call knows, and only now and
 * then from what it doesn't.
 */
#include <linux/aio_abi.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

#define OF(array) ((array)[pick(sizeof(array) / sizeof *(array))])

/* ---- calls as text: a letter an argument ---- */

typedef struct Shape {
    short nr;
    const char *args;
} Shape;

static const uint64_t protections[] = {0, 1, 3, 3, 3, 5, 7, 4, 0x01000003, 0x02000003, 0x23};
static const uint64_t map_flags[] = {
    0x22, 0x22, 0x21, 0x32, 0x31, 0x100022, 0x4022, 0x8022, 0x122, 0x2022, 0x40022, 0x2, 0x1, 0x12,
    0x11, 0x3, 0x80022, 0x4000022,
};
static const uint64_t clone_flags[] = {
    0, 0x100, 0x200, 0x400, 0x800, 0x1000, 0x2000, 0x4000, 0x8000, 0x10000, 0x20000, 0x40000,
    0x80000, 0x100000, 0x200000, 0x400000, 0x800000, 0x1000000, 0x2000000, 0x4000000, 0x8000000,
    0x10000000, 0x20000000, 0x40000000, 0x80000000, 0x100000000, 0x200000000,
};
static const uint64_t clone_bases[] = {
    0, 0x4100, 0x100, 0x50f00, 0x3d0f00, 0x7d0f00, 0x4000, 0x1200000,
};
static const uint64_t lengths[] = {1, 4096, 4096, 8192, 16384, 65536, 65536, 1 << 20, 1 << 30, 0};

static uint32_t words[64] __attribute__((aligned(64)));
static struct timespec times[] = {{0, 0}, {0, 1000000}, {0, 3000000}, {-1, 0}, {0, 2000000000}};
static int ring_fd = -1, pidfd = -1, child_pid;
static aio_context_t aio;
/* What the last calls gave: an address, an identifier. */
static __thread uint64_t given[8];

static uint64_t of_letter(char letter)
{
    switch (letter) {
    case '0': return 0;
    case 'f': return pick(24);
    case 'p': return pick(8) ? buffer_pointer() : hostile_pointer();
    case 'n': return number();
    case 'k': return pick(8);
    case 'a': return pick(6) ? area_page() : pick(3) ? OF(given) : hostile_pointer();
    case 'l': return pick(8) ? OF(lengths) : number();
    case 'P': return OF(protections);
    case 'M': return OF(map_flags) | (pick(8) ? 0 : 0x10);
    case 'w': return (uintptr_t)&OF(words);
    case 'o': return pick(14) | (pick(2) ? FUTEX_PRIVATE_FLAG : 0) | (pick(8) ? 0 : 256);
    case 'v': return pick(3);
    case 't': return pick(12) ? (uintptr_t)&OF(times) : buffer_pointer();
    case 'T': return pick(2) ? (uintptr_t)&OF(times) : 1 + pick(4); /* a time or a count */
    case 'C':
        return OF(clone_bases) | (pick(3) ? OF(clone_flags) : 0) | (pick(4) ? SIGCHLD : pick(65));
    case 's': return pick(66);
    case 'S': return 8;
    case 'R': return ring_fd;
    case 'A': return aio;
    case 'r': return OF(given);
    case 'i': return pick(4) ? getpid() : pick(3) ? child_pid : pick(8) - 1;
    case 'I': return pidfd;
    case 'm': return (uint64_t)1 << pick(24) | (pick(2) ? 1 << pick(12) : 0);
    default: return argument();
    }
}

static void shaped(const Shape *shape)
{
    uint64_t a[6];
    for (int i = 0; i < 6; i++) {
        char letter = i < (int)strlen(shape->args) ? shape->args[i] : '?';
        a[i] = pick(24) ? of_letter(letter) : argument();
    }
    long r = call(shape->nr, a);
    if (r > 0)
        given[pick(8)] = r;
}

/* ---- futexes ---- */

static const Shape futex_shapes[] = {
    {98, "wovTwn"}, {98, "wovTwk"}, {98, "wovtwv"}, {98, "wovtwv"}, {99, "pS"}, {99, "pn"},
    {100, "ipp"}, {449, "pk0tk"}, {454, "wnkk"}, {455, "wvnktk"}, {456, "pkvv"}, {293, "plks"},
    {283, "m00"}, {124, ""}, {131, "iis"}, {130, "is"},
};

static void futex_fill(void)
{
    struct futex_waitv {
        uint64_t value, word;
        uint32_t flags, reserved;
    } *v = (void *)buffer_pointer();
    if ((uintptr_t)v % 8)
        return;
    for (int i = 0; i < 4; i++) {
        struct futex_waitv one = {pick(3), (uintptr_t)&OF(words), pick(8) ? 2 : rnd(), 0};
        if (((uintptr_t)&v[i + 1] - 1) / PAGE != (uintptr_t)v / PAGE)
            break;
        memcpy(&v[i], &one, sizeof one);
    }
    OF(words) = pick(3) ? pick(3) : rnd();
}

/* ---- threads and processes ---- */

static const Shape clone_shapes[] = {
    {220, "Capap?"}, {220, "C0pap?"}, {220, "Capap?"}, {435, "pl"}, {435, "p?"}, {260, "ipkp"},
    {95, "kipkp"}, {96, "p"}, {124, ""}, {129, "is"}, {130, "is"}, {131, "iis"}, {178, ""},
    {434, "ik"}, {424, "Isp"}, {438, "Ifk"}, {167, "?????"}, {97, "C"}, {268, "fC"}, {117, "kipp"},
    {270, "ippppk"}, {271, "ippppk"}, {436, "kkk"},
};

static void clone_fill(void)
{
    uint64_t *q = (uint64_t *)(buffer_pointer() & ~UINT64_C(7));
    uint64_t args[11] = {
        OF(clone_bases) | OF(clone_flags), buffer_pointer(), buffer_pointer(), buffer_pointer(),
        pick(4) ? SIGCHLD : number(), pick(2) ? area_page() : 0, pick(2) ? PAGE : number(),
        pick(2) ? buffer_pointer() : 0, pick(4) ? 0 : buffer_pointer(), pick(4) ? 0 : pick(4),
        pick(8) ? 0 : pick(24),
    };
    if ((uintptr_t)q / PAGE == ((uintptr_t)q + sizeof args - 1) / PAGE)
        memcpy(q, args, sizeof args);
}

/* ---- memory ---- */

static const Shape memory_shapes[] = {
    {222, "alPMf0"}, {222, "alPM??"}, {222, "0lPMfn"}, {215, "al"}, {226, "alP"}, {216, "allka"},
    {216, "rllka"}, {233, "alk"}, {233, "aln"}, {227, "alk"}, {228, "al"}, {229, "al"}, {214, "r"},
    {214, "n"}, {196, "kan"}, {197, "r"}, {194, "0ln"}, {195, "kkp"}, {232, "alp"}, {288, "alPn"},
    {289, "nn"}, {290, "k"}, {235, "alkpnk"}, {237, "kpn"}, {284, "alk"}, {230, "k"}, {462, "al0"},
    {279, "pk"}, {447, "0"}, {440, "Ipkk0"}, {282, "n"}, {234, "alPnk"}, {453, "al"}, {259, "al0"},
    {239, "ikpppk"}, {63, "fal"}, {64, "fal"},
};

/* ---- signals ---- */

static const Shape signal_shapes[] = {
    {134, "spSS"}, {134, "sppS"}, {135, "kppS"}, {135, "kp0S"}, {132, "pp"}, {132, "pp"},
    {129, "is"}, {130, "is"}, {131, "iis"}, {138, "isp"}, {240, "iisp"}, {137, "pptS"}, {136, "pS"},
    {133, "pS"}, {74, "fpSk"}, {107, "kpp"}, {110, "kkpp"}, {111, "k"}, {103, "kpp"}, {102, "kp"},
    {139, ""}, {128, ""}, {424, "Isp"}, {73, "pktpS"}, {72, "kpppt"}, {22, "fpkkpS"}, {101, "t0"},
    {115, "kkt0"}, {167, "1s"},
};

static void signal_fill(void)
{
    /* A struct sigaction whose handler is code, mostly. */
    uint64_t *q = (uint64_t *)(buffer_pointer() & ~UINT64_C(7));
    static const uint64_t flags[] = {
        0, 4, 0x08000004, 0x10000000, 0x40000000, 0x80000000, 0x0c000004, 2, 1,
    };
    uint64_t handler = pick(3) ? pick(2) : pick(2) ? (uintptr_t)sched_yield : hostile_pointer();
    uint64_t action[4] = {handler, OF(flags), pick(2) ? 0 : rnd() << 8 ^ rnd(), rnd() << 8 ^ rnd()};
    if ((uintptr_t)q / PAGE == ((uintptr_t)q + sizeof action - 1) / PAGE)
        memcpy(q, action, sizeof action);
}

/* ---- aio ---- */

static const Shape aio_shapes[] = {
    {2, "Akp"}, {2, "Akp"}, {2, "Akp"}, {4, "AkkpT"}, {4, "Akkpt"}, {3, "App"}, {0, "kp"}, {1, "r"},
    {292, "Akkptp"}, {57, "f"}, {215, "rl"}, {216, "rllka"},
};

static void aio_fill(void)
{
    uint64_t *list = (uint64_t *)(buffer_pointer() & ~UINT64_C(7));
    for (int i = 0; i < 4; i++) {
        struct iocb block = {
            .aio_data = rnd(), .aio_lio_opcode = pick(9), .aio_fildes = pick(20),
            .aio_buf = argument(),
            .aio_nbytes = pick(2) ? pick(70000) : number(), .aio_offset = pick(2) ? 0 : number(),
            .aio_flags = pick(4) ? 0 : pick(4), .aio_resfd = pick(20),
            .aio_rw_flags = pick(8) ? 0 : rnd(),
            .aio_reqprio = pick(8) ? 0 : rnd(),
        };
        uint64_t at = buffer_pointer() & ~UINT64_C(7);
        if (at / PAGE == (at + sizeof block - 1) / PAGE)
            memcpy((void *)at, &block, sizeof block);
        if ((uintptr_t)&list[i] / PAGE == (uintptr_t)list / PAGE)
            list[i] = at;
    }
}

/* ---- io_uring ---- */

static struct {
    uint8_t *ring;
    struct io_uring_sqe *sqes;
    struct io_uring_params q;
} uring;

static void uring_prepare(void)
{
    static const uint32_t flags[] = {
        0, 0, 0, 8, 16, 0x80, 0x100, 0x1000, 0x3000, 0x400, 0x800, 0x10000, 1, 0x4000,
    };
    memset(&uring, 0, sizeof uring);
    uring.q.flags = OF(flags);
    uring.q.cq_entries = 64;
    ring_fd = syscall(425, 1 << pick(5), &uring.q);
    if (ring_fd < 0)
        return;
    uring.ring = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_SHARED, ring_fd, IORING_OFF_SQ_RING);
    uring.sqes = mmap(NULL, 64 * uring.q.sq_entries, PROT_READ | PROT_WRITE, MAP_SHARED, ring_fd,
                      IORING_OFF_SQES);
}

static const Shape uring_shapes[] = {
    {425, "kp"}, {426, "Rkknp0"}, {426, "fkknpn"}, {427, "Rkpk"}, {427, "Rspk"}, {427, "Rnpk"},
    {57, "f"}, {57, "R"}, {24, "Rf0"}, {23, "R"}, {215, "rl"}, {222, "alPMR0"}, {222, "0l3MR0"},
};

/* Entries for the next enter, any of whose fields may be nonsense. */
static void uring_step(void)
{
    if (ring_fd < 0 || uring.ring == MAP_FAILED || uring.sqes == MAP_FAILED || !pick(4)) {
        shaped(&OF(uring_shapes));
        if (!pick(16))
            uring_prepare();
        return;
    }
    unsigned count = 1 + pick(4), mask = uring.q.sq_entries - 1;
    uint32_t *tail = (uint32_t *)(uring.ring + uring.q.sq_off.tail);
    for (unsigned i = 0; i < count; i++) {
        struct io_uring_sqe *e = &uring.sqes[(*tail + i) & mask];
        uint64_t *raw = (uint64_t *)e;
        for (int k = 1; k < 8; k++)
            raw[k] = pick(3) ? argument() : 0;
        e->opcode = pick(64);
        e->flags = pick(4) ? 0 : 1 << pick(8);
        e->ioprio = pick(8) ? 0 : rnd();
        e->fd = pick(20);
        e->len = pick(2) ? pick(4096) : e->len;
        if (e->opcode == IORING_OP_TIMEOUT || e->opcode == IORING_OP_LINK_TIMEOUT)
            e->addr = (uintptr_t)&OF(times);
        if (!(uring.q.flags & 0x10000))
            ((uint32_t *)(uring.ring + uring.q.sq_off.array))[(*tail + i) & mask] =
                pick(32) ? (*tail + i) & mask : rnd();
    }
    __atomic_store_n(tail, *tail + (pick(32) ? count : rnd()), __ATOMIC_RELEASE);
    uint64_t a[6] = {ring_fd, pick(16) ? count : number(), 0, pick(8) ? 0 : rnd() & 0x7f, 0, 0};
    call(426, a);
    /* What has completed is of no interest. */
    uint32_t *head = (uint32_t *)(uring.ring + uring.q.cq_off.head);
    *head = *(uint32_t *)(uring.ring + uring.q.cq_off.tail);
}

/* ---- the rest ---- */

void mix_prepare(unsigned mix)
{
    memset(words, 0, sizeof words);
    aio = 0;
    if (mix == 1 || mix == 7)
        uring_prepare();
    if (mix == 2 || mix == 7)
        syscall(0, 32, &aio);
    if (mix == 4 || mix == 6) {
        child_pid = fork();
        if (child_pid == 0) {
            for (;;)
                pause();
        }
        pidfd = syscall(434, child_pid, 0);
    }
}

void mix_step(unsigned mix)
{
    switch (mix) {
    case 1: uring_step(); break;
    case 2:
        aio_fill();
        shaped(&OF(aio_shapes));
        break;
    case 3:
        futex_fill();
        shaped(&OF(futex_shapes));
        break;
    case 4:
        clone_fill();
        shaped(&OF(clone_shapes));
        break;
    case 5: shaped(&OF(memory_shapes)); break;
    case 6:
        signal_fill();
        shaped(&OF(signal_shapes));
        break;
    case 7: mix_step(1 + pick(6)); break;
    }
}
