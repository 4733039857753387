/* class: int; SHA-256 in plain C; args: 60 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <math.h>
static uint32_t K[64], H0[8];
static uint32_t ror(uint32_t x, int n) { return x >> n | x << (32 - n); }
static void init(void) {
    int n = 0;
    for (int p = 2; n < 64; p++) {
        int prime = 1; for (int d = 2; d * d <= p; d++) if (p % d == 0) prime = 0;
        if (!prime) continue;
        double f = cbrt(p); K[n] = (uint32_t)((f - floor(f)) * 4294967296.0);
        if (n < 8) { f = sqrt(p); H0[n] = (uint32_t)((f - floor(f)) * 4294967296.0); }
        n++;
    }
}
static void block(uint32_t *h, const unsigned char *p) {
    uint32_t w[64], a = h[0], b = h[1], c = h[2], d = h[3], e = h[4], f = h[5], g = h[6], k = h[7];
    for (int i = 0; i < 16; i++) w[i] = (uint32_t)p[4*i] << 24 | p[4*i+1] << 16 | p[4*i+2] << 8 | p[4*i+3];
    for (int i = 16; i < 64; i++) {
        uint32_t s0 = ror(w[i-15], 7) ^ ror(w[i-15], 18) ^ w[i-15] >> 3, s1 = ror(w[i-2], 17) ^ ror(w[i-2], 19) ^ w[i-2] >> 10;
        w[i] = w[i-16] + s0 + w[i-7] + s1;
    }
    for (int i = 0; i < 64; i++) {
        uint32_t t1 = k + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) + ((e & f) ^ (~e & g)) + K[i] + w[i];
        uint32_t t2 = (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
        k = g; g = f; f = e; e = d + t1; d = c; c = b; b = a; a = t1 + t2;
    }
    h[0] += a; h[1] += b; h[2] += c; h[3] += d; h[4] += e; h[5] += f; h[6] += g; h[7] += k;
}
int main(int c, char **v) {
    static unsigned char buf[1 << 20]; uint32_t h[8]; init(); memcpy(h, H0, sizeof h);
    for (size_t i = 0; i < sizeof buf; i++) buf[i] = i * 31;
    for (int r = atoi(v[1]); r--;) for (size_t i = 0; i < sizeof buf; i += 64) block(h, buf + i);
    for (int i = 0; i < 8; i++) printf("%08x", h[i]); puts(""); return 0;
}
