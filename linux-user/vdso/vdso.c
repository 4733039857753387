/* data plane */
#include "linux-user/vdso/vdso.h"

#include <errno.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <time.h>

#include "linux-user/mem/map.h"
#include "linux-user/process.h"
#include "linux-user/syscalls/hwprobe.h"

enum { CALLOUT_TIME, CALLOUT_CPU, CALLOUT_RANDOM, CALLOUT_HWPROBE };

bool vdso_map(Process *p)
{
    const VdsoImage *image = p->abi->vdso;
    const uint64_t bytes = p->mem->page;
    long at = mem_mmap(p, 0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at < 0 && at >= -4095)
        return false;
    mem_write((GuestAddr)at, image->bytes, image->n_bytes);
    mem_mprotect(p, (GuestAddr)at, bytes, PROT_READ | PROT_EXEC);
    mem_note_mapped(p->mem, (GuestAddr)at, bytes, PROT_READ | PROT_EXEC, MEM_VDSO, false);
    p->vdso = (GuestAddr)at;
    translator_set_callouts(p->translator, p->vdso, MEM_PAGE);
    /* For the store it is a file, of a size that no file has. */
    const TranslatorFile id = { .dev = UINT64_MAX, .ino = 1, .size = INT64_MAX };
    translator_map_file(p->translator, p->vdso, MEM_PAGE, 0, &id);
    return true;
}

/* The host's vDSO answers: no system call. */
static uint64_t time_ns(uint64_t clock)
{
    struct timespec now = {0};
    clock_gettime((clockid_t)clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static uint64_t random_word(VdsoRandom *r)
{
    if (!r->left) {
        /* There is nothing to go on with when a filter forbids it. */
        while (getrandom(r->word, sizeof r->word, 0) != sizeof r->word)
            if (errno != EINTR)
                __builtin_trap();
        r->left = VDSO_RANDOM_WORDS;
    }
    uint64_t word = r->word[--r->left];
    r->word[r->left] = 0;
    return word;
}

uint64_t vdso_callout(void *opaque, Vcpu *v, unsigned number, uint64_t arg)
{
    unsigned cpu = 0, node = 0;
    uint64_t value = 0;
    switch (number) {
    case CALLOUT_TIME:
        return time_ns(arg);
    case CALLOUT_CPU:
        getcpu(&cpu, &node);
        return cpu | (uint64_t)node << 32;
    case CALLOUT_RANDOM:
        return random_word(&thread_self->vdso_random);
    case CALLOUT_HWPROBE:
        riscv_hwprobe_value(thread_self->process, (int64_t)arg, &value);
        return value;
    default: /* a jump into the middle of nowhere: the page has no other numbers */
        return 0;
    }
}
