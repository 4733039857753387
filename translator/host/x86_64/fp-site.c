/* data plane */
/* Floating-point sites, their repair, the control word, and the slow paths in C: see fp-site.h. */
#include "translator/host/x86_64/fp-site.h"

#include <ucontext.h>

#include "translator/cache/stored-chunk.h"
#include "translator/host/x86_64/emit-state.h"
#include "translator/host/x86_64/fp-control.h"
#include "translator/ir/arena.h"
#include "translator/runtime/runtime.h"
#include "translator/softfp/fpref.h"

/* MXCSR (Intel SDM vol. 1, 10.2.3): flags IE DE ZE OE UE PE in bits 0..5, masks in 7..12, rounding
 * control in 13..14. */
enum {
    MXCSR_FLAGS = 0x3f, MXCSR_IE = 1, MXCSR_DE = 2, MXCSR_ZE = 4, MXCSR_OE = 8, MXCSR_UE = 16,
    MXCSR_PE = 32,
    MXCSR_RC_SHIFT = 13, MXCSR_RC = 3 << 13,
    MXCSR_GUEST = 0x1f00, /* every exception masked but invalid operation */
    MXCSR_GUEST_FLUSH = 0x1600, /* nor denormal operands and underflow */
    MXCSR_ZM = 0x200, MXCSR_OM = 0x400, MXCSR_UM = 0x800, MXCSR_PM = 0x1000,
    MASKS_SHIFT = 7,
    TRACKING_COST_MAX = 1024, EXACT_TINY_COST = 64, /* Vcpu.fp_tracking_cost */
};

UnitFpSite *fp_site_begin(Emit *e, const IrInsn *i)
{
    e->fp_sites = arena_grow(e->unit->arena, e->fp_sites, sizeof(UnitFpSite), e->n_fp_sites,
                             &e->cap_fp_sites, e->n_fp_sites + 1);
    UnitFpSite *s = &e->fp_sites[e->n_fp_sites++];
    const IrInsn *a = &e->unit->insn[i->arg[0]];
    *s = (UnitFpSite) { .start = e->p - e->code, .op = i->op, .type = i->type, .arg_type = a->type,
                        .cc = i->cc, .attr = i->attr & 0xffffff, .imm = (int32_t)i->imm };
    return s;
}

void fp_site_end(Emit *e)
{
    e->fp_sites[e->n_fp_sites - 1].end = e->p - e->code;
}

FpPlace fp_at(Operand o)
{
    if (o.reg != REG_NONE)
        return fp_in(o.reg);
    return (FpPlace) { o.mem.disp, FP_IN_STATE };
}

/* -- control word ------------------------------------------------------------------------------ */

static IrRound round_of(uint32_t mxcsr)
{
    static const uint8_t table[4] = { IR_ROUND_NEAREST, IR_ROUND_DOWN, IR_ROUND_UP, IR_ROUND_ZERO };
    return table[(mxcsr & MXCSR_RC) >> MXCSR_RC_SHIFT];
}

static uint32_t flags_of(uint32_t mxcsr) /* ZE OE UE PE are in the IR's order */
{
    return mxcsr >> 1 & (IR_FPX_DIVZERO | IR_FPX_OVERFLOW | IR_FPX_UNDERFLOW | IR_FPX_INEXACT);
}

uint32_t x86_fp_flags(const Vcpu *v) { return v->fp_sticky | flags_of(v->guest_fpctl); }

/* The masks of what traps until it has been raised. */
static uint32_t raised_masks(uint32_t sticky)
{
    return (sticky & IR_FPX_DIVZERO ? MXCSR_ZM : 0) | (sticky & IR_FPX_OVERFLOW ? MXCSR_OM : 0) |
           (sticky & IR_FPX_UNDERFLOW ? MXCSR_UM : 0);
}

/* Everything of MXCSR but its flags, which go to fp_sticky. When flushing, a trapping operation's
 * underflow and inexact flags couldn't be told from earlier ones, so fp_sticky alone has them:
 * inexact traps too until it has been raised once. */
static void set_mxcsr(Vcpu *v)
{
    static const uint8_t rc[8] = { [IR_ROUND_UP] = 2, [IR_ROUND_DOWN] = 1, [IR_ROUND_ZERO] = 3 };
    uint32_t masks = MXCSR_GUEST;
    if ((v->fp_control & 7) >= IR_ROUND_AWAY) /* the host can't: every inexact operation traps */
        masks &= ~(uint32_t)MXCSR_PM;
    else if (v->fp_control & IR_FPC_FLUSH)
        masks = MXCSR_GUEST_FLUSH & ~(v->fp_sticky & IR_FPX_INEXACT ? 0u : (uint32_t)MXCSR_PM);
    else if (v->fp_tracked == FP_TRACKED)
        masks = (masks & ~(uint32_t)(MXCSR_ZM | MXCSR_OM | MXCSR_UM)) | raised_masks(v->fp_sticky);
    bool tracked = v->fp_tracked == FP_TRACKED && masks & MXCSR_PM;
    v->fp_unknown = tracked && v->fp_sticky & IR_FPX_INEXACT ? 0 : UINT32_MAX;
    v->guest_fpctl = masks | (uint32_t)rc[v->fp_control & 7] << MXCSR_RC_SHIFT;
}

void x86_fp_set_flags(Vcpu *v, uint32_t flags)
{
    v->fp_sticky = flags;
    set_mxcsr(v);
}

void x86_fp_set_control(Vcpu *v, uint32_t control)
{
    v->fp_sticky |= flags_of(v->guest_fpctl);
    v->fp_control = control;
    set_mxcsr(v);
}

uint32_t x86_fp_control(const Vcpu *v) { return v->fp_control; }

static FpEnv env_of(const Vcpu *v, uint32_t mxcsr)
{
    IrRound round = v->fp_control & 7;
    return (FpEnv) { .round = round >= IR_ROUND_AWAY ? round : round_of(mxcsr),
                     .flush = v->fp_control & IR_FPC_FLUSH };
}

/* -- repair ------------------------------------------------------------------------------------ */

typedef struct Frame { ucontext_t *uc; struct _libc_fpstate *fp; Vcpu *v; } Frame;

static greg_t *frame_gpr(Frame *f, Reg r)
{
    static const uint8_t order[16] = {
        REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
        REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
    };
    return &f->uc->uc_mcontext.gregs[order[r & 15]];
}

static V128 place_read(Frame *f, FpPlace p)
{
    V128 r = { 0, 0 };
    if (p.reg == REG_NONE)
        return r;
    if (p.reg == FP_IN_STATE)
        memcpy(&r, (char *)f->v + STATE_BIAS + p.disp, sizeof r);
    else if (p.reg >= XMM0)
        memcpy(&r, &f->fp->_xmm[p.reg - XMM0], sizeof r);
    else
        r.lo = *frame_gpr(f, p.reg);
    return r;
}

/* XRSTOR takes registers from the frame only when their component's bit is set (Intel SDM vol. 1,
 * 13.4.2: the header behind the legacy area). */
static void frame_sse_used(Frame *f)
{
    enum { SW_MAGIC_AT = 464, MAGIC1 = 0x46505853, HEADER_AT = 512 };
    uint32_t magic;
    memcpy(&magic, (char *)f->fp + SW_MAGIC_AT, 4);
    if (magic == MAGIC1)
        *((uint8_t *)f->fp + HEADER_AT) |= 2;
}

static void place_write(Frame *f, FpPlace p, V128 value)
{
    if (p.reg >= XMM0)
        memcpy(&f->fp->_xmm[p.reg - XMM0], &value, sizeof value);
    else
        *frame_gpr(f, p.reg) = (greg_t)value.lo;
}

static uint64_t narrow(uint8_t type, V128 v)
{
    return type == IR_F32 || type == IR_I32 ? (uint32_t)v.lo : v.lo;
}

/* As (u)comis leaves EFLAGS, from Arm's result of the same comparison. */
static greg_t eflags_of_compare(greg_t efl, uint32_t nzcv)
{
    enum { CF = 1, PF = 4, AF = 16, ZF = 64, SF = 128, OF = 2048 };
    efl &= ~(greg_t)(CF | PF | AF | ZF | SF | OF);
    switch (nzcv >> 28) {
    case 8: return efl | CF;            /* less */
    case 6: return efl | ZF;            /* equal */
    case 2: return efl;                 /* greater */
    default: return efl | CF | PF | ZF; /* unordered */
    }
}

static void give_up(Frame *f)
{
    f->v->fp_tracked = FP_GIVEN_UP;
    f->v->fp_unknown = UINT32_MAX;
    f->fp->mxcsr |= MXCSR_ZM | MXCSR_OM | MXCSR_UM;
}

static void repair(Frame *f, const UnitFpSite *s)
{
    FpEnv env = env_of(f->v, f->fp->mxcsr);
    V128 a = place_read(f, s->src[0]), b = place_read(f, s->src[1]), c = place_read(f, s->src[2]);
    if (s->op == IR_fcmp || s->op == IR_flfcmp) {
        uint32_t nzcv = fpref_scalar(IR_flfcmp, IR_FLAGS, s->arg_type, 0, s->attr, 0,
                                     narrow(s->arg_type, a), narrow(s->arg_type, b), 0, &env);
        f->uc->uc_mcontext.gregs[REG_EFL] = eflags_of_compare(f->uc->uc_mcontext.gregs[REG_EFL],
                                                              nzcv);
    } else if (s->type == IR_V128) {
        place_write(f, s->dst, fpref_vector(s->op, s->cc, s->attr, s->imm, a, b, c, &env));
    } else {
        V128 r = { fpref_scalar(s->op, s->type, s->arg_type, s->cc, s->attr, s->imm,
                                narrow(s->arg_type, a), narrow(s->arg_type, b),
                                narrow(s->arg_type, c), &env), 0 };
        place_write(f, s->dst, r);
    }
    uint32_t unmasked = f->fp->mxcsr & ~(f->fp->mxcsr >> MASKS_SHIFT);
    f->v->fp_sticky |= env.flags;
    f->fp->mxcsr &= ~(uint32_t)(MXCSR_IE | MXCSR_DE);
    if ((f->v->fp_control & 7) >= IR_ROUND_AWAY) {
        f->fp->mxcsr &= ~(uint32_t)(MXCSR_OE | MXCSR_UE | MXCSR_PE);
    } else if (f->v->fp_control & IR_FPC_FLUSH) {
        f->fp->mxcsr &= ~(uint32_t)(MXCSR_UE | MXCSR_PE);
        if (f->v->fp_sticky & IR_FPX_INEXACT)
            f->fp->mxcsr |= MXCSR_PM;
    } else if (f->v->fp_tracked == FP_TRACKED) {
        f->fp->mxcsr &= ~(uint32_t)(MXCSR_ZE | MXCSR_OE | MXCSR_UE);
        f->fp->mxcsr |= raised_masks(f->v->fp_sticky);
        if (unmasked & MXCSR_UE && !(env.flags & IR_FPX_UNDERFLOW))
            f->v->fp_tracking_cost += EXACT_TINY_COST;
        else if (unmasked & (MXCSR_ZE | MXCSR_OE | MXCSR_UE))
            f->v->fp_tracking_cost++;
        if (f->v->fp_tracking_cost >= TRACKING_COST_MAX)
            give_up(f);
    }
    frame_sse_used(f);
}

static UnitFpSite *find_site(const UnitTables *u, uint32_t at)
{
    uint32_t low = 0, high = u->n_fp_sites;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (u->fp_site[mid].end <= at)
            low = mid + 1;
        else
            high = mid;
    }
    return low < u->n_fp_sites && at >= u->fp_site[low].start ? &u->fp_site[low] : NULL;
}

bool x86_fp_signal(Vcpu *v, const siginfo_t *info, void *ucontext)
{
    (void)info;
    X86Backend *b = v->translator->backend_data;
    Frame f = { ucontext, ((ucontext_t *)ucontext)->uc_mcontext.fpregs, v };
    const uint8_t *pc = (const uint8_t *)(uintptr_t)f.uc->uc_mcontext.gregs[REG_RIP];
    ChunkView view;
    const CompiledUnit *unit = chunk_view(&b->buffer, pc, &view);
    UnitFpSite *s = unit ? find_site(&view.tables, pc - view.code) : NULL;
    if (!s)
        return false;
    repair(&f, s);
    if (++s->traps % FP_TRAPS_MAX == 0 && !(unit->flags & IR_UNIT_NAN_CHECK) && !v->retry_flags) {
        v->retry_flags = IR_UNIT_NAN_CHECK;
        v->retry_pc = unit->pc;
        vcpu_kick_runtime(v);
    }
    f.uc->uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)(view.code + s->end);
    return true;
}

/* -- slow paths -----------------------------------------------------------------------------------
 * The operation as one word: op, type, type of the first argument, cc, attr, imm. Arguments and
 * result in Vcpu.scratch (scalars) or Vcpu.vec_arg, the result at index 0. */

uint64_t fp_fn_word(const IrInsn *i, IrType arg_type)
{
    return i->op | (uint64_t)i->type << 8 | (uint64_t)arg_type << 12 | (uint64_t)i->cc << 16
         | (uint64_t)(i->attr & 0xffffff) << 24 | (uint64_t)(uint16_t)i->imm << 48;
}

static void fn_scalar(Vcpu *v, uint64_t w)
{
    FpEnv env = env_of(v, v->guest_fpctl);
    IrType arg = w >> 12 & 15;
    bool half = arg == IR_F32 || arg == IR_I32;
    uint64_t mask = half ? UINT32_MAX : UINT64_MAX;
    v->scratch[0] = fpref_scalar(w & 0xff, w >> 8 & 15, arg, w >> 16 & 0xff, w >> 24 & 0xffffff,
                                 w >> 48, v->scratch[0] & mask, v->scratch[1] & mask,
                                 v->scratch[2] & mask, &env);
    v->fp_sticky |= env.flags;
}

static void fn_vector(Vcpu *v, uint64_t w)
{
    FpEnv env = env_of(v, v->guest_fpctl);
    v->vec_arg[0] = fpref_vector(w & 0xff, w >> 16 & 0xff, w >> 24 & 0xffffff, w >> 48,
                                 v->vec_arg[0], v->vec_arg[1], v->vec_arg[2], &env);
    v->fp_sticky |= env.flags;
}

static void fn_vecref(Vcpu *v, uint64_t w)
{
    v->vec_arg[0] = vecref(w & 0xff, w >> 16 & 0xff, w >> 24 & 0xffffff, w >> 48, v->vec_arg[0],
                           v->vec_arg[1], v->vec_arg[2]);
}

static void fn_set_control(Vcpu *v, uint64_t w)
{
    (void)w;
    x86_fp_set_control(v, (uint32_t)v->scratch[0]);
}

static void fn_set_flags(Vcpu *v, uint64_t w)
{
    (void)w;
    x86_fp_set_flags(v, v->fp_sticky);
}

/* fpgetflags, when they aren't all in fp_sticky. */
static void fn_track(Vcpu *v, uint64_t w)
{
    (void)w;
    if (v->fp_tracked == FP_UNTRACKED)
        v->fp_tracked = FP_TRACKED;
    x86_fp_set_flags(v, x86_fp_flags(v));
}

BackendFn *const backend_fp_fns[] = {
    [FP_FN_SCALAR] = fn_scalar, [FP_FN_VECTOR] = fn_vector, [FP_FN_VECREF] = fn_vecref,
    [FP_FN_SET_CONTROL] = fn_set_control,
    [FP_FN_SET_FLAGS] = fn_set_flags, [FP_FN_TRACK] = fn_track, NULL,
};

static Mem scratch_mem(unsigned n) { return mem_state(offsetof(Vcpu, scratch) + 8 * n); }
static Mem vec_mem(unsigned n) { return mem_state(offsetof(Vcpu, vec_arg) + sizeof(V128) * n); }

static void slow(Emit *e, IrInsn *i, unsigned fn)
{
    flags_clobber(e);
    IrType first = IR_VOID;
    for (unsigned n = 0; n < 3 && i->arg[n]; n++) {
        IrType t = e->unit->insn[i->arg[n]].type;
        Reg r = ra_use(e->ra, i->arg[n]);
        if (!n)
            first = t;
        if (t == IR_V128)
            emit_vstore(e, vec_mem(n), r);
        else if (r >= XMM0)
            emit_vstore_scalar(e, true, scratch_mem(n), r);
        else
            enc_store(e, true, scratch_mem(n), r);
    }
    Reg d = ra_def(e->ra, i);
    emit_call_fn(e, fn, fp_fn_word(i, first));
    if (i->type == IR_V128)
        emit_vload(e, d, vec_mem(0));
    else if (d >= XMM0)
        emit_vload_scalar(e, true, d, scratch_mem(0));
    else
        enc_load(e, true, d, scratch_mem(0));
}

void fp_site_slow(Emit *e, Cold *c)
{
    const UnitFpSite *s = &e->fp_sites[c->v[0]];
    bool vector = s->type == IR_V128;
    for (unsigned n = 0; n < 3; n++) {
        Reg r = s->src[n].reg;
        if (r == REG_NONE)
            continue;
        if (vector)
            emit_vstore(e, vec_mem(n), r);
        else if (r >= XMM0)
            emit_vstore_scalar(e, true, scratch_mem(n), r);
        else
            enc_store(e, true, scratch_mem(n), r);
    }
    IrInsn i = { .op = s->op, .type = s->type, .cc = s->cc, .attr = s->attr, .imm = s->imm };
    emit_call_fn(e, vector ? FP_FN_VECTOR : FP_FN_SCALAR, fp_fn_word(&i, s->arg_type));
    if (vector)
        emit_vload(e, s->dst.reg, vec_mem(0));
    else if (s->dst.reg >= XMM0)
        emit_vload_scalar(e, true, s->dst.reg, scratch_mem(0));
    else
        enc_load(e, true, s->dst.reg, scratch_mem(0));
    enc_jmp(e, &c->back);
}

Cold *fp_site_cold(Emit *e, IrInsn *i)
{
    Cold *c = emit_cold(e, fp_site_slow, i);
    c->v[0] = e->n_fp_sites - 1;
    return c;
}

void fp_slow(Emit *e, IrInsn *i) { slow(e, i, i->type == IR_V128 ? FP_FN_VECTOR : FP_FN_SCALAR); }
void vec_slow(Emit *e, IrInsn *i) { slow(e, i, FP_FN_VECREF); }

bool fp_upper_zero(Emit *e, IrRef v, bool above32)
{
    const IrInsn *i = ra_insn(e->ra, v);
    if (!i)
        return false;
    switch (i->op) {
    case IR_load:
        if (i->type == IR_V128)
            return (i->attr & IR_MEM_SIZE) <= (above32 ? 2 : 3);
        return i->type == IR_F32 || (i->type == IR_F64 && !above32);
    case IR_phi: case IR_get: {
        uint32_t r = (uint32_t)(i - e->unit->insn);
        return e->unit->upper_zero && r < e->unit->n_upper_zero &&
               e->unit->upper_zero[r] > above32;
    }
    case IR_const:
        return i->type == IR_F32 || (i->type == IR_F64 && !above32);
    case IR_vconst: {
        V128 c;
        return ra_is_vconst(e->ra, v, &c) && !c.hi && (!above32 || !(c.lo >> 32));
    }
    default:
        return ir_op_info[i->op].sig[0] != '-'
            && i->attr & (above32 ? FP_UPPER96_ZERO : FP_UPPER64_ZERO | FP_UPPER96_ZERO);
    }
}
