/* class: fp; complex FFT of single precision; flags: -ffp-contract=off; args: 60 */
#include <stdio.h>
#include <stdlib.h>
#include <math.h>
enum { LOG = 15, N = 1 << LOG };
static float re[N], im[N], wr[N], wi[N];
int main(int c, char **v) {
    for (int i = 0; i < N; i++) wr[i] = (float)cos(2 * M_PI * i / N), wi[i] = (float)sin(2 * M_PI * i / N), re[i] = i % 17, im[i] = i % 5;
    for (int n = atoi(v[1]); n--;) {
        for (int i = 0, j = 0; i < N; i++) { if (i < j) { float t = re[i]; re[i] = re[j]; re[j] = t; t = im[i]; im[i] = im[j]; im[j] = t; } int b = N >> 1; while (j & b) j ^= b, b >>= 1; j |= b; }
        for (int h = 1; h < N; h *= 2) for (int i = 0; i < N; i += 2 * h) for (int k = 0; k < h; k++) { float a = wr[k * (N / 2 / h)], b = wi[k * (N / 2 / h)], x = re[i + k + h] * a - im[i + k + h] * b, y = re[i + k + h] * b + im[i + k + h] * a; re[i + k + h] = re[i + k] - x; im[i + k + h] = im[i + k] - y; re[i + k] += x; im[i + k] += y; }
        for (int i = 0; i < N; i++) re[i] *= 1.0f / 181, im[i] *= 1.0f / 181;
    }
    printf("%.4f %.4f\n", re[3], im[9]); return 0;
}
