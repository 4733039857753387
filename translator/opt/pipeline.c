/* The list of passes, and its run with a dump after each. */
#include <glib.h>

#include "translator/opt/cfg.h"
#include "translator/guest/isa.h"
#include "translator/opt/opt.h"
#include "translator/translator.h"

const OptPass opt_passes[] = {
    { "forward", opt_forward },
    { "address", opt_address },
    { "dce", opt_dce },
    { "index", opt_index },
    { "shortcut", opt_shortcut },
    { NULL, NULL },
};

const OptPass opt_region_passes[] = {
    { "cfg", opt_cfg },
    { "split", opt_split },
    { "reads", opt_reads },
    { "ssa", opt_ssa },
    { "gvn", opt_gvn },
    { "sticky", opt_sticky },
    { "cfg", opt_cfg },
    { "unread", opt_unread },
    { "extend", opt_extend },
    { "bytes", opt_bytes },
    { "reload", opt_reload },
    { "gvn", opt_gvn },
    { "dead", opt_dce_region },
    { "compare", opt_compare },
    { "putoff", opt_putoff },
    { "shortcut", opt_shortcut },
    { "licm", opt_licm },
    { "polls", opt_polls },
    { "skip", opt_skip },
    { "lanes", opt_lanes },
    { "carry", opt_carry },
    { "address", opt_address },
    { "index", opt_index },
    { "dead", opt_dce_region },
    { "unbox", opt_unbox },
    { "forms", opt_forms },
    { "nan", opt_nan },
    { "upper", opt_upper },
    { NULL, NULL },
};

bool opt_has_lazy(const IrUnit *u)
{
    for (unsigned v = 0; v < u->isa->n_vars; v++)
        if (u->isa->vars[v].flags & IR_VAR_LAZY)
            return true;
    return false;
}

bool opt_may_guess(const IrUnit *u)
{
    return u->flags & IR_UNIT_REGION && !(u->flags & (IR_UNIT_NO_GUESS | IR_UNIT_ALONE)) &&
           !opt_has_lazy(u);
}

static void dump(const IrUnit *u, const char *after)
{
    g_autoptr(GString) text = g_string_new("after ");
    g_string_append_printf(text, "%s: ", after);
    ir_print(u, text);
    log_block(text->str, text->len);
}

static void run(IrUnit *u, const OptPass *list, OptCheck *check)
{
    for (const OptPass *p = list; p->name; p++) {
        p->run(u);
        if (log_on(LOG_OPT))
            dump(u, p->name);
        if (check)
            check(u, p->name);
    }
}

void opt_run_baseline(IrUnit *u, OptCheck *check)
{
    run(u, opt_passes, check);
}

void opt_run_region(IrUnit *u, OptCheck *check)
{
    run(u, opt_region_passes, check);
}
