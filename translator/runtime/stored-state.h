/* data plane */
/*
 * What stored.c (finding), stored-expose.c (invalidation) and stored-save.c (saving) share.
 * Everything needs the translation lock.
 */
#ifndef TRANSLATOR_RUNTIME_STORED_STATE_H
#define TRANSLATOR_RUNTIME_STORED_STATE_H

#include "translator/cache/store.h"
#include "translator/runtime/runtime.h"

/* A mapping of a guest file's code. It only shrinks. */
typedef struct FileMap {
    struct FileMap *next;
    GuestAddr start, end;
    uint64_t bias;            /* address less offset in the file */
    TranslatorFile id;
    StoreFile *file;          /* NULL: not looked for yet */
    bool program;             /* the program or its interpreter, not a library */
    bool opened, record;      /* it records what it runs of the file: store-history.h */
    uint32_t better;          /* regions found in it in place of others that guessed wrong */
    uint32_t superseded;      /* StoreUnits.superseded */
    StoredChunk **chunk;      /* by number: NULL not loaded yet, &refused */
    uint32_t n_chunks, n_found; /* units of those that are loaded */
    StoreUse used;            /* when its chunks were given back */
} FileMap;

/* All that a loaded chunk's units have seen lies between; nothing, once it is connected. Beside
 * each other, since each invalidation passes by all of them. */
typedef struct StoredSpan { GuestAddr start, end; StoredChunk *chunk; } StoredSpan;

struct Stored {
    Store store;
    FileMap *maps;            /* the one used last comes first */
    unsigned n_files;         /* how many have been mapped */
    StoredSpan *loaded;
    uint32_t n_loaded, loaded_room;
    StoredChunk refused;      /* what a chunk is that doesn't fit this process */
    uint32_t saved;           /* units of the code buffer's table below need no saving */
    bool last;                /* the process ends: translator_save_last() */
    const CompiledUnit **new_unit; /* while it saves */
};

static inline const uint8_t *stored_code(const FileMap *m)
{
    return (const uint8_t *)(uintptr_t)m->start;
}

/* What is logged wants everything translated. */
static inline bool stored_is_left_out(void)
{
    return log_on(LOG_DECODE | LOG_IR | LOG_OPT | LOG_RA | LOG_OUT | LOG_EXEC | LOG_CPU |
                  LOG_NOCHAIN | LOG_IR_OPT);
}

/* A chunk of the mapping's file by its number; NULL: it isn't loaded. */
static inline StoredChunk *stored_loaded(const struct Stored *s, const FileMap *m, uint32_t number)
{
    StoredChunk *c = number < m->n_chunks ? m->chunk[number] : NULL;
    return c == &s->refused ? NULL : c;
}

/* The unit becomes one of the table. NULL: it was invalidated, or there is no room. */
CompiledUnit *stored_adopt(Translator *t, StoredChunk *c, uint32_t n);

#endif
