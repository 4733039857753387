/* data plane */
/*
 * The emitter: bytes of instructions into the code buffer, and the state of one compilation that
 * select functions share. Integer instructions are here; SSE and AVX forms in encode-sse.h.
 *
 * An encoder writes without a check per byte: the driver makes sure before each IR instruction that
 * EMIT_RESERVE bytes are left in the buffer.
 */
#ifndef TRANSLATOR_HOST_X86_64_ENCODE_H
#define TRANSLATOR_HOST_X86_64_ENCODE_H

#include <string.h>

#include "translator/host/x86_64/target.h"

enum { EMIT_RESERVE = 2048 };

/* Host conditions: the low four bits of jcc/setcc/cmovcc; ^1 inverts (the two pairs as well). */
typedef enum HostCc {
    CC_O, CC_NO, CC_B, CC_AE, CC_E, CC_NE, CC_BE, CC_A, CC_S, CC_NS, CC_P, CC_NP, CC_L, CC_GE,
    CC_LE, CC_G,
    CC_NONE = 99,
    CC_E_AND_NP = 16, CC_NE_OR_P = 17, /* floating-point (un)equality: two jumps */
} HostCc;

typedef struct Emit Emit;
/* Emits code for one IR instruction. */
typedef void SelectFn(Emit *e, IrInsn *i);
enum { SEL_KEEPS_FLAGS = 1 }; /* the code never writes EFLAGS (or asks flags_clobber() itself) */
typedef struct SelectRow {
    uint16_t op;    /* IrOp; 0 ends a table */
    uint16_t flags; /* SEL_* */
    SelectFn *fn;
} SelectRow;
/* One table a file; select.c lists them. */
extern const SelectRow select_integer_rows[], select_crc_rows[], select_memory_rows[],
    select_atomic_rows[], select_control_rows[], select_call_rows[], select_region_rows[],
    select_flags_rows[], select_float_rows[], select_vector_rows[];

typedef struct Label { int32_t at, fix; } Label; /* bound place or -1; chain of rel32 to fix */
#define LABEL_INIT ((Label) { -1, -1 })

struct Emit {
    uint8_t *p;                 /* next byte */
    uint8_t *code;              /* start of the unit */
    uint8_t *limit;
    const HostFeatures *cpu;
    Translator *translator;
    IrUnit *unit;
    Ra *ra;
    GuestAddr guest_pc;         /* of the guest instruction being emitted */
    const SelectRow *const *table; /* [IR_N_OPS] */
    struct UnitFpSite *fp_sites; /* fp-site.h; in the unit's arena, in order of place */
    uint32_t n_fp_sites;
    size_t cap_fp_sites;
    uint32_t n_ops;             /* instructions so far; a comparison and its branch are one */
    bool failed;                /* out of metadata or pool space: the unit is dropped */
    struct EmitState *s;        /* private to emit-unit.c, flags.c, exits.c */
};

static inline void emit8(Emit *e, unsigned b) { *e->p++ = (uint8_t)b; }
static inline void emit32(Emit *e, uint32_t v) { memcpy(e->p, &v, 4); e->p += 4; }
static inline void emit64(Emit *e, uint64_t v) { memcpy(e->p, &v, 8); e->p += 8; }

/* -- general forms --------------------------------------------------------------------------------
 * pfx: 0, 0x66, 0xf2, 0xf3. map: 0 one-byte opcodes, 1 0F, 2 0F38, 3 0F3A. reg: modrm.reg (register
 * of either class, or opcode extension). imm_bytes: how many immediate bytes the caller appends
 * (for rip-relative operands). Registers of both classes are taken modulo 16. */
enum { ENC_W = 1, ENC_BYTE = 2 /* 8-bit register operands: REX for spl … dil */ };
void enc_op(Emit *e, unsigned pfx, unsigned map, unsigned flags, unsigned opcode, Reg reg,
            Operand rm, unsigned imm_bytes);
static inline void enc_rr(Emit *e, unsigned pfx, unsigned map, unsigned flags, unsigned opcode,
                          Reg reg, Reg rm)
{ enc_op(e, pfx, map, flags, opcode, reg, operand_reg(rm), 0); }
static inline void enc_rm(Emit *e, unsigned pfx, unsigned map, unsigned flags, unsigned opcode,
                          Reg reg, Mem rm)
{ enc_op(e, pfx, map, flags, opcode, reg, operand_mem(rm), 0); }
/* VEX: pp from pfx; vvvv REG_NONE when unused; l: 0 = 128 bits. */
void enc_vex(Emit *e, unsigned pfx, unsigned map, bool w, unsigned l, unsigned opcode, Reg reg,
             Reg vvvv, Operand rm, unsigned imm_bytes);
/* ModRM, SIB and displacement alone, for encoders with prefixes of their own (EVEX: disp8 is
 * compressed, so it passes disp32 = true). */
void enc_modrm(Emit *e, unsigned reg, Operand rm, unsigned imm_bytes, bool disp32);

/* A constant in the unit's pool (16-byte aligned for 16): a rip-relative operand. */
Mem enc_pool128(Emit *e, uint64_t lo, uint64_t hi);
Mem enc_pool64(Emit *e, uint64_t v);

/* -- integer instructions ---------------------------------------------------------------------- */
typedef enum Alu { ALU_ADD, ALU_OR, ALU_ADC, ALU_SBB, ALU_AND, ALU_SUB, ALU_XOR, ALU_CMP } Alu;
typedef enum Shift { SH_ROL, SH_ROR, SH_RCL, SH_RCR, SH_SHL, SH_SHR, SH_SAR = 7 } Shift;

void enc_mov_rr(Emit *e, bool w, Reg to, Reg from);
void enc_mov_ri(Emit *e, Reg to, uint64_t imm);          /* shortest; never changes EFLAGS */
void enc_load(Emit *e, bool w, Reg to, Mem m);
void enc_store(Emit *e, bool w, Mem m, Reg from);
void enc_store_i(Emit *e, bool w, Mem m, int32_t imm);
void enc_lea(Emit *e, bool w, Reg to, Mem m);
void enc_alu(Emit *e, Alu op, bool w, Reg to, Operand from);
void enc_alu_i(Emit *e, Alu op, bool w, Operand to, int32_t imm);
void enc_alu_mr(Emit *e, Alu op, bool w, Mem to, Reg from);
void enc_test(Emit *e, bool w, Reg a, Reg b);
void enc_test_i(Emit *e, bool w, Operand a, int32_t imm);
void enc_shift_i(Emit *e, Shift op, bool w, Reg to, unsigned n);
void enc_shift_cl(Emit *e, Shift op, bool w, Reg to);
void enc_setcc(Emit *e, HostCc cc, Reg to);              /* the low byte only */
void enc_cmov(Emit *e, HostCc cc, bool w, Reg to, Operand from);
void enc_movzx(Emit *e, unsigned from_bytes, Reg to, Operand from);         /* 1, 2 */
void enc_movsx(Emit *e, unsigned from_bytes, bool w, Reg to, Operand from); /* 1, 2, 4 */
void enc_push(Emit *e, Reg r);
void enc_pop(Emit *e, Reg r);

/* -- jumps within the unit --------------------------------------------------------------------- */
void enc_jmp(Emit *e, Label *l);
void enc_jcc(Emit *e, HostCc cc, Label *l);  /* plain conditions and the two pairs */
void enc_bind(Emit *e, Label *l);

/* -- cold code: runs `fn` after the unit's main code, for slow paths out of line. Registers are as
 *    they were; fn may use only what it was given. ----------------------------------------- */
typedef struct Cold {
    void (*fn)(Emit *e, struct Cold *c);
    struct Cold *next;
    Label enter, back;          /* fn's driver binds enter; fn jumps to back */
    IrInsn *insn;
    GuestAddr guest_pc;         /* of the guest instruction that it belongs to */
    Reg r[6];
    uint64_t v[4];
} Cold;
Cold *emit_cold(Emit *e, void (*fn)(Emit *e, Cold *c), IrInsn *i); /* zeroed, labels initialised */

/* -- host flags (flags.c) -------------------------------------------------------------------------
 * Before code that writes EFLAGS without SEL_KEEPS_FLAGS: saves live conditions and flags. */
void flags_clobber(Emit *e);
/* The i1 result of i is this condition of EFLAGS as they are now (after flags_clobber() and the
 * compare). It becomes a register value only if somebody needs that. */
void flags_def_cond(Emit *e, IrInsn *i, HostCc cc);
/* The flags result of i (IR_FLAGS) is in EFLAGS, in one of these ways. */
typedef enum FlagsKind {
    FLAGS_NONE,
    FLAGS_SUB,          /* after cmp/sub, or restored: Arm's C is !CF */
    FLAGS_ADD,          /* after add: C is CF */
    FLAGS_LOGIC,        /* after test/and: C = V = 0 */
    FLAGS_FCMP,         /* after (u)comis* first, second */
    FLAGS_FCMP_SWAPPED, /* after (u)comis* second, first */
    FLAGS_MERGED, /* of a place that may fault: nothing; its store is IR_MEM_MERGED */
    FLAGS_EQUAL,  /* as FLAGS_SUB, and both were equal. Behind here: unknown to unit-points.h */
    FLAGS_ZERO,   /* as FLAGS_LOGIC, and the result was zero */
} FlagsKind;
void flags_def(Emit *e, IrInsn *i, FlagsKind kind);
/* In what way they are there behind a branch on ZF: is that set there? */
FlagsKind flags_kind_where(Emit *e, bool zero);
/* The same without what is known of their value. */
FlagsKind flags_kind_plain(FlagsKind kind);
/* Bit IrCc for each `cond` in the unit that takes flags value v: flfcmp chooses its operand order
 * by it. FCMP has EQ NE VS VC GT GE LT LE in one host condition; SWAPPED EQ NE VS VC MI PL HI LS CS
 * CC. */
uint32_t flags_conds(Emit *e, IrRef v);
/* The i1 value v as a host condition, for a jump or cmov that follows at once. */
HostCc flags_use_cond(Emit *e, IrRef v);

/* -- backend functions in C, for slow paths -------------------------------------------------------
 * Calls fn(v, imm) on the C stack with the host's control word, preserving every register but
 * EFLAGS and MXCSR's sticky bits. Arguments and results go through Vcpu.scratch and Vcpu.vec_arg,
 * which the caller stores and loads. */
typedef void BackendFn(Vcpu *v, uint64_t imm);
enum { BACKEND_FN_MAX = 64 };
extern BackendFn *const backend_fp_fns[]; /* NULL-terminated, in select-float.c */
void emit_call_fn(Emit *e, unsigned fn /* index in backend_fp_fns */, uint64_t imm);

#endif
