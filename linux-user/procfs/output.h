/* data plane */
/*
 * A file of /proc as we make it: text goes through a buffer into an anonymous file.
 */
#ifndef LINUX_USER_PROCFS_OUTPUT_H
#define LINUX_USER_PROCFS_OUTPUT_H

#include <stddef.h>
#include <stdint.h>

typedef struct ProcOutput {
    int fd;
    long error;    /* 0 or -errno of the first failure */
    size_t n;
    char buf[4096];
} ProcOutput;

void output_begin(ProcOutput *o, const char *name);
void output_bytes(ProcOutput *o, const void *bytes, size_t n);
void output_text(ProcOutput *o, const char *s);
void output_number(ProcOutput *o, uint64_t value, unsigned base, unsigned digits);
/* Guest memory; what can't be read ends the file. */
void output_guest(ProcOutput *o, uint64_t start, uint64_t end);
/* The descriptor at the file's beginning, with O_CLOEXEC as in flags; or -errno. */
long output_end(ProcOutput *o, int flags);

/* The whole of a file of the host's in a mapping of its own; NULL on failure. Terminated by NUL. */
char *host_file_read(const char *path, size_t *ret_n, size_t *ret_map_bytes);
void host_file_free(char *text, size_t map_bytes);

#endif
