/* data plane */
/*
 * Restartable sequences (Documentation/userspace-api/rseq.rst). The guest's struct rseq is the
 * host's kernel's: it keeps the numbers of processor and node, and whenever the thread loses the
 * processor, gets a signal or is told to by membarrier, it sets rseq_cs to 0, as the host's
 * instruction pointer never lies in the guest's sequence. So the descriptor that the guest put
 * there tells by being gone that the sequence is to be aborted. The translator lets each store of
 * a sequence ask: it is made by a sequence of the host's of one instruction, entered by a
 * compare-and-exchange that puts the host's descriptor in the guest's place.
 */
#ifndef LINUX_USER_THREAD_RSEQ_H
#define LINUX_USER_THREAD_RSEQ_H

#include "linux-user/process.h"

/* A signal is about to be delivered: a thread in a sequence goes to where that is aborted. */
void rseq_signal(Thread *t);
/* The thread ends: its struct may be gone before it. */
void rseq_end(Thread *t);
/* The thread is about to unmap, replace or protect memory: true if its struct is in it and has been
 * taken from the kernel, which else kills a traced thread before the emulator has told its tracer
 * of the call. */
bool rseq_leave(Thread *t, GuestAddr start, uint64_t bytes);
/* Behind the call: the kernel gets it again, or the thread a signal. */
void rseq_left(Thread *t);
/* The translator's callbacks. */
int rseq_descriptor(void *opaque, GuestAddr at, TranslatorCritical *ret);
uint32_t rseq_store(void *opaque, GuestAddr addr, uint64_t value, uint32_t bytes, GuestAddr key);

#endif
