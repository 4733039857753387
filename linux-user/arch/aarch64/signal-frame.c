/* data plane */
/*
 * AArch64 signal frames (Linux, arch/arm64/include/uapi/asm/sigcontext.h, arch/arm64/kernel/
 * signal.c): siginfo, ucontext with the registers and a chain of records (FP and SIMD, the fault's
 * syndrome), and above it a frame record that links the handler to the interrupted code.
 */
#include "linux-user/arch/aarch64/signal-frame.h"

#include <string.h>

#include "linux-user/arch/frame.h"
#include "linux-user/mem/map.h"
#include "linux-user/signal/signal.h"
#include "translator/guest/aarch64/cpu.h"

enum {
    FPSIMD_MAGIC = 0x46508001, ESR_MAGIC = 0x45535201, EXTRA_MAGIC = 0x45585401,
    RESERVED_BYTES = 4096,
};
/* PSTATE as SPSR has it: what a program may change, and what tells of another state than EL0's
 * AArch64 (M[4:0], D A I F): the kernel refuses it (valid_user_regs). */
#define PSTATE_NZCV UINT64_C(0xf0000000)
#define PSTATE_MODE UINT64_C(0x3df)

typedef struct RecordHead {
    uint32_t magic, bytes;
} RecordHead;

typedef struct FpsimdRecord {
    RecordHead head;
    uint32_t fpsr, fpcr;
    V128 v[32];
} FpsimdRecord;

typedef struct EsrRecord {
    RecordHead head;
    uint64_t esr;
} EsrRecord;

typedef struct SignalFrame {
    siginfo_t info;
    FrameContextHead uc;
    uint64_t align;
    uint64_t fault_address, x[31], sp, pc, pstate;
    uint64_t align2;
    uint8_t reserved[RESERVED_BYTES];
} SignalFrame;

typedef struct FrameRecord {
    uint64_t fp, lr;
} FrameRecord;

_Static_assert(offsetof(SignalFrame, fault_address) == 128 + 176, "uc_mcontext is 16-byte aligned");
_Static_assert(offsetof(SignalFrame, reserved) == 128 + 176 + 288, "so is __reserved");
_Static_assert(sizeof(FpsimdRecord) == 528, "struct fpsimd_context");

static void save_fpsimd(const Vcpu *v, FpsimdRecord *r)
{
    const Aarch64Cpu *cpu = vcpu_cpu((Vcpu *)v);
    r->head = (RecordHead){FPSIMD_MAGIC, sizeof *r};
    r->fpsr = a64_fpsr_read(v);
    r->fpcr = a64_fpcr_read(v);
    memcpy(r->v, cpu->v, sizeof r->v);
}

bool aarch64_signal_frame(Thread *t, int sig, const siginfo_t *info, GuestAddr handler,
                          uint64_t sa_flags, GuestAddr restorer, GuestAddr sp, uint64_t old_mask)
{
    Aarch64Cpu *cpu = vcpu_cpu(t->vcpu);
    GuestAddr record_at = (sp - sizeof(FrameRecord)) & ~UINT64_C(15);
    GuestAddr at = (record_at - sizeof(SignalFrame)) & ~UINT64_C(15);
    SignalFrame f;
    /* Of the reserved part only the used bytes and an end record are written. */
    memset(&f, 0, offsetof(SignalFrame, reserved));
    f.info = *info;
    frame_stack_save(t, cpu->sp, &f.uc.stack);
    f.uc.mask = old_mask;
    f.fault_address = t->fault_address;
    memcpy(f.x, cpu->x, sizeof f.x);
    f.sp = cpu->sp;
    f.pc = cpu->pc;
    f.pstate = (cpu->nzcv & PSTATE_NZCV) | cpu->pstate;
    size_t used = 0;
    save_fpsimd(t->vcpu, (FpsimdRecord *)f.reserved);
    used += sizeof(FpsimdRecord);
    if (t->fault_syndrome) {
        EsrRecord esr = {{ESR_MAGIC, sizeof esr}, t->fault_syndrome};
        memcpy(f.reserved + used, &esr, sizeof esr);
        used += sizeof esr;
    }
    memset(f.reserved + used, 0, sizeof(RecordHead));
    used += sizeof(RecordHead);
    FrameRecord record = {cpu->x[29], cpu->x[30]};
    if (!mem_write(at, &f, offsetof(SignalFrame, reserved) + used) ||
        !mem_write(record_at, &record, sizeof record))
        return false;
    cpu->x[0] = (uint64_t)sig;
    if (sa_flags & SIGNAL_SA_SIGINFO) {
        cpu->x[1] = at;
        cpu->x[2] = at + offsetof(SignalFrame, uc);
    }
    cpu->sp = at;
    cpu->x[29] = record_at;
    cpu->x[30] = sa_flags & SIGNAL_SA_RESTORER ? restorer : vdso_sigreturn(t->process);
    cpu->pc = handler;
    return true;
}

/* False: a record that can't be. `extra` is what an EXTRA record points to: one level deep. */
static bool restore_records(Thread *t, const uint8_t *records, size_t bytes, bool *have_fpsimd)
{
    for (size_t at = 0; at + sizeof(RecordHead) <= bytes;) {
        RecordHead head;
        memcpy(&head, records + at, sizeof head);
        if (!head.magic)
            return head.bytes == 0;
        if (head.bytes < sizeof head || head.bytes > bytes - at || (head.bytes & 15))
            return false;
        if (head.magic == FPSIMD_MAGIC) {
            FpsimdRecord r;
            if (head.bytes != sizeof r || *have_fpsimd)
                return false;
            memcpy(&r, records + at, sizeof r);
            memcpy(((Aarch64Cpu *)vcpu_cpu(t->vcpu))->v, r.v, sizeof r.v);
            a64_fpsr_write(t->vcpu, r.fpsr);
            a64_fpcr_write(t->vcpu, r.fpcr);
            *have_fpsimd = true;
        } else if (head.magic != ESR_MAGIC && head.magic != EXTRA_MAGIC) {
            return false;
        }
        at += head.bytes;
    }
    return false;
}

bool aarch64_sigreturn(Thread *t, bool peek, uint64_t *ret_mask)
{
    Aarch64Cpu *cpu = vcpu_cpu(t->vcpu);
    GuestAddr at = cpu->sp;
    SignalFrame f;
    bool have_fpsimd = false;
    if (at & 15)
        return false;
    if (peek)
        return mem_read(ret_mask, at + offsetof(SignalFrame, uc.mask), sizeof *ret_mask);
    if (!mem_read(&f, at, sizeof f) || (f.pstate & PSTATE_MODE))
        return false;
    memcpy(cpu->x, f.x, sizeof cpu->x);
    cpu->sp = f.sp;
    cpu->pc = f.pc;
    cpu->nzcv = (uint32_t)(f.pstate & PSTATE_NZCV);
    cpu->pstate = (uint32_t)f.pstate & (A64_PSTATE_SSBS | A64_PSTATE_DIT);
    a64_monitor_clear(cpu);
    if (!restore_records(t, f.reserved, sizeof f.reserved, &have_fpsimd) || !have_fpsimd)
        return false;
    *ret_mask = f.uc.mask;
    frame_stack_restore(t, cpu->sp, &f.uc.stack);
    return true;
}
