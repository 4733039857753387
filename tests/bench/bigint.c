/* class: int; multiplication of long numbers with 128-bit products; args: 600 */
#include <stdio.h>
#include <stdlib.h>
#include <stdint.h>
enum { N = 128 };
static void mul(uint64_t *r, const uint64_t *a, const uint64_t *b) {
    for (int i = 0; i < 2 * N; i++) r[i] = 0;
    for (int i = 0; i < N; i++) { uint64_t carry = 0; for (int j = 0; j < N; j++) { unsigned __int128 t = (unsigned __int128)a[i] * b[j] + r[i + j] + carry; r[i + j] = t; carry = t >> 64; } r[i + N] = carry; }
}
int main(int c, char **v) {
    static uint64_t a[N], b[N], r[2 * N]; for (int i = 0; i < N; i++) a[i] = i * 0x9e3779b97f4a7c15u, b[i] = ~a[i];
    for (int k = atoi(v[1]) * 10; k--;) { mul(r, a, b); for (int i = 0; i < N; i++) a[i] ^= r[i + N / 2]; }
    uint64_t x = 0; for (int i = 0; i < 2 * N; i++) x = x * 31 + r[i]; printf("%016lx\n", x); return 0;
}
