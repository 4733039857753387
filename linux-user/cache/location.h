/*
 * Where the translation store lies, and whether it may be used: only where nobody but this user and
 * root could have written it.
 */
#ifndef LINUX_USER_CACHE_LOCATION_H
#define LINUX_USER_CACHE_LOCATION_H

#include "linux-user/options.h"
#include "linux-user/process.h"

typedef struct CacheLocation {
    char *path;                  /* NULL: there is nowhere to keep anything */
    const char *problem;         /* why the folder at `path` isn't used, or NULL */
    TranslatorStoreConfig config;
} CacheLocation;

/* Looks for the folders; `make`: the store's own is made if it isn't there. */
void cache_locate(CacheLocation *ret, bool secure, bool make);

/* Gives the process's translator its store. False: there is one that isn't to be trusted, and the
 * user has been told. */
bool cache_set_up(Process *p, const Options *o);

/* The translator's file_path callback; opaque is the Process. */
void cache_file_path(void *opaque, GuestAddr pc, char *ret, size_t size);

#endif
