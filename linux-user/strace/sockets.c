/* data plane */
/* Addresses, messages and options of sockets. The kernel's sockaddr_* are the same in every ABI,
 * except that the family is in the guest's byte order. */
#include <string.h>
#include <sys/socket.h>

#include "linux-user/mem/map.h"
#include "linux-user/strace/print.h"
#include "linux-user/syscalls/convert.h"

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

/* Control messages: { size_t len; int level, type; data }, each rounded up to a word. */
static void print_control(StraceCall *c, GuestAddr a, uint64_t bytes)
{
    unsigned word = c->table->word_bytes, head = word + 8;
    uint64_t len, level, type, fd;
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
        if (level != SOL_SOCKET || !print_value_name(c, TABLE_SET_SCM, type))
            text_hex(c->o, type);
        if (level == SOL_SOCKET && type == SCM_RIGHTS) {
            text_put(c->o, ", cmsg_data=[");
            for (uint64_t at = head; at + 4 <= len; at += 4) {
                if (at != head)
                    text_put(c->o, ", ");
                if (print_load(c, a + at, 4, true, &fd))
                    text_dec(c->o, fd);
            }
            text_char(c->o, ']');
        } else if (len > head) {
            text_put(c->o, ", cmsg_data=");
            print_bytes(c, a + head, len - head);
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
    static const struct { uint16_t level, set; } sets[] = {
        { SOL_SOCKET, TABLE_SET_SO }, { 0, TABLE_SET_IP }, { 6, TABLE_SET_TCP },
        { 41, TABLE_SET_IPV6 },
    };

    for (unsigned i = 0; i < sizeof sets / sizeof *sets; i++)
        if (sets[i].level == (uint32_t)level && print_value_name(c, sets[i].set, (uint32_t)name))
            return;
    text_hex(c->o, (uint32_t)name);
}

void print_optval(StraceCall *c, uint64_t level, uint64_t name, GuestAddr a, uint64_t len)
{
    uint64_t v;
    bool numbers = len == 4 || len == 8;

    if (!a || (uint32_t)len == 0) {
        print_address(c, a);
        return;
    }
    if ((uint32_t)level == SOL_SOCKET && len == 2 * c->table->word_bytes &&
        ((uint32_t)name == SO_RCVTIMEO || (uint32_t)name == SO_SNDTIMEO)) {
        print_struct(c, TABLE_STRUCT_TIMEVAL, a);
        return;
    }
    if (!numbers || !print_load(c, a, 4, true, &v)) {
        print_bytes(c, a, (uint32_t)len);
        return;
    }
    text_char(c->o, '[');
    text_dec(c->o, v);
    if (len == 8 && print_load(c, a + 4, 4, true, &v)) {
        text_put(c->o, ", ");
        text_dec(c->o, v);
    }
    text_char(c->o, ']');
}
