/*
 * The rows of a decoder as data: what the instruction tests generate encodings from and what the
 * support matrix prints. NAME_rows[] and NAME_n_rows are in the generated STEM-rows.c; they are
 * linked into tests only.
 */
#ifndef TRANSLATOR_DECODEGEN_ROWS_H
#define TRANSLATOR_DECODEGEN_ROWS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct DecodeRow {
    const char *name;
    uint64_t mask, value;    /* fixed bits */
    const char *features;    /* the row's if=, or "" */
    const char *fields;      /* "rd=7:5; imm=20:s12" */
    const char *assembler, *section;
    bool unimp;
} DecodeRow;

#endif
