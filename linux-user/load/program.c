/*
 * Puts a guest program together: its image, its interpreter, its heap, its vDSO, its stack.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <glib.h>

#include "linux-user/load/load.h"
#include "linux-user/load/prefix.h"
#include "linux-user/load/random.h"
#include "linux-user/mem/map.h"
#include "linux-user/vdso/vdso.h"

enum { BRK_RANDOM_PAGES_MASK = 0x1fff }; /* 32 MiB, as the kernel's */

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
    p->elf_flags = image.flags;
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
    GuestAddr random = (load_random_layout(p) & BRK_RANDOM_PAGES_MASK) * MEM_PAGE;
    m->brk_start = mem_page_up(m, image.end) + mem_page_down(m, random);
    m->brk = m->brk_limit = m->brk_start;
    if (!vdso_map(p))
        return load_error(error, LOAD_FAILED, "no memory for the vDSO");
    return load_stack(p, program, &image, error);
}

void load_start(Process *p, Thread *t)
{
    p->abi->start(vcpu_cpu(t->vcpu), p->entry, p->start_sp);
}
