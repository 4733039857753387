/* data plane */
/*
 * AArch64: loads and stores of general registers (ldst.decode).
 *
 * Everything that may fault comes before any put, so that a faulting instruction leaves the
 * registers as they were. SP's alignment isn't checked (a gap: README.md).
 */
#include "translator/guest/aarch64/pauth.h"
#include "translator/guest/aarch64/translate.h"

/* A load to general register rt as opc says; see ldst.decode. */
static void load_reg(LiftContext *ctx, unsigned size, unsigned opc, unsigned rt, IrRef addr,
                     int64_t disp)
{
    if (opc == 3) /* signed to 32 bits, upper half zero */
        a64_put_w(ctx, rt, ir_load(&ctx->b, IR_I32, size | IR_MEM_SIGNED, addr, disp));
    else
        a64_put_x(ctx, rt,
                  ir_load(&ctx->b, IR_I64, size | (opc == 2 ? IR_MEM_SIGNED : 0), addr, disp));
}

static bool opc_reserved(unsigned size, unsigned opc)
{
    return (size == 3 && opc >= 2) || (size == 2 && opc == 3);
}

static void access_reg(LiftContext *ctx, unsigned size, unsigned opc, unsigned rt, IrRef addr,
                       int64_t disp)
{
    if (opc == 0)
        ir_store(&ctx->b, size, addr, disp, a64_get_x(ctx, rt));
    else
        load_reg(ctx, size, opc, rt, addr, disp);
}

/* -- immediate offsets ------------------------------------------------------------------------- */
bool a64_lift_LDST_uimm(LiftContext *ctx, const ArgLDST_uimm *a)
{
    if (opc_reserved(a->size, a->opc))
        return false;
    access_reg(ctx, a->size, a->opc, a->rt, a64_get_xsp(ctx, a->rn), (int64_t)a->imm << a->size);
    return true;
}

/* With writeback to the register that was loaded the base wins:
 * an UNPREDICTABLE case of the manual. */
bool a64_lift_LDST_imm9(LiftContext *ctx, const ArgLDST_imm9 *a)
{
    if (opc_reserved(a->size, a->opc))
        return false;
    IrRef base = a64_get_xsp(ctx, a->rn);
    access_reg(ctx, a->size, a->opc, a->rt, base, a->post ? 0 : a->imm);
    if (a->wback)
        a64_put_rsp(ctx, a->rn, ir_op2i(&ctx->b, IR_add, base, (uint64_t)(int64_t)a->imm));
    return true;
}

/* -- register offset --------------------------------------------------------------------------- */
/* The index register extended (LSL of X, or UXTW, SXTW of W); the shift is the access's. */
static IrRef index_operand(LiftContext *ctx, unsigned rm, unsigned option)
{
    if (option & 1)
        return a64_get_x(ctx, rm);
    return ir_op1(&ctx->b, option & 4 ? IR_sext : IR_zext, IR_I64, a64_get_w(ctx, rm));
}

bool a64_lift_LDST_reg(LiftContext *ctx, const ArgLDST_reg *a)
{
    if (!(a->option & 2) || opc_reserved(a->size, a->opc))
        return false;
    IrBuilder *b = &ctx->b;
    unsigned mem = (unsigned)a->size | (a->s ? (unsigned)a->size << IR_MEM_SCALE_SHIFT : 0);
    IrRef base = a64_get_xsp(ctx, a->rn), index = index_operand(ctx, a->rm, a->option);
    if (a->opc == 0)
        ir_emit(b, IR_store, IR_I64, 0, mem, base, index, a64_get_x(ctx, a->rt), 0, 0);
    else if (a->opc == 3)
        a64_put_w(ctx, a->rt,
                  ir_emit(b, IR_load, IR_I32, 0, mem | IR_MEM_SIGNED, base, index, 0, 0, 0));
    else
        a64_put_x(ctx, a->rt,
                  ir_emit(b, IR_load, IR_I64, 0, mem | (a->opc == 2 ? IR_MEM_SIGNED : 0), base,
                          index, 0, 0, 0));
    return true;
}

/* -- literal ----------------------------------------------------------------------------------- */
static IrRef literal(LiftContext *ctx, int64_t offset)
{
    return a64_codeaddr(ctx, ctx->pc + offset);
}

bool a64_lift_LDR_lit(LiftContext *ctx, const ArgLDR_lit *a)
{
    load_reg(ctx, a->x64 ? 3 : 2, 1, a->rt, literal(ctx, a->imm), 0);
    return true;
}

bool a64_lift_LDRSW_lit(LiftContext *ctx, const ArgLDRSW_lit *a)
{
    load_reg(ctx, 2, 2, a->rt, literal(ctx, a->imm), 0);
    return true;
}

/* -- prefetch: of data (types 0 PLD, 2 PST), else nothing -------------------------------------- */
static bool prefetch(LiftContext *ctx, unsigned rt, IrRef base, IrRef index, unsigned shift,
                     int64_t disp)
{
    if (!(rt & 8)) /* not PLI */
        ir_emit(&ctx->b, IR_prefetch, IR_VOID, 0, shift << IR_MEM_SCALE_SHIFT, base, index, 0, 0,
                disp);
    return true;
}

bool a64_lift_PRFM_imm(LiftContext *ctx, const ArgPRFM_imm *a)
{
    return prefetch(ctx, a->rt, a64_get_xsp(ctx, a->rn), IR_NONE, 0, (int64_t)a->imm << 3);
}

bool a64_lift_PRFUM(LiftContext *ctx, const ArgPRFUM *a)
{
    return prefetch(ctx, a->rt, a64_get_xsp(ctx, a->rn), IR_NONE, 0, a->imm);
}

bool a64_lift_PRFM_reg(LiftContext *ctx, const ArgPRFM_reg *a)
{
    if (!(a->option & 2) || a->rt >= 24) /* 24 and up: RPRFM, a hint too */
        return a->rt >= 24;
    return prefetch(ctx, a->rt, a64_get_xsp(ctx, a->rn), index_operand(ctx, a->rm, a->option),
                    a->s ? 3 : 0, 0);
}

bool a64_lift_PRFM_lit(LiftContext *ctx, const ArgPRFM_lit *a)
{
    return true;
}

/* -- pairs ------------------------------------------------------------------------------------- */
static void put_base(LiftContext *ctx, unsigned rn, IrRef base, int64_t offset)
{
    a64_put_rsp(ctx, rn, ir_op2i(&ctx->b, IR_add, base, (uint64_t)offset));
}

/* The first register is written at once, for then the value can be loaded into its home. Where the
 * second access faults a handler sees it; what a Data Abort leaves in the registers of a load of
 * several is UNKNOWN, but for those of the address, with which it is done again. */
static void load_pair(LiftContext *ctx, unsigned rn, unsigned rt, unsigned rt2, unsigned attr,
                      IrRef base, int64_t at)
{
    IrRef first = ir_load(&ctx->b, IR_I64, attr, base, at);
    if (rt != rn)
        a64_put_x(ctx, rt, first);
    IrRef second = ir_load(&ctx->b, IR_I64, attr, base, at + (1 << (attr & IR_MEM_SIZE)));
    if (rt == rn)
        a64_put_x(ctx, rt, first);
    a64_put_x(ctx, rt2, second);
}

bool a64_lift_LDP(LiftContext *ctx, const ArgLDP *a)
{
    unsigned size = a->x64 ? 3 : 2;
    int64_t offset = (int64_t)a->imm * (1 << size), at = a->post ? 0 : offset;
    IrRef base = a64_get_xsp(ctx, a->rn);
    if (a->load) {
        load_pair(ctx, a->rn, a->rt, a->rt2, size, base, at);
    } else {
        IrRef first = a64_get_x(ctx, a->rt), second = a64_get_x(ctx, a->rt2);
        ir_store(&ctx->b, size, base, at, first);
        ir_store(&ctx->b, size, base, at + (1 << size), second);
    }
    if (a->wback)
        put_base(ctx, a->rn, base, offset);
    return true;
}

bool a64_lift_LDPSW(LiftContext *ctx, const ArgLDPSW *a)
{
    int64_t offset = (int64_t)a->imm * 4, at = a->post ? 0 : offset;
    IrRef base = a64_get_xsp(ctx, a->rn);
    load_pair(ctx, a->rn, a->rt, a->rt2, 2 | IR_MEM_SIGNED, base, at);
    if (a->wback)
        put_base(ctx, a->rn, base, offset);
    return true;
}

/* -- authenticated loads ----------------------------------------------------------------------- */
bool a64_lift_LDRAA(LiftContext *ctx, const ArgLDRAA *a)
{
    IrRef base = a64_pac(ctx, a64_get_xsp(ctx, a->rn), a64_i64(ctx, 0),
                         A64_KEY_DA + (unsigned)a->m);
    IrRef value = ir_load(&ctx->b, IR_I64, 3, base, (int64_t)a->imm * 8);
    a64_put_x(ctx, a->rt, value);
    if (a->wback)
        put_base(ctx, a->rn, base, (int64_t)a->imm * 8);
    return true;
}
