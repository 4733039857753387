/* Text of a unit; parse.c reads it back. The grammar is in README.md. */
#include <glib.h>
#include <inttypes.h>

#include "translator/guest/isa.h"
#include "translator/ir/attrs.h"
#include "translator/ir/ir.h"

static void print_attr(const IrInsn *i, GString *out)
{
    IrAttrKind kind = ir_attr_kind(i->op);
    if (kind == IR_ATTR_FIELD) {
        g_string_append_printf(out, "<%u:%u>", i->attr & 255, i->attr >> 8);
        return;
    }
    if (kind == IR_ATTR_TYPE) {
        g_string_append_printf(out, "<%s>",
                               i->attr < IR_N_TYPES ? ir_type_names[i->attr] : "?");
        return;
    }
    const IrAttrName *names = ir_attr_names(kind);
    if (!names) {
        if (i->attr || kind == IR_ATTR_NUMBER)
            g_string_append_printf(out, "<%u>", i->attr);
        return;
    }
    bool first = true;
    for (; names->name; names++)
        if ((i->attr & names->mask) == names->value) {
            g_string_append_printf(out, "%c%s", first ? '<' : ',', names->name);
            first = false;
        }
    if (!first)
        g_string_append_c(out, '>');
}

static void print_args(const IrUnit *u, IrRef ref, GString *out)
{
    const IrInsn *i = &u->insn[ref];
    const char *sep = " ";
    unsigned n_args;
    const IrRef *arg = ir_args(u, ref, &n_args);
    for (unsigned n = 0; n < n_args; n++) {
        if (arg[n])
            g_string_append_printf(out, "%sv%u", sep, arg[n]);
        else
            g_string_append_printf(out, "%s_", sep);
        sep = ", ";
    }
    if (i->op == IR_br || i->op == IR_brc) {
        g_string_append_printf(out, "%sb%u", sep, (uint32_t)i->imm);
        if (i->op == IR_brc)
            g_string_append_printf(out, ", b%u", (uint32_t)((uint64_t)i->imm >> 32));
    } else if (ir_op_has_imm(i->op)) {
        if (i->imm < 0 && i->imm > -65536)
            g_string_append_printf(out, "%s#%" PRId64, sep, i->imm);
        else
            g_string_append_printf(out, "%s#0x%" PRIx64, sep, (uint64_t)i->imm);
    }
}

static void print_insn(const IrUnit *u, IrRef ref, GString *out)
{
    const IrInsn *i = &u->insn[ref];
    g_string_append(out, i->op == IR_insn ? " " : "  ");
    bool is_value = i->type != IR_VOID && ir_op_info[i->op].sig[0] != '-';
    if (is_value)
        g_string_append_printf(out, "v%u = ", ref);
    g_string_append(out, ir_op_info[i->op].name);
    if (i->type != IR_VOID && i->op != IR_put)
        g_string_append_printf(out, ".%s", ir_type_names[i->type]);
    const char *cc = ir_cc_name(ir_cc_kind(i->op), i->cc);
    if (cc)
        g_string_append_printf(out, ".%s", cc);
    if (i->op == IR_get) {
        g_string_append_printf(out, " %%%s", u->isa->vars[i->imm].name);
    } else if (i->op == IR_put) {
        print_attr(i, out);
        g_string_append_printf(out, " %%%s, v%u", u->isa->vars[i->imm].name, i->arg[0]);
    } else if (i->op == IR_vconst) {
        V128 c = u->vconst[i->imm];
        g_string_append_printf(out, " #0x%" PRIx64 ":0x%" PRIx64, c.hi, c.lo);
    } else {
        if (i->op != IR_phi)
            print_attr(i, out);
        print_args(u, ref, out);
    }
    g_string_append_c(out, '\n');
}

void ir_print(const IrUnit *u, GString *out)
{
    g_string_append_printf(out, "unit 0x%" PRIx64 " mode=%" PRIu64 "\n", u->pc, u->mode);
    for (uint32_t b = 0; b < u->n_blocks; b++) {
        const IrBlock *block = &u->block[b];
        g_string_append_printf(out, "b%u:", b);
        if (b > 0 && block->pc)
            g_string_append_printf(out, " #0x%" PRIx64, block->pc);
        if (block->loop_depth)
            g_string_append_printf(out, " ; in the loop of b%u", block->loop_head - 1);
        g_string_append_c(out, '\n');
        for (IrRef r = u->block[b].first; r; r = u->insn[r].next)
            if (u->insn[r].op != IR_nop)
                print_insn(u, r, out);
    }
}
