/* data plane */
/*
 * Host signals in translated code. A memory fault finds its guest instruction and the places of the
 * guest's variables in the unit's side table, completes the state and leaves; the code itself does
 * nothing for it. Everything here is async-signal-safe.
 */
#include "translator/host/x86_64/fault.h"

#include <string.h>
#include <ucontext.h>

#include "translator/cache/stored-chunk.h"
#include "translator/host/x86_64/emit-state.h"
#include "translator/host/x86_64/fp-control.h"
#include "translator/host/x86_64/scan.h"

/* The register form of flags.c; the sums in the products don't carry into the bits kept. */
uint32_t flags_nzcv_from_ax(uint32_t ax)
{
    return ((ax & 0xc101) ^ 0x100) * 0x10210000u & 0xf0000000;
}
uint32_t flags_ax_from_nzcv(uint32_t nzcv) { return ((nzcv >> 28) * 0x1081 & 0xc101) ^ 0x100; }

void flags_vars_to_c(Vcpu *v, const X86Backend *b)
{
    for (unsigned n = 0; n < b->n_flags_vars; n++) {
        uint32_t *f = (uint32_t *)(v->cpu + b->flags_offset[n]);
        *f = flags_nzcv_from_ax(*f);
    }
}

void flags_vars_to_host(Vcpu *v, const X86Backend *b)
{
    for (unsigned n = 0; n < b->n_flags_vars; n++) {
        uint32_t *f = (uint32_t *)(v->cpu + b->flags_offset[n]);
        *f = flags_ax_from_nzcv(*f);
    }
}

static const uint8_t greg_of[16] = {
    [RAX] = REG_RAX, [RCX] = REG_RCX, [RDX] = REG_RDX, [RBX] = REG_RBX, [RSP] = REG_RSP,
    [RBP] = REG_RBP, [RSI] = REG_RSI, [RDI] = REG_RDI, [R8] = REG_R8, [R9] = REG_R9,
    [R10] = REG_R10, [R11] = REG_R11, [R12] = REG_R12, [R13] = REG_R13, [R14] = REG_R14,
    [R15] = REG_R15,
};

static V128 context_reg(const ucontext_t *uc, Reg r)
{
    V128 v = { 0, 0 };
    if (r < 16)
        v.lo = uc->uc_mcontext.gregs[greg_of[r]];
    else
        memcpy(&v, &uc->uc_mcontext.fpregs->_xmm[r - 16], 16);
    return v;
}

/* EFLAGS to the register form. */
static uint32_t ax_from_eflags(uint64_t efl, FlagsKind kind)
{
    uint32_t cf = efl & 1, zf = efl >> 6 & 1, sf = efl >> 7 & 1, of = efl >> 11 & 1,
             pf = efl >> 2 & 1;
    if (kind == FLAGS_FCMP || kind == FLAGS_FCMP_SWAPPED) {
        bool less = kind == FLAGS_FCMP ? cf : !cf;
        return pf ? 0x0001 : zf ? 0x4000 : less ? 0x8100 : 0;
    }
    if (kind != FLAGS_SUB)
        cf ^= 1;
    return sf << 15 | zf << 14 | cf << 8 | of;
}

static unsigned var_bytes(const IrVar *var)
{
    return var->type == IR_V128 ? 16 : var->type == IR_I64 || var->type == IR_F64 ? 8 : 4;
}

static V128 place_value(const Vcpu *v, const UnitTables *u, const UnitPoint *p,
                        const UnitPlace *at, const ucontext_t *uc)
{
    V128 x = { 0, 0 };
    switch (at->kind) {
    case UNIT_SNAP_REG: return context_reg(uc, at->what);
    case UNIT_SNAP_SPILL: return v->spill[vcpu_spill_index(at->what)];
    case UNIT_SNAP_CONST:
    case UNIT_SNAP_GUEST: x.lo = at->what; break;
    case UNIT_SNAP_VCONST: return u->vconst[at->what];
    case UNIT_SNAP_FLAGS:
        x.lo = ax_from_eflags(uc->uc_mcontext.gregs[REG_EFL], p->flags_kind);
        break;
    case UNIT_SNAP_VAR: {
        const IrVar *var = &v->translator->isa->vars[at->what];
        memcpy(&x, v->cpu + var->offset, var_bytes(var));
        break;
    }
    }
    return x;
}

static bool is_moved(const UnitPoint *p, unsigned var)
{
    return p->moved[var / 64] >> var % 64 & 1;
}

/* The guest's whole state as it is at the point, into v->cpu. */
static void restore_state(Vcpu *v, const X86Backend *b, GuestAddr pc, const UnitTables *u,
                          const UnitPoint *p, const ucontext_t *uc)
{
    const GuestIsa *isa = v->translator->isa;
    V128 value[RA_MAX_VARS];
    /* first read everything: a place may be another variable's source */
    for (unsigned n = 0; n < isa->n_vars; n++)
        if (is_moved(p, n)) {
            value[n] = place_value(v, u, p, &p->place[n], uc);
            value[n].lo = ir_form_of(p->place[n].form, value[n].lo);
        }
    for (unsigned n = 0; n < isa->n_vars; n++)
        if (b->home[n] != REG_NONE && !is_moved(p, n)) {
            V128 x = context_reg(uc, b->home[n]);
            memcpy(v->cpu + isa->vars[n].offset, &x, var_bytes(&isa->vars[n]));
        }
    for (unsigned n = 0; n < isa->n_vars; n++)
        if (is_moved(p, n))
            memcpy(v->cpu + isa->vars[n].offset, &value[n], var_bytes(&isa->vars[n]));
    flags_vars_to_c(v, b);
    vcpu_set_pc(v, pc + p->guest);
}

/* The address that the machine instruction at pc accesses: of the forms that this backend emits
 * (Intel SDM vol. 2, 2.1 and 2.3). */
static uint64_t operand_address(const ucontext_t *uc)
{
    const uint8_t *p = (const uint8_t *)uc->uc_mcontext.gregs[REG_RIP];
    unsigned x = 0, b = 0;
    while (*p == 0x66 || *p == 0xf2 || *p == 0xf3 || *p == 0xf0)
        p++;
    if (*p == 0xc5) {
        p += 3;
    } else if (*p == 0xc4) {
        x = ~p[1] >> 6 & 1;
        b = ~p[1] >> 5 & 1;
        p += 4;
    } else {
        if ((*p & 0xf0) == 0x40) {
            x = *p >> 1 & 1;
            b = *p & 1;
            p++;
        }
        if (*p == 0x0f) {
            p++;
            if (*p == 0x38 || *p == 0x3a)
                p++;
        }
        p++;
    }
    unsigned mod = *p >> 6, rm = *p & 7;
    uint64_t address = 0;
    p++;
    if (mod == 3)
        return 0;
    if (rm == 4) {
        unsigned scale = *p >> 6, index = (*p >> 3 & 7) | x << 3, base = *p & 7;
        p++;
        if (index != 4)
            address += (uint64_t)uc->uc_mcontext.gregs[greg_of[index]] << scale;
        if (base == 5 && mod == 0)
            mod = 2;
        else
            address += uc->uc_mcontext.gregs[greg_of[base | b << 3]];
    } else {
        address += uc->uc_mcontext.gregs[greg_of[rm | b << 3]];
    }
    if (mod == 1) {
        address += (int8_t)*p;
    } else if (mod == 2) {
        int32_t d;
        memcpy(&d, p, 4);
        address += d;
    }
    return address;
}

static void go_to(ucontext_t *uc, const uint8_t *stub)
{
    uc->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)stub;
}

static void set_fault(Vcpu *v, int sig, int code, GuestAddr address)
{
    v->exit_reason = VCPU_EXIT_FAULT;
    v->exit_addr = address;
    v->exit_host_signal = sig;
    v->exit_host_code = code;
}

static bool memory_fault(Vcpu *v, X86Backend *b, int sig, const siginfo_t *info, ucontext_t *uc)
{
    const uint8_t *pc = (const uint8_t *)uc->uc_mcontext.gregs[REG_RIP];
    uint64_t address = (uint64_t)(uintptr_t)info->si_addr;
    int code = info->si_code;
    if (address - (uint64_t)(uintptr_t)v->return_stack_base < RETURN_STACK_GUARD) {
        /* deep recursion: forget the frames, their returns will miss; do the push again */
        uc->uc_mcontext.gregs[REG_RSP] = (greg_t)(uintptr_t)v->return_stack_top;
        return true;
    }
    ChunkView view;
    UnitPoint point;
    const CompiledUnit *u = chunk_view(&b->buffer, pc, &view);
    if (!u || !unit_point_find(&view.tables, u->pc, (uint32_t)(pc - view.code), &point))
        return false;
    bool non_canonical = sig == SIGSEGV && code == SI_KERNEL && address == 0;
    restore_state(v, b, u->pc, &view.tables, &point, uc);
    if (non_canonical) {
        if (v->translator->isa->ignores_top_byte && !(u->flags & IR_UNIT_TAGGED)) {
            v->retry_flags = IR_UNIT_TAGGED;
            v->retry_pc = vcpu_pc(v);
            go_to(uc, b->stub[STUB_LEAVE_RETRY]);
            return true;
        }
        address = operand_address(uc);
        code = SEGV_MAPERR;
    }
    if (point.flags_kind == FLAGS_MERGED) {
        v->retry_flags = IR_UNIT_NO_GUESS;
        v->retry_pc = vcpu_pc(v);
        go_to(uc, b->stub[STUB_LEAVE_RETRY]);
        return true;
    }
    set_fault(v, sig, code, address);
    go_to(uc, b->stub[STUB_LEAVE_FAULT]);
    return true;
}

/* A helper that touches guest memory: the state was completed before the call. */
static bool helper_fault(Vcpu *v, X86Backend *b, int sig, const siginfo_t *info, ucontext_t *uc)
{
    set_fault(v, sig, info->si_code, (GuestAddr)(uintptr_t)info->si_addr);
    v->recover_pc = 0;
    uc->uc_mcontext.gregs[REG_RBP] = (greg_t)((uintptr_t)v + STATE_BIAS);
    uc->uc_mcontext.gregs[REG_RSP] = (greg_t)(uintptr_t)v->return_stack;
    uc->uc_mcontext.fpregs->mxcsr = v->guest_fpctl;
    go_to(uc, b->stub[STUB_LEAVE_FAULT]);
    return true;
}

bool x86_host_signal(Vcpu *v, int sig, const siginfo_t *info, void *ucontext)
{
    X86Backend *b = v->translator->backend_data;
    ucontext_t *uc = ucontext;
    const uint8_t *pc = (const uint8_t *)uc->uc_mcontext.gregs[REG_RIP];
    bool memory = sig == SIGSEGV || sig == SIGBUS;
    if (memory && pc >= scan_start && pc < scan_end) {
        go_to(uc, pc >= scan256_start ? scan256_stop : scan_stop); /* with what is known so far */
        return true;
    }
    if (memory && pc >= move_start && pc < move_end) {
        go_to(uc, move_stop);
        return true;
    }
    if (pc >= b->buffer.base && pc < b->buffer.limit) {
        if (sig == SIGFPE)
            return x86_fp_signal(v, info, ucontext);
        return memory && memory_fault(v, b, sig, info, uc);
    }
    return memory && v->recover_pc && helper_fault(v, b, sig, info, uc);
}
