/*
 * Logging: each call is one write(2) of a whole line or block to a descriptor opened for appending,
 * so lines of threads and of forked children never mix and no lock has to survive a fork.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "translator/translator.h"

enum {
    LINE_BYTES = 4096,
    LOG_FD_MIN = 1000, /* out of the way of the guest's own descriptors */
};

/* Set once at start, before the guest runs; the header says why log_mask is global. */
unsigned log_mask;
static int log_fd = STDERR_FILENO;

typedef struct LogName {
    const char *name;
    unsigned mask;
    const char *help;
} LogName;

static const LogName log_names[] = {
    { "in_asm", LOG_DECODE, "guest code of each unit that is translated" },
    { "op", LOG_IR, "its IR as the lifter made it" },
    { "op_opt", LOG_IR_OPT, "its IR after all passes" },
    { "opt", LOG_OPT, "its IR after each pass" },
    { "out_asm", LOG_OUT, "its host code" },
    { "ra", LOG_RA, "register allocation" },
    { "cache", LOG_CACHE, "code buffer, links, invalidation" },
    { "exec", LOG_EXEC, "a line before each unit that the dispatcher enters" },
    { "cpu", LOG_CPU, "the guest's registers there" },
    { "nochain", LOG_NOCHAIN, "units aren't linked, so that exec and cpu show every one" },
    { "verify", LOG_VERIFY, "(no output) each unit's IR is checked before and after each pass" },
    { "perfmap", LOG_PERF_MAP, "(no output) /tmp/perf-PID.map for perf" },
    { "int", LOG_SIGNAL, "signals, exceptions" },
    { "page", LOG_MEM, "the guest's mappings" },
    { "unimp", LOG_UNIMP, "what the guest asks for and isn't there" },
    { "guest_errors", LOG_GUEST, "what the guest does wrong" },
    { "strace", LOG_STRACE, "system calls" },
    { "dev", LOG_DEV, "devices" },
    /* Our own names of classes that have another one above. */
    { "guest", LOG_GUEST, NULL },
    { "decode", LOG_DECODE, NULL },
    { "ir", LOG_IR, NULL },
    { "syscall", LOG_SYSCALL, NULL },
    { "signal", LOG_SIGNAL, NULL },
    { "mem", LOG_MEM, NULL },
    { "all", ~0u & ~(LOG_NOCHAIN | LOG_VERIFY | LOG_PERF_MAP), NULL },
};

void log_block(const char *text, size_t bytes)
{
    int saved = errno;
    while (bytes) {
        ssize_t n = write(log_fd, text, bytes);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break;
        text += n;
        bytes -= (size_t)n;
    }
    errno = saved;
}

void log_write(const char *format, ...)
{
    char line[LINE_BYTES];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(line, sizeof line, format, args);
    va_end(args);
    if (n < 0)
        return;
    if ((size_t)n >= sizeof line) {
        memcpy(line + sizeof line - 5, "...\n", 4);
        n = sizeof line - 1;
    }
    log_block(line, (size_t)n);
}

void log_list_classes(void)
{
    printf("Classes of -d (several with commas):\n");
    for (size_t n = 0; n < G_N_ELEMENTS(log_names) && log_names[n].help; n++)
        printf("%-14s %s\n", log_names[n].name, log_names[n].help);
}

static const LogName *find_name(const char *name)
{
    for (size_t n = 0; n < G_N_ELEMENTS(log_names); n++)
        if (!strcmp(name, log_names[n].name))
            return &log_names[n];
    return NULL;
}

bool log_parse_classes(const char *text, unsigned *ret_mask, GError **error)
{
    unsigned mask = 0;
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);
    for (char **p = parts; *p; p++) {
        const LogName *l = find_name(*p);
        if (!l) {
            g_set_error(error, g_quark_from_static_string("log"), 0,
                        "-d: there is no class \"%s\" (-d help lists them)", *p);
            return false;
        }
        mask |= l->mask;
    }
    *ret_mask = mask;
    return true;
}

/* "%d" in the name becomes the process's number. */
static char *log_path(const char *path)
{
    const char *at = strstr(path, "%d");
    if (!at)
        return g_strdup(path);
    return g_strdup_printf("%.*s%d%s", (int)(at - path), path, (int)getpid(), at + 2);
}

int log_descriptor(void) { return log_fd; }

bool log_open(const char *path, GError **error)
{
    g_autofree char *name = log_path(path);
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0) {
        g_set_error(error, g_quark_from_static_string("log"), 0, "cannot open log file %s: %s",
                    name, g_strerror(errno));
        return false;
    }
    int high = fcntl(fd, F_DUPFD_CLOEXEC, LOG_FD_MIN);
    if (high >= 0) {
        close(fd);
        fd = high;
    }
    if (log_fd != STDERR_FILENO)
        close(log_fd);
    log_fd = fd;
    return true;
}
