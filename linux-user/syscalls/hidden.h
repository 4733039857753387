/* data plane */
/*
 * Descriptors that belong to the emulator: the guest's program, the log. They stand high, where a
 * guest's own never come by counting up, and every call that names them says EBADF.
 */
#ifndef LINUX_USER_SYSCALLS_HIDDEN_H
#define LINUX_USER_SYSCALLS_HIDDEN_H

#include <stdbool.h>

#include "linux-user/process.h"

/* Moves fd to a high number, close-on-exec, and hides it. The new number, or fd itself when it
 * can't be moved (then it is hidden all the same). */
int hidden_fd_add(Process *p, int fd);
bool hidden_fd_has(const Process *p, int fd);
/* The lowest hidden descriptor >= fd, or -1. */
int hidden_fd_next(const Process *p, unsigned fd);

#endif
