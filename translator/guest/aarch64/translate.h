/*
 * Common to the lifters of AArch64: register access, ways out. Every *.decode file adds rows to the
 * one decoder `a64`; a row NAME is lifted by a64_lift_NAME(), declared in the generated
 * a64-decode.h.
 *
 * A lifter returns false for an encoding that is unallocated after all. It does so before it emits
 * anything, since the caller then emits the undefined-instruction trap.
 */
#ifndef TRANSLATOR_GUEST_AARCH64_TRANSLATE_H
#define TRANSLATOR_GUEST_AARCH64_TRANSLATE_H

#include "translator/guest/aarch64/a64-decode.h"
#include "translator/guest/aarch64/cpu.h"
#include "translator/guest/aarch64/features.h"
#include "translator/guest/isa.h"

/* Floating point, SIMD, crypto (simd.c): false when unallocated, as a64_decode(). */
bool a64_lift_simd_fp(LiftContext *ctx, uint32_t word);   /* op0 x111 */
bool a64_lift_ldst_simd(LiftContext *ctx, uint32_t word); /* op0 x110 */

static inline const A64Model *a64_model(const LiftContext *ctx) { return ctx->cpu_model; }
static inline bool a64_has(const LiftContext *ctx, A64Feature f)
{ return a64_model_has(a64_model(ctx), f); }
/* if=NAME of the decode tables. */
#define A64_HAS(ctx, name) a64_has(ctx, A64_FEAT_##name)
/* The FPCR bits of A64_MODE_FPCR, constant while this unit runs. */
static inline uint32_t a64_fpcr_mode(const LiftContext *ctx) { return (uint32_t)ctx->mode; }

/* -- constants ------------------------------------------------------------------------------- */
static inline IrRef a64_i32(LiftContext *ctx, uint32_t value)
{ return ir_const(&ctx->b, IR_I32, value); }
static inline IrRef a64_i64(LiftContext *ctx, uint64_t value)
{ return ir_const(&ctx->b, IR_I64, value); }
static inline IrRef a64_int(LiftContext *ctx, bool sf, uint64_t value)
{ return sf ? a64_i64(ctx, value) : a64_i32(ctx, (uint32_t)value); }
static inline IrRef a64_codeaddr(LiftContext *ctx, GuestAddr addr)
{ return ir_emit(&ctx->b, IR_codeaddr, IR_I64, 0, 0, 0, 0, 0, 0, (int64_t)addr); }

/* -- general registers: number 31 is the zero register, or SP in the …sp forms ----------------- */
static inline IrRef a64_trunc(LiftContext *ctx, IrRef v)
{ return ir_op1(&ctx->b, IR_trunc, IR_I32, v); }
static inline IrRef a64_zext(LiftContext *ctx, IrRef v)
{ return ir_op1(&ctx->b, IR_zext, IR_I64, v); }
static inline IrRef a64_sext(LiftContext *ctx, IrRef v)
{ return ir_op1(&ctx->b, IR_sext, IR_I64, v); }

static inline IrRef a64_get_x(LiftContext *ctx, unsigned r)
{ return r == 31 ? a64_i64(ctx, 0) : ir_get(&ctx->b, A64_VAR_X0 + r); }
static inline IrRef a64_get_w(LiftContext *ctx, unsigned r)
{ return r == 31 ? a64_i32(ctx, 0) : a64_trunc(ctx, ir_get(&ctx->b, A64_VAR_X0 + r)); }
static inline IrRef a64_get_r(LiftContext *ctx, bool sf, unsigned r)
{ return sf ? a64_get_x(ctx, r) : a64_get_w(ctx, r); }
static inline IrRef a64_get_xsp(LiftContext *ctx, unsigned r)
{ return ir_get(&ctx->b, A64_VAR_X0 + r); } /* A64_VAR_SP follows X30 */
static inline IrRef a64_get_rsp(LiftContext *ctx, bool sf, unsigned r)
{ return sf ? a64_get_xsp(ctx, r) : a64_trunc(ctx, a64_get_xsp(ctx, r)); }

static inline void a64_put_x(LiftContext *ctx, unsigned r, IrRef v)
{ if (r != 31) ir_put(&ctx->b, A64_VAR_X0 + r, v); }
static inline void a64_put_w(LiftContext *ctx, unsigned r, IrRef v)
{ if (r != 31) ir_put(&ctx->b, A64_VAR_X0 + r, a64_zext(ctx, v)); }
/* By the value's own type, i32 or i64. */
static inline void a64_put_r(LiftContext *ctx, unsigned r, IrRef v)
{ ir_type(&ctx->b, v) == IR_I32 ? a64_put_w(ctx, r, v) : a64_put_x(ctx, r, v); }
static inline void a64_put_rsp(LiftContext *ctx, unsigned r, IrRef v)
{ ir_put(&ctx->b, A64_VAR_X0 + r, ir_type(&ctx->b, v) == IR_I32 ? a64_zext(ctx, v) : v); }

static inline IrRef a64_get_flags(LiftContext *ctx) { return ir_get(&ctx->b, A64_VAR_NZCV); }
static inline void a64_put_flags(LiftContext *ctx, IrRef f) { ir_put(&ctx->b, A64_VAR_NZCV, f); }
/* Flags of an operation on values, whose type is theirs: fladd flsub, flogic. */
static inline IrRef a64_flags2(LiftContext *ctx, IrOp op, IrRef x, IrRef y)
{ return ir_emit(&ctx->b, op, IR_FLAGS, 0, ir_type(&ctx->b, x), x, y, 0, 0, 0); }
static inline IrRef a64_flags1(LiftContext *ctx, IrOp op, IrRef x)
{ return ir_emit(&ctx->b, op, IR_FLAGS, 0, ir_type(&ctx->b, x), x, 0, 0, 0, 0); }
/* NZCV in bits 31..28 of an i32. */
static inline IrRef a64_unpack_flags(LiftContext *ctx)
{ return ir_op1(&ctx->b, IR_flunpack, IR_I32, a64_get_flags(ctx)); }
/* ubfx and sbfx (y unused), bfi: a field of `length` bits at lsb. */
static inline IrRef a64_field(LiftContext *ctx, IrOp op, IrRef x, IrRef y, unsigned lsb,
                              unsigned length)
{ return ir_emit(&ctx->b, op, ir_type(&ctx->b, x), 0, lsb | length << 8, x, y, 0, 0, 0); }
/* An instruction's condition (C1.2.4) as i1. 14 and 15 are "always". */
IrRef a64_cond(LiftContext *ctx, unsigned cond);

/* -- vector registers: writes clear what the access size does not cover ------------------------ */
static inline IrRef a64_get_v(LiftContext *ctx, unsigned r)
{ return ir_get(&ctx->b, A64_VAR_V0 + r); }
static inline void a64_put_v(LiftContext *ctx, unsigned r, IrRef v)
{ ir_put(&ctx->b, A64_VAR_V0 + r, v); }
/* With q false the upper half is cleared. */
static inline void a64_put_vq(LiftContext *ctx, bool q, unsigned r, IrRef v)
{ a64_put_v(ctx, r, q ? v : ir_op1(&ctx->b, IR_vlow, IR_V128, v)); }
static inline IrRef a64_get_d(LiftContext *ctx, unsigned r)
{ return ir_emit(&ctx->b, IR_vtos, IR_F64, IR_LANE_F64, 0, a64_get_v(ctx, r), 0, 0, 0, 0); }
static inline IrRef a64_get_s(LiftContext *ctx, unsigned r)
{ return ir_emit(&ctx->b, IR_vtos, IR_F32, IR_LANE_F32, 0, a64_get_v(ctx, r), 0, 0, 0, 0); }
/* One of the two halves as an i64. */
static inline IrRef a64_get_half(LiftContext *ctx, unsigned r, unsigned half)
{ return ir_emit(&ctx->b, IR_vget, IR_I64, IR_LANE_I64, 0, a64_get_v(ctx, r), 0, 0, 0, half); }
/* The low 16 bits as an i32, zero-extended. */
static inline IrRef a64_get_h(LiftContext *ctx, unsigned r)
{ return ir_emit(&ctx->b, IR_vget, IR_I32, IR_LANE_I16, 0, a64_get_v(ctx, r), 0, 0, 0, 0); }
/* A scalar (i32 i64 f32 f64) to the register's lowest lane, the rest 0. */
static inline void a64_put_scalar(LiftContext *ctx, unsigned r, IrRef v)
{
    IrType t = ir_type(&ctx->b, v);
    IrLane lane = t == IR_I32 ? IR_LANE_I32 : t == IR_I64 ? IR_LANE_I64
                : t == IR_F32 ? IR_LANE_F32 : IR_LANE_F64;
    a64_put_v(ctx, r, ir_emit(&ctx->b, IR_vfroms, IR_V128, lane, t, v, 0, 0, 0, 0));
}

/* GuestIsa.lazy_dead: is NZCV overwritten unread from there on? */
bool a64_flags_dead(CodeWindow *w, GuestAddr at);

/* -- leaving ---------------------------------------------------------------------------------- */
/* Ends the unit with `reason`; pc: what to store. payload may be IR_NONE. */
void a64_trap(LiftContext *ctx, VcpuExit reason, GuestAddr pc, IrRef payload);
/* Ends the unit by going on at the next instruction. */
void a64_end_unit(LiftContext *ctx);

/* -- helpers: numbers in the guest's table, rows in helpers.def ------------------------------- */
enum {
#define HELPER(name, sig, flags) A64_HELPER_##name,
#include "translator/guest/aarch64/helpers.def"
#undef HELPER
    A64_N_HELPERS
};
/* Emits a call; `type` is the result's (IR_VOID: none). */
static inline IrRef a64_call(LiftContext *ctx, unsigned helper, IrType type, IrRef a0, IrRef a1,
                             IrRef a2, IrRef a3)
{ return ir_emit(&ctx->b, IR_call, type, 0, 0, a0, a1, a2, a3, helper); }

#endif
