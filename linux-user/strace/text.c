/* data plane */
#include "linux-user/strace/text.h"

void text_char(StraceText *o, char c)
{
    if (o->n < sizeof o->buf)
        o->buf[o->n++] = c;
}

void text_put(StraceText *o, const char *s)
{
    while (*s)
        text_char(o, *s++);
}

static void put_digits(StraceText *o, uint64_t v, unsigned base)
{
    char digits[24];
    unsigned n = 0;

    do {
        digits[n++] = "0123456789abcdef"[v % base];
        v /= base;
    } while (v);
    while (n)
        text_char(o, digits[--n]);
}

void text_udec(StraceText *o, uint64_t v) { put_digits(o, v, 10); }

void text_dec(StraceText *o, int64_t v)
{
    if (v < 0)
        text_char(o, '-');
    put_digits(o, v < 0 ? -(uint64_t)v : (uint64_t)v, 10);
}

void text_hex(StraceText *o, uint64_t v)
{
    if (v)
        text_put(o, "0x");
    put_digits(o, v, 16);
}

void text_octal(StraceText *o, uint64_t v)
{
    if (v)
        text_char(o, '0');
    put_digits(o, v, 8);
}

void text_quote(StraceText *o, const uint8_t *s, size_t n, bool more)
{
    static const char escapes[] = "abtnvfr"; /* 7 … 13; \a and \b print as octal */

    text_char(o, '"');
    for (size_t i = 0; i < n; i++) {
        uint8_t c = s[i];
        if (c >= 9 && c <= 13) {
            text_char(o, '\\');
            text_char(o, escapes[c - 7]);
        } else if (c == '"' || c == '\\') {
            text_char(o, '\\');
            text_char(o, c);
        } else if (c >= 32 && c < 127) {
            text_char(o, c);
        } else {
            /* As few digits as possible, unless the next character is one. */
            bool digit = i + 1 < n && s[i + 1] >= '0' && s[i + 1] <= '7';
            text_char(o, '\\');
            if (digit || c >= 64)
                text_char(o, '0' + (c >> 6));
            if (digit || c >= 8)
                text_char(o, '0' + (c >> 3 & 7));
            text_char(o, '0' + (c & 7));
        }
    }
    text_char(o, '"');
    if (more)
        text_put(o, "...");
}
