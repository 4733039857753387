/*
 * Private to the RISC-V guest's lifters: variables, helpers, and the small forms of which they are
 * made. A lifter emits IR for one instruction and returns true, or returns false before it emitted
 * anything (undefined instruction).
 */
#ifndef TRANSLATOR_GUEST_RISCV64_LIFT_H
#define TRANSLATOR_GUEST_RISCV64_LIFT_H

#include "translator/guest/isa.h"
#include "translator/guest/riscv64/cpu.h"

/* Variables: x1 … x31, f0 … f31, then these. */
enum {
    RV_VAR_F = 31,
    RV_VAR_RESERVED_ADDR = 63,
    RV_VAR_RESERVED_VALUE,
    RV_VAR_FRM,
    RV_N_VARS
};

enum RiscvHelper { RV_HELPER_FCVTMOD, RV_HELPER_COUNTER,
                   RV_HELPER_CALLOUT, RV_HELPER_WATCHED, RV_HELPER_CRITICAL,
                   RV_N_HELPERS };

/* GuestIsa.mode(): what of frm the code depends on. 0 is to nearest, as nearly all code runs, where
 * an instruction that says so itself (V8's all do) is like one that goes by frm. DIRECTED is what
 * else the host can do. In the other two its control word says to nearest. */
enum { RV_MODE_FRM_RMM = 1, RV_MODE_FRM_INVALID = 2, RV_MODE_FRM_DIRECTED = 3 };

#define RV_HAS(ctx, f) riscv_model_has((ctx)->cpu_model, RISCV_EXT_##f)

/* The registers that three bits name. */
static inline int rv_creg(LiftContext *ctx, int r) { return r + 8; }

uint64_t riscv_counter(Vcpu *v);
uint64_t riscv_fcvtmod(Vcpu *v, uint64_t bits);

static inline IrRef rv_get(LiftContext *ctx, int r)
{
    return r ? ir_get(&ctx->b, (unsigned)r - 1) : ir_const(&ctx->b, IR_I64, 0);
}

static inline bool rv_put(LiftContext *ctx, int r, IrRef value)
{
    if (r)
        ir_put(&ctx->b, (unsigned)r - 1, value);
    return true;
}

static inline IrRef rv_const(LiftContext *ctx, int64_t c)
{
    return ir_const(&ctx->b, IR_I64, (uint64_t)c);
}

static inline IrRef rv_codeaddr(LiftContext *ctx, GuestAddr pc)
{
    return ir_emit(&ctx->b, IR_codeaddr, IR_I64, 0, 0, 0, 0, 0, 0, (int64_t)pc);
}

/* The low word of a register, and a word sign-extended as every W instruction leaves it. */
static inline IrRef rv_get_w(LiftContext *ctx, int r)
{
    return r ? ir_op1(&ctx->b, IR_trunc, IR_I32, rv_get(ctx, r)) : ir_const(&ctx->b, IR_I32, 0);
}

static inline bool rv_put_w(LiftContext *ctx, int r, IrRef word)
{
    return rv_put(ctx, r, ir_op1(&ctx->b, IR_sext, IR_I64, word));
}

/* A register as the low half of a vector, and a half of one. */
static inline IrRef rv_get_vector(LiftContext *ctx, int r)
{
    return ir_emit(&ctx->b, IR_vfroms, IR_V128, 0, IR_I64, rv_get(ctx, r), 0, 0, 0, 0);
}

static inline IrRef rv_half(LiftContext *ctx, IrRef v, int half)
{
    return ir_emit(&ctx->b, IR_vget, IR_I64, IR_LANE_I64, 0, v, 0, 0, 0, half);
}

static inline bool rv_put_bool(LiftContext *ctx, int r, IrRef bit)
{
    return rv_put(ctx, r, ir_op1(&ctx->b, IR_b2i, IR_I64, bit));
}

static inline GuestAddr rv_next_pc(const LiftContext *ctx) { return ctx->pc + ctx->bytes; }

/* Whether x[r] is known to be a code address here (auipc earlier in the block). */
bool rv_known_codeaddr(LiftContext *ctx, int r, GuestAddr *ret_addr);

/* Ends the unit by a trap. */
bool rv_trap(LiftContext *ctx, VcpuExit why, GuestAddr pc, IrRef payload);

#endif
