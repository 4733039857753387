/* data plane */
/*
 * Calls of the guest's helpers on the C stack. Arguments as ir.h says: the Vcpu, the place of a
 * v128 result, then integers in registers, floats by their bits, vectors by address (in vec_arg).
 *
 * In the state a flags variable has the register form of flags.c between units; C sees NZCV, so
 * helpers that look at variables get it converted before and back after.
 */
#include "translator/host/x86_64/emit-state.h"

static const Reg c_arg[6] = { RDI, RSI, RDX, RCX, R8, R9 };

static Mem flags_mem(Emit *e, unsigned n)
{
    return mem_state(offsetof(Vcpu, cpu) + e->s->backend->flags_offset[n]);
}

/* rax is free. */
static void convert_flags(Emit *e, bool to_nzcv)
{
    for (unsigned n = 0; n < e->s->backend->n_flags_vars; n++) {
        enc_load(e, false, RAX, flags_mem(e, n));
        (to_nzcv ? flags_unpack : flags_pack)(e, RAX);
        enc_store(e, false, flags_mem(e, n), RAX);
    }
}

/* Puts the arguments where C wants them. */
static void place_args(Emit *e, IrInsn *i, const IrHelper *h)
{
    unsigned n = h->sig[0] == 'V' ? 2 : 1;
    /* vectors and floats first: they need registers of their own only for a moment */
    for (unsigned a = 0; h->sig[2 + a]; a++) {
        Reg r = c_arg[n + a];
        switch (h->sig[2 + a]) {
        case 'V': {
            Reg x = ra_use(e->ra, i->arg[a]);
            emit_store(e, mem_state(offsetof(Vcpu, vec_arg) + 16 * a), x, 16);
            ra_release(e->ra, x); /* the call will clobber it */
            break;
        }
        case 'S': case 'D': {
            Reg x = ra_use(e->ra, i->arg[a]);
            emit_store(e, mem_state(offsetof(Vcpu, vec_arg) + 16 * a), x, 8);
            ra_release(e->ra, x);
            break;
        }
        default:
            ra_use_fixed(e->ra, i->arg[a], r);
        }
    }
    for (unsigned a = 0; h->sig[2 + a]; a++) {
        Reg r = c_arg[n + a];
        Mem m = mem_state(offsetof(Vcpu, vec_arg) + 16 * a);
        switch (h->sig[2 + a]) {
        case 'V': case 'S': case 'D':
            ra_take(e->ra, r);
            if (h->sig[2 + a] == 'V')
                enc_lea(e, true, r, m);
            else
                enc_load(e, h->sig[2 + a] == 'D', r, m);
        }
    }
}

static void result_from_call(Emit *e, IrInsn *i, const IrHelper *h)
{
    switch (h->sig[0]) {
    case '-':
        return;
    case 'V': {
        Reg d = ra_def(e->ra, i);
        emit_load(e, d, mem_state(offsetof(Vcpu, vec_arg[5])), 16);
        return;
    }
    case 'S': case 'D': {
        Reg d = ra_def(e->ra, i);
        emit_move(e, d, RAX);
        return;
    }
    case 'B':
        enc_movzx(e, 1, RAX, operand_reg(RAX));
        break;
    }
    ra_def_is(e->ra, i, RAX);
}

static void select_call(Emit *e, IrInsn *i)
{
    const IrHelper *h = &e->unit->isa->helpers[i->imm];
    bool writes = h->flags & IR_HELPER_WRITES_VARS, faults = h->flags & IR_HELPER_FAULTS;
    bool vars = writes || faults || h->flags & IR_HELPER_READS_VARS;
    bool fp = h->flags & IR_HELPER_FP || faults;
    if (vars)
        ra_sync_vars(e->ra);
    if (writes)
        ra_leave_state(e->ra);
    place_args(e, i, h);
    if (h->sig[0] == 'V')
        ra_take(e->ra, RSI);
    ra_take(e->ra, RDI);
    ra_take(e->ra, RAX);
    ra_clobber(e->ra, TARGET_CALLER_SAVED);
    if (vars) {
        convert_flags(e, true);
        exit_store_pc(e, e->guest_pc, RAX);
    }
    if (faults)
        enc_store(e, true, MEM_STATE(recover_pc), RAX);
    enc_store(e, true, MEM_STATE(return_stack), RSP);
    enc_load(e, true, RSP, MEM_STATE(c_stack));
    if (fp) {
        enc_rm(e, 0, 1, 0, 0xae, 3, MEM_STATE(guest_fpctl)); /* stmxcsr */
        enc_rm(e, 0, 1, 0, 0xae, 2, MEM_STATE(host_fpctl));  /* ldmxcsr */
    }
    if (h->sig[0] == 'V')
        enc_lea(e, true, RSI, mem_state(offsetof(Vcpu, vec_arg[5])));
    enc_lea(e, true, RDI, (Mem) { REG_STATE, REG_NONE, 0, 0, -STATE_BIAS });
    enc_load(e, true, RAX, MEM_STATE(helpers));
    enc_rm(e, 0, 0, 0, 0xff, 2, (Mem) { RAX, REG_NONE, 0, 0, 8 * (int32_t)i->imm });
    enc_load(e, true, RSP, MEM_STATE(return_stack));
    if (fp)
        enc_rm(e, 0, 1, 0, 0xae, 2, MEM_STATE(guest_fpctl));
    if (faults)
        enc_store_i(e, true, MEM_STATE(recover_pc), 0);
    if (vars && e->s->backend->n_flags_vars) {
        /* rax holds the result */
        enc_mov_rr(e, true, RDX, RAX);
        convert_flags(e, false);
        enc_mov_rr(e, true, RAX, RDX);
    }
    if (writes)
        ra_reload_vars(e->ra);
    e->ra->no_state_places = false;
    result_from_call(e, i, h);
}

const SelectRow select_call_rows[] = {
    { IR_call, 0, select_call },
    { 0 },
};
