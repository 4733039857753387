/* What -d shows of a unit, from guest bytes to host bytes. Control plane: only when it is on. */
#include "config.h"

#include <glib.h>
#include <string.h>

#include "translator/debug/disas.h"
#include "translator/runtime/runtime.h"

static void write_string(GString *s)
{
    log_block(s->str, s->len);
    g_string_free(s, TRUE);
}

static void append_symbol(const Translator *t, GString *s, GuestAddr pc)
{
    g_autofree char *name = t->callbacks.symbol ? t->callbacks.symbol(t->opaque, pc) : NULL;
    if (name)
        g_string_append_printf(s, " %s", name);
}

void dump_guest_code(const Translator *t, const IrUnit *u, const uint8_t *code, size_t bytes)
{
    GString *s = g_string_new("----------------\nIN:");
    append_symbol(t, s, u->pc);
    g_string_append_c(s, '\n');
    disas_append(s, t->isa->capstone, t->isa->big_endian, code, bytes, u->pc);
    g_string_append_c(s, '\n');
    write_string(s);
}

void dump_ir(const IrUnit *u, const char *title)
{
    GString *s = g_string_new(title);
    g_string_append(s, ":\n");
    ir_print(u, s);
    g_string_append_c(s, '\n');
    write_string(s);
}

void dump_verify(const IrUnit *u, const char *after)
{
    GError *error = NULL;
    if (ir_verify(u, &error))
        return;
    GString *s = g_string_new(NULL);
    g_string_append_printf(s, "calque: wrong IR after %s: %s\n", after, error->message);
    ir_print(u, s);
    write_string(s);
    g_error_free(error);
    g_assert_not_reached();
}

void dump_host_code(const Translator *t, const CompiledUnit *u)
{
    GString *s = g_string_new(NULL);
    g_string_append_printf(s, "OUT: [0x%" G_GINT64_MODIFIER "x, %u guest, %u host bytes, "
                           "%u straight]\n", u->pc, u->code_bytes, u->host_bytes,
                           u->straight_bytes);
    if (strcmp(t->backend->name, "interp"))
        disas_append(s, t->backend->name, false, unit_code(u), u->host_bytes,
                     (uint64_t)(uintptr_t)unit_code(u));
    g_string_append_c(s, '\n');
    write_string(s);
}

static void append_var(GString *s, const Vcpu *v, const IrVar *var)
{
    const uint8_t *at = v->cpu + var->offset;
    uint64_t word[2] = { 0, 0 };
    switch (var->type) {
    case IR_I1: memcpy(word, at, 1); break;
    case IR_I32: case IR_F32: case IR_FLAGS: memcpy(word, at, 4); break;
    case IR_I128: case IR_V128: memcpy(word, at, 16); break;
    default: memcpy(word, at, 8); break;
    }
    if (var->type == IR_V128 || var->type == IR_I128)
        g_string_append_printf(s, "%8s %016" G_GINT64_MODIFIER "x%016" G_GINT64_MODIFIER "x",
                               var->name, word[1], word[0]);
    else
        g_string_append_printf(s, "%8s %016" G_GINT64_MODIFIER "x", var->name, word[0]);
}

static void append_cpu(GString *s, const Vcpu *v)
{
    const GuestIsa *isa = v->translator->isa;
    g_string_append_printf(s, "      pc %016" G_GINT64_MODIFIER "x\n", vcpu_pc(v));
    unsigned column = 0;
    for (unsigned n = 0; n < isa->n_vars; n++) {
        append_var(s, v, &isa->vars[n]);
        bool end = ++column == 4 || n + 1 == isa->n_vars;
        g_string_append_c(s, end ? '\n' : ' ');
        column = end ? 0 : column;
    }
}

void dump_enter(Vcpu *v, const CompiledUnit *u)
{
    GString *s = g_string_new(NULL);
    if (log_on(LOG_EXEC)) {
        g_string_append_printf(s,
                               "Trace: %p [%016" G_GINT64_MODIFIER "x/%x/%x]",
                               (const void *)unit_code(u), u->pc, u->mode, u->flags);
        append_symbol(v->translator, s, u->pc);
        g_string_append_c(s, '\n');
    }
    if (log_on(LOG_CPU))
        append_cpu(s, v);
    write_string(s);
}
