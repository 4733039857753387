/* data plane */
/*
 * At the end of a region's passes: extensions and boxes that nothing but puts wants become the
 * puts' forms (IrForm), which are made where somebody looks at the variable and not before.
 *
 * A form is made in the value's own register, and values of 32 bits may share that with wider ones
 * (regalloc/prepare.c): not with a truncated value, which would lose its upper half, nor with one
 * that counts on its being zero. What is zero above anyway needs no form.
 */
#include "translator/ir/arena.h"
#include "translator/opt/opt.h"

static IrForm form_of(const IrUnit *u, const IrInsn *i)
{
    switch (i->op) {
    case IR_sext: return IR_FORM_SEXT;
    case IR_zext: return ir_zero_extends(&u->insn[i->arg[0]]) ? IR_FORM_PLAIN : IR_FORM_ZEXT;
    case IR_fbox: return u->insn[i->arg[0]].type == IR_F32 ? IR_FORM_BOX : IR_FORM_PLAIN;
    default: return IR_FORM_PLAIN;
    }
}

enum { WANTED = 1, EXTENDED = 2 };

static bool extends(unsigned op) { return op == IR_zext || op == IR_vfroms; }

/* IrInsn.mark: WANTED by others than puts; EXTENDED with zeros by somebody. */
static void mark_uses(IrUnit *u)
{
    for (uint32_t r = 0; r < u->n_insns; r++)
        u->insn[r].mark = 0;
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first; r; r = u->insn[r].next) {
            unsigned n;
            const IrRef *arg = ir_args(u, r, &n);
            for (unsigned a = 0; a < n; a++)
                if (arg[a] && u->insn[r].op != IR_put)
                    u->insn[arg[a]].mark |= extends(u->insn[r].op) ? WANTED | EXTENDED : WANTED;
        }
}

static bool may_take_form(const IrUnit *u, IrRef v, IrForm form)
{
    const IrInsn *x = &u->insn[v];
    if (x->op == IR_trunc || x->op == IR_copy || x->op == IR_get || x->op == IR_const ||
        x->op == IR_vtos)
        return false;
    return form == IR_FORM_ZEXT || !(x->mark & EXTENDED);
}

void opt_forms(IrUnit *u)
{
    mark_uses(u);
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first; r; r = u->insn[r].next) {
            IrInsn *i = &u->insn[r];
            if (i->op != IR_put || u->insn[i->arg[0]].mark & WANTED)
                continue;
            const IrInsn *made = &u->insn[i->arg[0]];
            IrForm form = form_of(u, made);
            if (form == IR_FORM_PLAIN || !may_take_form(u, made->arg[0], form))
                continue;
            i->arg[0] = made->arg[0];
            i->attr = form;
            i->type = u->insn[i->arg[0]].type;
        }
    for (uint32_t b = 0; b < u->n_blocks; b++)
        for (IrRef r = u->block[b].first, next; r; r = next) {
            next = u->insn[r].next;
            IrInsn *i = &u->insn[r];
            IrForm form = form_of(u, i);
            if (form != IR_FORM_PLAIN && !(i->mark & WANTED) && may_take_form(u, i->arg[0], form))
                ir_remove(u, b, r);
        }
    for (uint32_t r = 0; r < u->n_insns; r++)
        u->insn[r].mark = 0;
    u->uses_known = false;
}
