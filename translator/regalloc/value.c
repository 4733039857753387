/* data plane */
/* What the allocator's users may know of a value. */
#include "translator/regalloc/state.h"

const IrInsn *ra_insn(Ra *ra, IrRef v)
{
    IrRef r = ra->value[ra_root(ra, v)].insn;
    return r ? &ra->unit->insn[r] : NULL;
}

bool ra_is_const(Ra *ra, IrRef v, uint64_t *ret_bits)
{
    const IrInsn *i = ra_insn(ra, v);
    if (!i || i->op != IR_const)
        return false;
    *ret_bits = i->imm;
    return true;
}

bool ra_is_vconst(Ra *ra, IrRef v, V128 *ret_bits)
{
    const IrInsn *i = ra_insn(ra, v);
    if (!i || i->op != IR_vconst)
        return false;
    *ret_bits = ra->unit->vconst[i->imm];
    return true;
}

bool ra_fits_i32(Ra *ra, IrRef v, int32_t *ret_imm)
{
    uint64_t c;
    if (!ra_is_const(ra, v, &c))
        return false;
    if (ra->unit->insn[v].type == IR_I64 && (int64_t)c != (int32_t)c)
        return false;
    *ret_imm = (int32_t)c;
    return true;
}
