#include "binfmt/export.h"

#include <string.h>

#include "binfmt/registry.h"

/* binfmt.d(5): lines as the kernel takes them. */
static char *systemd_text(const BinfmtGuest *g, const char *interpreter, const char *flags)
{
    g_autofree char *line = registry_line(g, interpreter, flags);
    return g_strdup_printf("# Written by calque-binfmt.\n%s\n", line);
}

static char *hex(const uint8_t *bytes, size_t n)
{
    GString *s = g_string_new(NULL);
    for (size_t i = 0; i < n; i++)
        g_string_append_printf(s, "\\x%02x", bytes[i]);
    return g_string_free(s, FALSE);
}

/* update-binfmts(8), "Binary format specifications"; flag O comes with "credentials". */
static char *debian_text(const BinfmtGuest *g, const char *interpreter, const char *flags)
{
    GuestMagic m = guest_magic(g);
    g_autofree char *magic = hex(m.magic, m.bytes), *mask = hex(m.mask, m.bytes);
    return g_strdup_printf("package calque\ninterpreter %s\nmagic %s\noffset 0\nmask %s\n"
                           "credentials %s\npreserve %s\nfix_binary %s\n", interpreter, magic,
                           mask, strchr(flags, 'C') ? "yes" : "no",
                           strchr(flags, 'P') ? "yes" : "no", strchr(flags, 'F') ? "yes" : "no");
}

bool export_guest(const char *format, const char *dir, const BinfmtGuest *g,
                  const char *interpreter, const char *flags, GError **error)
{
    bool systemd = !strcmp(format, "systemd");
    g_autofree char *name = registry_name(g);
    g_autofree char *file = g_strconcat(name, systemd ? ".conf" : "", NULL);
    g_autofree char *path = g_build_filename(dir, file, NULL);
    g_autofree char *text = systemd ? systemd_text(g, interpreter, flags)
                                    : debian_text(g, interpreter, flags);

    return g_file_set_contents(path, text, -1, error);
}
