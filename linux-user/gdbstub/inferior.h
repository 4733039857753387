/*
 * The guest that the stub debugs: its threads, all stopped or all running, its memory, registers
 * and breakpoints. Requests go through sys_ptrace() and sys_wait4(), which know the guest's stops;
 * pointers of the stub's own are as good there as a guest's.
 */
#ifndef LINUX_USER_GDBSTUB_INFERIOR_H
#define LINUX_USER_GDBSTUB_INFERIOR_H

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#include "linux-user/arch/debug.h"
#include "linux-user/gdbstub/target.h"
#include "linux-user/process.h"

enum { INFERIOR_THREADS = 4096, INFERIOR_BREAKPOINTS = 1024 };

typedef struct InferiorThread {
    pid_t tid;
    bool stopped;
    int status;          /* a wait status that the debugger is to hear of, or 0 */
    bool at_breakpoint;  /* status is for one of the debugger's */
    char at_watch;       /* likewise: '1' to '4', as packet Z numbers them, or 0 */
    GuestAddr watch_at;  /* what it would access */
    char action;         /* 'c', 's', or 0: stays */
    int sig;             /* to go on with */
} InferiorThread;

typedef struct InferiorBreakpoint {
    GuestAddr at;
    uint8_t old[4];
} InferiorBreakpoint;

typedef struct Inferior {
    Thread *t;           /* the stub's own, for the calls */
    pid_t pid;
    const TargetArch *arch;
    InferiorThread threads[INFERIOR_THREADS];
    size_t n_threads;
    InferiorBreakpoint breakpoints[INFERIOR_BREAKPOINTS];
    size_t n_breakpoints;
    DebugState debug[2]; /* breakpoints and watchpoints of the hardware, in every thread */
    bool vfork_child;    /* the next process that is new shares its parent's memory */
    int end;             /* the wait status of the process, once it has ended */
    bool ended;
} Inferior;

/* Begins to trace pid, which isn't at its program yet; then waits for its first instruction. False:
 * that can't be, or it ended before. */
bool inferior_begin(Inferior *f, Process *p, pid_t pid);
bool inferior_wait_start(Inferior *f);
InferiorThread *inferior_thread(Inferior *f, pid_t tid);
/* Lets every thread go on that has an action. */
void inferior_resume(Inferior *f);
/* Takes stops and ends that have come. True: there is something to tell; *ret_thread, or with
 * NULL there the process has ended. */
bool inferior_poll(Inferior *f, InferiorThread **ret_thread);
/* Stops every thread that runs. */
void inferior_stop_all(Inferior *f);
bool inferior_read(Inferior *f, GuestAddr at, void *to, size_t n);
bool inferior_write(Inferior *f, GuestAddr at, const void *from, size_t n);
bool inferior_get_registers(Inferior *f, pid_t tid, TargetSets *ret);
bool inferior_set_registers(Inferior *f, pid_t tid, const TargetSets *s);
bool inferior_get_siginfo(Inferior *f, pid_t tid, siginfo_t *ret);
bool inferior_break(Inferior *f, GuestAddr at);
bool inferior_unbreak(Inferior *f, GuestAddr at);
/* Packets Z1 to Z4 and z1 to z4: in the hardware; of n bytes. */
bool inferior_watch(Inferior *f, char kind, GuestAddr at, uint64_t n);
bool inferior_unwatch(Inferior *f, char kind, GuestAddr at, uint64_t n);
void inferior_detach(Inferior *f);
void inferior_kill(Inferior *f);

#endif
