/* data plane */
/*
 * Floating-point exactness on x86-64.
 *
 * While guest code runs, MXCSR has the guest's rounding mode and collects its sticky flags, and the
 * invalid-operation exception is unmasked. Everything in which the host's NaN results, minimum,
 * maximum and conversions differ from the guest's raises it, so the code for the IR's operations is
 * the plain host instruction, and x86_fp_signal() (fp-control.h), at SIGFPE, does the operation
 * again by softfp. For that each operation whose code may trap is a site: a range of host code, the
 * IR operation and where its operands are. Rules for select functions:
 *
 *  1. At every instruction of the range that may trap, the operands are still in the places noted,
 *     and no instruction before it has changed anything but temporaries and the result's register.
 *  2. The repair writes the result and goes on at the end of the range.
 *  3. No instruction of the range that may come before a trap raises a flag that the operation as
 *     a whole doesn't.
 *
 * Flushing of denormals (Arm's FPCR.FZ) isn't the host's (which raises other flags), but done by
 * the same repair: then the denormal operand and underflow exceptions are unmasked as well, and
 * inexact until it has been raised. Operations that don't raise the former in every case get a
 * probe, an instruction that does.
 *
 * Dynamic rounding to nearest with ties away, which the host hasn't, unmasks inexact for good.
 *
 * MXCSR's own invalid flag is therefore never set while guest code runs: Vcpu.fp_sticky has it.
 *
 * Known gap: the host detects tininess after rounding. Guests that detect it before (Arm) miss
 * the underflow flag, and only that, when the rounded result is the smallest normal number and the
 * unrounded one was smaller. (When flushing, that result should be 0: a probe finds it.)
 */
#ifndef TRANSLATOR_HOST_X86_64_FP_SITE_H
#define TRANSLATOR_HOST_X86_64_FP_SITE_H

#include "translator/host/x86_64/encode-sse.h"

/* Reading MXCSR waits for all floating point before it, and RISC-V's C library reads and restores
 * the flags in each floor(). So once a guest that does such things (GuestIsa.asks_fp_flags) has
 * asked, they are tracked: division by zero, overflow and underflow trap until they were raised
 * once, and when inexact is in fp_sticky too, that has all there is (Vcpu.fp_unknown is 0). A vcpu
 * that makes denormals which are exact would trap for each, and one that clears the flags for each
 * that it raises: they give up. */
enum { FP_UNTRACKED, FP_TRACKED, FP_GIVEN_UP };

/* A register, or the state pointer plus disp. */
typedef struct FpPlace { int32_t disp; Reg reg; } FpPlace;
enum { FP_IN_STATE = 0xfe };

typedef struct UnitFpSite {
    uint32_t start, end;       /* offsets from the unit's code */
    uint8_t op, type, arg_type, cc;
    uint32_t attr;
    int32_t imm;
    uint32_t traps;            /* so far */
    FpPlace dst, src[3];
} UnitFpSite;

enum { FP_TRAPS_MAX = 32 }; /* a unit with a site that trapped so often is made again */

/* Flags of IrInsn.attr while code is selected: what is known of a value's register. */
#define FP_UPPER64_ZERO (1u << 31)
#define FP_UPPER96_ZERO (1u << 30)

/* Opens a site for i at e->p. NULL-free: on lack of memory e->failed is set elsewhere. */
UnitFpSite *fp_site_begin(Emit *e, const IrInsn *i);
void fp_site_end(Emit *e);
static inline FpPlace fp_in(Reg r) { return (FpPlace) { 0, r }; }
FpPlace fp_at(Operand o);
/* In units with IR_UNIT_NAN_CHECK, what would trap often is looked for instead: a slow path of the
 * last site opened, whose operands must be in registers. Jump to `enter`, bind `back` behind the
 * site. */
Cold *fp_site_cold(Emit *e, IrInsn *i);
void fp_site_slow(Emit *e, Cold *c); /* its code; v[0] is the site's number */
static inline bool fp_checks(Emit *e) { return e->unit->flags & IR_UNIT_NAN_CHECK; }

/* Numbers of backend_fp_fns[]. */
enum { FP_FN_SCALAR, FP_FN_VECTOR, FP_FN_VECREF, FP_FN_SET_CONTROL, FP_FN_SET_FLAGS,
       FP_FN_TRACK };

/* The argument of FP_FN_SCALAR … FP_FN_VECREF that names the operation. */
uint64_t fp_fn_word(const IrInsn *i, IrType arg_type);
/* The operation by a call of C, in line: for what the host can't do exactly or at all. */
void fp_slow(Emit *e, IrInsn *i);
void vec_slow(Emit *e, IrInsn *i);

/* Is the register of v known to be 0 above 64 (96: above 32) bits? */
bool fp_upper_zero(Emit *e, IrRef v, bool above32);

#endif
