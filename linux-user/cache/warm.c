/*
 * Where does code begin in an ELF file? At its entry, at functions that symbols name, at those that
 * the unwind tables list (nearly all of them), and where relocations make pointers into code.
 */
#include "linux-user/cache/warm.h"

#include <elf.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <glib.h>

#include "linux-user/thread/thread.h"

typedef struct Finder {
    const uint8_t *file;
    uint64_t bytes;
    const Elf64_Ehdr *head;
    GuestAddr base;
    GArray *found;            /* of GuestAddr */
} Finder;

/* `n` bytes at `off` of the file, or NULL. */
static const void *at(const Finder *f, uint64_t off, uint64_t n)
{
    return off <= f->bytes && n <= f->bytes - off ? f->file + off : NULL;
}

static const Elf64_Phdr *segment(const Finder *f, unsigned n)
{
    return at(f, f->head->e_phoff + n * sizeof(Elf64_Phdr), sizeof(Elf64_Phdr));
}

static bool is_code(const Finder *f, uint64_t vaddr)
{
    for (unsigned n = 0; n < f->head->e_phnum; n++) {
        const Elf64_Phdr *p = segment(f, n);
        if (p && p->p_type == PT_LOAD && p->p_flags & PF_X && vaddr >= p->p_vaddr &&
            vaddr - p->p_vaddr < p->p_filesz)
            return true;
    }
    return false;
}

static void add(Finder *f, uint64_t vaddr)
{
    GuestAddr pc = f->base + vaddr;
    if (is_code(f, vaddr))
        g_array_append_val(f->found, pc);
}

static void add_symbols(Finder *f, const Elf64_Shdr *s)
{
    for (uint64_t n = 0; n < s->sh_size / sizeof(Elf64_Sym); n++) {
        const Elf64_Sym *y = at(f, s->sh_offset + n * sizeof *y, sizeof *y);
        if (y && ELF64_ST_TYPE(y->st_info) == STT_FUNC && y->st_shndx != SHN_UNDEF)
            add(f, y->st_value);
    }
}

/* Of type RELATIVE the addend is an address; of others it does no harm. */
static void add_relocations(Finder *f, const Elf64_Shdr *s)
{
    for (uint64_t n = 0; n < s->sh_size / sizeof(Elf64_Rela); n++) {
        const Elf64_Rela *r = at(f, s->sh_offset + n * sizeof *r, sizeof *r);
        if (r && ELF64_R_SYM(r->r_info) == 0)
            add(f, (uint64_t)r->r_addend);
    }
}

static void add_sections(Finder *f)
{
    for (unsigned n = 0; n < f->head->e_shnum; n++) {
        const Elf64_Shdr *s = at(f, f->head->e_shoff + n * sizeof *s, sizeof *s);
        if (s && (s->sh_type == SHT_SYMTAB || s->sh_type == SHT_DYNSYM))
            add_symbols(f, s);
        else if (s && s->sh_type == SHT_RELA)
            add_relocations(f, s);
    }
}

/* .eh_frame_hdr (LSB Core, 10.6.2) with the encodings that linkers make: a table of pairs of
 * 32-bit offsets from the header. */
static void add_unwind_table(Finder *f, const Elf64_Phdr *p)
{
    enum { VERSION = 1, UDATA4 = 0x03, DATAREL_SDATA4 = 0x3b, TABLE_AT = 12 };
    const uint8_t *h = at(f, p->p_offset, TABLE_AT);
    uint32_t count;
    if (!h || h[0] != VERSION || h[2] != UDATA4 || h[3] != DATAREL_SDATA4)
        return;
    memcpy(&count, h + 8, sizeof count);
    for (uint32_t n = 0; n < count; n++) {
        const uint8_t *entry = at(f, p->p_offset + TABLE_AT + n * UINT64_C(8), 8);
        int32_t first;
        if (!entry)
            return;
        memcpy(&first, entry, sizeof first);
        add(f, p->p_vaddr + (uint64_t)(int64_t)first);
    }
}

static uint64_t warm(Thread *t, const ElfImage *image, Finder *f)
{
    f->base = image->base;
    add(f, f->head->e_entry);
    for (unsigned n = 0; n < f->head->e_phnum; n++) {
        const Elf64_Phdr *p = segment(f, n);
        if (p && p->p_type == PT_GNU_EH_FRAME)
            add_unwind_table(f, p);
    }
    add_sections(f);
    return translator_warm(t->process->translator, t->vcpu, image->start, image->end,
                           (GuestAddr *)(void *)f->found->data, f->found->len);
}

uint64_t cache_warm(Thread *t, int fd, const ElfImage *image)
{
    struct stat st;
    uint64_t units = 0;
    if (fstat(fd, &st) < 0)
        return 0;
    void *file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (file == MAP_FAILED)
        return 0;
    Finder f = { .file = file, .bytes = (uint64_t)st.st_size, .head = file,
                 .found = g_array_new(FALSE, FALSE, sizeof(GuestAddr)) };
    if (f.bytes >= sizeof *f.head)
        units = warm(t, image, &f);
    g_array_free(f.found, TRUE);
    munmap(file, f.bytes);
    translator_save(t->process->translator, t->vcpu, 0, UINT64_MAX);
    return units;
}
