/* data plane */
/* What the files of floating-point selection share: see select-float.c. */
#ifndef TRANSLATOR_HOST_X86_64_SELECT_FLOAT_H
#define TRANSLATOR_HOST_X86_64_SELECT_FLOAT_H

#include "translator/host/x86_64/fp-site.h"

Vop fp_scalar_vop(Vop packed, bool dbl);
Mem fp_sign_mask(Emit *e, bool dbl);     /* 16 bytes, the rest 0 */
void fp_ucomis(Emit *e, bool dbl, bool signalling, Reg a, Operand b);
/* Must the operation be done in C? `rounds`: its rounding mode can only be the dynamic one. */
bool fp_needs_slow(Emit *e, const IrInsn *i, bool rounds);
/* IR_FP_NAN_DEFAULT: does someone see the payload? Then, after flags_clobber(): */
bool fp_canonical_wanted(Emit *e, const IrInsn *i);
/* Makes r, the result of i, the default NaN if it is a NaN; t: from fp_canonical_temp(), which is
 * to be called before the result's register is asked for. */
Reg fp_canonical_temp(Emit *e, bool wanted);
void fp_canonical(Emit *e, IrInsn *i, Reg r, Reg t);
/* IR_FP_FLUSH: a minimum that traps when x or y is denormal or a NaN; t is overwritten. */
void fp_probe(Emit *e, const IrInsn *i, Vop min, Reg t, Reg x, Operand y);
void fp_probe_tiny(Emit *e, Vop mul, bool dbl, Reg t, Reg d);
int fp_round_imm(unsigned attr);         /* of roundss and its like; -1: no such mode */
void fp_round_away(Emit *e, bool dbl, Reg t, Reg f, Reg x);

SelectFn sel_fcvt, sel_h2f, sel_f2h, sel_f2i, sel_i2f, sel_f2bits, sel_bits2f, sel_fbox, sel_funbox;

#endif
