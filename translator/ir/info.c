/* Tables over all operations and types. */
#include "translator/ir/ir.h"

#define P IR_OPF_P
#define C IR_OPF_C
#define R IR_OPF_R
#define W IR_OPF_W
#define M IR_OPF_M
#define E IR_OPF_E
#define Z IR_OPF_Z

const IrOpInfo ir_op_info[IR_N_OPS] = {
/* A signature is "r:args", so that its arguments number its length less two. */
#define OP(name, sig, flags) [IR_##name] = { #name, sig, sizeof(sig) - 3, flags },
#include "ops.def"
#undef OP
};

const char *const ir_type_names[IR_N_TYPES] = {
    "void", "i1", "i32", "i64", "i128", "f32", "f64", "v128", "flags", "i8", "i16",
};
