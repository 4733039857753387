/* data plane */
/*
 * What a traced thread and its tracer's emulator have in common.
 *
 * The host's kernel carries ptrace between guests: the tracer's thread really traces the tracee's
 * thread, so waiting, zombies, new children and the death of either side are the kernel's. But a
 * stop of the host's comes anywhere in the emulator, where the guest's registers aren't complete,
 * and for signals that are the emulator's own. So the tracer (tracer.c) answers those stops itself,
 * hands the signals of the guest to the tracee, and the tracee (tracee.c) stops again at its next
 * safe point by a breakpoint instruction in host_trace_stop_asm(), with everything that a tracer
 * may ask for in its TraceBlock. Only these stops are what the guest's tracer sees.
 *
 * Rules
 *  1. A block is in the tracee's memory. While `safe` the tracee is stopped (or in a system call of
 *     the host that the kernel stops in), and what the block says is so; then the tracer reads and
 *     writes it with process_vm_readv and process_vm_writev.
 *  2. Both sides are the same binary at the same addresses: tracer.c takes other programs for
 *     native ones.
 *  3. A request to a running tracee is a SIGTRAP whose si_errno is TRACE_MAGIC, a TraceRequest and
 *     a signal number. The tracer makes it of the signal that the tracee was stopped for. A SIGSTOP
 *     with it is the tracee's own, and si_ptr its block.
 */
#ifndef LINUX_USER_PTRACE_BLOCK_H
#define LINUX_USER_PTRACE_BLOCK_H

#include <signal.h>
#include <stddef.h>
#include <stdint.h>

#include "linux-user/arch/debug.h"

enum { TRACE_MAGIC = 0x43610000 }; /* | TraceRequest << 8 | signal */

typedef enum TraceRequest {
    TRACE_REQUEST_HELLO = 1, /* you are traced; take your orders */
    TRACE_REQUEST_SIGNAL,    /* this signal came; the rest of the siginfo is the signal's */
    TRACE_REQUEST_STOP,      /* stop with PTRACE_EVENT_STOP */
    TRACE_REQUEST_GROUP,     /* you were in a stop of your thread group: be so at a safe point */
    TRACE_REQUEST_PARK,      /* from the thread's own process: it dumps core (core/core.h) */
} TraceRequest;

typedef enum TraceStop {
    TRACE_STOP_NONE,
    TRACE_STOP_HELLO,         /* the guest's tracer doesn't see it */
    TRACE_STOP_SIGNAL,        /* before a signal is delivered: sig, info */
    TRACE_STOP_SYSCALL_ENTRY,
    TRACE_STOP_SYSCALL_EXIT,
    TRACE_STOP_SECCOMP,
    TRACE_STOP_EXEC,          /* at a new program's first instruction */
    TRACE_STOP_INTERRUPT,     /* PTRACE_EVENT_STOP with SIGTRAP */
    TRACE_STOP_GROUP,         /* about to stop by SIGSTOP to itself; sig: the guest's */
    TRACE_STOP_IN_GROUP,      /* after TRACE_REQUEST_GROUP */
    TRACE_STOP_HOST,          /* in a call of the host that the kernel may stop in: clone, exit; and
                                 the end by `sig` */
} TraceStop;

typedef enum TraceMode {
    TRACE_MODE_CONT, TRACE_MODE_SYSCALL, TRACE_MODE_STEP, TRACE_MODE_SYSEMU,
    TRACE_MODE_SYSEMU_STEP,
} TraceMode;

enum { TRACE_SETS = 12, TRACE_DATA_BYTES = 2048, TRACE_CHANGES = 32 };

typedef struct TraceSet {
    uint32_t type, bytes, offset; /* NT_*; where in data[] */
    uint8_t writable, dirty, word;
} TraceSet;

/* struct ptrace_sud_config (include/uapi/linux/ptrace.h) */
typedef struct TraceDispatch {
    uint64_t mode, selector, offset, len;
} TraceDispatch;

typedef struct TraceChange {
    uint64_t start, bytes;
} TraceChange;

/* How a fresh emulator learns that it is traced: the tracer writes this as its AT_BASE, which a
 * static program doesn't have. */
#define TRACE_AUXV_MAGIC UINT64_C(0x43616c7100000000) /* | TraceMode << 8 | report */

typedef struct TraceBlock {
    /* The tracee's. */
    int32_t active;           /* traced: either side may clear it */
    int32_t safe;
    uint32_t stop;            /* TraceStop */
    int32_t sig;
    siginfo_t info;
    uint64_t pc, sp, mask;
    TraceDispatch dispatch;
    uint64_t nr, args[6];
    int64_t result;
    uint64_t message;         /* of TRACE_STOP_SECCOMP */
    uint32_t audit_arch;
    uint8_t can_step;
    uint8_t stepping_syscall;
    uint32_t n_sets;
    TraceSet sets[TRACE_SETS];
    /* The tracer's, written before it lets the tracee go on. */
    int32_t resumed;          /* 1: it did; 0: it went away; 2: it doesn't want to know of
                                 TRACE_STOP_SECCOMP; 3: PTRACE_LISTEN at TRACE_STOP_IN_GROUP */
    uint32_t mode;            /* TraceMode */
    int32_t deliver;          /* signal */
    uint8_t mask_dirty, dispatch_dirty;
    uint32_t n_changes;       /* code that was written; more than fit: all */
    TraceChange changes[TRACE_CHANGES];
    uint8_t data[TRACE_DATA_BYTES];
    /* The tracee's alone: breakpoints, watchpoints. */
    DebugState debug[2];
} TraceBlock;

/* What a tracer reads at each stop. */
#define TRACE_HEAD_BYTES offsetof(TraceBlock, changes)

enum { TRACE_STOP_RAX = 0x43615374 };
void host_trace_stop_asm(TraceBlock *b);
extern const char host_trace_stop_behind[];

#endif
