/* data plane */
#include "linux-user/core/core.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/procfs.h>
#include <sys/resource.h>
#include <time.h>

#include "linux-user/arch/regset.h"
#include "linux-user/arch/text.h"
#include "linux-user/core/memory.h"
#include "linux-user/core/pattern.h"
#include "linux-user/mem/map.h"
#include "linux-user/procfs/output.h"
#include "linux-user/ptrace/ptrace.h"
#include "linux-user/signal/host-syscall.h"
#include "linux-user/signal/host.h"
#include "linux-user/signal/signal.h"

enum { PARK_MS = 3000, MIN_NAME = 1, PR_STATUS_HEAD = 112, PR_INFO_BYTES = 136 };

/* struct elf_prstatus and elf_prpsinfo of the 64-bit machines (include/linux/elfcore.h). */
typedef struct StatusHead {
    int32_t signo, code, error;
    int16_t cursig, pad;
    uint64_t pending, held;
    int32_t pid, ppid, pgrp, sid;
    int64_t times[4][2];
} StatusHead;

typedef struct ProcessInfo {
    char state, sname, zombie, nice;
    uint64_t flag;
    uint32_t uid, gid;
    int32_t pid, ppid, pgrp, sid;
    char name[16], args[80];
} ProcessInfo;

_Static_assert(sizeof(StatusHead) == PR_STATUS_HEAD && sizeof(ProcessInfo) == PR_INFO_BYTES,
               "the kernel's layouts");

/* The file: written front to back, but for the memory, whose place is known before. */
typedef struct CoreFile {
    int fd;
    bool failed;
    uint64_t at, limit;
    size_t n;
    uint8_t buf[4096];
} CoreFile;

static bool dumps_core(int sig)
{
    switch (sig) {
    case SIGQUIT: case SIGILL: case SIGTRAP: case SIGABRT: case SIGBUS: case SIGFPE: case SIGSEGV:
    case SIGXCPU: case SIGXFSZ: case SIGSYS:
        return true;
    default:
        return false;
    }
}

static void flush(CoreFile *f)
{
    for (size_t done = 0; !f->failed && done < f->n;) {
        long r = f->at + f->n > f->limit ? -1
                                         : host_raw(SYS_pwrite64, f->fd, (uintptr_t)f->buf + done,
                                                    f->n - done, f->at + done);
        f->failed = r <= 0;
        done += r > 0 ? (size_t)r : 0;
    }
    f->at += f->n;
    f->n = 0;
}

static void put(CoreFile *f, const void *bytes, size_t n)
{
    for (const uint8_t *p = bytes; n;) {
        size_t part = sizeof f->buf - f->n;
        part = part < n ? part : n;
        memcpy(f->buf + f->n, p, part);
        f->n += part;
        p += part;
        n -= part;
        if (f->n == sizeof f->buf)
            flush(f);
    }
}

static void put_guest(CoreFile *f, GuestAddr at, size_t n)
{
    uint8_t part[256];
    for (size_t k; n; n -= k, at += k) {
        k = n < sizeof part ? n : sizeof part;
        if (!mem_read(part, at, k))
            memset(part, 0, k);
        put(f, part, k);
    }
}

static void pad4(CoreFile *f)
{
    static const uint8_t zero[4];
    put(f, zero, -(f->at + f->n) & 3);
}

/* ---- notes: counted first, then written ---- */

static void note_head(CoreFile *f, const char *name, uint32_t type, size_t bytes)
{
    uint32_t head[3] = {(uint32_t)strlen(name) + 1, (uint32_t)bytes, type};
    put(f, head, sizeof head);
    put(f, name, head[0]);
    pad4(f);
}

static const void *set_of(const TraceBlock *b, uint32_t type)
{
    for (uint32_t i = 0; i < b->n_sets; i++)
        if (b->sets[i].type == type)
            return b->data + b->sets[i].offset;
    return NULL;
}

static void put_status(CoreFile *f, const Thread *t, const siginfo_t *info)
{
    StatusHead h = {.signo = info->si_signo, .code = info->si_code, .error = info->si_errno,
                    .cursig = (int16_t)info->si_signo, .pid = t->tid,
                    .ppid = (int32_t)host_raw(SYS_getppid),
                    .pgrp = (int32_t)host_raw(SYS_getpgid, 0),
                    .sid = (int32_t)host_raw(SYS_getsid, 0), .held = t->trace->mask};
    const Regset *general = t->process->abi->regsets; /* NT_PRSTATUS comes first */
    const uint64_t fp_valid = 1;
    note_head(f, "CORE", NT_PRSTATUS, sizeof h + general->bytes + sizeof fp_valid);
    put(f, &h, sizeof h);
    put(f, set_of(t->trace, NT_PRSTATUS), general->bytes);
    put(f, &fp_valid, sizeof fp_valid);
}

static void put_sets(CoreFile *f, const Thread *t)
{
    for (const Regset *r = t->process->abi->regsets; r->type; r++) {
        const void *data = set_of(t->trace, r->type);
        if (r->type == NT_PRSTATUS || !r->in_core || !data)
            continue;
        note_head(f, r->type == NT_PRFPREG ? "CORE" : "LINUX", r->type, r->bytes);
        put(f, data, r->bytes);
        pad4(f);
    }
}

static void put_process_info(CoreFile *f, const Process *p)
{
    ProcessInfo i = {.sname = 'R', .pid = (int32_t)host_raw(SYS_getpid),
                     .uid = (uint32_t)host_raw(SYS_getuid), .gid = (uint32_t)host_raw(SYS_getgid),
                     .ppid = (int32_t)host_raw(SYS_getppid),
                     .pgrp = (int32_t)host_raw(SYS_getpgid, 0),
                     .sid = (int32_t)host_raw(SYS_getsid, 0)};
    host_raw(SYS_prctl, PR_GET_NAME, (uintptr_t)i.name);
    size_t n = p->arg_end - p->arg_start;
    n = n < sizeof i.args - 1 ? n : sizeof i.args - 1;
    if (!mem_read(i.args, p->arg_start, n))
        n = 0;
    for (size_t k = 0; k < n; k++)
        i.args[k] = i.args[k] ? i.args[k] : ' ';
    note_head(f, "CORE", NT_PRPSINFO, sizeof i);
    put(f, &i, sizeof i);
}

static void put_files(CoreFile *f, const CoreMemory *m)
{
    uint64_t head[2] = {0, MEM_PAGE}, names = 0;
    for (size_t i = 0; i < m->n; i++) {
        head[0] += m->ranges[i].name != NULL;
        names += m->ranges[i].name ? m->ranges[i].name_bytes + 1 : 0;
    }
    if (!head[0])
        return;
    note_head(f, "CORE", NT_FILE, sizeof head + head[0] * 24 + names);
    put(f, head, sizeof head);
    for (size_t i = 0; i < m->n; i++) {
        const CoreRange *r = &m->ranges[i];
        uint64_t row[3] = {r->start, r->end, r->file_offset / MEM_PAGE};
        if (r->name)
            put(f, row, sizeof row);
    }
    for (size_t i = 0; i < m->n; i++) {
        const CoreRange *r = &m->ranges[i];
        if (!r->name)
            continue;
        put(f, r->name, r->name_bytes);
        put(f, "", 1);
    }
    pad4(f);
}

static void put_notes(CoreFile *f, const Thread *t, const CoreMemory *m, const siginfo_t *info)
{
    const Process *p = t->process;
    put_status(f, t, info);
    put_process_info(f, p);
    note_head(f, "CORE", NT_SIGINFO, sizeof *info);
    put(f, info, sizeof *info);
    note_head(f, "CORE", NT_AUXV, p->auxv_bytes);
    put_guest(f, p->auxv_start, p->auxv_bytes);
    pad4(f);
    put_files(f, m);
    put_sets(f, t);
    for (const Thread *other = p->threads; other; other = other->next) {
        if (other == t || !other->trace || !other->parked)
            continue;
        put_status(f, other, info);
        put_sets(f, other);
    }
}

/* ---- the file ---- */

static void put_headers(CoreFile *f, const Process *p, const CoreMemory *m, uint64_t notes_at,
                        uint64_t notes_bytes, uint64_t memory_at)
{
    Elf64_Ehdr e = {.e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
                    .e_type = ET_CORE, .e_machine = p->abi->elf_machine, .e_version = EV_CURRENT,
                    .e_phoff = sizeof e, .e_ehsize = sizeof e, .e_phentsize = sizeof(Elf64_Phdr)};
    e.e_flags = p->elf_flags;
    /* More than 65,534 mappings: the rest isn't dumped. */
    e.e_phnum = (uint16_t)(m->n + 1);
    put(f, &e, sizeof e);
    Elf64_Phdr note = {.p_type = PT_NOTE, .p_offset = notes_at, .p_filesz = notes_bytes,
                       .p_align = 4};
    put(f, &note, sizeof note);
    for (size_t i = 0; i < m->n; i++) {
        const CoreRange *r = &m->ranges[i];
        Elf64_Phdr load = {.p_type = PT_LOAD, .p_flags = r->flags, .p_offset = memory_at,
                           .p_vaddr = r->start, .p_filesz = r->bytes,
                           .p_memsz = r->end - r->start, .p_align = MEM_PAGE};
        put(f, &load, sizeof load);
        memory_at += r->bytes;
    }
}

static bool write_core(const Thread *t, const siginfo_t *info, int fd, uint64_t limit)
{
    CoreMemory m;
    CoreFile f = {.fd = -1, .limit = UINT64_MAX};
    if (!core_memory_read(t->process, &m)) {
        core_memory_free(&m);
        return false;
    }
    if (m.n > 0xfffd)
        m.n = 0xfffd;
    uint64_t notes_at = sizeof(Elf64_Ehdr) + (m.n + 1) * sizeof(Elf64_Phdr);
    f.failed = true; /* only counts */
    f.at = notes_at;
    put_notes(&f, t, &m, info);
    uint64_t notes_bytes = f.at + f.n - notes_at;
    uint64_t at = (notes_at + notes_bytes + MEM_PAGE - 1) & ~(uint64_t)(MEM_PAGE - 1);
    f = (CoreFile){.fd = fd, .limit = limit};
    put_headers(&f, t->process, &m, notes_at, notes_bytes, at);
    put_notes(&f, t, &m, info);
    flush(&f);
    for (size_t i = 0; i < m.n && !f.failed; i++) {
        f.failed = !core_memory_write(&m.ranges[i], fd, at, limit);
        at += m.ranges[i].bytes;
    }
    /* Holes at the end too. */
    host_raw(SYS_ftruncate, fd, at < limit ? at : limit);
    core_memory_free(&m);
    return true;
}

static long open_core(const Thread *t, int sig)
{
    char path[PATH_MAX];
    if (!core_file_name(t, sig, path, sizeof path))
        return -1;
    host_raw(SYS_unlinkat, AT_FDCWD, (uintptr_t)path, 0);
    return host_raw(SYS_openat, AT_FDCWD, (uintptr_t)path,
                    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/* ---- the other threads ---- */

static void keep_registers(Thread *t)
{
    bool traced = trace_is_active(t);
    if (!t->trace)
        trace_begin(t);
    if (!t->trace)
        return;
    trace_gather(t);
    t->trace->active = traced;
}

_Noreturn void core_park(Thread *t)
{
    static const uint32_t forever = 0;
    keep_registers(t);
    __atomic_store_n(&t->parked, true, __ATOMIC_SEQ_CST);
    for (;;)
        host_raw(SYS_futex, (uintptr_t)&forever, FUTEX_WAIT_PRIVATE, 0, 0, 0, 0);
}

/* Asks those that haven't been asked: a new thread has no number until it has run. False: some
 * aren't there yet. */
static bool ask_others(Thread *t, pid_t pid)
{
    siginfo_t info = {.si_signo = SIGTRAP, .si_code = SI_QUEUE,
                      .si_errno = TRACE_MAGIC | TRACE_REQUEST_PARK << 8};
    bool all = true;
    pthread_mutex_lock(&t->process->threads_lock);
    for (Thread *other = t->process->threads; other; other = other->next) {
        pid_t tid = __atomic_load_n(&other->tid, __ATOMIC_RELAXED);
        if (other == t || __atomic_load_n(&other->parked, __ATOMIC_SEQ_CST))
            continue;
        all = false;
        if (!tid || other->asked_to_park)
            continue;
        other->asked_to_park = true;
        host_raw(SYS_rt_tgsigqueueinfo, pid, tid, SIGTRAP, (uintptr_t)&info);
    }
    pthread_mutex_unlock(&t->process->threads_lock);
    return all;
}

/* A thread that doesn't come to a safe point in time is left out. */
static void park_others(Thread *t)
{
    const struct timespec ms = {0, 1000000};
    pid_t pid = (pid_t)host_raw(SYS_getpid);
    for (int i = 0; i < PARK_MS && !ask_others(t, pid); i++)
        host_raw(SYS_nanosleep, (uintptr_t)&ms, 0);
}

/* ---- what a parent can see ---- */

/* Only the kernel's own dump sets WCOREDUMP. A zombie that ignores every signal but the one that
 * killed it tells a parent under this emulator instead: core_was_dumped(). */
static void leave_mark(int sig)
{
    HostSigaction ignore = {.handler = HOST_SIG_IGN};
    for (int i = 1; i <= SIGNAL_N; i++)
        if (i != sig)
            host_raw(SYS_rt_sigaction, i, (uintptr_t)&ignore, 0, 8);
}

bool core_was_dumped(pid_t pid, int sig)
{
    char path[40] = "/proc/";
    Text t = {path + strlen(path), path + sizeof path - 1};
    size_t n, bytes;
    if (!dumps_core(sig))
        return false;
    text_add_number(&t, (uint64_t)pid, 10, 1);
    text_add(&t, "/status");
    *t.at = 0;
    char *text = host_file_read(path, &n, &bytes);
    if (!text)
        return false;
    char *line = strstr(text, "\nSigIgn:\t");
    uint64_t ignored = 0;
    for (char *p = line ? line + 9 : NULL; p && *p != '\n'; p++)
        ignored = ignored << 4 | (uint64_t)(*p <= '9' ? *p - '0' : *p - 'a' + 10);
    host_file_free(text, bytes);
    return ignored == ~(SIGNAL_BIT(sig) | SIGNAL_UNBLOCKABLE);
}

void core_dump(Thread *t, const siginfo_t *info)
{
    Process *p = t->process;
    struct rlimit limit = {0};
    bool expected = false;
    if (!dumps_core(info->si_signo))
        return;
    bool dumpable = host_raw(SYS_prctl, PR_GET_DUMPABLE) == 1;
    host_raw(SYS_prlimit64, 0, RLIMIT_CORE, 0, (uintptr_t)&limit);
    if (dumpable && limit.rlim_cur) {
        if (!atomic_compare_exchange_strong(&p->dumping, &expected, true))
            core_park(t);
        keep_registers(t);
        park_others(t);
        long fd = t->trace ? open_core(t, info->si_signo) : -1;
        if (fd >= 0) {
            bool done = write_core(t, info, (int)fd, limit.rlim_cur);
            host_raw(SYS_close, fd);
            if (done)
                leave_mark(info->si_signo);
        }
    }
    /* The emulator's own core would say nothing, and might take the place of the guest's. */
    host_raw(SYS_prctl, PR_SET_DUMPABLE, 0);
}
