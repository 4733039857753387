/*
 * RISC-V programs for kick-fuzz; see gen.h.
 *
 * x3 is the base of data, x4, x26 and x27 are the trigger's, x8, x9 and x18 hold what items need
 * between their instructions, x19 and x20 walk through memory, x21 to x25 count loops; x5 to x7,
 * x10 to x17 and x28 to x31 are free. f30 and f31, a signalling NaN, are the trigger's, too.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "tests/ir-fuzz/values.h"
#include "tests/kick-fuzz/gen.h"
#include "translator/guest/riscv64/cpu.h"

enum { LINK = 1, SP, BASE, ADDRESS, T0 = 8, T1, T2 = 18, WALK, COUNTER = 21, SCRATCH = 26, COUNT };
enum { W_F = 32, W_PC = 64, W_FCSR, N_WORDS };

/* The first ones are those of which small programs have more; some that short forms can name. */
static const uint8_t free_regs[] = {10, 11, 12, 13, 14, 15, 5, 28, 16, 17, 6, 7, 29, 30, 31};

/* -- state ------------------------------------------------------------------------------------- */
static const char *word_name(unsigned w)
{
    static char text[24];
    if (w >= W_PC)
        return w == W_PC ? "pc" : "fcsr";
    snprintf(text, sizeof text, "%c%u", w < W_F ? 'x' : 'f', w % 32);
    return text;
}

static bool compared(unsigned w)
{
    return w != ADDRESS && w != SCRATCH && w != COUNT;
}

static void randomise(uint64_t *s, uint64_t *words)
{
    for (unsigned i = 1; i < 32; i++)
        words[i] = next(s) & 1 ? int_value(s) : (uint64_t)(int32_t)next(s);
    for (unsigned i = 0; i < 32; i++)
        words[W_F + i] = next(s) & 1 ? float_bits(s, 64) : ~0ull << 32 | float_bits(s, 32);
    words[0] = 0;
    words[W_F + 31] = 0x7ff0000000000001;
    words[BASE] = words[WALK] = words[WALK + 1] = KICK_DATA + KICK_BASE;
    words[SP] = (uint64_t)(KICK_DATA + KICK_BASE + KICK_STACK);
    words[W_PC] = KICK_CODE;
    words[W_FCSR] = (next(s) & 3 ? 0 : next(s) % 5 << 5) | (next(s) & 1 ? 0 : next(s) & 31);
}

static void get(Vcpu *v, uint64_t *words)
{
    const RiscvCpu *cpu = vcpu_cpu(v);
    memcpy(words, cpu->x, sizeof cpu->x);
    memcpy(words + W_F, cpu->f, sizeof cpu->f);
    words[W_PC] = cpu->pc;
    words[W_FCSR] = riscv_fcsr(v);
}

static void set(Vcpu *v, const uint64_t *words)
{
    RiscvCpu *cpu = vcpu_cpu(v);
    memcpy(cpu->x, words, sizeof cpu->x);
    memcpy(cpu->f, words + W_F, sizeof cpu->f);
    cpu->pc = words[W_PC];
    cpu->reserved_addr = (uint64_t)RISCV_NO_RESERVATION;
    riscv_set_fcsr(v, (uint32_t)words[W_FCSR]);
}

static void set_trigger(Vcpu *v, uint64_t count, uint64_t address)
{
    RiscvCpu *cpu = vcpu_cpu(v);
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
    return free_regs[kick_below(g, g->n_regs)];
}

static unsigned read_reg(KickGen *g)
{
    switch (kick_below(g, 24)) {
    case 0: return 0;
    case 1: return COUNTER + kick_below(g, KICK_COUNTERS);
    case 2: return WALK + kick_below(g, 2);
    case 3: return T0 + kick_below(g, 2);
    default: return written(g);
    }
}

static unsigned fp_reg(KickGen *g)
{
    return kick_below(g, g->n_fp_regs);
}

/* As in gen-aarch64.c: rd, rs1, rs2, rs3; 'r' general, 'f' floating point. */
typedef struct Form { uint32_t value, random; const char *regs; } Form;

enum { FUNCT3 = 7 << 12, IMM = (int)0xfff00000, SHIFT = 63 << 20, SHIFTW = 31 << 20, FMT = 1 << 25,
       ODD3 = 1 << 12 };

static const Form arithmetic[] = {
    {0x00000033, FUNCT3, "rrr"}, {0x40000033, 0, "rrr"}, {0x40005033, 0, "rrr"},
    {0x0000003b, 0, "rrr"}, {0x4000003b, 0, "rrr"}, {0x0000103b, 0, "rrr"},
    {0x0000503b, 1 << 30, "rrr"}, {0x0000003b, 0, "rrr"},
    {0x02000033, FUNCT3, "rrr"}, {0x0200003b, 0, "rrr"}, {0x0200403b, 3 << 12, "rrr"},
    {0x00000013, IMM, "rr"}, {0x00002013, ODD3 | IMM, "rr"}, {0x00004013, IMM, "rr"},
    {0x00006013, ODD3 | IMM, "rr"}, {0x00001013, SHIFT, "rr"}, {0x00005013, 1 << 30 | SHIFT, "rr"},
    {0x0000001b, IMM, "rr"}, {0x0000001b, 0, "rr"}, {0x0000101b, SHIFTW, "rr"},
    {0x0000501b, 1 << 30 | SHIFTW, "rr"}, {0x00000037, 0xfffff000, "r"}, {0x00000017, 0x7000, "r"},
    {0x02005033, 0x2000, "rrr"},
};

static const Form bits[] = { /* Zba, Zbb, Zbs, Zicond */
    {0x20002033, 0, "rrr"}, {0x20004033, 2 << 12, "rrr"}, {0x0800003b, 0, "rrr"},
    {0x2000203b, 0, "rrr"}, {0x2000403b, 2 << 12, "rrr"}, {0x0800101b, SHIFT, "rr"},
    {0x40004033, 2 << 12, "rrr"}, {0x40007033, 0, "rrr"}, {0x60001013, 1 << 20, "rr"},
    {0x60201013, 0, "rr"}, {0x6000101b, 1 << 20, "rr"}, {0x6020101b, 0, "rr"},
    {0x0a004033, 3 << 12, "rrr"}, {0x60401013, 1 << 20, "rr"}, {0x0800403b, 0, "rr"},
    {0x60001033, 4 << 12, "rrr"}, {0x60005013, SHIFT, "rr"}, {0x6000501b, SHIFTW, "rr"},
    {0x6000103b, 4 << 12, "rrr"}, {0x28705013, 0, "rr"}, {0x6b805013, 0, "rr"},
    {0x48001033, 4 << 12, "rrr"}, {0x68001033, 0, "rrr"}, {0x28001033, 0, "rrr"},
    {0x0e005033, 2 << 12, "rrr"},
};

static const Form floats[] = {
    {0x00007053, FMT | 3 << 27, "fff"}, {0x00007053, FMT, "fff"}, {0x10007053, FMT, "fff"},
    {0x00000053, FMT | 3 << 27, "fff"}, {0x58007053, FMT, "ff"},
    {0x20000053, FMT | ODD3, "fff"}, {0x20002053, FMT, "fff"}, {0x28000053, FMT | ODD3, "fff"},
    {0x00007043, FMT | 3 << 2, "ffff"}, {0x40107053, 0, "ff"}, {0x42000053, 0, "ff"},
    {0x40107053, 0, "ff"}, {0x42000053, 0, "ff"},
    {0xa0000053, FMT | ODD3, "rff"}, {0xa0002053, FMT, "rff"}, {0xe0001053, FMT, "rf"},
    {0xc0001053, FMT | 3 << 20, "rf"}, {0xc0007053, FMT | 3 << 20, "rf"},
    {0xd0007053, FMT | 3 << 20, "fr"},
    {0xe0000053, FMT, "rf"}, {0xf0000053, FMT, "fr"}, {0xf0000053, 0, "fr"},
};

/* Singles and halves among doubles in the same registers. */
static const Form boxes[] = {
    {0x00007053, 3 << 27, "fff"}, {0x10007053, 0, "fff"}, {0x00007043, 3 << 2, "ffff"},
    {0x20000053, ODD3, "fff"}, {0x20000053, FMT | ODD3, "fff"}, {0xe2000053, 0, "rf"},
    {0xe0000053, 0, "rf"}, {0xf0000053, 0, "fr"}, {0xf2000053, 0, "fr"},
    {0x42000053, 0, "ff"}, {0x40107053, 0, "ff"}, {0xd0007053, 3 << 20, "fr"},
    {0x04007053, 0, "fff"}, {0x14007053, 0, "fff"}, {0x40207053, 0, "ff"}, {0x44007053, 0, "ff"},
    {0x24000053, ODD3, "fff"}, {0xe4000053, 0, "rf"}, {0xf4000053, 0, "fr"},
};

static const Form status[] = {
    {0x00102073, 0, "r"}, {0x00102073, 0, "r"}, {0x00302073, 0, "r"}, /* frflags, frcsr */
    {0x00101073, 0, "rr"}, {0x00105073, 31 << 15, "r"},                 /* fsflags */
    {0x00102073, 0, "rr"}, {0x00103073, 0, "rr"}, {0x00205073, 3 << 15, "r"},
    {0x00007053, FMT, "fff"}, {0x18007053, FMT, "fff"},
};

static void put_form(KickGen *g, const Form *f)
{
    static const uint8_t at[] = {7, 15, 20, 27};
    uint32_t insn = f->value | ((uint32_t)kick_random(g) & f->random);
    for (unsigned k = 0; f->regs[k]; k++)
        insn |= (f->regs[k] == 'f' ? fp_reg(g) : k == 0 ? written(g) : read_reg(g)) << at[k];
    put(g, insn);
}

#define PUT_ONE(g, table) put_form(g, &(table)[kick_below(g, sizeof(table) / sizeof *(table))])

/* Instructions of two bytes; those that name few registers have them in free_regs[0 … 5]. */
static void put_short(KickGen *g)
{
    unsigned d = written(g), n = written(g), imm = kick_random(g) & (1 << 12 | 31 << 2);
    unsigned d3 = (free_regs[kick_below(g, 6)] & 7) << 7, n3 = (free_regs[kick_below(g, 6)] & 7);
    uint32_t insn;
    if (g->n_regs < 6)
        d3 = (10 & 7) << 7, n3 = (11 & 7) << 2;
    else
        n3 <<= 2;
    switch (kick_below(g, 8)) {
    case 0: insn = 0x0001 | d << 7 | imm | 4; break;     /* c.addi */
    case 1: insn = 0x2001 | d << 7 | imm; break;         /* c.addiw */
    case 2: insn = 0x4001 | d << 7 | imm; break;         /* c.li */
    case 3: insn = 0x0002 | d << 7 | imm | 4; break;     /* c.slli */
    case 4: insn = 0x8002 | d << 7 | n << 2; break;      /* c.mv */
    case 5: insn = 0x9002 | d << 7 | n << 2; break;      /* c.add */
    case 6: insn = 0x8c01 | d3 | n3 | kick_below(g, 4) << 5; break; /* c.sub, c.xor, c.or, c.and */
    default: insn = 0x9c01 | d3 | n3 | kick_below(g, 2) << 5; break; /* c.subw, c.addw */
    }
    kick_emit(g, insn, 2);
}

static void i_type(KickGen *g, uint32_t value, unsigned d, unsigned n, int imm)
{
    put(g, value | (uint32_t)imm << 20 | n << 15 | d << 7);
}

static void addi(KickGen *g, unsigned d, unsigned n, int imm)
{
    i_type(g, 0x13, d, n, imm);
}

static void s_type(KickGen *g, uint32_t value, unsigned m, unsigned n, int imm)
{
    uint32_t low = (uint32_t)imm & 31, high = (uint32_t)imm >> 5 & 127;
    put(g, value | m << 20 | n << 15 | low << 7 | high << 25);
}

static void add(KickGen *g, unsigned d, unsigned n, unsigned m)
{
    put(g, 0x33 | m << 20 | n << 15 | d << 7);
}

/* d = base + offset, a multiple of 0x1000, and less. */
static void data_address(KickGen *g, unsigned d, int offset, unsigned more)
{
    more += 2048; /* an immediate's sign, taken off again */
    put(g, 0x37 | ((uint32_t)offset + (more & ~0xfffu)) | d << 7);
    add(g, d, d, BASE);
    addi(g, d, d, (int)(more & 0xfff) - 2048);
}

/* -- memory ------------------------------------------------------------------------------------ */
static bool floating(KickGen *g)
{
    return g->weight[4] + g->weight[5] && kick_below(g, 3) == 0;
}

static void access_at(KickGen *g, unsigned n, int imm)
{
    static const uint8_t fp_sizes[] = {2, 3, 3, 2, 1};
    bool fp = floating(g), store = kick_below(g, 2);
    unsigned size = fp ? fp_sizes[kick_below(g, 5)] : kick_below(g, store ? 4 : 7);
    if (store)
        s_type(g, (fp ? 0x27u : 0x23u) | size << 12, fp ? fp_reg(g) : read_reg(g), n, imm);
    else
        i_type(g, (fp ? 7u : 3u) | size << 12, fp ? fp_reg(g) : written(g), n, imm);
}

static void memory(KickGen *g)
{
    switch (kick_below(g, 4)) {
    case 0: case 1: /* anywhere within reach */
        i_type(g, 0x7013, T0, read_reg(g), kick_below(g, 2) ? 7 : 2047);
        add(g, T0, T0, BASE);
        access_at(g, T0, (int)kick_below(g, 16));
        break;
    case 2:
        access_at(g, BASE, (int)kick_below(g, 256));
        break;
    default:
        access_at(g, WALK + kick_below(g, 2), (int)kick_below(g, 64) - 16);
        break;
    }
}

static void walk(KickGen *g)
{
    unsigned p = WALK + kick_below(g, 2);
    int step = kick_below(g, 4) ? 1 << kick_below(g, 6) : -8;
    if (!g->walks_left)
        return;
    g->walks_left--;
    if (kick_below(g, 2)) {
        access_at(g, p, 0);
        addi(g, p, p, step);
    } else {
        addi(g, p, p, step);
        access_at(g, p, -step);
    }
}

static void b_type(KickGen *g, uint32_t value, unsigned n, unsigned m)
{
    put(g, value | n << 15 | m << 20);
}

static void atomic(KickGen *g)
{
    static const uint8_t ops[] = {0, 1, 4, 8, 12, 16, 20, 24, 28};
    uint32_t size = kick_below(g, 2) << 12;
    i_type(g, 0x7013, T0, read_reg(g), kick_below(g, 2) ? 8 : 0x3f8);
    add(g, T0, T0, BASE);
    if (kick_below(g, 3)) {
        put(g, 0x202f | size | (uint32_t)ops[kick_below(g, 9)] << 27 | read_reg(g) << 20 |
                   T0 << 15 | written(g) << 7);
        return;
    }
    uint32_t head = g->n;
    put(g, 0x1000202f | size | T0 << 15 | T1 << 7);
    add(g, T1, T1, written(g));
    put(g, 0x1800202f | size | T1 << 20 | T0 << 15 | T2 << 7);
    b_type(g, 0x1063, T2, 0);
    g->guest->patch(g, g->n - 4, head);
}

/* A sum of two words each. */
static void carry(KickGen *g)
{
    unsigned d = written(g), n = read_reg(g), high = written(g);
    bool borrow = kick_below(g, 2);
    put(g, (borrow ? 0x40000033u : 0x33u) | d << 20 | n << 15 | d << 7);
    put(g, 0x3033 | (borrow ? d : n) << 20 | (borrow ? n : d) << 15 | T0 << 7); /* SLTU */
    add(g, high, high, T0);
}

/* A comparison, or a conversion to and fro, that leaves the sticky flags as they were. */
static void quiet(KickGen *g)
{
    static const Form compare = {0xa0000053, FMT | ODD3, "rff"};
    unsigned d = written(g), f = fp_reg(g);
    i_type(g, 0x00102073, d, 0, 0);
    if (kick_below(g, 3)) {
        put_form(g, &compare);
    } else {
        put(g, 0xc2201053 | f << 15 | T0 << 7); /* FCVT.L.D, FCVT.D.L */
        put(g, 0xd2200053 | T0 << 15 | f << 7 | 7 << 12);
    }
    i_type(g, 0x00101073, 0, d, 0);
}

static void plain(KickGen *g, unsigned group)
{
    uint32_t start = kick_item_begin(g);
    switch (group) {
    case 0:
        switch (kick_below(g, 6)) {
        case 0: put_short(g); break;
        case 1: carry(g); break;
        default: PUT_ONE(g, arithmetic); break;
        }
        break;
    case 1: PUT_ONE(g, bits); break;
    case 2: memory(g); break;
    case 3: walk(g); break;
    case 4: PUT_ONE(g, floats); break;
    case 5: PUT_ONE(g, boxes); break;
    case 6: atomic(g); break;
    default: kick_below(g, 3) ? quiet(g) : PUT_ONE(g, status); break;
    }
    kick_item_end(g, start);
}

/* -- control ----------------------------------------------------------------------------------- */
static uint32_t branch_if(KickGen *g)
{
    static const uint32_t kinds[] = {0x63, 0x1063, 0x4063, 0x5063, 0x6063, 0x7063};
    unsigned n = read_reg(g), m = kick_below(g, 3) ? read_reg(g) : 0;
    b_type(g, kinds[kick_below(g, 6)], n, m);
    return g->n - 4;
}

static uint32_t jump(KickGen *g)
{
    put(g, 0x6f);
    return g->n - 4;
}

static uint32_t call(KickGen *g)
{
    put(g, 0x6f | LINK << 7);
    return g->n - 4;
}

static void patch(KickGen *g, uint32_t at, uint32_t target)
{
    uint32_t insn, off = target - at;
    memcpy(&insn, g->code + at, 4);
    assert((insn & 127) == 0x6f || off + 4096 < 8192);
    if ((insn & 127) == 0x6f)
        insn |= (off >> 20 & 1) << 31 | (off >> 1 & 1023) << 21 | (off >> 11 & 1) << 20 |
                (off >> 12 & 255) << 12;
    else
        insn |= (off >> 12 & 1) << 31 | (off >> 5 & 63) << 25 | (off >> 1 & 15) << 8 |
                (off >> 11 & 1) << 7;
    memcpy(g->code + at, &insn, 4);
}

static void trigger(KickGen *g)
{
    bool jumps = kick_below(g, 3) == 0;
    if (g->traps) {
        put(g, 0x02007053 | 31 << 20 | 31 << 15 | 30 << 7); /* FADD.D f30, f31, f31 */
        return;
    }
    addi(g, COUNT, COUNT, -1);
    i_type(g, 0x5013, SCRATCH, COUNT, 63);
    if (jumps)
        put(g, 0x63 | SCRATCH << 15 | 8 << 7); /* over the store */
    s_type(g, 0x2023, SCRATCH, ADDRESS, 0);
}

static void walk_begin(KickGen *g)
{
    for (unsigned k = 0; k < 2; k++)
        addi(g, WALK + k, BASE, (int)(kick_below(g, 255) * (kick_below(g, 4) ? 8 : 1)));
}

enum { BNEZ, BGTZ, UP_SLTI, TOP_BEQZ, BGEZ, ADDIW, N_LOOP_FORMS };

static void loop_begin(KickGen *g, KickLoop *l)
{
    unsigned c = COUNTER + l->counter;
    addi(g, c, 0, l->form == UP_SLTI ? 0 : (int)l->turns - (l->form == BGEZ));
    l->head = g->n;
    if (l->form == TOP_BEQZ) {
        b_type(g, 0x63, c, 0);
        l->out = g->n - 4;
    }
}

static void loop_end(KickGen *g, const KickLoop *l)
{
    unsigned c = COUNTER + l->counter;
    if (l->form == ADDIW)
        i_type(g, 0x1b, c, c, -1);
    else
        addi(g, c, c, l->form == UP_SLTI ? 1 : -1);
    switch (l->form) {
    case BGTZ:
        b_type(g, 0x4063, 0, c);
        break;
    case UP_SLTI:
        i_type(g, 0x2013, T0, c, (int)l->turns);
        b_type(g, 0x1063, T0, 0);
        break;
    case TOP_BEQZ:
        put(g, 0x6f);
        break;
    case BGEZ:
        b_type(g, 0x5063, c, 0);
        break;
    default:
        b_type(g, 0x1063, c, 0);
        break;
    }
    patch(g, g->n - 4, l->head);
    if (l->form == TOP_BEQZ)
        patch(g, l->out, g->n);
}

static void through_table(KickGen *g, unsigned first, unsigned n, bool to_function)
{
    i_type(g, 0x7013, T0, read_reg(g), (int)(n - 1) * 8);
    data_address(g, T1, KICK_TABLE, first * 8);
    add(g, T1, T1, T0);
    i_type(g, 0x3003, T1, T1, 0);
    i_type(g, 0x67, to_function ? LINK : 0, T1, 0);
}

static void function_begin(KickGen *g, bool leaf)
{
    if (leaf)
        return;
    addi(g, SP, SP, -16);
    s_type(g, 0x3023, LINK, SP, 8);
}

static void function_end(KickGen *g, bool leaf)
{
    if (!leaf) {
        i_type(g, 0x3003, LINK, SP, 8);
        addi(g, SP, SP, 16);
    }
    i_type(g, 0x67, 0, LINK, 0);
}

static void stop(KickGen *g)
{
    put(g, 0x00100073);
}

static void nop(uint8_t *code, uint32_t bytes)
{
    static const uint32_t whole = 0x13;
    static const uint16_t half = 1;
    for (uint32_t n = 0; n < bytes; n += bytes - n >= 4 ? 4 : 2)
        memcpy(code + n, bytes - n >= 4 ? (const void *)&whole : &half, bytes - n >= 4 ? 4 : 2);
}

/* -- loops over strings ------------------------------------------------------------------------ */
static void back_if(KickGen *g, uint32_t value, unsigned n, unsigned m, uint32_t head)
{
    b_type(g, value, n, m);
    patch(g, g->n - 4, head);
}

static void maybe_trigger(KickGen *g)
{
    if (kick_below(g, 4) == 0)
        trigger(g);
}

/* T1: in the text; T2: where it ends, or where a copy goes. */
static void string_loop(KickGen *g)
{
    unsigned n = 1 + kick_below(g, 250), form = kick_below(g, 7), x = written(g), f = fp_reg(g);
    uint32_t head, out = 0;
    data_address(g, T1, KICK_STRINGS, kick_below(g, KICK_REACH - 64));
    if (form == 1 || form == 2)
        addi(g, T2, T1, (int)n);
    else
        data_address(g, T2, KICK_COPIES, kick_below(g, KICK_REACH / 2));
    addi(g, T0, 0, (int)n);
    head = g->n;
    switch (form) {
    case 0: /* strlen */
        i_type(g, 0x4003, T0, T1, 0);
        addi(g, T1, T1, 1);
        maybe_trigger(g);
        back_if(g, 0x1063, T0, 0, head);
        break;
    case 1: case 2: /* memchr, and strnlen */
        i_type(g, form == 1 ? 0x3 : 0x4003, T0, T1, 0);
        out = g->n;
        b_type(g, 0x63, T0, form == 1 ? x : 0);
        addi(g, T1, T1, 1);
        maybe_trigger(g);
        back_if(g, 0x1063, T1, T2, head);
        patch(g, out, g->n);
        break;
    case 3: /* strcpy */
        i_type(g, 0x4003, T0, T1, 0);
        addi(g, T1, T1, 1);
        s_type(g, 0x23, T0, T2, 0);
        addi(g, T2, T2, 1);
        maybe_trigger(g);
        back_if(g, 0x1063, T0, 0, head);
        break;
    case 4: /* memcpy by words */
        i_type(g, 0x3003, x, T1, 0);
        addi(g, T1, T1, 8);
        s_type(g, 0x3023, x, T2, 0);
        addi(g, T2, T2, 8);
        maybe_trigger(g);
        addi(g, T0, T0, -1);
        back_if(g, 0x1063, T0, 0, head);
        break;
    case 5: /* by doubles */
        i_type(g, 0x3007, f, T1, 0);
        addi(g, T1, T1, 8);
        s_type(g, 0x3027, f, T2, 0);
        addi(g, T2, T2, 8);
        maybe_trigger(g);
        addi(g, T0, T0, -1);
        back_if(g, 0x1063, T0, 0, head);
        break;
    default: /* memset */
        s_type(g, 0x23, x, T2, 0);
        addi(g, T2, T2, 1);
        maybe_trigger(g);
        addi(g, T0, T0, -1);
        back_if(g, 0x4063, 0, T0, head);
        break;
    }
    if (kick_below(g, 2))
        addi(g, x, kick_below(g, 2) ? T1 : T2, 0);
}

const KickGuest kick_riscv64 = {
    .name = "riscv64",
    .n_words = N_WORDS,
    .word_name = word_name,
    .compared = compared,
    .randomise = randomise,
    .get = get,
    .set = set,
    .set_trigger = set_trigger,
    .n_groups = 8,
    .n_free = sizeof free_regs,
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
