/* See disas.h. */
#include "config.h"

#include "translator/debug/disas.h"

#include <glib.h>
#include <string.h>

#ifdef HAVE_CAPSTONE
#include <capstone/capstone.h>
#endif

#define HEX64 "0x%08" G_GINT64_MODIFIER "x:  "

/* Shortest instruction: how far to go on after something unknown. */
static size_t unit_bytes(const char *arch)
{
    if (!strncmp(arch, "riscv", 5))
        return 2;
    return strcmp(arch, "x86_64") ? 4 : 1;
}

/* RISC-V tells the length of an instruction it doesn't know (Unpriv 20240411, §1.5). */
static size_t unknown_bytes(const char *arch, const uint8_t *code, size_t avail)
{
    size_t n = unit_bytes(arch);
    if (n == 2 && (code[0] & 3) == 3)
        n = 4;
    return n < avail ? n : avail;
}

static void append_data(GString *out, const char *arch, const uint8_t *code, size_t n, uint64_t pc)
{
    uint32_t word = 0;
    memcpy(&word, code, n);
    const char *how = n == 1 ? ".byte" : n == 2 ? ".half" : ".word";
    g_string_append_printf(out, HEX64 "%-*s%0*x   %s  0x%0*x\n", pc, 0, "", (int)(2 * n), word, how,
                           (int)(2 * n), word);
}

static void append_words(GString *out, const char *arch, const uint8_t *code, size_t bytes,
                         uint64_t pc)
{
    for (size_t at = 0, n; at < bytes; at += n) {
        n = unknown_bytes(arch, code + at, bytes - at);
        if (n == 3)
            n = 2;
        append_data(out, arch, code + at, n, pc + at);
    }
}

#ifdef HAVE_CAPSTONE

static bool open_capstone(const char *arch, bool big_endian, csh *ret)
{
    cs_mode mode = big_endian ? CS_MODE_BIG_ENDIAN : CS_MODE_LITTLE_ENDIAN;
    cs_err err = CS_ERR_ARCH;
    if (!strcmp(arch, "aarch64"))
        err = cs_open(CS_ARCH_ARM64, mode, ret);
    else if (!strcmp(arch, "x86_64"))
        err = cs_open(CS_ARCH_X86, CS_MODE_64, ret);
#if CS_API_MAJOR >= 5
    else if (!strncmp(arch, "riscv64", 7))
        err = cs_open(CS_ARCH_RISCV, mode | CS_MODE_RISCV64 | CS_MODE_RISCVC, ret);
#endif
    return err == CS_ERR_OK;
}

static void append_insn(GString *out, const char *arch, const cs_insn *i)
{
    g_string_append_printf(out, HEX64, i->address);
    /* Fixed-width guests as their words are written in manuals, x86 byte by byte. */
    char hex[64];
    int n = 0;
    if (unit_bytes(arch) == 1) {
        for (unsigned b = 0; b < i->size; b++)
            n += g_snprintf(hex + n, sizeof hex - (gulong)n, "%02x ", i->bytes[b]);
    } else {
        uint32_t word = 0;
        memcpy(&word, i->bytes, i->size < 4 ? i->size : 4);
        g_snprintf(hex, sizeof hex, "%0*x", 2 * i->size, word);
    }
    g_string_append_printf(out, "%-*s  %-9s %s\n", unit_bytes(arch) == 1 ? 30 : 8, hex, i->mnemonic,
                           i->op_str);
}

void disas_append(GString *out, const char *arch, bool big_endian, const uint8_t *code,
                  size_t bytes, uint64_t pc)
{
    csh handle;
    if (!arch || !open_capstone(arch, big_endian, &handle)) {
        append_words(out, arch ? arch : "", code, bytes, pc);
        return;
    }
    cs_insn *i = cs_malloc(handle);
    const uint8_t *at = code;
    size_t left = bytes;
    uint64_t addr = pc;
    while (left) {
        if (i && cs_disasm_iter(handle, &at, &left, &addr, i)) {
            append_insn(out, arch, i);
        } else {
            size_t n = unknown_bytes(arch, at, left);
            n = n == 3 ? 2 : n;
            append_data(out, arch, at, n, addr);
            at += n;
            left -= n;
            addr += n;
        }
    }
    if (i)
        cs_free(i, 1);
    cs_close(&handle);
}

#else

void disas_append(GString *out, const char *arch, bool big_endian, const uint8_t *code,
                  size_t bytes, uint64_t pc)
{
    append_words(out, arch ? arch : "", code, bytes, pc);
}

#endif
