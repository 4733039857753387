/* class: simd; blending of 8-bit pixels, vectorised by the compiler; flags: -O3; args: 20000 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
enum { N = 16384 };
static uint8_t a[N], b[N], d[N]; static int16_t acc[N];
int main(int c, char **v) {
    for (int i = 0; i < N; i++) a[i] = i * 7, b[i] = i * 13 + 5;
    for (int r = atoi(v[1]); r--;) { int al = r & 255; for (int i = 0; i < N; i++) d[i] = (a[i] * al + b[i] * (255 - al) + 128) >> 8; for (int i = 0; i < N; i++) { int t = d[i] - a[i]; acc[i] += t < 0 ? -t : t; } for (int i = 0; i < N; i++) a[i] = a[i] > d[i] ? a[i] : d[i]; }
    unsigned s = 0; for (int i = 0; i < N; i++) s = s * 31 + (uint16_t)acc[i] + d[i]; printf("%u\n", s); return 0;
}
