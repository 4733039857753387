/* The variables and helpers of the guests that gen.c makes programs for. */
#include "tests/ir-fuzz/gen.h"
#include "tests/ir-fuzz/values.h"

#include <string.h>

#include "translator/runtime/vcpu.h"

#define AT(field, n, bytes) (offsetof(GenCpu, field) + (n) * (bytes))
#define R(n) { "r" #n, IR_I64, 0, n, AT(r, n, 8) }
#define W(n) { "w" #n, IR_I32, 0, -1, AT(w, n, 4) }
#define D(n) { "d" #n, IR_F64, 0, -1, AT(d, n, 8) }
#define S(n) { "s" #n, IR_F32, 0, -1, AT(s, n, 4) }
#define V(n) { "v" #n, IR_V128, 0, n, AT(v, n, 16) }
#define M(n) { "m" #n, IR_I64, 0, -1, AT(m, n, 8) }
#define X(n) { "x" #n, IR_V128, 0, -1, AT(x, n, 16) }
#define E(n) { "e" #n, IR_F64, 0, -1, AT(e, n, 8) }
#define VARS(fl_flags) \
    R(0), R(1), R(2), R(3), R(4), R(5), R(6), R(7), R(8), W(0), W(1), W(2), W(3), D(0), D(1), \
    D(2), D(3), S(0), S(1), S(2), S(3), V(0), V(1), V(2), V(3), V(4), V(5), \
    { "fl", IR_FLAGS, fl_flags, -1, offsetof(GenCpu, flags) }, \
    { "fl2", IR_FLAGS, 0, -1, offsetof(GenCpu, more_flags) }, \
    { "pc", IR_I64, IR_VAR_PC, -1, offsetof(GenCpu, pc) }, \
    { "ra", IR_I64, 0, 9, offsetof(GenCpu, ra) }, \
    M(0), M(1), M(2), M(3), M(4), M(5), M(6), M(7), M(8), M(9), M(10), M(11), \
    X(0), X(1), X(2), X(3), X(4), X(5), X(6), X(7), X(8), X(9), X(10), X(11), \
    E(0), E(1), E(2), E(3), E(4), E(5), E(6), E(7), E(8), E(9), E(10), E(11)
static const IrVar vars[] = { VARS(0) }, lazy_vars[] = { VARS(IR_VAR_LAZY) };

static uint64_t help_mix(Vcpu *v, uint64_t a, uint32_t b)
{
    return (a ^ a >> 29) * 0x9e3779b97f4a7c15ull + b;
}
static uint32_t help_word(Vcpu *v, uint32_t a, uint64_t b, uint32_t c, uint64_t d)
{
    return a * 3 + (uint32_t)b - c + (uint32_t)(d >> 32);
}
static void help_vec(Vcpu *v, V128 *ret, const V128 *a, const V128 *b)
{
    *ret = (V128){ a->lo + b->hi, a->hi ^ b->lo };
}
static uint64_t help_vec_int(Vcpu *v, const V128 *a, uint32_t b)
{
    return a->lo * 5 ^ a->hi ^ b;
}
static uint64_t help_f64(Vcpu *v, uint64_t a, uint64_t b) { return a ^ b >> 1; }
static uint32_t help_f32(Vcpu *v, uint32_t a) { return a ^ 0x80000000; }
static uint64_t help_reads(Vcpu *v, uint64_t a)
{
    const GenCpu *c = (const GenCpu *)v->cpu;
    return a + c->r[1] + c->w[2] + c->v[3].hi + c->d[0] + c->s[1] + c->flags;
}
static void help_writes(Vcpu *v, uint64_t a)
{
    GenCpu *c = (GenCpu *)v->cpu;
    c->r[2] += a;
    c->w[1] ^= (uint32_t)a;
    c->v[1].lo -= a;
    c->d[3] ^= 1;
    c->s[2] = ~c->s[2];
    c->flags ^= 0xf0000000;
}
static uint32_t help_fp(Vcpu *v, uint32_t a)
{
    uint32_t was = vcpu_fp_flags(v);
    vcpu_fp_set_flags(v, was ^ (1u << (a & 3)));
    return (was & ~(uint32_t)IR_FPX_UNDERFLOW) | (vcpu_fp_control(v) & 7) << 8;
}

#define FN(f) ((void (*)(void))f)
static const IrHelper helpers[] = {
    { "mix", FN(help_mix), "L:LW", IR_HELPER_PURE },
    { "word", FN(help_word), "W:WLWL", IR_HELPER_PURE },
    { "vec", FN(help_vec), "V:VV", IR_HELPER_PURE },
    { "vec_int", FN(help_vec_int), "L:VW", IR_HELPER_PURE },
    { "f64", FN(help_f64), "D:DD", IR_HELPER_PURE },
    { "f32", FN(help_f32), "S:S", IR_HELPER_PURE },
    { "reads", FN(help_reads), "L:L", IR_HELPER_READS_VARS },
    { "writes", FN(help_writes), "-:L", IR_HELPER_READS_VARS | IR_HELPER_WRITES_VARS },
    { "fp", FN(help_fp), "W:W", IR_HELPER_FP },
};
void gen_state(uint64_t seed, GenCpu *cpu, uint8_t *memory)
{
    uint64_t s = seed * 77 + 1;
    memset(cpu, 0, sizeof *cpu);
    for (unsigned n = 0; n < 8; n++)
        cpu->r[n] = int_value(&s);
    for (unsigned n = 0; n < 12; n++)
        cpu->m[n] = int_value(&s);
    cpu->r[8] = (uint64_t)(uintptr_t)memory;
    cpu->ra = gen_pc(seed) + GEN_INSNS * 4;
    for (unsigned n = 0; n < 4; n++) {
        cpu->w[n] = (uint32_t)int_value(&s);
        cpu->d[n] = float_bits(&s, seed / 8 % 4 ? 64 : 32) | (seed / 8 % 4 ? 0 : ~0ull << 32);
        cpu->s[n] = (uint32_t)float_bits(&s, 32);
    }
    for (unsigned n = 0; n < 6; n++)
        cpu->v[n] = vec_value(&s);
    for (unsigned n = 0; n < 12; n++) {
        cpu->x[n] = vec_value(&s);
        cpu->e[n] = next(&s) % 2 ? float_bits(&s, 64) : float_bits(&s, 32) | ~0ull << 32;
    }
    cpu->flags = (uint32_t)next(&s) & 0xf0000000;
    cpu->more_flags = (uint32_t)next(&s) & 0xf0000000;
    bool text = next(&s) & 1; /* long stretches of it, for gen-strings.c */
    for (unsigned n = 0; n < GEN_MEM_BYTES; n += 8) {
        uint64_t x = next(&s) & 1 ? int_value(&s) : float_bits(&s, 64);
        if (text && n >= 1024 && next(&s) % 64)
            x = (next(&s) & 0x7f7f7f7f7f7f7f7f) | 0x0101010101010101;
        memcpy(memory + n, &x, 8);
    }
}

static void reset(void *cpu, const void *model)
{
    memset(cpu, 0, sizeof(GenCpu));
}

#define ISA(its_vars) { \
    .name = "fuzz", \
    .min_insn_bytes = 4, \
    .max_insn_bytes = 4, \
    .pc_align = 4, \
    .cpu_bytes = (sizeof(GenCpu) + 15) & ~(size_t)15, \
    .pc_offset = offsetof(GenCpu, pc), \
    .vars = its_vars, \
    .n_vars = sizeof its_vars / sizeof *its_vars, \
    .helpers = helpers, \
    .n_helpers = sizeof helpers / sizeof *helpers, \
    .reset = reset, \
    .lift = gen_lift, \
}
const GuestIsa gen_isa = ISA(vars), gen_lazy_isa = ISA(lazy_vars);
