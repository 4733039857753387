/* data plane */
/*
 * Core files of the guest: an ELF core of the guest's machine, with what the kernel puts into one
 * (fs/binfmt_elf.c): registers of all threads, siginfo, auxiliary vector, mapped files, memory.
 *
 * It stands where core_pattern says. A pattern that is a pipe to a program can't be honoured (the
 * kernel would hand it the emulator's core, as the kernel's own child): then it is core.PID in the
 * working directory, and as for files RLIMIT_CORE decides.
 */
#ifndef LINUX_USER_CORE_CORE_H
#define LINUX_USER_CORE_CORE_H

#include <signal.h>
#include <stdbool.h>

#include "linux-user/process.h"

/* The thread is about to die by info->si_signo. Dumps if that is a signal that does, and limits and
 * the process's dumpable state allow it; the host is kept from dumping the emulator. Called at a
 * safe point, without locks. */
void core_dump(Thread *t, const siginfo_t *info);
/* At a safe point of another thread, while one dumps: its registers are kept; never returns. */
_Noreturn void core_park(Thread *t);
/* pid has been killed, and is a zombie still: it left a core file by core_dump(). */
bool core_was_dumped(pid_t pid, int sig);

#endif
