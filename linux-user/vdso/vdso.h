/*
 * The guest's vDSO: an ELF image whose functions give the time, the processor and random numbers
 * without a system call, and the code that signal handlers return to. README.md says how it is
 * made.
 *
 * Its code reaches the emulator by call-outs (translator.h): vdso_callout() answers them.
 */
#ifndef LINUX_USER_VDSO_VDSO_H
#define LINUX_USER_VDSO_VDSO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "translator/translator.h"

typedef struct VdsoImage {
    const unsigned char *bytes;
    size_t n_bytes;    /* at most a page */
    uint32_t sigreturn; /* offset of the code that handlers return to */
} VdsoImage;

extern const VdsoImage vdso_aarch64, vdso_riscv64; /* generated */

enum { VDSO_RANDOM_WORDS = 32 }; /* getrandom gives 256 bytes whole and uninterrupted */
/* Random numbers of a thread, not yet given out. A forked child must drop its copy. */
typedef struct VdsoRandom {
    uint64_t word[VDSO_RANDOM_WORDS];
    unsigned left;
} VdsoRandom;

struct Process;
/* Maps the process's vDSO; its place is p->vdso. False: no memory. */
bool vdso_map(struct Process *p);
/* TranslatorCallbacks.callout. */
uint64_t vdso_callout(void *opaque, Vcpu *v, unsigned number, uint64_t arg);

#endif
