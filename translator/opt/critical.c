/* data plane */
/*
 * critical: stores of code that a preemption aborts go through a helper, which can tell. For units
 * of one block, as they were lifted. Vector and atomic stores stay as they are: such code ends with
 * one store of at most eight bytes.
 */
#include "translator/guest/isa.h"
#include "translator/opt/opt.h"

static IrRef insert(IrUnit *u, IrRef at, const IrInsn *what)
{
    return ir_insert_before(u, at, what);
}

static IrRef constant(IrUnit *u, IrRef at, IrType type, uint64_t value)
{
    IrInsn i = { .op = IR_const, .type = type, .imm = (int64_t)value };
    return insert(u, at, &i);
}

static IrRef convert(IrUnit *u, IrRef at, IrOp op, IrType type, IrRef v)
{
    IrInsn i = { .op = op, .type = type, .arg = { v } };
    return insert(u, at, &i);
}

/* The value's bits as an i64; IR_NONE: it is wider. */
static IrRef bits_of(IrUnit *u, IrRef at, IrRef v)
{
    IrType type = (IrType)u->insn[v].type;
    if (type == IR_F32 || type == IR_F64) {
        type = type == IR_F32 ? IR_I32 : IR_I64;
        v = convert(u, at, IR_f2bits, type, v);
    }
    return type == IR_I64 ? v : type == IR_I32 ? convert(u, at, IR_zext, IR_I64, v) : IR_NONE;
}

static void replace(IrUnit *u, IrRef r, GuestAddr abort, GuestAddr key)
{
    IrInsn i = u->insn[r];
    IrRef value = bits_of(u, r, i.arg[2]);
    if (!value)
        return;
    IrInsn call = { .op = IR_call, .type = IR_I32, .imm = u->isa->critical_helper };
    call.arg[0] = opt_access_address(u, r, &i);
    call.arg[1] = value;
    call.arg[2] = constant(u, r, IR_I32, 1u << (i.attr & IR_MEM_SIZE));
    call.arg[3] = constant(u, r, IR_I64, key);
    IrInsn test = { .op = IR_cmp, .type = IR_I1, .cc = IR_CMP_NE };
    test.arg[0] = insert(u, r, &call);
    test.arg[1] = constant(u, r, IR_I32, 0);
    IrInsn leave = { .op = IR_exit_if, .imm = (int64_t)abort };
    leave.arg[0] = insert(u, r, &test);
    insert(u, r, &leave);
    if ((i.attr & IR_MEM_SEQ_CST) == IR_MEM_SEQ_CST) {
        IrInsn fence = { .op = IR_fence, .attr = IR_FENCE_ALL };
        insert(u, r, &fence);
    }
    ir_remove(u, 0, r);
}

void opt_critical(IrUnit *u, GuestAddr start, GuestAddr end, GuestAddr abort, GuestAddr key)
{
    GuestAddr pc = u->pc;
    for (IrRef r = u->block[0].first, next; r; r = next) {
        next = u->insn[r].next;
        if (u->insn[r].op == IR_insn)
            pc = (GuestAddr)u->insn[r].imm;
        else if (u->insn[r].op == IR_store && pc - start < end - start)
            replace(u, r, abort, key);
    }
}
