/* data plane */
/*
 * Text into a buffer of fixed size, without stdio: what doesn't fit is left out.
 */
#ifndef LINUX_USER_ARCH_TEXT_H
#define LINUX_USER_ARCH_TEXT_H

#include <stddef.h>
#include <stdint.h>

typedef struct Text {
    char *at, *end;
} Text;

static inline void text_add(Text *t, const char *s)
{
    while (*s && t->at < t->end)
        *t->at++ = *s++;
}

/* At least `digits` digits. */
static inline void text_add_number(Text *t, uint64_t value, unsigned base, unsigned digits)
{
    char buf[72], *p = buf + sizeof buf;
    unsigned n = 0;
    *--p = 0;
    do {
        *--p = "0123456789abcdef"[value % base];
        value /= base;
    } while ((++n < digits || value) && n < 64);
    text_add(t, p);
}

#endif
