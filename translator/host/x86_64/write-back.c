/* data plane */
/*
 * Writing back what isn't canonical, at exits: values to their variables' homes and places in the
 * state, in an order in which none overwrites what another still needs; guest flags from EFLAGS.
 */
#include "translator/host/x86_64/emit-state.h"

void exit_store_addr(Emit *e, Mem m, GuestAddr pc, Reg temp)
{
    if (pc <= INT32_MAX) {
        enc_store_i(e, true, m, (int32_t)pc);
        emit_reloc(e, e->p - 4 - e->code, UNIT_RELOC_GUEST32, 0);
    } else {
        emit_guest_addr(e, temp, pc);
        enc_store(e, true, m, temp);
    }
}

void exit_store_pc(Emit *e, GuestAddr pc, Reg temp)
{
    exit_store_addr(e, mem_state(offsetof(Vcpu, cpu) + e->unit->isa->pc_offset), pc, temp);
}

Mem exit_var_mem(Emit *e, unsigned var)
{
    return mem_state(offsetof(Vcpu, cpu) + e->unit->isa->vars[var].offset);
}

static unsigned var_bytes(Emit *e, unsigned var)
{
    unsigned t = e->unit->isa->vars[var].type;
    return t == IR_V128 ? 16 : t == IR_I64 || t == IR_F64 ? 8 : 4;
}

void emit_swap(Emit *e, Reg a, Reg b)
{
    if (a < 16) {
        enc_rr(e, 0, 0, ENC_W, 0x87, a, b);
    } else {
        enc_rr(e, 0x66, 1, 0, 0xef, a, b);
        enc_rr(e, 0x66, 1, 0, 0xef, b, a);
        enc_rr(e, 0x66, 1, 0, 0xef, a, b);
    }
}

/* To arrive in its form, of which nothing is left to be done then if one instruction does both. */
static void move_in_form(Emit *e, Reg to, Reg from, uint8_t *form)
{
    if (*form != IR_FORM_SEXT && *form != IR_FORM_ZEXT) {
        emit_move(e, to, from);
        return;
    }
    emit_form(e, to, from, *form);
    *form = IR_FORM_PLAIN;
}

/* All at once: the home registers `pending` from the registers that hold their values now,
 * from[it]. Leaves in form[it] what is still to be made there. */
static void parallel_moves(Emit *e, uint32_t pending, Reg *from, uint8_t *form)
{
    uint8_t readers[RA_N_REGS] = { 0 };
    for (uint32_t m = pending; m; m &= m - 1)
        readers[from[__builtin_ctz(m)]]++;
    while (pending) {
        bool moved = false;
        for (uint32_t m = pending; m; m &= m - 1) {
            unsigned d = __builtin_ctz(m);
            if (readers[d])
                continue;
            move_in_form(e, d, from[d], &form[d]);
            readers[from[d]]--;
            pending &= ~(1u << d);
            moved = true;
        }
        if (moved || !pending)
            continue;
        /* Only cycles are left: a swap puts d right, and whoever wanted d finds it in from[d]. */
        unsigned d = __builtin_ctz(pending), s = from[d];
        emit_swap(e, d, s);
        pending &= ~(1u << d);
        readers[s]--;
        for (uint32_t m = pending; m; m &= m - 1) {
            unsigned k = __builtin_ctz(m);
            if (from[k] == d) {
                from[k] = s;
                readers[d]--;
                readers[s]++;
            } else if (from[k] == s) {
                from[k] = d;
                readers[s]--;
                readers[d]++;
            }
            if (from[k] == k) {
                readers[k]--;
                pending &= ~(1u << k);
            }
        }
    }
}

static Mem snap_mem(Emit *e, const UnitSnap *s, unsigned aside)
{
    if (aside)
        return mem_state(offsetof(Vcpu, vec_arg) + sizeof(V128) * (aside - 1));
    if (s->kind == UNIT_SNAP_SPILL)
        return mem_state(vcpu_spill_offset(s->what));
    return exit_var_mem(e, s->what);
}

static void load_snap(Emit *e, const UnitSnap *s, Reg to, unsigned bytes, unsigned aside)
{
    uint64_t bits = s->kind >= UNIT_SNAP_CONST ? e->ra->constants[s->what] : 0;
    switch (s->kind) {
    case UNIT_SNAP_CONST:
        if (to < 16 && !bits)
            enc_alu(e, ALU_XOR, false, to, operand_reg(to)); /* nobody wants EFLAGS now */
        else if (to < 16)
            enc_mov_ri(e, to, bits);
        else
            enc_rm(e, 0xf2, 1, 0, 0x10, to, enc_pool64(e, bits));
        break;
    case UNIT_SNAP_GUEST:
        emit_guest_addr(e, to, bits);
        break;
    case UNIT_SNAP_VCONST: {
        V128 v = e->unit->vconst[bits];
        if (v.lo == 0 && v.hi == 0)
            enc_rr(e, 0x66, 1, 0, 0xef, to, to);
        else
            enc_rm(e, 0, 1, 0, 0x28, to, enc_pool128(e, v.lo, v.hi));
        break;
    }
    default:
        /* A word may be shared by a wider variable, and be zero above in a register only. */
        if (s->kind == UNIT_SNAP_VAR && bytes > var_bytes(e, s->what))
            bytes = var_bytes(e, s->what);
        emit_load(e, to, snap_mem(e, s, aside), bytes);
    }
}

/* Is the place that s is in written back over for another variable? */
static bool overwritten(Emit *e, const UnitSnap *all, unsigned n, const UnitSnap *s)
{
    for (unsigned k = 0; k < n; k++)
        if (all[k].var == s->what && e->ra->home[s->what] == REG_NONE)
            return true;
    return false;
}

/* Values in places that will be written go aside, by the stack, since no register is free. Returns
 * how many; aside[k] is 1 + the number in vec_arg. */
static void put_aside(Emit *e, const UnitSnap *s, unsigned n, uint8_t *aside)
{
    unsigned used = 0;
    for (unsigned k = 0; k < n; k++) {
        aside[k] = 0;
        if (s[k].kind != UNIT_SNAP_VAR || s[k].what == s[k].var || !overwritten(e, s, n, &s[k]))
            continue;
        if (used == RA_MAX_TANGLED) {
            e->failed = true;
            return;
        }
        Mem from = exit_var_mem(e, s[k].what),
            to = mem_state(offsetof(Vcpu, vec_arg) + sizeof(V128) * used);
        for (unsigned half = 0; half < var_bytes(e, s[k].what); half += 8) {
            enc_rm(e, 0, 0, 0, 0xff, 6, from); /* push */
            enc_rm(e, 0, 0, 0, 0x8f, 0, to);   /* pop */
            from.disp += 8;
            to.disp += 8;
        }
        aside[k] = ++used;
    }
}

bool exit_snap_has_flags(const UnitSnap *s, unsigned n)
{
    for (unsigned k = 0; k < n; k++)
        if (s[k].kind == UNIT_SNAP_FLAGS)
            return true;
    return false;
}

/* For all the variables that have them: taken once, because taking them changes CF. */
static void store_eflags(Emit *e, const UnitSnap *s, unsigned n, FlagsKind kind)
{
    bool rax_used = false;
    uint32_t ax;
    if (!exit_snap_has_flags(s, n))
        return;
    if (flags_known(kind, &ax)) {
        for (unsigned k = 0; k < n; k++)
            if (s[k].kind == UNIT_SNAP_FLAGS)
                enc_store_i(e, false, exit_var_mem(e, s[k].var), (int32_t)ax);
        return;
    }
    for (unsigned k = 0; k < n; k++)
        rax_used |= s[k].kind == UNIT_SNAP_REG && s[k].what == RAX;
    if (rax_used)
        enc_store(e, true, MEM_STATE(scratch[5]), RAX);
    flags_to_ax(e, kind);
    for (unsigned k = 0; k < n; k++)
        if (s[k].kind == UNIT_SNAP_FLAGS)
            enc_store(e, false, exit_var_mem(e, s[k].var), RAX);
    if (rax_used)
        enc_load(e, true, RAX, MEM_STATE(scratch[5]));
}

/* Frees every register but rsp, rbp, the homes, and rax (a target); rdx and xmm0 are temporaries
 * once the parallel moves are done. EFLAGS stay as they are until the flags are taken, first. */
void exit_write_back(Emit *e, uint32_t snap, unsigned n, FlagsKind kind)
{
    const UnitSnap *s = &e->ra->snap[snap];
    const Reg *home = e->ra->home;
    Reg from[RA_N_REGS];
    uint8_t form[RA_N_REGS] = { IR_FORM_PLAIN };
    uint32_t moves = 0, forms = 0;
    uint8_t aside[RA_MAX_VARS];
    put_aside(e, s, n, aside);
    store_eflags(e, s, n, kind);
    for (unsigned k = 0; k < n; k++) {
        if (s[k].kind != UNIT_SNAP_REG)
            continue;
        if (home[s[k].var] == REG_NONE) {
            if (s[k].form) /* other variables that have the value there don't mind */
                emit_form(e, s[k].what, s[k].what, s[k].form);
            emit_store(e, exit_var_mem(e, s[k].var), s[k].what, var_bytes(e, s[k].var));
        } else {
            Reg h = home[s[k].var];
            form[h] = s[k].form;
            forms |= (uint32_t)(s[k].form != 0) << h;
            if (h != s[k].what) { /* else only the form is wanting */
                from[h] = s[k].what;
                moves |= 1u << h;
            }
        }
    }
    if (moves)
        parallel_moves(e, moves, from, form);
    for (uint32_t m = forms; m; m &= m - 1) {
        unsigned r = __builtin_ctz(m);
        emit_form(e, r, r, form[r]);
    }
    for (unsigned k = 0; k < n; k++) {
        if (s[k].kind == UNIT_SNAP_REG || s[k].kind == UNIT_SNAP_FLAGS)
            continue;
        unsigned bytes = var_bytes(e, s[k].var);
        Reg h = home[s[k].var];
        if (h != REG_NONE) {
            load_snap(e, &s[k], h, bytes, aside[k]);
            emit_form(e, h, h, s[k].form);
            continue;
        }
        uint64_t bits = s[k].kind == UNIT_SNAP_CONST ? e->ra->constants[s[k].what] : ~0ull >> 1;
        if (s[k].kind == UNIT_SNAP_CONST && bytes <= 8 && !s[k].form &&
            (bytes == 4 || (int64_t)bits == (int32_t)bits)) {
            enc_store_i(e, bytes == 8, exit_var_mem(e, s[k].var), (int32_t)bits);
            continue;
        }
        if (s[k].kind == UNIT_SNAP_GUEST && bytes == 8 && !s[k].form) {
            exit_store_addr(e, exit_var_mem(e, s[k].var), e->ra->constants[s[k].what], RDX);
            continue;
        }
        /* A scalar may be the low part of a vector constant. */
        bool vector = bytes == 16 || s[k].kind == UNIT_SNAP_VCONST || s[k].form >= IR_FORM_BOX;
        Reg t = vector ? XMM0 : RDX;
        load_snap(e, &s[k], t, bytes, aside[k]);
        emit_form(e, t, t, s[k].form);
        emit_store(e, exit_var_mem(e, s[k].var), t, bytes);
    }
}

void exit_write_back_now(Emit *e)
{
    unsigned n;
    uint32_t snap = ra_snapshot(e->ra, true, &n);
    exit_write_back(e, snap, n, e->s->flags_kind);
}

Reg exit_home_with(Emit *e, IrRef v)
{
    uint32_t value = ra_root(e->ra, v);
    for (unsigned var = 0; e->ra->value[value].n_vars && var < e->ra->n_vars; var++)
        if (e->ra->binding[var] == value && !e->ra->form[var] && e->ra->home[var] != REG_NONE)
            return e->ra->home[var];
    return REG_NONE;
}
