/*
 * The interpreter backend: runs the IR itself, one instruction after the other, on plain values.
 * It is the fallback for any host and the oracle of the other backends, so it is written to be
 * obviously right. It keeps guest variables in the CPU structure at every moment, which makes every
 * observation point exact without a side table.
 *
 * Values: i1 0 or 1, i32 and f32 zero-extended, flags as NZCV in bits 31..28.
 */
#ifndef TRANSLATOR_HOST_INTERP_INTERP_H
#define TRANSLATOR_HOST_INTERP_INTERP_H

#include <ffi.h>

#include "translator/cache/unit.h"
#include "translator/runtime/state.h"
#include "translator/softfp/fpref.h"

typedef union Val {
    uint64_t u;
    V128 v;
} Val;

/* An instruction with what the interpreter needs beside it. `mark` is the first argument's type. */
typedef struct InterpBlock {
    uint32_t first, last; /* inclusive, in InterpUnit.insn */
} InterpBlock;

typedef struct InterpUnit {
    CompiledUnit base;
    const IrInsn *insn;        /* in order of execution, values renumbered to their index */
    const InterpBlock *block;
    const V128 *vconst;
    const IrRef *phi_arg;
    uint32_t n_insns;
} InterpUnit;

/* Translator.backend_data */
typedef struct InterpData {
    struct InterpCall *calls;  /* [isa->n_helpers] */
} InterpData;

typedef struct InterpCall { ffi_cif cif; ffi_type *types[8]; } InterpCall;

/* Vcpu.backend */
typedef struct InterpVcpu {
    Val *value;                /* of the running unit's instructions */
    size_t cap_values;
    uint32_t control;          /* vcpu_fp_set_control() */
    volatile GuestAddr pc;     /* of the instruction being run: where a fault is */
    volatile bool merged;      /* the last access was IR_MEM_MERGED */
    volatile GuestAddr access; /* address of the last access, should the host not tell */
} InterpVcpu;

/* eval-int.c: integer, comparison and flags operations without effects. */
uint64_t interp_eval_int(const IrInsn *i, uint64_t a, uint64_t b, uint64_t c);
bool interp_cond(unsigned cc, uint32_t nzcv);

/* memory.c: loads, stores, atomics. False: the access must be aligned and is not. */
bool interp_memory(Vcpu *v, const IrInsn *i, const Val *value, Val *ret);

/* call.c */
bool interp_calls_init(Translator *t);
void interp_call(Vcpu *v, const IrInsn *i, const Val *value, Val *ret);

/* exec.c: runs one unit. True: to the link *ret_link, or to the state's pc if it is NULL; false:
 * v->exit_* say why it stopped. */
bool interp_exec(Vcpu *v, InterpUnit *unit, struct UnitLink **ret_link);

#endif
