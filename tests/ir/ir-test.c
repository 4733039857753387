/*
 * Runs one .ir file: its unit goes through the passes that the line `; passes:` names, must verify
 * before and after each, and must then equal the unit behind the line `; expect`. A file with
 * `; error: TEXT` must instead be refused by the parser or the verifier with a message that has
 * TEXT in it. Values are renumbered before the comparison.
 */
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "tests/ir/run.h"
#include "tests/ir/test-isa.h"
#include "translator/ir/arena.h"
#include "translator/opt/opt.h"

static char *header(const char *text, const char *key)
{
    const char *p = strstr(text, key);
    if (!p)
        return NULL;
    p += strlen(key);
    return g_strstrip(g_strndup(p, strcspn(p, "\n")));
}

static IrUnit *read_unit(Arena *arena, const char *text, GError **error)
{
    IrUnit *u = ir_parse(arena, &test_isa, text, error);
    return u && ir_verify(u, error) ? u : NULL;
}

static char *normal_text(Arena *arena, const IrUnit *u, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    ir_print(u, text);
    IrUnit *again = read_unit(arena, text->str, error);
    if (!again) {
        g_prefix_error(error, "the printed unit can't be read back:\n%s", text->str);
        return NULL;
    }
    GString *out = g_string_new(NULL);
    ir_print(again, out);
    return g_string_free(out, FALSE);
}

/* Ends with the entry without a name if there is none. */
static const OptPass *find_pass(const OptPass *p, const char *name)
{
    while (p->name && strcmp(p->name, name))
        p++;
    return p;
}

static bool run_passes(IrUnit *u, const char *names, GError **error)
{
    g_auto(GStrv) list = g_strsplit(names, " ", -1);
    for (char **n = list; *n; n++) {
        if (!**n)
            continue;
        const OptPass *p = find_pass(opt_passes, *n);
        if (!p->name)
            p = find_pass(opt_region_passes, *n);
        if (!p->name) {
            g_set_error(error, g_quark_from_static_string("ir-test"), 0, "no pass %s", *n);
            return false;
        }
        p->run(u);
        if (!ir_verify(u, error)) {
            g_prefix_error(error, "after %s: ", *n);
            return false;
        }
    }
    return true;
}

static bool run(Arena *arena, char *text, GError **error)
{
    g_autofree char *passes = header(text, "; passes:"), *wanted_error = header(text, "; error:");
    g_autofree char *start = header(text, "; run:"), *end = header(text, "; gives:");
    if (start && end)
        return run_unit(text, start, end, error);
    char *split = strstr(text, "; expect\n");
    if (split)
        *split = 0;
    IrUnit *u = read_unit(arena, text, error);
    if (wanted_error) {
        if (u || !strstr((*error)->message, wanted_error)) {
            g_prefix_error(error, "expected the error '%s', got: ", wanted_error);
            return false;
        }
        g_clear_error(error);
        return true;
    }
    if (!u || !split || !run_passes(u, passes ? passes : "", error)) {
        if (!*error)
            g_set_error(error, g_quark_from_static_string("ir-test"), 0, "no line '; expect'");
        return false;
    }
    IrUnit *expected = read_unit(arena, split + strlen("; expect\n"), error);
    if (!expected) {
        g_prefix_error(error, "in the expected unit: ");
        return false;
    }
    expected->pc = u->pc;
    expected->mode = u->mode;
    g_autofree char *got = normal_text(arena, u, error), *want = NULL;
    if (got)
        want = normal_text(arena, expected, error);
    if (!want)
        return false;
    if (strcmp(got, want))
        g_set_error(error, g_quark_from_static_string("ir-test"), 0, "got\n%sexpected\n%s", got,
                    want);
    return !*error;
}

int main(int argc, char **argv)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    if (argc != 2 || !g_file_get_contents(argv[1], &text, NULL, &error)) {
        fprintf(stderr, "ir-test: %s\n", error ? error->message : "one file is expected");
        return 2;
    }
    Arena *arena = arena_new();
    bool ok = run(arena, text, &error);
    if (!ok)
        fprintf(stderr, "%s: %s\n", argv[1], error ? error->message : "accepted");
    arena_free(arena);
    return !ok;
}
