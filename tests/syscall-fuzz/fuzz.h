/* What the mixes of calls (mixes.c) have in common with the rest of the fuzzer (fuzz.c). */
#ifndef TESTS_SYSCALL_FUZZ_FUZZ_H
#define TESTS_SYSCALL_FUZZ_FUZZ_H

#include <stdint.h>

enum { PAGE = 65536, N_BUFFERS = 4 };

/* Random numbers, of each thread's own. */
uint64_t rnd(void);
static inline unsigned pick(unsigned n) { return rnd() % n; }

/* Arguments: an address in or around the buffers, one that is likely to be wrong, any number, and
 * one of these or something else that calls take. */
uint64_t buffer_pointer(void);
uint64_t hostile_pointer(void);
uint64_t number(void);
uint64_t argument(void);
/* An address in the buffers' area, on a page's start. */
uint64_t area_page(void);

/* Makes the call; a child or thread that it begins ends at once. */
long call(long nr, const uint64_t a[6]);

/* Mixes: each favours the calls of one subject, with arguments that get further than random ones
 * do. mix_prepare() is called once in a seed's process, mix_step() instead of a random call. */
enum { N_MIXES = 8 };
void mix_prepare(unsigned mix);
void mix_step(unsigned mix);

#endif
