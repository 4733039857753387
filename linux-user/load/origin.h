/*
 * Who started this emulator: somebody with a command line, or the kernel, by binfmt_misc, when a
 * foreign program was executed (Linux, Documentation/admin-guide/binfmt-misc.rst).
 * The kernel's arguments are the emulator's path, the program's path, with the flag P the caller's
 * argv[0], and the caller's other arguments. They hold no option of ours: a program's path may well
 * begin with "-", and a program that is set-uid mustn't be given options by that.
 */
#ifndef LINUX_USER_LOAD_ORIGIN_H
#define LINUX_USER_LOAD_ORIGIN_H

#include <stdbool.h>

typedef struct LoadOrigin {
    bool by_binfmt;        /* argv[1] is the program */
    bool has_argv0;        /* flag P: argv[2] is the caller's argv[0] */
    bool secure;           /* AT_SECURE: with other rights than the caller's */
    int exec_fd;           /* flag O: the program is open there; -1: it isn't */
    const char *exec_name; /* by_binfmt: the path that was executed, a script's perhaps */
} LoadOrigin;

LoadOrigin load_origin(int argc, char **argv);
/* Whether the emulator's own file gives rights: to every program that anybody writes, then. */
bool load_emulator_is_setuid(void);

#endif
