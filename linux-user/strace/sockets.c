/* data plane */
/* Addresses, messages and options of sockets. The kernel's sockaddr_* are the same in every ABI,
 * except that the family is in the guest's byte order. */
#include <string.h>
#include <sys/socket.h>

#include "linux-user/mem/map.h"
#include "linux-user/strace/print.h"
#include "linux-user/syscalls/convert.h"
#include "linux-user/syscalls/message.h"

static unsigned be16(const uint8_t *p) { return p[0] << 8 | p[1]; }

static void put_ipv4(StraceText *o, const uint8_t *p)
{
    for (unsigned i = 0; i < 4; i++) {
        if (i)
            text_char(o, '.');
        text_udec(o, p[i]);
    }
}

/* RFC 5952: the longest run of zero groups becomes ::, the first of equally long ones. */
static void put_ipv6(StraceText *o, const uint8_t *p)
{
    int best = -1, best_n = 1;

    for (int i = 0; i < 8; i++) {
        int n = 0;
        while (i + n < 8 && be16(p + 2 * (i + n)) == 0)
            n++;
        if (n > best_n) {
            best = i;
            best_n = n;
        }
    }
    for (int i = 0; i < 8; i++) {
        if (i == best) {
            text_put(o, "::");
            i += best_n - 1;
            continue;
        }
        if (i && i != best + best_n)
            text_char(o, ':');
        unsigned v = be16(p + 2 * i);
        for (int shift = 12, on = 0; shift >= 0; shift -= 4) {
            on |= v >> shift & 15;
            if (on || !shift)
                text_char(o, "0123456789abcdef"[v >> shift & 15]);
        }
    }
}

static void put_port(StraceText *o, const char *name, const uint8_t *p)
{
    text_put(o, name);
    text_put(o, "htons(");
    text_udec(o, be16(p));
    text_char(o, ')');
}

void print_sockaddr(StraceCall *c, GuestAddr a, uint64_t len)
{
    uint8_t raw[128] = { 0 };
    size_t n = len < sizeof raw ? len : sizeof raw;

    if (!a || n < 2 || !mem_read(raw, a, n)) {
        print_address(c, a);
        return;
    }
    unsigned family = convert_load(c->table, raw, 2, false);
    text_put(c->o, "{sa_family=");
    print_value(c, TABLE_VALUES, TABLE_SET_AF, family);
    if (family == AF_UNIX && n > 2) {
        text_put(c->o, ", sun_path=");
        if (raw[2] == 0) {
            text_char(c->o, '@');
            text_quote(c->o, raw + 3, n - 3, false);
        } else {
            text_quote(c->o, raw + 2, strnlen((char *)raw + 2, n - 2), false);
        }
    } else if (family == AF_INET && n >= 8) {
        put_port(c->o, ", sin_port=", raw + 2);
        text_put(c->o, ", sin_addr=inet_addr(\"");
        put_ipv4(c->o, raw + 4);
        text_put(c->o, "\")");
    } else if (family == AF_INET6 && n >= 24) {
        put_port(c->o, ", sin6_port=", raw + 2);
        text_put(c->o, ", sin6_flowinfo=htonl(");
        text_udec(c->o, (uint32_t)be16(raw + 4) << 16 | be16(raw + 6));
        text_put(c->o, "), inet_pton(AF_INET6, \"");
        put_ipv6(c->o, raw + 8);
        text_put(c->o, "\", &sin6_addr)");
        if (n >= 28) {
            text_put(c->o, ", sin6_scope_id=");
            text_udec(c->o, convert_load(c->table, raw + 24, 4, false));
        }
    } else if (family == AF_NETLINK && n >= 12) {
        text_put(c->o, ", nl_pid=");
        text_udec(c->o, convert_load(c->table, raw + 4, 4, false));
        text_put(c->o, ", nl_groups=");
        uint32_t groups = convert_load(c->table, raw + 8, 4, false);
        if (groups)
            text_hex(c->o, groups);
        else
            text_put(c->o, "00000000");
    } else if (n > 2) {
        text_put(c->o, ", sa_data=");
        text_quote(c->o, raw + 2, n - 2, false);
    }
    text_char(c->o, '}');
}

/* What an option or a control message holds: elements of its type, in brackets if they are
 * numbers or more than one structure. */
static void print_held(StraceCall *c, const TableSockopt *o, GuestAddr a, uint64_t n)
{
    unsigned bytes = sockopt_bytes(c->table, o, false);
    uint64_t v;

    if (o && o->kind == TABLE_SOCKADDR) {
        print_sockaddr(c, a, n);
    } else if (!o || bytes <= 1 || n < bytes) {
        print_bytes(c, a, n);
    } else if (o->kind == TABLE_STRUCT) {
        if (n >= 2 * bytes)
            text_char(c->o, '[');
        for (uint64_t at = 0; at + bytes <= n; at += bytes) {
            if (at)
                text_put(c->o, ", ");
            print_struct(c, o->ref, a + at);
        }
        if (n >= 2 * bytes)
            text_char(c->o, ']');
    } else {
        text_char(c->o, '[');
        for (uint64_t at = 0; at + bytes <= n; at += bytes) {
            if (at)
                text_put(c->o, ", ");
            if (!print_load(c, a + at, bytes, o->kind == TABLE_I32, &v))
                break;
            text_dec(c->o, v);
        }
        text_char(c->o, ']');
    }
}

/* Control messages: { size_t len; int level, type; data }, each rounded up to a word. */
static void print_control(StraceCall *c, GuestAddr a, uint64_t bytes)
{
    unsigned word = c->table->word_bytes, head = word + 8;
    uint64_t len, level, type;
    bool any = false;

    text_char(c->o, '[');
    while (bytes >= head && print_load(c, a, word, false, &len) && len >= head && len <= bytes &&
           print_load(c, a + word, 4, true, &level) &&
           print_load(c, a + word + 4, 4, true, &type)) {
        text_put(c->o, any ? ", {cmsg_len=" : "{cmsg_len=");
        any = true;
        text_udec(c->o, len);
        text_put(c->o, ", cmsg_level=");
        print_value(c, TABLE_VALUES, TABLE_SET_SOL, level);
        text_put(c->o, ", cmsg_type=");
        const TableSockopt *o = sockopt_find(true, level, type);
        if (o)
            text_put(c->o, table_strings + o->name);
        else
            text_hex(c->o, type);
        if (len > head) {
            text_put(c->o, ", cmsg_data=");
            print_held(c, o, a + head, len - head);
        }
        text_char(c->o, '}');
        uint64_t step = (len + word - 1) / word * word;
        if (step >= bytes)
            break;
        a += step;
        bytes -= step;
    }
    text_char(c->o, ']');
}

/* struct msghdr: { name, int namelen, iov, iovlen, control, controllen, int flags }, in words. */
void print_msghdr(StraceCall *c, GuestAddr a, uint64_t total)
{
    unsigned word = c->table->word_bytes;
    uint64_t name, namelen, iov, iovlen, control, controllen, flags;

    if (!a || !print_load(c, a, word, false, &name) ||
        !print_load(c, a + word, 4, false, &namelen) ||
        !print_load(c, a + 2 * word, word, false, &iov) ||
        !print_load(c, a + 3 * word, word, false, &iovlen) ||
        !print_load(c, a + 4 * word, word, false, &control) ||
        !print_load(c, a + 5 * word, word, false, &controllen) ||
        !print_load(c, a + 6 * word, 4, false, &flags)) {
        print_address(c, a);
        return;
    }
    text_put(c->o, "{msg_name=");
    print_sockaddr(c, name, namelen);
    text_put(c->o, ", msg_namelen=");
    text_udec(c->o, namelen);
    text_put(c->o, ", msg_iov=");
    print_iovec(c, iov, iovlen, total);
    text_put(c->o, ", msg_iovlen=");
    text_udec(c->o, iovlen);
    if (control && controllen) {
        text_put(c->o, ", msg_control=");
        print_control(c, control, controllen);
    }
    text_put(c->o, ", msg_controllen=");
    text_udec(c->o, controllen);
    text_put(c->o, ", msg_flags=");
    print_flags(c, TABLE_SET_MSG, flags);
    text_char(c->o, '}');
}

void print_mmsghdr(StraceCall *c, GuestAddr a, uint64_t n)
{
    unsigned word = c->table->word_bytes;
    uint64_t len;

    if (!a) {
        print_address(c, a);
        return;
    }
    text_char(c->o, '[');
    for (uint64_t i = 0; i < n; i++, a += 8 * word) {
        if (i)
            text_put(c->o, ", ");
        if (i == STRACE_ELEMENTS || !print_load(c, a + 7 * word, 4, false, &len)) {
            text_put(c->o, "...");
            break;
        }
        text_put(c->o, "{msg_hdr=");
        print_msghdr(c, a, c->leaving ? len : UINT64_MAX);
        text_put(c->o, ", msg_len=");
        text_udec(c->o, len);
        text_char(c->o, '}');
    }
    text_char(c->o, ']');
}

void print_sockopt(StraceCall *c, uint64_t level, uint64_t name)
{
    const TableSockopt *o = sockopt_find(false, (uint32_t)level, (uint32_t)name);

    if (o)
        text_put(c->o, table_strings + o->name);
    else
        text_hex(c->o, (uint32_t)name);
}

void print_optval(StraceCall *c, uint64_t level, uint64_t name, GuestAddr a, uint64_t len)
{
    const TableSockopt *o = sockopt_find(false, (uint32_t)level, (uint32_t)name);
    uint64_t v;

    if (!a || (uint32_t)len == 0)
        print_address(c, a);
    else if (o)
        print_held(c, o, a, (uint32_t)len);
    else if (len == 4 && print_load(c, a, 4, true, &v)) {
        text_char(c->o, '[');
        text_dec(c->o, v);
        text_char(c->o, ']');
    } else
        print_bytes(c, a, (uint32_t)len);
}

void print_ip(StraceCall *c, const uint8_t *p, unsigned n)
{
    text_put(c->o, n == 4 ? "inet_addr(\"" : "inet_pton(AF_INET6, \"");
    if (n == 4)
        put_ipv4(c->o, p);
    else
        put_ipv6(c->o, p);
    text_put(c->o, "\")");
}
