/*
 * -g: the guest under a debugger that talks GDB's remote serial protocol from outside.
 *
 * The process that the user started becomes the stub: a child runs the guest, and the stub traces it
 * as a guest's debugger would (ptrace/). It ends as the guest ends.
 */
#ifndef LINUX_USER_GDBSTUB_GDBSTUB_H
#define LINUX_USER_GDBSTUB_GDBSTUB_H

#include "linux-user/process.h"

/* `where`: a TCP port on this machine, or the path of a socket. Returns in the child, which is to
 * start the program at once (by execve of the emulator without -g); in the stub only to fail. False:
 * the message is printed. */
bool gdbstub_start(Process *p, const char *where);

#endif
