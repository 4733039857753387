/* data plane */
/*
 * The host's EFLAGS as a place for values: at most one flags value, and i1 values that are a
 * condition of it or of a compare. They become ordinary register values when something is about to
 * overwrite EFLAGS and they are still wanted.
 *
 * A flags value in a register, and between units in the guest's variable, has the form that
 * `lahf; seto al` leaves in ax after a subtraction: N bit 15, Z bit 14, borrow (the opposite of
 * Arm's C) bit 8, V bits 7..0 as 0 or 1; everything above bit 15 and bits 13..9 are anything.
 * backend.c converts it to NZCV for C code.
 */
#include "translator/host/x86_64/emit-state.h"

enum { AX_N = 0x8000, AX_Z = 0x4000, AX_B = 0x0100, AX_V = 0x01 };

/* CF is Arm's C, not a borrow. */
static bool carries(FlagsKind kind)
{
    return kind == FLAGS_ADD || kind == FLAGS_LOGIC || kind == FLAGS_ZERO;
}

static bool value_live(Emit *e, uint32_t value)
{
    return value && e->ra->value[value].special && ra_alive(e->ra, value);
}

bool flags_live(Emit *e)
{
    struct EmitState *s = e->s;
    if (value_live(e, s->flags_value))
        return true;
    for (unsigned n = 0; n < s->n_conds; n++)
        if (value_live(e, s->cond[n].value))
            return true;
    return false;
}

void flags_forget(Emit *e)
{
    struct EmitState *s = e->s;
    s->flags_value = 0;
    s->n_conds = 0;
    s->logic_of = 0;
    s->sum_of = 0;
    s->zero_of = 0;
    s->flags_kind = FLAGS_NONE;
}

/* setcc of a condition into a register that is filled completely. */
static void set_cond(Emit *e, Reg to, HostCc cc)
{
    if (cc >= 16) {
        bool eq = cc == CC_E_AND_NP;
        Label end = LABEL_INIT;
        enc_mov_ri(e, to, !eq);
        enc_jcc(e, CC_P, &end);
        enc_setcc(e, eq ? CC_E : CC_NE, to);
        enc_bind(e, &end);
        return;
    }
    enc_setcc(e, cc, to);
    enc_movzx(e, 1, to, operand_reg(to));
}

/* Arm's NZCV of FCMP results: less N, equal Z C, greater C, unordered C V. After ucomis a, b:
 * less CF, equal ZF, unordered ZF PF CF; swapped: greater CF. */
static void fcmp_to_ax(Emit *e, bool swapped)
{
    /* A small table in an immediate, indexed by ZF:PF:CF from lahf: CF bit 0, PF bit 2,
     * ZF bit 6. */
    static const struct { uint16_t less, greater; } ax = { AX_N | AX_B, 0 };
    Label unordered = LABEL_INIT, equal = LABEL_INIT, below = LABEL_INIT, end = LABEL_INIT;
    enc_jcc(e, CC_P, &unordered);
    enc_jcc(e, CC_E, &equal);
    enc_jcc(e, CC_B, &below);
    enc_mov_ri(e, RAX, swapped ? ax.less : ax.greater);
    enc_jmp(e, &end);
    enc_bind(e, &below);
    enc_mov_ri(e, RAX, swapped ? ax.greater : ax.less);
    enc_jmp(e, &end);
    enc_bind(e, &unordered);
    enc_mov_ri(e, RAX, AX_V);
    enc_jmp(e, &end);
    enc_bind(e, &equal);
    enc_mov_ri(e, RAX, AX_Z);
    enc_bind(e, &end);
}

/* What the flags are, if that is known: a subtraction's or a test's whose result is zero. */
bool flags_known(FlagsKind kind, uint32_t *ret_ax)
{
    *ret_ax = kind == FLAGS_EQUAL ? AX_Z : AX_Z | AX_B;
    return kind == FLAGS_EQUAL || kind == FLAGS_ZERO;
}

/* Complements CF on the way where it isn't a borrow. */
void flags_to_ax(Emit *e, FlagsKind kind)
{
    if (kind == FLAGS_FCMP || kind == FLAGS_FCMP_SWAPPED) {
        fcmp_to_ax(e, kind == FLAGS_FCMP_SWAPPED);
        return;
    }
    if (carries(kind))
        emit8(e, 0xf5); /* cmc */
    emit8(e, 0x9f);     /* lahf */
    enc_setcc(e, CC_O, RAX);
}

static void fetch_flags(Emit *e, uint32_t value)
{
    Ra *ra = e->ra;
    uint32_t ax;
    e->s->cf_flipped = false;
    if (flags_known(e->s->flags_kind, &ax)) {
        uint32_t was = ra->locked;
        Reg r = ra_temp_gpr(ra);
        enc_mov_ri(e, r, ax);
        ra_set_reg(ra, value, r);
        ra->locked = was;
        return;
    }
    e->s->cf_flipped = carries(e->s->flags_kind);
    if (!(ra->locked & 1u << RAX)) {
        uint32_t was = ra->locked;
        ra_take(ra, RAX);
        flags_to_ax(e, e->s->flags_kind);
        ra_set_reg(ra, value, RAX);
        ra->locked = was;
        return;
    }
    /* rax is in use by the current instruction: by way of another register */
    uint32_t was = ra->locked;
    Reg r = ra_temp_gpr(ra);
    enc_mov_rr(e, true, r, RAX);
    flags_to_ax(e, e->s->flags_kind);
    enc_rr(e, 0, 0, ENC_W, 0x87, RAX, r); /* xchg */
    ra_set_reg(ra, value, r);
    ra->locked = was;
}

static bool takes_carry_alone(const IrInsn *i, unsigned arg)
{
    switch (i->op) {
    case IR_adc: case IR_sbc: case IR_fladc: case IR_flsbc: return arg == 2;
    case IR_cond: return i->cc == IR_CC_CS || i->cc == IR_CC_CC;
    default: return i->op == IR_put;
    }
}

/* Does nothing from here on look at more of the flags value than C, as in additions of long
 * numbers? A fault may: then N, Z and V are stale, as all of a lazy variable is that is
 * overwritten unread. */
static bool only_carry_wanted(Emit *e, uint32_t value)
{
    enum { LOOK_AHEAD = 40 };
    Ra *ra = e->ra;
    const RaValue *v = &ra->value[value];
    if (!v->use || v->observed >= ra->pos || ra_live_out(ra, value))
        return false;
    uint32_t last = ra->uses[v->last_use].pos, pos = ra->pos;
    const IrInsn *i = ra->current;
    for (unsigned n = 0; n < LOOK_AHEAD && i->op != IR_call; n++) {
        unsigned n_args;
        const IrRef *arg = ir_args(e->unit, (IrRef)(i - e->unit->insn), &n_args);
        for (unsigned a = 0; a < n_args; a++)
            if (arg[a] && ra_root(ra, arg[a]) == value && !takes_carry_alone(i, a))
                return false;
        if (pos++ >= last)
            return true;
        if (!i->next)
            return false;
        i = &e->unit->insn[i->next];
    }
    return false;
}

/* In the form of flags as far as C goes: all ones without it. */
static void fetch_carry(Emit *e, uint32_t value)
{
    Ra *ra = e->ra;
    uint32_t was = ra->locked;
    Reg r = ra_temp_gpr(ra);
    e->s->cf_flipped = carries(e->s->flags_kind);
    if (e->s->cf_flipped)
        emit8(e, 0xf5); /* cmc */
    enc_alu(e, ALU_SBB, false, r, operand_reg(r)); /* CF stays */
    ra_set_reg(ra, value, r);
    ra->locked = was;
}

static void fetch_cond(Emit *e, unsigned n)
{
    Ra *ra = e->ra;
    uint32_t was = ra->locked, value = e->s->cond[n].value;
    Reg r = ra_temp_gpr(ra);
    set_cond(e, r, e->s->cond[n].cc);
    ra_set_reg(ra, value, r);
    ra->locked = was;
}

void flags_fetch(Emit *e, uint32_t value)
{
    struct EmitState *s = e->s;
    if (value == s->flags_value) {
        fetch_flags(e, value);
        if (s->cf_flipped)
            emit8(e, 0xf5); /* conditions may still depend on CF as it was */
        return;
    }
    for (unsigned n = 0; n < s->n_conds; n++)
        if (s->cond[n].value == value) {
            fetch_cond(e, n);
            return;
        }
    e->failed = true;
}

void flags_clobber(Emit *e)
{
    struct EmitState *s = e->s;
    /* lahf and setcc leave EFLAGS alone; the branches of fcmp_to_ax() too; fetch_carry() CF. */
    for (unsigned n = 0; n < s->n_conds; n++)
        if (value_live(e, s->cond[n].value))
            fetch_cond(e, n);
    if (value_live(e, s->flags_value)) {
        bool integer = s->flags_kind != FLAGS_FCMP && s->flags_kind != FLAGS_FCMP_SWAPPED;
        if (integer && only_carry_wanted(e, s->flags_value))
            fetch_carry(e, s->flags_value);
        else
            fetch_flags(e, s->flags_value);
    } else if (s->flags_value)
        ra_set_special(e->ra, s->flags_value, false);
    flags_forget(e);
}

static uint32_t result(Emit *e, const IrInsn *i) { return i - e->unit->insn; }

void flags_def_cond(Emit *e, IrInsn *i, HostCc cc)
{
    struct EmitState *s = e->s;
    if (s->n_conds == CONDS_MAX) {
        Reg r = ra_def(e->ra, i);
        set_cond(e, r, cc);
        return;
    }
    s->cond[s->n_conds].value = result(e, i);
    s->cond[s->n_conds++].cc = cc;
    ra_set_special(e->ra, result(e, i), true);
}

void flags_def(Emit *e, IrInsn *i, FlagsKind kind)
{
    e->s->flags_value = result(e, i);
    e->s->flags_kind = kind;
    ra_set_special(e->ra, result(e, i), true);
}

void flags_logic_result(Emit *e, IrInsn *i)
{
    flags_forget(e);
    e->s->logic_of = result(e, i);
}

void flags_sum_result(Emit *e, IrInsn *i)
{
    flags_forget(e);
    e->s->sum_of = result(e, i);
}

void flags_zero_result(Emit *e, IrInsn *i)
{
    flags_forget(e);
    e->s->zero_of = result(e, i);
}

bool flags_have_cond(Emit *e, IrRef v, HostCc *ret_cc)
{
    const struct EmitState *s = e->s;
    uint32_t value = ra_root(e->ra, v);
    for (unsigned n = 0; n < s->n_conds; n++)
        if (s->cond[n].value == value) {
            *ret_cc = s->cond[n].cc;
            return true;
        }
    return false;
}

FlagsKind flags_kind_plain(FlagsKind kind)
{
    return kind == FLAGS_EQUAL ? FLAGS_SUB : kind == FLAGS_ZERO ? FLAGS_LOGIC : kind;
}

FlagsKind flags_kind_where(Emit *e, bool zero)
{
    const struct EmitState *s = e->s;
    if (!zero || !s->flags_value)
        return s->flags_kind;
    switch (e->unit->insn[s->flags_value].op) {
    case IR_flsub: return FLAGS_EQUAL;
    case IR_flogic: return FLAGS_ZERO;
    default: return s->flags_kind;
    }
}

uint32_t flags_conds(Emit *e, IrRef v)
{
    uint32_t set = 0, value = ra_root(e->ra, v);
    RaUse *uses = e->ra->uses;
    if (!e->ra->value[value].use)
        return 0;
    /* uses hold positions only: look ahead in the block as far as the last of them,
     * within reason */
    uint32_t last = uses[e->ra->value[value].last_use].pos, pos = e->ra->pos;
    const IrInsn *i = e->ra->current;
    for (unsigned n = 0; n < 32 && i->next && pos < last; n++) {
        i = &e->unit->insn[i->next];
        pos++;
        if (i->op == IR_cond && ra_root(e->ra, i->arg[0]) == value)
            set |= 1u << i->cc;
    }
    return set;
}

HostCc flags_use_cond(Emit *e, IrRef v)
{
    struct EmitState *s = e->s;
    uint32_t value = ra_root(e->ra, v);
    if (e->ra->value[value].special)
        for (unsigned n = 0; n < s->n_conds; n++)
            if (s->cond[n].value == value)
                return s->cond[n].cc;
    Reg r = ra_use(e->ra, v);
    flags_clobber(e);
    enc_test(e, false, r, r);
    return CC_NE;
}

/* -- Arm's conditions -------------------------------------------------------------------------- */

HostCc flags_arm_cc(Emit *e, FlagsKind kind, IrCc cc)
{
    static const uint8_t sub[14] = { CC_E, CC_NE, CC_AE, CC_B, CC_S, CC_NS, CC_O, CC_NO,
                                     CC_A, CC_BE, CC_GE, CC_L, CC_G, CC_LE };
    static const uint8_t add[14] = { CC_E, CC_NE, CC_B, CC_AE, CC_S, CC_NS, CC_O, CC_NO,
                                     CC_NONE, CC_NONE, CC_GE, CC_L, CC_G, CC_LE };
    static const uint8_t fcmp[14] = { CC_E_AND_NP, CC_NE_OR_P, CC_NONE, CC_NONE, CC_NONE, CC_NONE,
                                      CC_P, CC_NP, CC_NONE, CC_NONE, CC_AE, CC_B, CC_A, CC_BE };
    static const uint8_t swapped[14] = { CC_E_AND_NP, CC_NE_OR_P, CC_BE, CC_A, CC_A, CC_BE, CC_P,
                                         CC_NP, CC_B, CC_AE, CC_NONE, CC_NONE, CC_NONE, CC_NONE };
    (void)e;
    if (cc > IR_CC_LE)
        return CC_NONE;
    switch (flags_kind_plain(kind)) {
    case FLAGS_SUB: return sub[cc];
    case FLAGS_LOGIC:
        /* C = 0: HI is never true (CF = 0: b), LS always */
        return cc == IR_CC_HI ? CC_B : cc == IR_CC_LS ? CC_AE : add[cc];
    case FLAGS_ADD: return add[cc];
    case FLAGS_FCMP: return fcmp[cc];
    case FLAGS_FCMP_SWAPPED: return swapped[cc];
    default: return CC_NONE;
    }
}

/* cond of a flags value in EFLAGS. */
static bool cond_in_eflags(Emit *e, IrInsn *i)
{
    struct EmitState *s = e->s;
    uint32_t value = ra_root(e->ra, i->arg[0]);
    if (!e->ra->value[value].special || value != s->flags_value)
        return false;
    HostCc cc = flags_arm_cc(e, s->flags_kind, i->cc);
    if (cc != CC_NONE && s->n_conds < CONDS_MAX) {
        flags_def_cond(e, i, cc);
        return true;
    }
    return false;
}

static void select_cond(Emit *e, IrInsn *i)
{
    static const uint16_t bit[8] = { AX_Z, AX_Z, AX_B, AX_B, AX_N, AX_N, AX_V, AX_V };
    if (cond_in_eflags(e, i))
        return;
    if (i->cc <= IR_CC_VC) {
        Operand f = ra_use_rm(e->ra, i->arg[0]);
        flags_clobber(e);
        enc_test_i(e, false, f, bit[i->cc]);
        bool set = !(i->cc & 1) ^ (bit[i->cc] == AX_B);
        flags_def_cond(e, i, set ? CC_NE : CC_E);
        return;
    }
    ra_use_fixed(e->ra, i->arg[0], RAX);
    flags_clobber(e);
    /* V back to OF by an overflowing byte addition, then the others; sahf leaves OF alone. */
    emit8(e, 0x04); /* add al, 0x7f */
    emit8(e, 0x7f);
    emit8(e, 0x9e); /* sahf */
    flags_def_cond(e, i, flags_arm_cc(e, FLAGS_SUB, i->cc));
}

/* -- making and taking flags ------------------------------------------------------------------- */

static void select_flogic(Emit *e, IrInsn *i)
{
    struct EmitState *s = e->s;
    uint32_t value = ra_root(e->ra, i->arg[0]);
    bool w = i->attr == IR_I64;
    const IrInsn *src = ra_insn(e->ra, i->arg[0]);
    if (s->logic_of == value && src && (src->type == IR_I64) == w) {
        s->logic_of = 0; /* (conditions of the same result stay: it is the same EFLAGS) */
        flags_def(e, i, FLAGS_LOGIC);
        return;
    }
    Reg r = ra_use(e->ra, i->arg[0]);
    flags_clobber(e);
    enc_test(e, w, r, r);
    flags_def(e, i, FLAGS_LOGIC);
}

void flags_pack(Emit *e, Reg r)
{
    /* bits 3..0 = NZCV to 15, 14, 8, 0: copies at distances 12, 12, 7, 0 without collisions */
    enc_shift_i(e, SH_SHR, false, r, 28);
    enc_op(e, 0, 0, 0, 0x69, r, operand_reg(r), 4); /* imul r, r, 0x1081 */
    emit32(e, 0x1081);
    enc_alu_i(e, ALU_AND, false, operand_reg(r), AX_N | AX_Z | AX_B | AX_V);
    enc_alu_i(e, ALU_XOR, false, operand_reg(r), AX_B);
}

void flags_unpack(Emit *e, Reg r)
{
    /* N, Z up by 16, C by 21, V by 28: no sum of two of them reaches bits 31..28 otherwise */
    enc_alu_i(e, ALU_AND, false, operand_reg(r), AX_N | AX_Z | AX_B | AX_V);
    enc_alu_i(e, ALU_XOR, false, operand_reg(r), AX_B);
    enc_op(e, 0, 0, 0, 0x69, r, operand_reg(r), 4);
    emit32(e, 0x10210000);
    enc_alu_i(e, ALU_AND, false, operand_reg(r), (int32_t)0xf0000000);
}

/* From NZCV in bits 31..28. */
static void select_flpack(Emit *e, IrInsn *i)
{
    uint64_t c;
    if (ra_is_const(e->ra, i->arg[0], &c)) {
        uint32_t ax = (c >> 31 & 1) * AX_N | (c >> 30 & 1) * AX_Z | (~c >> 29 & 1) * AX_B |
                      (c >> 28 & 1) * AX_V;
        enc_mov_ri(e, ra_def(e->ra, i), ax);
        return;
    }
    Reg r = ra_use_scratch(e->ra, i->arg[0]);
    flags_clobber(e);
    flags_pack(e, r);
    ra_def_is(e->ra, i, r);
}

static void select_flunpack(Emit *e, IrInsn *i)
{
    Reg r = ra_use_scratch(e->ra, i->arg[0]);
    flags_clobber(e);
    flags_unpack(e, r);
    ra_def_is(e->ra, i, r);
}

/* -- arithmetic with flags --------------------------------------------------------------------- */

/* The two halves of a pair, whichever comes first; NULL for one that isn't there. */
void flags_pair(Emit *e, IrInsn *i, IrInsn **ret_arith, IrInsn **ret_flags)
{
    IrRef p = e->s->pair[result(e, i)];
    IrInsn *other = p ? &e->unit->insn[p] : NULL;
    bool i_is_flags = i->op == IR_flsub || i->op == IR_fladd || i->op == IR_flsbc ||
                      i->op == IR_fladc;
    *ret_flags = i_is_flags ? i : other;
    *ret_arith = i_is_flags ? other : i;
}

static void select_flsub(Emit *e, IrInsn *i)
{
    IrInsn *arith, *flags;
    flags_pair(e, i, &arith, &flags);
    bool w = i->attr == IR_I64;
    int32_t imm;
    if (arith) {
        /* computed where the first of the pair stands */
        if (ra_fits_i32(e->ra, i->arg[1], &imm)) {
            Reg d = ra_def_over(e->ra, arith, i->arg[0]);
            flags_clobber(e);
            enc_alu_i(e, ALU_SUB, w, operand_reg(d), imm);
        } else {
            Operand b = ra_use_rm(e->ra, i->arg[1]);
            Reg d = ra_def_over(e->ra, arith, i->arg[0]);
            flags_clobber(e);
            enc_alu(e, ALU_SUB, w, d, b);
        }
        flags_def(e, flags, FLAGS_SUB);
        return;
    }
    if (ra_fits_i32(e->ra, i->arg[1], &imm)) {
        Operand a = ra_use_rm(e->ra, i->arg[0]);
        flags_clobber(e);
        if (imm == 0 && a.reg != REG_NONE)
            enc_test(e, w, a.reg, a.reg); /* CF = OF = 0 as after the subtraction */
        else
            enc_alu_i(e, ALU_CMP, w, a, imm);
    } else {
        Reg a = ra_use(e->ra, i->arg[0]);
        Operand b = ra_use_rm(e->ra, i->arg[1]);
        flags_clobber(e);
        enc_alu(e, ALU_CMP, w, a, b);
    }
    flags_def(e, i, FLAGS_SUB);
}

static void select_fladd(Emit *e, IrInsn *i)
{
    IrInsn *arith, *flags;
    flags_pair(e, i, &arith, &flags);
    bool w = i->attr == IR_I64;
    int32_t imm;
    bool is_imm = ra_fits_i32(e->ra, i->arg[1], &imm);
    Operand b = is_imm ? operand_reg(0) : ra_use_rm(e->ra, i->arg[1]);
    Reg d = arith ? ra_def_over(e->ra, arith, i->arg[0]) : ra_use_scratch(e->ra, i->arg[0]);
    flags_clobber(e);
    if (is_imm)
        enc_alu_i(e, ALU_ADD, w, operand_reg(d), imm);
    else
        enc_alu(e, ALU_ADD, w, d, b);
    flags_def(e, flags, FLAGS_ADD);
}

/* CF := Arm's C of the flags value (inverted: for sbb). It must follow at once. */
static void carry_to_cf(Emit *e, IrRef f, bool inverted)
{
    struct EmitState *s = e->s;
    uint32_t value = ra_root(e->ra, f);
    FlagsKind kind = flags_kind_plain(s->flags_kind);
    if (e->ra->value[value].special && value == s->flags_value &&
        (kind == FLAGS_SUB || kind == FLAGS_ADD || kind == FLAGS_LOGIC)) {
        s->cf_flipped = false;
        if (!ra_alive_after(e->ra, value))
            ra_set_special(e->ra, value, false); /* this is its last use */
        flags_clobber(e);
        if (((kind == FLAGS_SUB) ^ s->cf_flipped) != inverted)
            emit8(e, 0xf5);
        return;
    }
    Operand r = ra_use_rm(e->ra, f);
    flags_clobber(e);
    enc_op(e, 0, 1, 0, 0xba, 4, r, 1); /* bt r, 8 */
    emit8(e, 8);
    if (!inverted)
        emit8(e, 0xf5);
}

/* adc, sbc and their flags: the carry goes in last, after the moves. */
static void select_carry(Emit *e, IrInsn *i)
{
    IrInsn *arith = NULL, *flags = NULL;
    bool sub = i->op == IR_sbc || i->op == IR_flsbc;
    bool is_flags = i->op == IR_fladc || i->op == IR_flsbc;
    flags_pair(e, i, &arith, &flags);
    bool w = (is_flags ? i->attr : i->type) == IR_I64;
    Reg b = ra_use(e->ra, i->arg[1]);
    /* saved before d is taken, so that the fetch finds a register */
    uint32_t f = ra_root(e->ra, i->arg[2]);
    Reg d;
    if (!e->ra->value[f].special)
        ra_use(e->ra, i->arg[2]);
    d = arith ? ra_def_over(e->ra, arith, i->arg[0]) : ra_use_scratch(e->ra, i->arg[0]);
    carry_to_cf(e, i->arg[2], sub);
    enc_alu(e, sub ? ALU_SBB : ALU_ADC, w, d, operand_reg(b));
    if (flags)
        flags_def(e, flags, sub ? FLAGS_SUB : FLAGS_ADD);
}

const SelectRow select_flags_rows[] = {
    { IR_cond, SEL_KEEPS_FLAGS, select_cond },
    { IR_flogic, SEL_KEEPS_FLAGS, select_flogic },
    { IR_flsub, SEL_KEEPS_FLAGS, select_flsub },
    { IR_fladd, SEL_KEEPS_FLAGS, select_fladd },
    { IR_adc, SEL_KEEPS_FLAGS, select_carry },
    { IR_sbc, SEL_KEEPS_FLAGS, select_carry },
    { IR_fladc, SEL_KEEPS_FLAGS, select_carry },
    { IR_flsbc, SEL_KEEPS_FLAGS, select_carry },
    { IR_flpack, SEL_KEEPS_FLAGS, select_flpack },
    { IR_flunpack, SEL_KEEPS_FLAGS, select_flunpack },
    { 0 },
};
