/* data plane */
#include "linux-user/arch/debug.h"

#include <string.h>

#include "linux-user/process.h"
#include "linux-user/ptrace/block.h"

enum { ARCHITECTURE = 6 }; /* Armv8 */

static void get(const Thread *t, unsigned which, void *to)
{
    DebugState s = {0};
    if (t->trace)
        s = t->trace->debug[which];
    s.info = ARCHITECTURE << 8 | DEBUG_SLOTS;
    memcpy(to, &s, sizeof s);
}

/* The bytes that a slot's ctrl chooses are one piece; none: nothing. */
static VcpuWatch watch_of(uint64_t addr, uint32_t ctrl, bool execute)
{
    VcpuWatch w = {.start = addr & ~UINT64_C(1), .bytes = 1, .access = VCPU_WATCH_EXECUTE};
    if (execute)
        return w;
    unsigned bytes = ctrl >> DEBUG_BYTES_SHIFT & 0xff;
    unsigned first = bytes ? (unsigned)__builtin_ctz(bytes) : 0;
    w.start = addr + first;
    w.bytes = (uint32_t)__builtin_popcount(bytes);
    w.access = (ctrl & DEBUG_LOAD ? VCPU_WATCH_READ : 0) |
               (ctrl & DEBUG_STORE ? VCPU_WATCH_WRITE : 0);
    return w;
}

static void apply(Thread *t)
{
    VcpuWatch watches[VCPU_WATCHES];
    unsigned n = 0;
    for (unsigned which = 0; which < 2; which++) {
        const DebugState *s = &t->trace->debug[which];
        for (unsigned i = 0; i < DEBUG_SLOTS; i++) {
            VcpuWatch w = watch_of(s->slot[i].addr, s->slot[i].ctrl, which == 0);
            if (s->slot[i].ctrl & DEBUG_ON && w.bytes && w.access)
                watches[n++] = w;
        }
    }
    vcpu_set_watches(t->vcpu, watches, n);
}

static void set(Thread *t, unsigned which, const void *from)
{
    if (!t->trace)
        return;
    memcpy(&t->trace->debug[which], from, sizeof(DebugState));
    apply(t);
}

bool debug_break_get(const Thread *t, void *to) { return get(t, 0, to), true; }
bool debug_watch_get(const Thread *t, void *to) { return get(t, 1, to), true; }
void debug_break_set(Thread *t, const void *from) { set(t, 0, from); }
void debug_watch_set(Thread *t, const void *from) { set(t, 1, from); }

void debug_clear(Thread *t)
{
    if (t->trace)
        memset(t->trace->debug, 0, sizeof t->trace->debug);
    vcpu_set_watches(t->vcpu, NULL, 0);
}

/* Debuggers of AArch64 expect a stop before the access, as its hardware has it, and step over it by
 * themselves; those of others expect it done. */
bool debug_take_watch(Thread *t)
{
    VcpuExitInfo info;
    GuestAddr pc = vcpu_pc(t->vcpu);
    if (!t->trace || t->process->abi->watch_before)
        return true;
    for (unsigned i = 0; i < DEBUG_SLOTS; i++)
        if (t->trace->debug[0].slot[i].ctrl & DEBUG_ON && t->trace->debug[0].slot[i].addr == pc)
            return true; /* a breakpoint */
    vcpu_set_watches(t->vcpu, NULL, 0);
    vcpu_set_step(t->vcpu, true);
    VcpuExit exit = vcpu_run(t->vcpu, &info);
    vcpu_set_step(t->vcpu, false);
    apply(t);
    return exit == VCPU_EXIT_STEP;
}
