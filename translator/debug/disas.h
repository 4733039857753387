/* Disassembly for logs: by capstone when it is configured, else as words in hexadecimal. */
#ifndef TRANSLATOR_DEBUG_DISAS_H
#define TRANSLATOR_DEBUG_DISAS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct _GString;

/* Appends one line an instruction. `arch`: GuestIsa.capstone or a backend's name ("aarch64",
 * "riscv64", "riscv64c", "x86_64"). What isn't an instruction shows as data and it goes on. */
void disas_append(struct _GString *out, const char *arch, bool big_endian, const uint8_t *code,
                  size_t bytes, uint64_t pc);

#endif
