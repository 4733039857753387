/*
 * AArch64 programs for kick-fuzz; see gen.h.
 *
 * x0 to x14 are free, x15 to x17 hold what items need between their instructions, x18 and x19 walk
 * through memory, x20 to x24 count loops, x25 is the base of data; x26 to x28, and v30 and v31, a
 * signalling NaN, are the trigger's.
 */
#include <stdio.h>
#include <string.h>

#include "tests/ir-fuzz/values.h"
#include "tests/kick-fuzz/gen.h"
#include "translator/guest/aarch64/cpu.h"

enum { T0 = 15, T1, T2, WALK = 18, COUNTER = 20, BASE = 25, SCRATCH = 26, COUNT, ADDRESS, LINK = 30,
       SP = 31, ZERO = 31, FPSR_UFC = 1 << 3 };
enum { W_SP = 31, W_PC, W_NZCV, W_FPCR, W_FPSR, W_V, N_WORDS = W_V + 64 };
_Static_assert(N_WORDS <= (int)KICK_WORDS, "words");

/* -- state ------------------------------------------------------------------------------------- */
static const char *word_name(unsigned w)
{
    static char text[24];
    static const char *const names[] = {"sp", "pc", "nzcv", "fpcr", "fpsr"};
    if (w >= W_SP && w < W_V)
        return names[w - W_SP];
    if (w < W_SP)
        snprintf(text, sizeof text, "x%u", w);
    else
        snprintf(text, sizeof text, "v%u%s", (w - W_V) / 2, (w - W_V) % 2 ? ".hi" : ".lo");
    return text;
}

static bool compared(unsigned w)
{
    return w < SCRATCH || w > ADDRESS;
}

static void randomise(uint64_t *s, uint64_t *words)
{
    for (unsigned i = 0; i < W_SP; i++)
        words[i] = int_value(s);
    for (unsigned i = W_V; i < N_WORDS; i += 2) {
        V128 v = vec_value(s);
        words[i] = v.lo;
        words[i + 1] = v.hi;
    }
    words[W_V + 2 * 31] = 0x7ff0000000000001;
    words[BASE] = KICK_DATA + KICK_BASE;
    words[WALK] = words[WALK + 1] = words[BASE];
    words[W_SP] = (uint64_t)(KICK_DATA + KICK_BASE + KICK_STACK);
    words[W_PC] = KICK_CODE;
    words[W_NZCV] = next(s) & 0xf0000000;
    words[W_FPCR] = next(s) & 1 ? 0 : next(s) & A64_FPCR_WRITABLE;
    words[W_FPSR] = next(s) & 1 ? 0 : next(s) & (A64_FPSR_LOW | A64_FPSR_IDC | A64_FPSR_QC);
}

/* Without the underflow, in which backends differ (host/x86_64/fp-site.h). */
static void get(Vcpu *v, uint64_t *words)
{
    const Aarch64Cpu *cpu = vcpu_cpu(v);
    memcpy(words, cpu->x, sizeof cpu->x);
    words[W_SP] = cpu->sp;
    words[W_PC] = cpu->pc;
    words[W_NZCV] = cpu->nzcv;
    words[W_FPCR] = a64_fpcr_read(v);
    words[W_FPSR] = a64_fpsr_read(v) & ~(uint64_t)FPSR_UFC;
    memcpy(&words[W_V], cpu->v, sizeof cpu->v);
}

static void set(Vcpu *v, const uint64_t *words)
{
    Aarch64Cpu *cpu = vcpu_cpu(v);
    memcpy(cpu->x, words, sizeof cpu->x);
    cpu->sp = words[W_SP];
    cpu->pc = words[W_PC];
    cpu->nzcv = (uint32_t)words[W_NZCV];
    memcpy(cpu->v, &words[W_V], sizeof cpu->v);
    a64_fpcr_write(v, (uint32_t)words[W_FPCR]);
    a64_fpsr_write(v, (uint32_t)words[W_FPSR]);
    a64_monitor_clear(cpu);
}

static void set_trigger(Vcpu *v, uint64_t count, uint64_t address)
{
    Aarch64Cpu *cpu = vcpu_cpu(v);
    cpu->x[COUNT] = count;
    cpu->x[ADDRESS] = address;
}

/* -- instructions ------------------------------------------------------------------------------ */
static void put(KickGen *g, uint32_t insn)
{
    kick_emit(g, insn, 4);
}

static unsigned written(KickGen *g)
{
    return kick_below(g, g->n_regs);
}

/* Also what is reserved, but the trigger's. */
static unsigned read_reg(KickGen *g)
{
    switch (kick_below(g, 24)) {
    case 0: return ZERO;
    case 1: return COUNTER + kick_below(g, KICK_COUNTERS);
    case 2: return WALK + kick_below(g, 2);
    case 3: return T0 + kick_below(g, 3);
    default: return written(g);
    }
}

static unsigned fp_reg(KickGen *g)
{
    return kick_below(g, g->n_fp_regs);
}

/* An encoding with its fixed bits, those that may be anything, and its registers in the order Rd,
 * Rn, Rm, Ra: 'r' general, 'v' a vector or scalar, '-' none. */
typedef struct Form { uint32_t value, random; const char *regs; } Form;

enum {
    SF = 1u << 31, OP = 1 << 30, S = 1 << 29, COND = 15 << 12, DOUBLE = 1 << 22, SIZE = 3 << 22,
};

static const Form arithmetic[] = {
    {0x0b000000, SF | OP | S | 0x01800000 | 0x7c00, "rrr"}, /* ADD, SUB */
    {0x0b000000, SF | OP, "rrr"},
    {0x0a000000, SF | 3 << 29 | SIZE | 1 << 21 | 0x7c00, "rrr"}, /* AND, ORR, EOR, ANDS … */
    {0x0b200000, SF | OP | S | 7 << 13 | 3 << 10, "rrr"},    /* extended */
    {0x11000000, SF | OP | S | 0x7ffc00, "rr"},
    {0x12000000, SF | 3 << 29 | 0x1f0000 | 0x3c00, "rr"},    /* bitmask immediates */
    {0x12800000, SF | 1 << 21 | 0x1fffe0, "r"},              /* MOVN, MOVZ, MOVK */
    {0x52800000, SF | 0x1fe0, "r"},
    {0x72800000, SF | 1 << 21 | 0x1fffe0, "r"},
    {0x1ac00800, SF | 1 << 10, "rrr"},                       /* UDIV, SDIV */
    {0x1ac02000, SF | 3 << 10, "rrr"},                       /* shifts */
    {0x5ac00000, SF | 1 << 10, "rr"},                        /* RBIT, REV16 */
    {0x5ac00800, SF, "rr"}, {0xdac00c00, 0, "rr"}, {0x5ac01000, SF | 1 << 10, "rr"},
    {0x1b000000, SF | 1 << 15, "rrrr"},                      /* MADD, MSUB */
    {0x9b200000, 1 << 23 | 1 << 15, "rrrr"},                 /* SMADDL … */
    {0x9b407c00, 1 << 23, "rrr"},                            /* SMULH, UMULH */
    {0x13000000, 0x1f7c00, "rr"}, {0x33000000, 0x1f7c00, "rr"}, {0x53000000, 0x1f7c00, "rr"},
    {0x93400000, 0x3ffc00, "rr"}, {0xb3400000, 0x3ffc00, "rr"}, {0xd3400000, 0x3ffc00, "rr"},
    {0x13800000, 0x7c00, "rrr"}, {0x93c00000, 0xfc00, "rrr"},
    {0x10000000, 0x60ffffe0, "r"},                           /* ADR */
};

/* What sets NZCV, or reads it. */
static const Form flags[] = {
    {0x2b000000, SF | OP, "rrr"}, {0x2b000000, SF | OP, "rrr"}, {0x2b00001f, SF | OP, "-rr"},
    {0x6a000000, SF, "rrr"}, {0x7100001f, SF | 0xffc00, "-r"},
    {0x31000000, SF | OP | 0xffc00, "rr"},
    {0x1a000000, SF | OP | S, "rrr"}, {0x3a000000, SF | OP, "rrr"}, {0xba000000, OP, "rrr"},
    {0xba000000, OP, "rrr"}, {0xba000000, OP, "rrr"}, {0x9a1f03e0, OP, "r"},
    {0x3a400000, SF | OP | COND | 15, "-rr"}, {0x3a400800, SF | OP | COND | 0x1f000f, "-r"},
    {0x1a800000, SF | OP | COND | 1 << 10, "rrr"}, {0x1a9f07e0, SF | OP | COND, "r"},
    {0x1a9f07e0, SF | COND, "r"},
    {0xd53b4200, 0, "r"}, {0xd51b4200, 0, "r"},              /* MRS, MSR NZCV */
    {0xd500401f, 0, ""}, {0xd500403f, 0, ""}, {0xd500405f, 0, ""}, /* CFINV, XAFLAG, AXFLAG */
    {0xba000400, 0x1f800f, "-r"}, {0x3a00080d, 1 << 14, "-r"}, /* RMIF, SETF */
};

static const Form scalars[] = {
    {0x1e200800, DOUBLE | 7 << 12, "vvv"}, {0x1e202800, DOUBLE | 1 << 12, "vvv"},
    {0x1e208800, DOUBLE, "vvv"},
    {0x1f000000, DOUBLE | 1 << 21 | 1 << 15, "vvvv"},        /* FMADD … */
    {0x1e204000, DOUBLE | 3 << 15, "vv"},                    /* FMOV, FABS, FNEG, FSQRT */
    {0x1e22c000, 0, "vv"}, {0x1e624000, 0, "vv"}, {0x1e23c000, 0, "vv"}, {0x1ee24000, 0, "vv"},
    {0x1e202000, DOUBLE | 1 << 4, "-vv"}, {0x1e202000, DOUBLE, "-vv"}, {0x1e202008, DOUBLE, "-v"},
    {0x1e200400, DOUBLE | COND | 15, "-vv"}, {0x1e200c00, DOUBLE | COND, "vvv"},
    {0x1e220000, SF | DOUBLE | 1 << 16, "vr"},               /* SCVTF, UCVTF */
    {0x1e200000, SF | DOUBLE | 3 << 19 | 1 << 16, "rv"},     /* FCVTNS … FCVTZU */
    {0x1e260000, 0, "rv"}, {0x1e270000, 0, "vr"}, {0x9e660000, 0, "rv"}, {0x9e670000, 0, "vr"},
    {0x9eae0000, 0, "rv"}, {0x9eaf0000, 0, "vr"}, {0x1e201000, DOUBLE | 0x1fe000, "v"},
    {0x1e244000, DOUBLE | 1 << 16 | 1 << 15, "vv"},          /* FRINTN, FRINTA … */
};

static const Form vectors[] = {
    {0x4e208400, SIZE, "vvv"}, {0x6e208400, SIZE, "vvv"},    /* ADD, SUB */
    {0x4e209c00, DOUBLE, "vvv"}, {0x4e209400, DOUBLE, "vvv"}, /* MUL, MLA */
    {0x4e203400, SIZE | S, "vvv"}, {0x6e208c00, SIZE, "vvv"}, /* CMGT, CMHI, CMEQ */
    {0x0e201c00, OP | S | SIZE, "vvv"},                      /* AND … BIF */
    {0x4e200c00, SIZE | S, "vvv"}, {0x4e202c00, SIZE | S, "vvv"}, /* SQADD, SQSUB … */
    {0x4e20d400, SIZE, "vvv"}, {0x6e20dc00, DOUBLE, "vvv"}, {0x4e20cc00, SIZE, "vvv"},
    {0x4e20e400, DOUBLE, "vvv"}, {0x6ea0e400, DOUBLE, "vvv"},
    {0x4e31b800, DOUBLE, "vv"}, {0x0e205800, OP, "vv"},
    {0x4e040c00, 3 << 19, "vr"}, {0x4e080c00, 1 << 20, "vr"}, {0x4e041c00, 3 << 19, "vr"},
    {0x0e043c00, 3 << 19, "rv"}, {0x4e083c00, 1 << 20, "rv"}, {0x4e042c00, 3 << 19, "rv"},
    {0x4f205400, 31 << 16, "vv"}, {0x6f200400, 31 << 16, "vv"}, {0x0e212800, DOUBLE, "vv"},
    {0x2e200000, OP | DOUBLE, "vvv"}, {0x0e20c000, OP | S | DOUBLE, "vvv"}, /* UADDL, SMULL … */
    {0x6e000000, 15 << 11, "vvv"}, {0x4e000000, 0, "vvv"},
    {0x4e001800, DOUBLE | 3 << 13, "vvv"}, {0x4e003800, DOUBLE | 1 << 14, "vvv"},
    {0x4ea1b800, DOUBLE | S, "vv"}, {0x4e21d800, DOUBLE | S, "vv"},
    {0x5ee08400, S, "vvv"}, {0x4f000400, 0x703e0 | 0xf << 12, "v"}, {0x5ef1b800, 0, "vv"},
    {0x1e204000, DOUBLE, "vv"}, {0x0e003800, DOUBLE, "vvv"},
};

static void put_form(KickGen *g, const Form *f)
{
    static const uint8_t at[] = {0, 5, 16, 10};
    uint32_t insn = f->value | ((uint32_t)kick_random(g) & f->random);
    for (unsigned k = 0; f->regs[k]; k++)
        if (f->regs[k] != '-')
            insn |= (f->regs[k] == 'v' ? fp_reg(g) : k == 0 ? written(g) : read_reg(g)) << at[k];
    put(g, insn);
}

#define PUT_ONE(g, table) put_form(g, &(table)[kick_below(g, sizeof(table) / sizeof *(table))])

static void mov(KickGen *g, unsigned d, unsigned n)
{
    put(g, 0xaa0003e0 | n << 16 | d);
}

static void movz(KickGen *g, unsigned d, unsigned imm)
{
    put(g, 0xd2800000 | imm << 5 | d);
}

static void add_imm(KickGen *g, unsigned d, unsigned n, unsigned imm)
{
    put(g, 0x91000000 | imm << 10 | n << 5 | d);
}

static void sub_imm(KickGen *g, unsigned d, unsigned n, unsigned imm)
{
    put(g, 0xd1000000 | imm << 10 | n << 5 | d);
}

/* d = base + offset, a multiple of 0x1000 and less. */
static void data_address(KickGen *g, unsigned d, int offset, unsigned more)
{
    unsigned pages = (unsigned)(offset < 0 ? -offset : offset) >> 12;
    put(g, (offset < 0 ? 0xd1400000 : 0x91400000) | pages << 10 | BASE << 5 | d);
    if (more)
        add_imm(g, d, d, more);
}

/* d = n & ones << shift, of so many ones. */
static void mask(KickGen *g, unsigned d, unsigned n, unsigned ones, unsigned shift)
{
    put(g, 0x92400000 | ((64 - shift) & 63) << 16 | (ones - 1) << 10 | n << 5 | d);
}

/* -- memory ------------------------------------------------------------------------------------ */
/* Loads and stores of one register: size, V and opc, for all addressing modes. */
static uint32_t access_kind(KickGen *g)
{
    static const uint32_t kinds[] = {
        0x00000000, 0x00400000, 0x00800000, 0x00c00000, 0x40000000, 0x40400000, 0x40800000,
        0x40c00000, 0x80000000, 0x80400000, 0x80800000, 0xc0000000, 0xc0400000, 0xc0000000,
        0xc0400000, /* 15 of general registers */
        0x04000000, 0x04400000, 0x44000000, 0x44400000, 0x84000000, 0x84400000, 0xc4000000,
        0xc4400000, 0x04800000, 0x04c00000,
    };
    bool vector = g->weight[4] + g->weight[5] && kick_below(g, 3) == 0;
    return kinds[vector ? 15 + kick_below(g, 10) : kick_below(g, 15)];
}

static unsigned accessed(KickGen *g, uint32_t kind)
{
    return kind & 1 << 26 ? fp_reg(g) : kind & SIZE ? written(g) : read_reg(g);
}

static uint32_t pair_kind(KickGen *g, uint32_t mode)
{
    static const uint32_t kinds[] = {0x28000000, 0xa8000000, 0x68400000, 0x2c000000, 0x6c000000,
                                     0xac000000};
    uint32_t kind = kinds[kick_below(g, g->weight[4] + g->weight[5] ? 6 : 3)];
    unsigned t = kind & 1 << 26 ? fp_reg(g) : written(g), t2;
    unsigned n = kind & 1 << 26 ? g->n_fp_regs : g->n_regs;
    t2 = (t + 1 + kick_below(g, n - 1)) % n;
    return kind | mode | (kick_random(g) & 1 << 22) | t2 << 10 | t;
}

static void walk(KickGen *g)
{
    unsigned p = WALK + kick_below(g, 2);
    bool pre = kick_below(g, 2), back = kick_below(g, 4) == 0;
    if (!g->walks_left)
        return;
    g->walks_left--;
    if (kick_below(g, 3) == 0) {
        uint32_t insn = pair_kind(g, pre ? 0x01800000 : 0x00800000);
        put(g, insn | (back ? 127u : 1u) << 15 | p << 5);
    } else {
        uint32_t kind = access_kind(g);
        unsigned step = back ? 0x1f8 : 1 + kick_below(g, 16);
        put(g, 0x38000400 | kind | (pre ? 0x800 : 0) | step << 12 | p << 5 | accessed(g, kind));
    }
}

static void memory(KickGen *g)
{
    uint32_t kind = access_kind(g);
    unsigned p = kick_below(g, 3) ? BASE : WALK + kick_below(g, 2);
    switch (kick_below(g, 6)) {
    case 0: case 1: /* anywhere within reach */
        mask(g, T1, read_reg(g), kick_below(g, 2) ? 3 : 11, 0);
        put(g, 0x38206800 | kind | T1 << 16 | BASE << 5 | accessed(g, kind));
        break;
    case 2: /* scaled */
        mask(g, T1, read_reg(g), 3, 0);
        put(g, 0x38207800 | kind | T1 << 16 | p << 5 | accessed(g, kind));
        break;
    case 3:
        put(g, 0x38000000 | kind | kick_below(g, 256) << 12 | p << 5 | accessed(g, kind));
        break;
    case 4:
        put(g, 0x39000000 | kind | kick_below(g, 32) << 10 | p << 5 | accessed(g, kind));
        break;
    default:
        put(g, pair_kind(g, 0x01000000) | kick_below(g, 32) << 15 | p << 5);
        break;
    }
}

static void atomic(KickGen *g)
{
    unsigned size = kick_random(g) & 1 << 30;
    mask(g, T1, read_reg(g), kick_below(g, 2) ? 2 : 7, 3);
    put(g, 0x8b000000 | BASE << 16 | T1 << 5 | T1);
    switch (kick_below(g, 4)) {
    case 0: { /* a loop that stores exclusively */
        put(g, 0x885f7c00 | size | T1 << 5 | T2);
        uint32_t head = g->n - 4;
        put(g, 0x8b000000 | read_reg(g) << 16 | T2 << 5 | T2);
        put(g, 0x88007c00 | size | T0 << 16 | T1 << 5 | T2);
        put(g, 0x35000000 | T0);
        g->guest->patch(g, g->n - 4, head);
        break;
    }
    case 1:
        put(g, 0x88a07c00 | size | written(g) << 16 | T1 << 5 | read_reg(g)); /* CAS */
        break;
    default: /* LDADD … SWP */
        put(g, 0xb8200000 | size | kick_below(g, 9) << 12 | read_reg(g) << 16 | T1 << 5 |
                   written(g));
        break;
    }
}

static void system_register(KickGen *g)
{
    unsigned d = written(g);
    if (kick_below(g, 4)) {
        put(g, 0xd53b4420 | d);
        put(g, 0x927cf800 | d << 5 | d); /* clears UFC, which backends differ in */
    } else {
        mask(g, T1, read_reg(g), 5, 0);
        put(g, 0xd51b4420 | T1);
    }
}

static void plain(KickGen *g, unsigned group)
{
    uint32_t start = kick_item_begin(g);
    switch (group) {
    case 0: PUT_ONE(g, arithmetic); break;
    case 1: PUT_ONE(g, flags); break;
    case 2: memory(g); break;
    case 3: walk(g); break;
    case 4: PUT_ONE(g, scalars); break;
    case 5: PUT_ONE(g, vectors); break;
    case 6: atomic(g); break;
    default: kick_below(g, 4) ? PUT_ONE(g, flags) : system_register(g); break;
    }
    kick_item_end(g, start);
}

/* -- control ----------------------------------------------------------------------------------- */
static void put_compare(KickGen *g)
{
    static const Form compare = {0x2b00001f, SF | OP, "-rr"}, fp = {0x1e202000, DOUBLE, "-vv"};
    static const Form next = {0x3a400800, SF | OP | COND | 0x1f000f, "-r"};
    put_form(g, g->weight[4] && kick_below(g, 2) ? &fp : &compare);
    for (unsigned n = kick_below(g, 3); n > 0; n--)
        put_form(g, &next);
}

static uint32_t branch_if(KickGen *g)
{
    if (kick_below(g, 4) == 0)
        put_compare(g);
    uint32_t at = g->n;
    switch (kick_below(g, 4)) {
    case 0:
        put(g, 0x34000000 | (kick_random(g) & (SF | 1 << 24)) | read_reg(g));
        break;
    case 1:
        put(g, 0x36000000 | (kick_random(g) & (SF | 1 << 24 | 31 << 19)) | read_reg(g));
        break;
    default:
        put(g, 0x54000000 | kick_below(g, 14));
        break;
    }
    return at;
}

static uint32_t jump(KickGen *g)
{
    put(g, 0x14000000);
    return g->n - 4;
}

static uint32_t call(KickGen *g)
{
    put(g, 0x94000000);
    return g->n - 4;
}

static void patch(KickGen *g, uint32_t at, uint32_t target)
{
    uint32_t insn, off = (uint32_t)((int32_t)(target - at) >> 2);
    memcpy(&insn, g->code + at, 4);
    if ((insn & 0x7c000000) == 0x14000000)
        insn |= off & 0x3ffffff;
    else if ((insn & 0x7e000000) == 0x36000000)
        insn |= (off & 0x3fff) << 5;
    else
        insn |= (off & 0x7ffff) << 5;
    memcpy(g->code + at, &insn, 4);
}

static void trigger(KickGen *g)
{
    bool jumps = kick_below(g, 3) == 0;
    if (g->traps) {
        put(g, 0x1e602800 | 31 << 16 | 31 << 5 | 30); /* FADD d30, d31, d31 */
        return;
    }
    sub_imm(g, COUNT, COUNT, 1);
    put(g, 0xd37ffc00 | COUNT << 5 | SCRATCH); /* LSR #63 */
    if (jumps)
        put(g, 0xb4000000 | 2 << 5 | SCRATCH);
    put(g, 0xb9000000 | ADDRESS << 5 | SCRATCH);
}

static void walk_begin(KickGen *g)
{
    for (unsigned k = 0; k < 2; k++)
        add_imm(g, WALK + k, BASE, kick_below(g, 256) * (kick_below(g, 4) ? 8 : 1));
}

enum { SUBS_NE, SUB_CBNZ, UP_LO, TOP_CBZ, TBZ, SUBS_GE, N_LOOP_FORMS };

static void loop_begin(KickGen *g, KickLoop *l)
{
    unsigned c = COUNTER + l->counter, n = l->turns;
    movz(g, c, l->form == UP_LO ? 0 : l->form == TBZ || l->form == SUBS_GE ? n - 1 : n);
    l->head = g->n;
    if (l->form == TOP_CBZ) {
        put(g, 0xb4000000 | c);
        l->out = g->n - 4;
    }
}

static void loop_end(KickGen *g, const KickLoop *l)
{
    unsigned c = COUNTER + l->counter;
    switch (l->form) {
    case SUBS_NE: case SUBS_GE:
        put(g, 0xf1000400 | c << 5 | c);
        put(g, 0x54000000 | (l->form == SUBS_NE ? 1 : 10));
        break;
    case SUB_CBNZ:
        sub_imm(g, c, c, 1);
        put(g, 0xb5000000 | c);
        break;
    case UP_LO:
        add_imm(g, c, c, 1);
        put(g, 0xf100001f | l->turns << 10 | c << 5);
        put(g, 0x54000003);
        break;
    case TBZ:
        sub_imm(g, c, c, 1);
        put(g, 0xb6f80000 | c);
        break;
    default:
        sub_imm(g, c, c, 1);
        put(g, 0x14000000);
        break;
    }
    patch(g, g->n - 4, l->head);
    if (l->form == TOP_CBZ)
        patch(g, l->out, g->n);
}

static void through_table(KickGen *g, unsigned first, unsigned n, bool call)
{
    data_address(g, T2, KICK_TABLE, first * 8);
    if (n > 1)
        mask(g, T1, read_reg(g), n == 2 ? 1 : 2, 3);
    else
        movz(g, T1, 0);
    put(g, 0xf8606800 | T1 << 16 | T2 << 5 | T2);
    put(g, (call ? 0xd63f0000 : 0xd61f0000) | T2 << 5);
}

static void function_begin(KickGen *g, bool leaf)
{
    if (!leaf)
        put(g, 0xf81f0c00 | SP << 5 | LINK); /* STR x30, [sp, #-16]! */
}

static void function_end(KickGen *g, bool leaf)
{
    if (!leaf)
        put(g, 0xf8410400 | SP << 5 | LINK);
    put(g, 0xd65f03c0);
}

static void stop(KickGen *g)
{
    put(g, 0xd4200020);
}

static void nop(uint8_t *code, uint32_t bytes)
{
    static const uint32_t insn = 0xd503201f;
    for (uint32_t n = 0; n < bytes; n += 4)
        memcpy(code + n, &insn, 4);
}

/* -- loops over strings ------------------------------------------------------------------------ */
static void back_if(KickGen *g, uint32_t insn, uint32_t head)
{
    put(g, insn);
    patch(g, g->n - 4, head);
}

static void maybe_trigger(KickGen *g)
{
    if (kick_below(g, 4) == 0)
        trigger(g);
}

/* T1: in the text; T2: a counter, or where a copy goes. */
static void string_loop(KickGen *g)
{
    enum { LDRB_POST = 0x38401400, STRB_POST = 0x38001400, LDRX_POST = 0xf8408400,
           STRX_POST = 0xf8008400, LDRQ_POST = 0x3cc10400, STRQ_POST = 0x3c810400 };
    unsigned n = 1 + kick_below(g, 250), form = kick_below(g, 9), v = fp_reg(g), x = written(g);
    uint32_t head, out = 0;
    data_address(g, T1, KICK_STRINGS, kick_below(g, KICK_REACH - 64));
    if (form == 1 || form == 2)
        movz(g, T2, n);
    else
        data_address(g, T2, KICK_COPIES, kick_below(g, KICK_REACH / 2));
    movz(g, T0, n);
    head = g->n;
    switch (form) {
    case 0: /* strlen */
        put(g, LDRB_POST | T1 << 5 | T0);
        maybe_trigger(g);
        back_if(g, 0x35000000 | T0, head);
        break;
    case 1: /* memchr */
        put(g, LDRB_POST | T1 << 5 | T0);
        put(g, 0x6b20001f | x << 16 | T0 << 5); /* CMP w, w, UXTB */
        out = g->n;
        put(g, 0x54000000);
        maybe_trigger(g);
        if (kick_below(g, 2)) {
            put(g, 0xf1000400 | T2 << 5 | T2);
            back_if(g, 0x54000001, head);
        } else {
            sub_imm(g, T2, T2, 1);
            back_if(g, 0xb5000000 | T2, head);
        }
        patch(g, out, g->n);
        break;
    case 2: /* the same by an index */
        movz(g, T2, 0);
        head = g->n;
        put(g, 0x38606800 | T2 << 16 | T1 << 5 | T0);
        add_imm(g, T2, T2, 1);
        out = g->n;
        put(g, 0x34000000 | T0);
        maybe_trigger(g);
        put(g, 0xf100001f | n << 10 | T2 << 5);
        back_if(g, 0x54000001, head);
        patch(g, out, g->n);
        break;
    case 3: /* strcpy */
        put(g, LDRB_POST | T1 << 5 | T0);
        put(g, STRB_POST | T2 << 5 | T0);
        maybe_trigger(g);
        back_if(g, 0x35000000 | T0, head);
        break;
    case 4: /* memcpy by bytes */
        put(g, LDRB_POST | T1 << 5 | x);
        put(g, STRB_POST | T2 << 5 | x);
        maybe_trigger(g);
        put(g, 0xf1000400 | T0 << 5 | T0);
        back_if(g, 0x54000001, head);
        break;
    case 5: /* by words */
        put(g, LDRX_POST | T1 << 5 | x);
        put(g, STRX_POST | T2 << 5 | x);
        maybe_trigger(g);
        sub_imm(g, T0, T0, 1);
        back_if(g, 0xb5000000 | T0, head);
        break;
    case 6: /* by vectors */
        put(g, LDRQ_POST | T1 << 5 | v);
        put(g, STRQ_POST | T2 << 5 | v);
        maybe_trigger(g);
        put(g, 0xf1004000 | T0 << 5 | T0);
        back_if(g, 0x5400000c, head);
        break;
    case 7: /* strlen by vectors: is a lane of the comparison not 0? */
        put(g, LDRQ_POST | T1 << 5 | v);
        x = fp_reg(g);
        put(g, 0x4e209800 | v << 5 | x);
        switch (kick_below(g, 3)) {
        case 0: put(g, 0x6e20a400 | x << 16 | x << 5 | x); break; /* UMAXP */
        case 1: put(g, 0x6e30a800 | x << 5 | x); break;           /* UMAXV */
        default: put(g, 0x0f0c8400 | x << 5 | x); break;          /* SHRN #4 */
        }
        put(g, 0x9e660000 | x << 5 | T0);
        maybe_trigger(g);
        back_if(g, 0xb4000000 | T0, head);
        x = written(g);
        break;
    default: /* memset */
        put(g, STRX_POST | T2 << 5 | x);
        maybe_trigger(g);
        put(g, 0xf1000400 | T0 << 5 | T0);
        back_if(g, 0x54000001, head);
        break;
    }
    if (kick_below(g, 2))
        mov(g, x, kick_below(g, 2) ? T1 : T2);
}

const KickGuest kick_aarch64 = {
    .name = "aarch64",
    .n_words = N_WORDS,
    .word_name = word_name,
    .compared = compared,
    .randomise = randomise,
    .get = get,
    .set = set,
    .set_trigger = set_trigger,
    .n_groups = 8,
    .n_free = 15,
    .n_fp_free = 30,
    .plain = plain,
    .trigger = trigger,
    .walk_begin = walk_begin,
    .string_loop = string_loop,
    .n_loop_forms = N_LOOP_FORMS,
    .loop_begin = loop_begin,
    .loop_end = loop_end,
    .branch_if = branch_if,
    .jump = jump,
    .patch = patch,
    .call = call,
    .through_table = through_table,
    .function_begin = function_begin,
    .function_end = function_end,
    .stop = stop,
    .nop = nop,
};
