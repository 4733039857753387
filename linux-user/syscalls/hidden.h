/* data plane */
/*
 * Descriptors that belong to the emulator (the log). They stand high, where a guest's own never
 * come by counting up, and calls that would close them, replace them or use them say EBADF.
 */
#ifndef LINUX_USER_SYSCALLS_HIDDEN_H
#define LINUX_USER_SYSCALLS_HIDDEN_H

#include <stdbool.h>

#include "linux-user/process.h"

/* Hides fd; at most eight. */
void hidden_fd_note(Process *p, int fd);
bool hidden_fd_has(const Process *p, int fd);
/* The lowest hidden descriptor >= fd, or -1. */
int hidden_fd_next(const Process *p, unsigned fd);

#endif
