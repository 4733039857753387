/* How an operation's attr and cc fields read as text: shared by print.c and parse.c. */
#ifndef TRANSLATOR_IR_ATTRS_H
#define TRANSLATOR_IR_ATTRS_H

#include "translator/ir/ir.h"

typedef enum IrAttrKind {
    IR_ATTR_NONE, IR_ATTR_MEM, IR_ATTR_FP, IR_ATTR_VEC, IR_ATTR_FIELD /* lsb:len */,
    IR_ATTR_TYPE, IR_ATTR_NUMBER, IR_ATTR_FENCE, IR_ATTR_BRC, IR_ATTR_FORM,
} IrAttrKind;
typedef enum IrCcKind { IR_CCK_NONE, IR_CCK_COND, IR_CCK_LANE, IR_CCK_RMW } IrCcKind;

typedef struct IrAttrName { uint32_t mask, value; const char *name; } IrAttrName;

IrAttrKind ir_attr_kind(IrOp op);
IrCcKind ir_cc_kind(IrOp op);
const IrAttrName *ir_attr_names(IrAttrKind kind); /* ends with a NULL name; NULL for others */
const char *ir_cc_name(IrCcKind kind, unsigned cc);      /* NULL: none such */
int ir_cc_value(IrCcKind kind, const char *name);        /* -1: none such */
bool ir_op_has_imm(IrOp op);

#endif
