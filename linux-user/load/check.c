/* data plane */
/*
 * What the kernel looks at before it gives up the old program (Linux, fs/binfmt_elf.c,
 * load_elf_binary), so that execve fails as it would there. What comes later kills the new one.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/limits.h>
#include <string.h>
#include <unistd.h>

#include "linux-user/load/load.h"
#include "linux-user/load/prefix.h"
#include "linux-user/signal/host-syscall.h"

enum { PHDRS_AT_ONCE = 16, MAX_PHDRS_BYTES = 65536 };

static long check_interp(const Process *p, int fd, const Elf64_Phdr *ph)
{
    char path[PATH_MAX], buf[PATH_MAX];

    if (ph->p_filesz > sizeof path || ph->p_filesz < 2)
        return -ENOEXEC;
    long n = host_raw(SYS_pread64, fd, (uintptr_t)path, ph->p_filesz, ph->p_offset);
    if (n != (long)ph->p_filesz)
        return n < 0 ? n : -EIO;
    if (path[n - 1])
        return -ENOEXEC;
    const char *found = prefix_lookup(p, path, buf, sizeof buf);
    long r = host_raw(SYS_faccessat2, AT_FDCWD, (uintptr_t)found, X_OK, AT_EACCESS);
    return r == -ENOSYS ? host_raw(SYS_faccessat, AT_FDCWD, (uintptr_t)found, X_OK) : r;
}

long load_check(const Process *p, int fd, const LoadHead *head)
{
    Elf64_Ehdr h;
    Elf64_Phdr phdrs[PHDRS_AT_ONCE];

    if (head->elf_class != ELFCLASS64 || head->elf_data != ELFDATA2LSB)
        return 0;
    if (head->n < sizeof h)
        return -ENOEXEC;
    memcpy(&h, head->bytes, sizeof h);
    if ((h.e_type != ET_EXEC && h.e_type != ET_DYN) || h.e_phentsize != sizeof *phdrs ||
        h.e_phnum == 0 || h.e_phnum * sizeof *phdrs > MAX_PHDRS_BYTES)
        return -ENOEXEC;
    for (unsigned i = 0; i < h.e_phnum; i++) {
        unsigned part = i % PHDRS_AT_ONCE;
        if (part == 0) {
            unsigned left = h.e_phnum - i;
            size_t bytes = (left < PHDRS_AT_ONCE ? left : PHDRS_AT_ONCE) * sizeof *phdrs;
            long n = host_raw(SYS_pread64, fd, (uintptr_t)phdrs, bytes,
                              h.e_phoff + i * sizeof *phdrs);
            if (n != (long)bytes)
                return -ENOEXEC;
        }
        if (phdrs[part].p_type == PT_INTERP)
            return check_interp(p, fd, &phdrs[part]);
    }
    return 0;
}
