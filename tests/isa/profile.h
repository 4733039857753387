/* What the instruction test asks of a guest. */
#ifndef TESTS_ISA_PROFILE_H
#define TESTS_ISA_PROFILE_H

#include <glib.h>

#include "tests/isa/record.h"
#include "tests/isa/tables.h"
#include "translator/translator.h"

/* How to run the oracle program, the cpu model that agrees with it (NULL: all), and the assembler
 * name of an instruction that it has wrong. */
typedef struct IsaOracle { const char *command, *cpu, *broken; } IsaOracle;

typedef struct IsaProfile {
    const char *guest;
    const IsaOracle *oracles; /* tried in order until one starts; ends with NULL */
    /* A random encoding of the row that is safe to run: touches only memory within the data, leaves
     * alone the registers that the oracle needs. False: the row can't be tested so. */
    bool (*encode)(GRand *rand, const DecodeRow *row, unsigned width, uint32_t *ret_insn);
    /* Does it jump by its field imm? The test sets it, to a later instruction. */
    bool (*is_jump)(const DecodeRow *row);
    void (*random_state)(GRand *rand, IsaState *state);
    void (*load)(Vcpu *v, const IsaState *state);
    void (*store)(Vcpu *v, IsaState *state);
    uint32_t trap_insn; /* what a fragment is padded with */
    unsigned trap_bytes;
} IsaProfile;

extern const IsaProfile isa_profile_riscv64;

/* Sets a field that is described as in DecodeRow.fields ("31:s1 7:1 !shl=1") to a value; the bits
 * that don't fit are lost. False when the row has no such field of bits. */
bool isa_set_field(const DecodeRow *row, const char *name, int64_t value, uint64_t *insn);
bool isa_get_field(const DecodeRow *row, const char *name, uint64_t insn, int64_t *ret_value);

/* Values that are more likely to show errors than evenly random ones. */
uint64_t isa_random_int(GRand *rand);
uint64_t isa_random_double(GRand *rand);
uint32_t isa_random_single(GRand *rand);
uint16_t isa_random_half(GRand *rand);

#endif
