/* data plane */
/* How arguments print. */
#ifndef LINUX_USER_STRACE_PRINT_H
#define LINUX_USER_STRACE_PRINT_H

#include "linux-user/process.h"
#include "linux-user/strace/text.h"
#include "syscall-tables/table.h"

/* What numbers that a call may change were before it. */
typedef struct StraceOld {
    unsigned known; /* bit i: argument i */
    uint64_t value[6];
} StraceOld;

/* A call being printed. */
typedef struct StraceCall {
    StraceText *o;
    Thread *thread;
    const SyscallTable *table;
    const TableProto *proto; /* NULL in signals' lines */
    const uint64_t *args;
    long ret;
    bool leaving;            /* ret is known */
    const StraceOld *old;    /* when leaving, or NULL */
} StraceCall;

enum { STRACE_STRING = 32, STRACE_ELEMENTS = 32 };

/* A value of a kind (TableKind); ref: its set. */
void print_value(StraceCall *c, unsigned kind, unsigned ref, uint64_t v);
void print_argument(StraceCall *c, unsigned i);
void print_remember(StraceCall *c, StraceOld *old);
/* Parts that the files here share. */
void print_flags(StraceCall *c, unsigned set, uint64_t v);
bool print_value_name(StraceCall *c, unsigned set, uint64_t v); /* false: not in the set */
void print_address(StraceCall *c, uint64_t a);
void print_string(StraceCall *c, GuestAddr a);
void print_bytes(StraceCall *c, GuestAddr a, uint64_t n);
void print_struct(StraceCall *c, unsigned layout, GuestAddr a);
void print_struct_bytes(StraceCall *c, unsigned layout, const uint8_t *guest);
void print_iovec(StraceCall *c, GuestAddr a, uint64_t n, uint64_t total);
void print_sigset(StraceCall *c, GuestAddr a, uint64_t bytes);
void print_sigset_value(StraceCall *c, uint64_t set);
void print_siginfo(StraceCall *c, GuestAddr a);
void print_signal(StraceCall *c, int sig);
void print_si_code(StraceCall *c, int sig, int code);
/* Reads the guest's integer. */
bool print_load(StraceCall *c, GuestAddr a, unsigned bytes, bool is_signed, uint64_t *ret);

/* sockets.c */
void print_sockaddr(StraceCall *c, GuestAddr a, uint64_t len);
void print_msghdr(StraceCall *c, GuestAddr a, uint64_t total);
void print_mmsghdr(StraceCall *c, GuestAddr a, uint64_t n);
/* An address of 4 or 16 bytes. */
void print_ip(StraceCall *c, const uint8_t *p, unsigned n);
void print_sockopt(StraceCall *c, uint64_t level, uint64_t name);
void print_optval(StraceCall *c, uint64_t level, uint64_t name, GuestAddr a, uint64_t len);

/* ready.c: what poll and select found, behind their result */
void print_ready(StraceCall *c);
bool print_is_wait(const StraceCall *c);
void print_pollfds(StraceCall *c, GuestAddr a, uint64_t n);

/* special.c: kinds whose meaning another argument tells, and lists */
void print_ioctl(StraceCall *c, uint64_t nr);
void print_ioctl_argument(StraceCall *c, uint64_t nr, uint64_t arg);
void print_fcntl_argument(StraceCall *c, uint64_t cmd, uint64_t arg);
void print_futex_op(StraceCall *c, uint64_t op);
void print_futex_argument(StraceCall *c, uint64_t op, uint64_t arg);
void print_sigaction(StraceCall *c, GuestAddr a);
void print_sigarg(StraceCall *c, GuestAddr a);
void print_sigevent(StraceCall *c, GuestAddr a);
void print_strings(StraceCall *c, GuestAddr a, bool count_only);
void print_wstatus(StraceCall *c, GuestAddr a);
void print_dirents(StraceCall *c, GuestAddr a, uint64_t bytes);
void print_fdset(StraceCall *c, GuestAddr a, uint64_t n);
void print_cpuset(StraceCall *c, GuestAddr a, uint64_t bytes);

#endif
