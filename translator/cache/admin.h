/*
 * The translation store as its tool sees it: what there is, whether it is sound, moving it about.
 * Control plane; any number of processes may use the store meanwhile.
 */
#ifndef TRANSLATOR_CACHE_ADMIN_H
#define TRANSLATOR_CACHE_ADMIN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct StoreInfo {
    char name[40];        /* FOLDER/c-NUMBER */
    char path[192];       /* of the guest file when it was first seen; may be "" */
    int64_t used;         /* about when, in seconds since 1970 */
    uint64_t bytes, code_bytes;
    unsigned groups, chunks, units;
    const char *problem;  /* NULL: sound as far as it was looked at */
} StoreInfo;

/* Calls fn for each file below the folder `dir`; `deep`: with every checksum. */
typedef void StoreVisitor(void *opaque, int dir, const StoreInfo *info);
void store_each(int dir, bool deep, StoreVisitor *fn, void *opaque);

/* Makes a damaged file anew from its sound groups. What became of it, in words. */
const char *store_mend(int dir, const StoreInfo *info);

/* Removes the files that were used longest ago until all take at most `limit`. */
void store_prune(int dir, uint64_t limit);

/* All files as one. False: errno, or damage (errno 0). Files that are there already stay. */
bool store_export(int dir, FILE *to, unsigned *ret_files);
bool store_import(int dir, FILE *from, unsigned *ret_files, unsigned *ret_kept);

#endif
