/* data plane */
/*
 * RISC-V signal frames (Linux, arch/riscv/include/uapi/asm/sigcontext.h, arch/riscv/kernel/
 * signal.c): siginfo and ucontext with pc, x1 to x31 and the D extension's state in a union as
 * large as the Q extension's, behind whose reserved words extension records would stand.
 */
#include "linux-user/arch/riscv64/signal-frame.h"

#include <string.h>

#include "linux-user/arch/frame.h"
#include "linux-user/mem/map.h"
#include "linux-user/signal/signal.h"
#include "translator/guest/riscv64/cpu.h"

typedef struct SignalFrame {
    siginfo_t info;
    FrameContextHead uc;
    uint64_t align;
    uint64_t pc, x1_31[31];
    uint64_t f[32];
    uint32_t fcsr, pad;
    /* The rest of struct __riscv_q_ext_state; its last words: the end record. */
    uint8_t q_rest[528 - 256 - 8];
} SignalFrame;

_Static_assert(offsetof(SignalFrame, pc) == 128 + 176, "uc_mcontext is 16-byte aligned");
_Static_assert(sizeof(SignalFrame) == 128 + 176 + 256 + 528, "struct sigcontext");

bool riscv64_signal_frame(Thread *t, int sig, const siginfo_t *info, GuestAddr handler,
                          uint64_t sa_flags, GuestAddr restorer, GuestAddr sp, uint64_t old_mask)
{
    RiscvCpu *cpu = vcpu_cpu(t->vcpu);
    GuestAddr at = (sp - sizeof(SignalFrame)) & ~UINT64_C(15);
    SignalFrame f;
    memset(&f, 0, sizeof f);
    f.info = *info;
    frame_stack_save(t, cpu->x[2], &f.uc.stack);
    f.uc.mask = old_mask;
    f.pc = cpu->pc;
    memcpy(f.x1_31, cpu->x + 1, sizeof f.x1_31);
    memcpy(f.f, cpu->f, sizeof f.f);
    f.fcsr = riscv_fcsr(t->vcpu);
    if (!mem_write(at, &f, sizeof f))
        return false;
    cpu->x[1] = vdso_sigreturn(t->process); /* SA_RESTORER isn't RISC-V's */
    cpu->x[2] = at;
    cpu->x[10] = (uint64_t)sig;
    cpu->x[11] = at;
    cpu->x[12] = at + offsetof(SignalFrame, uc);
    cpu->pc = handler;
    return true;
}

bool riscv64_sigreturn(Thread *t, bool peek, uint64_t *ret_mask)
{
    RiscvCpu *cpu = vcpu_cpu(t->vcpu);
    GuestAddr at = cpu->x[2];
    SignalFrame f;
    if (peek)
        return mem_read(ret_mask, at + offsetof(SignalFrame, uc.mask), sizeof *ret_mask);
    if (!mem_read(&f, at, sizeof f))
        return false;
    /* sc_extdesc: reserved, and an end record {0, 0} where there are no further extensions. */
    static const uint8_t zero[12];
    if (memcmp(f.q_rest + sizeof f.q_rest - sizeof zero, zero, sizeof zero))
        return false;
    cpu->pc = f.pc;
    memcpy(cpu->x + 1, f.x1_31, sizeof f.x1_31);
    memcpy(cpu->f, f.f, sizeof f.f);
    riscv_set_fcsr(t->vcpu, f.fcsr);
    cpu->reserved_addr = (uint64_t)RISCV_NO_RESERVATION;
    *ret_mask = f.uc.mask;
    frame_stack_restore(t, cpu->x[2], &f.uc.stack);
    return true;
}
