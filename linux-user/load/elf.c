/*
 * Maps ELF files into the guest's memory (ELF-64 object file format; Linux, fs/binfmt_elf.c).
 *
 * Nothing in the file is trusted: each table is checked against the file, each segment against the
 * guest's address space, before anything is mapped; and what the mapped bytes hold is read only by
 * the copying functions of mem/.
 */
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib.h>

#include "linux-user/load/load.h"
#include "linux-user/load/random.h"
#include "linux-user/mem/map.h"
#include "linux-user/signal/host-syscall.h"

enum { MAX_PHDRS = 65536 / sizeof(Elf64_Phdr) };

/* Position independent programs lie here, as on x86-64 and RISC-V, so that the heap behind them has
 * room: with all 32 bits of vm.mmap_rnd_bits the host maps downwards from above 0x6ff000000000, and
 * with the old layout (setarch -L, or a stack without limit) upwards from 0x2aaaaaaab000 and 16 TB
 * of randomness. That is 26 TB from either. */
#define PIE_BASE UINT64_C(0x555555554000)
#define PIE_RANDOM_PAGES_MASK UINT64_C(0xfffffff)

typedef struct ElfFile {
    int fd;
    const char *name;
    uint64_t bytes; /* of the file */
    Elf64_Ehdr head;
    Elf64_Phdr *phdrs;
} ElfFile;

static bool read_exact(int fd, void *buf, size_t n, uint64_t off)
{
    while (n) {
        ssize_t got = pread(fd, buf, n, (off_t)off);
        if (got <= 0)
            return false;
        buf = (char *)buf + got;
        n -= (size_t)got;
        off += (uint64_t)got;
    }
    return true;
}

#define refuse(f, error, why)                                                                      \
    load_error(error, LOAD_NOT_EXECUTABLE, "%s: bad ELF file: %s", (f)->name, (why))

static bool read_headers(const Process *p, ElfFile *f, GError **error)
{
    struct stat st;
    if (fstat(f->fd, &st) < 0 || !read_exact(f->fd, &f->head, sizeof f->head, 0))
        return refuse(f, error, "shorter than its header");
    f->bytes = (uint64_t)st.st_size;
    const Elf64_Ehdr *h = &f->head;
    if (memcmp(h->e_ident, ELFMAG, SELFMAG))
        return refuse(f, error, "no ELF header");
    if (h->e_ident[EI_CLASS] != ELFCLASS64 || h->e_ident[EI_DATA] != ELFDATA2LSB ||
        h->e_machine != p->abi->elf_machine)
        return load_error(error, LOAD_NOT_EXECUTABLE, "%s: not an ELF file for %s", f->name,
                          p->abi->name);
    if (h->e_type != ET_EXEC && h->e_type != ET_DYN)
        return refuse(f, error, "neither an executable nor a shared object");
    if (h->e_phentsize != sizeof(Elf64_Phdr) || h->e_phnum == 0 || h->e_phnum > MAX_PHDRS)
        return refuse(f, error, "wrong size or number of program headers");
    size_t n = h->e_phnum * sizeof(Elf64_Phdr);
    if (h->e_phoff > f->bytes || n > f->bytes - h->e_phoff)
        return refuse(f, error, "program headers lie outside the file");
    f->phdrs = g_malloc(n);
    if (!read_exact(f->fd, f->phdrs, n, h->e_phoff))
        return refuse(f, error, "can't read the program headers");
    return true;
}

/* Checks PT_LOAD segments; gives the range of addresses they span and the alignment they want. */
static bool check_segments(const Process *p, const ElfFile *f, uint64_t *ret_start,
                           uint64_t *ret_end, uint64_t *ret_align, GError **error)
{
    uint64_t start = UINT64_MAX, end = 0, align = p->mem->page;
    for (unsigned i = 0; i < f->head.e_phnum; i++) {
        const Elf64_Phdr *ph = &f->phdrs[i];
        if (ph->p_type != PT_LOAD || ph->p_memsz == 0)
            continue;
        if (ph->p_filesz > ph->p_memsz)
            return refuse(f, error, "a segment has more bytes in the file than in memory");
        if (ph->p_vaddr > p->abi->task_size || ph->p_memsz > p->abi->task_size - ph->p_vaddr)
            return refuse(f, error, "a segment lies outside the address space");
        if (ph->p_filesz && mem_misaligned(p->mem, ph->p_vaddr ^ ph->p_offset))
            return refuse(f, error, p->mem->page == MEM_PAGE
                          ? "a segment's offset and address disagree within a page"
                          : "it is linked for smaller pages than these (-p)");
        if (ph->p_filesz && (ph->p_offset > f->bytes || ph->p_filesz > f->bytes - ph->p_offset))
            return refuse(f, error, "a segment lies outside the file (is it truncated?)");
        if (ph->p_align > align && !(ph->p_align & (ph->p_align - 1)) &&
            ph->p_align <= UINT64_C(1) << 32)
            align = ph->p_align;
        if (ph->p_vaddr < start)
            start = ph->p_vaddr;
        if (ph->p_vaddr + ph->p_memsz > end)
            end = ph->p_vaddr + ph->p_memsz;
    }
    if (start > end)
        return refuse(f, error, "nothing to load");
    *ret_start = mem_page_down(p->mem, start);
    *ret_end = end;
    *ret_align = align;
    return true;
}

/* Reserves [start, end) of an executable with fixed addresses. */
static bool reserve_fixed(Process *p, const ElfFile *f, uint64_t start, uint64_t end,
                          GError **error)
{
    long r = mem_mmap(p, start, mem_page_up(p->mem, end) - start, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (r == (long)start)
        return true;
    const char *hint = r == -EPERM || start < 65536
                           ? " (it begins below vm.mmap_min_addr)" : "";
    return load_error(error, LOAD_FAILED, "%s: can't have the addresses 0x%" PRIx64 " to 0x%" PRIx64
                      ": %s%s", f->name, start, end, g_strerror((int)(r < 0 ? -r : EEXIST)), hint);
}

/* With -R at two thirds of the address space and a random part of 1/512, as Linux does. */
static uint64_t pie_base(Process *p)
{
    uint64_t end = p->mem->end, random = load_random_layout(p);
    if (!end)
        return PIE_BASE + (random & PIE_RANDOM_PAGES_MASK) * MEM_PAGE;
    return mem_page_down(p->mem, end / 3 * 2) + random % (end / 512 / MEM_PAGE) * MEM_PAGE;
}

/* Chooses and reserves the place of a position independent file. */
static bool reserve_anywhere(Process *p, const ElfFile *f, uint64_t bytes, uint64_t align,
                             bool is_interp, uint64_t *ret_at, GError **error)
{
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
    uint64_t want = 0;
    for (int tries = 0; !is_interp && tries < 8; tries++) {
        want = pie_base(p);
        want = (want + align - 1) & ~(align - 1);
        if (mem_mmap(p, want, bytes, PROT_NONE, flags | MAP_FIXED_NOREPLACE, -1, 0) == (long)want) {
            *ret_at = want;
            return true;
        }
    }
    long r = mem_mmap(p, 0, bytes + align - p->mem->page, PROT_NONE, flags, -1, 0);
    if (r < 0 && r >= -4095)
        return load_error(error, LOAD_FAILED, "%s: no room for its %" PRIu64 " bytes: %s", f->name,
                          bytes, g_strerror((int)-r));
    uint64_t at = ((uint64_t)r + align - 1) & ~(align - 1);
    uint64_t behind = (uint64_t)r + bytes + align - p->mem->page;
    if (at > (uint64_t)r)
        mem_munmap(p, (uint64_t)r, at - (uint64_t)r);
    if (behind > at + bytes)
        mem_munmap(p, at + bytes, behind - at - bytes);
    *ret_at = at;
    return true;
}

static int segment_prot(const Elf64_Phdr *ph)
{
    return (ph->p_flags & PF_R ? PROT_READ : 0) | (ph->p_flags & PF_W ? PROT_WRITE : 0) |
           (ph->p_flags & PF_X ? PROT_EXEC : 0);
}

static bool map_segment(Process *p, const ElfFile *f, const Elf64_Phdr *ph, uint64_t base,
                        GError **error)
{
    uint64_t at = base + ph->p_vaddr, file_end = at + ph->p_filesz, end = at + ph->p_memsz;
    const MemMap *m = p->mem;
    uint64_t page = mem_page_down(m, at), pages_end = mem_page_up(m, end);
    uint64_t file_pages_end = ph->p_filesz ? mem_page_up(m, file_end) : page;
    int prot = segment_prot(ph);
    long r = 0;
    if (ph->p_filesz)
        r = mem_mmap(p, page, file_pages_end - page, prot, MAP_PRIVATE | MAP_FIXED, f->fd,
                     mem_page_down(m, ph->p_offset));
    if (r >= 0 && pages_end > file_pages_end)
        r = mem_mmap(p, file_pages_end, pages_end - file_pages_end, prot,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (r < 0 && r >= -4095)
        return load_error(error, LOAD_FAILED, "%s: can't map a segment of %" PRIu64 " bytes: %s",
                          f->name, (uint64_t)ph->p_memsz, g_strerror((int)-r));
    /* What follows the file's bytes is zero up to the end of their last page, even behind the
     * segment (ld.so allocates there); only a writable segment can have it (Linux: padzero(), whose
     * failure counts for writable ones). */
    if (ph->p_filesz && end > file_end && file_pages_end > file_end && (prot & PROT_WRITE) &&
        !mem_clear(file_end, file_pages_end - file_end))
        return refuse(f, error, "its data can't be written");
    return true;
}

static bool read_interp(const ElfFile *f, const Elf64_Phdr *ph, ElfImage *ret, GError **error)
{
    if (ph->p_filesz < 2 || ph->p_filesz > sizeof ret->interp ||
        !read_exact(f->fd, ret->interp, ph->p_filesz, ph->p_offset) ||
        ret->interp[ph->p_filesz - 1]) {
        ret->interp[0] = 0;
        return refuse(f, error, "the interpreter's name");
    }
    return true;
}

/* Where the program headers are in memory: in the segment that covers them in the file. */
static uint64_t phdr_address(const ElfFile *f, uint64_t base)
{
    for (unsigned i = 0; i < f->head.e_phnum; i++) {
        const Elf64_Phdr *ph = &f->phdrs[i];
        if (ph->p_type == PT_LOAD && f->head.e_phoff >= ph->p_offset &&
            f->head.e_phoff < ph->p_offset + ph->p_filesz)
            return base + ph->p_vaddr + (f->head.e_phoff - ph->p_offset);
    }
    return 0;
}

static bool load_file(Process *p, ElfFile *f, bool is_interp, ElfImage *ret, GError **error)
{
    uint64_t start, end, align, at;
    if (!read_headers(p, f, error) || !check_segments(p, f, &start, &end, &align, error))
        return false;
    ret->interp[0] = 0;
    ret->has_stack_flags = ret->stack_exec = false;
    for (unsigned i = 0; i < f->head.e_phnum; i++) {
        const Elf64_Phdr *ph = &f->phdrs[i];
        if (ph->p_type == PT_INTERP && !is_interp && !ret->interp[0] &&
            !read_interp(f, ph, ret, error))
            return false;
        if (ph->p_type == PT_GNU_STACK) {
            ret->has_stack_flags = true;
            ret->stack_exec = ph->p_flags & PF_X;
        }
    }
    if (f->head.e_type == ET_EXEC) {
        if (!reserve_fixed(p, f, start, end, error))
            return false;
        at = start;
    } else if (!reserve_anywhere(p, f, mem_page_up(p->mem, end) - start, align, is_interp, &at,
                                 error)) {
        return false;
    }
    ret->base = at - start;
    for (unsigned i = 0; i < f->head.e_phnum; i++)
        if (f->phdrs[i].p_type == PT_LOAD && f->phdrs[i].p_memsz &&
            !map_segment(p, f, &f->phdrs[i], ret->base, error))
            return false;
    ret->start = at;
    ret->end = ret->base + end;
    ret->flags = f->head.e_flags;
    ret->entry = ret->base + f->head.e_entry;
    ret->phnum = f->head.e_phnum;
    ret->phdr = phdr_address(f, ret->base);
    return true;
}

bool load_elf(Process *p, int fd, const char *name, bool is_interp, ElfImage *ret, GError **error)
{
    ElfFile f = {.fd = fd, .name = name};
    bool ok = load_file(p, &f, is_interp, ret, error);
    g_free(f.phdrs);
    return ok;
}
