/*
 * What the translator asks of a guest: one GuestIsa a guest, in guest/<isa>/isa.c.
 *
 * lift() translates one instruction: it decodes at ctx->code and emits IR. It sets ctx->bytes and,
 * when the instruction ends the unit, ctx->ended (then it has emitted a terminator). The caller
 * emits the `insn` marker before and exit_jump to the next pc when it stops for other reasons.
 */
#ifndef TRANSLATOR_GUEST_ISA_H
#define TRANSLATOR_GUEST_ISA_H

#include "translator/ir/ir.h"

typedef struct LiftContext {
    IrBuilder b;
    const struct GuestIsa *isa;
    const void *cpu_model;  /* GuestIsa.model()'s: which features there are */
    uint64_t mode;
    GuestAddr pc;           /* of this instruction */
    const uint8_t *code;    /* at pc */
    size_t avail;           /* bytes that can be fetched there, >= isa->min_insn_bytes */
    unsigned bytes;         /* out: length of this instruction */
    bool callouts;          /* the code at pc may call out (translator_set_callouts) */
    bool ended;             /* out */
    bool need_more;         /* out: the instruction is longer than avail (page not fetchable) */
} LiftContext;

/* What the instruction of a call-out is lifted to: a call of this helper. AArch64: UDF #number,
 * with x0; RISC-V: custom-0 with funct3 0 and the number as its immediate, with rd and rs1. */
struct Vcpu;
uint64_t vcpu_callout(struct Vcpu *v, uint32_t number, uint64_t arg);
#define VCPU_CALLOUT_SIG "L:WL"

/* The helper that code of IR_UNIT_WATCH asks: 1 if a watchpoint wants `what` (bytes << 8 |
 * VCPU_WATCH_*) at addr. */
uint32_t vcpu_watched(struct Vcpu *v, uint64_t addr, uint32_t what);
#define VCPU_WATCHED_SIG "W:LW"

/* The helper that stores of critical code become: address, value, bytes, key; 1: aborted. */
uint32_t vcpu_critical_store(struct Vcpu *v, uint64_t addr, uint64_t value, uint32_t bytes,
                             uint64_t key);
#define VCPU_CRITICAL_SIG "W:LLWL"

/* For helpers: the code at addr may have been translated, so that a change of it must be told. */
bool vcpu_code_seen(struct Vcpu *v, GuestAddr addr);

/* Guest code that may be looked at, and what of it was. */
typedef struct CodeWindow {
    const uint8_t *code;
    GuestAddr start;
    size_t bytes;
    GuestAddr seen_start, seen_end;
} CodeWindow;

typedef struct GuestIsa {
    const char *name;            /* "aarch64" */
    const char *capstone;        /* "aarch64", "riscv64c": for debug/disas.c */
    bool big_endian;
    unsigned min_insn_bytes, max_insn_bytes, pc_align;
    size_t cpu_bytes;            /* of the CPU structure, a multiple of 16 */
    uint32_t pc_offset;          /* of the 64-bit guest pc in it */
    const IrVar *vars;
    unsigned n_vars;
    const IrHelper *helpers;
    unsigned n_helpers;
    unsigned watch_helper, critical_helper; /* vcpu_watched(), vcpu_critical_store() among them */
    /* A -cpu model, NULL name: max. The caller frees it with g_free. */
    const void *(*model)(const char *name, struct _GError **error);
    const char *const *(*models)(void);
    void (*reset)(void *cpu, const void *model);
    void (*lift)(LiftContext *ctx);
    uint64_t (*mode)(const void *cpu); /* translation mode: what of the state the code depends on
                                          (flush-to-zero, default NaN …); 0 in the usual case */
    /* An instruction that changes what mode() gives ends its unit by `trap` VCPU_EXIT_ICACHE with
     * payload 0 (nothing to invalidate): the runtime looks at the mode again and goes on. */
    /* Does every path from `at` overwrite the lazy variables before it reads them (IR_VAR_LAZY), as
     * far as the window tells? NULL: never. It widens [seen_start, seen_end) to what it looked at:
     * the answer holds until that code changes. */
    bool (*lazy_dead)(CodeWindow *w, GuestAddr at);
    /* Where a branch to an address goes, NULL: there. The dispatcher asks before it makes a unit
     * for a pc, so that branches to plain addresses cost nothing: AArch64 drops the tag. */
    GuestAddr (*branch_target)(GuestAddr target);
    bool asks_fp_flags;          /* code reads and writes the sticky flags all the time */
    bool ignores_top_byte;       /* of data addresses: bits 63..56 are a tag (bit 55 is 0) */
} GuestIsa;

extern const GuestIsa guest_aarch64, guest_riscv64;

#endif
