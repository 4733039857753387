/* data plane */
/*
 * What the driver (emit-unit.c), the flags (flags.c), the exits (exits.c) and the memory operations
 * share beside Emit. Select functions of other files use encode.h only.
 */
#ifndef TRANSLATOR_HOST_X86_64_EMIT_STATE_H
#define TRANSLATOR_HOST_X86_64_EMIT_STATE_H

#include "translator/cache/code-buffer.h"
#include "translator/host/x86_64/encode.h"
#include "translator/regalloc/state.h"
#include "translator/runtime/state.h"

enum { POOL_MAX = 512, POOL_FIXES_MAX = 2048, CONDS_MAX = 8 };

typedef struct PoolFix { uint32_t at; int32_t offset; uint32_t imm_bytes; } PoolFix;

/* What a call whose returns may leave the flags unsaved adds to the return address on the private
 * stack (exits.c). It is odd, so the sum is no other call's return address. */
enum { EXPECTED = 0x2aaaaab };

/* Common code, made once at the start of the code buffer. */
typedef enum StubId {
    STUB_ENTER,       /* uint64_t (*)(Vcpu *, const void *code) */
    STUB_LEAVE,       /* rax is the result */
    STUB_LEAVE_DONE,
    STUB_LEAVE_PC,
    STUB_LEAVE_LINK,  /* called by a link's stub: the result is its return address */
    STUB_LEAVE_HOT,   /* called at a unit's entry, whose counter has overflowed */
    STUB_LEAVE_FAULT, /* homes aren't stored */
    STUB_LEAVE_RETRY,
    STUB_JUMP,        /* to the guest pc in rax by the jump cache */
    STUB_MISS,        /* the same where the jump cache hasn't got it: by the larger table */
    STUB_RET,         /* the same for a return that didn't match the private stack's top */
    STUB_RET_HOME,    /* to the pc in return_home */
    STUB_SENTINEL,    /* a return with nothing on the private stack */
    STUB_SYSCALL,     /* everything is canonical, the pc stored */
    STUB_CALL_FN,     /* backend function number in eax, immediate in scratch[7] */
    STUB_SCAN,        /* scan.S, one for each IrScan */
    STUB_SCAN_LAST = STUB_SCAN + IR_N_SCANS - 1,
    STUB_MOVE,        /* move.S, one for each IrMove */
    STUB_MOVE_LAST = STUB_MOVE + IR_N_MOVES - 1,
    N_STUBS
} StubId;

/* What STUB_ENTER returns; anything else is the return address of a link's stub. */
enum {
    LEAVE_DONE,  /* exit_reason and the pc are set */
    LEAVE_PC,    /* the pc is set, look it up */
    /* As DONE and PC, but the signal handler has completed the state: flags are in C's form. */
    LEAVE_FAULT,
    LEAVE_RETRY,
};

typedef struct X86Backend {
    HostFeatures features;
    CodeBuffer buffer;
    uint8_t *stub[N_STUBS];
    const SelectRow *table[IR_N_OPS];
    RaTarget target;
    Reg home[RA_MAX_VARS];
    Reg return_home; /* of what most returns go to, or REG_NONE */
    uint32_t flags_offset[4];   /* variables of type flags, in the CPU structure */
    unsigned n_flags_vars;
} X86Backend;

/* What EFLAGS hold. */
#define HOST_FLAGS_FIELDS \
    uint32_t flags_value;       /* a flags value, or 0 */ \
    FlagsKind flags_kind; \
    struct { uint32_t value; HostCc cc; } cond[CONDS_MAX]; \
    unsigned n_conds; \
    uint32_t logic_of;          /* an and/or/xor's result that EFLAGS describe, or 0 */ \
    uint32_t zero_of;           /* a result of which they tell only whether it is 0 */ \
    uint32_t sum_of             /* an add or sub whose CF is there (and for sub, all of cmp's) */
typedef struct HostFlags { HOST_FLAGS_FIELDS; } HostFlags;

/* A link while its unit is compiled: offsets from the unit's code; guard 0: none. */
typedef struct RawLink {
    GuestAddr target;
    uint32_t site, stub, guard;
    bool counts, apart;
} RawLink;

struct EmitState {
    X86Backend *backend;
    V128 *pool;                 /* [POOL_MAX] */
    unsigned n_pool;
    PoolFix *pool_fix;          /* [POOL_FIXES_MAX] */
    unsigned n_pool_fixes;

    union {
        HostFlags flags;        /* all of them */
        struct { HOST_FLAGS_FIELDS; };
    };
    bool cf_flipped;            /* taking the flags value complemented CF */

    struct RegionEmit *region;  /* emit-region.c; NULL: the unit is one block */
    uint8_t *halved;            /* [n_blocks]: the loop at that head begins half a line on */
    bool misplaced;             /* they turned out otherwise */
    IrRef inverted;             /* an exit_if that leaves when its condition is false */
    Cold *cold, **cold_tail;
    Label entry;
    IrRef *pair;                /* [n_insns]: the other half of a flags and arithmetic pair, or 0 */
    uint32_t straight_bytes;
    uint32_t cmp_at, cmp_end;   /* the last comparison of integers, which nothing refers to */
    bool ended;

    RawLink *links;
    UnitReloc *relocs;
    RawPoint *points;
    uint32_t n_links, n_relocs, n_points;
    size_t cap_links, cap_relocs, cap_points;
    BackendFn *const *fns;
};

static inline X86Backend *emit_backend(Emit *e) { return e->s->backend; }

/* emit-unit.c */
void emit_reloc(Emit *e, uint32_t at, UnitRelocKind kind, unsigned stub);
void emit_jmp_stub(Emit *e, StubId stub);
void emit_call_stub(Emit *e, StubId stub);
void emit_jcc_stub(Emit *e, HostCc cc, StubId stub);
void emit_guest_addr(Emit *e, Reg to, GuestAddr pc);
void emit_load(Emit *e, Reg to, Mem m, unsigned bytes);      /* by the register's class */
void emit_store(Emit *e, Mem m, Reg from, unsigned bytes);
void emit_move(Emit *e, Reg to, Reg from);
void emit_form(Emit *e, Reg to, Reg from, IrForm form); /* EFLAGS stay */
void emit_swap(Emit *e, Reg a, Reg b);      /* of one class */
/* Around the machine instructions that may fault: what the variables are is taken at the start. */
void emit_point_begin(Emit *e);
void emit_point_end(Emit *e);

/* flags.c */
bool flags_live(Emit *e);                  /* would flags_clobber() emit anything? */
void flags_fetch(Emit *e, uint32_t value); /* RaTarget.fetch */
void flags_forget(Emit *e);                /* EFLAGS hold nothing any more (end of the unit) */
void flags_logic_result(Emit *e, IrInsn *i); /* EFLAGS are those of and/or/xor with this result */
/* EFLAGS are those of add or sub with this result. */
void flags_sum_result(Emit *e, IrInsn *i);
/* They tell whether the result is 0, and no more. */
void flags_zero_result(Emit *e, IrInsn *i);
/* Is the i1 value v a condition of EFLAGS as they are, be it still wanted or not? */
bool flags_have_cond(Emit *e, IrRef v, HostCc *ret_cc);
HostCc flags_arm_cc(Emit *e, FlagsKind kind, IrCc cc); /* or CC_NONE */

/* EFLAGS of this kind to the register format in ax: sets rax only. */
void flags_to_ax(Emit *e, FlagsKind kind);
/* NZCV in bits 31..28 of r to that form, and back. */
void flags_pack(Emit *e, Reg r);
void flags_unpack(Emit *e, Reg r);
bool flags_known(FlagsKind kind, uint32_t *ret_ax); /* a constant, in the form of flags_to_ax() */

void flags_pair(Emit *e, IrInsn *i, IrInsn **ret_arith, IrInsn **ret_flags);

/* Backend functions outside backend_fp_fns. */
enum { BACKEND_FN_CRC32 = BACKEND_FN_MAX };
void backend_crc32(Vcpu *v, uint64_t bytes);

/* emit-region.c */
/* Sets EmitState.misplaced and corrects EmitState.halved if it did better again with that. */
bool emit_region(Emit *e);
void region_guess_places(Emit *e); /* for the first time */
/* If a jump back in the region follows the exit: the block it goes to, with all done that must be
 * before the jump (which may move values); else UINT32_MAX. */
uint32_t region_settle_back(Emit *e, const IrInsn *exit);
/* Does that jump, to region_settle_back()'s block, move nothing that the exit needs? Then it is
 * emitted instead on the exit's opposite condition, and the block ends with what the exit does. */
bool region_goes_back(Emit *e, uint32_t to, HostCc leaves, uint32_t snap, unsigned n_snap);
/* emit-unit.c: one block, from where the allocator stands. */
bool emit_block(Emit *e, uint32_t block);

/* select-memory.c: the address of a memory operation as an operand of one machine instruction. */
Mem memory_address(Emit *e, IrInsn *i);
/* Goes to a cold exit with VCPU_EXIT_ALIGN unless the address is a multiple of 1 << log2. */
void memory_check_align(Emit *e, IrInsn *i, Mem m, unsigned log2);
/* The same in two steps: requests to the allocator first, then the test alone. */
Cold *memory_align_begin(Emit *e, IrInsn *i, Mem m);
void memory_align_test(Emit *e, Cold *c, unsigned log2);

/* write-back.c */
void exit_write_back(Emit *e, uint32_t snap, unsigned n, FlagsKind kind);
void exit_write_back_now(Emit *e); /* all that isn't canonical here */
bool exit_snap_has_flags(const UnitSnap *s, unsigned n);
Mem exit_var_mem(Emit *e, unsigned var); /* its place in the state */
/* The home register that holds the value once everything is written back, or REG_NONE. */
Reg exit_home_with(Emit *e, IrRef v);
void exit_store_addr(Emit *e, Mem m, GuestAddr pc, Reg temp);
void exit_store_pc(Emit *e, GuestAddr pc, Reg temp);

/* exits.c */
bool exit_emit_link_stubs(Emit *e);
void exit_emit_lookup(Emit *e, Reg r, Label *miss);
void exit_count_entry(Emit *e); /* of a unit with IR_UNIT_COUNTED */

#endif
