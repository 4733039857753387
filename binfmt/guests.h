/*
 * The processors that programs may be for: how their ELF files look (System V ABI, "ELF header";
 * e_machine and e_flags of each processor's supplement), and what others call them. Which of them
 * can be registered the emulator says (emulator.h); the rest are here to be named.
 */
#ifndef BINFMT_GUESTS_H
#define BINFMT_GUESTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GUEST_HEADER_BYTES = 52, GUEST_PROBE_BYTES = 16 };

typedef struct BinfmtGuest {
    const char *name;     /* as calque-NAME has it */
    const char *debian;   /* the architecture of Debian packages, or NULL */
    const char *platform; /* of container images, or NULL */
    uint16_t machine;     /* e_machine */
    uint8_t word_bits;
    bool big_endian;
    bool any_abi_version; /* EI_ABIVERSION isn't always 0 */
    uint32_t flags_mask, flags; /* e_flags tell this ABI from others of the processor */
    bool has_probe;
    uint8_t probe[GUEST_PROBE_BYTES]; /* code of _exit(42) */
} BinfmtGuest;

/* What a registration compares: header[i] & mask[i] == magic[i]. */
typedef struct GuestMagic {
    uint8_t magic[GUEST_HEADER_BYTES], mask[GUEST_HEADER_BYTES];
    size_t bytes;
} GuestMagic;

/* All of them, ended by a NULL name. */
extern const BinfmtGuest guests[];

const BinfmtGuest *guest_by_name(const char *name);
/* Of the first bytes of an ELF file; NULL: none of the table. */
const BinfmtGuest *guest_by_header(const uint8_t *header, size_t n);
GuestMagic guest_magic(const BinfmtGuest *g);
/* The program which exits with status 42; its size. */
size_t guest_make_probe(const BinfmtGuest *g, uint8_t *ret, size_t size);
/* Whether this machine's kernel runs such programs by itself. */
bool guest_is_host(const BinfmtGuest *g);

#endif
