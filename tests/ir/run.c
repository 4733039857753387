/*
 * See run.h. The text is given as the model of a guest whose only instruction at the unit's address
 * is all of it; every other address ends the run.
 */
#include "tests/ir/run.h"

#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "tests/ir/test-isa.h"
#include "translator/ir/arena.h"
#include "translator/runtime/runtime.h"

static GQuark run_quark(void) { return g_quark_from_static_string("ir-run"); }

static size_t fetch(void *opaque, GuestAddr pc, size_t want, const uint8_t **ret_host)
{
    static const uint8_t code[8192];
    *ret_host = code; /* lift() doesn't look at it */
    return MIN(want, sizeof code);
}

static const void *model(const char *text, GError **error) { return g_strdup(text); }

static void reset(void *cpu, const void *text) { memset(cpu, 0, test_isa.cpu_bytes); }

static GuestAddr entry_of(const char *text)
{
    const char *p = strstr(text, "unit ");
    return p ? g_ascii_strtoull(p + strlen("unit "), NULL, 0) : 0;
}

static void lift(LiftContext *ctx)
{
    IrUnit *u = ctx->b.unit;
    const char *text = ctx->cpu_model;
    ctx->bytes = 4;
    ctx->ended = true;
    if (ctx->pc != entry_of(text)) {
        ir_emit(&ctx->b, IR_trap, IR_VOID, 0, VCPU_EXIT_BREAK, 0, 0, 0, 0, (int64_t)ctx->pc);
        return;
    }
    IrUnit *parsed = ir_parse(u->arena, ctx->isa, text, NULL); /* run_unit() has seen to that */
    parsed->mode = u->mode;
    parsed->flags = u->flags | (strstr(text, " region\n") ? IR_UNIT_REGION : 0);
    *u = *parsed;
}

static GuestIsa running_isa(void)
{
    GuestIsa isa = test_isa;
    isa.vars = test_run_vars;
    isa.n_vars = test_n_run_vars;
    isa.model = model;
    isa.reset = reset;
    isa.lift = lift;
    return isa;
}

static const IrVar *find_var(const char *name)
{
    for (unsigned n = 0; n < test_n_run_vars; n++)
        if (!strcmp(test_run_vars[n].name, name))
            return &test_run_vars[n];
    return NULL;
}

static size_t var_bytes(const IrVar *var)
{
    return var->type == IR_I64 || var->type == IR_F64 ? 8 : 4;
}

typedef bool ValueFn(uint8_t *place, size_t bytes, const char *name, uint64_t value,
                     GError **error);

/* Calls fn for each NAME=VALUE of the list. */
static bool each_value(uint8_t *cpu, const char *list, ValueFn *fn, GError **error)
{
    g_auto(GStrv) words = g_strsplit(list, " ", -1);
    for (char **w = words; *w; w++) {
        char *value = strchr(*w, '=');
        if (!**w)
            continue;
        if (value)
            *value++ = 0;
        const IrVar *var = find_var(*w);
        if (!value || !var || var->type == IR_V128) {
            g_set_error(error, run_quark(), 0, "NAME=VALUE of a scalar is expected: %s", *w);
            return false;
        }
        if (!fn(cpu + var->offset, var_bytes(var), *w, g_ascii_strtoull(value, NULL, 0), error))
            return false;
    }
    return true;
}

static bool set_value(uint8_t *place, size_t bytes, const char *name, uint64_t value,
                      GError **error)
{
    memcpy(place, &value, bytes);
    return true;
}

static bool compare_value(uint8_t *place, size_t bytes, const char *name, uint64_t want,
                          GError **error)
{
    uint64_t got = 0;
    memcpy(&got, place, bytes);
    if (got == want)
        return true;
    g_set_error(error, run_quark(), 0, "%s is %#" PRIx64 ", not %#" PRIx64, name, got, want);
    return false;
}

static bool run_way(const GuestIsa *isa, const char *backend, bool no_opt, const char *text,
                    const char *start, const char *end, GError **error)
{
    static const TranslatorCallbacks callbacks = { .fetch = fetch };
    TranslatorConfig c = { .guest = "test", .cpu = text, .backend = backend,
                           .callbacks = &callbacks, .code_bytes = 4 << 20, .verify = true };
    Translator *t = translator_new_for(&c, isa, error);
    if (!t)
        return false;
    t->no_opt = no_opt;
    Vcpu *v = vcpu_new(t, NULL);
    bool ok = each_value(vcpu_cpu(v), start, set_value, error);
    if (ok) {
        VcpuExitInfo info;
        vcpu_set_pc(v, entry_of(text));
        VcpuExit exit = vcpu_run(v, &info);
        ok = exit == VCPU_EXIT_BREAK;
        if (!ok)
            g_set_error(error, run_quark(), 0, "the run ended with %d", exit);
    }
    ok = ok && each_value(vcpu_cpu(v), end, compare_value, error);
    vcpu_free(v);
    translator_free(t);
    return ok;
}

/* Its errors are those of all the ways. */
static bool is_right(const GuestIsa *isa, const char *text, GError **error)
{
    Arena *arena = arena_new();
    IrUnit *u = ir_parse(arena, isa, text, error);
    bool ok = u && ir_verify(u, error);
    if (ok && u->insn[1].op != IR_insn) {
        g_set_error(error, run_quark(), 0, "the unit doesn't begin with an instruction's marker");
        ok = false;
    }
    arena_free(arena);
    return ok;
}

bool run_unit(const char *text, const char *start, const char *end, GError **error)
{
    static const char *const backends[] = { "interp", "x86_64" };
    GuestIsa isa = running_isa();
    bool region = strstr(text, " region\n");
    if (!is_right(&isa, text, error))
        return false;
    for (unsigned n = 0; n < 2 * G_N_ELEMENTS(backends); n++) {
        const char *backend = backends[n / 2];
        bool no_opt = n % 2 == 0;
        /* Allocation over regions takes variables as opt/ssa.c leaves them. */
        if (!backend_find(backend) || (region && no_opt && !strcmp(backend, "x86_64")))
            continue;
        if (!run_way(&isa, backend, no_opt, text, start, end, error)) {
            g_prefix_error(error, "%s, %s: ", backend, no_opt ? "as it is" : "optimized");
            return false;
        }
    }
    return true;
}
