/*
 * -g: the guest under a debugger that talks GDB's remote serial protocol from outside.
 *
 * The process that the user started becomes the stub: a child of it runs the guest, and the stub
 * traces that as a guest's debugger would (ptrace/). It ends as the guest ends.
 */
#ifndef LINUX_USER_GDBSTUB_GDBSTUB_H
#define LINUX_USER_GDBSTUB_GDBSTUB_H

#include <stdbool.h>

#include "linux-user/process.h"

/* `where`: a TCP port of this machine, or the path of a socket that is made. Returns in the child
 * alone: true, and it is to stop at its program's first instruction, as marked by
 * TRACE_AUXV_MAGIC. Without a debugger there is a message, and the process ends. */
bool gdbstub_start(Process *p, const char *where);

#endif
