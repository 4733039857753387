/* The cases of ops-test: one operation each, with its types and attributes. */
#ifndef TESTS_X86_64_OPS_TEST_H
#define TESTS_X86_64_OPS_TEST_H

#include "translator/ir/ir.h"

typedef struct OpCase {
    IrOp op;
    IrType type;          /* of the result */
    IrType arg[3];        /* IR_VOID ends */
    unsigned cc;
    uint32_t attr;
    int64_t imm;
    IrLane fp_lane;       /* how operands are made: IR_LANE_F16 … F64, or I8 for integers */
} OpCase;

typedef void OpCaseFn(const OpCase *c, void *opaque);
void ops_cases(OpCaseFn *fn, void *opaque);

#endif
