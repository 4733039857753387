/* data plane */
/*
 * The host's side of signals: raw rt_sigaction, rt_sigprocmask and the handler. The C library's are
 * not used, because they keep signals 32 and 33 for themselves.
 */
#ifndef LINUX_USER_SIGNAL_HOST_H
#define LINUX_USER_SIGNAL_HOST_H

#include "linux-user/signal/signal.h"

/* x86-64's struct sigaction as the kernel has it. */
typedef struct HostSigaction {
    uint64_t handler, flags, restorer, mask;
} HostSigaction;

enum { HOST_SIG_DFL = 0, HOST_SIG_IGN = 1 };

/* Makes the host's disposition of sig fit the guest's action (NULL: the default). */
long host_signal_set(int sig, const SignalAction *action);
/* SIG_IGN on the host even for the emulator's own; `back` undoes it. */
void host_signal_ignore(int sig, const SignalAction *back);
long host_signal_get(int sig, HostSigaction *ret);
long host_signal_mask(uint64_t mask, uint64_t *ret_old);

#endif
