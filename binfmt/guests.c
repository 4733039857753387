#include "binfmt/guests.h"

#include <elf.h>
#include <string.h>
#include <sys/utsname.h>

#ifndef EM_LOONGARCH
#define EM_LOONGARCH 258
#endif
enum { OFFSET_TYPE = 16, OFFSET_MACHINE = 18, MAGIC_BYTES = 20, OFFSET_FLAGS_32 = 36,
       OFFSET_FLAGS_64 = 48, MIPS_N32 = 0x20 /* EF_MIPS_ABI2 */ };
#define MIPS_O32_OR_N32 .any_abi_version = true, .flags_mask = MIPS_N32

#define GUEST(n, d, p, m, bits)                                                                    \
    .name = n, .debian = d, .platform = p, .machine = m, .word_bits = bits

/* Fields that a row leaves out are 0: little-endian, no flags to compare. */
const BinfmtGuest guests[] = {
    {GUEST("aarch64", "arm64", "linux/arm64", EM_AARCH64, 64), .has_probe = true,
     /* mov x0, #42; mov x8, #93; svc #0 */
     .probe = {0x40, 0x05, 0x80, 0xd2, 0xa8, 0x0b, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4}},
    {GUEST("aarch64_be", NULL, NULL, EM_AARCH64, 64), .big_endian = true},
    {GUEST("alpha", "alpha", NULL, 0x9026 /* EM_ALPHA as it came to be */, 64)},
    {GUEST("arm", "armhf", "linux/arm/v7", EM_ARM, 32)},
    {GUEST("armeb", NULL, NULL, EM_ARM, 32), .big_endian = true},
    {GUEST("hppa", "hppa", NULL, EM_PARISC, 32), .big_endian = true},
    {GUEST("i386", "i386", "linux/386", EM_386, 32)},
    {GUEST("loongarch64", "loong64", "linux/loong64", EM_LOONGARCH, 64)},
    {GUEST("m68k", "m68k", NULL, EM_68K, 32), .big_endian = true},
    {GUEST("microblaze", NULL, NULL, EM_MICROBLAZE, 32), .big_endian = true},
    {GUEST("mips", "mips", "linux/mips", EM_MIPS, 32), .big_endian = true, MIPS_O32_OR_N32},
    {GUEST("mipsel", "mipsel", "linux/mipsle", EM_MIPS, 32), MIPS_O32_OR_N32},
    {GUEST("mipsn32", "mipsn32", NULL, EM_MIPS, 32), .big_endian = true, MIPS_O32_OR_N32,
     .flags = MIPS_N32},
    {GUEST("mipsn32el", "mipsn32el", NULL, EM_MIPS, 32), MIPS_O32_OR_N32, .flags = MIPS_N32},
    {GUEST("mips64", "mips64", "linux/mips64", EM_MIPS, 64), .big_endian = true,
     .any_abi_version = true},
    {GUEST("mips64el", "mips64el", "linux/mips64le", EM_MIPS, 64), .any_abi_version = true},
    {GUEST("or1k", NULL, NULL, EM_OPENRISC, 32), .big_endian = true},
    {GUEST("ppc", "powerpc", NULL, EM_PPC, 32), .big_endian = true},
    {GUEST("ppc64", "ppc64", "linux/ppc64", EM_PPC64, 64), .big_endian = true},
    {GUEST("ppc64le", "ppc64el", "linux/ppc64le", EM_PPC64, 64)},
    {GUEST("riscv32", NULL, NULL, EM_RISCV, 32)},
    {GUEST("riscv64", "riscv64", "linux/riscv64", EM_RISCV, 64), .has_probe = true,
     /* li a0, 42; li a7, 93; ecall */
     .probe = {0x13, 0x05, 0xa0, 0x02, 0x93, 0x08, 0xd0, 0x05, 0x73, 0x00, 0x00, 0x00}},
    {GUEST("s390x", "s390x", "linux/s390x", EM_S390, 64), .big_endian = true},
    {GUEST("sh4", "sh4", NULL, EM_SH, 32)},
    {GUEST("sparc", "sparc", NULL, EM_SPARC, 32), .big_endian = true},
    {GUEST("sparc64", "sparc64", NULL, EM_SPARCV9, 64), .big_endian = true},
    {GUEST("x86_64", "amd64", "linux/amd64", EM_X86_64, 64)},
    {.name = NULL},
};

const BinfmtGuest *guest_by_name(const char *name)
{
    for (const BinfmtGuest *g = guests; g->name; g++)
        if (!strcmp(g->name, name) || (g->debian && !strcmp(g->debian, name)) ||
            (g->platform && !strcmp(g->platform, name)))
            return g;
    return NULL;
}

/* In the guest's byte order. */
static void put(const BinfmtGuest *g, uint8_t *at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        at[i] = (uint8_t)(value >> 8 * (g->big_endian ? bytes - 1 - i : i));
}

GuestMagic guest_magic(const BinfmtGuest *g)
{
    GuestMagic m = {.bytes = MAGIC_BYTES};
    unsigned flags_at = g->word_bits == 64 ? OFFSET_FLAGS_64 : OFFSET_FLAGS_32;

    memset(m.mask, 0xff, m.bytes);
    memcpy(m.magic, ELFMAG, SELFMAG);
    m.magic[EI_CLASS] = g->word_bits == 64 ? ELFCLASS64 : ELFCLASS32;
    m.magic[EI_DATA] = g->big_endian ? ELFDATA2MSB : ELFDATA2LSB;
    m.magic[EI_VERSION] = EV_CURRENT;
    m.mask[EI_OSABI] = 0;
    if (g->any_abi_version)
        m.mask[EI_ABIVERSION] = 0;
    put(g, m.magic + OFFSET_TYPE, ET_EXEC, 2);
    put(g, m.mask + OFFSET_TYPE, 0xffff & ~(ET_EXEC ^ ET_DYN), 2);
    put(g, m.magic + OFFSET_MACHINE, g->machine, 2);
    if (g->flags_mask) {
        put(g, m.magic + flags_at, g->flags, 4);
        put(g, m.mask + flags_at, g->flags_mask, 4);
        m.bytes = flags_at + 4;
    }
    return m;
}

const BinfmtGuest *guest_by_header(const uint8_t *header, size_t n)
{
    for (const BinfmtGuest *g = guests; g->name; g++) {
        GuestMagic m = guest_magic(g);
        bool same = n >= m.bytes;
        for (size_t i = 0; same && i < m.bytes; i++) /* e_type apart: object files have names too */
            same = i == OFFSET_TYPE || i == OFFSET_TYPE + 1 || i == EI_ABIVERSION ||
                   ((header[i] ^ m.magic[i]) & m.mask[i]) == 0;
        if (same)
            return g;
    }
    return NULL;
}

bool guest_is_host(const BinfmtGuest *g)
{
    struct utsname host;

    if (uname(&host) < 0)
        return false;
    if (!strcmp(host.machine, "x86_64") && !strcmp(g->name, "i386"))
        return true;
    return !strcmp(host.machine, g->name);
}

size_t guest_make_probe(const BinfmtGuest *g, uint8_t *ret, size_t size)
{
    const uint64_t base = 0x400000;
    size_t headers = sizeof(Elf64_Ehdr) + sizeof(Elf64_Phdr), total = headers + GUEST_PROBE_BYTES;

    if (!g->has_probe || g->word_bits != 64 || size < total)
        return 0;
    GuestMagic m = guest_magic(g);
    memset(ret, 0, total);
    memcpy(ret, m.magic, MAGIC_BYTES);
    put(g, ret + offsetof(Elf64_Ehdr, e_version), EV_CURRENT, 4);
    put(g, ret + offsetof(Elf64_Ehdr, e_entry), base + headers, 8);
    put(g, ret + offsetof(Elf64_Ehdr, e_phoff), sizeof(Elf64_Ehdr), 8);
    put(g, ret + offsetof(Elf64_Ehdr, e_ehsize), sizeof(Elf64_Ehdr), 2);
    put(g, ret + offsetof(Elf64_Ehdr, e_phentsize), sizeof(Elf64_Phdr), 2);
    put(g, ret + offsetof(Elf64_Ehdr, e_phnum), 1, 2);
    uint8_t *ph = ret + sizeof(Elf64_Ehdr);
    put(g, ph + offsetof(Elf64_Phdr, p_type), PT_LOAD, 4);
    put(g, ph + offsetof(Elf64_Phdr, p_flags), PF_R | PF_X, 4);
    put(g, ph + offsetof(Elf64_Phdr, p_vaddr), base, 8);
    put(g, ph + offsetof(Elf64_Phdr, p_paddr), base, 8);
    put(g, ph + offsetof(Elf64_Phdr, p_filesz), total, 8);
    put(g, ph + offsetof(Elf64_Phdr, p_memsz), total, 8);
    put(g, ph + offsetof(Elf64_Phdr, p_align), 4096, 8);
    memcpy(ret + headers, g->probe, GUEST_PROBE_BYTES);
    return total;
}
