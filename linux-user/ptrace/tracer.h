/* data plane */
/*
 * The tracer's side: whom the threads of this process trace, and in which stop they are.
 */
#ifndef LINUX_USER_PTRACE_TRACER_H
#define LINUX_USER_PTRACE_TRACER_H

#include <pthread.h>
#include <stdbool.h>

#include "linux-user/ptrace/ptrace.h"

/* Which stop the guest's tracer has been told of. */
typedef enum TraceeState {
    TRACEE_RUNNING,
    TRACEE_REPORT, /* at a stop of its own (TraceBlock.stop) */
    TRACEE_HOST,   /* at a stop of the kernel's: events, group stops; its block is good */
    TRACEE_NATIVE, /* a program of the host's: everything is the kernel's */
} TraceeState;

typedef struct Tracee {
    pid_t tid;
    pid_t tracer;         /* which of our threads */
    GuestAddr block;      /* 0: hasn't told yet */
    uint32_t options;     /* the guest's PTRACE_O_* */
    TraceeState state;
    bool seized, native;
    bool host_options_set;
    bool fresh;           /* an emulator just executed that hasn't stopped by itself yet */
    bool listen;          /* PTRACE_LISTEN is due at the group stop that it is about to enter */
    bool unsafe;          /* TRACEE_HOST, but its block isn't good */
    bool hidden;          /* a thread of the emulator's own, not the guest's */
    uint8_t roll;         /* a TraceRequest that a SIGTRAP on its way will become */
    uint8_t roll_sig;
    uint32_t mode;        /* TraceMode that it was let go with */
    uint64_t message;     /* PTRACE_GETEVENTMSG of TRACE_STOP_EXEC */
    uint64_t changes_seen;
    struct Tracee *next;
} Tracee;

enum { TRACER_CHANGES = 64 };

/* One a process, made when it is first needed. */
typedef struct Tracer {
    pthread_mutex_t lock;       /* of all of it */
    Tracee *tracees;
    /* What the guest has written into others: each tracee hears of it before it goes on. */
    TraceChange changes[TRACER_CHANGES];
    uint64_t n_changes;         /* ever; the last of them are in changes[] */
} Tracer;

#define BLOCK_AT(r, field) ((r)->block + offsetof(TraceBlock, field))
#define BLOCK_PUT(r, field, value)                                                                 \
    ({                                                                                             \
        __typeof__(((TraceBlock *)0)->field) block_v = (value);                                    \
        tracer_write((r)->tid, BLOCK_AT(r, field), &block_v, sizeof block_v);                      \
    })

Tracer *tracer_get(Process *p);
/* Under lock. */
Tracee *tracer_find(Tracer *tr, pid_t tid);
Tracee *tracer_add(Tracer *tr, pid_t tid);
void tracer_remove(Tracer *tr, pid_t tid);

/* A host stop of r with this wait status: true, and *ret_status is what the guest sees, or false
 * and it has been let go. */
bool tracer_classify(Thread *t, Tracer *tr, Tracee *r, int status, int *ret_status);

long tracer_host(int op, pid_t tid, uint64_t addr, uint64_t data);
bool tracer_read(pid_t tid, GuestAddr at, void *to, size_t n);
bool tracer_write(pid_t tid, GuestAddr at, const void *from, size_t n);
/* Asks a tracee that runs, or is at a stop that no signal can be given at, by way of a SIGTRAP. */
void tracer_roll(Tracee *r, TraceRequest request, int sig);
bool tracer_serve_others(Thread *t, Tracer *tr, pid_t but);
bool tracer_is_native(pid_t tid);
/* Into the block of a tracee that is about to go on: its mode, what has been written, the signal to
 * deliver, and TraceBlock.resumed. */
bool tracer_give_orders(Tracer *tr, Tracee *r, int sig, int resumed);
/* With the options that the emulator itself needs. */
long tracer_set_host_options(Tracee *r);

#endif
