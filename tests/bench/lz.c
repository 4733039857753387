/* class: int; an LZ77 compressor and decompressor; args: 14 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdint.h>
static unsigned char in[1 << 20], out[2 << 20], back[1 << 20]; static int head[65536];
static size_t pack(void) {
    size_t o = 0; memset(head, -1, sizeof head);
    for (size_t i = 0; i < sizeof in;) {
        size_t best = 0, at = 0;
        if (i + 4 < sizeof in) {
            uint32_t h = (in[i] * 2654435761u ^ in[i+1] * 40503u ^ in[i+2] * 2246822519u) >> 16; int p = head[h]; head[h] = i;
            if (p >= 0 && i - p < 65535) { size_t n = 0; while (n < 255 && i + n < sizeof in && in[p + n] == in[i + n]) n++; best = n; at = i - p; }
        }
        if (best >= 4) { out[o++] = 0xff; out[o++] = best; out[o++] = at; out[o++] = at >> 8; i += best; }
        else { if (in[i] == 0xff) { out[o++] = 0xff; out[o++] = 0; } else out[o++] = in[i]; i++; }
    }
    return o;
}
static size_t unpack(size_t n) {
    size_t o = 0;
    for (size_t i = 0; i < n;) if (out[i] != 0xff) back[o++] = out[i++]; else if (!out[i+1]) { back[o++] = 0xff; i += 2; }
        else { unsigned l = out[i+1], d = out[i+2] | out[i+3] << 8; for (unsigned k = 0; k < l; k++, o++) back[o] = back[o - d]; i += 4; }
    return o;
}
int main(int c, char **v) {
    unsigned s = 9; for (size_t i = 0; i < sizeof in; i++) { s = s * 1664525 + 1013904223; in[i] = "etaoin shrdlu"[(s >> 24) % 13 & (s >> 16 & 15)]; if ((s >> 20 & 7) == 0 && i > 300) { size_t n = s >> 10 & 63; for (size_t k = 0; k < n && i + 1 < sizeof in; k++, i++) in[i] = in[i - 257]; } }
    size_t n = 0, m = 0; for (int r = atoi(v[1]); r--;) { n = pack(); m = unpack(n); }
    printf("%zu %zu %d\n", n, m, memcmp(in, back, m)); return 0;
}
