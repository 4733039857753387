#include "linux-user/gdbstub/target.h"

#include <elf.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "linux-user/arch/debug.h"

typedef struct Description {
    char *buf;
    size_t n, size;
} Description;

static void __attribute__((format(printf, 2, 3))) add(Description *d, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int r = vsnprintf(d->buf + d->n, d->size - d->n, format, args);
    va_end(args);
    if (r > 0 && d->n + (size_t)r < d->size)
        d->n += (size_t)r;
}

static Description begin(char *buf, size_t size, const char *arch, const char *core)
{
    Description d = {buf, 0, size};
    add(&d, "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target>"
            "<architecture>%s</architecture><osabi>GNU/Linux</osabi><feature name=\"%s\">",
        arch, core);
    return d;
}

static void reg(Description *d, const char *name, int bits, const char *type)
{
    add(d, "<reg name=\"%s\" bitsize=\"%d\" type=\"%s\"/>", name, bits, type);
}

static void numbered(Description *d, const char *letter, int n, int bits, const char *type)
{
    char name[8];
    for (int i = 0; i < n; i++) {
        snprintf(name, sizeof name, "%s%d", letter, i);
        reg(d, name, bits, type);
    }
}

/* ---- AArch64: org.gnu.gdb.aarch64.core, .fpu and .pauth ---- */

enum { A64_GENERAL = 33 * 8, A64_PSTATE_AT = 33 * 8, A64_FLOATS = 32 * 16 + 8 };

static size_t a64_describe(char *buf, size_t size)
{
    Description d = begin(buf, size, "aarch64", "org.gnu.gdb.aarch64.core");
    numbered(&d, "x", 31, 64, "int");
    reg(&d, "sp", 64, "data_ptr");
    reg(&d, "pc", 64, "code_ptr");
    reg(&d, "cpsr", 32, "int");
    add(&d, "</feature><feature name=\"org.gnu.gdb.aarch64.fpu\">"
            "<vector id=\"v2d\" type=\"ieee_double\" count=\"2\"/>"
            "<vector id=\"v4f\" type=\"ieee_single\" count=\"4\"/>"
            "<vector id=\"v16u\" type=\"uint8\" count=\"16\"/>"
            "<union id=\"vec\"><field name=\"d\" type=\"v2d\"/><field name=\"s\" type=\"v4f\"/>"
            "<field name=\"b\" type=\"v16u\"/></union>");
    numbered(&d, "v", 32, 128, "vec");
    reg(&d, "fpsr", 32, "int");
    reg(&d, "fpcr", 32, "int");
    /* By these gdb takes the codes out of signed return addresses. */
    add(&d, "</feature><feature name=\"org.gnu.gdb.aarch64.pauth\">");
    reg(&d, "pauth_dmask", 64, "int");
    reg(&d, "pauth_cmask", 64, "int");
    add(&d, "</feature></target>");
    return d.n;
}

static size_t a64_gather(const TargetSets *s, uint8_t *to)
{
    memcpy(to, s->general, A64_GENERAL + 4); /* pstate's low half is cpsr */
    memcpy(to + A64_GENERAL + 4, s->floats, A64_FLOATS);
    memcpy(to + A64_GENERAL + 4 + A64_FLOATS, s->masks, TARGET_MASK_BYTES);
    return A64_GENERAL + 4 + A64_FLOATS + TARGET_MASK_BYTES;
}

static void a64_scatter(TargetSets *s, const uint8_t *from)
{
    memcpy(s->general, from, A64_GENERAL + 4);
    memcpy(s->floats, from + A64_GENERAL + 4, A64_FLOATS);
}

/* ---- RISC-V: org.gnu.gdb.riscv.cpu and .fpu ---- */

enum { RV_FLOATS = 32 * 8 };

static size_t rv_describe(char *buf, size_t size)
{
    static const char *const names[] = {
        "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "fp", "s1", "a0", "a1", "a2", "a3",
        "a4", "a5", "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11",
        "t3", "t4", "t5", "t6",
    };
    static const char *const floats[] = {
        "ft0", "ft1", "ft2", "ft3", "ft4", "ft5", "ft6", "ft7", "fs0", "fs1", "fa0", "fa1",
        "fa2", "fa3", "fa4", "fa5", "fa6", "fa7", "fs2", "fs3", "fs4", "fs5", "fs6", "fs7",
        "fs8", "fs9", "fs10", "fs11", "ft8", "ft9", "ft10", "ft11",
    };
    Description d = begin(buf, size, "riscv:rv64", "org.gnu.gdb.riscv.cpu");
    for (int i = 0; i < 32; i++)
        reg(&d, names[i], 64, i == 2 ? "data_ptr" : "int");
    reg(&d, "pc", 64, "code_ptr");
    add(&d, "</feature><feature name=\"org.gnu.gdb.riscv.fpu\">"
            "<union id=\"riscv_double\"><field name=\"float\" type=\"ieee_single\"/>"
            "<field name=\"double\" type=\"ieee_double\"/></union>");
    for (int i = 0; i < 32; i++)
        reg(&d, floats[i], 64, "riscv_double");
    reg(&d, "fflags", 32, "int");
    reg(&d, "frm", 32, "int");
    reg(&d, "fcsr", 32, "int");
    add(&d, "</feature></target>");
    return d.n;
}

/* The kernel has pc first, in zero's place. */
static size_t rv_gather(const TargetSets *s, uint8_t *to)
{
    uint32_t fcsr, parts[3];
    memset(to, 0, 8);
    memcpy(to + 8, s->general + 8, 31 * 8);
    memcpy(to + 32 * 8, s->general, 8);
    memcpy(to + 33 * 8, s->floats, RV_FLOATS);
    memcpy(&fcsr, s->floats + RV_FLOATS, 4);
    parts[0] = fcsr & 31;
    parts[1] = fcsr >> 5 & 7;
    parts[2] = fcsr;
    memcpy(to + 33 * 8 + RV_FLOATS, parts, sizeof parts);
    return 33 * 8 + RV_FLOATS + sizeof parts;
}

/* fflags and frm are parts of fcsr: whichever was changed counts. */
static void rv_scatter(TargetSets *s, const uint8_t *from)
{
    uint32_t old, parts[3];
    memcpy(&old, s->floats + RV_FLOATS, 4);
    memcpy(s->general + 8, from + 8, 31 * 8);
    memcpy(s->general, from + 32 * 8, 8);
    memcpy(s->floats, from + 33 * 8, RV_FLOATS);
    memcpy(parts, from + 33 * 8 + RV_FLOATS, sizeof parts);
    uint32_t fcsr = parts[2] != old ? parts[2] : (parts[0] & 31) | (parts[1] & 7) << 5;
    memcpy(s->floats + RV_FLOATS, &fcsr, 4);
}

static const TargetArch archs[] = {
    {"aarch64", {0x00, 0x00, 0x20, 0xd4}, 4, a64_describe, a64_gather, a64_scatter,
     A64_GENERAL + 4 + A64_FLOATS + TARGET_MASK_BYTES, 32 * 8, NT_ARM_PAC_MASK,
     {NT_ARM_HW_BREAK, NT_ARM_HW_WATCH}},
    {"riscv64", {0x02, 0x90}, 2, rv_describe, rv_gather, rv_scatter, 33 * 8 + RV_FLOATS + 12,
     0, 0, {DEBUG_SET_BREAK, DEBUG_SET_WATCH}},
};

const TargetArch *target_find(const char *abi)
{
    for (size_t i = 0; i < sizeof archs / sizeof *archs; i++)
        if (!strcmp(archs[i].abi, abi))
            return &archs[i];
    return NULL;
}
