/* data plane */
/* Host signals in translated code. */
#ifndef TRANSLATOR_HOST_X86_64_FAULT_H
#define TRANSLATOR_HOST_X86_64_FAULT_H

#include "translator/runtime/vcpu.h"

struct X86Backend;
enum { RETURN_STACK_GUARD = 64 << 10 }; /* bytes at its low end that can't be touched */

uint32_t flags_nzcv_from_ax(uint32_t ax);
uint32_t flags_ax_from_nzcv(uint32_t nzcv);
void flags_vars_to_c(Vcpu *v, const struct X86Backend *b);
void flags_vars_to_host(Vcpu *v, const struct X86Backend *b);
bool x86_host_signal(Vcpu *v, int sig, const siginfo_t *info, void *ucontext);

#endif
