/*
 * Puts a guest program together: its image, its interpreter, its heap, its stack, and the page with
 * the code that signal handlers return to.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <glib.h>

#include "linux-user/load/load.h"
#include "linux-user/load/prefix.h"
#include "linux-user/load/random.h"
#include "linux-user/mem/map.h"

enum { BRK_RANDOM_PAGES_MASK = 0x1fff }; /* 32 MiB, as the kernel's */

static bool map_sigreturn_page(Process *p, GError **error)
{
    long at = mem_mmap(p, 0, MEM_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (at < 0 && at >= -4095)
        return load_error(error, LOAD_FAILED, "no memory: %s", g_strerror((int)-at));
    mem_write((GuestAddr)at, p->abi->sigreturn_code, p->abi->sigreturn_words * sizeof(uint32_t));
    mem_mprotect(p, (GuestAddr)at, MEM_PAGE, PROT_READ | PROT_EXEC);
    mem_note_mapped(p->mem, (GuestAddr)at, MEM_PAGE, PROT_READ | PROT_EXEC, MEM_VDSO, false);
    p->vdso = (GuestAddr)at;
    return true;
}

static bool load_interp(Process *p, const char *program, const char *path, ElfImage *ret,
                        GError **error)
{
    char buf[4096];
    const char *found = prefix_lookup(p, path, buf, sizeof buf);
    int fd = open(found, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return load_error(error, LOAD_NOT_FOUND, "%s: its interpreter %s: %s%s", program, found,
                          g_strerror(errno), errno == ENOENT ?
                          " (-L PREFIX says where the guest's libraries are)" : "");
    bool ok = load_elf(p, fd, found, true, ret, error);
    close(fd);
    return ok;
}

bool load_program(Process *p, const LoadProgram *program, GError **error)
{
    ElfImage image, interp;
    if (!load_elf(p, program->fd, program->path, false, &image, error))
        return false;
    p->entry = image.entry;
    p->load_bias = image.base;
    p->code_start = image.start;
    p->code_end = image.end;
    p->stack_exec = image.has_stack_flags && image.stack_exec;
    if (image.interp[0]) {
        if (!load_interp(p, program->path, image.interp, &interp, error))
            return false;
        p->entry = interp.entry;
        p->interp_base = interp.base;
    }
    MemMap *m = p->mem;
    GuestAddr brk = (image.end + MEM_PAGE - 1) & ~(GuestAddr)(MEM_PAGE - 1);
    m->brk_start = brk + (load_random_layout(p) & BRK_RANDOM_PAGES_MASK) * MEM_PAGE;
    m->brk = m->brk_limit = m->brk_start;
    return map_sigreturn_page(p, error) && load_stack(p, program, &image, error);
}

void load_start(Process *p, Thread *t)
{
    p->abi->start(vcpu_cpu(t->vcpu), p->entry, p->start_sp);
}
