/* data plane */
/*
 * Breakpoints and watchpoints of the hardware, as a tracer sets them: in the form of AArch64's
 * kernel (arch/arm64/include/uapi/asm/ptrace.h, struct user_hwdebug_state), which gdbstub/ uses for
 * every guest. They are the vcpu's watches (translator.h).
 */
#ifndef LINUX_USER_ARCH_DEBUG_H
#define LINUX_USER_ARCH_DEBUG_H

#include <stdbool.h>
#include <stdint.h>

struct Thread;

enum { DEBUG_SLOTS = 16 };
/* A watchpoint's ctrl: bit 0 on, bits 1 and 2 the privilege, 3 loads, 4 stores, 5 to 12 which bytes
 * of the aligned eight at addr. A breakpoint's has neither 3 nor 4. */
enum { DEBUG_ON = 1, DEBUG_USER = 2 << 1, DEBUG_LOAD = 1 << 3, DEBUG_STORE = 1 << 4,
       DEBUG_BYTES_SHIFT = 5 };

typedef struct DebugState {
    uint32_t info, pad; /* architecture << 8 | number of slots */
    struct { uint64_t addr; uint32_t ctrl, pad; } slot[DEBUG_SLOTS];
} DebugState;

/* What gdbstub/ asks for by PTRACE_SETREGSET where the guest's own ptrace has no such sets. */
enum { DEBUG_SET_BREAK = 0x43610402, DEBUG_SET_WATCH = 0x43610403 };

/* Functions of a Regset (arch/regset.h). */
bool debug_break_get(const struct Thread *t, void *to);
bool debug_watch_get(const struct Thread *t, void *to);
void debug_break_set(struct Thread *t, const void *from);
void debug_watch_set(struct Thread *t, const void *from);
/* None any more. */
void debug_clear(struct Thread *t);
/* The vcpu left with VCPU_EXIT_WATCH: true, the guest's tracer is to hear of it; false: go on. */
bool debug_take_watch(struct Thread *t);

#endif
