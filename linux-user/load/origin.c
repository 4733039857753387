/*
 * Who started this emulator, by the auxiliary vector.
 */
#include "linux-user/load/origin.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#ifndef AT_FLAGS_PRESERVE_ARGV0
#define AT_FLAGS_PRESERVE_ARGV0 1 /* linux/binfmts.h */
#endif

/* A program of the host's own: then /proc/self/exe is somebody's who runs it, as Valgrind does. */
static bool is_host_program(const char *name)
{
    Elf64_Ehdr head;
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, &head, sizeof head);
    if (fd >= 0)
        close(fd);
    return n == sizeof head && !memcmp(head.e_ident, ELFMAG, SELFMAG) &&
           head.e_machine == EM_X86_64;
}

/* Without P and O the file that was executed tells: it is not the emulator but its first argument,
 * or the script that this is the interpreter of. */
static bool executed_another(const char *name)
{
    struct stat executed, self;

    return name && strncmp(name, "/dev/fd/", 8) && stat(name, &executed) == 0 &&
           (stat("/proc/self/exe", &self) || executed.st_dev != self.st_dev ||
            executed.st_ino != self.st_ino) && /* there may be no /proc */
           !is_host_program(name);
}

LoadOrigin load_origin(int argc, char **argv)
{
    LoadOrigin origin = {.exec_fd = -1, .secure = getauxval(AT_SECURE) != 0};
    const char *name = (const char *)getauxval(AT_EXECFN);

    errno = 0; /* descriptor 0 is one too */
    unsigned long fd = getauxval(AT_EXECFD);
    if (fd || !errno)
        origin.exec_fd = (int)fd;
    origin.has_argv0 = getauxval(AT_FLAGS) & AT_FLAGS_PRESERVE_ARGV0;
    origin.by_binfmt = argc > 1 && (origin.exec_fd >= 0 || origin.has_argv0 ||
                                    (name && !strcmp(name, argv[1]) && strcmp(name, argv[0])) ||
                                    executed_another(name));
    if (origin.by_binfmt)
        origin.exec_name = name;
    return origin;
}

bool load_emulator_is_setuid(void)
{
    struct stat st;

    return (stat("/proc/self/exe", &st) == 0 && (st.st_mode & (S_ISUID | S_ISGID))) ||
           getxattr("/proc/self/exe", "security.capability", NULL, 0) > 0;
}
