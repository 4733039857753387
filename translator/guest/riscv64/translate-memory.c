/* data plane */
/* RV64I loads and stores, fences, cache-block operations. Misaligned accesses work. */
#include "translator/guest/riscv64/lift.h"
#include "translator/guest/riscv64/rv-decode.h"

static bool load(LiftContext *ctx, unsigned mem, const ArgI *a)
{
    return rv_put(ctx, a->rd, ir_load(&ctx->b, IR_I64, mem, rv_get(ctx, a->rs1), a->imm));
}

static bool store(LiftContext *ctx, unsigned mem, const ArgS *a)
{
    ir_store(&ctx->b, mem, rv_get(ctx, a->rs1), a->imm, rv_get(ctx, a->rs2));
    return true;
}

bool rv_lift_LB(LiftContext *ctx, const ArgLB *a) { return load(ctx, 0 | IR_MEM_SIGNED, a); }
bool rv_lift_LH(LiftContext *ctx, const ArgLH *a) { return load(ctx, 1 | IR_MEM_SIGNED, a); }
bool rv_lift_LW(LiftContext *ctx, const ArgLW *a) { return load(ctx, 2 | IR_MEM_SIGNED, a); }
bool rv_lift_LD(LiftContext *ctx, const ArgLD *a) { return load(ctx, 3, a); }
bool rv_lift_LBU(LiftContext *ctx, const ArgLBU *a) { return load(ctx, 0, a); }
bool rv_lift_LHU(LiftContext *ctx, const ArgLHU *a) { return load(ctx, 1, a); }
bool rv_lift_LWU(LiftContext *ctx, const ArgLWU *a) { return load(ctx, 2, a); }
bool rv_lift_SB(LiftContext *ctx, const ArgSB *a) { return store(ctx, 0, a); }
bool rv_lift_SH(LiftContext *ctx, const ArgSH *a) { return store(ctx, 1, a); }
bool rv_lift_SW(LiftContext *ctx, const ArgSW *a) { return store(ctx, 2, a); }
bool rv_lift_SD(LiftContext *ctx, const ArgSD *a) { return store(ctx, 3, a); }

/* Device input counts as a read, device output as a write. */
bool rv_lift_FENCE(LiftContext *ctx, const ArgFENCE *a)
{
    bool pr = a->pred & 10, pw = a->pred & 5, sr = a->succ & 10, sw = a->succ & 5;
    unsigned order = (pr && sr ? IR_FENCE_RR : 0) | (pr && sw ? IR_FENCE_RW : 0) |
                     (pw && sr ? IR_FENCE_WR : 0) | (pw && sw ? IR_FENCE_WW : 0);
    if (a->fm == 8) /* FENCE.TSO: all but write to read */
        order &= ~(unsigned)IR_FENCE_WR;
    if (order)
        ir_emit(&ctx->b, IR_fence, IR_VOID, 0, order, 0, 0, 0, 0, 0);
    return true;
}

/* There is no range: everything that was translated may be stale (Zifencei). */
bool rv_lift_FENCE_I(LiftContext *ctx, const ArgFENCE_I *a)
{
    return rv_trap(ctx, VCPU_EXIT_ICACHE, rv_next_pc(ctx), rv_const(ctx, -1));
}

/* The block must be accessible; memory and caches are coherent here. Clean and flush fault as a
 * load would (CMO, "permissions for CMOs"). Linux doesn't give inval to user programs. */
bool rv_lift_CBO(LiftContext *ctx, const ArgCBO *a)
{
    if (a->op == 0)
        return false;
    ir_load(&ctx->b, IR_I64, 0, rv_get(ctx, a->rs1), 0);
    return true;
}

bool rv_lift_CBO_ZERO(LiftContext *ctx, const ArgCBO_ZERO *a)
{
    IrBuilder *b = &ctx->b;
    IrRef base = ir_op2i(b, IR_and, rv_get(ctx, a->rs1), ~(uint64_t)(RISCV_CBO_BYTES - 1));
    IrRef zero = ir_vconst(b, 0, 0);
    for (int i = 0; i < RISCV_CBO_BYTES; i += 16)
        ir_store(b, 4, base, i, zero);
    return true;
}
