/* data plane */
/*
 * The RISC-V guest's descriptor: its variables, its helpers, and the loop-free entry that lifts one
 * instruction.
 */
#include <string.h>

#include "translator/guest/riscv64/lift.h"
#include "translator/guest/riscv64/model.h"
#include "translator/guest/riscv64/rv-decode.h"

#define X(n, rank) { "x" #n, IR_I64, 0, rank, offsetof(RiscvCpu, x[n]) }
#define F(n, rank) { "f" #n, IR_F64, 0, rank, offsetof(RiscvCpu, f[n]) }

/* Homes by how often compiled programs use the registers: a5 to s3 are measured, the others follow
 * in the order in which compilers take them. a7, which was the eleventh, saved cc1 a fifth of the
 * loads and stores that s2 does; s3 saves recursion more than a1 would. */
static const IrVar vars[RV_N_VARS] = {
    { "x1", IR_I64, IR_VAR_RETURN, 9, offsetof(RiscvCpu, x[1]) },
    X(2, 5), X(3, 30), X(4, 29), X(5, 17), X(6, 14), X(7, 19),
    X(8, 4), X(9, 8), X(10, 3), X(11, 13), X(12, 6), X(13, 2), X(14, 1), X(15, 0), X(16, 12),
    X(17, 11), X(18, 10), X(19, 7), X(20, 15), X(21, 18), X(22, 20), X(23, 21), X(24, 22),
    X(25, 23), X(26, 24), X(27, 25), X(28, 16), X(29, 26), X(30, 27), X(31, 28),
    F(0, 8), F(1, 9), F(2, 10), F(3, 11), F(4, 12), F(5, 13), F(6, 14), F(7, 15),
    F(8, 16), F(9, 17), F(10, 2), F(11, 4), F(12, 5), F(13, 3), F(14, 1), F(15, 0),
    F(16, 6), F(17, 7), F(18, 18), F(19, 19), F(20, 20), F(21, 21), F(22, 22), F(23, 23),
    F(24, 24), F(25, 25), F(26, 26), F(27, 27), F(28, 28), F(29, 29), F(30, 30), F(31, 31),
    { "reserved_addr", IR_I64, 0, -1, offsetof(RiscvCpu, reserved_addr) },
    { "reserved_value", IR_I64, 0, -1, offsetof(RiscvCpu, reserved_value) },
    { "frm", IR_I32, 0, -1, offsetof(RiscvCpu, frm) },
};

static const IrHelper helpers[RV_N_HELPERS] = {
    [RV_HELPER_FCVTMOD] = { "fcvtmod", (void (*)(void))riscv_fcvtmod, "L:L", IR_HELPER_PURE },
    [RV_HELPER_COUNTER] = { "counter", (void (*)(void))riscv_counter, "L:", 0 },
    [RV_HELPER_CALLOUT] = { "callout", (void (*)(void))vcpu_callout, VCPU_CALLOUT_SIG, 0 },
    [RV_HELPER_WATCHED] = { "watched", (void (*)(void))vcpu_watched, VCPU_WATCHED_SIG, 0 },
    [RV_HELPER_CRITICAL] = { "critical", (void (*)(void))vcpu_critical_store, VCPU_CRITICAL_SIG,
                             IR_HELPER_FAULTS },
};

static void reset(void *state, const void *model)
{
    RiscvCpu *cpu = state;
    memset(cpu, 0, sizeof *cpu);
    cpu->reserved_addr = (uint64_t)RISCV_NO_RESERVATION;
}

static uint64_t mode(const void *state)
{
    const RiscvCpu *cpu = state;
    if (cpu->frm < 4)
        return cpu->frm ? RV_MODE_FRM_DIRECTED : 0;
    return cpu->frm == 4 ? RV_MODE_FRM_RMM : RV_MODE_FRM_INVALID;
}

/* jalr drops the lowest bit (Unpriv 20240411, §2.5.1), as a return from a trap does. */
static GuestAddr branch_target(GuestAddr target)
{
    return target & ~1ull;
}

bool rv_trap(LiftContext *ctx, VcpuExit why, GuestAddr pc, IrRef payload)
{
    ir_emit(&ctx->b, IR_trap, IR_VOID, 0, why, payload, 0, 0, 0, (int64_t)pc);
    ctx->ended = true;
    return true;
}

/* Looks back a few operations for the last write of the register in this block. */
bool rv_known_codeaddr(LiftContext *ctx, int r, GuestAddr *ret_addr)
{
    const IrUnit *unit = ctx->b.unit;
    IrRef ref = unit->block[ctx->b.block].last;
    for (int i = 0; r && ref != IR_NONE && i < 24; i++, ref = unit->insn[ref].prev) {
        const IrInsn *insn = &unit->insn[ref];
        if (ir_is_gcall(insn->op))
            return false;
        if (insn->op == IR_put && insn->imm == r - 1) {
            const IrInsn *value = &unit->insn[insn->arg[0]];
            if (value->op != IR_codeaddr)
                return false;
            *ret_addr = (GuestAddr)value->imm;
            return true;
        }
    }
    return false;
}

/* Unpriv 20240411, §1.5: the lowest bits of the first parcel tell the length. */
static void lift(LiftContext *ctx)
{
    uint32_t insn = rvc_fetch(ctx->code);
    bool known;
    ctx->bytes = 2;
    if ((insn & 3) != 3) {
        known = RV_HAS(ctx, zca) && rvc_decode(ctx, insn);
    } else if (ctx->avail < 4) {
        ctx->need_more = true;
        return;
    } else {
        ctx->bytes = 4;
        insn = rv_fetch(ctx->code);
        known = rv_decode(ctx, insn);
    }
    if (!known)
        rv_trap(ctx, VCPU_EXIT_UNDEF, ctx->pc, rv_const(ctx, insn));
}

const GuestIsa guest_riscv64 = {
    .name = "riscv64",
    .capstone = "riscv64c",
    .min_insn_bytes = 2,
    .max_insn_bytes = 4,
    .pc_align = 2,
    .cpu_bytes = (sizeof(RiscvCpu) + 15) & ~(size_t)15,
    .pc_offset = offsetof(RiscvCpu, pc),
    .vars = vars,
    .n_vars = RV_N_VARS,
    .helpers = helpers,
    .n_helpers = RV_N_HELPERS,
    .watch_helper = RV_HELPER_WATCHED,
    .critical_helper = RV_HELPER_CRITICAL,
    .model = riscv_model,
    .models = riscv_models,
    .reset = reset,
    .lift = lift,
    .mode = mode,
    .branch_target = branch_target,
    .asks_fp_flags = true,
};
