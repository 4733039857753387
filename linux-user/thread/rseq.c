/* data plane */
#include "linux-user/thread/rseq.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#if __has_include(<sys/rseq.h>)
#include <sys/rseq.h>
#define HAVE_LIBRARY_RSEQ 1
#endif

#include "linux-user/mem/map.h"
#include "linux-user/options.h"
#include "linux-user/ptrace/ptrace.h"
#include "linux-user/signal/host-syscall.h"
#include "linux-user/signal/signal.h"
#include "syscall-tables/handlers.h"
#include "syscall-tables/ids.h"
#include "translator/memory/own-pages.h"

/* include/uapi/linux/rseq.h */
enum { RSEQ_UNREGISTER = 1, RSEQ_CS_AT = 8, SEQUENCE_MAX = 64 << 10 };
typedef struct Descriptor {
    uint32_t version, flags;
    uint64_t start, bytes, abort;
} __attribute__((aligned(32))) Descriptor;

/* ---- the host's sequences ---- */

enum { STUB_BYTES = 128, STUB_START = 7, STUB_STORE = 9, STUB_ABORT = 64, N_STUBS = 4,
       DESCRIPTORS_AT = 2048 };
typedef uint32_t StoreStub(GuestAddr cs, uint64_t guest, uint64_t host, GuestAddr addr,
                           uint64_t value);

#ifdef __x86_64__
/* A StoreStub of 1 << log2 bytes. The sequence begins right behind the first exchange, and ends
 * with the store; the kernel wants the signature before the abort's code. */
static void make_stub(uint8_t *at, unsigned log2, uint32_t signature)
{
    static const uint8_t enter[] = {
        0x48, 0x89, 0xf0,       /* mov %rsi,%rax */
        0x48, 0x0f, 0xb1, 0x17, /* cmpxchg %rdx,(%rdi): alone on its thread, so no lock */
        0x75, STUB_ABORT - STUB_STORE, /* jne abort */
    };
    static const uint8_t stores[N_STUBS][4] = {
        {0x44, 0x88, 0x01}, {0x66, 0x44, 0x89, 0x01}, {0x44, 0x89, 0x01}, {0x4c, 0x89, 0x01},
    }; /* mov %r8*,(%rcx) */
    static const uint8_t leave[] = {
        0x48, 0x89, 0xd0,       /* mov %rdx,%rax */
        0x48, 0x0f, 0xb1, 0x37, /* cmpxchg %rsi,(%rdi): unless it was cleared meanwhile */
        0x31, 0xc0, 0xc3,       /* return 0 */
    };
    static const uint8_t abort[] = {0xb8, 1, 0, 0, 0, 0xc3}; /* return 1 */
    size_t n = log2 == 1 ? 4 : 3;
    memcpy(at, enter, sizeof enter);
    memcpy(at + STUB_STORE, stores[log2], n);
    memcpy(at + STUB_STORE + n, leave, sizeof leave);
    memcpy(at + STUB_ABORT - 4, &signature, 4);
    memcpy(at + STUB_ABORT, abort, sizeof abort);
}
#endif

/* A page of them for this signature; NULL: the host can't. They stay: threads use them. */
static uint8_t *stubs_new(uint32_t signature)
{
#ifdef __x86_64__
    uint8_t *page = own_pages_map(MEM_PAGE);
    if (!page)
        return NULL;
    for (unsigned i = 0; i < N_STUBS; i++) {
        uint8_t *stub = page + i * STUB_BYTES;
        make_stub(stub, i, signature);
        Descriptor d = {.start = (uintptr_t)stub + STUB_START,
                        .bytes = STUB_STORE - STUB_START + (i == 1 ? 4 : 3),
                        .abort = (uintptr_t)stub + STUB_ABORT};
        memcpy(page + DESCRIPTORS_AT + i * sizeof d, &d, sizeof d);
    }
    if (host_raw(SYS_mprotect, (uintptr_t)page, MEM_PAGE, PROT_READ | PROT_EXEC) == 0)
        return page;
    own_pages_unmap(page, MEM_PAGE);
#endif
    (void)signature;
    return NULL;
}

static uint8_t *stubs_for(Process *p, uint32_t signature)
{
    pthread_mutex_lock(&p->threads_lock);
    if (!p->rseq_stubs || p->rseq_signature != signature) {
        p->rseq_stubs = stubs_new(signature);
        p->rseq_signature = signature;
    }
    uint8_t *stubs = p->rseq_stubs;
    pthread_mutex_unlock(&p->threads_lock);
    return stubs;
}

/* ---- registration ---- */

/* A thread has one struct rseq, and the C library's first thread has one already. */
static void take_from_library(const Thread *t)
{
#if HAVE_LIBRARY_RSEQ
    if (!t->slot && __rseq_size) {
        uintptr_t at = (uintptr_t)__builtin_thread_pointer() + (uintptr_t)__rseq_offset;
        host_raw(HOST_NR_RSEQ, at, 32, RSEQ_UNREGISTER, RSEQ_SIG);
    }
#endif
}

long sys_rseq(Thread *t, const uint64_t *args)
{
    uint32_t signature = (uint32_t)args[3];
    bool begins = !t->rseq && !((int)args[2] & RSEQ_UNREGISTER);
    if (!t->rseq)
        take_from_library(t);
    /* Known before: where the struct can't be used the kernel says so on the way back already. */
    if (begins)
        t->rseq = args[0];
    long r = host_raw(HOST_NR_RSEQ, args[0], (uint32_t)args[1], (uint32_t)args[2], signature);
    if (r == 0 ? (int)args[2] == RSEQ_UNREGISTER : begins)
        t->rseq = 0;
    if (r == 0 && begins) {
        t->rseq_bytes = (uint32_t)args[1];
        t->rseq_signature = signature;
        t->rseq_stubs = NULL; /* with the first store: most threads never have a sequence */
    }
    return r;
}

static bool unregister(const Thread *t)
{
    return host_raw(HOST_NR_RSEQ, t->rseq, t->rseq_bytes, RSEQ_UNREGISTER, t->rseq_signature) == 0;
}

/* A struct that the guest has unmapped can't be unregistered, and would kill the thread on its way
 * to the end, which is none of the guest's code any more: for a moment there is memory again. */
void rseq_end(Thread *t)
{
    if (!t->rseq)
        return;
    if (!unregister(t)) {
        uint64_t start = t->rseq & -MEM_PAGE;
        uint64_t bytes = ((t->rseq + t->rseq_bytes + MEM_PAGE - 1) & -MEM_PAGE) - start;
        long p = host_raw(SYS_mmap, start, bytes, PROT_READ | PROT_WRITE,
                          MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        if (p == (long)start) {
            unregister(t);
            host_raw(SYS_munmap, start, bytes);
        }
    }
    t->rseq = 0;
}

bool rseq_leave(Thread *t, GuestAddr start, uint64_t bytes)
{
    return t->rseq && trace_is_active(t) && start < t->rseq + t->rseq_bytes &&
           t->rseq < start + bytes && unregister(t);
}

/* Waiting for its tracer the thread loses the processor, so the kernel would kill it now: by a
 * signal that comes to no handler, but that the tracer sees. */
void rseq_left(Thread *t)
{
    siginfo_t info = {.si_signo = SIGSEGV, .si_code = SI_KERNEL};
    if (mem_check(t->process->mem, t->rseq, t->rseq_bytes, PROT_READ | PROT_WRITE) &&
        host_raw(HOST_NR_RSEQ, t->rseq, t->rseq_bytes, 0, t->rseq_signature) == 0)
        return;
    t->rseq = 0;
    t->signals->mask |= SIGNAL_BIT(SIGSEGV);
    signal_force(t, &info);
}

/* ---- sequences ---- */

int rseq_descriptor(void *opaque, GuestAddr at, TranslatorCritical *ret)
{
    const Process *p = opaque;
    Descriptor d;
    if (!mem_check(p->mem, at, sizeof d, PROT_READ) || !mem_get(&d, at) || d.version)
        return 0;
    /* A file that is only looked at hasn't been relocated. */
    if (!d.start && !d.bytes && !d.abort)
        return p->options->warm ? -1 : 0;
    if (!d.bytes || d.bytes > SEQUENCE_MAX || d.start + d.bytes < d.start ||
        d.abort - d.start < d.bytes || d.abort < 4 ||
        !mem_check(p->mem, d.start, d.bytes, PROT_EXEC) ||
        !mem_check(p->mem, d.abort - 4, 8, PROT_EXEC))
        return 0;
    *ret = (TranslatorCritical){d.start, d.start + d.bytes, d.abort, at};
    return 1;
}

uint32_t rseq_store(void *opaque, GuestAddr addr, uint64_t value, uint32_t bytes, GuestAddr key)
{
    Thread *t = thread_self;
    if (!t->rseq) { /* nobody asked for it: a plain store, which may fault */
        switch (bytes) {
        case 1: *(volatile uint8_t *)mem_host(addr) = (uint8_t)value; break;
        case 2: *(volatile uint16_t *)mem_host(addr) = (uint16_t)value; break;
        case 4: *(volatile uint32_t *)mem_host(addr) = (uint32_t)value; break;
        default: *(volatile uint64_t *)mem_host(addr) = value;
        }
        return 0;
    }
    if (!t->rseq_stubs)
        t->rseq_stubs = stubs_for(opaque, t->rseq_signature);
    if (!t->rseq_stubs)
        return 1; /* no memory: perhaps the next time */
    unsigned i = (unsigned)__builtin_ctz(bytes);
    const uint8_t *page = t->rseq_stubs;
    StoreStub *store = (StoreStub *)(uintptr_t)(page + i * STUB_BYTES);
    return store(t->rseq + RSEQ_CS_AT, key,
                 (uintptr_t)(page + DESCRIPTORS_AT + i * sizeof(Descriptor)), addr, value);
}

void rseq_signal(Thread *t)
{
    TranslatorCritical c;
    if (t->rseq && translator_critical_at(t->process->translator, vcpu_pc(t->vcpu), &c))
        vcpu_set_pc(t->vcpu, c.abort);
}
