#include "linux-user/gdbstub/packet.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool fill(PacketLine *line)
{
    ssize_t r;
    if (line->n_in == sizeof line->in)
        line->n_in = 0; /* no packet is that long */
    do
        r = read(line->fd, line->in + line->n_in, sizeof line->in - line->n_in);
    while (r < 0 && errno == EINTR);
    if (r <= 0)
        return false;
    line->n_in += (size_t)r;
    return true;
}

static void drop(PacketLine *line, size_t n)
{
    line->n_in -= n;
    memmove(line->in, line->in + n, line->n_in);
}

static void send_all(PacketLine *line, const char *p, size_t n)
{
    while (n) {
        ssize_t r = send(line->fd, p, n, MSG_NOSIGNAL);
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            return; /* the next read sees it */
        p += r;
        n -= (size_t)r;
    }
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 :
           c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* What stands before a packet: acknowledgements, and Ctrl-C. */
static void skip_between(PacketLine *line)
{
    size_t n = 0;
    for (; n < line->n_in && line->in[n] != '$'; n++)
        line->interrupted |= line->in[n] == 3;
    drop(line, n);
}

/* "}" and a byte stand for that byte xor 0x20. */
static bool take_packet(PacketLine *line)
{
    const char *end = memchr(line->in, '#', line->n_in);
    uint8_t sum = 0;
    size_t n = 0;
    for (const char *p = line->in + 1; p < end; p++) {
        sum += (uint8_t)*p;
        char c = *p;
        if (c == '}' && p + 1 < end) {
            sum += (uint8_t)*++p;
            c = *p ^ 0x20;
        }
        if (n < PACKET_BYTES)
            line->packet[n++] = c;
    }
    bool good = digit(end[1]) * 16 + digit(end[2]) == sum;
    line->packet[n] = 0;
    line->n_packet = n;
    drop(line, (size_t)(end + 3 - line->in));
    if (!line->no_acks)
        send_all(line, good ? "+" : "-", 1);
    return good || line->no_acks;
}

bool packet_read(PacketLine *line)
{
    for (;;) {
        skip_between(line);
        const char *end = memchr(line->in, '#', line->n_in);
        if (end && line->in + line->n_in - end >= 3) {
            if (take_packet(line))
                return true;
        } else if (!fill(line)) {
            return false;
        }
    }
}

bool packet_poll(PacketLine *line)
{
    struct pollfd p = {.fd = line->fd, .events = POLLIN};
    while (poll(&p, 1, 0) > 0) {
        if (!fill(line))
            return false;
        skip_between(line);
        if (line->n_in)
            break;
    }
    return true;
}

static const char digits[] = "0123456789abcdef";

void packet_begin(PacketLine *line)
{
    line->out[0] = '$';
    line->n_out = 1;
}

static void add(PacketLine *line, char c)
{
    if (line->n_out < sizeof line->out - 4)
        line->out[line->n_out++] = c;
}

void packet_text(PacketLine *line, const char *s)
{
    while (*s)
        add(line, *s++);
}

void packet_number(PacketLine *line, uint64_t v)
{
    int shift = 60;
    while (shift && !(v >> shift))
        shift -= 4;
    for (; shift >= 0; shift -= 4)
        add(line, digits[v >> shift & 15]);
}

void packet_hex(PacketLine *line, const void *bytes, size_t n)
{
    for (const uint8_t *p = bytes; n--; p++) {
        add(line, digits[*p >> 4]);
        add(line, digits[*p & 15]);
    }
}

void packet_escaped(PacketLine *line, const void *bytes, size_t n)
{
    for (const char *p = bytes; n--; p++) {
        bool special = *p == '$' || *p == '#' || *p == '}' || *p == '*';
        if (special)
            add(line, '}');
        add(line, special ? *p ^ 0x20 : *p);
    }
}

void packet_send(PacketLine *line)
{
    uint8_t sum = 0;
    for (size_t i = 1; i < line->n_out; i++)
        sum += (uint8_t)line->out[i];
    line->out[line->n_out++] = '#';
    line->out[line->n_out++] = digits[sum >> 4];
    line->out[line->n_out++] = digits[sum & 15];
    /* The line is a stream: nothing is lost, and acknowledgements needn't be waited for. */
    send_all(line, line->out, line->n_out);
}

void packet_answer(PacketLine *line, const char *s)
{
    packet_begin(line);
    packet_text(line, s);
    packet_send(line);
}

uint64_t packet_parse(const char **p)
{
    uint64_t v = 0;
    for (int d; (d = digit(**p)) >= 0; (*p)++)
        v = v << 4 | (unsigned)d;
    return v;
}

size_t packet_unhex(const char *s, void *to, size_t size)
{
    size_t n = 0;
    for (; n < size && digit(s[0]) >= 0 && digit(s[1]) >= 0; s += 2)
        ((uint8_t *)to)[n++] = (uint8_t)(digit(s[0]) << 4 | digit(s[1]));
    return n;
}
