/*
 * The kernel's list of binary formats (Linux, Documentation/admin-guide/binfmt-misc.rst), as the
 * file system binfmt_misc shows it. Each user namespace may have a list of its own since Linux 6.7.
 */
#ifndef BINFMT_REGISTRY_H
#define BINFMT_REGISTRY_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include <glib.h>

#include "binfmt/guests.h"

#define REGISTRY_DEFAULT_DIR "/proc/sys/fs/binfmt_misc"

typedef struct RegistryEntry {
    char *name, *interpreter;
    char flags[8];        /* as the kernel prints them: of "POCF" */
    bool enabled, is_extension;
    unsigned offset;
    uint8_t magic[256], mask[256];
    size_t bytes;
    struct timespec since; /* when it was registered */
    uint64_t inode;
} RegistryEntry;

typedef struct Registry {
    char *dir;
    bool mounted, enabled;
    GPtrArray *entries; /* of RegistryEntry, the one that the kernel asks first at the beginning */
} Registry;

/* Never fails: what isn't there isn't. */
Registry *registry_read(const char *dir);
void registry_free(Registry *r);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Registry, registry_free)

const RegistryEntry *registry_find(const Registry *r, const char *name);
bool entry_matches(const RegistryEntry *e, const uint8_t *header, size_t n);
/* The enabled one that the kernel takes for a file that begins so; NULL: none. */
const RegistryEntry *registry_match(const Registry *r, const uint8_t *header, size_t n);

/* "calque-aarch64" */
char *registry_name(const BinfmtGuest *g);
/* The line that registers it: flags of "FPOC". */
char *registry_line(const BinfmtGuest *g, const char *interpreter, const char *flags);
/* Mounts the file system on the default place if it isn't there, and turns it on. */
bool registry_prepare(const char *dir, GError **error);
bool registry_add(const char *dir, const BinfmtGuest *g, const char *interpreter,
                  const char *flags, GError **error);
bool registry_remove(const char *dir, const char *name, GError **error);

GQuark registry_quark(void);
#define registry_error(error, ...) g_set_error((error), registry_quark(), 0, __VA_ARGS__)

#endif
