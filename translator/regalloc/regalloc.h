/* data plane */
/*
 * Register allocation, as instruction selection sees it: a single forward pass over the block that
 * hands out registers on demand, with the distance of each value's next use known beforehand.
 * Selection never decides where a value lives; it asks. (A region allocator may later answer the
 * same requests from a precomputed assignment.)
 *
 * Rules for select functions
 *  1. First every ra_use* of the arguments, then ra_temp/ra_take, then ra_def*, then emit. Requests
 *     may emit moves, reloads and spills at the current place; none of them changes EFLAGS.
 *  2. A register that a request returned stays valid until the instruction is done. What ra_use
 *     returned is read-only unless said; the result of ra_use_scratch, ra_temp, ra_take is one's
 *     own.
 *  3. At most about six registers of a class at once (there are 14 GPR and 16 XMM).
 *  4. An i32 value's register has an undefined upper half. An i1 value in a register is 0 or 1 in
 *     the low 32 bits. f32 and f64 values leave the rest of the XMM register undefined.
 *  5. i1, i32, i64, flags values live in GPRs; f32, f64, v128, i128 in XMM registers.
 *
 * Registers are numbered 0 … 15 (GPR) and 16 … 31 (XMM).
 */
#ifndef TRANSLATOR_REGALLOC_REGALLOC_H
#define TRANSLATOR_REGALLOC_REGALLOC_H

#include "translator/cache/unit-points.h"
#include "translator/ir/ir.h"

typedef uint8_t Reg;
enum { REG_NONE = 0xff, RA_N_REGS = 32 };
typedef struct Ra Ra;

/* [base + (index << scale) + disp]. base may be REG_NONE, BASE_POOL (disp: offset in the unit's
 * constant pool, see encode.h) or BASE_GUEST (disp: the guest's address). */
typedef struct Mem {
    Reg base, index;
    uint8_t scale;
    uint8_t seg;   /* 0, or the segment prefix byte */
    int32_t disp;
} Mem;

/* A register or a memory operand. */
typedef struct Operand {
    Reg reg;       /* REG_NONE: mem */
    Mem mem;
} Operand;
static inline Operand operand_reg(Reg r) { return (Operand) { r, { 0 } }; }
static inline Operand operand_mem(Mem m) { return (Operand) { REG_NONE, m }; }

/* -- arguments --------------------------------------------------------------------------------- */
Reg ra_use(Ra *ra, IrRef v);                 /* in a register, read only */
Reg ra_use_scratch(Ra *ra, IrRef v);         /* a copy that may be overwritten */
void ra_use_fixed(Ra *ra, IrRef v, Reg reg); /* a copy in this register, which may be overwritten */
/* Where the value is: a register, or memory when it lives only in the state or a spill slot (its
 * bytes there: 4 for i32/f32 at least, 8 i64/f64, 16 v128 aligned; f32 in 8). */
Operand ra_use_rm(Ra *ra, IrRef v);
bool ra_is_const(Ra *ra, IrRef v, uint64_t *ret_bits); /* integer or float constant, by its bits */
bool ra_is_vconst(Ra *ra, IrRef v, V128 *ret_bits);
bool ra_fits_i32(Ra *ra, IrRef v, int32_t *ret_imm); /* usable as a sign-extended immediate of an
                                                        operation of the value's width */
const IrInsn *ra_insn(Ra *ra, IrRef v);      /* the instruction that made it, copies and gets seen
                                                through; NULL: a variable's value at unit entry */
bool ra_same(Ra *ra, IrRef a, IrRef b);      /* the same value, seen through copies */
/* No use after this instruction and bound to no variable: its register may be overwritten. */
bool ra_dies(Ra *ra, IrRef v);

/* -- the result of the current instruction i --------------------------------------------------- */
Reg ra_def(Ra *ra, IrInsn *i);               /* different from every register in use */
/* May be the same as an argument's that dies here: only if the result is written by the last
 * machine instruction that reads an argument. */
Reg ra_def_late(Ra *ra, IrInsn *i);
/* A register that holds argument v's value already, to be overwritten by the result (the form for
 * two-operand instructions). No other argument's register is it, unless it is the same value. */
Reg ra_def_over(Ra *ra, IrInsn *i, IrRef v);
/* The same where the result holds all that v does and more: no copy is made even if v is used
 * later, as those uses take the result. */
Reg ra_def_same(Ra *ra, IrInsn *i, IrRef v);
void ra_def_is(Ra *ra, IrInsn *i, Reg own);  /* the result is in this register of ours (scratch,
                                                temp, taken) */
void ra_def_alias(Ra *ra, IrInsn *i, IrRef v); /* the result is that value: emits nothing */

/* -- temporaries ------------------------------------------------------------------------------- */
Reg ra_temp_gpr(Ra *ra);
Reg ra_temp_xmm(Ra *ra);
void ra_take(Ra *ra, Reg reg);               /* this very register, emptied, as a temporary */
void ra_release(Ra *ra, Reg reg);            /* a temporary is free again before the end */

/* -- calls: every register in `mask` is emptied (values move to others or to memory) ----------- */
void ra_clobber(Ra *ra, uint32_t mask);

#endif
