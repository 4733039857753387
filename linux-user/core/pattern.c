/* data plane */
#include "linux-user/core/pattern.h"

#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>

#include "linux-user/arch/text.h"
#include "linux-user/signal/host-syscall.h"

static size_t read_line(const char *path, char *to, size_t size)
{
    long fd = host_raw(SYS_openat, AT_FDCWD, (uintptr_t)path, O_RDONLY | O_CLOEXEC, 0), n = 0;
    if (fd >= 0) {
        n = host_raw(SYS_read, fd, (uintptr_t)to, size - 1);
        host_raw(SYS_close, fd);
    }
    n = n < 0 ? 0 : n;
    to[n] = 0;
    to[strcspn(to, "\n")] = 0;
    return strlen(to);
}

/* Slashes would name folders. */
static void add_flat(Text *t, const char *s)
{
    char c[2] = {0};
    for (; *s; s++) {
        c[0] = *s == '/' ? '!' : *s;
        text_add(t, c);
    }
}

static void add_specifier(Text *t, const Thread *thread, char c, int sig, bool *ret_pid)
{
    struct utsname uts;
    struct rlimit limit;
    struct timespec now;
    char comm[16] = "";
    switch (c) {
    case '%': text_add(t, "%"); break;
    case 'p': case 'P':
        text_add_number(t, (uint64_t)host_raw(SYS_getpid), 10, 1);
        *ret_pid = true;
        break;
    case 'i': case 'I': text_add_number(t, (uint64_t)thread->tid, 10, 1); break;
    case 'u': text_add_number(t, (uint64_t)host_raw(SYS_getuid), 10, 1); break;
    case 'g': text_add_number(t, (uint64_t)host_raw(SYS_getgid), 10, 1); break;
    case 'd': text_add_number(t, (uint64_t)host_raw(SYS_prctl, PR_GET_DUMPABLE), 10, 1); break;
    case 's': text_add_number(t, (uint64_t)sig, 10, 1); break;
    case 't':
        host_raw(SYS_clock_gettime, CLOCK_REALTIME, (uintptr_t)&now);
        text_add_number(t, (uint64_t)now.tv_sec, 10, 1);
        break;
    case 'h':
        if (host_raw(SYS_uname, (uintptr_t)&uts) == 0)
            add_flat(t, uts.nodename);
        break;
    case 'e': case 'f':
        host_raw(SYS_prctl, PR_GET_NAME, (uintptr_t)comm);
        add_flat(t, comm);
        break;
    case 'E': add_flat(t, thread->process->exe_path); break;
    case 'c':
        host_raw(SYS_prlimit64, 0, RLIMIT_CORE, 0, (uintptr_t)&limit);
        text_add_number(t, limit.rlim_cur, 10, 1);
        break;
    default: break;
    }
}

bool core_file_name(const Thread *thread, int sig, char *to, size_t size)
{
    char pattern[256], uses_pid[8];
    bool has_pid = false;
    if (!read_line("/proc/sys/kernel/core_pattern", pattern, sizeof pattern))
        strcpy(pattern, "core");
    if (pattern[0] == '|' || pattern[0] == '@')
        strcpy(pattern, "core.%p");
    read_line("/proc/sys/kernel/core_uses_pid", uses_pid, sizeof uses_pid);
    Text t = {to, to + size - 1};
    for (const char *p = pattern; *p; p++) {
        const char plain[2] = {*p, 0};
        if (*p != '%')
            text_add(&t, plain);
        else if (p[1])
            add_specifier(&t, thread, *++p, sig, &has_pid);
    }
    if (!has_pid && uses_pid[0] == '1') {
        text_add(&t, ".");
        text_add_number(&t, (uint64_t)host_raw(SYS_getpid), 10, 1);
    }
    *t.at = 0;
    return t.at < to + size - 1;
}
