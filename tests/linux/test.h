/* What the programs here share: one line a result, errors by name. */
#ifndef TESTS_LINUX_TEST_H
#define TESTS_LINUX_TEST_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The call's text, its value and, if it is -1, errno. Descriptors and addresses are no results:
 * use OK() for calls that give one. */
#define SHOW(call)                                                                                 \
    ({                                                                                             \
        errno = 0;                                                                                 \
        long show_r = (long)(call);                                                                \
        if (show_r == -1 && errno)                                                                 \
            printf("%s: %s\n", #call, strerrorname_np(errno));                                     \
        else                                                                                       \
            printf("%s: %ld\n", #call, show_r);                                                    \
        show_r;                                                                                    \
    })
#define OK(call)                                                                                   \
    ({                                                                                             \
        errno = 0;                                                                                 \
        __auto_type ok_r = (call);                                                                 \
        printf("%s: %s\n", #call, (long)ok_r == -1 ? strerrorname_np(errno) : "ok");               \
        ok_r;                                                                                      \
    })

/* An address where nothing is; the compiler mustn't know it. */
static volatile unsigned long test_bad = 16;
#define BAD ((void *)test_bad)

#endif
