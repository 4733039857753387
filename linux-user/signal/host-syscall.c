/* data plane */
/*
 * Where a host signal hit host-x86_64.S, and what to do about it.
 */
#include "linux-user/signal/host-syscall.h"

#include <ucontext.h>

extern const char host_syscall_check[], host_syscall_insn[], host_syscall_behind[];
extern const char host_syscall_not_entered[], host_syscall_wound_back[];
extern const char host_copy_start[], host_copy_end[], host_copy_failed[];

void host_syscall_interrupt(void *ucontext)
{
    greg_t *regs = ((ucontext_t *)ucontext)->uc_mcontext.gregs;
    uint64_t pc = (uint64_t)regs[REG_RIP];
    if (pc < (uintptr_t)host_syscall_check || pc > (uintptr_t)host_syscall_insn)
        return;
    bool entered = (uint64_t)regs[REG_RCX] == (uintptr_t)host_syscall_behind;
    regs[REG_RIP] = (greg_t)(entered ? (uintptr_t)host_syscall_wound_back
                                     : (uintptr_t)host_syscall_not_entered);
}

bool host_copy_fault(void *ucontext)
{
    greg_t *regs = ((ucontext_t *)ucontext)->uc_mcontext.gregs;
    uint64_t pc = (uint64_t)regs[REG_RIP];
    if (pc < (uintptr_t)host_copy_start || pc >= (uintptr_t)host_copy_end)
        return false;
    regs[REG_RIP] = (greg_t)(uintptr_t)host_copy_failed;
    return true;
}
