/*
 * Registrations as files of other tools: systemd's binfmt.d(5), Debian's update-binfmts(8).
 */
#ifndef BINFMT_EXPORT_H
#define BINFMT_EXPORT_H

#include <stdbool.h>

#include <glib.h>

#include "binfmt/guests.h"

/* Writes the file of one guest into `dir`; `format`: "systemd" or "debian". */
bool export_guest(const char *format, const char *dir, const BinfmtGuest *g,
                  const char *interpreter, const char *flags, GError **error);

#endif
