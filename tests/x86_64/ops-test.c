/*
 * Each floating-point and vector operation in a unit of its own, compiled by the x86-64 backend and
 * run by the interpreter: the same result bit for bit and the same sticky flags, in every rounding
 * mode, for special and random operands, with the processor's features as they are and taken away.
 *
 * Arguments: [-v] [-s SEED] [operation]. The one tolerated difference is stated in fp-site.h: the
 * underflow flag when tininess is to be detected before rounding.
 */
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/x86_64/ops-test.h"
#include "translator/guest/aarch64/cpu.h"
#include "translator/host/x86_64/emit-state.h"
#include "translator/opt/opt.h"
#include "translator/runtime/vcpu.h"

enum { ROUNDS = 48, CODE_BYTES = 4 << 20 };

typedef struct Side { Translator *t; Vcpu *v; Aarch64Cpu *cpu; } Side;
typedef struct Test {
    Side host, ref;
    const char *only, *level;
    bool verbose, failed;
    unsigned cases, failures;
    uint64_t seed; /* argument -s */
} Test;

static Vcpu *running;

static uint64_t random64(Test *t)
{
    uint64_t x = t->seed += 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

static void on_signal(int sig, siginfo_t *info, void *context)
{
    if (running && running->translator->backend->host_signal(running, sig, info, context))
        return;
    signal(sig, SIG_DFL);
}

static size_t no_code(void *opaque, GuestAddr pc, size_t want, const uint8_t **ret_host)
{
    (void)opaque;
    (void)pc;
    (void)want;
    (void)ret_host;
    return 0;
}

static Side side_new(const char *backend)
{
    static const TranslatorCallbacks callbacks = { .fetch = no_code };
    TranslatorConfig config = { .guest = "aarch64", .backend = backend, .code_bytes = CODE_BYTES,
                                .callbacks = &callbacks };
    GError *error = NULL;
    Side s = { .t = translator_new(&config, &error) };
    if (!s.t)
        g_error("%s", error->message);
    s.v = vcpu_new(s.t, NULL);
    s.cpu = vcpu_cpu(s.v);
    return s;
}

static void side_free(Side *s)
{
    vcpu_free(s->v);
    translator_free(s->t);
}

/* -- operands ---------------------------------------------------------------------------------- */
static uint64_t fp_special(Test *t, unsigned bits, unsigned fraction)
{
    uint64_t r = random64(t), f = 1ull << fraction, sign = (r & 1) << (bits - 1);
    uint64_t emax = (1ull << (bits - 1)) - f, bias = (emax / f) / 2;
    uint64_t any = random64(t) & (f - 1);
    switch (r >> 1 & 15) {
    case 0: return sign;
    case 1: return sign | emax;
    case 2: return sign | emax | f >> 1 | (any >> 2);          /* quiet NaN */
    case 3: return sign | emax | ((any >> 2) ? any >> 2 : 1);  /* signalling NaN */
    case 4: return sign | 1;
    case 5: return sign | any;                                  /* denormal */
    case 6: return sign | f | (r >> 8 & 1 ? any : 0);           /* about the smallest normal */
    case 7: return sign | (emax - 1);
    case 8: return sign | bias * f | (r >> 8 & 3);
    case 9: case 10: return sign | (bias + (r >> 8) % 70) * f | any;    /* near integers */
    case 11: return sign | (bias - 1 + (r >> 8) % 40) * f | (any & ~((f - 1) >> (r >> 16) % 12));
    case 12: return sign | ((bias - 1 + (r >> 8 & 7)) * f) | (r >> 16 & 1 ? f >> 1 : 0);
    case 13: return sign | (bias / 2 + (r >> 8) % (bias ? bias : 1)) * f | any;
    case 14: return sign | ((bias + 29 + (r >> 8) % 6) * f | any % (emax - (bias + 35) * f));
    default: return random64(t) & (bits == 64 ? UINT64_MAX : (1ull << bits) - 1);
    }
}

static uint64_t lane_value(Test *t, IrLane l)
{
    uint64_t r = 0, pick = random64(t);
    switch (l) {
    case IR_LANE_F64: return fp_special(t, 64, 52);
    case IR_LANE_F32: return fp_special(t, 32, 23) | fp_special(t, 32, 23) << 32;
    case IR_LANE_F16:
        for (unsigned n = 0; n < 4; n++)
            r |= (fp_special(t, 16, 10) & 0xffff) << 16 * n;
        return r;
    default:
        r = random64(t);
        switch (pick & 7) {
        case 0: return 0;
        case 1: return UINT64_MAX;
        case 2: return 0x8080808080808080u;
        case 3: return 0x7fff80007fffffffu;
        case 4: return 0x8000000080000000u ^ (pick >> 3 & 1 ? 0 : 0x8000000000000000u);
        case 5: return r & 0x1f1f1f1f1f1f1f1fu;
        default: return r;
        }
    }
}

/* -- units ------------------------------------------------------------------------------------- */
static IrRef argument(IrBuilder *b, IrType type, unsigned n)
{
    IrRef v = ir_get(b, A64_VAR_V0 + n), x;
    switch (type) {
    case IR_F32: case IR_F64:
        return ir_emit(b, IR_vtos, type, type == IR_F32 ? IR_LANE_F32 : IR_LANE_F64, 0, v, 0, 0, 0,
                       0);
    case IR_I64: return ir_get(b, A64_VAR_X0 + n);
    case IR_I32:
        x = ir_get(b, A64_VAR_X0 + n);
        return ir_op1(b, IR_trunc, IR_I32, x);
    default: return v;
    }
}

static void result(IrBuilder *b, IrType type, IrRef r, unsigned to)
{
    switch (type) {
    case IR_F32: case IR_F64:
        r = ir_emit(b, IR_vfroms, IR_V128, 0, type, r, 0, 0, 0, 0);
        ir_put(b, A64_VAR_V0 + to, r);
        break;
    case IR_V128: ir_put(b, A64_VAR_V0 + to, r); break;
    case IR_I1: ir_put(b, A64_VAR_X0 + to, ir_op1(b, IR_b2i, IR_I64, r)); break;
    case IR_I32: ir_put(b, A64_VAR_X0 + to, ir_op1(b, IR_zext, IR_I64, r)); break;
    case IR_FLAGS: ir_put(b, A64_VAR_NZCV, r); break;
    default: ir_put(b, A64_VAR_X0 + to, r); break;
    }
}

static CompiledUnit *make(Side *s, const OpCase *c, unsigned variant, unsigned unit_flags)
{
    arena_reset(s->t->arena);
    IrUnit *u = ir_unit_new(s->t->arena, s->t->isa, 0x1000, 0);
    IrBuilder b = { u, 0 };
    IrRef arg[3] = { 0 };
    u->flags |= unit_flags;
    ir_emit(&b, IR_insn, IR_VOID, 0, 4, 0, 0, 0, 0, 0x1000);
    for (unsigned n = 0; n < 3 && c->arg[n]; n++) {
        unsigned from = variant & 1 && n ? n - 1 : n; /* the same operand twice */
        arg[n] = argument(&b, c->arg[n], from);
    }
    IrRef r = ir_emit(&b, c->op, c->type, c->cc, c->attr, arg[0], arg[1], arg[2], 0, c->imm);
    result(&b, c->type, r, variant & 2 ? 0 : 3);
    ir_emit(&b, IR_trap, IR_VOID, 0, VCPU_EXIT_BREAK, 0, 0, 0, 0, 0x1004);
    u->code_bytes = 4;
    u->n_guest_insns = 1;
    opt_run_baseline(u, NULL);
    opt_count_uses(u);
    return s->t->backend->compile(s->t, u);
}

static uint32_t run(Side *s, CompiledUnit *u, uint32_t round)
{
    UnitLink *link;
    vcpu_fp_set_flags(s->v, 0);
    vcpu_fp_set_control(s->v, round);
    running = s->v;
    s->t->backend->enter(s->v, u, &link);
    running = NULL;
    return vcpu_fp_flags(s->v);
}

static void report(Test *t, const OpCase *c, const Aarch64Cpu *in, uint32_t round, uint32_t hf,
                   uint32_t rf)
{
    t->failed = true;
    if (!t->verbose && t->failures > 20)
        return;
    printf("%s: %s.%s cc=%u attr=%x imm=%lld round=%u flags %x, should be %x\n", t->level,
           ir_op_info[c->op].name, ir_type_names[c->type], c->cc, c->attr, (long long)c->imm, round,
           hf, rf);
    for (unsigned n = 0; n < 3; n++)
        printf("   v%u %016llx:%016llx x%u %016llx\n", n, (unsigned long long)in->v[n].hi,
               (unsigned long long)in->v[n].lo, n, (unsigned long long)in->x[n]);
    for (unsigned n = 0; n < 4; n += 3) {
        const Aarch64Cpu *h = t->host.cpu, *r = t->ref.cpu;
        printf("   v%u %016llx:%016llx, should be %016llx:%016llx\n", n,
               (unsigned long long)h->v[n].hi, (unsigned long long)h->v[n].lo,
               (unsigned long long)r->v[n].hi, (unsigned long long)r->v[n].lo);
        printf("   x%u %016llx, should be %016llx; nzcv %x, %x\n", n, (unsigned long long)h->x[n],
               (unsigned long long)r->x[n], h->nzcv, r->nzcv);
    }
}

/* The gap that fp-site.h tells of. */
static bool flags_ok(const OpCase *c, uint32_t host, uint32_t ref)
{
    if (!(c->attr & (IR_FP_TINY_AFTER | IR_FP_FLUSH)) && ref & IR_FPX_UNDERFLOW)
        host |= IR_FPX_UNDERFLOW;
    return host == ref;
}

static void one_case(const OpCase *c, void *opaque)
{
    Test *t = opaque;
    if (t->only && strcmp(t->only, ir_op_info[c->op].name))
        return;
    t->cases++;
    for (unsigned variant = 0; variant < 5 && !t->failed; variant++) {
        CompiledUnit *h = make(&t->host, c, variant, variant == 4 ? IR_UNIT_NAN_CHECK : 0);
        CompiledUnit *r = make(&t->ref, c, variant, 0);
        if (!h || !r) {
            printf("%s: %s doesn't compile (%s)\n", t->level, ir_op_info[c->op].name,
                   h ? "interpreter" : "host");
            t->failed = true;
            break;
        }
        for (unsigned n = 0; n < ROUNDS && !t->failed; n++) {
            Aarch64Cpu *cpu = t->ref.cpu;
            for (unsigned k = 0; k < 4; k++) {
                cpu->v[k] = (V128) { lane_value(t, c->fp_lane), lane_value(t, c->fp_lane) };
                cpu->x[k] = lane_value(t, c->fp_lane == IR_LANE_F16 ? IR_LANE_F16 : c->fp_lane);
                if (c->op == IR_funbox && n & 1)
                    cpu->v[k].lo |= 0xffffffffull << 32;
            }
            cpu->nzcv = 0;
            memcpy(t->host.cpu, cpu, sizeof *cpu);
            Aarch64Cpu in = *cpu;
            uint32_t round = IR_ROUND_NEAREST + n % (c->attr & IR_FP_TINY_AFTER ? 5 : 4);
            uint32_t control = round | (c->attr & IR_FP_FLUSH ? IR_FPC_FLUSH : 0);
            uint32_t hf = run(&t->host, h, control), rf = run(&t->ref, r, control);
            if (memcmp(t->host.cpu, t->ref.cpu, sizeof *cpu) || !flags_ok(c, hf, rf))
                report(t, c, &in, round, hf, rf);
        }
        t->host.t->backend->flush(t->host.t);
        if (t->ref.t->backend->flush)
            t->ref.t->backend->flush(t->ref.t);
    }
    t->failures += t->failed;
    t->failed = false;
}

static void lower(HostFeatures *f, unsigned level)
{
    if (level >= 1) {
        f->avx512vl = f->avx512_vbmi = f->avx512_bitalg = f->avx512_vpopcntdq = false;
        f->avx512_vnni = f->gfni = f->avx_vnni = false;
    }
    if (level >= 2)
        f->avx2 = f->fma = f->f16c = f->bmi1 = f->bmi2 = false;
    if (level >= 3)
        f->avx = f->aes = f->pclmul = false;
}

int main(int argc, char **argv)
{
    static const char *const names[] = { "all", "avx2", "avx", "sse4.2" };
    Test t = { 0 };
    for (int n = 1; n < argc; n++) {
        if (!strcmp(argv[n], "-v"))
            t.verbose = true;
        else if (!strcmp(argv[n], "-s") && n + 1 < argc)
            t.seed = strtoull(argv[++n], NULL, 0);
        else
            t.only = argv[n];
    }
    struct sigaction sa = { .sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_NODEFER };
    sigaction(SIGFPE, &sa, NULL);
    for (unsigned level = 0; level < 4; level++) {
        t.host = side_new("x86_64");
        t.ref = side_new("interp");
        t.level = names[level];
        lower(&((X86Backend *)t.host.t->backend_data)->features, level);
        ops_cases(one_case, &t);
        side_free(&t.host);
        side_free(&t.ref);
    }
    printf("%u cases, %u failed\n", t.cases, t.failures);
    return t.failures != 0;
}
