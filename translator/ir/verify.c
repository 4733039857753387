/*
 * Checks a unit against ops.def's signatures and README.md's rules: types, definitions before uses
 * (by dominance over blocks), one terminator at each block's end, fields in range, and the counts
 * of uses while they are said to be known. A unit that passes may be given to any pass and backend.
 */
#include <glib.h>
#include <string.h>

#include "translator/guest/isa.h"
#include "translator/ir/ir.h"
#include "translator/translator.h"

typedef struct Verifier {
    const IrUnit *u;
    uint32_t *place;     /* per value: position in the unit's order + 1; 0 = in no block */
    uint32_t *block_of;
    uint32_t *idom;
    GError **error;
} Verifier;

static bool bad(Verifier *v, IrRef r, const char *what)
{
    g_set_error(v->error, g_quark_from_static_string("ir-verify"), 0, "v%u (%s): %s", r,
                v->u->insn[r].op < IR_N_OPS ? ir_op_info[v->u->insn[r].op].name : "?", what);
    return false;
}

static bool type_matches(char letter, IrType type, IrType own)
{
    switch (letter) {
    case 'T':
        return type == own && (type == IR_I32 || type == IR_I64);
    case 'S':
        return type == own && (type == IR_F32 || type == IR_F64);
    case 'W':
        return type == IR_I32;
    case 'L':
        return type == IR_I64;
    case 'X':
        return type == IR_I128;
    case 'V':
        return type == IR_V128;
    case 'B':
        return type == IR_I1;
    case 'F':
        return type == IR_FLAGS;
    case 'A':
        return type != IR_VOID && type < IR_I8;
    default:
        return false;
    }
}

static bool is_int(IrType t)
{
    return t == IR_I32 || t == IR_I64;
}

static bool is_float(IrType t)
{
    return t == IR_F32 || t == IR_F64;
}

/* Does a value of the type fit an access of 1 << log2 bytes? */
static bool mem_size_ok(IrType t, unsigned log2)
{
    switch (t) {
    case IR_I32:
        return log2 <= 2;
    case IR_I64:
        return log2 <= 3;
    case IR_F32:
        return log2 == 2;
    case IR_F64:
        return log2 == 3;
    case IR_I128:
    case IR_V128:
        return log2 == 4;
    default:
        return false;
    }
}

static bool var_ok(Verifier *v, const IrInsn *i, IrType t)
{
    return i->imm >= 0 && i->imm < v->u->isa->n_vars && v->u->isa->vars[i->imm].type == t;
}

static IrType arg_type(const Verifier *v, const IrInsn *i, unsigned n)
{
    return (IrType)v->u->insn[i->arg[n]].type;
}

static bool field_ok(const IrInsn *i)
{
    unsigned lsb = i->attr & 255, len = i->attr >> 8, width = i->type == IR_I64 ? 64 : 32;
    return len >= 1 && lsb + len <= width;
}

static unsigned lane_bits(unsigned lane)
{
    static const uint8_t bits[] = { 8, 16, 32, 64, 16, 32, 64 };
    return lane < sizeof bits ? bits[lane] : 0;
}

/* The rules that a signature can't say. */
static bool form_ok(Verifier *v, const IrInsn *i, IrType t)
{
    if (i->attr == IR_FORM_CANON)
        return t == IR_F64 && var_ok(v, i, IR_F64);
    if (i->attr == IR_FORM_BOX || i->attr == IR_FORM_CANON_BOX)
        return t == IR_F32 && var_ok(v, i, IR_F64);
    return t == IR_I32 && i->attr <= IR_FORM_BOX && var_ok(v, i, IR_I64);
}

static bool check_special(Verifier *v, IrRef r)
{
    const IrInsn *i = &v->u->insn[r];
    IrType t0 = i->arg[0] ? arg_type(v, i, 0) : IR_VOID,
           t1 = i->arg[1] ? arg_type(v, i, 1) : IR_VOID;
    switch (i->op) {
    case IR_get:
        return var_ok(v, i, i->type) || bad(v, r, "no such variable, or not its type");
    case IR_put:
        if (i->attr)
            return form_ok(v, i, t0) || bad(v, r, "a form that value and variable don't have");
        return var_ok(v, i, t0) || bad(v, r, "no such variable, or not its type");
    case IR_scan:
        return i->attr < IR_N_SCANS || bad(v, r, "no such scan");
    case IR_move: {
        uint32_t turn = (uint32_t)i->imm, ahead = (uint32_t)(i->imm >> IR_MOVE_AHEAD_SHIFT);
        return (i->attr < IR_N_MOVES && turn && turn <= IR_MOVE_MAX_TURN && !(turn & (turn - 1)) &&
                ahead < 4096 && !i->arg[3] == (i->attr != IR_MOVE_UNTIL)) ||
               bad(v, r, "no such move");
    }
    case IR_vconst:
        return (i->imm >= 0 && i->imm < v->u->n_vconsts) || bad(v, r, "no such constant");
    case IR_copy:
        return t0 == i->type || bad(v, r, "types differ");
    case IR_cmp:
        return (is_int(t0) && t0 == t1 && i->cc >= IR_CMP_EQ && i->cc <= IR_CMP_SGT) ||
               bad(v, r, "compares two integers of one type");
    case IR_fcmp: case IR_flfcmp:
        if (i->attr & IR_FP_SILENT && (i->attr & IR_FP_SIGNALING || i->op != IR_fcmp))
            return bad(v, r, "only a quiet fcmp is silent");
        return (is_float(t0) && t0 == t1) || bad(v, r, "compares two floats of one type");
    case IR_select:
        return (t1 == i->type && arg_type(v, i, 2) == i->type) || bad(v, r, "types differ");
    case IR_ubfx: case IR_sbfx: case IR_bfi:
        return field_ok(i) || bad(v, r, "field out of range");
    case IR_index:
        return (i->attr <= 3 && i->imm == (int32_t)i->imm) || bad(v, r, "scale out of range");
    case IR_extr:
        return (i->imm >= 0 && i->imm < (i->type == IR_I64 ? 64 : 32)) ||
               bad(v, r, "shift out of range");
    case IR_fladd: case IR_flsub: case IR_flogic: case IR_fladc: case IR_flsbc:
        return (is_int(t0) && i->attr == t0 && (i->op == IR_flogic || t1 == t0)) ||
               bad(v, r, "types differ");
    case IR_cond:
        return i->cc <= IR_CC_LE || bad(v, r, "condition");
    case IR_load:
        return mem_size_ok(i->type, i->attr & IR_MEM_SIZE) || bad(v, r, "size and type");
    case IR_store:
        return (mem_size_ok(arg_type(v, i, 2), i->attr & IR_MEM_SIZE) &&
                i->type == arg_type(v, i, 2)) || bad(v, r, "size and type");
    case IR_armw:
        return (mem_size_ok(i->type, i->attr & IR_MEM_SIZE) && t1 == i->type && is_int(t1) &&
                i->cc <= IR_RMW_UMIN) || bad(v, r, "size and type");
    case IR_acas:
        return (mem_size_ok(i->type, i->attr & IR_MEM_SIZE) && t1 == i->type &&
                arg_type(v, i, 2) == t1 && (is_int(t1) || t1 == IR_I128)) ||
               bad(v, r, "size and type");
    case IR_condcas:
        return (mem_size_ok(t1, i->attr & IR_MEM_SIZE) && arg_type(v, i, 2) == t1 &&
                (is_int(t1) || t1 == IR_I128)) || bad(v, r, "size and type");
    case IR_call:
        return (i->imm >= 0 && i->imm < v->u->isa->n_helpers) || bad(v, r, "no such helper");
    case IR_fcvt:
        return (is_float(t0) && t0 != i->type) || bad(v, r, "types");
    case IR_f2i:
        if (i->attr & IR_FP_WRAP)
            return (t0 == IR_F64 && i->type == IR_I32 && !i->imm &&
                    !(i->attr & (IR_FP_UNSIGNED | IR_FP_SILENT)) &&
                    (i->attr & IR_FP_ROUND) == IR_ROUND_ZERO) || bad(v, r, "wrap");
        if (i->attr & IR_FP_SILENT &&
            (i->imm || i->attr & IR_FP_FLUSH || (i->attr & IR_FP_ROUND) != IR_ROUND_ZERO))
            return bad(v, r, "only plain truncation is silent");
        return is_float(t0) || bad(v, r, "argument isn't a float");
    case IR_f2h:
        return is_float(t0) || bad(v, r, "argument isn't a float");
    case IR_i2f:
        return is_int(t0) || bad(v, r, "argument isn't an integer");
    case IR_f2bits:
        return (is_float(t0) && i->type == (t0 == IR_F32 ? IR_I32 : IR_I64)) || bad(v, r, "types");
    case IR_bits2f:
        return (is_int(t0) && i->type == (t0 == IR_I32 ? IR_F32 : IR_F64)) || bad(v, r, "types");
    case IR_vfroms:
        return (i->attr == t0 && (is_int(t0) || is_float(t0))) || bad(v, r, "types");
    case IR_vtos:
        return is_float(i->type) || bad(v, r, "types");
    case IR_vget: case IR_vset: case IR_vdupl:
        return (i->imm >= 0 && i->imm < 128 / (int)MAX(lane_bits(i->cc), 8)) ||
               bad(v, r, "no such lane");
    case IR_vshl: case IR_vshru: case IR_vshrs:
        return (i->imm >= 0 && i->imm <= (int)lane_bits(i->cc)) || bad(v, r, "shift out of range");
    case IR_vext:
        return (i->imm >= 0 && i->imm < 16) || bad(v, r, "out of range");
    case IR_br:
        return i->imm < v->u->n_blocks || bad(v, r, "no such block");
    case IR_brc:
        return ((uint32_t)i->imm < v->u->n_blocks && (uint64_t)i->imm >> 32 < v->u->n_blocks) ||
               bad(v, r, "no such block");
    case IR_trap: case IR_trap_if:
        return i->attr < VCPU_N_EXITS || bad(v, r, "no such exit");
    default:
        return true;
    }
}

static bool check_call(Verifier *v, IrRef r)
{
    const IrInsn *i = &v->u->insn[r];
    const IrHelper *h = &v->u->isa->helpers[i->imm];
    static const char letters[] = { [IR_VOID] = '-', [IR_I32] = 'W', [IR_I64] = 'L',
                                    [IR_F32] = 'S', [IR_F64] = 'D', [IR_V128] = 'V',
                                    [IR_I1] = 'B' };
    if (i->type >= sizeof letters || letters[i->type] != h->sig[0])
        return bad(v, r, "result is not the helper's");
    unsigned n = (unsigned)strlen(h->sig) - 2;
    for (unsigned a = 0; a < 4; a++) {
        IrType t = i->arg[a] ? arg_type(v, i, a) : IR_VOID;
        if ((a < n) != (t != IR_VOID))
            return bad(v, r, "number of arguments is not the helper's");
        if (a < n && (t >= sizeof letters || letters[t] != h->sig[2 + a]))
            return bad(v, r, "argument's type is not the helper's");
    }
    return true;
}

static bool dominates(const Verifier *v, uint32_t a, uint32_t b)
{
    for (;;) {
        if (a == b)
            return true;
        if (b == 0 || v->idom[b] == b)
            return false;
        b = v->idom[b];
    }
}

static bool is_successor(const IrBlock *b, uint32_t to)
{
    return b->succ[0] == to + 1 || b->succ[1] == to + 1;
}

/* An argument for each predecessor, which its definition dominates; nothing but phis before. */
static bool check_phi(Verifier *v, IrRef r, uint32_t block)
{
    const IrUnit *u = v->u;
    const IrInsn *i = &u->insn[r];
    if (!type_matches('A', (IrType)i->type, IR_VOID))
        return bad(v, r, "result's type");
    if (i->prev && u->insn[i->prev].op != IR_phi && u->insn[i->prev].op != IR_nop)
        return bad(v, r, "isn't at the head of its block");
    if ((uint64_t)i->imm + i->attr > u->n_phi_args || i->attr != u->block[block].n_pred)
        return bad(v, r, "number of arguments is not that of the predecessors");
    const IrRef *arg = u->phi_arg + i->imm;
    for (uint32_t p = 0; p < u->n_blocks; p++) {
        if (!is_successor(&u->block[p], block))
            continue;
        IrRef a = *arg++;
        if (!a || a >= u->n_insns || u->insn[a].type != i->type)
            return bad(v, r, "argument's type");
        if (!v->place[a] || !dominates(v, v->block_of[a], p))
            return bad(v, r, "argument isn't defined before");
    }
    return true;
}

static bool check_args(Verifier *v, IrRef r, uint32_t block)
{
    const IrInsn *i = &v->u->insn[r];
    if (i->op == IR_phi)
        return check_phi(v, r, block);
    const char *sig = ir_op_info[i->op].sig;
    if (sig[0] == '-' ? i->op != IR_put && i->op != IR_store && i->type != IR_VOID
                      : i->op != IR_call && !type_matches(sig[0], i->type, i->type))
        return bad(v, r, "result's type");
    for (unsigned a = 0; a < 4; a++) {
        IrRef arg = i->arg[a];
        char letter = a < ir_op_info[i->op].n_args ? sig[2 + a] : 0;
        if (!arg) {
            if (letter && !g_ascii_islower(letter))
                return bad(v, r, "argument is missing");
            continue;
        }
        if (!letter || arg >= v->u->n_insns)
            return bad(v, r, "argument out of range");
        if (!type_matches(g_ascii_toupper(letter), (IrType)v->u->insn[arg].type, i->type))
            return bad(v, r, "argument's type");
        if (v->block_of[arg] == block ? v->place[arg] >= v->place[r] || !v->place[arg]
                                      : !v->place[arg] || !dominates(v, v->block_of[arg], block))
            return bad(v, r, "argument isn't defined before");
    }
    return true;
}

/* Immediate dominators by iteration over the blocks in number order until nothing changes; units
 * are small. Unreachable blocks dominate themselves. */
static void find_dominators(Verifier *v)
{
    const IrUnit *u = v->u;
    for (uint32_t b = 0; b < u->n_blocks; b++)
        v->idom[b] = b ? UINT32_MAX : 0;
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t p = 0; p < u->n_blocks; p++) {
            if (v->idom[p] == UINT32_MAX)
                continue;
            for (int s = 0; s < 2; s++) {
                uint32_t b = u->block[p].succ[s] - 1;
                if (!u->block[p].succ[s] || b == 0)
                    continue;
                uint32_t d = v->idom[b] == UINT32_MAX ? p : v->idom[b];
                if (v->idom[b] != UINT32_MAX) {
                    /* Nearest common ancestor by walking up; depth is at most n_blocks. */
                    uint32_t x = p;
                    while (!dominates(v, d, x))
                        d = v->idom[d];
                }
                if (d != v->idom[b]) {
                    v->idom[b] = d;
                    changed = true;
                }
            }
        }
    }
    for (uint32_t b = 0; b < u->n_blocks; b++)
        if (v->idom[b] == UINT32_MAX)
            v->idom[b] = b;
}

/* The block's successors are what its terminator says, and n_pred is right. */
static bool check_edges(Verifier *v, uint32_t b)
{
    const IrBlock *block = &v->u->block[b];
    const IrInsn *last = &v->u->insn[block->last];
    uint32_t want[2] = { 0, 0 };
    if (last->op == IR_br || last->op == IR_brc)
        want[0] = (uint32_t)last->imm + 1;
    if (last->op == IR_brc && (uint32_t)last->imm != (uint64_t)last->imm >> 32)
        want[1] = (uint32_t)((uint64_t)last->imm >> 32) + 1;
    if (block->succ[0] != want[0] || block->succ[1] != want[1])
        return bad(v, block->last, "the block's successors are others");
    uint32_t n = 0;
    for (uint32_t p = 0; p < v->u->n_blocks; p++)
        n += is_successor(&v->u->block[p], b);
    if (n != block->n_pred || (b == 0 && n))
        return bad(v, block->last, "the block's number of predecessors is another");
    return true;
}

static bool check_block(Verifier *v, uint32_t b)
{
    const IrBlock *block = &v->u->block[b];
    if (!block->last || !(ir_op_info[v->u->insn[block->last].op].flags & IR_OPF_Z)) {
        g_set_error(v->error, g_quark_from_static_string("ir-verify"), 0,
                    "block b%u doesn't end in a terminator", b);
        return false;
    }
    for (IrRef r = block->first; r; r = v->u->insn[r].next) {
        const IrInsn *i = &v->u->insn[r];
        if (i->next && ir_op_info[i->op].flags & IR_OPF_Z)
            return bad(v, r, "a terminator inside a block");
        if (i->op == IR_nop)
            continue;
        if (!check_args(v, r, b) || !check_special(v, r) || (i->op == IR_call && !check_call(v, r)))
            return false;
    }
    return check_edges(v, b);
}

static bool check_uses(Verifier *v)
{
    const IrUnit *u = v->u;
    g_autofree uint32_t *uses = g_new0(uint32_t, u->n_insns);
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first; r; r = u->insn[r].next) {
            unsigned n;
            const IrRef *arg = ir_args(u, r, &n);
            for (unsigned a = 0; a < n; a++)
                uses[arg[a]]++;
        }
    for (IrRef r = 1; r < u->n_insns; r++)
        if (v->place[r] && u->insn[r].uses != uses[r])
            return bad(v, r, "isn't used as often as it says");
    return true;
}

bool ir_verify(const IrUnit *u, GError **error)
{
    g_autofree uint32_t *place = g_new0(uint32_t, u->n_insns);
    g_autofree uint32_t *block_of = g_new0(uint32_t, u->n_insns);
    g_autofree uint32_t *idom = g_new0(uint32_t, u->n_blocks);
    Verifier v = { u, place, block_of, idom, error };
    uint32_t n = 0;
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first; r; r = u->insn[r].next) {
            if (r >= u->n_insns || place[r] || u->insn[r].op >= IR_N_OPS)
                return bad(&v, r < u->n_insns ? r : 0, "listed twice, or no operation");
            place[r] = ++n;
            block_of[r] = b;
        }
    find_dominators(&v);
    for (uint32_t b = 0; b < u->n_blocks; b++)
        if (!check_block(&v, b))
            return false;
    return !u->uses_known || check_uses(&v);
}
