/* data plane */
/* See arena.h. Chunks are kept in a list and reused after a reset. */
#include "translator/ir/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "translator/memory/own-pages.h"

enum { CHUNK_BYTES = 256 * 1024, KEPT_BYTES = 1 << 20 };

typedef struct Chunk {
    struct Chunk *next;
    size_t bytes; /* of the mapping, this header included */
} Chunk;

struct Arena {
    Chunk *chunks;  /* all, first the one the arena itself lives in */
    Chunk *current;
    size_t used;    /* in current */
};

static Chunk *chunk_new(size_t payload_bytes)
{
    size_t bytes = payload_bytes + 64;
    bytes = bytes < CHUNK_BYTES ? CHUNK_BYTES : (bytes + 4095) & ~(size_t)4095;
    Chunk *c = own_pages_map(bytes);
    if (!c) {
        /* The host is out of address space or memory: nothing can be translated any more. */
        static const char text[] = "calque: out of memory while translating\n";
        (void)!write(2, text, sizeof text - 1);
        _exit(126);
    }
    c->bytes = bytes;
    return c;
}

static size_t first_used(const Arena *a)
{
    return a->current == a->chunks ? 16 + ((sizeof(Chunk) + sizeof(Arena) + 15) & ~(size_t)15)
                                   : (sizeof(Chunk) + 15) & ~(size_t)15;
}

Arena *arena_new(void)
{
    Chunk *c = chunk_new(0);
    Arena *a = (Arena *)((char *)c + ((sizeof(Chunk) + 15) & ~(size_t)15));
    a->chunks = a->current = c;
    a->used = first_used(a);
    return a;
}

void arena_free(Arena *a)
{
    if (!a)
        return;
    for (Chunk *c = a->chunks, *next; c; c = next) {
        next = c->next;
        own_pages_unmap(c, c->bytes);
    }
}

/* What only a large region needed is given back. */
void arena_reset(Arena *a)
{
    size_t kept = a->chunks->bytes;
    bool used_more = a->current != a->chunks;
    a->current = a->chunks;
    a->used = first_used(a);
    for (Chunk *c = a->chunks, *next; used_more && (next = c->next);) {
        if (kept + next->bytes <= KEPT_BYTES) {
            kept += next->bytes;
            c = next;
        } else {
            c->next = next->next;
            own_pages_unmap(next, next->bytes);
        }
    }
}

void *arena_alloc_raw(Arena *a, size_t bytes)
{
    bytes = (bytes + 15) & ~(size_t)15;
    while (a->used + bytes > a->current->bytes) {
        Chunk *next = a->current->next;
        if (!next || next->bytes < bytes + 64) {
            Chunk *fresh = chunk_new(bytes);
            fresh->next = next;
            a->current->next = fresh;
            next = fresh;
        }
        a->current = next;
        a->used = first_used(a);
    }
    void *p = (char *)a->current + a->used;
    a->used += bytes;
    return p;
}

void *arena_alloc(Arena *a, size_t bytes)
{
    return memset(arena_alloc_raw(a, bytes), 0, bytes);
}

void *arena_grow_now(Arena *a, void *old, size_t elem_bytes, size_t n, size_t *cap, size_t want)
{
    size_t to = *cap ? *cap * 2 : 16;
    while (to < want)
        to *= 2;
    void *fresh = arena_alloc_raw(a, to * elem_bytes);
    if (n)
        memcpy(fresh, old, n * elem_bytes);
    *cap = to;
    return fresh;
}
