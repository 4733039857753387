/*
 * A bump allocator for the objects of one translation. arena_reset() keeps 2 MB for the next one.
 * Growing memory comes from mmap, never from malloc, so that it may be used with any lock held and
 * in a forked child. Threads: one owner.
 */
#ifndef TRANSLATOR_IR_ARENA_H
#define TRANSLATOR_IR_ARENA_H

#include <stddef.h>

typedef struct Arena Arena;

Arena *arena_new(void);
void arena_free(Arena *a);
void arena_reset(Arena *a);
void *arena_alloc(Arena *a, size_t bytes);  /* zeroed, 16-byte aligned; never NULL */
void *arena_alloc_raw(Arena *a, size_t bytes); /* the same, not zeroed: for what is written before
                                                  it is read, as large tables are */
/* Grows an array of n elements to at least want; returns the new place. What lies behind the n
 * elements is undefined. */
void *arena_grow_now(Arena *a, void *old, size_t elem_bytes, size_t n, size_t *cap, size_t want);
static inline void *arena_grow(Arena *a, void *old, size_t elem_bytes, size_t n, size_t *cap,
                               size_t want)
{
    return want <= *cap ? old : arena_grow_now(a, old, elem_bytes, n, cap, want);
}

#endif
