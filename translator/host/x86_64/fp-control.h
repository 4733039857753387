/* data plane */
/* The floating-point side of the backend's entry points: control word, sticky flags, the host's
 * floating-point exceptions. Vcpu.guest_fpctl is MXCSR as it was when translated code was left. */
#ifndef TRANSLATOR_HOST_X86_64_FP_CONTROL_H
#define TRANSLATOR_HOST_X86_64_FP_CONTROL_H

#include "translator/runtime/vcpu.h"

uint32_t x86_fp_flags(const Vcpu *v);
void x86_fp_set_flags(Vcpu *v, uint32_t flags);
void x86_fp_set_control(Vcpu *v, uint32_t control);
uint32_t x86_fp_control(const Vcpu *v);
/* SIGFPE with the pc in translated code; true: *ucontext was changed so that it goes on. */
bool x86_fp_signal(Vcpu *v, const siginfo_t *info, void *ucontext);

#endif
