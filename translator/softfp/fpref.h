/*
 * Reference semantics of the IR's floating-point and vector operations on plain bits, without the
 * host's floating-point unit: the interpreter runs by them, the x86-64 backend's trap repair and
 * slow paths call them, and tests compare against them. Async-signal-safe; no allocation.
 */
#ifndef TRANSLATOR_SOFTFP_FPREF_H
#define TRANSLATOR_SOFTFP_FPREF_H

#include "translator/ir/ir.h"

typedef struct FpEnv {
    IrRound round;  /* what IR_ROUND_DYN means */
    bool flush;     /* IR_FPC_FLUSH */
    uint32_t flags; /* IR_FPX_*: operations add to it */
} FpEnv;

/* A scalar operation (fadd … f2i, fcmp, flfcmp …); i32/f32 in the low 32 bits, upper bits 0; i1 as
 * 0 or 1; flags as NZCV in bits 31..28. `type` is the result's, `arg_type` the first argument's. */
uint64_t fpref_scalar(IrOp op, IrType type, IrType arg_type, unsigned cc, unsigned attr,
                      int64_t imm, uint64_t a, uint64_t b, uint64_t c, FpEnv *env);
/* A vector operation vf…: cc is the lane. */
V128 fpref_vector(IrOp op, unsigned cc, unsigned attr, int64_t imm, V128 a, V128 b, V128 c,
                  FpEnv *env);
/* An integer vector operation v… with a v128 result and v128 arguments only. */
V128 vecref(IrOp op, unsigned cc, unsigned attr, int64_t imm, V128 a, V128 b, V128 c);

/* Half precision, for guests' helpers: op is IR_fadd … IR_fma, fcmp, fround, f2i, i2f, on the low
 * 16 bits. `type` is the integer's in f2i and i2f. */
uint64_t fpref_half(IrOp op, IrType type, unsigned cc, unsigned attr, int64_t imm, uint64_t a,
                    uint64_t b, uint64_t c, FpEnv *env);

#endif
