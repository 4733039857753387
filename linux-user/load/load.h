/*
 * Loading a guest program: ELF images, scripts, the first stack.
 */
#ifndef LINUX_USER_LOAD_LOAD_H
#define LINUX_USER_LOAD_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "linux-user/process.h"

struct _GError;

/* Why a program can't be run; the exit status follows the shell's: 127 not found, else 126. */
typedef enum LoadError { LOAD_NOT_FOUND, LOAD_NOT_EXECUTABLE, LOAD_FAILED } LoadError;
int load_exit_status(const struct _GError *error);
void load_set_error(struct _GError **error, LoadError code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
#define load_error(...) (load_set_error(__VA_ARGS__), false)

/* What the first bytes of a file say. */
typedef enum LoadKind { LOAD_ELF, LOAD_SCRIPT, LOAD_UNKNOWN } LoadKind;
typedef struct LoadHead {
    uint8_t bytes[256];
    size_t n;
    LoadKind kind;
    uint16_t machine; /* ELF */
    uint8_t elf_class, elf_data;
} LoadHead;
/* From head->bytes[0..n). */
void load_classify(LoadHead *head, size_t n);
bool load_read_head(int fd, LoadHead *ret);

/* The guest that runs such an ELF file, or NULL. */
const GuestAbi *load_find_abi(const LoadHead *head);
const GuestAbi *load_abi_by_name(const char *name);
bool load_is_host(const LoadHead *head);

/* A guest's ELF file: 0, or the error that execve gives for its headers or its interpreter. */
long load_check(const Process *p, int fd, const LoadHead *head);

/* The line behind "#!": the interpreter and its argument (NULL: none), NUL-terminated in
 * head->bytes. False: not a proper one. */
bool load_parse_script(LoadHead *head, char **ret_interpreter, char **ret_argument);

typedef struct ElfImage {
    GuestAddr base;        /* what was added to the addresses of the file */
    GuestAddr start, end;  /* what is mapped; end: behind the last byte, for brk */
    uint32_t flags; /* e_flags */
    GuestAddr entry, phdr;
    uint16_t phnum;
    bool stack_exec, has_stack_flags;
    char interp[4096];     /* empty: none */
} ElfImage;

/* Maps an ELF file. `name` is for messages. */
bool load_elf(Process *p, int fd, const char *name, bool is_interp, ElfImage *ret,
              struct _GError **error);

typedef struct LoadProgram {
    int fd;
    const char *path;         /* what AT_EXECFN says */
    char **argv, **envp;
} LoadProgram;

/* Maps the program, its interpreter and its stack. */
bool load_program(Process *p, const LoadProgram *program, struct _GError **error);
/* Sets the first thread's registers. */
void load_start(Process *p, Thread *t);

/* load/stack.c */
bool load_stack(Process *p, const LoadProgram *program, const ElfImage *image,
                struct _GError **error);

#endif
