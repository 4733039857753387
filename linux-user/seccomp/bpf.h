/* data plane */
/*
 * Classic BPF as seccomp takes it (Linux, Documentation/networking/filter.rst and
 * userspace-api/seccomp_filter.rst): checked when it is installed, then interpreted.
 */
#ifndef LINUX_USER_SECCOMP_BPF_H
#define LINUX_USER_SECCOMP_BPF_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

/* What a program sees: struct seccomp_data as 32-bit words in memory's order. */
enum { BPF_DATA_WORDS = 16, BPF_DATA_NR = 0, BPF_DATA_ARCH = 1 };

/* The program can neither run out of its code, nor read what it hasn't written, nor loop. */
bool bpf_check(const struct sock_filter *code, unsigned n);
uint32_t bpf_run(const struct sock_filter *code, const uint32_t *data);
/* The result if the program looks at number and architecture only, whatever the rest is.
 * False: it looks at more. */
bool bpf_run_constant(const struct sock_filter *code, const uint32_t *data, uint32_t *ret);

#endif
