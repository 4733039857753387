/*
 * The emulator that registrations name: where it is, which guests it has, and whether the kernel
 * and every user can execute it.
 */
#ifndef BINFMT_EMULATOR_H
#define BINFMT_EMULATOR_H

#include <glib.h>

#include "binfmt/guests.h"
#include "binfmt/report.h"

typedef struct Emulator {
    char *path;
    char **guests; /* names, NULL-terminated; empty if it doesn't run */
} Emulator;

/* `path`, or by default "calque" beside this program, or where it was to be installed. */
Emulator *emulator_find(const char *path);
void emulator_free(Emulator *e);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Emulator, emulator_free)

bool emulator_has_guest(const Emulator *e, const char *name);
/* Says whether `path` below `root` would do as an interpreter with these flags. */
void emulator_check(Report *r, const char *root, const char *path, const char *flags);

#endif
