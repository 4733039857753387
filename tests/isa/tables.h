/* The decoders' row tables, for the tests of instructions: one entry a decoder. */
#ifndef TESTS_ISA_TABLES_H
#define TESTS_ISA_TABLES_H

#include "translator/decodegen/rows.h"
#include "translator/guest/isa.h"

typedef struct TestTable {
    const GuestIsa *isa;
    const DecodeRow *rows;
    const unsigned *n_rows;
    unsigned width;
    unsigned n_modes; /* translation modes 0 … n_modes - 1 are tried */
} TestTable;

extern const TestTable test_tables[]; /* ends with a NULL isa */

#endif
