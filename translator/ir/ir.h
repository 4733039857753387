/*
 * The intermediate representation: one translation unit as typed SSA over basic blocks.
 *
 * Shape: a unit owns an array of instructions; an instruction's index is its value (IrRef). Blocks
 * are lists threaded through the array. Guest registers are variables, read and written by `get`
 * and `put`; passes make values of them. ops.def lists the operations, README.md specifies them.
 *
 * Rules
 *  1. An i32 value's upper 32 bits in a host register are undefined; `zext` and `sext` define them.
 *  2. `insn` marks the start of each guest instruction. At every observation point (flags M and E
 *     of ops.def, helper calls that say so) the guest's variables are exactly what the puts before
 *     it made them, and the guest pc is that of the last `insn`. One exemption: a variable marked
 *     IR_VAR_LAZY may be stale at a fault if it is overwritten unread on every path from there.
 *  3. A baseline unit is one block with side exits (exit_if, trap_if); a region (IR_UNIT_REGION)
 *     has many blocks, the first without predecessors. At a block's head each variable's binding is
 *     that of every predecessor's end, or made by a put at the head, or the variable is not
 *     observed before its next put.
 *  4. Only the IrBuilder and passes write to a unit; everything lives in the unit's arena.
 *
 * Threads: a unit belongs to the thread that builds it.
 */
#ifndef TRANSLATOR_IR_IR_H
#define TRANSLATOR_IR_IR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t GuestAddr;
typedef uint32_t IrRef; /* index of an instruction; IR_NONE = none */
enum { IR_NONE = 0 };

typedef enum IrType {
    IR_VOID, IR_I1, IR_I32, IR_I64, IR_I128, IR_F32, IR_F64, IR_V128, IR_FLAGS,
    IR_I8, IR_I16, /* only as widths of flags and of memory */
    IR_N_TYPES
} IrType;

typedef enum IrOp {
#define OP(name, sig, flags) IR_##name,
#include "ops.def"
#undef OP
    IR_N_OPS
} IrOp;

/* Flags of ops.def, by ir_op_info(). */
enum {
    IR_OPF_P = 1 << 0, IR_OPF_C = 1 << 1, IR_OPF_R = 1 << 2, IR_OPF_W = 1 << 3,
    IR_OPF_M = 1 << 4, IR_OPF_E = 1 << 5, IR_OPF_Z = 1 << 6,
};

/* Conditions. The first 14 number Arm's table (for `cond`); `cmp` and `fcmp` use the second set. */
typedef enum IrCc {
    IR_CC_EQ, IR_CC_NE, IR_CC_CS, IR_CC_CC, IR_CC_MI, IR_CC_PL, IR_CC_VS, IR_CC_VC,
    IR_CC_HI, IR_CC_LS, IR_CC_GE, IR_CC_LT, IR_CC_GT, IR_CC_LE,
    IR_CMP_EQ = 16, IR_CMP_NE, IR_CMP_ULT, IR_CMP_UGE, IR_CMP_ULE, IR_CMP_UGT,
    IR_CMP_SLT, IR_CMP_SGE, IR_CMP_SLE, IR_CMP_SGT, /* pairs: ^1 inverts */
    IR_FCMP_EQ = 32, IR_FCMP_LT, IR_FCMP_LE, IR_FCMP_UN,
} IrCc;

typedef enum IrLane {
    IR_LANE_I8, IR_LANE_I16, IR_LANE_I32, IR_LANE_I64, IR_LANE_F16, IR_LANE_F32, IR_LANE_F64,
} IrLane;

typedef enum IrRmw {
    IR_RMW_XCHG, IR_RMW_ADD, IR_RMW_AND, IR_RMW_ANDN /* old & ~value */, IR_RMW_OR, IR_RMW_XOR,
    IR_RMW_SMAX, IR_RMW_SMIN, IR_RMW_UMAX, IR_RMW_UMIN,
} IrRmw;

/* attr of memory operations. Narrow loads extend to the instruction's type. */
enum {
    IR_MEM_SIZE = 7,          /* log2 of bytes: 0 … 4 */
    IR_MEM_SIGNED = 1 << 3,   /* sign-extend */
    IR_MEM_BE = 1 << 4,
    IR_MEM_ALIGN = 1 << 5,    /* misalignment is a guest fault (VCPU_EXIT_ALIGN) */
    IR_MEM_SCALE_SHIFT = 6,   /* 2 bits: shift of the index register, 0 … 3 */
    IR_MEM_SCALE = 3 << 6,
    IR_MEM_ACQUIRE = 1 << 8,
    IR_MEM_RELEASE = 1 << 9,
    IR_MEM_SEQ_CST = IR_MEM_ACQUIRE | IR_MEM_RELEASE, /* on a store: later loads stay behind it */
    IR_MEM_ATOMIC = 1 << 10,  /* single-copy atomic even at 16 bytes */
    IR_MEM_MERGED = 1 << 11,  /* a store that stands for several of the guest's, from the one at
                                 its pc on: a fault means to do them one by one (opt/bytes.c) */
};
/* attr of scan. */
typedef enum IrScan {
    IR_SCAN_DIFFERS,  /* differs from the second argument's low byte */
    IR_SCAN_DIFFERS2, /* from its two low bytes */
    IR_SCAN_DIFFERS4, /* from its four low bytes */
    IR_SCAN_RANGE,    /* less its low byte, as a byte, is at most its second byte */
    IR_SCAN_WORDS,    /* words of 32 bits: each differs from both of its halves; whole words only */
    IR_SCAN_EQUAL,    /* is the byte at the same place behind the address in the second argument */
    IR_SCAN_EQUAL_NZ, /* likewise, and isn't 0 */
    IR_SCAN_WORD,     /* is what the second argument has there: 8, or 0 if one of eight isn't */
    IR_N_SCANS
} IrScan;

/* attr of move. */
typedef enum IrMove {
    IR_MOVE_COPY,  /* the source's bytes; it isn't before the destination by less than the limit and
                      what is read ahead */
    IR_MOVE_UNTIL, /* likewise, up to the turn that has the byte, or has it in what is read ahead */
    IR_MOVE_FILL,  /* the eight bytes over and over, which are a turn's over and over */
    IR_N_MOVES
} IrMove;
enum { IR_MOVE_AHEAD_SHIFT = 32, IR_MOVE_MAX_TURN = 64 };

/* attr of fence: which earlier accesses are ordered before which later ones. */
enum { IR_FENCE_RR = 1, IR_FENCE_RW = 2, IR_FENCE_WR = 4, IR_FENCE_WW = 8, IR_FENCE_ALL = 15 };

/* attr of exit_if, exit_jump, exit_call and, as to frames, exit_ind and exit_callind. */
enum {
    IR_EXIT_LAZY_DEAD = 1, /* every path from the target overwrites the lazy variables unread, so
                              that they needn't be what the puts before made them */
    IR_EXIT_EXPECTED = 2, /* exit_call, gcall: what is returned to overwrites the lazy variables
                              unread, and the callee's returns had better count on it; exit_ret:
                              expects to come back to such a call */
    IR_EXIT_LAZY_READ = 4, /* poll, only between two passes (opt/unread.c): some way from there
                              reads a lazy variable before it overwrites it */
    IR_EXIT_FRAME_SHIFT = 8, /* number in IrUnit.frame of the inlined call that it leaves from */
};

/* cc of put, only between two passes (opt/ssa.c, opt/unread.c): made where paths join, of what the
 * lazy variable has anyway. */
enum { IR_PUT_JOIN = 1 };

/* An inlined call. Guest code doesn't show it; but the return predictor is to know of it when
 * control leaves from inside. */
typedef struct IrFrame {
    GuestAddr ret;  /* the address behind the call */
    uint32_t outer; /* the frame that the call is in; 0: the unit's own, of which nothing is told */
} IrFrame;

/* attr of brc: what the profile says. */
enum { IR_BRC_LIKELY_TRUE = 1, IR_BRC_LIKELY_FALSE = 2,
       IR_BRC_MIXED = 4 }; /* goes either way now and then; one of them may be likely yet */
/* put: the variable gets this of the value; only behind the passes (opt/forms.c). */
typedef enum IrForm {
    IR_FORM_PLAIN,
    IR_FORM_SEXT, IR_FORM_ZEXT,   /* sext, zext of an i32 */
    IR_FORM_BOX,                  /* fbox of an f32 */
    IR_FORM_CANON, IR_FORM_CANON_BOX, /* of an f64, f32; a NaN becomes the default one */
} IrForm;
static inline uint64_t ir_form_of(unsigned form, uint64_t v)
{
    switch (form) {
    case IR_FORM_SEXT: return (uint64_t)(int64_t)(int32_t)v;
    case IR_FORM_ZEXT: return (uint32_t)v;
    case IR_FORM_BOX: return v | 0xffffffffull << 32;
    case IR_FORM_CANON: return v << 1 > 0x7ffull << 53 ? 0x7ff8ull << 48 : v;
    case IR_FORM_CANON_BOX:
        return ((uint32_t)(v << 1) > 0xffu << 24 ? 0x7fc00000 : (uint32_t)v) | 0xffffffffull << 32;
    default: return v;
    }
}

typedef enum IrRound { /* values of IR_FP_ROUND */
    IR_ROUND_DYN, IR_ROUND_NEAREST, IR_ROUND_UP, IR_ROUND_DOWN, IR_ROUND_ZERO,
    IR_ROUND_AWAY /* nearest, ties away from zero */, IR_ROUND_ODD,
} IrRound;
/* attr of floating-point operations. */
enum {
    IR_FP_ROUND = 7,              /* IrRound */
    IR_FP_NAN = 3 << 3,           /* which NaN an operation gives: */
    IR_FP_NAN_ARM = 0 << 3,       /* first signalling operand quieted, else first quiet one, else
                                     the default NaN (positive); Arm ARM FPProcessNaNs */
    IR_FP_NAN_DEFAULT = 1 << 3,   /* the positive default NaN always: RISC-V; Arm with FPCR.DN */
    IR_FP_NEG_PRODUCT = 1 << 5,   /* fma: -(a*b); flips a's sign before NaN selection */
    IR_FP_NEG_ADDEND = 1 << 6,
    IR_FP_EXACT = 1 << 7,         /* fround: raise inexact */
    IR_FP_UNSIGNED = 1 << 8,
    IR_FP_SIGNALING = 1 << 9,     /* compare: quiet NaNs raise invalid too */
    IR_FP_LOW64 = 1 << 10,
    IR_FP_HIGH = 1 << 11,
    IR_FP_FLUSH = 1 << 12,        /* flush denormal inputs and results (Arm FPCR.FZ) */
    IR_FP_NAN2INT_MAX = 1 << 13,  /* f2i of a NaN: the largest value (RISC-V), else 0 (Arm) */
    IR_FP_MINMAX_RISCV = 1 << 14, /* fminnm/fmaxnm: a signalling NaN loses too (but raises) */
    IR_FP_AHP = 1 << 15,          /* Arm's alternative half precision in h2f, f2h */
    IR_FP_TINY_AFTER = 1 << 16,   /* tininess is detected after rounding (RISC-V), else before */
    IR_FP_NAN_LOOSE = 1 << 19,    /* beside NAN_DEFAULT: any quiet NaN will do (opt/nan.c) */
    IR_FP_SILENT = 1 << 18,       /* quiet fcmp, f2i that truncates: adds to no sticky flag */
    IR_FP_BOXED = 1 << 20,        /* funbox: the upper half is known to be all ones */
    IR_FP_WRAP = 1 << 17,         /* f2i f64 -> i32, toward zero: what is out of range is invalid,
                                     and taken modulo 2^32 (Arm FPToFixedJS) */
};
/* attr of integer vector operations. */
enum { IR_V_SIGNED = 1, IR_V_ROUND = 2, IR_V_SAT = 4, IR_V_HIGH = 8, IR_V_SRESULT = 16 };

/* Sticky flags of fpgetflags/fpsetflags, and fpsetctl's bits beside IrRound. */
enum {
    IR_FPX_INVALID = 1, IR_FPX_DIVZERO = 2, IR_FPX_OVERFLOW = 4, IR_FPX_UNDERFLOW = 8,
    IR_FPX_INEXACT = 16, IR_FPX_DENORMAL = 32, /* Arm's IDC: a denormal input was flushed */
    IR_FPC_FLUSH = 1 << 3,
};

typedef struct V128 { uint64_t lo, hi; } __attribute__((aligned(16))) V128;

typedef struct IrInsn {
    uint8_t op;    /* IrOp */
    uint8_t type;  /* IrType of the result; of `put` and `store`: of the value */
    uint8_t cc;    /* IrCc, IrLane, IrRmw or, of `put`, IR_PUT_JOIN */
    uint8_t mark;  /* scratch of the running pass */
    uint32_t attr;
    IrRef arg[4];
    int64_t imm;
    IrRef prev, next;
    uint32_t uses; /* of the value, while IrUnit.uses_known */
} IrInsn;

typedef struct IrBlock {
    IrRef first, last;
    uint32_t succ[2]; /* block numbers + 1; 0 = none; never the same twice */
    uint32_t n_pred;
    GuestAddr pc;     /* of its first guest instruction */
    /* By opt_cfg_new() (opt/cfg.h), for regions: */
    uint32_t loop_head;  /* of the innermost loop around it: block number + 1; 0 = none */
    uint32_t loop_outer; /* of a loop's head: the next loop around that one, likewise */
    uint32_t loop_depth;
    uint32_t weight;     /* how often it runs, estimated: IR_WEIGHT_ENTRY = as often as the unit */
} IrBlock;
enum { IR_WEIGHT_ENTRY = 256 };

/* A guest register as the IR sees it. */
enum {
    IR_VAR_LAZY = 1,   /* rule 2 */
    IR_VAR_PC = 2,
    IR_VAR_RETURN = 4, /* what compilers return by: only a hint */
};
typedef struct IrVar {
    const char *name;
    uint8_t type;
    uint8_t flags;
    int16_t home;    /* rank among its class for a host register: 0 = first wanted; -1 = memory */
    uint32_t offset; /* in the guest's CPU structure. flags are kept as NZCV in bits 31..28 of a
                        uint32_t; f64 in 8 bytes, v128 in 16 aligned ones */
} IrVar;

/* A C function that translated code calls. Arguments after the Vcpu: integers as they are, f32 and
 * f64 by their bits as integers, v128 as const V128 *; a v128 result by a V128 * that comes first.
 * Helpers run on the C stack with the host's own floating-point environment. */
enum {
    IR_HELPER_PURE = 1,       /* touches neither guest variables nor memory */
    IR_HELPER_READS_VARS = 2, /* variables are stored to the CPU structure before */
    IR_HELPER_WRITES_VARS = 4,/* and taken from it afterwards */
    IR_HELPER_FP = 8,         /* uses vcpu_fp_*: the sticky flags and rounding are synchronised */
    IR_HELPER_FAULTS = 16,    /* touches guest memory: an observation point; implies READS_VARS */
};
typedef struct IrHelper {
    const char *name;
    void (*fn)(void);
    const char *sig; /* as in ops.def, concrete: W L S(f32) D(f64) V, '-' */
    uint32_t flags;
} IrHelper;

struct Arena;
struct GuestIsa;
typedef struct IrUnit {
    struct Arena *arena;
    const struct GuestIsa *isa;
    GuestAddr pc;         /* entry */
    uint64_t mode;        /* the guest's translation mode (GuestIsa.mode) */
    uint32_t code_bytes;  /* guest bytes covered, from pc (baseline units are contiguous) */
    uint32_t n_guest_insns;
    IrInsn *insn;         /* [n_insns]; [0] is unused */
    uint32_t n_insns, cap_insns;
    IrBlock *block;
    uint32_t n_blocks, cap_blocks;
    V128 *vconst;
    uint32_t n_vconsts, cap_vconsts;
    IrRef *phi_arg;       /* arguments of phis */
    uint32_t n_phi_args, cap_phi_args;
    IrFrame *frame;       /* [n_frames]; [0] is unused */
    uint32_t n_frames;
    uint32_t flags;       /* IR_UNIT_… */
    uint8_t *upper_zero;  /* [n_upper_zero], or NULL: of gets and phis, by opt/upper.c */
    uint32_t n_upper_zero;
    bool uses_known;      /* by opt_count_uses(); passes that don't keep them clear it */
    bool plain_stores;    /* no constant is stored, as far as opt_forward() could tell */
    bool calls;           /* a helper or guest code has been called in it, at least at first */
    IrRef lazy_put;       /* the first put of a lazy variable that ir_put() made; or 0 */
} IrUnit;
enum {
    IR_UNIT_ONE_INSN = 1,  /* -one-insn-per-tb, stepping */
    IR_UNIT_TAGGED = 2,    /* strip address tags before each access (a site trapped on one) */
    IR_UNIT_NAN_CHECK = 4, /* check NaNs inline (a site trapped often) */
    IR_UNIT_SOFT_TLB = 8,  /* system mode: accesses look up the TLB inline */
    IR_UNIT_REGION = 16,   /* many blocks, for the optimizing tier (translator/region/) */
    IR_UNIT_NO_GUESS = 64, /* a region here guessed wrongly (opt/extend.c) */
    IR_UNIT_COUNTED = 32,  /* entries are counted: Vcpu.profile */
    IR_UNIT_WATCH = 128,   /* each access asks the vcpu's watchpoints (opt/watch.c) */
    IR_UNIT_BREAK = 256,   /* and each instruction its breakpoints */
    IR_UNIT_NO_BOXES = 512, /* a region here took too much for singles (opt/unbox.c) */
    IR_UNIT_ONE_BLOCK = 1024, /* ends with the first branch (runtime/branch-profile.h) */
    /* How often a region has been made again to take in more (runtime/tier.c): 0 to MOST. */
    IR_UNIT_REBUILT_SHIFT = 11, IR_UNIT_REBUILT_MOST = 3,
    IR_UNIT_REBUILT = IR_UNIT_REBUILT_MOST << IR_UNIT_REBUILT_SHIFT,
    /* Units that are left through the dispatcher alone: no links, no inline look-up, no return
     * stack. They stand beside others at the same pc. */
    IR_UNIT_ALONE = IR_UNIT_ONE_INSN | IR_UNIT_ONE_BLOCK | IR_UNIT_WATCH | IR_UNIT_BREAK,
};

static inline unsigned ir_unit_rebuilt(uint32_t flags)
{
    return (flags & IR_UNIT_REBUILT) >> IR_UNIT_REBUILT_SHIFT;
}

/* A guest's call behind which the unit goes on. No value but constants is alive across it: the
 * callee may be any code, this unit too. */
static inline bool ir_is_gcall(unsigned op) { return op == IR_gcall || op == IR_gcallind; }

/* Does every backend leave the upper half of a register 0 that gets this result? */
static inline bool ir_zero_extends(const IrInsn *i)
{
    switch (i->op) {
    case IR_const: case IR_add: case IR_sub: case IR_mul: case IR_and: case IR_or: case IR_xor:
    case IR_shl: case IR_shr: case IR_sar: case IR_neg: case IR_not: case IR_clz: case IR_ctz:
    case IR_popcnt: case IR_index: case IR_ubfx: case IR_load: case IR_andn: case IR_vmask:
    case IR_armw: case IR_acas: case IR_ror: case IR_extr: case IR_bswap: case IR_bitrev:
    case IR_sbfx: case IR_bfi: case IR_udiv: case IR_sdiv: case IR_urem: case IR_srem:
    case IR_select: case IR_b2i: case IR_adc: case IR_sbc: case IR_crc32: case IR_crc32c:
        return i->type == IR_I32;
    default:
        return false;
    }
}

typedef struct IrOpInfo { const char *name, *sig; uint8_t n_args, flags; } IrOpInfo;
extern const IrOpInfo ir_op_info[IR_N_OPS];
extern const char *const ir_type_names[IR_N_TYPES];

/* The arguments of any instruction; absent ones are IR_NONE. The place is good until the next
 * instruction or phi is made. */
static inline IrRef *ir_args(const IrUnit *u, IrRef r, unsigned *ret_n)
{
    IrInsn *i = &u->insn[r];
    *ret_n = i->op == IR_phi ? i->attr : ir_op_info[i->op].n_args;
    return i->op == IR_phi ? u->phi_arg + i->imm : i->arg;
}

/* -- building: appends to the current block ---------------------------------------------------- */
typedef struct IrBuilder { IrUnit *unit; uint32_t block; } IrBuilder;

IrUnit *ir_unit_new(struct Arena *arena, const struct GuestIsa *isa, GuestAddr pc, uint64_t mode);
uint32_t ir_block_new(IrUnit *unit, GuestAddr pc);
IrRef ir_emit(IrBuilder *b, IrOp op, IrType type, unsigned cc, unsigned attr, IrRef a0, IrRef a1,
              IrRef a2, IrRef a3, int64_t imm);
IrRef ir_const(IrBuilder *b, IrType type, uint64_t bits); /* i32 constants are kept zero-extended */
IrRef ir_vconst(IrBuilder *b, uint64_t lo, uint64_t hi);
uint32_t ir_vconst_index(IrUnit *unit, uint64_t lo, uint64_t hi); /* in the unit's pool */
IrRef ir_get(IrBuilder *b, unsigned var);
void ir_put(IrBuilder *b, unsigned var, IrRef value);
/* A phi of n arguments, all `arg` until ir_args() gives access to them. */
IrRef ir_phi(IrBuilder *b, IrType type, unsigned n, IrRef arg);
static inline IrType ir_type(const IrBuilder *b, IrRef r) { return (IrType)b->unit->insn[r].type; }

/* The everyday forms; the type is the first argument's unless it is given. */
static inline IrRef ir_op1(IrBuilder *b, IrOp op, IrType t, IrRef a)
{ return ir_emit(b, op, t, 0, 0, a, 0, 0, 0, 0); }
static inline IrRef ir_op2(IrBuilder *b, IrOp op, IrRef x, IrRef y)
{ return ir_emit(b, op, ir_type(b, x), 0, 0, x, y, 0, 0, 0); }
static inline IrRef ir_op2i(IrBuilder *b, IrOp op, IrRef x, uint64_t c)
{ return ir_op2(b, op, x, ir_const(b, ir_type(b, x), c)); }
static inline IrRef ir_cmp(IrBuilder *b, IrCc cc, IrRef x, IrRef y)
{ return ir_emit(b, IR_cmp, IR_I1, cc, 0, x, y, 0, 0, 0); }
static inline IrRef ir_select(IrBuilder *b, IrRef c, IrRef x, IrRef y)
{ return ir_emit(b, IR_select, ir_type(b, x), 0, 0, c, x, y, 0, 0); }
static inline IrRef ir_load(IrBuilder *b, IrType t, unsigned mem, IrRef addr, int64_t disp)
{ return ir_emit(b, IR_load, t, 0, mem, addr, 0, 0, 0, disp); }
static inline void ir_store(IrBuilder *b, unsigned mem, IrRef addr, int64_t disp, IrRef v)
{ ir_emit(b, IR_store, ir_type(b, v), 0, mem, addr, 0, v, 0, disp); }
static inline IrRef ir_vop2(IrBuilder *b, IrOp op, IrLane l, unsigned attr, IrRef x, IrRef y)
{ return ir_emit(b, op, IR_V128, l, attr, x, y, 0, 0, 0); }
static inline IrRef ir_vop1(IrBuilder *b, IrOp op, IrLane l, unsigned attr, IrRef x, int64_t imm)
{ return ir_emit(b, op, IR_V128, l, attr, x, 0, 0, 0, imm); }

/* -- editing, for passes ----------------------------------------------------------------------- */
IrRef ir_insert_before(IrUnit *u, IrRef at, const IrInsn *what); /* returns the new value */
/* The same, faster in units of many blocks: `at` is in the block; 0 = at its end. */
IrRef ir_insert_in(IrUnit *u, uint32_t block, IrRef at, const IrInsn *what);
/* Moves an instruction of block `from` into `to`, before `at`; it is no terminator. */
void ir_move(IrUnit *u, uint32_t from, IrRef ref, uint32_t to, IrRef at);
/* Unlinks ref and makes it a nop; nothing may use its value any more. */
void ir_remove(IrUnit *u, uint32_t block, IrRef ref);
uint32_t ir_phi_args_new(IrUnit *u, unsigned n); /* room for n more; the index of the first */

/* -- text, verification ------------------------------------------------------------------------ */
struct _GString;
void ir_print(const IrUnit *u, struct _GString *out);
struct _GError;
IrUnit *ir_parse(struct Arena *arena, const struct GuestIsa *isa, const char *text,
                 struct _GError **error);
bool ir_verify(const IrUnit *u, struct _GError **error);

#endif
