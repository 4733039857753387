/* data plane */
/* Runs one unit: a loop over its blocks' instructions. */
#include <string.h>

#include "translator/host/interp/interp.h"

typedef struct Exec {
    Vcpu *v;
    InterpVcpu *iv;
    const InterpUnit *unit;
    Val *value;
    uint32_t block, from; /* running; where control came from (for phi) */
    UnitLink **ret_link;
} Exec;

typedef enum Step {
    STEP_NEXT,  /* on with the next instruction */
    STEP_BLOCK, /* x->block changed */
    STEP_LEAVE, /* to the state's pc */
    STEP_STOP,  /* v->exit_* are set */
} Step;

static unsigned lane_bits(unsigned lane)
{
    static const uint8_t bits[] = { 8, 16, 32, 64, 16, 32, 64 };
    return bits[lane];
}

static uint64_t lane_get(V128 x, unsigned bits, unsigned n)
{
    uint64_t half = n * bits < 64 ? x.lo : x.hi;
    half >>= n * bits & 63;
    return bits == 64 ? half : half & ((1ull << bits) - 1);
}

static V128 lane_set(V128 x, unsigned bits, unsigned n, uint64_t value)
{
    uint64_t *half = n * bits < 64 ? &x.lo : &x.hi;
    uint64_t mask = bits == 64 ? ~0ull : (1ull << bits) - 1;
    unsigned shift = n * bits & 63;
    *half = (*half & ~(mask << shift)) | (value & mask) << shift;
    return x;
}

static void *var_at(const Exec *x, const IrInsn *i)
{
    return x->v->cpu + x->v->translator->isa->vars[i->imm].offset;
}

static unsigned var_bytes(IrType t)
{
    switch (t) {
    case IR_I1: return 1;
    case IR_I32: case IR_F32: case IR_FLAGS: return 4;
    case IR_I128: case IR_V128: return 16;
    default: return 8;
    }
}

static FpEnv fp_env(const Exec *x)
{
    uint32_t c = x->iv->control;
    unsigned round = c & 7;
    return (FpEnv){ .round = round == IR_ROUND_DYN ? IR_ROUND_NEAREST : (IrRound)round,
                    .flush = c & IR_FPC_FLUSH };
}

static void run_float(Exec *x, const IrInsn *i, Val *ret)
{
    const Val *a = &x->value[i->arg[0]], *b = &x->value[i->arg[1]], *c = &x->value[i->arg[2]];
    FpEnv env = fp_env(x);
    if (i->type == IR_V128)
        ret->v = fpref_vector(i->op, i->cc, i->attr, i->imm, a->v, b->v, c->v, &env);
    else
        ret->u = fpref_scalar(i->op, i->type, i->mark, i->cc, i->attr, i->imm, a->u, b->u, c->u,
                              &env);
    x->v->fp_sticky |= env.flags;
}

static void run_lanes(Exec *x, const IrInsn *i, Val *ret)
{
    const Val *a = &x->value[i->arg[0]], *b = &x->value[i->arg[1]];
    unsigned bits = lane_bits(i->cc), n = (unsigned)i->imm;
    switch (i->op) {
    case IR_vfroms:
        ret->v = (V128){ a->u, 0 };
        break;
    case IR_vtos:
        ret->u = lane_get(a->v, i->type == IR_F32 ? 32 : 64, n);
        break;
    case IR_vget:
        ret->u = lane_get(a->v, bits, n);
        if (i->attr & IR_V_SIGNED)
            ret->u = (uint64_t)((int64_t)(ret->u << (64 - bits)) >> (64 - bits));
        if (i->type == IR_I32)
            ret->u = (uint32_t)ret->u;
        break;
    case IR_vmask:
        for (unsigned k = 0; k < 16; k++)
            ret->u |= (lane_get(a->v, 8, k) >> 7) << k;
        break;
    case IR_vset:
        ret->v = lane_set(a->v, bits, n, b->u);
        break;
    default: /* vdup */
        for (unsigned k = 0; k < 128 / bits; k++)
            ret->v = lane_set(ret->v, bits, k, a->u);
        break;
    }
}

static void run_special(Exec *x, const IrInsn *i, Val *ret)
{
    const Val *a = &x->value[i->arg[0]], *b = &x->value[i->arg[1]];
    Vcpu *v = x->v;
    switch (i->op) {
    case IR_fbox: ret->u = a->u | ~0ull << 32; break;
    case IR_funbox: ret->u = a->u >> 32 == 0xffffffff ? (uint32_t)a->u : 0x7fc00000; break;
    case IR_pack128: ret->v = (V128){ a->u, b->u }; break;
    case IR_lo128: ret->u = a->v.lo; break;
    case IR_hi128: ret->u = a->v.hi; break;
    case IR_fpgetflags: ret->u = v->fp_sticky; break;
    case IR_fpsetflags: v->fp_sticky = (uint32_t)a->u; break;
    case IR_fpsetctl: x->iv->control = (uint32_t)a->u; break;
    case IR_fence: __atomic_thread_fence(__ATOMIC_SEQ_CST); break;
    default: break; /* scan, move: 0, as they may; the loop does it by itself */
    }
}

static void set_pc(const Exec *x, GuestAddr pc)
{
    memcpy(x->v->cpu + x->v->translator->isa->pc_offset, &pc, sizeof pc);
}

static Step leave_direct(Exec *x, uint32_t index, GuestAddr pc)
{
    set_pc(x, pc);
    for (uint32_t n = 0; n < x->unit->base.n_links; n++)
        if (unit_link_at(&x->unit->base, n)->site == index)
            *x->ret_link = unit_link_at(&x->unit->base, n);
    return STEP_LEAVE;
}

static Step run_trap(Exec *x, const IrInsn *i, unsigned payload_arg)
{
    set_pc(x, (GuestAddr)i->imm);
    x->v->exit_reason = i->attr;
    x->v->exit_addr = (GuestAddr)i->imm;
    x->v->exit_payload = i->arg[payload_arg] ? x->value[i->arg[payload_arg]].u : 0;
    if (i->attr == VCPU_EXIT_GUESS || i->attr == VCPU_EXIT_GUESS_BOXED)
        x->v->exit_payload = x->unit->base.pc;
    return STEP_STOP;
}

static Step go_block(Exec *x, uint32_t to)
{
    x->from = x->block;
    x->block = to;
    return STEP_BLOCK;
}

static Step run_control(Exec *x, const IrInsn *i, uint32_t index)
{
    const Val *a = &x->value[i->arg[0]];
    switch (i->op) {
    case IR_br:
        return go_block(x, (uint32_t)i->imm);
    case IR_brc:
        return go_block(x, (uint32_t)(a->u ? i->imm : i->imm >> 32));
    case IR_poll:
        if (!atomic_load_explicit(&x->v->kicked, memory_order_relaxed))
            return STEP_NEXT;
        set_pc(x, (GuestAddr)i->imm);
        return STEP_LEAVE;
    case IR_exit_if:
        return a->u ? leave_direct(x, index, (GuestAddr)i->imm) : STEP_NEXT;
    case IR_trap_if:
        return a->u ? run_trap(x, i, 1) : STEP_NEXT;
    case IR_trap:
        return run_trap(x, i, 0);
    case IR_exit_jump: case IR_exit_call: case IR_gcall: /* (comes back to another unit) */
        return leave_direct(x, index, (GuestAddr)i->imm);
    case IR_exit_ind: case IR_exit_callind: case IR_gcallind:
        if (x->v->translator->tier == TIER_AUTO && !(x->unit->base.flags & IR_UNIT_REGION))
            x->v->target[vcpu_target_site(x->iv->pc)][vcpu_target_slot(a->u)] = a->u;
        set_pc(x, a->u);
        return STEP_LEAVE;
    default: /* exit_ret */
        set_pc(x, a->u);
        return STEP_LEAVE;
    }
}

/* The n-th argument belongs to the n-th predecessor by block number. */
static void run_phi(Exec *x, const IrInsn *i, Val *ret)
{
    unsigned n = 0;
    for (uint32_t b = 0; b < x->from; b++) {
        const IrInsn *last = &x->unit->insn[x->unit->block[b].last];
        if ((last->op == IR_br && (uint32_t)last->imm == x->block) ||
            (last->op == IR_brc && ((uint32_t)last->imm == x->block ||
                                    (uint64_t)last->imm >> 32 == x->block)))
            n++;
    }
    *ret = x->value[x->unit->phi_arg[i->imm + n]];
}

/* Phis of a block happen at once: all are read before the first is written. */
static uint32_t run_phis(Exec *x)
{
    const InterpBlock *b = &x->unit->block[x->block];
    uint32_t end = b->first;
    while (end <= b->last && x->unit->insn[end].op == IR_phi)
        end++;
    Val new[32];
    for (uint32_t at = b->first; at < end; at += 32) {
        /* More than 32 phis: their copies go through v->backend's spare values. */
        for (uint32_t n = at; n < end && n < at + 32; n++)
            run_phi(x, &x->unit->insn[n], end - b->first <= 32 ? &new[n - at]
                                          : &x->value[x->unit->n_insns + n]);
    }
    for (uint32_t n = b->first; n < end; n++)
        x->value[n] = end - b->first <= 32 ? new[n - b->first] : x->value[x->unit->n_insns + n];
    return end;
}

static Step run_insn(Exec *x, uint32_t index)
{
    const IrInsn *i = &x->unit->insn[index];
    const Val *value = x->value;
    Val ret = { .v = { 0, 0 } };
    switch (i->op) {
    case IR_nop: case IR_prefetch: case IR_param:
        return STEP_NEXT;
    case IR_insn:
        x->iv->pc = (GuestAddr)i->imm;
        x->iv->merged = false;
        return STEP_NEXT;
    case IR_const: case IR_codeaddr:
        ret.u = (uint64_t)i->imm;
        break;
    case IR_vconst:
        ret.v = x->unit->vconst[i->imm];
        break;
    case IR_copy:
        ret = value[i->arg[0]];
        break;
    case IR_select:
        ret = value[i->arg[value[i->arg[0]].u ? 1 : 2]];
        break;
    case IR_get:
        memcpy(&ret, var_at(x, i), var_bytes(i->type));
        break;
    case IR_put:
        ret = value[i->arg[0]];
        if (i->attr) {
            ret.u = ir_form_of(i->attr, ret.u);
            memcpy(var_at(x, i), &ret, sizeof ret.u);
            return STEP_NEXT;
        }
        memcpy(var_at(x, i), &value[i->arg[0]], var_bytes(i->mark));
        return STEP_NEXT;
    case IR_load: case IR_store: case IR_armw: case IR_acas: case IR_condcas:
        if (!interp_memory(x->v, i, value, &ret)) {
            set_pc(x, x->iv->pc);
            return STEP_STOP;
        }
        break;
    case IR_call:
        set_pc(x, x->iv->pc);
        interp_call(x->v, i, value, &ret);
        break;
    case IR_fbox ... IR_fpsetctl: case IR_pack128: case IR_lo128: case IR_hi128: case IR_fence:
    case IR_scan: case IR_move:
        run_special(x, i, &ret);
        break;
    case IR_fadd ... IR_bits2f: case IR_vfadd ... IR_vfcvtn:
        run_float(x, i, &ret);
        break;
    case IR_vfroms: case IR_vtos: case IR_vget: case IR_vmask: case IR_vset:
    case IR_vdup:
        run_lanes(x, i, &ret);
        break;
    case IR_vlow: case IR_vsetl: case IR_vdupl ... IR_vaesimc:
        ret.v = vecref(i->op, i->cc, i->attr, i->imm, value[i->arg[0]].v, value[i->arg[1]].v,
                       value[i->arg[2]].v);
        break;
    case IR_br ... IR_trap:
        return run_control(x, i, index);
    default:
        ret.u = interp_eval_int(i, value[i->arg[0]].u, value[i->arg[1]].u, value[i->arg[2]].u);
        break;
    }
    x->value[index] = ret;
    return STEP_NEXT;
}

bool interp_exec(Vcpu *v, InterpUnit *unit, UnitLink **ret_link)
{
    InterpVcpu *iv = v->backend;
    Exec x = { .v = v, .iv = iv, .unit = unit, .value = iv->value, .ret_link = ret_link };
    *ret_link = NULL;
    for (;;) {
        uint32_t last = unit->block[x.block].last;
        Step step = STEP_NEXT;
        for (uint32_t n = run_phis(&x); n <= last && step == STEP_NEXT; n++)
            step = run_insn(&x, n);
        if (step != STEP_BLOCK)
            return step != STEP_STOP;
    }
}
