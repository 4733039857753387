/*
 * The translator's public header: runs guest code. It knows guests' instructions, and neither a
 * system call nor a device; what it needs from outside comes through TranslatorCallbacks.
 *
 * Threads: one Translator a process, one Vcpu a thread. vcpu_run(), vcpu_cpu() and vcpu_fp_*()
 * belong to the vcpu's own thread; vcpu_kick() may be called by any thread and in signal handlers;
 * translator_invalidate() by any thread.
 *
 * Addresses: in user mode a guest address is a host address.
 */
#ifndef TRANSLATOR_TRANSLATOR_H
#define TRANSLATOR_TRANSLATOR_H

#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint64_t GuestAddr;
typedef struct Translator Translator;
typedef struct Vcpu Vcpu;
struct _GError;

/* Why vcpu_run() returned. The guest's CPU structure is complete then, pc included. */
typedef enum VcpuExit {
    VCPU_EXIT_KICK,    /* vcpu_kick(): pc is the next instruction */
    VCPU_EXIT_SYSCALL, /* pc is behind the instruction */
    VCPU_EXIT_BREAK,   /* breakpoint instruction; pc at it; payload: its immediate */
    VCPU_EXIT_UNDEF,   /* undefined instruction; pc at it; payload: the instruction word */
    VCPU_EXIT_FETCH,   /* pc can't be fetched: exit_addr is the first byte that can't */
    VCPU_EXIT_PCALIGN, /* misaligned pc */
    VCPU_EXIT_FAULT,   /* access to memory; pc at it; exit_addr, exit_host_signal, exit_host_code */
    VCPU_EXIT_ALIGN,   /* access that must be aligned; exit_addr; pc at it */
    VCPU_EXIT_ICACHE,  /* the guest asks for code to be invalidated; pc is behind the instruction.
                          payload: an address, for its aligned block of 64 bytes; ~0: all code; 0:
                          none (only the translation mode may have changed). The runtime does it by
                          itself and goes on, so callers never see it */
    VCPU_EXIT_STEP,    /* one instruction done (vcpu_set_step) */
    VCPU_EXIT_GUEST,   /* guest-specific; payload tells */
    VCPU_EXIT_GUESS,   /* a region assumed at pc what isn't so: one instruction is executed without
                          it, and after some times the region made without the guess
                          (IR_UNIT_NO_GUESS). payload: where the region begins. Callers never see
                          it */
    VCPU_EXIT_GUESS_BOXED, /* likewise: that registers hold singles (IR_UNIT_NO_BOXES) */
    VCPU_EXIT_WATCH,   /* a watchpoint (vcpu_set_watches): pc is at the instruction, which hasn't
                          been executed; payload: the address that it would access, or the pc */
    VCPU_N_EXITS
} VcpuExit;

typedef struct VcpuExitInfo {
    GuestAddr addr;
    uint64_t payload;
    int host_signal, host_code; /* FAULT: the host's signal number and si_code */
} VcpuExitInfo;

/* Code that another thread's turn on the processor aborts (Linux's restartable sequences): if the
 * thread was preempted, stores in [start, end) aren't made, and control goes to `abort`. */
typedef struct TranslatorCritical {
    GuestAddr start, end, abort;
    GuestAddr key; /* of its descriptor */
} TranslatorCritical;

/* What the outside gives. `opaque` is TranslatorConfig.opaque. */
typedef struct TranslatorCallbacks {
    /* How many bytes of code can be fetched at pc (0: none), asked for at most want. Reading them
     * at *ret_host may fault all the same (vcpu_host_signal()). */
    size_t (*fetch)(void *opaque, GuestAddr pc, size_t want, const uint8_t **ret_host);
    /* A call-out of guest code: translator_set_callouts(). Called in translated code: it neither
     * runs guest code nor touches the vcpu or guest memory. NULL: there are none. */
    uint64_t (*callout)(void *opaque, Vcpu *v, unsigned number, uint64_t arg);
    /* VCPU_EXIT_SYSCALL, from the middle of translated code: true if the call is done and guest
     * code goes on, false to have vcpu_run() return. Integer code only: the host's floating point
     * is set up for the guest. Everything else is as if vcpu_run() had returned; who wants it to
     * return after the call kicks the vcpu. May be NULL. */
    bool (*syscall)(void *opaque, Vcpu *v);
    /* Is there a descriptor of critical code at the address, which code stores somewhere? 1: yes;
     * 0: no; -1: it can't be told yet. NULL: there is no such thing. */
    int (*critical)(void *opaque, GuestAddr at, TranslatorCritical *ret);
    /* A store of critical code, 1 to 8 bytes: 1, it was to be aborted; 0: done. Called in
     * translated code; may fault. */
    uint32_t (*critical_store)(void *opaque, GuestAddr addr, uint64_t value, uint32_t bytes,
                               GuestAddr key);
    /* The path of the file that is mapped at pc, for people to see; may be NULL. */
    void (*file_path)(void *opaque, GuestAddr pc, char *ret, size_t size);
    /* Other addresses of the memory at addr, at most max, or NULL: see translator_set_aliased(). */
    size_t (*aliases)(void *opaque, GuestAddr addr, GuestAddr *ret, size_t max);
    /* A symbol name for logs and the perf map, or NULL; the caller frees it with g_free. */
    char *(*symbol)(void *opaque, GuestAddr pc);
} TranslatorCallbacks;

/* How code is translated. */
typedef enum TranslatorTier {
    TIER_AUTO,     /* at first quickly, and again with care when it is hot */
    TIER_BASELINE, /* only quickly */
    TIER_OPTIMIZE, /* with care at first sight (tests) */
} TranslatorTier;

typedef struct TranslatorConfig {
    const char *guest;     /* "aarch64", "riscv64" */
    const char *cpu;       /* -cpu model, NULL = default ("max") */
    const char *backend;   /* "x86_64", "interp", NULL = best for this host */
    const char *host_cpu;  /* use no more of the host: "x86-64-v2", "x86-64-v3"; NULL: all of it */
    size_t code_bytes;     /* size of the code buffer; 0 = default */
    bool one_insn;         /* a unit for each guest instruction */
    TranslatorTier tier;
    bool stats;            /* measure translation time */
    uint32_t tier_threshold; /* a unit is hot after so many entries; 0: by what it executes */
    bool verify;           /* check each unit's IR before and after each pass */
    bool perf_map;         /* write /tmp/perf-PID.map */
    const TranslatorCallbacks *callbacks;
    void *opaque;
} TranslatorConfig;

Translator *translator_new(const TranslatorConfig *config, struct _GError **error);
void translator_free(Translator *t);
const char *const *translator_guests(void); /* NULL-terminated */
const char *const *translator_models(const char *guest); /* the -cpu models of one of them */
/* The -cpu model as the guest's cpu.h declares it (A64Model, RiscvModel …). */
const void *translator_cpu_model(const Translator *t);

/* A new vcpu; with `from`, its guest state is a copy (clone, fork). */
Vcpu *vcpu_new(Translator *t, const Vcpu *from);
void vcpu_free(Vcpu *v);
void *vcpu_cpu(Vcpu *v); /* the guest's CPU structure: translator/guest/<isa>/cpu.h */
GuestAddr vcpu_pc(const Vcpu *v);
void vcpu_set_pc(Vcpu *v, GuestAddr pc);
Vcpu *vcpu_current(void); /* of this thread, while in vcpu_run(); else NULL */

/* Runs guest code until there is something for the caller to do. */
VcpuExit vcpu_run(Vcpu *v, VcpuExitInfo *ret_info);
/* Makes vcpu_run() return VCPU_EXIT_KICK soon: at once if it is about to be entered. Kicks that
 * come before that return count as one. Async-signal-safe. */
void vcpu_kick(Vcpu *v);
/* For a vcpu whose thread is another process in this memory, which may be killed alone: *alive is 0
 * once it is gone, and then nothing waits for it. */
void vcpu_set_alive(Vcpu *v, const atomic_int *alive);
/* After each instruction, VCPU_EXIT_STEP. */
void vcpu_set_step(Vcpu *v, bool on);

/* What a debugger watches for: code that touches one of n ranges leaves with VCPU_EXIT_WATCH before
 * it does. All code runs slower meanwhile. By the vcpu's thread, outside vcpu_run(). */
enum { VCPU_WATCH_READ = 1, VCPU_WATCH_WRITE = 2, VCPU_WATCH_EXECUTE = 4, VCPU_WATCHES = 32 };
typedef struct VcpuWatch {
    GuestAddr start;
    uint32_t bytes; /* of code: those of its first instruction's start */
    uint32_t access;
} VcpuWatch;
void vcpu_set_watches(Vcpu *v, const VcpuWatch *watches, unsigned n);

/* Guest code in [start, start + bytes) may call out (a vDSO): there an instruction that is
 * undefined otherwise (guest/isa.h says which) hands its number and one register to the callback,
 * which gives that register's new value. Before any vcpu runs code from there. */
void translator_set_callouts(Translator *t, GuestAddr start, uint64_t bytes);

/* Called first by the host's handler of SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP for this thread.
 * True: the signal came from translated code (or a helper it called) and *ucontext was changed so
 * that vcpu_run() returns (FAULT, ALIGN) or goes on. False: it wasn't ours. */
bool vcpu_host_signal(Vcpu *v, int sig, const siginfo_t *info, void *ucontext);

/* Is pc in critical code that has been met? The caller is outside vcpu_run(). */
bool translator_critical_at(Translator *t, GuestAddr pc, TranslatorCritical *ret);

/* Code in [start, start + bytes) has changed or is gone. When it returns no thread enters the old
 * translation any more. Not in a signal handler, nor in a helper: the caller is outside vcpu_run().
 */
void translator_invalidate(Translator *t, GuestAddr start, uint64_t bytes);
/* From now on code may be changed through another mapping of its memory: what the guest has to
 * say about one address counts for its aliases, too. */
void translator_set_aliased(Translator *t);
/* Around fork(): takes every lock of the translator, and lets go in parent or child. In the child
 * only the calling thread's vcpu remains. */
void translator_fork_prepare(Translator *t);
void translator_fork_parent(Translator *t);
void translator_fork_child(Translator *t);

/* The guest's floating-point control and sticky flags as IR_FPX_* and IrRound live in the host
 * while guest code runs; these read and set them between runs (signal frames, ptrace, helpers).
 * The guest's own registers (FPCR/FPSR, fcsr) are read and written by the isa's functions in its
 * cpu.h, which call these. */
uint32_t vcpu_fp_flags(const Vcpu *v);
void vcpu_fp_set_flags(Vcpu *v, uint32_t flags);
void vcpu_fp_set_control(Vcpu *v, uint32_t control);
uint32_t vcpu_fp_control(const Vcpu *v);

/* -- the translation store: translations of files' code, kept on disk for later processes ------ */

enum { TRANSLATOR_STORE_LOWER_MAX = 4 };
typedef struct TranslatorStoreConfig {
    const char *dir;      /* its folder, NULL: none. Only this user or root may be able to write
                             it: it isn't used otherwise */
    bool writable;
    unsigned n_lower;     /* folders that are only read, looked into first */
    const char *lower[TRANSLATOR_STORE_LOWER_MAX];
    uint64_t limit_bytes; /* of all that is in `dir`; 0: no limit */
} TranslatorStoreConfig;
/* What tells a file from every other, and from itself when it is changed. */
typedef struct TranslatorFile {
    uint64_t dev, ino, size;
    int64_t mtime_ns, ctime_ns;
} TranslatorFile;

/* Before the first vcpu. False: this kind of translation isn't stored. The paths stay the
 * caller's. No descriptor is kept open: guests would notice. */
bool translator_set_store(Translator *t, const TranslatorStoreConfig *config);
/* [start, start + bytes) is code of the file from `offset` on, privately mapped and not writable.
 * It ends by translator_invalidate(), or when the guest may write there from now on. */
void translator_map_file(Translator *t, GuestAddr start, uint64_t bytes, uint64_t offset,
                         const TranslatorFile *file);
void translator_unmap_file(Translator *t, GuestAddr start, uint64_t bytes);
/* Translates what direct branches reach in [start, end) from these addresses, without running it.
 * How many units there are. The caller is outside vcpu_run(). */
uint64_t translator_warm(Translator *t, Vcpu *v, GuestAddr start, GuestAddr end,
                         const GuestAddr *from, size_t n);
/* Puts new translations into the store if some of [start, start + bytes) are among them: at the end
 * of the process, before exec, before a file's mapping goes. The caller is outside vcpu_run() and v
 * is its vcpu. */
void translator_save(Translator *t, Vcpu *v, GuestAddr start, uint64_t bytes);
/* All of them, at the very end of the process: no vcpu may run translated code any more, and
 * none does, because memory of other translations is given back before. */
void translator_save_last(Translator *t, Vcpu *v);

typedef struct TranslatorStats {
    uint64_t units, guest_insns, host_bytes, invalidated, flushes;
    uint64_t stored; /* units of the store that were met */
    uint64_t regions, region_insns, region_bytes; /* not among those above */
    uint64_t regions_refused, regions_rebuilt;
    uint64_t baseline_ns, region_ns; /* of CPU time; baseline_ns only with TranslatorConfig.stats */
} TranslatorStats;
void translator_stats(Translator *t, TranslatorStats *ret_stats);
/* To the log, as lines "calque: …"; without GLib, at a process's end. */
void translator_stats_print(Translator *t);

/* Logging (-d): classes as bits, one line or block a call; thread-safe; never allocates when the
 * class is off. */
typedef enum LogClass {
    LOG_GUEST = 1 << 0, LOG_UNIMP = 1 << 1, LOG_DECODE = 1 << 2 /* in_asm */,
    LOG_IR = 1 << 3 /* op */, LOG_OPT = 1 << 4, LOG_RA = 1 << 5, LOG_OUT = 1 << 6 /* out_asm */,
    LOG_CACHE = 1 << 7,
    LOG_SYSCALL = 1 << 8, LOG_SIGNAL = 1 << 9, LOG_MEM = 1 << 10, LOG_DEV = 1 << 11,
    LOG_EXEC = 1 << 12, LOG_CPU = 1 << 13, LOG_STRACE = 1 << 14,
    LOG_IR_OPT = 1 << 16, /* op_opt */
    /* Not classes, but asked for in the same way: */
    LOG_NOCHAIN = 1 << 15,  /* units aren't linked, so that exec and cpu show every one */
    LOG_VERIFY = 1 << 17,   /* as TranslatorConfig.verify */
    LOG_PERF_MAP = 1 << 18, /* as TranslatorConfig.perf_map */
} LogClass;
extern unsigned log_mask;
static inline bool log_on(unsigned classes) { return __builtin_expect(log_mask & classes, 0); }
void log_write(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_block(const char *text, size_t bytes); /* as one piece, however long */
void log_list_classes(void);                    /* `-d help`, on standard output */
bool log_parse_classes(const char *text, unsigned *ret_mask, struct _GError **error);
bool log_open(const char *path, struct _GError **error); /* default: standard error */
int log_descriptor(void);

#endif
