/* The list of passes, and its run with a dump after each. */
#include <glib.h>

#include "translator/opt/opt.h"
#include "translator/translator.h"

const OptPass opt_passes[] = {
    { "forward", opt_forward },
    { "address", opt_address },
    { "dce", opt_dce },
    { NULL, NULL },
};

static void dump(const IrUnit *u, const char *after)
{
    g_autoptr(GString) text = g_string_new(NULL);
    ir_print(u, text);
    log_write("after %s: %s", after, text->str);
}

void opt_run_baseline(IrUnit *u)
{
    for (const OptPass *p = opt_passes; p->name; p++) {
        p->run(u);
        if (log_on(LOG_OPT))
            dump(u, p->name);
    }
}
