/* data plane */
/*
 * Between the guest's and the host's constants and structures, by the tables of syscall-tables/.
 * Where both are the same nothing is copied: the guest's pointer goes to the kernel.
 */
#ifndef LINUX_USER_SYSCALLS_CONVERT_H
#define LINUX_USER_SYSCALLS_CONVERT_H

#include <stdint.h>

#include "linux-user/process.h"
#include "syscall-tables/ids.h"
#include "syscall-tables/table.h"

/* Flags or a value of set TABLE_SET_…. Bits and values that the set doesn't name stay. */
uint64_t convert_set_to_host(const SyscallTable *table, unsigned set, uint64_t guest);
uint64_t convert_set_to_guest(const SyscallTable *table, unsigned set, uint64_t host);

/* A structure TABLE_STRUCT_…, both sides in the emulator's own memory. Bytes that no field of the
 * destination covers are zero. */
void convert_to_host(const SyscallTable *table, unsigned layout, void *host, const void *guest);
void convert_to_guest(const SyscallTable *table, unsigned layout, void *guest, const void *host);
/* The same with the guest's side in guest memory. False: EFAULT. */
bool convert_get(const SyscallTable *table, unsigned layout, void *host, GuestAddr guest);
bool convert_put(const SyscallTable *table, unsigned layout, GuestAddr guest, const void *host);

/* An integer of the guest's in `bytes` bytes of the emulator's memory. */
uint64_t convert_load(const SyscallTable *table, const void *at, unsigned bytes, bool is_signed);
void convert_store(const SyscallTable *table, void *at, unsigned bytes, uint64_t value);

/* Makes the host's call of c with every argument converted as its prototype says. */
long convert_call(Thread *t, const TableCall *c, const uint64_t *args);

/*
 * The path at `path` as the host shall see it: below -L's prefix if it is there, and the guest's
 * program for /proc/self/exe if follow. The result is in buf (PATH_MAX bytes), or the guest's own
 * pointer when nothing is to be changed (or it can't be read: then the kernel says so).
 */
const char *path_lookup(Thread *t, int dirfd, GuestAddr path, bool follow, char *buf);

#endif
