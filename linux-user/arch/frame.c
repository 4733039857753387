/* data plane */
/*
 * The alternate stack in signal frames.
 */
#include "linux-user/arch/frame.h"

#include "linux-user/signal/signal.h"

void frame_stack_save(const Thread *t, GuestAddr sp, FrameStack *ret)
{
    const ThreadSignals *s = t->signals;
    *ret = (FrameStack){.sp = s->altstack, .flags = s->altstack_flags, .bytes = s->altstack_bytes};
}

void frame_stack_restore(Thread *t, GuestAddr sp, const FrameStack *stack)
{
    signal_altstack(t, sp, stack->sp, stack->bytes, stack->flags);
}
