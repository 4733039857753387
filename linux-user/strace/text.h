/* data plane */
/* A line being written: bounded, never allocating. Text that doesn't fit is cut. */
#ifndef LINUX_USER_STRACE_TEXT_H
#define LINUX_USER_STRACE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct StraceText {
    size_t n;
    char buf[8192];
} StraceText;

void text_char(StraceText *o, char c);
void text_put(StraceText *o, const char *s);
void text_dec(StraceText *o, int64_t v);
void text_udec(StraceText *o, uint64_t v);
void text_hex(StraceText *o, uint64_t v);   /* 0x1f; 0 is 0 */
void text_octal(StraceText *o, uint64_t v); /* 0644; 0 is 0 */
/* "text\n\0" in quotes, escaped as C does; more: … follows. */
void text_quote(StraceText *o, const uint8_t *s, size_t n, bool more);

#endif
