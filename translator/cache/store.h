/* data plane */
/*
 * The translation store's files: one a guest file, in a folder for each kind of host, guest and
 * translator. FORMAT.md describes them. Readers map a file and take nothing in it for granted:
 * damage shows by checksums, truncation by SIGBUS, which the caller catches (Vcpu.recover); what
 * can fault says so. Writers append under a lock that they never wait for.
 *
 * Threads: everything here is called with the translator's lock held.
 */
#ifndef TRANSLATOR_CACHE_STORE_H
#define TRANSLATOR_CACHE_STORE_H

#include <sys/stat.h>

#include "translator/cache/stored-chunk.h"
#include "translator/translator.h"

enum { STORE_NAME_BYTES = 40, STORE_LAYERS = 1 + TRANSLATOR_STORE_LOWER_MAX };

/* A file of the store that is mapped, shared and read-only. */
typedef struct StoreLayer {
    const uint8_t *base;      /* NULL: not there */
    size_t bytes;             /* of the mapping, which is longer than the file */
    uint64_t seen_end;        /* groups below are in the list */
    uint64_t inode, device;
    uint64_t cut;             /* 0, or where the file ended although its header says more */
} StoreLayer;

typedef struct StoreGroupRef {
    const uint8_t *base;      /* in a layer's mapping */
    StoreChunkRow *row;       /* a copy */
    uint32_t n_chunks, first_chunk; /* chunks of a file are numbered through */
    uint32_t index_at, index_slots;
} StoreGroupRef;

/* What there is for a guest file. */
typedef struct StoreFile {
    TranslatorFile id;
    struct StoreFile *next;
    enum { STORE_FILE_NEW, STORE_FILE_OPEN, STORE_FILE_BROKEN /* may be mended */ } state;
    uint64_t content;         /* hash of the guest file's code: the name of its file here */
    StoreLayer layer[STORE_LAYERS]; /* first the store's own */
    StoreGroupRef *group;
    uint32_t n_groups, n_chunks, n_units;
    uint32_t n_joined;        /* units of the first group */
    uint32_t n_records;       /* how many processes have recorded what they ran: store-history.h */
} StoreFile;

typedef struct Store {
    TranslatorStoreConfig config;
    uint64_t key;
    int dir;                  /* config.dir between store_enter() and store_leave(); -1 */
    int file;                 /* store_file_reopen() until store_leave(); -1 */
    StoreFile *files;
    struct StoreWrite *write; /* store-write.c: what is to be freed after a fault */
} Store;

/* Opens the store's folder if it is there and to be trusted. */
bool store_enter(Store *s);
void store_leave(Store *s); /* also after a fault */
/* Whoever was at it, another process that shares this one's memory and perhaps not its descriptors,
 * has been killed: nothing is closed or freed. */
void store_forget(Store *s);
StoreFile *store_file_find(Store *s, const TranslatorFile *id); /* made if it's new; NULL: memory */
/* Opens what there is. `code`, the guest file's mapped code, is read if its hash isn't known yet.
 * May fault. */
void store_file_open(Store *s, StoreFile *f, const uint8_t *code, size_t bytes);
/* Finds groups that other processes have appended since. May fault. */
void store_file_refresh(const Store *s, StoreFile *f);
/* Where the unit at `off` may be, the newest first; *state is 0 at first. May fault.
 * False: nowhere else. */
bool store_file_probe(const StoreFile *f, uint32_t off, uint64_t *state, uint32_t *ret_chunk,
                      uint32_t *ret_unit);
/* A descriptor of the store's own file, if `data` lies in that, and where; -1: it lies elsewhere,
 * or the file has been replaced. store_leave() closes it. */
int store_file_reopen(Store *s, const StoreFile *f, const uint8_t *data, off_t *ret_at);
/* The group that a chunk is in. */
const StoreGroupRef *store_file_group(const StoreFile *f, uint32_t chunk);
const StoreChunkRow *store_file_chunk(const StoreFile *f, uint32_t chunk, const uint8_t **ret_data);
/* The chunk's links to others of its group, and theirs to it, in the file: `other` counts from
 * *ret_first_chunk. Not checked yet. */
const uint8_t *store_file_cross(const StoreFile *f, uint32_t chunk, const StoreChunkRow **ret_row,
                                uint32_t *ret_first_chunk);
/* Maps a file of the store as one of f's layers. */
bool store_file_map(const Store *s, StoreFile *f, unsigned layer, int fd);
/* The file can't be trusted: nothing of it is used any more. */
void store_file_break(StoreFile *f);
/* The guest file's identity leads here from now on (store_enter()). */
void store_remember_name(Store *s, const StoreFile *f);
/* Its name stands for other code than it did: forget that. */
void store_file_forget_name(Store *s, const StoreFile *f);

/* -- writing: store-write.c -------------------------------------------------------------------- */

/* Of guest code, on which the unit depends. */
size_t store_seen_bytes(const CompiledUnit *u);
/* Chunks of the store's own file, by their numbers in it, a bit each: whether the process had them
 * loaded; of one that records, units too: whether it ran them. The file that has that inode is
 * meant. */
typedef struct StoreUse {
    uint8_t *bit, *ran;       /* ran: NULL, it doesn't record */
    uint8_t *looked_up;       /* as ran: units that indirect branches came to */
    uint32_t n, n_ran;
    uint64_t inode;
} StoreUse;

/* Units of the process; those that guest memory still agrees with are stored. */
typedef struct StoreUnits {
    const CompiledUnit *const *unit;
    uint32_t n;
    uint64_t bias;
    const uint8_t *code;      /* the guest file as it is mapped here, from code_off */
    uint64_t code_off, code_bytes;
    uint32_t limit, joined_limit; /* of a chunk's code now, and when it is joined with others */
    StoreUse used;
    uint32_t better;          /* regions found in place of others there that guessed wrong */
    bool last;                /* the process ends: to join the file while it runs would copy all
                                 each time for its own next units */
    uint32_t superseded;      /* regions at places that others have which the process has appended,
                                 and which wait for that; store_file_write() adds its own */
    char path[STORE_PATH_BYTES]; /* of the guest file, for people to see */
} StoreUnits;
/* Appends what isn't there yet. False: somebody else is writing, try again later. May fault; then
 * store_write_abandon() follows. */
bool store_file_write(struct Translator *t, Store *s, StoreFile *f, StoreUnits *units);
void store_write_abandon(Store *s);
/* Removes the files that were used longest ago until all take at most `limit`. */
void store_evict(int dir, uint64_t limit);

/* -- what reader, writer and tools share ------------------------------------------------------- */

/* Is this one of so many? By chance, for what one process in some does. */
bool store_one_in(uint64_t n);
void store_path(char *name, uint64_t key, char kind, uint64_t number); /* STORE_NAME_BYTES */
uint64_t store_header_sum(const StoreHeader *h);
bool store_header_ok(const StoreHeader *h, uint64_t key, uint64_t content);
/* The header's word on where the groups end, if it is one; else 0. */
uint64_t store_header_end(const StoreHeader *h);
/* The first sound group from `at` on: its place, or `end`. */
uint64_t store_next_group(const uint8_t *base, uint64_t at, uint64_t end, uint64_t key);
/* A folder, -1: not there, or not to be trusted. */
int store_open_folder(const char *path);
/* Nobody but us and root can have written it. */
bool store_fd_ok(int fd, mode_t type, struct stat *ret);

#endif
