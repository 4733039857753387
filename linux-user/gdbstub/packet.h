/*
 * Packets of GDB's remote serial protocol: $DATA#SUM, acknowledged until both agree not to.
 */
#ifndef LINUX_USER_GDBSTUB_PACKET_H
#define LINUX_USER_GDBSTUB_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PACKET_BYTES = 16 << 10 };

typedef struct PacketLine {
    int fd;
    bool no_acks;
    bool interrupted;            /* a Ctrl-C came */
    char in[PACKET_BYTES + 8];   /* the packet being read, and what has come behind it */
    size_t n_in;
    char packet[PACKET_BYTES + 1];
    size_t n_packet;
    char out[2 * PACKET_BYTES + 8];
    size_t n_out;
} PacketLine;

/* Waits for a packet: it is in line->packet, terminated by NUL. False: the other side is gone. */
bool packet_read(PacketLine *line);
/* Takes what has come, without waiting: line->interrupted, or false: the other side is gone. */
bool packet_poll(PacketLine *line);

/* An answer is put together piece by piece, and sent. */
void packet_begin(PacketLine *line);
void packet_text(PacketLine *line, const char *s);
void packet_number(PacketLine *line, uint64_t v); /* in hexadecimal digits */
void packet_hex(PacketLine *line, const void *bytes, size_t n);
void packet_escaped(PacketLine *line, const void *bytes, size_t n);
void packet_send(PacketLine *line);
void packet_answer(PacketLine *line, const char *s);

/* Hexadecimal digits at *p, which moves behind them. */
uint64_t packet_parse(const char **p);
size_t packet_unhex(const char *s, void *to, size_t size);

#endif
