/* data plane */
/*
 * watch: before each access, and before each instruction if breakpoints are wanted, asks whether a
 * debugger watches for it and leaves if so. For units of one block, as they were lifted: accesses
 * come before an instruction's puts, so its start is where the unit leaves.
 */
#include "translator/guest/isa.h"
#include "translator/opt/opt.h"
#include "translator/translator.h"

static IrRef insert(IrUnit *u, IrRef at, IrOp op, IrType type, IrRef a, IrRef b, int64_t imm)
{
    IrInsn i = { .op = op, .type = type, .arg = { a, b }, .imm = imm };
    return ir_insert_before(u, at, &i);
}

/* Leaves if `what` at addr is watched, and `guard` (if any) is true. */
static void ask(IrUnit *u, IrRef at, IrRef addr, uint32_t what, IrRef guard, GuestAddr pc)
{
    IrRef desc = insert(u, at, IR_const, IR_I32, 0, 0, what);
    IrRef hit = insert(u, at, IR_call, IR_I32, addr, desc, u->isa->watch_helper);
    IrRef zero = insert(u, at, IR_const, IR_I32, 0, 0, 0);
    IrInsn test = { .op = IR_cmp, .type = IR_I1, .cc = IR_CMP_NE, .arg = { hit, zero } };
    IrRef stop = ir_insert_before(u, at, &test);
    if (guard)
        stop = insert(u, at, IR_band, IR_I1, stop, guard, 0);
    IrInsn trap = { .op = IR_trap_if, .attr = VCPU_EXIT_WATCH, .arg = { stop, addr },
                    .imm = (int64_t)pc };
    ir_insert_before(u, at, &trap);
}

IrRef opt_access_address(IrUnit *u, IrRef at, const IrInsn *i)
{
    IrRef addr = i->arg[0];
    if ((i->op == IR_load || i->op == IR_store) && i->arg[1]) {
        unsigned scale = (i->attr & IR_MEM_SCALE) >> IR_MEM_SCALE_SHIFT;
        IrRef by = insert(u, at, IR_const, IR_I64, 0, 0, scale);
        IrRef index = insert(u, at, IR_shl, IR_I64, i->arg[1], by, 0);
        addr = insert(u, at, IR_add, IR_I64, addr, index, 0);
    }
    if (i->imm) {
        IrRef by = insert(u, at, IR_const, IR_I64, 0, 0, i->imm);
        addr = insert(u, at, IR_add, IR_I64, addr, by, 0);
    }
    return addr;
}

static uint32_t access_of(const IrInsn *i)
{
    uint32_t flags = ir_op_info[i->op].flags;
    return (flags & IR_OPF_R ? VCPU_WATCH_READ : 0) | (flags & IR_OPF_W ? VCPU_WATCH_WRITE : 0) |
           (1u << (i->attr & IR_MEM_SIZE)) << 8;
}

void opt_watch(IrUnit *u)
{
    GuestAddr pc = u->pc;
    for (IrRef r = u->block[0].first, next; r; r = next) {
        IrInsn i = u->insn[r];
        next = i.next;
        if (i.op == IR_insn) {
            pc = (GuestAddr)i.imm;
            if (u->flags & IR_UNIT_BREAK)
                ask(u, next, insert(u, next, IR_codeaddr, IR_I64, 0, 0, i.imm),
                    1 << 8 | VCPU_WATCH_EXECUTE, IR_NONE, pc);
        } else if (ir_op_info[i.op].flags & IR_OPF_M && u->flags & IR_UNIT_WATCH) {
            ask(u, r, opt_access_address(u, r, &i), access_of(&i),
                i.op == IR_condcas ? i.arg[3] : IR_NONE, pc);
        }
    }
}
