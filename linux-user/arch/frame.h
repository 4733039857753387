/* data plane */
/*
 * What signal frames of the 64-bit little-endian guests with Linux's generic layouts share
 * (include/uapi/asm-generic/ucontext.h).
 */
#ifndef LINUX_USER_ARCH_FRAME_H
#define LINUX_USER_ARCH_FRAME_H

#include <signal.h>
#include <stdint.h>

#include "linux-user/process.h"

typedef struct FrameStack {
    uint64_t sp;
    int32_t flags, pad;
    uint64_t bytes;
} FrameStack;

typedef struct FrameContextHead {
    uint64_t flags, link;
    FrameStack stack;
    uint64_t mask;
    uint8_t unused[128 - 8];
} FrameContextHead;

_Static_assert(sizeof(siginfo_t) == 128, "the kernel's siginfo");
_Static_assert(sizeof(FrameContextHead) == 168, "struct ucontext up to uc_mcontext");

/* uc_stack of a frame for a handler that interrupts code with this stack pointer. */
void frame_stack_save(const Thread *t, GuestAddr sp, FrameStack *ret);
/* What sigreturn does with it: as sigaltstack, errors ignored. sp: of the code returned to. */
void frame_stack_restore(Thread *t, GuestAddr sp, const FrameStack *stack);

#endif
