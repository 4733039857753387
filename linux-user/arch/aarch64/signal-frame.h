/* data plane */
#ifndef LINUX_USER_ARCH_AARCH64_SIGNAL_FRAME_H
#define LINUX_USER_ARCH_AARCH64_SIGNAL_FRAME_H

#include "linux-user/process.h"

bool aarch64_signal_frame(Thread *t, int sig, const siginfo_t *info, GuestAddr handler,
                          uint64_t sa_flags, GuestAddr restorer, GuestAddr sp, uint64_t old_mask);
bool aarch64_sigreturn(Thread *t, bool peek, uint64_t *ret_mask);

#endif
