/* data plane */
/* AES rounds. AESENC x, k = MixColumns(SubBytes(ShiftRows(x))) ^ k; Arm splits it and adds the key
 * first, so the host's key is 0. */
#include "translator/host/x86_64/select-vector.h"

/* The mix-columns operation that alone uses this value, or NULL. */
static IrInsn *only_mix(Emit *e, IrInsn *i)
{
    IrInsn *insn = e->unit->insn;
    IrRef self = i - insn;
    IrOp mix = i->op == IR_vaese ? IR_vaesmc : IR_vaesimc;
    if (i->uses != 1)
        return NULL;
    unsigned n = 0;
    for (IrRef r = i->next; r && n < 8; r = insn[r].next, n++)
        if (insn[r].arg[0] == self)
            return insn[r].op == mix ? &insn[r] : NULL;
    return NULL;
}

/* The pair is one host instruction: for decryption InvMixColumns comes last in both. */
void sel_vaese(Emit *e, IrInsn *i)
{
    if (!e->cpu->aes) {
        vec_slow(e, i);
        return;
    }
    IrInsn *mix = only_mix(e, i);
    Vop op = i->op == IR_vaese ? (mix ? VAESENC : VAESENCLAST) : mix ? VAESDEC : VAESDECLAST;
    Reg a = ra_use(e->ra, i->arg[0]), b = ra_use(e->ra, i->arg[1]);
    Reg t = ra_temp_xmm(e->ra), d = ra_def(e->ra, i);
    emit_vzero(e, t);
    emit_vrrr(e, VPXOR, d, a, b);
    emit_vrrr(e, op, d, d, t);
    if (mix)
        mix->attr |= VEC_FUSED;
}

void sel_vaesmc(Emit *e, IrInsn *i)
{
    if (i->attr & VEC_FUSED) {
        ra_def_over(e->ra, i, i->arg[0]);
        return;
    }
    if (!e->cpu->aes) {
        vec_slow(e, i);
        return;
    }
    Reg a = ra_use(e->ra, i->arg[0]), t = ra_temp_xmm(e->ra), d = ra_def(e->ra, i);
    emit_vzero(e, t);
    emit_vrrr(e, VAESDECLAST, d, a, t); /* undoes the first half of the next */
    emit_vrrr(e, VAESENC, d, d, t);
}

void sel_vaesimc(Emit *e, IrInsn *i)
{
    if (i->attr & VEC_FUSED)
        ra_def_over(e->ra, i, i->arg[0]);
    else if (!e->cpu->aes)
        vec_slow(e, i);
    else
        vec_op2(e, i, VAESIMC, i->arg[0]);
}
