/*
 * The command line and the environment: CALQUE_NAME before QEMU_NAME, and both before nothing; the
 * command line before both.
 */
#ifndef LINUX_USER_OPTIONS_H
#define LINUX_USER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "translator/translator.h"

struct _GError;
struct LoadOrigin;

typedef struct Options {
    const char *guest;       /* by the program's name: "aarch64", or NULL: the ELF file says */
    const char *prefix;      /* -L, without a slash at its end; NULL: none */
    const char *cpu;         /* -cpu */
    const char *backend;     /* --backend */
    const char *host_cpu;    /* --host-cpu */
    TranslatorTier tier;     /* --tier */
    const char *tier_name, *tier_threshold; /* --tier, --tier-threshold, for options_inherit() */
    uint32_t tier_entries;   /* --tier-threshold; 0: default */
    const char *argv0;       /* -0 */
    const char *uname_release; /* -r */
    const char *log_classes, *log_file; /* -d, -D */
    const char *gdb;         /* -g */
    uint64_t reserved_va;    /* -R: where the guest's addresses end; 0: where the host's do */
    const char *reserved_text; /* as it was given, for options_inherit() */
    uint64_t page_bytes;     /* -p; 0: the host's */
    const char *page_text;
    uint64_t stack_bytes;    /* -s; 0: RLIMIT_STACK */
    uint64_t seed;
    bool no_cache;           /* --no-cache */
    bool warm;               /* --warm: fill the store and run nothing (calque-cache) */
    bool has_seed, strace, one_insn, stats, show_version, show_help;
    int exec_fd;             /* --exec-fd: the program is open there (fexecve); -1 */
    bool mdwe;               /* --mdwe: PR_SET_MDWE, as an execve has passed it on */
    int seccomp_fd;          /* --seccomp-fd: filters that an execve has passed on; -1 */
    const char *exec_name;   /* --exec-name: what AT_EXECFN says, if it isn't the program's path */
    bool by_binfmt;          /* started by the kernel (load/origin.h) */
    bool secure;             /* AT_SECURE: nothing of the invoking user's is honoured */
    char **set_env;          /* -E NAME=VALUE and -U NAME, in order: "NAME=VALUE" or "NAME" */
    size_t n_set_env;
    char **argv;             /* the program and its arguments */
    int argc;
} Options;

/* Reads the environment and the arguments; *ret holds pointers into them. A program that the kernel
 * started has no options, whatever its path looks like; one with AT_SECURE gets nothing from the
 * environment, and takes only what the emulator itself passes on at an exec. */
bool options_parse(Options *ret, const struct LoadOrigin *origin, int argc, char **argv,
                   struct _GError **error);
void options_print_help(const char *name);

/* The options that a program started by the guest is to have, as arguments for another calque;
 * NULL-terminated strings into ret[], at most `size` of them. Their number. */
size_t options_inherit(const Options *o, const char **ret, size_t size);
enum { OPTIONS_INHERIT_MAX = 32 };

#endif
