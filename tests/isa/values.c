/* Random values and fields of encodings for the instruction tests. */
#include <stdlib.h>
#include <string.h>

#include "tests/isa/profile.h"

static uint64_t random64(GRand *rand)
{
    return (uint64_t)g_rand_int(rand) << 32 | g_rand_int(rand);
}

uint64_t isa_random_int(GRand *rand)
{
    static const uint64_t edges[] = {
        0, 1, 2, 3, 7, 8, 31, 32, 33, 63, 64, 65, 127, 128, 255, 256, 0x7fff, 0x8000, 0xffff,
        0x7fffffff, 0x80000000, 0xffffffff, 0x100000000, 0x7fffffffffffffff, 0x8000000000000000,
        0xaaaaaaaaaaaaaaaa, 0x00ff00ff00ff00ff, 0x0101010101010101,
    };
    uint64_t x;
    switch (g_rand_int_range(rand, 0, 6)) {
    case 0:
        x = edges[g_rand_int_range(rand, 0, G_N_ELEMENTS(edges))];
        return g_rand_boolean(rand) ? x : ~x + 1;
    case 1:
        return (uint64_t)(int64_t)(int32_t)g_rand_int(rand);
    case 2:
        x = 1ull << g_rand_int_range(rand, 0, 64);
        return g_rand_boolean(rand) ? x : x - 1;
    case 3:
        return g_rand_int_range(rand, 0, 64);
    default:
        return random64(rand);
    }
}

/* Sign, exponent near the ends and the middle, fraction of few or many bits. */
static uint64_t random_float(GRand *rand, unsigned n_exponent, unsigned n_fraction)
{
    uint64_t top = (1ull << n_exponent) - 1, ones = (1ull << n_fraction) - 1;
    uint64_t exponent, fraction;
    switch (g_rand_int_range(rand, 0, 6)) {
    case 0:
        exponent = 0;
        break;
    case 1:
        exponent = top;
        break;
    case 2:
        exponent = (uint64_t)g_rand_int_range(rand, 0, 4) + (g_rand_boolean(rand) ? 1 : top - 5);
        break;
    case 3:
        exponent = random64(rand) & top;
        break;
    default: /* about 1 to 2^64: sums that cancel, conversions at the edge */
        exponent = top / 2 + (uint64_t)g_rand_int_range(rand, -4, 66);
        break;
    }
    switch (g_rand_int_range(rand, 0, 5)) {
    case 0:
        fraction = 0;
        break;
    case 1:
        fraction = ones;
        break;
    case 2:
        fraction = 1ull << g_rand_int_range(rand, 0, (int)n_fraction);
        break;
    case 3:
        fraction = ones << g_rand_int_range(rand, 0, (int)n_fraction) & ones;
        break;
    default:
        fraction = random64(rand) & ones;
        break;
    }
    return (uint64_t)g_rand_boolean(rand) << (n_exponent + n_fraction) |
           (exponent & top) << n_fraction | fraction;
}

uint64_t isa_random_double(GRand *rand) { return random_float(rand, 11, 52); }
uint32_t isa_random_single(GRand *rand) { return (uint32_t)random_float(rand, 8, 23); }
uint16_t isa_random_half(GRand *rand) { return (uint16_t)random_float(rand, 5, 10); }

/* The text after "name=" in the row's fields. */
static const char *find_field(const DecodeRow *row, const char *name)
{
    size_t n = strlen(name);
    for (const char *p = row->fields; p; p = strchr(p, ';') ? strchr(p, ';') + 2 : NULL)
        if (strncmp(p, name, n) == 0 && p[n] == '=')
            return p + n + 1;
    return NULL;
}

typedef struct Segment { unsigned lsb, length, sign; } Segment;

/* Segments of a field, most significant first; 0: a constant. */
static unsigned parse_field(const char *text, Segment segments[16], unsigned *ret_shl)
{
    unsigned n = 0;
    *ret_shl = 0;
    for (; text && *text && *text != ';' && n < 16;
         text += strcspn(text, " ;"), text += *text == ' ') {
        char *end;
        if (strncmp(text, "!shl=", 5) == 0) {
            *ret_shl = (unsigned)atoi(text + 5);
            continue;
        }
        if (!g_ascii_isdigit(*text))
            continue;
        unsigned lsb = (unsigned)strtoul(text, &end, 10);
        if (*end != ':')
            return 0;
        unsigned sign = end[1] == 's';
        segments[n++] = (Segment){ lsb, (unsigned)strtoul(end + 1 + sign, NULL, 10), sign };
    }
    return n;
}

bool isa_set_field(const DecodeRow *row, const char *name, int64_t value, uint64_t *insn)
{
    Segment segments[16];
    unsigned shl, n = parse_field(find_field(row, name), segments, &shl);
    uint64_t bits = (uint64_t)value >> shl;
    for (unsigned i = n; i-- > 0;) {
        uint64_t ones = (1ull << segments[i].length) - 1;
        *insn = (*insn & ~(ones << segments[i].lsb)) | (bits & ones) << segments[i].lsb;
        bits >>= segments[i].length;
    }
    return n != 0;
}

bool isa_get_field(const DecodeRow *row, const char *name, uint64_t insn, int64_t *ret_value)
{
    Segment segments[16];
    unsigned shl, n = parse_field(find_field(row, name), segments, &shl), length = 0;
    uint64_t value = 0;
    for (unsigned i = 0; i < n; i++) {
        value = value << segments[i].length |
                (insn >> segments[i].lsb & ((1ull << segments[i].length) - 1));
        length += segments[i].length;
    }
    if (n && segments[0].sign)
        value = (uint64_t)((int64_t)(value << (64 - length)) >> (64 - length));
    *ret_value = (int64_t)(value << shl);
    return n != 0;
}
