/* data plane */
/* Without the floating-point and vector selection: units that need them aren't compiled. */
#include "translator/host/x86_64/encode.h"
#include "translator/host/x86_64/fp-control.h"

const SelectRow select_float_rows[] = { { 0 } };
const SelectRow select_vector_rows[] = { { 0 } };
BackendFn *const backend_fp_fns[] = { NULL };

enum { MXCSR_MASKS = 0x1f80, MXCSR_STICKY = 0x3f, MXCSR_RC_SHIFT = 13, MXCSR_RC = 3 << 13 };

uint32_t x86_fp_flags(const Vcpu *v)
{
    uint32_t m = v->guest_fpctl;
    return v->fp_sticky | (m & 1 ? IR_FPX_INVALID : 0) | (m & 4 ? IR_FPX_DIVZERO : 0) |
           (m & 8 ? IR_FPX_OVERFLOW : 0) | (m & 16 ? IR_FPX_UNDERFLOW : 0) |
           (m & 32 ? IR_FPX_INEXACT : 0);
}

void x86_fp_set_flags(Vcpu *v, uint32_t flags)
{
    v->guest_fpctl &= ~MXCSR_STICKY;
    v->fp_sticky = flags;
}

void x86_fp_set_control(Vcpu *v, uint32_t control)
{
    static const uint8_t rc[8] = { 0, 0, 2, 1, 3, 0, 0, 0 };
    v->guest_fpctl = MXCSR_MASKS | (v->guest_fpctl & MXCSR_STICKY) |
                     (uint32_t)rc[control & 7] << MXCSR_RC_SHIFT;
}

uint32_t x86_fp_control(const Vcpu *v)
{
    static const uint8_t round[4] = { IR_ROUND_NEAREST, IR_ROUND_DOWN, IR_ROUND_UP, IR_ROUND_ZERO };
    return round[(v->guest_fpctl & MXCSR_RC) >> MXCSR_RC_SHIFT];
}

bool x86_fp_signal(Vcpu *v, const siginfo_t *info, void *ucontext)
{
    (void)v;
    (void)info;
    (void)ucontext;
    return false;
}
